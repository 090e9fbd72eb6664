//! Facts from outside of tmux: the process table, writes that the kernel tells of, what programs publish.

pub mod file;
pub mod process;
pub mod published;
pub(crate) mod writes;
