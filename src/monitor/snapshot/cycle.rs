//! What cycles did: the last one, the recent ones, a point of history each.

use serde::{Deserialize, Serialize};

/// How many points of history a snapshot carries.
pub const HISTORY_POINTS: usize = 240;

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
    /// Writes to quiet panes that the kernel notified us of, without a probe, since the start; 0 also from an engine that
    /// does not count them.
    #[serde(default)]
    pub heard: u64,
    /// Busy panes whose writes are followed, and what that was worth.
    #[serde(default)]
    pub rhythm: RhythmInfo,
    /// How far the first look at new panes has come; `None` when all were looked at.
    #[serde(default)]
    pub reading: Option<Reading>,
}

/// Busy panes are read when the rhythm of their writes breaks, and else once a second: how well that goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RhythmInfo {
    /// Panes whose writes are followed now.
    pub followed: usize,
    /// Reads since the start for a rhythm that was broken.
    pub breaks: u64,
    /// Of these: the agent's state was the same.
    pub false_breaks: u64,
    /// Changes of a state that no break told of, while the program went on to write.
    pub missed: u64,
}

/// The first look at panes that hold an agent or may hold one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
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

/// Points of the last hour that a snapshot has at most.
pub const HOUR_POINTS: usize = 120;

/// Seconds that each of them stands for.
pub const HOUR_STEP: u64 = 30;

/// [`HOUR_STEP`] seconds of cycles, as a point of the last hour.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct HourPoint {
    /// Its number, counted from 1 since the engine's start.
    pub n: u64,
    /// Cycles that ended in it; 0: none ran.
    pub cycles: u64,
    /// Mean duration of a cycle, milliseconds.
    pub duration_ms: f32,
    /// The longest.
    pub slowest_ms: f32,
    /// Of the mean: the probe.
    pub discover_ms: f32,
    /// Of the mean: captures.
    pub fetch_ms: f32,
    /// Of the mean: detection.
    pub detect_ms: f32,
    /// Of the mean: making the snapshot.
    pub publish_ms: f32,
    /// Screens that were read.
    pub checked: u64,
    /// Of these: that differed from the last read.
    pub changed: u64,
    /// Requests to tmux.
    pub requests: u64,
    /// Most connections in use at once.
    pub in_use: u32,
    /// Cache lookups that hit.
    pub hits: u64,
    /// All cache lookups.
    pub lookups: u64,
    /// Mean CPU of the engine, percent of one core.
    pub cpu_percent: Option<f32>,
    /// Mean CPU of the tmux server, percent of one core.
    pub tmux_cpu_percent: Option<f32>,
    /// What was changed in it.
    pub mark: Option<String>,
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
