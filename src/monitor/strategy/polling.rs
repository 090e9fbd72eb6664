//! `polling`: one pane after another over one connection, spread over the interval.

use std::time::Duration;

use crate::monitor::strategy::{Plan, Strategy, View};
use crate::tmux::PaneId;

/// Slices an interval is cut into at most: each costs a probe.
const SLICES: u32 = 10;

/// Shortest slice.
const SHORTEST: Duration = Duration::from_millis(100);

/// Reads a slice of the panes in every cycle, one request each, so that all have had their turn once an interval: the
/// lowest peak load, the oldest verdicts.
#[derive(Clone, Debug, Default)]
pub struct Polling {
    /// The pane that was read last; the next slice begins behind it.
    last: Option<PaneId>,
}

impl Strategy for Polling {
    fn name(&self) -> &str {
        "polling"
    }

    fn plan(&mut self, view: &View<'_>) -> Result<Plan, String> {
        let slice = (view.interval / SLICES).max(SHORTEST).min(view.interval);
        let share = slice.as_secs_f64() / view.interval.as_secs_f64().max(f64::EPSILON);
        let count = (view.panes.len() as f64 * share).ceil() as usize;
        let start = self.last.and_then(|last| view.panes.iter().position(|p| p.pane == last)).map_or(0, |at| at + 1);
        let turn: Vec<_> = view.panes.iter().cycle().skip(start).take(count.min(view.panes.len())).collect();
        if let Some(last) = turn.last() {
            self.last = Some(last.pane);
        }
        // What has never been read does not wait for its turn: an unknown agent helps nobody.
        let first = view.panes.iter().filter(|p| p.read_at.is_none());
        let mut due: Vec<PaneId> = first
            .chain(turn.into_iter().filter(|p| p.read_at.is_some() && p.may_have_changed))
            .map(|p| p.pane)
            .collect();
        due.dedup();
        Ok(Plan { batches: due.into_iter().map(|pane| vec![pane]).collect(), width: 1, next: slice, early: None })
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, time::Instant};

    use super::*;
    use crate::monitor::AgentState;
    use crate::monitor::strategy::testing::{known, view};

    #[test]
    fn an_interval_gives_every_pane_one_turn_one_at_a_time() {
        let now = Instant::now();
        let panes: Vec<_> = (0..25).map(|id| known(id, AgentState::Working, now)).collect();
        let mut polling = Polling::default();
        let mut turns = Vec::new();
        for _ in 0..10 {
            let plan = polling.plan(&view(&panes, now)).unwrap();
            assert_eq!(plan.width, 1);
            assert_eq!(plan.next, Duration::from_millis(100));
            assert!(plan.batches.iter().all(|batch| batch.len() == 1));
            assert!(plan.batches.len() <= 3, "the load is spread");
            turns.extend(plan.batches.concat());
        }
        assert_eq!(turns.iter().collect::<BTreeSet<_>>().len(), 25);
    }
}
