//! What runs beside an engine of this process: the journal, the notices, the counts for the status line.

use std::{io::IsTerminal, sync::Arc, time::Duration};

use tokio::{sync::watch, task::JoinHandle, time::timeout};

use crate::{
    app::{
        integration,
        journal::{self, Journal},
        notify::{self, Rules, Ways},
        settings::{Paths, Settings},
    },
    monitor::{EnginePaths, Snapshot},
    tmux::{Pool, PoolSettings, Server, TransportChoice},
};

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
    let transport = &settings.monitoring.asynchronous.transport;
    let sync = !settings.monitoring.asynchronous.enabled;
    let transport = if sync { TransportChoice::Process } else { transport.parse().unwrap_or_default() };
    let sizes = PoolSettings { min_size: 0, max_size: 8, ..PoolSettings::default() };
    Pool::new(server.clone(), transport, sizes)
}

impl Beside {
    /// Starts them. While the snapshots come from an engine in the background they rest: that one has its own.
    #[must_use]
    pub fn start(
        snapshots: &watch::Receiver<Arc<Snapshot>>,
        server: &Server,
        engine: &EnginePaths,
        paths: &Paths,
        settings: &Settings,
    ) -> Self {
        let mut tasks = vec![tokio::spawn(journal::keep(snapshots.clone(), Journal::new(paths.events())))];
        if engine.prepare().is_ok() {
            tasks.push(tokio::spawn(integration::keep_counts(snapshots.clone(), counts_file(paths, engine))));
        }
        if settings.notifications.enabled {
            let outside = std::io::stdout().is_terminal() && std::env::var_os("TMUX").is_none();
            let ways = Ways::new(small_pool(server, settings), &settings.notifications).with_own_terminal(outside);
            let rules = Rules::new(&settings.notifications);
            tasks.push(tokio::spawn(notify::notify(snapshots.clone(), rules, ways)));
        }
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
