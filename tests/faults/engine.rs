//! The engine in the background is killed at any moment: the next start works, and nobody is fooled by what it left.

use std::time::{Duration, SystemTime};

use rustix::process::Signal;
use tmux_orc::app::demo::{Fleet, Plan};

use super::{Background, Watch, agents, base, engine, nothing_left, still};
use crate::support::{PATIENCE, Terminal, TmuxServer, Watched, alive, signal, wait_for};

#[test]
fn kill_nine_leaves_nothing_that_stops_the_next_start() {
    let server = TmuxServer::start();
    let background = Background::of(&server);
    for round in 0..4 {
        let started = server.orc(&["monitor", "start", "--interval", "0.05"]).stdout();
        assert!(started.contains("Async monitoring started"), "{started}");
        let pid = engine(&server, &base(&server)).expect("an engine");
        // Somewhere in its cycles, another place each time.
        std::thread::sleep(Duration::from_millis(7 * round));
        signal(pid, Signal::KILL);
        wait_for("its end", PATIENCE, || !alive(pid));
        let out = server.orc(&["status"]).output();
        assert_eq!(out.status.code(), Some(3), "no engine runs: {}", String::from_utf8_lossy(&out.stdout));
    }
    drop(background);
    assert!(server.pid().is_some(), "the tmux server is none of it");
}

/// Agents that change many times a second: cycles with reads, verdicts, events and journal lines in each.
fn busy(agents: usize) -> Plan {
    Plan { pace: 0.02, ..still(agents) }
}

#[test]
fn kill_nine_at_random_moments_under_load_loses_nothing_that_was_written() {
    let fleet = Fleet::start_plan(&busy(8)).expect("a fleet");
    let home = fleet.dir().to_owned();
    let background = Background::of(&fleet);
    let tmux = fleet.pid().expect("a server");
    let mut random = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("a clock").subsec_nanos() | 1;
    let mut kept = 0;
    for round in 0..10 {
        let out = fleet.orc(&["monitor", "start", "--interval", "0.05"]).output();
        assert!(out.status.success(), "round {round}: {}", String::from_utf8_lossy(&out.stderr));
        let pid = engine(&fleet, &base(&fleet)).expect("an engine");
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let moment = Duration::from_micros(u64::from(random >> 8) % 400_000);
        std::thread::sleep(moment);
        signal(pid, Signal::KILL);
        wait_for("its end", PATIENCE, || !alive(pid));
        let out = fleet.orc(&["status"]).output();
        let said = String::from_utf8_lossy(&out.stderr);
        assert_eq!(out.status.code(), Some(3), "round {round} after {moment:?}: no engine runs: {said}");
        // What was in the journal stays in it; a line that was cut off hides no other.
        let out = fleet.orc(&["events", "--json", "--since", "1h"]).output();
        assert!(out.status.success(), "round {round}: {}", String::from_utf8_lossy(&out.stderr));
        let events = String::from_utf8_lossy(&out.stdout).lines().count();
        assert!(events >= kept, "round {round} after {moment:?}: {kept} records before, {events} now");
        kept = events;
    }
    assert!(kept > 10, "the load was none: {kept} records");
    assert_eq!(fleet.pid(), Some(tmux), "the tmux server is none of it");
    assert!(fleet.orc(&["monitor", "start"]).output().status.success());
    // One that has just ended and starts anew is seen a moment later.
    wait_for("every agent again", PATIENCE, || agents(&fleet.orc(&["agents", "--json"]).json()).len() == 8);
    drop(background);
    let run = base(&fleet).join("run");
    let left: Vec<_> = std::fs::read_dir(run).expect("the engine's place").flatten().map(|e| e.file_name()).collect();
    assert!(!left.iter().any(|name| name.to_string_lossy().ends_with(".sock")), "a socket is left: {left:?}");
    drop(fleet);
    nothing_left(&home);
}

#[test]
fn a_dashboard_goes_on_without_the_engine_it_was_attached_to() {
    let fleet = Fleet::start_plan(&still(3)).expect("a fleet");
    let background = Background::of(&fleet);
    assert!(fleet.orc(&["monitor", "start"]).output().status.success());
    let pid = engine(&fleet, &base(&fleet)).expect("an engine");
    let mut watch = Watch::of(&fleet);
    watch.until("the engine in the background", |snapshot| snapshot["engine"]["pid"] == pid);
    signal(pid, Signal::KILL);
    let own = watch.until("an engine inside", |snapshot| snapshot["engine"]["pid"] != pid);
    assert_eq!(agents(&own).len(), 3, "its agents are known: {own}");
    drop(background);
}

#[test]
fn an_attached_dashboard_on_a_terminal_survives_its_engine() {
    let mut fleet = Fleet::start_plan(&still(3)).expect("a fleet");
    let home = fleet.dir().to_owned();
    let background = Background::of(&fleet);
    assert!(fleet.orc(&["monitor", "start"]).output().status.success());
    let pid = engine(&fleet, &base(&fleet)).expect("an engine");
    let terminal = Terminal::open(&fleet, &["perf", "watch"], 120, 36);
    terminal.wait_text("api:0.0");
    // It is attached: the engine's own word says that it is looked at, and there is no other engine.
    terminal.keys(&["Space"]);
    wait_for("the pause to reach the engine", PATIENCE, || {
        fleet.orc(&["status", "--json"]).json()["engine"]["paused"] == true
    });
    terminal.keys(&["Space"]);
    wait_for("the end of the pause", PATIENCE, || fleet.orc(&["status", "--json"]).json()["engine"]["paused"] == false);
    signal(pid, Signal::KILL);
    wait_for("its end", PATIENCE, || !alive(pid));
    // The agents stay on the screen, and one more that comes now is seen by whoever watches now.
    fleet.add(&still(1), "codex", 2).expect("one more");
    let screen = terminal.wait_text("extra:0.0");
    assert!(screen.contains("api:0.0"), "{screen}");
    assert!(!screen.contains("exited"), "nobody ended:\n{screen}");
    terminal.keys(&["q"]);
    assert_eq!(terminal.ended(), 0);
    assert!(terminal.is_restored());
    drop((terminal, background, fleet));
    nothing_left(&home);
}
