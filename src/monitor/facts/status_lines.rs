//! What the commands of agents' status lines were told, a small file for each session: written by `hook statusline`, read by
//! the engine.

use std::{
    fs::{self, DirBuilder, OpenOptions},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt},
    path::Path,
    time::{Duration, SystemTime},
};

use crate::monitor::facts::{file::read_foreign, fnv::fnv};
use crate::monitor::usage::StatusLine;

/// Largest file that is read, bytes; one has some hundreds.
const LARGEST: u64 = 16 << 10;

/// Longest name of a session that is a file's name as it is, characters.
const LONGEST_NAME: usize = 64;

/// How long a session's file stays after its last word: the week that its longest limit lasts.
const KEPT_FOR: Duration = Duration::from_secs(8 * 86_400);

/// Most files that are looked at for old ones.
const MOST_FILES: usize = 10_000;

/// Keeps what was said of a session, in a folder and a file that only their owner can read. It is written whole or not at
/// all; nobody waits for the disk: what is lost with the power is said again soon.
///
/// # Errors
/// When it cannot be written, or the folder is not this user's.
pub fn save(folder: &Path, line: &StatusLine) -> io::Result<()> {
    private(folder)?;
    let path = folder.join(name(&line.session_id));
    let is_new = fs::symlink_metadata(&path).is_err();
    let fresh = folder.join(format!("{}.{}.tmp", name(&line.session_id), std::process::id()));
    let written = write(&fresh, line).and_then(|()| fs::rename(&fresh, &path));
    if written.is_err() {
        fs::remove_file(&fresh).ok();
    }
    if is_new {
        remove_old(folder);
    }
    written
}

/// What was said last of a session; `None` where nothing was, or what stands there is not ours.
#[must_use]
pub fn load(folder: &Path, session: &str) -> Option<StatusLine> {
    let owner = rustix::process::geteuid().as_raw();
    let bytes = read_foreign(&folder.join(name(session)), LARGEST, owner).ok()?;
    let line: StatusLine = serde_json::from_slice(&bytes).ok()?;
    (line.session_id == session).then(|| line.checked())
}

/// The name of a session's file. A session can be called anything; what is no plain name gives a number.
fn name(session: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    match session.len() <= LONGEST_NAME && !session.is_empty() && session.chars().all(is_plain) {
        true => format!("{session}.json"),
        false => format!("={:016x}.json", fnv(session.bytes())),
    }
}

/// Makes the folder, or checks that it is its owner's alone.
fn private(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let found = fs::symlink_metadata(folder)?;
    if !found.is_dir() || found.uid() != rustix::process::geteuid().as_raw() {
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, "the folder is not this user's"));
    }
    if found.mode() & 0o077 != 0 {
        fs::set_permissions(folder, fs::Permissions::from_mode(0o700))?;
    }
    Ok(())
}

fn write(path: &Path, line: &StatusLine) -> io::Result<()> {
    // Left by a process of this id that was killed while it wrote.
    fs::remove_file(path).ok();
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(&serde_json::to_vec(line)?)
}

/// Removes the files of sessions of which nothing was said for long.
fn remove_old(folder: &Path) {
    let Some(oldest) = SystemTime::now().checked_sub(KEPT_FOR) else { return };
    let Ok(entries) = fs::read_dir(folder) else { return };
    for path in entries.take(MOST_FILES).filter_map(|entry| Some(entry.ok()?.path())) {
        let found = fs::symlink_metadata(&path);
        if found.is_ok_and(|found| found.is_file() && found.modified().is_ok_and(|written| written < oldest)) {
            fs::remove_file(&path).ok();
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    fn line(session: &str) -> StatusLine {
        StatusLine {
            session_id: session.to_owned(),
            cost_usd: Some(1.5),
            at: Timestamp::now(),
            ..StatusLine::default()
        }
    }

    #[test]
    fn it_comes_back_as_it_was_and_only_its_owner_reads_it() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("run/status-lines");
        assert_eq!(load(&folder, "a"), None);
        let strange = ["a-1_B", "../../etc/passwd", "", "a/b", ".", "ünï", &"x".repeat(500)];
        for session in strange {
            save(&folder, &line(session)).unwrap();
            save(&folder, &line(session)).unwrap();
            assert_eq!(load(&folder, session).unwrap().cost_usd, Some(1.5), "{session}");
        }
        let mode = |path: &Path| fs::metadata(path).unwrap().mode() & 0o777;
        assert_eq!((mode(&folder), mode(&dir.path().join("run"))), (0o700, 0o700));
        let files: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert_eq!(files.len(), strange.len(), "nothing beside them: {files:?}");
        assert!(files.iter().all(|path| mode(path) == 0o600 && path.file_name().unwrap().len() < 80));
    }

    #[test]
    fn what_is_not_ours_is_not_read() {
        let dir = tempfile::tempdir().unwrap();
        save(dir.path(), &line("a")).unwrap();
        fs::rename(dir.path().join("a.json"), dir.path().join("b.json")).unwrap();
        assert_eq!(load(dir.path(), "b"), None, "of another session");
        fs::write(dir.path().join("c.json"), "{\"session_id\":\"c\",\"cost_usd\":-7,\"model\":\"\\u001b[31mx\"}")
            .unwrap();
        let read = load(dir.path(), "c").unwrap();
        assert_eq!((read.cost_usd, read.model.as_deref()), (None, Some("x")));
        fs::write(dir.path().join("d.json"), "no").unwrap();
        std::os::unix::fs::symlink(dir.path().join("c.json"), dir.path().join("e.json")).unwrap();
        assert!(load(dir.path(), "d").is_none() && load(dir.path(), "e").is_none());
        let link = dir.path().join("link");
        std::os::unix::fs::symlink(dir.path(), &link).unwrap();
        assert!(save(&link, &line("a")).is_err());
        assert!(save(Path::new("/dev/null/folder"), &line("a")).is_err());
    }

    #[test]
    fn old_ones_go_when_a_new_one_comes() {
        let dir = tempfile::tempdir().unwrap();
        for session in ["old", "young"] {
            save(dir.path(), &line(session)).unwrap();
        }
        for (session, days) in [("old", 9), ("young", 7)] {
            let at = SystemTime::now() - Duration::from_secs(days * 86_400);
            let file = fs::File::options().write(true).open(dir.path().join(format!("{session}.json"))).unwrap();
            file.set_modified(at).unwrap();
        }
        save(dir.path(), &line("young")).unwrap();
        assert!(load(dir.path(), "old").is_some(), "a file that is there already costs no look at the others");
        save(dir.path(), &line("new")).unwrap();
        let there = ["old", "young", "new"].map(|session| load(dir.path(), session).is_some());
        assert_eq!(there, [false, true, true]);
    }
}
