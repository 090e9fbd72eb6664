//! Writes what an engine publishes into the journal. Run by whoever owns the engine, never by one that is attached.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use jiff::Timestamp;
use tokio::{sync::watch, time::MissedTickBehavior};

use super::{Happened, Journal, Mark, Record};
use crate::{
    monitor::{Command, EngineId, EventKind, EventReader, Snapshot, WeakCommands},
    tmux::PaneId,
};

/// Time between two signs of life in the journal.
pub const ALIVE_EVERY: Duration = Duration::from_secs(60);

/// Writes every event of the engine of this process until the handle's engine ends. Snapshots may be missed: each carries
/// the last events. What an engine in the background publishes is passed over: it keeps its own.
///
/// A journal that cannot be written is told of once, in the engine's events and in the log; the watching goes on without
/// it, and it is tried again with every event.
pub async fn keep(mut snapshots: watch::Receiver<Arc<Snapshot>>, engine: WeakCommands, journal: Journal) {
    let mut keeper = Keeper::new(std::process::id());
    let mut writer = Writer { journal: Some(journal), engine, failed: false };
    let first = Arc::clone(&snapshots.borrow_and_update());
    writer.write(keeper.take(&first)).await;
    let mut alive = tokio::time::interval_at(tokio::time::Instant::now() + ALIVE_EVERY, ALIVE_EVERY);
    alive.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let records = tokio::select! {
            changed = snapshots.changed() => match changed {
                Ok(()) => {
                    let snapshot = Arc::clone(&snapshots.borrow_and_update());
                    keeper.take(&snapshot)
                }
                Err(_) => break,
            },
            _ = alive.tick() => keeper.alive(),
        };
        writer.write(records).await;
    }
    let last = Arc::clone(&snapshots.borrow());
    let mut records = keeper.take(&last);
    records.extend(keeper.stop());
    writer.write(records).await;
}

/// Finds out what is new in a snapshot.
#[derive(Debug)]
struct Keeper {
    own: u32,
    /// The engine that is kept; `None` while it is none of this process.
    engine: Option<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    server: String,
    engine: EngineId,
    events: EventReader,
    known: HashMap<PaneId, (String, String)>,
}

impl Keeper {
    fn new(own: u32) -> Self {
        Self { own, engine: None }
    }

    fn take(&mut self, snapshot: &Snapshot) -> Vec<Record> {
        let mut records = Vec::new();
        let ours = snapshot.engine.pid == self.own;
        if self.engine.as_ref().is_some_and(|kept| kept.engine != snapshot.engine.id()) {
            records.extend(self.stop());
        }
        if !ours {
            return records;
        }
        if self.engine.is_none() {
            let engine = snapshot.engine.id();
            let kept = Kept { server: snapshot.server.socket.clone(), engine, ..Kept::default() };
            records.push(self.mark(&kept, Mark::EngineStarted));
            self.engine = Some(kept);
        }
        let Some(kept) = &mut self.engine else { return records };
        let own = self.own;
        let record = |at, seq, what| Record { at, server: snapshot.server.socket.clone(), by: own, seq, what };
        let mut told_gone = HashSet::new();
        for event in kept.events.read(snapshot).events {
            if let EventKind::Gone { pane_id, .. } = &event.what {
                told_gone.insert(*pane_id);
            }
            // Whoever acts writes it down before the engine is told.
            if !matches!(event.what, EventKind::Acted(_)) {
                records.push(record(event.at, Some(event.seq), Happened::Event(event.what.clone())));
            }
        }
        let now: HashMap<PaneId, (String, String)> =
            snapshot.agents.iter().map(|a| (a.pane_id, (a.target.clone(), a.agent.clone()))).collect();
        // Agents can vanish without an event each, with their whole server; a time account must end for each.
        for (pane_id, (target, agent)) in std::mem::take(&mut kept.known) {
            if !now.contains_key(&pane_id) && !told_gone.contains(&pane_id) {
                let gone = EventKind::Gone { pane_id, target, agent };
                records.push(record(snapshot.timestamp, None, Happened::Event(gone)));
            }
        }
        kept.known = now;
        records
    }

    /// A sign of life. Nothing to account for, nothing to write: an engine over no agents leaves the disk alone.
    fn alive(&self) -> Vec<Record> {
        let kept = self.engine.as_ref().filter(|kept| !kept.known.is_empty());
        kept.map(|kept| self.mark(kept, Mark::EngineAlive)).into_iter().collect()
    }

    fn stop(&mut self) -> Option<Record> {
        let kept = self.engine.take()?;
        Some(self.mark(&kept, Mark::EngineStopped))
    }

    fn mark(&self, kept: &Kept, mark: Mark) -> Record {
        let what = Happened::Mark(mark);
        Record { at: Timestamp::now(), server: kept.server.clone(), by: self.own, seq: None, what }
    }
}

struct Writer {
    journal: Option<Journal>,
    /// The engine whose events are kept. Weak: it ends when nobody else holds it.
    engine: WeakCommands,
    failed: bool,
}

impl Writer {
    async fn write(&mut self, records: Vec<Record>) {
        if records.is_empty() {
            return;
        }
        let Some(mut journal) = self.journal.take() else { return };
        let written = tokio::task::spawn_blocking(move || {
            let result = records.iter().try_for_each(|record| journal.append(record));
            (journal, result)
        });
        let Ok((journal, result)) = written.await else { return };
        self.journal = Some(journal);
        match result {
            Ok(()) if self.failed => {
                self.failed = false;
                tracing::info!("the journal is written again");
            }
            Err(error) if !self.failed => {
                self.failed = true;
                tracing::warn!(%error, "events are not kept");
                if let Some(engine) = self.engine.upgrade() {
                    engine.try_send(Command::Problem(format!("events are not kept: {error}"))).ok();
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        app::act::{test_agent, test_snapshot},
        monitor::{Event, Handle, State},
    };

    fn snapshot(pid: u32, second: i64, agents: &[u32], seqs: std::ops::Range<u64>) -> Snapshot {
        let notice = |seq: u64| {
            let what = EventKind::Notice { text: seq.to_string(), problem: false };
            Event { seq, at: Timestamp::now(), what }
        };
        let mut snapshot = test_snapshot();
        (snapshot.engine.pid, snapshot.engine.started) = (pid, Timestamp::from_second(second).unwrap());
        snapshot.agents = agents.iter().map(|id| test_agent(*id, State::Idle)).collect();
        snapshot.events = Arc::new(seqs.map(notice).collect());
        snapshot
    }

    fn words(records: Vec<Record>) -> Vec<String> {
        let word = |record: &Record| match &record.what {
            Happened::Event(EventKind::Notice { text, .. }) => text.clone(),
            Happened::Event(EventKind::Gone { pane_id, .. }) => format!("gone {pane_id}"),
            Happened::Mark(mark) => format!("{mark:?}"),
            other => panic!("{other:?}"),
        };
        records.iter().map(word).collect()
    }

    #[test]
    fn each_event_is_written_once_and_only_of_the_own_engine() {
        let mut keeper = Keeper::new(7);
        let mut take = |snapshot: Snapshot| words(keeper.take(&snapshot));
        assert_eq!(take(snapshot(7, 1, &[1], 1..3)), ["EngineStarted", "1", "2"]);
        assert_eq!(take(snapshot(7, 1, &[1], 2..4)), ["3"]);
        assert!(take(snapshot(7, 1, &[1], 2..4)).is_empty());
        assert_eq!(take(snapshot(7, 1, &[], 2..4)), ["gone %1"]);
        assert_eq!(take(snapshot(9, 50, &[], 1..9)), ["EngineStopped"], "one in the background took over");
        assert!(take(snapshot(9, 50, &[], 1..10)).is_empty());
        assert_eq!(take(snapshot(7, 60, &[], 1..2)), ["EngineStarted", "1"]);
        assert_eq!(take(snapshot(7, 61, &[], 1..2)), ["EngineStopped", "EngineStarted", "1"], "started anew");
    }

    #[test]
    fn none_of_very_many_events_at_once_is_left_out() {
        let mut many = snapshot(7, 1, &[], 801..1001);
        many.backlog = snapshot(7, 1, &[], 1..801).events;
        let written = words(Keeper::new(7).take(&many));
        assert_eq!(written.len(), 1001);
        assert_eq!((written[1].as_str(), written[1000].as_str()), ("1", "1000"));
    }

    #[tokio::test]
    async fn the_journal_says_how_the_engine_ended() {
        let dir = tempfile::tempdir().unwrap();
        let (publish, snapshots) = watch::channel(Arc::new(snapshot(std::process::id(), 1, &[], 1..3)));
        let (handle, _requests) = Handle::new(snapshots, 1);
        let task = tokio::spawn(keep(handle.snapshots, handle.commands.downgrade(), Journal::new(dir.path())));
        let written = || crate::app::journal::read_since(dir.path(), Timestamp::MIN).unwrap().len();
        while written() < 3 {
            tokio::task::yield_now().await;
        }
        // A snapshot that brings nothing new must not end the writing.
        publish.send_replace(Arc::new(snapshot(std::process::id(), 1, &[], 1..3)));
        for _ in 0..50 {
            tokio::task::yield_now().await;
        }
        publish.send_replace(Arc::new(snapshot(std::process::id(), 1, &[], 1..5)));
        drop(publish);
        task.await.unwrap();
        let records = crate::app::journal::read_since(dir.path(), Timestamp::MIN).unwrap();
        assert_eq!(words(records), ["EngineStarted", "1", "2", "3", "4", "EngineStopped"]);
    }
}
