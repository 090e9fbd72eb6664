//! Keeps account of the journal's records in their order: which agent was in which state, and for how long.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;

use super::{ALIVE_EVERY, Happened, Mark, Record, report::AgentReport};
use crate::{
    monitor::{ActKind, Acted, EventKind, State},
    tmux::PaneId,
};

/// An agent's key: one pane of one server.
type Key = (String, PaneId);

/// A state that has not ended yet.
#[derive(Clone, Copy)]
struct Open {
    state: State,
    at: Timestamp,
    by: u32,
}

/// Who was in which state, record by record.
pub(super) struct Account {
    since: Timestamp,
    agents: BTreeMap<Key, AgentReport>,
    open: HashMap<Key, Open>,
    /// When each engine was last heard of.
    heard: HashMap<(String, u32), Timestamp>,
}

impl Account {
    /// An account that begins at `since`.
    pub(super) fn new(since: Timestamp) -> Self {
        Self { since, agents: BTreeMap::new(), open: HashMap::new(), heard: HashMap::new() }
    }

    /// Takes the next record.
    pub(super) fn take(&mut self, record: &Record) {
        let engine = (record.server.clone(), record.by);
        let key = |pane: PaneId| (record.server.clone(), pane);
        match &record.what {
            Happened::Event(EventKind::Appeared { pane_id, target, agent, state, .. }) => {
                let key = key(*pane_id);
                self.name(&key, target, agent);
                self.close(&key, record.at, None);
                self.begin(&key, *state, record);
            }
            Happened::Event(EventKind::Transition { pane_id, target, agent, to, .. }) => {
                let key = key(*pane_id);
                self.name(&key, target, agent);
                self.close(&key, record.at, Some(*to));
                self.begin(&key, *to, record);
                if *to == State::Working
                    && record.at >= self.since
                    && let Some(agent) = self.agents.get_mut(&key)
                {
                    agent.turns += 1;
                }
            }
            Happened::Event(EventKind::Gone { pane_id, .. }) => self.close(&key(*pane_id), record.at, None),
            Happened::Event(EventKind::Acted(Acted { pane_id, act, ok, .. })) => {
                if *ok
                    && *act != ActKind::Jump
                    && record.at >= self.since
                    && let Some(agent) = self.agents.get_mut(&key(*pane_id))
                {
                    agent.acts += 1;
                }
                // Whoever acts is no engine: it says nothing about the watching.
                return;
            }
            Happened::Event(_) => {}
            Happened::Mark(Mark::EngineStarted) => {
                // The engine before it ended without a word.
                let stale = self.opened_by(&record.server, |_| true);
                for key in stale {
                    let end = self.last_heard(&key).unwrap_or(record.at);
                    self.close(&key, end, None);
                }
            }
            Happened::Mark(Mark::EngineStopped) => {
                for key in self.opened_by(&record.server, |by| by == record.by) {
                    self.close(&key, record.at, None);
                }
            }
            Happened::Mark(Mark::EngineAlive) => {}
        }
        self.heard.insert(engine, record.at);
    }

    fn opened_by(&self, server: &str, by: impl Fn(u32) -> bool) -> Vec<Key> {
        self.open.iter().filter(|(key, open)| key.0 == server && by(open.by)).map(|(key, _)| key.clone()).collect()
    }

    fn last_heard(&self, key: &Key) -> Option<Timestamp> {
        let open = self.open.get(key)?;
        self.heard.get(&(key.0.clone(), open.by)).copied()
    }

    fn name(&mut self, key: &Key, target: &str, agent: &str) {
        let report = self.agents.entry(key.clone()).or_insert_with(|| AgentReport::new(&key.0, key.1));
        target.clone_into(&mut report.target);
        agent.clone_into(&mut report.agent);
    }

    fn begin(&mut self, key: &Key, state: State, record: &Record) {
        self.open.insert(key.clone(), Open { state, at: record.at, by: record.by });
        if let Some(agent) = self.agents.get_mut(key) {
            agent.state = Some(state);
        }
    }

    /// Ends the state that lasts; `next` is the one that follows, if one does.
    fn close(&mut self, key: &Key, at: Timestamp, next: Option<State>) {
        let (Some(open), Some(agent)) = (self.open.remove(key), self.agents.get_mut(key)) else { return };
        agent.state = None;
        agent.count(open.state, seconds(open.at.max(self.since), at));
        if open.state == State::Waiting && at >= self.since {
            agent.waits.count += 1;
            if next.is_some_and(|next| next != State::Exited) {
                agent.waits.answered += 1;
                agent.waits.answers.push(seconds(open.at, at));
            }
        }
    }

    /// Ends what lasts at `now`, and gives all who were watched.
    pub(super) fn end(mut self, now: Timestamp) -> Vec<AgentReport> {
        // One that was heard of within two signs of life still runs.
        let patience = (ALIVE_EVERY * 2 + ALIVE_EVERY / 2).as_secs_f64();
        let keys: Vec<Key> = self.open.keys().cloned().collect();
        for key in keys {
            let heard = self.last_heard(&key).unwrap_or(now);
            if seconds(heard, now) > patience {
                self.close(&key, heard, None);
                continue;
            }
            let (Some(open), Some(agent)) = (self.open.remove(&key), self.agents.get_mut(&key)) else { continue };
            agent.count(open.state, seconds(open.at.max(self.since), now));
            if open.state == State::Waiting {
                agent.waits.count += 1;
                agent.waits.open += 1;
            }
        }
        self.agents.into_values().filter(|agent| agent.watched > 0.0).collect()
    }
}

/// Seconds from one moment to another; 0 when the clock went back.
fn seconds(from: Timestamp, to: Timestamp) -> f64 {
    to.duration_since(from).as_secs_f64().max(0.0)
}
