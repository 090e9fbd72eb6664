//! Finds transcripts by the patterns of a profile. Links are not followed, and nothing is opened.

use std::{
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    time::SystemTime,
};

/// Most names that one search looks at: years of daily work.
const MOST_NAMES: usize = 200_000;

/// How many folders deep `**` goes.
const DEEPEST: usize = 8;

/// A transcript that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Where.
    pub path: PathBuf,
    /// When it was written to last.
    pub modified: SystemTime,
}

/// The regular files of `owner` below `folder` that fit `pattern` and were written to at `since` or later, the newest
/// first. `session` stands for `{session}` in the pattern; any name where it is not known.
#[must_use]
pub fn files(folder: &Path, pattern: &str, session: Option<&str>, owner: u32, since: Option<SystemTime>) -> Vec<Found> {
    // A name of the program's own must not lead out of its folder.
    let session = session.filter(|name| !name.contains(['/', '*']) && *name != "..").unwrap_or("*");
    let pattern = pattern.replace("{session}", session);
    let parts: Vec<&str> = pattern.split('/').filter(|part| !part.is_empty()).collect();
    let mut search = Search { owner, since, left: MOST_NAMES, found: Vec::new() };
    search.below(folder, &parts, 0);
    search.found.sort_unstable_by(|a, b| b.modified.cmp(&a.modified).then_with(|| a.path.cmp(&b.path)));
    search.found
}

struct Search {
    owner: u32,
    since: Option<SystemTime>,
    left: usize,
    found: Vec<Found>,
}

impl Search {
    fn below(&mut self, folder: &Path, parts: &[&str], depth: usize) {
        let Some((part, rest)) = parts.split_first() else { return };
        if *part == "**" {
            self.below(folder, rest, depth);
            if depth < DEEPEST {
                for name in self.names(folder) {
                    let path = folder.join(name);
                    if fs::symlink_metadata(&path).is_ok_and(|found| found.is_dir()) {
                        self.below(&path, parts, depth + 1);
                    }
                }
            }
        } else if part.contains('*') {
            for name in self.names(folder) {
                if fits(part, &name) {
                    self.step(&folder.join(name), rest, depth);
                }
            }
        } else {
            self.step(&folder.join(part), rest, depth);
        }
    }

    fn step(&mut self, path: &Path, rest: &[&str], depth: usize) {
        let Ok(meta) = fs::symlink_metadata(path) else { return };
        if !rest.is_empty() {
            if meta.is_dir() {
                self.below(path, rest, depth);
            }
            return;
        }
        let Ok(modified) = meta.modified() else { return };
        if meta.is_file() && meta.uid() == self.owner && self.since.is_none_or(|since| modified >= since) {
            self.found.push(Found { path: path.to_owned(), modified });
        }
    }

    fn names(&mut self, folder: &Path) -> Vec<String> {
        let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
        let names = entries.take(self.left).filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        let names: Vec<String> = names.collect();
        self.left = self.left.saturating_sub(names.len());
        names
    }
}

/// The session's name in a path below its program's folder, by the pattern that the path fits; `None` where it fits not,
/// or the pattern does not tell where the name begins.
#[must_use]
pub fn session_in(pattern: &str, below: &str) -> Option<String> {
    if pattern.matches('/').count() != below.matches('/').count() {
        return None;
    }
    let mut session: Option<&str> = None;
    for (part, name) in pattern.split('/').zip(below.split('/')) {
        let Some((before, after)) = part.split_once("{session}") else {
            if fits(part, name) {
                continue;
            }
            return None;
        };
        if before.contains('*') || after.contains('*') {
            return None;
        }
        let found = name.strip_prefix(before)?.strip_suffix(after)?;
        if session.is_some_and(|known| known != found) {
            return None;
        }
        session = Some(found);
    }
    session.map(str::to_owned)
}

/// Whether a name fits a pattern in which `*` stands for any part of it.
#[must_use]
pub fn fits(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| name.strip_prefix(first)) else { return false };
    let mut parts = parts.peekable();
    if parts.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn me() -> u32 {
        rustix::process::geteuid().as_raw()
    }

    #[test]
    fn a_star_stands_for_any_part_of_one_name() {
        for (pattern, name, wanted) in [
            ("*.jsonl", "a.jsonl", true),
            ("*.jsonl", "a.json", false),
            ("rollout-*-x.jsonl", "rollout-2026-x.jsonl", true),
            ("rollout-*-x.jsonl", "rollout-x.jsonl", false),
            ("a*a", "a", false),
            ("*", "", true),
            ("a", "a", true),
            ("a", "ab", false),
            ("a*b*c", "a-b-b-c", true),
        ] {
            assert_eq!(fits(pattern, name), wanted, "{pattern} {name}");
        }
    }

    #[test]
    fn files_are_found_newest_first_and_no_link_is_followed() {
        let dir = tempfile::tempdir().unwrap();
        let beside = tempfile::tempdir().unwrap();
        let write = |path: &str, age: u64| {
            let path = dir.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, "").unwrap();
            let at = SystemTime::now() - std::time::Duration::from_secs(age);
            fs::File::options().write(true).open(&path).unwrap().set_modified(at).unwrap();
        };
        write("projects/a/1.jsonl", 50);
        write("projects/b/2.jsonl", 10);
        write("projects/b/2/subagents/3.jsonl", 20);
        write("projects/b/notes.txt", 1);
        fs::write(beside.path().join("secret.jsonl"), "").unwrap();
        std::os::unix::fs::symlink(beside.path(), dir.path().join("projects/link")).unwrap();
        std::os::unix::fs::symlink(beside.path().join("secret.jsonl"), dir.path().join("projects/a/s.jsonl")).unwrap();
        let names = |pattern: &str, session: Option<&str>| {
            let found = files(dir.path(), pattern, session, me(), None);
            let name = |found: &Found| found.path.file_stem().unwrap().to_string_lossy().into_owned();
            found.iter().map(name).collect::<Vec<_>>()
        };
        assert_eq!(names("projects/*/{session}.jsonl", None), ["2", "1"]);
        assert_eq!(names("projects/**/*.jsonl", None), ["2", "3", "1"]);
        assert_eq!(names("projects/*/{session}.jsonl", Some("1")), ["1"]);
        assert_eq!(names("projects/*/{session}/subagents/*.jsonl", Some("2")), ["3"]);
        assert!(names("projects/*/{session}.jsonl", Some("../b/2")).len() == 2, "no name of a session: any");
        assert!(files(dir.path(), "projects/**/*.jsonl", None, me() + 1, None).is_empty(), "another user's");
        let since = SystemTime::now() - std::time::Duration::from_secs(30);
        assert_eq!(files(dir.path(), "projects/**/*.jsonl", None, me(), Some(since)).len(), 2);
    }
}
