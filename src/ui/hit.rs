//! What is drawn under the mouse: by the same rectangles and columns that drew it.

use ratatui::layout::{Position, Rect};

use crate::app::core::action::Action;
use crate::app::core::message::Hit;
use crate::app::core::state::{Mode, State};
use crate::ui::layout::Layout;
use crate::ui::panels::answer::Parts;
use crate::ui::panels::{footer, header, overlay, pick, section, tidy, tour};

/// What stands at a cell.
#[must_use]
pub fn at(state: &State, layout: &Layout, x: u16, y: u16) -> Option<Hit> {
    let position = Position { x, y };
    let on = |rect: Option<Rect>| rect.filter(|rect| rect.contains(position));
    if !matches!(state.mode, Mode::Normal | Mode::Filter(_)) {
        let rect = overlay::rect(layout.area, &state.mode);
        if rect.contains(position) {
            return Some(in_overlay(state, rect, position));
        }
    }
    if on(tour::rect(layout, state)).is_some() {
        return Some(Hit::Tour);
    }
    if let Some((slot, rect)) = layout.slots.iter().find(|(_, rect)| rect.contains(position)) {
        let section = section(*slot, state)?;
        return (section.hit)(state, layout.class, *rect, position)
            .or_else(|| section.border_hit(state, layout.class, *rect, position))
            .or(section.panel.map(Hit::Panel));
    }
    if let Some(rect) = on(layout.header) {
        return header::hit(state, rect, position).map(Hit::Key);
    }
    if on(layout.banner).is_some() {
        return state.snapshot().engine.paused.then_some(Hit::Key(Action::Pause));
    }
    let rect = on(layout.footer)?;
    // The line of a toast or of the filter covers the keys.
    if !state.toasts.is_empty() || !matches!(state.mode, Mode::Normal) {
        return None;
    }
    let (from, to) = footer::room(state, rect);
    footer::hints(state, from, to)
        .into_iter()
        .find(|hint| (hint.x..hint.x + hint.width).contains(&x))
        .map(|hint| Hit::Key(hint.action))
}

fn in_overlay(state: &State, rect: Rect, position: Position) -> Hit {
    let y = position.y;
    let inner = Rect {
        x: rect.x + 1,
        y: rect.y + 1,
        width: rect.width.saturating_sub(2),
        height: rect.height.saturating_sub(2),
    };
    if !(inner.top()..inner.bottom()).contains(&y) {
        return Hit::Overlay;
    }
    match &state.mode {
        Mode::Pick { input, key, .. } => {
            pick::row_at(state, rect, (input, *key), position).map_or(Hit::Overlay, Hit::Item)
        }
        Mode::Palette { at, .. } => {
            let (first, top) = overlay::items_top(inner, *at);
            y.checked_sub(top).map_or(Hit::Overlay, |row| Hit::Item(first + usize::from(row)))
        }
        Mode::Answer { seen, asked, .. } => {
            Parts::of(rect, &state.keymap, seen, asked).choice_at(y).map_or(Hit::Overlay, Hit::Choice)
        }
        Mode::Snooze { .. } => tidy::choice_at(rect, y).map_or(Hit::Overlay, Hit::Choice),
        _ => Hit::Overlay,
    }
}
