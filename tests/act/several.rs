//! Several who watch one server: of those inside one keeps journal and notices, and another when it goes.

use rustix::process::Signal;

use crate::{
    notices::{lines, recorder, settings},
    stage::{ASKS, IDLE, Stage, WORKS},
    support::{PATIENCE, Terminal, alive, signal, wait_for},
};

type Record = serde_json::Value;

fn records(stage: &Stage) -> Vec<Record> {
    let lines = stage.server.orc(&["events", "--since", "1h", "--json"]).stdout();
    lines.lines().map(|line| serde_json::from_str(line).expect("a record")).collect()
}

fn went(stage: &Stage, to: &str) -> usize {
    records(stage).iter().filter(|record| record["event"] == "transition" && record["to"] == to).count()
}

fn count(stage: &Stage, event: &str) -> usize {
    records(stage).iter().filter(|record| record["event"] == event).count()
}

fn dashboard(stage: &Stage, width: u16) -> Terminal {
    let terminal = Terminal::open(&stage.server, &["perf", "watch"], width, 42);
    terminal.wait("the agent", |screen| screen.contains("main:1.0"));
    terminal
}

#[tokio::test]
async fn of_several_dashboards_one_keeps_and_the_next_when_it_is_killed() {
    let stage = Stage::new();
    let one = stage.agent("one", WORKS);
    let (hook, told) = recorder(&stage, "hook", "cat; echo");
    let rules = format!("  on: [waiting]\n  bell: false\n  tmux: false\n  command: [{hook:?}]\n");
    settings(&stage.server.home().join("orc"), &rules);
    let terminals = [150, 140, 130].map(|width| dashboard(&stage, width));
    stage.show(&one, ASKS);
    wait_for("the notice", PATIENCE, || !lines(&told).is_empty());
    for terminal in &terminals {
        terminal.wait_text("permission");
    }
    assert_eq!((went(&stage, "waiting"), count(&stage, "appeared"), count(&stage, "engine_started")), (1, 1, 1));
    // Whoever keeps is killed; what happens then is told once too.
    let keeper = records(&stage)[0]["by"].as_u64().and_then(|pid| u32::try_from(pid).ok()).expect("a pid");
    signal(keeper, Signal::KILL);
    wait_for("its end", PATIENCE, || !alive(keeper));
    stage.show(&one, WORKS);
    wait_for("the end of the wait", PATIENCE, || went(&stage, "working") == 1);
    stage.show(&one, ASKS);
    wait_for("the second notice", PATIENCE, || lines(&told).len() > 1);
    stage.show(&one, IDLE);
    wait_for("the end of the second wait", PATIENCE, || went(&stage, "idle") == 1);
    assert_eq!((went(&stage, "waiting"), count(&stage, "appeared"), lines(&told).len()), (2, 1, 2));
    let report = stage.server.orc(&["report", "--since", "1h", "--json"]).json();
    assert_eq!(
        (report["waits"]["count"].as_u64(), report["waits"]["answered"].as_u64()),
        (Some(2), Some(2)),
        "{report}"
    );
}

#[tokio::test]
async fn a_stopped_dashboard_keeps_nobody_from_keeping() {
    let stage = Stage::new();
    let one = stage.agent("one", WORKS);
    let terminals = [150, 140].map(|width| dashboard(&stage, width));
    wait_for("the keeper", PATIENCE, || count(&stage, "engine_started") == 1);
    let keeper = records(&stage)[0]["by"].as_u64().and_then(|pid| u32::try_from(pid).ok()).expect("a pid");
    signal(keeper, Signal::STOP);
    wait_for("the other one", PATIENCE, || count(&stage, "engine_started") == 2);
    stage.show(&one, ASKS);
    wait_for("the wait", PATIENCE, || went(&stage, "waiting") == 1);
    // Beside an engine that was started meanwhile it begins and ends nothing when it goes on.
    stage.start_engine();
    let other = terminals.iter().find(|terminal| terminal.pid() != keeper).expect("the other one");
    other.wait_text("attached to the engine");
    let marks = || (count(&stage, "engine_started"), count(&stage, "appeared"));
    let before = marks();
    signal(keeper, Signal::CONT);
    let resumed = terminals.iter().find(|terminal| terminal.pid() == keeper).expect("the stopped one");
    resumed.wait_text("attached to the engine");
    stage.show(&one, WORKS);
    wait_for("the answer", PATIENCE, || went(&stage, "working") == 1);
    assert_eq!((marks(), went(&stage, "waiting")), (before, 1));
    let waits = stage.server.orc(&["report", "--since", "1h", "--json"]).json()["waits"].clone();
    assert_eq!((waits["count"].as_u64(), waits["answered"].as_u64()), (Some(1), Some(1)), "{waits}");
    stage.stop_engine();
}

#[tokio::test]
async fn the_same_pane_of_the_next_server_is_another_agent() {
    let stage = Stage::new();
    let one = stage.agent("one", ASKS);
    stage.start_engine();
    wait_for("the wait", PATIENCE, || count(&stage, "appeared") == 1);
    stage.server.crash();
    stage.server.revive();
    stage.server.run(&["set-option", "-g", "status", "off"]);
    let other = stage.agent("one", WORKS);
    assert_eq!(one.pane, other.pane);
    wait_for("the agent of the new server", PATIENCE, || count(&stage, "appeared") == 2);
    let report = || stage.server.orc(&["report", "--since", "1h", "--json"]).json();
    wait_for("both in the report", PATIENCE, || report()["agents"].as_array().is_some_and(|agents| agents.len() == 2));
    let report = report();
    let waits: Vec<u64> = report["agents"]
        .as_array()
        .expect("agents")
        .iter()
        .map(|agent| agent["waits"]["count"].as_u64().expect("a count"))
        .collect();
    assert_eq!(waits, [1, 0], "{report}");
    stage.stop_engine();
}
