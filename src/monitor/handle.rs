//! The two ends that a front end holds of an engine, whether it runs inside or is attached to.

use std::sync::Arc;

use tokio::sync::{mpsc, watch};

use super::{Acted, Change, Snapshot};
use crate::tmux::PaneId;

/// What a front end holds of an engine: the newest snapshot, and a bounded queue of commands.
#[derive(Clone, Debug)]
pub struct Handle {
    /// The newest snapshot; intermediate ones may be missed.
    pub snapshots: watch::Receiver<Arc<Snapshot>>,
    /// Commands; each takes effect from the next cycle and is confirmed by the next snapshot.
    pub commands: mpsc::Sender<Command>,
}

/// A change asked of a running engine. Confirmed by the next snapshot, never before.
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
    /// The pane whose coloured screen the snapshots carry as `preview`, and that is looked at more often.
    Focus(Option<PaneId>),
    /// The pane was looked at: a `done` there is seen.
    Seen(PaneId),
    /// Whether somebody sees the snapshots now; an unwatched engine may take its time when all is quiet.
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
