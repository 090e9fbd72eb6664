//! Percentiles of what took how long, over a sliding window of a fixed size in memory.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use hdrhistogram::Histogram;

/// The percentiles' window: this many segments of [`SEGMENT`] each.
const SEGMENTS: usize = 10;
const SEGMENT: Duration = Duration::from_secs(60);

/// Longest duration that is counted as itself, microseconds.
const LONGEST_US: u64 = 120_000_000;

/// Durations of cycles over the last ten minutes.
#[derive(Debug)]
pub struct Window {
    segments: VecDeque<(Instant, Histogram<u64>)>,
    cached: Option<(Instant, Percentiles)>,
}

/// Percentiles in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Percentiles {
    /// Median.
    pub p50: f64,
    /// 95th.
    pub p95: f64,
    /// 99th.
    pub p99: f64,
    /// Longest.
    pub max: f64,
}

/// An empty histogram of durations.
pub(crate) fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, LONGEST_US, 2).expect("constant bounds are valid")
}

/// Adds a duration.
pub(crate) fn record(histogram: &mut Histogram<u64>, duration_ms: f64) {
    histogram.saturating_record(((duration_ms * 1000.0).round() as u64).clamp(1, LONGEST_US));
}

/// The duration below which this part lies, 0 to 1.
pub(crate) fn millis(histogram: &Histogram<u64>, quantile: f64) -> f64 {
    histogram.value_at_quantile(quantile) as f64 / 1000.0
}

impl Default for Window {
    fn default() -> Self {
        Self { segments: VecDeque::with_capacity(SEGMENTS + 1), cached: None }
    }
}

impl Window {
    /// Adds one cycle's duration.
    pub fn record(&mut self, now: Instant, duration_ms: f64) {
        if self.segments.back().is_none_or(|(began, _)| now.duration_since(*began) >= SEGMENT) {
            self.segments.push_back((now, histogram()));
            if self.segments.len() > SEGMENTS {
                self.segments.pop_front();
            }
        }
        if let Some((_, current)) = self.segments.back_mut() {
            record(current, duration_ms);
        }
    }

    /// The percentiles, at most a second old. `None` before the first cycle.
    pub fn percentiles(&mut self, now: Instant) -> Option<Percentiles> {
        if let Some((at, percentiles)) = self.cached
            && now.duration_since(at) < Duration::from_secs(1)
        {
            return Some(percentiles);
        }
        let mut whole: Option<Histogram<u64>> = None;
        for (began, segment) in &self.segments {
            if now.duration_since(*began) > SEGMENT * (SEGMENTS as u32 + 1) {
                continue;
            }
            match &mut whole {
                None => whole = Some(segment.clone()),
                Some(sum) => sum.add(segment).ok()?,
            }
        }
        let whole = whole?;
        let percentiles = Percentiles {
            p50: millis(&whole, 0.50),
            p95: millis(&whole, 0.95),
            p99: millis(&whole, 0.99),
            max: whole.max() as f64 / 1000.0,
        };
        self.cached = Some((now, percentiles));
        Some(percentiles)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_those_of_the_last_minutes_only() {
        let start = Instant::now();
        let mut window = Window::default();
        for second in 0..60 {
            window.record(start + Duration::from_secs(second), 900.0);
        }
        for second in 60..1200 {
            window.record(start + Duration::from_secs(second), 2.0);
        }
        let percentiles = window.percentiles(start + Duration::from_secs(1200)).unwrap();
        assert!((percentiles.p50 - 2.0).abs() < 0.1, "{percentiles:?}");
        assert!(percentiles.max < 3.0, "the slow first minute is out of the window: {percentiles:?}");
    }
}
