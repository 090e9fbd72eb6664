//! The panels, one file each. Every one draws its part of the state into its rectangle and nowhere else.

pub mod agents;
pub mod cache;
pub mod columns;
pub mod cost;
pub mod counts;
pub mod cycle;
pub mod empty;
pub mod events;
mod facts;
pub mod footer;
pub mod header;
pub mod lines;
pub mod overlay;
pub mod pool;
pub mod preview;
pub mod strategy;
pub mod tune;
pub mod why;

use ratatui::layout::Rect;

use crate::app::core::state::State;
use crate::app::core::view::Panel;
use crate::monitor::CyclePoint;
use crate::ui::canvas::{Canvas, Point};
pub use preview::Preview;

/// Draws one of the instruments as a box.
pub fn instrument(c: &mut Canvas, area: Rect, state: &State, panel: Panel) {
    match panel {
        Panel::Pool => pool::draw(c, area, state),
        Panel::Cache => cache::draw(c, area, state),
        Panel::Cycle => cycle::draw(c, area, state),
        Panel::Cost => cost::draw(c, area, state),
        Panel::Strategy => strategy::draw(c, area, state),
        Panel::Agents | Panel::Preview | Panel::Events => {}
    }
}

/// Points for a sparkline from the history.
fn points(history: &[CyclePoint], value: impl Fn(&CyclePoint) -> Option<f32>) -> Vec<Point> {
    history.iter().map(|point| Point { value: value(point), marked: point.mark.is_some() }).collect()
}

/// The room inside a border, with a blank column at each side where there is room for it.
fn padded(inner: Rect) -> Rect {
    if inner.width < 12 {
        return inner;
    }
    Rect { x: inner.x + 1, width: inner.width - 2, ..inner }
}

/// Rows of an instrument's chart: one in a box, most of the room when it is zoomed.
fn chart_height(height: u16) -> u16 {
    if height > 12 { height - 8 } else { height.saturating_sub(3).max(1) }
}

/// The room below a chart for labels and values, no wider than the eye follows.
fn below(inner: Rect, top: u16) -> Rect {
    let gap = u16::from(inner.height > 12);
    Rect { y: top + gap, height: inner.bottom().saturating_sub(top + gap), width: inner.width.min(64), ..inner }
}
