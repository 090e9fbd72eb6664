//! Writes down what an engine knows of the agents, for the one that comes after it.

use std::{
    collections::VecDeque,
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use tokio::time::{Instant, sleep_until};

use crate::monitor::{Keeper, Memory, Snapshots};

/// At most so many writes in so many seconds: a change is written at once, a flood of them once a second.
const WRITES: usize = 4;
const WITHIN: Duration = Duration::from_secs(4);

/// Writes what the engine of this process knows whenever that changed, until the engine ends. What an engine in the
/// background publishes is passed over, and what another process keeps: they write themselves.
pub async fn remember(mut snapshots: Snapshots, path: PathBuf, keeper: Keeper) {
    let own = std::process::id();
    let mut writes = VecDeque::with_capacity(WRITES);
    let (mut written, mut failed): (Option<Memory>, bool) = (None, false);
    loop {
        let ended = snapshots.ended();
        let snapshot = snapshots.borrow_and_update();
        let memory = (snapshot.engine.pid == own).then(|| Memory::of(&snapshot)).flatten();
        let news = memory.filter(|memory| match &written {
            Some(written) => !written.says_the_same_as(memory),
            // Of nobody there is nothing to remember, and no file to make.
            None => !memory.is_empty() || path.exists(),
        });
        if let Some(memory) = news.filter(|_| keeper.keeps()) {
            match save(&memory, &path).await {
                Err(error) if !failed => {
                    failed = true;
                    tracing::warn!(path = %path.display(), %error, "the agents' ages will not outlive this engine");
                }
                Err(_) => {}
                Ok(()) => failed = false,
            }
            // What could not be written is tried again with the next change.
            written = Some(memory);
            writes.push_back(Instant::now());
            if writes.len() == WRITES
                && let Some(first) = writes.pop_front()
                && !ended
            {
                pause_until(first + WITHIN, snapshots.clone()).await;
            }
        }
        if ended {
            return;
        }
        // The end is seen at the top, with the last snapshot.
        snapshots.changed().await.ok();
    }
}

/// Lets changes gather for a while; the end is not waited for.
async fn pause_until(at: Instant, mut snapshots: Snapshots) {
    let ended = async { while snapshots.changed().await.is_ok() {} };
    tokio::select! {
        () = sleep_until(at) => {}
        () = ended => {}
    }
}

async fn save(memory: &Memory, path: &Path) -> io::Result<()> {
    let (memory, path) = (memory.clone(), path.to_owned());
    tokio::task::spawn_blocking(move || memory.save(&path)).await.map_err(io::Error::other)?
}
