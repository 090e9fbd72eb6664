//! Completions and the manual page: nothing is missing, and the page is as it was last reviewed.
//!
//! After a new verb or option: `INSTA_UPDATE=always cargo test --test cli generated`, then read the difference.

use super::tmux_orc;

#[test]
fn completions_are_made_for_every_shell() {
    let home = tempfile::tempdir().unwrap();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let (code, stdout, stderr) = tmux_orc(home.path(), &["completions", shell]);
        assert!(code == 0 && stdout.contains("config"), "{shell}: {stderr}");
    }
    let (code, _, stderr) = tmux_orc(home.path(), &["completions", "csh"]);
    assert!(code == 2 && stderr.contains("possible values"), "{stderr}");
}

#[test]
fn the_manual_page_is_as_reviewed() {
    let home = tempfile::tempdir().unwrap();
    let (_, page, _) = tmux_orc(home.path(), &["man"]);
    // The version changes with each release, the page does not.
    let page = page.replace(env!("CARGO_PKG_VERSION"), "VERSION");
    insta::assert_snapshot!("man", page);
}

/// Every verb and long option that is not hidden, of the whole command line.
fn words(command: &clap::Command, out: &mut std::collections::BTreeSet<String>) {
    for arg in command.get_arguments().filter(|arg| !arg.is_hide_set()) {
        out.extend(arg.get_long().map(str::to_owned));
    }
    for verb in command.get_subcommands().filter(|verb| !verb.is_hide_set()) {
        out.insert(verb.get_name().to_owned());
        words(verb, out);
    }
}

#[test]
fn nothing_is_missing_from_completions_and_manual() {
    let home = tempfile::tempdir().unwrap();
    let mut expected = std::collections::BTreeSet::new();
    words(&<tmux_orc::app::cli::Cli as clap::CommandFactory>::command(), &mut expected);
    assert!(expected.len() > 40, "{expected:?}");
    for shell in ["bash", "zsh", "fish"] {
        let (_, script, _) = tmux_orc(home.path(), &["completions", shell]);
        let missing: Vec<_> = expected.iter().filter(|word| !script.contains(word.as_str())).collect();
        assert!(missing.is_empty(), "{shell}: {missing:?}");
    }
    let (_, page, _) = tmux_orc(home.path(), &["man"]);
    let page = page.replace("\\-", "-");
    let missing: Vec<_> = expected.iter().filter(|word| !page.contains(word.as_str())).collect();
    assert!(missing.is_empty(), "manual page: {missing:?}");
}

#[test]
fn the_manual_page_has_every_verb_with_its_options() {
    let home = tempfile::tempdir().unwrap();
    let (code, page, _) = tmux_orc(home.path(), &["man"]);
    assert_eq!(code, 0);
    for part in [".TH tmux-orc 1", ".SS \"config show\"", "\\-\\-force", "NAME", "EXTRA"] {
        assert!(page.contains(part), "{part} is missing:\n{page}");
    }
}
