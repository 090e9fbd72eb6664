//! The last hour of the engine's work, half a minute a point.

use std::{
    collections::VecDeque,
    sync::Arc,
    time::{Duration, Instant},
};

use crate::monitor::meter::history::Cycle;
use crate::monitor::{HOUR_POINTS, HOUR_STEP, HourPoint};

const STEP: Duration = Duration::from_secs(HOUR_STEP);

/// Bytes of what was changed that one point keeps.
const MARK: usize = 60;

/// The last hour.
#[derive(Debug, Default)]
pub(crate) struct Hour {
    points: VecDeque<HourPoint>,
    /// The same, made when one is complete.
    shared: Arc<Vec<HourPoint>>,
    /// The one that is not complete, and when it began.
    now: Option<(Instant, Sum)>,
    count: u64,
}

/// What came together in one step.
#[derive(Debug, Default)]
struct Sum {
    point: HourPoint,
    /// Milliseconds of all cycles: whole, probe, captures, detection, snapshot.
    ms: [f64; 5],
    cpu: (f64, u32),
    tmux_cpu: (f64, u32),
}

impl Hour {
    /// A cycle has ended, before which this was changed.
    pub(crate) fn record(&mut self, now: Instant, cycle: &Cycle<'_>, mark: Option<&str>) {
        let (mut began, mut sum) = self.now.take().unwrap_or_else(|| (now, Sum::default()));
        // While the engine pauses or its machine sleeps nothing ends a step: those that passed are empty.
        let passed = now.saturating_duration_since(began).as_secs() / HOUR_STEP;
        if passed > 0 {
            let empty = (passed - 1).min(HOUR_POINTS as u64);
            self.push(std::mem::take(&mut sum));
            (0..empty).for_each(|_| self.push(Sum::default()));
            began += STEP * u32::try_from(passed).unwrap_or(u32::MAX);
            self.shared = Arc::new(self.points.iter().cloned().collect());
        }
        sum.add(cycle, mark);
        self.now = Some((began, sum));
    }

    fn push(&mut self, sum: Sum) {
        self.count += 1;
        if self.points.len() == HOUR_POINTS {
            self.points.pop_front();
        }
        self.points.push_back(sum.point(self.count));
    }

    /// All that are complete, oldest first.
    pub(crate) fn points(&self) -> Arc<Vec<HourPoint>> {
        Arc::clone(&self.shared)
    }
}

impl Sum {
    fn add(&mut self, cycle: &Cycle<'_>, mark: Option<&str>) {
        let stats = cycle.stats;
        let point = &mut self.point;
        point.cycles += 1;
        point.slowest_ms = point.slowest_ms.max(stats.duration_ms as f32);
        point.checked += stats.checked as u64;
        point.changed += stats.changed as u64;
        point.requests += stats.tmux_requests;
        point.in_use = point.in_use.max(cycle.in_use as u32);
        point.hits += cycle.lookups.0;
        point.lookups += cycle.lookups.1;
        let ms = [stats.duration_ms, stats.discover_ms, stats.fetch_ms, stats.detect_ms, stats.publish_ms];
        self.ms.iter_mut().zip(ms).for_each(|(sum, ms)| *sum += ms);
        for (sum, percent) in [(&mut self.cpu, cycle.cpu_percent), (&mut self.tmux_cpu, cycle.tmux_cpu_percent)] {
            if let Some(percent) = percent {
                *sum = (sum.0 + percent, sum.1 + 1);
            }
        }
        if let Some(mark) = mark {
            let before = point.mark.take().map(|before| before + ", ").unwrap_or_default();
            point.mark = Some((before + mark).chars().take(MARK).collect());
        }
    }

    fn point(self, n: u64) -> HourPoint {
        let cycles = self.point.cycles.max(1) as f64;
        let [duration_ms, discover_ms, fetch_ms, detect_ms, publish_ms] = self.ms.map(|ms| (ms / cycles) as f32);
        let mean = |(sum, count): (f64, u32)| (count > 0).then(|| (sum / f64::from(count)) as f32);
        let (cpu_percent, tmux_cpu_percent) = (mean(self.cpu), mean(self.tmux_cpu));
        HourPoint {
            n,
            duration_ms,
            discover_ms,
            fetch_ms,
            detect_ms,
            publish_ms,
            cpu_percent,
            tmux_cpu_percent,
            ..self.point
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::monitor::CycleStats;

    #[test]
    fn half_a_minute_is_a_point_and_what_nobody_worked_in_is_an_empty_one() {
        let (mut hour, start) = (Hour::default(), Instant::now());
        let cycle = |second: u64, ms: f64, mark: Option<&str>, hour: &mut Hour| {
            let stats = CycleStats { duration_ms: ms, fetch_ms: ms / 2.0, checked: 3, ..CycleStats::default() };
            let cpu_percent = (second == 10).then_some(0.5);
            let (in_use, lookups) = (1, (3, 4));
            let cycle =
                Cycle { stats: &stats, in_use, lookups, staleness_ms: None, cpu_percent, tmux_cpu_percent: None };
            hour.record(start + Duration::from_secs(second), &cycle, mark);
        };
        cycle(0, 2.0, None, &mut hour);
        cycle(10, 4.0, Some("pool 9"), &mut hour);
        cycle(29, 6.0, Some("cache lru"), &mut hour);
        assert!(hour.points().is_empty(), "it is not over");
        cycle(31, 8.0, None, &mut hour);
        // A pause over three of them.
        cycle(155, 1.0, None, &mut hour);
        let points = hour.points();
        let wanted = HourPoint {
            n: 1,
            cycles: 3,
            duration_ms: 4.0,
            slowest_ms: 6.0,
            fetch_ms: 2.0,
            checked: 9,
            in_use: 1,
            hits: 9,
            lookups: 12,
            cpu_percent: Some(0.5),
            mark: Some("pool 9, cache lru".to_owned()),
            ..HourPoint::default()
        };
        assert_eq!(points[0], wanted);
        assert_eq!(
            points.iter().map(|point| (point.n, point.cycles)).collect::<Vec<_>>(),
            [(1, 3), (2, 1), (3, 0), (4, 0), (5, 0)]
        );
        for second in (200..20_000).step_by(7) {
            cycle(second, 1.0, None, &mut hour);
        }
        let points = hour.points();
        assert_eq!(points.len(), HOUR_POINTS);
        assert!(points.windows(2).all(|two| two[0].n + 1 == two[1].n));
        cycle(1_000_000, 1.0, None, &mut hour);
        assert!(hour.points()[1..].iter().all(|point| point.cycles == 0), "a long sleep");
    }
}
