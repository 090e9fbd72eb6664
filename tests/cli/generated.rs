//! Completions and the manual page name every verb.

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
fn the_manual_page_has_every_verb_with_its_options() {
    let home = tempfile::tempdir().unwrap();
    let (code, page, _) = tmux_orc(home.path(), &["man"]);
    assert_eq!(code, 0);
    for part in [".TH tmux-orc 1", ".SS \"config show\"", "\\-\\-force", "NAME", "EXTRA"] {
        assert!(page.contains(part), "{part} is missing:\n{page}");
    }
}
