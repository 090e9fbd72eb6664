//! What agents spend, out of what their programs write down of themselves: one transcript a session.
//!
//! How a program writes it is data in its profile ([`TranscriptRules`]). A transcript is a stranger's text in a format that
//! nobody promised: what does not parse is skipped and counted, what is missing stays unknown, and no text of it is kept.

pub(crate) mod accounts;
pub(crate) mod fields;
pub(crate) mod record;
pub(crate) mod requests;
pub(crate) mod rules;
pub(crate) mod status_line;
pub(crate) mod tally;

pub(crate) use crate::monitor::usage::accounts::Accounts;
pub use crate::monitor::usage::record::{Records, Said};
pub use crate::monitor::usage::rules::TranscriptRules;
pub use crate::monitor::usage::status_line::StatusLine;
pub use crate::monitor::usage::tally::{Spending, Tally};
