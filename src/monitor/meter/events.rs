//! The engine's event log: what happened, newest last, at a fixed size.

use std::{
    collections::VecDeque,
    sync::Arc,
    time::{Duration, Instant},
};

use jiff::Timestamp;

use crate::monitor::{EVENTS_KEPT, Event, EventKind, clock};

/// Events that made room for newer ones are kept for so long for who reads each of them: a burst of them can fill the ring
/// many times within one cycle.
const BACKLOG_FOR: Duration = Duration::from_secs(60);

/// Most of them.
const BACKLOG: usize = 20_000;

/// Notes that are kept.
const NOTES: usize = 8;

/// The newest events.
#[derive(Debug, Default)]
pub struct Events {
    /// For the panel.
    kept: VecDeque<Event>,
    published: Arc<Vec<Event>>,
    /// Those before, with the time at which they made room.
    backlog: VecDeque<(Instant, Event)>,
    published_backlog: Arc<Vec<Event>>,
    seq: u64,
    dirty: bool,
    notes: Vec<String>,
}

impl Events {
    /// Adds one.
    pub fn push(&mut self, at: Timestamp, what: EventKind) {
        self.seq += 1;
        if self.kept.len() == EVENTS_KEPT
            && let Some(oldest) = self.kept.pop_front()
        {
            if self.backlog.len() == BACKLOG {
                self.backlog.pop_front();
            }
            self.backlog.push_back((clock::now(), oldest));
        }
        self.kept.push_back(Event { seq: self.seq, at, what });
        self.dirty = true;
    }

    /// Adds a notice in words.
    pub fn notice(&mut self, at: Timestamp, text: impl Into<String>, problem: bool) {
        self.push(at, EventKind::Notice { text: text.into(), problem });
    }

    /// Adds what happened, in its order.
    pub fn extend(&mut self, happened: impl IntoIterator<Item = (Timestamp, EventKind)>) {
        happened.into_iter().for_each(|(at, what)| self.push(at, what));
    }

    /// Adds a problem that goes on: its text is kept in view, once.
    pub fn note(&mut self, at: Timestamp, text: String) {
        if !self.notes.contains(&text) {
            if self.notes.len() == NOTES {
                self.notes.remove(0);
            }
            self.notes.push(text.clone());
        }
        self.notice(at, text, true);
    }

    /// What is kept in view, oldest first.
    #[must_use]
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Number of the newest; 0 before the first.
    #[must_use]
    pub fn newest(&self) -> u64 {
        self.seq
    }

    /// Those after the one of this number, as far as they are kept.
    pub fn since(&self, seq: u64) -> impl Iterator<Item = &Event> {
        let backlog = self.backlog.iter().map(|(_, event)| event);
        backlog.chain(&self.kept).filter(move |event| event.seq > seq)
    }

    /// Those that made room for newer ones a short time ago, for readers of each.
    pub fn backlog(&mut self) -> Arc<Vec<Event>> {
        let now = clock::now();
        let old = |(at, _): &(Instant, Event)| now.saturating_duration_since(*at) >= BACKLOG_FOR;
        while self.backlog.front().is_some_and(old) {
            self.backlog.pop_front();
        }
        let ends = |seqs: (Option<&Event>, Option<&Event>)| (seqs.0.map(|e| e.seq), seqs.1.map(|e| e.seq));
        let is = ends((self.backlog.front().map(|(_, event)| event), self.backlog.back().map(|(_, event)| event)));
        if is != ends((self.published_backlog.first(), self.published_backlog.last())) {
            self.published_backlog = Arc::new(self.backlog.iter().map(|(_, event)| event.clone()).collect());
        }
        Arc::clone(&self.published_backlog)
    }

    /// All that are kept, for a snapshot: the same allocation as before when nothing came.
    pub fn published(&mut self) -> Arc<Vec<Event>> {
        if self.dirty {
            self.published = Arc::new(self.kept.iter().cloned().collect());
            self.dirty = false;
        }
        Arc::clone(&self.published)
    }
}

/// An event with its words, for the log.
pub fn log_event(event: &Event) {
    match &event.what {
        EventKind::Transition { pane_id, target, agent, from, to, kind, evidence } => tracing::info!(
            %pane_id, target, agent, %from, %to, kind, rule = evidence.rule, "transition"
        ),
        EventKind::Appeared { pane_id, target, agent, state, .. } => {
            tracing::info!(%pane_id, target, agent, %state, "appeared");
        }
        EventKind::Gone { pane_id, target, agent } => tracing::info!(%pane_id, target, agent, "gone"),
        // Not what was sent: a message may hold what no log should.
        EventKind::Acted(acted) => {
            tracing::info!(pane_id = %acted.pane_id, target = acted.target, act = %acted.act, ok = acted.ok, "acted");
        }
        EventKind::Changed { setting, from, to } => tracing::info!(setting, from, to, "changed"),
        EventKind::Limit { program, account, percent, limit } => {
            tracing::info!(program, account, percent, minutes = limit.minutes, "limit");
        }
        EventKind::Notice { text, problem: true } => tracing::warn!(text),
        EventKind::Notice { text, problem: false } => tracing::info!(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_that_goes_on_is_kept_in_view_once_and_told_each_time() {
        let (mut events, at) = (Events::default(), Timestamp::UNIX_EPOCH);
        for n in [0, 1, 1, 2, 3, 4, 5, 6, 7, 8] {
            events.note(at, format!("problem {n}"));
        }
        assert_eq!(events.newest(), 10);
        assert_eq!(events.notes().len(), NOTES);
        assert_eq!((events.notes()[0].as_str(), events.notes()[7].as_str()), ("problem 1", "problem 8"));
    }
}
