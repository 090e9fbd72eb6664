//! What a client holds of an engine: the newest snapshot and the way for commands, whether that engine runs inside, is
//! attached to, or changes from one to the other meanwhile.

use std::sync::{Arc, Weak};

use tokio::{
    sync::{mpsc, oneshot, watch},
    time::timeout,
};
use tokio_util::sync::CancellationToken;

use crate::monitor::Snapshot;
use crate::monitor::engine::client::{ClientId, Clients, Interest, Place};
use crate::monitor::engine::command::{ANSWER_LIMIT, Command, NotDone, NotSent, Order, Refused};

/// What a client holds of an engine: the newest snapshot, a bounded queue of commands, and a place of its own. Clones are
/// the same client; it is gone when the last of them is.
///
/// One of a followed place ([`crate::monitor::Follow`]) is the same for whoever holds it: behind it is the engine that
/// watches there now. Handles know nothing of each other, so that a program may hold one for each of many places.
#[derive(Clone, Debug)]
pub struct Handle {
    /// The newest snapshot; intermediate ones may be missed.
    pub snapshots: Snapshots,
    /// Commands; each takes effect from the next cycle. The answer comes after the snapshot that shows it.
    pub commands: Commands,
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

/// The engine that is followed now, as those know it who follow. It holds no engine: that is the follower's.
#[derive(Clone, Debug)]
pub(crate) struct Current {
    /// What is shown.
    shown: watch::Receiver<Arc<Snapshot>>,
    /// Where commands go.
    commands: WeakCommands,
}

impl Current {
    /// Shows what one engine publishes and hands commands to another, which is about to take its place; or to the same.
    pub(crate) fn new(shown: &Handle, asked: &Handle) -> Self {
        Self { shown: shown.snapshots.newest.clone(), commands: asked.commands.downgrade() }
    }

    /// What those who follow want of the engine that commands go to.
    pub(crate) fn interest(&self) -> Interest {
        self.commands.upgrade().map(|commands| commands.interest()).unwrap_or_default()
    }
}

impl Handle {
    /// The handle of an engine's first client, and the engine's own ends. So many commands may wait.
    #[must_use]
    pub fn new(snapshots: watch::Receiver<Arc<Snapshot>>, waiting: usize) -> (Self, Requests) {
        let (queue, commands) = mpsc::channel(waiting);
        let (place, clients) = Place::first();
        let own = place.id();
        let way = Way::Engine { queue, place };
        (Self { snapshots: snapshots.into(), commands: Commands(Arc::new(way)) }, Requests { commands, clients, own })
    }

    /// The handle of a place that is followed. `end` is cancelled when its last clone is dropped, or when it is used to stop.
    pub(crate) fn followed(current: watch::Receiver<Current>, end: CancellationToken) -> Self {
        let snapshots = Snapshots::following(current.clone());
        Self { snapshots, commands: Commands(Arc::new(Way::Followed(Followed { current, end }))) }
    }

    /// A handle for another client of the same engine, of the one of now where that can change; `watched`: somebody
    /// looks at its snapshots. `None`: the engine has ended.
    #[must_use]
    pub fn another(&self, watched: bool) -> Option<Self> {
        match &*self.commands.0 {
            Way::Engine { queue, place } => {
                let way = Way::Engine { queue: queue.clone(), place: place.another(watched) };
                Some(Self { snapshots: self.snapshots.clone(), commands: Commands(Arc::new(way)) })
            }
            Way::Followed(followed) => {
                let Current { shown, commands } = followed.current.borrow().clone();
                Self { snapshots: shown.into(), commands: commands.upgrade()? }.another(watched)
            }
        }
    }
}

/// No snapshot comes any more: the engine has ended, and none takes its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the engine has ended")]
pub struct Ended;

/// The newest snapshot of an engine, and when there is a newer one; intermediate ones may be missed. Holding it keeps no
/// engine. Where one engine takes the place of another, its snapshots follow those of the other.
#[derive(Clone, Debug)]
pub struct Snapshots {
    newest: watch::Receiver<Arc<Snapshot>>,
    /// The engine of now, where another can take its place.
    current: Option<watch::Receiver<Current>>,
}

impl From<watch::Receiver<Arc<Snapshot>>> for Snapshots {
    fn from(newest: watch::Receiver<Arc<Snapshot>>) -> Self {
        Self { newest, current: None }
    }
}

impl Snapshots {
    fn following(current: watch::Receiver<Current>) -> Self {
        let newest = current.borrow().shown.clone();
        Self { newest, current: Some(current) }
    }

    /// The newest one.
    #[must_use]
    pub fn borrow(&self) -> Arc<Snapshot> {
        match &self.current {
            Some(current) => Arc::clone(&current.borrow().shown.borrow()),
            None => Arc::clone(&self.newest.borrow()),
        }
    }

    /// The newest one, which is then known: [`Self::changed`] waits for a newer one.
    #[must_use]
    pub fn borrow_and_update(&mut self) -> Arc<Snapshot> {
        self.turn_to_current();
        Arc::clone(&self.newest.borrow_and_update())
    }

    /// Waits for a snapshot that is not known yet. One call that is dropped half-way misses nothing.
    ///
    /// # Errors
    /// See [`Ended`].
    pub async fn changed(&mut self) -> Result<(), Ended> {
        loop {
            let Some(current) = &mut self.current else { return self.newest.changed().await.map_err(|_| Ended) };
            let switched = tokio::select! {
                biased;
                switched = current.changed() => switched,
                Ok(()) = self.newest.changed() => return Ok(()),
            };
            if switched.is_err() {
                // This engine is the last.
                self.current = None;
            } else if self.turn_to_current() {
                return Ok(());
            }
        }
    }

    /// Waits for a snapshot of which this is so; the newest one may be it.
    ///
    /// # Errors
    /// See [`Ended`].
    pub async fn wait_for(&mut self, mut good: impl FnMut(&Arc<Snapshot>) -> bool) -> Result<Arc<Snapshot>, Ended> {
        loop {
            let snapshot = self.borrow_and_update();
            if good(&snapshot) {
                return Ok(snapshot);
            }
            self.changed().await?;
        }
    }

    /// No other snapshot comes any more.
    #[must_use]
    pub fn ended(&self) -> bool {
        self.newest.has_changed().is_err() && self.current.as_ref().is_none_or(|current| current.has_changed().is_err())
    }

    /// Takes the snapshots of the engine of now, none of them known. Says whether they are others than before.
    fn turn_to_current(&mut self) -> bool {
        let Some(current) = &mut self.current else { return false };
        let newest = current.borrow_and_update().shown.clone();
        let differs = !newest.same_channel(&self.newest);
        if differs {
            self.newest = newest;
            self.newest.mark_changed();
        }
        differs
    }
}

/// The way to an engine for one client.
#[derive(Clone, Debug)]
pub struct Commands(Arc<Way>);

/// The same without a claim: the engine ends, and the client is gone, although this is still held.
#[derive(Clone, Debug)]
pub struct WeakCommands(Weak<Way>);

#[derive(Debug)]
enum Way {
    /// To one engine, with a place there.
    Engine { queue: mpsc::Sender<Order>, place: Place },
    /// To the engine that is followed now, with the follower's place there.
    Followed(Followed),
}

#[derive(Debug)]
struct Followed {
    current: watch::Receiver<Current>,
    end: CancellationToken,
}

impl Drop for Followed {
    fn drop(&mut self) {
        self.end.cancel();
    }
}

impl Commands {
    /// Hands a command to the engine, and waits while too many wait.
    ///
    /// # Errors
    /// If the engine has ended.
    pub async fn send(&self, command: Command) -> Result<(), NotSent> {
        match self.want(command)? {
            Some((queue, command)) => queue.send(Order { command, answer: None }).await.map_err(|_| NotSent::Ended),
            None => Ok(()),
        }
    }

    /// Hands a command to the engine if there is room for it.
    ///
    /// # Errors
    /// See [`NotSent`].
    pub fn try_send(&self, command: Command) -> Result<(), NotSent> {
        self.try_pass(command, None)
    }

    /// Hands a command to the engine if there is room for it. What is returned waits for the answer; the command is on
    /// its way also when nobody does.
    pub fn ask(&self, command: Command) -> impl Future<Output = Result<(), NotDone>> + Send + 'static + use<> {
        let (answer, answered) = oneshot::channel();
        let sent = self.try_pass(command, Some(answer));
        async move {
            sent?;
            match timeout(ANSWER_LIMIT, answered).await {
                Ok(Ok(answer)) => Ok(answer?),
                Ok(Err(_)) => Err(NotSent::Ended.into()),
                Err(_) => Err(NotDone::Unanswered),
            }
        }
    }

    fn try_pass(&self, command: Command, answer: Option<oneshot::Sender<Result<(), Refused>>>) -> Result<(), NotSent> {
        let Some((queue, command)) = self.want(command)? else {
            // A wish is granted by being put down.
            answer.map(|answer| answer.send(Ok(())).ok());
            return Ok(());
        };
        queue.try_send(Order { command, answer }).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => NotSent::Full,
            mpsc::error::TrySendError::Closed(_) => NotSent::Ended,
        })
    }

    /// What this client wants of the engine now.
    #[must_use]
    pub fn interest(&self) -> Interest {
        match &*self.0 {
            Way::Engine { place, .. } => place.interest(),
            Way::Followed(followed) => followed.current.borrow().interest(),
        }
    }

    /// This client wants this from now on, for as long as it is there.
    pub fn set_interest(&self, interest: Interest) {
        match &*self.0 {
            Way::Engine { place, .. } => place.want(interest),
            Way::Followed(followed) => {
                // No switch can come while this is borrowed: what is wanted goes along with it.
                let current = followed.current.borrow();
                if let Some(commands) = current.commands.upgrade() {
                    commands.set_interest(interest);
                }
            }
        }
    }

    /// The same without a claim.
    #[must_use]
    pub fn downgrade(&self) -> WeakCommands {
        WeakCommands(Arc::downgrade(&self.0))
    }

    /// Puts down what lasts as long as the client does; gives back what is to be done, and who does it.
    fn want(&self, command: Command) -> Result<Option<(mpsc::Sender<Order>, Command)>, NotSent> {
        match &*self.0 {
            Way::Engine { queue, place } => {
                let interest = place.interest();
                match command {
                    Command::Focus(focus) => place.want(Interest { focus, ..interest }),
                    Command::Tiles(tiles) => place.want(Interest { tiles, ..interest }),
                    Command::Watched(watched) => place.want(Interest { watched, ..interest }),
                    Command::Instruments(instruments) => place.want(Interest { instruments, ..interest }),
                    command => return Ok(Some((queue.clone(), command))),
                }
                Ok(None)
            }
            // It ends the following: the engine itself, where that is inside.
            Way::Followed(followed) if command == Command::Stop => {
                followed.end.cancel();
                Ok(None)
            }
            Way::Followed(followed) => {
                // No switch can come while this is borrowed: what is wanted goes along with it.
                let current = followed.current.borrow();
                current.commands.upgrade().ok_or(NotSent::Ended)?.want(command)
            }
        }
    }
}

impl WeakCommands {
    /// The way to the engine, if anybody else still holds it.
    #[must_use]
    pub fn upgrade(&self) -> Option<Commands> {
        self.0.upgrade().map(Commands)
    }
}

#[cfg(test)]
#[path = "handle_tests.rs"]
mod tests;
