//! What the engine publishes after every cycle: the same object in memory, as JSON and on the socket. The words that all
//! rooms speak: nothing here knows another room.

pub(crate) mod agent;
pub(crate) mod agents;
pub(crate) mod answers;
pub(crate) mod cache;
pub(crate) mod change;
pub(crate) mod cost;
pub(crate) mod cycle;
pub(crate) mod engine;
pub(crate) mod event;
pub(crate) mod host;
pub(crate) mod in_force;
pub(crate) mod lenient;
pub(crate) mod link;
pub(crate) mod news;
pub(crate) mod pool;
pub(crate) mod preview;
pub(crate) mod price;
pub(crate) mod server;
pub(crate) mod settings;
pub(crate) mod state;
pub(crate) mod tidy;
pub(crate) mod tiles;
pub(crate) mod usage;

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub(crate) use crate::monitor::snapshot::agent::TRANSITIONS_KEPT;
pub use crate::monitor::snapshot::agent::{Agent, Asks, Choice, HealthSummary, Transition};
pub use crate::monitor::snapshot::agents::Agents;
pub(crate) use crate::monitor::snapshot::answers::above_answers;
pub use crate::monitor::snapshot::cache::{CacheInfo, LayerInfo};
pub use crate::monitor::snapshot::cost::{Between, CostInfo, TuneRow};
pub use crate::monitor::snapshot::cycle::{
    CycleInfo, CyclePoint, CycleStats, HISTORY_POINTS, HOUR_POINTS, HOUR_STEP, HourPoint, Reading, RhythmInfo,
};
pub(crate) use crate::monitor::snapshot::engine::EngineId;
pub use crate::monitor::snapshot::engine::{BaseStatus, EngineInfo, StrategyInfo};
pub(crate) use crate::monitor::snapshot::event::ActKind;
pub use crate::monitor::snapshot::event::{Acted, EVENTS_KEPT, Event, EventKind};
pub use crate::monitor::snapshot::host::LinkState;
pub use crate::monitor::snapshot::in_force::LiveSettings;
pub(crate) use crate::monitor::snapshot::in_force::RereadInfo;
pub use crate::monitor::snapshot::link::Link;
pub(crate) use crate::monitor::snapshot::link::TELL_SWITCH_FOR;
pub(crate) use crate::monitor::snapshot::news::{EventReader, News};
pub use crate::monitor::snapshot::pool::PoolInfo;
pub use crate::monitor::snapshot::preview::Preview;
pub use crate::monitor::snapshot::price::{Price, Prices};
pub use crate::monitor::snapshot::server::{ServerInfo, ServerStatus};
pub use crate::monitor::snapshot::state::{AgentState, Evidence, Health, Source};
pub use crate::monitor::snapshot::tidy::{LONGEST_NAME, LONGEST_NOTE, Tidy, TidyChange, Tidying};
pub use crate::monitor::snapshot::tiles::{MOST_TILES, Tiles};
pub use crate::monitor::snapshot::usage::{Account, AgentTokens, Limit, Plan, Tokens};

/// The version of the JSON object. Fields are added, never changed in meaning, within one version.
pub const SCHEMA: u32 = 1;

/// All that is known after one cycle. The default is what is known before the first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    /// [`SCHEMA`].
    #[serde(default)]
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
    /// The last hour, oldest first, at most [`HOUR_POINTS`].
    #[serde(default)]
    pub hour: Arc<Vec<HourPoint>>,
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
    /// The parts of screens that the client shows side by side, as they came over the socket: in no other JSON.
    #[serde(default, skip_serializing)]
    pub tiles: Vec<Arc<Preview>>,
    /// Those of all panes that any client shows, from which each gets its own: within one process.
    #[serde(skip)]
    pub previews: Vec<Arc<Preview>>,
    /// Every agent, ordered by session, window and pane.
    #[serde(default)]
    pub agents: Agents,
    /// The accounts that agents work on, as far as limits of them are known, by program and name.
    #[serde(default)]
    pub accounts: Vec<Account>,
    /// What it says of the watching itself (strategy, pool, cache, cycle, cost, settings, history) is of this snapshot, and
    /// not of an earlier one: a client behind a slow way gets that only while it asks for it.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub instruments: bool,
}

fn yes() -> bool {
    true
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde asks for")]
fn is_yes(yes: &bool) -> bool {
    *yes
}
