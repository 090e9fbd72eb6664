//! What the watching costs: CPU and memory of the engine, CPU of the tmux server, requests. Zoomed, also how much of the
//! accounts' limits is used.

use ratatui::layout::Rect;

use crate::app::core::action::Action;
use crate::app::core::explain;
use crate::app::core::format;
use crate::app::core::state::State;
use crate::app::core::view::Panel;
use crate::ui::canvas::{Canvas, Frame};
use crate::ui::panels::cycle::most;
use crate::ui::panels::facts::Fact;
use crate::ui::panels::page;
use crate::ui::panels::page::{Chart, Page, Row};
use crate::ui::panels::{DrawContext, Section, WIDEST, below, chart_height, facts, limits, padded, points};
use crate::ui::slot::Slot;
use crate::ui::theme::Theme;

/// Rows that are left to what watching costs beside the limits.
const LEAST_BESIDE: u16 = 6;

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
    let cost = &state.snapshot().cost;
    let last = state.snapshot().cycle.last.as_ref();
    let inner = SECTION.frame(c, area, state, Frame { value: &format::cpu(cost.cpu_percent), ..Frame::default() });
    let inner = padded(inner);
    if inner.height == 0 {
        return;
    }
    if page::is_open(state, inner) {
        // The accounts' limits too.
        let rows = limits::rows(state, inner.width.min(WIDEST)).min(inner.height.saturating_sub(LEAST_BESIDE));
        let page = Rect { height: inner.height - rows, ..inner };
        page::draw(c, page, state, &page_of(state, theme));
        limits::draw(c, Rect { y: page.bottom(), height: rows, width: inner.width.min(WIDEST), ..inner }, state);
        return;
    }
    let chart = Rect { height: chart_height(inner.height), ..inner };
    let history = points(&state.snapshot().history, |p| p.cpu_percent);
    c.spark(chart, &history, most(&history, chart.width).max(1.0), theme.gauge);
    let number = |n: Option<u64>| n.map_or_else(|| format::NONE.to_owned(), format::count);
    let busy = if cost.cpu_percent >= Some(50.0) { theme.warn } else { theme.value };
    // What of the server's work is ours, and the most that it may be.
    let ceiling = state.snapshot().settings.max_server_percent;
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
    facts::draw(c, below(inner, top), 19, &facts);
}

/// The panel as a page.
fn page_of(state: &State, theme: &Theme) -> Page {
    let snapshot = state.snapshot();
    let (cost, last) = (&snapshot.cost, snapshot.cycle.last.as_ref());
    let row = |label: &str, value: String, words: &str| Row::new(label, value, theme.value, words);
    let number = |n: Option<u64>| n.map_or_else(|| format::NONE.to_owned(), format::count);
    let ceiling = snapshot.settings.max_server_percent;
    let words = match ceiling > 0.0 && ceiling < 100.0 {
        true => format!("of that ours; max_server_percent is {ceiling}%"),
        false => "of that ours".to_owned(),
    };
    Page {
        chart: Chart {
            what: "CPU of the engine",
            of: (|point| point.cpu_percent, |point| point.cpu_percent),
            show: |top| format::cpu(Some(top)),
            top: None,
        },
        rows: vec![
            row("engine", format::cpu(cost.cpu_percent), "of one core: this engine's process"),
            row("memory", format::bytes(cost.memory_bytes), "that it holds"),
            row("threads", number(cost.threads), "of it"),
            row("tmux server", format::cpu(cost.tmux_cpu_percent), "of one core: all its work, also that for you"),
            row(if cost.held_back { "held back" } else { "watching" }, format::cpu(cost.watching_percent), &words),
            row("requests", number(last.map(|l| l.tmux_requests)), "to tmux in the last cycle"),
            row("commands", number(last.map(|l| l.tmux_commands)), "in them"),
            row("processes", number(last.map(|l| l.tmux_processes)), "started for them"),
            row("read", format::bytes(last.map(|l| l.bytes)), "that tmux answered"),
        ],
        words: vec![explain::cost(snapshot, &state.keymap.label(Action::Slower))],
    }
}
