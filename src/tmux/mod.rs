//! Talks to tmux and knows nobody above: ids, formats, screens, transports, the pool.

mod batch;
mod command;
mod dial;
mod error;
mod format;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzz;
mod guard;
mod id;
mod mark;
mod pane;
pub mod places;
mod pool;
mod pool_state;
#[cfg(test)]
mod pool_tests;
mod process;
#[cfg(test)]
mod properties;
mod protocol;
mod route;
mod screen;
#[cfg(test)]
pub(crate) mod scripted;
mod server;
mod transport;
mod version;

pub use batch::{Batch, Expect, Reply};
pub use command::Command;
pub use error::{CommandError, TmuxError};
pub use format::{parse_panes, parse_pulses};
pub use guard::Guard;
pub use id::{PaneId, ParseIdError};
pub use pane::{Fields, Pane, Pulse};
pub use pool::{Lease, Pool};
pub use pool_state::{PoolSettings, PoolStats};
pub use screen::{Screen, clean, is_clean, is_unsafe};
pub use server::{Server, ServerFacts, SocketChoice};
pub use transport::{Transport, TransportChoice, TransportKind};
pub use version::{Features, Version};
