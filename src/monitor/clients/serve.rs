//! The engine's socket: stays where others look for it, and lets every client in.

use std::{fs, io, os::unix::fs::PermissionsExt, path::PathBuf, sync::Arc, time::Duration};

use tokio::{
    net::UnixListener,
    time::{Instant, MissedTickBehavior, timeout},
};
use tokio_util::task::TaskTracker;

use crate::monitor::clients::host::Host;
use crate::monitor::clients::lock::{Standing, place};
use crate::monitor::clients::wire::EngineHello;
use crate::monitor::{Command, EngineLock, EnginePaths, Handle, LockError, Snapshots};

/// That no client can be accepted is logged this often.
const TELL_AGAIN: Duration = Duration::from_secs(60);
/// The socket cannot be made.
#[derive(Debug, thiserror::Error)]
#[error("{}: cannot make the engine's socket: {source}", path.display())]
pub struct ServeError {
    path: PathBuf,
    source: io::Error,
}

/// A bound socket. Its file is removed when this is dropped.
#[derive(Debug)]
pub struct EngineSocket {
    listener: UnixListener,
    path: PathBuf,
    /// Which file it was made.
    made: (u64, u64),
    paths: EnginePaths,
    lock: EngineLock,
    /// The engine ends when it had no client for so long.
    until_idle: Option<Duration>,
}

/// How often the engine looks whether others still find it: a cleaner of old files may have taken socket and lock.
const LOOK_EVERY: Duration = Duration::from_secs(2);

impl EngineSocket {
    /// Binds the socket. The lock proves that a socket file which is already there belongs to nobody.
    pub fn bind(paths: &EnginePaths, lock: &EngineLock) -> Result<Self, ServeError> {
        let path = paths.socket().to_owned();
        let fail = |source| ServeError { path: path.clone(), source };
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(fail(error)),
            _ => {}
        }
        let listener = UnixListener::bind(&path).map_err(fail)?;
        // The directory is private already: this only makes it plain.
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).map_err(fail)?;
        let made = place(fs::symlink_metadata(&path)).map_err(fail)?;
        Ok(Self { listener, path, made, paths: paths.clone(), lock: lock.clone(), until_idle: None })
    }

    /// The same, whose engine ends when it had no client for so long.
    #[must_use]
    pub fn until_idle(mut self, until_idle: Option<Duration>) -> Self {
        self.until_idle = until_idle;
        self
    }

    /// Sees to it that others find the engine. `Err`: why they cannot; [`LockError::Held`]: they find another one.
    fn stay(&mut self) -> Result<(), Lost> {
        if self.lock.standing() != Standing::Ours {
            self.lock.renew()?;
            tracing::warn!(lock = %self.paths.lock().display(), "the engine's lock was removed: made anew");
        }
        if !self.is_there() {
            self.paths.prepare()?;
            // What is dropped here removes no file but its own.
            *self = Self::bind(&self.paths, &self.lock)?.until_idle(self.until_idle);
            tracing::warn!(socket = %self.path.display(), "the engine's socket was removed: made anew");
        }
        Ok(())
    }

    fn is_there(&self) -> bool {
        place(fs::symlink_metadata(&self.path)).is_ok_and(|there| there == self.made)
    }

    /// Serves clients until the engine ends, that is, until no snapshot can come any more.
    ///
    /// An engine that others do not find any more because its files were removed makes them anew, or ends when another
    /// engine has come in the meantime.
    pub async fn serve(mut self, handle: Handle, hello: EngineHello) {
        let host = Arc::new(Host::new(hello));
        let clients = TaskTracker::new();
        let mut ended = handle.snapshots.clone();
        let mut failing = None::<Instant>;
        let mut look = tokio::time::interval(LOOK_EVERY);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut lost = None::<String>;
        let mut idle_since = Instant::now();
        loop {
            if !clients.is_empty() {
                idle_since = Instant::now();
            }
            if self.until_idle.is_some_and(|most| idle_since.elapsed() >= most) {
                tracing::info!("no client for long: the engine ends, as it was started to do");
                handle.commands.send(Command::Stop).await.ok();
                self.until_idle = None;
            }
            tokio::select! {
                _ = look.tick() => match self.stay() {
                    Ok(()) => lost = None,
                    Err(Lost::Lock(error @ LockError::Held { .. })) => {
                        if lost.is_none() {
                            tracing::warn!(%error, "this one's lock was removed: it ends");
                        }
                        lost = Some(error.to_string());
                        handle.commands.send(Command::Stop).await.ok();
                    }
                    Err(error) => {
                        let error = error.to_string();
                        if lost.as_ref() != Some(&error) {
                            tracing::warn!(error, "others cannot find this engine");
                        }
                        lost = Some(error);
                    }
                },
                accepted = self.listener.accept() => match accepted {
                    Ok((stream, _)) => {
                        let (host, handle) = (Arc::clone(&host), handle.clone());
                        clients.spawn(async move { host.admit(stream, handle).await });
                    }
                    Err(error) => {
                        // Out of descriptors, most likely: some will be free again. Logged now and then, not at each try.
                        if failing.is_none_or(|at| at.elapsed() >= TELL_AGAIN) {
                            tracing::warn!(%error, "cannot accept a client");
                            failing = Some(Instant::now());
                        }
                        tokio::time::sleep(Duration::from_millis(200)).await;
                    }
                },
                () = closed(&mut ended) => break,
            }
        }
        clients.close();
        // Each client's own channel is closed too, so they all end; none that hangs may hold the engine up.
        timeout(Duration::from_secs(1), clients.wait()).await.ok();
    }
}

impl Drop for EngineSocket {
    fn drop(&mut self) {
        // Another engine may have made its own there.
        if self.is_there() {
            fs::remove_file(&self.path).ok();
        }
    }
}

/// Others cannot find this engine.
#[derive(Debug, thiserror::Error)]
enum Lost {
    #[error(transparent)]
    Lock(#[from] LockError),
    #[error(transparent)]
    Socket(#[from] ServeError),
}

async fn closed(snapshots: &mut Snapshots) {
    while snapshots.changed().await.is_ok() {}
}
