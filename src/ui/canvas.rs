//! What the panels draw with: text that is cut to its room, borders, gauges and sparklines.

use ratatui::{buffer::Buffer, layout::Rect, style::Style};

use crate::app::core::text;
use crate::ui::theme::Theme;

/// A buffer and the theme to draw on it with. Nothing is drawn outside the buffer.
#[derive(Debug)]
pub struct Canvas<'a> {
    /// The cells.
    pub buf: &'a mut Buffer,
    /// The styles.
    pub theme: &'a Theme,
}

/// A panel's border and what is written in it.
#[derive(Clone, Debug, Default)]
pub struct Frame<'a> {
    /// At the top, left.
    pub title: &'a str,
    /// After the title, of less weight.
    pub note: &'a str,
    /// At the top, right: the panel's main value.
    pub value: &'a str,
    /// Style of the value; the theme's own if none.
    pub value_style: Option<Style>,
    /// At the bottom, right: keys or a place in a list.
    pub keys: &'a str,
    /// It has the focus.
    pub focus: bool,
}

impl Canvas<'_> {
    /// Writes text at a place, cut to `room` cells; gives the column after it.
    pub fn text(&mut self, x: u16, y: u16, room: u16, words: &str, style: Style) -> u16 {
        let area = *self.buf.area();
        if x < area.left() || x >= area.right() || y < area.top() || y >= area.bottom() || room == 0 {
            return x;
        }
        let room = room.min(area.right() - x);
        let words = text::settled(words);
        let cut = text::fit(&words, usize::from(room));
        self.buf.set_stringn(x, y, &cut, usize::from(room), style).0
    }

    /// The same, cut without a sign that there is more.
    pub fn cropped(&mut self, x: u16, y: u16, room: u16, words: &str, style: Style) -> u16 {
        let area = *self.buf.area();
        if x < area.left() || x >= area.right() || y < area.top() || y >= area.bottom() || room == 0 {
            return x;
        }
        let room = room.min(area.right() - x);
        self.buf.set_stringn(x, y, text::settled(words), usize::from(room), style).0
    }

    /// Writes text that ends before the column `right`; gives the column at which it starts.
    pub fn right(&mut self, right: u16, y: u16, room: u16, words: &str, style: Style) -> u16 {
        let words = text::settled(words);
        let cut = text::fit(&words, usize::from(room));
        let width = u16::try_from(text::width(&cut)).unwrap_or(room);
        let x = right.saturating_sub(width);
        self.text(x, y, width, &cut, style);
        x
    }

    /// Writes pieces one after another, cut to `room` in all; gives the column after them.
    pub fn pieces(&mut self, x: u16, y: u16, room: u16, pieces: &[(&str, Style)]) -> u16 {
        let end = x.saturating_add(room);
        let mut at = x;
        for (words, style) in pieces {
            at = self.text(at, y, end.saturating_sub(at), words, *style);
        }
        at
    }

    /// Empties a rectangle.
    pub fn clear(&mut self, area: Rect, style: Style) {
        let area = area.intersection(*self.buf.area());
        for y in area.top()..area.bottom() {
            for x in area.left()..area.right() {
                let cell = &mut self.buf[(x, y)];
                cell.reset();
                cell.set_style(style);
            }
        }
    }

    /// Styles a rectangle over what is drawn.
    pub fn style(&mut self, area: Rect, style: Style) {
        let area = area.intersection(*self.buf.area());
        self.buf.set_style(area, style);
    }

    /// ```text
    /// ╭ Title note ──────────── value ╮
    /// │                               │
    /// ╰──────────────────────── keys ─╯
    /// ```
    /// Gives the room inside.
    pub fn frame(&mut self, area: Rect, frame: &Frame) -> Rect {
        let theme = self.theme;
        let border = if frame.focus { theme.focus } else { theme.border };
        if area.width < 2 || area.height < 2 {
            return Rect { width: 0, height: 0, ..area };
        }
        let (left, right, top, bottom) = (area.left(), area.right() - 1, area.top(), area.bottom() - 1);
        let bar = "─".repeat(usize::from(area.width - 2));
        self.text(left, top, 1, "╭", border);
        self.text(left + 1, top, area.width - 2, &bar, border);
        self.text(right, top, 1, "╮", border);
        self.text(left, bottom, 1, "╰", border);
        self.text(left + 1, bottom, area.width - 2, &bar, border);
        self.text(right, bottom, 1, "╯", border);
        for y in top + 1..bottom {
            self.text(left, y, 1, "│", border);
            self.text(right, y, 1, "│", border);
        }
        let room = area.width.saturating_sub(4);
        if room > 0 {
            let title = if frame.focus { theme.focus } else { theme.title };
            let mut at = left + 1;
            if !frame.title.is_empty() {
                at = self.pieces(at, top, room, &[(" ", border), (frame.title, title), (" ", border)]);
            }
            if !frame.note.is_empty() {
                let left_room = right.saturating_sub(at + 1);
                at = self.pieces(at, top, left_room, &[(frame.note, theme.muted), (" ", border)]);
            }
            let value_width = u16::try_from(text::width(frame.value)).unwrap_or(0);
            if !frame.value.is_empty() && at + value_width + 3 <= right {
                let x = right - value_width - 2;
                let style = frame.value_style.unwrap_or(theme.value);
                self.pieces(x, top, value_width + 2, &[(" ", border), (frame.value, style), (" ", border)]);
            }
            let keys_width = u16::try_from(text::width(frame.keys)).unwrap_or(0);
            if !frame.keys.is_empty() && keys_width + 3 <= room {
                let x = right - keys_width - 3;
                self.pieces(x, bottom, keys_width + 2, &[(" ", border), (frame.keys, theme.muted), (" ", border)]);
            }
        }
        Rect { x: left + 1, y: top + 1, width: area.width - 2, height: area.height - 2 }
    }

    /// A gauge of `width` cells, filled by a share from 0 to 1, in half cells: `━━━╸────`.
    pub fn gauge(&mut self, x: u16, y: u16, width: u16, share: Option<f64>, style: Style) {
        let rest = self.theme.faint;
        let share = share.filter(|s| s.is_finite()).unwrap_or(0.0).clamp(0.0, 1.0);
        let mut halves = (share * f64::from(width) * 2.0).round();
        if share > 0.0 {
            halves = halves.max(1.0);
        }
        for i in 0..width {
            let left = halves - f64::from(i) * 2.0;
            let (symbol, style) = if left >= 2.0 {
                ("━", style)
            } else if left >= 1.0 {
                ("╸", style)
            } else {
                ("─", rest)
            };
            self.text(x + i, y, 1, symbol, style);
        }
    }

    /// A sparkline of the newest values that fit, against `most`; a `┊` stands before a marked one.
    pub fn spark(&mut self, area: Rect, points: &[Point], most: f32, style: Style) {
        let mark = self.theme.mark;
        let mut x = area.right();
        for point in points.iter().rev() {
            if x <= area.left() {
                return;
            }
            x -= 1;
            column(self, x, area, point.value, most, style);
            if point.marked && x > area.left() {
                x -= 1;
                for y in area.top()..area.bottom() {
                    self.text(x, y, 1, "┊", mark);
                }
            }
        }
    }
}

/// A point of a sparkline.
#[derive(Clone, Copy, Debug, Default)]
pub struct Point {
    /// Its value; none was measured.
    pub value: Option<f32>,
    /// A setting was changed just before it.
    pub marked: bool,
}

const BLOCKS: [&str; 9] = [" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];

/// A block for a level from 0 to 7. The highest leaves room above it, so that rows do not run into each other.
#[must_use]
pub fn block(level: u8) -> &'static str {
    ["▁", "▂", "▂", "▃", "▄", "▅", "▅", "▆"][usize::from(level.min(7))]
}

/// One column of a sparkline that is as high as the area.
fn column(canvas: &mut Canvas, x: u16, area: Rect, value: Option<f32>, most: f32, style: Style) {
    let Some(value) = value.filter(|v| v.is_finite()) else { return };
    let share = if most > 0.0 { (value / most).clamp(0.0, 1.0) } else { 0.0 };
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the rows' eighths")]
    let eighths = ((share * f32::from(area.height) * 8.0).round() as u16).max(1);
    for row in 0..area.height {
        let filled = eighths.saturating_sub(row * 8).min(8);
        canvas.text(x, area.bottom() - 1 - row, 1, BLOCKS[usize::from(filled)], style);
    }
}
