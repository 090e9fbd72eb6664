//! Actions: what a key, a click or a palette item does.

use crate::app::core::act::Act;
use crate::app::core::action::Action;
use crate::app::core::fleet::AgentKey;
use crate::app::core::grouping::Grouping;
use crate::app::core::message::{Effect, Outcome};
use crate::app::core::palette;
use crate::app::core::palette::Does;
use crate::app::core::pick;
use crate::app::core::state::{Mode, State};
use crate::app::core::tour;
use crate::app::core::update::ask::{ask, broadcast};
use crate::app::core::update::engine::{command, interval, pool, step_strategy, strategy, switch_strategy};
use crate::app::core::update::fleet::ask_focus;
use crate::app::core::update::rows::{next_needy, page, relist, scroll, select, sort_by, to_end, wall_step};
use crate::app::core::update::{Tone, day, engine, modes, tidy, toast};
use crate::app::core::view::{Main, Panel};
use crate::app::core::wall::Go;
use crate::monitor::Command;

/// Does an action that is available.
pub(crate) fn act(state: &mut State, action: Action) -> Outcome {
    if action == Action::Back && state.tour.take().is_some() {
        return Outcome::redraw();
    }
    if tour::did(state, action) {
        if state.tour.is_none() {
            let text = "The tour is over: `tmux-orc` in your own tmux shows your agents".to_owned();
            toast(state, text, Tone::Done);
        }
        return Outcome::redraw().and(does_what(state, action));
    }
    does_what(state, action)
}

fn does_what(state: &mut State, action: Action) -> Outcome {
    match action {
        Action::Down => scroll(state, state.view.focus, 1),
        Action::Up => scroll(state, state.view.focus, -1),
        Action::PageDown => page(state, true),
        Action::PageUp => page(state, false),
        Action::Left => wall_step(state, Go::Across(-1)),
        Action::Right => wall_step(state, Go::Across(1)),
        Action::Top => to_end(state, false),
        Action::Bottom => to_end(state, true),
        Action::Jump if state.view.main == Main::Hosts => try_host(state),
        Action::Jump => state
            .list
            .selected
            .map(|key| Effect::Act(key.member, Act::Jump { pane: key.pane }))
            .map_or_else(Outcome::default, Outcome::effect),
        Action::NextNeedy => next_needy(state),
        Action::Answer | Action::Reply | Action::Interrupt | Action::Kill => ask(state, action),
        Action::Broadcast => broadcast(state),
        Action::Copy => match state.list.selected.map(|key| copied(state, key)) {
            Some(target) => Outcome::effect(Effect::CopyText(target)),
            None => Outcome::default(),
        },
        Action::Dismiss | Action::Park | Action::Snooze | Action::Pin | Action::Mute | Action::Describe => {
            tidy::tidy(state, action)
        }
        Action::Aside => {
            state.list.aside = !state.list.aside;
            relist(state)
        }
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
            state.list.grouping = state.list.grouping.next();
            // All are of one.
            if state.list.grouping == Grouping::Host && !state.fleet.several() {
                state.list.grouping = Grouping::Host.next();
            }
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
            let on = state.pending_cache().unwrap_or(state.snapshot().settings.cache_enabled);
            command(state, Command::Cache(!on))
        }
        Action::CachePolicy => engine::cache_policy(state),
        Action::Pause => {
            let paused = state.pending_pause().unwrap_or(state.snapshot().engine.paused);
            command(state, Command::Pause(!paused))
        }
        Action::Refresh => command(state, Command::Refresh),
        Action::NextPanel => focus(state, 1),
        Action::PrevPanel => focus(state, -1),
        Action::Zoom => {
            state.view.zoom = !state.view.zoom;
            Outcome::redraw()
        }
        Action::Tune => open(state, Main::Tune),
        Action::Usage => open(state, Main::Usage),
        Action::Hosts => open(state, Main::Hosts),
        Action::Day => {
            let opened = open(state, Main::Day);
            opened.and(day::opened(state))
        }
        Action::Wall => open(state, Main::Wall),
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
        Action::Pick => {
            pick::open(state, false);
            Outcome::redraw().and(ask_focus(state))
        }
        Action::Redraw => Outcome::effect(Effect::Repaint),
        Action::Back => back(state),
        Action::Suspend => Outcome::effect(Effect::Suspend),
        Action::Quit => Outcome { redraw: false, effects: vec![Effect::Quit] },
        // These are done to what stands over the panels: see `modes`.
        Action::Accept
        | Action::Leave
        | Action::Close
        | Action::NextField
        | Action::NextItem
        | Action::PrevItem
        | Action::NextPage
        | Action::PrevPage
        | Action::Choose(_)
        | Action::Confirm
        | Action::Decline
        | Action::Mark
        | Action::MarkAll
        | Action::MarkIdle
        | Action::Newline
        | Action::DeleteBack
        | Action::DeleteWord
        | Action::DeleteForward
        | Action::DeleteToStart
        | Action::DeleteToEnd
        | Action::CursorLeft
        | Action::CursorRight
        | Action::WordLeft
        | Action::WordRight
        | Action::LineStart
        | Action::LineEnd => Outcome::default(),
    }
}

/// Does what a palette item says.
pub(crate) fn does(state: &mut State, does: Does) -> Outcome {
    match does {
        Does::Action(action) if palette::available(action, state) => act(state, action),
        Does::Action(_) => Outcome::redraw(),
        Does::Strategy(name) => switch_strategy(state, name),
        Does::Theme(index) => theme(state, index),
        Does::Sort(sort) => sort_by(state, sort),
        Does::Select(key) => {
            state.view.focus = Panel::Agents;
            select(state, key).and(Outcome::redraw())
        }
    }
}

/// What is copied of an agent's place. Another host chooses the words of its own places, and what is copied may be pasted
/// into a shell: nothing that one obeys.
fn copied(state: &State, key: AgentKey) -> String {
    let place = state.place(key);
    let plain = |c: &char| c.is_ascii_alphanumeric() || ":._@%/- ".contains(*c);
    match state.fleet.agent(key) {
        Some(agent) if agent.host.is_some() => place.chars().filter(plain).collect(),
        _ => place,
    }
}

/// Tries to reach the host under the cursor, or begins what only a person can do.
fn try_host(state: &mut State) -> Outcome {
    let Some(host) = state.selected_host().cloned() else { return Outcome::default() };
    if let Some(verb) = host.state.mend() {
        return Outcome::effect(Effect::Mend(host.name, verb));
    }
    toast(state, format!("asking {} again", host.name), Tone::Starting);
    Outcome::effect(Effect::Retry(host.name))
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

/// Opens a view in the place of the agents, or closes it.
fn open(state: &mut State, main: Main) -> Outcome {
    state.view.main = if state.view.main == main { Main::Agents } else { main };
    state.view.zoom = false;
    state.view.focus = Panel::Agents;
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
    } else if state.view.main != Main::Agents {
        state.view.main = Main::Agents;
    } else if state.view.focus != Panel::Agents {
        state.view.focus = Panel::Agents;
    } else {
        return Outcome::default();
    }
    Outcome::redraw()
}
