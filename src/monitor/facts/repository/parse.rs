//! The few files of a repository that are read, as bytes: `HEAD`, a `.git` that is a file, `commondir`. Pure.
//!
//! What they may hold is gitrepository-layout(5); what git accepts is `read_gitfile_gently` and `parse_oid_hex` of its
//! setup.c and hex.c.

use std::path::PathBuf;

/// Characters that a commit is shown with, as git shows one of a small repository.
const SHORT: usize = 7;

/// Where a working tree stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Head {
    /// On a ref: its full name, such as `refs/heads/topic/one`.
    Ref(String),
    /// On a commit: its full name, 40 or 64 hexadecimal digits.
    Commit(String),
}

impl Head {
    /// Reads `HEAD`. An error says what it holds instead.
    pub fn parse(bytes: &[u8]) -> Result<Self, &'static str> {
        let text = std::str::from_utf8(bytes).map_err(|_| "HEAD is not UTF-8 text")?;
        let first = text.split(['\n', '\r']).next().unwrap_or_default();
        if let Some(name) = first.strip_prefix("ref:") {
            return Self::on(name.trim_matches([' ', '\t']));
        }
        let commit = first.trim_end();
        match commit.len() {
            40 | 64 if commit.bytes().all(|b| b.is_ascii_hexdigit()) => Ok(Self::Commit(commit.to_ascii_lowercase())),
            _ => Err("HEAD names neither a branch nor a commit"),
        }
    }

    /// On the ref of this name.
    pub fn on(name: &str) -> Result<Self, &'static str> {
        // What git writes there for repositories that keep their refs in tables (its refs/reftable-backend.c).
        if name == "refs/heads/.invalid" {
            return Err("its refs are kept in reftable files, which only git reads");
        }
        // git-check-ref-format(1).
        let bad = |c: char| c.is_control() || matches!(c, ' ' | '~' | '^' | ':' | '?' | '*' | '[' | '\\');
        match name.strip_prefix("refs/") {
            Some(rest) if !rest.is_empty() && !name.contains(bad) && !name.contains("..") => {
                Ok(Self::Ref(name.to_owned()))
            }
            _ => Err("HEAD names no ref that git would take"),
        }
    }

    /// What people call it: the branch, or the commit's first digits.
    #[must_use]
    pub fn short(&self) -> &str {
        match self {
            Self::Ref(name) => name.strip_prefix("refs/heads/").or_else(|| name.strip_prefix("refs/")).unwrap_or(name),
            Self::Commit(commit) => commit.get(..SHORT).unwrap_or(commit),
        }
    }
}

/// The folder that a `.git` file names, as written.
#[must_use]
pub fn git_file(bytes: &[u8]) -> Option<PathBuf> {
    path(bytes.strip_prefix(b"gitdir: ")?)
}

/// The path that a file holds and nothing else, as `commondir` does.
#[must_use]
pub fn path(bytes: &[u8]) -> Option<PathBuf> {
    use std::os::unix::ffi::OsStrExt;
    let end = bytes.iter().rposition(|b| !matches!(b, b'\n' | b'\r')).map_or(0, |last| last + 1);
    let path = &bytes[..end];
    let fine = !path.is_empty() && !path.contains(&0) && !path.contains(&b'\n');
    fine.then(|| PathBuf::from(std::ffi::OsStr::from_bytes(path)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn short(text: &str) -> Result<String, &'static str> {
        Head::parse(text.as_bytes()).map(|head| head.short().to_owned())
    }

    #[test]
    fn a_branch_keeps_its_slashes_and_a_commit_is_short() {
        assert_eq!(short("ref: refs/heads/main\n").as_deref(), Ok("main"));
        assert_eq!(short("ref: refs/heads/feat/one/two").as_deref(), Ok("feat/one/two"));
        assert_eq!(short("ref:\trefs/remotes/origin/x\r\n").as_deref(), Ok("remotes/origin/x"));
        assert_eq!(short("43AF5AD0123456789012345678901234567890ab\n").as_deref(), Ok("43af5ad"));
        assert_eq!(short(&"a".repeat(64)).as_deref(), Ok("aaaaaaa"));
    }

    #[test]
    fn what_git_would_not_take_is_nothing() {
        let hostile = [
            "",
            "ref:",
            "ref: main",
            "ref: refs/",
            "ref: refs/heads/../../etc",
            "ref: refs/heads/a\u{1b}[31m",
            "ref: refs/heads/a b",
            "43af5ad",
            "zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz",
        ];
        for text in hostile {
            assert!(short(text).is_err(), "{text:?}");
        }
        assert!(Head::parse(b"ref: refs/heads/\xff").is_err());
        assert!(short("ref: refs/heads/.invalid\n").unwrap_err().contains("reftable"));
    }

    #[test]
    fn a_git_file_names_a_folder() {
        let named = |text: &str| git_file(text.as_bytes()).map(|path| path.display().to_string());
        assert_eq!(named("gitdir: ../.git/modules/sub\n").as_deref(), Some("../.git/modules/sub"));
        assert_eq!(named("gitdir: /a b/.git/worktrees/w\r\n").as_deref(), Some("/a b/.git/worktrees/w"));
        for text in ["", "gitdir:", "gitdir: ", "gitdir: \n", "gitdir: a\nb", "gitdir: a\0b", "/a/.git"] {
            assert_eq!(named(text), None, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_break_the_parsers(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = (git_file(&bytes), path(&bytes));
            if let Ok(head) = Head::parse(&bytes) {
                prop_assert!(!head.short().is_empty() && !head.short().contains(char::is_control));
            }
        }

        #[test]
        fn what_names_a_ref_is_shown_without_controls(name in "\\PC{0,40}", end in "[\r\n]{0,2}") {
            if let Ok(Head::Ref(full)) = Head::parse(format!("ref: refs/heads/{name}{end}").as_bytes()) {
                prop_assert_eq!(full.strip_prefix("refs/heads/"), Some(name.trim_matches([' ', '\t'])));
                prop_assert!(!full.contains(char::is_control) && !full.contains(".."));
            }
        }
    }
}
