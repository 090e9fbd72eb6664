//! Follows an engine and tells of its changes. Run by whoever owns the engine, so that nothing is told twice.

use std::{sync::Arc, time::Instant};

use jiff::{Timestamp, tz::TimeZone};
use tokio::sync::watch;

use super::{Batcher, Rules, Ways};
use crate::monitor::Snapshot;

/// Tells of changes until the engine ends. What an engine in the background publishes is passed over: it tells itself.
pub async fn notify(mut snapshots: watch::Receiver<Arc<Snapshot>>, rules: Rules, ways: Ways) {
    let zone = TimeZone::system();
    let own = std::process::id();
    let mut batcher = Batcher::new(&snapshots.borrow_and_update());
    let mut known = (0, 0.0);
    loop {
        let due = batcher.due();
        let changed = tokio::select! {
            changed = snapshots.changed() => changed.is_ok(),
            () = until(due) => true,
        };
        if !changed {
            return;
        }
        let snapshot = Arc::clone(&snapshots.borrow_and_update());
        let now = Instant::now();
        let engine = (snapshot.engine.pid, snapshot.engine.uptime);
        if engine.0 != own || engine.0 != known.0 || engine.1 < known.1 {
            // Another engine than before: what it knows already is not news.
            batcher = Batcher::new(&snapshot);
            known = engine;
            continue;
        }
        known = engine;
        batcher.take(&snapshot, &rules, now);
        let notices = batcher.release(&snapshot, now);
        if !notices.is_empty() && !rules.is_quiet(Timestamp::now(), &zone) {
            tracing::info!(count = notices.len(), "notified");
            ways.tell(&notices).await;
        }
    }
}

async fn until(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due.into()).await,
        None => std::future::pending().await,
    }
}
