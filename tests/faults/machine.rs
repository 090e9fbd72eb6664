//! The machine is in a bad way: no room for files, no descriptors, no home. Watching goes on or says what is missing.

use std::process::Command;

use tmux_orc::app::demo::Fleet;

use super::{Watch, agents, still};
use crate::support::{PATIENCE, Program, Watched, isolate, wait_for};

/// A folder that is not there and cannot be made, by root neither.
const NOWHERE: &str = if cfg!(target_os = "macos") { "/System/tmux-orc" } else { "/proc/tmux-orc" };

#[test]
fn a_home_that_cannot_be_written_stops_no_dashboard() {
    let fleet = Fleet::start_plan(&still(2)).expect("a fleet");
    let program = fleet.orc(&["perf", "watch", "--json", "--interval", "0.2"]).env("TMUX_ORC_HOME", NOWHERE);
    Watch::start(program.command()).until("the agents", |snapshot| agents(snapshot).len() == 2);
    let out = fleet.orc(&["monitor", "start"]).env("TMUX_ORC_HOME", NOWHERE).output();
    let said = String::from_utf8_lossy(&out.stderr).into_owned();
    assert_ne!(out.status.code(), Some(0), "an engine in the background needs its directory");
    assert!(said.contains(NOWHERE), "it says where: {said}");
}

#[test]
fn few_descriptors_are_enough_or_it_says_so() {
    let fleet = Fleet::start_plan(&still(6)).expect("a fleet");
    let listed = |limit: &str| {
        let mut command = Command::new("sh");
        command.args(["-c", "ulimit -n \"$1\"; shift; exec \"$@\"", "sh", limit, Program::PATH, "-S"]);
        command.arg(fleet.socket()).args(["agents", "--json"]);
        isolate(&mut command, fleet.home());
        command.output().expect("it starts")
    };
    // Their programs start one by one.
    wait_for("all of them", PATIENCE, || {
        serde_json::from_slice(&listed("256").stdout).is_ok_and(|all: serde_json::Value| agents(&all).len() == 6)
    });
    for limit in ["40", "12"] {
        let out = listed(limit);
        let said = String::from_utf8_lossy(&out.stderr).into_owned();
        match out.status.code() {
            Some(0) => {
                let all: serde_json::Value = serde_json::from_slice(&out.stdout).expect("JSON");
                assert_eq!(agents(&all).len(), 6, "with {limit} descriptors: some were lost without a word");
            }
            Some(1 | 3) => assert!(!said.trim().is_empty(), "with {limit} descriptors: it failed without a word"),
            code => panic!("with {limit} descriptors: {code:?}, {said}"),
        }
    }
}
