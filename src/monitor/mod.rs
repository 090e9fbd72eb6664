//! The engine: discovery, cycles, strategies, caches, detection, history and the snapshot it publishes.

mod alias;
mod attach;
mod cache;
mod clients;
mod clock;
mod core;
mod cost;
mod cycle;
pub mod detect;
mod encode;
mod engine;
mod events;
mod fetch;
pub mod file;
mod fleet;
mod follow;
mod foreign;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzz;
mod governor;
mod handle;
mod history;
mod keeper;
mod lenient;
mod lock;
mod memory;
mod news;
mod pace;
#[cfg(test)]
mod paused;
#[cfg(test)]
mod paused_ceiling;
pub mod process;
mod publish;
pub mod published;
mod ration;
mod record;
mod reload;
mod seats;
mod serve;
mod settings;
mod snapshot;
mod state;
pub mod strategy;
mod take;
mod told;
mod toll;
mod tracked;
pub mod wire;
mod writes;

pub use attach::{AttachError, Client, Confirmed};
pub use clients::{ClientId, Clients, Interest};
pub use core::EngineError;
pub use engine::{Engine, OnceError};
pub use follow::{Follow, FollowError, Followed, Following};
pub use handle::{Command, Commands, Handle, NotSent, Order, Refused, Requests, WeakCommands};
pub use keeper::Keeper;
pub use lock::{EngineLock, EnginePaths, LockError};
pub use memory::{Memory, MemoryError};
pub use news::{EngineId, EventReader, News};
pub use serve::{EngineSocket, ServeError};
pub use settings::{
    CachePolicy, CacheSettings, Change, EngineSettings, MAX_INTERVAL, MAX_POOL, MIN_INTERVAL, Mode, NamedAgent, Reread,
    SettingsSource,
};
pub use snapshot::*;
pub use state::{Evidence, Health, Source, State};
