//! The tmux server stops, dies, comes back: what was known stays known, and nothing is said to have ended.

use rustix::process::Signal;
use tmux_orc::app::demo::Fleet;

use super::{Watch, agents, states, still};
use crate::support::{PATIENCE, TmuxServer, alive, signal, wait_for};

#[test]
fn a_stopped_server_changes_no_state_and_is_read_again_when_it_goes_on() {
    let fleet = Fleet::start_plan(&still(4)).expect("a fleet");
    let mut watch = Watch::of(&fleet);
    let settled = |snapshot: &serde_json::Value| {
        let drawn = |agent: &serde_json::Value| agent["state"] != "starting" && agent["state"] != "unknown";
        agents(snapshot).len() == 4 && agents(snapshot).iter().all(drawn)
    };
    let before = watch.until("the agents", settled);
    let pid = fleet.pid().expect("a server");
    signal(pid, Signal::STOP);
    let during = watch.until("the trouble", |snapshot| {
        snapshot["server"]["status"] != "reachable" || agents(snapshot).iter().any(|agent| agent["stale"] == true)
    });
    assert_eq!(states(&during), states(&before), "a failed read changed a state");
    signal(pid, Signal::CONT);
    let after = watch.until("its end", |snapshot| {
        snapshot["server"]["status"] == "reachable" && agents(snapshot).iter().all(|agent| agent["stale"] == false)
    });
    assert_eq!(states(&after), states(&before));
}

#[test]
fn a_killed_server_ends_no_agent_and_its_successor_is_found() {
    let server = TmuxServer::start();
    let mut watch = Watch::of(&server);
    watch.until("the server", |snapshot| snapshot["server"]["status"] == "reachable");
    server.crash();
    watch.until("its end", |snapshot| snapshot["server"]["status"] == "no_server");
    server.revive();
    watch.until("its successor", |snapshot| snapshot["server"]["status"] == "reachable");
}

#[test]
fn churn_and_a_killed_client_never_hurt_the_server() {
    let server = TmuxServer::start();
    let pid = server.pid().expect("a server");
    let watches: Vec<Watch> = (0..3).map(|_| Watch::of(&server)).collect();
    for round in 0..25 {
        let name = format!("c{round}");
        // One command list that ends servers with an attached control client.
        server.run(&[
            "new-session",
            "-d",
            "-s",
            &name,
            "exec sh",
            ";",
            "new-window",
            "-t",
            &name,
            ";",
            "kill-session",
            "-t",
            &name,
        ]);
        let cut = Watch::of(&server);
        drop(cut);
    }
    drop(watches);
    assert!(alive(pid), "the server died");
    wait_for("its answer", PATIENCE, || server.pid() == Some(pid));
    assert_eq!(server.run(&["list-clients"]), "", "a client is left");
    assert_eq!(server.run(&["list-sessions", "-F", "#S"]), "main");
}
