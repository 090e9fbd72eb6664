//! Watching other hosts: what comes over the stream, what it costs here, how long a change takes, and whether one that
//! hangs holds up others. `cargo bench --bench hosts`: real bridges over a relay that delays bytes, and played hosts; with
//! `ways`, `hole` or `fifty` that part alone.

mod far;
#[path = "../engine/fleet.rs"]
mod fleet;
mod ways;

use std::{
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use fleet::Fleet;
use portable_pty::{CommandBuilder, PtySize, native_pty_system};
use tmux_orc::app::demo;
use tmux_orc::monitor::link::open;
use tmux_orc::monitor::{AgentState, Connector, Handle, HostConfig, LinkedHost, Links};

/// Agents of each host.
const AGENTS: usize = 100;
/// Hosts that are played.
const HOSTS: usize = 50;
/// Changes whose way is timed.
const CHANGES: usize = 40;
/// What back-off and probes need to come to rest, and how long it is counted then.
const REST: Duration = Duration::from_secs(12);
const WATCH: Duration = Duration::from_secs(12);
/// Longest wait for anything.
const PATIENCE: Duration = Duration::from_secs(40);

/// A number that was measured, sorted.
struct Times(Vec<f64>);

impl Times {
    fn at(&self, q: f64) -> f64 {
        let last = self.0.len().saturating_sub(1);
        self.0.get((last as f64 * q).round() as usize).copied().unwrap_or(f64::NAN)
    }

    fn of(mut ms: Vec<f64>) -> Self {
        ms.sort_by(f64::total_cmp);
        Self(ms)
    }
}

fn config(name: &str, argv: Vec<String>) -> HostConfig {
    HostConfig { name: name.to_owned(), connector: Connector::Command(argv), servers: Vec::new(), read_only: false }
}

/// The program that is measured: `TMUX_ORC_PROGRAM`, else the one that was built with this.
fn program() -> String {
    std::env::var("TMUX_ORC_PROGRAM").unwrap_or_else(|_| env!("CARGO_BIN_EXE_tmux-orc").to_owned())
}

/// This program in another part.
fn this(words: &[&str]) -> Vec<String> {
    let own = std::env::current_exe().expect("a path").display().to_string();
    std::iter::once(own).chain(words.iter().map(|word| (*word).to_owned())).collect()
}

/// A real bridge behind a way of so many milliseconds there and back; what comes of it is kept in a file.
fn bridge(socket: &str, home: &Path, rtt: u64, record: &Path) -> Vec<String> {
    let (each, home) = ((rtt / 2).to_string(), format!("TMUX_ORC_HOME={}", home.display()));
    this(&["relay", &each, &record.display().to_string(), "env", &home, &program(), "-S", socket, "bridge"])
}

/// The first member of a host, once it shows so many agents.
async fn first(host: &LinkedHost, agents: usize) -> Handle {
    let found = async {
        let mut members = host.members();
        let mut handle = loop {
            if let Some(member) = members.borrow_and_update().first() {
                break member.handle.clone();
            }
            members.changed().await.expect("the link goes on");
        };
        handle.snapshots.wait_for(|snapshot| snapshot.agents.len() >= agents).await.expect("it goes on");
        handle
    };
    tokio::time::timeout(PATIENCE, found).await.unwrap_or_else(|_| panic!("{:?}", host.state().borrow()))
}

/// A figure beside its bar, and whether it is held: what one looks for first.
fn bar(what: &str, value: f64, most: f64, unit: &str) {
    let held = if value < most { "held" } else { "MISSED" };
    println!("    BAR {what}: {value:.2} {unit}, wanted under {most} {unit}: {held}");
}

/// CPU time of a process so far.
fn cpu(pid: u32) -> Duration {
    let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    Duration::from_nanos(tasks.map(|task| fleet::on_cpu(&task.path())).sum())
}

/// Kilobytes of a line of `/proc/PID/status` or `smaps_rollup`.
fn kilobytes(file: &str, field: &str) -> f64 {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(field));
    line.and_then(|rest| rest.split_ascii_whitespace().next()?.parse().ok()).unwrap_or(f64::NAN)
}

/// Bytes of a piece of a stream, and what gzip makes of it, which is about what `ssh -C` sends.
fn sizes(record: &Path, from: usize) -> (usize, usize) {
    let bytes = std::fs::read(record).unwrap_or_default();
    let part = &bytes[from.min(bytes.len())..];
    let piece = record.with_extension("part");
    std::fs::write(&piece, part).expect("a file");
    let file = std::fs::File::open(&piece).expect("a file");
    let out = Command::new("gzip").arg("-6").stdin(file).stderr(Stdio::null()).output();
    (part.len(), out.map_or(0, |out| out.stdout.len()))
}

fn length(record: &Path) -> usize {
    std::fs::metadata(record).map_or(0, |meta| usize::try_from(meta.len()).unwrap_or(0))
}

/// The engine that a bridge started in the background ends with this.
fn stop(socket: &str, home: &Path) {
    let mut stop = Command::new(program());
    stop.args(["-S", socket, "monitor", "stop"]).env("TMUX_ORC_HOME", home).stdout(Stdio::null());
    stop.stderr(Stdio::null()).status().ok();
}

/// Milliseconds until an agent that comes to ask is so in our snapshot.
async fn ask(fleet: &Fleet, handle: &mut Handle, change: usize) -> f64 {
    let pane = &fleet.panes[change % fleet.panes.len()];
    let id = pane.parse().expect("a pane");
    let waits = |snapshot: &std::sync::Arc<tmux_orc::monitor::Snapshot>| {
        snapshot.agents.iter().any(|agent| agent.pane_id == id && agent.state == AgentState::Waiting)
    };
    // Not in step with the probes.
    tokio::time::sleep(Duration::from_millis(300 + (change as u64 * 37) % 250)).await;
    fleet.tmux(&["send-keys", "-t", pane, "permission", "Enter"]);
    let begun = Instant::now();
    let seen = tokio::time::timeout(PATIENCE, handle.snapshots.wait_for(waits)).await;
    seen.expect("in time").expect("it goes on");
    let took = begun.elapsed().as_secs_f64() * 1e3;
    fleet.tmux(&["send-keys", "-t", pane, "idle", "Enter"]);
    took
}

/// Bytes a second, compressed bytes a second, and percent of a core here, of a stream that is watched for a while.
async fn watched(what: &str, record: &Path) -> (f64, f64) {
    let (from, before, begun) = (length(record), cpu(std::process::id()), Instant::now());
    tokio::time::sleep(WATCH).await;
    let seconds = begun.elapsed().as_secs_f64();
    let percent = (cpu(std::process::id()) - before).as_secs_f64() / seconds * 100.0;
    let (plain, packed) = sizes(record, from);
    let rate = |bytes: usize| bytes as f64 / seconds / 1e3;
    println!(
        "{what:<44} {:>8.2} kB/s {:>8.2} kB/s deflated {percent:>7.2} % of a core here",
        rate(plain),
        rate(packed)
    );
    (rate(plain), percent)
}

async fn changes_and_bytes(dir: &Path) {
    let fleet = Fleet::start(AGENTS);
    let (socket, home) = (fleet.socket(), dir.join("home"));
    println!("until a pane's change is in our snapshot, {AGENTS} agents, {CHANGES} changes, ms:");
    for rtt in [0, 20, 150] {
        let record = dir.join(format!("record-{rtt}"));
        let host = open(config("box", bridge(&socket, &home, rtt, &record)), Links::new(None, false));
        let begun = Instant::now();
        let mut handle = first(&host, AGENTS).await;
        let connected = begun.elapsed().as_secs_f64() * 1e3;
        let (bytes, packed) = sizes(&record, 0);
        let mut took = Vec::new();
        for change in 0..CHANGES {
            took.push(ask(&fleet, &mut handle, change).await);
        }
        let took = Times::of(took);
        println!(
            "    RTT {rtt:>3}: median {:>4.0}  p99 {:>4.0}  most {:>4.0}   first picture {connected:.0} ms, {:.0} kB, {:.0} \
             kB deflated",
            took.at(0.5),
            took.at(0.99),
            took.at(1.0),
            bytes as f64 / 1e3,
            packed as f64 / 1e3
        );
        if rtt == 0 {
            tokio::time::sleep(REST).await;
            let (rate, percent) = watched(&format!("    {AGENTS} idle agents"), &record).await;
            bar("idle agents, the stream as it is", rate, 0.5, "kB/s");
            bar("idle agents, CPU here", percent, 0.05, "% of a core");
            handle.commands.send(tmux_orc::monitor::Command::Instruments(true)).await.expect("it goes on");
            tokio::time::sleep(Duration::from_secs(2)).await;
            let _ = watched(&format!("    {AGENTS} idle agents, instruments in view"), &record).await;
        }
    }
    stop(&socket, &home);
}

/// The demo's agents behind a bridge: what comes of them, if that is `measured`; what they showed is played afterwards.
async fn lively(dir: &Path, measured: bool) {
    let home = dir.join("home");
    let plan = demo::Plan { program: program().into(), ..demo::Plan::new(AGENTS) };
    let lively = demo::Fleet::start_plan(&plan).expect("a demo");
    let socket = lively.server().socket().display().to_string();
    let record = dir.join("record-demo");
    let host = open(config("box", bridge(&socket, &home, 0, &record)), Links::new(None, false));
    let handle = first(&host, AGENTS * 9 / 10).await;
    if measured {
        tokio::time::sleep(Duration::from_secs(5)).await;
        let _ = watched(&format!("    {AGENTS} lively agents (the demo's)"), &record).await;
        handle.commands.send(tmux_orc::monitor::Command::Instruments(true)).await.expect("it goes on");
        tokio::time::sleep(Duration::from_secs(2)).await;
        let _ = watched(&format!("    {AGENTS} lively agents, instruments in view"), &record).await;
    }
    // What is played afterwards.
    let shown = serde_json::to_vec(&*handle.snapshots.borrow()).expect("JSON");
    std::fs::write(dir.join("shown"), shown).expect("a file");
    stop(&socket, &home);
}

/// How late what others say comes, with one among them that says nothing more, and when that is known.
async fn black_hole(dir: &Path) {
    let shown = dir.join("shown").display().to_string();
    let links = Links::new(None, false);
    let player =
        |n: usize, until: &str| open(config(&format!("h{n}"), this(&["play", &shown, "100", until])), links.clone());
    let others: Vec<_> = (0..10).map(|n| player(n, "0")).collect();
    let mut watching = tokio::task::JoinSet::new();
    let (late, lateness) = std::sync::mpsc::channel();
    for host in &others {
        let (mut handle, late) = (first(host, 1).await, late.clone());
        watching.spawn(async move {
            while handle.snapshots.changed().await.is_ok() {
                let at = handle.snapshots.borrow_and_update().timestamp;
                late.send(jiff::Timestamp::now().duration_since(at).as_secs_f64() * 1e3).ok();
            }
        });
    }
    // How late this machine wakes a thread that does nothing else: what is no later than that is none of ours.
    let (slept, oversleep) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let pause = Duration::from_millis(10);
        loop {
            let begun = Instant::now();
            std::thread::sleep(pause);
            if slept.send((begun.elapsed() - pause).as_secs_f64() * 1e3).is_err() {
                return;
            }
        }
    });
    let drained = || (Times::of(lateness.try_iter().collect()), Times::of(oversleep.try_iter().collect()));
    tokio::time::sleep(Duration::from_secs(2)).await;
    drained();
    // As long as the other part takes.
    tokio::time::sleep(Duration::from_secs(17)).await;
    let without = drained();
    // It plays for five seconds, then neither reads nor writes.
    let hole = player(99, "50");
    let mut handle = first(&hole, 1).await;
    let mut state = hole.state();
    let mut last = Instant::now();
    let known = loop {
        tokio::select! {
            Ok(()) = handle.snapshots.changed() => {
                if !handle.snapshots.borrow_and_update().agents.iter().any(|agent| agent.stale) {
                    last = Instant::now();
                }
            }
            Ok(()) = state.changed() => {
                if !state.borrow_and_update().is_up() {
                    break last.elapsed();
                }
            }
            () = tokio::time::sleep(PATIENCE) => panic!("a host that is silent is taken for one that is up"),
        }
    };
    let with = drained();
    println!("how late others come, 10 hosts of {AGENTS} agents, ten deltas a second each, ms:");
    for (what, (times, slept)) in [("all answer", &without), ("one is a black hole", &with)] {
        let row = |what: &str, times: &Times| {
            let (median, p99, most) = (times.at(0.5), times.at(0.99), times.at(1.0));
            println!("    {what:<30} median {median:>5.1}  p99 {p99:>5.1}  most {most:>5.1}   (of {})", times.0.len());
        };
        row(what, times);
        row("  a thread that only sleeps", slept);
    }
    let machine = with.1.at(1.0);
    bar("the slowest beside a black hole, beyond what the machine takes to wake", with.0.at(1.0) - machine, 33.0, "ms");
    println!("    known to be down {:.1} s after its last word", known.as_secs_f64());
    bar("a black hole is known", known.as_secs_f64(), 15.0, "s");
}

/// The built program with fifty hosts in a terminal.
fn dashboard(dir: &Path) {
    let home = dir.join("fifty");
    std::fs::create_dir_all(&home).expect("a directory");
    let shown = dir.join("shown").display().to_string();
    let host = |n: usize| {
        let words = this(&["play", &shown, "1000", "0"]);
        let words: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
        format!("  - {{ name: h{n}, connect: [{}] }}\n", words.join(", "))
    };
    let hosts: String = (0..HOSTS).map(host).collect();
    std::fs::write(home.join("config.yaml"), format!("hosts:\n{hosts}")).expect("a file");
    let size = PtySize { rows: 55, cols: 200, pixel_width: 0, pixel_height: 0 };
    let pair = native_pty_system().openpty(size).expect("a terminal");
    let mut command = CommandBuilder::new(program());
    command.env("TMUX_ORC_HOME", &home);
    command.env("TMUX_TMPDIR", dir);
    command.env("TERM", "xterm-256color");
    command.env_remove("TMUX");
    command.env_remove("TMUX_PANE");
    let mut child = pair.slave.spawn_command(command).expect("the program starts");
    let mut output = pair.master.try_clone_reader().expect("a reader");
    let screen = std::sync::Arc::new(std::sync::Mutex::new(vt100::Parser::new(55, 200, 0)));
    let shows = std::sync::Arc::clone(&screen);
    std::thread::spawn(move || {
        let mut buffer = [0; 1 << 16];
        while let Ok(length @ 1..) = std::io::Read::read(&mut output, &mut buffer) {
            shows.lock().expect("a screen").process(&buffer[..length]);
        }
    });
    std::thread::sleep(REST);
    let pid = child.process_id().unwrap_or(0);
    let text = screen.lock().expect("a screen").screen().contents();
    println!("the dashboard with {HOSTS} hosts of {AGENTS} agents, 5 % of them changing each second, 200x55:");
    println!("    {}", text.lines().next().unwrap_or_default().trim());
    let (before, begun) = (cpu(pid), Instant::now());
    std::thread::sleep(WATCH);
    let percent = (cpu(pid) - before).as_secs_f64() / begun.elapsed().as_secs_f64() * 100.0;
    let status = format!("/proc/{pid}/status");
    println!(
        "    {percent:.2} % of a core, {:.1} MB resident, {:.1} MB PSS, {:.1} MB of it its own data",
        kilobytes(&status, "VmRSS:") / 1e3,
        kilobytes(&format!("/proc/{pid}/smaps_rollup"), "Pss:") / 1e3,
        kilobytes(&status, "RssAnon:") / 1e3
    );
    bar("the dashboard, CPU", percent, 3.0, "% of a core");
    bar("the dashboard, resident", kilobytes(&status, "VmRSS:") / 1e3, 45.0, "MB");
    child.kill().ok();
    child.wait().ok();
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["relay", each, record, ref argv @ ..] => return ways::relay(each.parse().expect("ms"), record, argv),
        ["play", shown, every, until] => {
            return far::play(shown, every.parse().expect("ms"), until.parse().expect("n"));
        }
        _ => {}
    }
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    println!("machine: {cores} cores, {}, load {}", std::env::consts::OS, load.split(' ').next().unwrap_or("?"));
    let dir = tempfile::Builder::new().prefix("orc-hosts-").tempdir_in("/tmp").expect("a directory");
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    let wanted = |part: &str| words.iter().all(|word| word.starts_with('-')) || words.iter().any(|word| word == part);
    if wanted("ways") {
        runtime.block_on(changes_and_bytes(dir.path()));
    }
    runtime.block_on(lively(dir.path(), wanted("ways")));
    if wanted("hole") {
        runtime.block_on(black_hole(dir.path()));
    }
    if wanted("fifty") {
        dashboard(dir.path());
    }
}
