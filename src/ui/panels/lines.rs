//! The instruments as lines, where there is no room for boxes.

use ratatui::layout::Rect;

use crate::app::core::action::Action;
use crate::app::core::format;
use crate::app::core::state::State;
use crate::app::core::text::{left, right};
use crate::ui::canvas::Canvas;
use crate::ui::panels::pool::share;
use crate::ui::panels::{DrawContext, Section, cache, cycle, hints, points};
use crate::ui::slot::{Class, Slot};

/// Its place, and what it draws.
pub(super) const SECTION: Section = Section::new(None, Slot::Lines, "Engine", draw);

/// ```text
/// ── Engine ──────────────────────────────────── s strategy ── + − pool ──
///  pool   ━━━╸────────────  3/20   reused 98%   waiting 0   wait p99 0.4 ms
///  cache  ━━━━━━━━━━━━━━─   94%    content 96%  status 88%  session 99%
///  cycle  ▁▁▂▁▁▃▁▁▂▁▁▁█▁▁  4.2 ms  p50 3.9  p99 8.1  12 of 100 read
///  cost   ▁▁▂▁▁▁▂▁▁▁▁▁▂▁▁  0.3%    11M   tmux 0.6%   2 requests
/// ```
/// In the sidebar two lines of the same in short.
fn draw(c: &mut Canvas, area: Rect, context: &DrawContext) {
    let state = context.state;
    if context.class == Class::Sidebar {
        short(c, area, state);
        return;
    }
    let theme = c.theme;
    let snapshot = state.snapshot();
    rule(c, area, state);
    let bar = if area.width >= 100 {
        24
    } else if area.width >= 72 {
        16
    } else {
        10
    };
    let row = |n: u16| area.y + n;
    let (x, room) = (area.x + 9 + bar, area.width.saturating_sub(10 + bar));
    for (n, label) in ["pool", "cache", "cycle", "cost"].into_iter().enumerate() {
        c.text(area.x + 1, row(u16::try_from(n).unwrap_or(0) + 1), 7, label, theme.muted);
    }
    let gauge = |c: &mut Canvas, n: u16, value: Option<f64>| c.gauge(area.x + 8, row(n), bar, value, theme.gauge);

    if !snapshot.instruments {
        for n in 1..=4 {
            line(c, x, row(n), room, &(format::NONE.to_owned(), theme.muted), &[]);
        }
        return;
    }
    let pool = &snapshot.connection_pool;
    gauge(c, 1, share(pool.active_connections, pool.pool_size));
    let pool_value = match state.pending_pool() {
        Some(size) => (format!("→ {size} …"), theme.pending),
        None => (format!("{}/{}", pool.active_connections, pool.pool_size), theme.value),
    };
    let reused = (pool.total_acquisitions > 0).then(|| {
        share(
            usize::try_from(pool.connections_reused).unwrap_or(0),
            usize::try_from(pool.total_acquisitions).unwrap_or(0),
        )
    });
    let waits = if pool.waiters > 0 || pool.acquisition_timeouts > 0 { theme.warn } else { theme.muted };
    line(
        c,
        x,
        row(1),
        room,
        &pool_value,
        &[
            (format!("reused {}", right(&format::share(reused.flatten()), 4)), theme.muted),
            (format!("waiting {}", pool.waiters), waits),
            (format!("timeouts {}", pool.acquisition_timeouts), waits),
            (format!("wait p99 {}", format::ms_unit(pool.wait_p99_ms)), theme.muted),
        ],
    );

    let overall = cache::overall(&snapshot.cache_performance);
    gauge(c, 2, overall);
    let (mode, pending) = cache::mode(state, theme);
    let cache_value = match pending {
        Some(style) => (mode.clone(), style),
        None => (format::share(overall), theme.value),
    };
    let mut parts = vec![(mode, theme.muted)];
    if pending.is_some() {
        parts.clear();
    }
    parts.extend(
        cache::layers(&snapshot.cache_performance)
            .map(|(_, short, layer)| (format!("{short} {}", right(&format::share(layer.hit_rate), 4)), theme.muted)),
    );
    line(c, x, row(2), room, &cache_value, &parts);

    let spark = |c: &mut Canvas, n: u16, pts: &[crate::ui::canvas::Point], least: f32| {
        let most = cycle::most(pts, bar).max(least);
        c.spark(Rect { x: area.x + 8, y: row(n), width: bar, height: 1 }, pts, most, theme.gauge);
    };
    let history = points(&snapshot.history, |p| Some(p.duration_ms));
    spark(c, 3, &history, 0.0);
    let last = snapshot.cycle.last.as_ref();
    let cycle_value = (format::ms_unit(last.map(|l| l.duration_ms)), theme.value);
    let read = last
        .map_or_else(|| "nothing read yet".to_owned(), |l| format!("{} of {} read", l.checked, l.checked + l.skipped));
    line(
        c,
        x,
        row(3),
        room,
        &cycle_value,
        &[
            (cycle::every(state), if state.pending_interval().is_some() { theme.pending } else { theme.muted }),
            (format!("p50 {}", left(&format::ms(snapshot.cycle.p50_ms), 5)), theme.muted),
            (format!("p99 {}", left(&format::ms(snapshot.cycle.p99_ms), 5)), theme.muted),
            (read, theme.muted),
        ],
    );

    let history = points(&snapshot.history, |p| p.cpu_percent);
    spark(c, 4, &history, 1.0);
    let cost = &snapshot.cost;
    let requests = last.map_or_else(|| format::NONE.to_owned(), |l| l.tmux_requests.to_string());
    line(
        c,
        x,
        row(4),
        room,
        &(format::cpu(cost.cpu_percent), theme.value),
        &[
            (format!("memory {}", right(&format::bytes(cost.memory_bytes), 4)), theme.muted),
            (format!("tmux {}", right(&format::cpu(cost.tmux_cpu_percent), 4)), theme.muted),
            (format!("{requests} requests/cycle"), theme.muted),
        ],
    );
}

type Words = (String, ratatui::style::Style);

/// A value at a fixed width and what follows it, as far as whole parts fit.
fn line(c: &mut Canvas, x: u16, y: u16, room: u16, value: &Words, parts: &[Words]) {
    let width = 9;
    c.text(x, y, room, &right(&value.0, width.into()), value.1);
    let mut at = x + width + 3;
    let end = x + room;
    for (words, style) in parts {
        let needed = u16::try_from(crate::app::core::text::width(words)).unwrap_or(u16::MAX);
        if at.saturating_add(needed) > end {
            return;
        }
        at = c.text(at, y, needed, words, *style) + 3;
    }
}

/// The line above, with what runs and its keys.
fn rule(c: &mut Canvas, area: Rect, state: &State) {
    let theme = c.theme;
    c.text(area.x, area.y, area.width, &"─".repeat(area.width.into()), theme.border);
    let strategy = match state.pending_strategy() {
        Some(asked) => (format!("{} → {asked} …", state.snapshot().current_strategy), theme.pending),
        None => (state.snapshot().current_strategy.clone(), theme.value),
    };
    let known = state.snapshot().instruments;
    let strategy = if known { strategy } else { (format::NONE.to_owned(), theme.muted) };
    // Whose they are, where there are several.
    let whose = if state.fleet.several() { format!("{} ", state.member().label.whose()) } else { String::new() };
    let x = c.pieces(
        area.x + 1,
        area.y,
        area.width.saturating_sub(2),
        &[
            (" ", theme.border),
            (SECTION.title, theme.title),
            ("  ", theme.border),
            (&whose, theme.muted),
            (&strategy.0, strategy.1),
            (" ", theme.border),
        ],
    );
    let rows: [(&[Action], &str); 3] = [
        (&[Action::NextStrategy], "strategy"),
        (&[Action::PoolUp, Action::PoolDown], "pool"),
        (&[Action::Faster, Action::Slower], "interval"),
    ];
    let keys = format!(" {} ", hints(&state.keymap, &rows));
    let width = u16::try_from(crate::app::core::text::width(&keys)).unwrap_or(u16::MAX);
    if x.saturating_add(width) + 3 < area.right() {
        c.right(area.right() - 1, area.y, width, &keys, theme.muted);
    }
}

/// Two lines for a narrow column.
fn short(c: &mut Canvas, area: Rect, state: &State) {
    let theme = c.theme;
    let s = state.snapshot();
    c.text(area.x, area.y, area.width, &"─".repeat(area.width.into()), theme.border);
    if !s.instruments {
        c.text(area.x, area.y + 1, area.width, &format!(" {}", format::NONE), theme.muted);
        return;
    }
    let words = format!(
        " {} {}  pool {}/{}  hits {}",
        s.current_strategy,
        format::ms_unit(s.cycle.last.as_ref().map(|l| l.duration_ms)),
        s.connection_pool.active_connections,
        s.connection_pool.pool_size,
        format::share(cache::overall(&s.cache_performance))
    );
    c.text(area.x, area.y + 1, area.width, &words, theme.muted);
}
