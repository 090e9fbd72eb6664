//! `perf watch` of several servers where no dashboard is drawn: a frame or a JSON line of each, again and again.

use std::{convert::Infallible, sync::Arc, time::Duration};

use jiff::tz::TimeZone;
use serde_json::json;
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use crate::app::cli::engine::Signals;
use crate::app::cli::gather::watched::Watched;
use crate::app::cli::gather::{Ask, gather, object};
use crate::app::cli::{Context, Failure, InForce, WatchOptions};
use crate::app::core::fleet::Label;
use crate::app::core::plain;
use crate::monitor::Snapshot;

/// The first frames wait so long for hosts.
const HOSTS_WITHIN: Duration = Duration::from_secs(5);

/// Prints them: once, or until a signal comes or the reader goes away.
pub(in crate::app::cli) async fn run(
    options: &WatchOptions,
    in_force: Arc<InForce>,
    context: &mut Context,
) -> Result<(), Failure> {
    if options.once {
        let all = gather(&options.scope, context, Ask::OrNow { with_lines: options.json }).await?;
        for (label, snapshot) in &all.answered {
            print(label, snapshot, options.json, context)?;
        }
        if !options.json {
            all.tell(context)?;
        }
        return all.end();
    }
    let every = in_force.now().settings.monitoring.check_interval;
    let mut end = Signals::listen()?;
    let mut watched = Watched::start(&options.scope, &in_force, options.embedded, context).await?;
    context.out.goes_on()?;
    let printing = async {
        match options.json {
            true => lines(&mut watched, every, context).await,
            false => frames(&watched, every, context).await,
        }
    };
    let printed = tokio::select! {
        Err(failure) = printing => Err(failure),
        () = end.any() => Ok(()),
    };
    watched.end().await;
    printed
}

/// A frame of each, an interval after an interval.
async fn frames(watched: &Watched, every: Duration, context: &mut Context) -> Result<Infallible, Failure> {
    watched.settled(Instant::now() + HOSTS_WITHIN).await;
    let mut tick = interval_at(Instant::now(), every);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        for (label, snapshot) in watched.now() {
            print(&label, &snapshot, false, context)?;
        }
        context.out.hand_on().await?;
    }
}

/// A line of JSON of each when it changes, and once an interval.
async fn lines(watched: &mut Watched, every: Duration, context: &mut Context) -> Result<Infallible, Failure> {
    let print = async |label: &Label, snapshot: Option<&Arc<Snapshot>>| {
        let Some(snapshot) = snapshot else { return Ok(()) };
        print(label, snapshot, true, context)?;
        context.out.hand_on().await
    };
    watched.each(every, Snapshot::says_more_than, print).await
}

fn print(label: &Label, snapshot: &Snapshot, as_json: bool, context: &mut Context) -> Result<(), Failure> {
    if as_json {
        let mut line = object(serde_json::to_value(snapshot).unwrap_or_default());
        line.insert("host".to_owned(), json!(label.host));
        line.insert("name".to_owned(), json!(label.server));
        return context.out.json_line(&line);
    }
    context.out.heading(&label.name())?;
    context.out.raw(plain::frame(snapshot, &TimeZone::system()).as_bytes())?;
    context.out.line("")
}
