//! One agent's record: the state in force, how verdicts change it, and its recent past.
//!
//! A verdict of idle or unknown is confirmed before it is in force: programs draw a screen in several writes, and between
//! two of them an agent that works can look idle. What it delays is in docs/performance.md ("What we hold ourselves to").
//!
//! Long because its tests, which play how a program draws, stand with it: without them it is 280 lines.

use std::{
    collections::VecDeque,
    sync::Arc,
    time::{Duration, Instant},
};

use jiff::{SignedDuration, Timestamp};

use crate::monitor::detect::Verdict;
use crate::monitor::panes::memory::Remembered;
use crate::monitor::{AgentState, Health, Source, TRANSITIONS_KEPT, Tidy, Transition};

/// Idle is confirmed when the screen has not changed for this long; waiting and working are in force at once.
pub const CONFIRM_IDLE: Duration = Duration::from_secs(1);

/// Two readings of a clock that runs down to the same moment are at most this far apart.
const SAME_DEADLINE: SignedDuration = SignedDuration::from_secs(2);

/// Slices of the activity sparkline, and their length.
const SLICES: usize = 16;
const SLICE: Duration = Duration::from_secs(5);

/// What is known of one agent beyond its pane.
#[derive(Clone, Debug)]
pub struct Record {
    /// The verdict in force.
    pub verdict: Arc<Verdict>,
    /// Kind of the state in force: the verdict's, or `done`.
    pub kind: Option<String>,
    /// When it entered the state.
    pub since: Timestamp,
    /// When its screen last changed.
    pub last_change: Timestamp,
    /// A verdict that is not in force yet.
    pending: Option<Pending>,
    /// When it ended in order: not by a signal, nor with a status or a screen that shows a failure.
    pub left_at: Option<Instant>,
    /// The last read failed.
    pub stale: bool,
    /// Failed checks in a row; `None` while they succeed.
    failing: Option<Failing>,
    /// Its last states, oldest first.
    pub transitions: VecDeque<Transition>,
    /// When it wrote.
    pub activity: Activity,
    /// What its user has put on it.
    pub tidy: Tidy,
    /// The process that was last seen of its program, and its start: what its user put on it is meant for that one.
    program: Option<(u32, Option<u64>)>,
}

/// A verdict that waits for its confirmation.
#[derive(Clone, Debug)]
struct Pending {
    verdict: Arc<Verdict>,
    /// When it is confirmed, if no other verdict comes before.
    due: Instant,
}

/// Checks that failed in a row.
#[derive(Clone, Copy, Debug)]
struct Failing {
    count: u32,
    /// When the last one was counted.
    at: Instant,
}

/// A change of an agent's state, for the event log.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// State before.
    pub from: AgentState,
    /// State after.
    pub to: AgentState,
    /// Kind of the state after.
    pub kind: Option<String>,
}

impl Record {
    /// A new record: the first verdict is in force at once.
    #[must_use]
    pub fn new(verdict: Arc<Verdict>, at: Timestamp, now: Instant) -> Self {
        Self {
            kind: verdict.kind.clone(),
            program: verdict.pid.map(|pid| (pid, verdict.start)),
            verdict,
            since: at,
            last_change: at,
            pending: None,
            left_at: None,
            stale: false,
            failing: None,
            transitions: VecDeque::new(),
            activity: Activity::new(now),
            tidy: Tidy::default(),
        }
    }

    /// The record of an agent that another engine knew: it goes on from there, and what the first verdict says is
    /// judged as any later one. `about`: that verdict.
    #[must_use]
    pub fn resume(remembered: Remembered, about: &Verdict, at: Timestamp, now: Instant) -> Self {
        let Remembered { state, kind, since, last_change, transitions, tidy, .. } = remembered;
        let mut verdict = about.clone();
        // `done` is no verdict's: it is kept beside it until somebody looks.
        (verdict.state, verdict.kind) = (state, kind.clone().filter(|kind| kind != "done"));
        verdict.evidence.rule = "engine/remembered".to_owned();
        verdict.evidence.line = "what the engine before this one saw".to_owned();
        (verdict.evidence.source, verdict.evidence.region, verdict.evidence.rows) = (Source::Kept, None, None);
        Self {
            kind,
            // A clock that was set back must not make an agent older than it is, nor younger than now.
            since: since.min(at),
            last_change: last_change.min(at),
            transitions: transitions.into(),
            tidy,
            ..Self::new(Arc::new(verdict), at, now)
        }
    }

    /// The state in force.
    #[must_use]
    pub fn state(&self) -> AgentState {
        self.verdict.state
    }

    /// Takes in a verdict that was just made. `changed_at`: when the screen was last seen to change; `in_view`: its
    /// user looks at the pane.
    pub fn judge(
        &mut self,
        verdict: Arc<Verdict>,
        at: Timestamp,
        now: Instant,
        changed_at: Option<Instant>,
        in_view: bool,
    ) -> Option<Change> {
        let settles = matches!(verdict.state, AgentState::Idle | AgentState::Unknown) && verdict.state != self.state();
        if settles && self.verdict.agent == verdict.agent {
            let due = changed_at.map_or(now, |changed| changed + CONFIRM_IDLE);
            if now < due {
                self.pending = Some(Pending { verdict, due });
                return None;
            }
        }
        self.enter(verdict, at, in_view)
    }

    /// Puts the pending verdict in force when its time has come.
    pub fn settle(&mut self, at: Timestamp, now: Instant, in_view: bool) -> Option<Change> {
        let Pending { verdict, .. } = self.pending.take_if(|pending| now >= pending.due)?;
        self.enter(verdict, at, in_view)
    }

    /// When the pending verdict will be in force.
    #[must_use]
    pub fn settles_at(&self) -> Option<Instant> {
        self.pending.as_ref().map(|pending| pending.due)
    }

    fn enter(&mut self, mut verdict: Arc<Verdict>, at: Timestamp, in_view: bool) -> Option<Change> {
        self.pending = None;
        // "in 2h 5m" and "6:33pm" are about the moment at which they were written: the same line says the same time.
        let (before, now) = (&self.verdict.evidence, &verdict.evidence);
        if verdict.reset_at.is_some()
            && self.verdict.reset_at.is_some()
            && verdict.reset_at != self.verdict.reset_at
            && (&before.rule, &before.line) == (&now.rule, &now.line)
        {
            Arc::make_mut(&mut verdict).reset_at = self.verdict.reset_at;
        }
        // A clock that counts whole seconds, read at any moment of one, says one time and the next by turns.
        if let (Some(before), Some(now)) = (self.verdict.deadline, verdict.deadline)
            && now != before
            && now.duration_since(before).abs() <= SAME_DEADLINE
            && self.verdict.asks == verdict.asks
        {
            Arc::make_mut(&mut verdict).deadline = self.verdict.deadline;
        }
        let from = self.state();
        let to = verdict.state;
        self.tidy_after(&verdict);
        let unseen = self.kind.as_deref() == Some("done") && to == AgentState::Idle;
        let kind = match (from, to) {
            (AgentState::Working, AgentState::Idle) if verdict.kind.is_none() && !in_view => Some("done".to_owned()),
            // Being in view for a moment is not being seen: see `seen`.
            (AgentState::Idle, AgentState::Idle) if verdict.kind.is_none() && unseen => Some("done".to_owned()),
            _ => verdict.kind.clone(),
        };
        self.verdict = verdict;
        if from == to && kind == self.kind {
            return None;
        }
        let seen = from == to && to == AgentState::Idle;
        self.kind = kind;
        if seen {
            return None;
        }
        if from != to {
            self.since = at;
        }
        if self.transitions.len() == TRANSITIONS_KEPT {
            self.transitions.pop_front();
        }
        self.transitions.push_back(Transition { at, from, to, kind: self.kind.clone() });
        Some(Change { from, to, kind: self.kind.clone() })
    }

    /// What its user put on it, when this verdict comes in force: nothing is left of what was meant for another program.
    fn tidy_after(&mut self, verdict: &Verdict) {
        let (from, to) = (self.state(), verdict.state);
        let comes_back = from == AgentState::Exited && to != AgentState::Exited;
        let now = verdict.pid.map(|pid| (pid, verdict.start));
        let another = match (self.program, now) {
            (Some(known), Some(now)) => known != now,
            // Out of sight, or it has ended; one that was over and is there again is a new one.
            (_, None) | (None, Some(_)) => comes_back,
        };
        self.program = now.or(self.program);
        if another {
            self.tidy = Tidy::default();
            return;
        }
        // A screen on which nothing is recognised is no other state: what it was before goes on behind it.
        let known = match from {
            AgentState::Unknown => self.transitions.back().map_or(from, |last| last.from),
            from => from,
        };
        let asks_else = from == AgentState::Waiting && to == from && self.kind != verdict.kind;
        if to != AgentState::Unknown && (to != known || asks_else) {
            self.tidy.state_changed(to);
        }
    }

    /// Its user looked at the pane: a finished turn is seen.
    pub fn seen(&mut self) {
        if self.kind.as_deref() == Some("done") {
            self.kind = self.verdict.kind.clone().filter(|kind| kind != "done");
        }
    }

    /// A read succeeded.
    pub fn read(&mut self) {
        self.stale = false;
        self.failing = None;
    }

    /// A check failed: the read did not succeed, or the program is dead. Counts once in `interval`, however often it
    /// is tried.
    pub fn failed(&mut self, now: Instant, interval: Duration) {
        self.failing = match self.failing {
            Some(failing) if now.saturating_duration_since(failing.at) < interval => return,
            failing => Some(Failing { count: failing.map_or(0, |f| f.count).saturating_add(1), at: now }),
        };
    }

    /// How well it can be watched.
    #[must_use]
    pub fn health(&self, max_failures: u32) -> Health {
        match self.failing.map(|failing| failing.count) {
            None => Health::Healthy,
            Some(count) if count >= max_failures.max(1) => Health::Critical,
            Some(1) => Health::Unresponsive,
            Some(_) => Health::Warning,
        }
    }
}

/// In which recent slices of time an agent wrote: a level of 0 to 7 each, newest last.
#[derive(Clone, Debug)]
pub struct Activity {
    slices: VecDeque<u8>,
    began: Instant,
    last_second: Option<u64>,
    start: Instant,
}

impl Activity {
    fn new(now: Instant) -> Self {
        Self { slices: VecDeque::from(vec![0; SLICES]), began: now, last_second: None, start: now }
    }

    /// Moves the slices on to `now`.
    pub fn advance(&mut self, now: Instant) {
        let passed = now.saturating_duration_since(self.began).as_secs() / SLICE.as_secs();
        for _ in 0..passed.min(SLICES as u64) {
            self.slices.pop_front();
            self.slices.push_back(0);
        }
        self.began += SLICE * u32::try_from(passed).unwrap_or(u32::MAX);
    }

    /// Notes that the screen was seen to change: at most once a second counts.
    pub fn wrote(&mut self, now: Instant) {
        self.advance(now);
        let second = now.saturating_duration_since(self.start).as_secs();
        if self.last_second != Some(second) {
            self.last_second = Some(second);
            if let Some(slice) = self.slices.back_mut() {
                *slice = (*slice + 1).min(SLICE.as_secs() as u8);
            }
        }
    }

    /// Levels 0 to 7, newest last.
    #[must_use]
    pub fn levels(&self) -> Vec<u8> {
        let full = SLICE.as_secs() as u8;
        self.slices.iter().map(|&seconds| (u16::from(seconds) * 7).div_ceil(u16::from(full)) as u8).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::monitor::Source;

    fn verdict(state: AgentState) -> Arc<Verdict> {
        Arc::new(Verdict::blank("claude", "", Some(1)).say(state, None, "", "", Source::Screen))
    }

    fn second(n: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + n).unwrap()
    }

    #[test]
    fn idle_is_in_force_after_a_quiet_second_and_work_at_once() {
        let start = Instant::now();
        let mut record = Record::new(verdict(AgentState::Working), second(0), start);
        assert_eq!(record.judge(verdict(AgentState::Idle), second(1), start, Some(start), false), None);
        assert_eq!(record.state(), AgentState::Working);
        assert_eq!(record.settle(second(1), start + CONFIRM_IDLE / 2, false), None);
        let change = record.settle(second(2), start + CONFIRM_IDLE, false).unwrap();
        assert_eq!(
            (change.from, change.to, change.kind.as_deref()),
            (AgentState::Working, AgentState::Idle, Some("done"))
        );
        assert_eq!(record.since, second(2));
        let change = record.judge(verdict(AgentState::Working), second(3), start, Some(start), false).unwrap();
        assert_eq!(change.to, AgentState::Working, "work shows at once");
    }

    #[test]
    fn a_verdict_that_returns_ends_the_doubt() {
        let start = Instant::now();
        let mut record = Record::new(verdict(AgentState::Working), second(0), start);
        record.judge(verdict(AgentState::Idle), second(1), start, Some(start), false);
        record.judge(verdict(AgentState::Working), second(1), start, Some(start), false);
        assert_eq!(record.settle(second(9), start + CONFIRM_IDLE * 9, false), None);
        assert_eq!(record.state(), AgentState::Working);
    }

    #[test]
    fn done_stays_until_it_is_seen() {
        let start = Instant::now();
        let mut record = Record::new(verdict(AgentState::Working), second(0), start);
        record.judge(verdict(AgentState::Idle), second(1), start, None, false);
        assert_eq!(record.kind.as_deref(), Some("done"));
        for in_view in [false, true] {
            record.judge(verdict(AgentState::Idle), second(5), start, None, in_view);
            assert_eq!(record.kind.as_deref(), Some("done"), "a look by the engine is not one by the user");
        }
        record.seen();
        assert_eq!(record.kind, None);
        assert_eq!(record.since, second(1), "seeing is no transition");
        let mut watched = Record::new(verdict(AgentState::Working), second(0), start);
        watched.judge(verdict(AgentState::Idle), second(1), start, None, true);
        assert_eq!(watched.kind, None, "a turn that ends in view is seen");
    }

    #[test]
    fn the_end_of_a_limit_counts_from_when_its_line_was_first_seen() {
        let limited = |line: &str, reset: i64| {
            let mut verdict = Verdict::blank("codex", "", Some(1)).say(
                AgentState::Limited,
                None,
                "codex/limit",
                line,
                Source::Screen,
            );
            verdict.reset_at = Some(second(reset));
            Arc::new(verdict)
        };
        let start = Instant::now();
        let mut record = Record::new(limited("try again in 2h 5m", 7_500), second(0), start);
        record.judge(limited("try again in 2h 5m", 7_530), second(30), start, None, false);
        record.judge(limited("try again in 2h 5m", 9_000), second(1_500), start, None, false);
        assert_eq!(record.verdict.reset_at, Some(second(7_500)));
        record.judge(limited("try again in 5m", 1_900), second(1_600), start, None, false);
        assert_eq!(record.verdict.reset_at, Some(second(1_900)), "another line is news");
        record.judge(verdict(AgentState::Working), second(2_000), start, None, false);
        record.judge(limited("try again in 5m", 2_400), second(2_100), start, None, false);
        assert_eq!(record.verdict.reset_at, Some(second(2_400)), "a limit after work is another one");
    }

    #[test]
    fn the_clock_of_a_prompt_names_one_moment() {
        let asks = |line: &str, deadline: i64| {
            let mut verdict = Verdict::blank("hermes", "", Some(1)).say(
                AgentState::Waiting,
                Some("permission"),
                "hermes/dialog.permission",
                "⚠ ❯",
                Source::Screen,
            );
            verdict.asks = Some(crate::monitor::Asks { line: line.to_owned(), full: String::new() });
            verdict.deadline = Some(second(deadline));
            Arc::new(verdict)
        };
        let start = Instant::now();
        let mut record = Record::new(asks("rm -rf a", 60), second(0), start);
        for (at, deadline) in [(1, 61), (2, 59), (3, 62)] {
            record.judge(asks("rm -rf a", deadline), second(at), start, None, false);
            assert_eq!(record.verdict.deadline, Some(second(60)), "read at {at}");
        }
        record.judge(asks("rm -rf a", 90), second(30), start, None, false);
        assert_eq!(record.verdict.deadline, Some(second(90)), "it was given more time");
        record.judge(asks("rm -rf b", 91), second(31), start, None, false);
        assert_eq!(record.verdict.deadline, Some(second(91)), "another request has a clock of its own");
        record.judge(verdict(AgentState::Working), second(32), start, None, false);
        assert_eq!(record.verdict.deadline, None);
    }

    fn of_process(state: AgentState, pid: Option<u32>) -> Arc<Verdict> {
        let mut verdict = Verdict::blank("claude", "", pid).say(state, None, "", "", Source::Screen);
        verdict.start = pid.map(u64::from);
        Arc::new(verdict)
    }

    #[test]
    fn parked_lasts_until_another_state_and_what_was_put_on_it_until_another_program() {
        use AgentState::{Exited, Idle, Starting, Unknown, Waiting, Working};
        let start = Instant::now();
        // What is left of parked and pinned after these states, of these processes.
        let left = |states: &[(AgentState, Option<u32>)]| {
            let mut record = Record::new(of_process(states[0].0, states[0].1), second(0), start);
            (record.tidy.parked, record.tidy.pinned) = (true, true);
            for (n, (state, pid)) in (1..).zip(&states[1..]) {
                record.judge(of_process(*state, *pid), second(n), start, None, false);
            }
            (record.tidy.parked, record.tidy.pinned)
        };
        let (kept, back, gone) = ((true, true), (false, true), (false, false));
        let one = Some(1);
        assert_eq!(left(&[(Idle, one), (Idle, one)]), kept);
        assert_eq!(left(&[(Idle, one), (Working, one)]), back);
        assert_eq!(left(&[(Idle, one), (Unknown, one), (Idle, one)]), kept, "nothing was recognised meanwhile");
        assert_eq!(left(&[(Idle, one), (Unknown, one), (Waiting, one)]), back);
        assert_eq!(left(&[(Working, one), (Exited, None)]), back);
        assert_eq!(left(&[(Working, one), (Exited, None), (Starting, Some(2))]), gone);
        assert_eq!(left(&[(Working, one), (Working, Some(2))]), gone, "its end was not seen");
        assert_eq!(left(&[(Working, one), (Exited, None), (Idle, one)]), back, "it was not gone after all");
        assert_eq!(left(&[(Idle, None), (Idle, None)]), kept, "out of sight");
        assert_eq!(left(&[(Exited, None), (Idle, None)]), gone);
        assert_eq!(left(&[(Idle, None), (Idle, one)]), kept, "it came in sight");
    }

    #[test]
    fn a_prompt_of_another_kind_takes_a_parked_one_back() {
        let start = Instant::now();
        let asks = |kind| {
            Arc::new(Verdict::blank("claude", "", Some(1)).say(AgentState::Waiting, Some(kind), "", "", Source::Screen))
        };
        let mut record = Record::new(asks("permission"), second(0), start);
        record.tidy.parked = true;
        record.judge(asks("permission"), second(1), start, None, false);
        assert!(record.tidy.parked);
        record.judge(asks("question"), second(2), start, None, false);
        assert!(!record.tidy.parked);
    }

    #[test]
    fn failures_count_once_an_interval_and_a_read_heals() {
        let start = Instant::now();
        let interval = Duration::from_secs(1);
        let mut record = Record::new(verdict(AgentState::Idle), second(0), start);
        let mut seen = vec![record.health(3)];
        for tick in 0..12 {
            record.failed(start + Duration::from_millis(250 * tick), interval);
            if tick % 4 == 0 {
                seen.push(record.health(3));
            }
        }
        assert_eq!(seen, [Health::Healthy, Health::Unresponsive, Health::Warning, Health::Critical]);
        record.read();
        assert_eq!(record.health(3), Health::Healthy);
    }

    #[test]
    fn activity_counts_seconds_and_moves_on() {
        let start = Instant::now();
        let mut activity = Activity::new(start);
        for tick in 0..20 {
            activity.wrote(start + Duration::from_millis(250 * tick));
        }
        assert_eq!(activity.levels().last(), Some(&7));
        activity.advance(start + SLICE * 3);
        assert_eq!(activity.levels()[SLICES - 4..], [7, 0, 0, 0]);
    }
}
