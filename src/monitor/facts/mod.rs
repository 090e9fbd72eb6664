//! Facts from outside of tmux: the process table, writes that the kernel notifies us of, what programs
//! publish and write down of their sessions, the repositories that agents work in, the user's agent profiles.

pub(crate) mod file;
pub(crate) mod fnv;
pub mod process;
pub mod profiles;
pub(crate) mod published;
pub mod repository;
pub(crate) mod status_lines;
pub mod transcripts;
pub(crate) mod writes;
