//! The git directory that git is shown in place of a repository's own: why, says [`super::lines`].

use std::{
    fs::{self, DirBuilder},
    io,
    os::unix::fs::{DirBuilderExt, MetadataExt, symlink},
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

use rustix::process::{Pid, test_kill_process};

use crate::monitor::facts::file;
use crate::monitor::facts::repository::find::Place;
use crate::monitor::facts::repository::lines::Unknown;
use crate::monitor::facts::repository::parse::Head;

/// What git reads in place of the repository's configuration, of the user's and of the system's.
const CONFIG: &str = "\
[core]
	repositoryformatversion = 1
	bare = false
	fsmonitor = false
	hooksPath = /dev/null
	attributesFile = /dev/null
	excludesFile = /dev/null
	preloadIndex = false
	bigFileThreshold = 16m
";

/// The git directory that git is shown; removed with this.
#[derive(Debug)]
pub(super) struct StandIn(PathBuf);

impl StandIn {
    /// Makes it in `work`.
    pub(super) fn new(work: &Path, place: &Place, head: &Head) -> Result<Self, Unknown> {
        let index = fs::symlink_metadata(place.git_dir.join("index"));
        if !index.is_ok_and(|index| index.is_file() && index.uid() == rustix::process::geteuid().as_raw()) {
            return Err("it has no index: nothing was checked out there".into());
        }
        Self::make(work, place, head).map_err(|error| Unknown::Because(format!("{}: {error}", work.display())))
    }

    /// Where it is.
    pub(super) fn dir(&self) -> &Path {
        &self.0
    }

    fn make(work: &Path, place: &Place, head: &Head) -> io::Result<Self> {
        static MADE: AtomicU64 = AtomicU64::new(0);
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        DirBuilder::new().recursive(true).mode(0o700).create(work)?;
        if number == 0 {
            remove_left_behind(work);
        }
        let dir = work.join(format!("git-{}-{number}", std::process::id()));
        DirBuilder::new().mode(0o700).create(&dir)?;
        let made = Self(dir);
        let at = |name: &str| made.0.join(name);
        for name in ["objects", "refs", "packed-refs"] {
            symlink(place.common.join(name), at(name))?;
        }
        let head = match head {
            Head::Ref(name) => format!("ref: {name}\n"),
            Head::Commit(commit) => format!("{commit}\n"),
        };
        fs::write(at("HEAD"), head)?;
        let format = if is_sha256(place) { "[extensions]\n\tobjectFormat = sha256\n" } else { "" };
        fs::write(at("config"), format!("{CONFIG}{format}"))?;
        Ok(made)
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        // Links are removed, not what they lead to.
        if let Err(error) = fs::remove_dir_all(&self.0) {
            tracing::debug!(%error, dir = %self.0.display(), "left behind");
        }
    }
}

/// Whether its objects are named by the longer hash: the one thing that is taken from its configuration.
fn is_sha256(place: &Place) -> bool {
    let config = file::read_anyones(&place.common.join("config"), 1 << 20).unwrap_or_default();
    let says = |line: &str| {
        let line = line.to_ascii_lowercase();
        line.split_once('=').is_some_and(|(key, value)| key.trim() == "objectformat" && value.trim() == "sha256")
    };
    String::from_utf8_lossy(&config).lines().any(says)
}

/// Removes what processes that were killed have left there.
fn remove_left_behind(work: &Path) {
    for entry in fs::read_dir(work).into_iter().flatten().filter_map(Result::ok) {
        let name = entry.file_name();
        let pid = name.to_str().and_then(|name| name.strip_prefix("git-")?.split('-').next()?.parse().ok());
        let gone = |pid| test_kill_process(pid) == Err(rustix::io::Errno::SRCH);
        if pid.and_then(Pid::from_raw).is_some_and(gone) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_killed_leaves_its_folder_only_till_the_next() {
        let dir = tempfile::tempdir().unwrap();
        let own = format!("git-{}-77", std::process::id());
        for name in ["git-2147483646-3", &own, "git-x", "main.sock"] {
            fs::create_dir(dir.path().join(name)).unwrap();
        }
        remove_left_behind(dir.path());
        let mut left: Vec<_> = fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        left.sort_unstable();
        assert_eq!(left, [own.as_str(), "git-x", "main.sock"]);
    }
}
