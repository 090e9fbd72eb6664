//! What the cycles did and what they cost: the history, the percentages, errors, hits of the cache.

use std::time::Instant;

use crate::monitor::meter::cost::CostMeter;
use crate::monitor::meter::history::{Combination, Cycle, History};
use crate::monitor::{CacheInfo, CostInfo, CycleStats};

/// The ledger of all cycles since the start.
#[derive(Debug, Default)]
pub struct Ledger {
    /// Points, percentiles, and what each combination of settings cost.
    pub history: History,
    cost: CostMeter,
    errors: u64,
    /// Lookups in the cache that hit, and all, until the last cycle.
    lookups: (u64, u64),
    peak: usize,
    publish_ms: f64,
}

/// What is put down of one cycle.
#[derive(Clone, Copy, Debug)]
pub struct CycleFacts<'a> {
    /// What it did.
    pub stats: &'a CycleStats,
    /// Pid of the tmux server, if it is known.
    pub server: Option<u32>,
    /// Most connections in use at once.
    pub in_use: usize,
    /// The cache after it.
    pub cache: &'a CacheInfo,
    /// Mean age of the verdicts, milliseconds.
    pub staleness_ms: Option<f64>,
}

impl Ledger {
    /// A cycle ended that ran under these settings.
    pub fn enter(&mut self, now: Instant, combination: &Combination, facts: CycleFacts<'_>) {
        // The first cycle under other settings ends what the ones before cost.
        let sampled = if self.history.ran_last(combination) {
            self.cost.sample(now, facts.server)
        } else {
            self.cost.begin(now, facts.server);
            false
        };
        let cost = self.cost.info();
        let cache = facts.cache;
        let layers = [&cache.pane_content, &cache.agent_status, &cache.session_info, &cache.config];
        let hits: u64 = layers.iter().map(|layer| layer.hits).sum();
        let lookups: u64 = hits + layers.iter().map(|layer| layer.misses).sum::<u64>();
        let before = std::mem::replace(&mut self.lookups, (hits, lookups));
        self.peak = facts.in_use;
        let cycle = Cycle {
            stats: facts.stats,
            in_use: facts.in_use,
            lookups: (hits.saturating_sub(before.0), lookups.saturating_sub(before.1)),
            staleness_ms: facts.staleness_ms,
            cpu_percent: cost.cpu_percent.filter(|_| sampled),
            tmux_cpu_percent: cost.tmux_cpu_percent.filter(|_| sampled),
        };
        self.history.record(now, combination, &cycle);
    }

    /// So many checks failed.
    pub fn failed(&mut self, checks: usize) {
        self.errors += checks as u64;
    }

    /// Checks that failed since the start.
    #[must_use]
    pub fn errors(&self) -> u64 {
        self.errors
    }

    /// A snapshot was made and published in this time.
    pub fn published(&mut self, milliseconds: f64) {
        self.publish_ms = milliseconds;
    }

    /// How long the last snapshot took, milliseconds.
    #[must_use]
    pub fn publish_ms(&self) -> f64 {
        self.publish_ms
    }

    /// What the watching costs, as it was sampled last.
    #[must_use]
    pub fn cost(&self) -> CostInfo {
        self.cost.info()
    }

    /// Most connections in use at once during the last cycle.
    #[must_use]
    pub fn peak(&self) -> usize {
        self.peak
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::monitor::LayerInfo;

    fn cache(hits: u64, misses: u64) -> CacheInfo {
        CacheInfo { pane_content: LayerInfo { hits, misses, ..LayerInfo::default() }, ..CacheInfo::default() }
    }

    #[test]
    fn a_point_of_the_history_has_the_lookups_of_its_own_cycle() {
        let (mut ledger, now) = (Ledger::default(), Instant::now());
        let combination = Combination {
            strategy: "adaptive".into(),
            pool_size: 4,
            interval: Duration::from_secs(1),
            cache: "ttl".into(),
        };
        let stats = CycleStats::default();
        for (cache, in_use) in [(cache(0, 10), 3), (cache(9, 11), 2), (cache(9, 11), 1)] {
            let facts = CycleFacts { stats: &stats, server: None, in_use, cache: &cache, staleness_ms: None };
            ledger.enter(now, &combination, facts);
        }
        let points = ledger.history.points();
        let rates: Vec<_> = points.iter().map(|point| (point.hit_rate, point.in_use)).collect();
        assert_eq!(rates, [(Some(0.0), 3), (Some(0.9), 2), (None, 1)]);
        assert_eq!(ledger.peak(), 1, "of the last cycle");
    }
}
