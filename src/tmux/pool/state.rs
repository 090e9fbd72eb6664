//! The books of a pool: what is in use, what is ready, who waits, and what was counted. No I/O, no waiting.

use std::{collections::VecDeque, time::Duration};

use hdrhistogram::Histogram;
use tokio::{sync::oneshot, time::Instant};

use crate::tmux::pool::Lease;

/// How a pool is sized and how long things may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolSettings {
    /// Connections that are made ready at the start and kept.
    pub min_size: usize,
    /// Capacity: most connections in use at once.
    pub max_size: usize,
    /// Longest wait for a connection.
    pub connection_timeout: Duration,
    /// Age at which a connection is replaced when it comes back.
    pub max_age: Duration,
    /// Longest time a request may take.
    pub request_timeout: Duration,
}

impl Default for PoolSettings {
    fn default() -> Self {
        Self {
            min_size: 5,
            max_size: 20,
            connection_timeout: Duration::from_secs(30),
            max_age: Duration::from_secs(300),
            request_timeout: Duration::from_secs(10),
        }
    }
}

/// The pool's counters at one moment. `created - (in use + idle)` is what was dropped or replaced.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct PoolStats {
    /// Capacity.
    pub pool_size: usize,
    /// In use.
    pub active_connections: usize,
    /// Ready and not in use.
    pub idle_connections: usize,
    /// Waiting for one.
    pub waiters: usize,
    /// Made since the start.
    pub connections_created: u64,
    /// Acquisitions that got one which had served a request before.
    pub connections_reused: u64,
    /// Replaced because of their age.
    pub connections_recycled: u64,
    /// Successful acquisitions.
    pub total_acquisitions: u64,
    /// Acquisitions that waited too long.
    pub acquisition_timeouts: u64,
    /// Median wait for a connection, milliseconds; `None` before the first acquisition.
    pub wait_p50_ms: Option<f64>,
    /// 99th percentile of it.
    pub wait_p99_ms: Option<f64>,
}

/// Kept under the pool's lock.
pub(crate) struct PoolState {
    /// `max_size`, the capacity, is at least 1.
    pub(crate) settings: PoolSettings,
    pub(crate) in_use: usize,
    pub(crate) idle: Vec<Connection>,
    pub(crate) waiters: VecDeque<(u64, oneshot::Sender<Lease>)>,
    pub(crate) next_waiter: u64,
    pub(crate) closed: bool,
    pub(crate) peak: usize,
    pub(crate) stats: PoolStats,
    pub(crate) waits: Histogram<u64>,
}

/// A client of the server, with its age and what it served. What tmux's protocol allows to keep between two requests
/// is little: a server ends the client after each, and one that is left open would keep a dying server alive.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) born: Instant,
    pub(crate) served: u64,
    pub(crate) broken: bool,
}

impl PoolState {
    pub(crate) fn new(settings: PoolSettings) -> Self {
        let mut state = Self {
            settings,
            in_use: 0,
            idle: Vec::new(),
            waiters: VecDeque::new(),
            next_waiter: 0,
            closed: false,
            peak: 0,
            stats: PoolStats::default(),
            waits: new_histogram(),
        };
        state.configure(settings);
        state
    }

    /// Puts settings in force; those who wait are to be served then.
    pub(crate) fn configure(&mut self, settings: PoolSettings) {
        self.settings = PoolSettings { max_size: settings.max_size.max(1), ..settings };
        let spare = self.settings.max_size.saturating_sub(self.in_use);
        self.idle.truncate(spare);
        self.fill();
    }

    /// A connection if the capacity allows one more in use: the one that came back last, or a new one.
    pub(crate) fn take(&mut self) -> Option<Connection> {
        if self.closed || self.in_use >= self.settings.max_size {
            return None;
        }
        if self.idle.is_empty() {
            self.create();
        }
        let connection = self.idle.pop()?;
        self.in_use += 1;
        self.peak = self.peak.max(self.in_use);
        Some(connection)
    }

    pub(crate) fn create(&mut self) {
        self.stats.connections_created += 1;
        self.idle.push(Connection { born: Instant::now(), served: 0, broken: false });
    }

    /// Keeps the least number ready.
    pub(crate) fn fill(&mut self) {
        let least = self.settings.min_size.min(self.settings.max_size);
        while !self.closed && self.in_use + self.idle.len() < least {
            self.create();
        }
    }

    pub(crate) fn acquired(&mut self, wait: Duration, reused: bool) {
        self.stats.total_acquisitions += 1;
        self.stats.connections_reused += u64::from(reused);
        self.waits.saturating_record(u64::try_from(wait.as_micros()).unwrap_or(u64::MAX));
    }

    pub(crate) fn snapshot(&self) -> PoolStats {
        let wait = |quantile| (!self.waits.is_empty()).then(|| self.waits.value_at_quantile(quantile) as f64 / 1000.0);
        PoolStats {
            pool_size: self.settings.max_size,
            active_connections: self.in_use,
            idle_connections: self.idle.len(),
            waiters: self.waiters.len(),
            wait_p50_ms: wait(0.5),
            wait_p99_ms: wait(0.99),
            ..self.stats
        }
    }
}

/// Waits in microseconds, up to an hour, to three figures.
#[expect(clippy::expect_used, reason = "constant bounds that the library accepts")]
fn new_histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, 3_600_000_000, 2).expect("constant bounds are valid")
}
