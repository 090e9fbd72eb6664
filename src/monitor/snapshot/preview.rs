//! The coloured screen of a pane that a client has in focus.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::tmux::{PaneId, Screen};

/// The coloured screen of one pane.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Preview {
    /// The pane.
    pub pane_id: PaneId,
    /// Rows with SGR colours and nothing else that is not text.
    #[serde(default)]
    pub text: String,
    /// When it was captured.
    #[serde(default)]
    pub captured_at: Timestamp,
}

impl Preview {
    /// What was captured with its colours.
    #[must_use]
    pub(crate) fn of(pane_id: PaneId, screen: &Screen, captured_at: Timestamp) -> Self {
        Self { pane_id, text: screen.colours().unwrap_or_default().to_owned(), captured_at }
    }
}
