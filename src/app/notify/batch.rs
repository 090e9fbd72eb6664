//! Holds notices back for a moment, so that what changed its mind is not told and what comes together is told together.

use std::{
    collections::HashSet,
    time::{Duration, Instant},
};

use jiff::Timestamp;

use crate::app::notify::waits::Waits;
use crate::app::notify::{AgentNotice, Notice, Rules};
use crate::{
    monitor::{Agent, EventReader, Snapshot},
    tmux::PaneId,
};

/// How long a state must last to be told of.
pub const SETTLE: Duration = Duration::from_millis(1200);

/// Longest sleep in quiet hours, whose end moves when the clocks are changed.
const QUIET_LOOK: Duration = Duration::from_secs(15 * 60);

/// Notices that are held back, at most one for each pane, and those of limits.
#[derive(Clone, Debug)]
pub struct Batcher {
    events: EventReader,
    held: Vec<(Instant, Notice)>,
    waits: Waits,
    /// What came in quiet hours, and when it is looked whether they are over.
    kept: Vec<AgentNotice>,
    quiet_until: Option<Instant>,
    /// The agents that their users had snoozed: one that is so no longer calls again.
    snoozed: HashSet<PaneId>,
}

/// The agents that are snoozed.
fn snoozed(snapshot: &Snapshot) -> HashSet<PaneId> {
    snapshot.agents.iter().filter(|agent| agent.snoozed).map(|agent| agent.pane_id).collect()
}

impl Batcher {
    /// Begins after the events that this snapshot has: what was so before is not news.
    #[must_use]
    pub fn new(snapshot: &Snapshot) -> Self {
        Self::reading(EventReader::after(snapshot), snapshot)
    }

    /// Begins with the events from `from` on: what happened before is told by another.
    #[must_use]
    pub fn from(snapshot: &Snapshot, from: Timestamp) -> Self {
        Self::reading(EventReader::from(snapshot, from), snapshot)
    }

    fn reading(events: EventReader, snapshot: &Snapshot) -> Self {
        let (waits, snoozed) = (Waits::default(), snoozed(snapshot));
        Self { events, held: Vec::new(), waits, kept: Vec::new(), quiet_until: None, snoozed }
    }

    /// Goes on with another engine, after the events that it has; what is held back stays.
    pub fn follow(&mut self, snapshot: &Snapshot) {
        self.events = EventReader::after(snapshot);
    }

    /// The panes of which something is held back, or kept for the end of the quiet hours.
    pub fn held(&self) -> impl Iterator<Item = PaneId> {
        let held = self.held.iter().filter_map(|(_, notice)| notice.pane());
        held.chain(self.kept.iter().map(|notice| notice.pane_id))
    }

    /// Takes the new events of a snapshot, and lets go of what is no longer so.
    pub fn take(&mut self, snapshot: &Snapshot, rules: &Rules, now: Instant) {
        self.waits.take(snapshot, rules.reminders(), now);
        let news = self.events.read(snapshot);
        if news.another {
            // What another engine knows already is no news.
            self.held.clear();
            self.snoozed = snoozed(snapshot);
            return;
        }
        for event in news.events {
            let server = &snapshot.server.socket;
            self.held.extend(rules.limit(server, event).map(|notice| (now, Notice::Limit(notice))));
            let Some(pane) = pane_of(event) else { continue };
            // Whatever was to be told of this pane is overtaken.
            self.held.retain(|(_, notice)| notice.pane() != Some(pane));
            self.kept.retain(|notice| notice.pane_id != pane);
            self.waits.begins(pane, now);
            let agent = snapshot.agents.iter().find(|agent| agent.pane_id == pane);
            if let Some(notice) = agent.and_then(|agent| rules.notice(server, event, agent)) {
                self.held.push((now, Notice::Agent(notice)));
            }
        }
        let before = std::mem::replace(&mut self.snoozed, snoozed(snapshot));
        for agent in snapshot.agents.iter().filter(|agent| before.contains(&agent.pane_id)) {
            if !self.held.iter().any(|(_, notice)| notice.pane() == Some(agent.pane_id)) {
                let woken = rules.woken(&snapshot.server.socket, snapshot.timestamp, agent);
                self.held.extend(woken.map(|notice| (now, Notice::Agent(notice))));
            }
        }
        let is_so = |notice: &AgentNotice| snapshot.agents.iter().any(|agent| still(notice, agent));
        self.held.retain(|(_, notice)| notice.agent().is_none_or(is_so));
        self.kept.retain(is_so);
    }

    /// When something is to be told, if nothing changes until then.
    #[must_use]
    pub fn due(&self) -> Option<Instant> {
        let quiet_until = self.quiet_until.filter(|_| !self.kept.is_empty());
        [self.settled(), self.waits.due(), quiet_until].into_iter().flatten().min()
    }

    /// When the changes that are held back have settled.
    fn settled(&self) -> Option<Instant> {
        // The youngest decides, but nobody is kept waiting for long by those who follow.
        let oldest = self.held.iter().map(|(at, _)| *at).min()?;
        let youngest = self.held.iter().map(|(at, _)| *at).max()?;
        Some((youngest + SETTLE).min(oldest + SETTLE * 3))
    }

    /// What is to be told now: one for each pane that nobody looks at, and limits. `quiet`: how much longer nothing is; what
    /// agents wait for until then is told then. A limit is not: it has its place in every header.
    pub fn release(
        &mut self,
        snapshot: &Snapshot,
        rules: &Rules,
        now: Instant,
        quiet: Option<Duration>,
    ) -> Vec<Notice> {
        let mut ready = Vec::new();
        if self.settled().is_some_and(|due| due <= now) {
            let held = std::mem::take(&mut self.held).into_iter();
            let (settled, rest) = held.partition(|(at, _)| *at + SETTLE <= now);
            self.held = rest;
            let settled: Vec<(Instant, Notice)> = settled;
            ready.extend(settled.into_iter().map(|(_, notice)| notice));
        }
        for (pane, waited) in self.waits.release(now) {
            let agent = snapshot.agents.iter().find(|agent| agent.pane_id == pane);
            let reminder = agent.and_then(|agent| rules.reminder(&snapshot.server.socket, agent, waited));
            if let Some(reminder) = reminder.filter(|_| !ready.iter().any(|notice| notice.pane() == Some(pane))) {
                self.kept.retain(|kept| kept.pane_id != pane);
                ready.push(Notice::Agent(reminder));
            }
        }
        if let Some(left) = quiet {
            self.quiet_until = Some(now + left.min(QUIET_LOOK));
            self.kept.extend(ready.into_iter().filter_map(|notice| match notice {
                Notice::Agent(notice) => Some(notice),
                Notice::Limit(_) => None,
            }));
            return Vec::new();
        }
        let ready = self.kept.drain(..).map(Notice::Agent).chain(ready);
        let unseen = |notice: &Notice| {
            let pane = notice.pane();
            pane.is_none_or(|pane| snapshot.agents.iter().any(|agent| agent.pane_id == pane && !agent.in_view))
        };
        ready.filter(unseen).collect()
    }
}

fn pane_of(event: &crate::monitor::Event) -> Option<PaneId> {
    match &event.what {
        crate::monitor::EventKind::Transition { pane_id, .. } => Some(*pane_id),
        _ => None,
    }
}

fn still(notice: &AgentNotice, agent: &Agent) -> bool {
    agent.pane_id == notice.pane_id
        && agent.state == notice.state
        && agent.kind == notice.kind
        && !agent.is_aside()
        && !agent.muted
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

    /// Those of the defaults, without reminders.
    fn rules() -> Rules {
        Rules::new(&settings::Notifications { remind_after: Vec::new(), ..settings::defaults().notifications })
    }

    #[test]
    fn who_is_out_of_the_way_or_muted_is_not_told_of_and_one_that_was_snoozed_calls_again() {
        let start = Instant::now();
        let waits = |seq: u64, tidy: &dyn Fn(&mut Agent)| {
            let event = event(seq, 1, AgentState::Working, AgentState::Waiting, None);
            let mut snapshot = snapshot(&[(1, AgentState::Waiting)], vec![event]);
            tidy(&mut snapshot.agents[0]);
            snapshot
        };
        let told = |batcher: &mut Batcher, snapshot: &Snapshot| {
            batcher.take(snapshot, &rules(), start);
            batcher.release(snapshot, &rules(), start + SETTLE * 4, None).len()
        };
        let none = snapshot(&[(1, AgentState::Working)], Vec::new());
        let tidy: [&dyn Fn(&mut Agent); 3] =
            [&|agent| agent.parked = true, &|agent| agent.snoozed = true, &|agent| agent.muted = true];
        for (n, tidy) in tidy.into_iter().enumerate() {
            let mut batcher = Batcher::new(&none);
            assert_eq!(told(&mut batcher, &waits(1, tidy)), 0);
            // It is as before: a snooze alone was only put off.
            assert_eq!(told(&mut batcher, &waits(1, &|_| {})), usize::from(n == 1), "{n}");
            assert_eq!(told(&mut batcher, &waits(1, &|_| {})), 0, "once");
        }
        // Parked while the notice was held back.
        let mut batcher = Batcher::new(&none);
        batcher.take(&waits(1, &|_| {}), &rules(), start);
        assert_eq!(told(&mut batcher, &waits(1, &|agent| agent.parked = true)), 0);
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
        assert!(batcher.release(&waits, &rules(), start, None).is_empty());
        let later = batcher.due().unwrap();
        batcher.take(&waits, &rules(), later);
        assert_eq!(batcher.release(&waits, &rules(), later, None).len(), 1);
        batcher.take(&waits, &rules(), later);
        assert!(batcher.release(&waits, &rules(), later + SETTLE * 9, None).is_empty(), "only once");
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
        assert!(batcher.release(&looked_at, &rules(), start + SETTLE, None).is_empty());
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
            let batch = batcher.release(&snapshot(&all, Vec::new()), &rules(), now, None);
            if !batch.is_empty() {
                told.push(batch.len());
            }
        }
        while let Some(due) = batcher.due() {
            told.push(batcher.release(&snapshot(&all, Vec::new()), &rules(), due, None).len());
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
            !batcher.release(&snapshot(&all, Vec::new()), &rules(), now, None).is_empty()
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
            let first = batcher.release(&crossed, on, start + SETTLE, None).len();
            batcher.take(&crossed, on, start + SETTLE);
            (first, batcher.release(&crossed, on, start + SETTLE * 9, None).len())
        };
        assert_eq!(told(&Rules::new(&settings)), (0, 0), "nobody asked for it");
        settings.on = vec!["limit".to_owned()];
        assert_eq!(told(&Rules::new(&settings)), (1, 0), "once");
    }

    #[test]
    fn who_still_waits_is_told_of_again_unless_somebody_looks() {
        let rules = Rules::new(&settings::defaults().notifications);
        let start = Instant::now();
        let mut batcher = Batcher::new(&snapshot(&[(1, AgentState::Working)], Vec::new()));
        let mut waits =
            snapshot(&[(1, AgentState::Waiting)], vec![event(1, 1, AgentState::Working, AgentState::Waiting, None)]);
        waits.agents[0].since = waits.timestamp;
        batcher.take(&waits, &rules, start);
        assert_eq!(batcher.release(&waits, &rules, start + SETTLE, None).len(), 1);
        let due = batcher.due().unwrap();
        assert_eq!(due, start + Duration::from_secs(600));
        let again = batcher.release(&waits, &rules, due, None);
        assert_eq!(crate::app::notify::summary(&again), "s:0.1 claude still waits for you after 10 min");
        assert_eq!(batcher.due(), None, "one step, one reminder");
        batcher.take(&snapshot(&[(1, AgentState::Working)], Vec::new()), &rules, due);
        waits.agents[0].in_view = true;
        batcher.take(&waits, &rules, due);
        assert_eq!(batcher.release(&waits, &rules, due + Duration::from_secs(700), None), []);
    }

    #[test]
    fn what_waits_when_quiet_hours_end_is_told_then() {
        let rules = Rules::new(&settings::defaults().notifications);
        let start = Instant::now();
        let hour = Duration::from_secs(3600);
        let mut batcher = Batcher::new(&snapshot(&[], Vec::new()));
        let both = [(1, AgentState::Waiting), (2, AgentState::Waiting)];
        let event = |seq, pane| event(seq, pane, AgentState::Working, AgentState::Waiting, None);
        let mut waits = snapshot(&both, vec![event(1, 1), event(2, 2)]);
        waits.agents[0].since = waits.timestamp;
        waits.agents[1].since = waits.timestamp;
        batcher.take(&waits, &rules, start);
        assert_eq!(batcher.release(&waits, &rules, start + SETTLE, Some(hour)), []);
        assert!(batcher.due().is_some_and(|due| due <= start + hour), "it is looked again");
        assert_eq!(batcher.release(&waits, &rules, start + hour / 2, Some(hour / 2)), [], "its reminder too");
        // One is answered meanwhile.
        let mut later = snapshot(&[(1, AgentState::Waiting), (2, AgentState::Working)], Vec::new());
        later.agents[0].since = waits.timestamp;
        batcher.take(&later, &rules, start + hour);
        let told = batcher.release(&later, &rules, start + hour, None);
        assert_eq!(crate::app::notify::summary(&told), "s:0.1 claude still waits for you after 10 min");
        assert_eq!(batcher.release(&later, &rules, start + hour, None), []);
        assert_eq!(batcher.due(), None);
    }
}
