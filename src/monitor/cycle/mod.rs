//! One cycle in steps, each a function: discover -> plan -> fetch -> detect -> publish.
//!
//! A step is given what it needs of what is known and returns what it found. The engine calls them in this order and
//! publishes what happened.

pub(crate) mod detect;
pub(crate) mod discover;
pub(crate) mod fetch;
pub(crate) mod plan;
pub(crate) mod publish;
pub(crate) mod ration;
pub(crate) mod spend;

use crate::monitor::CycleStats;
use crate::tmux::Reply;

/// Adds what a request took.
fn count(stats: &mut CycleStats, reply: &Reply) {
    stats.tmux_commands += u64::from(reply.commands);
    stats.tmux_requests += u64::from(reply.requests);
    stats.tmux_processes += u64::from(reply.processes);
    stats.bytes += reply.bytes;
}
