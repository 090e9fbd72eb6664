//! What the watching costs: CPU and memory of this process, CPU of the tmux server.

use std::time::{Duration, Instant};

use crate::monitor::CostInfo;

/// Shortest time between two samples: below it the percentages say little.
const SAMPLE_EVERY: Duration = Duration::from_secs(2);

/// Samples the cost now and then.
#[derive(Debug, Default)]
pub struct CostMeter {
    last: Option<Sample>,
    info: CostInfo,
}

#[derive(Clone, Copy, Debug)]
struct Sample {
    at: Instant,
    own: Option<Duration>,
    server: Option<(u32, Duration)>,
}

impl Sample {
    fn take(now: Instant, server: Option<u32>) -> Self {
        Self { at: now, own: own_cpu(), server: server.and_then(|pid| process_cpu(pid).map(|cpu| (pid, cpu))) }
    }
}

impl CostMeter {
    /// Takes a sample if the last one is old enough; says whether it did. `server` is the pid of the tmux server.
    pub fn sample(&mut self, now: Instant, server: Option<u32>) -> bool {
        if self.last.is_some_and(|last| now.saturating_duration_since(last.at) < SAMPLE_EVERY) {
            return false;
        }
        let sample = Sample::take(now, server);
        if let Some(last) = self.last {
            let wall = now.saturating_duration_since(last.at).as_secs_f64();
            let percent = |before: Duration, after: Duration| after.saturating_sub(before).as_secs_f64() / wall * 100.0;
            self.info.cpu_percent = last.own.zip(sample.own).map(|(before, after)| percent(before, after));
            self.info.tmux_cpu_percent = match (last.server, sample.server) {
                (Some((pid, before)), Some((same, after))) if pid == same => Some(percent(before, after)),
                _ => None,
            };
        }
        let (memory, threads) = own_memory_and_threads();
        self.info.memory_bytes = memory;
        self.info.threads = threads;
        self.last = Some(sample);
        true
    }

    /// The next sample begins here: what was used before belongs to other settings.
    pub fn begin(&mut self, now: Instant, server: Option<u32>) {
        self.last = Some(Sample::take(now, server));
    }

    /// The last sample.
    #[must_use]
    pub fn info(&self) -> CostInfo {
        self.info.clone()
    }
}

/// CPU time of this process so far, all threads, to the nanosecond.
fn own_cpu() -> Option<Duration> {
    let spent = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Some(Duration::new(spent.tv_sec.try_into().ok()?, spent.tv_nsec.try_into().ok()?))
}

/// CPU time of a single-threaded process such as the tmux server. Linux counts it to the nanosecond (`/proc/PID/schedstat`); elsewhere it is
/// not known.
pub(crate) fn process_cpu(pid: u32) -> Option<Duration> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/schedstat")).ok()?;
    text.split_ascii_whitespace().next()?.parse().ok().map(Duration::from_nanos)
}

/// Resident memory in bytes and number of threads, from `/proc/self`; not known elsewhere.
fn own_memory_and_threads() -> (Option<u64>, Option<u64>) {
    let Ok(status) = std::fs::read_to_string("/proc/self/status") else {
        return (None, None);
    };
    let field = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        line.split_ascii_whitespace().next()?.parse::<u64>().ok()
    };
    (field("VmRSS:").map(|kib| kib * 1024), field("Threads:"))
}
