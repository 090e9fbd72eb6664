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
pub(crate) mod request;
mod screen;
#[cfg(test)]
pub(crate) mod scripted;
mod transport;

pub use crate::tmux::pool::state::PoolSettings;
pub(crate) use crate::tmux::pool::state::PoolStats;
pub use crate::tmux::request::batch::{Batch, Expect, Reply};
pub use crate::tmux::request::command::Command;
pub(crate) use crate::tmux::request::format::HOOK_OPTION;
pub use crate::tmux::request::format::{parse_panes, parse_pulses};
pub(crate) use crate::tmux::request::guard::Guard;
pub use crate::tmux::transport::server::{Server, ServerFacts, SocketChoice};
pub use crate::tmux::transport::version::{Features, Version};
pub(crate) use error::CommandError;
pub use error::TmuxError;
pub use id::PaneId;
pub(crate) use pane::Pulse;
pub use pane::{Fields, Pane};
pub(crate) use pool::Lease;
pub use pool::Pool;
pub(crate) use screen::is_clean;
pub use screen::{Screen, clean, is_unsafe};
pub use transport::{Transport, TransportChoice, TransportKind};
