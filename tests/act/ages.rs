//! Ages outlive the engine: whoever watches next goes on with what was known of agents that are provably the same.

use std::fs;

use crate::{
    stage::{ASKS, IDLE, Stage, WORKS},
    support::{PATIENCE, Terminal, alive, signal, wait_for, wait_some},
};

/// State, kind and since of an agent, as a verb tells.
fn row(stage: &Stage, pane: &str) -> Option<(String, String, String)> {
    let agents = stage.server.orc(&["agents", "--json"]).json();
    let agent = agents["agents"].as_array()?.iter().find(|agent| agent["pane_id"] == pane)?.clone();
    let word = |name: &str| agent[name].as_str().unwrap_or_default().to_owned();
    Some((word("state"), word("kind"), word("since")))
}

/// The same, once it is in this state and remembered so.
fn remembered(stage: &Stage, pane: &str, state: &str) -> (String, String, String) {
    let row = wait_some(state, PATIENCE, || row(stage, pane).filter(|row| row.0 == state));
    let run = stage.server.home().join("orc/run");
    wait_for("it to be written down", PATIENCE, || {
        let files = fs::read_dir(&run).expect("the run directory").filter_map(Result::ok);
        let mut texts = files.filter(|file| file.path().extension().is_some_and(|end| end == "agents"));
        texts.any(|file| {
            let text = fs::read_to_string(file.path()).unwrap_or_default();
            text.contains(&row.2) && text.contains(&format!("\"state\":\"{state}\""))
        })
    });
    row
}

fn engine(stage: &Stage) -> u32 {
    let pid = stage.server.orc(&["status", "--json"]).json()["engine"]["pid"].as_u64().expect("a pid");
    u32::try_from(pid).expect("a pid")
}

fn transitions(stage: &Stage) -> Vec<(String, String)> {
    let lines = stage.server.orc(&["events", "--since", "1h", "--json"]).stdout();
    let records = lines.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).expect("a record"));
    let went = records.filter(|record| record["event"] == "transition");
    went.map(|r| (r["from"].as_str().unwrap_or("").to_owned(), r["to"].as_str().unwrap_or("").to_owned())).collect()
}

fn appeared(stage: &Stage) -> usize {
    stage.server.orc(&["events", "--since", "1h", "--json"]).stdout().matches("\"event\":\"appeared\"").count()
}

#[tokio::test]
async fn an_engine_that_starts_goes_on_where_the_last_one_ended() {
    let stage = Stage::new();
    let one = stage.agent("one", WORKS);
    let pane = one.pane.to_string();
    stage.start_engine();
    stage.show(&one, ASKS);
    let asked = remembered(&stage, &pane, "waiting");
    drop(stage.server.orc(&["monitor", "restart"]).stdout());
    assert_eq!(row(&stage, &pane), Some(asked.clone()));
    let pid = engine(&stage);
    signal(pid, rustix::process::Signal::KILL);
    wait_for("the engine's end", PATIENCE, || !alive(pid));
    assert_eq!(row(&stage, &pane), Some(asked.clone()), "a look without an engine");
    stage.start_engine();
    assert_eq!(row(&stage, &pane), Some(asked.clone()));
    assert_eq!(appeared(&stage), 1);
    // What changes while nobody watches is a change, seen by the next one.
    stage.stop_engine();
    stage.show(&one, WORKS);
    let before = transitions(&stage).len();
    stage.start_engine();
    wait_for("the change", PATIENCE, || transitions(&stage)[before..] == [("waiting".into(), "working".into())]);
    assert_eq!(appeared(&stage), 1);
    // Done, and nobody has looked.
    stage.show(&one, IDLE);
    let done = remembered(&stage, &pane, "idle");
    assert_eq!(done.1, "done");
    drop(stage.server.orc(&["monitor", "restart"]).stdout());
    assert_eq!(row(&stage, &pane), Some(done));
    // Another program in the same pane is another agent.
    stage.stop_engine();
    let claude = stage.server.home().join("claude").display().to_string();
    stage.server.run(&["respawn-pane", "-k", "-t", &pane, &claude, "/dev/null"]);
    stage.start_engine();
    wait_for("the new one", PATIENCE, || appeared(&stage) == 2);
    stage.stop_engine();
}

#[tokio::test]
async fn what_somebody_else_wrote_there_is_not_believed() {
    let stage = Stage::new();
    let one = stage.agent("one", ASKS);
    let pane = one.pane.to_string();
    let asked = remembered(&stage, &pane, "waiting");
    let run = stage.server.home().join("orc/run");
    let files = fs::read_dir(&run).expect("the run directory").filter_map(Result::ok);
    let mut memory = files.filter(|file| file.path().extension().is_some_and(|end| end == "agents"));
    let path = memory.next().expect("the memory").path();
    let text = fs::read_to_string(&path).expect("its text");
    fs::write(&path, &text[..text.len() / 2]).expect("cut off");
    assert_ne!(row(&stage, &pane).expect("the agent").2, asked.2);
    // A server of the same socket that was started later has the same pane ids.
    fs::write(&path, text).expect("whole");
    assert_eq!(row(&stage, &pane), Some(asked.clone()));
    stage.server.crash();
    stage.server.revive();
    stage.server.run(&["set-option", "-g", "status", "off"]);
    let other = stage.agent("one", ASKS);
    assert_eq!(other.pane, one.pane);
    assert!(row(&stage, &pane).expect("the agent").2 > asked.2);
}

#[tokio::test]
async fn dashboards_take_over_with_the_ages_and_hand_them_on() {
    let stage = Stage::new();
    let one = stage.agent("one", ASKS);
    let pane = one.pane.to_string();
    stage.start_engine();
    let asked = remembered(&stage, &pane, "waiting");
    let terminals = [140, 130].map(|width| Terminal::open(&stage.server, &["perf", "watch"], width, 42));
    for terminal in &terminals {
        terminal.wait("the agent", |screen| screen.contains("permission") && screen.contains("main:1.0"));
    }
    let pid = engine(&stage);
    signal(pid, rustix::process::Signal::KILL);
    for terminal in &terminals {
        terminal.wait_text("watching from inside");
    }
    assert_eq!(row(&stage, &pane), Some(asked.clone()));
    for terminal in &terminals {
        terminal.keys(&["q"]);
        assert_eq!(terminal.ended(), 0);
    }
    // One that begins when all have ended.
    let terminal = Terminal::open(&stage.server, &["perf", "watch"], 140, 42);
    terminal.wait("the agent", |screen| screen.contains("permission") && screen.contains("main:1.0"));
    assert_eq!(row(&stage, &pane), Some(asked));
    assert_eq!(appeared(&stage), 1, "{}", stage.server.orc(&["events", "--since", "1h"]).stdout());
    let report = stage.server.orc(&["report", "--since", "1h", "--json"]).json();
    assert_eq!(report["agents"].as_array().map(Vec::len), Some(1), "{report}");
    assert_eq!((report["waits"]["count"].as_u64(), report["waits"]["open"].as_u64()), (Some(1), Some(1)), "{report}");
}

#[tokio::test]
async fn looks_without_an_engine_remember_the_one_before() {
    let stage = Stage::new();
    let (one, two) = (stage.agent("one", ASKS), stage.agent("two", WORKS));
    let first = remembered(&stage, &one.pane.to_string(), "waiting");
    stage.show(&two, ASKS);
    let second = remembered(&stage, &two.pane.to_string(), "waiting");
    assert!(first.2 < second.2);
    assert_eq!(row(&stage, &one.pane.to_string()), Some(first));
    let terminals = crate::jumps::Terminals::new();
    let mine = terminals.attach(&stage, "main");
    let visited = [0; 3].map(|_| {
        drop(stage.server.orc(&["next"]).stdout());
        crate::jumps::view(&stage, &mine).split(' ').nth(2).expect("a pane").to_owned()
    });
    assert_eq!(visited, [one.pane, two.pane, one.pane].map(|pane| pane.to_string()));
    // What was seen is what is: nothing is waited for.
    stage.show_anyhow(&one, IDLE);
    wait_for("the look", PATIENCE, || row(&stage, &one.pane.to_string()).is_some_and(|row| row.0 == "idle"));
}
