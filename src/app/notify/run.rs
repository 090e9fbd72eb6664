//! Follows an engine and tells of its changes. Run by whoever owns the engine, so that nothing is told twice.

use std::{sync::Arc, time::Instant};

use jiff::{Timestamp, tz::TimeZone};
use tokio::sync::watch;

use super::{Batcher, Rules, Ways};
use crate::{
    app::settings::{Loaded, Settings},
    monitor::Snapshot,
};

/// Tells of changes until the engine ends, as the settings in force say; `ways` makes the ways that they ask for. What an
/// engine in the background publishes is passed over: it tells itself.
pub async fn notify(
    mut snapshots: watch::Receiver<Arc<Snapshot>>,
    mut settings: watch::Receiver<Arc<Loaded>>,
    ways: impl Fn(&Settings) -> Ways,
) {
    loop {
        let enabled = |loaded: &Arc<Loaded>| loaded.settings.notifications.enabled;
        let on = tokio::select! {
            on = settings.wait_for(enabled) => on.is_ok(),
            () = ended(&mut snapshots) => false,
        };
        if !on || !while_enabled(&mut snapshots, &mut settings, &ways).await {
            return;
        }
    }
}

/// Tells of changes until the settings say no more of it. `false`: the engine has ended.
async fn while_enabled(
    snapshots: &mut watch::Receiver<Arc<Snapshot>>,
    settings: &mut watch::Receiver<Arc<Loaded>>,
    make: &impl Fn(&Settings) -> Ways,
) -> bool {
    let zone = TimeZone::system();
    let own = std::process::id();
    let mut loaded = Arc::clone(&settings.borrow_and_update());
    let (mut rules, mut ways) = (Rules::new(&loaded.settings.notifications), make(&loaded.settings));
    let mut batcher = Batcher::new(&snapshots.borrow_and_update());
    loop {
        let due = batcher.due();
        let changed = tokio::select! {
            changed = snapshots.changed() => changed.is_ok(),
            () = until(due) => true,
            () = reread(settings) => {
                loaded = Arc::clone(&settings.borrow_and_update());
                if !loaded.settings.notifications.enabled {
                    return true;
                }
                (rules, ways) = (Rules::new(&loaded.settings.notifications), make(&loaded.settings));
                continue;
            }
        };
        if !changed {
            return false;
        }
        let snapshot = Arc::clone(&snapshots.borrow_and_update());
        let now = Instant::now();
        if snapshot.engine.pid != own {
            batcher = Batcher::new(&snapshot);
            continue;
        }
        batcher.take(&snapshot, &rules, now);
        let notices = batcher.release(&snapshot, now);
        if !notices.is_empty() && !rules.is_quiet(Timestamp::now(), &zone) {
            tracing::info!(count = notices.len(), "notified");
            ways.tell(&notices).await;
        }
    }
}

async fn ended(snapshots: &mut watch::Receiver<Arc<Snapshot>>) {
    while snapshots.changed().await.is_ok() {}
}

/// Waits until the settings were read again; for ever, when nobody can any more.
async fn reread(settings: &mut watch::Receiver<Arc<Loaded>>) {
    if settings.changed().await.is_err() {
        std::future::pending().await
    }
}

async fn until(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due.into()).await,
        None => std::future::pending().await,
    }
}
