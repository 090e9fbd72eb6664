//! How many rows of the screen each line of the list of agents has.
//!
//! Every line has as many rows as the *level* says: one; two, the second for what does not stand in the columns; three, the
//! last one blank. A row that needs its user has its request below that, in full as far as its *share* goes. The rule:
//!
//! - The level and the share come from the rows there are, how many agents are listed, how many of them ask, and the rows
//!   that all requests take together. The last two count in steps (2, 4, 8 that ask; 4, 6, 9, 13 rows) that are left upwards
//!   when they are too small, and downwards when far less would do: one who asks more or less, or something longer, changes
//!   no other row most of the time.
//! - Requests come first: a level comes where it leaves them their rows and an eighth of the list, and goes where it does
//!   not leave them their rows.
//! - Where the lines leave room for all requests each is shown in full. Else they share what is free evenly, in a list of 15
//!   rows and more a third of it in any case, and have a row each at least: who needs its user is read, and others are
//!   further down. What short ones leave of their share goes to the long ones, a row more or less of it changing nothing.
//! - Like the order of the rows, and together with it, new heights are taken when they have stood for two seconds and no key
//!   was pressed for two; at once where a request is to be shown that was not, where the window changed, or when the user
//!   asked for another order.

use std::{collections::HashMap, time::Duration};

use crate::app::core::fleet::{AgentKey, Fleet};
use crate::app::core::list::{Line, SETTLE};
use crate::app::core::request;
use crate::monitor::Agent;

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
/// The rows of all requests that are told apart.
const ROWS: [usize; 9] = [4, 6, 9, 13, 19, 28, 42, 63, 94];
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
    /// So many rows are enough for all requests.
    demand: usize,
    /// Most rows of a request.
    share: usize,
}

impl Default for Plan {
    fn default() -> Self {
        Self { level: 1, askers: FEWEST, demand: ROWS[0], share: 0 }
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
    /// Rows of all that they ask.
    rows: usize,
}

/// How many ask, in doubling steps: the one before as long as it will do.
fn askers_for(count: usize, before: usize) -> usize {
    let mut step = before.max(FEWEST);
    while count > step {
        step *= 2;
    }
    while step > FEWEST && count * 4 <= step {
        step /= 2;
    }
    step
}

/// Rows of all requests, in steps of a half: the one before as long as it will do.
fn rows_for(count: usize, before: usize) -> usize {
    let last = ROWS.len() - 1;
    let mut step = ROWS.iter().position(|rows| *rows >= before).unwrap_or(last);
    while step < last && count > ROWS[step] {
        step += 1;
    }
    while step > 0 && count * 2 <= ROWS[step] {
        step -= 1;
    }
    count.max(ROWS[step])
}

impl Plan {
    /// What these lines have in this room; `before` is what is in force, `None` where nothing is to be kept.
    fn of(room: Room, counts: Counts, before: Option<Self>) -> Self {
        if room.cells == 0 {
            return Self::default();
        }
        let rows = |level: usize| level * counts.agents + counts.others;
        let kept = before.unwrap_or_default();
        let askers = askers_for(counts.asking, kept.askers);
        let demand = rows_for(counts.rows, kept.demand);
        let fits = |level: &usize| {
            let spare = if *level <= kept.level { 0 } else { room.rows / 8 };
            rows(*level) + demand + spare <= room.rows
        };
        let highest = if room.details { HIGHEST } else { 1 };
        let level = (2..=highest).rev().find(fits).unwrap_or(1);
        let free = room.rows.saturating_sub(rows(level));
        let large = room.rows >= LARGE;
        let even = Self::for_requests(room, level, counts) / askers;
        let share = if demand <= free { MOST } else { even.clamp(usize::from(large), MOST) };
        Self { level, askers, demand, share: if counts.asking == 0 { 0 } else { share } }
    }
}

impl Plan {
    /// Rows that all requests may have together.
    fn for_requests(room: Room, level: usize, counts: Counts) -> usize {
        let free = room.rows.saturating_sub(level * counts.agents + counts.others);
        if room.rows >= LARGE { free.max(room.rows / 3) } else { free }
    }
}

/// The share with what short requests leave of it: `share` at least, that of before as long as it will do.
fn passed_on(wanted: &[usize], room: usize, share: usize, before: usize) -> usize {
    let fits = |share: usize| wanted.iter().map(|rows| (*rows).min(share)).sum::<usize>() <= room;
    let most = (share..=MOST).rev().find(|share| fits(*share)).unwrap_or(share);
    if before >= share && most <= before + 1 && fits(before) { before } else { most }
}

/// The rows that each line has.
#[derive(Clone, Debug, Default)]
pub(crate) struct Heights {
    room: Room,
    plan: Plan,
    /// Most rows of a request, with what others leave.
    most: usize,
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
    /// The rows have taken another order: they take their heights with it.
    pub moved: bool,
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

    /// Others are wanted, and wait for their time.
    pub(crate) fn is_unsettled(&self) -> bool {
        self.unsettled.is_some()
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
                    Line::Head(_) | Line::Host(_) | Line::Aside { .. } => counts.others += 1,
                }
            }
            counts.asking = asking.len();
        }
        // Only of few is it measured how much they ask: where it is more than a row for each in view, each has one or none.
        let measured = counts.asking <= self.room.rows;
        let rows = |(_, agent): &(AgentKey, &Agent)| request::request(agent, self.room.cells, MOST).lines.len();
        let wanted: Vec<usize> = if measured { asking.iter().map(rows).collect() } else { vec![1; counts.asking] };
        counts.rows = wanted.iter().sum();
        let plan = Plan::of(self.room, counts, (!when.force).then_some(self.plan));
        let most = if measured && plan.share > 0 {
            let before = if when.force { 0 } else { self.most };
            passed_on(&wanted, Plan::for_requests(self.room, plan.level, counts), plan.share, before)
        } else {
            plan.share
        };
        let shown = asking.iter().zip(wanted).filter(|_| plan.share > 0);
        let requests: HashMap<AgentKey, usize> = shown.map(|((key, _), rows)| (*key, rows.min(most))).collect();
        let differs = (plan, &requests) != (self.plan, &self.requests);
        if differs {
            let since = *self.unsettled.get_or_insert(when.now);
            let new = |(key, rows): (&AgentKey, &usize)| *rows > 0 && !self.requests.contains_key(key);
            let stood = when.now.saturating_sub(since) >= SETTLE;
            if when.force || when.moved || when.rested && (stood || requests.iter().any(new)) {
                (self.plan, self.most, self.requests, self.unsettled) = (plan, most, requests, None);
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
                Line::Head(_) | Line::Host(_) | Line::Aside { .. } => 1,
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
#[path = "heights_tests.rs"]
mod tests;
