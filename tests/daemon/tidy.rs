//! What a user puts on an agent outlives the engine, and is what every verb says of it.

use serde_json::Value;
use tmux_orc::monitor::{Command, TidyChange, Tidying};
use tmux_orc::tmux::PaneId;

use super::{
    support::{PATIENCE, TmuxServer, wait_for},
    watched::Watched,
};

/// A program that the process table calls `claude`, which shows a request.
fn claude(server: &TmuxServer) -> String {
    let program = server.home().join("claude");
    std::os::unix::fs::symlink("/bin/bash", &program).expect("a link");
    let screen = server.home().join("screen");
    std::fs::write(&screen, include_str!("../engine/screens/permission.txt").trim_end()).expect("a file");
    let show = format!("printf '\\033[2J\\033[H'; cat {}; read -r line", screen.display());
    server.window("w", &[&program.display().to_string(), "-c", &show])
}

fn agent(watched: &Watched) -> Option<Value> {
    let (_, stdout, _) = watched.orc(&["agents", "--json"]);
    let json: Value = serde_json::from_str(&stdout).ok()?;
    json["agents"].as_array()?.first().cloned()
}

#[test]
fn who_is_parked_is_so_under_the_next_engine_too_and_without_one() {
    let watched = Watched::new();
    let pane = claude(&watched.server);
    assert_eq!(watched.orc(&["monitor", "start"]).0, 0);
    wait_for("it to wait", PATIENCE, || agent(&watched).is_some_and(|agent| agent["state"] == "waiting"));
    let is = agent(&watched).unwrap();
    assert_eq!((&is["parked"], &is["note"]), (&Value::Bool(false), &Value::Null));
    let pane_id: PaneId = pane.parse().unwrap();
    let (pid, start) = (is["pid"].as_u64().map(|pid| u32::try_from(pid).unwrap()), is["start"].as_u64());
    let tidy = |change| watched.tell(Command::Tidy(Tidying { pane_id, pid, start, change }));
    tidy(TidyChange::Park(true));
    tidy(TidyChange::Describe { name: "parser".into(), note: "ask first".into() });
    let tidied = |watched: &Watched| {
        let is = agent(watched).unwrap();
        (is["parked"] == true && is["name"] == "parser" && is["note"] == "ask first").then_some(is)
    };
    assert!(tidied(&watched).is_some());
    let (code, _, stderr) = watched.orc(&["next"]);
    assert!(code == 1 && stderr.contains("no agent is waiting"), "{stderr}");
    let (_, stdout, _) = watched.orc(&["agents"]);
    assert!(stdout.contains("parked") && stdout.contains("parser") && stdout.contains("ask first"), "{stdout}");
    let (_, stdout, _) = watched.orc(&["why", "parser"]);
    assert!(stdout.contains("named parser, parked, note: ask first"), "{stdout}");

    assert_eq!(watched.orc(&["monitor", "restart"]).0, 0);
    wait_for("the next engine to know it", PATIENCE, || tidied(&watched).is_some());
    assert_eq!(watched.orc(&["monitor", "stop"]).0, 0);
    assert!(tidied(&watched).is_some(), "one look without an engine");
    assert_eq!(watched.orc(&["monitor", "start"]).0, 0);
    tidy(TidyChange::Park(false));
    assert_eq!(agent(&watched).unwrap()["parked"], false);
}
