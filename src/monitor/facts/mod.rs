//! Facts from outside of tmux: the process table, writes that the kernel notifies us of, what programs
//! publish, the user's agent profiles.

pub(crate) mod file;
pub(crate) mod fnv;
pub mod process;
pub mod profiles;
pub(crate) mod published;
pub(crate) mod writes;
