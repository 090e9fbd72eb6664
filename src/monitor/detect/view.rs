//! What rules look at: the rows of a screen and the regions found in them.

use std::cell::OnceCell;
use std::ops::Range;

use memchr::memmem;

use crate::monitor::detect::colour::Backgrounds;
use crate::monitor::detect::least::Sign;
use crate::monitor::detect::pattern::{Pattern, Phrase};
use crate::monitor::detect::profile::Region;
use crate::monitor::detect::profiles::{Profile, Where};
use crate::tmux::{Pane, Screen};

/// Most rows that a block with a first row may have: no prompt is longer, and a search never walks further.
const MOST_ROWS: usize = 120;

/// A screen as one profile sees it.
pub(super) struct View<'a> {
    pub pane: &'a Pane,
    profile: &'a Profile,
    screen: Option<&'a Screen>,
    rows: Vec<&'a str>,
    signs: Vec<Sign>,
    regions: Vec<OnceCell<Option<Range<usize>>>>,
    /// The text of the regions, and last that of the screen, squeezed.
    texts: Vec<OnceCell<Text>>,
}

impl<'a> View<'a> {
    /// Reads a screen. `inner_status` rows at its end are the status line of a tmux inside this pane.
    pub fn new(profile: &'a Profile, pane: &'a Pane, screen: Option<&'a Screen>, inner_status: usize) -> Self {
        let mut rows: Vec<&str> = screen.map(|s| s.rows().collect()).unwrap_or_default();
        rows.truncate(rows.len().saturating_sub(inner_status));
        while rows.last().is_some_and(|row| row.is_empty()) {
            rows.pop();
        }
        let count = profile.regions.len();
        Self {
            pane,
            profile,
            screen,
            signs: vec![Sign::new(); rows.len()],
            rows,
            regions: vec![OnceCell::new(); count],
            texts: vec![OnceCell::new(); count + 1],
        }
    }

    /// The rows of a region; `None` when it is not on the screen.
    pub fn region(&self, place: Where) -> Option<Range<usize>> {
        match place {
            Where::Screen => Some(0..self.rows.len()),
            Where::Title => None,
            Where::Region(index) => self.regions[index].get_or_init(|| self.find(index)).clone(),
        }
    }

    /// A row.
    pub fn row(&self, row: usize) -> &'a str {
        self.rows[row]
    }

    /// The rows of a range.
    pub fn rows(&self, range: Range<usize>) -> &[&'a str] {
        self.rows.get(range).unwrap_or_default()
    }

    /// Whether a pattern matches somewhere in a row.
    pub fn fits(&self, row: usize, pattern: &Pattern) -> bool {
        pattern.fits(self.rows[row], Some(&self.signs[row]))
    }

    /// The text of a region for phrases, when it is on the screen: several rules look for theirs in the same one.
    pub fn text(&self, place: Where) -> Option<&Text> {
        let range = self.region(place)?;
        let index = if let Where::Region(index) = place { index } else { self.texts.len() - 1 };
        Some(self.texts[index].get_or_init(|| Text::of(self.rows(range))))
    }

    /// How many rows there are, without blank ones at the end.
    pub fn height(&self) -> usize {
        self.rows.len()
    }

    /// The backgrounds of its characters, when it was read with its colours.
    pub fn backgrounds(&self) -> Option<Backgrounds> {
        self.screen?.colours().map(Backgrounds::read)
    }

    /// Row of the cursor.
    pub fn cursor_row(&self) -> usize {
        usize::from(self.pane.cursor.1)
    }

    /// Every region that is on the screen, in words.
    pub fn describe(&self) -> Vec<String> {
        let all = (0..self.regions.len()).map(Where::Region);
        all.filter_map(|place| {
            Some(crate::monitor::detect::rules::region_words(self.profile, place, Some(&self.region(place)?)))
        })
        .collect()
    }

    fn find(&self, index: usize) -> Option<Range<usize>> {
        self.profile.regions[index].ways.iter().find_map(|way| {
            if way.without.is_some_and(|other| self.region(other).is_some()) {
                return None;
            }
            let bounds = match (way.over, way.under) {
                (Some(other), _) => 0..self.region(other)?.start,
                (_, Some(other)) => self.region(other)?.end..self.rows.len(),
                _ if way.within.is_some() => {
                    let outer = self.region(way.within?)?;
                    (outer.start + 1).min(outer.end)..outer.end.saturating_sub(1).max(outer.start + 1)
                }
                _ => 0..self.rows.len(),
            };
            let mut found = self.find_block(bounds, &way.spec)?;
            if let Some(most) = way.spec.rows {
                found.start = found.start.max(found.end.saturating_sub(most));
            }
            Some(found)
        })
    }

    /// Finds the lowest block within `bounds` that fits.
    fn find_block(&self, bounds: Range<usize>, spec: &Region) -> Option<Range<usize>> {
        let mut end = bounds.end;
        while end > bounds.start && self.rows[end - 1].is_empty() {
            end -= 1;
        }
        let Some(last) = &spec.last else {
            let first = match &spec.first {
                None => return (end > bounds.start || spec.over_or_under()).then_some(bounds.start..end),
                Some(first) => first,
            };
            if end == bounds.start {
                return None;
            }
            return self.climb(bounds.start, end, end, first, spec).map(|start| start..end);
        };
        let (mut skipped, mut fits) = (0, end);
        for bottom in (bounds.start..end).rev() {
            if self.fits(bottom, last) {
                // Of a screen without such a last row it need not be known.
                let mut between = (bottom + 1..fits).filter(|row| !self.rows[*row].is_empty());
                if spec.below.as_ref().is_some_and(|below| between.any(|row| !self.fits(row, below))) {
                    return None;
                }
                fits = bottom + 1;
                let found = match &spec.first {
                    None => Some(bounds.start),
                    Some(first) => self.climb(bounds.start, bottom, bottom + 1, first, spec),
                };
                if let Some(start) = found {
                    return Some(start..bottom + 1);
                }
            }
            if self.rows[bottom].is_empty() {
                continue;
            }
            skipped += 1;
            if spec.below_rows.is_some_and(|most| skipped > most) {
                return None;
            }
        }
        None
    }

    /// Walks up from the row above `from` to the nearest row that may be the first; `None` when a row in between does not fit.
    fn climb(&self, top: usize, from: usize, end: usize, first: &Pattern, spec: &Region) -> Option<usize> {
        for index in (top..from).rev().take(MOST_ROWS) {
            if spec.never.as_ref().is_some_and(|never| self.fits(index, never)) {
                return None;
            }
            if self.fits(index, first)
                && spec.second.as_ref().is_none_or(|second| index + 1 < end && self.fits(index + 1, second))
            {
                return Some(index);
            }
            if spec.inside.as_ref().is_some_and(|inside| !self.fits(index, inside)) {
                return None;
            }
        }
        None
    }
}

/// The text of some rows, [squeezed](squeeze).
#[derive(Clone, Debug, Default)]
pub(super) struct Text {
    all: String,
    /// Where each row's part ends.
    ends: Vec<usize>,
}

impl Text {
    fn of(rows: &[&str]) -> Self {
        let mut text = Self { all: String::new(), ends: Vec::with_capacity(rows.len()) };
        for row in rows {
            squeeze_into(&mut text.all, row);
            text.ends.push(text.all.len());
        }
        text
    }

    /// Whether it says a phrase.
    pub fn says(&self, phrase: &Phrase) -> bool {
        phrase.finder.find(self.all.as_bytes()).is_some()
    }

    /// The lowest row, counted from the first, in which a phrase may begin.
    pub fn row_of(&self, phrase: &Phrase) -> Option<usize> {
        let begin = phrase.begin.as_bytes();
        let part =
            |row: &usize| &self.all.as_bytes()[row.checked_sub(1).map_or(0, |above| self.ends[above])..self.ends[*row]];
        (0..self.ends.len()).rev().find(|row| memmem::find(part(row), begin).is_some())
    }
}

/// Text without spaces, box-drawing and block characters: equal however it was wrapped, framed or scrolled.
pub(super) fn squeeze(text: &str) -> String {
    let mut out = String::new();
    squeeze_into(&mut out, text);
    out
}

/// By bytes, and blanks and frames by runs, as they are most of a wide screen: characters take several times as long.
fn squeeze_into(out: &mut String, row: &str) {
    let bytes = row.as_bytes();
    let (mut word, mut at) = (0, 0);
    while at < bytes.len() {
        let drawn = match bytes[at] {
            b' ' => bytes[at..].iter().take_while(|byte| **byte == b' ').count(),
            b'\t'..=b'\r' => 1,
            0..=0x7f => {
                at += 1;
                continue;
            }
            // U+2500 to U+259F, as `is_frame` has it.
            0xe2 if matches!(bytes[at + 1..], [0x94 | 0x95, ..] | [0x96, 0x80..=0x9f, ..]) => {
                let drawn = &bytes[at..at + 3];
                drawn.len() * bytes[at..].chunks_exact(3).take_while(|next| *next == drawn).count()
            }
            _ => {
                let Some(c) = row[at..].chars().next() else { break };
                if !c.is_whitespace() {
                    at += c.len_utf8();
                    continue;
                }
                c.len_utf8()
            }
        };
        if word < at {
            out.push_str(&row[word..at]);
        }
        at += drawn;
        word = at;
    }
    out.push_str(&row[word..]);
}

/// Whether frames and boxes are drawn with this character.
pub(super) fn is_frame(c: char) -> bool {
    ('\u{2500}'..='\u{259f}').contains(&c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_the_same_however_it_is_wrapped_and_framed() {
        assert_eq!(Text::of(&["│  Do you  want │", "", "╰──▌to\u{a0}go\ton?  "]).all, "Doyouwanttogoon?");
        assert_eq!(Text::of(&["  ", "──", "é ü─漢"]).all, "éü漢");
        let all = ('\u{0}'..='\u{4000}').collect::<String>();
        let kept: String = all.chars().filter(|c| !is_frame(*c) && !c.is_whitespace()).collect();
        assert_eq!(squeeze(&all), kept);
    }
}
