//! The dashboard as its user has it: the built program in a terminal of 200x55, on a server with 100 idle agents.
//! `cargo bench --bench watch -- 100`: first frame, memory, CPU at rest, and how long a change takes to be seen.

#[path = "engine/fleet.rs"]
mod fleet;

use std::{
    io::Read,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use fleet::Fleet;
use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

/// What back-off and probes need to come to rest.
const REST: Duration = Duration::from_secs(40);

/// How long the CPU is watched.
const WATCH: Duration = Duration::from_secs(30);

/// Changes whose way to the screen is timed.
const CHANGES: usize = 100;

/// Longest wait for anything.
const PATIENCE: Duration = Duration::from_secs(20);

/// The program in a terminal, and what the terminal shows.
struct Dashboard {
    child: Box<dyn Child + Send + Sync>,
    _master: Box<dyn MasterPty + Send>,
    seen: Arc<(Mutex<vt100::Parser>, Condvar)>,
}

impl Dashboard {
    fn start(fleet: &Fleet, home: &std::path::Path) -> Self {
        let size = PtySize { rows: 55, cols: 200, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).expect("a terminal");
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_tmux-orc"));
        command.args(["-S", &fleet.socket(), "perf", "watch"]);
        command.env("TMUX_ORC_HOME", home);
        command.env("TERM", "xterm-256color");
        command.env_remove("TMUX");
        let child = pair.slave.spawn_command(command).expect("the program starts");
        let mut output = pair.master.try_clone_reader().expect("a reader");
        let seen = Arc::new((Mutex::new(vt100::Parser::new(55, 200, 0)), Condvar::new()));
        let shown = Arc::clone(&seen);
        std::thread::spawn(move || {
            let mut buffer = [0; 1 << 16];
            while let Ok(length @ 1..) = output.read(&mut buffer) {
                shown.0.lock().unwrap_or_else(PoisonError::into_inner).process(&buffer[..length]);
                shown.1.notify_all();
            }
        });
        Self { child, _master: pair.master, seen }
    }

    /// Waits until the screen satisfies the condition, and says how long since `begun`.
    fn wait(&self, begun: Instant, condition: impl Fn(&str) -> bool) -> Duration {
        let mut parser: MutexGuard<'_, _> = self.seen.0.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let screen = parser.screen().contents();
            if condition(&screen) {
                return begun.elapsed();
            }
            assert!(begun.elapsed() < PATIENCE, "not seen in\n{screen}");
            parser = self.seen.1.wait_timeout(parser, PATIENCE).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// CPU time so far.
    fn cpu(&self) -> Duration {
        let dir = format!("/proc/{}/task", self.child.process_id().unwrap_or(0));
        let tasks = std::fs::read_dir(dir).into_iter().flatten().flatten();
        Duration::from_nanos(tasks.map(|task| fleet::on_cpu(&task.path())).sum())
    }

    /// Resident memory, megabytes: all, and what is not of files.
    fn memory(&self) -> (f64, f64) {
        let path = format!("/proc/{}/status", self.child.process_id().unwrap_or(0));
        let text = std::fs::read_to_string(path).unwrap_or_default();
        let field = |name: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(name));
            line.and_then(|rest| rest.split_ascii_whitespace().next()?.parse::<f64>().ok()).unwrap_or(f64::NAN) / 1e3
        };
        (field("VmRSS:"), field("RssAnon:"))
    }
}

impl Drop for Dashboard {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// The number of agents that need their user, as the title bar tells it.
fn needing(screen: &str) -> Option<usize> {
    let (before, _) = screen.lines().next()?.split_once(" need")?;
    before.rsplit(' ').next()?.parse().ok()
}

fn main() {
    let agents = std::env::args().filter_map(|arg| arg.parse().ok()).next().unwrap_or(100);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let fleet = Fleet::start(agents);
    let home = tempfile::tempdir().expect("a directory");
    println!("machine: {cores} cores, {}; {agents} idle agents, 200x55\n", std::env::consts::OS);

    let (mut first, mut listed) = (Vec::new(), Vec::new());
    for _ in 0..10 {
        let begun = Instant::now();
        let dashboard = Dashboard::start(&fleet, home.path());
        first.push(dashboard.wait(begun, |screen| screen.contains("tmux-orc")));
        listed.push(dashboard.wait(begun, |screen| screen.contains("idle") && screen.contains("s0:")));
    }
    println!(
        "first frame {:.1} ms, first frame with all agents {:.1} ms (medians of 10)",
        median(first),
        median(listed)
    );

    let dashboard = Dashboard::start(&fleet, home.path());
    std::thread::sleep(REST);
    let (begun, ours, theirs) = (Instant::now(), dashboard.cpu(), fleet.cpu());
    std::thread::sleep(WATCH);
    let percent = |cpu: Duration| cpu.as_secs_f64() / begun.elapsed().as_secs_f64() * 100.0;
    let (own, server) = (percent(dashboard.cpu() - ours), percent(fleet.cpu() - theirs));
    println!("at rest: dashboard and engine {own:.2} %, tmux server {server:.2} % of a core");
    let (all, anonymous) = dashboard.memory();
    println!("memory: {all:.1} MB resident, {anonymous:.1} MB of it its own data, the rest the program's file");

    println!("until an agent that comes to ask is seen:");
    for (what, writes) in [("it rested", 0), ("it wrote ten times a second before", 15)] {
        let mut took: Vec<_> = (0..CHANGES).map(|change| ask(&fleet, &dashboard, change, writes)).collect();
        took.sort();
        let at = |q: f64| took[((took.len() - 1) as f64 * q).round() as usize].as_secs_f64() * 1e3;
        println!("    {what}: median {:.0} ms, p99 {:.0} ms, most {:.0} ms", at(0.5), at(0.99), at(1.0));
    }
}

/// How long it takes until it is seen that an agent asks, which wrote so many times before. That it rests again is
/// believed only after a second, so that way is not timed.
fn ask(fleet: &Fleet, dashboard: &Dashboard, change: usize, writes: usize) -> Duration {
    let pane = &fleet.panes[change % fleet.panes.len()];
    for n in 0..writes {
        fleet.tmux(&["send-keys", "-t", pane, &format!("turn {n}"), "Enter"]);
        std::thread::sleep(Duration::from_millis(100));
    }
    // Not in step with the probes.
    std::thread::sleep(Duration::from_millis((change as u64 * 37) % 250 + if writes > 0 { 0 } else { 300 }));
    fleet.tmux(&["send-keys", "-t", pane, "permission", "Enter"]);
    let took = dashboard.wait(Instant::now(), |screen| needing(screen) == Some(1));
    fleet.tmux(&["send-keys", "-t", pane, "idle", "Enter"]);
    dashboard.wait(Instant::now(), |screen| needing(screen).is_none());
    took
}

fn median(mut all: Vec<Duration>) -> f64 {
    all.sort();
    all[all.len() / 2].as_secs_f64() * 1e3
}
