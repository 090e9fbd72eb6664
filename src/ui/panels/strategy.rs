//! The strategy bar: what can be switched to, which one runs, and what each took while it ran.

use ratatui::layout::{Position, Rect};

use crate::app::core::action::Action;
use crate::app::core::explain;
use crate::app::core::format;
use crate::app::core::message::Hit;
use crate::app::core::state::State;
use crate::app::core::text::right;
use crate::app::core::view::Panel;
use crate::monitor::StrategyInfo;
use crate::ui::canvas::{Canvas, Frame};
use crate::ui::panels::page;
use crate::ui::panels::page::{Page, Row};
use crate::ui::panels::{DrawContext, Section, cycle, padded};
use crate::ui::slot::{Class, Slot};
use crate::ui::theme::Theme;

/// Its place, its border and what it draws.
pub(super) const SECTION: Section = Section {
    keys: &[Action::NextStrategy, Action::Tune],
    hit,
    ..Section::new(Some(Panel::Strategy), Slot::Box(Panel::Strategy, 28), "Strategy", draw)
};

/// ```text
/// ╭ Strategy ─────────────────╮
/// │   1 concurrent     9.8 ms │
/// │   2 polling       31.0 ms │
/// │ ▸ 3 adaptive       4.2 ms │
/// │   4 nightly             - │
/// ╰──────────────────── s t ──╯
/// ```
fn draw(c: &mut Canvas, area: Rect, context: &DrawContext) {
    let state = context.state;
    let theme = c.theme;
    let pending = state.pending_strategy();
    let value = pending.map(|name| format!("→ {name} …")).unwrap_or_default();
    let inner =
        SECTION.frame(c, area, state, Frame { value: &value, value_style: Some(theme.pending), ..Frame::default() });
    let inner = padded(inner);
    if page::is_open(state, inner) {
        page::draw(c, inner, state, &page_of(state, theme));
        return;
    }
    let strategies = &state.snapshot().strategies;
    let best = best(strategies);
    for (row, (index, strategy)) in strategies.iter().enumerate().skip(first(state, inner.height)).enumerate() {
        let y = inner.y + u16::try_from(row).unwrap_or(u16::MAX);
        if y >= inner.bottom() {
            return;
        }
        let current = strategy.name == state.snapshot().current_strategy;
        let asked = pending == Some(strategy.name.as_str());
        let (mark, style) = match (current, asked, &strategy.problem) {
            (_, true, _) => ("… ", theme.pending),
            (true, ..) => ("▸ ", theme.value),
            (_, _, Some(_)) => ("✕ ", theme.bad),
            _ => ("  ", theme.muted),
        };
        let number = format!("{} ", index + 1);
        let tail = if best == Some(index) { "best" } else { "" };
        let time = format!("{} {}", right(&format::ms_unit(strategy.p50_ms), 8), right(tail, 4));
        let time = if inner.width < 26 { right(&format::ms_unit(strategy.p50_ms), 8) } else { time };
        let time_width = u16::try_from(time.chars().count()).unwrap_or(0);
        let room = inner.width.saturating_sub(time_width + 1);
        c.pieces(inner.x, y, room, &[(mark, style), (&number, theme.key), (&strategy.name, style)]);
        let time_style = if best == Some(index) { theme.good } else { style };
        c.right(inner.right(), y, time_width, &time, time_style);
    }
}

/// The panel as a page.
fn page_of(state: &State, theme: &Theme) -> Page {
    let snapshot = state.snapshot();
    let best = best(&snapshot.strategies);
    let row = |(at, strategy): (usize, &StrategyInfo)| {
        let current = strategy.name == snapshot.current_strategy;
        let style = match () {
            () if best == Some(at) => theme.good,
            () if current => theme.value,
            () => theme.text,
        };
        let words = match &strategy.problem {
            Some(problem) => problem,
            None => explain::strategy(&strategy.name).unwrap_or(&strategy.origin),
        };
        let mark = if current { "▸" } else { " " };
        Row::new(&format!("{mark}{} {}", at + 1, strategy.name), format::ms_unit(strategy.p50_ms), style, words)
    };
    let next = state.keymap.label(Action::NextStrategy);
    let tune = state.keymap.label(Action::Tune);
    Page {
        chart: cycle::chart(),
        rows: snapshot.strategies.iter().enumerate().map(row).collect(),
        words: vec![format!(
            "The time is the median cycle while it ran. {next} goes through them, {tune} compares what each of them cost."
        )],
    }
}

/// The strategy in a row.
fn hit(state: &State, _: Class, rect: Rect, at: Position) -> Option<Hit> {
    let inside = at.y > rect.y && at.y + 1 < rect.bottom();
    let row = inside.then(|| usize::from(at.y - rect.y - 1) + first(state, rect.height.saturating_sub(2)))?;
    (state.snapshot().instruments && row < state.snapshot().strategies.len()).then_some(Hit::Strategy(row))
}

/// The first strategy shown, so that the current one is in view.
fn first(state: &State, height: u16) -> usize {
    let strategies = &state.snapshot().strategies;
    let at = strategies.iter().position(|s| s.name == state.snapshot().current_strategy).unwrap_or(0);
    (at + 1).saturating_sub(height.max(1).into())
}

/// The one whose median cycle is the shortest, once there are two to compare.
fn best(strategies: &[StrategyInfo]) -> Option<usize> {
    let measured = strategies.iter().enumerate().filter_map(|(i, s)| s.p50_ms.map(|ms| (i, ms)));
    if measured.clone().count() < 2 {
        return None;
    }
    measured.min_by(|a, b| a.1.total_cmp(&b.1)).map(|(i, _)| i)
}
