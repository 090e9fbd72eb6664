//! The sync engine's way: one agent after another, in every cycle.

use crate::monitor::strategy::{Plan, Strategy, View};

/// Reads every agent that may have changed, one at a time, once an interval.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sequential;

impl Strategy for Sequential {
    fn name(&self) -> &str {
        "sequential"
    }

    fn plan(&mut self, view: &View<'_>) -> Result<Plan, String> {
        let due = view.panes.iter().filter(|p| p.may_have_changed);
        Ok(Plan { batches: due.map(|p| vec![p.pane]).collect(), width: 1, next: view.interval, early: None })
    }
}
