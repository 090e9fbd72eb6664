//! A captured screen: hostile text made safe, one string and its lines.

use std::ops::Range;

use crate::tmux::escape::{Piece, pieces};

/// The rows of a pane's screen as plain text: no escape, control or bidirectional formatting character is in it.
///
/// Rows are kept as captured (blank ones at the bottom too); trailing spaces are cut.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Screen {
    text: String,
    rows: Vec<Range<usize>>,
    styled: Option<String>,
}

impl Screen {
    /// Reads the output of `capture-pane -p`. Escapes, controls, bidi marks and invalid UTF-8 are dropped or replaced.
    #[must_use]
    pub fn plain(captured: &[u8]) -> Self {
        let lossy = String::from_utf8_lossy(captured);
        let mut text = String::with_capacity(lossy.len());
        let mut rows = Vec::with_capacity(64);
        for line in lossy.split_terminator('\n') {
            let start = text.len();
            push_clean(&mut text, line);
            text.truncate(start + text[start..].trim_end().len());
            rows.push(start..text.len());
            text.push('\n');
        }
        Self { text, rows, styled: None }
    }

    /// Reads the output of `capture-pane -e -p`: the plain text as [`Screen::plain`], and the coloured one with no
    /// sequence but SGR (`ESC [ ... m`) left in it.
    #[must_use]
    pub fn styled(captured: &[u8]) -> Self {
        let mut screen = Self::plain(captured);
        let lossy = String::from_utf8_lossy(captured);
        let mut styled = String::with_capacity(lossy.len());
        for line in lossy.split_terminator('\n') {
            push_styled(&mut styled, line);
            styled.push('\n');
        }
        screen.styled = Some(styled);
        screen
    }

    /// Number of rows, blank ones included.
    #[must_use]
    pub fn height(&self) -> usize {
        self.rows.len()
    }

    /// Row `index` from the top, or `""` below the end.
    #[must_use]
    pub fn row(&self, index: usize) -> &str {
        self.rows.get(index).map_or("", |range| &self.text[range.clone()])
    }

    /// All rows from the top.
    pub fn rows(&self) -> impl DoubleEndedIterator<Item = &str> + ExactSizeIterator {
        self.rows.iter().map(|range| &self.text[range.clone()])
    }

    /// The whole text, rows ended by newlines.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The text with its colours (SGR only), when it was captured so.
    #[must_use]
    pub fn colours(&self) -> Option<&str> {
        self.styled.as_deref()
    }
}

/// Text for one line of output: escapes, controls and bidi marks are gone, tabs are spaces.
#[must_use]
pub fn clean(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    push_clean(&mut out, text);
    out
}

/// Whether [`clean`] would leave the text as it is.
#[must_use]
pub fn is_clean(text: &str) -> bool {
    text.bytes().all(|b| (0x20..0x7f).contains(&b)) || !text.chars().any(is_unsafe)
}

fn push_clean(out: &mut String, line: &str) {
    for piece in pieces(line) {
        if let Piece::Text(text) = piece {
            push_text(out, text);
        }
    }
}

fn push_styled(out: &mut String, line: &str) {
    for piece in pieces(line) {
        match piece {
            Piece::Text(text) => push_text(out, text),
            Piece::Escape(escape) => {
                if let Some(parameters) = escape.sgr() {
                    out.push_str("\x1b[");
                    out.push_str(parameters);
                    out.push('m');
                }
            }
        }
    }
}

fn push_text(out: &mut String, text: &str) {
    if text.bytes().all(|b| (0x20..0x7f).contains(&b)) {
        out.push_str(text);
        return;
    }
    for c in text.chars() {
        match c {
            '\t' => out.push(' '),
            c if is_unsafe(c) => {}
            c => out.push(c),
        }
    }
}

/// Control characters, and those that reorder text or hide in it.
#[must_use]
pub fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{061c}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_text_loses_its_teeth_and_keeps_its_words() {
        let screen = Screen::styled(b"\x1b[1;31mred\x1b[0m \x1b]0;title\x07ok\x1b[2J\n\xe2\x80\xaeevil \xff\n\n");
        assert_eq!(screen.height(), 3);
        assert_eq!(screen.row(0), "red ok");
        assert_eq!(screen.row(1), "evil \u{fffd}");
        assert_eq!(screen.row(9), "");
        assert_eq!(screen.colours(), Some("\x1b[1;31mred\x1b[0m ok\nevil \u{fffd}\n\n"));
    }
}
