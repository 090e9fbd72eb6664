//! The cycle: how long it takes, what it takes it for, and where a change was made.

use ratatui::layout::Rect;

use super::{
    facts::{self, Fact},
    padded, points,
};
use crate::{
    app::{
        action::Action,
        format,
        state::{Panel, State},
    },
    ui::canvas::{Canvas, Frame, Point},
};

/// ```text
/// ╭ Cycle every 1s ────────────── 4.2 ms ╮
/// │ ▁▁▂▁▁▃▁▁▂▁▁▁█▁▁▂▁▁▁▂▁▁▁▂▁▁▁┊▁▁▂▁▁▁▁▁ │
/// │ p50   3.9   p99   8.1   max   12.0   │
/// │ probe 0.5   fetch 2.8   detect 0.5   │
/// │ 12 of 100 agents read                │
/// ╰───────────────────────────── < > ─╯
/// ```
pub fn draw(c: &mut Canvas, area: Rect, state: &State) {
    let theme = c.theme;
    let snapshot = &state.snapshot;
    let cycle = &snapshot.cycle;
    let last = cycle.last.as_ref();
    let every = every(state);
    let value = format::ms_unit(last.map(|last| last.duration_ms));
    let pending = state.pending_interval().map(|_| theme.pending);
    let keys = format!("{} {}", state.keymap.label(Action::Faster), state.keymap.label(Action::Slower));
    let inner = c.frame(
        area,
        &Frame {
            title: "Cycle",
            note: if pending.is_some() { "" } else { &every },
            value: if pending.is_some() { &every } else { &value },
            value_style: pending,
            keys: &keys,
            focus: state.view.focus == Panel::Cycle,
        },
    );
    let inner = padded(inner);
    if inner.height == 0 {
        return;
    }
    let chart = Rect { height: inner.height.saturating_sub(3).clamp(1, 14), ..inner };
    let history = points(&snapshot.history, |p| Some(p.duration_ms));
    c.spark(chart, &history, most(&history, chart.width), theme.gauge);

    let mut facts = vec![
        Fact::new("p50", format::ms(cycle.p50_ms), theme.value),
        Fact::new("p99", format::ms(cycle.p99_ms), theme.value),
        Fact::new("max", format::ms(cycle.max_ms), theme.value),
        Fact::new("probe", format::ms(last.map(|l| l.discover_ms)), theme.value),
        Fact::new("fetch", format::ms(last.map(|l| l.fetch_ms)), theme.value),
        Fact::new("detect", format::ms(last.map(|l| l.detect_ms)), theme.value),
        Fact::new("read", last.map_or_else(|| format::NONE.into(), |l| l.checked.to_string()), theme.value),
        Fact::new("skip", last.map_or_else(|| format::NONE.into(), |l| l.skipped.to_string()), theme.value),
        Fact::new("over", format::count(cycle.overruns), if cycle.overruns > 0 { theme.warn } else { theme.value }),
        Fact::new("p95", format::ms(cycle.p95_ms), theme.value),
        Fact::new("changed", last.map_or_else(|| format::NONE.into(), |l| l.changed.to_string()), theme.value),
        Fact::new("cycles", format::count(snapshot.base_status.cycle_count), theme.value),
    ];
    if inner.width < 28 {
        // Two columns: the two that say most come first.
        facts.swap(2, 3);
        facts.swap(3, 4);
    }
    let top = inner.y + chart.height;
    facts::draw(c, Rect { y: top, height: inner.bottom().saturating_sub(top), ..inner }, 8, &facts);
}

/// `every 1s`, or what was asked for.
pub(super) fn every(state: &State) -> String {
    let now = format::interval(state.snapshot.settings.interval);
    match state.pending_interval() {
        Some(asked) => format!("every {now} → {} …", format::interval(asked)),
        None => format!("every {now}"),
    }
}

/// The highest of the newest values that fit.
pub(super) fn most(points: &[Point], width: u16) -> f32 {
    points.iter().rev().take(width.into()).filter_map(|p| p.value).fold(0.0, f32::max)
}
