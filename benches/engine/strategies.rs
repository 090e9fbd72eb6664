//! What each strategy costs, on the same fleet in one run.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tmux_orc::monitor::{Command, Engine, strategy::BUILT_IN};

use crate::{
    fleet::{Fleet, on_cpu},
    settings,
};

/// How long each strategy runs, seconds.
const SECONDS: u64 = 20;

/// One agent in so many writes every second.
const WRITES: usize = 20;

/// Runs each strategy, first while all agents are quiet and then while some write.
pub async fn run(agents: usize) {
    let fleet = Fleet::start(agents);
    println!(
        "\n{agents} agents; each strategy for {SECONDS} s at an interval of 1 s; writing: 5 % of them each second\n"
    );
    println!("| strategy | agents | cycles | captures | requests | cycle, median | our CPU | tmux's CPU |");
    println!("|---|---|---:|---:|---:|---:|---:|---:|");
    for name in BUILT_IN {
        for writing in [false, true] {
            row(&fleet, name, writing).await;
        }
    }
}

async fn row(fleet: &Fleet, name: &str, writing: bool) {
    let (mut handle, task) =
        Engine::new(fleet.server(), settings(name, Duration::from_secs(1))).start().expect("an engine");
    // Until the fleet is known and what backs off has backed off.
    let settled = Instant::now() + Duration::from_secs(5);
    while Instant::now() < settled {
        handle.snapshots.changed().await.expect("the engine runs");
    }
    let (mut cycles, mut captures, mut requests, mut durations) = (0, 0, 0, Vec::new());
    let mut seen = handle.snapshots.borrow_and_update().base_status.cycle_count;
    // The writing is work for the server too, and not the strategy's: it is taken off.
    let mut due = Instant::now();
    let mut turn = 0;
    let mut touched = Duration::ZERO;
    let (begun, ours, theirs) = (Instant::now(), own_cpu(), fleet.cpu());
    while begun.elapsed() < Duration::from_secs(SECONDS) {
        if writing && Instant::now() >= due {
            due += Duration::from_secs(1);
            turn += 1;
            let before = fleet.cpu();
            fleet.touch(WRITES, turn);
            touched += fleet.cpu().saturating_sub(before);
        }
        let left = Duration::from_millis(100);
        if tokio::time::timeout(left, handle.snapshots.changed()).await.is_err() {
            continue;
        }
        let snapshot = Arc::clone(&handle.snapshots.borrow_and_update());
        if let (true, Some(last)) = (snapshot.base_status.cycle_count > seen, &snapshot.cycle.last) {
            // Probes that found nothing are not told one by one: each was one request.
            let now = snapshot.base_status.cycle_count;
            cycles += now - seen;
            requests += now - seen - 1;
            seen = now;
            captures += last.checked;
            requests += last.tmux_requests;
            durations.push(last.duration_ms);
        }
    }
    let wall = begun.elapsed().as_secs_f64();
    let percent = |cpu: Duration| cpu.as_secs_f64() / wall * 100.0;
    println!(
        "| {name} | {} | {cycles} | {captures} | {requests} | {:.2} ms | {:.2} % | {:.2} % |",
        if writing { "writing" } else { "quiet" },
        crate::quantile(durations, 0.5),
        percent(own_cpu().saturating_sub(ours)),
        percent(fleet.cpu().saturating_sub(theirs).saturating_sub(touched)),
    );
    handle.commands.send(Command::Stop).await.expect("the engine runs");
    task.await.expect("the engine ends");
}

/// CPU time of this process. What runs `tmux` for the writing counts its own.
fn own_cpu() -> Duration {
    let tasks = std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    Duration::from_nanos(tasks.map(|task| on_cpu(&task.path())).sum())
}
