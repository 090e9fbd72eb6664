//! What sessions spend, out of transcripts that the real programs wrote, and out of what could go wrong in them.

mod recorded;
mod statusline;
mod tail;
mod verb;

#[path = "../support/mod.rs"]
mod support;
