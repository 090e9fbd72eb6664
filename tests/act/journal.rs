//! The journal from outside: an engine that is killed, events that are followed, the report; and what is told of.

use std::{
    fs,
    io::{BufRead, BufReader},
};

use crate::{
    jumps::Terminals,
    stage::{ASKS, IDLE, Stage, WORKS},
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
    assert_eq!(stage.server.orc(&["events"]).stdout(), "");
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
    wait_for("the second engine's first events", PATIENCE, || {
        events(&stage).iter().filter(|e| e["event"] == "appeared").count() == 2
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

#[tokio::test]
async fn a_change_is_told_once_by_every_way_and_not_of_the_pane_in_view() {
    let stage = Stage::new();
    let (seen, hidden) = (stage.agent("seen", WORKS), stage.agent("hidden", WORKS));
    let home = stage.server.home().join("orc");
    fs::create_dir_all(&home).expect("the base directory");
    let hook = stage.server.home().join("hook");
    fs::write(&hook, "#!/bin/sh\ncat >> \"$1\"\necho >> \"$1\"\n").expect("the hook");
    let told = stage.server.home().join("told");
    let config = format!(
        "notifications:\n  enabled: true\n  on: [waiting, done]\n  bell: true\n  tmux: true\n  command: [sh, {:?}, {:?}]\n",
        hook, told
    );
    fs::write(home.join("config.yaml"), config).expect("the settings");
    stage.server.run(&["set-option", "-g", "status", "on"]);
    stage.server.run(&["set-option", "-g", "display-time", "20000"]);
    let terminals = Terminals::new();
    let mine = terminals.attach(&stage, "main");
    stage.server.run(&["switch-client", "-c", &mine, "-t", &seen.pane.to_string()]);
    stage.start_engine();
    // A dashboard beside it that is attached: it tells of nothing itself.
    let mut dashboard = stage.server.orc(&["perf", "watch", "--json"]).spawn();
    stage.show_anyhow(&seen, ASKS);
    stage.show_anyhow(&hidden, ASKS);
    let lines = || fs::read_to_string(&told).unwrap_or_default().lines().map(str::to_owned).collect::<Vec<_>>();
    wait_for("the hook", PATIENCE, || !lines().is_empty());
    terminals.wait("main", "the message", |screen| screen.contains("main:2.0 claude waits for you (permission)"));
    wait_for("the bell", PATIENCE, || terminals.rang("main"));
    // One that follows is told too, so by then the first would have been told twice.
    stage.show_anyhow(&hidden, IDLE);
    wait_for("the end of the wait", PATIENCE, || went(&stage, "idle") == 1);
    stage.show_anyhow(&hidden, ASKS);
    wait_for("the second", PATIENCE, || lines().len() >= 2);
    let all: Vec<serde_json::Value> =
        lines().iter().map(|line| serde_json::from_str(line).expect("an event as JSON")).collect();
    assert_eq!(all.len(), 2, "{all:?}");
    for one in &all {
        assert_eq!(
            (one["pane_id"].as_str(), one["state"].as_str()),
            (Some(hidden.pane.to_string().as_str()), Some("waiting"))
        );
    }
    signal(dashboard.id(), rustix::process::Signal::TERM);
    dashboard.wait().expect("its end");
    stage.stop_engine();
}

#[tokio::test]
async fn a_dashboard_outside_of_tmux_rings_its_own_terminal() {
    let stage = Stage::new();
    let claude = stage.agent("one", WORKS);
    let home = stage.server.home().join("orc");
    fs::create_dir_all(&home).expect("the base directory");
    fs::write(home.join("config.yaml"), "notifications:\n  enabled: true\n  on: [waiting]\n").expect("the settings");
    let terminals = Terminals::new();
    terminals.dashboard(&stage);
    terminals.wait("dashboard", "the agent", |screen| screen.contains("main:1.0") && screen.contains("working"));
    assert!(!terminals.rang("dashboard"));
    stage.show(&claude, ASKS);
    wait_for("the bell", PATIENCE, || terminals.rang("dashboard"));
}
