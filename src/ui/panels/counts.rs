//! A terminal too small for anything else: the counts.

use ratatui::layout::Rect;

use crate::app::core::state::State;
use crate::app::core::words::TONES;
use crate::ui::canvas::Canvas;

/// One count a row where there are rows, else one after another: `▲2 ●5 ○3`.
pub fn draw(c: &mut Canvas, area: Rect, state: &State) {
    let counts = state.counts();
    let present: Vec<_> = TONES.iter().zip(counts).filter(|(_, count)| *count > 0).collect();
    if present.is_empty() {
        let aside = state.aside();
        let words = match aside.as_str() {
            _ if state.loading() => "…",
            "" => "no agents",
            aside => aside,
        };
        c.text(area.x, area.y, area.width, words, c.theme.muted);
        return;
    }
    let stacked = usize::from(area.height) >= present.len();
    let mut x = area.x;
    for (row, (tone, count)) in present.into_iter().enumerate() {
        let style = c.theme.tone(*tone);
        if stacked {
            let words = format!("{} {count} {}", tone.glyph(), tone.counted(count));
            c.text(area.x, area.y + u16::try_from(row).unwrap_or(0), area.width, &words, style);
        } else {
            let words = format!("{}{count} ", tone.glyph());
            x = c.text(x, area.y, area.right().saturating_sub(x), &words, style);
        }
    }
}
