//! Whole cycles of the engine on a private tmux server with real panes: full, quiet, and the baseline of one tmux
//! process per pane, all in one run. `cargo bench --bench engine -- 100 1000`

use std::{
    path::{Path, PathBuf},
    process::{Command as Process, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use tmux_orc::{
    monitor::{Command, Engine, EngineSettings, Handle, Snapshot},
    tmux::{Server, SocketChoice},
};

/// What `claude` shows in each pane.
const SCREEN: &str = include_str!("../tests/engine/screens/idle.txt");

struct Fleet {
    dir: tempfile::TempDir,
    panes: Vec<String>,
}

impl Fleet {
    fn start(count: usize) -> Self {
        let dir = tempfile::Builder::new().prefix("orc-bench-").tempdir_in("/tmp").expect("a directory");
        let mut fleet = Self { dir, panes: Vec::new() };
        let claude = fleet.path("claude");
        std::os::unix::fs::symlink("/bin/sh", &claude).expect("a link");
        std::fs::write(fleet.path("screen"), SCREEN.trim_end_matches('\n')).expect("a file");
        let script = "cat \"$1\"; while read -r line; do printf '\\033[H%s' \"$line\"; done";
        std::fs::write(fleet.path("show.sh"), script).expect("a file");
        let argv = [text(&claude), text(&fleet.path("show.sh")), text(&fleet.path("screen"))];
        for n in 0..count {
            let session = format!("s{}", n / 5);
            let mut args = if n % 5 == 0 {
                vec!["new-session", "-d", "-P", "-F", "#{pane_id}", "-x", "100", "-y", "30", "-s", &session]
            } else {
                vec!["new-window", "-d", "-P", "-F", "#{pane_id}", "-t", &session]
            };
            args.extend(argv.iter().map(String::as_str));
            let pane = fleet.tmux(&args);
            fleet.panes.push(pane);
        }
        fleet
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn tmux(&self, args: &[&str]) -> String {
        let program = std::env::var_os("TMUX_ORC_TMUX").unwrap_or_else(|| "tmux".into());
        let out = Process::new(program)
            .args(["-u", "-f", "/dev/null", "-S"])
            .arg(self.path("s"))
            .args(args)
            .env_remove("TMUX")
            .stdin(Stdio::null())
            .output()
            .expect("tmux starts");
        assert!(out.status.success(), "{args:?}: {}", String::from_utf8_lossy(&out.stderr));
        String::from_utf8_lossy(&out.stdout).trim().to_owned()
    }

    fn server(&self) -> Server {
        Server::resolve(&SocketChoice { name: None, path: Some(self.path("s")) }).expect("a socket")
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        self.tmux(&["kill-server"]);
    }
}

fn text(path: &Path) -> String {
    path.display().to_string()
}

fn quantile(sorted: &[f64], q: f64) -> f64 {
    sorted[((sorted.len() - 1) as f64 * q).round() as usize]
}

fn report(what: &str, mut ms: Vec<f64>) -> f64 {
    ms.sort_by(f64::total_cmp);
    let median = quantile(&ms, 0.5);
    println!("  {what:<52} median {median:8.2} ms   p95 {:8.2} ms   ({} runs)", quantile(&ms, 0.95), ms.len());
    median
}

/// Lets the engine run and gathers the durations of `count` cycles that satisfy the condition.
async fn gather(handle: &mut Handle, count: usize, condition: impl Fn(&Snapshot) -> bool) -> (Vec<f64>, Arc<Snapshot>) {
    let mut durations = Vec::new();
    loop {
        handle.snapshots.changed().await.expect("the engine runs");
        let snapshot = Arc::clone(&handle.snapshots.borrow_and_update());
        if let (true, Some(last)) = (condition(&snapshot), &snapshot.cycle.last) {
            durations.push(last.duration_ms);
        }
        if durations.len() >= count {
            return (durations, snapshot);
        }
    }
}

async fn measure(agents: usize) {
    let fleet = Fleet::start(agents);
    println!("{agents} agents in real panes:");
    let begun = Instant::now();
    let settings = EngineSettings {
        strategy: "concurrent".into(),
        interval: Duration::from_millis(100),
        ..EngineSettings::default()
    };
    let (mut handle, task) = Engine::start(fleet.server(), settings).expect("an engine");
    let (_, first) = gather(&mut handle, 1, |s| s.agents.len() == agents).await;
    let last = first.cycle.last.clone().unwrap_or_default();
    println!(
        "  first picture after {:.1} ms (discover {:.1}, fetch {:.1}, detect {:.1})",
        begun.elapsed().as_secs_f64() * 1e3,
        last.discover_ms,
        last.fetch_ms,
        last.detect_ms
    );
    let runs = if agents >= 500 { 30 } else { 100 };
    let quiet = |s: &Snapshot| {
        s.cycle.last.as_ref().is_some_and(|l| l.checked == 0 && l.skipped == agents && l.tmux_requests == 1)
    };
    let (durations, last) = gather(&mut handle, runs, quiet).await;
    report("quiet cycle, nothing changed", durations);
    println!("  publishing it: {:.2} ms", last.cycle.last.as_ref().map_or(0.0, |l| l.publish_ms));
    handle.commands.send(Command::Cache(false)).await.expect("the engine runs");
    let full = |s: &Snapshot| !s.settings.cache_enabled && s.cycle.last.as_ref().is_some_and(|l| l.checked == agents);
    let mut widths = Vec::new();
    for width in [1, 2, 4, 8, 20] {
        handle.commands.send(Command::PoolSize(width)).await.expect("the engine runs");
        let (durations, last) = gather(&mut handle, runs, |s| full(s) && s.connection_pool.pool_size == width).await;
        widths.push((report(&format!("full cycle, every pane read and judged, width {width}"), durations), last));
    }
    let last = widths[0].1.cycle.last.clone().unwrap_or_default();
    println!(
        "  of it: discover {:.2}, fetch {:.2}, detect {:.2}, publish {:.2} ms; {} bytes in {} requests; rss {:.1} MB",
        last.discover_ms,
        last.fetch_ms,
        last.detect_ms,
        last.publish_ms,
        last.bytes,
        last.tmux_requests,
        widths[0].1.cost.memory_bytes.unwrap_or(0) as f64 / 1e6
    );
    let best = widths.iter().map(|(median, _)| *median).fold(f64::INFINITY, f64::min);
    let times = if agents >= 500 { 2 } else { 5 };
    let baseline: Vec<f64> = (0..times)
        .map(|_| {
            let start = Instant::now();
            for pane in &fleet.panes {
                fleet.tmux(&["capture-pane", "-p", "-t", pane]);
            }
            start.elapsed().as_secs_f64() * 1e3
        })
        .collect();
    let baseline = report("baseline: one tmux process per pane, not judged", baseline);
    println!("  full cycle : baseline = 1 : {:.0}", baseline / best);
    handle.commands.send(Command::Stop).await.expect("the engine runs");
    task.await.expect("the engine ends");
}

fn main() {
    let counts: Vec<usize> = std::env::args().filter_map(|arg| arg.parse().ok()).collect();
    let counts = if counts.is_empty() { vec![100] } else { counts };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    println!("machine: {cores} cores, {}", std::env::consts::OS);
    for count in counts {
        runtime.block_on(measure(count));
    }
}
