//! How many rows of the screen each line of the list of agents has.
//!
//! Every line has as many rows as the *level* says: one; two, the second for what does not stand in the columns; three, the
//! last one blank. A row that needs its user has its request below that, in full as far as its *share* goes. The rule:
//!
//! - The level and the share come from the rows there are and from how many are listed and how many of them ask, never
//!   from what they ask. A request has the rows that it takes, up to the share, the same for all.
//! - Requests come first: a level comes only where it leaves four rows to each of them, and goes where it leaves fewer than
//!   three.
//! - Requests share what the lines leave free. A list of 15 rows and more gives them a third of itself in any case, and at
//!   least a row each, so that who needs its user is read, and others are further down.
//! - The share is that for 2, 4, 8, 16... that ask. It shrinks when more ask, and grows when only a quarter is left: one
//!   who asks more or less changes no other row most of the time.
//! - Like the order of the rows new heights are taken when they have stood for two seconds and no key was pressed for two;
//!   at once where a request is to be shown that was not, where the window changed, or when the user asked for another order.

use std::{collections::HashMap, time::Duration};

use crate::app::core::fleet::{AgentKey, Fleet};
use crate::app::core::list::{Line, SETTLE};
use crate::app::core::request;

/// The room of a list of agents.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Room {
    /// Its rows.
    pub rows: usize,
    /// Cells that a request has below the first row of its agent; none: every line has one row.
    pub cells: usize,
    /// Every agent has a second row where there is room.
    pub details: bool,
}

/// Most rows of a request.
const MOST: usize = 14;
/// Rows of a list from which on requests have a third of it in any case.
const LARGE: usize = 15;
/// Highest level.
const HIGHEST: usize = 3;
/// Fewest askers whose share is told apart.
const FEWEST: usize = 2;

/// What the heights hang on beside the requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Plan {
    /// Rows of every agent.
    level: usize,
    /// The share is that of so many.
    askers: usize,
    /// Most rows of a request.
    share: usize,
}

impl Default for Plan {
    fn default() -> Self {
        Self { level: 1, askers: FEWEST, share: 0 }
    }
}

/// How many lines of which kind there are.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    agents: usize,
    /// Heads and hosts: a row each.
    others: usize,
    /// Of the agents those that ask.
    asking: usize,
}

impl Plan {
    /// What these lines have in this room; `before` is what is in force, `None` where nothing is to be kept.
    fn of(room: Room, counts: Counts, before: Option<Self>) -> Self {
        if room.cells == 0 {
            return Self::default();
        }
        let rows = |level: usize| level * counts.agents + counts.others;
        let stays = before.map_or(1, |plan| plan.level);
        let highest = if room.details { HIGHEST } else { 1 };
        let mut askers = before.map_or(FEWEST, |plan| plan.askers);
        while counts.asking > askers {
            askers *= 2;
        }
        while askers > FEWEST && counts.asking * 4 <= askers {
            askers /= 2;
        }
        let fits = |level: &usize| {
            let least = if *level <= stays { 3 } else { 4 };
            rows(*level) + askers * least <= room.rows
        };
        let level = (2..=highest).rev().find(fits).unwrap_or(1);
        let large = if room.rows >= LARGE { room.rows / 3 } else { 0 };
        let free = room.rows.saturating_sub(rows(level)).max(large);
        let least = usize::from(room.rows >= LARGE && counts.asking > 0);
        Self { level, askers, share: (free / askers).clamp(least, MOST) }
    }
}

/// The rows that each line has.
#[derive(Clone, Debug, Default)]
pub(crate) struct Heights {
    room: Room,
    plan: Plan,
    /// Rows of the requests that are shown.
    requests: HashMap<AgentKey, usize>,
    /// Since when others are wanted.
    unsettled: Option<Duration>,
    /// The row at which each line begins, and that after the last one.
    starts: Vec<usize>,
}

/// When heights are taken.
#[derive(Clone, Copy, Debug)]
pub(crate) struct When {
    /// It is this long since the dashboard began.
    pub now: Duration,
    /// No key was pressed for a while.
    pub rested: bool,
    /// They are taken at once, and nothing of those before is kept.
    pub force: bool,
}

impl Heights {
    /// Their room.
    pub(crate) fn room(&self) -> Room {
        self.room
    }

    /// Another room: what is kept of before says nothing there. Whether it is another one.
    pub(crate) fn resize(&mut self, room: Room) -> bool {
        std::mem::replace(&mut self.room, room) != room
    }

    /// Rows of every agent.
    pub(crate) fn level(&self) -> usize {
        self.plan.level
    }

    /// Rows that the request of an agent has.
    pub(crate) fn request(&self, key: AgentKey) -> usize {
        self.requests.get(&key).copied().unwrap_or(0)
    }

    /// Measures these lines. Whether a height is another one than before.
    pub(crate) fn take(&mut self, lines: &[Line], fleet: &Fleet, when: When) -> bool {
        let mut asking = Vec::new();
        let mut counts = Counts::default();
        if self.room.cells > 0 {
            for line in lines {
                match line {
                    Line::Agent(place) => {
                        counts.agents += 1;
                        asking.extend(fleet.at(*place).filter(|(_, agent)| request::asks(agent)));
                    }
                    Line::Head(_) | Line::Host(_) => counts.others += 1,
                }
            }
            counts.asking = asking.len();
        }
        let plan = Plan::of(self.room, counts, (!when.force).then_some(self.plan));
        // Only where there are several is a request measured: of very many that ask each has one, or none.
        let rows = |agent| match plan.share {
            0 | 1 => plan.share,
            share => request::lines(agent, self.room.cells, share).len(),
        };
        let asking = if plan.share == 0 { Vec::new() } else { asking };
        let requests: HashMap<AgentKey, usize> = asking.into_iter().map(|(key, agent)| (key, rows(agent))).collect();
        let differs = (plan, &requests) != (self.plan, &self.requests);
        if differs {
            let since = *self.unsettled.get_or_insert(when.now);
            let new = |(key, rows): (&AgentKey, &usize)| *rows > 0 && !self.requests.contains_key(key);
            let stood = when.now.saturating_sub(since) >= SETTLE;
            if when.force || when.rested && (stood || requests.iter().any(new)) {
                (self.plan, self.requests, self.unsettled) = (plan, requests, None);
            }
        } else {
            self.unsettled = None;
        }
        self.lay(lines, fleet)
    }

    /// Lays the lines out one below the other.
    fn lay(&mut self, lines: &[Line], fleet: &Fleet) -> bool {
        let mut starts = Vec::with_capacity(lines.len() + 1);
        let mut at = 0;
        for line in lines {
            starts.push(at);
            at += match line {
                Line::Agent(_) if self.requests.is_empty() => self.plan.level,
                Line::Agent(place) => self.plan.level + fleet.at(*place).map_or(0, |(key, _)| self.request(key)),
                Line::Head(_) | Line::Host(_) => 1,
            };
        }
        starts.push(at);
        std::mem::replace(&mut self.starts, starts) != self.starts
    }

    /// The row at which a line begins, counted from that of the first line; of the one after the last where all end.
    pub(crate) fn start(&self, line: usize) -> usize {
        self.starts.get(line).or(self.starts.last()).copied().unwrap_or(0)
    }

    /// The first line that begins at this row or below it.
    pub(crate) fn line_from(&self, row: usize) -> usize {
        self.starts.partition_point(|start| *start < row).min(self.starts.len().saturating_sub(1))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::app::core::fixture::{test_agent, test_snapshot};
    use crate::app::core::list::{List, Sort};
    use crate::monitor::{AgentState, Asks, Snapshot};

    const ROOM: Room = Room { rows: 33, cells: 60, details: true };

    fn plan(room: Room, agents: usize, asking: usize, before: Option<Plan>) -> Plan {
        Plan::of(room, Counts { agents, others: 0, asking }, before)
    }

    #[test]
    fn a_level_comes_where_there_is_room_to_spare_and_goes_where_there_is_none() {
        let level = |agents, before| plan(ROOM, agents, 0, before).level;
        assert_eq!([1, 8, 9, 12, 13, 100].map(|agents| level(agents, None)), [3, 3, 2, 2, 1, 1]);
        let with = |level| Some(Plan { level, ..Plan::default() });
        assert_eq!([9, 10, 13, 14].map(|agents| level(agents, with(3))), [3, 2, 2, 1], "it stays a little longer");
        assert_eq!(plan(ROOM, 12, 3, None).level, 1, "requests come first");
        assert_eq!(plan(Room { details: false, ..ROOM }, 1, 0, None).level, 1);
        assert_eq!(plan(Room { cells: 0, ..ROOM }, 1, 1, None), Plan::default());
    }

    #[test]
    fn requests_share_what_is_free_and_have_a_third_of_a_large_list() {
        let share = |rows, agents, asking| plan(Room { rows, ..ROOM }, agents, asking, None).share;
        assert_eq!(share(9, 12, 2), 0, "a small list that is full stays as it is");
        assert_eq!(share(9, 5, 2), 2);
        assert_eq!(share(18, 12, 2), 3);
        assert_eq!(share(18, 60, 2), 3, "others are further down");
        assert_eq!([1, 2, 3, 4, 5, 8, 9].map(|asking| share(33, 60, asking)), [5, 5, 2, 2, 1, 1, 1]);
        assert_eq!(share(60, 1, 1), MOST);
    }

    #[test]
    fn one_who_asks_more_or_less_changes_no_other_row() {
        let mut now = plan(ROOM, 60, 2, None);
        let mut askers = |asking| {
            now = plan(ROOM, 60, asking, Some(now));
            now.askers
        };
        assert_eq!([3, 2, 3, 2, 1, 2, 3].map(&mut askers), [4, 4, 4, 4, 2, 2, 4]);
        for rows in 0..80 {
            for agents in 0..90 {
                for asking in 0..agents {
                    let room = Room { rows, ..ROOM };
                    let plan = plan(room, agents, asking, None);
                    assert_eq!(Plan::of(room, Counts { agents, others: 0, asking }, Some(plan)), plan, "it stands");
                    assert!(plan.share < 2 || plan.share * asking <= rows, "{rows} {agents} {asking}: {plan:?}");
                }
            }
        }
    }

    fn asking(panes: &[(u32, &str)]) -> Fleet {
        let agents = panes.iter().map(|(pane, asks)| {
            let mut agent = test_agent(*pane, if asks.is_empty() { AgentState::Working } else { AgentState::Waiting });
            agent.asks = (!asks.is_empty()).then(|| Asks { line: (*asks).to_owned(), full: String::new() });
            agent
        });
        Arc::new(Snapshot { agents: agents.collect(), ..test_snapshot() }).into()
    }

    fn rows(list: &List) -> Vec<usize> {
        list.in_view().iter().map(|shown| shown.rows).collect()
    }

    #[test]
    fn a_row_is_as_high_as_its_request_and_holds_still_for_two_seconds() {
        let second = Duration::from_secs;
        let room = Room { rows: 12, cells: 10, details: false };
        let mut list = List::default();
        let fleet = asking(&[(1, "one two three four"), (2, ""), (3, "")]);
        list.rebuild(&fleet, second(0), true);
        list.resize(&fleet, room, second(0));
        assert_eq!(rows(&list), [3, 1, 1]);
        assert!(!list.rebuild(&fleet, second(1), false), "nothing has changed");

        // It is answered: its rows are its own till the order has settled.
        let answered = asking(&[(1, ""), (2, ""), (3, "")]);
        list.rebuild(&answered, second(10), false);
        assert_eq!(rows(&list), [3, 1, 1]);
        assert!(list.rebuild(&answered, second(12), false));
        assert_eq!(rows(&list), [1, 1, 1]);

        // One that comes to ask is shown at once, but not while somebody is at the keys.
        list.last_input = Some(second(20));
        list.rebuild(&fleet, second(21), false);
        assert_eq!(rows(&list), [1, 1, 1]);
        list.rebuild(&fleet, second(22), false);
        assert_eq!(rows(&list), [3, 1, 1]);
    }

    #[test]
    fn the_cursor_is_in_view_with_all_its_rows_and_pages_go_by_rows() {
        let long = "one two three four five six seven";
        let panes: Vec<(u32, &str)> = (0..40).map(|pane| (pane, if pane % 20 == 3 { long } else { "" })).collect();
        let fleet = asking(&panes);
        let mut list = List::default();
        list.sort = Sort::Target;
        list.rebuild(&fleet, Duration::ZERO, true);
        list.resize(&fleet, Room { rows: 16, cells: 10, details: true }, Duration::ZERO);
        let whole = |list: &List| {
            let (at, key) =
                (list.cursor(&fleet).unwrap_or(99), list.selected.unwrap_or(AgentKey::first(crate::tmux::PaneId(99))));
            let line = list.lines[at];
            list.in_view().iter().any(|shown| shown.line == line && shown.rows == 1 + list.request(key))
        };
        assert!(list.request(AgentKey::first(crate::tmux::PaneId(3))) == 2);
        for _ in 0..45 {
            list.step(&fleet, 1);
            assert!(whole(&list), "{:?}", list.in_view());
        }
        assert_eq!(list.cursor(&fleet), Some(39));
        for _ in 0..45 {
            list.step(&fleet, -1);
            assert!(whole(&list), "{:?}", list.in_view());
        }
        list.page(&fleet, true);
        assert_eq!(list.cursor(&fleet), Some(13), "15 rows further down, of which two are a request's");
        list.page(&fleet, false);
        assert_eq!(list.cursor(&fleet), Some(0));
        while list.page(&fleet, true) {
            assert!(whole(&list));
        }
        assert_eq!(list.cursor(&fleet), Some(39));
    }
}
