//! The journal: what happened to the agents and what was done to them, kept on disk, a line of JSON each.

mod account;
mod bars;
mod file;
mod keep;
mod read;
mod record;
pub mod remember;
mod report;
mod since;

pub use bars::{Slice, bar};
pub use file::{Journal, JournalError, LARGEST_FILE, MOST_FILES};
pub use keep::{ALIVE_EVERY, TOLD_EVERY, keep};
pub use read::{Follow, Reader, read_since};
pub use record::{Happened, Mark, Record, Standing};
pub use report::{AgentReport, Report, Waits};
pub use since::{SinceError, parse_since};
