//! What the watching costs: history of cycles, CPU, events.

pub(crate) mod cost;
pub(crate) mod events;
pub(crate) mod governor;
pub(crate) mod history;
pub(crate) mod told;
pub(crate) mod toll;
