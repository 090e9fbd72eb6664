//! By which other paths of its socket a tmux server is watched already: hard links, mounts, whatever leads to it.
//!
//! Who watches writes the path down that it knows the server by. A path names the same server as long as it leads to
//! the same socket now (device and inode), so that a record is never out of date and needs nobody to take it back.

use std::{
    ffi::OsStr,
    fs,
    io::{self, Write},
    os::unix::{
        ffi::OsStrExt,
        fs::{FileTypeExt, MetadataExt, OpenOptionsExt},
    },
    path::{Path, PathBuf},
};

use crate::monitor::facts::file;

/// What the names of the records end with, after the key.
const ENDING: &str = ".server";

/// Longest path that is believed.
const LONGEST: u64 = 4096;

/// Writes down that the server that is watched under `key` has its socket here.
///
/// # Errors
/// If that cannot be written.
pub(crate) fn write_down(run: &Path, key: &str, socket: &Path) -> io::Result<()> {
    let path = run.join(format!("{key}{ENDING}"));
    if read(&path).is_some_and(|known| known == socket) {
        return Ok(());
    }
    // Renamed into its place, so that nobody reads half a path.
    let fresh = run.join(format!("{key}.{}{ENDING}~", std::process::id()));
    let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&fresh)?;
    file.write_all(socket.as_os_str().as_bytes())?;
    fs::rename(&fresh, &path)
}

/// All under which the server at this socket is, or was, watched by whoever shares the directory, in one order for all;
/// its own `key` among them only when there are others and it was written down.
pub(crate) fn others(run: &Path, key: &str, socket: &Path) -> Vec<(String, PathBuf)> {
    let Ok(entries) = fs::read_dir(run) else { return Vec::new() };
    let mut all: Vec<(String, PathBuf)> = entries
        .filter_map(|entry| {
            let path = entry.ok()?.path();
            let of = path.file_name()?.to_str()?.strip_suffix(ENDING)?.to_owned();
            let known = read(&path)?;
            (of == key || is_same(&known, socket)).then_some((of, known))
        })
        .collect();
    if all.iter().all(|(of, _)| of == key) {
        return Vec::new();
    }
    all.sort();
    all
}

fn read(path: &Path) -> Option<PathBuf> {
    let bytes = file::read_foreign(path, LONGEST, rustix::process::geteuid().as_raw()).ok()?;
    (!bytes.is_empty()).then(|| PathBuf::from(OsStr::from_bytes(&bytes)))
}

/// Whether both paths lead to one socket; where none is, to one place for it.
fn is_same(one: &Path, other: &Path) -> bool {
    let at = |path: &Path| {
        let meta = fs::metadata(path).ok()?;
        Some((meta.dev(), meta.ino(), meta.file_type().is_socket()))
    };
    match (at(one), at(other)) {
        (Some(one), Some(other)) => one == other && one.2,
        (None, None) => {
            let place = |path: &Path| path.parent().and_then(at);
            one.file_name() == other.file_name() && place(one).is_some() && place(one) == place(other)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixListener;

    use super::*;
    use crate::monitor::{EngineLock, EnginePaths, LockError};

    #[test]
    fn a_hard_link_leads_to_who_watches_also_after_another_server_took_the_path() {
        let dir = tempfile::tempdir().unwrap();
        let of = |name: &str| EnginePaths::new(&dir.path().join("run"), &dir.path().join(name));
        let first = UnixListener::bind(dir.path().join("default")).unwrap();
        let lock = EngineLock::acquire(&of("default")).unwrap();
        fs::hard_link(dir.path().join("default"), dir.path().join("link")).unwrap();
        assert_eq!(of("link"), of("default"));
        let refused = EngineLock::acquire(&of("link")).unwrap_err();
        assert!(matches!(refused, LockError::Held { pid: Some(_) }), "{refused}");
        // The link goes on to name the server that is gone; the path has a new one.
        drop(first);
        fs::remove_file(dir.path().join("default")).unwrap();
        let _second = UnixListener::bind(dir.path().join("default")).unwrap();
        assert_ne!(of("link"), of("default"));
        assert_eq!(of("default").holder().unwrap(), Some(std::process::id()), "its engine is found as before");
        drop(lock);
    }

    #[test]
    fn of_two_names_that_became_one_server_s_the_one_that_is_watched_counts() {
        let dir = tempfile::tempdir().unwrap();
        let of = |name: &str| EnginePaths::new(&dir.path().join("run"), &dir.path().join(name));
        for name in ["a", "b"] {
            let _server = UnixListener::bind(dir.path().join(name)).unwrap();
            drop(EngineLock::acquire(&of(name)).unwrap());
        }
        assert_ne!(of("a"), of("b"));
        for watched in ["a", "b"] {
            let lock = EngineLock::acquire(&of(watched)).unwrap();
            let key = of(watched);
            for name in ["a", "b"] {
                fs::remove_file(dir.path().join(name)).unwrap();
            }
            let _server = UnixListener::bind(dir.path().join("a")).unwrap();
            fs::hard_link(dir.path().join("a"), dir.path().join("b")).unwrap();
            assert_eq!((of("a"), of("b")), (key.clone(), key), "{watched} is watched");
            drop(lock);
            assert_eq!(of("a"), of("b"), "and without an engine all agree too");
            fs::remove_file(dir.path().join("b")).unwrap();
            let _other = UnixListener::bind(dir.path().join("b")).unwrap();
        }
    }

    #[test]
    fn who_resolved_before_another_engine_was_there_still_meets_it() {
        let dir = tempfile::tempdir().unwrap();
        let of = |name: &str| EnginePaths::new(&dir.path().join("run"), &dir.path().join(name));
        let _server = UnixListener::bind(dir.path().join("default")).unwrap();
        fs::hard_link(dir.path().join("default"), dir.path().join("link")).unwrap();
        let (one, two) = (of("default"), of("link"));
        let lock = EngineLock::acquire(&one).unwrap();
        let refused = EngineLock::acquire(&two).unwrap_err();
        assert!(matches!(refused, LockError::Held { .. }), "{refused}");
        drop(lock);
        EngineLock::acquire(&two).unwrap();
    }

    #[test]
    fn a_server_s_place_is_known_by_each_way_to_it_also_while_none_runs() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("d")).unwrap();
        assert!(is_same(&dir.path().join("d/s"), &dir.path().join("d/../d/s")));
        assert!(!is_same(&dir.path().join("d/s"), &dir.path().join("s")));
        assert!(!is_same(&dir.path().join("d/s"), &dir.path().join("d/t")));
        fs::write(dir.path().join("plain"), "").unwrap();
        assert!(!is_same(&dir.path().join("plain"), &dir.path().join("plain")), "no socket, no server");
    }
}
