//! How wide the values of agents are, column by column. Kept from one snapshot of a member to the next, of which few agents
//! differ: the columns are placed anew with every frame, and thousands of values are not written for that.

use crate::app::core::column::{Row, cells};
use crate::monitor::{Agent, Agents};

/// Those of one table of columns.
#[derive(Clone, Debug)]
pub struct Widths {
    table: &'static [Row],
    /// In the order of the table.
    columns: Vec<Width>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Width {
    /// Agents of which it is known.
    known: usize,
    /// Cells of the widest value: for the first wish, and for those after it.
    widest: [usize; 2],
}

impl Width {
    fn of<'a>(row: &Row, agents: impl Iterator<Item = &'a Agent>) -> Self {
        agents.fold(Self::default(), |width, agent| width.and(Self::of_one(row, agent)))
    }

    fn of_one(row: &Row, agent: &Agent) -> Self {
        Self { known: row.is_known(agent).into(), widest: cells(row, agent).unwrap_or_default() }
    }

    fn and(self, other: Self) -> Self {
        let [one, two] = self.widest;
        Self { known: self.known + other.known, widest: [one.max(other.widest[0]), two.max(other.widest[1])] }
    }
}

impl Widths {
    /// Those of these agents.
    #[must_use]
    pub fn of<'a>(table: &'static [Row], agents: impl Iterator<Item = &'a Agent> + Clone) -> Self {
        Self { table, columns: table.iter().map(|row| Width::of(row, agents.clone())).collect() }
    }

    /// Those of `now`, where these are those of `before`.
    #[must_use]
    pub fn after(&self, before: &Agents, now: &Agents) -> Self {
        if before.len() != now.len() {
            return Self::of(self.table, now.iter());
        }
        let after = |(row, width): (&Row, &Width)| {
            let mut next = *width;
            for (was, is) in now.changed(before) {
                let (was, is) = (Width::of_one(row, was), Width::of_one(row, is));
                // What was the widest may be it no more: who is then, only all of them can tell.
                if (0..2).any(|wish| was.widest[wish] > is.widest[wish] && was.widest[wish] == next.widest[wish]) {
                    return Width::of(row, now.iter());
                }
                next = Width { known: (next.known + is.known).saturating_sub(was.known), ..next.and(is) };
            }
            next
        };
        Self { table: self.table, columns: self.table.iter().zip(&self.columns).map(after).collect() }
    }

    /// Those of both. They are of the same table.
    #[must_use]
    pub(crate) fn and(mut self, other: &Self) -> Self {
        self.columns.iter_mut().zip(&other.columns).for_each(|(width, other)| *width = width.and(*other));
        self
    }

    fn at(&self, row: &Row) -> Width {
        let place = self.table.iter().position(|other| other.column == row.column);
        place.and_then(|place| self.columns.get(place)).copied().unwrap_or_default()
    }

    /// Whether something is known of any agent that this column could show.
    #[must_use]
    pub fn is_known(&self, row: &Row) -> bool {
        self.at(row).known > 0
    }

    /// Cells of the widest value; for a wish after the first as it is where there is room.
    #[must_use]
    pub fn widest(&self, row: &Row, first: bool) -> usize {
        self.at(row).widest[usize::from(!first)]
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::app::core::column::COLUMNS;
    use crate::app::core::fixture::test_agent;
    use crate::monitor::AgentState;

    fn agent(pane: u32, length: usize) -> Agent {
        let mut agent = test_agent(pane, AgentState::Working);
        agent.branch = (length > 0).then(|| "b".repeat(length));
        agent.target = format!("{}:1.0", "t".repeat(length));
        agent.version = length.is_multiple_of(2).then(|| "v".repeat(length));
        agent
    }

    proptest! {
        #[test]
        fn those_that_are_kept_are_those_of_all_agents(steps in proptest::collection::vec((0_usize..5, 0_usize..9), 1..30)) {
            let mut agents: Agents = (0..5).map(|pane| agent(pane, pane as usize)).collect();
            let mut kept = Widths::of(COLUMNS, agents.iter());
            for (place, length) in steps {
                let before = agents.clone();
                agents[place] = agent(9, length);
                kept = kept.after(&before, &agents);
                prop_assert_eq!(&kept.columns, &Widths::of(COLUMNS, agents.iter()).columns);
            }
        }
    }

    #[test]
    fn two_members_have_the_widest_of_both() {
        let of = |length| Widths::of(COLUMNS, std::iter::once(&agent(1, length)));
        let all = [agent(1, 3), agent(2, 7)];
        assert_eq!(of(3).and(&of(7)).columns, Widths::of(COLUMNS, all.iter()).columns);
    }
}
