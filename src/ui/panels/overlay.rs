//! What stands over the panels while it has the keys: help, palette, answers, a message, a question.

use ratatui::layout::{Position, Rect};
use tui_input::Input;

use crate::app::core::action::Action;
use crate::app::core::help::{HelpRow, help_rows};
use crate::app::core::keymap::Keymap;
use crate::app::core::state::{Mode, Recipient, State};
use crate::app::core::{palette, text};
use crate::ui::canvas::{Canvas, Frame};
use crate::ui::panels::footer::skip_cells;
use crate::ui::panels::{Preview, answer, hints, pick, tidy};

/// Its rectangle, borders included.
#[must_use]
pub fn rect(within: Rect, mode: &Mode) -> Rect {
    let (width, height) = match mode {
        // The bottom line stays, for its keys and for what went wrong.
        Mode::Pick { .. } => {
            return Rect { height: within.height.saturating_sub(u16::from(within.height > 8)), ..within };
        }
        Mode::Palette { .. } => (64, 20),
        Mode::Answer { seen, asked, .. } => answer::size(within.width, seen, asked),
        Mode::Reply { .. } => (72, 6),
        Mode::Confirm { .. } => (56, 5),
        Mode::Snooze { .. } => tidy::SNOOZE,
        Mode::Describe { .. } => tidy::DESCRIBE,
        Mode::Broadcast { to, input: None, .. } => {
            (64, u16::try_from(to.len()).unwrap_or(20).saturating_add(2).clamp(6, 24))
        }
        Mode::Broadcast { .. } => (72, 6),
        _ => (76, within.height.saturating_sub(4)),
    };
    let width = width.min(within.width);
    let height = height.min(within.height);
    let x = within.x + (within.width - width) / 2;
    let above = match mode {
        Mode::Palette { .. } => (within.height - height) / 4,
        _ => (within.height - height) / 2,
    };
    Rect { x, y: within.y + above, width, height }
}

/// Draws the overlay of the mode; gives the cursor's place when text is typed.
pub fn draw(c: &mut Canvas, area: Rect, state: &State, request: &Preview) -> Option<Position> {
    let ground = c.theme.overlay;
    c.clear(area, c.theme.text.patch(ground));
    let cursor = match &state.mode {
        Mode::Help { input, top } => Some(help(c, area, state, input, *top)),
        Mode::Palette { input, at } => Some(palette_of(c, area, state, input, *at)),
        Mode::Answer { key, seen, at, asked } => {
            answer::draw(c, area, (state, *key), (seen, asked, *at), request);
            None
        }
        Mode::Reply { key, input, .. } => {
            let title = format!("Message to {}", state.place(*key));
            let inner = c.frame(area, &frame(&title, &hints(&state.keymap, SEND)));
            Some(entry(c, Rect { height: 1, ..inner }, "", input))
        }
        Mode::Confirm { key, kill, .. } => {
            let place = state.place(*key);
            let (title, yes, words) = if *kill {
                ("Close", "close", format!("Close the pane of {place} and end what runs in it?"))
            } else {
                ("Interrupt", "interrupt", format!("Interrupt what {place} is doing?"))
            };
            let keys = hints(&state.keymap, &[(&[Action::Confirm], yes), (&[Action::Decline], "leave")]);
            let inner = c.frame(area, &frame(title, &keys));
            c.text(
                inner.x + 1,
                inner.y + 1,
                if inner.height > 1 { inner.width.saturating_sub(2) } else { 0 },
                &words,
                c.theme.text,
            );
            None
        }
        Mode::Snooze { key, at } => {
            tidy::snooze(c, area, state, (*key, *at));
            None
        }
        Mode::Describe { key, name, note, in_note } => {
            Some(tidy::describe(c, area, state, (*key, name, note, *in_note)))
        }
        Mode::Broadcast { to, at, input: None } => {
            recipients(c, area, &state.keymap, to, *at);
            None
        }
        Mode::Broadcast { to, input: Some(input), .. } => {
            let names: Vec<&str> = to.iter().filter(|one| one.marked).map(|one| one.seen.target.as_str()).collect();
            let title = format!("Message to {} agents", names.len());
            let inner = c.frame(area, &frame(&title, &hints(&state.keymap, SEND)));
            let cursor = entry(c, Rect { height: inner.height.min(1), ..inner }, "", input);
            if inner.height > 2 {
                let names = names.join(", ");
                c.text(inner.x + 1, inner.y + 2, inner.width.saturating_sub(2), &names, c.theme.muted);
            }
            Some(cursor)
        }
        Mode::Pick { input, key, .. } => Some(pick::draw(c, area, state, (input, *key), request)),
        Mode::Normal | Mode::Filter(_) => None,
    };
    cursor.filter(|at| area.contains(*at))
}

/// The first item shown and the row it stands in.
#[must_use]
pub fn items_top(inner: Rect, at: usize) -> (usize, u16) {
    let rows = usize::from(inner.height.saturating_sub(1)).max(1);
    ((at + 1).saturating_sub(rows), inner.y + 1)
}

/// What sends a message, and what does not.
const SEND: &[(&[Action], &str)] = &[(&[Action::Accept], "send"), (&[Action::Leave], "leave")];

pub(super) fn frame<'a>(title: &'a str, keys: &'a str) -> Frame<'a> {
    Frame { title, keys, focus: true, ..Frame::default() }
}

/// A line that is typed into.
pub(super) fn entry(c: &mut Canvas, area: Rect, prompt: &str, input: &Input) -> Position {
    let x = c.text(area.x + 1, area.y, area.width.saturating_sub(2), prompt, c.theme.key);
    let room = area.right().saturating_sub(x + 1);
    let scroll = input.visual_scroll(room.max(1).into());
    c.text(x, area.y, room, &skip_cells(input.value(), scroll).replace('\n', "⏎").replace('\t', "→"), c.theme.value);
    let at = u16::try_from(input.visual_cursor().saturating_sub(scroll)).unwrap_or(0).min(room);
    Position { x: x + at, y: area.y }
}

/// Those who may get a message, with their marks.
fn recipients(c: &mut Canvas, area: Rect, keymap: &Keymap, to: &[Recipient], at: usize) {
    let theme = c.theme;
    let marked = to.iter().filter(|one| one.marked).count();
    let title = format!("Message to {marked} of {}", to.len());
    let keys: [(&[Action], &str); 4] = [
        (&[Action::Mark], "mark"),
        (&[Action::MarkAll], "all"),
        (&[Action::MarkIdle], "idle"),
        (&[Action::Accept], "write"),
    ];
    let inner = c.frame(area, &frame(&title, &hints(keymap, &keys)));
    let rows = usize::from(inner.height).max(1);
    let first = (at + 1).saturating_sub(rows);
    for (i, one) in to.iter().enumerate().skip(first).take(rows) {
        let y = inner.y + u16::try_from(i - first).unwrap_or(0);
        if y >= inner.bottom() {
            return;
        }
        let mark = if one.marked { " [x] " } else { " [ ] " };
        let state = one.seen.state.map(|state| state.to_string()).unwrap_or_default();
        let place = format!("{}  ", text::left(&one.seen.target, 24));
        let agent = format!("{}  ", text::left(&one.seen.agent, 10));
        let pieces = [(mark, theme.key), (&*place, theme.text), (&*agent, theme.muted), (&*state, theme.muted)];
        c.pieces(inner.x, y, inner.width, &pieces);
        if i == at {
            c.style(Rect { y, height: 1, ..inner }, theme.select);
            c.text(inner.x, y, 1, "▌", theme.focus);
        }
    }
}

/// The keys by group, from the live table.
fn help(c: &mut Canvas, area: Rect, state: &State, input: &Input, top: usize) -> Position {
    let theme = c.theme;
    let rows = help_rows(state, input.value());
    let keys = hints(&state.keymap, &[(&[Action::PrevItem, Action::NextItem], "scroll"), (&[Action::Leave], "leave")]);
    let inner = c.frame(area, &frame("Help", &format!("type to search  {keys}")));
    let cursor = entry(c, Rect { height: inner.height.min(1), ..inner }, "/ ", input);
    if rows.is_empty() && inner.height > 2 {
        c.text(inner.x + 1, inner.y + 2, inner.width.saturating_sub(2), "Nothing matches.", theme.muted);
    }
    let widest = rows.iter().filter_map(|row| match row {
        HelpRow::Keys(keys, ..) => Some(text::width(keys)),
        HelpRow::Head(_) => None,
    });
    let keys_width = widest.max().unwrap_or(0).clamp(6, 18);
    for (i, row) in rows.iter().skip(top).enumerate() {
        let y = inner.y + 1 + u16::try_from(i).unwrap_or(u16::MAX - inner.y - 1);
        if y >= inner.bottom() {
            break;
        }
        let (x, room) = (inner.x + 1, inner.width.saturating_sub(2));
        match row {
            HelpRow::Head(group) => {
                c.text(x, y, room, &group.to_string(), theme.title);
            }
            HelpRow::Keys(keys, about, name) => {
                let keys = format!("  {}  ", text::right(keys, keys_width));
                let end = c.pieces(x, y, room, &[(&keys, theme.key), (about, theme.text)]);
                let name_width = u16::try_from(name.len()).unwrap_or(0);
                if end + name_width + 2 <= x + room {
                    c.right(x + room, y, name_width, name, theme.muted);
                }
            }
        }
    }
    cursor
}

/// The items that match, best first.
fn palette_of(c: &mut Canvas, area: Rect, state: &State, input: &Input, at: usize) -> Position {
    let theme = c.theme;
    let keys = hints(&state.keymap, &[(&[Action::Accept], "do it"), (&[Action::Leave], "leave")]);
    let inner = c.frame(area, &frame("Palette", &keys));
    let cursor = entry(c, Rect { height: inner.height.min(1), ..inner }, ": ", input);
    let items = palette::items(state, input.value());
    if items.is_empty() && inner.height > 2 {
        c.text(inner.x + 1, inner.y + 2, inner.width.saturating_sub(2), "Nothing matches.", theme.muted);
    }
    let (first, top) = items_top(inner, at);
    for (i, item) in items.iter().enumerate().skip(first) {
        let y = top + u16::try_from(i - first).unwrap_or(u16::MAX - top);
        if y >= inner.bottom() {
            break;
        }
        let hint_width = u16::try_from(text::width(&item.hint)).unwrap_or(0).min(inner.width / 2);
        c.right(inner.right().saturating_sub(1), y, hint_width, &item.hint, theme.key);
        c.text(inner.x + 1, y, inner.width.saturating_sub(hint_width + 3), &item.text, theme.text);
        if i == at {
            c.style(Rect { y, height: 1, ..inner }, theme.select);
            c.text(inner.x, y, 1, "▌", theme.focus);
        }
    }
    cursor
}
