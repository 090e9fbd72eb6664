//! The engine: discovery, cycles, strategies, caches, detection, history and the snapshot it publishes.

mod access;
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
pub mod scripts;
mod snapshot;
pub mod strategy;

pub use crate::monitor::clients::attach::{AttachError, Client, Confirmed};
pub use crate::monitor::clients::follow::{Follow, FollowError, Following};
pub use crate::monitor::clients::keeper::Keeper;
pub use crate::monitor::clients::lock::{EngineLock, LockError};
pub use crate::monitor::clients::paths::EnginePaths;
pub use crate::monitor::clients::serve::{EngineSocket, ServeError};
pub use crate::monitor::engine::client::{ClientId, Clients, Interest};
pub use crate::monitor::engine::command::{ANSWER_LIMIT, Command, NotDone, NotSent, Order, Refused};
pub use crate::monitor::engine::handle::{Commands, Ended, Handle, Requests, Snapshots, WeakCommands};
pub use crate::monitor::engine::launch::{Engine, EngineError, OnceError};
pub use crate::monitor::engine::settings_source::{Reread, SettingsSource};
pub use crate::monitor::panes::memory::{Memory, MemoryError};
pub use crate::monitor::snapshot::settings::{
    CachePolicy, CacheSettings, Change, EngineSettings, MAX_INTERVAL, MAX_POOL, MIN_INTERVAL, Mode, NamedAgent,
};
pub use snapshot::*;
