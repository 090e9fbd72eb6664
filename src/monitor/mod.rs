//! The engine: discovery, cycles, strategies, caches, detection, history and the snapshot it publishes.

pub mod clients;
mod clock;
mod cycle;
pub mod detect;
pub mod engine;
pub mod facts;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzz;
pub mod meter;
pub mod panes;
mod snapshot;
pub mod strategy;

pub use crate::monitor::clients::attach::{AttachError, Client, Confirmed};
pub use crate::monitor::clients::client::{ClientId, Clients, Interest};
pub use crate::monitor::clients::follow::{Follow, FollowError, Followed, Following};
pub use crate::monitor::clients::keeper::Keeper;
pub use crate::monitor::clients::lock::{EngineLock, EnginePaths, LockError};
pub use crate::monitor::clients::serve::{EngineSocket, ServeError};
pub use crate::monitor::engine::handle::{Command, Commands, Handle, NotSent, Order, Refused, Requests, WeakCommands};
pub use crate::monitor::engine::launch::{Engine, EngineError, OnceError};
pub use crate::monitor::panes::memory::{Memory, MemoryError};
pub use crate::monitor::snapshot::news::{EngineId, EventReader, News};
pub use crate::monitor::snapshot::settings::{
    CachePolicy, CacheSettings, Change, EngineSettings, MAX_INTERVAL, MAX_POOL, MIN_INTERVAL, Mode, NamedAgent, Reread,
    SettingsSource,
};
pub use crate::monitor::snapshot::state::{Evidence, Health, Source, State};
pub use snapshot::*;
