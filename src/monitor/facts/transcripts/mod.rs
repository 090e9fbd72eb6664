//! The transcripts that agent programs write of their sessions: where they are, and what was added to them.
//!
//! They are read beside the cycles, a bounded number of bytes at a time, only after their agent wrote, and only what was
//! appended since. No text of them is kept.

pub(crate) mod allowance;
mod children;
pub mod find;
mod session;
pub mod sqlite;
pub mod store;
pub mod tail;
pub(crate) mod watch;
pub(crate) mod whose;
