//! What differs between two snapshots of one engine, as whole agents: made once for all clients that have the same already,
//! put on by each of them.
//!
//! Whole agents and not their fields: compressed, fields would save little more and are fragile.
//!
//! Long because it is two lists: every field of a snapshot is named where it is taken and where it is put on, so that one
//! that is added is not forgotten.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};

use crate::monitor::clients::figures;
use crate::monitor::clients::figures::Figures;
use crate::monitor::clients::wire::{Had, joined};
use crate::monitor::{
    Account, Agent, Agents, BaseStatus, CacheInfo, CostInfo, CycleInfo, CyclePoint, EVENTS_KEPT, EngineInfo, Event,
    HISTORY_POINTS, HOUR_POINTS, HealthSummary, HourPoint, LiveSettings, MOST_TILES, PoolInfo, Preview, ServerInfo,
    Snapshot, StrategyInfo, TuneRow,
};
use crate::tmux::PaneId;

/// What is new since the snapshot before.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Delta {
    /// Counted by 1 from 1 for the first one after each whole snapshot of the connection. A gap means that one was lost:
    /// whoever sees it asks for a whole snapshot.
    #[serde(skip_serializing_if = "is_zero")]
    pub n: u64,
    /// When it was published.
    pub timestamp: Timestamp,
    /// The tmux server, where it differs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server: Option<ServerInfo>,
    /// The engine, where it differs in more than its uptime.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub engine: Option<EngineInfo>,
    /// Agents that are new or differ in more than when they were looked at.
    #[serde(skip_serializing_if = "Agents::is_empty")]
    pub agents: Agents,
    /// Agents that differ in their figures alone: for who takes these by themselves, who does not gets the whole agents.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub figures: Vec<Figures>,
    /// Panes of agents of which no more is to be said than that they wrote nothing in one more slice of their activity: for
    /// the same.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rested: Vec<PaneId>,
    /// The panes of all agents in their order, where that is not the one before with new ones at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order: Option<Vec<PaneId>>,
    /// Panes of agents that are no more.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub gone: Vec<PaneId>,
    /// New events, oldest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<Event>,
    /// The notes, where they differ.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notes: Option<Vec<String>>,
    /// The accounts, where they differ.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accounts: Option<Vec<Account>>,
    /// The instruments, for who asked for them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub head: Option<Box<Head>>,
    /// The screen in this client's focus, where it is another: `null` when there is none any more.
    #[serde(deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub preview: Option<Option<Arc<Preview>>>,
    /// Of the panes that this client shows side by side, the screens that are others than before.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tiles: Vec<Arc<Preview>>,
    /// Panes whose screens it is shown no more.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub hidden: Vec<PaneId>,
}

/// What a snapshot says of the watching itself: of each field what differs, of the history the new points.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Head {
    /// Seconds since the engine's start.
    pub uptime: f64,
    /// Name of the strategy that planned the last cycle.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub current_strategy: Option<String>,
    /// Counts of the whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base_status: Option<BaseStatus>,
    /// The connection pool.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connection_pool: Option<PoolInfo>,
    /// The cache's layers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache_performance: Option<CacheInfo>,
    /// Agents by health.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub health_summary: Option<HealthSummary>,
    /// The last cycle and the recent ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cycle: Option<CycleInfo>,
    /// What the watching costs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost: Option<CostInfo>,
    /// The settings in force.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub settings: Option<LiveSettings>,
    /// The strategies.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub strategies: Option<Vec<StrategyInfo>>,
    /// What was tried so far.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tune: Option<Vec<TuneRow>>,
    /// New points, oldest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub history: Vec<CyclePoint>,
    /// New points of the last hour, oldest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub hour: Vec<HourPoint>,
    /// When agents were looked at that differ in nothing else.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub looks: Vec<Look>,
}

/// When an agent was looked at: alone no reason to send the agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Look {
    /// Its pane.
    pub pane_id: PaneId,
    /// When its screen was last read.
    #[serde(default)]
    pub read_at: Option<Timestamp>,
    /// When its screen last changed.
    #[serde(default)]
    pub last_change: Timestamp,
}

impl Look {
    fn of(agent: &Agent) -> Self {
        Self { pane_id: agent.pane_id, read_at: agent.read_at, last_change: agent.last_change }
    }

    fn put_on(self, agent: &mut Agent) {
        (agent.read_at, agent.last_change) = (self.read_at, self.last_change);
    }
}

impl Delta {
    /// What makes `new` of `old`, but for its number and its preview; with the instruments for who has those of the snapshot
    /// `instruments`, which may be an earlier one: then all of them. `None`: `new` does not go on from `old`, and is to be
    /// sent whole.
    #[must_use]
    pub fn between(old: &Snapshot, new: &Snapshot, instruments: Option<&Snapshot>) -> Option<Self> {
        // Every field by its name, so that one that is added is not forgotten here.
        let Snapshot {
            schema,
            timestamp,
            server,
            engine,
            current_strategy,
            base_status,
            connection_pool,
            cache_performance,
            health_summary,
            cycle,
            cost,
            settings,
            strategies,
            tune,
            history,
            hour,
            events,
            backlog: _,
            instruments: _,
            notes,
            preview: _,
            tiles: _,
            previews: _,
            agents,
            accounts,
        } = new;
        if *schema != old.schema || engine.id() != old.engine.id() {
            return None;
        }
        let had = Had::of(old);
        let new_events = &events[events.partition_point(|event| event.seq <= had.event)..];
        let head_of = instruments.unwrap_or(old);
        let Had { cycle: had_cycle, hour: had_hour, .. } = Had::of(head_of);
        let new_points = &history[history.partition_point(|point| point.cycle <= had_cycle)..];
        let goes_on = goes_on(&old.events, new_events, events, EVENTS_KEPT, |event| event.seq)
            && (instruments.is_none()
                || goes_on(&head_of.history, new_points, history, HISTORY_POINTS, |point| point.cycle));
        if !goes_on {
            return None;
        }
        let all_agents = agents;
        let Changed { agents, order, gone, mut looks } = Changed::between(&old.agents, agents)?;
        // What came meanwhile is not known here: some counts were made of the agents there.
        let begins = instruments.is_some_and(|has| !std::ptr::eq(has, old));
        if begins {
            looks = all_agents.iter().map(Look::of).collect();
        }
        let head = instruments.is_some().then(|| Head {
            uptime: engine.uptime,
            current_strategy: (begins || old.current_strategy != *current_strategy).then(|| current_strategy.clone()),
            base_status: (begins || old.base_status != *base_status).then(|| base_status.clone()),
            connection_pool: (begins || old.connection_pool != *connection_pool).then(|| connection_pool.clone()),
            cache_performance: (begins || old.cache_performance != *cache_performance)
                .then(|| cache_performance.clone()),
            health_summary: (begins || old.health_summary != *health_summary).then(|| health_summary.clone()),
            cycle: (begins || old.cycle != *cycle).then(|| cycle.clone()),
            cost: (begins || old.cost != *cost).then(|| cost.clone()),
            settings: (begins || old.settings != *settings).then(|| settings.clone()),
            strategies: (begins || old.strategies != *strategies).then(|| strategies.clone()),
            tune: (begins || old.tune != *tune).then(|| tune.clone()),
            history: new_points.to_vec(),
            hour: hour[hour.partition_point(|point| point.n <= had_hour)..].to_vec(),
            looks,
        });
        let same_age = EngineInfo { uptime: engine.uptime, ..old.engine.clone() };
        Some(Self {
            n: 0,
            timestamp: *timestamp,
            server: differs(&old.server, server),
            engine: differs(&same_age, engine),
            agents,
            figures: Vec::new(),
            rested: Vec::new(),
            order,
            gone,
            events: new_events.to_vec(),
            notes: differs(&old.notes, notes),
            accounts: differs(&old.accounts, accounts),
            head: head.map(Box::new),
            preview: None,
            tiles: Vec::new(),
            hidden: Vec::new(),
        })
    }

    /// The same for who takes figures by themselves: an agent that differs from the one in `old` in nothing else is no
    /// whole agent in it, and is not in it at all where they read the same.
    #[must_use]
    pub fn with_figures(mut self, old: &Snapshot) -> Self {
        let before: HashMap<PaneId, &Agent> = if self.agents.is_empty() {
            HashMap::new()
        } else {
            old.agents.iter().map(|agent| (agent.pane_id, agent)).collect()
        };
        let (figures, rested, head) = (&mut self.figures, &mut self.rested, &mut self.head);
        self.agents.retain(|agent| {
            let Some(known) = before.get(&agent.pane_id) else { return true };
            let (now, look) = (Figures::of(agent), Look::of(agent));
            let mut aged = Agent::clone(known);
            look.put_on(&mut aged);
            now.clone().put_on(&mut aged);
            if aged != *agent {
                return true;
            }
            let was = Figures::of(known);
            if now.read_as(&was.clone().rested()) && !now.activity.is_empty() && was.activity != now.activity {
                rested.push(agent.pane_id);
            } else if !now.read_as(&was) {
                figures.push(now);
            }
            if let Some(head) = head {
                head.looks.retain(|other| other.pane_id != look.pane_id);
                head.looks.push(look);
            }
            false
        });
        self
    }

    /// Whether it says only that time went on.
    #[must_use]
    pub fn is_rest(&self) -> bool {
        let nothing = Self { n: self.n, timestamp: self.timestamp, ..Self::default() };
        *self == nothing
    }

    /// The snapshot that it makes of the one before. Without instruments those stay as they were, but for the counts
    /// that the agents themselves give.
    #[must_use]
    pub fn apply(self, before: &Snapshot) -> Snapshot {
        let Self {
            n: _,
            timestamp,
            server,
            engine,
            agents,
            figures,
            rested,
            order,
            gone,
            events,
            notes,
            accounts,
            head,
            preview,
            tiles,
            hidden,
        } = self;
        let mut next = before.clone();
        next.timestamp = timestamp;
        next.instruments = head.is_some();
        put(&mut next.server, server);
        put(&mut next.engine, engine);
        put(&mut next.notes, notes);
        put(&mut next.accounts, accounts);
        put(&mut next.preview, preview);
        let is_new = |pane: PaneId| tiles.iter().any(|new| new.pane_id == pane);
        next.tiles.retain(|shown| !hidden.contains(&shown.pane_id) && !is_new(shown.pane_id));
        next.tiles.extend(tiles);
        next.tiles.truncate(MOST_TILES);
        next.events = joined(&before.events, &Arc::new(events), EVENTS_KEPT);
        let changed = !agents.is_empty() || !gone.is_empty();
        put_agents(&mut next.agents, agents, &gone, order);
        figures::rested(&mut next.agents, &rested);
        figures::put_on(&mut next.agents, figures);
        match head {
            Some(head) => head.put_on(&mut next),
            None if changed => {
                next.health_summary = HealthSummary::of(&next.agents);
                next.base_status.count(&next.agents);
            }
            None => {}
        }
        next
    }
}

impl Head {
    fn put_on(self, next: &mut Snapshot) {
        let Self { uptime, history, hour, looks, .. } = self;
        next.engine.uptime = uptime;
        put(&mut next.current_strategy, self.current_strategy);
        put(&mut next.base_status, self.base_status);
        put(&mut next.connection_pool, self.connection_pool);
        put(&mut next.cache_performance, self.cache_performance);
        put(&mut next.health_summary, self.health_summary);
        put(&mut next.cycle, self.cycle);
        put(&mut next.cost, self.cost);
        put(&mut next.settings, self.settings);
        put(&mut next.strategies, self.strategies);
        put(&mut next.tune, self.tune);
        next.history = joined(&next.history, &Arc::new(history), HISTORY_POINTS);
        next.hour = joined(&next.hour, &Arc::new(hour), HOUR_POINTS);
        let looks: HashMap<PaneId, Look> = looks.into_iter().map(|look| (look.pane_id, look)).collect();
        if !looks.is_empty() {
            let looked = next.agents.iter_mut().filter_map(|agent| Some((*looks.get(&agent.pane_id)?, agent)));
            looked.for_each(|(look, agent)| look.put_on(agent));
        }
    }
}

fn put<T>(field: &mut T, new: Option<T>) {
    if let Some(new) = new {
        *field = new;
    }
}

fn differs<T: PartialEq + Clone>(old: &T, new: &T) -> Option<T> {
    (old != new).then(|| new.clone())
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde asks for")]
fn is_zero(n: &u64) -> bool {
    *n == 0
}

/// A field that is there, be it `null`.
fn given<'de, T: Deserialize<'de>, D: Deserializer<'de>>(from: D) -> Result<Option<T>, D::Error> {
    T::deserialize(from).map(Some)
}

/// Whether what is kept of `old` with `new` at its end is `whole`, by their numbers.
fn goes_on<T>(old: &[T], new: &[T], whole: &[T], most: usize, number: impl Fn(&T) -> u64) -> bool {
    let kept = (old.len() + new.len()).min(most);
    let first = || {
        let dropped = old.len() + new.len() - kept;
        old.get(dropped).or_else(|| new.get(dropped.saturating_sub(old.len()))).map(&number)
    };
    let newest = &whole[whole.len().saturating_sub(most)..];
    kept == newest.len() && first() == newest.first().map(&number)
}

/// The agents of a delta.
struct Changed {
    agents: Agents,
    order: Option<Vec<PaneId>>,
    gone: Vec<PaneId>,
    looks: Vec<Look>,
}

impl Changed {
    /// `None`: panes are not told apart by their ids.
    fn between(old: &Agents, new: &Agents) -> Option<Self> {
        let before: HashMap<PaneId, &Arc<Agent>> = old.shared().iter().map(|agent| (agent.pane_id, agent)).collect();
        let now: HashSet<PaneId> = new.iter().map(|agent| agent.pane_id).collect();
        if before.len() != old.len() || now.len() != new.len() {
            return None;
        }
        let (mut agents, mut looks, mut added) = (Agents::new(), Vec::new(), Vec::new());
        for agent in new.shared() {
            match before.get(&agent.pane_id) {
                None => {
                    added.push(agent.pane_id);
                    agents.push(Arc::clone(agent));
                }
                Some(known) if Arc::ptr_eq(known, agent) => {}
                Some(known) => {
                    let look = Look::of(agent);
                    let seen_again = look != Look::of(known);
                    if !seen_again && *known == agent {
                        continue;
                    }
                    let mut aged = Agent::clone(known);
                    look.put_on(&mut aged);
                    match aged == **agent {
                        true => looks.push(look),
                        false => agents.push(Arc::clone(agent)),
                    }
                }
            }
        }
        let stays = |agent: &&Agent| now.contains(&agent.pane_id);
        let gone = old.iter().filter(|agent| !stays(agent)).map(|agent| agent.pane_id).collect();
        let expected = old.iter().filter(stays).map(|agent| agent.pane_id).chain(added);
        let in_order = expected.eq(new.iter().map(|agent| agent.pane_id));
        let order = (!in_order).then(|| new.iter().map(|agent| agent.pane_id).collect());
        Some(Self { agents, order, gone, looks })
    }
}

/// Puts changed agents in the place of those before, new ones at the end, and then all in this order.
fn put_agents(all: &mut Agents, changed: Agents, gone: &[PaneId], order: Option<Vec<PaneId>>) {
    if !gone.is_empty() {
        let gone: HashSet<PaneId> = gone.iter().copied().collect();
        all.retain(|agent| !gone.contains(&agent.pane_id));
    }
    if !changed.is_empty() {
        let panes: Vec<PaneId> = changed.iter().map(|agent| agent.pane_id).collect();
        let mut changed: HashMap<PaneId, Arc<Agent>> =
            changed.into_iter().map(|agent| (agent.pane_id, agent)).collect();
        for known in all.shared_mut() {
            if changed.is_empty() {
                break;
            }
            if let Some(agent) = changed.remove(&known.pane_id) {
                *known = agent;
            }
        }
        all.extend(panes.iter().filter_map(|pane| changed.remove(pane)));
    }
    if let Some(order) = order {
        let places: HashMap<PaneId, usize> = order.iter().enumerate().map(|(place, pane)| (*pane, place)).collect();
        // One that the order does not name stays behind those that it names.
        all.shared_mut().sort_by_key(|agent| places.get(&agent.pane_id).copied().unwrap_or(usize::MAX));
    }
}

#[cfg(test)]
#[path = "delta_tests.rs"]
mod tests;
