//! Which agents are asked for: those in a state, or in a state of a kind, such as `done`.

use std::{fmt, str::FromStr};

use strum::IntoEnumIterator;

use crate::app::core::nearest::did_you_mean;
use crate::monitor::{Agent, AgentState};

/// The kinds that can be asked for by name: those that more than one program has.
const KINDS: [&str; 9] =
    ["permission", "question", "trust", "login", "done", "compacting", "retrying", "headless", "background"];

/// A state, or a kind of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// Any agent in this state.
    State(AgentState),
    /// Any agent whose state is of this kind.
    Kind(&'static str),
}

impl Wanted {
    /// Whether it is this agent.
    #[must_use]
    pub fn is(&self, agent: &Agent) -> bool {
        match self {
            Self::State(state) => agent.state == *state,
            Self::Kind(kind) => agent.kind.as_deref() == Some(kind),
        }
    }
}

impl FromStr for Wanted {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let word = text.trim().to_ascii_lowercase();
        if let Ok(state) = word.parse() {
            return Ok(Self::State(state));
        }
        if let Some(kind) = KINDS.iter().find(|kind| **kind == word) {
            return Ok(Self::Kind(kind));
        }
        let states: Vec<String> = AgentState::iter().map(|state| state.to_string()).collect();
        let near = did_you_mean(&word, states.iter().map(String::as_str).chain(KINDS));
        Err(format!("there are {}; and of their kinds {}{near}", states.join(", "), KINDS.join(", ")))
    }
}

impl fmt::Display for Wanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::State(state) => state.fmt(f),
            Self::Kind(kind) => f.write_str(kind),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::core::fixture::test_agent;

    #[test]
    fn states_and_kinds_are_words_for_agents() {
        let done = Agent { kind: Some("done".to_owned()), ..test_agent(1, AgentState::Idle) };
        let is = |word: &str| word.parse::<Wanted>().expect(word).is(&done);
        assert!(is("idle") && is("Done") && !is("waiting") && !is("permission"));
        let error = "don".parse::<Wanted>().unwrap_err();
        assert!(error.starts_with("there are waiting, error") && error.ends_with("did you mean `done`?"), "{error}");
    }
}
