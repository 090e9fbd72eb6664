//! `benchmark`: what a cycle costs, measured now, on a private tmux server with real panes.

use std::{
    fs::OpenOptions,
    io::{IsTerminal, Write},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;
use serde_json::json;
use tokio::{
    task::JoinHandle,
    time::{sleep, timeout},
};

use super::{Context, Failure, Look, source::engine_failure};
use crate::{
    app::demo::{Fleet, Plan, scripts},
    monitor::{Command, CycleStats, Engine, EngineSettings, Handle, Mode, ServerStatus, Snapshot, State},
    tmux::{self, Batch, Expect, Transport, TransportKind, parse_panes},
};

/// An engine has found all agents within this time.
const FIND_LIMIT: Duration = Duration::from_secs(90);
/// A cycle takes no longer than this.
const CYCLE_LIMIT: Duration = Duration::from_secs(120);
/// Output is told by the second: panes are quiet when two have passed without any.
const QUIET: Duration = Duration::from_millis(2100);
/// Most runs of the baseline, which is slow.
const MOST_BASELINE_RUNS: usize = 10;
/// Runs of a cold start.
const COLD_RUNS: usize = 5;
/// Most runs with changing panes: each waits for the second to be over in which they changed.
const MOST_CHANGING_RUNS: usize = 10;

/// Options of `benchmark`.
#[derive(Clone, Debug, clap::Args)]
pub struct BenchmarkOptions {
    /// Agents, each in a pane of its own
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=500))]
    pub agents: u16,
    /// Also the baseline: one tmux process per command, one agent after another
    #[arg(long)]
    pub compare: bool,
    /// Cycles measured for each case
    #[arg(long, value_name = "N", default_value_t = 30, value_parser = clap::value_parser!(u16).range(3..=1000))]
    pub runs: u16,
    /// How to report.
    #[command(flatten)]
    pub report: super::Report,
}

/// One case and what was measured.
#[derive(Clone, Debug, PartialEq, Serialize)]
struct Case {
    name: &'static str,
    what: String,
    runs: usize,
    median_ms: f64,
    p95_ms: f64,
    least_ms: f64,
    most_ms: f64,
    /// Of the median run.
    checked: usize,
    tmux_requests: u64,
    tmux_processes: u64,
    tmux_commands: u64,
}

/// Runs it. Whatever way it ends, the private server is gone.
pub async fn run(options: &BenchmarkOptions, context: &mut Context) -> Result<(), Failure> {
    let stop = Arc::new(AtomicBool::new(false));
    let bar = progress(options);
    let mut signals = super::engine::Signals::listen()?;
    let (fleet_options, fleet_stop, fleet_bar) = (options.clone(), Arc::clone(&stop), bar.clone());
    let mut making = tokio::task::spawn_blocking(move || fleet(&fleet_options, &fleet_stop, &fleet_bar));
    let fleet = tokio::select! {
        made = &mut making => made,
        () = signals.any() => {
            stop.store(true, Ordering::Relaxed);
            drop(making.await);
            return Err(Failure::silent(130));
        }
    };
    let fleet = fleet.map_err(|error| Failure::failed(format!("cannot make the panes: {error}")))??;
    let measured = tokio::select! {
        measured = measure(options, &fleet, &bar) => measured,
        () = signals.any() => Err(Failure::silent(130)),
    };
    bar.finish_and_clear();
    let version = fleet.server().version().await.map(|version| version.to_string()).unwrap_or_default();
    // Taken down by signals and waited for: not a thing for the runtime's threads.
    tokio::task::spawn_blocking(move || drop(fleet)).await.ok();
    report(&measured?, &version, options, context)
}

fn progress(options: &BenchmarkOptions) -> ProgressBar {
    let runs = u64::from(options.runs) * 3
        + COLD_RUNS as u64
        + if options.compare { baseline_runs(options) as u64 } else { 0 };
    let target =
        if std::io::stderr().is_terminal() { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
    let bar = ProgressBar::with_draw_target(Some(runs + u64::from(options.agents)), target);
    if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len} {msg}") {
        bar.set_style(style);
    }
    bar
}

fn baseline_runs(options: &BenchmarkOptions) -> usize {
    usize::from(options.runs).min(MOST_BASELINE_RUNS)
}

/// A private server with quiet agents, one in each pane.
fn fleet(options: &BenchmarkOptions, stop: &AtomicBool, bar: &ProgressBar) -> Result<Fleet, Failure> {
    let failed = |error: crate::app::demo::DemoError| Failure::failed(error.to_string());
    let plan = Plan { hold: true, ..Plan::new(usize::from(options.agents)) };
    let idle = |(name, script): (&String, &crate::app::demo::Script)| {
        let scene = script.scenes.iter().position(|scene| scene.state == State::Idle && scene.kind.is_none());
        scene
            .or_else(|| script.scenes.iter().position(|scene| scene.state == State::Idle))
            .map(|scene| (name.clone(), scene))
    };
    let parts: Vec<(String, usize)> = scripts().iter().filter_map(idle).collect();
    bar.set_message("opening panes");
    let mut fleet = Fleet::empty(&plan).map_err(failed)?;
    for index in 0..usize::from(options.agents) {
        if stop.load(Ordering::Relaxed) {
            return Err(Failure::silent(130));
        }
        let Some((agent, scene)) = parts.get(index % parts.len().max(1)) else {
            return Err(Failure::failed("no simulated agent is ever idle"));
        };
        fleet.add(&plan, agent, *scene).map_err(failed)?;
        bar.inc(1);
    }
    Ok(fleet)
}

/// What was measured.
struct Measured {
    cases: Vec<Case>,
    transport: Option<String>,
    changing: usize,
}

async fn measure(options: &BenchmarkOptions, fleet: &Fleet, bar: &ProgressBar) -> Result<Measured, Failure> {
    let agents = usize::from(options.agents);
    let runs = usize::from(options.runs);
    bar.set_message("the agents start");
    let engine = Bench::start(fleet, Mode::Async)?;
    let transport = engine.all_found(agents).await?.server.transport.clone();
    sleep(QUIET).await;
    let mut cases = Vec::new();

    bar.set_message("every pane read");
    let mut full = Vec::new();
    for _ in 0..runs * 2 {
        let stats = engine.cycle_after(Command::ClearCache).await?;
        if stats.checked == agents {
            full.push(stats);
            bar.inc(1);
        }
        if full.len() == runs {
            break;
        }
    }
    push(&mut cases, "full", "async, every pane read".to_owned(), full);

    bar.set_message("some panes change");
    let changing = (agents * 5).div_ceil(100);
    let ttys = ttys(fleet).await?;
    let mut some = Vec::new();
    for run in 0..runs.min(MOST_CHANGING_RUNS) {
        for index in 0..changing {
            touch(&ttys[(run * changing + index) % ttys.len()], run)?;
        }
        // What was written has to pass through the server before it can be seen.
        sleep(Duration::from_millis(20)).await;
        some.push(engine.cycle_after(Command::Refresh).await?);
        bar.inc(1);
        // Panes that wrote in this second are read again in the next cycle; here each run is to see its own only.
        sleep(Duration::from_millis(1100)).await;
        engine.cycle_after(Command::Refresh).await?;
    }
    push(&mut cases, "changing", format!("async, {changing} of {agents} panes changing"), some);

    bar.set_message("nothing changes");
    sleep(QUIET).await;
    engine.cycle_after(Command::Refresh).await?;
    let mut quiet = Vec::new();
    for _ in 0..runs * 2 {
        let stats = engine.cycle_after(Command::Refresh).await?;
        if stats.checked == 0 {
            quiet.push(stats);
            bar.inc(1);
        }
        if quiet.len() == runs {
            break;
        }
    }
    push(&mut cases, "warm", "async, nothing changed".to_owned(), quiet);
    engine.stop().await;

    bar.set_message("cold starts");
    let mut cold = Vec::new();
    for _ in 0..COLD_RUNS {
        let engine = Bench::start(fleet, Mode::Async)?;
        cold.push(engine.first_cycle().await?);
        engine.stop().await;
        bar.inc(1);
    }
    push(&mut cases, "cold", "async, the engine's first cycle".to_owned(), cold);

    if options.compare {
        bar.set_message("the baseline");
        let engine = Bench::start(fleet, Mode::Sync)?;
        engine.all_found(agents).await?;
        let mut baseline = Vec::new();
        for _ in 0..baseline_runs(options) {
            baseline.push(engine.cycle_after(Command::Refresh).await?);
            bar.inc(1);
        }
        engine.stop().await;
        push(&mut cases, "baseline", "one tmux process per command, one agent after another".to_owned(), baseline);
    }
    Ok(Measured { cases, transport, changing })
}

/// An engine under measurement: it cycles only when told.
struct Bench {
    handle: Handle,
    task: JoinHandle<()>,
}

impl Bench {
    fn start(fleet: &Fleet, mode: Mode) -> Result<Self, Failure> {
        let settings = EngineSettings {
            mode,
            strategy: "concurrent".to_owned(),
            interval: Duration::from_secs(3600),
            ..EngineSettings::default()
        };
        let (handle, task) = Engine::start(fleet.server().clone(), settings).map_err(|error| engine_failure(&error))?;
        Ok(Self { handle, task })
    }

    async fn wait(
        &self,
        what: &str,
        limit: Duration,
        ready: impl FnMut(&Arc<Snapshot>) -> bool,
    ) -> Result<Arc<Snapshot>, Failure> {
        let mut snapshots = self.handle.snapshots.clone();
        match timeout(limit, snapshots.wait_for(ready)).await {
            Ok(Ok(snapshot)) => Ok(Arc::clone(&snapshot)),
            Ok(Err(_)) => Err(Failure::failed("the engine ended during the benchmark")),
            Err(_) => Err(Failure::failed(format!("{what} took more than {} s", limit.as_secs()))),
        }
    }

    async fn first_cycle(&self) -> Result<CycleStats, Failure> {
        let first = self.wait("the first cycle", CYCLE_LIMIT, |s| s.server.status != ServerStatus::Connecting).await?;
        stats(&first)
    }

    /// Cycles until every agent is there and idle.
    async fn all_found(&self, agents: usize) -> Result<Arc<Snapshot>, Failure> {
        self.first_cycle().await?;
        let looking = async {
            loop {
                let snapshot = self.snapshot_after(Command::Refresh).await?;
                let there = snapshot.agents.len() == agents && snapshot.agents.iter().all(|a| a.state == State::Idle);
                if there {
                    return Ok(snapshot);
                }
                sleep(Duration::from_millis(100)).await;
            }
        };
        timeout(FIND_LIMIT, looking).await.unwrap_or_else(|_| {
            let snapshot = self.handle.snapshots.borrow();
            let idle = snapshot.agents.iter().filter(|agent| agent.state == State::Idle).count();
            let (found, limit) = (snapshot.agents.len(), FIND_LIMIT.as_secs());
            Err(Failure::failed(format!("{found} of {agents} agents were found and {idle} were idle after {limit} s")))
        })
    }

    async fn snapshot_after(&self, command: Command) -> Result<Arc<Snapshot>, Failure> {
        let before = self.handle.snapshots.borrow().base_status.cycle_count;
        self.handle
            .commands
            .send(command)
            .await
            .map_err(|_| Failure::failed("the engine ended during the benchmark"))?;
        self.wait("a cycle", CYCLE_LIMIT, |snapshot| snapshot.base_status.cycle_count > before).await
    }

    async fn cycle_after(&self, command: Command) -> Result<CycleStats, Failure> {
        stats(&*self.snapshot_after(command).await?)
    }

    async fn stop(self) {
        self.handle.commands.send(Command::Stop).await.ok();
        self.task.await.ok();
    }
}

fn stats(snapshot: &Snapshot) -> Result<CycleStats, Failure> {
    match (&snapshot.server.problem, &snapshot.cycle.last) {
        (Some(problem), _) => Err(Failure::failed(format!("the private server was not read: {problem}"))),
        (None, Some(stats)) => Ok(stats.clone()),
        (None, None) => Err(Failure::failed("the engine told nothing of its cycle")),
    }
}

/// The terminals of all panes.
async fn ttys(fleet: &Fleet) -> Result<Vec<String>, Failure> {
    let features = fleet.server().version().await?.features();
    let mut batch = Batch::new();
    batch.push(tmux::Command::list_panes(features, tmux::Fields::Cheap), Expect::Any);
    let transport = Transport::new(fleet.server().clone(), TransportKind::Spawn, None);
    let reply = transport.send(&batch, CYCLE_LIMIT).await?;
    let panes = reply.parts.into_iter().next().and_then(Result::ok).map(|bytes| parse_panes(&bytes, features));
    let ttys: Vec<String> = panes.unwrap_or_default().into_iter().map(|pane| pane.tty).collect();
    if ttys.is_empty() { Err(Failure::failed("the private server told no terminals")) } else { Ok(ttys) }
}

/// Changes what a pane shows, as a program in it would: a number in its first row.
fn touch(tty: &str, run: usize) -> Result<(), Failure> {
    let cannot = |error: std::io::Error| Failure::failed(format!("{tty}: cannot write to a pane's terminal: {error}"));
    let mut out = OpenOptions::new().write(true).open(tty).map_err(cannot)?;
    write!(out, "\x1b7\x1b[1;1Hrun {run}\x1b8").map_err(cannot)
}

fn push(cases: &mut Vec<Case>, name: &'static str, what: String, mut stats: Vec<CycleStats>) {
    stats.sort_by(|a, b| a.duration_ms.total_cmp(&b.duration_ms));
    let (Some(least), Some(most)) = (stats.first(), stats.last()) else { return };
    let at = |part: f64| &stats[((stats.len() - 1) as f64 * part).round() as usize];
    let median = at(0.5);
    cases.push(Case {
        name,
        what,
        runs: stats.len(),
        median_ms: median.duration_ms,
        p95_ms: at(0.95).duration_ms,
        least_ms: least.duration_ms,
        most_ms: most.duration_ms,
        checked: median.checked,
        tmux_requests: median.tmux_requests,
        tmux_processes: median.tmux_processes,
        tmux_commands: median.tmux_commands,
    });
}

fn report(
    measured: &Measured,
    version: &str,
    options: &BenchmarkOptions,
    context: &mut Context,
) -> Result<(), Failure> {
    let Measured { cases, transport, changing } = measured;
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let median = |name: &str| cases.iter().find(|case| case.name == name).map(|case| case.median_ms);
    let ratio = |name: &str| Some(median("baseline")? / median(name)?);
    let build = if cfg!(debug_assertions) { "debug" } else { "release" };
    if options.report.json {
        let ratios: serde_json::Map<_, _> = ["full", "changing", "warm", "cold"]
            .into_iter()
            .filter_map(|name| Some((name.to_owned(), json!(ratio(name)?))))
            .collect();
        return context.out.json(&json!({
            "schema": 1,
            "timestamp": jiff::Timestamp::now(),
            "version": env!("CARGO_PKG_VERSION"),
            "build": build,
            "agents": options.agents,
            "changing": changing,
            "tmux_version": version,
            "transport": transport,
            "cores": cores,
            "cases": cases,
            "baseline_over": ratios,
        }));
    }
    let transport = transport.as_deref().unwrap_or("-");
    context.out.line(format!(
        "{} agents in as many panes, tmux {version} by {transport}, {cores} cores, tmux-orc {} ({build} build)\n",
        options.agents,
        env!("CARGO_PKG_VERSION")
    ))?;
    let title = |text: &str| (Look::Title, text.to_owned());
    let mut rows = vec![
        ["CYCLE", "MEDIAN", "P95", "RUNS", "READ", "REQUESTS", "PROCESSES"].into_iter().map(title).collect::<Vec<_>>(),
    ];
    for case in cases {
        let plain = |text: String| (Look::Plain, text);
        rows.push(vec![
            plain(case.what.clone()),
            plain(format!("{:>9.2} ms", case.median_ms)),
            plain(format!("{:>9.2} ms", case.p95_ms)),
            plain(case.runs.to_string()),
            plain(case.checked.to_string()),
            plain(case.tmux_requests.to_string()),
            plain(case.tmux_processes.to_string()),
        ]);
    }
    context.out.table(&rows)?;
    if let (Some(baseline), Some(full), Some(times)) = (median("baseline"), median("full"), ratio("full")) {
        context.out.line(format!(
            "\nReading every pane took {full:.2} ms instead of {baseline:.2} ms: {times:.1} times faster than one tmux process \
             per command in this run."
        ))?;
    }
    if let (Some(warm), Some(times)) = (median("warm"), ratio("warm")) {
        context.out.line(format!("When nothing changed a cycle took {warm:.2} ms: {times:.0} times faster."))?;
    }
    Ok(())
}
