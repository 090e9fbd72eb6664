//! Keys while something has them all: the filter, the help, the palette, an answer, a message, a question.

use tui_input::{Input, InputRequest};

use crate::app::core::act::LONGEST_MESSAGE;
use crate::app::core::act::{Act, Seen};
use crate::app::core::action::Action;
use crate::app::core::asked::Asked;
use crate::app::core::fleet::AgentKey;
use crate::app::core::help::help_rows;
use crate::app::core::key::{Code, Key};
use crate::app::core::message::{Effect, Hit, Mouse, Outcome};
use crate::app::core::palette;
use crate::app::core::pick;
use crate::app::core::state::{Mode, State};
use crate::app::core::tidy::SNOOZES;
use crate::app::core::update::fleet::ask_focus;
use crate::app::core::update::{Tone, act, swallow, tidy, toast};
use crate::app::core::view::Panel;
use crate::monitor;

/// Longest text of a filter or a search, bytes.
const LONGEST_LINE: usize = 1000;

/// A key while a mode has them.
pub(crate) fn pressed(state: &mut State, key: Key) -> Outcome {
    if let Mode::Help { input, .. } = &state.mode
        && input.value().is_empty()
        && matches!(state.keymap.action(key), Some(Action::Help | Action::Quit))
    {
        return close(state);
    }
    if let (Code::Char(c), true) = (key.code, key.is_text())
        && let Some(input) = state.mode.input()
    {
        input.handle(InputRequest::InsertChar(c));
        return typed(state);
    }
    let Some(action) = state.keymap.action_in(state.mode.scopes(), key) else { return none_of_its_keys(state, key) };
    match action {
        Action::Accept | Action::Confirm => enter(state),
        Action::Leave => escape(state),
        Action::Close | Action::Decline => close(state),
        // No row is there to go to: a letter is the first of words.
        _ if matches!(state.mode, Mode::Confirm { .. }) => {
            if key.is_text() {
                swallow::close(state, key)
            } else {
                Outcome::default()
            }
        }
        Action::NextField => tidy::next_field(state),
        Action::NextItem => step(state, 1),
        Action::PrevItem => step(state, -1),
        Action::NextPage => turn_page(state, 1),
        Action::PrevPage => turn_page(state, -1),
        Action::Choose(number) => choose(state, number, key),
        Action::Mark | Action::MarkAll | Action::MarkIdle => mark(state, action),
        action => match (edit(action), state.mode.input()) {
            (Some(request), Some(input)) => {
                input.handle(request);
                typed(state)
            }
            _ => Outcome::default(),
        },
    }
}

/// A key that does nothing here: where nothing is typed it closes what is open.
fn none_of_its_keys(state: &mut State, key: Key) -> Outcome {
    match state.mode {
        Mode::Answer { .. } | Mode::Confirm { .. } | Mode::Snooze { .. } => swallow::close(state, key),
        Mode::Broadcast { input: None, .. } if key.is_text() => swallow::close(state, key),
        _ => Outcome::default(),
    }
}

/// Picks the answer with a number.
fn choose(state: &mut State, number: u8, key: Key) -> Outcome {
    match &mut state.mode {
        Mode::Snooze { at, .. } if (1..=SNOOZES.len()).contains(&number.into()) => {
            *at = usize::from(number) - 1;
            enter(state)
        }
        Mode::Answer { seen, at, .. } if (1..=seen.choices.len()).contains(&number.into()) => {
            *at = Some(usize::from(number) - 1);
            enter(state)
        }
        _ => swallow::close(state, key),
    }
}

/// Text was pasted.
pub(crate) fn pasted(state: &mut State, text: &str) -> Outcome {
    let keep_lines = matches!(state.mode, Mode::Reply { .. } | Mode::Broadcast { .. });
    let Some(input) = state.mode.input() else { return Outcome::default() };
    // Most terminals send a line's end as CR when they paste.
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let text: String = text.chars().filter(|c| !c.is_control() || (keep_lines && matches!(c, '\n' | '\t'))).collect();
    let most = if keep_lines { LONGEST_MESSAGE } else { LONGEST_LINE };
    if input.value().len() + text.len() > most {
        let so_far = if keep_lines { "put it into a file and name that" } else { "it is for a few words" };
        let text = format!("nothing was pasted: {} bytes, and at most {most} fit here; {so_far}", text.len());
        toast(state, text, Tone::Error);
        return Outcome::redraw();
    }
    // At once: letter by letter each would move all that stands behind the cursor.
    let at = input.value().char_indices().nth(input.cursor()).map_or(input.value().len(), |(at, _)| at);
    let cursor = input.cursor() + text.chars().count();
    let whole = format!("{}{text}{}", &input.value()[..at], &input.value()[at..]);
    *input = Input::new(whole).with_cursor(cursor);
    typed(state)
}

/// The mouse while a mode has the keys: a click beside an overlay closes it.
pub(crate) fn mouse(state: &mut State, mouse: Mouse, hit: &Hit) -> Outcome {
    match (mouse, hit) {
        (Mouse::Wheel(delta), Hit::Overlay | Hit::Choice(_)) if matches!(state.mode, Mode::Answer { .. }) => {
            scroll_request(state, delta.into())
        }
        (Mouse::Wheel(delta), Hit::Overlay | Hit::Item(_) | Hit::Choice(_)) => step(state, delta.into()),
        (Mouse::Click, Hit::Item(row)) => {
            match &mut state.mode {
                Mode::Palette { at, .. } => *at = *row,
                Mode::Pick { .. } => pick::select(state, *row),
                _ => return Outcome::default(),
            }
            enter(state)
        }
        (Mouse::Click, Hit::Choice(row)) => {
            match &mut state.mode {
                Mode::Answer { at, .. } => *at = Some(*row),
                Mode::Snooze { at, .. } => *at = *row,
                _ => return Outcome::default(),
            }
            enter(state)
        }
        (Mouse::Click, Hit::Overlay) | (Mouse::Wheel(_), _) => Outcome::default(),
        (Mouse::Click, _) => close(state),
    }
}

/// Opens the filter's line for the panel that has the focus.
pub(crate) fn filter(state: &mut State) -> Outcome {
    let text = if state.view.focus == Panel::Events { &state.events_filter } else { &state.list.filter };
    state.mode = Mode::Filter(Input::new(text.clone()));
    Outcome::redraw()
}

/// The text changed: what hangs on it follows.
fn typed(state: &mut State) -> Outcome {
    tidy::typed(state);
    match &mut state.mode {
        Mode::Filter(input) => {
            let text = input.value().to_owned();
            apply_filter(state, text)
        }
        Mode::Help { top, .. } => {
            *top = 0;
            Outcome::redraw()
        }
        Mode::Pick { .. } => {
            pick::typed(state);
            Outcome::redraw().and(ask_focus(state))
        }
        Mode::Palette { at, .. } => {
            *at = 0;
            Outcome::redraw()
        }
        _ => Outcome::redraw(),
    }
}

fn apply_filter(state: &mut State, text: String) -> Outcome {
    if state.view.focus == Panel::Events {
        state.events_filter = text;
        state.events_up = 0;
        return Outcome::redraw();
    }
    state.list.filter = text;
    state.list.rebuild(&state.fleet, state.elapsed, false);
    Outcome::redraw().and(crate::app::core::update::fleet::ask_focus(state))
}

/// Marks those who get a message.
fn mark(state: &mut State, action: Action) -> Outcome {
    let Mode::Broadcast { to, at, input: None } = &mut state.mode else { return Outcome::default() };
    match action {
        Action::MarkAll => {
            let all = to.iter().all(|one| one.marked);
            to.iter_mut().for_each(|one| one.marked = !all);
        }
        Action::MarkIdle => {
            to.iter_mut().for_each(|one| one.marked = one.seen.state == Some(monitor::AgentState::Idle))
        }
        _ => {
            if let Some(one) = to.get_mut(*at) {
                one.marked = !one.marked;
            }
            *at = (*at + 1).min(to.len().saturating_sub(1));
        }
    }
    Outcome::redraw()
}

fn escape(state: &mut State) -> Outcome {
    if matches!(state.mode, Mode::Filter(_)) {
        state.mode = Mode::Normal;
        return apply_filter(state, String::new());
    }
    close(state)
}

pub(crate) fn close(state: &mut State) -> Outcome {
    match std::mem::take(&mut state.mode) {
        Mode::Pick { only: true, .. } => Outcome::effect(Effect::Quit),
        Mode::Pick { .. } => Outcome::redraw().and(ask_focus(state)),
        _ => Outcome::redraw(),
    }
}

fn enter(state: &mut State) -> Outcome {
    let does = |key: AgentKey, act| Outcome::effect(Effect::Act(key.member, act));
    match std::mem::take(&mut state.mode) {
        Mode::Palette { input, at } => match palette::items(state, input.value()).into_iter().nth(at) {
            Some(item) => act::does(state, item.does).and(Outcome::redraw()),
            None => Outcome::redraw(),
        },
        Mode::Pick { key: Some(key), only, input } => {
            if only {
                // It stays open in case that the jump fails.
                state.mode = Mode::Pick { key: Some(key), only, input };
            }
            does(key, Act::Jump { pane: key.pane }).and(Outcome::redraw()).and(ask_focus(state))
        }
        mode @ Mode::Pick { .. } => {
            state.mode = mode;
            Outcome::default()
        }
        Mode::Answer { key, seen, at: Some(choice), asked } if asked.seen_whole => {
            does(key, Act::Answer { pane: key.pane, choice, seen })
        }
        Mode::Answer { key, seen, asked, .. } if !asked.seen_whole => not_seen(state, key, seen, asked),
        Mode::Answer { key, seen, asked, .. } => {
            state.mode = Mode::Answer { key, seen, at: None, asked };
            let text = "no answer is marked: press its number, or move to it".to_owned();
            toast(state, text, Tone::NeedsYou);
            Outcome::redraw()
        }
        Mode::Reply { key, seen, input } if !input.value().trim().is_empty() => {
            does(key, Act::Reply { pane: key.pane, text: input.value().to_owned(), seen })
        }
        Mode::Snooze { key, at } => tidy::snooze(state, key, at),
        Mode::Describe { key, name, note, .. } => tidy::describe(state, key, &name, &note),
        Mode::Confirm { key, seen, kill: false } => does(key, Act::Interrupt { pane: key.pane, seen }),
        Mode::Confirm { key, seen, kill: true } => does(key, Act::Kill { pane: key.pane, seen }),
        Mode::Broadcast { to, at, input: None } => {
            // Nobody is marked: nobody to write to yet.
            let input = to.iter().any(|one| one.marked).then(Input::default);
            state.mode = Mode::Broadcast { to, at, input };
            Outcome::redraw()
        }
        Mode::Broadcast { to, input: Some(input), .. } if !input.value().trim().is_empty() => {
            let to = to.into_iter().filter(|one| one.marked).map(|one| (one.key, one.seen)).collect();
            Outcome::effect(Effect::Broadcast { text: input.value().to_owned(), to })
        }
        _ => Outcome::redraw(),
    }
}

/// Nothing is answered whose request was not shown whole: what to do, in words.
fn not_seen(state: &mut State, key: AgentKey, seen: Seen, asked: Asked) -> Outcome {
    let lines = asked.pieces(&seen, state.viewport.request.0).len();
    let text = if asked.screen.is_none() || asked.unread(lines) >= lines {
        "the request is shown first: look at it, then answer".to_owned()
    } else {
        let up = state.keymap.label(Action::PrevPage);
        format!("{} rows of the request were not in view yet: {up} shows them", asked.unread(lines))
    };
    toast(state, text, Tone::NeedsYou);
    state.mode = Mode::Answer { key, seen, at: None, asked };
    Outcome::redraw()
}

/// Scrolls the request in the box of the answers.
fn scroll_request(state: &mut State, delta: isize) -> Outcome {
    let (width, height) = state.viewport.request;
    let Mode::Answer { seen, asked, .. } = &mut state.mode else { return Outcome::default() };
    let most = asked.pieces(seen, width).len().saturating_sub(height);
    let up = asked.up.min(most).saturating_add_signed(-delta).min(most);
    let moved = up != asked.up;
    asked.up = up;
    Outcome::redraw_if(moved)
}

/// Moves the mark of an overlay, or scrolls it.
fn step(state: &mut State, delta: isize) -> Outcome {
    let rows = match &state.mode {
        Mode::Palette { input, .. } => palette::items(state, input.value()).len(),
        Mode::Help { input, .. } => {
            help_rows(state, input.value()).len().saturating_sub(state.viewport.overlay.saturating_sub(1))
        }
        Mode::Answer { seen, .. } => seen.choices.len(),
        Mode::Snooze { .. } => SNOOZES.len(),
        Mode::Describe { .. } => return tidy::next_field(state),
        Mode::Broadcast { to, input: None, .. } => to.len(),
        Mode::Pick { .. } => {
            let moved = pick::step(state, delta);
            return Outcome::redraw_if(moved).and(ask_focus(state));
        }
        Mode::Filter(_) => return crate::app::core::update::rows::scroll(state, state.view.focus, delta),
        _ => return Outcome::default(),
    };
    if let Mode::Answer { at, .. } = &mut state.mode {
        // The first step marks the first answer, or the last one when it goes up.
        let to = match *at {
            Some(at) => at.saturating_add_signed(delta).min(rows.saturating_sub(1)),
            None if delta < 0 => rows.saturating_sub(1),
            None => 0,
        };
        let moved = rows > 0 && *at != Some(to);
        *at = (rows > 0).then_some(to);
        return Outcome::redraw_if(moved);
    }
    let (Mode::Palette { at, .. } | Mode::Help { top: at, .. } | Mode::Snooze { at, .. } | Mode::Broadcast { at, .. }) =
        &mut state.mode
    else {
        return Outcome::default();
    };
    let to = at.saturating_add_signed(delta).min(rows.saturating_sub(1));
    let moved = to != *at;
    *at = to;
    Outcome::redraw_if(moved)
}

/// A page of what is open: of the request where answers are, else of its rows.
fn turn_page(state: &mut State, pages: isize) -> Outcome {
    if matches!(state.mode, Mode::Answer { .. }) {
        let rows = isize::try_from(state.viewport.request.1.max(1)).unwrap_or(1);
        return scroll_request(state, pages * rows);
    }
    let rows = isize::try_from(state.viewport.overlay.saturating_sub(1).max(1)).unwrap_or(1);
    step(state, pages * rows)
}

/// What an action does to a line of text.
fn edit(action: Action) -> Option<InputRequest> {
    Some(match action {
        Action::Newline => InputRequest::InsertChar('\n'),
        Action::DeleteBack => InputRequest::DeletePrevChar,
        Action::DeleteWord => InputRequest::DeletePrevWord,
        Action::DeleteForward => InputRequest::DeleteNextChar,
        Action::DeleteToStart => InputRequest::DeleteFromStart,
        Action::DeleteToEnd => InputRequest::DeleteTillEnd,
        Action::CursorLeft => InputRequest::GoToPrevChar,
        Action::CursorRight => InputRequest::GoToNextChar,
        Action::WordLeft => InputRequest::GoToPrevWord,
        Action::WordRight => InputRequest::GoToNextWord,
        Action::LineStart => InputRequest::GoToStart,
        Action::LineEnd => InputRequest::GoToEnd,
        _ => return None,
    })
}
