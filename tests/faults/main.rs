//! One test for each promise about what goes wrong around the program: nothing is lost, nothing is left behind.

#[path = "../support/mod.rs"]
mod support;

mod engine;
mod machine;
mod panes;
mod server;

use std::{
    io::{BufRead, BufReader, Lines},
    path::PathBuf,
    process::{Child, ChildStdout},
};

use serde_json::Value;
use support::{PATIENCE, Program, Watched};
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
        Self::start(watched.orc(&["perf", "watch", "--json", "--interval", "0.2"]))
    }

    fn start(program: Program) -> Self {
        let mut command = program.command();
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
