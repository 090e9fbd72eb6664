//! Agents seen from outside: they appear, change state, end and disappear, and each scene is seen as what it is.

use std::path::PathBuf;

use serde_json::Value;
use tmux_orc::{
    app::demo::{Fleet, Plan, scripts},
    monitor::AgentState,
};

use crate::support::{PATIENCE, Program, TmuxServer, Watched, wait_for, wait_some};

/// A plan whose agents change only when someone presses a key in their pane.
pub fn patient(agents: usize) -> Plan {
    Plan { program: PathBuf::from(Program::PATH), pace: 10_000.0, ..Plan::new(agents) }
}

/// Index of an agent's first scene in this state and kind.
pub fn scene(agent: &str, state: AgentState, kind: Option<&str>) -> usize {
    let fits = |scene: &tmux_orc::app::demo::Scene| scene.state == state && scene.kind.as_deref() == kind;
    scripts()[agent].scenes.iter().position(fits).expect("a scene of this state")
}

/// What `agents --json` says, by pane.
fn agents(watched: &impl Watched) -> Vec<Value> {
    let all = watched.orc(&["agents", "--json"]).json();
    assert_eq!(all["schema"], 1);
    all["agents"].as_array().expect("a list").clone()
}

fn find(watched: &impl Watched, pane: &str) -> Option<Value> {
    agents(watched).into_iter().find(|agent| agent["pane_id"] == pane)
}

#[test]
fn an_agent_appears_changes_ends_and_disappears() {
    let plan = patient(1);
    let mut fleet = Fleet::start_plan(&plan).expect("a fleet");
    wait_for("the first agent", PATIENCE, || agents(&fleet).len() == 1);

    let waiting = scene("claude", AgentState::Waiting, Some("permission"));
    let pane = fleet.add(&plan, "claude", waiting).expect("one more");
    wait_for("it to wait", PATIENCE, || find(&fleet, &pane).is_some_and(|agent| agent["state"] == "waiting"));
    let agent = find(&fleet, &pane).expect("the agent");
    assert_eq!(agent["agent"], "claude");
    assert_eq!(agent["kind"], "permission");
    assert_eq!(agent["target"], "extra:0.0");
    assert!(agent["evidence"]["rule"].as_str().is_some_and(|rule| rule.contains("permission")), "{agent}");

    tmux(&fleet, &["send-keys", "-t", &pane, "1"]);
    wait_for("it to work", PATIENCE, || find(&fleet, &pane).is_some_and(|agent| agent["state"] == "working"));

    tmux(&fleet, &["kill-pane", "-t", &pane]);
    wait_for("its disappearance", PATIENCE, || find(&fleet, &pane).is_none());
    assert_eq!(agents(&fleet).len(), 1);
}

#[test]
fn every_simulated_scene_is_seen_as_what_it_is() {
    let plan = Plan { hold: true, ..patient(1) };
    let fleet = Fleet::start_plan(&plan).expect("a fleet");
    let expected: usize = scripts().values().map(|script| script.scenes.len() - 1).sum();
    let wrong = || -> Vec<String> {
        let seen = agents(&fleet);
        let mut wrong = Vec::new();
        if seen.len() != expected {
            wrong.push(format!("{} agents instead of {expected}", seen.len()));
        }
        for agent in &seen {
            let (name, window) = (agent["agent"].as_str().unwrap_or(""), agent["window"].as_str().unwrap_or(""));
            let (script, index) = window.rsplit_once('-').expect("AGENT-INDEX");
            let scene = &scripts()[script].scenes[index.parse::<usize>().expect("an index")];
            let state_fits = agent["state"] == scene.state.to_string().as_str();
            let kind_fits = scene.kind.is_none() || agent["kind"].as_str() == scene.kind.as_deref();
            if name != script || !state_fits || !kind_fits {
                let says = format!("{name} {} {}", agent["state"], agent["kind"]);
                wrong.push(format!("{window}: {} {:?}, but seen {says}", scene.state, scene.kind));
            }
        }
        wrong
    };
    // Once each of them has drawn.
    let start = std::time::Instant::now();
    let mut last = wrong();
    while !last.is_empty() && start.elapsed() < PATIENCE {
        last = wrong();
    }
    assert!(last.is_empty(), "{}", last.join("\n"));
}

#[test]
fn a_shell_is_no_agent_and_no_server_is_its_own_answer() {
    let server = TmuxServer::start();
    server.window("npm", &["sh"]);
    assert_eq!(agents(&server), Vec::<Value>::new());
    let nobody = TmuxServer::absent();
    let out = nobody.orc(&["agents", "--json"]).output();
    assert_eq!(out.status.code(), Some(3), "{}", String::from_utf8_lossy(&out.stderr));
    assert!(!nobody.socket().exists(), "asking started a server");
}

/// Runs a tmux command on a fleet's server.
#[track_caller]
pub fn tmux(watched: &impl Watched, args: &[&str]) -> String {
    let mut command = std::process::Command::new(crate::support::tmux_program());
    crate::support::isolate(command.arg("-u").arg("-S").arg(watched.socket()).args(args), watched.home());
    let out = command.output().expect("tmux starts");
    assert!(out.status.success(), "tmux {args:?}: {}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8_lossy(&out.stdout).trim_end().to_owned()
}

#[test]
fn an_ended_agent_is_exited_for_the_engine_that_saw_it() {
    let plan = patient(1);
    let mut fleet = Fleet::start_plan(&plan).expect("a fleet");
    let pane = fleet.add(&plan, "codex", scene("codex", AgentState::Idle, None)).expect("one more");
    let mut watch = fleet.orc(&["perf", "watch", "--json", "--interval", "0.2"]).spawn();
    let lines = std::io::BufRead::lines(std::io::BufReader::new(watch.stdout.take().expect("its output")));
    let mut snapshots = lines.map_while(Result::ok).map(|line| serde_json::from_str::<Value>(&line).expect("JSON"));
    let mut state = || {
        let snapshot = snapshots.next().expect("the watch ended");
        let agents = snapshot["agents"].as_array().cloned().unwrap_or_default();
        agents.into_iter().find(|agent| agent["pane_id"] == pane.as_str()).map(|agent| agent["state"].clone())
    };
    wait_some("it at its prompt", PATIENCE, || state().filter(|state| state == "idle"));
    tmux(&fleet, &["send-keys", "-t", &pane, "C-c"]);
    wait_some("its end", PATIENCE, || state().filter(|state| state == "exited"));
    watch.kill().expect("a signal");
    watch.wait().expect("its end");
}
