//! The engine: discovery, cycles, strategies, caches, detection, history and the snapshot it publishes.

pub mod detect;
mod handle;
mod snapshot;
mod state;

pub use handle::{Command, Handle};
pub use snapshot::*;
pub use state::{Evidence, Health, Source, State};
