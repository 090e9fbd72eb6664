//! Who keeps journal, notices and memory of one tmux server: the engine in the background, else one of the dashboards
//! that watch from inside.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{Read, Write},
    os::unix::fs::OpenOptionsExt,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use jiff::Timestamp;
use rustix::fs::OFlags;

use crate::monitor::clients::lock::{Standing, place};
use crate::monitor::facts::process;
use crate::monitor::{EngineLock, EnginePaths, clock};

/// A keeper that is stopped (Ctrl-Z, SIGSTOP) for this long keeps nothing: another takes its place.
const STOPPED_LIMIT: Duration = Duration::from_secs(2);

/// Whether this process is the one that keeps. Cheap to ask; asked before each thing that is kept, so that two never
/// keep at the same time.
#[derive(Clone, Debug)]
pub struct Keeper(Arc<Mutex<Claim>>);

#[derive(Debug)]
struct Claim {
    by: By,
    held: Option<File>,
    /// When another was last seen to keep.
    other: Option<Timestamp>,
    /// The keeper that is stopped, since when it is seen to be.
    stopped: Option<(u32, Instant)>,
}

/// By what it is known who keeps.
#[derive(Debug)]
enum By {
    /// The engine in the background: its own lock says that it is the only one, as long as others find it.
    Engine(EngineLock),
    /// Where the locks are, for one that watches from inside.
    Inside(EnginePaths),
}

impl Keeper {
    /// Of the process that holds the engine's lock.
    #[must_use]
    pub fn engine(lock: &EngineLock) -> Self {
        Self::new(By::Engine(lock.clone()))
    }

    /// Of a process that watches from inside.
    #[must_use]
    pub fn inside(paths: EnginePaths) -> Self {
        Self::new(By::Inside(paths))
    }

    fn new(by: By) -> Self {
        Self(Arc::new(Mutex::new(Claim { by, held: None, other: None, stopped: None })))
    }

    /// `None`: another keeps. Else from which moment on what happened is to be kept by this process; what was before is
    /// another's.
    #[must_use]
    pub fn keeps_from(&self) -> Option<Timestamp> {
        let mut claim = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if claim.keeps() {
            return Some(claim.other.unwrap_or(Timestamp::MIN));
        }
        claim.other = Some(Timestamp::now());
        None
    }

    /// Whether this process keeps.
    #[must_use]
    pub fn keeps(&self) -> bool {
        self.keeps_from().is_some()
    }

    /// Whether others may watch the same server beside this process, each with an engine of its own.
    #[must_use]
    pub fn is_one_of_several(&self) -> bool {
        matches!(self.0.lock().unwrap_or_else(PoisonError::into_inner).by, By::Inside(_))
    }

    /// Lets another keep.
    pub fn let_go(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).held = None;
    }
}

impl Claim {
    fn keeps(&mut self) -> bool {
        let paths = match &self.by {
            By::Engine(lock) => return lock.standing() != Standing::Replaced,
            By::Inside(paths) => paths.clone(),
        };
        match paths.holder() {
            Ok(Some(_)) => {
                self.held = None;
                return false;
            }
            Ok(None) => {}
            // Nobody can agree by files that cannot be read: each keeps, as far as that goes.
            Err(_) => return true,
        }
        // The file of a keeper that was stopped is replaced under it: it finds out here when it goes on.
        if let Some(held) = &self.held {
            if is_at(held, &paths) {
                return true;
            }
            self.held = None;
            return false;
        }
        self.claim(&paths)
    }

    fn claim(&mut self, paths: &EnginePaths) -> bool {
        if paths.prepare().is_err() {
            return true;
        }
        let Ok(mut file) = open(paths) else { return true };
        match file.try_lock() {
            Ok(()) => {
                // Somebody may have replaced the file between its opening and its lock.
                if !is_at(&file, paths) {
                    return false;
                }
                file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id())).ok();
                (self.held, self.stopped) = (Some(file), None);
                true
            }
            Err(TryLockError::WouldBlock) => {
                if self.is_stopped(&mut file) && is_at(&file, paths) {
                    fs::remove_file(paths.keeper()).ok();
                    self.stopped = None;
                }
                false
            }
            // A file system without locks: see above.
            Err(TryLockError::Error(_)) => true,
        }
    }

    /// Whether the process that wrote its id into the file has been stopped for a while.
    fn is_stopped(&mut self, file: &mut File) -> bool {
        let mut text = String::new();
        let pid = file.take(32).read_to_string(&mut text).ok().and_then(|_| text.trim().parse::<u32>().ok());
        let stopped = pid.filter(|pid| process::status(*pid).is_some_and(|now| now.stopped));
        self.stopped = match (stopped, self.stopped) {
            (Some(pid), Some((before, since))) if pid == before => Some((pid, since)),
            (Some(pid), _) => Some((pid, clock::now())),
            (None, _) => None,
        };
        self.stopped.is_some_and(|(_, since)| clock::since(since) >= STOPPED_LIMIT)
    }
}

fn open(paths: &EnginePaths) -> std::io::Result<File> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY;
    let flags = i32::try_from(flags.bits()).unwrap_or(0);
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(0o600).custom_flags(flags);
    options.open(paths.keeper())
}

/// Whether this file is the one that the lock's path names now.
fn is_at(file: &File, paths: &EnginePaths) -> bool {
    let (there, ours) = (place(fs::symlink_metadata(paths.keeper())), place(file.metadata()));
    matches!((there, ours), (Ok(there), Ok(ours)) if there == ours)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::monitor::EngineLock;

    #[test]
    fn one_keeps_and_another_when_it_goes_or_an_engine_comes() {
        let dir = tempfile::tempdir().unwrap();
        let paths = EnginePaths::new(&dir.path().join("run"), &dir.path().join("default"));
        let (one, two) = (Keeper::inside(paths.clone()), Keeper::inside(paths.clone()));
        assert_eq!(one.keeps_from(), Some(Timestamp::MIN), "nobody kept before");
        let before = Timestamp::now();
        assert!(!two.keeps() && one.keeps());
        one.let_go();
        assert!(two.keeps_from().is_some_and(|from| from >= before), "what was before is told already");
        assert!(!one.keeps());
        let lock = EngineLock::acquire(&paths).unwrap();
        assert!(!two.keeps() && !one.keeps(), "the engine keeps");
        assert!(Keeper::engine(&lock).keeps());
        drop(lock);
        assert!(one.keeps() && !two.keeps());
    }

    #[test]
    fn an_engine_whose_lock_was_replaced_keeps_no_longer() {
        let dir = tempfile::tempdir().unwrap();
        let paths = EnginePaths::new(&dir.path().join("run"), &dir.path().join("default"));
        let one = EngineLock::acquire(&paths).unwrap();
        fs::remove_dir_all(paths.dir()).unwrap();
        assert!(Keeper::engine(&one).keeps(), "nobody else does");
        let two = EngineLock::acquire(&paths).unwrap();
        assert!(!Keeper::engine(&one).keeps() && Keeper::engine(&two).keeps());
    }

    #[test]
    fn whose_lock_was_replaced_keeps_no_longer() {
        let dir = tempfile::tempdir().unwrap();
        let paths = EnginePaths::new(&dir.path().join("run"), &dir.path().join("default"));
        let (one, two) = (Keeper::inside(paths.clone()), Keeper::inside(paths.clone()));
        assert!(one.keeps());
        fs::remove_file(paths.keeper()).unwrap();
        assert!(two.keeps() && !one.keeps());
    }
}
