//! Where the engine of one tmux server keeps its files, and who holds its lock: found by the path of the server's socket.

use std::{
    fs::{self, DirBuilder, File, TryLockError},
    io,
    os::unix::{
        ffi::OsStrExt,
        fs::{DirBuilderExt, MetadataExt, PermissionsExt},
    },
    path::{Path, PathBuf},
};

use crate::monitor::clients::alias;
use crate::monitor::clients::lock::{LockError, pid_in};
use crate::monitor::facts::fnv::fnv;

/// Longest socket path that every system takes: 104 bytes with the final NUL on the strictest, and some room.
const LONGEST_SOCKET_PATH: usize = 100;

/// Where the engine of one tmux server keeps its lock and its socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnginePaths {
    dir: PathBuf,
    key: String,
    socket: PathBuf,
    /// Where the tmux server's own socket is.
    server: PathBuf,
}

impl EnginePaths {
    /// The paths of the engine that watches the tmux server at `tmux_socket`. `run` is the directory for all engines.
    ///
    /// They follow from the path, so that they are the same while no server runs and for the next server there. Where
    /// the socket has other paths (a hard link, another mount), they are those of whoever watches by one of them.
    ///
    /// A socket path that is too long for the system is moved to a private directory under `/tmp`; both ends find it by
    /// the same rule.
    #[must_use]
    pub fn new(run: &Path, tmux_socket: &Path) -> Self {
        let own = Self::of_path(run, tmux_socket);
        let mut others = alias::others(run, &own.key, &own.server);
        let held = |(key, server): &(String, PathBuf)| {
            let paths = Self::keyed(run, key.clone(), server.clone());
            matches!(paths.holder(), Ok(Some(_)))
        };
        if others.is_empty() {
            return own;
        }
        let (key, server) = others.swap_remove(others.iter().position(held).unwrap_or(0));
        Self::keyed(run, key, server)
    }

    /// By this path alone.
    fn of_path(run: &Path, tmux_socket: &Path) -> Self {
        let tmux_socket = &without_links(tmux_socket);
        // The directory rather than the socket is resolved: it exists also while no server runs.
        let parent = tmux_socket.parent().and_then(|dir| dir.canonicalize().ok());
        let resolved = match (parent, tmux_socket.file_name()) {
            (Some(dir), Some(name)) => dir.join(name),
            _ => tmux_socket.to_owned(),
        };
        let name: String = tmux_socket.file_name().map_or_else(String::new, |name| {
            name.to_string_lossy().chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').take(16).collect()
        });
        let key = format!("{name}-{:016x}", fnv(resolved.as_os_str().as_bytes().iter().copied()));
        Self::keyed(run, key, resolved)
    }

    fn keyed(run: &Path, key: String, server: PathBuf) -> Self {
        let mut socket = run.join(format!("{key}.sock"));
        if socket.as_os_str().len() > LONGEST_SOCKET_PATH {
            let hash = fnv(socket.as_os_str().as_bytes().iter().copied());
            let user = rustix::process::geteuid().as_raw();
            socket = PathBuf::from(format!("/tmp/tmux-orc-{user}/{hash:016x}.sock"));
        }
        Self { dir: run.to_owned(), key, socket, server }
    }

    /// The engine's socket.
    #[must_use]
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// The lock's file. It stays when the engine ends: removing it would let two engines hold "the" lock.
    #[must_use]
    pub fn lock(&self) -> PathBuf {
        self.dir.join(format!("{}.lock", self.key))
    }

    /// What was last known of the server's agents: see [`crate::monitor::Memory`].
    #[must_use]
    pub fn memory(&self) -> PathBuf {
        self.dir.join(format!("{}.agents", self.key))
    }

    /// The sums that measures are made of, and how far the journal was counted for them.
    #[must_use]
    pub fn totals(&self) -> PathBuf {
        self.dir.join(format!("{}.totals", self.key))
    }

    /// The lock of the one who keeps journal, notices and memory where no engine runs in the background: see
    /// [`crate::monitor::Keeper`].
    #[must_use]
    pub fn keeper(&self) -> PathBuf {
        self.dir.join(format!("{}.keeper", self.key))
    }

    /// What the engine in the background wrote on standard error, such as a panic.
    #[must_use]
    pub fn stderr(&self) -> PathBuf {
        self.dir.join(format!("{}.err", self.key))
    }

    /// The directory of all locks.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Where the tmux server's own socket is.
    pub(crate) fn server(&self) -> &Path {
        &self.server
    }

    /// A short name for this server, fit for file names.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Makes the directories, checks that they are ours alone, and writes down which server is watched there.
    pub fn prepare(&self) -> Result<(), LockError> {
        private_dir(&self.dir)?;
        // Without it only the other paths of the server's socket lead nowhere.
        if let Err(error) = alias::write_down(&self.dir, &self.key, &self.server) {
            tracing::debug!(%error, dir = %self.dir.display(), "which server is watched cannot be written down");
        }
        match self.socket.parent() {
            Some(dir) if dir != self.dir => private_dir(dir),
            _ => Ok(()),
        }
    }

    /// The process id of the engine that holds the lock; `None` when it is free. A held lock without a readable id is 0.
    pub fn holder(&self) -> Result<Option<u32>, LockError> {
        let path = self.lock();
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(LockError::Io { path, what: "cannot read the engine's lock", source }),
        };
        match file.try_lock_shared() {
            Ok(()) => Ok(None),
            Err(TryLockError::WouldBlock) => Ok(Some(pid_in(file).unwrap_or(0))),
            Err(TryLockError::Error(source)) => {
                Err(LockError::Io { path, what: "cannot ask for the engine's lock", source })
            }
        }
    }
}

/// Makes a directory that only its owner can use, or checks that one is such.
pub(crate) fn private_dir(dir: &Path) -> Result<(), LockError> {
    let io_error = |what| move |source| LockError::Io { path: dir.to_owned(), what, source };
    let made = DirBuilder::new().recursive(true).mode(0o700).create(dir);
    made.map_err(io_error("cannot make the directory for engines"))?;
    let meta = fs::symlink_metadata(dir).map_err(io_error("cannot look at the directory for engines"))?;
    let unsafe_because = |problem: String| LockError::Unsafe { path: dir.to_owned(), problem };
    if !meta.is_dir() {
        return Err(unsafe_because("not a directory".to_owned()));
    }
    if meta.uid() != rustix::process::geteuid().as_raw() {
        return Err(unsafe_because(format!("belongs to user {}", meta.uid())));
    }
    if meta.mode() & 0o077 != 0 {
        fs::set_permissions(dir, fs::Permissions::from_mode(0o700)).map_err(io_error("cannot make it private"))?;
    }
    Ok(())
}

/// Where a path leads that is a symbolic link, also one to nothing: a server is watched once, however it is named.
fn without_links(path: &Path) -> PathBuf {
    // No more than what the system itself follows, and no circle.
    const HOPS: usize = 40;
    let mut path = path.to_owned();
    for _ in 0..HOPS {
        let Ok(target) = fs::read_link(&path) else { break };
        path = path.parent().map_or(target.clone(), |dir| dir.join(&target));
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_server_has_its_own_place_and_long_paths_find_a_short_one() {
        let run = Path::new("/home/someone/.tmux_orchestrator/run");
        let one = EnginePaths::new(run, Path::new("/nowhere/default"));
        let two = EnginePaths::new(run, Path::new("/nowhere/else"));
        assert_ne!(one.socket(), two.socket());
        assert_ne!(one.lock(), two.lock());
        assert!(one.socket().starts_with(run));
        let deep = PathBuf::from(format!("/{}/run", "d".repeat(200)));
        let far = EnginePaths::new(&deep, Path::new("/nowhere/default"));
        assert!(far.socket().starts_with("/tmp") && far.socket().as_os_str().len() < LONGEST_SOCKET_PATH);
        assert!(far.lock().starts_with(&deep));
        let other = EnginePaths::new(&deep.join("x"), Path::new("/nowhere/default"));
        assert_ne!(far.socket(), other.socket());
    }

    #[test]
    fn a_link_to_a_socket_leads_to_the_same_engine_also_while_no_server_runs() {
        use std::os::unix::fs::symlink;
        let dir = tempfile::tempdir().unwrap();
        let (run, socket) = (dir.path().join("run"), dir.path().join("default"));
        symlink(&socket, dir.path().join("absolute")).unwrap();
        fs::create_dir(dir.path().join("deep")).unwrap();
        symlink("../default", dir.path().join("deep/relative")).unwrap();
        symlink("deep/relative", dir.path().join("twice")).unwrap();
        symlink("circle", dir.path().join("circle")).unwrap();
        let of = |name: &str| EnginePaths::new(&run, &dir.path().join(name));
        for running in [false, true] {
            for name in ["absolute", "deep/relative", "twice"] {
                assert_eq!(of(name), of("default"), "{name}, running: {running}");
            }
            assert_ne!(of("circle"), of("default"));
            fs::write(&socket, "").unwrap();
        }
    }

    #[test]
    fn a_directory_open_to_others_is_closed_and_a_link_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let run = dir.path().join("run");
        fs::create_dir(&run).unwrap();
        fs::set_permissions(&run, fs::Permissions::from_mode(0o777)).unwrap();
        EnginePaths::new(&run, Path::new("/nowhere/default")).prepare().unwrap();
        assert_eq!(fs::metadata(&run).unwrap().mode() & 0o777, 0o700);
        let link = dir.path().join("link");
        std::os::unix::fs::symlink(&run, &link).unwrap();
        let error = EnginePaths::new(&link, Path::new("/nowhere/default")).prepare().unwrap_err();
        assert!(matches!(error, LockError::Unsafe { .. }), "{error}");
    }
}
