//! Which agent a person means: by pane id, place or name.

use crate::monitor::{Agent, Snapshot};
use crate::tmux::clean;

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
/// or an agent's name. Exact ones win over those that fit several.
pub fn find<'s>(snapshot: &'s Snapshot, target: &str) -> Result<&'s Agent, TargetError> {
    let exact = |agent: &&Agent| agent.pane_id.to_string() == target || agent.target == target;
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
    let Some(rest) = target.strip_prefix(agent.session.as_str()).and_then(|rest| rest.strip_prefix(':')) else {
        return false;
    };
    let index = agent.target[agent.session.len()..].trim_start_matches(':').split('.').next();
    rest == agent.window || Some(rest) == index
}

fn in_session(agent: &Agent, target: &str) -> bool {
    agent.session == target.trim_end_matches(':')
}
