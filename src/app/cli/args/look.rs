//! Options of what shows agents and costs: the dashboard, the list, the demo.

use clap::{Args, Subcommand};

use crate::app::cli::args::parse::{column, seconds};
use crate::app::cli::args::{Report, Scope};
use crate::app::core::column::Column;
use crate::app::core::wanted::Wanted;

/// Verbs about what the watching costs.
#[derive(Debug, Subcommand)]
pub enum PerfVerb {
    /// The dashboard; in a pipe, one plain frame an interval
    #[command(after_help = "\
Examples:
  tmux-orc perf watch
  tmux-orc perf watch --interval 1 | grep -A5 \"Cache\"
  tmux-orc perf watch --once
  tmux-orc perf watch --json | jq .cycle.last.duration_ms

Attaches to the engine that runs for this tmux server; without one it runs its own inside.")]
    Watch(WatchOptions),
    /// Try strategies and pool sizes on the running server and recommend one
    #[command(after_help = "Examples:\n  tmux-orc perf tune\n  tmux-orc perf tune --seconds 120 --json")]
    Tune(TuneOptions),
}

/// Options of `perf watch`.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Options of the dashboard")]
pub struct WatchOptions {
    /// Seconds between cycles (of an engine inside), between plain frames, and at most between JSON lines
    #[arg(long, value_name = "SECONDS")]
    pub interval: Option<f64>,
    /// Print one plain frame and end
    #[arg(long)]
    pub once: bool,
    /// Print a JSON snapshot a line: when something changed, and once an interval
    #[arg(long)]
    pub json: bool,
    /// Never type into a pane
    #[arg(long)]
    pub read_only: bool,
    /// End after a jump; a dashboard in a popup does so anyway
    #[arg(long)]
    pub exit_on_jump: bool,
    /// Run an engine inside even if one runs in the background
    #[arg(long)]
    pub embedded: bool,
    /// Whose.
    #[command(flatten)]
    pub scope: Scope,
}

impl WatchOptions {
    /// One of them is set.
    #[must_use]
    pub fn any(&self) -> bool {
        let Self { interval, once, json, read_only, exit_on_jump, embedded, scope } = self;
        let scope = scope.any() || scope.strict;
        interval.is_some() || *once || *json || *read_only || *exit_on_jump || *embedded || scope
    }

    /// These and those.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            interval: other.interval.or(self.interval),
            once: self.once || other.once,
            json: self.json || other.json,
            read_only: self.read_only || other.read_only,
            exit_on_jump: self.exit_on_jump || other.exit_on_jump,
            embedded: self.embedded || other.embedded,
            scope: self.scope.or(other.scope),
        }
    }
}

/// Options of `perf tune`.
#[derive(Clone, Copy, Debug, Args)]
pub struct TuneOptions {
    /// How long it takes in all; each combination runs for at least 3 s
    #[arg(long, value_name = "N", default_value_t = 45.0)]
    pub seconds: f64,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Options of `demo`.
#[derive(Clone, Debug, Args)]
pub struct DemoOptions {
    /// How many agents
    #[arg(long, value_name = "N", default_value_t = 12)]
    pub agents: usize,
    /// Show your own server instead when agents run on it
    #[arg(long)]
    pub if_no_agents: bool,
    /// Print one plain frame and end
    #[arg(long)]
    pub once: bool,
    /// With a tour of six steps over it, which Escape ends
    #[arg(long, conflicts_with = "once")]
    pub tour: bool,
}

/// Options of `agents`.
#[derive(Clone, Debug, Default, Args)]
pub struct AgentsOptions {
    /// Only agents in these states or of these kinds (done, permission, ...), separated by commas
    #[arg(long, value_name = "STATE", value_delimiter = ',')]
    pub state: Vec<Wanted>,
    /// Wait until an agent is in one of these states or kinds
    #[arg(long, value_name = "STATE", value_delimiter = ',')]
    pub wait: Vec<Wanted>,
    /// Go on: a line for each agent, then for each that changed, appeared or is gone
    #[arg(short, long, conflicts_with_all = ["wait", "columns"])]
    pub follow: bool,
    /// Only these columns, in this order, separated by commas: state, for, agent, target, doing, branch, diff, ctx,
    /// tokens, cost, cpu, mem, model, repository, folder
    #[arg(long, value_name = "COLUMN", value_delimiter = ',', conflicts_with = "json", value_parser = column)]
    pub columns: Vec<Column>,
    /// Seconds to wait at most; without it: for ever
    #[arg(long, value_name = "SECONDS", requires = "wait", value_parser = seconds)]
    pub timeout: Option<f64>,
    /// Whose.
    #[command(flatten)]
    pub scope: Scope,
    /// How to report.
    #[command(flatten)]
    pub report: Report,
}

/// Options of `metrics`.
#[derive(Clone, Debug, Args)]
pub struct MetricsOptions {
    /// totals, or agents: also each pane with its session's name, and all labels; default: `metrics.detail` of the settings
    #[arg(long, value_name = "HOW", value_parser = crate::app::settings::METRICS_DETAIL.to_vec())]
    pub detail: Option<String>,
    /// Print them as OpenMetrics
    #[arg(long)]
    pub openmetrics: bool,
    /// Of whom.
    #[command(flatten)]
    pub scope: Scope,
}

impl MetricsOptions {
    /// The same as words, for another machine.
    #[must_use]
    pub fn words(&self) -> Vec<String> {
        let mut words = vec!["metrics".to_owned()];
        words.extend(self.detail.iter().map(|detail| format!("--detail={detail}")));
        words.extend(self.openmetrics.then(|| "--openmetrics".to_owned()));
        words
    }
}

/// Other verbs about agents.
#[derive(Debug, Subcommand)]
pub enum AgentsVerb {
    /// The programs that are known, and where each profile comes from
    #[command(
        args_conflicts_with_subcommands = true,
        after_help = "Examples:\n  tmux-orc agents profiles\n  tmux-orc agents profiles --json\n  tmux-orc agents profiles test ~/screens"
    )]
    Profiles {
        /// How to report.
        #[command(flatten)]
        report: Report,
        /// What else.
        #[command(subcommand)]
        verb: Option<ProfilesVerb>,
    },
}

/// Verbs about profiles.
#[derive(Debug, Subcommand)]
pub enum ProfilesVerb {
    /// Judge saved screens (`why --save`) and name each whose verdict is not its label
    #[command(after_help = "\
Examples:
  tmux-orc why work:1.0 --save ~/screens/hal-asking.txt
  tmux-orc agents profiles test ~/screens

DIR is a folder of saved screens, or one file; the label of a screen is its line `expect: STATE KIND`. Exit code 1 when
one is wrong.")]
    Test {
        /// A folder of saved screens, or one file
        #[arg(value_name = "DIR")]
        dir: std::path::PathBuf,
        /// How to report.
        #[command(flatten)]
        report: Report,
    },
}
