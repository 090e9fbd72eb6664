//! The engine that watches, its counts, and what it can plan with.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::monitor::snapshot::agent::Agent;
use crate::monitor::snapshot::agents::Agents;
use crate::monitor::snapshot::state::AgentState;

/// One run of an engine: no other has the same, neither in another process nor a later one in this.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct EngineId {
    /// Its process.
    pub pid: u32,
    /// When it started; 1970 from an engine that does not say so.
    pub started: Timestamp,
}

/// The engine that watches.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct EngineInfo {
    /// `async` or `sync`.
    pub mode: String,
    /// Process id of the engine.
    pub pid: u32,
    /// When it started; with `pid` it tells this run of an engine from every other one. 1970 from one that does not say.
    #[serde(default)]
    pub started: Timestamp,
    /// Seconds since its start.
    pub uptime: f64,
    /// The cycles are stopped.
    pub paused: bool,
    /// Version of tmux-orc that runs it.
    pub version: String,
    /// Most panes that it shows a client side by side; 0: only the one in focus.
    pub tiles: usize,
}

impl EngineInfo {
    /// Which engine it is.
    #[must_use]
    pub fn id(&self) -> EngineId {
        EngineId { pid: self.pid, started: self.started }
    }
}

/// Counts of the whole.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct BaseStatus {
    /// The engine runs cycles (it is not paused and not stopped).
    pub is_running: bool,
    /// Agents whose program runs and is not idle.
    pub active_agents: usize,
    /// Idle agents.
    pub idle_agents: usize,
    /// Cycles since the start.
    pub cycle_count: u64,
    /// Seconds the last cycle took; `None` before the first.
    pub last_cycle_time: Option<f64>,
    /// Errors since the start.
    pub errors_detected: u64,
    /// Seconds since the start.
    pub uptime: f64,
}

impl BaseStatus {
    /// Counts these agents.
    pub(crate) fn count(&mut self, agents: &Agents) {
        let active = |agent: &&Agent| !matches!(agent.state, AgentState::Idle | AgentState::Exited);
        self.active_agents = agents.iter().filter(active).count();
        self.idle_agents = agents.iter().filter(|agent| agent.state == AgentState::Idle).count();
    }
}

/// A strategy that can be switched to.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct StrategyInfo {
    /// Its name.
    pub name: String,
    /// `built in`, or the path of its script.
    pub origin: String,
    /// Why it cannot be used, with the script's line.
    pub problem: Option<String>,
    /// Median cycle while it ran, milliseconds; `None` when it has not run.
    pub p50_ms: Option<f64>,
}
