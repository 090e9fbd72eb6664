//! The command line from outside: verbs, exit codes, where text goes.

use std::process::Command;

mod asked;
mod benchmark;
mod fleet;
mod generated;
mod machine;
mod notices;
mod pushed;
mod services;
mod setup;
#[path = "../support/mod.rs"]
mod support;
mod tables;
mod there;
mod verbs;

use support::{Program, tmux_orc};

#[test]
fn wrong_usage_is_exit_code_2_and_says_so_on_standard_error() {
    let home = tempfile::tempdir().unwrap();
    for args in
        [&["no-such-verb"][..], &["config", "show", "--no-such-option"], &["config"], &["-L", "a", "-S", "b", "man"]]
    {
        let (code, stdout, stderr) = tmux_orc(home.path(), args);
        assert_eq!(code, 2, "{args:?}: {stderr}");
        assert!(stdout.is_empty() && !stderr.is_empty(), "{args:?}");
    }
}

#[test]
fn help_and_version_are_no_errors() {
    let home = tempfile::tempdir().unwrap();
    let (code, stdout, _) = tmux_orc(home.path(), &["--help"]);
    assert!(code == 0 && stdout.contains("Examples:") && stdout.contains("Exit codes:"), "{stdout}");
    let (code, stdout, _) = tmux_orc(home.path(), &["--version"]);
    // In a checkout with the commit: `tmux-orc 0.1.0 (142f07a3c1)`; else without a word about it.
    let version = format!("tmux-orc {}", env!("CARGO_PKG_VERSION"));
    let commit = stdout.trim_end().strip_prefix(&version).expect("the version");
    let is_commit = |text: &str| text.len() == 10 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let named = commit.strip_prefix(" (").and_then(|rest| rest.strip_suffix(')')).is_some_and(is_commit);
    assert_eq!((code, stdout.lines().count()), (0, 1));
    assert!(named || commit.is_empty(), "{stdout}");
    assert_eq!(named, std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(".git").exists(), "{stdout}");
}

#[test]
fn colour_is_used_when_asked_for_and_not_in_a_pipe() {
    let home = tempfile::tempdir().unwrap();
    let (_, plain, _) = tmux_orc(home.path(), &["config", "show"]);
    assert!(!plain.contains('\u{1b}'));
    let (_, coloured, _) = tmux_orc(home.path(), &["config", "show", "--color", "always"]);
    assert!(coloured.contains("\u{1b}[1mmonitoring:"), "{coloured}");
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let home = tempfile::tempdir().unwrap();
    let mut child = Command::new(Program::PATH)
        .args(["completions", "bash"])
        .env("TMUX_ORC_HOME", home.path())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
}
