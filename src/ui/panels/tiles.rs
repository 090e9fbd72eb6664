//! The screens on the wall, their colours read once for each capture, and where each of them ends.

use std::{collections::HashMap, sync::Arc};

use ratatui::text::Line;

use crate::app::core::fleet::AgentKey;
use crate::app::core::state::State;
use crate::app::core::wall;
use crate::monitor;
use crate::ui::colour::Depth;
use crate::ui::panels::preview::{Ink, styled};

/// So many rows may go at a screen's end without its tile being moved: what stands there comes and goes.
const STAYS: usize = 3;

/// The screens on the page of the wall that is in view.
#[derive(Clone, Debug, Default)]
pub(super) struct Tiles {
    depth: Option<Ink>,
    tiles: HashMap<AgentKey, Tile>,
}

/// One of them.
#[derive(Clone, Debug)]
pub(super) struct Tile {
    source: Arc<monitor::Preview>,
    /// Rows that there was room for.
    rows: usize,
    /// The row after the last that is shown, counted from the pane's first.
    end: usize,
    /// The rows that are shown.
    pub(super) lines: Vec<Line<'static>>,
}

impl Tiles {
    /// Reads the screens that are in view, those that are others than before; the rest is let go of.
    pub(super) fn read(&mut self, state: &State, depth: Depth) {
        let depth = (depth, state.reduced_motion);
        let Some(wall) = state.viewport.wall else {
            self.tiles.clear();
            return;
        };
        if self.depth.replace(depth) != Some(depth) {
            self.tiles.clear();
        }
        let page = wall::page(state);
        self.tiles.retain(|key, _| page.keys.contains(key));
        for key in page.keys {
            let Some(source) = state.fleet.tile(key) else {
                self.tiles.remove(&key);
                continue;
            };
            let before = self.tiles.get(&key);
            let same = |tile: &&Tile| tile.rows == wall.rows && tile.source.shows_as(source);
            if before.filter(same).is_none() {
                let tile = Tile::new(source, before.map(|tile| tile.end), wall.rows, depth);
                self.tiles.insert(key, tile);
            } else if let Some(tile) = self.tiles.get_mut(&key) {
                tile.source = Arc::clone(source);
            }
        }
    }

    pub(super) fn get(&self, key: AgentKey) -> Option<&Tile> {
        self.tiles.get(&key)
    }
}

impl Tile {
    /// The end of a screen that ended at the row `before` when it was shown last.
    fn new(source: &Arc<monitor::Preview>, before: Option<usize>, rows: usize, depth: Ink) -> Self {
        let now = source.end();
        let end = before.filter(|before| (now..=now + STAYS).contains(before)).unwrap_or(now);
        let text = source.from_row(end.saturating_sub(rows));
        let last = text.match_indices('\n').nth(rows.saturating_sub(1)).map_or(text.len(), |(at, _)| at);
        let lines = if rows == 0 { Vec::new() } else { styled(&text[..last], depth) };
        Self { source: Arc::clone(source), rows, end, lines }
    }

    /// When it was read.
    pub(super) fn captured_at(&self) -> jiff::Timestamp {
        self.source.captured_at
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::tmux::PaneId;

    #[test]
    fn a_tile_stands_still_while_what_is_at_its_end_comes_and_goes() {
        let screen = |rows: usize| {
            let text = (0..rows).map(|row| format!("row {row}\n")).collect();
            Arc::new(monitor::Preview { pane_id: PaneId(1), text, captured_at: Timestamp::UNIX_EPOCH, above: 0 })
        };
        let first = |tile: &Tile| tile.lines[0].to_string();
        let mut tile = Tile::new(&screen(20), None, 5, (Depth::True, false));
        assert_eq!((first(&tile).as_str(), tile.lines.len()), ("row 15", 5));
        for (rows, top) in [(19, "row 15"), (17, "row 15"), (20, "row 15"), (21, "row 16"), (17, "row 12")] {
            tile = Tile::new(&screen(rows), Some(tile.end), 5, (Depth::True, false));
            assert_eq!(first(&tile), top, "{rows}");
        }
        let few = Tile::new(&screen(2), None, 5, (Depth::True, false));
        assert_eq!((first(&few).as_str(), few.lines.len()), ("row 0", 2), "what has room stands at the top");
        assert!(Tile::new(&screen(20), None, 0, (Depth::True, false)).lines.is_empty());
    }
}
