//! The connection pool: how much of it is in use, and whether anyone waits for it.

use ratatui::layout::Rect;

use crate::app::core::action::Action;
use crate::app::core::explain;
use crate::app::core::format;
use crate::app::core::state::State;
use crate::app::core::view::Panel;
use crate::ui::canvas::{Canvas, Frame};
use crate::ui::panels::facts::Fact;
use crate::ui::panels::page;
use crate::ui::panels::page::{Chart, Page, Row};
use crate::ui::panels::{DrawContext, Section, below, chart_height, facts, padded, points};
use crate::ui::slot::Slot;
use crate::ui::theme::Theme;

/// Its place, its border and what it draws.
pub(super) const SECTION: Section = Section {
    keys: &[Action::PoolUp, Action::PoolDown],
    ..Section::new(Some(Panel::Pool), Slot::Box(Panel::Pool, 23), "Pool", draw)
};

/// ```text
/// ╭ Pool ─────────────── 3 / 20 ╮
/// │ in use ━━━╸───────────────  │
/// │ ▁▁▂▁▁▃▁▁▂▁▁▁█▁▁▂▁▁▁▂┊▁▁▁▂▁▁ │
/// │ reused  98%    waiting    0 │
/// │ p99  0.4 ms    timeouts   0 │
/// ╰─────────────────────── + − ─╯
/// ```
fn draw(c: &mut Canvas, area: Rect, context: &DrawContext) {
    let state = context.state;
    let theme = c.theme;
    let pool = &state.snapshot().connection_pool;
    let pending = state.pending_pool();
    let value = match pending {
        Some(size) => format!("{} → {size} …", pool.pool_size),
        None => format!("{} / {}", pool.active_connections, pool.pool_size),
    };
    let inner = SECTION.frame(
        c,
        area,
        state,
        Frame { value: &value, value_style: pending.map(|_| theme.pending), ..Frame::default() },
    );
    let inner = padded(inner);
    if inner.height == 0 {
        return;
    }
    if page::is_open(state, inner) {
        page::draw(c, inner, state, &page_of(state, theme));
        return;
    }
    let share = share(pool.active_connections, pool.pool_size);
    let style = if share >= Some(0.9) && pool.waiters > 0 { theme.warn } else { theme.gauge };
    let x = c.text(inner.x, inner.y, inner.width, "in use ", theme.muted);
    c.gauge(x, inner.y, inner.right().saturating_sub(x), share, style);

    let chart = chart_height(inner.height.saturating_sub(1)).min(inner.height.saturating_sub(1));
    let history = points(&state.snapshot().history, |p| Some(f32::from(u16::try_from(p.in_use).unwrap_or(u16::MAX))));
    let most = f32::from(u16::try_from(pool.pool_size.max(1)).unwrap_or(u16::MAX));
    c.spark(Rect { y: inner.y + 1, height: chart, ..inner }, &history, most, theme.gauge);

    let reused = (pool.total_acquisitions > 0).then(|| ratio(pool.connections_reused, pool.total_acquisitions));
    let alarm = |n: u64| if n > 0 { theme.warn } else { theme.value };
    let facts = [
        Fact::new("reused", format::share(reused), theme.value),
        Fact::new("waiting", pool.waiters.to_string(), alarm(pool.waiters as u64)),
        Fact::new("p99", format::ms_unit(pool.wait_p99_ms), theme.value),
        Fact::new("timeouts", format::count(pool.acquisition_timeouts), alarm(pool.acquisition_timeouts)),
        Fact::new("p50", format::ms_unit(pool.wait_p50_ms), theme.value),
        Fact::new("acquired", format::count(pool.total_acquisitions), theme.value),
        Fact::new("created", format::count(pool.connections_created), theme.value),
        Fact::new("recycled", format::count(pool.connections_recycled), theme.value),
        Fact::new("idle", pool.idle_connections.to_string(), theme.value),
    ];
    let top = inner.y + 1 + chart;
    facts::draw(c, below(inner, top), 11, &facts);
}

/// The panel as a page.
fn page_of(state: &State, theme: &Theme) -> Page {
    let pool = &state.snapshot().connection_pool;
    let reused = (pool.total_acquisitions > 0).then(|| ratio(pool.connections_reused, pool.total_acquisitions));
    let alarm = |n: u64| if n > 0 { theme.warn } else { theme.value };
    let row = |label: &str, value: String, words: &str| Row::new(label, value, theme.value, words);
    let warn = |label: &str, n: u64, words: &str| Row::new(label, format::count(n), alarm(n), words);
    let in_use = format!("{} of {}", pool.active_connections, pool.pool_size);
    let most = f32::from(u16::try_from(pool.pool_size.max(1)).unwrap_or(u16::MAX));
    Page {
        chart: Chart {
            what: "connections in use",
            of: (|point| (point.cycles > 0).then(|| in_use_of(point.in_use)), |point| Some(in_use_of(point.in_use))),
            show: |top| format!("{top:.0}"),
            top: Some(most),
        },
        rows: vec![
            row("in use", in_use, "connections that ask tmux something at once"),
            warn("waiting", pool.waiters as u64, "requests that wait until one is free"),
            row("wait p50", format::ms_unit(pool.wait_p50_ms), "half of the requests waited no longer for one"),
            row("wait p99", format::ms_unit(pool.wait_p99_ms), "and 99 of 100 no longer than this"),
            warn("timeouts", pool.acquisition_timeouts, "waits given up after pool.connection_timeout"),
            row("acquired", format::count(pool.total_acquisitions), "requests that got a connection so far"),
            row("reused", format::share(reused), "of them got one that had served before"),
            row("created", format::count(pool.connections_created), "connections that were made"),
            row("recycled", format::count(pool.connections_recycled), "replaced, being older than pool.max_age"),
            row("idle", pool.idle_connections.to_string(), "ready, with nothing to do"),
        ],
        words: vec![explain::pool(
            state.snapshot(),
            (&state.keymap.label(Action::PoolUp), &state.keymap.label(Action::PoolDown)),
        )],
    }
}

fn in_use_of(connections: u32) -> f32 {
    f32::from(u16::try_from(connections).unwrap_or(u16::MAX))
}

/// A part of a whole, 0 to 1; `None` of nothing.
pub(super) fn share(part: usize, whole: usize) -> Option<f64> {
    (whole > 0).then(|| ratio(part as u64, whole as u64))
}

#[expect(clippy::cast_precision_loss, reason = "shown as whole percent")]
fn ratio(part: u64, whole: u64) -> f64 {
    part as f64 / whole.max(1) as f64
}
