//! The tmux layer against real servers on private sockets: `TMUX_ORC_TMUX` chooses the tmux, `tmux` by default.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod acting;
mod answers;
#[path = "../support/executable.rs"]
mod executable;
mod failures;
mod hostile;
mod identify;
mod safety;
mod server;
mod sockets;
mod stand_in;
