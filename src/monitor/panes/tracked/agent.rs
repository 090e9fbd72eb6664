//! What happens to the agent in a pane: verdicts, time, its end. Each transition returns the event for the log.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use jiff::Timestamp;

use crate::monitor::detect::Verdict;
use crate::monitor::panes::memory::Remembered;
use crate::monitor::panes::occupant::News;
use crate::monitor::panes::record::{Change, Record};
use crate::monitor::panes::tracked::{DWELL, Tracked};
use crate::monitor::{AgentState, EventKind, Tidying};
use crate::tmux::Pane;

/// How long an agent's pane must have served another program since it ended.
const SERVES_ANOTHER: Duration = Duration::from_secs(5);

impl Tracked {
    /// Its agent, once a verdict was made.
    #[must_use]
    pub fn record(&self) -> Option<&Record> {
        self.occupant.record()
    }

    /// The state of its agent.
    #[must_use]
    pub fn state(&self) -> Option<AgentState> {
        self.record().map(Record::state)
    }

    /// What the engine before this one knew of its agent, until the first verdict.
    pub fn remember(&mut self, then: Remembered) {
        self.occupant.remember(then);
    }

    /// Takes in a verdict: its record puts it in force, now or when it is confirmed. Returns the event for the log.
    pub fn judge(
        &mut self,
        verdict: Arc<Verdict>,
        at: Timestamp,
        now: Instant,
        interval: Duration,
    ) -> Option<EventKind> {
        let before = self.state();
        // What ended before this engine came is not known to have ended now.
        let ended = verdict.state == AgentState::Exited && !self.occupant.resumes_with(&verdict);
        let news = self.occupant.judge(verdict, at, now, self.reading.changed_at(), self.pane.in_view);
        if ended && let Some(record) = self.occupant.record_mut() {
            record.failed(now, interval);
            if record.state() == AgentState::Exited && before != Some(AgentState::Exited) {
                // A shell reports to nobody with what status its programs end. One that left the alternate screen on was
                // killed, and of a dead pane tmux reports status and signal.
                let Pane { alternate_on, dead_signal, dead_status, .. } = self.pane;
                let failed = alternate_on || dead_signal.is_some() || dead_status.is_some_and(|status| status != 0);
                record.left_at = (!failed).then_some(now);
            }
        }
        match news? {
            News::Appeared => {
                let record = self.record()?;
                Some(EventKind::Appeared {
                    pane_id: self.pulse.id,
                    target: self.pane.target(),
                    agent: record.verdict.agent.clone(),
                    state: record.state(),
                    kind: record.kind.clone(),
                })
            }
            News::Changed(change) => self.transition(change),
        }
    }

    /// Its user puts something on its agent, or takes it away. `false`: it holds another program than the one that is meant.
    pub fn tidy(&mut self, tidying: Tidying, at: Timestamp) -> bool {
        let meant = (tidying.pid, tidying.start);
        let Some(record) = self.occupant.record_mut() else { return false };
        if (record.verdict.pid, record.verdict.start) != meant {
            return false;
        }
        record.tidy = record.tidy.after(tidying.change, at);
        true
    }

    /// Its user looked at it.
    pub fn seen(&mut self) {
        if let Some(record) = self.occupant.record_mut() {
            record.seen();
        }
    }

    /// When the pending verdict will be in force.
    #[must_use]
    pub fn settles_at(&self) -> Option<Instant> {
        self.record()?.settles_at()
    }

    /// Puts the pending verdict in force if its time has come by `now`. Returns the event for the log.
    pub fn settle(&mut self, at: Timestamp, now: Instant) -> Option<EventKind> {
        let change = self.occupant.record_mut()?.settle(at, now, self.pane.in_view)?;
        self.transition(change)
    }

    /// What time alone changes of an agent: a verdict is confirmed, a dead program is still dead, its load is sampled, one
    /// that ended is dismissed. Returns the events for the log.
    pub fn pass_time(&mut self, at: Timestamp, now: Instant, interval: Duration) -> Vec<EventKind> {
        let settled = self.settle(at, now);
        let Some(record) = self.occupant.record_mut() else { return Vec::new() };
        if record.state() == AgentState::Exited {
            record.failed(now, interval);
        }
        record.activity.advance(now);
        record.tidy.pass_time(at);
        self.program.sample_load(now);
        let gone = if self.has_moved_on(now) { self.dismiss_agent() } else { None };
        settled.into_iter().chain(gone).collect()
    }

    /// Whether its agent, which its user left in order, is of no interest any more: the pane has served another program
    /// for a moment, or its user has looked at it since.
    fn has_moved_on(&self, now: Instant) -> bool {
        let Some(left_at) = self.record().filter(|record| record.state() == AgentState::Exited).and_then(|r| r.left_at)
        else {
            return false;
        };
        let serves = !self.pulse.dead
            && now.saturating_duration_since(left_at) >= SERVES_ANOTHER
            && self.program.serves_another();
        let seen = self.in_view_since.is_some_and(|since| {
            self.pane.in_view
                && now.saturating_duration_since(since.max(left_at)) >= DWELL
                && self.described.at() > Some(left_at + DWELL)
        });
        serves || seen
    }

    /// No agent is in it. Returns the event for the log, if it had one.
    pub fn forget_agent(&mut self) -> Option<EventKind> {
        let record = self.occupant.leave()?;
        Some(self.gone(&record))
    }

    /// The same where its user knows, or has to know nothing: what it left behind makes no agent.
    pub fn dismiss_agent(&mut self) -> Option<EventKind> {
        let record = self.occupant.dismiss()?;
        Some(self.gone(&record))
    }

    fn gone(&self, record: &Record) -> EventKind {
        let agent = record.verdict.agent.clone();
        EventKind::Gone { pane_id: self.pulse.id, target: self.pane.target(), agent }
    }

    fn transition(&self, change: Change) -> Option<EventKind> {
        let verdict = &self.record()?.verdict;
        Some(EventKind::Transition {
            pane_id: self.pulse.id,
            target: self.pane.target(),
            agent: verdict.agent.clone(),
            from: change.from,
            to: change.to,
            kind: change.kind,
            evidence: verdict.evidence.clone(),
        })
    }
}
