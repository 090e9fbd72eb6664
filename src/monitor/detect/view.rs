//! What rules look at: the rows of a screen and the regions found in them.

use std::cell::OnceCell;
use std::ops::Range;

use crate::monitor::detect::colour::Backgrounds;
use crate::monitor::detect::pattern::Pattern;
use crate::monitor::detect::profile::Region;
use crate::monitor::detect::profiles::{Profile, Where};
use crate::tmux::{Pane, Screen};

/// A screen as one profile sees it.
pub(super) struct View<'a> {
    pub pane: &'a Pane,
    profile: &'a Profile,
    screen: Option<&'a Screen>,
    rows: Vec<&'a str>,
    regions: Vec<OnceCell<Option<Range<usize>>>>,
    /// The text of the regions, and last that of the screen, squeezed.
    texts: Vec<OnceCell<String>>,
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

    /// The rows of a range.
    pub fn rows(&self, range: Range<usize>) -> &[&'a str] {
        self.rows.get(range).unwrap_or_default()
    }

    /// The text of a region for phrases, as [`squeeze`] makes it: several rules look for theirs in the same one.
    pub fn text(&self, place: Where) -> &str {
        let Some(range) = self.region(place) else { return "" };
        let index = if let Where::Region(index) = place { index } else { self.texts.len() - 1 };
        self.texts[index].get_or_init(|| squeeze(self.rows(range).iter().copied()))
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
            let mut found = find_block(&self.rows, bounds, &way.spec)?;
            if let Some(most) = way.spec.rows {
                found.start = found.start.max(found.end.saturating_sub(most));
            }
            Some(found)
        })
    }
}

/// Most rows that a block with a first row may have: no prompt is longer, and a search never walks further.
const MOST_ROWS: usize = 120;

/// Finds the lowest block within `bounds` that fits.
fn find_block(rows: &[&str], bounds: Range<usize>, spec: &Region) -> Option<Range<usize>> {
    let mut end = bounds.end;
    while end > bounds.start && rows[end - 1].is_empty() {
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
        return climb(rows, bounds.start, end, end, first, spec).map(|start| start..end);
    };
    let (mut skipped, mut fits) = (0, end);
    for bottom in (bounds.start..end).rev() {
        let row = rows[bottom];
        if last.matches(row) {
            // Of a screen without such a last row it need not be known.
            let mut between = rows[bottom + 1..fits].iter().filter(|row| !row.is_empty());
            if spec.below.as_ref().is_some_and(|below| between.any(|row| !below.matches(row))) {
                return None;
            }
            fits = bottom + 1;
            let found = match &spec.first {
                None => Some(bounds.start),
                Some(first) => climb(rows, bounds.start, bottom, bottom + 1, first, spec),
            };
            if let Some(start) = found {
                return Some(start..bottom + 1);
            }
        }
        if row.is_empty() {
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
fn climb(rows: &[&str], top: usize, from: usize, end: usize, first: &Pattern, spec: &Region) -> Option<usize> {
    for index in (top..from).rev().take(MOST_ROWS) {
        let row = rows[index];
        if spec.never.as_ref().is_some_and(|never| never.matches(row)) {
            return None;
        }
        if first.matches(row)
            && spec.second.as_ref().is_none_or(|second| index + 1 < end && second.matches(rows[index + 1]))
        {
            return Some(index);
        }
        if spec.inside.as_ref().is_some_and(|inside| !inside.matches(row)) {
            return None;
        }
    }
    None
}

/// Text without spaces, box-drawing and block characters: equal however it was wrapped, framed or scrolled.
pub(super) fn squeeze<'a>(rows: impl IntoIterator<Item = &'a str>) -> String {
    let drawn = |c: char| is_frame(c) || c.is_whitespace();
    let mut out = String::new();
    for row in rows {
        let mut rest = row;
        loop {
            // Runs of blanks are most of a wide screen: as bytes they are passed over in a fraction of the time.
            rest = &rest[rest.bytes().take_while(|byte| *byte == b' ').count()..];
            match rest.chars().next() {
                None => break,
                Some(c) if drawn(c) => rest = &rest[c.len_utf8()..],
                Some(_) => {
                    let (word, after) = rest.split_at(rest.find(drawn).unwrap_or(rest.len()));
                    out.push_str(word);
                    rest = after;
                }
            }
        }
    }
    out
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
        assert_eq!(squeeze(["│  Do you  want │", "", "╰──▌to\u{a0}go\ton?  "]), "Doyouwanttogoon?");
        assert_eq!(squeeze(["  ", "──", "é ü─漢"]), "éü漢");
    }
}
