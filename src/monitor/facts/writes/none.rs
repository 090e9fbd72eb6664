//! For systems without inotify: nothing is ever notified.

use crate::monitor::facts::writes::{Notified, PaneId, Taken};

/// Notifies of nothing.
#[derive(Debug, Default)]
pub struct Writes {
    /// Nobody.
    pub followed: Followed,
}

impl Writes {
    /// Says that there is no subscribing to the pane.
    pub fn subscribe(&mut self, _pane: PaneId, _terminal: &str) -> bool {
        false
    }

    /// Nothing.
    pub fn take(&mut self) -> Vec<Notified> {
        Vec::new()
    }

    /// Never comes back.
    pub async fn notified(&mut self) {
        std::future::pending().await
    }
}

/// Follows nobody.
#[derive(Debug, Default)]
pub struct Followed {}

impl Followed {
    /// Says that the pane cannot be followed.
    pub fn follow(&mut self, _pane: PaneId, _terminal: &str) -> bool {
        false
    }

    /// Nothing.
    pub fn leave(&mut self, _pane: PaneId) {}

    /// Nobody.
    pub fn panes(&self) -> Vec<PaneId> {
        Vec::new()
    }

    /// Nobody.
    pub fn len(&self) -> usize {
        0
    }

    /// There is nobody.
    pub fn is_empty(&self) -> bool {
        true
    }

    /// Nothing.
    pub fn take(&mut self) -> Taken {
        Taken::default()
    }
}
