//! What is asked of tmux, and how its answers are told apart.

pub(crate) mod batch;
pub(crate) mod command;
pub(crate) mod format;
pub(crate) mod guard;
pub(crate) mod mark;
pub(crate) mod places;
