//! Actions: what a key, a click or a palette item does.

use super::{Tone, modes, snapshot, toast};
use crate::{
    app::{
        action::Action,
        list::Sort,
        message::{Effect, Outcome, Seen},
        palette::{self, Does},
        pending::Pending,
        state::{Mode, Panel, Recipient, State},
    },
    monitor::{self, Agent, Command},
    tmux::PaneId,
};

/// Intervals that `<` and `>` go through, seconds.
const INTERVALS: [f64; 10] = [0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0];

/// Most connections a pool may be asked for.
const POOL_MOST: usize = 64;

/// Cache policies in the order of the key.
const POLICIES: [&str; 3] = ["ttl", "lru", "lfu"];

/// Does an action that is available.
pub(super) fn act(state: &mut State, action: Action) -> Outcome {
    match action {
        Action::Down => scroll(state, state.view.focus, 1),
        Action::Up => scroll(state, state.view.focus, -1),
        Action::PageDown => scroll(state, state.view.focus, page(state)),
        Action::PageUp => scroll(state, state.view.focus, -page(state)),
        Action::Top => scroll(state, state.view.focus, -1_000_000),
        Action::Bottom => scroll(state, state.view.focus, 1_000_000),
        Action::Jump => {
            state.selected().map(|agent| Effect::Jump(agent.pane_id)).map_or_else(Outcome::default, Outcome::effect)
        }
        Action::NextNeedy => next_needy(state),
        Action::Answer | Action::Reply | Action::Interrupt | Action::Kill => ask(state, action),
        Action::Broadcast => broadcast(state),
        Action::Copy => match state.selected().map(|agent| agent.target.clone()) {
            Some(target) => Outcome::effect(Effect::CopyText(target)),
            None => Outcome::default(),
        },
        Action::Filter => modes::filter(state),
        Action::Sort => {
            let sort = state.list.sort.next();
            state.list.reverse = false;
            sort_by(state, sort)
        }
        Action::Reverse => {
            state.list.reverse = !state.list.reverse;
            relist(state)
        }
        Action::Group => {
            state.list.grouped = !state.list.grouped;
            relist(state)
        }
        Action::NextStrategy => step_strategy(state, 1),
        Action::PrevStrategy => step_strategy(state, -1),
        Action::Strategy(n) => strategy(state, usize::from(n).saturating_sub(1)),
        Action::PoolUp => pool(state, 1),
        Action::PoolDown => pool(state, -1),
        Action::Faster => interval(state, false),
        Action::Slower => interval(state, true),
        Action::ClearCache => command(state, Command::ClearCache),
        Action::ToggleCache => {
            let on = state.pending_cache().unwrap_or(state.snapshot.settings.cache_enabled);
            command(state, Command::Cache(!on))
        }
        Action::CachePolicy => {
            let now = state.pending_policy().unwrap_or(&state.snapshot.settings.cache_policy);
            let at = POLICIES.iter().position(|policy| *policy == now).map_or(0, |at| (at + 1) % POLICIES.len());
            command(state, Command::CachePolicy(POLICIES[at].to_owned()))
        }
        Action::Pause => {
            let paused = state.pending_pause().unwrap_or(state.snapshot.engine.paused);
            command(state, Command::Pause(!paused))
        }
        Action::Refresh => command(state, Command::Refresh),
        Action::NextPanel => focus(state, 1),
        Action::PrevPanel => focus(state, -1),
        Action::Zoom => {
            state.view.zoom = !state.view.zoom;
            Outcome::redraw()
        }
        Action::Tune => {
            state.view.tune = !state.view.tune;
            state.view.zoom = false;
            state.view.focus = Panel::Agents;
            Outcome::redraw()
        }
        Action::Preview => {
            state.view.preview = Some(state.viewport.preview == 0);
            Outcome::redraw()
        }
        Action::Events => {
            state.view.events = Some(state.viewport.events == 0);
            Outcome::redraw()
        }
        Action::Theme => {
            let next = if state.themes.is_empty() { 0 } else { (state.theme + 1) % state.themes.len() };
            theme(state, next)
        }
        Action::Reload => Outcome::effect(Effect::ReloadSettings),
        Action::Help => {
            state.mode = Mode::Help { input: tui_input::Input::default(), top: 0 };
            Outcome::redraw()
        }
        Action::Palette => {
            state.mode = Mode::Palette { input: tui_input::Input::default(), at: 0 };
            Outcome::redraw()
        }
        Action::Redraw => Outcome::effect(Effect::Repaint),
        Action::Back => back(state),
        Action::Suspend => Outcome::effect(Effect::Suspend),
        Action::Quit => Outcome { redraw: false, effects: vec![Effect::Quit] },
    }
}

/// Does what a palette item says.
pub(super) fn does(state: &mut State, does: Does) -> Outcome {
    match does {
        Does::Action(action) if palette::available(action, state) => act(state, action),
        Does::Action(_) => Outcome::redraw(),
        Does::Strategy(name) => switch_strategy(state, name),
        Does::Theme(index) => theme(state, index),
        Does::Sort(sort) => sort_by(state, sort),
        Does::Select(id) => {
            state.view.focus = Panel::Agents;
            select(state, id).and(Outcome::redraw())
        }
    }
}

/// Sends a command and keeps it as pending till a snapshot confirms it.
pub(super) fn command(state: &mut State, command: Command) -> Outcome {
    state.pending.retain(|pending| !pending.same_kind(&command));
    let cycle = state.snapshot.base_status.cycle_count;
    let pending = Pending { command: command.clone(), asked: state.now, cycle };
    if !pending.confirmed(&state.snapshot) {
        state.pending.push(pending);
    }
    Outcome::effect(Effect::Engine(command))
}

fn pool(state: &mut State, delta: isize) -> Outcome {
    let now = state.pending_pool().unwrap_or(state.snapshot.settings.pool_max);
    let to = now.saturating_add_signed(delta).clamp(1, POOL_MOST);
    if to == now { Outcome::default() } else { command(state, Command::PoolSize(to)) }
}

fn interval(state: &mut State, longer: bool) -> Outcome {
    let now = state.pending_interval().unwrap_or(state.snapshot.settings.interval);
    let to = if longer {
        INTERVALS.iter().find(|step| **step > now + 1e-9)
    } else {
        INTERVALS.iter().rev().find(|step| **step < now - 1e-9)
    };
    match to {
        Some(to) => command(state, Command::Interval(*to)),
        None => Outcome::default(),
    }
}

fn step_strategy(state: &mut State, delta: isize) -> Outcome {
    let usable: Vec<&str> =
        state.snapshot.strategies.iter().filter(|s| s.problem.is_none()).map(|s| s.name.as_str()).collect();
    let now = state.pending_strategy().unwrap_or(&state.snapshot.current_strategy);
    let Some(at) = usable.iter().position(|name| *name == now).or(if usable.is_empty() { None } else { Some(0) })
    else {
        return Outcome::default();
    };
    let to = usable[(at + usable.len()).saturating_add_signed(delta) % usable.len()].to_owned();
    command(state, Command::Strategy(to))
}

/// Switches to the strategy with this index.
pub(super) fn strategy(state: &mut State, index: usize) -> Outcome {
    match state.snapshot.strategies.get(index).map(|strategy| strategy.name.clone()) {
        Some(name) => switch_strategy(state, name),
        None => Outcome::default(),
    }
}

fn switch_strategy(state: &mut State, name: String) -> Outcome {
    let problem = state.snapshot.strategies.iter().find(|s| s.name == name).and_then(|s| s.problem.clone());
    match problem {
        Some(problem) => {
            toast(state, format!("{name} cannot be used: {problem}"), Tone::Error);
            Outcome::redraw()
        }
        None => command(state, Command::Strategy(name)),
    }
}

/// Scrolls a panel, or moves its cursor.
pub(super) fn scroll(state: &mut State, panel: Panel, delta: isize) -> Outcome {
    match panel {
        Panel::Events => {
            let most = crate::app::events::shown(state).len().saturating_sub(state.viewport.events.max(1));
            let up = state.events_up.saturating_add_signed(delta).min(most);
            let moved = up != state.events_up;
            state.events_up = up;
            Outcome::redraw_if(moved)
        }
        Panel::Preview => {
            let rows = state.snapshot.preview.as_ref().map_or(0, |preview| preview.text.lines().count());
            let most = rows.saturating_sub(state.viewport.preview.max(1));
            let up = state.preview_up.saturating_add_signed(-delta).min(most);
            let moved = up != state.preview_up;
            state.preview_up = up;
            Outcome::redraw_if(moved)
        }
        _ => {
            let snapshot = state.snapshot.clone();
            let moved = state.list.step(&snapshot.agents, delta);
            moved_cursor(state, moved)
        }
    }
}

fn page(state: &State) -> isize {
    let rows = match state.view.focus {
        Panel::Events => state.viewport.events,
        Panel::Preview => state.viewport.preview,
        _ => state.viewport.agents,
    };
    isize::try_from(rows.saturating_sub(1).max(1)).unwrap_or(1)
}

/// Puts the cursor on an agent.
pub(super) fn select(state: &mut State, id: PaneId) -> Outcome {
    let snapshot = state.snapshot.clone();
    let moved = state.list.select(&snapshot.agents, id);
    moved_cursor(state, moved).and(Outcome::redraw())
}

fn moved_cursor(state: &mut State, moved: bool) -> Outcome {
    if moved {
        state.selected_at = state.now;
    }
    Outcome::redraw_if(moved).and(snapshot::ask_focus(state))
}

/// The agent that has waited longest, then the next one, round and round.
fn next_needy(state: &mut State) -> Outcome {
    let mut needy: Vec<&Agent> = state.snapshot.agents.iter().filter(|agent| agent.state.needs_user()).collect();
    needy.sort_by_key(|agent| agent.since);
    let at = needy.iter().position(|agent| Some(agent.pane_id) == state.list.selected);
    let next = at.map_or(0, |at| at + 1);
    let Some(id) = needy.get(next % needy.len().max(1)).map(|agent| agent.pane_id) else { return Outcome::default() };
    state.view.focus = Panel::Agents;
    if !state.list.filter.is_empty() {
        let snapshot = state.snapshot.clone();
        if state.list.agents(&snapshot.agents).all(|listed| listed != id) {
            state.list.filter.clear();
            state.list.rebuild(&snapshot, state.now, false);
        }
    }
    select(state, id)
}

/// Opens the question before something is typed into a pane.
fn ask(state: &mut State, action: Action) -> Outcome {
    let Some(agent) = state.selected() else { return Outcome::default() };
    let seen = Seen::of(agent, state.snapshot.preview.as_deref());
    let pane = agent.pane_id;
    state.mode = match action {
        Action::Answer => {
            let at = seen.choices.iter().position(|choice| choice.selected).unwrap_or(0);
            Mode::Answer { pane, seen, at }
        }
        Action::Reply => Mode::Reply { pane, seen, input: tui_input::Input::default() },
        _ => Mode::Confirm { pane, seen, kill: action == Action::Kill },
    };
    Outcome::redraw()
}

/// Opens the list of those who may get one message: what is listed now, so that the filter chooses them. Those at their
/// prompt are marked.
fn broadcast(state: &mut State) -> Outcome {
    let preview = state.snapshot.preview.as_deref();
    let may_get = |agent: &&Agent| agent.pid.is_some() && agent.state != monitor::State::Exited;
    let agents = &state.snapshot.agents;
    let listed = state.list.agents(agents).filter_map(|id| agents.iter().find(|agent| agent.pane_id == id));
    let to: Vec<Recipient> = listed
        .filter(may_get)
        .map(|agent| Recipient {
            pane: agent.pane_id,
            seen: Seen::of(agent, preview),
            marked: agent.state == monitor::State::Idle,
        })
        .collect();
    if to.is_empty() {
        return Outcome::default();
    }
    state.mode = Mode::Broadcast { to, at: 0, input: None };
    Outcome::redraw()
}

/// Sorts by a column; the same column again turns the order round.
pub(super) fn sort_by(state: &mut State, sort: Sort) -> Outcome {
    if state.list.sort == sort {
        state.list.reverse = !state.list.reverse;
    } else {
        state.list.sort = sort;
        state.list.reverse = false;
    }
    relist(state)
}

/// Makes the lines anew because the user asked for another order.
pub(super) fn relist(state: &mut State) -> Outcome {
    let snapshot = state.snapshot.clone();
    state.list.rebuild(&snapshot, state.now, true);
    Outcome::redraw().and(snapshot::ask_focus(state))
}

fn focus(state: &mut State, delta: isize) -> Outcome {
    let panels = &state.viewport.panels;
    if panels.is_empty() {
        return Outcome::default();
    }
    let at = panels.iter().position(|panel| *panel == state.view.focus).unwrap_or(0);
    state.view.focus = panels[(at + panels.len()).saturating_add_signed(delta) % panels.len()];
    Outcome::redraw()
}

fn theme(state: &mut State, index: usize) -> Outcome {
    if index >= state.themes.len() {
        return Outcome::default();
    }
    state.theme = index;
    let name = state.themes[index].clone();
    toast(state, format!("Theme {name}"), Tone::Idle);
    Outcome::redraw()
}

fn back(state: &mut State) -> Outcome {
    if state.view.zoom {
        state.view.zoom = false;
    } else if state.view.focus == Panel::Events && !state.events_filter.is_empty() {
        state.events_filter.clear();
    } else if !state.list.filter.is_empty() {
        state.list.filter.clear();
        return relist(state);
    } else if state.view.tune {
        state.view.tune = false;
    } else if state.view.focus != Panel::Agents {
        state.view.focus = Panel::Agents;
    } else {
        return Outcome::default();
    }
    Outcome::redraw()
}
