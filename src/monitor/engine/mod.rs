//! The engine: its task, what it keeps from cycle to cycle, commands, cache, settings read again.

pub(crate) mod client;
pub(crate) mod command;
pub(crate) mod core;
pub(crate) mod handle;
pub(crate) mod inbox;
pub(crate) mod launch;
pub(crate) mod orders;
#[cfg(test)]
pub(crate) mod paused;
#[cfg(test)]
pub(crate) mod paused_ceiling;
pub(crate) mod reload;
pub(crate) mod run;
pub(crate) mod schedule;
pub(crate) mod settings_source;
pub(crate) mod strategies;
pub(crate) mod turn;
