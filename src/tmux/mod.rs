//! Talks to tmux and knows nobody above: ids, formats, screens, transports, the pool.

mod error;
pub(crate) mod escape;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzz;
mod id;
mod pane;
mod pool;
#[cfg(test)]
mod properties;
pub mod request;
mod screen;
#[cfg(test)]
pub(crate) mod scripted;
mod transport;

pub use crate::tmux::pool::state::{PoolSettings, PoolStats};
pub use crate::tmux::request::batch::{Batch, Expect, Reply};
pub use crate::tmux::request::command::Command;
pub use crate::tmux::request::format::{HOOK_OPTION, parse_panes, parse_pulses};
pub use crate::tmux::request::guard::Guard;
pub use crate::tmux::transport::server::{Server, ServerFacts, SocketChoice};
pub use crate::tmux::transport::version::{Features, Version};
pub use error::{CommandError, TmuxError};
pub use id::{PaneId, ParseIdError};
pub use pane::{Fields, Pane, Pulse};
pub use pool::{Lease, Pool};
pub use screen::{Screen, clean, is_clean, is_unsafe};
pub use transport::{Transport, TransportChoice, TransportKind};
