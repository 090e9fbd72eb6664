//! The verbs that go on, as a program reads them: from an agent that comes to ask, at rest, to the line that says so.
//! `cargo bench --bench lines -- 100 50`: 100 idle agents, an engine in the background, then none; 50 changes each.

#[path = "engine/fleet.rs"]
mod fleet;

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    sync::mpsc::{Receiver, channel},
    time::{Duration, Instant},
};

use fleet::Fleet;
use serde_json::Value;

/// What back-off and probes need to come to rest.
const REST: Duration = Duration::from_secs(20);

/// Longest wait for anything.
const PATIENCE: Duration = Duration::from_secs(20);

/// The verbs, and whether they say something without an engine in the background.
const VERBS: [(&str, &[&str], bool); 3] = [
    ("perf watch --json", &["perf", "watch", "--json"], true),
    ("agents --follow --json", &["agents", "--follow", "--json"], true),
    ("events --follow --json", &["events", "--follow", "--json"], false),
];

/// A verb that goes on, and its lines with the time at which each could be read.
struct Lines {
    child: Child,
    lines: Receiver<(Instant, String)>,
}

fn command(fleet: &Fleet, home: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tmux-orc"));
    command.args(["-S", &fleet.socket()]).args(args).env("TMUX_ORC_HOME", home).env_remove("TMUX").stdin(Stdio::null());
    command
}

impl Lines {
    fn of(fleet: &Fleet, home: &Path, args: &[&str]) -> Self {
        let mut child = command(fleet, home, args).stdout(Stdio::piped()).spawn().expect("the program starts");
        let output = BufReader::new(child.stdout.take().expect("its output"));
        let (tell, lines) = channel();
        std::thread::spawn(move || {
            output.lines().map_while(Result::ok).try_for_each(|line| tell.send((Instant::now(), line)))
        });
        Self { child, lines }
    }

    /// When the line came that says that this agent asks.
    fn asks(&self, pane: &str) -> Instant {
        loop {
            let (at, line) = self.lines.recv_timeout(PATIENCE).expect("a line");
            let line: Value = serde_json::from_str(&line).expect("JSON on each line");
            let is =
                |agent: &Value| agent["pane_id"] == pane && (agent["state"] == "waiting" || agent["to"] == "waiting");
            if is(&line) || line["agents"].as_array().is_some_and(|agents| agents.iter().any(is)) {
                return at;
            }
        }
    }
}

impl Drop for Lines {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

fn main() {
    let mut numbers = std::env::args().filter_map(|arg| arg.parse().ok());
    let (agents, changes) = (numbers.next().unwrap_or(100), numbers.next().unwrap_or(50));
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let build = if cfg!(debug_assertions) { "without optimisation" } else { "optimised" };
    let fleet = Fleet::start(agents);
    let home = tempfile::tempdir().expect("a directory");
    println!("machine: {cores} cores, {}, built {build}; {agents} idle agents\n", std::env::consts::OS);
    println!("from an agent at rest that comes to ask to the line that says so, {changes} times:");
    for in_background in [true, false] {
        // It ends also if this one does not end well.
        let verb: &[&str] =
            if in_background { &["monitor", "start", "--until-idle", "60s"] } else { &["monitor", "stop"] };
        let done = command(&fleet, home.path(), verb).stdout(Stdio::null()).status();
        assert!(done.is_ok_and(|status| status.success() || !in_background));
        let place = if in_background { "an engine in the background" } else { "an engine inside" };
        for (name, args, _) in VERBS.iter().filter(|(.., alone)| in_background || *alone) {
            let lines = Lines::of(&fleet, home.path(), args);
            std::thread::sleep(REST);
            let mut took: Vec<_> = (0..changes).map(|change| ask(&fleet, &lines, change)).collect();
            took.sort();
            let at = |q: f64| took[((took.len() - 1) as f64 * q).round() as usize].as_secs_f64() * 1e3;
            println!("    {name}, {place}: median {:.0} ms, p99 {:.0} ms, most {:.0} ms", at(0.5), at(0.99), at(1.0));
        }
    }
}

/// How long it takes until a line says that an agent asks.
fn ask(fleet: &Fleet, lines: &Lines, change: usize) -> Duration {
    let pane = &fleet.panes[change % fleet.panes.len()];
    // The one before is believed to rest again after a second; and not in step with the lines of the interval.
    std::thread::sleep(Duration::from_millis(1200 + (change as u64 * 137) % 1000));
    fleet.tmux(&["send-keys", "-t", pane, "permission", "Enter"]);
    let asked = Instant::now();
    let took = lines.asks(pane).saturating_duration_since(asked);
    fleet.tmux(&["send-keys", "-t", pane, "idle", "Enter"]);
    took
}
