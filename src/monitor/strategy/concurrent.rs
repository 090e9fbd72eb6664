//! `concurrent`: every cycle, all panes that may have changed, in parallel batches over the whole pool.

use crate::monitor::strategy::{Plan, Strategy, View, split};
use crate::tmux::PaneId;

/// Fewest captures that are worth a request of their own: what a request costs by itself outweighs less.
const SMALLEST_BATCH: usize = 100;

/// Most captures in one request: beyond it the answer is large and one slow pane holds up many.
const LARGEST_BATCH: usize = 250;

/// Reads all that may have changed, at once: the freshest picture at the set interval, the highest peak.
#[derive(Clone, Copy, Debug, Default)]
pub struct Concurrent;

impl Strategy for Concurrent {
    fn name(&self) -> &str {
        "concurrent"
    }

    fn plan(&mut self, view: &View<'_>) -> Result<Plan, String> {
        let due: Vec<PaneId> = view.panes.iter().filter(|p| p.may_have_changed).map(|p| p.pane).collect();
        Ok(Plan {
            batches: split(&due, view.pool_size.min(due.len() / SMALLEST_BATCH), LARGEST_BATCH),
            width: view.pool_size.max(1),
            next: view.interval,
            early: None,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;
    use crate::monitor::AgentState;
    use crate::monitor::strategy::testing::{known, view};

    #[test]
    fn a_few_are_one_request() {
        let now = Instant::now();
        let panes: Vec<_> = (0..12).map(|id| known(id, AgentState::Working, now)).collect();
        let plan = Concurrent.plan(&view(&panes, now)).unwrap();
        assert_eq!(plan.batches.len(), 1);
        assert!(Concurrent.plan(&view(&[], now)).unwrap().batches.is_empty());
    }

    #[test]
    fn all_that_may_have_changed_is_spread_over_the_whole_pool() {
        let now = Instant::now();
        let mut panes: Vec<_> = (0..400).map(|id| known(id, AgentState::Working, now)).collect();
        panes[3].may_have_changed = false;
        let plan = Concurrent.plan(&view(&panes, now)).unwrap();
        assert_eq!(plan.width, 4, "the pool's size");
        assert_eq!(plan.batches.iter().map(Vec::len).collect::<Vec<_>>(), [133, 133, 133]);
        assert!(!plan.batches.concat().contains(&PaneId(3)));
    }
}
