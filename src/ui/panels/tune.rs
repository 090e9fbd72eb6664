//! The tune view: what was tried, what each combination cost, and how it compares with the one in force.

use ratatui::{layout::Rect, style::Style};

use crate::app::core::action::Action;
use crate::app::core::format;
use crate::app::core::state::State;
use crate::app::core::text::{left, right};
use crate::app::core::view::{Main, Panel};
use crate::monitor::TuneRow;
use crate::ui::canvas::{Canvas, Frame};
use crate::ui::panels::cycle::most;
use crate::ui::panels::{DrawContext, Section, hints, padded, points};
use crate::ui::slot::Slot;

/// A column of measures: its head, the value of a row, and how a value reads.
struct Measure {
    head: &'static str,
    of: fn(&TuneRow) -> Option<f64>,
    show: fn(Option<f64>) -> String,
}

const MEASURES: [Measure; 5] = [
    Measure { head: "P50 MS", of: |row| row.p50_ms, show: format::ms },
    Measure { head: "P99 MS", of: |row| row.p99_ms, show: format::ms },
    Measure { head: "AGE MS", of: |row| row.staleness_ms, show: format::ms },
    Measure { head: "CPU", of: |row| row.cpu_percent, show: format::cpu },
    Measure { head: "TMUX", of: |row| row.tmux_cpu_percent, show: format::cpu },
];

/// Fewest cycles and seconds after which a row is compared: less says nothing.
const ENOUGH: u64 = 5;
const LONG_ENOUGH: f64 = 5.0;

/// It has the place of the agents while it is open.
pub(super) const SECTION: Section = Section {
    shows: |state| state.view.main == Main::Tune,
    ..Section::new(Some(Panel::Agents), Slot::Main, "Tune", draw)
};

/// ```text
/// ╭ Tune ─────────────────────────────────────────────────────────────────────── 3 tried ╮
/// │  STRATEGY   POOL  EVERY  CACHE   RAN   CYCLES   P50 MS         P99 MS         CPU     │
/// │▸ adaptive     20     1s  ttl    2m10s     130      4.2  best      8.1           0.3%  │
/// │  concurrent   20     1s  ttl      41s      41      9.8  +133%    12.0  +48%     0.8%  │
/// ╰───────────────────────────────────────────────────────────────────────────────────────╯
/// ```
fn draw(c: &mut Canvas, area: Rect, context: &DrawContext) {
    let state = context.state;
    let theme = c.theme;
    let known = state.snapshot().instruments;
    let rows = if known { &state.snapshot().tune[..] } else { &[] };
    let tried = if known { format!("{} tried", rows.len()) } else { format::NONE.to_owned() };
    let inner = SECTION.frame(
        c,
        area,
        state,
        Frame { note: "what was tried, and what it cost", value: &tried, keys: &keys(state), ..Frame::default() },
    );
    let inner = padded(inner);
    if inner.height == 0 || !known {
        return;
    }
    let deltas = inner.width >= 96;
    let cell = if deltas { 13 } else { 7 };
    let head = format!(
        "  {} {} {} {} {}",
        left("STRATEGY", 12),
        right("POOL", 4),
        right("EVERY", 6),
        left(" CACHE", 6),
        right("RAN", 5)
    );
    let mut x = c.text(inner.x, inner.y, inner.width, &head, theme.muted) + 1;
    let start = x;
    for measure in &MEASURES {
        if x + cell > inner.right() {
            break;
        }
        c.text(x, inner.y, 7, &right(measure.head, 7), theme.muted);
        x += cell;
    }
    let current = rows.iter().find(|row| row.current && is_comparable(row));
    let shown = usize::from(inner.height - 1).min(rows.len());
    for (i, row) in rows.iter().take(shown).enumerate() {
        let y = inner.y + 1 + u16::try_from(i).unwrap_or(0);
        let style = match (row.current, is_comparable(row)) {
            (true, _) => theme.value,
            (false, true) => theme.text,
            (false, false) => theme.muted,
        };
        let words = format!(
            "{} {} {} {} {} {}",
            if row.current { "▸" } else { " " },
            left(&row.strategy, 12),
            right(&row.pool_size.to_string(), 4),
            right(&format::interval(row.interval), 6),
            left(&format!(" {}", row.cache), 6),
            right(&seconds(row.seconds), 5)
        );
        c.text(inner.x, y, inner.width, &words, style);
        let mut x = start;
        for measure in &MEASURES {
            if x + cell > inner.right() {
                break;
            }
            let value = (measure.of)(row);
            let best = is_best(rows, measure, row);
            c.text(x, y, 7, &right(&(measure.show)(value), 7), if best { theme.good } else { style });
            if deltas {
                let beside = current.filter(|_| is_comparable(row)).and_then(measure.of);
                let (words, style) = compare(theme, beside, value, row.current, best);
                c.text(x + 7, y, 6, &words, style);
            } else if best {
                c.text(x + 7, y, 1, "*", theme.good);
            }
            x += cell;
        }
    }
    chart(c, Rect { y: inner.y + 2 + u16::try_from(shown).unwrap_or(0), ..inner }, inner.bottom(), state);
}

/// The keys that change what is compared.
fn keys(state: &State) -> String {
    let rows: [(&[Action], &str); 5] = [
        (&[Action::NextStrategy], "strategy"),
        (&[Action::PoolUp, Action::PoolDown], "pool"),
        (&[Action::ToggleCache], "cache"),
        (&[Action::Faster, Action::Slower], "interval"),
        (&[Action::Tune], "back"),
    ];
    hints(&state.keymap, &rows)
}

/// `best`, or the difference from the row in force.
fn compare(
    theme: &crate::ui::theme::Theme,
    current: Option<f64>,
    value: Option<f64>,
    is_current: bool,
    best: bool,
) -> (String, Style) {
    if best {
        return (" best".to_owned(), theme.good);
    }
    match (current, value) {
        (Some(current), Some(value)) if !is_current && current > 0.0 => {
            let delta = (value - current) / current * 100.0;
            let style = if delta < -5.0 {
                theme.good
            } else if delta > 5.0 {
                theme.warn
            } else {
                theme.muted
            };
            (format!(" {:+.0}%", delta.clamp(-999.0, 999.0)), style)
        }
        _ => (String::new(), theme.muted),
    }
}

/// It ran long enough for its measures to say something.
fn is_comparable(row: &TuneRow) -> bool {
    row.cycles >= ENOUGH && row.seconds >= LONG_ENOUGH
}

/// The least of a measure among the rows that ran long enough, when there are two to compare.
fn is_best(rows: &[TuneRow], measure: &Measure, row: &TuneRow) -> bool {
    let values: Vec<f64> = rows.iter().filter(|row| is_comparable(row)).filter_map(measure.of).collect();
    let least = values.iter().copied().fold(f64::INFINITY, f64::min);
    values.len() > 1 && is_comparable(row) && (measure.of)(row).is_some_and(|value| value <= least)
}

#[expect(clippy::cast_possible_truncation, reason = "whole seconds are shown")]
fn seconds(seconds: f64) -> String {
    format::seconds(seconds as i64)
}

/// The cycles so far, and what was changed where.
fn chart(c: &mut Canvas, area: Rect, bottom: u16, state: &State) {
    let theme = c.theme;
    let height = bottom.saturating_sub(area.y);
    if height < 4 {
        return;
    }
    let history = &state.snapshot().history;
    let width = usize::from(area.width);
    let marks: Vec<&str> = history.iter().rev().take(width).filter_map(|p| p.mark.as_deref()).collect();
    let points = points(history, |p| Some(p.duration_ms));
    let top = format::ms_unit(Some(most(&points, area.width).into()));
    let changed = if marks.is_empty() { String::new() } else { format!("   ┊ newest first: {}", marks.join(", ")) };
    let words = format!("each cycle, {top} at the top{changed}");
    c.text(area.x, area.y, area.width, &words, theme.muted);
    let chart = Rect { y: area.y + 1, height: (height - 1).min(10), ..area };
    c.spark(chart, &points, most(&points, area.width), theme.gauge);
}
