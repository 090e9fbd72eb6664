//! The measures of this moment, for every way out: the sums caught up with the journal, the newest snapshot beside them.

use std::{
    path::PathBuf,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use jiff::{SignedDuration, Timestamp};

use crate::app::metrics::counter::Counter;
use crate::app::metrics::family::Family;
use crate::app::metrics::measure::{Detail, Measured, families};
use crate::app::metrics::otlp::spans::{Span, Spans};
use crate::app::metrics::words::{self, Words};
use crate::monitor::{EnginePaths, Snapshot, Snapshots};

/// How often what was counted is written down.
const SAVE_EVERY: SignedDuration = SignedDuration::from_secs(60);

/// What the measures are made of. Cheap to clone: all share the same sums.
#[derive(Clone, Debug)]
pub(super) struct Measures(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    snapshots: Snapshots,
    detail: Detail,
    words: Mutex<Words>,
    /// How much of what was sent was lost; `None`: nothing is sent.
    dropped: Option<AtomicU64>,
    counting: Mutex<Counting>,
}

#[derive(Debug)]
struct Counting {
    counter: Counter,
    saved: Timestamp,
    /// A journal that cannot be read is told of once.
    failed: bool,
    /// With [`Detail::Agents`] and a collector: what happened since it was last sent.
    spans: Option<Spans>,
}

/// Where the sums are made of and kept.
#[derive(Clone, Debug)]
pub(crate) struct Kept {
    /// The journal's folder.
    pub(crate) events: PathBuf,
    /// The engine's files.
    pub(crate) engine: EnginePaths,
    /// The user's profiles.
    pub(crate) profiles: PathBuf,
}

/// All measures of a moment.
#[derive(Debug)]
pub(super) struct Now {
    /// The measures.
    pub(super) families: Vec<Family>,
    /// Since when the sums are sums.
    pub(super) since: Option<Timestamp>,
    /// Of when they are.
    pub(super) at: Timestamp,
    /// When the engine started: what it counts itself is since then.
    pub(super) started: Timestamp,
}

impl Measures {
    /// Goes on where the last one ended. Reads the journal: not for a thread that others wait for.
    pub(super) fn load(kept: &Kept, snapshots: Snapshots, detail: Detail, sent: bool, spans: bool) -> Self {
        let server = snapshots.borrow().server.socket.clone();
        let counter = Counter::load(kept.events.clone(), &kept.engine, &server);
        let spans = spans.then(|| Spans::new(Timestamp::now()));
        let counting = Counting { counter, saved: Timestamp::MIN, failed: false, spans };
        let words = Mutex::new(Words::load(Some(&kept.profiles)));
        let dropped = sent.then(AtomicU64::default);
        Self(Arc::new(Inner { snapshots, detail, words, dropped, counting: Mutex::new(counting) }))
    }

    /// Those of now.
    pub(super) async fn now(&self) -> Option<Now> {
        let inner = Arc::clone(&self.0);
        tokio::task::spawn_blocking(move || {
            let snapshot = inner.snapshots.borrow();
            let mut counting = inner.counting.lock().unwrap_or_else(PoisonError::into_inner);
            counting.catch_up(&snapshot);
            let totals = counting.counter.totals();
            let dropped = inner.dropped.as_ref().map(|dropped| dropped.load(Ordering::Relaxed));
            let measured = Measured { totals, snapshot: &snapshot, dropped };
            let words = inner.words.lock().unwrap_or_else(PoisonError::into_inner);
            let families = families(&[measured], inner.detail, &words);
            let (at, started) = (snapshot.timestamp, snapshot.engine.started);
            Now { families, since: totals.since, at, started }
        })
        .await
        .ok()
    }

    /// Takes in the user's profiles as they are now.
    pub(super) async fn read_profiles(&self, dir: PathBuf) {
        let inner = Arc::clone(&self.0);
        let read = tokio::task::spawn_blocking(move || {
            let fresh = Words::load(Some(&dir));
            *inner.words.lock().unwrap_or_else(PoisonError::into_inner) = fresh;
        });
        read.await.ok();
    }

    /// The spans that ended since the last call, and how many more did than are kept.
    pub(super) fn spans(&self) -> (Vec<Span>, u64) {
        let mut counting = self.0.counting.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut spans, lost) = counting.spans.as_mut().map(Spans::drain).unwrap_or_default();
        let words = self.0.words.lock().unwrap_or_else(PoisonError::into_inner);
        for span in &mut spans {
            span.agent = words.program(&span.agent).to_owned();
        }
        (spans, lost)
    }

    /// Counts what no collector took.
    pub(super) fn dropped(&self, count: u64) {
        if let Some(dropped) = &self.0.dropped {
            dropped.fetch_add(count, Ordering::Relaxed);
        }
    }

    /// What the server is called in the measures.
    pub(super) fn server(&self) -> String {
        words::server(self.0.snapshots.borrow().server.name())
    }

    /// Writes down how far all is counted.
    pub(super) async fn save(&self) {
        let inner = Arc::clone(&self.0);
        let saved = tokio::task::spawn_blocking(move || {
            let mut counting = inner.counting.lock().unwrap_or_else(PoisonError::into_inner);
            counting.catch_up(&inner.snapshots.borrow());
            counting.save();
        });
        saved.await.ok();
    }
}

impl Counting {
    fn catch_up(&mut self, snapshot: &Snapshot) {
        let Self { counter, spans, .. } = self;
        // An engine whose server does not answer sees nothing.
        let alive = Some((snapshot.engine.pid, snapshot.timestamp));
        let words = &mut |record: &_| {
            if let Some(spans) = spans {
                spans.take(record);
            }
        };
        match counter.catch_up(alive, words) {
            Ok(()) => self.failed = false,
            Err(error) if !self.failed => {
                self.failed = true;
                tracing::warn!(%error, "the measures stay as they are: the journal cannot be read");
            }
            Err(_) => {}
        }
        if snapshot.timestamp.duration_since(self.saved) >= SAVE_EVERY {
            self.saved = snapshot.timestamp;
            self.save();
        }
    }

    fn save(&self) {
        if let Err(error) = self.counter.save() {
            tracing::warn!(%error, "how far the journal was counted cannot be written down");
        }
    }
}
