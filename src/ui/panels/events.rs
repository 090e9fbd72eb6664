//! What happened, newest first.

use ratatui::layout::Rect;

use crate::app::core::events::sentence;
use crate::app::core::view::Panel;
use crate::app::core::{events, format, text};
use crate::ui::canvas::{Canvas, Frame};
use crate::ui::panels::{DrawContext, Section, padded};
use crate::ui::slot::Slot;

/// Its place, its border and what it draws.
pub(super) const SECTION: Section = Section::new(Some(Panel::Events), Slot::Events, "Events", draw);

/// ```text
/// ╭ Events ──────────────────────────────────────────────── 24 ╮
/// │ 14:03:12 ▲ api:2.0 working → waiting (permission)           │
/// │ 14:02:40 ◌ pool 18 → 20                                     │
/// ╰─────────────────────────────────────────────────────────────╯
/// ```
/// In columns where it is wide, filled row by row, so that the newest stand in the first row.
fn draw(c: &mut Canvas, area: Rect, context: &DrawContext) {
    let state = context.state;
    let theme = c.theme;
    // As many as there are cells are more than there is room for.
    let room = usize::from(area.height) * usize::from((area.width / 52).max(1));
    let (count, shown) = events::newest(state, state.events_up + room);
    let filter = if state.events_filter.is_empty() { String::new() } else { format!("/{}", state.events_filter) };
    let place = if state.events_up > 0 { format!("{} newer above", state.events_up) } else { String::new() };
    let inner = SECTION.frame(
        c,
        area,
        state,
        Frame { note: &filter, value: &count.to_string(), keys: &place, ..Frame::default() },
    );
    let inner = padded(inner);
    if shown.is_empty() {
        let words = if state.events_filter.is_empty() { "Nothing happened yet." } else { "Nothing matches." };
        c.text(inner.x, inner.y, if inner.height > 0 { inner.width } else { 0 }, words, theme.muted);
        return;
    }
    let columns = if inner.height <= 2 { (inner.width / 52).max(1) } else { 1 };
    let width = inner.width / columns;
    for (i, (member, event)) in shown.iter().skip(state.events_up).enumerate() {
        let i = u16::try_from(i).unwrap_or(u16::MAX);
        let (column, row) = (i % columns, i / columns);
        if row >= inner.height {
            return;
        }
        let (x, y) = (inner.x + column * width, inner.y + row);
        let tone = events::tone(event);
        let time = format::clock(event.at, &state.zone);
        let words = match state.fleet.member(*member) {
            Some(member) if state.fleet.several() => format!("{}{}", member.label.prefix(), sentence(&event.what)),
            _ => sentence(&event.what),
        };
        let room = width.saturating_sub(if columns > 1 { 3 } else { 0 });
        let style = theme.tone(tone);
        let cut = text::fit(&words, usize::from(room.saturating_sub(11)));
        c.pieces(
            x,
            y,
            room,
            &[(&time, theme.muted), (" ", theme.muted), (tone.glyph(), style), (" ", theme.muted), (&cut, theme.text)],
        );
    }
}
