//! The screens that one client of the socket shows: what of them it has, and the end of its lines, which brings the rest.

use std::sync::Arc;

use serde::Serialize;

use crate::monitor::{Interest, Preview, Snapshot};
use crate::tmux::PaneId;

/// The screens of one snapshot that a client wants.
#[derive(Clone, Debug, Default)]
pub(crate) struct Screens {
    /// The one in its focus.
    focus: Option<Arc<Preview>>,
    /// Those of which it shows the last rows side by side.
    tiles: Vec<Arc<Preview>>,
    /// So many rows of each.
    rows: usize,
}

impl Screens {
    /// What a client that wants this is given of a snapshot.
    pub(crate) fn of(snapshot: &Snapshot, wanted: &Interest) -> Self {
        // A request is answered by what stands in the focus: a part of a screen is none.
        let whole = |shown: &&Arc<Preview>| wanted.focus == Some(shown.pane_id) && shown.above == 0;
        let is_tile = |shown: &&Arc<Preview>| wanted.tiles.panes().contains(&shown.pane_id);
        Self {
            focus: snapshot.previews.iter().find(whole).cloned(),
            tiles: snapshot.previews.iter().filter(is_tile).cloned().collect(),
            rows: wanted.tiles.rows(),
        }
    }

    /// Who has those before has these.
    pub(crate) fn are(&self, before: &Self) -> bool {
        let same = |new: &Arc<Preview>| self.has(before, new);
        self.focus == before.focus && self.tiles.iter().all(same) && self.hidden(before).is_empty()
    }

    /// The end of a line with a whole snapshot or an update.
    pub(crate) fn end(&self) -> Result<Vec<u8>, serde_json::Error> {
        let mut bytes = Vec::new();
        put(&mut bytes, "preview", &self.focus)?;
        self.put_tiles(&mut bytes, &Self::default())?;
        Ok(bytes)
    }

    /// The end of the line with the delta of this number, for who has the screens before.
    pub(crate) fn delta_end(&self, n: u64, before: &Self) -> Result<Vec<u8>, serde_json::Error> {
        let mut bytes = Vec::new();
        put(&mut bytes, "n", &n)?;
        if self.focus != before.focus {
            put(&mut bytes, "preview", &self.focus)?;
        }
        self.put_tiles(&mut bytes, before)?;
        Ok(bytes)
    }

    /// The parts that show something else than before.
    fn news(&self, before: &Self) -> Vec<Preview> {
        self.tiles.iter().filter(|new| !self.has(before, new)).map(|new| new.bottom(self.rows)).collect()
    }

    /// Whether who has those before has this part.
    fn has(&self, before: &Self, part: &Preview) -> bool {
        self.rows == before.rows && before.tiles.iter().any(|had| had.shows_as(part))
    }

    /// The panes that are shown no more.
    fn hidden(&self, before: &Self) -> Vec<PaneId> {
        let had = before.tiles.iter().map(|had| had.pane_id);
        had.filter(|pane| self.tiles.iter().all(|shown| shown.pane_id != *pane)).collect()
    }

    /// The parts, and the line's end.
    fn put_tiles(&self, bytes: &mut Vec<u8>, before: &Self) -> Result<(), serde_json::Error> {
        let (news, hidden) = (self.news(before), self.hidden(before));
        if !news.is_empty() {
            put(bytes, "tiles", &news)?;
        }
        if !hidden.is_empty() {
            put(bytes, "hidden", &hidden)?;
        }
        bytes.extend_from_slice(b"}}\n");
        Ok(())
    }
}

/// One more field of the object.
fn put(bytes: &mut Vec<u8>, name: &str, value: &impl Serialize) -> Result<(), serde_json::Error> {
    bytes.extend_from_slice(format!(",\"{name}\":").as_bytes());
    serde_json::to_writer(bytes, value)
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::monitor::Tiles;

    #[test]
    fn a_client_gets_the_parts_that_differ_and_hears_of_those_that_go() {
        let screen = |pane, text: &str, at| {
            let captured_at = Timestamp::from_second(at).unwrap();
            Arc::new(Preview { pane_id: PaneId(pane), text: text.to_owned(), captured_at, above: 0 })
        };
        let of = |previews: Vec<Arc<Preview>>, panes: &[u32], rows| {
            let tiles = Tiles::new(panes.iter().copied().map(PaneId), rows);
            let wanted = Interest { focus: Some(PaneId(1)), tiles, ..Interest::default() };
            Screens::of(&Snapshot { previews, ..Snapshot::default() }, &wanted)
        };
        let long: String = (0..50).map(|row| format!("row {row}\n")).collect();
        let all = || vec![screen(1, "one\n", 1), screen(2, &long, 1), screen(3, "three\n", 1)];
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        let first = of(all(), &[2, 3], 2);
        let whole = text(first.end().unwrap());
        assert!(
            whole.contains("\"preview\":{\"pane_id\":\"%1\"") && whole.contains("row 49") && whole.contains("three")
        );
        assert!(whole.contains("\"above\":44") && !whole.contains("row 43"), "its end alone: {whole}");
        assert!(!whole.contains("hidden") && whole.ends_with("}}\n"));
        let again = of(vec![screen(1, "one\n", 1), screen(2, &long, 9), screen(3, "three\n", 9)], &[2, 3], 2);
        assert!(again.are(&first), "they were read again and show the same");
        assert_eq!(text(again.delta_end(7, &first).unwrap()), ",\"n\":7}}\n");
        let changed = of(vec![screen(1, "one\n", 1), screen(2, "new\n", 2), screen(3, "three\n", 1)], &[2], 2);
        assert!(!changed.are(&first));
        let delta = text(changed.delta_end(8, &first).unwrap());
        assert!(delta.contains("new") && !delta.contains("three") && delta.contains("\"hidden\":[\"%3\"]"), "{delta}");
        assert!(text(of(all(), &[2], 9).delta_end(9, &of(all(), &[2], 2)).unwrap()).contains("row 41"), "more rows");
        assert_eq!(
            text(of(all(), &[], 0).delta_end(9, &of(all(), &[2], 2)).unwrap()),
            ",\"n\":9,\"hidden\":[\"%2\"]}}\n"
        );
        let part = Arc::new(Preview { above: 5, ..Preview::clone(&screen(1, "end\n", 1)) });
        assert!(of(vec![part], &[1], 3).focus.is_none(), "a part is not what is asked in full");
    }
}
