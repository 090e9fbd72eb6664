//! The cache: four moka layers, each with a job that saves work, and true statistics.
//!
//! - `pane_content`: a captured screen, good while its pane is provably unchanged: saves the capture.
//! - `agent_status`: the verdict for a screen and the facts beside it: saves the detection.
//! - `session_info`: the panes' names and places: saves the expensive list of all fields.
//! - `config`: the compiled agent profiles: saves reading and compiling them.

use std::{
    hash::Hash,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use moka::{future::Cache, notification::RemovalCause, policy::EvictionPolicy};

use crate::monitor::detect::{Profiles, Verdict};
use crate::monitor::snapshot::settings::{CachePolicy, CacheSettings};
use crate::monitor::{CacheInfo, LayerInfo};
use crate::tmux::{PaneId, Pulse, Screen};

/// Under `lru` and `lfu` use keeps an entry alive; this many times the TTL is the limit all the same, so that what the
/// invalidation should ever miss is found in the end.
const SAFETY_FACTOR: u32 = 10;

/// One layer: a moka cache and its counters. With the cache off it holds nothing and every lookup is a miss.
pub struct Layer<K, V> {
    cache: Option<Cache<K, V>>,
    capacity: u64,
    counters: Arc<Counters>,
}

#[derive(Debug, Default)]
struct Counters {
    hits: AtomicU64,
    misses: AtomicU64,
    evictions: AtomicU64,
    expirations: AtomicU64,
}

impl<K, V> Layer<K, V>
where
    K: Hash + Eq + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    fn new(settings: &CacheSettings, ttl: Duration, counters: Arc<Counters>) -> Self {
        let cache = settings.enabled.then(|| {
            let counted = Arc::clone(&counters);
            let builder = Cache::builder().max_capacity(settings.max_size).eviction_listener(move |_, _, cause| {
                match cause {
                    RemovalCause::Expired => counted.expirations.fetch_add(1, Ordering::Relaxed),
                    RemovalCause::Size => counted.evictions.fetch_add(1, Ordering::Relaxed),
                    RemovalCause::Explicit | RemovalCause::Replaced => 0,
                };
            });
            match settings.policy {
                CachePolicy::Ttl => builder.time_to_live(ttl).eviction_policy(EvictionPolicy::lru()),
                CachePolicy::Lru => {
                    builder.time_to_idle(ttl).time_to_live(ttl * SAFETY_FACTOR).eviction_policy(EvictionPolicy::lru())
                }
                CachePolicy::Lfu => builder
                    .time_to_idle(ttl)
                    .time_to_live(ttl * SAFETY_FACTOR)
                    .eviction_policy(EvictionPolicy::tiny_lfu()),
            }
            .build()
        });
        Self { cache, capacity: settings.max_size, counters }
    }

    /// The entry, if there is one that `good` accepts. Counts a hit or a miss.
    pub async fn get(&self, key: &K, good: impl FnOnce(&V) -> bool) -> Option<V> {
        let found = match &self.cache {
            Some(cache) => cache.get(key).await.filter(good),
            None => None,
        };
        self.count(found.is_some());
        found
    }

    /// The entry, or what `compute` makes of it. Two who miss the same key compute it once. Counts a hit or a miss.
    pub async fn get_or(&self, key: K, compute: impl Future<Output = V>) -> V {
        let Some(cache) = &self.cache else {
            self.count(false);
            return compute.await;
        };
        let mut computed = false;
        let value = cache
            .get_with(key, async {
                computed = true;
                compute.await
            })
            .await;
        self.count(!computed);
        value
    }

    /// Keeps an entry.
    pub async fn put(&self, key: K, value: V) {
        if let Some(cache) = &self.cache {
            cache.insert(key, value).await;
        }
    }

    /// Drops an entry.
    pub async fn drop_entry(&self, key: &K) {
        if let Some(cache) = &self.cache {
            cache.invalidate(key).await;
        }
    }

    fn count(&self, hit: bool) {
        let counter = if hit { &self.counters.hits } else { &self.counters.misses };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// Lets moka do what it puts off, so that size, evictions and expirations are true.
    pub async fn settle(&self) {
        if let Some(cache) = &self.cache {
            cache.run_pending_tasks().await;
        }
    }

    /// The statistics since the start.
    #[must_use]
    pub fn info(&self) -> LayerInfo {
        let hits = self.counters.hits.load(Ordering::Relaxed);
        let misses = self.counters.misses.load(Ordering::Relaxed);
        let lookups = hits + misses;
        LayerInfo {
            hits,
            misses,
            evictions: self.counters.evictions.load(Ordering::Relaxed),
            expirations: self.counters.expirations.load(Ordering::Relaxed),
            size: self.cache.as_ref().map_or(0, Cache::entry_count),
            capacity: self.capacity,
            hit_rate: (lookups > 0).then(|| hits as f64 / lookups as f64),
        }
    }
}

/// What differs between one content of a pane and another: if any of it differs, the pane may have changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    activity: i64,
    pid: u32,
    width: u16,
    height: u16,
    dead: bool,
}

impl From<&Pulse> for Stamp {
    fn from(pulse: &Pulse) -> Self {
        Self { activity: pulse.activity, pid: pulse.pid, width: pulse.width, height: pulse.height, dead: pulse.dead }
    }
}

/// A captured screen with what proves that it is still right.
#[derive(Clone, Debug)]
pub struct Captured {
    /// The screen.
    pub screen: Arc<Screen>,
    /// The pane's stamp in the probe before the capture.
    pub stamp: Stamp,
    /// The capture began after the second of the pane's last output: nothing can have been written in that second
    /// afterwards. Only then does an equal stamp prove that nothing changed.
    pub settled: bool,
    /// It has its colours.
    pub coloured: bool,
}

impl Captured {
    /// Whether the pane still shows this for certain.
    #[must_use]
    pub fn holds_for(&self, stamp: Stamp) -> bool {
        self.settled && self.stamp == stamp
    }
}

/// The four layers.
pub struct Layers {
    /// Captured screens by pane.
    pub pane_content: Layer<PaneId, Captured>,
    /// Verdicts by the hash of all that they were made from.
    pub agent_status: Layer<u64, Option<Arc<Verdict>>>,
    /// That the panes' names and places are as they were read: they lie with each pane.
    pub session_info: Layer<(), ()>,
    /// Compiled profiles.
    pub config: Layer<(), Arc<Profiles>>,
    /// How often they were emptied.
    generation: u64,
}

/// Names can change without a sign: the topology is read anew at least this often.
const TOPOLOGY_TTL: Duration = Duration::from_secs(5);

impl Layers {
    /// Empty layers.
    #[must_use]
    pub fn new(settings: &CacheSettings) -> Self {
        Self::with_counters(settings, std::array::from_fn(|_| Arc::default()), 0)
    }

    fn with_counters(settings: &CacheSettings, counters: [Arc<Counters>; 4], generation: u64) -> Self {
        let [content, status, sessions, config] = counters;
        let ttl = settings.ttl;
        Self {
            pane_content: Layer::new(settings, ttl, content),
            agent_status: Layer::new(settings, ttl, status),
            session_info: Layer::new(settings, ttl.min(TOPOLOGY_TTL), sessions),
            config: Layer::new(settings, ttl * SAFETY_FACTOR, config),
            generation,
        }
    }

    /// Empties the layers and puts other settings in force; the counters go on.
    pub fn reset(&mut self, settings: &CacheSettings) {
        let counters = [
            Arc::clone(&self.pane_content.counters),
            Arc::clone(&self.agent_status.counters),
            Arc::clone(&self.session_info.counters),
            Arc::clone(&self.config.counters),
        ];
        *self = Self::with_counters(settings, counters, self.generation + 1);
    }

    /// Another one: what was read before counts no more.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// Lets moka do what it puts off in all layers.
    pub async fn settle(&self) {
        self.pane_content.settle().await;
        self.agent_status.settle().await;
        self.session_info.settle().await;
        self.config.settle().await;
    }

    /// The statistics of all layers.
    #[must_use]
    pub fn info(&self) -> CacheInfo {
        CacheInfo {
            pane_content: self.pane_content.info(),
            agent_status: self.agent_status.info(),
            session_info: self.session_info.info(),
            config: self.config.info(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use super::*;

    fn settings(policy: CachePolicy, max_size: u64) -> CacheSettings {
        CacheSettings { policy, max_size, ..CacheSettings::default() }
    }

    fn layer(policy: CachePolicy, max_size: u64, ttl: Duration) -> Layer<u32, u32> {
        Layer::new(&settings(policy, max_size), ttl, Arc::default())
    }

    async fn fill(layer: &Layer<u32, u32>, keys: std::ops::Range<u32>) {
        for key in keys {
            layer.put(key, key).await;
            layer.settle().await;
        }
    }

    /// Uses an entry until it is gone or the time is over; says for how long it was there.
    async fn use_until_gone(layer: &Layer<u32, u32>, limit: Duration) -> Duration {
        let start = std::time::Instant::now();
        while start.elapsed() < limit && layer.get(&1, |_| true).await.is_some() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        start.elapsed()
    }

    #[tokio::test]
    async fn under_ttl_use_does_not_lengthen_a_life_and_under_lru_it_does() {
        // Long enough that a busy machine does not pause for as long between two uses.
        let ttl = Duration::from_secs(1);
        let lives = async |policy| {
            let layer = layer(policy, 10, ttl);
            layer.put(1, 1).await;
            use_until_gone(&layer, ttl * 2).await >= ttl * 2
        };
        let lives = tokio::join!(lives(CachePolicy::Ttl), lives(CachePolicy::Lru), lives(CachePolicy::Lfu));
        assert_eq!(lives, (false, true, true));
    }

    #[tokio::test]
    async fn an_expired_entry_is_a_miss_and_counted() {
        let layer = layer(CachePolicy::Ttl, 10, Duration::from_millis(20));
        layer.put(1, 1).await;
        assert_eq!(layer.get(&1, |_| true).await, Some(1));
        tokio::time::sleep(Duration::from_millis(30)).await;
        assert_eq!(layer.get(&1, |_| true).await, None);
        layer.settle().await;
        let info = layer.info();
        assert_eq!((info.hits, info.misses, info.expirations, info.size), (1, 1, 1, 0));
        assert_eq!(info.hit_rate, Some(0.5));
    }

    #[tokio::test]
    async fn what_goes_first_when_it_is_full_is_the_policys_choice() {
        let ttl = Duration::from_secs(60);
        // Key 0 is used often and long ago, then 1 and 2 once each and lately.
        let survivors = async |policy| {
            let layer = layer(policy, 3, ttl);
            fill(&layer, 0..3).await;
            for _ in 0..20 {
                layer.get(&0, |_| true).await;
            }
            layer.settle().await;
            for key in [1, 2] {
                layer.get(&key, |_| true).await;
            }
            layer.settle().await;
            fill(&layer, 3..6).await;
            assert_eq!(layer.info().size, 3, "{policy}");
            assert_eq!(layer.info().evictions, 3, "{policy}");
            layer.get(&0, |_| true).await.is_some()
        };
        assert!(!survivors(CachePolicy::Lru).await, "lru: the least recently used is gone, however often it was used");
        assert!(survivors(CachePolicy::Lfu).await, "lfu: what was used often stays");
    }

    #[tokio::test]
    async fn two_who_miss_the_same_key_compute_it_once() {
        let layer = layer(CachePolicy::Ttl, 10, Duration::from_secs(60));
        let computed = AtomicUsize::new(0);
        let compute = || async {
            computed.fetch_add(1, Ordering::Relaxed);
            tokio::time::sleep(Duration::from_millis(20)).await;
            7
        };
        let (a, b) = tokio::join!(layer.get_or(1, compute()), layer.get_or(1, compute()));
        assert_eq!((a, b, computed.load(Ordering::Relaxed)), (7, 7, 1));
        assert_eq!((layer.info().hits, layer.info().misses), (1, 1));
    }

    #[tokio::test]
    async fn a_cache_that_is_off_holds_nothing_and_every_lookup_is_a_miss() {
        let off = CacheSettings { enabled: false, ..CacheSettings::default() };
        let layer: Layer<u32, u32> = Layer::new(&off, Duration::from_secs(60), Arc::default());
        layer.put(1, 1).await;
        assert_eq!(layer.get(&1, |_| true).await, None);
        assert_eq!(layer.get_or(1, async { 5 }).await, 5);
        let info = layer.info();
        assert_eq!((info.hits, info.misses, info.size), (0, 2, 0));
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn counters_add_up_under_concurrency() {
        let layer = Arc::new(layer(CachePolicy::Ttl, 100, Duration::from_secs(60)));
        let tasks: Vec<_> = (0..8)
            .map(|task| {
                let layer = Arc::clone(&layer);
                tokio::spawn(async move {
                    for n in 0..500 {
                        layer.get_or((task * 7 + n) % 50, async { n }).await;
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        let info = layer.info();
        assert_eq!(info.hits + info.misses, 4000);
        assert_eq!(info.misses, 50, "each key was computed once");
    }

    #[test]
    fn only_a_settled_capture_of_the_same_stamp_proves_anything() {
        let pulse =
            Pulse { id: PaneId(1), activity: 9, pid: 5, width: 80, height: 24, dead: false, ..Pulse::default() };
        let captured = Captured { screen: Arc::default(), stamp: Stamp::from(&pulse), settled: true, coloured: false };
        assert!(captured.holds_for(Stamp::from(&pulse)));
        assert!(!Captured { settled: false, ..captured.clone() }.holds_for(Stamp::from(&pulse)));
        for other in [
            Pulse { activity: 10, ..pulse.clone() },
            Pulse { activity: 8, ..pulse.clone() },
            Pulse { pid: 6, ..pulse.clone() },
            Pulse { width: 81, ..pulse.clone() },
            Pulse { height: 25, ..pulse.clone() },
            Pulse { dead: true, ..pulse.clone() },
        ] {
            assert!(!captured.holds_for(Stamp::from(&other)), "{other:?}");
        }
    }
}
