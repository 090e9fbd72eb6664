//! Finds the repository that a folder lies in, by the files that git looks at too. No process is started, and nothing
//! that stands there can hang more than the thread that looks: see [`crate::monitor::facts::file`].

use std::{
    fs, io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    time::SystemTime,
};

use crate::monitor::facts::file;
use crate::monitor::facts::repository::parse::{Head, git_file, path};

/// Most bytes of one of its files: a path or the name of a ref.
const MOST: u64 = 8 * 1024;

/// Most folders from the one asked about up to the top of its working tree.
const MOST_UP: usize = 64;

/// Longest name that is kept, characters.
const LONGEST: usize = 120;

/// Where a folder lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The top of its working tree; `None` in a bare repository.
    pub root: Option<PathBuf>,
    /// The folder with its `HEAD` and index.
    pub git_dir: PathBuf,
    /// The folder with what all its working trees share.
    pub common: PathBuf,
    /// Where it stands; otherwise why that cannot be told.
    pub head: Result<Head, String>,
    /// The repository's name: that of the folder it lies in.
    pub repository: String,
    /// That folder.
    pub path: String,
    /// The name of a working tree beside the main one.
    pub worktree: Option<String>,
    /// All of it is this user's own.
    pub is_own: bool,
    /// `HEAD` as it was when it was read.
    stamp: Option<Stamp>,
}

/// By which a file is known to be as it was.
type Stamp = (SystemTime, u64, u64);

/// Looks for the repository of `folder`: upwards, to the root of the file system or to `home`, as git does. `None` when
/// it lies in none.
///
/// # Errors
/// What is there cannot be a repository's: why, in words.
pub fn find(folder: &Path, home: Option<&Path>) -> Result<Option<Place>, String> {
    // A process's folder that was removed has a name that leads nowhere.
    let Some(device) = fs::metadata(folder).ok().filter(|_| folder.is_absolute()).map(|found| found.dev()) else {
        return Ok(None);
    };
    for dir in folder.ancestors().take(MOST_UP) {
        // git stops there too (GIT_DISCOVERY_ACROSS_FILESYSTEM in git(1)): the next one may be a disk that hangs.
        if fs::metadata(dir).map_or(true, |found| found.dev() != device) {
            break;
        }
        if let Some(place) = at(dir)? {
            return Ok(Some(place));
        }
        if Some(dir) == home {
            break;
        }
    }
    Ok(None)
}

/// The repository whose top, or which itself, is this folder.
fn at(dir: &Path) -> Result<Option<Place>, String> {
    let dot = dir.join(".git");
    match fs::metadata(&dot) {
        Ok(found) if found.is_dir() && is_git_dir(&dot) => return Ok(Some(Place::main(dir, dot))),
        Ok(found) if found.is_file() => return Place::elsewhere(dir, &dot).map(Some),
        // A folder of that name that is none of git's, a FIFO, a loop: git goes on above, too.
        _ => {}
    }
    let bare = dir.file_name().is_some_and(|name| name != ".git") && is_git_dir(dir);
    Ok(bare.then(|| Place::new(None, dir.to_owned(), dir.to_owned(), dir, None)))
}

/// git's own rule (`is_git_directory` of its setup.c).
fn is_git_dir(dir: &Path) -> bool {
    let is_dir = |name: &str| fs::metadata(dir.join(name)).is_ok_and(|found| found.is_dir());
    fs::symlink_metadata(dir.join("HEAD")).is_ok() && is_dir("objects") && is_dir("refs")
}

impl Place {
    fn main(root: &Path, git_dir: PathBuf) -> Self {
        Self::new(Some(root.to_owned()), git_dir.clone(), git_dir, root, None)
    }

    /// Of a `.git` that is a file: a working tree beside the main one, a submodule, or a repository kept elsewhere.
    fn elsewhere(root: &Path, dot: &Path) -> Result<Self, String> {
        let bytes = file::read_anyones(dot, MOST).map_err(|error| format!("its .git cannot be read: {error}"))?;
        let named = git_file(&bytes).ok_or("its .git names no folder")?;
        let git_dir = fs::canonicalize(root.join(named)).map_err(|error| format!("its .git leads nowhere: {error}"))?;
        let common = match file::read_anyones(&git_dir.join("commondir"), MOST) {
            Ok(bytes) => Some(path(&bytes).ok_or("its commondir names no folder")?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(format!("its commondir cannot be read: {error}")),
        };
        let Some(common) = common else {
            return match is_git_dir(&git_dir) {
                true => Ok(Self::new(Some(root.to_owned()), git_dir.clone(), git_dir, root, None)),
                false => Err("its .git leads to no repository".to_owned()),
            };
        };
        let common = fs::canonicalize(git_dir.join(common)).map_err(|error| format!("its commondir: {error}"))?;
        if !is_git_dir(&common) {
            return Err("its .git leads to no repository".to_owned());
        }
        // `project/.git`, or a hidden bare one such as `project/.bare`.
        let hidden = common.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        let main = if hidden { common.parent().unwrap_or(&common).to_owned() } else { common.clone() };
        let worktree = root.file_name().map(|name| file::words(&name.to_string_lossy(), LONGEST));
        Ok(Self::new(Some(root.to_owned()), git_dir, common, &main, worktree))
    }

    fn new(root: Option<PathBuf>, git_dir: PathBuf, common: PathBuf, main: &Path, worktree: Option<String>) -> Self {
        let name = main.file_name().map_or("/".into(), |name| name.to_string_lossy());
        let name = name.strip_suffix(".git").filter(|name| !name.is_empty()).unwrap_or(&name);
        let own = rustix::process::geteuid().as_raw();
        let is_own = |path: &Path| fs::metadata(path).is_ok_and(|found| found.uid() == own);
        let (repository, path) = (file::words(name, LONGEST), file::words(&main.to_string_lossy(), MOST as usize));
        let is_own = root.as_deref().is_none_or(is_own) && is_own(&git_dir) && is_own(&common);
        let stamp = stamp(&git_dir);
        let head = head(&git_dir);
        Self { root, git_dir, common, head, repository, path, worktree, is_own, stamp }
    }

    /// Whether its `HEAD` is the one that was read, as far as its looks tell.
    #[must_use]
    pub fn is_as_read(&self) -> bool {
        self.stamp.is_some() && stamp(&self.git_dir) == self.stamp
    }

    /// The branch, or the commit's first digits.
    #[must_use]
    pub fn branch(&self) -> Option<String> {
        Some(file::words(self.head.as_ref().ok()?.short(), LONGEST))
    }
}

fn stamp(git_dir: &Path) -> Option<Stamp> {
    let found = fs::symlink_metadata(git_dir.join("HEAD")).ok()?;
    Some((found.modified().ok()?, found.ino(), found.len()))
}

fn head(git_dir: &Path) -> Result<Head, String> {
    let at = git_dir.join("HEAD");
    // As git made it long ago, and still takes it.
    if let Ok(target) = fs::read_link(&at) {
        return Head::on(&target.to_string_lossy()).map_err(str::to_owned);
    }
    let bytes = file::read_anyones(&at, MOST).map_err(|error| format!("its HEAD cannot be read: {error}"))?;
    Head::parse(&bytes).map_err(str::to_owned)
}

#[cfg(test)]
mod tests {
    use std::{
        os::unix::fs::symlink,
        process::Command,
        time::{Duration, Instant},
    };

    use super::*;

    /// A `.git` folder by hand, which is on `head`.
    fn git_dir(at: &Path, head: &str) {
        fs::create_dir_all(at.join("objects")).unwrap();
        fs::create_dir_all(at.join("refs")).unwrap();
        fs::write(at.join("HEAD"), head).unwrap();
    }

    fn temp() -> (tempfile::TempDir, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().canonicalize().unwrap();
        (dir, path)
    }

    fn found(folder: &Path) -> Place {
        find(folder, None).unwrap().unwrap()
    }

    fn told(place: &Place) -> (&str, Option<String>, Option<&str>) {
        (&place.repository, place.branch(), place.worktree.as_deref())
    }

    #[test]
    fn a_repository_is_found_from_below() {
        let (_dir, at) = temp();
        git_dir(&at.join("app/.git"), "ref: refs/heads/feat/one\n");
        let deep = at.join("app/src/deep");
        fs::create_dir_all(&deep).unwrap();
        let place = found(&deep);
        assert_eq!(told(&place), ("app", Some("feat/one".into()), None));
        assert_eq!(place.path, at.join("app").display().to_string());
        assert!(place.is_own && place.is_as_read());
        // Not above the home folder, but in it.
        assert_eq!(find(&deep, Some(&at.join("app/src"))), Ok(None));
        assert!(find(&deep, Some(&at.join("app"))).unwrap().is_some());
        fs::write(at.join("app/.git/HEAD"), "43af5ad0123456789012345678901234567890ab\n").unwrap();
        assert!(!place.is_as_read());
        assert_eq!(found(&deep).branch().as_deref(), Some("43af5ad"), "detached");
    }

    #[test]
    fn what_is_no_repository_is_none() {
        let (_dir, at) = temp();
        fs::create_dir_all(at.join("empty/.git")).unwrap();
        fs::create_dir_all(at.join("plain/sub")).unwrap();
        for folder in ["empty", "plain/sub", "missing"] {
            assert_eq!(find(&at.join(folder), Some(&at)), Ok(None), "{folder}");
        }
        assert_eq!(find(Path::new("relative"), None), Ok(None));
        assert_eq!(find(Path::new("/proc/1 (deleted)"), None), Ok(None));
    }

    #[test]
    fn a_working_tree_beside_the_main_one_names_both() {
        let (_dir, at) = temp();
        git_dir(&at.join("app/.git"), "ref: refs/heads/main\n");
        let admin = at.join("app/.git/worktrees/fix");
        fs::create_dir_all(&admin).unwrap();
        fs::write(admin.join("HEAD"), "ref: refs/heads/fix/it\n").unwrap();
        fs::write(admin.join("commondir"), "../..\n").unwrap();
        fs::create_dir_all(at.join("app-fix/src")).unwrap();
        fs::write(at.join("app-fix/.git"), format!("gitdir: {}\n", admin.display())).unwrap();
        let place = found(&at.join("app-fix/src"));
        assert_eq!(told(&place), ("app", Some("fix/it".into()), Some("app-fix")));
        assert_eq!((place.path, place.common), (at.join("app").display().to_string(), at.join("app/.git")));
    }

    #[test]
    fn trees_around_a_bare_repository_and_the_repository_itself() {
        let (_dir, at) = temp();
        git_dir(&at.join("app/.bare"), "ref: refs/heads/main\n");
        fs::write(at.join("app/.git"), "gitdir: ./.bare\n").unwrap();
        let admin = at.join("app/.bare/worktrees/one");
        fs::create_dir_all(&admin).unwrap();
        fs::write(admin.join("HEAD"), "ref: refs/heads/one\n").unwrap();
        fs::write(admin.join("commondir"), "../..").unwrap();
        fs::create_dir_all(at.join("app/one")).unwrap();
        fs::write(at.join("app/one/.git"), format!("gitdir: {}", admin.display())).unwrap();
        assert_eq!(told(&found(&at.join("app/one"))), ("app", Some("one".into()), Some("one")));
        git_dir(&at.join("store.git"), "ref: refs/heads/main\n");
        let bare = found(&at.join("store.git/objects"));
        assert_eq!((told(&bare), &bare.root), (("store", Some("main".into()), None), &None));
        assert_eq!(found(&at.join("app/.bare/refs")).root, None);
    }

    #[test]
    fn a_submodule_is_a_repository_of_its_own() {
        let (_dir, at) = temp();
        git_dir(&at.join("app/.git"), "ref: refs/heads/main\n");
        git_dir(&at.join("app/.git/modules/lib"), "43af5ad0123456789012345678901234567890ab\n");
        fs::create_dir_all(at.join("app/lib")).unwrap();
        fs::write(at.join("app/lib/.git"), "gitdir: ../.git/modules/lib\n").unwrap();
        assert_eq!(told(&found(&at.join("app/lib"))), ("lib", Some("43af5ad".into()), None));
    }

    #[test]
    fn what_a_stranger_may_have_put_there_hangs_and_breaks_nothing() {
        let (_dir, at) = temp();
        let tree = |name: &str| {
            fs::create_dir_all(at.join(name)).unwrap();
            at.join(name).join(".git")
        };
        let fifo = |path: &Path| assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
        fifo(&tree("fifo"));
        symlink(".git", tree("loop")).unwrap();
        symlink("/dev/zero", tree("device")).unwrap();
        fs::File::create(tree("huge")).unwrap().set_len(1 << 40).unwrap();
        fs::write(tree("garbage"), [0xff; 100]).unwrap();
        fs::write(tree("nowhere"), "gitdir: /nowhere/at/all\n").unwrap();
        fs::write(tree("root"), "gitdir: /\n").unwrap();
        for name in ["head-fifo", "head-zero", "head-escape", "head-link"] {
            git_dir(&tree(name), "ref: refs/heads/a\u{1b}]0;t\u{7}\u{202e}b\n");
        }
        for (name, to) in [("head-zero", "/dev/zero"), ("head-link", "refs/heads/old"), ("head-fifo", "")] {
            let head = at.join(name).join(".git/HEAD");
            fs::remove_file(&head).unwrap();
            if to.is_empty() { fifo(&head) } else { symlink(to, head).unwrap() }
        }
        let began = Instant::now();
        for name in ["fifo", "loop", "device"] {
            assert_eq!(find(&at.join(name), Some(&at)), Ok(None), "{name}");
        }
        for name in ["huge", "garbage", "nowhere", "root"] {
            assert!(find(&at.join(name), Some(&at)).is_err(), "{name}");
        }
        for name in ["head-fifo", "head-zero", "head-escape"] {
            assert!(found(&at.join(name)).head.is_err(), "{name}");
        }
        assert_eq!(found(&at.join("head-link")).branch().as_deref(), Some("old"), "as git made it long ago");
        assert!(began.elapsed() < Duration::from_secs(2));
    }

    #[test]
    fn names_are_safe_to_show() {
        let (_dir, at) = temp();
        git_dir(&at.join("a\u{1b}[31mb\u{202e}/.git"), &format!("ref: refs/heads/{}\n", "é".repeat(500)));
        let place = found(&at.join("a\u{1b}[31mb\u{202e}"));
        assert!(!place.repository.contains(char::is_control) && !place.repository.contains('\u{202e}'));
        assert_eq!(place.branch().unwrap().chars().count(), LONGEST + 1);
    }
}
