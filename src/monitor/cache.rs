//! The cache: four moka layers, each with a job that saves work, and true statistics.
//!
//! - `pane_content`: a captured screen, good while its pane is provably unchanged: saves the capture.
//! - `agent_status`: the verdict for a screen and the facts beside it: saves the detection.
//! - `session_info`: the panes' names and places: saves the dear list of all fields.
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

use super::{
    CacheInfo, LayerInfo,
    detect::{Profiles, Verdict},
    settings::{CachePolicy, CacheSettings},
};
use crate::tmux::{Pane, PaneId, Pulse, Screen};

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

/// What tells one content of a pane from another: if any of it differs, the pane may have changed.
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
    /// All panes with all fields.
    pub session_info: Layer<(), Arc<Vec<Pane>>>,
    /// Compiled profiles.
    pub config: Layer<(), Arc<Profiles>>,
}

/// Names can change without a sign: the topology is read anew at least this often.
const TOPOLOGY_TTL: Duration = Duration::from_secs(5);

impl Layers {
    /// Empty layers.
    #[must_use]
    pub fn new(settings: &CacheSettings) -> Self {
        Self::with_counters(settings, std::array::from_fn(|_| Arc::default()))
    }

    fn with_counters(settings: &CacheSettings, counters: [Arc<Counters>; 4]) -> Self {
        let [content, status, sessions, config] = counters;
        let ttl = settings.ttl;
        Self {
            pane_content: Layer::new(settings, ttl, content),
            agent_status: Layer::new(settings, ttl, status),
            session_info: Layer::new(settings, ttl.min(TOPOLOGY_TTL), sessions),
            config: Layer::new(settings, ttl * SAFETY_FACTOR, config),
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
        *self = Self::with_counters(settings, counters);
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
