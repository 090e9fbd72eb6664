//! Tells the program which commit it is built from, where that can be known: in a checkout, and in a package made by
//! cargo. Elsewhere, as from a tarball, the version says no commit.

use std::{fs, path::Path, process::Command};

/// Digits of a commit that are shown.
const DIGITS: usize = 10;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let version = std::env::var("CARGO_PKG_VERSION").expect("cargo tells the version");
    match of_package().or_else(of_checkout) {
        Some(commit) => println!("cargo::rustc-env=TMUX_ORC_VERSION={version} ({commit})"),
        None => println!("cargo::rustc-env=TMUX_ORC_VERSION={version}"),
    }
}

/// The commit that cargo wrote into the package.
fn of_package() -> Option<String> {
    let text = fs::read_to_string(".cargo_vcs_info.json").ok()?;
    let (_, after) = text.split_once("\"sha1\"")?;
    after.split('"').nth(1).filter(|sha| is_commit(sha)).map(|sha| sha[..DIGITS].to_owned())
}

/// The commit that is checked out here. A repository around us is not ours.
fn of_checkout() -> Option<String> {
    let git = |arguments: &[&str]| {
        let out = Command::new("git").args(arguments).output().ok().filter(|out| out.status.success())?;
        Some(String::from_utf8(out.stdout).ok()?.trim().to_owned())
    };
    let here = fs::canonicalize(".").ok()?;
    if fs::canonicalize(git(&["rev-parse", "--show-toplevel"])?).ok()? != here {
        return None;
    }
    // Each of them changes with a commit or a checkout; one that is missing would make every build start anew.
    for name in ["HEAD", "logs/HEAD"] {
        let path = git(&["rev-parse", "--git-path", name])?;
        if Path::new(&path).exists() {
            println!("cargo::rerun-if-changed={path}");
        }
    }
    git(&["rev-parse", "HEAD"]).filter(|sha| is_commit(sha)).map(|sha| sha[..DIGITS].to_owned())
}

fn is_commit(sha: &str) -> bool {
    sha.len() >= 40 && sha.bytes().all(|byte| byte.is_ascii_hexdigit())
}
