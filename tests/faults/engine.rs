//! The engine in the background is killed at any moment: the next start works, and nobody is fooled by what it left.

use std::time::Duration;

use rustix::process::Signal;
use tmux_orc::app::demo::Fleet;

use super::{Watch, agents, still};
use crate::support::{PATIENCE, TmuxServer, Watched, alive, signal, wait_for};

/// Process id of the engine that serves this server.
fn engine(watched: &impl Watched) -> Option<u32> {
    let out = watched.orc(&["status", "--json"]).output();
    let status: serde_json::Value = serde_json::from_slice(&out.stdout).ok()?;
    u32::try_from(status["engine"]["pid"].as_u64()?).ok()
}

/// An engine in the background that does not outlive its test.
struct Background<'s, W: Watched>(&'s W);

impl<W: Watched> Drop for Background<'_, W> {
    fn drop(&mut self) {
        let _ = self.0.orc(&["monitor", "stop"]).output();
    }
}

#[test]
fn kill_nine_leaves_nothing_that_stops_the_next_start() {
    let server = TmuxServer::start();
    let background = Background(&server);
    for round in 0..4 {
        let started = server.orc(&["monitor", "start", "--interval", "0.05"]).stdout();
        assert!(started.contains("Async monitoring started"), "{started}");
        let pid = engine(&server).expect("an engine");
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

#[test]
fn a_dashboard_goes_on_without_the_engine_it_was_attached_to() {
    let fleet = Fleet::start_plan(&still(3)).expect("a fleet");
    let background = Background(&fleet);
    assert!(fleet.orc(&["monitor", "start"]).output().status.success());
    let pid = engine(&fleet).expect("an engine");
    let mut watch = Watch::of(&fleet);
    watch.until("the engine in the background", |snapshot| snapshot["engine"]["pid"] == pid);
    signal(pid, Signal::KILL);
    let own = watch.until("an engine inside", |snapshot| snapshot["engine"]["pid"] != pid);
    assert_eq!(agents(&own).len(), 3, "its agents are known: {own}");
    drop(background);
}
