//! The tmux plugin: it binds the keys that the program itself proposes, as its options say.

use std::path::Path;

use crate::support::{Program, TmuxServer};

/// Runs the plugin on a server on whose PATH the program is.
fn load(server: &TmuxServer) -> String {
    let program = Path::new(Program::PATH).parent().expect("a folder");
    let path = format!("{}:{}", program.display(), std::env::var("PATH").expect("a PATH"));
    server.run(&["set-environment", "-g", "PATH", &path]);
    server.run(&["run-shell", concat!(env!("CARGO_MANIFEST_DIR"), "/assets/tmux-orc.tmux")]);
    keys(server)
}

/// The keys that call the program.
fn keys(server: &TmuxServer) -> String {
    let keys = server.run(&["list-keys", "-T", "prefix"]);
    keys.lines().filter(|line| line.contains("tmux-orc")).collect::<Vec<_>>().join("\n")
}

#[test]
fn its_keys_are_those_that_the_program_prints() {
    let plugin = load(&TmuxServer::start());
    assert_eq!(plugin.lines().count(), 4, "{plugin}");
    let server = TmuxServer::start();
    let printed = server.orc(&["tmux", "bindings"]).stdout();
    let file = server.home().join("bindings.conf");
    let bindings: Vec<_> = printed.lines().filter(|line| line.starts_with("bind-key")).collect();
    // However the program calls itself there.
    let bindings = bindings.join("\n").replace(Program::PATH, "tmux-orc");
    std::fs::write(&file, bindings + "\n").expect("a file");
    server.run(&["source-file", file.to_str().expect("a plain path")]);
    assert_eq!(plugin, keys(&server));
}

#[test]
fn options_move_a_key_or_leave_it_alone() {
    let server = TmuxServer::start();
    server.run(&["set-option", "-g", "@tmux-orc-popup-key", ""]);
    server.run(&["set-option", "-g", "@tmux-orc-jump-key", ""]);
    server.run(&["set-option", "-g", "@tmux-orc-next-key", "M-n"]);
    let keys = load(&server);
    assert!(!keys.contains("display-popup"), "{keys}");
    assert!(keys.lines().any(|key| key.contains(" M-n ") && key.contains("tmux-orc next")), "{keys}");
    assert!(keys.lines().any(|key| key.contains(" M-a ") && key.contains("sidebar")), "{keys}");
}
