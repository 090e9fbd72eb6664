//! What is put on an agent by hand: the line of those that are out of the way, the choice of a snooze, name and note.

use ratatui::layout::{Position, Rect};
use tui_input::Input;

use crate::app::core::action::Action;
use crate::app::core::fleet::AgentKey;
use crate::app::core::state::State;
use crate::app::core::text::{fit_sentence, width};
use crate::app::core::tidy::{SNOOZES, counted};
use crate::ui::canvas::Canvas;
use crate::ui::panels::hints;
use crate::ui::panels::overlay::{entry, frame};

/// Columns and rows of the choice of a snooze.
pub(super) const SNOOZE: (u16, u16) = (48, 5);

/// Columns and rows of the form for a name and a note.
pub(super) const DESCRIBE: (u16, u16) = (72, 4);

/// `▸ 3 parked, 1 snoozed ──────────── a shows`: those that are out of the way.
pub(super) fn aside(c: &mut Canvas, rect: Rect, state: &State, (parked, snoozed): (usize, usize)) {
    let theme = c.theme;
    let shown = state.list.shows_aside();
    let words = format!("{} {}", if shown { "▾" } else { "▸" }, counted(parked, snoozed));
    let word = if shown { "folds" } else { "shows" };
    let hint = hints(&state.keymap, &[(&[Action::Aside], word)]);
    let hint_width = u16::try_from(width(&hint)).unwrap_or(0);
    let room = rect.width.saturating_sub(2);
    let x = c.text(rect.x + 1, rect.y, room, &fit_sentence(&words, room.into()), theme.muted) + 1;
    if state.list.aside || !shown {
        let end = rect.right().saturating_sub(1);
        if x + hint_width + 2 <= end {
            c.right(end, rect.y, hint_width, &hint, theme.muted);
            let rest = "─".repeat(end.saturating_sub(x + hint_width + 1).into());
            c.text(x, rect.y, end - x, &rest, theme.faint);
        }
    }
}

/// The choices in a row of the box, counted from 0.
pub(in crate::ui) fn choice_at(area: Rect, y: u16) -> Option<usize> {
    let row = usize::from(y.checked_sub(area.y + 1)?);
    (row < SNOOZES.len()).then_some(row)
}

/// ```text
/// ╭ Snooze api:2.0 ──────────────────────────────╮
/// │▌1 for 10 minutes                             │
/// │ 2 for 1 hour                                 │
/// │ 3 until its program ends                     │
/// ╰──────────────────────── enter do it  esc leave ─╯
/// ```
pub(super) fn snooze(c: &mut Canvas, area: Rect, state: &State, (key, at): (AgentKey, usize)) {
    let theme = c.theme;
    let title = format!("Snooze {}", state.place(key));
    let keys = hints(&state.keymap, &[(&[Action::Accept], "do it"), (&[Action::Leave], "leave")]);
    let inner = c.frame(area, &frame(&title, &keys));
    for ((y, (_, words)), n) in (inner.top()..inner.bottom()).zip(SNOOZES).zip(1..) {
        let number = state.keymap.label(Action::Choose(n));
        c.pieces(
            inner.x + 1,
            y,
            inner.width.saturating_sub(1),
            &[(&number, theme.key), (" ", theme.text), (words, theme.text)],
        );
        if usize::from(y - inner.y) == at {
            c.style(Rect { y, height: 1, ..inner }, theme.select);
            c.text(inner.x, y, 1, "▌", theme.focus);
        }
    }
}

/// ```text
/// ╭ Name and note of api:2.0 ──────────────────────────────────────╮
/// │ name  parser                                                    │
/// │ note  rewrites the lexer; ask before it merges                  │
/// ╰──────────────────────────── tab other field  enter keep  esc leave ─╯
/// ```
pub(super) fn describe(
    c: &mut Canvas,
    area: Rect,
    state: &State,
    (key, name, note, in_note): (AgentKey, &Input, &Input, bool),
) -> Position {
    let title = format!("Name and note of {}", state.place(key));
    let keys: [(&[Action], &str); 3] =
        [(&[Action::NextField], "other field"), (&[Action::Accept], "keep"), (&[Action::Leave], "leave")];
    let inner = c.frame(area, &frame(&title, &hints(&state.keymap, &keys)));
    let line = |n: u16| {
        let y = inner.y + n.min(inner.height);
        Rect { y, height: inner.height.saturating_sub(n).min(1), ..inner }
    };
    // Where there is one row alone it is that of the field that is typed into.
    let (first, second) = if inner.height < 2 && in_note { (line(1), line(0)) } else { (line(0), line(1)) };
    let name = field(c, first, "name  ", name);
    let note = field(c, second, "note  ", note);
    if in_note { note } else { name }
}

fn field(c: &mut Canvas, rect: Rect, label: &str, input: &Input) -> Position {
    if rect.height == 0 { rect.as_position() } else { entry(c, rect, label, input) }
}
