//! The engine: discovery, cycles, strategies, caches, detection, history and the snapshot it publishes.

mod attach;
pub mod detect;
mod handle;
mod lock;
pub mod process;
pub mod published;
mod serve;
mod snapshot;
mod state;
pub mod wire;

pub use attach::{AttachError, Client, Confirmed};
pub use handle::{Command, Handle};
pub use lock::{EngineLock, EnginePaths, LockError};
pub use serve::{EngineSocket, ServeError};
pub use snapshot::*;
pub use state::{Evidence, Health, Source, State};
