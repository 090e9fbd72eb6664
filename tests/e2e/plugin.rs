//! The tmux plugin: it binds its keys as its options say, and complains when the program is missing.

use std::path::Path;

use crate::support::{Program, TmuxServer};

/// Runs the plugin on a server on whose PATH the program is.
fn load(server: &TmuxServer) -> String {
    let program = Path::new(Program::PATH).parent().expect("a folder");
    let path = format!("{}:{}", program.display(), std::env::var("PATH").expect("a PATH"));
    server.run(&["set-environment", "-g", "PATH", &path]);
    server.run(&["run-shell", concat!(env!("CARGO_MANIFEST_DIR"), "/assets/tmux-orc.tmux")]);
    let keys = server.run(&["list-keys", "-T", "prefix"]);
    keys.lines().filter(|line| line.contains("tmux-orc")).collect::<Vec<_>>().join("\n")
}

#[test]
fn it_binds_a_popup_and_next() {
    let keys = load(&TmuxServer::start());
    assert_eq!(keys.lines().count(), 2, "{keys}");
    assert!(keys.lines().any(|key| key.contains(" A ") && key.contains("display-popup") && key.contains("perf watch")));
    assert!(keys.lines().any(|key| key.contains(" N ") && key.contains("tmux-orc next")), "{keys}");
}

#[test]
fn options_move_a_key_or_leave_it_alone() {
    let server = TmuxServer::start();
    server.run(&["set-option", "-g", "@tmux-orc-popup-key", ""]);
    server.run(&["set-option", "-g", "@tmux-orc-pane-key", "C-a"]);
    server.run(&["set-option", "-g", "@tmux-orc-next-key", "M-n"]);
    let keys = load(&server);
    assert!(!keys.contains("display-popup"), "{keys}");
    assert!(keys.lines().any(|key| key.contains(" C-a ") && key.contains("split-window")), "{keys}");
    assert!(keys.lines().any(|key| key.contains(" M-n ")), "{keys}");
}
