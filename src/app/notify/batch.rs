//! Holds notices back for a moment, so that what changed its mind is not told and what comes together is told together.

use std::time::{Duration, Instant};

use jiff::Timestamp;

use crate::app::notify::{AgentNotice, Notice, Rules};
use crate::{
    monitor::{Agent, EventReader, Snapshot},
    tmux::PaneId,
};

/// How long a state must last to be told of.
pub const SETTLE: Duration = Duration::from_millis(1200);

/// Notices that are held back, at most one for each pane, and those of limits.
#[derive(Clone, Debug)]
pub struct Batcher {
    events: EventReader,
    held: Vec<(Instant, Notice)>,
}

impl Batcher {
    /// Begins after the events that this snapshot has: what was so before is not news.
    #[must_use]
    pub fn new(snapshot: &Snapshot) -> Self {
        Self { events: EventReader::after(snapshot), held: Vec::new() }
    }

    /// Begins with the events from `from` on: what happened before is told by another.
    #[must_use]
    pub fn from(snapshot: &Snapshot, from: Timestamp) -> Self {
        Self { events: EventReader::from(snapshot, from), held: Vec::new() }
    }

    /// Goes on with another engine, after the events that it has; what is held back stays.
    pub fn follow(&mut self, snapshot: &Snapshot) {
        self.events = EventReader::after(snapshot);
    }

    /// The panes of which something is held back.
    pub fn held(&self) -> impl Iterator<Item = PaneId> {
        self.held.iter().filter_map(|(_, notice)| notice.pane())
    }

    /// Takes the new events of a snapshot, and lets go of what is no longer so.
    pub fn take(&mut self, snapshot: &Snapshot, rules: &Rules, now: Instant) {
        let news = self.events.read(snapshot);
        if news.another {
            // What another engine knows already is no news.
            self.held.clear();
            return;
        }
        for event in news.events {
            let server = &snapshot.server.socket;
            self.held.extend(rules.limit(server, event).map(|notice| (now, Notice::Limit(notice))));
            let Some(pane) = pane_of(event) else { continue };
            // Whatever was to be told of this pane is overtaken.
            self.held.retain(|(_, notice)| notice.pane() != Some(pane));
            let agent = snapshot.agents.iter().find(|agent| agent.pane_id == pane);
            if let Some(notice) = agent.and_then(|agent| rules.notice(server, event, agent)) {
                self.held.push((now, Notice::Agent(notice)));
            }
        }
        let is_so = |notice: &AgentNotice| snapshot.agents.iter().any(|agent| still(notice, agent));
        self.held.retain(|(_, notice)| notice.agent().is_none_or(is_so));
    }

    /// When something is to be told, if nothing changes until then.
    #[must_use]
    pub fn due(&self) -> Option<Instant> {
        // The youngest decides, but nobody is kept waiting for long by those who follow.
        let oldest = self.held.iter().map(|(at, _)| *at).min()?;
        let youngest = self.held.iter().map(|(at, _)| *at).max()?;
        Some((youngest + SETTLE).min(oldest + SETTLE * 3))
    }

    /// What is to be told now: one for each pane that nobody looks at, and limits.
    pub fn release(&mut self, snapshot: &Snapshot, now: Instant) -> Vec<Notice> {
        if self.due().is_none_or(|due| due > now) {
            return Vec::new();
        }
        let (ready, rest) = std::mem::take(&mut self.held).into_iter().partition(|(at, _)| *at + SETTLE <= now);
        self.held = rest;
        let ready: Vec<(Instant, Notice)> = ready;
        let unseen = |notice: &Notice| {
            let pane = notice.pane();
            pane.is_none_or(|pane| snapshot.agents.iter().any(|agent| agent.pane_id == pane && !agent.in_view))
        };
        ready.into_iter().map(|(_, notice)| notice).filter(unseen).collect()
    }
}

fn pane_of(event: &crate::monitor::Event) -> Option<PaneId> {
    match &event.what {
        crate::monitor::EventKind::Transition { pane_id, .. } => Some(*pane_id),
        _ => None,
    }
}

fn still(notice: &AgentNotice, agent: &Agent) -> bool {
    agent.pane_id == notice.pane_id && agent.state == notice.state && agent.kind == notice.kind
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{
        app::{
            core::fixture::{test_agent, test_snapshot},
            notify::notice::tests::event,
            settings,
        },
        monitor::{AgentState, Event, EventKind, Limit},
    };

    fn snapshot(agents: &[(u32, AgentState)], events: Vec<Event>) -> Snapshot {
        let agents = agents.iter().map(|(id, state)| test_agent(*id, *state)).collect();
        Snapshot { agents, events: Arc::new(events), ..test_snapshot() }
    }

    fn rules() -> Rules {
        Rules::new(&settings::defaults().notifications)
    }

    #[test]
    fn a_change_is_told_once_when_it_has_lasted() {
        let start = Instant::now();
        let before =
            snapshot(&[(1, AgentState::Working)], vec![event(1, 1, AgentState::Idle, AgentState::Waiting, None)]);
        let mut batcher = Batcher::new(&before);
        batcher.take(&before, &rules(), start);
        assert_eq!(batcher.due(), None, "what was so before is no news");
        let waits =
            snapshot(&[(1, AgentState::Waiting)], vec![event(2, 1, AgentState::Working, AgentState::Waiting, None)]);
        batcher.take(&waits, &rules(), start);
        assert!(batcher.release(&waits, start).is_empty());
        let later = batcher.due().unwrap();
        batcher.take(&waits, &rules(), later);
        assert_eq!(batcher.release(&waits, later).len(), 1);
        batcher.take(&waits, &rules(), later);
        assert!(batcher.release(&waits, later + SETTLE * 9).is_empty(), "only once");
    }

    #[test]
    fn what_changed_its_mind_or_is_in_view_is_not_told() {
        let start = Instant::now();
        let none = snapshot(&[(1, AgentState::Working)], Vec::new());
        let waits =
            snapshot(&[(1, AgentState::Waiting)], vec![event(1, 1, AgentState::Working, AgentState::Waiting, None)]);
        let mut batcher = Batcher::new(&none);
        batcher.take(&waits, &rules(), start);
        let works =
            snapshot(&[(1, AgentState::Working)], vec![event(2, 1, AgentState::Waiting, AgentState::Working, None)]);
        batcher.take(&works, &rules(), start + SETTLE / 2);
        assert_eq!(batcher.due(), None);

        let mut batcher = Batcher::new(&none);
        batcher.take(&waits, &rules(), start);
        let mut looked_at = waits;
        looked_at.agents[0].in_view = true;
        assert!(batcher.release(&looked_at, start + SETTLE).is_empty());
        assert_eq!(batcher.due(), None);
    }

    #[test]
    fn those_that_come_together_are_told_together() {
        let start = Instant::now();
        let mut batcher = Batcher::new(&snapshot(&[], Vec::new()));
        let all: Vec<(u32, AgentState)> = (0..40).map(|id| (id, AgentState::Waiting)).collect();
        let mut told = Vec::new();
        for id in 0..40_u32 {
            let now = start + Duration::from_millis(u64::from(id) * 50);
            let seq = u64::from(id) + 1;
            batcher.take(
                &snapshot(&all, vec![event(seq, id, AgentState::Working, AgentState::Waiting, None)]),
                &rules(),
                now,
            );
            let batch = batcher.release(&snapshot(&all, Vec::new()), now);
            if !batch.is_empty() {
                told.push(batch.len());
            }
        }
        while let Some(due) = batcher.due() {
            told.push(batcher.release(&snapshot(&all, Vec::new()), due).len());
        }
        assert_eq!(told.iter().sum::<usize>(), 40);
        assert!(told.len() <= 2, "{told:?}");
    }

    #[test]
    fn nobody_is_kept_waiting_by_those_who_follow() {
        let start = Instant::now();
        let mut batcher = Batcher::new(&snapshot(&[], Vec::new()));
        let all: Vec<(u32, AgentState)> = (0..100).map(|id| (id, AgentState::Waiting)).collect();
        // One more every second, for more than a minute and a half.
        let told = (0..100_u32).find(|id| {
            let now = start + Duration::from_secs(u64::from(*id));
            let seq = u64::from(*id) + 1;
            batcher.take(
                &snapshot(&all, vec![event(seq, *id, AgentState::Working, AgentState::Waiting, None)]),
                &rules(),
                now,
            );
            !batcher.release(&snapshot(&all, Vec::new()), now).is_empty()
        });
        assert!(told.is_some_and(|second| second <= 5), "{told:?}");
    }
    #[test]
    fn a_limit_is_told_of_whatever_its_agents_do() {
        let start = Instant::now();
        let none = snapshot(&[(1, AgentState::Working)], Vec::new());
        let limit = Limit { minutes: Some(300), used_percent: 82.0, resets_at: None, at: None };
        let what = EventKind::Limit { program: "claude".into(), account: "~/.claude".into(), percent: 80, limit };
        let mut crossed =
            snapshot(&[(1, AgentState::Working)], vec![Event { seq: 1, at: Timestamp::UNIX_EPOCH, what }]);
        crossed.agents[0].in_view = true;
        let mut settings = settings::defaults().notifications;
        let told = |on: &Rules| {
            let mut batcher = Batcher::new(&none);
            batcher.take(&crossed, on, start);
            let first = batcher.release(&crossed, start + SETTLE).len();
            batcher.take(&crossed, on, start + SETTLE);
            (first, batcher.release(&crossed, start + SETTLE * 9).len())
        };
        assert_eq!(told(&Rules::new(&settings)), (0, 0), "nobody asked for it");
        settings.on = vec!["limit".to_owned()];
        assert_eq!(told(&Rules::new(&settings)), (1, 0), "once");
    }
}
