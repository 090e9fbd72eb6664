//! The coloured screen of a pane that some client shows, and when it is read with its colours again.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use crate::monitor::Preview;

/// From one cycle in which a pane that stands beside others is read with its colours to the next at least.
const PAUSE: Duration = Duration::from_millis(500);

/// What is known of a pane's colours. Nothing is kept of one that nobody shows.
#[derive(Debug, Default)]
pub struct Coloured(Option<Last>);

#[derive(Debug)]
struct Last {
    preview: Arc<Preview>,
    /// The cycle that read it began then.
    at: Instant,
    /// Hash of what it showed, without colours.
    hash: u64,
}

impl Coloured {
    /// The last screen.
    #[must_use]
    pub fn preview(&self) -> Option<&Arc<Preview>> {
        self.0.as_ref().map(|last| &last.preview)
    }

    /// A cycle that began at this time read it.
    pub fn take(&mut self, preview: Preview, hash: u64, began: Instant) {
        self.0 = Some(Last { preview: Arc::new(preview), at: began, hash });
    }

    /// Nobody shows it any more.
    pub fn forget(&mut self) {
        self.0 = None;
    }

    /// Whether a read in the cycle that began now may be one with colours.
    #[must_use]
    pub fn may_be_read(&self, began: Instant) -> bool {
        self.0.as_ref().is_none_or(|last| began.saturating_duration_since(last.at) >= PAUSE)
    }

    /// Whether they were never read, or the newest read, which showed what has this hash, was one without them.
    #[must_use]
    pub fn is_behind(&self, newest: Option<u64>) -> bool {
        self.0.as_ref().is_none_or(|last| newest.is_some_and(|hash| hash != last.hash))
    }

    /// Whether the pane is to be read for its colours alone in the cycle that began now.
    #[must_use]
    pub fn is_due(&self, newest: Option<u64>, began: Instant) -> bool {
        self.is_behind(newest) && self.may_be_read(began)
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::tmux::PaneId;

    #[test]
    fn colours_are_read_twice_a_second_at_most_and_only_where_something_changed() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let screen = || Preview { pane_id: PaneId(1), text: "x".into(), captured_at: Timestamp::UNIX_EPOCH, above: 0 };
        let mut coloured = Coloured::default();
        assert!(coloured.is_due(None, start) && coloured.may_be_read(start), "they were never read");
        coloured.take(screen(), 7, start);
        assert!(!coloured.is_due(Some(8), at(250)) && !coloured.may_be_read(at(499)), "not so soon again");
        assert!(coloured.is_due(Some(8), at(500)), "what was read since had none");
        assert!(!coloured.is_due(Some(7), at(60_000)), "nothing changed");
        assert!(coloured.may_be_read(at(60_000)), "a read that comes anyway brings them");
        coloured.forget();
        assert!(coloured.preview().is_none() && coloured.is_due(Some(7), start));
    }
}
