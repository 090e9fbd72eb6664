//! For systems without inotify: nothing is ever notified.

use crate::monitor::facts::writes::{Notified, PaneId};

/// Notifies of nothing.
#[derive(Debug, Default)]
pub struct Writes {}

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
