//! Keeps account of the journal's records in their order: which agent was in which state, and for how long.
//!
//! An agent is a program's process in a pane of a server: the next program in that pane, and the same pane of the next
//! server on that socket, are others. Who keeps the journal may change while an agent's state lasts (an engine starts, is
//! killed, a dashboard takes over); what it waited for is one wait all the same, and time in which nobody watched is
//! nobody's.

mod saved;

use std::{collections::HashMap, sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::app::core::day::Span;
pub(crate) use crate::app::journal::account::saved::SavedAccount;
use crate::app::journal::report::{AgentReport, Answer};
use crate::app::journal::{ALIVE_EVERY, Happened, Mark, Record, Standing};
use crate::{
    monitor::{ActKind, Acted, AgentState, EventKind},
    tmux::PaneId,
};

/// One who has said nothing for so long watched no more: two signs of life did not come.
const SILENT: Duration = Duration::from_secs(ALIVE_EVERY.as_secs() * 5 / 2);

/// Whose process it was: its id and its start.
type Process = (u32, u64);

/// Writers that were silent for so long are forgotten by an account that goes on for weeks.
const FORGET: SignedDuration = SignedDuration::from_hours(24);

/// A state that has not ended, as far as is known.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Open {
    state: AgentState,
    /// Kind of the state.
    kind: Option<String>,
    /// When it was entered: before it was watched, for one that was found so.
    since: Timestamp,
    /// Up to when its time is counted.
    counted: Timestamp,
    /// Who watches it; `None`: nobody does.
    by: Option<u32>,
}

/// One agent.
#[derive(Debug)]
struct Entry {
    report: AgentReport,
    /// The socket of its server.
    socket: Arc<str>,
    server: Option<(u32, Option<i64>)>,
    process: Option<Process>,
    open: Option<Open>,
}

/// What a record says of an agent's state.
struct Said<'a> {
    pane: PaneId,
    target: &'a str,
    agent: &'a str,
    state: AgentState,
    kind: Option<&'a str>,
    /// The state that it came from, when the change was seen.
    from: Option<AgentState>,
    /// When it entered the state, when that is known.
    since: Option<Timestamp>,
}

/// Who was in which state, record by record.
#[derive(Debug)]
pub(crate) struct Account {
    since: Timestamp,
    entries: Vec<Entry>,
    /// The sockets of all servers, each once: a copy a record would be a third of the work.
    sockets: Vec<Arc<str>>,
    /// The agent that a pane of a server's socket has now.
    current: HashMap<(Arc<str>, PaneId), usize>,
    /// When each writer was last heard of.
    heard: HashMap<(Arc<str>, u32), Timestamp>,
    /// What each did when is kept, and not only for how long.
    traces: bool,
}

impl Account {
    /// An account that begins at `since`.
    #[must_use]
    pub(in crate::app) fn new(since: Timestamp) -> Self {
        let (sockets, entries) = (Vec::new(), Vec::new());
        Self { since, entries, sockets, current: HashMap::new(), heard: HashMap::new(), traces: false }
    }

    /// The same, which keeps what each did when.
    #[must_use]
    pub(super) fn tracing(self) -> Self {
        Self { traces: true, ..self }
    }

    /// The socket of this name.
    fn socket(&mut self, name: &str) -> Arc<str> {
        if let Some(socket) = self.sockets.iter().find(|socket| &***socket == name) {
            return Arc::clone(socket);
        }
        let socket = Arc::from(name);
        self.sockets.push(Arc::clone(&socket));
        socket
    }

    /// Takes the next record.
    pub(in crate::app) fn take(&mut self, record: &Record) {
        // Whoever acts is no engine: it says nothing about the watching.
        if let Happened::Event(EventKind::Acted(acted)) = &record.what {
            return self.acted(record, acted);
        }
        self.hear(record);
        match &record.what {
            Happened::Event(EventKind::Appeared { pane_id, target, agent, state, kind }) => {
                let kind = kind.as_deref();
                self.say(record, &Said { pane: *pane_id, target, agent, state: *state, kind, from: None, since: None });
            }
            Happened::Event(EventKind::Transition { pane_id, target, agent, from, to, kind, .. }) => {
                let (from, kind) = (Some(*from), kind.as_deref());
                self.say(record, &Said { pane: *pane_id, target, agent, state: *to, kind, from, since: None });
            }
            Happened::Standing(Standing::Watched { pane_id, target, agent, state, kind, since }) => {
                let (kind, since) = (kind.as_deref(), Some(*since));
                self.say(record, &Said { pane: *pane_id, target, agent, state: *state, kind, from: None, since });
            }
            Happened::Standing(Standing::Turn { pane_id, tokens, cost_usd, .. }) => {
                let place = (self.socket(&record.server), *pane_id);
                let index = self.current.get(&place).copied();
                if let Some(index) = index.filter(|_| record.at >= self.since) {
                    let report = &mut self.entries[index].report;
                    report.spend(*tokens, *cost_usd);
                }
            }
            Happened::Event(EventKind::Gone { pane_id, .. }) => {
                let place = (self.socket(&record.server), *pane_id);
                if let Some(index) = self.current.remove(&place) {
                    self.pause(index, record.at);
                    self.entries[index].finish(record.at, None, self.since);
                }
            }
            Happened::Mark(Mark::EngineStopped) => {
                for index in self.watched_by(&record.server, record.by) {
                    self.pause(index, record.at);
                }
            }
            Happened::Event(_) | Happened::Mark(Mark::EngineStarted | Mark::EngineAlive) => {}
        }
    }

    fn acted(&mut self, record: &Record, acted: &Acted) {
        let place = (self.socket(&record.server), acted.pane_id);
        if acted.ok
            && acted.act != ActKind::Jump
            && record.at >= self.since
            && let Some(index) = self.current.get(&place)
        {
            self.entries[*index].report.acts += 1;
        }
    }

    /// Notes that the record's writer lives. What it watched while it was silent for long (it was stopped, or killed,
    /// and another has its process id now) was not watched.
    fn hear(&mut self, record: &Record) {
        let writer = (self.socket(&record.server), record.by);
        let before = self.heard.insert(writer, record.at);
        let Some(before) = before else { return };
        let started = record.what == Happened::Mark(Mark::EngineStarted);
        if started || is_silent(before, record.at) {
            for index in self.watched_by(&record.server, record.by) {
                self.pause(index, before);
                // The same writer goes on: it would have told of a change.
                if !started && let Some(open) = &mut self.entries[index].open {
                    (open.counted, open.by) = (record.at, Some(record.by));
                }
            }
        }
    }

    fn watched_by(&self, server: &str, by: u32) -> Vec<usize> {
        let watched = |entry: &Entry| {
            entry.report.server == server && entry.open.as_ref().is_some_and(|open| open.by == Some(by))
        };
        (0..self.entries.len()).filter(|index| watched(&self.entries[*index])).collect()
    }

    /// Counts the open state up to `at`, or to when its watcher was last heard of; from then on nobody watches it.
    fn pause(&mut self, index: usize, at: Timestamp) {
        let entry = &mut self.entries[index];
        let Some(open) = &mut entry.open else { return };
        let Some(by) = open.by.take() else { return };
        let heard = self.heard.get(&(Arc::clone(&entry.socket), by)).copied().unwrap_or(at);
        let end = if is_silent(heard, at) { heard } else { at };
        let from = open.counted.max(self.since);
        entry.report.count(open.state, seconds(from, end));
        if self.traces {
            let (state, kind) = (open.state, open.kind.clone());
            entry.report.trace(Span { from, to: end, state, kind, since: open.since });
        }
        open.counted = open.counted.max(end);
    }

    /// Takes in what a record says of an agent's state.
    fn say(&mut self, record: &Record, said: &Said<'_>) {
        let index = self.entry(record, said);
        self.pause(index, record.at);
        let entry = &mut self.entries[index];
        said.target.clone_into(&mut entry.report.target);
        entry.report.state = Some(said.state);
        let lasts = entry.open.as_ref().is_some_and(|open| said.lasts(open));
        if lasts {
            if let Some(open) = &mut entry.open {
                (open.counted, open.by) = (record.at, Some(record.by));
            }
            return;
        }
        // Found in another state than before: it changed when it is known to have, or while nobody watched.
        let at = said.since.map_or(record.at, |since| since.min(record.at));
        entry.finish(at, Some(said.state), self.since);
        let since = said.since.unwrap_or(record.at);
        let kind = said.kind.map(str::to_owned);
        entry.open = Some(Open { state: said.state, kind, since, counted: record.at, by: Some(record.by) });
        if said.state == AgentState::Working && said.from.is_some() && record.at >= self.since {
            entry.report.turns += 1;
        }
    }

    /// The entry that a record is about: a new one when it is another program, or another server's pane.
    fn entry(&mut self, record: &Record, said: &Said<'_>) -> usize {
        let place = (self.socket(&record.server), said.pane);
        let server = record.server_pid.map(|pid| (pid, record.server_started));
        let process = record.agent_pid.zip(record.agent_start);
        if let Some(index) = self.current.get(&place).copied() {
            let entry = &mut self.entries[index];
            if entry.is_of(server, process, said) {
                entry.server = server.or(entry.server);
                entry.process = process.or(entry.process);
                return index;
            }
            self.pause(index, record.at);
            self.entries[index].finish(record.at, None, self.since);
        }
        let report = AgentReport::new(&record.server, said.pane, said.agent);
        self.entries.push(Entry { report, socket: Arc::clone(&place.0), server, process, open: None });
        let index = self.entries.len() - 1;
        self.current.insert(place, index);
        index
    }

    /// What was added up since the last call; the account goes on. `alive`: a writer, and when it was seen to live, which
    /// counts as a sign of life. Who is gone is in it for the last time.
    pub(in crate::app) fn drain(&mut self, alive: Option<(&str, u32, Timestamp)>) -> Vec<AgentReport> {
        if let Some((server, by, at)) = alive {
            let writer = (self.socket(server), by);
            let heard = self.heard.entry(writer).or_insert(at);
            *heard = at.max(*heard);
            for index in self.watched_by(server, by) {
                self.pause(index, at);
                if let Some(open) = &mut self.entries[index].open {
                    open.by = Some(by);
                }
            }
            let newest = self.heard.values().max().copied().unwrap_or(at);
            self.heard.retain(|_, heard| newest.duration_since(*heard) < FORGET);
        }
        let current = std::mem::take(&mut self.current);
        let place = |index| current.iter().find(|(_, at)| **at == index).map(|(place, _)| place.clone());
        let mut reports = Vec::new();
        for (index, mut entry) in std::mem::take(&mut self.entries).into_iter().enumerate() {
            let mut fresh = AgentReport::new(&entry.report.server, entry.report.pane_id, &entry.report.agent);
            (fresh.state, fresh.target) = (entry.report.state, entry.report.target.clone());
            reports.push(std::mem::replace(&mut entry.report, fresh));
            if let Some(place) = place(index) {
                self.current.insert(place, self.entries.len());
                self.entries.push(entry);
            }
        }
        reports
    }

    /// Ends what lasts at `now`, and gives all who were watched.
    pub(super) fn end(mut self, now: Timestamp) -> Vec<AgentReport> {
        for index in 0..self.entries.len() {
            let watcher = self.entries[index].open.as_ref().and_then(|open| open.by);
            let heard = watcher.and_then(|by| self.heard.get(&(Arc::clone(&self.entries[index].socket), by)));
            // One that was heard of within two signs of life still runs.
            let lasts = heard.is_some_and(|heard| !is_silent(*heard, now));
            self.pause(index, now);
            let entry = &mut self.entries[index];
            if !lasts {
                let seen = entry.open.as_ref().map_or(now, |open| open.counted);
                entry.finish(seen, None, self.since);
            } else if entry.open.as_ref().is_some_and(|open| open.state == AgentState::Waiting) {
                entry.report.waits.count += 1;
                entry.report.waits.open += 1;
            }
        }
        self.entries.into_iter().map(|entry| entry.report).filter(|report| report.watched > 0.0).collect()
    }
}

impl Said<'_> {
    /// Whether the state that is open goes on, as far as the record tells.
    fn lasts(&self, open: &Open) -> bool {
        if self.state != open.state {
            return false;
        }
        match (self.from, self.since) {
            // Seen to change: to itself it is a new one (a prompt after a prompt), else two saw the same change.
            (Some(from), _) => from != self.state,
            // Known to have been entered after the last time that the open one was seen.
            (None, Some(since)) => since <= open.counted,
            (None, None) => true,
        }
    }
}

impl Entry {
    /// Whether a record is about this agent.
    fn is_of(&self, server: Option<(u32, Option<i64>)>, process: Option<Process>, said: &Said<'_>) -> bool {
        let other = |one: Option<_>, two: Option<_>| matches!((one, two), (Some(one), Some(two)) if one != two);
        if self.report.agent != said.agent || matches!((self.server, server), (Some(then), Some(now)) if then != now) {
            return false;
        }
        // A program that goes on may be told by another of its processes; one that has ended does not go on.
        let went_on = said.from.is_some_and(|from| from != AgentState::Exited);
        went_on || !other(self.process, process)
    }

    /// Ends the open state; `next` is the one that follows, if one does.
    fn finish(&mut self, at: Timestamp, next: Option<AgentState>, account_since: Timestamp) {
        self.report.state = next;
        let Some(open) = self.open.take() else { return };
        let at = at.max(open.since);
        if open.state != AgentState::Waiting || at.max(open.counted) < account_since {
            return;
        }
        self.report.waits.count += 1;
        if next.is_some_and(|next| next != AgentState::Exited) {
            self.report.waits.answered += 1;
            self.report.waits.answers.push(Answer { seconds: seconds(open.since, at), kind: open.kind });
        }
    }
}

fn is_silent(heard: Timestamp, now: Timestamp) -> bool {
    seconds(heard, now) > SILENT.as_secs_f64()
}

/// Seconds from one moment to another; 0 when the clock went back.
fn seconds(from: Timestamp, to: Timestamp) -> f64 {
    to.duration_since(from).as_secs_f64().max(0.0)
}
