//! Notices of a host whose engine gives none: once, by the rules of this machine, and never of what was so before.

use std::fs;

use serde_json::{Value, json};
use tmux_orc::monitor::Connector;

use crate::desk::Desk;
use crate::place::Place;
use crate::stage::{ASKS, WORKS};
use crate::support::{PATIENCE, wait_for};

/// The header's count, with its glyph: a line of the events may read `21 working` by its second.
const WORKING: &str = "● 1 working";

/// Settings by which each notice is a line of this file.
fn told_to(file: &std::path::Path) -> Value {
    let command = ["sh", "-c", "cat >> \"$0\"; echo >> \"$0\"", file.to_str().expect("a plain path")];
    json!({ "enabled": true, "bell": false, "tmux": false, "on": ["waiting", "exited"], "command": command })
}

fn lines(file: &std::path::Path) -> Vec<Value> {
    let text = fs::read_to_string(file).unwrap_or_default();
    text.lines().filter(|line| !line.is_empty()).map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

fn desk(place: &Place, file: &std::path::Path) -> Desk {
    let Connector::Command(words) = place.config(&[]).connector else { unreachable!("by a program") };
    let settings = json!({ "hosts": [{ "name": "box", "connect": words }], "notifications": told_to(file) });
    Desk::new(&settings.to_string(), "")
}

#[test]
fn a_host_that_tells_nobody_is_told_of_here_once() {
    let place = Place::new();
    let claude = place.stage.agent("one", ASKS);
    let file = place.stage.server.home().join("told");
    let desk = desk(&place, &file);
    let terminal = desk.terminal(&["--host", "box"]);
    terminal.wait_text("1 needs you");
    // A second dashboard of the same person.
    let second = desk.terminal(&["--host", "box"]);
    second.wait_text("1 needs you");
    place.stage.show(&claude, WORKS);
    terminal.wait_text(WORKING);
    second.wait_text(WORKING);
    assert_eq!(lines(&file), Vec::<Value>::new(), "it waited before the first sight");
    place.stage.show(&claude, ASKS);
    terminal.wait_text("1 needs you");
    wait_for("a notice", PATIENCE, || !lines(&file).is_empty());
    let told = lines(&file);
    assert_eq!(
        (&told[0]["host"], &told[0]["state"], &told[0]["target"]),
        (&"box".into(), &"waiting".into(), &"main:1.0".into())
    );
    // The way and the engine are lost, and found with the same wait.
    place.kill("bridge");
    terminal.wait("it is lost", |screen| !screen.contains("needs you"));
    terminal.wait_text("1 needs you");
    place.kill("--daemon");
    terminal.wait("it is lost again", |screen| !screen.contains("needs you") || screen.contains("stale"));
    terminal.wait_text("1 needs you");
    // What comes after is told: nothing of all that is still on its way then.
    place.stage.show(&claude, WORKS);
    terminal.wait_text(WORKING);
    place.stage.server.run(&["kill-pane", "-t", &claude.pane.to_string()]);
    wait_for("another notice", PATIENCE, || lines(&file).len() > 1 || !terminal.screen().contains(WORKING));
    let states: Vec<Value> = lines(&file).into_iter().map(|line| line["state"].clone()).collect();
    assert!(states.iter().filter(|state| **state == "waiting").count() == 1, "{states:?}");
}

#[test]
fn a_host_that_tells_itself_is_not_told_of_twice() {
    let place = Place::new();
    let claude = place.stage.agent("one", WORKS);
    let (here, there) = (place.stage.server.home().join("here"), place.stage.server.home().join("there"));
    let orc = place.stage.server.home().join("orc");
    fs::create_dir_all(&orc).expect("a folder");
    fs::write(orc.join("config.yaml"), json!({ "notifications": told_to(&there) }).to_string()).expect("settings");
    let desk = desk(&place, &here);
    let terminal = desk.terminal(&["--host", "box"]);
    terminal.wait_text(WORKING);
    place.stage.show(&claude, ASKS);
    wait_for("its own notice", PATIENCE, || lines(&there).len() == 1);
    terminal.wait_text("1 needs you");
    assert_eq!(lines(&there)[0]["host"], Value::Null);
    // Longer than it would have been held back here.
    place.stage.show(&claude, WORKS);
    terminal.wait_text(WORKING);
    place.stage.show(&claude, ASKS);
    terminal.wait_text("1 needs you");
    wait_for("its second one", PATIENCE, || lines(&there).len() == 2);
    assert_eq!(lines(&here), Vec::<Value>::new());
}
