//! `metrics`: what the engine would tell other systems, on standard output.

use std::sync::Arc;

use crate::app::cli::gather::there::{self, Order};
use crate::app::cli::gather::{Ask, gather, several};
use crate::app::cli::{Context, Failure, MetricsOptions, source};
use crate::app::core::fleet::Label;
use crate::app::metrics::{Counter, Detail, Format, Measured, Totals, Words, families, hosts, render};
use crate::app::settings::Overrides;
use crate::monitor::Snapshot;
use crate::tmux::{Server, SocketChoice};

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
    let all = gather(&options.scope, context, ask).await?;
    let (here, there): (Vec<_>, Vec<_>) = all.answered.iter().cloned().partition(|(label, _)| label.host.is_none());
    let up = |host: &Arc<str>| there.iter().any(|(label, _)| label.host.as_ref() == Some(host));
    let hosts: Vec<(String, bool, Option<f64>)> =
        all.hosts().into_iter().map(|host| (host.to_string(), up(&host), None)).collect();
    let here: Vec<Arc<Snapshot>> = here.into_iter().map(|(_, snapshot): (Label, _)| snapshot).collect();
    print(here, &hosts, detail, options, context).await?;
    for problem in all.problems() {
        eprintln!("tmux-orc: {problem}");
    }
    all.end()
}

async fn print(
    snapshots: Vec<Arc<Snapshot>>,
    links: &[(String, bool, Option<f64>)],
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
