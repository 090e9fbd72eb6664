//! What watching costs, now and with each combination of settings that was tried.

use serde::{Deserialize, Serialize};

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
    /// Between what the median lies with 95 % confidence; `None`: too few cycles ran.
    #[serde(default)]
    pub p50_between: Option<Between>,
    /// The same of the 99th percentile.
    #[serde(default)]
    pub p99_between: Option<Between>,
    /// The same of the mean CPU of this process.
    #[serde(default)]
    pub cpu_between: Option<Between>,
    /// The same of that of the tmux server.
    #[serde(default)]
    pub tmux_cpu_between: Option<Between>,
    /// It is the combination in force.
    pub current: bool,
}

/// An interval of confidence, in the unit of the measure that it is of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Between {
    /// Its lower end.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
}
