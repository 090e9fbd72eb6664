//! Which events of a snapshot are new to a reader.

use jiff::Timestamp;

use crate::monitor::snapshot::Snapshot;
use crate::monitor::snapshot::engine::EngineId;
use crate::monitor::snapshot::event::Event;

/// How far a reader has come in the events of whichever engine its snapshots are of.
#[derive(Clone, Debug, Default)]
pub struct EventReader {
    engine: Option<EngineId>,
    seq: u64,
}

/// What a snapshot brings to a reader.
#[derive(Debug)]
pub struct News<'a> {
    /// It is of another engine than the one before: all that it holds happened before the reader came to it.
    pub another: bool,
    /// Events that the reader has not seen, oldest first; of another engine, all that there are.
    pub events: Vec<&'a Event>,
    /// Events that it will not see any more: so many came at once, or so long it did not look.
    pub missed: u64,
}

impl EventReader {
    /// A reader that knows all of this snapshot.
    #[must_use]
    pub fn after(snapshot: &Snapshot) -> Self {
        let mut reader = Self::default();
        reader.read(snapshot);
        reader
    }

    /// A reader of this snapshot's engine that knows what happened before `at`.
    #[must_use]
    pub fn from(snapshot: &Snapshot, at: Timestamp) -> Self {
        let before = snapshot.events_since(0).filter(|event| event.at < at).map(|event| event.seq).max();
        Self { engine: Some(snapshot.engine.id()), seq: before.unwrap_or(0) }
    }

    /// What is new in this snapshot; from then on it is known.
    pub fn read<'a>(&mut self, snapshot: &'a Snapshot) -> News<'a> {
        let engine = snapshot.engine.id();
        let another = self.engine.replace(engine) != Some(engine);
        if another {
            self.seq = 0;
        }
        let events: Vec<&Event> = snapshot.events_since(self.seq).collect();
        let missed = events.first().map_or(0, |first| first.seq.saturating_sub(self.seq + 1));
        self.seq = events.last().map_or(self.seq, |last| last.seq);
        News { another, events, missed }
    }
}

impl Snapshot {
    /// The events after this number, oldest first, as far as they are kept; within the engine's process that is more
    /// than [`Snapshot::events`] holds.
    pub fn events_since(&self, seq: u64) -> impl Iterator<Item = &Event> {
        let after = |events: &'_ [Event]| events.partition_point(|event| event.seq <= seq);
        let (backlog, events) = (&self.backlog[..], &self.events[..]);
        backlog[after(backlog)..].iter().chain(&events[after(events)..])
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::monitor::engine::core::Core;
    use crate::monitor::{EVENTS_KEPT, EngineSettings};
    use crate::tmux::Server;
    use crate::tmux::scripted::Script;

    fn core() -> Core {
        Core::new(Server::scripted(Script::default()), EngineSettings::default()).unwrap()
    }

    fn seqs(news: &News<'_>) -> Vec<u64> {
        news.events.iter().map(|event| event.seq).collect()
    }

    #[test]
    fn each_event_is_new_once_however_many_come_at_once() {
        let mut core = core();
        let mut reader = EventReader::after(&core.snapshot());
        let all = EVENTS_KEPT as u64 * 5;
        for n in 1..=all {
            core.events.notice(Timestamp::now(), format!("notice {n}"), false);
        }
        let snapshot = core.snapshot();
        assert_eq!(snapshot.events.len(), EVENTS_KEPT);
        assert!(!serde_json::to_string(&snapshot).unwrap().contains("notice 1\""), "the panel's are the newest");
        let news = reader.read(&snapshot);
        assert_eq!((seqs(&news), news.another, news.missed), ((1..=all).collect(), false, 0));
        assert!(reader.read(&snapshot).events.is_empty());
        core.events.notice(Timestamp::now(), "one more", false);
        assert_eq!(seqs(&reader.read(&core.snapshot())), [all + 1]);
    }

    #[test]
    fn another_engine_is_told_apart_whatever_its_numbers() {
        let mut core = core();
        core.events.notice(Timestamp::now(), "one", false);
        let first = core.snapshot();
        let mut reader = EventReader::default();
        assert!(reader.read(&first).another, "the first one is another than none");
        let mut other = Snapshot::clone(&first);
        other.engine.pid += 1;
        let event = |seq| Event { seq, ..first.events[0].clone() };
        other.events = Arc::new((5000..5003).map(event).collect());
        let news = reader.read(&other);
        assert!(news.another && seqs(&news) == [5000, 5001, 5002]);
        let mut again = Snapshot::clone(&other);
        again.engine.started += std::time::Duration::from_secs(1);
        assert!(reader.read(&again).another, "the same process, another run");
        again.events = Arc::new((5009..5010).map(event).collect());
        assert_eq!(reader.read(&again).missed, 6);
    }
}
