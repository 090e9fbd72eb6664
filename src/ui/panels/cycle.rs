//! The cycle: how long it takes, what it takes it for, and where a change was made.

use ratatui::layout::Rect;

use crate::app::core::action::Action;
use crate::app::core::explain;
use crate::app::core::format;
use crate::app::core::state::State;
use crate::app::core::view::Panel;
use crate::ui::canvas::{Canvas, Frame, Point};
use crate::ui::panels::facts::Fact;
use crate::ui::panels::page;
use crate::ui::panels::page::{Chart, Page, Row};
use crate::ui::panels::{DrawContext, Section, below, chart_height, facts, padded, points};
use crate::ui::slot::Slot;
use crate::ui::theme::Theme;

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
    if page::is_open(state, inner) {
        page::draw(c, inner, state, &page_of(state, theme));
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

/// The panel as a page.
fn page_of(state: &State, theme: &Theme) -> Page {
    let snapshot = state.snapshot();
    let cycle = &snapshot.cycle;
    let row = |label: &str, value: String, words: &str| Row::new(label, value, theme.value, words);
    let took = |label: &str, ms: Option<f64>, words: &str| row(label, format::ms_unit(ms), words);
    let mut rows = vec![
        took("p50", cycle.p50_ms, "half of those of ten minutes took no longer"),
        took("p99", cycle.p99_ms, "and 99 of 100 no longer than this"),
        took("max", cycle.max_ms, "the longest"),
    ];
    for phase in explain::phases(&snapshot.hour) {
        let row = took(phase.name, Some(phase.ms), &format!("{}: {}", format::share(Some(phase.share)), phase.words));
        rows.push(row.with_gauge(Some(phase.share)));
    }
    if let Some(last) = &cycle.last {
        let read = format!("{} of {}", last.checked, last.checked + last.skipped);
        let changed = format!("agents read in the last cycle, {} of them changed", last.changed);
        rows.push(row("read", read, &changed));
    }
    rows.push(row("heard", format::count(cycle.heard), "writes that the kernel told of, not tmux"));
    let rhythm = &cycle.rhythm;
    if rhythm.followed > 0 || rhythm.breaks > 0 {
        rows.push(row("followed", rhythm.followed.to_string(), "busy agents: read when their rhythm breaks"));
        let words = format!(
            "of them: {} for nothing new, {} missed",
            format::count(rhythm.false_breaks),
            format::count(rhythm.missed)
        );
        rows.push(row("breaks", format::count(rhythm.breaks), &words));
    }
    let style = if cycle.overruns > 0 { theme.warn } else { theme.value };
    rows.push(Row::new("overruns", format::count(cycle.overruns), style, "cycles longer than the time to the next"));
    for changed in explain::changes(&snapshot.hour).into_iter().take(3) {
        let ago = format!("{} ago", format::seconds(i64::try_from(changed.ago).unwrap_or(i64::MAX)));
        let took = changed.took.map(|(before, after)| {
            format!(": {} before, {} after", format::ms_unit(Some(before)), format::ms_unit(Some(after)))
        });
        rows.push(Row::new("changed", ago, theme.text, &format!("{}{}", changed.what, took.unwrap_or_default())));
    }
    Page { chart: chart(), rows, words: vec![explain::cycle(snapshot, &state.keymap.label(Action::Slower))] }
}

/// How long cycles took.
pub(super) fn chart() -> Chart {
    Chart {
        what: "mean cycle",
        of: (|point| (point.cycles > 0).then_some(point.duration_ms), |point| Some(point.duration_ms)),
        show: |top| format::ms_unit(Some(top)),
        top: None,
    }
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
