//! The engine's settings: what the settings file's `monitoring` section means to it.

use std::{path::PathBuf, time::Duration};

use serde::{Deserialize, Serialize};
use strum::{Display, EnumString, IntoStaticStr, VariantNames};

use crate::monitor::snapshot::price::Prices;
use crate::tmux::{Pane, PoolSettings, TransportChoice};

/// How the engine talks to tmux.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, Display, EnumString, IntoStaticStr)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Mode {
    /// Batched requests over the pool, cached.
    #[default]
    Async,
    /// One tmux process per command, one agent after another, nothing cached: slow and simple.
    Sync,
}

/// What the cache drops, and when.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    Hash,
    Serialize,
    Deserialize,
    Display,
    EnumString,
    IntoStaticStr,
    VariantNames,
)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum CachePolicy {
    /// An entry is good for its time to live, however often it is used.
    #[default]
    Ttl,
    /// An entry lives as long as it is used within its time to live; the least recently used goes first.
    Lru,
    /// An entry lives as long as it is used within its time to live; the least frequently used goes first.
    Lfu,
}

/// The cache's settings.
#[derive(Clone, Debug, PartialEq)]
pub struct CacheSettings {
    /// Use it. When off, every agent's screen is read and judged in every cycle.
    pub enabled: bool,
    /// How long an entry is good at most.
    pub ttl: Duration,
    /// Most entries in a layer.
    pub max_size: u64,
    /// What is dropped, and when.
    pub policy: CachePolicy,
}

/// What is said of the repositories that agents work in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RepositorySettings {
    /// Name, branch and working tree, read from their files.
    pub enabled: bool,
    /// Lines added and removed, by a git process now and then.
    pub diff: bool,
    /// A folder that nobody else can write, for what that process needs; without one it is not started.
    pub work: Option<PathBuf>,
}

impl Default for RepositorySettings {
    fn default() -> Self {
        Self { enabled: true, diff: true, work: None }
    }
}

/// A pane that the settings call an agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NamedAgent {
    /// `session:window.pane` or `%12`.
    pub target: String,
    /// The profile to judge it by, when its program is not recognised.
    #[serde(default)]
    pub agent: Option<String>,
    /// What to call it; the window's name when `None`.
    #[serde(default)]
    pub name: Option<String>,
}

impl NamedAgent {
    /// What `all` say of a pane.
    #[must_use]
    pub fn of<'n>(all: &'n [Self], pane: &Pane) -> Option<&'n Self> {
        all.iter().find(|named| pane.is_at(&named.target))
    }
}

/// What is read of the transcripts that agent programs write.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UsageSettings {
    /// They are read at all.
    pub enabled: bool,
    /// Only those of these programs; none: of all.
    pub programs: Vec<String>,
}

impl Default for UsageSettings {
    fn default() -> Self {
        Self { enabled: true, programs: Vec::new() }
    }
}

impl UsageSettings {
    /// Whether the transcripts of a program are read.
    #[must_use]
    pub fn wants(&self, program: &str) -> bool {
        self.enabled && (self.programs.is_empty() || self.programs.iter().any(|wanted| wanted == program))
    }
}

/// All settings of the engine.
#[derive(Clone, Debug, PartialEq)]
pub struct EngineSettings {
    /// How it talks to tmux.
    pub mode: Mode,
    /// Name of the strategy.
    pub strategy: String,
    /// Time between cycles; the ceiling for quiet agents under `adaptive`.
    pub interval: Duration,
    /// Failed checks in a row that make an agent critical.
    pub max_failures: u32,
    /// Most of the tmux server's time that watching may take, percent of one core; from 100 on there is no ceiling.
    pub max_server_percent: f64,
    /// Transport to use.
    pub transport: TransportChoice,
    /// The connection pool.
    pub pool: PoolSettings,
    /// The cache.
    pub cache: CacheSettings,
    /// Folder of the user's agent profiles.
    pub agents_dir: Option<PathBuf>,
    /// Folder of the user's script strategies.
    pub strategies_dir: Option<PathBuf>,
    /// Folder of what the commands of agents' status lines were told.
    pub status_lines: Option<PathBuf>,
    /// What is read of the agents' transcripts.
    pub usage: UsageSettings,
    /// What tokens cost, where the program does not record it.
    pub prices: Prices,
    /// Panes that the settings call agents.
    pub named: Vec<NamedAgent>,
    /// What is said of the repositories that agents work in.
    pub repositories: RepositorySettings,
    /// The server is a demo's: the snapshots say so.
    pub simulated: bool,
}

/// One setting that was changed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Change {
    /// Its name.
    pub setting: String,
    /// Value before.
    pub from: String,
    /// Value now.
    pub to: String,
}

/// Shortest time between cycles.
pub const MIN_INTERVAL: Duration = Duration::from_millis(50);

/// Longest time between cycles.
pub const MAX_INTERVAL: Duration = Duration::from_secs(3600);

/// Largest pool.
pub const MAX_POOL: usize = 64;

impl Default for CacheSettings {
    fn default() -> Self {
        Self { enabled: true, ttl: Duration::from_secs(30), max_size: 1000, policy: CachePolicy::Ttl }
    }
}

impl EngineSettings {
    /// What the sync engine makes of them: one tmux process per command, one agent after another, nothing cached.
    pub fn make_sync(&mut self) {
        self.mode = Mode::Sync;
        SEQUENTIAL.clone_into(&mut self.strategy);
        self.transport = TransportChoice::Process;
        self.cache.enabled = false;
        self.pool.min_size = 1;
        self.pool.max_size = 1;
    }
}

/// The only strategy of the sync engine.
pub const SEQUENTIAL: &str = "sequential";

impl Default for EngineSettings {
    fn default() -> Self {
        Self {
            mode: Mode::Async,
            strategy: "adaptive".into(),
            interval: Duration::from_secs(1),
            max_failures: 3,
            max_server_percent: 5.0,
            transport: TransportChoice::Auto,
            pool: PoolSettings::default(),
            cache: CacheSettings::default(),
            agents_dir: None,
            strategies_dir: None,
            status_lines: None,
            usage: UsageSettings::default(),
            prices: Prices::new(),
            named: Vec::new(),
            repositories: RepositorySettings::default(),
            simulated: false,
        }
    }
}
