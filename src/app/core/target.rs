//! Which agent a person means: by pane id, place or name.

use crate::monitor::{Agent, Snapshot};
use crate::tmux::clean;
use crate::tmux::request::places;

/// No single agent is meant.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// None fits.
    #[error("no agent at '{target}'; {}", there_are(.there))]
    None {
        /// What was asked for.
        target: String,
        /// Places of the agents there are.
        there: Vec<String>,
    },
    /// Several fit.
    #[error("'{target}' could be {}: name one of them", .fit.join(", "))]
    Several {
        /// What was asked for.
        target: String,
        /// Places of those that fit.
        fit: Vec<String>,
    },
}

fn there_are(there: &[String]) -> String {
    match there.len() {
        0 => "no agent runs on this server".to_owned(),
        1..=12 => format!("there are {}", there.join(", ")),
        more => format!("there are {} and {} more", there[..12].join(", "), more - 12),
    }
}

/// Finds the agent that `target` names: `%12`, `session:window.pane`, `session:window` (by index or name), a session
/// or an agent's name. Exact ones win over those that fit several. An agent whose window stands in several sessions is
/// found at each.
pub fn find<'s>(snapshot: &'s Snapshot, target: &str) -> Result<&'s Agent, TargetError> {
    let exact = |agent: &&Agent| {
        agent.pane_id.to_string() == target
            || agent.target == target
            || agent.places.iter().any(|place| place == target)
    };
    if let Some(agent) = snapshot.agents.iter().find(exact) {
        return Ok(agent);
    }
    let ways: [fn(&Agent, &str) -> bool; 3] = [in_window, |agent, name| agent.name == name, in_session];
    for fits in ways {
        let found: Vec<&Agent> = snapshot.agents.iter().filter(|agent| fits(agent, target)).collect();
        match found[..] {
            [] => {}
            [agent] => return Ok(agent),
            [..] => {
                let fit = found.iter().map(|agent| clean(&agent.target)).collect();
                return Err(TargetError::Several { target: clean(target), fit });
            }
        }
    }
    let there = snapshot.agents.iter().map(|agent| clean(&agent.target)).collect();
    Err(TargetError::None { target: clean(target), there })
}

fn in_window(agent: &Agent, target: &str) -> bool {
    places::in_window(&all_places(agent), &agent.window, target)
}

fn in_session(agent: &Agent, target: &str) -> bool {
    places::in_session(&all_places(agent), target)
}

/// Its places; an engine of an earlier version tells one only.
fn all_places(agent: &Agent) -> Vec<&str> {
    std::iter::once(&agent.target).chain(&agent.places).map(String::as_str).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        app::core::fixture::{test_agent, test_snapshot},
        monitor::AgentState,
    };

    #[test]
    fn an_agent_is_found_at_each_of_its_places() {
        let mut agent = test_agent(3, AgentState::Idle);
        agent.target = "main:0.0".into();
        agent.places = vec!["main:0.0".into(), "view:4.0".into()];
        let mut other = test_agent(4, AgentState::Idle);
        other.target = "x:1.0".into();
        let snapshot = Snapshot { agents: vec![agent, other], ..test_snapshot() };
        for target in ["%3", "main:0.0", "view:4.0", "main:0", "view:4", "view:w", "view", "view:", "main"] {
            assert_eq!(find(&snapshot, target).map(|agent| agent.pane_id.0), Ok(3), "{target}");
        }
        assert_eq!(find(&snapshot, "x").map(|agent| agent.pane_id.0), Ok(4));
        assert!(matches!(find(&snapshot, "w"), Err(TargetError::Several { fit, .. }) if fit == ["main:0.0", "x:1.0"]));
        assert!(matches!(find(&snapshot, "view:0.0"), Err(TargetError::None { .. })));
    }
}
