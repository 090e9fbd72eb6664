//! What the journal tells of a span of time: how long each agent worked, waited and idled, and how waits ended.

use jiff::Timestamp;
use serde::Serialize;

use super::{Record, account::Account};
use crate::{monitor::State, tmux::PaneId};

/// Version of the report's JSON.
pub const SCHEMA: u32 = 1;

/// The account of a span of time.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// [`SCHEMA`].
    pub schema: u32,
    /// Start of the span.
    pub since: Timestamp,
    /// Its end.
    pub until: Timestamp,
    /// Every agent that was watched in it, most waiting first.
    pub agents: Vec<AgentReport>,
    /// All waits together.
    pub waits: Waits,
}

/// One agent's account. Durations in seconds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AgentReport {
    /// The tmux server.
    pub server: String,
    /// Its pane.
    pub pane_id: PaneId,
    /// Its last known place.
    pub target: String,
    /// Which program.
    pub agent: String,
    /// Its last known state; `None` when it is gone or is not watched any more.
    pub state: Option<State>,
    /// Time in which it was watched.
    pub watched: f64,
    /// Time in each state.
    pub working: f64,
    /// Time blocked on its user.
    pub waiting: f64,
    /// Time at its prompt.
    pub idle: f64,
    /// Time held by a limit.
    pub limited: f64,
    /// Time after a turn that failed.
    pub error: f64,
    /// Time after its program ended.
    pub exited: f64,
    /// Time starting or not recognised.
    pub other: f64,
    /// Times it began to work.
    pub turns: u64,
    /// Its waits.
    pub waits: Waits,
    /// Answers, messages, interrupts and kills that were sent from here and worked.
    pub acts: u64,
}

/// Waits and how they ended. Durations in seconds.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Waits {
    /// Waits that ended in the span or still last.
    pub count: u64,
    /// Those after which the agent went on.
    pub answered: u64,
    /// Those that still last.
    pub open: u64,
    /// Median time until the answer; `None` without one.
    pub median: Option<f64>,
    /// Longest time until the answer.
    pub longest: Option<f64>,
    #[serde(skip)]
    pub(super) answers: Vec<f64>,
}

impl Waits {
    fn settle(&mut self) {
        self.answers.sort_by(f64::total_cmp);
        let middle = self.answers.len() / 2;
        self.median = match self.answers.len() {
            0 => None,
            n if n % 2 == 1 => Some(self.answers[middle]),
            _ => Some(f64::midpoint(self.answers[middle - 1], self.answers[middle])),
        };
        self.longest = self.answers.last().copied();
    }

    fn add(&mut self, other: &Self) {
        self.count += other.count;
        self.answered += other.answered;
        self.open += other.open;
        self.answers.extend(&other.answers);
    }
}

impl Report {
    /// Makes it from the journal's records in their order. Give it records from a day before `since` on: what an agent
    /// was doing at `since` is told by an older record.
    #[must_use]
    pub fn of(records: &[Record], since: Timestamp, now: Timestamp) -> Self {
        let mut account = Account::new(since);
        for record in records.iter().filter(|record| record.at <= now) {
            account.take(record);
        }
        let mut waits = Waits::default();
        let mut agents = account.end(now);
        for agent in &mut agents {
            waits.add(&agent.waits);
            agent.waits.settle();
        }
        waits.settle();
        agents.sort_by(|a, b| b.waiting.total_cmp(&a.waiting).then(b.working.total_cmp(&a.working)));
        Self { schema: SCHEMA, since, until: now, agents, waits }
    }
}

impl AgentReport {
    pub(super) fn new(server: &str, pane_id: PaneId) -> Self {
        Self {
            server: server.to_owned(),
            pane_id,
            target: String::new(),
            agent: String::new(),
            state: None,
            watched: 0.0,
            working: 0.0,
            waiting: 0.0,
            idle: 0.0,
            limited: 0.0,
            error: 0.0,
            exited: 0.0,
            other: 0.0,
            turns: 0,
            waits: Waits::default(),
            acts: 0,
        }
    }

    /// Adds time spent in a state, seconds.
    pub(super) fn count(&mut self, state: State, seconds: f64) {
        self.watched += seconds;
        let sum = match state {
            State::Working => &mut self.working,
            State::Waiting => &mut self.waiting,
            State::Idle => &mut self.idle,
            State::Limited => &mut self.limited,
            State::Error => &mut self.error,
            State::Exited => &mut self.exited,
            State::Starting | State::Unknown => &mut self.other,
        };
        *sum += seconds;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        app::journal::{Happened, Mark},
        monitor::{ActKind, Acted, EventKind, Evidence, Source},
    };

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + minute * 60).unwrap()
    }

    fn record(minute: i64, by: u32, what: Happened) -> Record {
        Record { at: at(minute), server: "/s".into(), by, seq: None, what }
    }

    fn appeared(minute: i64, by: u32, state: State) -> Record {
        let (target, agent) = ("a:0.0".to_owned(), "claude".to_owned());
        record(
            minute,
            by,
            Happened::Event(EventKind::Appeared { pane_id: PaneId(1), target, agent, state, kind: None }),
        )
    }

    fn went(minute: i64, from: State, to: State) -> Record {
        let evidence =
            Evidence { rule: "r".into(), line: String::new(), source: Source::Screen, region: None, rows: None };
        let (target, agent) = ("a:0.0".to_owned(), "claude".to_owned());
        let what = EventKind::Transition { pane_id: PaneId(1), target, agent, from, to, kind: None, evidence };
        record(minute, 1, Happened::Event(what))
    }

    fn alive(minute: i64, by: u32) -> Record {
        record(minute, by, Happened::Mark(Mark::EngineAlive))
    }

    #[test]
    fn time_is_accounted_for_within_the_span_only() {
        let records = [
            appeared(0, 1, State::Working),
            went(20, State::Working, State::Waiting),
            went(22, State::Waiting, State::Working),
            went(30, State::Working, State::Waiting),
            went(36, State::Waiting, State::Exited),
            alive(40, 1),
        ];
        let report = Report::of(&records, at(10), at(41));
        let agent = &report.agents[0];
        assert_eq!((agent.working, agent.waiting, agent.exited), (18.0 * 60.0, 8.0 * 60.0, 5.0 * 60.0));
        assert_eq!(agent.watched, 31.0 * 60.0);
        assert_eq!((agent.waits.count, agent.waits.answered, agent.turns), (2, 1, 1));
        assert_eq!((agent.waits.median, report.waits.longest), (Some(120.0), Some(120.0)));
        assert_eq!(agent.state, Some(State::Exited));
    }

    #[test]
    fn time_without_an_engine_is_nobodys() {
        // Killed after minute 10; another engine starts at minute 60.
        let records = [
            appeared(0, 1, State::Working),
            alive(10, 1),
            record(60, 2, Happened::Mark(Mark::EngineStarted)),
            appeared(60, 2, State::Waiting),
            alive(64, 2),
        ];
        let report = Report::of(&records, at(0), at(65));
        let agent = &report.agents[0];
        assert_eq!((agent.working, agent.waiting), (600.0, 300.0));
        assert_eq!((agent.waits.count, agent.waits.open, agent.waits.answered), (1, 1, 0));
        // The second one is silent too by minute 200.
        let report = Report::of(&records, at(0), at(200));
        assert_eq!(report.agents[0].waiting, 240.0);
        assert_eq!(report.agents[0].state, None);
    }

    #[test]
    fn only_acts_that_worked_count() {
        let act = |ok, act| {
            let (target, agent, sent) = ("a:0.0".into(), "claude".into(), "1".into());
            let result = String::new();
            Happened::Event(EventKind::Acted(Acted { pane_id: PaneId(1), target, agent, act, sent, ok, result }))
        };
        let records = [
            appeared(0, 1, State::Waiting),
            record(1, 9, act(true, ActKind::Answer)),
            record(1, 9, act(false, ActKind::Answer)),
            record(1, 9, act(true, ActKind::Jump)),
            alive(2, 1),
        ];
        assert_eq!(Report::of(&records, at(0), at(2)).agents[0].acts, 1);
    }
}
