//! What is drawn under the mouse: by the same rectangles and columns that drew it.

use ratatui::layout::{Position, Rect};

use crate::app::core::list::Line;
use crate::app::core::message::Hit;
use crate::app::core::state::{Mode, State};
use crate::app::core::view::Panel;
use crate::ui::layout::{Class, INSTRUMENTS, Layout, answer_parts};
use crate::ui::panels::columns::columns;
use crate::ui::panels::{empty, footer, overlay, strategy};

/// What stands at a cell.
#[must_use]
pub fn at(state: &State, layout: &Layout, x: u16, y: u16) -> Option<Hit> {
    let position = Position { x, y };
    let on = |rect: Option<Rect>| rect.filter(|rect| rect.contains(position));
    if !matches!(state.mode, Mode::Normal | Mode::Filter(_)) {
        let rect = layout.overlay(&state.mode);
        if rect.contains(position) {
            return Some(in_overlay(state, rect, y));
        }
    }
    if let Some(rect) = on(layout.agents) {
        return Some(in_agents(state, layout.class, rect, x, y));
    }
    for (panel, rect) in INSTRUMENTS.into_iter().zip(layout.boxes) {
        let Some(rect) = on(rect) else { continue };
        if panel == Panel::Strategy && y > rect.y && y + 1 < rect.bottom() {
            let row = usize::from(y - rect.y - 1) + strategy::first(state, rect.height.saturating_sub(2));
            if row < state.snapshot.strategies.len() {
                return Some(Hit::Strategy(row));
            }
        }
        return Some(Hit::Panel(panel));
    }
    if on(layout.preview).is_some() || on(layout.why).is_some() {
        return Some(Hit::Panel(Panel::Preview));
    }
    if on(layout.events).is_some() {
        return Some(Hit::Panel(Panel::Events));
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

fn in_agents(state: &State, class: Class, rect: Rect, x: u16, y: u16) -> Hit {
    if state.view.tune || empty::screen(state).is_some() {
        return Hit::Panel(Panel::Agents);
    }
    let (inner, head) = if class == Class::Sidebar {
        (rect, 0)
    } else {
        (
            Rect {
                x: rect.x + 1,
                y: rect.y + 1,
                width: rect.width.saturating_sub(2),
                height: rect.height.saturating_sub(2),
            },
            1,
        )
    };
    if head == 1 && y == inner.y {
        let column = columns(inner.width, &state.snapshot.agents)
            .into_iter()
            .find(|placed| (placed.x..=placed.x + placed.width).contains(&x.saturating_sub(inner.x)));
        return column.and_then(|placed| placed.column.sort()).map_or(Hit::Panel(Panel::Agents), Hit::Header);
    }
    let row = y.checked_sub(inner.y + head).filter(|_| y < inner.bottom());
    match row.and_then(|row| state.list.visible().get(usize::from(row)).copied()) {
        Some(Line::Agent(index)) => {
            state.snapshot.agents.get(index).map_or(Hit::Panel(Panel::Agents), |agent| Hit::Agent(agent.pane_id))
        }
        _ => Hit::Panel(Panel::Agents),
    }
}

fn in_overlay(state: &State, rect: Rect, y: u16) -> Hit {
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
        Mode::Palette { at, .. } => {
            let (first, top) = overlay::items_top(inner, *at);
            y.checked_sub(top).map_or(Hit::Overlay, |row| Hit::Item(first + usize::from(row)))
        }
        Mode::Answer { seen, .. } => match y.checked_sub(answer_parts(rect, seen.choices.len()).2.y).map(usize::from) {
            Some(row) if row < seen.choices.len() => Hit::Choice(row),
            _ => Hit::Overlay,
        },
        _ => Hit::Overlay,
    }
}
