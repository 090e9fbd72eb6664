//! What is done on another host: verbs that run there, and going there.

use std::{
    io::{BufRead, BufReader},
    process::Stdio,
};

use crate::machine::Machine;
use crate::support::{PATIENCE, Terminal, signal, wait_for};

/// Two machines, one of which is a host of the other.
fn two() -> (Machine, Machine) {
    let (mut near, mut far) = (Machine::new(), Machine::new());
    near.start("default", "here");
    far.start("default", "there");
    (near, far)
}

#[test]
fn a_verb_that_only_the_machine_can_answer_runs_there() {
    let (near, far) = two();
    let odd = "  - { name: odd, connect: [sh, -c, 'cat; exit 0'] }\n  - { name: gone, connect: ['false', bridge] }\n";
    near.settings(&format!("hosts:\n{}{odd}", far.as_host("box")));
    assert_eq!(far.says(&["monitor", "start"]).0, 0);
    wait_for("its journal", PATIENCE, || far.says(&["events"]).1.contains("there:0.0"));
    let (code, stdout, stderr) = near.says(&["why", "there:0.0@box"]);
    assert!(code == 0 && stdout.contains("claude") && stdout.contains("Works in"), "{stdout}{stderr}");
    let why = near.json(&["why", "%0", "--host", "box", "--json"]);
    assert!(why["host"] == "box" && why["verdict"].is_object(), "{why}");
    let (code, stdout, stderr) = near.says(&["why", "nobody@box"]);
    assert!(code == 1 && stdout.is_empty() && stderr.contains("box: no pane at 'nobody'"), "{stderr}");
    assert_eq!(near.says(&["why", "%0@box", "--save", "x"]).0, 2);
    // What happened, on one host and on all machines.
    let (code, stdout, _) = near.says(&["events", "--host", "box"]);
    assert!(code == 0 && stdout.contains("there:0.0") && !stdout.contains("##"), "{stdout}");
    let (code, stdout, stderr) = near.says(&["events", "--all", "--json"]);
    let records: Vec<serde_json::Value> = stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(code == 0 && records.iter().any(|record| record["host"] == "box"), "{stdout}{stderr}");
    assert!(stderr.contains("odd: the program of its `connect`") && stderr.contains("gone: "), "{stderr}");
    assert_eq!(near.says(&["events", "--all", "--strict"]).0, 1);
    let (code, stdout, stderr) = near.says(&["report", "--all"]);
    assert!(code == 0 && stdout.contains("## ·\n") && stdout.contains("## box\n=== Agents since"), "{stdout}{stderr}");
    let usage = near.json(&["usage", "--host", "box", "--json"]);
    assert!(usage["host"] == "box" && usage["totals"].is_object(), "{usage}");
    assert_eq!(near.says(&["usage", "--host", "odd"]).0, 2);
    let (code, _, stderr) = near.says(&["jump", "there:0.0@box"]);
    assert!(code == 1 && stderr.contains("has no terminal"), "{stderr}");
}

#[test]
fn what_happens_there_is_followed_until_it_is_ended() {
    let (near, far) = two();
    near.settings(&format!("hosts:\n{}", far.as_host("box")));
    assert_eq!(far.says(&["monitor", "start"]).0, 0);
    let mut child = near.command(&["events", "--all", "--follow", "--json"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut of = |session: &str| {
        lines.find_map(|line| {
            let line = line.unwrap();
            let record: serde_json::Value = serde_json::from_str(&line).unwrap();
            line.contains(session).then(|| record["host"].clone())
        })
    };
    assert_eq!(of("there:0.0").unwrap(), "box");
    far.shows("default", "later", "an agent\n");
    assert_eq!(of("later:0.0").unwrap(), "box");
    signal(child.id(), rustix::process::Signal::TERM);
    wait_for("its end", PATIENCE, || child.try_wait().unwrap().is_some());
}

#[test]
fn what_another_host_prints_steers_no_terminal() {
    let near = Machine::new();
    near.program(
        "evil",
        "#!/bin/sh\nprintf '\\033]0;x\\007\\033[31mred \\342\\200\\256x\\n'\nprintf '\\033[2Jbad\\n' >&2\nexit 4\n",
    );
    let evil = near.home().join("bin/evil");
    near.settings(&format!("hosts:\n  - {{ name: evil, connect: [{}, bridge] }}\n", evil.display()));
    for verb in [&["events"][..], &["report"], &["usage"], &["why", "x"]] {
        let (code, stdout, stderr) = near.says(&[verb, &["--host", "evil"]].concat());
        assert!(code == 4 && stdout.contains("red"), "{stdout}{stderr}");
        assert!(!format!("{stdout}{stderr}").contains(['\u{1b}', '\u{7}', '\u{202e}']), "{stdout:?}{stderr:?}");
    }
}

#[test]
fn a_jump_shows_the_host_in_a_window_and_the_next_one_moves_it() {
    let (near, far) = two();
    near.settings(&format!("hosts:\n{}", far.by_ssh("box", &near)));
    let other = far.shows("default", "second", "second agent\n");
    // Outside of tmux there is nowhere to go.
    let (code, _, stderr) = near.says(&["jump", "there:0.0@box"]);
    assert!(code == 1 && stderr.contains("not inside tmux"), "{stderr}");
    let socket = near.socket("default").display().to_string();
    let terminal = Terminal::run(&near.server, &["tmux", "-f", "/dev/null", "-S", &socket, "attach"], 100, 30, &[]);
    terminal.wait_text("[here]");
    let jump = |target: &str| {
        let inside = format!("{socket},1,0");
        let output = near.command(&["jump", target]).env("TMUX", inside).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    assert_eq!(jump("there:0.0@box"), "now at %0 on box\n");
    terminal.wait_text("[there]");
    let windows = || near.tmux("default", &["list-windows", "-F", "#{window_name} #{@tmux_orc_link} #{pane_pid}"]);
    let before = windows();
    assert!(before.lines().count() == 2 && before.contains("\nbox box/default "), "{before}");
    // Again, from elsewhere: the same ssh shows the other pane.
    near.tmux("default", &["select-window", "-t", "here:0"]);
    assert_eq!(jump(&format!("{other}@box")), format!("now at {other} on box\n"));
    terminal.wait_text("second agent");
    assert_eq!(windows(), before, "the client there was moved");
    assert_eq!(near.tmux("default", &["display-message", "-p", "-t", "here:", "#{window_name}"]), "box");
}

#[test]
fn a_host_behind_a_host_is_named_and_shown_like_a_server_of_it() {
    let (near, far) = two();
    let mut deep = Machine::new();
    deep.start("default", "below");
    far.settings(&format!("hosts:\n{}", deep.by_ssh("deep", &far)));
    near.settings(&format!("hosts:\n{}", far.by_ssh("box", &near)));
    let (code, stdout, stderr) = near.says(&["check", "below:0.0@box/deep"]);
    assert!(code == 0 && stdout.contains("Target: below:0.0@box/deep (%0)"), "{stdout}{stderr}");
    let why = near.json(&["why", "below:0.0@box/deep", "--json"]);
    assert!(why["verdict"].is_object(), "{why}");
    let socket = near.socket("default").display().to_string();
    let terminal = Terminal::run(&near.server, &["tmux", "-f", "/dev/null", "-S", &socket, "attach"], 100, 30, &[]);
    terminal.wait_text("[here]");
    let jump = near.command(&["jump", "below:0.0@box/deep"]).env("TMUX", format!("{socket},1,0")).output().unwrap();
    assert_eq!(String::from_utf8(jump.stdout).unwrap(), "now at %0 on box\n");
    terminal.wait_text("[below]");
}
