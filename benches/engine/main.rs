//! Whole cycles of the engine on a private tmux server with real panes.
//!
//! - `cargo bench --bench engine -- 100 1000`: full and quiet cycles, and one tmux process per pane, in one run.
//! - `cargo bench --bench engine -- strategies 100`: each strategy while 5 % of the agents write every second.
//! - `cargo bench --bench engine -- soak 20000`: memory over that many cycles.

mod fleet;
mod soak;
mod strategies;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tmux_orc::monitor::{Command, CycleStats, Engine, EngineSettings, Handle, Snapshot, facts::profiles};

use crate::fleet::Fleet;

/// Some cycles of one kind.
struct Cycles {
    all: Vec<CycleStats>,
    /// The tmux server's own time for one, milliseconds.
    server_ms: f64,
    last: Arc<Snapshot>,
}

impl Cycles {
    fn median(&self, of: impl Fn(&CycleStats) -> f64) -> f64 {
        quantile(self.all.iter().map(of).collect(), 0.5)
    }

    fn row(&self, what: &str) {
        let p95 = quantile(self.all.iter().map(|c| c.duration_ms).collect(), 0.95);
        let [all, discover, fetch, detect] = [
            self.median(|c| c.duration_ms),
            self.median(|c| c.discover_ms),
            self.median(|c| c.fetch_ms),
            self.median(|c| c.detect_ms),
        ];
        let server = self.server_ms;
        println!(
            "| {what} | {all:.2} ms | {p95:.2} ms | {discover:.2} | {fetch:.2} | {detect:.2} | {server:.2} ms | {:.0} % |",
            server / all * 100.0
        );
    }
}

fn quantile(mut values: Vec<f64>, q: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    values[((values.len() - 1) as f64 * q).round() as usize]
}

/// Lets the engine run until `count` cycles satisfied the condition.
async fn gather(fleet: &Fleet, handle: &mut Handle, count: usize, condition: impl Fn(&Snapshot) -> bool) -> Cycles {
    let mut all = Vec::new();
    let mut begun = None;
    loop {
        handle.snapshots.changed().await.expect("the engine runs");
        let snapshot = Arc::clone(&handle.snapshots.borrow_and_update());
        if let (true, Some(last)) = (condition(&snapshot), &snapshot.cycle.last) {
            // The first is left out: what went before it may reach into it.
            let before = *begun.get_or_insert_with(|| (fleet.cpu(), snapshot.base_status.cycle_count));
            all.push(last.clone());
            if all.len() > count {
                all.remove(0);
                let cycles = (snapshot.base_status.cycle_count - before.1) as f64;
                let server_ms = (fleet.cpu() - before.0).as_secs_f64() * 1e3 / cycles;
                return Cycles { all, server_ms, last: snapshot };
            }
        }
    }
}

fn settings(strategy: &str, interval: Duration) -> EngineSettings {
    EngineSettings { strategy: strategy.into(), interval, max_server_percent: 100.0, ..EngineSettings::default() }
}

async fn measure(agents: usize) {
    let fleet = Fleet::start(agents);
    println!("\n{agents} agents in real panes\n");
    let begun = Instant::now();
    let (mut handle, task) =
        Engine::new(fleet.server(), settings("concurrent", Duration::from_millis(100))).start().expect("an engine");
    while handle.snapshots.borrow_and_update().agents.len() < agents {
        handle.snapshots.changed().await.expect("the engine runs");
    }
    println!("first picture after {:.1} ms\n", begun.elapsed().as_secs_f64() * 1e3);
    println!("| what | median | p95 | discover | fetch | detect | server's own time | its share |");
    println!("|---|---:|---:|---:|---:|---:|---:|---:|");
    let runs = if agents >= 500 { 30 } else { 100 };
    let is_quiet = |s: &Snapshot| {
        s.cycle.last.as_ref().is_some_and(|l| l.checked == 0 && l.skipped == agents && l.tmux_requests == 1)
    };
    let quiet = gather(&fleet, &mut handle, runs, is_quiet).await;
    quiet.row("quiet cycle");
    handle.commands.send(Command::Cache(false)).await.expect("the engine runs");
    let full = |s: &Snapshot| !s.settings.cache_enabled && s.cycle.last.as_ref().is_some_and(|l| l.checked == agents);
    let mut widths = Vec::new();
    for width in [1, 2, 4, 8, 20] {
        handle.commands.send(Command::PoolSize(width)).await.expect("the engine runs");
        let wide = |s: &Snapshot| full(s) && s.connection_pool.pool_size == width;
        let cycles = gather(&fleet, &mut handle, runs, wide).await;
        cycles.row(&format!("full cycle, at most {width} requests at once"));
        widths.push(cycles);
    }
    let times = if agents >= 500 { 1 } else { 5 };
    let baseline = (0..times).map(|_| one_by_one(&fleet)).collect();
    let baseline = quantile(baseline, 0.5);
    println!("| one tmux process per pane, not judged | {baseline:.0} ms | | | | | | |\n");
    let best = widths.iter().map(|w| w.median(|c| c.duration_ms)).fold(f64::INFINITY, f64::min);
    println!("full cycle : one process per pane = 1 : {:.0}", baseline / best);
    let memory = widths[0].last.cost.memory_bytes.unwrap_or(0) as f64 / 1e6;
    println!("resident memory {memory:.1} MB");
    saved(&quiet, &widths[0], agents);
    handle.commands.send(Command::Stop).await.expect("the engine runs");
    task.await.expect("the engine ends");
}

/// What a hit in each layer of the cache saves, from the cycles that were just measured with the cache on and off.
fn saved(quiet: &Cycles, full: &Cycles, agents: usize) {
    let each = |phase: fn(&CycleStats) -> f64| full.median(phase) * 1e3 / agents as f64;
    let begun = Instant::now();
    let profiles = profiles::load(None).expect("the built-in profiles");
    let config = begun.elapsed().as_secs_f64() * 1e3;
    drop(profiles);
    println!(
        "a hit in pane_content saves {:.1} us (a capture), in agent_status {:.1} us (a verdict), in",
        each(|c| c.fetch_ms),
        each(|c| c.detect_ms)
    );
    println!(
        "session_info {:.2} ms (names and places of all panes), in config {config:.1} ms (compiling the profiles)",
        full.median(|c| c.discover_ms) - quiet.median(|c| c.discover_ms)
    );
}

fn one_by_one(fleet: &Fleet) -> f64 {
    let start = Instant::now();
    for pane in &fleet.panes {
        fleet.tmux(&["capture-pane", "-p", "-t", pane]);
    }
    start.elapsed().as_secs_f64() * 1e3
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with('-')).collect();
    let number = |index: usize, default| args.get(index).and_then(|arg| arg.parse().ok()).unwrap_or(default);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    println!("machine: {cores} cores, {}", std::env::consts::OS);
    match args.first().map(String::as_str) {
        Some("soak") => runtime.block_on(soak::run(number(1, 20_000_u64))),
        Some("strategies") => runtime.block_on(strategies::run(number(1, 100) as usize)),
        _ => {
            let counts: Vec<usize> = args.iter().filter_map(|arg| arg.parse().ok()).collect();
            for count in if counts.is_empty() { vec![100] } else { counts } {
                runtime.block_on(measure(count));
            }
        }
    }
}
