//! The engine's event log: what happened, newest last, at a fixed size.

use std::{collections::VecDeque, sync::Arc};

use jiff::Timestamp;

use super::{EVENTS_KEPT, Event, EventKind};

/// The newest events.
#[derive(Debug, Default)]
pub struct Events {
    kept: VecDeque<Event>,
    published: Arc<Vec<Event>>,
    seq: u64,
    dirty: bool,
}

impl Events {
    /// Adds one.
    pub fn push(&mut self, at: Timestamp, what: EventKind) {
        self.seq += 1;
        if self.kept.len() == EVENTS_KEPT {
            self.kept.pop_front();
        }
        self.kept.push_back(Event { seq: self.seq, at, what });
        self.dirty = true;
    }

    /// Adds a notice in words.
    pub fn notice(&mut self, at: Timestamp, text: impl Into<String>, problem: bool) {
        self.push(at, EventKind::Notice { text: text.into(), problem });
    }

    /// Number of the newest; 0 before the first.
    #[must_use]
    pub fn newest(&self) -> u64 {
        self.seq
    }

    /// Those after the one of this number, as far as they are kept.
    pub fn since(&self, seq: u64) -> impl Iterator<Item = &Event> {
        self.kept.iter().filter(move |event| event.seq > seq)
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
        EventKind::Notice { text, problem: true } => tracing::warn!(text),
        EventKind::Notice { text, problem: false } => tracing::info!(text),
    }
}
