//! The cursor and the order of the rows, and how far the panels are scrolled.

use std::time::Duration;

use crate::app::core::fleet::{AgentKey, Fleet};
use crate::app::core::list::Sort;
use crate::app::core::message::Outcome;
use crate::app::core::state::{Mode, State};
use crate::app::core::update::{day, fleet};
use crate::app::core::view::{Main, Panel};
use crate::app::core::wall::{Go, delta};
use crate::monitor::Agent;

/// Scrolls a panel, or moves its cursor.
pub(crate) fn scroll(state: &mut State, panel: Panel, delta: isize) -> Outcome {
    match panel {
        Panel::Events => {
            let most = crate::app::core::events::shown(state).len().saturating_sub(state.viewport.events.max(1));
            let up = state.events_up.saturating_add_signed(delta).min(most);
            let moved = up != state.events_up;
            state.events_up = up;
            Outcome::redraw_if(moved)
        }
        Panel::Preview => {
            let rows = state.preview().map_or(0, |preview| preview.text.lines().count());
            let most = rows.saturating_sub(state.viewport.preview.max(1));
            let up = state.preview_up.saturating_add_signed(-delta).min(most);
            let moved = up != state.preview_up;
            state.preview_up = up;
            Outcome::redraw_if(moved)
        }
        _ if state.view.main == Main::Day => day::step(state, delta),
        _ if state.view.main == Main::Hosts => {
            let last = state.fleet.hosts().len().saturating_sub(1);
            let to = state.host.min(last).saturating_add_signed(delta).min(last);
            Outcome::redraw_if(std::mem::replace(&mut state.host, to) != to)
        }
        _ if state.view.main == Main::Wall => wall_step(state, Go::Down(delta.signum())),
        _ => {
            let moved = state.list.step(&state.fleet, delta);
            moved_cursor(state, moved)
        }
    }
}

/// Moves the cursor on the wall.
pub(crate) fn wall_step(state: &mut State, go: Go) -> Outcome {
    let Some(wall) = state.viewport.wall else { return Outcome::default() };
    let keys: Vec<AgentKey> = state.list.agents(&state.fleet).map(|(key, _)| key).collect();
    let at = keys.iter().position(|key| Some(*key) == state.list.selected).unwrap_or(0);
    let moved = state.list.step(&state.fleet, delta(go, wall.grid, at, keys.len()));
    moved_cursor(state, moved)
}

/// The keys rest for so long before the wall's first page stays in view rather than the tile with the cursor.
const AWAY: Duration = Duration::from_secs(10);

/// The place of the cursor on the wall's first page, where that is to stay in view whatever comes: nobody is at the keys,
/// and who comes to need its user comes there.
pub(crate) fn place_that_stays(state: &State, fleet: &Fleet) -> Option<usize> {
    let is_open = state.view.main == Main::Wall && matches!(state.mode, Mode::Normal);
    let tiles = state.viewport.wall.filter(|_| is_open)?.grid.tiles();
    let away = state.list.last_input.is_none_or(|at| state.elapsed.saturating_sub(at) >= AWAY);
    let at = state.list.agents(fleet).position(|(key, _)| Some(key) == state.list.selected)?;
    (away && tiles > 1 && at < tiles).then_some(at)
}

/// Leaves the cursor at that place of the first page, when its agent has gone to another page.
pub(crate) fn stay(state: &mut State, place: Option<usize>) {
    let Some((place, wall)) = place.zip(state.viewport.wall) else { return };
    let keys: Vec<AgentKey> = state.list.agents(&state.fleet).map(|(key, _)| key).collect();
    let at = keys.iter().position(|key| Some(*key) == state.list.selected);
    if at.is_some_and(|at| at >= wall.grid.tiles()) {
        state.list.select(&state.fleet, keys[place]);
        state.selected_at = state.elapsed;
    }
}

/// To the first or the last of what the focus is on.
pub(crate) fn to_end(state: &mut State, last: bool) -> Outcome {
    let far = if last { 1_000_000 } else { -1_000_000 };
    match state.view.main {
        Main::Wall => wall_step(state, Go::Across(far)),
        _ => scroll(state, state.view.focus, far),
    }
}

/// Scrolls the panel that has the focus by what is in view of it, forth or back.
pub(crate) fn page(state: &mut State, forth: bool) -> Outcome {
    let rows = match state.view.focus {
        Panel::Events => state.viewport.events,
        Panel::Preview => state.viewport.preview,
        _ if matches!(state.view.main, Main::Hosts | Main::Day) => state.viewport.list.rows,
        _ if state.view.main == Main::Wall => return wall_step(state, Go::Page(if forth { 1 } else { -1 })),
        _ => {
            let moved = state.list.page(&state.fleet, forth);
            return moved_cursor(state, moved);
        }
    };
    let rows = isize::try_from(rows.saturating_sub(1).max(1)).unwrap_or(1);
    scroll(state, state.view.focus, if forth { rows } else { -rows })
}

/// Puts the cursor on an agent.
pub(crate) fn select(state: &mut State, key: AgentKey) -> Outcome {
    // One that is folded away is shown with those that are out of the way like it.
    if state.fleet.agent(key).is_some_and(Agent::is_aside) && !state.list.aside {
        state.list.aside = true;
        state.list.rebuild(&state.fleet, state.elapsed, false);
    }
    let moved = state.list.select(&state.fleet, key);
    moved_cursor(state, moved).and(Outcome::redraw())
}

fn moved_cursor(state: &mut State, moved: bool) -> Outcome {
    if moved {
        state.selected_at = state.elapsed;
    }
    Outcome::redraw_if(moved).and(fleet::ask_focus(state))
}

/// The agent that has waited longest, then the next one, round and round.
pub(crate) fn next_needy(state: &mut State) -> Outcome {
    let mut needy: Vec<(AgentKey, &Agent)> = state.fleet.present().filter(|(_, agent)| agent.needs_user()).collect();
    needy.sort_by_key(|(_, agent)| agent.since);
    let at = needy.iter().position(|(key, _)| Some(*key) == state.list.selected);
    let next = at.map_or(0, |at| at + 1);
    let Some((key, _)) = needy.get(next % needy.len().max(1)).copied() else { return Outcome::default() };
    state.view.focus = Panel::Agents;
    if !state.list.filter.is_empty() && state.list.agents(&state.fleet).all(|(listed, _)| listed != key) {
        state.list.filter.clear();
        state.list.rebuild(&state.fleet, state.elapsed, false);
    }
    select(state, key)
}

/// Sorts by a column; the same column again turns the order round.
pub(crate) fn sort_by(state: &mut State, sort: Sort) -> Outcome {
    if state.list.sort == sort {
        state.list.reverse = !state.list.reverse;
    } else {
        state.list.sort = sort;
        state.list.reverse = false;
    }
    relist(state)
}

/// Makes the lines anew because the user asked for another order.
pub(crate) fn relist(state: &mut State) -> Outcome {
    state.list.rebuild(&state.fleet, state.elapsed, true);
    Outcome::redraw().and(fleet::ask_focus(state))
}
