//! What a client asks of an engine, and how it is answered.

use std::time::Duration;

use tokio::sync::oneshot;

use crate::monitor::{Acted, Change, Tidying, Tiles};
use crate::tmux::PaneId;

/// The one limit to how long anything that an engine is asked waits for its answer, wherever the engine is.
pub const ANSWER_LIMIT: Duration = Duration::from_secs(15);

/// A change asked of a running engine. In force when the engine has answered so, never before.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Switch to the strategy of this name.
    Strategy(String),
    /// Set the pool's capacity, 1 to [`MAX_POOL`](crate::monitor::MAX_POOL).
    PoolSize(usize),
    /// Set the seconds between cycles, [`MIN_INTERVAL`](crate::monitor::MIN_INTERVAL) to
    /// [`MAX_INTERVAL`](crate::monitor::MAX_INTERVAL).
    Interval(f64),
    /// Set the transport to the one of this name, of [`TransportChoice`](crate::tmux::TransportChoice). A name and no
    /// choice, so that an engine can refuse in words what only a client of a later version knows.
    Transport(String),
    /// Turn the cache on or off.
    Cache(bool),
    /// Drop all that is cached.
    ClearCache,
    /// Set the cache's policy to the one of this name, of [`CachePolicy`](crate::monitor::CachePolicy).
    CachePolicy(String),
    /// Stop or resume the cycles.
    Pause(bool),
    /// Run one cycle now.
    Refresh,
    /// The pane whose coloured screen this client's snapshots carry as `preview`, and that is looked at more often. Other
    /// clients have their own; it ends with the client.
    Focus(Option<PaneId>),
    /// The panes that this client shows side by side: its snapshots carry the last rows of their screens in colours. They
    /// are looked at no more often for that; other clients have their own, and it ends with the client.
    Tiles(Tiles),
    /// The pane was looked at: a `done` there is seen.
    Seen(PaneId),
    /// Whether somebody sees this client's snapshots now; an engine that nobody watches may take its time when all is
    /// quiet. It ends with the client.
    Watched(bool),
    /// Whether this client shows what a snapshot says of the watching itself: pool, cache, cycles, cost, settings. For one
    /// that did without them when it came, behind a slow way; it ends with the client.
    Instruments(bool),
    /// The user of an agent puts something on it or takes it away: see [`Tidying`].
    Tidy(Tidying),
    /// A person did something to an agent: recorded as an event, and the agent is looked at.
    Acted(Acted),
    /// Read the settings again and apply what differs; bad ones change nothing. Whoever started the engine knows where
    /// they are and which options go before them.
    Reload,
    /// Settings of a front end were changed: recorded as an event.
    Noted(Vec<Change>),
    /// Something beside the engine went wrong, in words: recorded as an event.
    Problem(String),
    /// End the engine.
    Stop,
}

/// Why a command was not carried out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Refused(pub String);

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

/// Why a command that was asked for is not known to be carried out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotDone {
    /// The engine says why not.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The engine never got it, or ended with it.
    #[error(transparent)]
    NotSent(#[from] NotSent),
    /// There was no answer in time: it may still be carried out.
    #[error("the engine has not answered within {} s", ANSWER_LIMIT.as_secs())]
    Unanswered,
}

/// A command on its way to the engine, and who waits for its answer, if anybody does.
#[derive(Debug)]
pub struct Order {
    /// What is to be done.
    pub command: Command,
    pub(crate) answer: Option<oneshot::Sender<Result<(), Refused>>>,
}

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
