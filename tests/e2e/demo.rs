//! The demo fleet: real panes with the right names and screens, and nothing left of it, however it ends.

use std::{
    env, fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::Duration,
};

use rustix::process::Signal;
use tmux_orc::app::demo::{Fleet, Plan};

use crate::support::{PATIENCE, Program, Terminal, TmuxServer, alive, signal, tmux_program, wait_for};

fn plan(agents: usize) -> Plan {
    Plan { program: PathBuf::from(Program::PATH), ..Plan::new(agents) }
}

/// Runs a tmux command on a fleet's server; empty when there is none.
fn tmux(fleet: &Path, args: &[&str]) -> String {
    let out = Command::new(tmux_program())
        .arg("-S")
        .arg(fleet.join("s"))
        .args(args)
        .env_remove("TMUX")
        .env("LC_ALL", "C.UTF-8")
        .output()
        .expect("tmux starts");
    String::from_utf8_lossy(&out.stdout).into_owned()
}

#[test]
fn the_panes_look_like_real_agents() {
    let fleet = Fleet::start_plan(&plan(7)).expect("a fleet");
    let panes = tmux(fleet.dir(), &["list-panes", "-a", "-F", "#{session_name}:#{window_index}.#{pane_index}"]);
    assert_eq!(panes.lines().count(), 7, "{panes}");
    assert!(panes.contains("api:1.1"), "two agents share a window: {panes}");
    let names = || {
        let pids = tmux(fleet.dir(), &["list-panes", "-a", "-F", "#{pane_pid}"]);
        let out = Command::new("ps").args(["-A", "-o", "ppid=,comm="]).output().expect("ps");
        let table = String::from_utf8_lossy(&out.stdout).into_owned();
        let mut names: Vec<String> = pids
            .lines()
            .filter_map(|pid| table.lines().find(|line| line.split_whitespace().next() == Some(pid)))
            .filter_map(|line| {
                line.split_whitespace().nth(1).map(|name| name.rsplit('/').next().unwrap_or(name).into())
            })
            .collect();
        names.sort();
        names
    };
    let expected = ["claude", "claude", "claude", "node", "node", "node", "opencode"];
    wait_for("the agents' processes", PATIENCE, || names() == expected);
    let commands = || tmux(fleet.dir(), &["list-panes", "-a", "-F", "#{pane_current_command}"]);
    wait_for("the agents in the foreground", PATIENCE, || !commands().contains("bash"));
    let mode = fs::metadata(fleet.dir()).expect("the private directory").permissions();
    assert_eq!(std::os::unix::fs::PermissionsExt::mode(&mode) & 0o777, 0o700);
}

#[test]
fn a_dropped_fleet_leaves_nothing() {
    let fleet = Fleet::start_plan(&plan(3)).expect("a fleet");
    let (dir, pid) = (fleet.dir().to_owned(), fleet.pid().expect("a server"));
    drop(fleet);
    wait_for("the server's end", PATIENCE, || !alive(pid));
    wait_for("the end of all its processes", PATIENCE, || leftovers(&dir).is_empty());
    assert!(!dir.exists());
}

#[test]
fn a_stopped_server_is_ended_all_the_same() {
    let fleet = Fleet::start_plan(&plan(2)).expect("a fleet");
    let (dir, pid) = (fleet.dir().to_owned(), fleet.pid().expect("a server"));
    signal(pid, Signal::STOP);
    drop(fleet);
    wait_for("the server's end", PATIENCE, || !alive(pid));
    wait_for("the end of all its processes", PATIENCE, || leftovers(&dir).is_empty());
    assert!(!dir.exists());
}

#[test]
fn a_killed_holder_takes_the_fleet_with_it() {
    // A fleet in a process of its own: this test program, asked to run the function below.
    let mut holder = Command::new(env::current_exe().expect("this test program"))
        .args(["--exact", "demo::holds_a_fleet", "--ignored", "--nocapture"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("it starts");
    let lines = BufReader::new(holder.stdout.take().expect("its output")).lines();
    let line = lines.map_while(Result::ok).find(|line| line.contains("fleet=")).expect("a fleet");
    let mut words = line.split("fleet=").nth(1).expect("its place").split_whitespace();
    let dir = PathBuf::from(words.next().expect("a directory"));
    let pid: u32 = words.next().and_then(|pid| pid.parse().ok()).expect("a pid");
    assert!(alive(pid) && dir.exists());
    holder.kill().expect("kill -9");
    holder.wait().expect("its end");
    wait_for("the server's end", PATIENCE, || !alive(pid));
    wait_for("the end of all its processes", PATIENCE, || leftovers(&dir).is_empty());
    wait_for("the directory's end", PATIENCE, || !dir.exists());
}

/// No test: the process that [`a_killed_holder_takes_the_fleet_with_it`] kills.
#[test]
#[ignore = "started by another test"]
fn holds_a_fleet() {
    let fleet = Fleet::start_plan(&plan(4)).expect("a fleet");
    println!("fleet={} {}", fleet.dir().display(), fleet.pid().expect("a server"));
    thread::sleep(Duration::from_secs(120));
}

/// Processes whose command line or environment names the fleet's directory.
fn leftovers(dir: &Path) -> String {
    let out = Command::new("ps").args(["-A", "ewww", "-o", "pid=,args="]).output().expect("ps");
    let table = String::from_utf8_lossy(&out.stdout).into_owned();
    table.lines().filter(|line| line.contains(&*dir.to_string_lossy())).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_demo_shows_its_agents_and_is_gone_when_left_or_killed() {
    let place = TmuxServer::absent();
    let terminal = Terminal::open_with(&place, &["demo", "--agents", "5"], 140, 42, &[("TMPDIR", home(&place))]);
    let screen = terminal.wait("its agents", |screen| screen.contains("web:1.0") && screen.contains("claude"));
    assert!(screen.contains("working"), "{screen}");
    let dirs = || fs::read_dir(place.home()).expect("the home").filter_map(Result::ok);
    let fleets = || dirs().filter(|entry| entry.file_name().to_string_lossy().starts_with("tmux-orc-demo-")).count();
    assert_eq!(fleets(), 1, "its directory is where TMPDIR says");
    terminal.keys(&["q"]);
    assert_eq!(terminal.ended(), 0);
    assert!(terminal.is_restored());
    assert_eq!(fleets(), 0, "left with q");

    let terminal = Terminal::open_with(&place, &["demo", "--agents", "5"], 140, 42, &[("TMPDIR", home(&place))]);
    terminal.wait_text("web:1.0");
    signal(terminal.pid(), Signal::KILL);
    wait_for("the end of the fleet", PATIENCE, || fleets() == 0);
    wait_for("the end of all its processes", PATIENCE, || {
        leftovers(place.home().join("tmux-orc-demo-").as_path()).is_empty()
    });
}

fn home(place: &TmuxServer) -> &str {
    place.home().to_str().expect("a plain path")
}

#[test]
fn the_demo_in_a_pipe_prints_frames() {
    let place = TmuxServer::absent();
    let mut demo = place.orc(&["demo", "--agents", "2"]).env("TMPDIR", place.home()).spawn();
    let lines = BufReader::new(demo.stdout.take().expect("its output")).lines().map_while(Result::ok);
    let frames = lines.filter(|line| line.contains("=== TMux Orchestrator Performance Dashboard ===")).take(2).count();
    // The reader has gone: that ends it.
    assert_eq!(frames, 2);
    wait_for("its end", PATIENCE, || demo.try_wait().expect("a status").is_some());
    let out = place.orc(&["demo", "--agents", "0"]).output();
    assert_eq!(out.status.code(), Some(2), "{}", String::from_utf8_lossy(&out.stderr));
}

#[test]
fn what_is_kept_of_simulated_agents_goes_with_them() {
    let server = TmuxServer::absent();
    let terminal = Terminal::open_with(
        &server,
        &["demo", "--if-no-agents", "--agents", "3"],
        120,
        35,
        &[("TMPDIR", home(&server))],
    );
    // The events are there, so they were written down, wherever that is.
    terminal.wait("the agents and their events", |screen| screen.contains("api:0.0") && screen.contains("appeared"));
    terminal.keys(&["q"]);
    assert_eq!(terminal.ended(), 0);
    let kept = |name: &str| fs::read_dir(server.home().join("orc").join(name)).map_or(0, Iterator::count);
    assert_eq!(["events", "logs", "run"].map(kept), [0, 0, 0], "in the user's own directory");
    assert!(!server.orc(&["events", "--since", "1h"]).stdout().contains("api:"));
}

#[test]
fn a_snapshot_of_simulated_agents_says_that_they_are() {
    let server = TmuxServer::absent();
    let snapshot = server.orc(&["demo", "--once", "--agents", "1"]).env("TMPDIR", server.home()).stdout();
    assert!(snapshot.contains("simulated"), "{snapshot}");
}
