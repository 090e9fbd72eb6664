//! Several tmux servers that are watched for as long as a verb runs: which are there now, what each shows, and when a line
//! about one of them is due.

use std::{sync::Arc, time::Duration};

use futures_util::{
    FutureExt as _, StreamExt as _,
    future::{BoxFuture, join_all},
    stream::FuturesUnordered,
};
use tokio::{
    sync::watch,
    time::{Instant, sleep_until},
};

use crate::app::cli::gather::{here, hosts, label, wanted};
use crate::app::cli::{Context, Failure, InForce, Scope, source};
use crate::app::core::fleet::Label;
use crate::monitor::link::open;
use crate::monitor::{
    FollowError, Handle, LEAST_APART, LinkedHost, Pace, RemoteMember, ServerStatus, Snapshot, Snapshots,
};

/// The servers that are watched.
pub(in crate::app::cli) struct Watched {
    here: Vec<(Label, Handle)>,
    tasks: Vec<tokio::task::JoinHandle<Result<(), FollowError>>>,
    hosts: Vec<Host>,
}

/// A host, and what is watched of it.
struct Host {
    linked: LinkedHost,
    /// The servers that are meant there; none: all.
    only: Vec<String>,
    members: watch::Receiver<Vec<RemoteMember>>,
}

/// One server whose lines are printed.
struct Source {
    label: Label,
    snapshots: Snapshots,
    /// What was printed of it last.
    shown: Option<Arc<Snapshot>>,
    pace: Pace,
    /// Nothing more comes of it.
    ended: bool,
}

impl Source {
    /// Looks at what it shows now.
    fn look(&mut self, news: &impl Fn(&Snapshot, &Snapshot) -> bool) {
        let snapshot = self.snapshots.borrow_and_update();
        self.pace.saw(self.shown.as_ref().is_none_or(|shown| news(&snapshot, shown)));
    }

    /// A line about it is due; the first one at once.
    fn is_due(&self, now: Instant) -> bool {
        self.shown.is_none() || self.pace.due_or_heartbeat() <= now
    }
}

/// What is new.
enum News {
    /// Of the server at this place; `false`: it was its end.
    Shown(usize, bool),
    /// Others are there.
    Others,
}

impl Watched {
    /// Begins to watch all that are meant. `embedded`: never by an engine in the background.
    pub(in crate::app::cli) async fn start(
        scope: &Scope,
        in_force: &Arc<InForce>,
        embedded: bool,
        context: &Context,
    ) -> Result<Self, Failure> {
        let settings = &in_force.now().settings;
        let hosts = wanted(scope, settings)?;
        let mut watched = Self { here: Vec::new(), tasks: Vec::new(), hosts: Vec::new() };
        for server in here(scope, context, settings, hosts.is_empty()).await? {
            let follow = source::follow(context, &server, Arc::clone(in_force), embedded)?;
            let following = follow.start().await.map_err(|error| Failure::usage(error.to_string()))?;
            watched.here.push((label(&server), following.handle));
            watched.tasks.push(following.task);
        }
        if !hosts.is_empty() {
            let links = hosts::links(context);
            watched.hosts.extend(hosts.into_iter().map(|host| {
                let linked = open(host.config, links.clone());
                Host { members: linked.members(), linked, only: host.only }
            }));
        }
        Ok(watched)
    }

    /// Waits until each host shows its first server, or it is known that it has none; no longer than so.
    pub(in crate::app::cli) async fn settled(&self, latest: Instant) {
        let hosts = self.hosts.iter().map(|host| async move {
            let (mut state, mut members) = (host.linked.state(), host.linked.members());
            state.wait_for(|state| state.is_up() || state.why().is_some()).await.ok();
            members.wait_for(|members| !members.is_empty()).await.ok();
        });
        tokio::select! {
            _ = join_all(hosts) => {}
            () = sleep_until(latest) => {}
        }
    }

    /// What each that has shown something shows now.
    pub(in crate::app::cli) fn now(&self) -> Vec<(Label, Arc<Snapshot>)> {
        let all = self.all().into_iter().map(|(label, snapshots)| (label, snapshots.borrow()));
        all.filter(|(_, snapshot)| snapshot.server.status != ServerStatus::Connecting).collect()
    }

    /// All that are there now.
    fn all(&self) -> Vec<(Label, Snapshots)> {
        let here = self.here.iter().map(|(label, handle)| (label.clone(), handle.snapshots.clone()));
        let there = self.hosts.iter().flat_map(|host| {
            let name: Arc<str> = host.linked.config().name.as_str().into();
            let members = host.members.borrow().clone();
            let meant = |member: &RemoteMember| host.only.is_empty() || host.only.contains(&member.server);
            members
                .into_iter()
                .filter(meant)
                .map(move |member| {
                    let label = Label { host: Some(Arc::clone(&name)), server: member.server.as_str().into() };
                    (label, member.handle.snapshots)
                })
                .collect::<Vec<_>>()
        });
        here.chain(there).collect()
    }

    /// Prints what each shows: soon after it shows something that is `news` after what was printed, and once every
    /// `interval`. `print` is given the snapshot, or nothing when its server is watched no more. Goes on until it fails.
    pub(in crate::app::cli) async fn each(
        &mut self,
        interval: Duration,
        news: impl Fn(&Snapshot, &Snapshot) -> bool,
        mut print: impl AsyncFnMut(&Label, Option<&Arc<Snapshot>>) -> Result<(), Failure>,
    ) -> Result<std::convert::Infallible, Failure> {
        let mut sources = Vec::new();
        self.find(&mut sources, interval, &news);
        loop {
            let now = Instant::now();
            for source in sources.iter_mut().filter(|source| source.is_due(now)) {
                let snapshot = source.snapshots.borrow_and_update();
                if snapshot.server.status != ServerStatus::Connecting {
                    print(&source.label, Some(&snapshot)).await?;
                    source.shown = Some(snapshot);
                }
                source.pace.wrote(now);
            }
            let due = sources.iter().map(|source| source.pace.due_or_heartbeat()).min();
            let found = tokio::select! {
                biased;
                found = self.changed(&mut sources) => found,
                () = sleep_until(due.unwrap_or(now + interval)) => continue,
            };
            match found {
                News::Others => {
                    for gone in self.find(&mut sources, interval, &news).iter().filter(|gone| gone.shown.is_some()) {
                        print(&gone.label, None).await?;
                    }
                }
                News::Shown(place, goes_on) => {
                    sources[place].ended = !goes_on;
                    sources[place].look(&news);
                }
            }
        }
    }

    /// Takes in those that are there now; returns those that are not any more.
    fn find(
        &self,
        sources: &mut Vec<Source>,
        interval: Duration,
        news: &impl Fn(&Snapshot, &Snapshot) -> bool,
    ) -> Vec<Source> {
        let all = self.all();
        let is_there = |source: &Source| all.iter().any(|(label, _)| *label == source.label);
        let (stay, gone) = std::mem::take(sources).into_iter().partition(is_there);
        *sources = stay;
        for (label, snapshots) in all {
            // The way to one that is known may be another.
            if let Some(known) = sources.iter_mut().find(|source| source.label == label) {
                (known.snapshots, known.ended) = (snapshots, false);
                known.look(news);
            } else {
                let pace = Pace::new(LEAST_APART.min(interval), interval, Instant::now());
                sources.push(Source { label, snapshots, shown: None, pace, ended: false });
            }
        }
        gone
    }

    /// Waits until one of them shows something that was not looked at yet, or others are there.
    async fn changed(&mut self, sources: &mut [Source]) -> News {
        let shown =
            sources.iter_mut().enumerate().filter(|(_, source)| !source.ended).map(|(place, source)| {
                async move { News::Shown(place, source.snapshots.changed().await.is_ok()) }.boxed()
            });
        let others = self.hosts.iter_mut().map(|host| {
            async {
                if host.members.changed().await.is_err() {
                    std::future::pending::<()>().await;
                }
                host.members.mark_unchanged();
                News::Others
            }
            .boxed()
        });
        let mut all: FuturesUnordered<BoxFuture<'_, News>> = shown.chain(others).collect();
        match all.next().await {
            Some(news) => news,
            None => std::future::pending().await,
        }
    }

    /// Waits until the engines of this process have ended.
    pub(in crate::app::cli) async fn end(self) {
        drop((self.here, self.hosts));
        join_all(self.tasks).await;
    }
}
