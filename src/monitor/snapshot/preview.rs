//! The coloured screen of a pane that a client shows: the one in its focus, or one of its tiles.

use std::borrow::Cow;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::tmux::{PaneId, Screen};

/// Rows that a part of a screen has above those that were asked for: what ends it may come and go by so many.
const ABOVE: usize = 4;

/// The coloured screen of one pane.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Preview {
    /// The pane.
    pub pane_id: PaneId,
    /// Rows with SGR colours and nothing else that is not text.
    #[serde(default)]
    pub text: String,
    /// When it was captured.
    #[serde(default)]
    pub captured_at: Timestamp,
    /// Rows of the pane above these that are left out.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub above: usize,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde asks for")]
fn is_zero(rows: &usize) -> bool {
    *rows == 0
}

/// Whether a row with its colours shows no sign. A ground of its own may still be seen.
fn is_blank(row: &str) -> bool {
    let mut escape = false;
    row.chars().all(|c| match c {
        '\x1b' => {
            escape = true;
            true
        }
        'm' if escape => {
            escape = false;
            true
        }
        c => escape || c.is_whitespace(),
    })
}

impl Preview {
    /// What was captured with its colours.
    #[must_use]
    pub(crate) fn of(pane_id: PaneId, screen: &Screen, captured_at: Timestamp) -> Self {
        Self { pane_id, text: screen.colours().unwrap_or_default().to_owned(), captured_at, above: 0 }
    }

    /// Whether the two show the same, whenever they were read.
    #[must_use]
    pub fn shows_as(&self, other: &Self) -> bool {
        std::ptr::eq(self, other) || (self.pane_id, self.above, &self.text) == (other.pane_id, other.above, &other.text)
    }

    /// The row after the last one that shows something, counted from the pane's first.
    #[must_use]
    pub fn end(&self) -> usize {
        let rows = self.text.lines().enumerate();
        self.above + rows.filter(|(_, row)| !is_blank(row)).last().map_or(0, |(at, _)| at + 1)
    }

    /// Its rows from `top` on, counted from the pane's first, in the colours that the rows above have begun.
    #[must_use]
    pub fn from_row(&self, top: usize) -> Cow<'_, str> {
        let skip = top.saturating_sub(self.above);
        if skip == 0 {
            return Cow::Borrowed(&self.text);
        }
        let at = self.text.match_indices('\n').nth(skip - 1).map_or(self.text.len(), |(at, _)| at + 1);
        let (above, rest) = self.text.split_at(at);
        // What was set since the last reset holds.
        let mut set: Vec<&str> = Vec::new();
        for (from, _) in above.match_indices("\x1b[") {
            let Some(len) = above[from..].find('m') else { continue };
            let code = &above[from..=from + len];
            if matches!(code, "\x1b[m" | "\x1b[0m") {
                set.clear();
            } else {
                set.push(code);
            }
        }
        if set.is_empty() { Cow::Borrowed(rest) } else { Cow::Owned(set.concat() + rest) }
    }

    /// The part of it that a tile with so many rows shows, and a few rows more: its end, where agents show what they do.
    #[must_use]
    pub(crate) fn bottom(&self, rows: usize) -> Self {
        let top = self.end().saturating_sub(rows.saturating_add(ABOVE)).max(self.above);
        Self { pane_id: self.pane_id, text: self.from_row(top).into_owned(), captured_at: self.captured_at, above: top }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn preview(text: &str) -> Preview {
        Preview { pane_id: PaneId(1), text: text.to_owned(), captured_at: Timestamp::UNIX_EPOCH, above: 0 }
    }

    #[test]
    fn a_part_of_a_screen_has_its_end_in_the_colours_that_began_above() {
        let rows: String = (0..20).map(|row| format!("row {row}\n")).collect();
        let whole = preview(&format!("\x1b[1m\x1b[31mred\n{rows}\x1b[0m   \n\n"));
        assert_eq!(whole.end(), 21);
        let part = whole.bottom(3);
        assert_eq!(part.above, 14);
        assert!(part.text.starts_with("\x1b[1m\x1b[31mrow 13\n"), "{:?}", part.text);
        assert!(part.text.ends_with("row 19\n\x1b[0m   \n\n"), "what is blank below stays");
        assert_eq!(part.end(), 21, "rows are counted as in the pane");
        assert_eq!(part.from_row(19), "\x1b[1m\x1b[31mrow 18\nrow 19\n\x1b[0m   \n\n");
        assert_eq!(part.bottom(3), part);
        assert_eq!(whole.bottom(usize::MAX), whole);
        let reset = preview("\x1b[31ma\x1b[0m\nb\n");
        assert_eq!(reset.from_row(1), "b\n");
        assert_eq!((reset.from_row(9), preview("").end(), preview("").bottom(0).above), ("".into(), 0, 0));
    }
}
