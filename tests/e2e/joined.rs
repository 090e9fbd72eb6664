//! What joins it to the user's tmux: the lines of `tmux bindings` on a tmux as it comes, and the side pane.

use crate::support::{PATIENCE, TmuxServer, wait_for};

/// The server reads what `tmux bindings` prints, as a person's configuration does.
fn source(server: &TmuxServer) {
    let file = server.home().join("bindings.conf");
    std::fs::write(&file, server.orc(&["tmux", "bindings"]).stdout()).expect("a file");
    server.run(&["source-file", file.to_str().expect("a plain path")]);
}

fn option(server: &TmuxServer, name: &str) -> String {
    server.run(&["show-options", "-gv", name])
}

#[test]
fn the_status_line_has_room_for_the_segment_and_gets_it_once() {
    let server = TmuxServer::start();
    let stock = option(&server, "status-right");
    for _ in 0..3 {
        source(&server);
    }
    let right = option(&server, "status-right");
    assert!(right.starts_with(&stock) && right.matches("statusline").count() == 1, "{right}");
    assert_eq!(option(&server, "status-right-length"), "120");
    // One that has more room keeps it.
    server.run(&["set-option", "-g", "status-right-length", "200"]);
    source(&server);
    assert_eq!(option(&server, "status-right-length"), "200");
    // The configuration is read from the top again: what it sets before is there, and the segment too.
    server.run(&["set-option", "-g", "status-right", "mine"]);
    source(&server);
    let right = option(&server, "status-right");
    assert!(right.starts_with("mine ") && right.matches("statusline").count() == 1, "{right}");
}

fn panes(server: &TmuxServer) -> Vec<String> {
    server.run(&["list-panes", "-t", "main:0", "-F", "#{pane_id}"]).lines().map(ToOwned::to_owned).collect()
}

/// Opens or closes the side pane, and returns the panes that are there then.
fn toggle(server: &TmuxServer, args: &[&str]) -> Vec<String> {
    let own = server.run(&["display-message", "-p", "-t", "main:0.0", "#{pane_id}"]);
    let _ = server.orc(&[&["sidebar", "--toggle", "--pane", &own], args].concat()).stdout();
    panes(server)
}

#[test]
fn the_side_pane_is_closed_and_nothing_else_that_runs_in_its_place() {
    let server = TmuxServer::start();
    server.run(&["resize-window", "-t", "main:0", "-x", "160", "-y", "40"]);
    server.run(&["set-option", "-g", "remain-on-exit", "on"]);
    let opened = toggle(&server, &[]);
    assert_eq!(opened.len(), 2);
    assert_eq!(toggle(&server, &[]).len(), 1, "closed");
    let opened = toggle(&server, &[]);
    let side = opened.last().expect("a side pane");
    // Its user starts something else in it.
    server.run(&["respawn-pane", "-k", "-t", side, "exec sh"]);
    let now = toggle(&server, &[]);
    assert!(now.contains(side), "{side} was its user's: {now:?}");
    assert_eq!(now.len(), 3, "a new one beside it");
    let closed = toggle(&server, &[]);
    assert!(closed.contains(side) && closed.len() == 2, "{closed:?}");
}

#[test]
fn the_side_pane_is_led_by_the_same_settings() {
    let server = TmuxServer::start();
    server.run(&["resize-window", "-t", "main:0", "-x", "160", "-y", "40"]);
    std::fs::write(server.home().join("other.yaml"), "monitoring: { check_interval: 7 }\n").expect("written");
    let opened = toggle(&server, &["--config", "other.yaml"]);
    let side = opened.last().expect("a side pane");
    let pid = server.run(&["display-message", "-p", "-t", side, "#{pane_pid}"]);
    let expected = server.home().join("other.yaml").display().to_string();
    wait_for("the dashboard's own words", PATIENCE, || {
        let words = std::process::Command::new("ps").args(["-o", "args=", "-p", &pid]).output().expect("ps");
        let words = String::from_utf8_lossy(&words.stdout).into_owned();
        words.contains("perf watch") && words.contains(&format!("--config {expected}"))
    });
}
