//! The two ends that a front end holds of an engine, whether it runs inside or is attached to.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use tokio::{
    sync::{mpsc, oneshot, watch},
    time::timeout,
};

use crate::monitor::clients::client::{ClientId, Clients, Interest, Place};
use crate::monitor::{Acted, Change, Snapshot};
use crate::tmux::PaneId;

/// What a client holds of an engine: the newest snapshot, a bounded queue of commands, and a place of its own. Clones are
/// the same client; it is gone when the last of them is.
#[derive(Clone, Debug)]
pub struct Handle {
    /// The newest snapshot; intermediate ones may be missed.
    pub snapshots: watch::Receiver<Arc<Snapshot>>,
    /// Commands; each takes effect from the next cycle. The answer comes after the snapshot that shows it.
    pub commands: Commands,
}

/// A command on its way to the engine, and who waits for its answer, if anybody does.
#[derive(Debug)]
pub struct Order {
    /// What is to be done.
    pub command: Command,
    answer: Option<oneshot::Sender<Result<(), Refused>>>,
}

/// Why a command was not carried out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Refused(pub String);

impl Order {
    /// Tells whoever waits how it ended: carried out, and shown by the newest snapshot; or refused and why. Gives the
    /// reason back when nobody waits for it.
    pub fn answer(self, answer: Result<(), Refused>) -> Option<Refused> {
        match self.answer {
            Some(waits) => {
                waits.send(answer).ok();
                None
            }
            None => answer.err(),
        }
    }
}

/// The engine's ends of what its clients hold.
#[derive(Debug)]
pub struct Requests {
    /// Commands in the order in which they came.
    pub commands: mpsc::Receiver<Order>,
    /// Who is there and what each wants.
    pub clients: watch::Receiver<Clients>,
    /// The client for which the engine was started: its preview is that of the snapshots as they are published.
    pub own: ClientId,
}

impl Handle {
    /// The handle of an engine's first client, and the engine's own ends. So many commands may wait.
    #[must_use]
    pub fn new(snapshots: watch::Receiver<Arc<Snapshot>>, waiting: usize) -> (Self, Requests) {
        let (queue, commands) = mpsc::channel(waiting);
        let (place, clients) = Place::first();
        let own = place.id();
        let commands_end = Commands { queue, place: Arc::new(place) };
        (Self { snapshots, commands: commands_end }, Requests { commands, clients, own })
    }

    /// A handle for another client of the same engine; `watched`: somebody looks at its snapshots.
    #[must_use]
    pub fn another(&self, watched: bool) -> Self {
        let place = Arc::new(self.commands.place.another(watched));
        Self { snapshots: self.snapshots.clone(), commands: Commands { queue: self.commands.queue.clone(), place } }
    }
}

/// The one limit to how long a command waits for its answer, wherever the engine is.
pub const ANSWER_LIMIT: Duration = Duration::from_secs(15);

/// The way to an engine for one client.
#[derive(Clone, Debug)]
pub struct Commands {
    queue: mpsc::Sender<Order>,
    place: Arc<Place>,
}

/// The same without a claim: the engine ends, and the client is gone, although this is still held.
#[derive(Clone, Debug)]
pub struct WeakCommands {
    queue: mpsc::WeakSender<Order>,
    place: Weak<Place>,
}

/// A command was not handed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotSent {
    /// Too many wait already.
    #[error("too many commands wait already")]
    Full,
    /// The engine has ended.
    #[error("the engine has ended")]
    Ended,
}

impl Commands {
    /// Hands a command to the engine, and waits while too many wait.
    ///
    /// # Errors
    /// If the engine has ended.
    pub async fn send(&self, command: Command) -> Result<(), NotSent> {
        match self.want(command) {
            Some(command) => self.pass(Order { command, answer: None }).await,
            None => Ok(()),
        }
    }

    /// Hands a command to the engine if there is room for it.
    ///
    /// # Errors
    /// See [`NotSent`].
    pub fn try_send(&self, command: Command) -> Result<(), NotSent> {
        match self.want(command) {
            Some(command) => self.try_pass(Order { command, answer: None }),
            None => Ok(()),
        }
    }

    /// Hands a command to the engine if there is room for it. What is returned waits for the answer; the command is on
    /// its way also when nobody does.
    pub fn ask(&self, command: Command) -> impl Future<Output = Result<(), Refused>> + Send + 'static + use<> {
        let (answer, answered) = oneshot::channel();
        let sent = match self.want(command) {
            Some(command) => self.try_pass(Order { command, answer: Some(answer) }),
            // A wish is granted by being put down.
            None => {
                answer.send(Ok(())).ok();
                Ok(())
            }
        };
        async move {
            sent.map_err(|error| Refused(error.to_string()))?;
            match timeout(ANSWER_LIMIT, answered).await {
                Ok(Ok(answer)) => answer,
                Ok(Err(_)) => Err(Refused(NotSent::Ended.to_string())),
                Err(_) => Err(Refused(format!("the engine has not answered within {} s", ANSWER_LIMIT.as_secs()))),
            }
        }
    }

    /// Hands an order on as it is: who waits for its answer gets it from whoever carries it out.
    pub(crate) async fn pass(&self, order: Order) -> Result<(), NotSent> {
        self.queue.send(order).await.map_err(|_| NotSent::Ended)
    }

    fn try_pass(&self, order: Order) -> Result<(), NotSent> {
        self.queue.try_send(order).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => NotSent::Full,
            mpsc::error::TrySendError::Closed(_) => NotSent::Ended,
        })
    }

    /// What this client wants of the engine now.
    #[must_use]
    pub fn interest(&self) -> Interest {
        self.place.interest()
    }

    /// This client wants this from now on, for as long as it is there.
    pub fn set_interest(&self, interest: Interest) {
        self.place.want(interest);
    }

    /// The same without a claim.
    #[must_use]
    pub fn downgrade(&self) -> WeakCommands {
        WeakCommands { queue: self.queue.downgrade(), place: Arc::downgrade(&self.place) }
    }

    /// Puts down what lasts as long as the client does; gives back what is to be done.
    fn want(&self, command: Command) -> Option<Command> {
        let interest = self.place.interest();
        match command {
            Command::Focus(focus) => self.place.want(Interest { focus, ..interest }),
            Command::Watched(watched) => self.place.want(Interest { watched, ..interest }),
            command => return Some(command),
        }
        None
    }
}

impl WeakCommands {
    /// The way to the engine, if anybody else still holds it.
    #[must_use]
    pub fn upgrade(&self) -> Option<Commands> {
        Some(Commands { queue: self.queue.upgrade()?, place: self.place.upgrade()? })
    }
}

/// A change asked of a running engine. In force when the engine has answered so, never before.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Switch to the strategy of this name.
    Strategy(String),
    /// Set the pool's capacity (1 to 64).
    PoolSize(usize),
    /// Set the seconds between cycles.
    Interval(f64),
    /// Set the transport: `auto`, `dial`, `spawn`, `process`.
    Transport(String),
    /// Turn the cache on or off.
    Cache(bool),
    /// Drop all that is cached.
    ClearCache,
    /// Set the cache's policy: `ttl`, `lru`, `lfu`.
    CachePolicy(String),
    /// Stop or resume the cycles.
    Pause(bool),
    /// Run one cycle now.
    Refresh,
    /// The pane whose coloured screen this client's snapshots carry as `preview`, and that is looked at more often. Other
    /// clients have their own; it ends with the client.
    Focus(Option<PaneId>),
    /// The pane was looked at: a `done` there is seen.
    Seen(PaneId),
    /// Whether somebody sees this client's snapshots now; an engine that nobody watches may take its time when all is
    /// quiet. It ends with the client.
    Watched(bool),
    /// A person did something to an agent: told in the events, and the agent is looked at.
    Acted(Acted),
    /// Read the settings again and apply what differs; bad ones change nothing. Whoever started the engine knows where
    /// they are and which options go before them.
    Reload,
    /// Settings of a front end were changed: told in the events.
    Noted(Vec<Change>),
    /// Something beside the engine went wrong, in words: told in the events.
    Problem(String),
    /// End the engine.
    Stop,
}
