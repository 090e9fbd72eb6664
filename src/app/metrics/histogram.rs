//! Times sorted into buckets.

use serde::{Deserialize, Serialize};

/// Upper bounds of the buckets for answers, seconds: from "sat beside it" to "came back after lunch".
pub const ANSWERS: &[f64] = &[5.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0];

/// Upper bounds of the buckets for turns, seconds.
pub const TURNS: &[f64] = &[60.0, 300.0, 900.0, 3600.0];

/// How many times fell into each bucket, and their sum.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Histogram {
    /// Times of each bucket alone, the one above the last bound too. Shorter where nothing was so long yet.
    counts: Vec<u64>,
    sum: f64,
}

impl Histogram {
    /// Takes a time in, seconds. What is no time is passed over.
    pub fn take(&mut self, bounds: &[f64], seconds: f64) {
        if !seconds.is_finite() || seconds < 0.0 {
            return;
        }
        let bucket = bounds.iter().position(|bound| seconds <= *bound).unwrap_or(bounds.len());
        if self.counts.len() <= bucket {
            self.counts.resize(bucket + 1, 0);
        }
        self.counts[bucket] = self.counts[bucket].saturating_add(1);
        self.sum += seconds;
    }

    /// Takes in all of another with the same bounds.
    pub fn add(&mut self, other: &Self) {
        if self.counts.len() < other.counts.len() {
            self.counts.resize(other.counts.len(), 0);
        }
        for (count, more) in self.counts.iter_mut().zip(&other.counts) {
            *count = count.saturating_add(*more);
        }
        self.sum += other.sum;
    }

    /// How many times it holds.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.counts.iter().fold(0, |sum, count| sum.saturating_add(*count))
    }

    /// Their sum, seconds.
    #[must_use]
    pub fn sum(&self) -> f64 {
        self.sum
    }

    /// Times in each of the buckets of these bounds, the one above the last one too.
    #[must_use]
    pub fn buckets(&self, bounds: &[f64]) -> Vec<u64> {
        let mut counts = self.counts.clone();
        let above: u64 = counts.get(bounds.len()..).unwrap_or_default().iter().fold(0, |sum, n| sum.saturating_add(*n));
        counts.resize(bounds.len() + 1, 0);
        counts[bounds.len()] = above;
        counts
    }

    /// Whether it can have been made by this program.
    #[must_use]
    pub(super) fn is_sound(&self) -> bool {
        self.counts.len() <= ANSWERS.len() + 1 && self.sum.is_finite() && self.sum >= 0.0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_time_is_in_the_first_bucket_that_holds_it(times in prop::collection::vec(0.0_f64..10_000.0, 0..60)) {
            let (mut all, mut odd, mut even) = (Histogram::default(), Histogram::default(), Histogram::default());
            for (at, time) in times.iter().enumerate() {
                all.take(ANSWERS, *time);
                let half = if at % 2 == 0 { &mut even } else { &mut odd };
                half.take(ANSWERS, *time);
            }
            let buckets = all.buckets(ANSWERS);
            prop_assert_eq!(buckets.len(), ANSWERS.len() + 1);
            let mut up_to = 0;
            for (bound, count) in ANSWERS.iter().zip(&buckets) {
                up_to += count;
                prop_assert_eq!(up_to as usize, times.iter().filter(|time| *time <= bound).count());
            }
            prop_assert_eq!((all.count() as usize, buckets.iter().sum::<u64>()), (times.len(), all.count()));
            prop_assert!((all.sum() - times.iter().sum::<f64>()).abs() < 1e-6);
            // Two that are added are the one of all.
            even.add(&odd);
            prop_assert_eq!(even.buckets(ANSWERS), buckets);
            prop_assert!((even.sum() - all.sum()).abs() < 1e-6);
            prop_assert!(all.is_sound());
        }
    }

    #[test]
    fn what_is_no_time_is_passed_over_and_an_edge_is_inside() {
        let mut one = Histogram::default();
        for wrong in [f64::NAN, f64::INFINITY, -1.0] {
            one.take(ANSWERS, wrong);
        }
        assert_eq!((one.count(), one.sum()), (0, 0.0));
        one.take(ANSWERS, 5.0);
        one.take(ANSWERS, 1e9);
        assert_eq!(one.buckets(ANSWERS), [1, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
    }
}
