//! The cycle: how long it takes, what it takes it for, and where a change was made.

use ratatui::layout::Rect;

use crate::app::core::action::Action;
use crate::app::core::format;
use crate::app::core::state::State;
use crate::app::core::view::Panel;
use crate::ui::canvas::{Canvas, Frame, Point};
use crate::ui::panels::facts::Fact;
use crate::ui::panels::{DrawContext, Section, below, chart_height, facts, padded, points};
use crate::ui::slot::Slot;

/// Least cells of a label and its value.
const LEAST: u16 = 12;

/// Its place, its border and what it draws.
pub(super) const SECTION: Section = Section {
    keys: &[Action::Faster, Action::Slower],
    ..Section::new(Some(Panel::Cycle), Slot::Box(Panel::Cycle, 30), "Cycle", draw)
};

/// ```text
/// ╭ Cycle every 1s ────────────── 4.2 ms ╮
/// │ ▁▁▂▁▁▃▁▁▂▁▁▁█▁▁▂▁▁▁▂▁▁▁▂▁▁▁┊▁▁▂▁▁▁▁▁ │
/// │ p50            3.9   probe      0.50 │
/// │ p99            8.1   fetch       2.8 │
/// │ read         4/100   detect     0.50 │
/// ╰───────────────────────────── < > ─╯
/// ```
fn draw(c: &mut Canvas, area: Rect, context: &DrawContext) {
    let state = context.state;
    let theme = c.theme;
    let snapshot = state.snapshot();
    let cycle = &snapshot.cycle;
    let last = cycle.last.as_ref();
    let every = every(state);
    let value = format::ms_unit(last.map(|last| last.duration_ms));
    let pending = state.pending_interval().map(|_| theme.pending);
    let inner = SECTION.frame(
        c,
        area,
        state,
        Frame {
            note: if pending.is_some() { "" } else { &every },
            value: if pending.is_some() { &every } else { &value },
            value_style: pending,
            ..Frame::default()
        },
    );
    let inner = padded(inner);
    if inner.height == 0 {
        return;
    }
    let chart = Rect { height: chart_height(inner.height), ..inner };
    let history = points(&snapshot.history, |p| Some(p.duration_ms));
    c.spark(chart, &history, most(&history, chart.width), theme.gauge);

    let count = |n: Option<usize>| n.map_or_else(|| format::NONE.to_owned(), |n| n.to_string());
    let read = last.map_or_else(|| format::NONE.to_owned(), |l| format!("{}/{}", l.checked, l.checked + l.skipped));
    let read = match cycle.reading {
        Some(reading) => Fact::new("reading", format!("{}/{}", reading.read, reading.of), theme.pending),
        None => Fact::new("read", read, theme.value),
    };
    let over = if cycle.overruns > 0 { theme.warn } else { theme.value };
    let mut facts = [
        Fact::new("p50", format::ms(cycle.p50_ms), theme.value),
        Fact::new("probe", format::ms(last.map(|l| l.discover_ms)), theme.value),
        Fact::new("p99", format::ms(cycle.p99_ms), theme.value),
        Fact::new("fetch", format::ms(last.map(|l| l.fetch_ms)), theme.value),
        read,
        Fact::new("detect", format::ms(last.map(|l| l.detect_ms)), theme.value),
        Fact::new("max", format::ms(cycle.max_ms), theme.value),
        Fact::new("publish", format::ms(last.map(|l| l.publish_ms)), theme.value),
        Fact::new("p95", format::ms(cycle.p95_ms), theme.value),
        Fact::new("changed", count(last.map(|l| l.changed)), theme.value),
        Fact::new("overruns", format::count(cycle.overruns), over),
        Fact::new("cycles", format::count(snapshot.base_status.cycle_count), theme.value),
        Fact::new("heard", format::count(cycle.heard), theme.value),
    ];
    if facts::columns(inner.width, LEAST) == 1 {
        facts.swap(1, 2);
        facts.swap(2, 4);
    }
    let top = inner.y + chart.height;
    facts::draw(c, below(inner, top), LEAST, &facts);
}

/// `every 1s`, or what was asked for.
pub(super) fn every(state: &State) -> String {
    let now = format::interval(state.snapshot().settings.interval);
    match state.pending_interval() {
        Some(asked) => format!("every {now} → {} …", format::interval(asked)),
        None => format!("every {now}"),
    }
}

/// The top of a chart of the newest values that fit: the highest, but no more than three times what nearly all of them
/// stay below, so that one slow cycle does not flatten the others.
pub(super) fn most(points: &[Point], width: u16) -> f32 {
    let mut values: Vec<f32> = points.iter().rev().take(width.into()).filter_map(|p| p.value).collect();
    values.retain(|value| value.is_finite());
    values.sort_by(f32::total_cmp);
    let nearly_all = values.get(values.len().saturating_sub(1) * 9 / 10).copied().unwrap_or(0.0);
    let highest = values.last().copied().unwrap_or(0.0);
    if nearly_all > 0.0 { highest.min(nearly_all * 3.0) } else { highest }
}
