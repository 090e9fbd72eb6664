//! An instrument that has the whole screen: its last hour, its numbers with what they mean, and what may be tried.

use ratatui::{layout::Rect, style::Style};

use crate::app::core::state::State;
use crate::app::core::text;
use crate::app::core::text::right;
use crate::monitor::{CyclePoint, HOUR_POINTS, HourPoint};
use crate::ui::canvas::{Canvas, Point};
use crate::ui::panels::cycle::most;
use crate::ui::panels::points;

/// Cells of a row's label, and of its value.
const LABEL: u16 = 13;
const VALUE: u16 = 12;

/// The most cells of a line of words: more the eye does not follow.
const WIDEST: u16 = 110;

/// Rows of a chart.
const CHART: std::ops::RangeInclusive<u16> = 3..=12;

/// A number and what it means.
pub(super) struct Row {
    label: String,
    value: String,
    style: Style,
    words: String,
    /// A part of a whole, 0 to 1, drawn beside the value.
    gauge: Option<f64>,
}

impl Row {
    pub(super) fn new(label: &str, value: String, style: Style, words: &str) -> Self {
        Self { label: label.to_owned(), value, style, words: words.to_owned(), gauge: None }
    }

    pub(super) fn with_gauge(self, share: Option<f64>) -> Self {
        Self { gauge: Some(share.unwrap_or(0.0)), ..self }
    }
}

/// What is drawn of a point.
type Value<T> = fn(&T) -> Option<f32>;

/// What is drawn above the numbers.
pub(super) struct Chart {
    /// What its points are, without a time: "connections in use".
    pub(super) what: &'static str,
    /// Of half a minute, and of one cycle where there is no half minute yet.
    pub(super) of: (Value<HourPoint>, Value<CyclePoint>),
    /// How its highest point reads.
    pub(super) show: fn(f64) -> String,
    /// The top of the scale; `None`: the highest point.
    pub(super) top: Option<f32>,
}

/// The page: rows of numbers, with the most important first, and words below them.
pub(super) struct Page {
    pub(super) chart: Chart,
    pub(super) rows: Vec<Row>,
    pub(super) words: Vec<String>,
}

/// Whether a panel is such a page now.
pub(super) fn is_open(state: &State, inner: Rect) -> bool {
    state.view.zoom && inner.height >= 8 && inner.width >= 40
}

/// Draws it into the room inside a border.
pub(super) fn draw(c: &mut Canvas, inner: Rect, state: &State, page: &Page) {
    let theme = c.theme;
    let width = inner.width.min(WIDEST);
    let words: Vec<String> = page.words.iter().flat_map(|words| text::wrap(words, usize::from(width), 3)).collect();
    let lines = |n: usize| u16::try_from(n).unwrap_or(u16::MAX);
    let below = lines(page.rows.len()) + lines(words.len()) + u16::from(!words.is_empty());
    let room = inner.height.saturating_sub(below + 2).min(*CHART.end());
    let mut y = inner.y;
    if room >= *CHART.start() {
        y += chart(c, Rect { height: room + 1, ..inner }, state, &page.chart) + 1;
    }
    for row in &page.rows {
        if y >= inner.bottom() {
            return;
        }
        c.text(inner.x, y, LABEL, &row.label, theme.muted);
        let mut x = c.text(inner.x + LABEL, y, VALUE, &right(&row.value, VALUE.into()), row.style) + 2;
        if let Some(share) = row.gauge {
            c.gauge(x, y, 10, Some(share), theme.gauge);
            x += 12;
        }
        c.text(x, y, (inner.x + width).saturating_sub(x), &row.words, theme.muted);
        y += 1;
    }
    y += 1;
    for line in words.iter().take(usize::from(inner.bottom().saturating_sub(y))) {
        c.text(inner.x, y, width, line, theme.text);
        y += 1;
    }
}

/// The last hour, or the cycles of the first half minute; gives the rows that it took.
fn chart(c: &mut Canvas, area: Rect, state: &State, chart: &Chart) -> u16 {
    let (snapshot, theme) = (state.snapshot(), c.theme);
    let (points, of) = if snapshot.hour.is_empty() {
        (points(&snapshot.history, chart.of.1), "each cycle")
    } else {
        let point = |point: &HourPoint| Point { value: (chart.of.0)(point), marked: point.mark.is_some() };
        let points: Vec<Point> = snapshot.hour.iter().map(point).collect();
        // An hour has the whole width where it fits, each half minute as wide as the others.
        let times = usize::from(area.width) / HOUR_POINTS;
        let repeated = points.iter().flat_map(|point| {
            let again = Point { marked: false, ..*point };
            std::iter::once(*point).chain(std::iter::repeat_n(again, times.saturating_sub(1)))
        });
        (repeated.collect(), "each half minute of the last hour")
    };
    let top = chart.top.unwrap_or_else(|| most(&points, area.width));
    let marks = if points.iter().any(|point| point.marked) { "   ┊ changed" } else { "" };
    let words = format!("{}, {of}; top {}{marks}", chart.what, (chart.show)(top.into()));
    c.text(area.x, area.y, area.width, &words, theme.muted);
    c.spark(Rect { y: area.y + 1, height: area.height - 1, ..area }, &points, top, theme.gauge);
    area.height
}
