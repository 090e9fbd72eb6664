//! The settings in force, as the engine confirms them.

use serde::{Deserialize, Serialize};

use crate::monitor::snapshot::settings::Change;

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
