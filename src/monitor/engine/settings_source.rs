//! Where the engine reads its settings again, and what that gives.

use std::{fmt, sync::Arc};

use crate::monitor::detect::Profiles;
use crate::monitor::{Change, EngineSettings};

/// What reading the settings again gave.
#[derive(Clone, Debug)]
pub struct Reread {
    /// The engine's part.
    pub engine: EngineSettings,
    /// The agent profiles, read again with them.
    pub profiles: Arc<Profiles>,
    /// What changed of the rest that the engine's process lives by, such as the notices. Only told by the engine.
    pub beside: Vec<Change>,
}

type ReadAgain = dyn Fn() -> Result<Reread, String> + Send + Sync;

/// Where the settings are read again, or why the old ones stay is found out.
#[derive(Clone)]
pub struct SettingsSource(Arc<ReadAgain>);

impl SettingsSource {
    /// From this function. It runs on a thread where it may wait for the disk.
    pub fn new(read_again: impl Fn() -> Result<Reread, String> + Send + Sync + 'static) -> Self {
        Self(Arc::new(read_again))
    }

    /// For an engine whose settings are nowhere but in the program.
    #[must_use]
    pub fn none() -> Self {
        Self::new(|| Err("this engine was not started from a settings file".to_owned()))
    }

    /// Reads them again. May wait for the disk.
    ///
    /// # Errors
    /// What is wrong with them, and where.
    pub fn read_again(&self) -> Result<Reread, String> {
        (self.0)()
    }
}

impl fmt::Debug for SettingsSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SettingsSource")
    }
}
