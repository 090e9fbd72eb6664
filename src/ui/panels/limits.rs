//! How much of the accounts' limits is used, as bars.

use ratatui::layout::Rect;

use crate::app::core::state::State;
use crate::app::core::words::Tone;
use crate::app::core::{limits, text};
use crate::monitor::Limit;
use crate::ui::canvas::Canvas;

/// Cells of how long a limit lasts, how much of it is used, and when it ends.
const SPAN: u16 = 5;
const PERCENT: u16 = 4;
const END: u16 = 18;
/// The least and the most cells of a bar.
const LEAST_BAR: u16 = 6;
const MOST_BAR: u16 = 40;
/// From this width on there are two beside each other.
const WIDE: u16 = 110;
/// Cells between those two.
const GAP: u16 = 4;

/// Rows that all limits take.
pub(super) fn rows(state: &State, width: u16) -> u16 {
    let all: usize = state.snapshot().accounts.iter().map(|account| account.limits.len()).sum();
    u16::try_from(all).unwrap_or(u16::MAX).div_ceil(columns(width))
}

fn columns(width: u16) -> u16 {
    1 + u16::from(width >= WIDE)
}

/// ```text
/// claude  5h    ━━━━━━━━━━━━━━━━━━━━━╸───   87%  until 14:30
/// claude  week  ━━━━━━━━━╸───────────────   42%  until 3 Apr 18:33
/// ```
/// Where not all of them have room, those of which least is used have none; where it is narrow, their ends.
pub(super) fn draw(c: &mut Canvas, area: Rect, state: &State) {
    let columns = columns(area.width);
    let width = (area.width + GAP) / columns - GAP.min(area.width);
    let mut limits = limits::all(&state.snapshot().accounts, state.now);
    let room = usize::from(area.height * columns);
    while limits.len() > room {
        let used = |at: &usize| limits[*at].1.used_percent;
        let Some(least) = (0..limits.len()).min_by(|a, b| used(a).total_cmp(&used(b))) else { return };
        limits.remove(least);
    }
    let wide = |words: &str| u16::try_from(text::width(words)).unwrap_or(u16::MAX);
    let name_width = limits.iter().map(|(name, _)| wide(name)).max().unwrap_or(0).min(width / 3);
    for (n, (name, limit)) in (0u16..).zip(&limits) {
        let at = Rect { x: area.x + n % columns * (width + GAP), y: area.y + n / columns, width, height: 1 };
        bar(c, at, state, name_width, name, limit);
    }
}

/// One of them.
fn bar(c: &mut Canvas, area: Rect, state: &State, name_width: u16, name: &str, limit: &Limit) {
    let theme = c.theme;
    let room = area.width.saturating_sub(name_width + SPAN + PERCENT + 4);
    let (bar, end) = match room.checked_sub(END + 2) {
        Some(bar) if bar >= LEAST_BAR => (bar.min(MOST_BAR), END),
        _ => (room.min(MOST_BAR), 0),
    };
    let (value, gauge) = if limit.used_percent >= f64::from(state.limit_threshold) {
        (theme.tone(Tone::Limited), theme.tone(Tone::Limited))
    } else {
        (theme.value, theme.gauge)
    };
    c.text(area.x, area.y, name_width, name, theme.muted);
    let mut x = area.x + name_width + 2;
    c.text(x, area.y, SPAN, &limits::span(limit), theme.muted);
    x += SPAN + 1;
    c.gauge(x, area.y, bar, Some(limit.used_percent / 100.0), gauge);
    x += bar + 1;
    c.right(x + PERCENT, area.y, PERCENT, &limits::percent(limit), value);
    let words = limits::ends(limit, state.now, &state.zone).map(|end| format!("until {end}"));
    c.text(x + PERCENT + 2, area.y, end, &words.unwrap_or_default(), theme.muted);
}
