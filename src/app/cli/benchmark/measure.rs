//! The cases of the benchmark and how each is measured.

use std::{sync::Arc, time::Duration};

use indicatif::ProgressBar;
use serde::Serialize;
use tokio::{
    task::JoinHandle,
    time::{sleep, timeout},
};

use crate::app::cli::benchmark::busy::{Busy, Tty};
use crate::app::cli::benchmark::{BenchmarkOptions, COLD_RUNS, baseline_runs};
use crate::{
    app::{
        cli::{Failure, source::engine_failure},
        demo::Fleet,
    },
    monitor::{
        AgentState, Command, CycleStats, Engine, EngineSettings, Handle, Mode, ServerStatus, Snapshot,
        meter::cost::process_cpu,
    },
    tmux::{self, Batch, Expect, Transport, TransportKind, parse_panes},
};

/// An engine has found all agents within this time.
const FIND_LIMIT: Duration = Duration::from_secs(90);
/// A cycle takes no longer than this.
const CYCLE_LIMIT: Duration = Duration::from_secs(120);
/// Output is told by the second: panes are quiet when two have passed without any.
const QUIET: Duration = Duration::from_millis(2100);
/// Most runs with changing panes: each waits for the second to be over in which they changed.
const MOST_CHANGING_RUNS: usize = 10;

/// One case and what was measured.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Case {
    pub(super) name: &'static str,
    pub(super) what: String,
    pub(super) runs: usize,
    pub(super) median_ms: f64,
    pub(super) p95_ms: f64,
    pub(super) least_ms: f64,
    pub(super) most_ms: f64,
    /// CPU time of the tmux server from the order to the answer, median of all runs; `None` where it is not known.
    pub(super) server_ms: Option<f64>,
    /// Of the median run.
    pub(super) checked: usize,
    pub(super) tmux_requests: u64,
    pub(super) tmux_processes: u64,
    pub(super) tmux_commands: u64,
}

/// What was measured.
pub(super) struct Measured {
    pub(super) cases: Vec<Case>,
    pub(super) transport: Option<String>,
    /// Panes that change in a run of that case.
    pub(super) changing: usize,
}

/// Measures every case, one after another.
pub(super) async fn measure(options: &BenchmarkOptions, fleet: &Fleet, bar: &ProgressBar) -> Result<Measured, Failure> {
    let agents = usize::from(options.agents);
    let runs = usize::from(options.runs);
    bar.set_message("the agents start");
    let busy = usize::from(options.busy);
    let engine = Bench::start(fleet, Mode::Async)?;
    let transport = engine.all_found(agents).await?.server.transport.clone();
    sleep(QUIET).await;
    let mut quiet = ttys(fleet).await?;
    let redraws = quiet.split_off(quiet.len().saturating_sub(busy));
    let _busy = Busy::start(redraws);
    let beside = |what: String| if busy == 0 { what } else { format!("{what}, {busy} busy") };
    let mut cases = Vec::new();

    bar.set_message("every pane read");
    let mut full = Vec::new();
    engine.cycle_after(Command::Cache(false)).await?;
    for _ in 0..runs * 2 {
        let run = engine.cycle_after(Command::Refresh).await?;
        if run.stats.checked == agents {
            full.push(run);
            bar.inc(1);
        }
        if full.len() == runs {
            break;
        }
    }
    push(&mut cases, "full", beside("async, every pane read".to_owned()), full);
    engine.cycle_after(Command::Cache(true)).await?;

    bar.set_message("some panes change");
    let changing = (agents * 5).div_ceil(100).min(quiet.len());
    let mut some = Vec::new();
    for run in 0..if changing == 0 { 0 } else { runs.min(MOST_CHANGING_RUNS) } {
        for index in 0..changing {
            quiet[(run * changing + index) % quiet.len()].draw(run)?;
        }
        // What was written has to pass through the server before it can be seen.
        sleep(Duration::from_millis(20)).await;
        some.push(engine.cycle_after(Command::Refresh).await?);
        bar.inc(1);
        // Panes that wrote in this second are read again in the next cycle; here each run is to see its own only.
        sleep(Duration::from_millis(1100)).await;
        engine.cycle_after(Command::Refresh).await?;
    }
    push(&mut cases, "changing", beside(format!("async, {changing} of {agents} panes changing")), some);

    bar.set_message("nothing changes");
    sleep(QUIET).await;
    engine.cycle_after(Command::Refresh).await?;
    let mut warm = Vec::new();
    for _ in 0..runs * 2 {
        let run = engine.cycle_after(Command::Refresh).await?;
        if run.stats.checked <= busy {
            warm.push(run);
            bar.inc(1);
        }
        if warm.len() == runs {
            break;
        }
    }
    push(&mut cases, "warm", beside(format!("async, nothing {}changed", if busy == 0 { "" } else { "else " })), warm);
    engine.stop().await;

    bar.set_message("cold starts");
    let mut cold = Vec::new();
    for _ in 0..COLD_RUNS {
        let engine = Bench::start(fleet, Mode::Async)?;
        cold.push(engine.first_cycle().await?);
        engine.stop().await;
        bar.inc(1);
    }
    push(&mut cases, "cold", beside("async, the engine's first cycle".to_owned()), cold);

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
        push(
            &mut cases,
            "baseline",
            beside("one tmux process per command, one agent after another".to_owned()),
            baseline,
        );
    }
    Ok(Measured { cases, transport, changing })
}

/// One cycle, and what it took of the tmux server.
struct Run {
    stats: CycleStats,
    server: Option<Duration>,
}

/// An engine under measurement: it cycles only when told.
struct Bench {
    handle: Handle,
    task: JoinHandle<()>,
    /// The tmux server's process.
    server: Option<u32>,
    /// Its CPU time when the engine started.
    begun: Option<Duration>,
}

impl Bench {
    fn start(fleet: &Fleet, mode: Mode) -> Result<Self, Failure> {
        let settings = EngineSettings {
            mode,
            strategy: "concurrent".to_owned(),
            interval: Duration::from_secs(3600),
            // What a cycle costs is measured, not how often one may be.
            max_server_percent: 100.0,
            ..EngineSettings::default()
        };
        let server = fleet.pid();
        let begun = server.and_then(process_cpu);
        let (handle, task) =
            Engine::new(fleet.server().clone(), settings).start().map_err(|error| engine_failure(&error))?;
        Ok(Self { handle, task, server, begun })
    }

    /// The tmux server's CPU time since it was so much.
    fn server_since(&self, before: Option<Duration>) -> Option<Duration> {
        Some(self.server.and_then(process_cpu)?.saturating_sub(before?))
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

    async fn first_cycle(&self) -> Result<Run, Failure> {
        let first = self.wait("the first cycle", CYCLE_LIMIT, |s| s.server.status != ServerStatus::Connecting).await?;
        Ok(Run { stats: stats(&first)?, server: self.server_since(self.begun) })
    }

    /// Cycles until every agent is there and idle.
    async fn all_found(&self, agents: usize) -> Result<Arc<Snapshot>, Failure> {
        self.first_cycle().await?;
        let looking = async {
            loop {
                let snapshot = self.snapshot_after(Command::Refresh).await?;
                let there =
                    snapshot.agents.len() == agents && snapshot.agents.iter().all(|a| a.state == AgentState::Idle);
                if there {
                    return Ok(snapshot);
                }
                sleep(Duration::from_millis(100)).await;
            }
        };
        timeout(FIND_LIMIT, looking).await.unwrap_or_else(|_| {
            let snapshot = self.handle.snapshots.borrow();
            let idle = snapshot.agents.iter().filter(|agent| agent.state == AgentState::Idle).count();
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

    async fn cycle_after(&self, command: Command) -> Result<Run, Failure> {
        let before = self.server.and_then(process_cpu);
        let after = self.snapshot_after(command).await?;
        Ok(Run { stats: stats(&after)?, server: self.server_since(before) })
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
async fn ttys(fleet: &Fleet) -> Result<Vec<Tty>, Failure> {
    let features = fleet.server().version().await?.features();
    let mut batch = Batch::new();
    batch.push(tmux::Command::list_panes(features, tmux::Fields::Cheap), Expect::Any);
    let transport = Transport::new(fleet.server().clone(), TransportKind::Spawn, None);
    let reply = transport.send(&batch, CYCLE_LIMIT).await?;
    let panes = reply.parts.into_iter().next().and_then(Result::ok).map(|bytes| parse_panes(&bytes));
    let panes = panes.unwrap_or_default();
    if panes.is_empty() {
        return Err(Failure::failed("the private server told no terminals"));
    }
    panes.into_iter().map(|pane| Tty::open(pane.tty)).collect()
}

fn push(cases: &mut Vec<Case>, name: &'static str, what: String, mut runs: Vec<Run>) {
    runs.sort_by(|a, b| a.stats.duration_ms.total_cmp(&b.stats.duration_ms));
    let (Some(least), Some(most)) = (runs.first(), runs.last()) else { return };
    let at = |part: f64| &runs[((runs.len() - 1) as f64 * part).round() as usize].stats;
    let median = at(0.5);
    let mut server: Vec<Duration> = runs.iter().filter_map(|run| run.server).collect();
    server.sort_unstable();
    cases.push(Case {
        name,
        what,
        runs: runs.len(),
        median_ms: median.duration_ms,
        p95_ms: at(0.95).duration_ms,
        least_ms: least.stats.duration_ms,
        most_ms: most.stats.duration_ms,
        server_ms: server.get(server.len() / 2).map(|time| time.as_secs_f64() * 1e3),
        checked: median.checked,
        tmux_requests: median.tmux_requests,
        tmux_processes: median.tmux_processes,
        tmux_commands: median.tmux_commands,
    });
}
