//! Labels and values in columns: the label to the left, the value to the right of its column.

use ratatui::{layout::Rect, style::Style};

use crate::app::core::text;
use crate::ui::canvas::Canvas;

/// A label and its value.
pub struct Fact {
    /// The label.
    pub label: &'static str,
    /// The value.
    pub value: String,
    /// The value's style.
    pub style: Style,
}

impl Fact {
    /// A fact.
    pub fn new(label: &'static str, value: String, style: Style) -> Self {
        Self { label, value, style }
    }
}

/// Cells between two columns.
const GAP: u16 = 2;

/// How many columns of at least `least` cells there are.
pub fn columns(width: u16, least: u16) -> u16 {
    ((width + GAP) / (least + GAP)).clamp(1, 2)
}

/// Draws facts row by row, the most important first, in as many columns of at least `least` cells as fit.
pub fn draw(c: &mut Canvas, area: Rect, least: u16, facts: &[Fact]) {
    let columns = columns(area.width, least);
    let width = (area.width + GAP) / columns - GAP;
    for (i, fact) in facts.iter().enumerate() {
        let (column, row) =
            (u16::try_from(i).unwrap_or(u16::MAX) % columns, u16::try_from(i).unwrap_or(u16::MAX) / columns);
        if row >= area.height {
            return;
        }
        let x = area.x + column * (width + GAP);
        let y = area.y + row;
        let value_width = u16::try_from(text::width(&fact.value)).unwrap_or(width).min(width);
        c.text(x, y, width.saturating_sub(value_width + 1), fact.label, c.theme.muted);
        c.right(x + width, y, value_width, &fact.value, fact.style);
    }
}
