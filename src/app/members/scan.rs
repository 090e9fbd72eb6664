//! Which tmux servers of this machine are meant, by the sockets that there are.

use std::{
    fs,
    os::unix::fs::{FileTypeExt, MetadataExt},
    path::{Path, PathBuf},
};

/// The word for every socket in tmux's own directory.
const ALL: &str = "all";

/// Bits of a mode that would let others in: tmux refuses such a directory.
const OTHERS: u32 = 0o007;

/// Sockets of the servers that these names mean: `all`, names of sockets in tmux's own directory `dir`, and paths. In the
/// order of their paths, each once, under its real path. Nothing is contacted: whether a server listens is not known.
#[must_use]
pub(crate) fn sockets(names: &[String], dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for name in names {
        match name.as_str() {
            ALL => found.extend(in_directory(dir)),
            path if path.contains('/') => found.extend(socket(PathBuf::from(path))),
            name => found.extend(socket(dir.join(name))),
        }
    }
    found.sort();
    found.dedup();
    found
}

/// All sockets of a directory, if it is one as tmux makes it: real, this user's, closed to others.
fn in_directory(dir: &Path) -> Vec<PathBuf> {
    let uid = rustix::process::getuid().as_raw();
    let ours =
        fs::symlink_metadata(dir).is_ok_and(|meta| meta.is_dir() && meta.uid() == uid && meta.mode() & OTHERS == 0);
    let entries = if ours { fs::read_dir(dir).ok() } else { None };
    entries.into_iter().flatten().flatten().filter_map(|entry| socket(entry.path())).collect()
}

fn socket(path: PathBuf) -> Option<PathBuf> {
    fs::metadata(&path).is_ok_and(|meta| meta.file_type().is_socket()).then(|| real_path(&path))
}

/// The path itself, without links on its way: two of one socket are the same.
pub(crate) fn real_path(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}

#[cfg(test)]
mod tests {
    use std::os::unix::{fs::PermissionsExt, net::UnixListener};

    use super::*;

    #[test]
    fn sockets_are_found_by_name_path_and_all_of_them() {
        let top = tempfile::tempdir().unwrap();
        let dir = top.path().join("tmux-1");
        fs::create_dir(&dir).unwrap();
        fs::set_permissions(&dir, fs::Permissions::from_mode(0o700)).unwrap();
        let _kept = ["default", "work"].map(|name| UnixListener::bind(dir.join(name)).unwrap());
        let elsewhere = top.path().join("own");
        let _other = UnixListener::bind(&elsewhere).unwrap();
        fs::write(dir.join("no-socket"), "x").unwrap();
        let found = |names: &[&str]| {
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            let found = sockets(&names, &dir);
            found.iter().map(|path| path.file_name().unwrap().to_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(found(&["all"]), ["default", "work"]);
        assert_eq!(found(&["work", "all", "work", "gone", "no-socket"]), ["default", "work"]);
        assert_eq!(found(&[elsewhere.to_str().unwrap()]), ["own"]);
        assert_eq!(found(&[]), Vec::<String>::new());
        fs::set_permissions(&dir, fs::Permissions::from_mode(0o707)).unwrap();
        assert_eq!(found(&["all"]), Vec::<String>::new(), "others could have put sockets there");
    }
}
