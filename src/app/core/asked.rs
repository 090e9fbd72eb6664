//! The request of a prompt as the box of its answers shows it: which rows of the pane, and how much was in view.

use std::{ops::Range, sync::Arc};

use unicode_segmentation::UnicodeSegmentation as _;

use crate::app::core::act::Seen;
use crate::app::core::text;
use crate::monitor::{Agent, Preview, above_answers};

/// What a prompt asks for, as it is shown before it can be answered.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Asked {
    /// The pane's screen; `None` while it is being read.
    pub screen: Option<Arc<Preview>>,
    /// The rows of it that are the request, without those of the answers, which stand below it.
    pub rows: Range<usize>,
    /// The row after the last of the answers.
    end: usize,
    /// Lines that were scrolled away below.
    pub up: usize,
    /// It was in view whole, from its first row to its last.
    pub seen_whole: bool,
    /// The uppermost line that was in view so far, of those of the last width.
    upmost: Option<usize>,
}

/// An answer as the box shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Its label, and what the pane has below that: the rest of a long one, or what it means.
    pub text: String,
    /// Bytes of the label.
    pub label: usize,
}

/// A part of a row that stands in one line of the box.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// Row of the screen.
    pub row: usize,
    /// Bytes of it.
    pub bytes: Range<usize>,
}

impl Asked {
    /// What this agent asks, from a preview of its pane that is as new as what is known of it; else nothing yet.
    #[must_use]
    pub fn new(agent: &Agent, seen: &Seen, preview: Option<&Arc<Preview>>) -> Self {
        let newest = |preview: &&Arc<Preview>| {
            preview.pane_id == agent.pane_id && preview.captured_at >= agent.last_change && !seen.rows.is_empty()
        };
        let Some(screen) = preview.filter(newest) else { return Self::default() };
        let end = seen.rows.iter().rposition(|row| !row.trim().is_empty()).map_or(0, |last| last + 1);
        let start = agent.evidence.rows.map_or(0, |(start, _)| usize::from(start)).min(end);
        let rows = above_answers(&seen.rows, start..end, &seen.choices);
        Self { screen: Some(Arc::clone(screen)), rows, end, ..Self::default() }
    }

    /// Its lines in a box of this width. Blank rows are left out; a row of one sign is a line whatever its length, since
    /// it says nothing.
    #[must_use]
    pub fn pieces(&self, seen: &Seen, width: usize) -> Vec<Piece> {
        let mut pieces = Vec::new();
        for (index, row) in seen.rows.iter().enumerate().take(self.rows.end).skip(self.rows.start) {
            let row = row.trim_end();
            if row.trim().is_empty() {
                continue;
            }
            if is_rule(row) {
                pieces.push(Piece { row: index, bytes: 0..row.len() });
                continue;
            }
            let (mut from, mut used) = (0, 0);
            for (at, grapheme) in row.grapheme_indices(true) {
                let cells = text::width(grapheme);
                if used + cells > width.max(1) && at > from {
                    pieces.push(Piece { row: index, bytes: from..at });
                    (from, used) = (at, 0);
                }
                used += cells;
            }
            pieces.push(Piece { row: index, bytes: from..row.len() });
        }
        pieces
    }

    /// The answers with all that the pane says of each: the rows below one that are set in as far as its label. Where they
    /// do not stand one below the other, or are not all in view, their labels alone.
    #[must_use]
    pub fn answers(&self, seen: &Seen) -> Vec<Answer> {
        let alone = |label: &str| Answer { text: label.trim().to_owned(), label: label.trim().len() };
        let mut answers: Vec<Answer> = seen.choices.iter().map(|choice| alone(&choice.label)).collect();
        let rows: Vec<&str> = seen.rows.iter().take(self.end).map(|row| text::unframed(row)).collect();
        let mut from = self.rows.end;
        let mut places = Vec::new();
        for answer in &answers {
            let found =
                rows.iter().enumerate().skip(from).find_map(|(at, row)| Some((at, row.find(answer.text.as_str())?)));
            let Some((at, column)) = found.filter(|_| !answer.text.is_empty()) else { return answers };
            places.push((at, text::width(&rows[at][..column])));
            from = at + 1;
        }
        let widest = rows.iter().map(|row| text::width(row)).max().unwrap_or(0);
        for (n, (at, column)) in places.iter().enumerate() {
            let end = places.get(n + 1).map_or(rows.len(), |(next, _)| *next);
            let set_in = |row: &&&str| {
                let blanks = row.len() - row.trim_start_matches(' ').len();
                blanks < row.len() && blanks >= *column
            };
            let mut above = rows[*at];
            for row in rows[at + 1..end].iter().take_while(set_in) {
                let words = row.trim();
                // A row that had no room for the next word goes on in the one below; else that says something of its own.
                let next = words.split(' ').next().map_or(0, text::width);
                let goes_on = text::width(above) + 1 + next > widest;
                answers[n].text.push_str(if goes_on { " " } else { "  " });
                answers[n].text.push_str(words);
                above = row;
            }
        }
        answers
    }

    /// The lines in view of `lines`, in a box with room for `height`.
    #[must_use]
    pub fn view(&self, lines: usize, height: usize) -> Range<usize> {
        let end = lines - self.up.min(lines.saturating_sub(height));
        end.saturating_sub(height)..end
    }

    /// Lines above that were not in view yet.
    #[must_use]
    pub fn unread(&self, lines: usize) -> usize {
        if self.seen_whole { 0 } else { self.upmost.unwrap_or(lines) }
    }

    /// A frame with the box was drawn. Whether more was in view than before.
    pub(crate) fn drawn(&mut self, seen: &Seen, (width, height): (usize, usize)) -> bool {
        if self.screen.is_none() || height == 0 {
            return false;
        }
        let lines = self.pieces(seen, width).len();
        let view = self.view(lines, height);
        // Only what joins what was read before: nothing may be jumped over.
        let read = self.upmost.unwrap_or(lines);
        if view.end >= read && view.start < read || lines == 0 {
            self.upmost = Some(view.start);
        }
        let before = self.seen_whole;
        self.seen_whole |= self.upmost == Some(0);
        before != self.seen_whole || read != self.upmost.unwrap_or(lines)
    }

    /// The box has another width: what was read in lines of the other is not known in these.
    pub(crate) fn resized(&mut self) {
        self.upmost = None;
    }

    /// Whether a panel with this room shows all of it, in the end of the screen that it shows.
    pub(crate) fn fits(&self, seen: &Seen, (width, height): (usize, usize)) -> bool {
        let rows = seen.rows.get(self.rows.start..self.end).unwrap_or_default();
        rows.len() <= height && rows.iter().all(|row| text::width(row.trim_end()) <= width || is_rule(row))
    }
}

/// A row of one sign.
fn is_rule(row: &str) -> bool {
    let row = row.trim();
    row.chars().next().is_some_and(|first| !first.is_alphanumeric() && row.chars().all(|c| c == first))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        app::core::fixture::test_agent,
        monitor::{AgentState, Choice},
        tmux::PaneId,
    };

    fn asked(rows: &[&str], start: u16) -> (Asked, Seen) {
        let mut agent = test_agent(1, AgentState::Waiting);
        let choice = |label: &str| Choice { label: label.into(), ..Choice::default() };
        agent.choices = vec![choice("Yes"), choice("No")];
        agent.evidence.rows = Some((start, u16::MAX));
        let preview = Preview { pane_id: PaneId(1), text: rows.join("\n"), captured_at: agent.last_change, above: 0 };
        let seen = Seen::of(&agent, Some(&preview));
        (Asked::new(&agent, &seen, Some(&Arc::new(preview))), seen)
    }

    const ASK: [&str; 8] =
        ["above", "────────────", " rm -rf a b c d e f", "", " Proceed?", " ❯ 1. Yes", "   2. No", " Esc"];

    #[test]
    fn the_request_is_what_stands_above_the_answers() {
        let (asked, seen) = asked(&ASK, 1);
        assert_eq!(asked.rows, 1..5);
        let words = |width| -> Vec<String> {
            asked.pieces(&seen, width).into_iter().map(|p| seen.rows[p.row][p.bytes].to_owned()).collect()
        };
        assert_eq!(words(30), ["────────────", " rm -rf a b c d e f", " Proceed?"]);
        assert_eq!(words(10), ["────────────", " rm -rf a ", "b c d e f", " Proceed?"]);
        assert!(!asked.fits(&seen, (18, 9)) && asked.fits(&seen, (19, 7)) && !asked.fits(&seen, (19, 6)));
    }

    #[test]
    fn an_answer_has_all_that_the_pane_says_of_it() {
        let told = |rows: &[&str], labels: &[&str]| -> Vec<String> {
            let (asked, mut seen) = asked(rows, 0);
            seen.choices = labels.iter().map(|label| Choice { label: (*label).into(), ..Choice::default() }).collect();
            let above = above_answers(&seen.rows, 0..rows.len(), &seen.choices);
            Asked { rows: above, ..asked }.answers(&seen).into_iter().map(|answer| answer.text).collect()
        };
        let rows = [
            " Do you want to proceed?",
            " ❯ 1. Yes",
            "   2. Yes, and always allow access to",
            "      /srv/dev/work from this project",
            "   3. No",
            "",
            " Esc to cancel · Tab to amend it here",
        ];
        let labels = ["Yes", "Yes, and always allow access to", "No"];
        assert_eq!(
            told(&rows, &labels),
            ["Yes", "Yes, and always allow access to /srv/dev/work from this project", "No"]
        );
        let rows = ["│ Which one? │", "│ ❯ 1. SQLite │", "│      One file, no server │", "│   2. Redis │", "╰──╯"];
        assert_eq!(told(&rows, &["SQLite", "Redis"]), ["SQLite  One file, no server", "Redis"]);
        assert_eq!(told(&["Go on? [Yes] [No]"], &["Yes", "No"]), ["Yes", "No"], "beside each other");
        assert_eq!(told(&["nothing"], &["Yes", "No"]), ["Yes", "No"], "out of sight");
    }

    #[test]
    fn it_was_seen_whole_when_no_line_was_jumped_over() {
        let (mut asked, seen) = asked(&ASK, 1);
        assert_eq!(asked.unread(3), 3);
        asked.drawn(&seen, (30, 1));
        assert_eq!((asked.unread(3), asked.seen_whole), (2, false));
        asked.up = 2;
        asked.drawn(&seen, (30, 1));
        assert_eq!(asked.unread(3), 2, "the one between was not in view");
        asked.up = 1;
        asked.drawn(&seen, (30, 1));
        asked.up = 2;
        asked.drawn(&seen, (30, 1));
        assert!(asked.seen_whole);
    }

    #[test]
    fn an_older_screen_or_another_panes_is_not_shown() {
        let mut agent = test_agent(1, AgentState::Waiting);
        agent.last_change = agent.last_change.checked_add(jiff::SignedDuration::from_secs(1)).unwrap();
        let preview = Preview { pane_id: PaneId(1), text: "x".into(), captured_at: agent.since, above: 0 };
        let seen = Seen::of(&agent, Some(&preview));
        assert_eq!(Asked::new(&agent, &seen, Some(&Arc::new(preview))).screen, None);
    }
}
