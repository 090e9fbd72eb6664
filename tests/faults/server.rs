//! The tmux server stops, dies, comes back: what was known stays known, and nothing is said to have ended.

use std::process::Command;

use rustix::process::Signal;
use tmux_orc::app::demo::Fleet;

use super::{Watch, agents, nothing_left, states, still};
use crate::support::{PATIENCE, TmuxServer, alive, copy_program, isolate, signal, wait_for};

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
fn a_pane_of_a_new_server_is_not_the_one_that_had_its_number_before() {
    let server = TmuxServer::start();
    let program = server.home().join("claude");
    copy_program("/bin/sleep", &program);
    let run = format!("exec {} 10000", program.display());
    server.run(&["respawn-pane", "-k", "-t", "%0", &run]);
    let mut watch = Watch::of(&server);
    watch.until("the agent", |snapshot| agents(snapshot).len() == 1);
    server.crash();
    watch.until("its end", |snapshot| snapshot["server"]["status"] == "no_server");
    server.revive();
    let after = watch.until("its successor", |snapshot| snapshot["server"]["status"] == "reachable");
    assert_eq!(agents(&after).len(), 0, "a shell never was the agent: {}", after["agents"]);
    server.run(&["respawn-pane", "-k", "-t", "%0", &run]);
    let again = watch.until("an agent of its own", |snapshot| agents(snapshot).len() == 1);
    assert_ne!(agents(&again)[0]["state"], "exited");
}

#[test]
fn the_agents_of_a_server_are_gone_when_another_that_cannot_be_spoken_with_took_its_socket() {
    let server = TmuxServer::start();
    let program = server.home().join("claude");
    copy_program("/bin/sleep", &program);
    server.run(&["respawn-pane", "-k", "-t", "%0", &format!("exec {} 10000", program.display())]);
    let mut watch = Watch::of(&server);
    watch.until("the agent", |snapshot| agents(snapshot).len() == 1);
    server.crash();
    std::fs::remove_file(server.socket()).expect("the dead server's socket");
    // As a server of a much newer tmux does with a client of an older one.
    let socket = std::os::unix::net::UnixListener::bind(server.socket()).expect("bound");
    std::thread::spawn(move || socket.incoming().for_each(drop));
    let after = watch
        .until("their end", |snapshot| snapshot["server"]["status"] == "unreachable" && agents(snapshot).is_empty());
    let events = after["events"].to_string();
    assert!(events.contains("the tmux server is a new one"), "{events}");
    std::fs::remove_file(server.socket()).expect("ours");
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

#[test]
#[ignore = "needs an older tmux too, named by TMUX_ORC_OLDER_TMUX: `make test-compat`"]
fn a_server_replaced_by_one_of_another_version_is_found_and_asked_in_its_own_way() {
    let older = std::env::var_os("TMUX_ORC_OLDER_TMUX").expect("TMUX_ORC_OLDER_TMUX");
    let server = TmuxServer::start();
    let home = server.home().to_owned();
    let program = home.join("claude");
    copy_program("/bin/sleep", &program);
    let mut watch = Watch::of(&server);
    let mut version = |what: &str, agents_there: usize| {
        let seen = watch.until(what, |snapshot| {
            snapshot["server"]["status"] == "reachable" && agents(snapshot).len() == agents_there
        });
        let version = seen["server"]["version"].clone();
        server.crash();
        watch.until("its end", |snapshot| snapshot["server"]["status"] == "no_server");
        version
    };
    let first = version("the server", 0);
    // An old one, as before tmux was upgraded; then the new one again. (An old tmux program cannot talk to a server of
    // 3.7 or later at all, so that way round is no case.)
    let mut command = Command::new(older);
    command.args(["-u", "-f", "/dev/null", "-S"]).arg(server.socket()).args(["new-session", "-d", "-x", "100"]);
    let out = isolate(command.arg(format!("exec {} 10000", program.display())), &home).output().expect("it starts");
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let second = version("the older one with its agent", 1);
    server.revive();
    let third = version("the new one again", 0);
    assert_ne!(first, second, "it is another version");
    assert_eq!(first, third);
    drop((watch, server));
    nothing_left(&home);
}
