//! The engine: its task, what it keeps from cycle to cycle, commands, cache, settings read again.

pub(crate) mod core;
pub(crate) mod handle;
#[cfg(test)]
pub(crate) mod paused;
#[cfg(test)]
pub(crate) mod paused_ceiling;
pub(crate) mod reload;
pub(crate) mod run;
