//! What the watching costs: CPU and memory of the engine, CPU of the tmux server, requests. Zoomed, also how much of the
//! accounts' limits is used.

use ratatui::layout::Rect;

use crate::app::core::state::State;
use crate::app::core::view::Panel;
use crate::app::core::words::Tone;
use crate::app::core::{format, limits, text};
use crate::monitor::Limit;
use crate::ui::canvas::{Canvas, Frame};
use crate::ui::panels::cycle::most;
use crate::ui::panels::facts::Fact;
use crate::ui::panels::{DrawContext, Section, below, chart_height, facts, padded, points};
use crate::ui::slot::Slot;

/// Rows that are left to what watching costs beside the limits.
const LEAST_BESIDE: u16 = 6;
/// Cells of how long a limit lasts, how much of it is used, and when it ends.
const SPAN: u16 = 5;
const PERCENT: u16 = 4;
const END: u16 = 18;

/// Its place, its border and what it draws.
pub(super) const SECTION: Section = Section::new(Some(Panel::Cost), Slot::Box(Panel::Cost, 23), "Cost", draw);

/// ```text
/// ╭ Cost ─────────────── 0.3% ╮
/// │ ▁▁▂▁▁▁▂▁▁▁┊▁▁▂▁▁▁▂▁▁▁▁▁▂▁ │
/// │ engine               0.3% │
/// │ tmux server          0.6% │
/// │ watching          0.4%/5% │
/// │ memory                11M │
/// ╰───────────────────────────╯
/// ```
fn draw(c: &mut Canvas, area: Rect, context: &DrawContext) {
    let state = context.state;
    let theme = c.theme;
    let cost = &state.snapshot.cost;
    let last = state.snapshot.cycle.last.as_ref();
    let inner = SECTION.frame(c, area, state, Frame { value: &format::cpu(cost.cpu_percent), ..Frame::default() });
    let inner = padded(inner);
    if inner.height == 0 {
        return;
    }
    // The accounts' limits, where the panel has the whole screen.
    let limits = if state.view.zoom { limits::all(&state.snapshot.accounts, state.now) } else { Vec::new() };
    let rows = u16::try_from(limits.len()).unwrap_or(u16::MAX).min(inner.height.saturating_sub(LEAST_BESIDE));
    let rest = inner.height - rows - u16::from(rows > 0);
    let chart = Rect { height: chart_height(rest), ..inner };
    let history = points(&state.snapshot.history, |p| p.cpu_percent);
    c.spark(chart, &history, most(&history, chart.width).max(1.0), theme.gauge);
    let number = |n: Option<u64>| n.map_or_else(|| format::NONE.to_owned(), format::count);
    let busy = if cost.cpu_percent >= Some(50.0) { theme.warn } else { theme.value };
    // What of the server's work is ours, and the most that it may be.
    let ceiling = state.snapshot.settings.max_server_percent;
    let most = if ceiling > 0.0 && ceiling < 100.0 { format!("/{ceiling}%") } else { String::new() };
    let watching = format!("{}{most}", format::cpu(cost.watching_percent));
    let watching = match cost.held_back {
        true => Fact::new("held back", watching, theme.warn),
        false => Fact::new("watching", watching, theme.value),
    };
    let mut facts = [
        Fact::new("engine", format!("{} {:>5}", format::cpu(cost.cpu_percent), format::bytes(cost.memory_bytes)), busy),
        Fact::new("tmux server", format::cpu(cost.tmux_cpu_percent), theme.value),
        watching,
        Fact::new("requests/cycle", number(last.map(|l| l.tmux_requests)), theme.value),
        Fact::new("commands/cycle", number(last.map(|l| l.tmux_commands)), theme.value),
        Fact::new("processes/cycle", number(last.map(|l| l.tmux_processes)), theme.value),
        Fact::new("read/cycle", format::bytes(last.map(|l| l.bytes)), theme.value),
        Fact::new("threads", number(cost.threads), theme.value),
    ];
    // Where there is little room, what holds it back says more.
    if cost.held_back {
        facts.swap(1, 2);
    }
    let top = inner.y + chart.height;
    let room = below(Rect { height: rest, ..inner }, top);
    facts::draw(c, room, 19, &facts);
    let bars = Rect { y: inner.bottom() - rows, height: rows, ..room };
    draw_limits(c, bars, state, &limits);
}

/// ```text
/// claude  5h    ━━━━━━━━━━━━━━━━━━━━━╸───   87%  until 14:30
/// claude  week  ━━━━━━━━━╸───────────────   42%  until 3 Apr 18:33
/// ```
fn draw_limits(c: &mut Canvas, area: Rect, state: &State, limits: &[(String, Limit)]) {
    let theme = c.theme;
    let wide = |words: &str| u16::try_from(text::width(words)).unwrap_or(u16::MAX);
    let name_width = limits.iter().map(|(name, _)| wide(name)).max().unwrap_or(0).min(area.width / 3);
    let bar = area.width.saturating_sub(name_width + SPAN + PERCENT + END + 6);
    for (y, (name, limit)) in (area.y..area.bottom()).zip(limits) {
        let used = limit.used_percent >= f64::from(state.limit_threshold);
        let (value, gauge) = match used {
            true => (theme.tone(Tone::Limited), theme.tone(Tone::Limited)),
            false => (theme.value, theme.gauge),
        };
        c.text(area.x, y, name_width, name, theme.muted);
        let mut x = area.x + name_width + 2;
        c.text(x, y, SPAN, &limits::span(limit), theme.muted);
        x += SPAN + 1;
        c.gauge(x, y, bar, Some(limit.used_percent / 100.0), gauge);
        x += bar + 1;
        c.right(x + PERCENT, y, PERCENT, &limits::percent(limit), value);
        let end = limits::ends(limit, state.now, &state.zone).map(|end| format!("until {end}"));
        c.text(x + PERCENT + 2, y, END, &end.unwrap_or_default(), theme.muted);
    }
}
