//! Follows an engine and tells of its changes. Run by whoever owns the engine, so that nothing is told twice.

use std::{sync::Arc, time::Instant};

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use tokio::sync::watch;

use crate::app::notify::{Batcher, Rules, Telling, Ways};
use crate::{
    app::settings::{Loaded, Settings},
    monitor::{EngineId, Keeper, Snapshots},
};

/// What happened so shortly before the one who tells went was held back by it: see [`crate::app::notify::SETTLE`].
const UNTOLD: SignedDuration = SignedDuration::from_millis(1200);

/// Tells of changes until the engine ends, as the settings in force say; `ways` makes the ways that they ask for. What an
/// engine in the background publishes is passed over: it tells itself. Of several processes that watch one server from
/// inside, the keeper tells.
pub async fn notify(
    mut snapshots: Snapshots,
    mut settings: watch::Receiver<Arc<Loaded>>,
    ways: impl Fn(&Settings) -> Ways,
    keeper: Keeper,
) {
    let mut telling = Telling::default();
    let enabled = |loaded: &Arc<Loaded>| loaded.settings.notifications.enabled;
    // What was so before notices were turned on is no news then.
    let mut since = enabled(&settings.borrow()).then_some(Timestamp::MIN);
    loop {
        let on = tokio::select! {
            on = settings.wait_for(enabled) => on.is_ok(),
            () = ended(&mut snapshots) => false,
        };
        let from = since.take().unwrap_or_else(Timestamp::now);
        if !on || !while_enabled(&mut snapshots, &mut settings, &ways, &keeper, from, &mut telling).await {
            break;
        }
    }
    telling.end().await;
}

/// Tells of changes until the settings say no more of it. `false`: the engine has ended.
async fn while_enabled(
    snapshots: &mut Snapshots,
    settings: &mut watch::Receiver<Arc<Loaded>>,
    make: &impl Fn(&Settings) -> Ways,
    keeper: &Keeper,
    since: Timestamp,
    telling: &mut Telling,
) -> bool {
    let zone = TimeZone::system();
    let own = std::process::id();
    let mut loaded = Arc::clone(&settings.borrow_and_update());
    let (mut rules, mut ways) = (Rules::new(&loaded.settings.notifications), Arc::new(make(&loaded.settings)));
    // The engine that is followed, and what is held back of it.
    let mut following: Option<(EngineId, Batcher)> = None;
    loop {
        let snapshot = snapshots.borrow_and_update();
        let now = Instant::now();
        let engine = snapshot.engine.id();
        let from = if engine.pid == own { keeper.keeps_from() } else { None };
        match from {
            None => following = None,
            Some(from) => {
                let same = following.take().filter(|(known, _)| engine == *known);
                let mut batcher = same.map_or_else(
                    // What the one before had not yet told when it went is told now.
                    || Batcher::from(&snapshot, since.max(from.checked_sub(UNTOLD).unwrap_or(Timestamp::MIN))),
                    |(_, batcher)| batcher,
                );
                batcher.take(&snapshot, &rules, now);
                let notices = batcher.release(&snapshot, &rules, now, rules.quiet_for(Timestamp::now(), &zone));
                if !notices.is_empty() {
                    tracing::info!(count = notices.len(), "notified");
                    telling.tell(&ways, notices);
                }
                following = Some((engine, batcher));
            }
        }
        let due = following.as_ref().and_then(|(_, batcher)| batcher.due());
        tokio::select! {
            changed = snapshots.changed() => if changed.is_err() {
                return false;
            },
            () = until(due) => {}
            () = reread(settings) => {
                loaded = Arc::clone(&settings.borrow_and_update());
                if !loaded.settings.notifications.enabled {
                    return true;
                }
                (rules, ways) = (Rules::new(&loaded.settings.notifications), Arc::new(make(&loaded.settings)));
            }
        }
    }
}

async fn ended(snapshots: &mut Snapshots) {
    while snapshots.changed().await.is_ok() {}
}

/// Waits until the settings were read again; for ever, when nobody can any more.
pub(super) async fn reread(settings: &mut watch::Receiver<Arc<Loaded>>) {
    if settings.changed().await.is_err() {
        std::future::pending().await
    }
}

pub(super) async fn until(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due.into()).await,
        None => std::future::pending().await,
    }
}
