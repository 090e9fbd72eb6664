//! The one place where the dashboard's state changes: a message in, what is visible and what is to be done out.

mod act;
mod ask;
mod day;
mod engine;
mod fleet;
mod modes;
mod rows;
mod still;
mod swallow;
mod tidy;

use std::time::Duration;

use jiff::Timestamp;

use crate::app::core::action::{Action, Group, row};
use crate::app::core::fleet::Host;
use crate::app::core::key::Key;
use crate::app::core::list::Line;
use crate::app::core::message::{Effect, Hit, Message, Mouse, Outcome, Setup};
use crate::app::core::pick::Opening;
use crate::app::core::state::{Mode, State, Toast};
use crate::app::core::view::{Main, Panel};
use crate::app::core::words::Tone;
use crate::app::core::{format, hosts, palette, pick, tour, wall};
use crate::monitor::Agent;

/// Time a toast shows.
const TOAST: Duration = Duration::from_secs(6);
/// Time for which it shows what a key has changed in the engine: its user is looking.
const SHORT_TOAST: Duration = Duration::from_secs(3);

/// Takes one message in.
pub fn update(state: &mut State, message: Message) -> Outcome {
    match message {
        Message::Begins(setup) => {
            let Setup {
                keymap,
                can,
                themes,
                theme,
                ascii,
                columns,
                limit_threshold,
                reduced_motion,
                grouping,
                opening,
            } = *setup;
            (state.limit_threshold, state.reduced_motion) = (limit_threshold, reduced_motion);
            (state.keymap, state.can, state.ascii) = (keymap, can, ascii);
            (state.themes, state.theme, state.columns, state.list.grouping) = (themes, theme, columns, grouping);
            state.list.rebuild(&state.fleet, state.elapsed, true);
            match opening {
                Opening::Panels => Outcome::redraw(),
                Opening::Tour => {
                    state.tour = Some(0);
                    Outcome::redraw()
                }
                Opening::Pick => {
                    pick::open(state, true);
                    Outcome::redraw().and(fleet::ask_focus(state))
                }
            }
        }
        Message::Fleet(new) => {
            let arrived = fleet::arrived(state, new);
            if !matches!(state.mode, Mode::Pick { .. }) {
                return arrived;
            }
            pick::settle(state);
            arrived.and(Outcome::redraw()).and(fleet::ask_focus(state))
        }
        Message::Key(key) => {
            input(state);
            pressed(state, key)
        }
        Message::Paste(text) => {
            input(state);
            modes::pasted(state, &text)
        }
        Message::Dropped(keys) => swallow::dropped(state, keys),
        Message::Mouse(mouse, hit) => {
            input(state);
            state.swallows = None;
            mouse_used(state, mouse, hit)
        }
        Message::Elapsed(elapsed) => {
            state.elapsed = elapsed;
            Outcome::default()
        }
        Message::Resize(columns, rows) => {
            let changed = state.size != (columns, rows);
            state.size = (columns, rows);
            Outcome::redraw_if(changed)
        }
        Message::Viewport(viewport) => {
            if !viewport.panels.is_empty() && !viewport.panels.contains(&state.view.focus) {
                state.view.focus = viewport.panels[0];
            }
            if let Mode::Answer { asked, .. } = &mut state.mode
                && state.viewport.request.0 != viewport.request.0
            {
                asked.resized();
            }
            state.viewport = viewport;
            state.list.resize(&state.fleet, state.viewport.list, state.elapsed);
            fleet::ask_focus(state)
        }
        Message::Drawn => fleet::drawn(state),
        Message::Focus(focused) => {
            state.focused = focused;
            Outcome::default()
        }
        Message::Tick(now) => tick(state, now),
        Message::Themes(themes) => {
            let used = state.themes.get(state.theme);
            state.theme = themes.iter().position(|theme| Some(theme) == used).unwrap_or(0);
            state.themes = themes;
            Outcome::redraw()
        }
        Message::Ascii(ascii) => {
            let changed = std::mem::replace(&mut state.ascii, ascii) != ascii;
            Outcome::redraw_if(changed)
        }
        Message::Configured {
            keymap,
            theme,
            mouse,
            act,
            glyphs: _,
            columns,
            limit_threshold,
            reduced_motion,
            grouping,
        } => {
            (state.limit_threshold, state.reduced_motion) = (limit_threshold, reduced_motion);
            state.columns = columns;
            let regrouped = grouping.map_or_else(Outcome::default, |grouping| {
                state.list.grouping = grouping;
                rows::relist(state)
            });
            state.keymap = *keymap;
            state.can.act = act;
            if let Some(index) = theme.and_then(|name| state.themes.iter().position(|other| *other == name)) {
                state.theme = index;
            }
            Outcome::effect(Effect::Mouse(mouse)).and(Outcome::redraw()).and(regrouped)
        }
        Message::Answered { id, answer } => engine::answered(state, id, answer),
        Message::Day(read) => day::came(state, read),
        Message::Leave => Outcome::effect(Effect::Quit),
        Message::Run(words, host) => Outcome::effect(Effect::Run(words, host)),
        Message::NotSent(effect) => {
            fleet::not_sent(state, &effect);
            toast(state, "That could not be handed on: too much is under way. Try again.".to_owned(), Tone::Error);
            Outcome::redraw()
        }
        Message::ActionResult { text, ok } => {
            toast(state, text, if ok { Tone::Done } else { Tone::Error });
            Outcome::redraw()
        }
    }
}

/// The user did something.
fn input(state: &mut State) {
    state.list.last_input = Some(state.elapsed);
    state.input_at = state.now;
}

fn pressed(state: &mut State, key: Key) -> Outcome {
    if swallow::takes(state, key) {
        return Outcome::default();
    }
    // Any key takes the newest toast away: it was read. What the engine did stays till the next that it does takes its
    // place, so that the line does not flicker between two presses.
    let had_toast = !goes_on(state, key) && state.toasts.pop_back().is_some();
    let outcome = match state.mode {
        Mode::Normal => match state.keymap.action_on(state.scopes(), key) {
            Some(action) if palette::available(action, state) => act::act(state, action),
            Some(action) => swallow::refuse(state, action),
            None => Outcome::default(),
        },
        _ => modes::pressed(state, key),
    };
    outcome.and(Outcome::redraw_if(had_toast))
}

/// Whether the key asks the engine for more while the line shows what it did last.
fn goes_on(state: &State, key: Key) -> bool {
    let entry = state.keymap.action(key).and_then(row);
    matches!(state.mode, Mode::Normal)
        && state.toasts.back().is_some_and(|toast| toast.of_engine)
        && entry.is_some_and(|entry| entry.group == Group::Engine)
}

fn mouse_used(state: &mut State, mouse: Mouse, hit: Option<Hit>) -> Outcome {
    let Some(hit) = hit else { return Outcome::default() };
    if !matches!(state.mode, Mode::Normal | Mode::Filter(_)) {
        return modes::mouse(state, mouse, &hit);
    }
    match (mouse, hit) {
        (Mouse::Wheel(delta), Hit::Agent(_) | Hit::Header(_) | Hit::Day(_)) => {
            rows::scroll(state, Panel::Agents, delta.into())
        }
        (Mouse::Wheel(delta), Hit::Panel(panel)) => rows::scroll(state, panel, delta.into()),
        (Mouse::Click, Hit::Tour) => {
            tour::next(state);
            Outcome::redraw()
        }
        (Mouse::Click, Hit::Agent(key)) => {
            state.view.focus = Panel::Agents;
            rows::select(state, key)
        }
        (Mouse::Click, Hit::Header(sort)) => rows::sort_by(state, sort),
        (Mouse::Click, Hit::Strategy(index)) => engine::strategy(state, index),
        (Mouse::Click, Hit::Day(row)) => day::select(state, row),
        (Mouse::Click, Hit::Host(index)) => Outcome::redraw_if(std::mem::replace(&mut state.host, index) != index),
        (Mouse::Click, Hit::Key(action)) if palette::available(action, state) => act::act(state, action),
        // A click on the title of the panel that has the focus: the whole page, and back.
        (Mouse::Click, Hit::Title(panel)) if state.view.focus == panel => act::act(state, Action::Zoom),
        (Mouse::Wheel(delta), Hit::Title(panel)) => rows::scroll(state, panel, delta.into()),
        (Mouse::Click, Hit::Panel(panel) | Hit::Title(panel)) => {
            let changed = state.view.focus != panel;
            state.view.focus = panel;
            Outcome::redraw_if(changed)
        }
        _ => Outcome::default(),
    }
}

/// The clock went on: ages, toasts, an order that has settled.
fn tick(state: &mut State, now: Timestamp) -> Outcome {
    let before = state.now;
    state.now = now;
    let mut redraw =
        ages_differ(state, before, now) || format::minute(before, &state.zone) != format::minute(now, &state.zone);
    redraw |= std::mem::take(&mut state.behind) | matches!(state.mode, Mode::Pick { .. });
    let toasts = state.toasts.len();
    let elapsed = state.elapsed;
    state.toasts.retain(|toast| toast.until > elapsed);
    redraw |= state.toasts.len() != toasts;
    redraw |= state.switched.take_if(|(_, until)| *until <= elapsed).is_some();
    let waits = state.list.waits(&state.fleet, state.elapsed);
    state.list.clock = now;
    let place = rows::place_that_stays(state, &state.fleet);
    let rebuilt = waits && state.list.rebuild(&state.fleet, state.elapsed, false);
    rows::stay(state, place);
    let asks = if rebuilt { fleet::ask_focus(state) } else { Outcome::default() };
    Outcome::redraw_if(redraw | rebuilt).and(asks).and(fleet::mark_seen(state)).and(day::ticked(state))
}

/// Whether an age in view reads differently at the two times.
fn ages_differ(state: &State, before: Timestamp, now: Timestamp) -> bool {
    let host = |host: &Host| hosts::short(host, before) != hosts::short(host, now);
    let agent = |agent: &Agent| {
        format::age(agent.since, before) != format::age(agent.since, now)
            || fresh(agent.since, before) != fresh(agent.since, now)
    };
    if state.fleet.hosts().iter().any(host) {
        return true;
    }
    if state.view.main == Main::Wall {
        return wall::agents(state, &wall::page(state)).any(|(_, shown)| agent(shown));
    }
    state.list.in_view().iter().any(|shown| match &shown.line {
        Line::Agent(place) => state.fleet.at(*place).is_some_and(|(_, shown)| agent(shown)),
        Line::Head(_) | Line::Host(_) | Line::Aside { .. } => false,
    })
}

/// Whether a state is so new that its row stands out.
#[must_use]
pub fn fresh(since: Timestamp, now: Timestamp) -> bool {
    now.as_second() - since.as_second() < 5
}

/// Shows a line for some seconds.
pub(crate) fn toast(state: &mut State, text: String, tone: Tone) {
    let until = state.elapsed + TOAST;
    show(state, Toast { text, tone, until, of_engine: false });
}

/// Shows what a key has changed in the engine, in the place of what it changed before.
fn toast_of_engine(state: &mut State, text: String) {
    state.toasts.retain(|toast| !toast.of_engine);
    let until = state.elapsed + SHORT_TOAST;
    show(state, Toast { text, tone: Tone::Done, until, of_engine: true });
}

fn show(state: &mut State, toast: Toast) {
    state.toasts.push_back(toast);
    while state.toasts.len() > 4 {
        state.toasts.pop_front();
    }
}
