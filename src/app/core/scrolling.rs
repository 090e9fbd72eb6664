//! What of the list of agents is in view: the cursor stays on its pane, in view with all its rows, and at its place.

use std::time::Duration;

use crate::app::core::fleet::{AgentKey, Fleet};
use crate::app::core::grouping::Grouping;
use crate::app::core::heights::{Room, When};
use crate::app::core::list::{Line, List};

/// A line that is in view.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InView {
    /// Which.
    pub line: Line,
    /// Rows of the list above it.
    pub y: usize,
    /// Rows of it that are in view.
    pub rows: usize,
}

/// Where the cursor was when the lines were last made.
#[derive(Clone, Copy, Debug)]
pub(super) struct Was {
    /// Its line.
    line: usize,
    /// Rows of the list above it.
    y: usize,
}

impl List {
    /// The list has this room now.
    pub fn resize(&mut self, fleet: &Fleet, room: Room, now: Duration) {
        if self.heights.resize(room) {
            self.heights.take(&self.lines, fleet, When { now, rested: true, moved: true, force: true });
        }
        self.scroll(fleet);
    }

    /// The room that it has.
    #[must_use]
    pub fn room(&self) -> Room {
        self.heights.room()
    }

    /// Rows that every agent has: the second says more of it, the third is blank.
    #[must_use]
    pub fn level(&self) -> usize {
        self.heights.level()
    }

    /// Rows that the request of an agent has, below its first one.
    #[must_use]
    pub fn request(&self, key: AgentKey) -> usize {
        self.heights.request(key)
    }

    /// Keeps the cursor on its pane, and the pane at its place on the screen; when the pane is gone, the row that
    /// stands there now has the cursor.
    pub(super) fn keep_cursor(&mut self, fleet: &Fleet, before_at: Option<Was>) {
        let at = self.selected.and_then(|key| self.line_of(fleet, key));
        match (at, before_at) {
            // A list that stood at its top stays there: who comes to need its user is not put out of view.
            (Some(_), _) if self.top == 0 => {}
            (Some(at), Some(before)) => {
                self.top = self.heights.line_from(self.heights.start(at).saturating_sub(before.y));
            }
            (None, _) => {
                let near = before_at.map_or(0, |was| was.line).min(self.lines.len().saturating_sub(1));
                let next = self.lines.iter().skip(near).chain(self.lines.iter().rev());
                let found = next.into_iter().find_map(|line| match line {
                    Line::Agent(place) => fleet.at(*place).map(|(key, _)| key),
                    Line::Head(_) | Line::Host(_) | Line::Aside { .. } => None,
                });
                self.selected = found;
            }
            _ => {}
        }
        self.scroll(fleet);
    }

    /// Brings the cursor into view, below its group's head.
    pub fn scroll(&mut self, fleet: &Fleet) {
        let rows = self.room().rows.max(1);
        let start = |line| self.heights.start(line);
        // The first line from which on all that follow are in view.
        let last_page = self.heights.line_from(start(self.lines.len()).saturating_sub(rows));
        self.top = self.top.min(last_page);
        let cursor = self.cursor(fleet);
        if let Some(at) = cursor {
            // The first line in view is the head of its group: the cursor stands below it.
            let first = if self.grouping != Grouping::None && rows > 1 { at.saturating_sub(1) } else { at };
            let least = self.heights.line_from(start(at + 1).saturating_sub(rows)).min(first);
            self.top = self.top.min(first).max(least);
        }
        self.at = cursor.map(|line| Was { line, y: start(line) - start(self.top) });
    }

    /// Moves the cursor by as many rows as are in view, forth or back. Says whether it moved.
    pub fn page(&mut self, fleet: &Fleet, forth: bool) -> bool {
        let rows = self.room().rows.saturating_sub(1).max(1);
        let Some(at) = self.cursor(fleet) else { return self.step(fleet, if forth { 1 } else { -1 }) };
        let start = self.heights.start(at);
        let is_agent = |line: &Line| matches!(line, Line::Agent(_));
        let delta = if forth {
            let to = self.heights.line_from(start + rows + 1).clamp(at + 1, self.lines.len());
            self.lines[at + 1..to].iter().filter(|line| is_agent(line)).count().max(1).cast_signed()
        } else {
            let to = self.heights.line_from(start.saturating_sub(rows)).min(at);
            -self.lines[to..at].iter().filter(|line| is_agent(line)).count().max(1).cast_signed()
        };
        self.step(fleet, delta)
    }

    /// The lines in view. The first one is the head of its group, also when that is scrolled away.
    #[must_use]
    pub fn in_view(&self) -> Vec<InView> {
        let rows = self.room().rows;
        let top = self.top.min(self.lines.len());
        let mut shown = Vec::new();
        let mut y = 0;
        let head = self.lines[..top].iter().rfind(|line| matches!(line, Line::Head(_)));
        let several = top + 1 < self.lines.len() && rows > 1;
        for (at, line) in self.lines.iter().enumerate().skip(top) {
            if y >= rows {
                break;
            }
            let stays = head.filter(|_| at == top && several && matches!(line, Line::Agent(_)));
            let height = if stays.is_some() { 1 } else { self.heights.start(at + 1) - self.heights.start(at) };
            shown.push(InView { line: stays.copied().unwrap_or(*line), y, rows: height.min(rows - y) });
            y += height;
        }
        shown
    }
}
