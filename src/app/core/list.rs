//! The agents as they are listed: order, filter, groups, cursor and scrolling. Rows stay put: a new order is taken only
//! when it has settled and nobody is at the keys, and the cursor stays on its pane and at its place on the screen. How many
//! rows of the screen each line has is in `heights`, what of them is in view in `scrolling`.

use std::{
    borrow::Cow,
    cmp::Ordering,
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use jiff::Timestamp;

use crate::app::core::fleet;
use crate::app::core::fleet::{AgentKey, Fleet, Host, Member, Place};
use crate::app::core::fuzzy::Query;
use crate::app::core::grouping::{Grouping, group};
use crate::app::core::heights::{Heights, When};
use crate::app::core::hosts;
use crate::app::core::request;
use crate::app::core::scrolling::Was;
use crate::app::core::words::{tone, word};
use crate::monitor::Agent;

/// Time for which an order must stand, and the keys must rest, before rows move.
pub const SETTLE: Duration = Duration::from_secs(2);

/// What the rows are sorted by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, strum::EnumIter, strum::Display)]
#[strum(serialize_all = "lowercase")]
pub enum Sort {
    /// Who needs the user first; then errors, workers, done, idle.
    #[default]
    Need,
    /// Longest in its state first.
    For,
    /// Which program.
    Agent,
    /// Session, window, pane.
    Target,
    /// Least context left first.
    Context,
    /// Most CPU first.
    Cpu,
    /// Most memory first.
    Memory,
}

impl Sort {
    /// The one after.
    #[must_use]
    pub fn next(self) -> Self {
        use strum::IntoEnumIterator;
        Self::iter().cycle().skip_while(|sort| *sort != self).nth(1).unwrap_or_default()
    }
}

/// A line of the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line {
    /// Head of a group: where its first agent stands in the fleet.
    Head(Place),
    /// An agent: where it stands in the fleet.
    Agent(Place),
    /// A host that is not reached, counted from 0 among those of the fleet.
    Host(usize),
    /// Those that are out of the way: folded here, or listed below it.
    Aside {
        /// How many are parked.
        parked: usize,
        /// How many are snoozed.
        snoozed: usize,
    },
}

/// Where each agent stands.
type Stands<'a> = HashMap<AgentKey, (Place, &'a Agent)>;

/// The list.
#[derive(Clone, Debug, Default)]
pub struct List {
    /// What it is sorted by.
    pub sort: Sort,
    /// The order is turned round.
    pub reverse: bool,
    /// What they are grouped by.
    pub grouping: Grouping,
    /// Only what matches is listed.
    pub filter: String,
    /// Those that are out of the way are listed too.
    pub aside: bool,
    /// The lines, top to bottom.
    pub lines: Vec<Line>,
    /// The agent under the cursor.
    pub selected: Option<AgentKey>,
    /// First line in view.
    pub top: usize,
    /// When the user last did something. Times are those since the dashboard began.
    pub last_input: Option<Duration>,
    /// What time it is, as far as anybody has told: by it the agents of a lost host are folded.
    pub clock: Timestamp,
    order: Vec<AgentKey>,
    /// Since when another order than this one is wanted.
    unsettled: Option<Duration>,
    /// Somebody who needs the user is to go up in that.
    urgent: bool,
    pub(super) heights: Heights,
    pub(super) at: Option<Was>,
}

impl List {
    /// Whether nothing is to be done about a fleet that takes the place of another: nobody came, went or moved, nothing
    /// differs by which they are ordered, filtered, grouped or have their rows, and nothing waits for its time.
    #[must_use]
    pub fn stands(&self, old: &Fleet, new: &Fleet, now: Duration) -> bool {
        // Another order waits for its time anyway. Of thousands of agents some change in each moment.
        let is_put_off = self.is_put_off(now);
        let same_order =
            |a: &Agent, b: &Agent| self.by_value(a, b).is_eq() || is_put_off && !a.needs_user() && !b.needs_user();
        let same_place = |(a, b): (&Agent, &Agent)| {
            a.pane_id == b.pane_id
                && same_order(a, b)
                && (a.parked, a.snoozed, a.pinned) == (b.parked, b.snoozed, b.pinned)
                && self.grouping.of(a) == self.grouping.of(b)
                && self.filter.trim().is_empty()
                && !request::asks(a)
                && !request::asks(b)
        };
        let same_agents = |(a, b): (&Member, &Member)| {
            a.id == b.id
                && (Arc::ptr_eq(&a.snapshot, &b.snapshot)
                    || a.snapshot.agents.len() == b.snapshot.agents.len()
                        && b.snapshot.agents.changed(&a.snapshot.agents).all(same_place))
        };
        let same_host = |(a, b): (&Host, &Host)| {
            let at = self.clock;
            let of = |host: &Host| (host.answers(), hosts::has_line(host), hosts::is_folded(host, at));
            a.name == b.name && of(a) == of(b)
        };
        !self.waits(new, now)
            && old.members().len() == new.members().len()
            && old.members().iter().zip(new.members()).all(same_agents)
            && old.hosts().len() == new.hosts().len()
            && old.hosts().iter().zip(new.hosts()).all(same_host)
    }

    /// Whether time alone may change the lines: an order or heights wait for theirs, or a lost host for its agents to be
    /// folded.
    #[must_use]
    pub fn waits(&self, fleet: &Fleet, now: Duration) -> bool {
        let folds = |host: &Host| hosts::has_line(host) && !hosts::is_folded(host, self.clock);
        let has_order = self.unsettled.is_some() && !self.is_put_off(now);
        has_order || self.heights.is_unsettled() || fleet.hosts().iter().any(folds)
    }

    /// Whether another order is not to be looked at yet: it has not stood for its time, and nobody in it is urgent.
    fn is_put_off(&self, now: Duration) -> bool {
        !self.urgent && self.unsettled.is_some_and(|since| now.saturating_sub(since) < SETTLE)
    }

    /// Takes over the agents of a fleet. `force` takes the right order at once. Says whether a line changed.
    pub fn rebuild(&mut self, fleet: &Fleet, now: Duration, force: bool) -> bool {
        self.clock = self.clock.max(fleet.first().snapshot.timestamp);
        let at = self.clock;
        let of = |is: fn(&Host, Timestamp) -> bool| -> HashSet<&str> {
            fleet.hosts().iter().filter(|host| is(host, at)).map(|host| &*host.name).collect()
        };
        let (folded, lost) = (of(hosts::is_folded), of(|host, _| !host.answers()));
        let is_in =
            |hosts: &HashSet<&str>, agent: &Agent| agent.host.as_deref().is_some_and(|host| hosts.contains(host));
        let shows = |agent: &Agent| !is_in(&folded, agent);
        let all = fleet.places().zip(fleet.keyed()).filter(|(_, (_, agent))| shows(agent));
        let stands: Stands = all.map(|(place, (key, agent))| (key, (place, agent))).collect();
        // Beginning with the order in which they are, which is the right one but for a few: that is sorted in no time.
        let of = |key: &AgentKey| stands.get(key).map(|(place, agent)| (*place, *key, *agent));
        let mut wanted: Vec<(Place, AgentKey, &Agent)> = self.order.iter().filter_map(of).collect();
        if wanted.len() < self.order.len() {
            self.order.retain(|key| stands.contains_key(key));
        }
        if wanted.len() < stands.len() {
            let known: HashSet<AgentKey> = self.order.iter().copied().collect();
            wanted.extend(stands.keys().filter(|key| !known.contains(key)).filter_map(of));
        }
        // Who cannot be reached comes after those who can, whatever they needed when last heard of.
        let reached = |x: &Agent, y: &Agent| match self.sort {
            Sort::Need => is_in(&lost, x).cmp(&is_in(&lost, y)),
            _ => Ordering::Equal,
        };
        wanted.sort_by(|(a, _, x), (b, _, y)| reached(x, y).then_with(|| self.compare((*a, x), (*b, y))));
        let wanted: Vec<AgentKey> = wanted.into_iter().map(|(_, key, _)| key).collect();
        let moved = self.settle(&stands, wanted, now, force);

        let before = std::mem::take(&mut self.lines);
        let before_at = self.at;
        let listed = self.filtered(&stands, fleet.several());
        let is_aside = |line: &Line| matches!(line, Line::Agent(place) if fleet.at(*place).is_some_and(|(_, agent)| agent.is_aside()));
        let (aside, listed): (Vec<Line>, Vec<Line>) = listed.into_iter().partition(is_aside);
        self.lines = listed;
        if self.grouping != Grouping::None {
            self.lines = group(fleet, &self.lines, self.grouping);
        }
        let lost = fleet.hosts().iter().enumerate().filter(|(_, host)| hosts::has_line(host));
        self.lines.extend(lost.map(|(at, _)| Line::Host(at)));
        self.put_aside(fleet, aside);
        let rested = self.last_input.is_none_or(|at| now.saturating_sub(at) >= SETTLE);
        let resized = self.heights.take(&self.lines, fleet, When { now, rested, moved, force });
        self.keep_cursor(fleet, before_at);
        resized || self.lines != before
    }

    /// Takes the wanted order when the time for it has come; till then rows keep their places, new ones find theirs. Whether
    /// it took it.
    fn settle(&mut self, stands: &Stands, wanted: Vec<AgentKey>, now: Duration, force: bool) -> bool {
        if self.order.len() < wanted.len() {
            let known: HashSet<AgentKey> = self.order.iter().copied().collect();
            for (i, key) in wanted.iter().enumerate() {
                if !known.contains(key) {
                    let after = i.checked_sub(1).and_then(|i| self.order.iter().position(|other| *other == wanted[i]));
                    self.order.insert(after.map_or(0, |at| at + 1), *key);
                }
            }
        }
        if self.order == wanted {
            self.unsettled = None;
            return false;
        }
        let since = *self.unsettled.get_or_insert(now);
        let passed = |from: Duration| now.saturating_sub(from) >= SETTLE;
        self.urgent = self.order.iter().zip(&wanted).find(|(is, should)| is != should).is_some_and(|(_, key)| {
            Some(*key) != self.selected && stands.get(key).is_some_and(|(_, agent)| agent.needs_user())
        });
        if force || (self.last_input.is_none_or(passed) && (passed(since) || self.urgent)) {
            self.order = wanted;
            self.unsettled = None;
            return true;
        }
        false
    }

    fn compare(&self, (a, x): (Place, &Agent), (b, y): (Place, &Agent)) -> Ordering {
        let order = self.by_value(x, y).then(a.cmp(&b));
        self.pins(x, y).then(if self.reverse { order.reverse() } else { order })
    }

    /// By what the rows are sorted by alone.
    fn by_value(&self, x: &Agent, y: &Agent) -> Ordering {
        let none_last = |x: Option<f64>, y: Option<f64>, most_first: bool| match (x, y) {
            (Some(x), Some(y)) => {
                if most_first {
                    y.total_cmp(&x)
                } else {
                    x.total_cmp(&y)
                }
            }
            (x, y) => y.is_some().cmp(&x.is_some()),
        };
        match self.sort {
            Sort::Need => tone(x)
                .rank()
                .cmp(&tone(y).rank())
                .then_with(|| if x.state.needs_user() { x.since.cmp(&y.since) } else { Ordering::Equal }),
            Sort::For => x.since.cmp(&y.since),
            Sort::Agent => x.agent.cmp(&y.agent),
            Sort::Target => Ordering::Equal,
            Sort::Context => none_last(x.context_percent, y.context_percent, false),
            // Whole percents and megabytes, so that small changes do not shuffle the rows.
            Sort::Cpu => none_last(x.cpu_percent.map(f64::round), y.cpu_percent.map(f64::round), true),
            Sort::Memory => y.memory_bytes.map(|b| b >> 24).cmp(&x.memory_bytes.map(|b| b >> 24)),
        }
    }

    fn filtered(&self, stands: &Stands, several: bool) -> Vec<Line> {
        let all = self.order.iter().filter_map(|key| stands.get(key));
        if self.filter.trim().is_empty() {
            return all.map(|(place, _)| Line::Agent(*place)).collect();
        }
        let mut query = Query::new(&self.filter);
        all.filter(|(_, agent)| matches(&mut query, agent, several)).map(|(place, _)| Line::Agent(*place)).collect()
    }

    pub(super) fn line_of(&self, fleet: &Fleet, key: AgentKey) -> Option<usize> {
        let is = |place: Place| fleet.at(place).is_some_and(|(other, _)| other == key);
        self.lines.iter().position(|line| matches!(line, Line::Agent(place) if is(*place)))
    }

    /// Line of the cursor.
    #[must_use]
    pub fn cursor(&self, fleet: &Fleet) -> Option<usize> {
        self.selected.and_then(|key| self.line_of(fleet, key))
    }

    /// Moves the cursor by `delta` agents, stopping at the ends. Says whether it moved.
    pub fn step(&mut self, fleet: &Fleet, delta: isize) -> bool {
        let rows: Vec<AgentKey> = self.agents(fleet).map(|(key, _)| key).collect();
        let Some(last) = rows.len().checked_sub(1) else { return false };
        let at = self.selected.and_then(|key| rows.iter().position(|row| *row == key));
        let to = at.map_or(0, |at| at.saturating_add_signed(delta).min(last));
        self.select(fleet, rows[to])
    }

    /// Puts the cursor on an agent. Says whether it moved.
    pub fn select(&mut self, fleet: &Fleet, key: AgentKey) -> bool {
        let moved = self.selected != Some(key);
        self.selected = Some(key);
        self.scroll(fleet);
        moved
    }

    /// The agents listed, top to bottom.
    pub fn agents<'a>(&'a self, fleet: &'a Fleet) -> impl DoubleEndedIterator<Item = (AgentKey, &'a Agent)> + 'a {
        self.lines.iter().filter_map(|line| match line {
            Line::Agent(place) => fleet.at(*place),
            Line::Head(_) | Line::Host(_) | Line::Aside { .. } => None,
        })
    }
}

/// Whether all that is shown of an agent matches the filter; its host where there are several.
pub(crate) fn matches(query: &mut Query, agent: &Agent, several: bool) -> bool {
    let (word, state, id) =
        (word(agent.state, agent.kind.as_deref()), agent.state.to_string(), agent.pane_id.to_string());
    // Nothing is copied: it is asked of thousands at each letter.
    fn or_none(text: &Option<String>) -> &str {
        text.as_deref().unwrap_or_default()
    }
    let host = if several { fleet::host_of(agent) } else { Cow::Borrowed("") };
    query.matches(
        &[
            &agent.target,
            &agent.name,
            &agent.agent,
            &word,
            &state,
            &id,
            or_none(&agent.version),
            or_none(&agent.model),
            &host,
            or_none(&agent.repository),
            or_none(&agent.worktree),
            or_none(&agent.branch),
        ],
        &[or_none(&agent.doing), &agent.title, or_none(&agent.cwd), or_none(&agent.note)],
    )
}

#[cfg(test)]
#[path = "list_tests.rs"]
mod tests;
