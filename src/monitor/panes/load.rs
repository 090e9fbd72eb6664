//! CPU and memory of a pane's processes, sampled now and then.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use crate::monitor::facts::process::Usage;

/// Shortest time between two samples.
const SAMPLE_EVERY: Duration = Duration::from_secs(5);

/// What a pane's process tree uses.
#[derive(Debug, Default)]
pub struct Load {
    /// The newest sample.
    sample: Option<Sample>,
}

#[derive(Debug)]
struct Sample {
    at: Instant,
    used: HashMap<u32, Usage>,
    /// `None` in the first: it takes two.
    cpu_percent: Option<f64>,
}

impl Load {
    /// Whether the time for another sample has come.
    #[must_use]
    pub fn is_due(&self, now: Instant) -> bool {
        self.sample.as_ref().is_none_or(|last| now.saturating_duration_since(last.at) >= SAMPLE_EVERY)
    }

    /// Takes in what each process has used so far, by its id.
    pub fn take(&mut self, used: HashMap<u32, Usage>, now: Instant) {
        let cpu_percent = self.sample.as_ref().map(|last| {
            let wall = now.saturating_duration_since(last.at).as_secs_f64();
            // Of each process by itself: what a process used that came or went meanwhile is not of this time.
            let ticks: u64 =
                used.iter().filter_map(|(pid, now)| Some(now.ticks.saturating_sub(last.used.get(pid)?.ticks))).sum();
            ticks as f64 / ticks_per_second() / wall.max(f64::EPSILON) * 100.0
        });
        self.sample = Some(Sample { at: now, used, cpu_percent });
    }

    /// CPU time between the last two samples, percent of one core.
    #[must_use]
    pub fn cpu_percent(&self) -> Option<f64> {
        self.sample.as_ref()?.cpu_percent
    }

    /// Resident memory, bytes.
    #[must_use]
    pub fn memory_bytes(&self) -> Option<u64> {
        Some(self.sample.as_ref()?.used.values().map(|used| used.memory_bytes).sum())
    }
}

/// Clock ticks a second, as the kernel counts CPU time in `/proc` (proc_pid_stat(5), `utime`).
fn ticks_per_second() -> f64 {
    rustix::param::clock_ticks_per_second() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_processes_that_were_there_before_have_used_the_time_since() {
        let now = Instant::now();
        let mut load = Load::default();
        assert_eq!((load.is_due(now), load.cpu_percent(), load.memory_bytes()), (true, None, None));
        let usage = |seconds: f64, memory_bytes| Usage { ticks: (seconds * ticks_per_second()) as u64, memory_bytes };
        load.take(HashMap::from([(1, usage(10.0, 1000)), (2, usage(50.0, 500))]), now);
        assert_eq!((load.cpu_percent(), load.memory_bytes()), (None, Some(1500)), "one sample tells no percentage");
        assert!(!load.is_due(now + SAMPLE_EVERY / 2));
        let later = now + Duration::from_secs(10);
        assert!(load.is_due(later));
        load.take(HashMap::from([(1, usage(11.0, 1000)), (3, usage(90.0, 2000))]), later);
        let percent = load.cpu_percent().unwrap();
        assert!((percent - 10.0).abs() < 0.01, "{percent}");
        assert_eq!(load.memory_bytes(), Some(3000));
    }
}
