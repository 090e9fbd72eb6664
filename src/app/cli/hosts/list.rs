//! `hosts`: each host of the settings, whether it is reached and what is there.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::{Instant, sleep_until, timeout_at};

use crate::app::cli::{Context, Failure, Look, Report, age, cell};
use crate::app::core::format;
use crate::app::settings::{HostSettings, Overrides};
use crate::monitor::link::open;
use crate::monitor::{LinkState, LinkedHost, Links, RemoteMember};

/// A host is reached within this time, or is told as it is then: its own limit comes before.
const WITHIN: Duration = Duration::from_secs(30);
/// One that is reached shows its servers within this time, however many there are.
const SHOWN_WITHIN: Duration = Duration::from_secs(5);
/// When nothing more has come for so long, all have shown themselves.
const SETTLED: Duration = Duration::from_millis(500);

/// Runs it. Ends with 3 when no host was reached.
pub(super) async fn run(report: Report, context: &mut Context) -> Result<(), Failure> {
    let settings = context.load(&Overrides::new())?.settings;
    if settings.hosts.is_empty() {
        return if report.json {
            context.out.json(&json!({ "schema": crate::monitor::SCHEMA, "hosts": [] }))
        } else {
            context
                .out
                .line("The settings name no host: `tmux-orc hosts check DEST` tries one, docs/hosts.md tells more")
        };
    }
    let links = Links::new(Some(context.paths.run()), false);
    let hosts: Vec<LinkedHost> =
        settings.hosts.iter().map(HostSettings::config).map(|config| open(config, links.clone())).collect();
    let until = Instant::now() + WITHIN;
    for host in &hosts {
        settle(host, until).await;
    }
    let up = hosts.iter().any(|host| host.state().borrow().is_up());
    if report.json {
        let hosts: Vec<Value> = hosts.iter().map(as_json).collect();
        context.out.json(&json!({ "schema": crate::monitor::SCHEMA, "hosts": hosts }))?;
    } else {
        let heads = ["HOST", "STATE", "RTT", "VERSION", "SERVERS", "AGENTS", "WAITING", "WHY"];
        let mut rows = vec![heads.map(|head| (Look::Title, head.to_owned())).to_vec()];
        rows.extend(hosts.iter().map(row));
        context.out.table(&rows)?;
    }
    context.out.flush()?;
    if up { Ok(()) } else { Err(Failure::silent(Failure::unreachable("").code())) }
}

/// Waits until it is known how it is with a host.
pub(super) async fn settle(host: &LinkedHost, until: Instant) {
    let mut state = host.state();
    let known = state.wait_for(|state| state.why().is_some() || matches!(state, LinkState::Up { rtt: Some(_) }));
    if !timeout_at(until, known).await.is_ok_and(|known| known.is_ok_and(|state| state.is_up())) {
        return;
    }
    let mut members = host.members();
    let until = until.min(Instant::now() + SHOWN_WITHIN);
    loop {
        let some = !members.borrow_and_update().is_empty();
        let quiet = if some { until.min(Instant::now() + SETTLED) } else { until };
        tokio::select! {
            Ok(()) = members.changed() => {}
            () = sleep_until(quiet) => return,
        }
    }
}

/// How many agents its servers have, and how many of them wait.
fn counts(members: &[RemoteMember]) -> (usize, usize) {
    let mut counts = (0, 0);
    for member in members {
        let snapshot = member.handle.snapshots.borrow();
        counts.0 += snapshot.agents.len();
        counts.1 += snapshot.agents.iter().filter(|agent| agent.needs_user()).count();
    }
    counts
}

fn servers(members: &[RemoteMember]) -> Vec<&str> {
    members.iter().map(|member| member.server.as_str()).collect()
}

fn as_json(host: &LinkedHost) -> Value {
    let (state, members) = (host.state().borrow().clone(), host.members().borrow().clone());
    let (agents, waiting) = counts(&members);
    json!({
        "name": host.config().name,
        "state": state.word(),
        "why": state.why(),
        "since": state.since(),
        "rtt_ms": host.rtt().map(|rtt| rtt.as_secs_f64() * 1e3),
        "version": host.version(),
        "servers": servers(&members),
        "agents": agents,
        "waiting": waiting,
        "last_heard": host.last_heard(),
        "clock_ahead_s": host.skew().map(|skew| skew.as_secs_f64()),
        "read_only": host.read_only(),
    })
}

fn row(host: &LinkedHost) -> Vec<(Look, String)> {
    let (state, members) = (host.state().borrow().clone(), host.members().borrow().clone());
    let (agents, waiting) = counts(&members);
    let look = match &state {
        LinkState::Up { .. } => Look::Good,
        LinkState::Connecting | LinkState::Late { .. } | LinkState::Off => Look::Warn,
        _ => Look::Bad,
    };
    let known = |known: Option<String>| (Look::Plain, known.unwrap_or_else(|| format::NONE.to_owned()));
    let up = state.is_up();
    let number = |count: usize| known(up.then(|| count.to_string()));
    // What stands in the last column of one that is well: that its clock is wrong is why its ages may be.
    let skew = host.skew().filter(|skew| skew.abs() > jiff::SignedDuration::from_secs(5));
    let clock = skew.map(|skew| {
        let word = if skew.is_negative() { "behind" } else { "ahead" };
        format!("its clock is {} {word}", age(skew.abs().as_secs_f64()))
    });
    vec![
        (Look::Plain, cell(&host.config().name, 32)),
        (look, state.word().replace('_', " ")),
        known(host.rtt().map(|rtt| format!("{} ms", rtt.as_millis()))),
        known(host.version().map(|version| cell(&version, 20))),
        known(Some(servers(&members).join(", ")).filter(|all| !all.is_empty()).map(|all| cell(&all, 40))),
        number(agents),
        number(waiting),
        (Look::Plain, state.why().map(|why| cell(why, 200)).or(clock).unwrap_or_default()),
    ]
}
