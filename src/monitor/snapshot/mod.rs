//! What the engine publishes after every cycle: the same object in memory, as JSON and on the socket.

pub(crate) mod lenient;
pub(crate) mod link;
pub(crate) mod news;
pub(crate) mod settings;
pub(crate) mod state;

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::monitor::{Change, EngineId, Evidence, Health, State};
use crate::tmux::{PaneId, Screen};

/// The version of the JSON object. Fields are added, never changed in meaning, within one version.
pub const SCHEMA: u32 = 1;

/// All that is known after one cycle.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    /// [`SCHEMA`].
    pub schema: u32,
    /// When it was published.
    #[serde(default)]
    pub timestamp: Timestamp,
    /// The tmux server that is watched.
    #[serde(default)]
    pub server: ServerInfo,
    /// The engine that watches.
    #[serde(default)]
    pub engine: EngineInfo,
    /// Name of the strategy that planned the last cycle.
    #[serde(default)]
    pub current_strategy: String,
    /// Counts of the whole.
    #[serde(default)]
    pub base_status: BaseStatus,
    /// The connection pool.
    #[serde(default)]
    pub connection_pool: PoolInfo,
    /// The cache's four layers.
    #[serde(default)]
    pub cache_performance: CacheInfo,
    /// Agents by health.
    #[serde(default)]
    pub health_summary: HealthSummary,
    /// The last cycle and the recent ones.
    #[serde(default)]
    pub cycle: CycleInfo,
    /// What the watching costs.
    #[serde(default)]
    pub cost: CostInfo,
    /// The settings in force, as the engine confirms them.
    #[serde(default)]
    pub settings: LiveSettings,
    /// Strategies that can be switched to, in the order of the keys `1`, `2`, ...
    #[serde(default)]
    pub strategies: Vec<StrategyInfo>,
    /// What was tried so far, one row for each combination of settings that ran.
    #[serde(default)]
    pub tune: Vec<TuneRow>,
    /// Points for sparklines, oldest first, at most [`HISTORY_POINTS`].
    #[serde(default)]
    pub history: Arc<Vec<CyclePoint>>,
    /// Newest events, oldest first, at most [`EVENTS_KEPT`].
    #[serde(default)]
    pub events: Arc<Vec<Event>>,
    /// Events that made room for newer ones a short time ago: within the engine's process, for who must miss none.
    #[serde(skip)]
    pub backlog: Arc<Vec<Event>>,
    /// Things the user should know, such as a fallback to another transport.
    #[serde(default)]
    pub notes: Vec<String>,
    /// The coloured screen of the pane that the client has in focus for which this snapshot is.
    #[serde(default)]
    pub preview: Option<Arc<Preview>>,
    /// Those of all panes that any client has in focus, from which each gets its own: within the engine's process.
    #[serde(skip)]
    pub previews: Vec<Arc<Preview>>,
    /// Every agent, ordered by session, window and pane.
    #[serde(default)]
    pub agents: Vec<Agent>,
}

/// How many points of history a snapshot carries.
pub const HISTORY_POINTS: usize = 240;

/// How many events a snapshot carries.
pub const EVENTS_KEPT: usize = 200;

/// The tmux server that is watched.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ServerInfo {
    /// Path of its socket.
    pub socket: String,
    /// Its version such as `3.3a`; `None` before it was asked.
    pub version: Option<String>,
    /// The transport in use (`dial`, `spawn`, `process`); `None` before the first answer.
    pub transport: Option<String>,
    /// How it is reached at this moment.
    #[serde(deserialize_with = "lenient::status")]
    pub status: ServerStatus,
    /// What went wrong and what to do, when it is not reachable.
    pub problem: Option<String>,
    /// Its process; `None` before it told.
    #[serde(default)]
    pub pid: Option<u32>,
    /// When it started, seconds since 1970 by tmux's `#{start_time}`. With `pid` it tells a server from one that was
    /// started later on the same socket; `None` before it told.
    #[serde(default)]
    pub started: Option<i64>,
    /// Its agents are simulated: it is the server of a demo.
    #[serde(default)]
    pub simulated: bool,
}

/// How the server is reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, strum::Display)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum ServerStatus {
    /// The first cycle has not ended yet.
    #[default]
    Connecting,
    /// It answers.
    Reachable,
    /// No server runs at the socket.
    NoServer,
    /// The program tmux is not installed.
    NoTmux,
    /// A server is there and does not answer as it should; the agents shown are the last good ones.
    Unreachable,
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

/// The connection pool's true counters.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct PoolInfo {
    /// Capacity.
    pub pool_size: usize,
    /// In use now. In a published snapshot: the highest number that were in use at once during the last cycle.
    pub active_connections: usize,
    /// Ready and not in use, at the same moment.
    pub idle_connections: usize,
    /// Waiting for one.
    pub waiters: usize,
    /// Made since the start.
    pub connections_created: u64,
    /// Acquisitions that got one which had served before.
    pub connections_reused: u64,
    /// Replaced because of their age.
    pub connections_recycled: u64,
    /// Acquisitions since the start.
    pub total_acquisitions: u64,
    /// Acquisitions that gave up.
    pub acquisition_timeouts: u64,
    /// Median wait for a connection, milliseconds; `None` before the first.
    pub wait_p50_ms: Option<f64>,
    /// 99th percentile of it.
    pub wait_p99_ms: Option<f64>,
}

/// The cache's four layers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct CacheInfo {
    /// Captured screens.
    pub pane_content: LayerInfo,
    /// Verdicts for screens.
    pub agent_status: LayerInfo,
    /// The topology.
    pub session_info: LayerInfo,
    /// Compiled agent profiles and settings.
    pub config: LayerInfo,
}

/// One cache layer's statistics since the start.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct LayerInfo {
    /// Lookups answered from it.
    pub hits: u64,
    /// Lookups that were not; an expired entry is a miss.
    pub misses: u64,
    /// Entries dropped for room.
    pub evictions: u64,
    /// Entries dropped for age.
    pub expirations: u64,
    /// Entries now.
    pub size: u64,
    /// Most entries it may hold.
    pub capacity: u64,
    /// `hits / (hits + misses)`; `None` before the first lookup.
    pub hit_rate: Option<f64>,
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

/// The last cycle and the recent ones.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct CycleInfo {
    /// The last cycle; `None` before the first.
    pub last: Option<CycleStats>,
    /// Median duration of the recent cycles, milliseconds.
    pub p50_ms: Option<f64>,
    /// 95th percentile.
    pub p95_ms: Option<f64>,
    /// 99th percentile.
    pub p99_ms: Option<f64>,
    /// Longest.
    pub max_ms: Option<f64>,
    /// Cycles that took longer than the time to the next one; the late ticks were dropped.
    pub overruns: u64,
    /// Writes to quiet panes that the system told of, without a probe, since the start; 0 also from an engine that
    /// does not count them.
    #[serde(default)]
    pub heard: u64,
    /// How far the first look at new panes has come; `None` when all were looked at.
    #[serde(default)]
    pub reading: Option<Reading>,
}

/// The first look at panes that hold an agent or may hold one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reading {
    /// Panes that were read.
    pub read: usize,
    /// Panes that are to be read, with those.
    pub of: usize,
}

/// What one cycle did.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct CycleStats {
    /// Whole duration, milliseconds.
    pub duration_ms: f64,
    /// Probe.
    pub discover_ms: f64,
    /// Captures.
    pub fetch_ms: f64,
    /// Detection.
    pub detect_ms: f64,
    /// Making the snapshot (of the cycle before: this one's is measured when it is over).
    pub publish_ms: f64,
    /// Agents whose screen was read.
    pub checked: usize,
    /// Agents that could not have changed and were not read.
    pub skipped: usize,
    /// Agents whose screen differed from the last read.
    pub changed: usize,
    /// tmux commands sent.
    pub tmux_commands: u64,
    /// Requests they were sent in.
    pub tmux_requests: u64,
    /// tmux processes started for them.
    pub tmux_processes: u64,
    /// Bytes read from tmux.
    pub bytes: u64,
}

/// What the watching costs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct CostInfo {
    /// CPU of this process since the last sample, percent of one core; `None` before two samples.
    pub cpu_percent: Option<f64>,
    /// Resident memory, bytes.
    pub memory_bytes: Option<u64>,
    /// Threads.
    pub threads: Option<u64>,
    /// CPU of the tmux server's process, percent of one core: all its work, not only ours.
    pub tmux_cpu_percent: Option<f64>,
    /// What of it watching caused in the last 30 seconds, percent of one core; `None` in the first second.
    #[serde(default)]
    pub watching_percent: Option<f64>,
    /// Watching is held back, so that it costs the server no more than `settings.max_server_percent`.
    #[serde(default)]
    pub held_back: bool,
}

/// The settings in force.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct LiveSettings {
    /// Seconds between cycles.
    pub interval: f64,
    /// `auto`, `dial`, `spawn` or `process`, as asked for.
    pub transport: String,
    /// Least connections.
    pub pool_min: usize,
    /// Capacity.
    pub pool_max: usize,
    /// The cache is used.
    pub cache_enabled: bool,
    /// `ttl`, `lru` or `lfu`.
    pub cache_policy: String,
    /// Seconds an entry is good for at most.
    pub cache_ttl: f64,
    /// Most entries of a layer.
    #[serde(default)]
    pub cache_max_size: u64,
    /// Failed checks in a row that make an agent critical.
    pub max_failures: u32,
    /// Most of the server's time that watching may take, percent of one core; 0 from an engine that has no ceiling.
    #[serde(default)]
    pub max_server_percent: f64,
    /// Seconds to wait for a free connection.
    #[serde(default)]
    pub pool_connection_timeout: f64,
    /// Seconds after which a connection is replaced.
    #[serde(default)]
    pub pool_max_age: f64,
    /// How reading them again ended the last time; `None`: they are those of the start.
    #[serde(default)]
    pub reread: Option<RereadInfo>,
}

/// How reading the settings again ended.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RereadInfo {
    /// How often they were read again.
    pub count: u64,
    /// Why the old ones stay, when they were bad.
    pub problem: Option<String>,
    /// What changed.
    pub changes: Vec<Change>,
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

/// What one combination of settings cost while it ran.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct TuneRow {
    /// Strategy.
    pub strategy: String,
    /// Pool's capacity.
    pub pool_size: usize,
    /// Seconds between cycles.
    pub interval: f64,
    /// Cache policy, or `off`.
    pub cache: String,
    /// Cycles that ran so.
    pub cycles: u64,
    /// Seconds it ran.
    pub seconds: f64,
    /// Median cycle, milliseconds.
    pub p50_ms: Option<f64>,
    /// 99th percentile.
    pub p99_ms: Option<f64>,
    /// Mean age of what is shown, milliseconds: its age when published and half of the time to the next cycle.
    pub staleness_ms: Option<f64>,
    /// CPU of this process, percent of one core.
    pub cpu_percent: Option<f64>,
    /// CPU of the tmux server, percent of one core.
    pub tmux_cpu_percent: Option<f64>,
    /// Samples of the CPU that those are the means of.
    #[serde(default)]
    pub cpu_samples: u64,
    /// It is the combination in force.
    pub current: bool,
}

/// One cycle as a point of history.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct CyclePoint {
    /// Number of the cycle, counted from 1.
    pub cycle: u64,
    /// Duration, milliseconds.
    pub duration_ms: f32,
    /// Agents read.
    pub checked: u32,
    /// Agents that changed.
    pub changed: u32,
    /// Most connections in use at once.
    pub in_use: u32,
    /// Cache hit rate of this cycle over all layers; `None` without lookups.
    pub hit_rate: Option<f32>,
    /// CPU of the engine, percent.
    pub cpu_percent: Option<f32>,
    /// What was changed just before this cycle (`strategy adaptive`, `pool 20`), for the marker.
    pub mark: Option<String>,
}

/// Something that happened: a transition of an agent or a change of the engine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Counted from 1, never reused by one engine.
    pub seq: u64,
    /// When.
    pub at: Timestamp,
    /// What.
    #[serde(flatten, deserialize_with = "lenient::event")]
    pub what: EventKind,
}

/// Kinds of events.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum EventKind {
    /// An agent was seen for the first time.
    Appeared {
        /// Its pane.
        pane_id: PaneId,
        /// Its place then.
        target: String,
        /// Which program.
        agent: String,
        /// Its state.
        #[serde(default = "lenient::unknown", deserialize_with = "lenient::state")]
        state: State,
        /// Kind of the state.
        kind: Option<String>,
    },
    /// An agent's pane is gone.
    Gone {
        /// Its pane.
        pane_id: PaneId,
        /// Its last place.
        target: String,
        /// Which program.
        agent: String,
    },
    /// An agent went from one state to another.
    Transition {
        /// Its pane.
        pane_id: PaneId,
        /// Its place then.
        target: String,
        /// Which program.
        agent: String,
        /// State before.
        #[serde(default = "lenient::unknown", deserialize_with = "lenient::state")]
        from: State,
        /// State now.
        #[serde(default = "lenient::unknown", deserialize_with = "lenient::state")]
        to: State,
        /// Kind of the state now.
        kind: Option<String>,
        /// Why.
        evidence: Evidence,
    },
    /// A person did something to an agent.
    Acted(Acted),
    /// A setting of the engine was changed, by whom.
    Changed {
        /// Such as `pool`.
        setting: String,
        /// Value before.
        from: String,
        /// Value now.
        to: String,
    },
    /// The server was lost, came back, a transport fell back, a script failed: in words.
    Notice {
        /// The words.
        text: String,
        /// It is a problem.
        problem: bool,
    },
}

/// Something that a person did to an agent, whether it worked or not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acted {
    /// The pane.
    pub pane_id: PaneId,
    /// Its place then, if known.
    #[serde(default)]
    pub target: String,
    /// Which program, if known.
    #[serde(default)]
    pub agent: String,
    /// What was done.
    pub act: ActKind,
    /// What was sent: keys by their names, or the text; empty when nothing was.
    pub sent: String,
    /// It worked.
    pub ok: bool,
    /// How it ended, in words.
    pub result: String,
}

/// What can be done to an agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, strum::Display)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum ActKind {
    /// The person's client was taken to it.
    Jump,
    /// One of its prompt's answers was picked.
    Answer,
    /// A message was sent.
    Reply,
    /// It was interrupted.
    Interrupt,
    /// Its pane was closed.
    Kill,
}

/// The coloured screen of one pane.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Preview {
    /// The pane.
    pub pane_id: PaneId,
    /// Rows with SGR colours and nothing else that is not text.
    pub text: String,
    /// When it was captured.
    pub captured_at: Timestamp,
}

impl Preview {
    /// What was captured with its colours.
    #[must_use]
    pub(crate) fn of(pane_id: PaneId, screen: &Screen, captured_at: Timestamp) -> Self {
        Self { pane_id, text: screen.colours().unwrap_or_default().to_owned(), captured_at }
    }
}

/// One agent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Agent {
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
    pub state: State,
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
    /// Pane's title.
    #[serde(default)]
    pub title: String,
    /// Working directory.
    #[serde(default)]
    pub cwd: Option<String>,
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
    /// Model it runs on, when shown.
    #[serde(default)]
    pub model: Option<String>,
    /// Tokens of this turn, as shown.
    #[serde(default)]
    pub tokens: Option<String>,
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
    /// Its last states, oldest first, at most 8.
    #[serde(default)]
    pub transitions: Vec<Transition>,
    /// When its screen was last read; `None` before the first.
    #[serde(default)]
    pub read_at: Option<Timestamp>,
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
    pub at: Timestamp,
    /// State before.
    #[serde(default = "lenient::unknown", deserialize_with = "lenient::state")]
    pub from: State,
    /// State after.
    #[serde(default = "lenient::unknown", deserialize_with = "lenient::state")]
    pub to: State,
    /// Kind of the state after.
    #[serde(default)]
    pub kind: Option<String>,
}
