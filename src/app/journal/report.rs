//! What the journal tells of a span of time: how long each agent worked, waited and idled, and how waits ended.
//!
//! Long because its tests, which write whole days of a journal, stand with it: without them it is 205 lines.

use std::path::Path;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use crate::app::core::day::Span;
use crate::app::journal::JournalError;
use crate::app::journal::account::Account;
use crate::app::journal::line::accounted_since;
use crate::{
    monitor::{AgentState, Tokens},
    tmux::PaneId,
};

/// Version of the report's JSON.
pub const SCHEMA: u32 = 1;

/// The account of a span of time.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// Version of this object.
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
    pub state: Option<AgentState>,
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
    /// The part of it in which it was starting.
    #[serde(skip)]
    starting: f64,
    /// Times it began to work.
    pub turns: u64,
    /// Its waits.
    pub waits: Waits,
    /// Answers, messages, interrupts and kills that were sent from here and worked.
    pub acts: u64,
    /// Tokens of its turns that ended in the span; `None` where none is known.
    pub tokens: Option<Tokens>,
    /// What those cost, US dollars; `None` where that of a part is not known.
    pub cost_usd: Option<f64>,
    /// That of a turn is not known.
    #[serde(skip)]
    without_cost: bool,
    /// What it did when, in an account that traces it.
    #[serde(skip)]
    pub(super) spans: Vec<Span>,
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
    pub(in crate::app) answers: Vec<Answer>,
}

/// How long one wait took until the agent went on.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::app) struct Answer {
    pub(in crate::app) seconds: f64,
    /// What it waited for: the kind of the state.
    pub(in crate::app) kind: Option<String>,
}

impl Waits {
    fn settle(&mut self) {
        let mut answers: Vec<f64> = self.answers.iter().map(|answer| answer.seconds).collect();
        answers.sort_by(f64::total_cmp);
        let middle = answers.len() / 2;
        self.median = match answers.len() {
            0 => None,
            n if n % 2 == 1 => Some(answers[middle]),
            _ => Some(f64::midpoint(answers[middle - 1], answers[middle])),
        };
        self.longest = answers.last().copied();
    }

    fn add(&mut self, other: &Self) {
        self.count += other.count;
        self.answered += other.answered;
        self.open += other.open;
        self.answers.extend_from_slice(&other.answers);
    }
}

/// How far before a span its account begins: what an agent was doing at its start is told by an older record.
const BEFORE: SignedDuration = SignedDuration::from_hours(24);

/// Gives account of a span of time, of one server or of all.
///
/// # Errors
/// [`JournalError`] when the journal cannot be read. One that was never written has no agents.
pub fn report(dir: &Path, server: Option<&str>, since: Timestamp, now: Timestamp) -> Result<Report, JournalError> {
    let from = since.checked_sub(BEFORE).unwrap_or(Timestamp::MIN);
    let mut account = Account::new(since);
    accounted_since(dir, from, &mut |record| {
        if (from..=now).contains(&record.at) && server.is_none_or(|server| record.server == server) {
            account.take(record);
        }
    })?;
    Ok(Report::of(account, since, now))
}

impl Report {
    fn of(account: Account, since: Timestamp, now: Timestamp) -> Self {
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
    pub(super) fn new(server: &str, pane_id: PaneId, agent: &str) -> Self {
        Self {
            server: server.to_owned(),
            pane_id,
            target: String::new(),
            agent: agent.to_owned(),
            state: None,
            watched: 0.0,
            working: 0.0,
            waiting: 0.0,
            idle: 0.0,
            limited: 0.0,
            error: 0.0,
            exited: 0.0,
            other: 0.0,
            starting: 0.0,
            turns: 0,
            waits: Waits::default(),
            acts: 0,
            tokens: None,
            cost_usd: None,
            without_cost: false,
            spans: Vec::new(),
        }
    }

    /// Adds what a turn spent.
    pub(super) fn spend(&mut self, tokens: Option<Tokens>, cost_usd: Option<f64>) {
        let Some(tokens) = tokens else { return };
        *self.tokens.get_or_insert_default() += tokens;
        match cost_usd {
            Some(cost) if !self.without_cost => *self.cost_usd.get_or_insert(0.0) += cost,
            // A part of the cost would be a wrong number.
            _ => (self.without_cost, self.cost_usd) = (true, None),
        }
    }

    /// Adds a time spent in a state; one that goes on is one span.
    pub(super) fn trace(&mut self, span: Span) {
        if span.to <= span.from {
            return;
        }
        match self.spans.last_mut() {
            Some(last)
                if last.to >= span.from
                    && (last.since, last.state, &last.kind) == (span.since, span.state, &span.kind) =>
            {
                last.to = span.to;
            }
            _ => self.spans.push(span),
        }
    }

    /// Time in each state, seconds.
    pub(in crate::app) fn times(&self) -> [(AgentState, f64); 8] {
        [
            (AgentState::Working, self.working),
            (AgentState::Waiting, self.waiting),
            (AgentState::Idle, self.idle),
            (AgentState::Limited, self.limited),
            (AgentState::Error, self.error),
            (AgentState::Exited, self.exited),
            (AgentState::Starting, self.starting),
            (AgentState::Unknown, (self.other - self.starting).max(0.0)),
        ]
    }

    /// Adds time spent in a state, seconds.
    pub(super) fn count(&mut self, state: AgentState, seconds: f64) {
        self.watched += seconds;
        if state == AgentState::Starting {
            self.starting += seconds;
        }
        let sum = match state {
            AgentState::Working => &mut self.working,
            AgentState::Waiting => &mut self.waiting,
            AgentState::Idle => &mut self.idle,
            AgentState::Limited => &mut self.limited,
            AgentState::Error => &mut self.error,
            AgentState::Exited => &mut self.exited,
            AgentState::Starting | AgentState::Unknown => &mut self.other,
        };
        *sum += seconds;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        app::journal::{Happened, Mark, Record, Standing, line::accounted},
        monitor::{ActKind, Acted, EventKind, Evidence, Source},
    };

    /// The account of these records as lines of a journal.
    fn of(records: &[Record], since: Timestamp, now: Timestamp) -> Report {
        let mut account = Account::new(since);
        for record in records.iter().filter(|record| record.at <= now) {
            account.take(&accounted(&serde_json::to_vec(record).unwrap()).unwrap());
        }
        Report::of(account, since, now)
    }

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + minute * 60).unwrap()
    }

    fn record(minute: i64, by: u32, what: Happened) -> Record {
        Record::new(at(minute), "/s", by, what)
    }

    fn appeared(minute: i64, by: u32, state: AgentState) -> Record {
        let (target, agent) = ("a:0.0".to_owned(), "claude".to_owned());
        record(
            minute,
            by,
            Happened::Event(EventKind::Appeared { pane_id: PaneId(1), target, agent, state, kind: None }),
        )
    }

    fn went(minute: i64, from: AgentState, to: AgentState) -> Record {
        let evidence =
            Evidence { rule: "r".into(), line: String::new(), source: Source::Screen, region: None, rows: None };
        let (target, agent) = ("a:0.0".to_owned(), "claude".to_owned());
        let what = EventKind::Transition { pane_id: PaneId(1), target, agent, from, to, kind: None, evidence };
        record(minute, 1, Happened::Event(what))
    }

    fn alive(minute: i64, by: u32) -> Record {
        record(minute, by, Happened::Mark(Mark::EngineAlive))
    }

    /// The records with a sign of life of each writer in every minute from its first to its last one.
    fn beating(records: impl IntoIterator<Item = Record>) -> Vec<Record> {
        let mut all: Vec<Record> = records.into_iter().collect();
        let writers: std::collections::BTreeSet<u32> = all.iter().map(|record| record.by).collect();
        for by in writers {
            let minutes =
                all.iter().filter(|record| record.by == by).map(|r| (r.at.as_second() - at(0).as_second()) / 60);
            let (first, last) = (minutes.clone().min().unwrap(), minutes.max().unwrap());
            all.extend((first + 1..last).map(|minute| alive(minute, by)));
        }
        all.sort_by_key(|record| record.at);
        all
    }

    #[test]
    fn time_is_accounted_for_within_the_span_only() {
        let records = [
            appeared(0, 1, AgentState::Working),
            went(20, AgentState::Working, AgentState::Waiting),
            went(22, AgentState::Waiting, AgentState::Working),
            went(30, AgentState::Working, AgentState::Waiting),
            went(36, AgentState::Waiting, AgentState::Exited),
            alive(40, 1),
        ];
        let records = beating(records);
        let report = of(&records, at(10), at(41));
        let agent = &report.agents[0];
        assert_eq!((agent.working, agent.waiting, agent.exited), (18.0 * 60.0, 8.0 * 60.0, 5.0 * 60.0));
        assert_eq!(agent.watched, 31.0 * 60.0);
        assert_eq!((agent.waits.count, agent.waits.answered, agent.turns), (2, 1, 1));
        assert_eq!((agent.waits.median, report.waits.longest), (Some(120.0), Some(120.0)));
        assert_eq!(agent.state, Some(AgentState::Exited));
    }

    #[test]
    fn time_without_an_engine_is_nobodys() {
        // Killed after minute 10; another engine starts at minute 60.
        let records = [
            appeared(0, 1, AgentState::Working),
            alive(10, 1),
            record(60, 2, Happened::Mark(Mark::EngineStarted)),
            appeared(60, 2, AgentState::Waiting),
            alive(64, 2),
        ];
        let records = beating(records);
        let report = of(&records, at(0), at(65));
        let agent = &report.agents[0];
        assert_eq!((agent.working, agent.waiting), (600.0, 300.0));
        assert_eq!((agent.waits.count, agent.waits.open, agent.waits.answered), (1, 1, 0));
        // The second one is silent too by minute 200.
        let report = of(&records, at(0), at(200));
        assert_eq!(report.agents[0].waiting, 240.0);
        assert_eq!(report.agents[0].state, None);
    }

    fn standing(minute: i64, by: u32, state: AgentState, since: i64) -> Record {
        let (target, agent) = ("a:0.0".to_owned(), "claude".to_owned());
        let standing = Standing::Watched { pane_id: PaneId(1), target, agent, state, kind: None, since: at(since) };
        record(minute, by, Happened::Standing(standing))
    }

    fn mark(minute: i64, by: u32, mark: Mark) -> Record {
        record(minute, by, Happened::Mark(mark))
    }

    #[test]
    fn one_wait_is_one_whoever_watches_it_and_however_often_that_changes() {
        // A dashboard, left in order; another that is killed; an engine that goes on and sees the answer.
        let records = [
            mark(0, 1, Mark::EngineStarted),
            appeared(0, 1, AgentState::Working),
            went(1, AgentState::Working, AgentState::Waiting),
            mark(2, 1, Mark::EngineStopped),
            mark(10, 2, Mark::EngineStarted),
            standing(10, 2, AgentState::Waiting, 1),
            alive(11, 2),
            mark(30, 3, Mark::EngineStarted),
            standing(30, 3, AgentState::Waiting, 1),
            Record { by: 3, ..went(31, AgentState::Waiting, AgentState::Working) },
            alive(32, 3),
        ];
        let report = of(&records, at(0), at(32));
        assert_eq!(report.agents.len(), 1);
        let agent = &report.agents[0];
        assert_eq!((agent.waits.count, agent.waits.answered, agent.waits.open), (1, 1, 0));
        assert_eq!(agent.waits.longest, Some(1800.0), "from its beginning");
        assert_eq!(agent.waiting, 180.0, "1 to 2, 10 to 11, 30 to 31: the rest was nobody's");
        assert_eq!(agent.state, Some(AgentState::Working));
    }

    #[test]
    fn three_dashboards_that_come_and_go_have_seen_one_wait() {
        // As written by versions that remembered nothing.
        let mut records = Vec::new();
        for by in 1..=3_u32 {
            let minute = i64::from(by) * 10;
            records.extend([
                mark(minute, by, Mark::EngineStarted),
                appeared(minute, by, AgentState::Waiting),
                mark(minute + 1, by, Mark::EngineStopped),
            ]);
        }
        let report = of(&records, at(0), at(40));
        assert_eq!((report.waits.count, report.waits.answered, report.agents.len()), (1, 0, 1));
        // And all at once.
        let all = [1, 2, 3].map(|by| appeared(1, by, AgentState::Waiting));
        let report = of(&all, at(0), at(2));
        assert_eq!((report.waits.count, report.waits.open, report.agents[0].watched), (1, 1, 60.0));
    }

    #[test]
    fn a_wait_that_began_while_nobody_watched_is_another() {
        let records = [
            appeared(0, 1, AgentState::Waiting),
            mark(2, 1, Mark::EngineStopped),
            mark(10, 2, Mark::EngineStarted),
            standing(10, 2, AgentState::Waiting, 7),
            alive(11, 2),
        ];
        let waits = of(&records, at(0), at(11)).waits;
        assert_eq!((waits.count, waits.answered, waits.open), (2, 1, 1));
    }

    #[test]
    fn an_engine_that_starts_ends_nothing_of_another_that_lives() {
        let records = [
            appeared(0, 1, AgentState::Working),
            mark(5, 2, Mark::EngineStarted),
            mark(6, 2, Mark::EngineStopped),
            alive(8, 1),
        ];
        let records = beating(records);
        assert_eq!(of(&records, at(0), at(9)).agents[0].working, 540.0);
    }

    #[test]
    fn one_that_was_stopped_itself_has_not_watched() {
        let records = [appeared(0, 1, AgentState::Working), alive(2, 1), alive(60, 1), alive(61, 1)];
        assert_eq!(of(&records, at(0), at(61)).agents[0].working, 180.0);
    }

    #[test]
    fn programs_and_servers_that_had_the_same_pane_are_not_mixed() {
        let with = |record: Record, server: u32, process: (u32, u64)| Record {
            server_pid: Some(server),
            server_started: Some(1),
            agent_pid: Some(process.0),
            agent_start: Some(process.1),
            ..record
        };
        let named = |mut record: Record, name: &str| {
            if let Happened::Event(EventKind::Appeared { agent, .. }) = &mut record.what {
                name.clone_into(agent);
            }
            record
        };
        let records = [
            with(appeared(0, 1, AgentState::Waiting), 10, (100, 1)),
            // The same program anew in the pane, another program, and the same on a server that was started later.
            with(appeared(1, 1, AgentState::Waiting), 10, (101, 2)),
            with(named(appeared(3, 1, AgentState::Waiting), "codex"), 10, (102, 3)),
            with(named(appeared(6, 1, AgentState::Waiting), "codex"), 11, (102, 3)),
            alive(7, 1),
        ];
        let report = of(&beating(records), at(0), at(7));
        let mut watched: Vec<(&str, f64)> =
            report.agents.iter().map(|agent| (agent.agent.as_str(), agent.waiting / 60.0)).collect();
        watched.sort_by(|a, b| a.1.total_cmp(&b.1).then(a.0.cmp(b.0)));
        assert_eq!(watched, [("claude", 1.0), ("codex", 1.0), ("claude", 2.0), ("codex", 3.0)]);
        assert_eq!((report.waits.count, report.waits.open), (4, 1));
        // A program that goes on may be told by another of its processes.
        let records = [
            with(appeared(0, 1, AgentState::Working), 10, (100, 1)),
            with(went(1, AgentState::Working, AgentState::Waiting), 10, (105, 9)),
            with(went(2, AgentState::Waiting, AgentState::Exited), 10, (105, 9)),
            with(went(3, AgentState::Exited, AgentState::Working), 10, (106, 10)),
            alive(4, 1),
        ];
        assert_eq!(of(&records, at(0), at(4)).agents.len(), 2);
    }

    #[test]
    fn only_acts_that_worked_count() {
        let act = |ok, act| {
            let (target, agent, sent) = ("a:0.0".into(), "claude".into(), "1".into());
            let result = String::new();
            Happened::Event(EventKind::Acted(Acted { pane_id: PaneId(1), target, agent, act, sent, ok, result }))
        };
        let records = [
            appeared(0, 1, AgentState::Waiting),
            record(1, 9, act(true, ActKind::Answer)),
            record(1, 9, act(false, ActKind::Answer)),
            record(1, 9, act(true, ActKind::Jump)),
            alive(2, 1),
        ];
        assert_eq!(of(&records, at(0), at(2)).agents[0].acts, 1);
    }
}
