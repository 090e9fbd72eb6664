//! Tells a person who looks elsewhere that an agent needs them: which changes, when, and by which ways.

mod batch;
mod channel;
mod notice;
mod run;

pub use batch::{Batcher, SETTLE};
pub use channel::{COMMAND_LIMIT, Telling, Ways, terminal_bytes};
pub use notice::{Notice, Rules, summary};
pub use run::notify;
