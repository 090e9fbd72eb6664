//! How long agents have waited for their user, and of which waits a person is reminded.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use jiff::Timestamp;

use crate::monitor::{AgentState, Snapshot};
use crate::tmux::PaneId;

/// One wait of an agent.
#[derive(Clone, Debug)]
struct Wait {
    /// When the agent came into the state, by the clock of its engine: another one is another wait.
    since: Timestamp,
    /// The same by the clock of this process.
    began: Instant,
    /// How many of the reminders are over.
    reminded: usize,
}

/// The waits that there are. Each is due once for each of the steps.
#[derive(Clone, Debug, Default)]
pub struct Waits {
    waits: HashMap<PaneId, Wait>,
    steps: Vec<Duration>,
}

impl Waits {
    /// Takes the waits of a snapshot, and how long each lasts when a person is reminded, the shortest first.
    pub fn take(&mut self, snapshot: &Snapshot, steps: &[Duration], now: Instant) {
        if steps.is_empty() {
            self.waits.clear();
            self.steps.clear();
            return;
        }
        if self.steps != steps {
            // What is over by the new ones is no news.
            self.steps = steps.to_vec();
            for wait in self.waits.values_mut() {
                wait.reminded = passed(steps, now.duration_since(wait.began));
            }
        }
        let waiting = || snapshot.agents.iter().filter(|agent| agent.state == AgentState::Waiting);
        let since: HashMap<PaneId, Timestamp> = waiting().map(|agent| (agent.pane_id, agent.since)).collect();
        self.waits.retain(|pane, wait| since.get(pane) == Some(&wait.since));
        for agent in waiting() {
            self.waits.entry(agent.pane_id).or_insert_with(|| {
                let age = snapshot.timestamp.duration_since(agent.since).unsigned_abs();
                let began = now.checked_sub(age).unwrap_or(now);
                Wait { since: agent.since, began, reminded: passed(steps, age) }
            });
        }
    }

    /// The agent asks something else than before.
    pub fn begins(&mut self, pane: PaneId, now: Instant) {
        if let Some(wait) = self.waits.get_mut(&pane) {
            (wait.began, wait.reminded) = (now, 0);
        }
    }

    /// When the next reminder is due.
    #[must_use]
    pub fn due(&self) -> Option<Instant> {
        let next = |wait: &Wait| self.steps.get(wait.reminded).map(|step| wait.began + *step);
        self.waits.values().filter_map(next).min()
    }

    /// The agents of whom a person is to be reminded now, once for each step, and how long each has waited.
    pub fn release(&mut self, now: Instant) -> Vec<(PaneId, Duration)> {
        let steps = &self.steps;
        let due = self.waits.iter_mut().filter_map(|(pane, wait)| {
            let passed = passed(steps, now.duration_since(wait.began));
            let is_due = passed > wait.reminded;
            wait.reminded = wait.reminded.max(passed);
            // The step, rather than a second more that it took to come to it.
            is_due.then(|| (*pane, steps[passed - 1]))
        });
        let mut due: Vec<(PaneId, Duration)> = due.collect();
        due.sort_unstable();
        due
    }
}

/// How many steps are over after so long.
fn passed(steps: &[Duration], age: Duration) -> usize {
    steps.partition_point(|step| *step <= age)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::app::core::fixture::{test_agent, test_snapshot};

    const STEPS: [Duration; 2] = [Duration::from_secs(600), Duration::from_secs(3600)];

    /// One agent that is in a state since so many seconds.
    fn snapshot(state: AgentState, age: i64) -> Snapshot {
        let mut agent = test_agent(1, state);
        let snapshot = test_snapshot();
        agent.since = snapshot.timestamp - jiff::SignedDuration::from_secs(age);
        Snapshot { agents: vec![agent].into(), ..snapshot }
    }

    fn after(start: Instant, seconds: u64) -> Instant {
        start + Duration::from_secs(seconds)
    }

    #[test]
    fn a_wait_is_due_once_for_each_step_until_it_ends() {
        let start = Instant::now();
        let mut waits = Waits::default();
        let asks = snapshot(AgentState::Waiting, 0);
        waits.take(&asks, &STEPS, start);
        assert_eq!(waits.due(), Some(after(start, 600)));
        assert_eq!(waits.release(after(start, 599)), []);
        assert_eq!(waits.release(after(start, 601)), [(PaneId(1), STEPS[0])]);
        assert_eq!((waits.release(after(start, 700)), waits.due()), (vec![], Some(after(start, 3600))));
        // Another prompt follows in the same state.
        waits.begins(PaneId(1), after(start, 1000));
        assert_eq!(waits.due(), Some(after(start, 1600)));
        waits.take(&snapshot(AgentState::Working, 0), &STEPS, after(start, 1500));
        assert_eq!((waits.due(), waits.release(after(start, 9999))), (None, vec![]));
    }

    #[test]
    fn what_was_over_before_is_no_news_and_what_goes_on_is() {
        let start = Instant::now();
        let mut waits = Waits::default();
        waits.take(&snapshot(AgentState::Waiting, 900), &STEPS, start);
        assert_eq!((waits.release(start), waits.due()), (vec![], Some(after(start, 2700))));
        // Other settings.
        waits.take(&snapshot(AgentState::Waiting, 900), &[Duration::from_secs(800)], start);
        assert_eq!(waits.due(), None);
        waits.take(&snapshot(AgentState::Waiting, 900), &[Duration::from_secs(1000)], start);
        assert_eq!(waits.due(), Some(after(start, 100)));
        waits.take(&snapshot(AgentState::Waiting, 900), &[], start);
        assert_eq!((waits.due(), waits.release(after(start, 99_999))), (None, vec![]));
    }

    proptest! {
        #[test]
        fn nobody_is_reminded_more_often_than_there_are_steps(
            steps in proptest::collection::vec(1_u64..5000, 0..5),
            looks in proptest::collection::vec(0_u64..3000, 0..30),
        ) {
            let mut steps: Vec<Duration> = steps.into_iter().map(Duration::from_secs).collect();
            steps.sort_unstable();
            steps.dedup();
            let (start, mut at, mut told) = (Instant::now(), 0, 0);
            let mut waits = Waits::default();
            let asks = snapshot(AgentState::Waiting, 0);
            waits.take(&asks, &steps, start);
            for look in looks {
                at += look;
                waits.take(&asks, &steps, after(start, at));
                told += waits.release(after(start, at)).len();
                prop_assert!(waits.due().is_none_or(|due| due > after(start, at)));
            }
            prop_assert!(told <= passed(&steps, Duration::from_secs(at)));
            prop_assert_eq!(told == 0, passed(&steps, Duration::from_secs(at)) == 0);
        }
    }
}
