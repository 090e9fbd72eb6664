//! A verb that asks the engine names panes by where they stand at this moment.

use super::support::{PATIENCE, TmuxServer, wait_for};

#[test]
fn check_names_the_pane_that_stands_there_now() {
    let server = TmuxServer::start();
    let claude = server.home().join("claude");
    std::os::unix::fs::symlink("/bin/bash", &claude).unwrap();
    let claude = claude.display().to_string();
    let pane = |name: &str| server.window(name, &[&claude, "-c", "echo; read -r x"]);
    let (one, two) = (pane("one"), pane("two"));
    let _ = server.orc(&["monitor", "start"]).stdout();
    let stands = |target: &str| server.orc(&["check", target, "--json"]).json()["pane_id"].as_str().unwrap().to_owned();
    wait_for("the agents", PATIENCE, || {
        server.orc(&["agents", "--json"]).json()["agents"].as_array().is_some_and(|agents| agents.len() == 2)
    });
    for turn in 0..3 {
        let (first, second) = if turn % 2 == 0 { (&one, &two) } else { (&two, &one) };
        assert_eq!((&stands("main:1.0"), &stands("main:2.0")), (first, second), "turn {turn}");
        server.run(&["swap-window", "-d", "-s", "main:1", "-t", "main:2"]);
    }
    server.run(&["rename-session", "-t", "main", "desk"]);
    assert_eq!(stands("desk:two"), two);
    let _ = server.orc(&["monitor", "stop"]).stdout();
}
