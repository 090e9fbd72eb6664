//! The agents as a list to pick one from: who needs its user first, then what matches best.

use std::cmp::Reverse;

use tui_input::Input;

use crate::app::core::fleet::AgentKey;
use crate::app::core::fuzzy::Query;
use crate::app::core::list;
use crate::app::core::state::{Mode, State};
use crate::app::core::words::tone;
use crate::monitor::Agent;

/// What the dashboard opens with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Opening {
    /// The panels.
    #[default]
    Panels,
    /// The list to pick an agent from, and nothing else: it ends with that.
    Pick,
    /// The panels, with the tour over them.
    Tour,
}

/// The agents that match, in the order in which they are listed.
#[must_use]
pub fn picks<'s>(state: &'s State, text: &str) -> Vec<(AgentKey, &'s Agent)> {
    let several = state.fleet.several();
    let mut query = Query::new(text);
    let mut found: Vec<(u32, AgentKey, &Agent)> = state
        .fleet
        .keyed()
        .filter(|(_, agent)| list::matches(&mut query, agent, several))
        .map(|(key, agent)| (key, agent, format!("{} {}", state.called(agent), agent.agent)))
        .collect::<Vec<_>>()
        .into_iter()
        .map(|(key, agent, names)| (query.score(&names).unwrap_or(0), key, agent))
        .collect();
    found.sort_by_key(|(score, _, agent)| {
        let pinned = !agent.pinned;
        (!agent.needs_user(), agent.is_aside(), Reverse(*score), pinned, tone(agent).rank(), agent.since)
    });
    found.into_iter().map(|(_, key, agent)| (key, agent)).collect()
}

/// Opens the list. `only`: the dashboard is there for nothing else.
pub(crate) fn open(state: &mut State, only: bool) {
    state.mode = Mode::Pick { input: Input::default(), key: None, only };
    settle(state);
}

/// Keeps the cursor on an agent that is listed: on the one that it was on, else on the first.
pub(crate) fn settle(state: &mut State) {
    let Mode::Pick { input, key, .. } = &state.mode else { return };
    let listed = picks(state, input.value());
    let to = listed.iter().map(|(listed, _)| *listed).find(|listed| Some(*listed) == *key);
    let to = to.or_else(|| listed.first().map(|(first, _)| *first));
    put(state, to);
}

/// The text changed: the first one is the best again.
pub(crate) fn typed(state: &mut State) {
    put(state, None);
    settle(state);
}

/// Moves the cursor. Whether it moved.
pub(crate) fn step(state: &mut State, delta: isize) -> bool {
    let Mode::Pick { input, key, .. } = &state.mode else { return false };
    let listed: Vec<AgentKey> = picks(state, input.value()).into_iter().map(|(key, _)| key).collect();
    let at = listed.iter().position(|listed| Some(*listed) == *key).unwrap_or(0);
    let to = listed.get(at.saturating_add_signed(delta).min(listed.len().saturating_sub(1))).copied();
    let moved = to != *key;
    put(state, to);
    moved
}

/// Puts the cursor on the row with this number, from 0.
pub(crate) fn select(state: &mut State, row: usize) {
    let Mode::Pick { input, .. } = &state.mode else { return };
    if let Some(key) = picks(state, input.value()).get(row).map(|(key, _)| *key) {
        put(state, Some(key));
    }
}

fn put(state: &mut State, to: Option<AgentKey>) {
    if let Mode::Pick { key, .. } = &mut state.mode {
        *key = to;
    }
}
