//! One test for each promise about what goes wrong around the program: nothing is lost, nothing is left behind.
//!
//! Some are kept where their subject is: slow and hostile clients of the engine's socket in `tests/daemon/hostile.rs`,
//! signals and a terminal that closes in `tests/dashboard/screen.rs`, a tmux that hangs or answers nonsense in
//! `tests/tmux/failures.rs`, a clock that jumps and a day in seconds in `src/monitor/engine/paused.rs`.

#[path = "../support/mod.rs"]
mod support;

mod disk;
mod engine;
mod machine;
mod panes;
mod server;
mod terminal;

use std::{
    io::{BufRead, BufReader, Lines},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command},
};

use serde_json::Value;
use support::{PATIENCE, Program, Watched, wait_for};
use tmux_orc::app::demo::Plan;

/// A plan whose agents stay in their first scene.
fn still(agents: usize) -> Plan {
    Plan { program: PathBuf::from(Program::PATH), pace: 10_000.0, ..Plan::new(agents) }
}

/// A running `perf watch --json`, snapshot by snapshot; ended when dropped.
struct Watch {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Watch {
    fn of(watched: &impl Watched) -> Self {
        Self::start(watched.orc(&["perf", "watch", "--json", "--interval", "0.2"]).command())
    }

    fn start(mut command: Command) -> Self {
        // What it says on standard error belongs to the failing test's output.
        let mut child = command.stdout(std::process::Stdio::piped()).spawn().expect("the program starts");
        let lines = BufReader::new(child.stdout.take().expect("its output")).lines();
        Self { child, lines }
    }

    /// The next snapshot that satisfies `condition`.
    #[track_caller]
    fn until(&mut self, what: &str, condition: impl Fn(&Value) -> bool) -> Value {
        let start = std::time::Instant::now();
        let mut last = Value::Null;
        while start.elapsed() < PATIENCE {
            let line = self.lines.next().unwrap_or_else(|| panic!("it ended before: {what}; last was {last}"));
            last = serde_json::from_str(&line.expect("its output")).expect("a snapshot");
            if condition(&last) {
                return last;
            }
        }
        panic!("waited {PATIENCE:?} in vain for {what}; last was {last}");
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The agents of a snapshot.
fn agents(snapshot: &Value) -> &[Value] {
    snapshot["agents"].as_array().map_or(&[], Vec::as_slice)
}

/// Pane and state of every agent, in order of the panes.
fn states(snapshot: &Value) -> Vec<(String, String)> {
    let word = |agent: &Value, name: &str| agent[name].as_str().unwrap_or_default().to_owned();
    let mut all: Vec<_> = agents(snapshot).iter().map(|agent| (word(agent, "pane_id"), word(agent, "state"))).collect();
    all.sort();
    all
}

/// The base directory of the program on this server.
fn base(watched: &impl Watched) -> PathBuf {
    watched.home().join("orc")
}

/// Process id of the engine that serves this server from this base directory.
fn engine(watched: &impl Watched, base: &Path) -> Option<u32> {
    let out = watched.orc(&["status", "--json"]).env("TMUX_ORC_HOME", base).output();
    let status: Value = serde_json::from_slice(&out.stdout).ok()?;
    u32::try_from(status["engine"]["pid"].as_u64()?).ok()
}

/// An engine in the background that does not outlive its test.
struct Background {
    stop: Command,
}

impl Background {
    fn of(watched: &impl Watched) -> Self {
        Self::at(watched, &base(watched))
    }

    /// With another base directory than the usual one.
    fn at(watched: &impl Watched, base: &Path) -> Self {
        Self { stop: watched.orc(&["monitor", "stop"]).env("TMUX_ORC_HOME", base).command() }
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        let _ = self.stop.output();
    }
}

/// Nothing of a test that ended is left: no process that names its directory, and not the directory either.
#[track_caller]
fn nothing_left(home: &Path) {
    let name = home.to_str().expect("a plain path");
    let left = || {
        let out = Command::new("ps").args(["-A", "-ww", "-o", "pid=,args="]).output().expect("ps");
        let all = String::from_utf8_lossy(&out.stdout).into_owned();
        all.lines().filter(|line| line.contains(name)).map(str::to_owned).collect::<Vec<_>>()
    };
    wait_for("the end of every process of the test", PATIENCE, || {
        let left = left();
        if !left.is_empty() {
            eprintln!("still there: {left:?}");
        }
        left.is_empty()
    });
    assert!(!home.exists(), "{name} is left");
}
