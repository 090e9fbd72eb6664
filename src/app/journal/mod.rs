//! The journal: what happened to the agents and what was done to them, kept on disk, a line of JSON each.

mod account;
pub(crate) mod agree;
mod bars;
mod day;
mod file;
mod grown;
mod keep;
mod line;
mod read;
mod record;
pub(crate) mod remember;
mod report;
mod since;
mod turns;

pub(crate) use account::{Account, SavedAccount};
pub(crate) use bars::Slice;
pub use bars::bar;
pub use day::day;
pub use file::Journal;
pub(crate) use file::JournalError;
pub(crate) use grown::Grown;
pub(crate) use keep::ALIVE_EVERY;
pub use keep::keep;
pub use read::read_since;
pub(crate) use read::{Follow, Places};
pub use record::{Happened, Record};
pub(crate) use record::{Mark, Standing};
pub(crate) use report::AgentReport;
pub use report::{Waits, report};
pub(crate) use since::parse_since;
