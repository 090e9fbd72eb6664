//! What can be done to an agent, and what the person saw who decided on it.

use serde::{Deserialize, Serialize};

use crate::{
    monitor::{ActKind, Agent, AgentState, Choice, Preview},
    tmux::{PaneId, Screen},
};

/// Longest message, bytes: what is longer belongs into a file that the agent reads.
pub const LONGEST_MESSAGE: usize = 64 * 1024;

/// Something to be done to an agent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
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

    pub(crate) fn seen(&self) -> Option<&Seen> {
        match self {
            Self::Jump { .. } => None,
            Self::Answer { seen, .. }
            | Self::Reply { seen, .. }
            | Self::Interrupt { seen, .. }
            | Self::Kill { seen, .. } => Some(seen),
        }
    }
}

/// What a person saw when they decided. Acting compares it with the pane as it is then, and refuses when it differs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Seen {
    /// The agent's program, such as `claude`.
    pub agent: String,
    /// The agent's process; `None` when it had ended or was out of sight.
    pub pid: Option<u32>,
    /// When that process started, in the kernel's units: a process id is given anew, both together are not.
    pub start: Option<u64>,
    /// The process that tmux had started in the pane; 0 when it is not known.
    pub pane_pid: u32,
    /// Its place, for messages and the journal.
    pub target: String,
    /// The state that was shown.
    pub state: Option<AgentState>,
    /// Rule that named the prompt.
    pub rule: String,
    /// Line that it matched.
    pub line: String,
    /// What the prompt asks, as shown.
    pub doing: Option<String>,
    /// Answers that were offered.
    pub choices: Vec<Choice>,
    /// The pane's rows as they were shown; empty when its screen was not in view.
    pub rows: Vec<String>,
}

impl Seen {
    /// What is seen of an agent now: its row, and its screen if that is in view.
    #[must_use]
    pub fn of(agent: &Agent, preview: Option<&Preview>) -> Self {
        let rows = match preview.filter(|preview| preview.pane_id == agent.pane_id) {
            Some(preview) => Screen::plain(preview.text.as_bytes()).rows().map(str::to_owned).collect(),
            None => Vec::new(),
        };
        Self {
            agent: agent.agent.clone(),
            pid: agent.pid,
            start: agent.start,
            pane_pid: agent.pane_pid,
            target: agent.target.clone(),
            state: Some(agent.state),
            rule: agent.evidence.rule.clone(),
            line: agent.evidence.line.clone(),
            doing: agent.doing.clone(),
            choices: agent.choices.clone(),
            rows,
        }
    }

    /// What people call its pane.
    pub(crate) fn name(&self, pane: PaneId) -> String {
        if self.target.is_empty() { pane.to_string() } else { self.target.clone() }
    }
}
