//! `benchmark`: what a cycle costs, measured now, on a private tmux server with real panes.

mod busy;
mod measure;
mod report;

use std::{
    io::IsTerminal,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::app::cli::{Context, Failure};
use crate::{
    app::demo::{Fleet, Plan, scripts},
    monitor::AgentState,
};

/// Most runs of the baseline, which is slow.
const MOST_BASELINE_RUNS: usize = 10;
/// Runs of a cold start.
const COLD_RUNS: usize = 5;

/// Options of `benchmark`.
#[derive(Clone, Debug, clap::Args)]
pub struct BenchmarkOptions {
    /// Agents, each in a pane of its own
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=500))]
    pub agents: u16,
    /// Of these, so many redraw ten times a second while it measures
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub busy: u16,
    /// Also the baseline: one tmux process per command, one agent after another
    #[arg(long)]
    pub compare: bool,
    /// Cycles measured for each case
    #[arg(long, value_name = "N", default_value_t = 30, value_parser = clap::value_parser!(u16).range(3..=1000))]
    pub runs: u16,
    /// How to report.
    #[command(flatten)]
    pub report: crate::app::cli::Report,
}

/// Runs it. Whatever way it ends, the private server is gone.
pub async fn run(options: &BenchmarkOptions, context: &mut Context) -> Result<(), Failure> {
    let BenchmarkOptions { agents, busy, .. } = options;
    if busy > agents {
        return Err(Failure::usage(format!("--busy {busy}: there are {agents} agents, and no more can be busy")));
    }
    let stop = Arc::new(AtomicBool::new(false));
    let bar = progress(options);
    let mut signals = crate::app::cli::engine::Signals::listen()?;
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
        measured = measure::measure(options, &fleet, &bar) => measured,
        () = signals.any() => Err(Failure::silent(130)),
    };
    bar.finish_and_clear();
    let version = fleet.server().version().await.map(|version| version.to_string()).unwrap_or_default();
    // Taken down by signals and waited for: not a thing for the runtime's threads.
    tokio::task::spawn_blocking(move || drop(fleet)).await.ok();
    report::report(&measured?, &version, options, context)
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
        let scene = script.scenes.iter().position(|scene| scene.state == AgentState::Idle && scene.kind.is_none());
        scene
            .or_else(|| script.scenes.iter().position(|scene| scene.state == AgentState::Idle))
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
