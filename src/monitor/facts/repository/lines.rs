//! Lines added and removed against `HEAD`, counted by `git diff` in such a way that it runs nothing else.
//!
//! A repository's own configuration can name programs that `git diff` starts: `core.fsmonitor`, hooks, `diff.external`, a
//! `textconv`, `filter.NAME.clean` (gitattributes(5), git-config(1)). There is no option against all of them, and new ones may
//! come. So git is not shown that configuration at all: it gets a git directory of ours, which only we can write, with a
//! `config` of ours and links to the repository's objects and refs (what git-new-workdir of its contrib did); the index is read
//! where it is. Without the configuration the attributes of the files name drivers that are not there, which git passes over.
//! It never fetches: no remote is known there either. That ends of lines may be converted is allowed for by
//! `--ignore-cr-at-eol`.

use std::{io, path::Path, process::Stdio, time::Duration};

use rustix::process::{Pid, setpriority_process};
use tokio::{
    io::{AsyncRead, AsyncReadExt},
    process::Command,
};

use crate::monitor::facts::file;
use crate::monitor::facts::repository::find::Place;
use crate::monitor::facts::repository::stand_in::StandIn;

/// Longest time that one count may take.
const LIMIT: Duration = Duration::from_secs(10);

/// Longest time for what is prepared on the disk.
const PREPARE: Duration = Duration::from_secs(1);

/// Most bytes of what git says that are read: it is one line.
const MOST: u64 = 4096;

/// How much others go before it.
const NICE: i32 = 10;

/// What is said to git, beside what the environment says.
const ARGUMENTS: [&str; 10] = [
    "--no-pager",
    "--no-optional-locks",
    "diff",
    "--no-ext-diff",
    "--no-textconv",
    "--no-color",
    "--ignore-submodules=all",
    "--ignore-cr-at-eol",
    "--shortstat",
    "HEAD",
];

/// Lines that differ from what is committed, in files that git knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lines {
    /// Not there before.
    pub added: u64,
    /// There no more.
    pub removed: u64,
}

/// Why they cannot be told.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unknown {
    /// There is no git.
    #[error("git is not installed")]
    NoGit,
    /// Anything else.
    #[error("{0}")]
    Because(String),
}

impl From<&str> for Unknown {
    fn from(why: &str) -> Self {
        Self::Because(why.to_owned())
    }
}

/// Counts them in the working tree of `place`. `work`: a folder of ours that nobody else can write.
///
/// # Errors
/// Why they cannot be told.
pub async fn count(git: &Path, place: &Place, work: &Path) -> Result<Lines, Unknown> {
    let root = place.root.clone().ok_or("a bare repository has no files")?;
    if !place.is_own {
        return Err("the repository is another user's: no process is started for it".into());
    }
    let head = place.head.clone().map_err(Unknown::Because)?;
    let (work, at) = (work.to_owned(), place.clone());
    let stand_in = file::beside(PREPARE, move || StandIn::new(&work, &at, &head)).await;
    let stand_in = stand_in.ok_or("the disk does not answer")??;
    let index = place.git_dir.join("index");
    let said = tokio::time::timeout(LIMIT, ask(git, stand_in.dir(), &root, &index)).await;
    said.map_err(|_| Unknown::Because(format!("git took more than {} s", LIMIT.as_secs())))?
}

/// Runs git and reads what it says.
async fn ask(git: &Path, git_dir: &Path, root: &Path, index: &Path) -> Result<Lines, Unknown> {
    let mut command = Command::new(git);
    command.args(ARGUMENTS).arg("--").current_dir("/").kill_on_drop(true);
    command.env_clear().envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
    command.env("GIT_DIR", git_dir).env("GIT_WORK_TREE", root).env("GIT_INDEX_FILE", index);
    // Where the user's own configuration is looked for, by old versions too.
    command.env("HOME", git_dir).env("XDG_CONFIG_HOME", git_dir).env("GIT_CONFIG_GLOBAL", "/dev/null");
    command.env("GIT_CONFIG_NOSYSTEM", "1").env("GIT_CONFIG_SYSTEM", "/dev/null").env("GIT_ATTR_NOSYSTEM", "1");
    command.env("GIT_OPTIONAL_LOCKS", "0").env("GIT_TERMINAL_PROMPT", "0").env("GIT_NO_LAZY_FETCH", "1");
    command.env("GIT_ALLOW_PROTOCOL", "none").env("LC_ALL", "C");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => Unknown::NoGit,
        _ => Unknown::Because(format!("git cannot be started: {error}")),
    })?;
    let pid = child.id().and_then(|pid| Pid::from_raw(i32::try_from(pid).ok()?));
    if let Some(pid) = pid {
        // It may have ended already.
        let _ = setpriority_process(Some(pid), NICE);
    }
    let (out, said) = tokio::join!(read(child.stdout.take()), read(child.stderr.take()));
    let ended = child.wait().await.map_err(|error| Unknown::Because(format!("git: {error}")))?;
    if ended.success() {
        return parse(&out).ok_or_else(|| "git said something that is no count".into());
    }
    let said = said.lines().next().map(|line| file::words(line, 160)).filter(|line| !line.is_empty());
    Err(Unknown::Because(said.map_or_else(|| format!("git ended with {ended}"), |said| format!("git: {said}"))))
}

/// What comes through a pipe, as far as it is of interest: who says more finds it closed.
async fn read(pipe: Option<impl AsyncRead + Unpin>) -> String {
    let mut bytes = Vec::new();
    if let Some(pipe) = pipe {
        let _ = pipe.take(MOST).read_to_end(&mut bytes).await;
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Reads ` 2 files changed, 12 insertions(+), 3 deletions(-)`; nothing at all is no change.
fn parse(said: &str) -> Option<Lines> {
    let mut lines = Lines::default();
    let said = said.trim();
    if said.is_empty() {
        return Some(lines);
    }
    for (at, part) in said.split(',').enumerate() {
        let (number, what) = part.trim().split_once(' ')?;
        let number = number.parse().ok()?;
        match what {
            "file changed" | "files changed" if at == 0 => {}
            "insertion(+)" | "insertions(+)" => lines.added = number,
            "deletion(-)" | "deletions(-)" => lines.removed = number,
            _ => return None,
        }
    }
    Some(lines)
}

#[cfg(test)]
mod tests {
    use std::{fs, path::PathBuf};

    use proptest::prelude::*;

    use super::*;
    use crate::monitor::facts::repository::find::find;

    /// A repository made by git itself, with one commit: `kept`, three lines.
    struct Made {
        dir: tempfile::TempDir,
        root: PathBuf,
    }

    impl Made {
        fn new(options: &[&str]) -> Self {
            let dir = tempfile::tempdir().unwrap();
            let root = dir.path().canonicalize().unwrap().join("app");
            fs::create_dir(&root).unwrap();
            let made = Self { dir, root };
            made.git(&[&["init", "-q", "-b", "main"], options].concat());
            made.write("kept", "one\ntwo\nthree\n");
            made.commit();
            made
        }

        fn git(&self, arguments: &[&str]) {
            let mut git = std::process::Command::new("git");
            git.args(["-c", "user.name=t", "-c", "user.email=t@t", "-c", "commit.gpgsign=false"]);
            git.args(arguments).current_dir(&self.root).env("HOME", self.dir.path());
            let said = git.env("GIT_CONFIG_NOSYSTEM", "1").output().expect("git is installed: scripts/setup");
            assert!(said.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&said.stderr));
        }

        fn write(&self, name: &str, text: &str) {
            fs::write(self.root.join(name), text).unwrap();
        }

        fn commit(&self) {
            self.git(&["add", "-A"]);
            self.git(&["commit", "-q", "-m", "one"]);
        }

        fn work(&self) -> PathBuf {
            self.dir.path().join("work")
        }

        async fn count(&self) -> Result<Lines, Unknown> {
            self.count_in(&self.root).await
        }

        async fn count_in(&self, folder: &Path) -> Result<Lines, Unknown> {
            let place = find(folder, None).unwrap().unwrap();
            let counted = count(Path::new("git"), &place, &self.work()).await;
            assert_eq!(fs::read_dir(self.work()).map_or(0, Iterator::count), 0, "nothing is left behind");
            counted
        }
    }

    fn lines(added: u64, removed: u64) -> Result<Lines, Unknown> {
        Ok(Lines { added, removed })
    }

    #[tokio::test]
    async fn lines_are_those_of_git_itself() {
        for options in [&[][..], &["--object-format=sha256"]] {
            let made = Made::new(options);
            assert_eq!(made.count().await, lines(0, 0));
            made.write("kept", "one\n2\nthree\nfour\n");
            made.write("new", "not known to git\n");
            assert_eq!(made.count().await, lines(2, 1));
            made.git(&["add", "new"]);
            assert_eq!(made.count().await, lines(3, 1), "staged too");
            made.git(&["pack-refs", "--all"]);
            assert_eq!(made.count().await, lines(3, 1));
            made.git(&["checkout", "-q", "--detach"]);
            assert_eq!(made.count().await, lines(3, 1));
            let tree = made.dir.path().join("tree");
            made.git(&["worktree", "add", "-q", tree.to_str().unwrap()]);
            assert_eq!(made.count_in(&tree).await, lines(0, 0), "each working tree is its own");
            fs::remove_file(tree.join("kept")).unwrap();
            assert_eq!(made.count_in(&tree).await, lines(0, 3));
        }
    }

    #[tokio::test]
    async fn ends_of_lines_that_are_converted_are_no_change() {
        let made = Made::new(&[]);
        made.write("kept", "one\r\ntwo\r\nthree\r\nfour\r\n");
        assert_eq!(made.count().await, lines(1, 0));
    }

    /// Sets whatever may make git start a program, each of which touches a file.
    fn lay_traps(made: &Made, canary: &Path) {
        let run = |name: &str| format!("touch {}; cat", canary.join(name).display());
        let keys = [
            "core.fsmonitor",
            "core.pager",
            "core.sshCommand",
            "core.gitProxy",
            "core.editor",
            "core.askPass",
            "diff.external",
            "pager.diff",
            "diff.evil.textconv",
            "diff.evil.command",
            "filter.evil.clean",
            "filter.evil.smudge",
            "filter.evil.process",
            "interactive.diffFilter",
            "credential.helper",
            "uploadpack.packObjectsHook",
            "submodule.sub.update",
            "remote.origin.vcs",
            "alias.diff",
        ];
        for key in keys {
            made.git(&["config", key, &run(key)]);
        }
        made.git(&["config", "filter.evil.required", "true"]);
        made.git(&["config", "extensions.partialClone", "origin"]);
        made.git(&["config", "core.repositoryFormatVersion", "1"]);
        made.git(&["config", "core.hooksPath", canary.to_str().unwrap()]);
        for folder in [canary.to_owned(), made.root.join(".git/hooks")] {
            fs::create_dir_all(&folder).unwrap();
            for hook in
                ["post-index-change", "pre-commit", "fsmonitor-watchman", "post-checkout", "reference-transaction"]
            {
                let file = folder.join(hook);
                fs::write(&file, format!("#!/bin/sh\n{}\n", run(&format!("hook-{hook}")))).unwrap();
                fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
            }
        }
        let attributes = "* filter=evil diff=evil merge=evil\n";
        fs::create_dir_all(made.root.join(".git/info")).unwrap();
        fs::write(made.root.join(".git/info/attributes"), attributes).unwrap();
        made.write(".gitattributes", attributes);
    }

    fn touched(canary: &Path) -> Vec<String> {
        let names = fs::read_dir(canary).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name.contains('.') || name.starts_with("hook-")).collect()
    }

    #[tokio::test]
    async fn a_repository_that_names_programs_runs_none() {
        let made = Made::new(&[]);
        let canary = made.dir.path().join("canary");
        // A submodule with traps of its own.
        let inner = Made::new(&[]);
        made.git(&["-c", "protocol.file.allow=always", "submodule", "add", "-q", inner.root.to_str().unwrap(), "sub"]);
        made.commit();
        lay_traps(&made, &canary);
        fs::write(made.root.join("sub/kept"), "other\n").unwrap();
        let sub = made.root.join(".git/modules/sub/config");
        let text = fs::read_to_string(&sub).unwrap();
        let evil = canary.join("in.submodule");
        fs::write(&sub, format!("{text}\tfsmonitor = \"touch {}; cat\"\n", evil.display())).unwrap();
        made.write("kept", "one\ntwo\nthree\nfour\n");
        assert_eq!(made.count().await, lines(1, 0));
        assert_eq!(touched(&canary), [""; 0]);
        let _ = made.count_in(&made.root.join("sub")).await;
        assert_eq!(touched(&canary), [""; 0]);
        // The traps are real: git as people call it walks into them.
        let mut git = std::process::Command::new("git");
        git.args(["diff", "--numstat", "HEAD"]).current_dir(&made.root).stderr(Stdio::null());
        let _ = git.stdout(Stdio::null()).status();
        assert!(!touched(&canary).is_empty());
    }

    #[tokio::test]
    async fn what_cannot_be_counted_says_why() {
        let made = Made::new(&[]);
        let place = find(&made.root, None).unwrap().unwrap();
        let none = count(Path::new("/nowhere/git"), &place, &made.work()).await;
        assert_eq!(none, Err(Unknown::NoGit));
        let mut others = place.clone();
        others.is_own = false;
        let why = count(Path::new("git"), &others, &made.work()).await.unwrap_err().to_string();
        assert!(why.contains("another user's"), "{why}");
        made.git(&["checkout", "-q", "--orphan", "fresh"]);
        let why = made.count().await.unwrap_err().to_string();
        assert!(why.starts_with("git: "), "{why}");
        fs::remove_file(made.root.join(".git/index")).unwrap();
        assert!(made.count().await.unwrap_err().to_string().contains("no index"));
        let mut bare = place;
        bare.root = None;
        assert!(count(Path::new("git"), &bare, &made.work()).await.unwrap_err().to_string().contains("bare"));
    }

    #[test]
    fn one_line_of_git_is_a_count() {
        let read = |text| parse(text).map(|lines| (lines.added, lines.removed));
        assert_eq!(read(""), Some((0, 0)));
        assert_eq!(read(" 2 files changed, 12 insertions(+), 3 deletions(-)\n"), Some((12, 3)));
        assert_eq!(read(" 1 file changed, 1 insertion(+)"), Some((1, 0)));
        assert_eq!(read(" 1 file changed, 1 deletion(-)"), Some((0, 1)));
        assert_eq!(read(" 1 file changed"), Some((0, 0)));
        for text in ["warning: no", "12", " 1 file changed, -3 insertions(+)", " 1 file changed, 3 of them"] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn whatever_git_says_breaks_nothing(text in ".{0,200}", added: u64) {
            let _ = parse(&text);
            prop_assert_eq!(parse(&format!(" 3 files changed, {added} insertions(+)")).map(|l| l.added), Some(added));
        }
    }
}
