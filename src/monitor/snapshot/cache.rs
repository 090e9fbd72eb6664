//! The cache's layers and their statistics.

use serde::{Deserialize, Serialize};

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
