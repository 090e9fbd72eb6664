//! For systems without inotify: nothing is ever notified.

use std::path::Path;

/// Notifies of nothing.
#[derive(Debug)]
pub(crate) struct Grown {}

impl Grown {
    /// Watches nothing.
    pub(crate) fn watch(_dir: &Path) -> Self {
        Self {}
    }

    /// Whether it notifies at all.
    pub(crate) fn notifies(&self) -> bool {
        false
    }

    /// Never comes back.
    pub(crate) async fn wait(&mut self) {
        std::future::pending().await
    }
}
