//! For systems that do not tell of writes: nothing is ever heard.

use crate::monitor::facts::writes::{Heard, PaneId};

/// Hears nothing.
#[derive(Debug, Default)]
pub struct Writes {}

impl Writes {
    /// Says that the pane cannot be watched.
    pub fn watch(&mut self, _pane: PaneId, _terminal: &str) -> bool {
        false
    }

    /// Nothing.
    pub fn take(&mut self) -> Vec<Heard> {
        Vec::new()
    }

    /// Never comes back.
    pub async fn heard(&mut self) {
        std::future::pending().await
    }
}
