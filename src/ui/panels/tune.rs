//! The tune view: what was tried, what each combination cost, and how it compares with the one in force.

use ratatui::{layout::Rect, style::Style};

use crate::app::core::action::Action;
use crate::app::core::format;
use crate::app::core::state::State;
use crate::app::core::text::{left, right};
use crate::app::core::view::{Main, Panel};
use crate::monitor::{Between, TuneRow};
use crate::ui::canvas::{Canvas, Frame};
use crate::ui::panels::cycle::most;
use crate::ui::panels::{DrawContext, Section, hints, padded, points};
use crate::ui::slot::Slot;

/// A column of measures: its head, the value of a row, and how a value reads.
struct Measure {
    head: &'static str,
    of: fn(&TuneRow) -> Option<f64>,
    show: fn(Option<f64>) -> String,
    /// How an end of its interval reads.
    fine: fn(Option<f64>) -> String,
    /// Between what it lies with 95 % confidence; `None`: too little was measured to say it.
    between: fn(&TuneRow) -> Option<Between>,
}

const MEASURES: [Measure; 5] = [
    Measure {
        head: "P50 MS",
        of: |row| row.p50_ms,
        show: format::ms,
        fine: format::ms,
        between: |row| row.p50_between,
    },
    Measure {
        head: "P99 MS",
        of: |row| row.p99_ms,
        show: format::ms,
        fine: format::ms,
        between: |row| row.p99_between,
    },
    Measure { head: "AGE MS", of: |row| row.staleness_ms, show: format::ms, fine: format::ms, between: |_| None },
    Measure {
        head: "CPU",
        of: |row| row.cpu_percent,
        show: format::cpu,
        fine: hundredths,
        between: |row| row.cpu_between,
    },
    Measure {
        head: "TMUX",
        of: |row| row.tmux_cpu_percent,
        show: format::cpu,
        fine: hundredths,
        between: |row| row.tmux_cpu_between,
    },
];

/// From this width on each measure has its interval and whole words beside it.
const WIDE: u16 = 178;

/// A difference of less than this part is none where there is no interval of confidence.
const LITTLE: f64 = 0.05;

/// Of two that cannot be told apart.
const SAME: &str = " no difference";

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
    let wide = inner.width >= WIDE;
    let cell = match (wide, deltas) {
        (true, _) => 28,
        (_, true) => 13,
        _ => 7,
    };
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
                let at = if wide { c.text(x + 7, y, 7, &left(&about(measure, row), 7), theme.muted) } else { x + 7 };
                let beside = current.filter(|_| is_comparable(row));
                let (words, style) = compare(theme, measure, beside, row, best, if wide { SAME } else { " same" });
                c.text(at, y, x + cell - at, &words, style);
            } else if best {
                c.text(x + 7, y, 1, "*", theme.good);
            }
            x += cell;
        }
    }
    let mut y = inner.y + 2 + u16::try_from(shown).unwrap_or(0);
    let words = [sure(current), Some("best, same: as far as 95 % confidence tells them apart".to_owned())];
    for words in words.into_iter().flatten() {
        if deltas && y + 1 < inner.bottom() {
            c.text(inner.x, y, inner.width, &words, theme.muted);
            y += 1;
        }
    }
    chart(c, Rect { y: y + 1, ..inner }, inner.bottom(), state);
}

/// How sure the measures of a row are, in words.
fn sure(row: Option<&TuneRow>) -> Option<String> {
    let row = row?;
    let of = |measure: &Measure| {
        let Between { low, high } = (measure.between)(row)?;
        let show = |value| (measure.fine)(Some(value)).trim().to_owned();
        Some(format!("{} {} to {}", measure.head.to_lowercase(), show(low), show(high)))
    };
    let all: Vec<String> = MEASURES.iter().filter_map(of).collect();
    (!all.is_empty()).then(|| format!("in force: {}", all.join(", ")))
}

/// `±` and half of the interval of confidence.
fn about(measure: &Measure, row: &TuneRow) -> String {
    let half = (measure.between)(row).map(|between| (between.high - between.low) / 2.0);
    half.map(|half| format!(" ±{}", (measure.fine)(Some(half)).trim())).unwrap_or_default()
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

/// `best`, `no difference`, or the difference from the row in force.
fn compare(
    theme: &crate::ui::theme::Theme,
    measure: &Measure,
    current: Option<&TuneRow>,
    row: &TuneRow,
    best: bool,
    same: &str,
) -> (String, Style) {
    if best {
        return (" best".to_owned(), theme.good);
    }
    let Some(current) = current.filter(|_| !row.current) else { return (String::new(), theme.muted) };
    if overlap(measure, current, row) {
        return (same.to_owned(), theme.muted);
    }
    match ((measure.of)(current), (measure.of)(row)) {
        (Some(current), Some(value)) if current > 0.0 => {
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

/// Whether what was measured does not tell the two apart.
fn overlap(measure: &Measure, one: &TuneRow, two: &TuneRow) -> bool {
    match ((measure.between)(one), (measure.between)(two)) {
        (Some(one), Some(two)) => one.low <= two.high && two.low <= one.high,
        // Of what nobody knows how sure it is, little differences say nothing.
        _ => {
            (measure.of)(one).zip((measure.of)(two)).is_some_and(|(one, two)| (one - two).abs() < one.max(two) * LITTLE)
        }
    }
}

/// Percent, to the hundredth.
fn hundredths(value: Option<f64>) -> String {
    value.map_or_else(|| format::NONE.to_owned(), |value| format!("{value:.2}%"))
}

/// It ran long enough for its measures to say something.
fn is_comparable(row: &TuneRow) -> bool {
    row.cycles >= ENOUGH && row.seconds >= LONG_ENOUGH
}

/// The least of a measure among the rows that ran long enough, when there are two to compare and none of the others may be as
/// good.
fn is_best(rows: &[TuneRow], measure: &Measure, row: &TuneRow) -> bool {
    let others = || rows.iter().filter(|other| is_comparable(other) && !std::ptr::eq(*other, row));
    let Some(value) = (measure.of)(row).filter(|_| is_comparable(row) && others().count() > 0) else { return false };
    others().all(|other| (measure.of)(other).is_none_or(|more| value <= more) && !overlap(measure, row, other))
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
