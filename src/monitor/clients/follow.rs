//! One handle over two sources: the engine in the background while there is one, an engine inside otherwise.

use std::time::Duration;

use tokio::{
    sync::{mpsc, watch},
    task::JoinHandle,
    time::{MissedTickBehavior, interval, timeout},
};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

use crate::monitor::clients::attach::{AttachError, Client};
use crate::monitor::clients::paths::EnginePaths;
use crate::monitor::clients::phase::{Follows, Happened, Phase};
use crate::monitor::engine::handle::{Current, Handle, Snapshots};
use crate::monitor::{
    Command, Engine, EngineError, EngineSettings, Link, LiveSettings, Memory, ServerStatus, SettingsSource,
};
use crate::tmux::Server;

/// How often an engine in the background is looked for while one runs inside.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// An engine in the background that has not answered within this time at the start is attached to later, if ever.
const FIRST_LOOK_LIMIT: Duration = Duration::from_millis(800);
/// A source that was switched to is given this long to publish its first cycle before what it has is shown.
const FIRST_CYCLE_LIMIT: Duration = Duration::from_secs(5);
/// An engine inside ends within this time when asked.
const END_LIMIT: Duration = Duration::from_secs(3);

/// What to follow.
#[derive(Clone, Debug)]
pub struct Follow {
    /// The tmux server.
    pub server: Server,
    /// Settings of an engine inside.
    pub settings: EngineSettings,
    /// Where it reads them again.
    pub source: SettingsSource,
    /// Where an engine in the background would be.
    pub paths: EnginePaths,
    /// Never attach.
    pub embedded_only: bool,
}

/// A place that is followed.
#[derive(Debug)]
pub struct Following {
    /// The handle: the same whichever engine is behind it.
    pub handle: Handle,
    /// Which one it is.
    pub link: watch::Receiver<Link>,
    /// Ends by [`Command::Stop`] or when every clone of the handle is dropped; an engine in the background goes on then.
    pub task: JoinHandle<Result<(), FollowError>>,
}

/// The engine inside ended by itself.
#[derive(Debug, thiserror::Error)]
pub enum FollowError {
    /// It could not be started.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// It crashed.
    #[error("the engine inside crashed: {0}; the log tells more")]
    Crashed(String),
}

impl Follow {
    /// Starts following.
    pub async fn start(self) -> Result<Following, FollowError> {
        let source = match timeout(FIRST_LOOK_LIMIT, self.attach()).await {
            Ok(Some(source)) => source,
            Ok(None) | Err(_) => self.embed(self.settings.clone(), self.remembered().await)?,
        };
        let (show, current) = watch::channel(Current::new(&source.handle, &source.handle));
        let (tell, link) = watch::channel(source.link());
        let end = CancellationToken::new();
        let handle = Handle::followed(current, end.clone());
        let follower = Follower { follow: self, show, tell };
        let task = tokio::spawn(follower.run(source, end));
        Ok(Following { handle, link, task })
    }

    async fn attach(&self) -> Option<Source> {
        if self.embedded_only {
            return None;
        }
        let attached = match Client::connect(&self.paths, true).await {
            Ok(client) => {
                let pid = client.hello.pid;
                client.into_handle().await.map(|(handle, task)| (pid, handle, task))
            }
            Err(error) => Err(error),
        };
        match attached {
            Ok((pid, handle, task)) => {
                tracing::info!(pid, "attached to the engine in the background");
                Some(Source { handle, kind: Kind::Attached { pid, task } })
            }
            Err(AttachError::NoEngine) => None,
            Err(error) => {
                // Nothing that monitors may be lost because something clever failed: the engine inside does it.
                tracing::warn!(%error, "cannot attach to the engine in the background");
                None
            }
        }
    }

    /// What whoever kept the memory knew last.
    async fn remembered(&self) -> Option<Memory> {
        let path = self.paths.memory();
        let read = tokio::task::spawn_blocking(move || Memory::load(&path)).await.ok()?;
        read.unwrap_or_else(|error| {
            tracing::warn!(%error, "what was remembered of the agents cannot be used");
            None
        })
    }

    fn embed(&self, settings: EngineSettings, memory: Option<Memory>) -> Result<Source, EngineError> {
        let (server, source) = (self.server.clone(), self.source.clone());
        let (handle, task) = Engine::new(server, settings).reading_from(source).remembering(memory).start()?;
        Ok(Source { handle, kind: Kind::Embedded { task } })
    }
}

/// An engine that can be followed.
struct Source {
    handle: Handle,
    kind: Kind,
}

enum Kind {
    Attached { pid: u32, task: JoinHandle<AttachError> },
    Embedded { task: JoinHandle<()> },
}

impl Source {
    /// Waits until it has ended by itself. Says why.
    async fn ended(&mut self) -> String {
        match &mut self.kind {
            Kind::Attached { task, .. } => task.await.map_or_else(|error| error.to_string(), |error| error.to_string()),
            Kind::Embedded { task } => {
                task.await.map_or_else(|error| error.to_string(), |()| "it ended though nobody asked".to_owned())
            }
        }
    }

    /// Lets go of it: the engine inside ends, the one in the background goes on.
    async fn end(self) {
        match self.kind {
            Kind::Attached { task, .. } => task.abort(),
            Kind::Embedded { task } => {
                self.handle.commands.send(Command::Stop).await.ok();
                timeout(END_LIMIT, task).await.ok();
            }
        }
    }
}

impl Follows for Source {
    fn link(&self) -> Link {
        match self.kind {
            Kind::Attached { pid, .. } => Link::Attached(pid),
            Kind::Embedded { .. } => Link::Embedded,
        }
    }
}

struct Follower {
    follow: Follow,
    show: watch::Sender<Current>,
    tell: watch::Sender<Link>,
}

impl Follower {
    async fn run(mut self, first: Source, end: CancellationToken) -> Result<(), FollowError> {
        let (found, mut finds) = mpsc::channel(1);
        let looking = AbortOnDropHandle::new(tokio::spawn(look(self.follow.clone(), self.tell.subscribe(), found)));
        let mut phase = Phase::Steady(first);
        loop {
            let happened = tokio::select! {
                biased;
                () = end.cancelled() => break,
                happened = self.wait(&mut phase, &mut finds) => happened?,
            };
            if let (Link::Attached(pid), Happened::Ended(reason)) = (phase.link(), &happened) {
                tracing::info!(pid, reason, "the engine in the background is gone; watching from inside");
            }
            let (next, before) = phase.after(happened).map_err(FollowError::Crashed)?;
            phase = next;
            self.publish(&phase);
            if let Some(before) = before {
                before.end().await;
            }
        }
        drop(looking);
        for source in phase.engines() {
            source.end().await;
        }
        Ok(())
    }

    /// What happens next. A call that is dropped half-way loses nothing.
    async fn wait(
        &mut self,
        phase: &mut Phase<Source>,
        finds: &mut mpsc::Receiver<Source>,
    ) -> Result<Happened<Source>, FollowError> {
        Ok(match phase {
            Phase::Steady(source) => tokio::select! {
                why = source.ended() => Happened::Ended(why),
                Some(found) = finds.recv() => Happened::Found(found),
            },
            Phase::Lost(before) => Happened::Started(self.take_over(before).await?),
            Phase::Switching { to, .. } => {
                let ready = ready(to.handle.snapshots.clone());
                tokio::select! {
                    why = to.ended() => Happened::Ended(why),
                    () = ready => Happened::Ready,
                }
            }
        })
    }

    fn publish(&self, phase: &Phase<Source>) {
        // First, so that whoever sees a snapshot of another engine can know why it is another.
        self.tell.send_if_modified(|link| std::mem::replace(link, phase.link()) != phase.link());
        self.show.send_modify(|current| {
            let (shown, asked) = (phase.shown(), phase.asked());
            asked.handle.commands.set_interest(current.interest());
            *current = Current::new(&shown.handle, &asked.handle);
        });
    }

    /// An engine inside that goes on where the one in the background ended.
    async fn take_over(&mut self, before: &Source) -> Result<Source, EngineError> {
        // They may have been changed since this process began.
        let source = self.follow.source.clone();
        if let Ok(Ok(fresh)) = tokio::task::spawn_blocking(move || source.read_again()).await {
            self.follow.settings = fresh.engine;
        }
        let last = before.handle.snapshots.borrow();
        let settings = taken_over(&self.follow.settings, &last.current_strategy, &last.settings);
        // What this process saw last is no older than what the other one wrote down, unless it was stopped itself.
        let memory = Memory::later(Memory::of(&last), self.follow.remembered().await);
        self.follow.embed(settings, memory.clone()).or_else(|error| {
            // A strategy that only the other engine had must not end the watching.
            tracing::warn!(%error, "the engine inside starts with its own settings");
            self.follow.embed(self.follow.settings.clone(), memory)
        })
    }
}

/// Waits until there is something to show, or there was time enough for that.
async fn ready(mut snapshots: Snapshots) {
    let shows = snapshots.wait_for(|snapshot| snapshot.server.status != ServerStatus::Connecting);
    timeout(FIRST_CYCLE_LIMIT, shows).await.ok();
}

/// Looks for an engine in the background while none is followed. On its own: one that hangs must hold nothing up.
async fn look(follow: Follow, mut link: watch::Receiver<Link>, found: mpsc::Sender<Source>) {
    if follow.embedded_only {
        return;
    }
    let mut tick = interval(LOOK_EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        if link.wait_for(|link| *link == Link::Embedded).await.is_err() {
            return;
        }
        tick.tick().await;
        if let Some(source) = follow.attach().await {
            if found.send(source).await.is_err() {
                return;
            }
            // Until it is followed, or is gone again before it was.
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
}

/// The settings for an engine inside that takes over from another: what was tuned there goes on.
fn taken_over(own: &EngineSettings, strategy: &str, live: &LiveSettings) -> EngineSettings {
    let mut settings = own.clone();
    strategy.clone_into(&mut settings.strategy);
    settings.interval =
        Duration::try_from_secs_f64(live.interval).ok().filter(|i| !i.is_zero()).unwrap_or(own.interval);
    if let Ok(transport) = live.transport.parse() {
        settings.transport = transport;
    }
    if live.pool_max > 0 {
        settings.pool.max_size = live.pool_max;
    }
    settings.cache.enabled = live.cache_enabled;
    if let Ok(policy) = live.cache_policy.parse() {
        settings.cache.policy = policy;
    }
    settings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::monitor::CachePolicy;

    #[test]
    fn what_was_tuned_in_the_engine_before_goes_on_inside() {
        let own = EngineSettings::default();
        let mut live = LiveSettings {
            interval: 7.0,
            transport: "spawn".to_owned(),
            pool_min: 2,
            pool_max: 3,
            cache_enabled: false,
            cache_policy: "lfu".to_owned(),
            ..LiveSettings::default()
        };
        let taken = taken_over(&own, "polling", &live);
        assert_eq!((taken.strategy.as_str(), taken.interval), ("polling", Duration::from_secs(7)));
        assert_eq!((taken.transport.to_string().as_str(), taken.pool.max_size), ("spawn", 3));
        assert_eq!((taken.cache.enabled, taken.cache.policy), (false, CachePolicy::Lfu));
        assert_eq!(taken.pool.min_size, own.pool.min_size, "the floor is the settings': a larger pool has it again");
        live.cache_enabled = true;
        assert!(taken_over(&own, "polling", &live).cache.enabled);
    }
}
