//! `perf watch` of several servers where no dashboard is drawn: a frame or a JSON line of each, again and again.

use std::{sync::Arc, time::Duration};

use futures_util::future::join_all;
use jiff::tz::TimeZone;
use serde_json::json;
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep_until};

use crate::app::cli::gather::{Ask, gather, here, hosts, label, object, wanted};
use crate::app::cli::{Context, Failure, InForce, WatchOptions, source};
use crate::app::core::fleet::Label;
use crate::app::core::plain;
use crate::monitor::link::open;
use crate::monitor::{Handle, LinkedHost, ServerStatus, Snapshot};

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
    let watched = Watched::start(options, in_force, context).await?;
    let printed = until_ended(&watched, every, options.json, context).await;
    watched.end().await;
    printed
}

async fn until_ended(watched: &Watched, every: Duration, json: bool, context: &mut Context) -> Result<(), Failure> {
    let mut end = crate::app::cli::engine::Signals::listen()?;
    let latest = Instant::now() + HOSTS_WITHIN;
    for host in &watched.hosts {
        let (mut state, mut members) = (host.0.state(), host.0.members());
        // Up to its first member, or until it is known that there is none.
        let first = async {
            tokio::join!(
                async { state.wait_for(|state| state.is_up() || state.why().is_some()).await.is_ok() },
                async {
                    tokio::select! {
                        shown = members.wait_for(|members| !members.is_empty()) => drop(shown),
                        () = sleep_until(latest) => {}
                    }
                }
            )
        };
        tokio::select! {
            _ = first => {}
            () = sleep_until(latest) => {}
            () = end.any() => return Ok(()),
        }
    }
    let mut tick = interval_at(Instant::now(), every);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = tick.tick() => {}
            () = end.any() => return Ok(()),
        }
        for (label, snapshot) in watched.now() {
            print(&label, &snapshot, json, context)?;
        }
        context.out.flush()?;
    }
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

/// The servers that are watched.
struct Watched {
    here: Vec<(Label, Handle)>,
    tasks: Vec<tokio::task::JoinHandle<Result<(), crate::monitor::FollowError>>>,
    /// Each with the servers that are meant there; none: all.
    hosts: Vec<(LinkedHost, Vec<String>)>,
}

impl Watched {
    async fn start(options: &WatchOptions, in_force: Arc<InForce>, context: &Context) -> Result<Self, Failure> {
        let settings = &in_force.now().settings;
        let hosts = wanted(&options.scope, settings)?;
        let mut watched = Self { here: Vec::new(), tasks: Vec::new(), hosts: Vec::new() };
        for server in here(&options.scope, context, settings, hosts.is_empty()).await? {
            let follow = source::follow(context, &server, Arc::clone(&in_force), options.embedded)?;
            let following = follow.start().await.map_err(|error| Failure::usage(error.to_string()))?;
            watched.here.push((label(&server), following.handle));
            watched.tasks.push(following.task);
        }
        if !hosts.is_empty() {
            let links = hosts::links(context);
            watched.hosts.extend(hosts.into_iter().map(|host| (open(host.config, links.clone()), host.only)));
        }
        Ok(watched)
    }

    /// What each that has shown something shows now.
    fn now(&self) -> Vec<(Label, Arc<Snapshot>)> {
        let here = self.here.iter().map(|(label, handle)| (label.clone(), handle.snapshots.borrow()));
        let there = self.hosts.iter().flat_map(|(host, only)| {
            let name: Arc<str> = host.config().name.as_str().into();
            let members = host.members().borrow().clone();
            members.into_iter().filter(|member| only.is_empty() || only.contains(&member.server)).map(move |member| {
                let label = Label { host: Some(Arc::clone(&name)), server: member.server.as_str().into() };
                (label, member.handle.snapshots.borrow())
            })
        });
        here.chain(there).filter(|(_, snapshot)| snapshot.server.status != ServerStatus::Connecting).collect()
    }

    /// Waits until the engines of this process have ended.
    async fn end(self) {
        drop((self.here, self.hosts));
        join_all(self.tasks).await;
    }
}
