//! The selected pane's screen in its own colours, cropped to its end, where things happen.
//!
//! What is left of its escape sequences after `tmux::Screen` are colours alone; a library turns those into styles.

use std::{ops::Range, sync::Arc};

use ansi_to_tui::IntoText as _;
use ratatui::{
    layout::Rect,
    style::{Color, Modifier, Style},
    text::Line,
};

use crate::app::core::view::Panel;
use crate::app::core::{format, text};
use crate::monitor;
use crate::ui::canvas::{Canvas, Frame};
use crate::ui::colour::Depth;
use crate::ui::panels::{DrawContext, Section};
use crate::ui::slot::Slot;

/// The focused pane's screen, its colours read once for each capture.
#[derive(Clone, Debug, Default)]
pub struct Preview {
    source: Option<Arc<monitor::Preview>>,
    /// The colours that `lines` were made for.
    depth: Option<Ink>,
    lines: Vec<Line<'static>>,
}

impl Preview {
    /// Reads a screen if it is another one than before.
    pub fn read(&mut self, screen: Option<&Arc<monitor::Preview>>, depth: Depth, still: bool) {
        let depth = (depth, still);
        let same = match (&self.source, screen) {
            (Some(a), Some(b)) => a.shows_as(b),
            (None, None) => true,
            _ => false,
        } && self.depth == Some(depth);
        self.depth = Some(depth);
        self.source = screen.cloned();
        if same {
            return;
        }
        let Some(preview) = &self.source else {
            self.lines.clear();
            return;
        };
        self.lines = styled(&preview.text, depth);
        while self.lines.last().is_some_and(is_blank) {
            self.lines.pop();
        }
    }

    /// Draws its last rows but so many.
    pub(super) fn draw_end(&self, c: &mut Canvas, inner: Rect, up: usize) {
        // A pane's own colours are made for the terminal's own ground.
        if c.theme.ground.bg.is_some() && self.source.is_some() {
            c.clear(inner, Style::reset());
        }
        let height = usize::from(inner.height);
        let end = self.lines.len().saturating_sub(up.min(self.lines.len().saturating_sub(height)));
        let from = end.saturating_sub(height);
        draw_lines(c, inner, &self.lines[from..end], true);
    }

    /// Draws a part of a row, given in bytes of its text.
    pub(super) fn draw_part(&self, c: &mut Canvas, x: u16, y: u16, room: u16, row: usize, part: Range<usize>) {
        let Some(line) = self.lines.get(row) else { return };
        let (mut at, end, mut x) = (0, x + room, x);
        for span in &line.spans {
            let words = &span.content;
            let (from, to) = (part.start.max(at) - at, part.end.min(at + words.len()).saturating_sub(at));
            at += words.len();
            if let Some(words) = words.get(from..to).filter(|words| !words.is_empty()) {
                x = c.text(x, y, end.saturating_sub(x), words, span.style);
            }
        }
    }
}

/// The colours that the terminal shows, and whether nothing may blink.
pub(super) type Ink = (Depth, bool);

/// The rows of a screen with its colours, as many as the terminal shows.
pub(super) fn styled(text: &str, (depth, still): Ink) -> Vec<Line<'static>> {
    let mut lines = text.into_text().map(|text| text.lines).unwrap_or_default();
    for span in lines.iter_mut().flat_map(|line| &mut line.spans) {
        span.style = depth.style(span.style);
        if still {
            span.style = span.style.remove_modifier(Modifier::SLOW_BLINK | Modifier::RAPID_BLINK);
        }
    }
    lines
}

/// Draws rows from the top of an area on, each cut to its width: with a sign that there is more, or just so.
pub(super) fn draw_lines(c: &mut Canvas, area: Rect, lines: &[Line], sign: bool) {
    for (y, line) in (area.top()..area.bottom()).zip(lines) {
        let mut x = area.x;
        for span in &line.spans {
            if x >= area.right() {
                break;
            }
            let room = area.right() - x;
            let long = text::width(&span.content) > room.into();
            x = match sign {
                true => c.text(x, y, room, &span.content, span.style),
                false => c.cropped(x, y, room, &span.content, span.style),
            };
            if long {
                break;
            }
        }
    }
}

/// Nothing to see: no character and no background.
fn is_blank(line: &Line) -> bool {
    line.spans.iter().all(|span| span.content.trim().is_empty() && span.style.bg.is_none_or(|bg| bg == Color::Reset))
}

/// Its place, its border and what it draws.
pub(super) const SECTION: Section = Section::new(Some(Panel::Preview), Slot::Side, "Preview", draw);

/// ```text
/// ╭ api:2.0 claude 2.1 ─────────────────── %14 ╮
/// │the end of the screen, in its own colours   │
/// ╰────────────────────────────────────────────╯
/// ```
fn draw(c: &mut Canvas, area: Rect, context: &DrawContext) {
    let (state, preview) = (context.state, &context.screens.preview);
    let theme = c.theme;
    let agent = state.selected();
    let title = agent.map_or_else(String::new, format::place);
    let note = agent.map_or_else(String::new, |a| match &a.version {
        Some(version) => format!("{} {version}", a.agent),
        None => a.agent.clone(),
    });
    let id = agent.map_or_else(String::new, |a| match state.member().label.name() {
        host if state.fleet.several() && host != "·" => format!("{} {host}", a.pane_id),
        _ => a.pane_id.to_string(),
    });
    let up = if state.preview_up > 0 { format!("{} rows below ▼", state.preview_up) } else { String::new() };
    let inner = SECTION.frame(
        c,
        area,
        state,
        Frame { title: &title, note: &note, value: &id, value_style: Some(theme.muted), keys: &up, ..Frame::default() },
    );
    let shown = state.list.selected.and_then(|key| state.fleet.preview(key)).map(|shown| shown.pane_id);
    let of_selected = shown.is_some() && preview.source.as_ref().map(|source| source.pane_id) == shown;
    if inner.height == 0 {
        return;
    }
    if !of_selected || preview.source.is_none() {
        let words = if agent.is_some() { "Reading the pane …" } else { "No agent selected." };
        c.text(inner.x + 1, inner.y, inner.width.saturating_sub(2), words, theme.muted);
        return;
    }
    preview.draw_end(c, inner, state.preview_up);
}
