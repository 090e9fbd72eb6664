//! `scripts/setup` on machines that lack something: it says what, and what to do.

use std::{fs, os::unix::fs::symlink, path::Path, process::Command};

use crate::support::write_program;

/// Runs it on a machine whose PATH has only these programs, made as scripts, and what any system has.
fn setup(programs: &[(&str, &str)], user: u32, home: &Path) -> (i32, String) {
    let bin = home.join("bin");
    fs::create_dir_all(&bin).expect("made");
    for tool in ["sh", "sed", "dirname"] {
        let real = ["/bin", "/usr/bin"].iter().map(|dir| Path::new(dir).join(tool)).find(|path| path.exists());
        symlink(real.expect(tool), bin.join(tool)).ok();
    }
    let id = format!("echo {user}");
    for (name, script) in programs.iter().copied().chain([("id", id.as_str())]) {
        let path = if name.contains('/') { home.join(name) } else { bin.join(name) };
        fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        write_program(&path, &format!("#!/bin/sh\n{script}\n"));
    }
    let out = Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/setup"))
        .env_clear()
        .env("PATH", &bin)
        .env("HOME", home)
        .output()
        .expect("it starts");
    let text = String::from_utf8_lossy(&out.stdout).into_owned() + &*String::from_utf8_lossy(&out.stderr);
    (out.status.code().unwrap_or(-1), text)
}

const NEW: &str = "echo 'cargo 1.999.0 (abc 2030-01-01)'";
const THERE: [(&str, &str); 4] = [("tmux", ""), ("cc", ""), ("ps", ""), ("git", "")];

#[test]
fn a_rust_that_is_too_old_is_said_before_anything_is_built() {
    let home = tempfile::tempdir().expect("made");
    let old = "echo 'cargo 1.65.0'";
    let (code, text) = setup(&[THERE.as_slice(), &[("cargo", old)]].concat(), 0, home.path());
    assert_eq!(code, 1, "{text}");
    let needed = env!("CARGO_PKG_RUST_VERSION");
    assert!(text.contains(&format!("Rust {needed} or newer is needed, found 1.65.0")), "{text}");
    // One that is newer, and one whose second number is longer.
    for version in [NEW, "echo 'cargo 1.100.1'"] {
        let home = tempfile::tempdir().expect("made");
        let (code, text) = setup(&[THERE.as_slice(), &[("cargo", version)]].concat(), 0, home.path());
        assert_eq!((code, text.as_str()), (0, ""));
    }
}

#[test]
fn a_cargo_of_rustup_is_found_before_the_next_login() {
    let home = tempfile::tempdir().expect("made");
    let (code, text) = setup(&[THERE.as_slice(), &[(".cargo/bin/cargo", NEW)]].concat(), 1000, home.path());
    assert_eq!((code, text.as_str()), (0, ""));
    let home = tempfile::tempdir().expect("made");
    let (code, text) = setup(&THERE, 1000, home.path());
    assert!(code == 1 && text.contains("cargo was not found"), "{text}");
}

#[test]
fn without_sudo_the_command_for_root_is_said() {
    let home = tempfile::tempdir().expect("made");
    let (code, text) = setup(&[("cargo", NEW), ("apt-get", "echo ran apt-get $*")], 1000, home.path());
    assert_eq!(code, 1, "{text}");
    let command = "apt-get install --no-install-recommends tmux gcc libc6-dev procps git";
    assert!(text.contains(command) && !text.contains("ran apt-get"), "{text}");
    // Root needs none.
    let home = tempfile::tempdir().expect("made");
    let (code, text) = setup(&[("cargo", NEW), ("apt-get", "echo ran apt-get $*")], 0, home.path());
    assert!(code == 0 && text.contains("ran apt-get install") && text.contains("procps"), "{text}");
}
