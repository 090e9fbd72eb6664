//! The box of the tour: it points at a part of the screen, and asks for a key.

use ratatui::layout::Rect;

use crate::app::core::action::Action;
use crate::app::core::state::{Mode, State};
use crate::app::core::text;
use crate::app::core::tour::{Part, STEPS, Step, step};
use crate::ui::canvas::{Canvas, Frame};
use crate::ui::layout::Layout;
use crate::ui::panels::hints;
use crate::ui::slot::{Class, Slot};

/// Its columns, borders included.
const WIDTH: u16 = 52;

/// Where it stands now; `None`: there is no tour, or something else has the keys.
#[must_use]
pub fn rect(layout: &Layout, state: &State) -> Option<Rect> {
    let (_, step) = step(state).filter(|_| matches!(state.mode, Mode::Normal) && layout.class != Class::Counts)?;
    let area = layout.area;
    let width = WIDTH.min(area.width);
    let height = u16::try_from(lines(step, width).len()).unwrap_or(u16::MAX).saturating_add(4).min(area.height);
    let about = part(layout, step.part);
    let x = (about.x + about.width.saturating_sub(width) / 2).min(area.right() - width);
    let y = if is_low(area, about) {
        about.y.saturating_sub(height)
    } else {
        // Below the first rows of it: they are what it is about.
        (about.y + (about.height / 2).max(4)).min(area.bottom() - height)
    };
    Some(Rect { x, y, width, height })
}

/// Draws it.
///
/// ```text
///        ╭ 1 of 6  Your agents ─────────────▲──────────────╮
///        │ Each row is an agent in a pane of tmux: its      │
///        │ state, since when, which program, what it does.  │
///        │                                                  │
///        │ j to move down                                   │
///        ╰───────────────────────────────── esc end the tour╯
/// ```
pub fn draw(c: &mut Canvas, layout: &Layout, state: &State) {
    let Some((rect, (number, step))) = rect(layout, state).zip(step(state)) else { return };
    let theme = c.theme;
    c.clear(rect, theme.text.patch(theme.overlay));
    let title = format!("{number} of {}  {}", STEPS.len(), step.title);
    let keys = hints(&state.keymap, &[(&[Action::Back], "end the tour")]);
    let inner = c.frame(rect, &Frame { title: &title, keys: &keys, focus: true, ..Frame::default() });
    let low = is_low(layout.area, part(layout, step.part));
    let (sign, y) = if low { ("▼", rect.bottom() - 1) } else { ("▲", rect.y) };
    c.text(if low { rect.x + 4 } else { rect.right().saturating_sub(5) }, y, 1, sign, theme.key);
    let (x, room) = (inner.x + 1, inner.width.saturating_sub(2));
    let lines = lines(step, rect.width);
    for (row, line) in lines.iter().enumerate() {
        let y = inner.y + u16::try_from(row).unwrap_or(0);
        if y < inner.bottom() {
            c.text(x, y, room, line, theme.text);
        }
    }
    let y = inner.y + u16::try_from(lines.len() + 1).unwrap_or(0);
    if y < inner.bottom() {
        c.pieces(
            x,
            y,
            room,
            &[
                ("Press ", theme.muted),
                (&step.key(&state.keymap), theme.key),
                (" ", theme.muted),
                (step.then, theme.value),
            ],
        );
    }
}

fn lines(step: &Step, width: u16) -> Vec<&'static str> {
    let cells = usize::from(width.saturating_sub(4)).max(1);
    text::flow(step.words, cells, cells).into_iter().map(|line| &step.words[line]).collect()
}

/// The rectangle of a part, or of what stands in for it.
fn part(layout: &Layout, part: Part) -> Rect {
    let slots = &layout.slots;
    let found = match part {
        Part::Agents => layout.rect(Slot::Main),
        Part::Instruments => {
            let instruments = slots.iter().filter(|(slot, _)| matches!(slot, Slot::Lines | Slot::Box(..)));
            instruments.map(|(_, rect)| *rect).reduce(Rect::union)
        }
        Part::Footer => layout.footer,
    };
    found.or_else(|| layout.rect(Slot::Main)).unwrap_or(layout.area)
}

/// It stands in the lower half of the screen.
fn is_low(area: Rect, about: Rect) -> bool {
    about.y > area.y + area.height / 2
}
