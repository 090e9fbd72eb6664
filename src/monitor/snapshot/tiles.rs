//! The panes that a client shows side by side: so many at most, wherever the wish comes from.

use serde::{Deserialize, Serialize};

use crate::tmux::PaneId;

/// Most panes that one client is shown side by side.
pub const MOST_TILES: usize = 32;

/// The panes that a client shows side by side, each with the last rows of its screen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Said")]
pub struct Tiles {
    panes: Vec<PaneId>,
    rows: usize,
}

/// The same as it was said: nothing is known of it yet.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Said {
    panes: Vec<PaneId>,
    rows: usize,
}

impl From<Said> for Tiles {
    fn from(said: Said) -> Self {
        Self::new(said.panes, said.rows)
    }
}

impl Tiles {
    /// These panes, the first [`MOST_TILES`] of them, with so many rows each.
    #[must_use]
    pub fn new(panes: impl IntoIterator<Item = PaneId>, rows: usize) -> Self {
        let mut panes: Vec<PaneId> = panes.into_iter().take(MOST_TILES).collect();
        panes.sort_unstable();
        panes.dedup();
        Self { rows: if panes.is_empty() { 0 } else { rows }, panes }
    }

    /// The panes, in the order of their numbers.
    #[must_use]
    pub fn panes(&self) -> &[PaneId] {
        &self.panes
    }

    /// Rows that are shown of each.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// No pane.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.panes.is_empty()
    }

    /// What serves both, as far as one client may have it.
    #[must_use]
    pub(crate) fn and(&self, other: &Self) -> Self {
        let new = other.panes.iter().filter(|pane| !self.panes.contains(pane));
        Self::new(self.panes.iter().chain(new).copied(), self.rows.max(other.rows))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_no_more_than_one_may_have_whoever_asks() {
        let ids = |from: u32, to: u32| (from..to).map(PaneId);
        assert_eq!(Tiles::new(ids(0, 100), 9).panes().len(), MOST_TILES);
        let panes: Vec<String> = (0..100).map(|id| format!("%{id}")).collect();
        let said: Tiles = serde_json::from_value(serde_json::json!({ "panes": panes, "rows": 9 })).unwrap();
        assert_eq!(said, Tiles::new(ids(0, 100), 9));
        let both = said.and(&Tiles::new(ids(40, 60), 12));
        assert_eq!((both.panes().len(), both.rows()), (MOST_TILES, 12));
        let few = Tiles::new([PaneId(7), PaneId(2), PaneId(7)], 3);
        assert_eq!(few.panes(), [PaneId(2), PaneId(7)]);
        assert_eq!(few.and(&Tiles::default()), few);
        assert_eq!(serde_json::from_str::<Tiles>(&serde_json::to_string(&few).unwrap()).unwrap(), few);
        assert_eq!(serde_json::from_str::<Tiles>("{}").unwrap(), Tiles::default());
        assert_eq!(Tiles::new([], 9), Tiles::default(), "of no pane no rows");
    }
}
