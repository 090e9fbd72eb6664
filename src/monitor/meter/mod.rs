//! What the watching costs and brought: the ceiling, the history of cycles, CPU, events.

pub(crate) mod ceiling;
pub(crate) mod cost;
pub(crate) mod events;
pub(crate) mod governor;
pub(crate) mod history;
pub(crate) mod hour;
pub(crate) mod ledger;
pub(crate) mod prices;
pub(crate) mod toll;
pub(crate) mod window;
