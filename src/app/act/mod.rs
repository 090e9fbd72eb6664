//! From a look at an agent to something done to it: by pane id, only on what was seen, and never without a result.

mod answer;
mod client;
mod elsewhere;
mod follow;
mod jump;
mod next;
mod perform;
mod press;
mod prompt;
mod reply;
mod stop;
mod tmux;
mod turn;
mod window;

use std::{fmt, sync::Arc};

use crate::tmux::{CommandError, PaneId, TmuxError};

pub use client::{Caller, Client};
pub(crate) use elsewhere::{by_other, is_token, jump_remote, words};
pub(crate) use next::{Candidate, Round, next_waiting};
pub use perform::{Actor, Known, summary};
pub(crate) use window::Window;

/// How something that was asked for ended, for the one who asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActionResult {
    /// In words: what was done and what followed, or why nothing was done.
    pub text: String,
    /// It was done.
    pub ok: bool,
}

/// Nothing was done, or not all of it: why, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal(pub String);

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<TmuxError> for Refusal {
    fn from(error: TmuxError) -> Self {
        Self(error.to_string())
    }
}

impl Refusal {
    fn gone(pane: PaneId) -> Self {
        Self(format!("pane {pane} is gone"))
    }

    fn command(pane: PaneId, error: &CommandError) -> Self {
        if error.is_gone() { Self::gone(pane) } else { Self(format!("tmux refused: {error}")) }
    }
}

/// What the journal's writer is told; shared by all who act.
pub(crate) type SharedJournal = Arc<std::sync::Mutex<crate::app::journal::Journal>>;
