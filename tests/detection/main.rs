//! Detection, judged by screens of the real programs that were recorded in known states.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod answers;
mod asks;
mod authority;
mod hostile;
mod names;
mod processes;
mod profiles;
mod prose;
mod table;
