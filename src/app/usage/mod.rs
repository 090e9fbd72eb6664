//! What all sessions of all agent programs spent, out of the transcripts that they left.

mod collect;
mod group;

pub use collect::{Collected, Request, Sources, collect};
pub use group::{By, Group, group};
