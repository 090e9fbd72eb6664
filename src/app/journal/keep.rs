//! Writes what an engine publishes into the journal. Run by whoever owns the engine, never by one that is attached.
//!
//! Long because its tests, which play whole lives of engines, stand with it: without them it is 290 lines.

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use crate::app::journal::turns::Turns;
use crate::app::journal::{Happened, Journal, Mark, Record, Standing, read_since};
use crate::{
    monitor::{
        Agent, Command, EngineId, EventKind, EventReader, Keeper, News, ServerInfo, Snapshot, Snapshots, WeakCommands,
    },
    tmux::PaneId,
};

/// Time between two signs of life in the journal.
pub const ALIVE_EVERY: Duration = Duration::from_secs(60);

/// Longest time until an agent that does not change is told of again: an account of some hours looks back this far.
pub const TOLD_EVERY: Duration = Duration::from_secs(6 * 3600);

/// How often one who does not keep looks whether the keeper is gone.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// How far two tell the same event apart.
const SAME_EVENT: SignedDuration = SignedDuration::from_secs(3);

/// Writes every event of the engine of this process until the handle's engine ends. Snapshots may be missed: each carries
/// the last events. What an engine in the background publishes is passed over: it keeps its own. Of several processes
/// that watch one server from inside, the keeper writes.
///
/// A journal that cannot be written is told of once, in the engine's events and in the log; the watching goes on without
/// it, and it is tried again with every event.
pub async fn keep(mut snapshots: Snapshots, engine: WeakCommands, journal: Journal, duty: Keeper) {
    let mut keeping = Keeping::new(std::process::id());
    let mut writer = Writer { journal: Some(journal), engine, failed: false };
    let mut alive = interval_at(Instant::now() + ALIVE_EVERY, ALIVE_EVERY);
    alive.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut look = interval_at(Instant::now() + LOOK_EVERY, LOOK_EVERY);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let ended = snapshots.ended();
        let snapshot = snapshots.borrow_and_update();
        let ours = snapshot.engine.pid == std::process::id();
        let from = if ours { duty.keeps_from() } else { None };
        if !ours {
            duty.let_go();
        }
        let records = keeping.take(&snapshot, from);
        let records = if keeping.is_new() { writer.not_written(records).await } else { records };
        writer.write(records).await;
        if ended {
            break;
        }
        tokio::select! {
            // The end is seen at the top, with the last snapshot.
            _ = snapshots.changed() => {}
            _ = alive.tick() => if duty.keeps() { writer.write(keeping.alive()).await },
            _ = look.tick(), if ours && from.is_none() => {}
        }
    }
    if duty.keeps() {
        writer.write(keeping.stop().into_iter().collect()).await;
    }
    duty.let_go();
}

/// Finds out what is new in a snapshot.
#[derive(Debug)]
struct Keeping {
    own: u32,
    /// The engine that is kept; `None` while it is none of this process, or while another keeps.
    engine: Option<Kept>,
    /// The last snapshot brought the first events since it began to keep.
    new: bool,
}

#[derive(Debug, Default)]
struct Kept {
    server: ServerInfo,
    engine: EngineId,
    events: EventReader,
    known: HashMap<PaneId, Known>,
    told: Option<Timestamp>,
    turns: Turns,
    /// Events were written.
    begun: bool,
}

/// An agent as the journal knows it.
#[derive(Clone, Debug, PartialEq)]
struct Known {
    target: String,
    agent: String,
    pid: Option<u32>,
    start: Option<u64>,
}

impl Known {
    fn of(agent: &Agent) -> Self {
        Self { target: agent.target.clone(), agent: agent.agent.clone(), pid: agent.pid, start: agent.start }
    }
}

impl Keeping {
    fn new(own: u32) -> Self {
        Self { own, engine: None, new: false }
    }

    /// Whether another may have written some of what was taken last.
    fn is_new(&self) -> bool {
        self.new
    }

    /// What is to be written. `from`: what happened before it is another's; `None`: all is.
    fn take(&mut self, snapshot: &Snapshot, from: Option<Timestamp>) -> Vec<Record> {
        self.new = false;
        let mut records = Vec::new();
        let ours = snapshot.engine.pid == self.own;
        let Some(from) = from.filter(|_| ours) else {
            records.extend(self.stop());
            return records;
        };
        // An engine that was started anew in this process counts its events from 1 again.
        if self.engine.as_ref().is_some_and(|kept| kept.engine != snapshot.engine.id()) {
            records.extend(self.stop());
        }
        if self.engine.is_none() {
            // What the one before may not have seen any more is looked for in what it wrote.
            let sure = from.checked_sub(SAME_EVENT).unwrap_or(Timestamp::MIN);
            let (server, engine) = (snapshot.server.clone(), snapshot.engine.id());
            let kept = Kept { server, engine, events: EventReader::from(snapshot, sure), ..Kept::default() };
            records.push(self.mark(&kept, Mark::EngineStarted));
            self.engine = Some(kept);
        }
        let own = self.own;
        let Some(kept) = &mut self.engine else { return records };
        kept.server.clone_from(&snapshot.server);
        let now: HashMap<PaneId, Known> =
            snapshot.agents.iter().map(|agent| (agent.pane_id, Known::of(agent))).collect();
        let record = |at, seq, what, known: Option<&Known>| Record {
            server_pid: snapshot.server.pid,
            server_started: snapshot.server.started,
            agent_pid: known.and_then(|known| known.pid),
            agent_start: known.and_then(|known| known.start),
            seq,
            ..Record::new(at, &*snapshot.server.socket, own, what)
        };
        let mut told = HashSet::new();
        let News { events, missed, .. } = kept.events.read(snapshot);
        if missed > 0 {
            tracing::warn!(missed, "events that came faster than snapshots are not in the journal");
        }
        self.new = !events.is_empty() && !kept.begun;
        kept.begun |= !events.is_empty();
        for event in events {
            // Whoever acts writes it down before the engine is told.
            if matches!(event.what, EventKind::Acted(_)) {
                continue;
            }
            let pane = match &event.what {
                EventKind::Gone { pane_id, .. }
                | EventKind::Appeared { pane_id, .. }
                | EventKind::Transition { pane_id, .. } => Some(*pane_id),
                _ => None,
            };
            told.extend(pane);
            let known = pane.and_then(|pane| now.get(&pane).or_else(|| kept.known.get(&pane)));
            records.push(record(event.at, Some(event.seq), Happened::Event(event.what.clone()), known));
        }
        for turn in kept.turns.take(snapshot) {
            let record = record(snapshot.timestamp, None, Happened::Standing(turn), None);
            let known = record.pane().and_then(|pane| kept.known.get(&pane).or_else(|| now.get(&pane)));
            let (agent_pid, agent_start) = (known.and_then(|known| known.pid), known.and_then(|known| known.start));
            records.push(Record { agent_pid, agent_start, ..record });
        }
        // Those who were there before this began, and now and then all.
        let again = kept.told.is_none_or(|at| passed(at, snapshot.timestamp) >= TOLD_EVERY);
        for agent in &snapshot.agents {
            if !told.contains(&agent.pane_id) && (again || !kept.known.contains_key(&agent.pane_id)) {
                let standing = Standing::Watched {
                    pane_id: agent.pane_id,
                    target: agent.target.clone(),
                    agent: agent.agent.clone(),
                    state: agent.state,
                    kind: agent.kind.clone(),
                    since: agent.since,
                };
                let what = Happened::Standing(standing);
                records.push(record(snapshot.timestamp, None, what, now.get(&agent.pane_id)));
            }
        }
        if again {
            kept.told = Some(snapshot.timestamp);
        }
        // Agents can vanish without an event each, with their whole server; a time account must end for each.
        for (pane_id, known) in std::mem::take(&mut kept.known) {
            if !now.contains_key(&pane_id) && !told.contains(&pane_id) {
                let gone = EventKind::Gone { pane_id, target: known.target.clone(), agent: known.agent.clone() };
                records.push(record(snapshot.timestamp, None, Happened::Event(gone), Some(&known)));
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
        Record {
            server_pid: kept.server.pid,
            server_started: kept.server.started,
            ..Record::new(Timestamp::now(), &*kept.server.socket, self.own, Happened::Mark(mark))
        }
    }
}

/// Whether two records tell of one event, which two engines saw, each at its own time.
fn is_same(a: &Record, b: &Record) -> bool {
    let what = match (&a.what, &b.what) {
        (
            Happened::Event(EventKind::Transition { from, to, .. }),
            Happened::Event(EventKind::Transition { from: other_from, to: other_to, .. }),
        ) => (from, to) == (other_from, other_to),
        (
            Happened::Event(EventKind::Appeared { agent, .. }),
            Happened::Event(EventKind::Appeared { agent: other, .. }),
        )
        | (Happened::Event(EventKind::Gone { agent, .. }), Happened::Event(EventKind::Gone { agent: other, .. })) => {
            agent == other
        }
        (one, other) => one == other,
    };
    what && (&a.server, a.pane()) == (&b.server, b.pane())
        && may_be_of_one_process(a, b)
        && a.at.duration_since(b.at).abs() <= SAME_EVENT
}

/// A process that one of them did not see may be that of the other: it had ended, or was out of sight.
fn may_be_of_one_process(a: &Record, b: &Record) -> bool {
    a.agent_pid.zip(b.agent_pid).is_none_or(|(one, other)| one == other && a.agent_start == b.agent_start)
}

fn passed(from: Timestamp, to: Timestamp) -> Duration {
    Duration::try_from(to.duration_since(from)).unwrap_or_default()
}

struct Writer {
    journal: Option<Journal>,
    /// The engine whose events are kept. Weak: it ends when nobody else holds it.
    engine: WeakCommands,
    failed: bool,
}

impl Writer {
    /// Those that the one who kept before has not written: it may have seen the same in its last moment.
    async fn not_written(&mut self, mut records: Vec<Record>) -> Vec<Record> {
        let Some(first) = records.iter().filter(|record| record.seq.is_some()).map(|record| record.at).min() else {
            return records;
        };
        let Some(dir) = self.journal.as_ref().map(|journal| journal.dir().to_owned()) else { return records };
        let from = first.checked_sub(SAME_EVENT).unwrap_or(Timestamp::MIN);
        let read = tokio::task::spawn_blocking(move || read_since(&dir, from).unwrap_or_default());
        let written = read.await.unwrap_or_default();
        records.retain(|record| record.seq.is_none() || !written.iter().any(|there| is_same(record, there)));
        records
    }

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
    use std::sync::Arc;

    use tokio::sync::watch;

    use super::*;
    use crate::{
        app::core::fixture::{test_agent, test_snapshot},
        monitor::{AgentState, EngineLock, EnginePaths, Event, Handle},
    };

    fn snapshot(pid: u32, second: i64, agents: &[u32], seqs: std::ops::Range<u64>) -> Snapshot {
        let notice = |seq: u64| {
            let what = EventKind::Notice { text: seq.to_string(), problem: false };
            Event { seq, at: Timestamp::now(), what }
        };
        let mut snapshot = test_snapshot();
        (snapshot.engine.pid, snapshot.engine.started) = (pid, Timestamp::from_second(second).unwrap());
        snapshot.agents = agents.iter().map(|id| test_agent(*id, AgentState::Idle)).collect();
        snapshot.events = Arc::new(seqs.map(notice).collect());
        snapshot
    }

    fn words(records: Vec<Record>) -> Vec<String> {
        let word = |record: &Record| match &record.what {
            Happened::Event(EventKind::Notice { text, .. }) => text.clone(),
            Happened::Event(EventKind::Gone { pane_id, .. }) => format!("gone {pane_id}"),
            Happened::Mark(mark) => format!("{mark:?}"),
            Happened::Standing(Standing::Watched { pane_id, state, .. }) => format!("{pane_id} {state}"),
            other => panic!("{other:?}"),
        };
        records.iter().map(word).collect()
    }

    #[test]
    fn each_event_is_written_once_and_only_of_the_own_engine() {
        let mut keeping = Keeping::new(7);
        let mut take = |snapshot: Snapshot| words(keeping.take(&snapshot, Some(Timestamp::MIN)));
        assert_eq!(take(snapshot(7, 1, &[1], 1..3)), ["EngineStarted", "1", "2", "%1 idle"]);
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
        let written = words(Keeping::new(7).take(&many, Some(Timestamp::MIN)));
        assert_eq!(written.len(), 1001);
        assert_eq!((written[1].as_str(), written[1000].as_str()), ("1", "1000"));
    }

    #[test]
    fn one_of_several_writes_and_the_next_goes_on_where_it_ended() {
        let mut keeping = Keeping::new(7);
        assert!(keeping.take(&snapshot(7, 1, &[1], 1..3), None).is_empty(), "another keeps");
        let mut later = snapshot(7, 1, &[1], 1..4);
        let gone = Timestamp::now();
        for event in Arc::make_mut(&mut later.events) {
            // Two long ago, one that the other may not have seen any more.
            event.at = gone - SignedDuration::from_secs(if event.seq < 3 { 60 } else { 1 });
        }
        assert_eq!(words(keeping.take(&later, Some(gone))), ["EngineStarted", "3", "%1 idle"]);
        assert!(keeping.is_new());
        assert!(keeping.take(&later, Some(gone)).is_empty() && !keeping.is_new());
        assert_eq!(words(keeping.take(&later, None)), ["EngineStopped"]);
    }

    #[test]
    fn two_engines_saw_the_same_only_if_it_was_of_the_same_process() {
        let appeared = EventKind::Appeared {
            pane_id: PaneId(1),
            target: "main:0.0".to_owned(),
            agent: "claude".to_owned(),
            state: AgentState::Idle,
            kind: None,
        };
        let record = |second, process: Option<(u32, u64)>| Record {
            agent_pid: process.map(|process| process.0),
            agent_start: process.map(|process| process.1),
            ..Record::new(Timestamp::from_second(second).unwrap(), "/tmp/tmux", 7, Happened::Event(appeared.clone()))
        };
        let seen = record(10, Some((50, 1)));
        assert!(is_same(&seen, &record(12, Some((50, 1)))));
        assert!(!is_same(&seen, &record(14, Some((50, 1)))), "much later");
        assert!(!is_same(&seen, &record(12, Some((51, 1)))), "another was started at once");
        assert!(!is_same(&seen, &record(12, Some((50, 2)))), "with the process id of the first");
        assert!(is_same(&seen, &record(12, None)), "it had ended");
    }

    #[test]
    fn one_that_does_not_change_is_told_of_again() {
        let mut keeping = Keeping::new(7);
        let mut snapshot = snapshot(7, 1, &[1], 1..1);
        keeping.take(&snapshot, Some(Timestamp::MIN));
        snapshot.timestamp += TOLD_EVERY - Duration::from_secs(1);
        assert!(keeping.take(&snapshot, Some(Timestamp::MIN)).is_empty());
        snapshot.timestamp += Duration::from_secs(2);
        assert_eq!(words(keeping.take(&snapshot, Some(Timestamp::MIN))), ["%1 idle"]);
    }

    #[tokio::test]
    async fn the_journal_says_how_the_engine_ended() {
        let dir = tempfile::tempdir().unwrap();
        let beside = tempfile::tempdir().unwrap();
        let lock = EngineLock::acquire(&EnginePaths::new(beside.path(), &beside.path().join("tmux"))).unwrap();
        let (publish, snapshots) = watch::channel(Arc::new(snapshot(std::process::id(), 1, &[], 1..3)));
        let (handle, _requests) = Handle::new(snapshots, 1);
        let task = tokio::spawn(keep(
            handle.snapshots,
            handle.commands.downgrade(),
            Journal::new(dir.path()),
            Keeper::engine(&lock),
        ));
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
