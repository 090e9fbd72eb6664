//! The connection pool's counters.

use serde::{Deserialize, Serialize};

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
