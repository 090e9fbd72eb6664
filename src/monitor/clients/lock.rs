//! One engine a server: the lock that is held for life.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Read, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use crate::monitor::clients::paths::EnginePaths;

/// How long a held lock is tried again: another process may hold it for a moment to see whether it is free.
const PATIENCE: Duration = Duration::from_millis(300);

/// The lock cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another engine watches this server.
    #[error("an engine{} already watches this tmux server", .pid.map_or(String::new(), |pid| format!(" (pid {pid})")))]
    Held {
        /// Its process id, when it could be read.
        pid: Option<u32>,
    },
    /// The directory or the file cannot be used.
    #[error("{}: {what}: {source}; set TMUX_ORC_HOME to a directory on a local disk that you can write", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// What could not be done.
        what: &'static str,
        /// Why.
        source: io::Error,
    },
    /// The directory is not ours alone: whoever can write it could answer in the engine's place.
    #[error("{}: {problem}; remove it, or make it yours with mode 0700", path.display())]
    Unsafe {
        /// Which.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
}

/// The right to be the engine of one server, held until its last clone is dropped or the process ends, however it ends.
#[derive(Clone, Debug)]
pub struct EngineLock(Arc<Held>);

#[derive(Debug)]
struct Held {
    paths: EnginePaths,
    file: Mutex<File>,
}

/// What stands where the lock's file was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// The file that is held.
    Ours,
    /// Nothing: somebody cleaned up.
    Removed,
    /// Another file: another engine may hold it.
    Replaced,
}

impl EngineLock {
    /// Takes the lock and writes this process's id into it.
    pub fn acquire(paths: &EnginePaths) -> Result<Self, LockError> {
        let file = take(paths)?;
        Ok(Self(Arc::new(Held { paths: paths.clone(), file: Mutex::new(file) })))
    }

    /// Whether others still find the lock where they look for it.
    pub(crate) fn standing(&self) -> Standing {
        let file = self.0.file.lock().unwrap_or_else(PoisonError::into_inner);
        match (place(fs::symlink_metadata(self.0.paths.lock())), place(file.metadata())) {
            (Ok(there), Ok(ours)) if there == ours => Standing::Ours,
            (Err(error), _) if error.kind() == io::ErrorKind::NotFound => Standing::Removed,
            (Err(_), _) => Standing::Ours,
            _ => Standing::Replaced,
        }
    }

    /// Takes it anew where its file was removed or replaced.
    pub(crate) fn renew(&self) -> Result<(), LockError> {
        let file = take(&self.0.paths)?;
        *self.0.file.lock().unwrap_or_else(PoisonError::into_inner) = file;
        Ok(())
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // An id in a lock that nobody holds would only mislead whoever reads the file by eye.
        self.file.get_mut().unwrap_or_else(PoisonError::into_inner).set_len(0).ok();
    }
}

/// Which file it is.
pub(crate) fn place(found: io::Result<fs::Metadata>) -> io::Result<(u64, u64)> {
    found.map(|meta| (meta.dev(), meta.ino()))
}

fn take(paths: &EnginePaths) -> Result<File, LockError> {
    paths.prepare()?;
    // One after the other: of two that come by different paths of one server, the second must see the first.
    let _turn = turn(paths.dir());
    let found = EnginePaths::new(paths.dir(), paths.server());
    if found.key() != paths.key()
        && let Some(pid) = found.holder()?
    {
        return Err(LockError::Held { pid: Some(pid).filter(|pid| *pid != 0) });
    }
    let path = paths.lock();
    let io_error = |what| {
        let path = path.clone();
        move |source| LockError::Io { path, what, source }
    };
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(0o600);
    let mut file = options.open(&path).map_err(io_error("cannot make the engine's lock"))?;
    let until = Instant::now() + PATIENCE;
    loop {
        match file.try_lock() {
            Ok(()) => break,
            Err(TryLockError::WouldBlock) if Instant::now() < until => {
                std::thread::sleep(Duration::from_millis(10));
            }
            Err(TryLockError::WouldBlock) => return Err(LockError::Held { pid: pid_in(file) }),
            Err(TryLockError::Error(source)) => return Err(io_error("cannot take the engine's lock")(source)),
        }
    }
    file.set_len(0)
        .and_then(|()| writeln!(file, "{}", std::process::id()))
        .map_err(io_error("cannot write the engine's lock"))?;
    Ok(file)
}

/// The turn to take a lock in this directory, until it is dropped. Where directories cannot be locked, or one that has
/// it does not go on, it goes without.
fn turn(dir: &Path) -> Option<File> {
    let dir = File::open(dir).ok()?;
    let until = Instant::now() + PATIENCE * 4;
    loop {
        match dir.try_lock() {
            Ok(()) => return Some(dir),
            Err(TryLockError::WouldBlock) if Instant::now() < until => std::thread::sleep(Duration::from_millis(10)),
            Err(_) => return None,
        }
    }
}

/// The process id that the holder of a lock wrote into its file.
pub(crate) fn pid_in(mut file: File) -> Option<u32> {
    let mut text = String::new();
    file.read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_holder_at_a_time_and_free_after_it() {
        let dir = tempfile::tempdir().unwrap();
        let paths = EnginePaths::new(&dir.path().join("run"), &dir.path().join("default"));
        assert_eq!(paths.holder().unwrap(), None);
        let lock = EngineLock::acquire(&paths).unwrap();
        assert_eq!(paths.holder().unwrap(), Some(std::process::id()));
        let second = EngineLock::acquire(&paths).unwrap_err();
        assert!(matches!(second, LockError::Held { pid: Some(pid) } if pid == std::process::id()), "{second}");
        drop(lock);
        assert_eq!(paths.holder().unwrap(), None);
        EngineLock::acquire(&paths).unwrap();
    }

    #[test]
    fn a_lock_whose_file_was_removed_is_taken_anew_unless_another_came_first() {
        let dir = tempfile::tempdir().unwrap();
        let run = dir.path().join("run");
        let paths = EnginePaths::new(&run, &dir.path().join("default"));
        let one = EngineLock::acquire(&paths).unwrap();
        assert_eq!(one.standing(), Standing::Ours);
        fs::remove_dir_all(&run).unwrap();
        assert_eq!(one.standing(), Standing::Removed);
        one.renew().unwrap();
        assert_eq!((one.standing(), paths.holder().unwrap()), (Standing::Ours, Some(std::process::id())));
        fs::remove_dir_all(&run).unwrap();
        let two = EngineLock::acquire(&paths).unwrap();
        assert_eq!((one.standing(), two.standing()), (Standing::Replaced, Standing::Ours));
        let error = one.renew().unwrap_err();
        assert!(matches!(error, LockError::Held { .. }), "{error}");
    }
}
