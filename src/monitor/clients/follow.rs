//! One handle over two sources: the engine in the background while there is one, an engine inside otherwise.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::{
    sync::{mpsc, watch},
    task::JoinHandle,
    time::{MissedTickBehavior, interval, timeout},
};

use crate::monitor::{
    AttachError, Client, Command, Engine, EngineError, EnginePaths, EngineSettings, Handle, Interest, LiveSettings,
    Memory, Order, Requests, ServerStatus, SettingsSource, Snapshot,
};
use crate::tmux::Server;

/// How often an engine in the background is looked for while one runs inside.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// An engine in the background that has not answered within this time at the start is attached to later, if ever.
const FIRST_LOOK_LIMIT: Duration = Duration::from_millis(800);
/// A source that was switched to is given this long to publish its first cycle before what it has is shown.
const FIRST_CYCLE_LIMIT: Duration = Duration::from_secs(5);
/// How long a switch is told in the snapshots' notes.
const TELL_FOR: Duration = Duration::from_secs(10);
/// An engine inside ends within this time when asked.
const END_LIMIT: Duration = Duration::from_secs(3);
/// Commands that may wait.
const COMMANDS_WAITING: usize = 64;

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

/// Which engine is followed now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Followed {
    /// One inside this process.
    Inside,
    /// One in the background, with this process id.
    Background(u32),
    /// The one in the background is gone, and the one inside has nothing to show yet.
    Lost,
}

/// A handle, and what is behind it.
#[derive(Debug)]
pub struct Following {
    /// The handle: the same whichever engine is behind it.
    pub handle: Handle,
    /// Which one it is.
    pub now: watch::Receiver<Followed>,
    /// Ends by [`Command::Stop`] or when every handle is dropped; an engine in the background goes on then.
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
        let first = Arc::clone(&source.handle.snapshots.borrow());
        let (publish, snapshots) = watch::channel(first);
        let (handle, requests) = Handle::new(snapshots, COMMANDS_WAITING);
        let (tell, now) = watch::channel(source.followed());
        let follower = Follower { follow: self, source, publish, tell, requests, told: None };
        Ok(Following { handle, now, task: tokio::spawn(follower.run()) })
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

struct Source {
    handle: Handle,
    kind: Kind,
}

enum Kind {
    Attached { pid: u32, task: JoinHandle<AttachError> },
    Embedded { task: JoinHandle<()> },
}

struct Follower {
    follow: Follow,
    source: Source,
    publish: watch::Sender<Arc<Snapshot>>,
    tell: watch::Sender<Followed>,
    requests: Requests,
    /// The last switch, and until when it is told.
    told: Option<(String, Instant)>,
}

enum Step {
    Published,
    Ended,
    Command(Option<Order>),
    Interest,
    Found(Source),
}

impl Follower {
    async fn run(mut self) -> Result<(), FollowError> {
        let (found, mut finds) = mpsc::channel(1);
        let looking = tokio::spawn(look(self.follow.clone(), self.tell.subscribe(), found));
        let ended = self.follow_all(&mut finds).await;
        looking.abort();
        match ended {
            Ok(()) => self.end().await,
            Err(error) => Err(error),
        }
    }

    async fn follow_all(&mut self, finds: &mut mpsc::Receiver<Source>) -> Result<(), FollowError> {
        loop {
            let step = tokio::select! {
                biased;
                command = self.requests.commands.recv() => Step::Command(command),
                Ok(()) = self.requests.clients.changed() => Step::Interest,
                changed = self.source.handle.snapshots.changed() => {
                    if changed.is_ok() { Step::Published } else { Step::Ended }
                }
                Some(found) = finds.recv() => Step::Found(found),
            };
            match step {
                Step::Published => self.pass_on(),
                Step::Command(None) => return Ok(()),
                Step::Command(Some(order)) if order.command == Command::Stop => {
                    order.answer(Ok(()));
                    return Ok(());
                }
                // A source that has just ended is replaced in the next step, and who asked is told that it has.
                Step::Command(Some(order)) => drop(self.source.handle.commands.pass(order).await),
                Step::Interest => {
                    let interest = self.interest();
                    self.source.handle.commands.set_interest(interest);
                }
                Step::Ended => self.replace().await?,
                Step::Found(found) => {
                    let note = match found.followed() {
                        Followed::Background(pid) => format!("attached to the engine {pid} in the background"),
                        _ => "attached".to_owned(),
                    };
                    let old = self.switch(found, note).await;
                    old.end().await;
                }
            }
        }
    }

    fn pass_on(&mut self) {
        let snapshot = Arc::clone(&self.source.handle.snapshots.borrow_and_update());
        let telling = self.told.as_ref().filter(|(_, until)| Instant::now() < *until);
        let snapshot = match telling {
            Some((text, _)) => {
                let mut told = Snapshot::clone(&snapshot);
                told.notes.push(text.clone());
                Arc::new(told)
            }
            None => snapshot,
        };
        self.publish.send_replace(snapshot);
    }

    /// What the front end wants; a new source is told of it before it is followed.
    fn interest(&mut self) -> Interest {
        self.requests.clients.borrow_and_update().of(self.requests.own)
    }

    /// The source ended by itself: the engine in the background left, or the one inside crashed.
    async fn replace(&mut self) -> Result<(), FollowError> {
        let note = match &mut self.source.kind {
            Kind::Attached { pid, task } => {
                let reason = task.await.map_or_else(|error| error.to_string(), |error| error.to_string());
                tracing::info!(pid, reason, "the engine in the background is gone; watching from inside");
                format!("the engine {pid} in the background is gone: watching from inside")
            }
            Kind::Embedded { task } => {
                return match task.await {
                    Err(error) => Err(FollowError::Crashed(error.to_string())),
                    Ok(()) => Err(FollowError::Crashed("it ended though nobody asked".to_owned())),
                };
            }
        };
        self.tell.send_replace(Followed::Lost);
        // They may have been changed since this process began.
        let source = self.follow.source.clone();
        if let Ok(Ok(fresh)) = tokio::task::spawn_blocking(move || source.read_again()).await {
            self.follow.settings = fresh.engine;
        }
        let settings = {
            let last = self.publish.borrow();
            taken_over(&self.follow.settings, &last.current_strategy, &last.settings)
        };
        // What this process saw last is no older than what the other one wrote down, unless it was stopped itself.
        let seen = Memory::of(&self.publish.borrow());
        let memory = Memory::later(seen, self.follow.remembered().await);
        let inside = self.follow.embed(settings, memory.clone()).or_else(|error| {
            // A strategy that only the other engine had must not end the watching.
            tracing::warn!(%error, "the engine inside starts with its own settings");
            self.follow.embed(self.follow.settings.clone(), memory)
        })?;
        self.switch(inside, note).await;
        Ok(())
    }

    /// Makes `source` the one that is followed, once it has something to show. Returns the one before.
    async fn switch(&mut self, mut source: Source, note: String) -> Source {
        source.handle.commands.set_interest(self.interest());
        let ready = |snapshot: &Arc<Snapshot>| snapshot.server.status != ServerStatus::Connecting;
        timeout(FIRST_CYCLE_LIMIT, source.handle.snapshots.wait_for(ready)).await.ok();
        self.told = Some((note, Instant::now() + TELL_FOR));
        let before = std::mem::replace(&mut self.source, source);
        self.tell.send_replace(self.source.followed());
        self.pass_on();
        before
    }

    async fn end(self) -> Result<(), FollowError> {
        self.source.end().await;
        Ok(())
    }
}

/// Looks for an engine in the background while none is followed. On its own: one that hangs must hold nothing up.
async fn look(follow: Follow, mut now: watch::Receiver<Followed>, found: mpsc::Sender<Source>) {
    if follow.embedded_only {
        return;
    }
    let mut tick = interval(LOOK_EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        if now.wait_for(|followed| *followed == Followed::Inside).await.is_err() {
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

impl Source {
    fn followed(&self) -> Followed {
        match self.kind {
            Kind::Attached { pid, .. } => Followed::Background(pid),
            Kind::Embedded { .. } => Followed::Inside,
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
