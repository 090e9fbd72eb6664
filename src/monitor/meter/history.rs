//! What the engine remembers of its own work, at a fixed memory size: points for sparklines, percentiles over a sliding
//! window, and what each combination of settings cost while it ran.

use std::{
    collections::VecDeque,
    sync::{Arc, OnceLock},
    time::{Duration, Instant},
};

use hdrhistogram::Histogram;

use crate::monitor::meter::hour::Hour;
use crate::monitor::meter::window::{Window, histogram, millis, record};
use crate::monitor::{Between, CycleInfo, CyclePoint, CycleStats, HISTORY_POINTS, HourPoint, RhythmInfo, TuneRow};

/// Standard deviations to each side that 95 % of a normal distribution lie within.
const SIGMAS: f64 = 1.96;

/// Samples before anything is said of how sure their mean is.
const FEWEST: u64 = 5;

/// Combinations kept; the one that ran longest ago goes first.
const TUNE_ROWS: usize = 48;

/// A combination of settings that ran.
#[derive(Clone, Debug, PartialEq)]
pub struct Combination {
    /// Strategy.
    pub strategy: String,
    /// Pool's capacity.
    pub pool_size: usize,
    /// Time between cycles.
    pub interval: Duration,
    /// Cache policy, or `off`.
    pub cache: String,
}

#[derive(Debug)]
struct Run {
    combination: Combination,
    durations: Histogram<u64>,
    cycles: u64,
    seconds: f64,
    staleness_ms: f64,
    cpu: Mean,
    tmux_cpu: Mean,
    /// What it comes to, until another cycle of it ends.
    row: OnceLock<TuneRow>,
}

#[derive(Debug, Default)]
struct Mean {
    sum: f64,
    squares: f64,
    count: u64,
}

impl Mean {
    fn add(&mut self, value: Option<f64>) {
        if let Some(value) = value {
            self.sum += value;
            self.squares += value * value;
            self.count += 1;
        }
    }

    fn get(&self) -> Option<f64> {
        (self.count > 0).then(|| self.sum / self.count as f64)
    }

    /// Between what it lies with 95 % confidence, by the standard error.
    fn between(&self) -> Option<Between> {
        let (mean, n) = (self.get()?, self.count as f64);
        let variance = (self.squares / n - mean * mean).max(0.0) * n / (n - 1.0);
        let half = SIGMAS * (variance / n).sqrt();
        (self.count >= FEWEST).then(|| Between { low: (mean - half).max(0.0), high: mean + half })
    }
}

/// One cycle, as the history takes it in.
#[derive(Clone, Debug)]
pub struct Cycle<'a> {
    /// What it did.
    pub stats: &'a CycleStats,
    /// Most connections in use at once.
    pub in_use: usize,
    /// Cache lookups of this cycle that hit, and all.
    pub lookups: (u64, u64),
    /// Mean age of the verdicts, milliseconds.
    pub staleness_ms: Option<f64>,
    /// CPU of the engine's process, percent, when it was sampled since the last cycle.
    pub cpu_percent: Option<f64>,
    /// CPU of the tmux server, percent, likewise.
    pub tmux_cpu_percent: Option<f64>,
}

/// All that is remembered.
#[derive(Debug)]
pub struct History {
    points: VecDeque<CyclePoint>,
    hour: Hour,
    window: Window,
    runs: Vec<Run>,
    last_cycle_at: Option<Instant>,
    mark: Option<String>,
    count: u64,
    overruns: u64,
    notified: u64,
    /// How well busy panes are followed.
    pub rhythm: RhythmInfo,
    last: Option<CycleStats>,
    last_cpu: Option<f32>,
}

impl Default for History {
    fn default() -> Self {
        Self {
            points: VecDeque::with_capacity(HISTORY_POINTS),
            hour: Hour::default(),
            window: Window::default(),
            runs: Vec::new(),
            last_cycle_at: None,
            mark: None,
            count: 0,
            overruns: 0,
            notified: 0,
            rhythm: RhythmInfo::default(),
            last: None,
            last_cpu: None,
        }
    }
}

impl History {
    /// Notes a change of settings: the next point carries it as its mark.
    pub fn mark(&mut self, what: &str) {
        match &mut self.mark {
            Some(mark) => {
                mark.push_str(", ");
                mark.push_str(what);
            }
            None => self.mark = Some(what.to_owned()),
        }
    }

    /// Notes that a cycle took longer than the time to the next.
    pub fn overrun(&mut self) {
        self.overruns += 1;
    }

    /// Notes that writes to so many quiet panes were notified.
    pub fn notified(&mut self, panes: u64) {
        self.notified += panes;
    }

    /// Cycles so far.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Takes in one cycle that ran under `combination`.
    pub fn record(&mut self, now: Instant, combination: &Combination, cycle: &Cycle<'_>) {
        self.count += 1;
        let duration_ms = cycle.stats.duration_ms;
        self.window.record(now, duration_ms);
        self.hour.record(now, cycle, self.mark.as_deref());
        if let Some(cpu) = cycle.cpu_percent {
            self.last_cpu = Some(cpu as f32);
        }
        if self.points.len() == HISTORY_POINTS {
            self.points.pop_front();
        }
        self.points.push_back(CyclePoint {
            cycle: self.count,
            duration_ms: duration_ms as f32,
            checked: cycle.stats.checked as u32,
            changed: cycle.stats.changed as u32,
            in_use: cycle.in_use as u32,
            hit_rate: (cycle.lookups.1 > 0).then(|| cycle.lookups.0 as f32 / cycle.lookups.1 as f32),
            cpu_percent: self.last_cpu,
            mark: self.mark.take(),
        });
        let elapsed = self.last_cycle_at.map_or(Duration::ZERO, |at| now.saturating_duration_since(at));
        self.last_cycle_at = Some(now);
        let run = self.run(combination);
        record(&mut run.durations, duration_ms);
        run.cycles += 1;
        run.seconds += elapsed.as_secs_f64();
        run.staleness_ms += cycle.staleness_ms.unwrap_or(0.0);
        run.cpu.add(cycle.cpu_percent);
        run.tmux_cpu.add(cycle.tmux_cpu_percent);
        run.row = OnceLock::new();
        self.last = Some(cycle.stats.clone());
    }

    /// Whether the last cycle ran under this combination, or there was none.
    #[must_use]
    pub fn ran_last(&self, combination: &Combination) -> bool {
        self.runs.last().is_none_or(|run| run.combination == *combination)
    }

    /// The run of `combination`, moved to the end: the order of the rows is that of their last use.
    fn run(&mut self, combination: &Combination) -> &mut Run {
        let run = match self.runs.iter().position(|run| run.combination == *combination) {
            Some(index) => self.runs.remove(index),
            None => {
                if self.runs.len() == TUNE_ROWS {
                    self.runs.remove(0);
                }
                Run {
                    combination: combination.clone(),
                    durations: histogram(),
                    cycles: 0,
                    seconds: 0.0,
                    staleness_ms: 0.0,
                    cpu: Mean::default(),
                    tmux_cpu: Mean::default(),
                    row: OnceLock::new(),
                }
            }
        };
        self.runs.push(run);
        let last = self.runs.len() - 1;
        &mut self.runs[last]
    }

    /// The newest points for a snapshot, oldest first.
    #[must_use]
    pub fn points(&self) -> Arc<Vec<CyclePoint>> {
        Arc::new(self.points.iter().cloned().collect())
    }

    /// The last hour for a snapshot, oldest first.
    #[must_use]
    pub fn hour(&self) -> Arc<Vec<HourPoint>> {
        self.hour.points()
    }

    /// The last cycle and the percentiles.
    pub fn info(&mut self, now: Instant) -> CycleInfo {
        let percentiles = self.window.percentiles(now);
        CycleInfo {
            last: self.last.clone(),
            p50_ms: percentiles.map(|p| p.p50),
            p95_ms: percentiles.map(|p| p.p95),
            p99_ms: percentiles.map(|p| p.p99),
            max_ms: percentiles.map(|p| p.max),
            overruns: self.overruns,
            heard: self.notified,
            rhythm: self.rhythm,
            reading: None,
        }
    }

    /// What was tried, the current combination last.
    #[must_use]
    pub fn tune(&self, current: &Combination) -> Vec<TuneRow> {
        let row =
            |run: &Run| TuneRow { current: run.combination == *current, ..run.row.get_or_init(|| run.row()).clone() };
        self.runs.iter().map(row).collect()
    }

    /// Median cycle of a strategy over all its runs, milliseconds.
    #[must_use]
    pub fn strategy_p50(&self, name: &str) -> Option<f64> {
        let mut runs = self.runs.iter().filter(|run| run.combination.strategy == name);
        let mut whole = runs.next()?.durations.clone();
        for run in runs {
            whole.add(&run.durations).ok()?;
        }
        Some(millis(&whole, 0.50))
    }
}

impl Run {
    fn row(&self) -> TuneRow {
        TuneRow {
            strategy: self.combination.strategy.clone(),
            pool_size: self.combination.pool_size,
            interval: self.combination.interval.as_secs_f64(),
            cache: self.combination.cache.clone(),
            cycles: self.cycles,
            seconds: self.seconds,
            p50_ms: (self.cycles > 0).then(|| millis(&self.durations, 0.50)),
            p99_ms: (self.cycles > 0).then(|| millis(&self.durations, 0.99)),
            // What is shown ages until the next cycle: half of the time between two on average.
            staleness_ms: (self.cycles > 0)
                .then(|| self.staleness_ms / self.cycles as f64 + self.seconds * 500.0 / self.cycles as f64),
            cpu_percent: self.cpu.get(),
            tmux_cpu_percent: self.tmux_cpu.get(),
            cpu_samples: self.cpu.count,
            p50_between: between(&self.durations, 0.50),
            p99_between: between(&self.durations, 0.99),
            cpu_between: self.cpu.between(),
            tmux_cpu_between: self.tmux_cpu.between(),
            current: false,
        }
    }
}

/// Between what a quantile of all cycles lies with 95 % confidence, by the ranks of those that were measured: whatever their
/// distribution is. `None`: there are too few for that.
fn between(durations: &Histogram<u64>, quantile: f64) -> Option<Between> {
    let n = durations.len() as f64;
    let half = SIGMAS * (n * quantile * (1.0 - quantile)).sqrt();
    let (low, high) = ((n * quantile - half).floor(), (n * quantile + half + 1.0).ceil());
    (low >= 1.0 && high <= n).then(|| Between { low: millis(durations, low / n), high: millis(durations, high / n) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_sure_a_measure_is_comes_with_how_much_was_measured() {
        let mut durations = histogram();
        for n in 0..1000u64 {
            record(&mut durations, 1.0 + (n * 7919 % 1000) as f64 / 1000.0);
            if n == 6 {
                assert_eq!(between(&durations, 0.5), None, "too few");
            }
            if n == 99 {
                assert_eq!(between(&durations, 0.99), None, "too few for the rarest");
            }
        }
        let median = between(&durations, 0.5).unwrap();
        assert!(median.low < 1.5 && median.high > 1.5 && median.high - median.low < 0.08, "{median:?}");
        let rare = between(&durations, 0.99).unwrap();
        assert!(rare.low < 1.99 && rare.high > 1.985 && rare.high <= 2.01, "{rare:?}");
        let mut mean = Mean::default();
        for n in 0..400u32 {
            mean.add(Some(f64::from(n % 2)));
            if n < 3 {
                assert_eq!(mean.between(), None);
            }
        }
        let between = mean.between().unwrap();
        assert!((between.low - 0.451).abs() < 0.001 && (between.high - 0.549).abs() < 0.001, "{between:?}");
    }

    fn combination(pool_size: usize) -> Combination {
        Combination { strategy: "concurrent".into(), pool_size, interval: Duration::from_secs(1), cache: "ttl".into() }
    }

    fn cycle(stats: &CycleStats) -> Cycle<'_> {
        Cycle { stats, in_use: 1, lookups: (3, 4), staleness_ms: Some(5.0), cpu_percent: None, tmux_cpu_percent: None }
    }

    #[test]
    fn memory_is_fixed_and_the_newest_stays() {
        let mut history = History::default();
        let start = Instant::now();
        for n in 0..20_000u64 {
            let stats = CycleStats { duration_ms: 1.0 + (n % 7) as f64, ..CycleStats::default() };
            history.record(start + Duration::from_millis(250 * n), &combination((n % 100) as usize), &cycle(&stats));
        }
        assert_eq!(history.runs.len(), TUNE_ROWS);
        assert_eq!(history.points().len(), HISTORY_POINTS);
        assert_eq!(history.points().last().map(|p| p.cycle), Some(20_000));
    }

    #[test]
    fn a_change_marks_the_next_point_and_starts_a_row_of_its_own() {
        let mut history = History::default();
        let start = Instant::now();
        let stats = CycleStats { duration_ms: 4.0, ..CycleStats::default() };
        history.record(start, &combination(15), &cycle(&stats));
        history.mark("pool 20");
        history.record(start + Duration::from_secs(1), &combination(20), &cycle(&stats));
        assert_eq!(history.points()[1].mark.as_deref(), Some("pool 20"));
        let rows = history.tune(&combination(20));
        assert_eq!(rows.iter().map(|row| (row.pool_size, row.current)).collect::<Vec<_>>(), [(15, false), (20, true)]);
        assert_eq!(rows[1].staleness_ms, Some(505.0), "5 ms when published and half of the second until the next");
    }
}
