//! `metrics`: what the engine would tell other systems, on standard output.

use std::{sync::Arc, time::Duration};

use futures_util::future::join_all;
use tokio::time::{Instant, timeout_at};

use crate::app::cli::gather::there::{self, Order};
use crate::app::cli::gather::{Ask, gather_here, links, several};
use crate::app::cli::{Context, Failure, MetricsOptions, cell, source};
use crate::app::metrics::{Counter, Detail, Format, HostMeasured, Measured, Totals, Words, families, hosts, render};
use crate::app::settings::{HostSettings, Overrides};
use crate::monitor::link::open;
use crate::monitor::{LinkState, Snapshot};
use crate::tmux::{Server, SocketChoice};

/// A host is reached within this time or counts as down.
const WITHIN: Duration = Duration::from_secs(15);

/// Prints them: of the engine in the background, or else of a look made now, with the sums of the journal.
pub async fn run(options: &MetricsOptions, context: &mut Context) -> Result<(), Failure> {
    if options.scope.host.len() > 1 {
        return Err(Failure::usage("--host: the measures of one host are one text: name one"));
    }
    if !options.scope.host.is_empty() {
        let order = Order { words: &options.words(), json: false, follow: false };
        return there::run(order, &options.scope, context).await;
    }
    let settings = context.load(&Overrides::new())?.settings.metrics;
    let detail = options.detail.as_deref().unwrap_or(&settings.detail);
    let detail = if detail == "agents" { Detail::Agents } else { Detail::Totals };
    let ask = Ask::OrNow { with_lines: false };
    if !several(&options.scope, context) {
        let server = context.server()?;
        let snapshot = source::from_engine_or(&server, context, false).await?;
        return print(vec![snapshot], &[], detail, options, context).await;
    }
    let (all, hosts) = tokio::join!(gather_here(&options.scope, context, ask), linked(context));
    let (all, hosts) = (all?, hosts?);
    let here = all.answered.iter().map(|(_, snapshot)| Arc::clone(snapshot)).collect();
    let measured: Vec<HostMeasured> = hosts.iter().map(|(host, _)| host.clone()).collect();
    print(here, &measured, detail, options, context).await?;
    let down = hosts.iter().filter(|(host, _)| !host.up);
    let down: Vec<String> = down.map(|(host, why)| format!("{} did not answer: {why}", host.name)).collect();
    for problem in all.problems().chain(down.iter().cloned()) {
        eprintln!("tmux-orc: {problem}");
    }
    match measured.iter().any(|host| host.up) {
        _ if options.scope.strict && !down.is_empty() => Err(Failure::check()),
        true if all.answered.is_empty() => Ok(()),
        _ => all.end(),
    }
}

/// The hosts of the settings as they are reached now, and why those that are not are not.
async fn linked(context: &Context) -> Result<Vec<(HostMeasured, String)>, Failure> {
    let settings = context.load(&Overrides::new())?.settings;
    let links = links(context);
    let until = Instant::now() + WITHIN;
    let all = settings.hosts.iter().map(HostSettings::config).map(async |config| {
        let host = open(config, links.clone());
        let mut state = host.state();
        let known = state.wait_for(|state| state.why().is_some() || matches!(state, LinkState::Up { rtt: Some(_) }));
        timeout_at(until, known).await.ok();
        let state = host.state().borrow().clone();
        let why = state.why().map_or_else(|| "nothing came in time".to_owned(), |why| cell(why, 400));
        let (name, up) = (host.config().name.clone(), state.is_up());
        (HostMeasured { name, up, rtt: host.rtt(), last_heard: host.last_heard() }, why)
    });
    Ok(join_all(all).await)
}

async fn print(
    snapshots: Vec<Arc<Snapshot>>,
    links: &[HostMeasured],
    detail: Detail,
    options: &MetricsOptions,
    context: &mut Context,
) -> Result<(), Failure> {
    let counters: Vec<_> = snapshots.iter().map(|snapshot| count(snapshot, context)).collect();
    let words = Words::load(Some(&context.paths.agents()));
    let mut measured = Vec::new();
    for (snapshot, totals) in snapshots.iter().zip(&counters) {
        measured.push(Measured { totals, snapshot, dropped: None });
    }
    let mut all = families(&measured, detail, &words);
    all.extend(hosts(links));
    let format = if options.openmetrics { Format::OpenMetrics } else { Format::Prometheus };
    context.out.raw(render(&all, format).as_bytes())
}

/// The sums of a server, and where the next one goes on.
fn count(snapshot: &Snapshot, context: &Context) -> Totals {
    let choice = SocketChoice { name: None, path: Some(snapshot.server.socket.clone().into()) };
    let Ok(server) = Server::resolve(&choice) else { return Totals::default() };
    let engine = context.engine_paths(&server);
    let mut counter = Counter::load(context.paths.events(), &engine, &snapshot.server.socket);
    // A look of our own is nobody who watches.
    let watches = snapshot.engine.pid != std::process::id();
    let alive = watches.then_some((snapshot.engine.pid, snapshot.timestamp));
    if let Err(error) = counter.catch_up(alive, &mut |_| {}) {
        eprintln!("tmux-orc: the sums are not all that there is: {error}");
    }
    // Without a folder of engines there is nothing to go on from.
    if engine.dir().is_dir()
        && let Err(error) = counter.save()
    {
        tracing::warn!(%error, "how far the journal was counted cannot be written down");
    }
    counter.totals().clone()
}
