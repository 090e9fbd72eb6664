//! The journal from outside: an engine that is killed, events that are followed, the report.

use std::{
    fs,
    io::{BufRead, BufReader},
};

use crate::{
    stage::{ASKS, Stage, WORKS},
    support::{PATIENCE, alive, signal, wait_for},
};

fn engine(stage: &Stage) -> u32 {
    let pid = stage.server.orc(&["status", "--json"]).json()["engine"]["pid"].as_u64().expect("a pid");
    u32::try_from(pid).expect("a pid")
}

fn events(stage: &Stage) -> Vec<serde_json::Value> {
    let lines = stage.server.orc(&["events", "--since", "1h", "--json"]).stdout();
    lines.lines().map(|line| serde_json::from_str(line).expect("a record")).collect()
}

fn went(stage: &Stage, to: &str) -> usize {
    events(stage).iter().filter(|event| event["event"] == "transition" && event["to"] == to).count()
}

#[tokio::test]
async fn events_outlive_a_kill_and_the_report_accounts_for_them() {
    let stage = Stage::new();
    let one = stage.agent("one", WORKS);
    assert!(stage.server.orc(&["events"]).stdout().starts_with("nothing was watched; `tmux-orc monitor start`"));
    assert_eq!(stage.server.orc(&["events", "--json"]).stdout(), "");
    let report = stage.server.orc(&["report", "--since", "8h"]).stdout();
    assert!(report.contains("(8h)"), "{report}");
    stage.start_engine();
    let mut follower = stage.server.orc(&["events", "--follow", "--json"]).spawn();
    let followed = BufReader::new(follower.stdout.take().expect("its output"));
    stage.show(&one, ASKS);
    wait_for("the wait", PATIENCE, || went(&stage, "waiting") == 1);
    stage.show(&one, WORKS);
    wait_for("the answer", PATIENCE, || went(&stage, "working") >= 1);
    let pid = engine(&stage);
    signal(pid, rustix::process::Signal::KILL);
    wait_for("the engine's end", PATIENCE, || !alive(pid));
    // A line that was cut off by it.
    let file = fs::read_dir(stage.server.home().join("orc/events"))
        .expect("a journal")
        .next()
        .expect("a file")
        .expect("a file");
    let mut text = fs::read_to_string(file.path()).expect("its text");
    let whole = text.lines().count();
    text.push_str("{\"at\":\"2026-01-0");
    fs::write(file.path(), text).expect("cut off");
    assert_eq!(events(&stage).len(), whole);
    stage.start_engine();
    wait_for("the second engine to go on", PATIENCE, || {
        events(&stage).iter().filter(|e| e["event"] == "watched").count() == 1
    });
    stage.stop_engine();
    let all = events(&stage);
    assert_eq!(all.last().expect("an event")["event"], "engine_stopped");
    assert!(all.iter().all(|event| event["server"] == stage.server.socket().display().to_string()));

    let report = stage.server.orc(&["report", "--since", "1h", "--json"]).json();
    let agent = &report["agents"][0];
    assert_eq!((agent["agent"].as_str(), agent["waits"]["answered"].as_u64()), (Some("claude"), Some(1)), "{report}");
    assert!(agent["waiting"].as_f64().is_some_and(|seconds| seconds > 0.0));
    let text = stage.server.orc(&["report"]).stdout();
    assert!(text.contains("main:1.0") && text.contains('█') && text.contains("Waits: 1, answered 1"), "{text}");

    signal(follower.id(), rustix::process::Signal::TERM);
    let lines: Vec<String> = followed.lines().map(|line| line.expect("a line")).collect();
    follower.wait().expect("its end");
    let told: Vec<&String> =
        lines.iter().filter(|line| line.contains("\"transition\"") && line.contains("\"to\":\"waiting\"")).collect();
    assert_eq!(told.len(), 1, "{lines:?}");
}
