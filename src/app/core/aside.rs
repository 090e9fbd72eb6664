//! What a user put on agents, in their list: who is out of the way is folded at its end, who is pinned is on top.

use std::cmp::Ordering;

use crate::app::core::fleet::Fleet;
use crate::app::core::list::{Line, List, Sort};
use crate::monitor::Agent;

impl List {
    /// Those that are out of the way: one line at the end, and they below it where they are shown. What is looked for with a
    /// filter is found wherever it is.
    pub(super) fn put_aside(&mut self, fleet: &Fleet, aside: Vec<Line>) {
        if aside.is_empty() {
            return;
        }
        let is_parked = |line: &&Line| matches!(line, Line::Agent(place) if fleet.at(*place).is_some_and(|(_, agent)| agent.parked));
        let parked = aside.iter().filter(is_parked).count();
        self.lines.push(Line::Aside { parked, snoozed: aside.len() - parked });
        if self.shows_aside() {
            self.lines.extend(aside);
        }
    }

    /// Whether those that are out of the way are listed.
    #[must_use]
    pub fn shows_aside(&self) -> bool {
        self.aside || !self.filter.trim().is_empty()
    }

    /// Pinned rows are on top of all others but those that need their user, where these are wanted first.
    pub(super) fn pins(&self, x: &Agent, y: &Agent) -> Ordering {
        let needy_first = self.sort == Sort::Need && !self.reverse;
        let rank = |agent: &Agent| match (needy_first && agent.needs_user(), agent.pinned) {
            (true, _) => 0,
            (false, true) => 1,
            (false, false) => 2,
        };
        rank(x).cmp(&rank(y))
    }
}
