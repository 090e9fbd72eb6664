//! An engine before it runs: what it is made from, and the two ways to run it.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use tokio::{sync::watch, task::JoinHandle};

use crate::monitor::cycle::spend::settle;
use crate::monitor::engine::core::Core;
use crate::monitor::engine::inbox::Inbox;
use crate::monitor::engine::run::Task;
use crate::monitor::panes::tracked::Tracked;
use crate::monitor::scripts::ScriptError;
use crate::monitor::strategy::Concurrent;
use crate::monitor::{EngineSettings, Handle, Memory, SettingsSource, Snapshot};
use crate::tmux::{Server, TmuxError};

/// Commands that may wait; a front end that sends more gets [`NotSent::Full`](crate::monitor::NotSent::Full).
const COMMANDS: usize = 64;

/// How long a single look waits for the repositories that agents work in.
const SETTLE: Duration = Duration::from_millis(300);

/// How long it waits for git to count lines, where that is wanted.
const COUNT: Duration = Duration::from_secs(2);

/// Most cycles of a single look: a pane may end while it is read.
const LOOKS: usize = 3;

/// An engine of one tmux server that does not run yet.
#[derive(Debug)]
pub struct Engine {
    server: Server,
    settings: EngineSettings,
    source: SettingsSource,
    memory: Option<Memory>,
}

/// Why an engine cannot be started: something is wrong with what the user wrote. Whether the server can be reached is
/// no such reason; the snapshots say that.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The settings name a strategy that is neither built in nor a script in the user's folder.
    #[error("no strategy is called '{name}'; there are: {known}")]
    UnknownStrategy {
        /// The name asked for.
        name: String,
        /// Those that exist, with commas between them.
        known: String,
    },
    /// One of the user's agent profiles cannot be read or does not compile; says which, where, and what was expected.
    #[error(transparent)]
    Profiles(#[from] crate::monitor::detect::ProfileError),
    /// The script strategy that the settings name cannot be read or does not compile.
    #[error("strategy {0}")]
    Script(#[from] ScriptError),
}

/// Why a single look failed.
#[derive(Debug, thiserror::Error)]
pub enum OnceError {
    /// The engine cannot be made.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The server cannot be reached.
    #[error(transparent)]
    Tmux(#[from] TmuxError),
}

impl Engine {
    /// An engine with these settings, that knows nothing yet and has no place to read settings from again.
    #[must_use]
    pub fn new(server: Server, settings: EngineSettings) -> Self {
        Self { server, settings, source: SettingsSource::none(), memory: None }
    }

    /// With the place from which [`Command::Reload`](crate::monitor::Command::Reload) reads the settings again.
    #[must_use]
    pub fn reading_from(self, source: SettingsSource) -> Self {
        Self { source, ..self }
    }

    /// With what another engine knew last: agents that are provably the same go on with their states and ages, and what
    /// has changed since then is an event.
    #[must_use]
    pub fn remembering(self, memory: Option<Memory>) -> Self {
        Self { memory, ..self }
    }

    fn core(server: Server, settings: EngineSettings, memory: Option<Memory>) -> Result<Core, EngineError> {
        let mut core = Core::new(server, settings)?;
        core.accounts.remember(memory.as_ref().map_or(&[], Memory::accounts));
        core.panes.remember(memory);
        Ok(core)
    }

    /// Starts it as a task of the running tokio runtime. The handle's first snapshot is an empty one that says so
    /// (`server.status` is `connecting`).
    ///
    /// The task ends by [`Command::Stop`](crate::monitor::Command::Stop), or when every handle is dropped.
    ///
    /// # Errors
    /// If the strategy does not exist, or a user's profile is wrong. Whatever happens later is in the snapshots.
    pub fn start(self) -> Result<(Handle, JoinHandle<()>), EngineError> {
        let mut core = Self::core(self.server, self.settings, self.memory)?;
        let (publisher, snapshots) = watch::channel(Arc::new(core.snapshot()));
        let (handle, requests) = Handle::new(snapshots, COMMANDS);
        let task = tokio::spawn(Task::new(core, Inbox::new(requests, self.source), publisher).run());
        Ok((handle, task))
    }

    /// Looks once, without publishing, and returns the snapshot: for commands that answer once. One cycle, in which every
    /// pane that may hold an agent is read; up to three such looks where some could not be. The ceiling is none for it.
    ///
    /// # Errors
    /// If the engine cannot be made, or the server cannot be reached.
    pub async fn once(self) -> Result<Snapshot, OnceError> {
        let settings = EngineSettings { max_server_percent: 100.0, ..self.settings };
        let mut core = Self::core(self.server, settings, self.memory)?;
        core.strategies.set(Box::new(Concurrent));
        for _ in 0..LOOKS {
            if let Some(problem) = core.turn(None).await.problem {
                return Err(OnceError::Tmux(problem));
            }
            if !core.panes.fleet.iter().any(Tracked::is_new) {
                break;
            }
        }
        core.repositories.settle(SETTLE).await;
        core.repositories.count(COUNT).await;
        settle(&mut core.panes, &mut core.accounts, &core.settings, SETTLE).await;
        // There is no second look: what was seen is believed.
        let believed = core.panes.believe(Timestamp::now());
        core.events.extend(believed);
        let snapshot = core.snapshot();
        core.access.pool.close().await;
        Ok(snapshot)
    }
}
