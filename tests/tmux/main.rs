//! The tmux layer against real servers on private sockets: `TMUX_ORC_TMUX` chooses the tmux, `tmux` by default.

mod answers;
mod server;
