//! The settings in force in this process: read at its start, read again when asked, told to whoever lives by them.

use std::{
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::watch;

use crate::app::cli::context::environment;
use crate::{
    app::settings::{self, Loaded, Overrides, Paths, SettingsError},
    monitor::{Change, Reread, SettingsSource},
};

/// The settings in force. What options set goes before the file every time that it is read.
#[derive(Debug)]
pub struct InForce {
    paths: Paths,
    overrides: Overrides,
    now: watch::Sender<Arc<Loaded>>,
}

impl InForce {
    /// From what was read at the start.
    #[must_use]
    pub fn new(paths: Paths, overrides: Overrides, loaded: Loaded) -> Arc<Self> {
        Arc::new(Self { paths, overrides, now: watch::Sender::new(Arc::new(loaded)) })
    }

    /// Those of this moment.
    #[must_use]
    pub fn now(&self) -> Arc<Loaded> {
        Arc::clone(&self.now.borrow())
    }

    /// Tells of them whenever they were read again.
    #[must_use]
    pub fn subscribe(&self) -> watch::Receiver<Arc<Loaded>> {
        self.now.subscribe()
    }

    /// Reads them again, with the files that they lead to. Bad ones change nothing.
    ///
    /// # Errors
    /// What is wrong, and where.
    pub fn read_again(&self) -> Result<Reread, String> {
        let fresh =
            settings::load(&self.paths, &environment, &self.overrides).map_err(|error| brief(error, &self.paths))?;
        let engine = settings::for_engine(&fresh.settings, &self.paths)?;
        let profiles = Arc::new(settings::engine_files(&engine)?);
        self.now.send_replace(Arc::new(fresh));
        Ok(Reread { engine, profiles, beside: Vec::new() })
    }

    /// What an engine of this process asks when it is told to read its settings again. It tells also of the changes
    /// that the tasks beside it live by.
    #[must_use]
    pub fn source(self: Arc<Self>) -> SettingsSource {
        let told = Mutex::new(self.now());
        SettingsSource::new(move || {
            let fresh = self.read_again()?;
            let now = self.now();
            let mut told = told.lock().unwrap_or_else(PoisonError::into_inner);
            let changes = |section| settings::changes(section, &told.settings, &now.settings);
            let beside: Vec<Change> = ["notifications", "metrics"].into_iter().flat_map(changes).collect();
            *told = now;
            Ok(Reread { beside, ..fresh })
        })
    }
}

/// The first problem on one line, which an event has, and how many more there are. Files of the base directory are named
/// as they are called there.
fn brief(SettingsError(problems): SettingsError, paths: &Paths) -> String {
    let more = problems.len().saturating_sub(1);
    let Some(mut first) = problems.into_iter().next() else { return String::new() };
    if let Ok(inside) = Path::new(&first.source).strip_prefix(&paths.base) {
        first.source = inside.display().to_string();
    }
    match more {
        0 => first.to_string(),
        more => format!("{first} ({more} more: `tmux-orc config check`)"),
    }
}
