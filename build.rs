//! Writes the built-in profiles as JSON, which the program reads faster than the YAML that people read. Tells it which
//! commit it is built from, where that can be known: in a checkout, and in a package made by cargo. Elsewhere, as from a
//! tarball, the version says no commit.

use std::path::{Path, PathBuf};
use std::{fs, process::Command};

#[path = "src/yaml.rs"]
#[expect(dead_code, reason = "the program uses the rest")]
mod yaml;

/// Digits of a commit that are shown.
const DIGITS: usize = 10;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    profiles();
    let version = std::env::var("CARGO_PKG_VERSION").expect("cargo tells the version");
    match of_package().or_else(of_checkout) {
        Some(commit) => println!("cargo::rustc-env=TMUX_ORC_VERSION={version} ({commit})"),
        None => println!("cargo::rustc-env=TMUX_ORC_VERSION={version}"),
    }
}

/// Writes `assets/agents/NAME.yaml` to `agents/NAME.json` in the folder of what is built, keys in the same order: that of
/// regions counts. What a profile means is none of our business here.
fn profiles() {
    println!("cargo::rerun-if-changed=assets/agents");
    println!("cargo::rerun-if-changed=src/yaml.rs");
    let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo tells the folder")).join("agents");
    fs::create_dir_all(&out).expect("a folder of our own");
    for file in fs::read_dir("assets/agents").expect("the profiles") {
        let path = file.expect("a profile").path();
        let text = fs::read_to_string(&path).expect("a text");
        let json = yaml::to_json(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let name = path.file_stem().expect("a file's name");
        fs::write(out.join(name).with_extension("json"), json).expect("a file of our own");
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
