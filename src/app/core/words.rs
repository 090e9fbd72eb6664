//! The word, the glyph and the tone of every state: colour is never the only signal.

use jiff::{Timestamp, tz::TimeZone};

use crate::app::core::format;
use crate::monitor::{Agent, AgentState};

/// What a state means for the person who looks: themes give each a style.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Tone {
    /// Its user is needed.
    NeedsYou,
    /// The last turn ended in an error.
    Error,
    /// Held by a usage limit.
    Limited,
    /// The program is gone.
    Exited,
    /// Nothing recognised.
    Unknown,
    /// It has just started.
    Starting,
    /// A turn runs.
    Working,
    /// A turn ended that nobody has looked at.
    Done,
    /// At its prompt.
    Idle,
}

/// Every tone, in the order in which the agents are sorted.
pub const TONES: [Tone; 9] = [
    Tone::NeedsYou,
    Tone::Error,
    Tone::Limited,
    Tone::Exited,
    Tone::Unknown,
    Tone::Starting,
    Tone::Working,
    Tone::Done,
    Tone::Idle,
];

impl Tone {
    /// The tone of a state and its kind.
    #[must_use]
    pub fn of(state: AgentState, kind: Option<&str>) -> Self {
        match state {
            AgentState::Waiting => Self::NeedsYou,
            AgentState::Error => Self::Error,
            AgentState::Limited => Self::Limited,
            AgentState::Exited => Self::Exited,
            AgentState::Working => Self::Working,
            AgentState::Starting => Self::Starting,
            AgentState::Unknown => Self::Unknown,
            AgentState::Idle if kind == Some("done") => Self::Done,
            AgentState::Idle => Self::Idle,
        }
    }

    /// One cell that stands for it.
    #[must_use]
    pub fn glyph(self) -> &'static str {
        match self {
            Self::NeedsYou => "▲",
            Self::Error => "✕",
            Self::Limited => "◷",
            Self::Exited => "×",
            Self::Unknown => "?",
            Self::Starting => "◌",
            Self::Working => "●",
            Self::Done => "✓",
            Self::Idle => "○",
        }
    }

    /// The word beside a count: `2 need you`, `5 working`.
    #[must_use]
    pub fn counted(self, count: usize) -> &'static str {
        match self {
            Self::NeedsYou if count == 1 => "needs you",
            Self::NeedsYou => "need you",
            Self::Error => "error",
            Self::Limited => "limited",
            Self::Exited => "exited",
            Self::Unknown => "unknown",
            Self::Starting => "starting",
            Self::Working => "working",
            Self::Done => "done",
            Self::Idle => "idle",
        }
    }

    /// Place in the order in which the eye should find the agents: 0 first.
    #[must_use]
    pub fn rank(self) -> usize {
        TONES.iter().position(|tone| *tone == self).unwrap_or(TONES.len())
    }
}

/// The word for what an agent does: its kind where that alone says it (`permission`, `retrying`, `done`), else its state.
#[must_use]
pub fn word(state: AgentState, kind: Option<&str>) -> String {
    match (state, kind) {
        (AgentState::Waiting | AgentState::Working | AgentState::Idle, Some(kind)) if !kind.is_empty() => {
            kind.to_owned()
        }
        _ => state.to_string(),
    }
}

/// `waiting (permission)`, `working`: the state with its kind, for sentences.
#[must_use]
pub fn state_and_kind(state: AgentState, kind: Option<&str>) -> String {
    match kind {
        Some(kind) if !kind.is_empty() => format!("{state} ({kind})"),
        _ => state.to_string(),
    }
}

/// By when a prompt that counts down wants its answer, while there is time. A time of day, since a count would move.
#[must_use]
pub fn answer_by(agent: &Agent, now: Timestamp, zone: &TimeZone) -> Option<String> {
    let deadline = agent.deadline.filter(|deadline| agent.state == AgentState::Waiting && *deadline > now)?;
    Some(format!("answer by {}", format::clock(deadline, zone)))
}

/// The tone of an agent.
#[must_use]
pub fn tone(agent: &Agent) -> Tone {
    Tone::of(agent.state, agent.kind.as_deref())
}
