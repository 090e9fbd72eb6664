//! What can be done to an agent.

use crate::app::act::Seen;
use crate::{monitor::ActKind, tmux::PaneId};

/// Something to be done to an agent.
#[derive(Clone, Debug, PartialEq)]
pub enum Act {
    /// Take the person's client to the pane.
    Jump {
        /// The pane.
        pane: PaneId,
    },
    /// Pick an answer of a prompt.
    Answer {
        /// The pane.
        pane: PaneId,
        /// Which of `seen.choices`, from 0.
        choice: usize,
        /// The prompt that was looked at.
        seen: Seen,
    },
    /// Send a message.
    Reply {
        /// The pane.
        pane: PaneId,
        /// The text; several lines are one message.
        text: String,
        /// What the pane showed.
        seen: Seen,
    },
    /// Stop the turn that runs.
    Interrupt {
        /// The pane.
        pane: PaneId,
        /// What the pane showed.
        seen: Seen,
    },
    /// Close the pane and end what runs in it.
    Kill {
        /// The pane.
        pane: PaneId,
        /// What the pane showed.
        seen: Seen,
    },
}

impl Act {
    /// The pane it is about.
    #[must_use]
    pub fn pane(&self) -> PaneId {
        match self {
            Self::Jump { pane }
            | Self::Answer { pane, .. }
            | Self::Reply { pane, .. }
            | Self::Interrupt { pane, .. }
            | Self::Kill { pane, .. } => *pane,
        }
    }

    /// Its kind.
    #[must_use]
    pub fn kind(&self) -> ActKind {
        match self {
            Self::Jump { .. } => ActKind::Jump,
            Self::Answer { .. } => ActKind::Answer,
            Self::Reply { .. } => ActKind::Reply,
            Self::Interrupt { .. } => ActKind::Interrupt,
            Self::Kill { .. } => ActKind::Kill,
        }
    }

    pub(super) fn seen(&self) -> Option<&Seen> {
        match self {
            Self::Jump { .. } => None,
            Self::Answer { seen, .. }
            | Self::Reply { seen, .. }
            | Self::Interrupt { seen, .. }
            | Self::Kill { seen, .. } => Some(seen),
        }
    }
}
