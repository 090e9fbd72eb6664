//! What runs beside an engine of this process: the journal, the notices, the measures, the counts for the status line.

use std::{io::IsTerminal, sync::Arc, time::Duration};

use tokio::{sync::watch, task::JoinHandle, time::timeout};

use crate::app::cli::context::environment;
use crate::app::journal::Journal;
use crate::app::journal::agree::agree;
use crate::app::journal::remember::remember;
use crate::app::metrics::Kept;
use crate::app::notify::Ways;
use crate::app::settings::{Loaded, Paths, Settings};
use crate::app::{badges, integration, journal, metrics, notify};
use crate::monitor::{EnginePaths, Handle, Keeper};
use crate::tmux::{Pool, PoolSettings, Server, TransportChoice};

/// How long the last lines of the journal are waited for.
const END_LIMIT: Duration = Duration::from_secs(2);

/// The tasks beside an engine. They end by themselves when it does.
pub struct Beside {
    tasks: Vec<JoinHandle<()>>,
}

/// Name of the file that holds the counts of the engine of one server.
#[must_use]
pub fn counts_file(paths: &Paths, engine: &EnginePaths) -> std::path::PathBuf {
    paths.run().join(format!("{}.counts", engine.key()))
}

/// Connections for what is done now and then, apart from those of the engine, whose counters tell of watching only.
#[must_use]
pub fn small_pool(server: &Server, settings: &Settings) -> Pool {
    let sizes = PoolSettings { min_size: 0, max_size: 8, ..PoolSettings::default() };
    Pool::new(server.clone(), transport(settings), sizes)
}

/// How tmux is reached by what runs beside the engine: as the engine reaches it.
#[must_use]
pub fn transport(settings: &Settings) -> TransportChoice {
    let asynchronous = &settings.monitoring.asynchronous;
    if asynchronous.enabled { asynchronous.transport.parse().unwrap_or_default() } else { TransportChoice::Process }
}

impl Beside {
    /// Starts them. While the snapshots come from an engine in the background they rest: that one has its own.
    #[must_use]
    pub fn start(
        engine_handle: &Handle,
        server: &Server,
        engine: &EnginePaths,
        paths: &Paths,
        settings: watch::Receiver<Arc<Loaded>>,
        keeper: &Keeper,
    ) -> Self {
        let Handle { snapshots, commands } = engine_handle;
        let journal = Journal::new(paths.events());
        let mut tasks =
            vec![tokio::spawn(journal::keep(snapshots.clone(), commands.downgrade(), journal, keeper.clone()))];
        if engine.prepare().is_ok() {
            tasks.push(tokio::spawn(remember(snapshots.clone(), engine.memory(), keeper.clone())));
            if keeper.is_one_of_several() {
                let path = engine.memory();
                tasks.push(tokio::spawn(agree(snapshots.clone(), commands.downgrade(), path, keeper.clone())));
            }
            tasks.push(tokio::spawn(integration::keep_counts(snapshots.clone(), counts_file(paths, engine))));
            let kept = Kept { events: paths.events(), engine: engine.clone(), profiles: paths.agents() };
            let (engine, settings) = (commands.downgrade(), settings.clone());
            tasks.push(tokio::spawn(metrics::tell(
                snapshots.clone(),
                engine,
                settings,
                kept,
                keeper.clone(),
                environment,
            )));
        }
        let of = server.clone();
        let pool = move |settings: &Settings| small_pool(&of, settings);
        tasks.push(tokio::spawn(badges::keep(snapshots.clone(), settings.clone(), pool, keeper.clone())));
        let outside = std::io::stdout().is_terminal() && std::env::var_os("TMUX").is_none();
        let server = server.clone();
        let ways = move |settings: &Settings| {
            Ways::new(small_pool(&server, settings), &settings.notifications).with_own_terminal(outside)
        };
        tasks.push(tokio::spawn(notify::notify(snapshots.clone(), settings, ways, keeper.clone())));
        Self { tasks }
    }

    /// Waits for their end, which follows that of the engine.
    pub async fn end(self) {
        for task in self.tasks {
            let abort = task.abort_handle();
            if timeout(END_LIMIT, task).await.is_err() {
                abort.abort();
            }
        }
    }
}
