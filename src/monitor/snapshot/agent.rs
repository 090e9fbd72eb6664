//! An agent: who it is, what it does, why we say so, how well it can be watched.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::monitor::snapshot::agents::Agents;
use crate::monitor::snapshot::lenient;
use crate::monitor::snapshot::state::{AgentState, Evidence, Health};
use crate::monitor::snapshot::usage::{AgentTokens, Limit, Plan};
use crate::tmux::PaneId;

/// How many of its last states an agent carries.
pub const TRANSITIONS_KEPT: usize = 8;

/// One agent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Agent {
    /// The host that it runs on, as the settings of who looks call it; `None` on this machine.
    #[serde(default)]
    pub host: Option<Arc<str>>,
    /// Its tmux server: the name of the socket, such as `default`.
    #[serde(default)]
    pub server: Arc<str>,
    /// Its pane: the only handle for acting.
    pub pane_id: PaneId,
    /// `session:window.pane` as it is now: of several places the one that is in view, else one in a session with a
    /// client, else the one in the oldest session.
    #[serde(default)]
    pub target: String,
    /// Every place it stands at (session groups, linked windows), its target first.
    #[serde(default)]
    pub places: Vec<String>,
    /// Session's name.
    #[serde(default)]
    pub session: String,
    /// Window's name.
    #[serde(default)]
    pub window: String,
    /// Name to call it by: the window's name, or what the config calls it.
    #[serde(default)]
    pub name: String,
    /// Which program: the profile's name, such as `claude`.
    #[serde(default)]
    pub agent: String,
    /// Its version, when the profile could read it.
    #[serde(default)]
    pub version: Option<String>,
    /// What it is doing.
    #[serde(default = "lenient::unknown", deserialize_with = "lenient::state")]
    pub state: AgentState,
    /// Kind of the state (`permission`, `question`, `done`, `retrying`, ...).
    #[serde(default)]
    pub kind: Option<String>,
    /// When it entered the state.
    #[serde(default)]
    pub since: Timestamp,
    /// When its screen last changed.
    #[serde(default)]
    pub last_change: Timestamp,
    /// Why.
    #[serde(default)]
    pub evidence: Evidence,
    /// The last read failed; the state is the last good one.
    #[serde(default)]
    pub stale: bool,
    /// How well it can be watched.
    #[serde(default, deserialize_with = "lenient::health")]
    pub health: Health,
    /// Percent of its context that is left.
    #[serde(default)]
    pub context_percent: Option<f64>,
    /// When its limit ends.
    #[serde(default)]
    pub reset_at: Option<Timestamp>,
    /// When its prompt, which counts down, ends without an answer.
    #[serde(default)]
    pub deadline: Option<Timestamp>,
    /// Pane's title.
    #[serde(default)]
    pub title: String,
    /// Working directory.
    #[serde(default)]
    pub cwd: Option<String>,
    /// Name of the repository that its working directory lies in: of a working tree beside the main one, the main one's.
    #[serde(default)]
    pub repository: Option<String>,
    /// Folder of that repository.
    #[serde(default)]
    pub repository_path: Option<String>,
    /// Name of the working tree, when it is one beside the repository's main one.
    #[serde(default)]
    pub worktree: Option<String>,
    /// The branch it is on; of a detached `HEAD` the first digits of its commit.
    #[serde(default)]
    pub branch: Option<String>,
    /// Lines added to what is committed there, in files that git knows.
    #[serde(default)]
    pub added: Option<u64>,
    /// Lines removed from it.
    #[serde(default)]
    pub removed: Option<u64>,
    /// Process id of the agent program; `None` when it is gone or out of sight.
    #[serde(default)]
    pub pid: Option<u32>,
    /// Start time of that process in the kernel's units (clock ticks since boot on Linux): with `pid`, its identity.
    #[serde(default)]
    pub start: Option<u64>,
    /// Process id of the program that tmux started in the pane; 0 when it is not known.
    #[serde(default)]
    pub pane_pid: u32,
    /// CPU of its process tree, percent of one core.
    #[serde(default)]
    pub cpu_percent: Option<f64>,
    /// Resident memory of its process tree, bytes.
    #[serde(default)]
    pub memory_bytes: Option<u64>,
    /// Pane's width in cells.
    #[serde(default)]
    pub width: u16,
    /// Pane's height in rows.
    #[serde(default)]
    pub height: u16,
    /// What it is doing, asking or has said last, as the profile extracts it.
    #[serde(default)]
    pub doing: Option<String>,
    /// What it asks of its user, while it waits.
    #[serde(default)]
    pub asks: Option<Asks>,
    /// Model it runs on, when shown.
    #[serde(default)]
    pub model: Option<String>,
    /// Tokens, as its program wrote them down.
    #[serde(default, deserialize_with = "AgentTokens::lenient")]
    pub tokens: AgentTokens,
    /// Where tokens and cost come from, or why they are not known; `None` where no transcript of its program is known.
    #[serde(default)]
    pub usage_source: Option<String>,
    /// The session's name, as its program calls it.
    #[serde(default)]
    pub session_id: Option<String>,
    /// What its session has cost, US dollars: as its program recorded it, or by the prices in the settings.
    #[serde(default)]
    pub cost_usd: Option<f64>,
    /// Turns of its session.
    #[serde(default)]
    pub turns: Option<u64>,
    /// Calls of tools that run now.
    #[serde(default)]
    pub tools: Option<u32>,
    /// How far its plan is carried out.
    #[serde(default)]
    pub plan: Option<Plan>,
    /// Limits of its account, as its program knows them.
    #[serde(default)]
    pub limits: Vec<Limit>,
    /// Background shells or tasks that run though the turn is over.
    #[serde(default)]
    pub background: u32,
    /// The answers its prompt offers.
    #[serde(default)]
    pub choices: Vec<Choice>,
    /// Its pane is in view of a client now.
    #[serde(default)]
    pub in_view: bool,
    /// Share of recent time slices in which it wrote output, newest last, 0 to 7 each.
    #[serde(default)]
    pub activity: Vec<u8>,
    /// Its last states, oldest first, at most [`TRANSITIONS_KEPT`].
    #[serde(default)]
    pub transitions: Vec<Transition>,
    /// When its screen was last read; `None` before the first.
    #[serde(default)]
    pub read_at: Option<Timestamp>,
    /// Its user put it out of the way until its state changes.
    #[serde(default)]
    pub parked: bool,
    /// Its user put it out of the way for a time.
    #[serde(default)]
    pub snoozed: bool,
    /// When that ends; `None`: with its program.
    #[serde(default)]
    pub snoozed_until: Option<Timestamp>,
    /// Its user put it on top of the list.
    #[serde(default)]
    pub pinned: bool,
    /// Its user wants no notice of it.
    #[serde(default)]
    pub muted: bool,
    /// The name that its user gave it here: `name` is that then.
    #[serde(default)]
    pub given_name: Option<String>,
    /// A line that its user wrote about it.
    #[serde(default)]
    pub note: Option<String>,
    /// When its user last changed one of these.
    #[serde(default)]
    pub tidied_at: Option<Timestamp>,
}

/// What an agent asks of its user.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Asks {
    /// In one line: the command, the edit or the question.
    pub line: String,
    /// In full: the prompt's rows above its answers, without the frame around them.
    pub full: String,
}

/// One answer a prompt offers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Choice {
    /// The label as shown: `Yes`.
    pub label: String,
    /// The tmux key names that pick it, pressed in order.
    pub keys: Vec<String>,
    /// It is the one preselected.
    pub selected: bool,
}

/// A change of state.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Transition {
    /// When.
    #[serde(default)]
    pub at: Timestamp,
    /// State before.
    #[serde(default = "lenient::unknown", deserialize_with = "lenient::state")]
    pub from: AgentState,
    /// State after.
    #[serde(default = "lenient::unknown", deserialize_with = "lenient::state")]
    pub to: AgentState,
    /// Kind of the state after.
    #[serde(default)]
    pub kind: Option<String>,
}

/// Agents by health.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct HealthSummary {
    /// All agents.
    pub total_agents: usize,
    /// No failed check.
    pub healthy: usize,
    /// Two failed checks in a row.
    pub warning: usize,
    /// `max_failures` or more.
    pub critical: usize,
    /// One failed check.
    pub unresponsive: usize,
}

impl HealthSummary {
    /// The summary of these.
    #[must_use]
    pub fn of(agents: &Agents) -> Self {
        let count = |health: Health| agents.iter().filter(|agent| agent.health == health).count();
        Self {
            total_agents: agents.len(),
            healthy: count(Health::Healthy),
            warning: count(Health::Warning),
            critical: count(Health::Critical),
            unresponsive: count(Health::Unresponsive),
        }
    }
}
