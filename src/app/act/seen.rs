//! What a person saw when they decided.

use crate::app::act::tmux::Look;
use crate::{
    monitor::{Agent, Choice, Preview, State},
    tmux::{PaneId, Screen},
};

/// What a person saw when they decided. Acting compares it with the pane as it is then, and refuses when it differs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
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
    pub state: Option<State>,
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

    /// Whether the agent that was seen is the one that is there: its process, not its name. Why not, in words.
    pub(super) fn same_agent(&self, look: &Look) -> Result<(), String> {
        let Some(verdict) = &look.verdict else { return Err("no agent runs in it any more".to_owned()) };
        if verdict.agent != self.agent && !self.agent.is_empty() {
            return Err(format!("{} runs in it now and not {}", verdict.agent, self.agent));
        }
        let started_anew = matches!((self.start, verdict.start), (Some(then), Some(now)) if then != now);
        let pane_anew = self.pane_pid != 0 && self.pane_pid != look.pane.pid;
        match (self.pid, verdict.pid) {
            (Some(_), None) => Err(format!("its {} has ended", verdict.agent)),
            (then, now) if then != now || started_anew || pane_anew => {
                Err(format!("another {} runs in it now", verdict.agent))
            }
            _ => Ok(()),
        }
    }

    /// What people call its pane.
    pub(super) fn name(&self, pane: PaneId) -> String {
        if self.target.is_empty() { pane.to_string() } else { self.target.clone() }
    }
}
