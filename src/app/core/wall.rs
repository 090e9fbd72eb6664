//! The wall: which agents stand on it side by side, on which page, and where the cursor goes.

use crate::app::core::fleet::AgentKey;
use crate::app::core::state::State;
use crate::app::core::view::Main;
use crate::monitor::{Agent, MOST_TILES};

/// Fewest columns and rows of a tile in which a screen can be read, its border included.
const LEAST: (usize, usize) = (56, 11);

/// What more of it is of no use: agents seldom write in more columns, and what they ask is within so many rows.
const ENOUGH: (usize, usize) = (100, 30);

/// How the tiles of a page stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grid {
    /// Tiles beside each other.
    pub columns: usize,
    /// Tiles below each other.
    pub rows: usize,
}

/// The wall as the layout has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wall {
    /// How its tiles stand.
    pub grid: Grid,
    /// Rows of a screen that a tile shows.
    pub rows: usize,
}

/// The agents that are in view.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// Who they are, row by row.
    pub keys: Vec<AgentKey>,
    /// Which page it is, counted from 0, and how many there are.
    pub number: usize,
    /// How many pages there are, at least one.
    pub pages: usize,
    /// Agents on the pages before.
    pub before: usize,
    /// Agents on all pages.
    pub all: usize,
}

impl Grid {
    /// One tile.
    pub const ONE: Self = Self { columns: 1, rows: 1 };

    /// Tiles of a page.
    #[must_use]
    pub fn tiles(self) -> usize {
        self.columns * self.rows
    }

    /// The grid for so many agents in this room: all of them on one page, each as large as can be, or else as many as can
    /// be read.
    #[must_use]
    pub fn of(agents: usize, width: usize, height: usize) -> Self {
        let most = |room: usize, least: usize| (room / least).max(1);
        let (columns, rows) = (most(width, LEAST.0), most(height, LEAST.1));
        let use_of = |grid: &Self| (width / grid.columns).min(ENOUGH.0) * (height / grid.rows).min(ENOUGH.1);
        let all = (1..=columns).flat_map(|columns| (1..=rows).map(move |rows| Self { columns, rows }));
        let all = all.filter(|grid| grid.tiles() <= MOST_TILES);
        let agents = agents.max(1);
        let full = |grid: &Self| grid.columns <= agents && grid.rows == agents.div_ceil(grid.columns);
        let best = all.clone().filter(full).max_by_key(|grid| (use_of(grid), usize::MAX - grid.tiles()));
        best.or_else(|| all.max_by_key(|grid| (grid.tiles().min(agents), use_of(grid)))).unwrap_or(Self::ONE)
    }
}

/// The page that the cursor is on.
#[must_use]
pub fn page(state: &State) -> Page {
    let Some(wall) = state.viewport.wall.filter(|_| state.view.main == Main::Wall) else { return Page::default() };
    let keys: Vec<AgentKey> = state.list.agents(&state.fleet).map(|(key, _)| key).collect();
    let tiles = wall.grid.tiles().max(1);
    let at = keys.iter().position(|key| Some(*key) == state.list.selected).unwrap_or(0);
    let (number, all) = (at / tiles, keys.len());
    let before = number * tiles;
    let keys = keys.into_iter().skip(before).take(tiles).collect();
    Page { keys, number, pages: all.div_ceil(tiles).max(1), before, all }
}

/// The agents of a page, with what they are known by.
pub fn agents<'a>(state: &'a State, page: &'a Page) -> impl Iterator<Item = (AgentKey, &'a Agent)> {
    page.keys.iter().filter_map(|key| Some((*key, state.fleet.agent(*key)?)))
}

/// Where the cursor goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Go {
    /// So many tiles on, or back.
    Across(isize),
    /// So many rows of tiles down, or up.
    Down(isize),
    /// A page on, or back.
    Page(isize),
}

/// By how many agents the cursor moves that is on the one `at` of `all`.
pub(crate) fn delta(go: Go, grid: Grid, at: usize, all: usize) -> isize {
    let last = all.saturating_sub(1);
    let (columns, tiles) = (grid.columns.max(1), grid.tiles().max(1));
    let to = match go {
        Go::Across(by) => at.saturating_add_signed(by),
        Go::Down(by) => {
            let row = (at / columns).saturating_add_signed(by).min(last / columns);
            row * columns + at % columns
        }
        Go::Page(by) => {
            let page = (at / tiles).checked_add_signed(by).filter(|page| *page <= last / tiles);
            match page {
                Some(page) => page * tiles + at % tiles,
                None if by < 0 => 0,
                None => last,
            }
        }
    };
    to.min(last).cast_signed() - at.cast_signed()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_tiles_as_can_be_read_and_no_smaller_than_they_must_be() {
        let of = |agents, (width, height)| {
            let Grid { columns, rows } = Grid::of(agents, width, height);
            (columns, rows)
        };
        // What is left of the usual sizes between header, page and footer.
        let (small, usual, large, huge) = ((80, 21), (120, 32), (200, 52), (250, 67));
        for (agents, expected) in [(1, (1, 1)), (3, (1, 1)), (60, (1, 1))] {
            assert_eq!(of(agents, small), expected, "{agents}");
        }
        for (agents, expected) in [(1, (1, 1)), (2, (2, 1)), (3, (2, 2)), (4, (2, 2)), (12, (2, 2))] {
            assert_eq!(of(agents, usual), expected, "{agents}");
        }
        for (agents, expected) in [(1, (1, 1)), (2, (2, 1)), (3, (2, 2)), (6, (3, 2)), (12, (3, 4)), (60, (3, 4))] {
            assert_eq!(of(agents, large), expected, "{agents}");
        }
        assert_eq!(of(60, huge), (4, 6));
        assert_eq!(of(0, (0, 0)), (1, 1));
    }

    #[test]
    fn no_grid_has_more_tiles_than_one_is_shown_or_than_can_be_read() {
        for agents in (0..40).chain([1000]) {
            for width in (0..500).step_by(7) {
                for height in (0..200).step_by(3) {
                    let grid = Grid::of(agents, width, height);
                    assert!((1..=MOST_TILES).contains(&grid.tiles()), "{agents} {width}x{height}: {grid:?}");
                    assert!(grid.columns == 1 || width / grid.columns >= LEAST.0, "{width}x{height}: {grid:?}");
                    assert!(grid.rows == 1 || height / grid.rows >= LEAST.1, "{width}x{height}: {grid:?}");
                    assert!(grid.tiles() < agents.max(1) + grid.columns, "no row is empty: {agents} {grid:?}");
                }
            }
        }
    }

    #[test]
    fn the_cursor_stays_on_the_wall() {
        let grid = Grid { columns: 3, rows: 2 };
        let to = |go, at: usize| at.checked_add_signed(delta(go, grid, at, 11)).unwrap();
        assert_eq!((to(Go::Across(1), 2), to(Go::Across(-1), 0), to(Go::Across(1), 10)), (3, 0, 10));
        assert_eq!((to(Go::Down(1), 1), to(Go::Down(1), 4), to(Go::Down(-1), 1)), (4, 7, 1));
        assert_eq!((to(Go::Down(1), 8), to(Go::Down(1), 10)), (10, 10), "the last row is not full");
        assert_eq!((to(Go::Page(1), 1), to(Go::Page(1), 5), to(Go::Page(1), 8)), (7, 10, 10));
        assert_eq!((to(Go::Page(-1), 8), to(Go::Page(-1), 2)), (2, 0));
        for at in 0..11 {
            for by in [-1_000_000, -2, -1, 1, 2, 1_000_000] {
                assert!([Go::Across(by), Go::Down(by), Go::Page(by)].iter().all(|go| to(*go, at) < 11));
            }
        }
        assert_eq!(delta(Go::Down(1), grid, 0, 0), 0);
    }
}
