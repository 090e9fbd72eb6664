//! Several dashboards that watch one server from inside agree on what their users put on the agents: each takes in what is
//! written down and later than its own, and writes down what the one that keeps the memory does not know.

use std::{
    io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    time::Duration,
};

use tokio::time::{MissedTickBehavior, interval};

use crate::monitor::{Command, Keeper, Memory, Snapshots, WeakCommands};

/// How often it is looked whether another has written something down.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// Which writing of the file it is: each one makes another file.
type Version = (u64, i64, i64);

/// Agrees with the others until the engine ends. An engine in the background is the only one, and has nobody to agree with.
pub async fn agree(mut snapshots: Snapshots, engine: WeakCommands, path: PathBuf, keeper: Keeper) {
    let own = std::process::id();
    let mut read: Option<(Version, Memory)> = None;
    let mut ticks = interval(LOOK_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = ended(&mut snapshots) => return,
        }
        let snapshot = snapshots.borrow();
        if snapshot.engine.pid != own || snapshot.agents.is_empty() {
            continue;
        }
        read = beside(path.clone(), move |path| look(path, read)).await;
        let Some((_, memory)) = &read else { continue };
        let Some(commands) = engine.upgrade() else { return };
        for tidying in memory.tidied_later(&snapshot) {
            commands.try_send(Command::Tidy(tidying)).ok();
        }
        let mut memory = memory.clone();
        if memory.take_tidied(&snapshot) && !keeper.keeps() {
            let written =
                beside(path.clone(), move |path| memory.save(path).map_err(|error| error.to_string()).err()).await;
            if let Some(error) = written {
                tracing::warn!(path = %path.display(), error, "what was put on the agents is not shared");
            }
        }
    }
}

/// The file as it is now; read anew only when it is another one.
fn look(path: &Path, before: Option<(Version, Memory)>) -> Option<(Version, Memory)> {
    let version = version(path).ok()?;
    match before {
        Some(before) if before.0 == version => Some(before),
        _ => Memory::load(path).ok().flatten().map(|memory| (version, memory)),
    }
}

fn version(path: &Path) -> io::Result<Version> {
    std::fs::symlink_metadata(path).map(|meta| (meta.ino(), meta.mtime(), meta.mtime_nsec()))
}

/// Does it where it may wait for the disk.
async fn beside<T: Send + 'static>(path: PathBuf, does: impl FnOnce(&Path) -> Option<T> + Send + 'static) -> Option<T> {
    tokio::task::spawn_blocking(move || does(&path)).await.ok().flatten()
}

async fn ended(snapshots: &mut Snapshots) {
    while snapshots.changed().await.is_ok() {}
}
