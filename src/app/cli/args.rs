//! The command line's words: every verb and option, with examples.

use std::path::PathBuf;

use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};

use crate::monitor::State;

/// The whole command line.
#[derive(Debug, Parser)]
#[command(
    name = "tmux-orc",
    version = env!("TMUX_ORC_VERSION"),
    about = "Watches the AI coding agents in your tmux panes and tells which one needs you",
    long_about = "Watches every AI coding agent in the panes of a tmux server, tells at a glance which one needs its user, \
                  and shows what the watching itself costs.\n\nWithout a verb, on a terminal: the dashboard (perf watch).",
    after_help = EXAMPLES,
    propagate_version = true,
    max_term_width = 110
)]
pub struct Cli {
    /// Options of every verb.
    #[command(flatten)]
    pub global: Global,
    /// What to do; on a terminal, none is `perf watch`.
    #[command(subcommand)]
    pub verb: Option<Verb>,
}

const EXAMPLES: &str = "\
Examples:
  tmux-orc                          the dashboard, on the server you are in
  tmux-orc agents --state waiting   who needs you, as a table
  tmux-orc next                     go to the one that has waited longest
  tmux-orc monitor start            an engine in the background
  tmux-orc status --detailed        what it does and what it costs
  tmux-orc config init              write a commented settings file

Exit codes: 0 done; 1 it failed or a check failed; 2 usage or bad settings; 3 no engine or no tmux server.
Settings: ~/.tmux_orchestrator/config.yaml (TMUX_ORC_HOME names another directory).";

/// Options of every verb.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Options of every verb")]
pub struct Global {
    /// Name of the tmux socket, as `tmux -L`
    #[arg(short = 'L', long = "socket-name", value_name = "NAME", global = true, conflicts_with = "socket_path")]
    pub socket_name: Option<String>,
    /// Path of the tmux socket, as `tmux -S`; default: the server of $TMUX, else the default one
    #[arg(short = 'S', long = "socket-path", value_name = "PATH", global = true)]
    pub socket_path: Option<PathBuf>,
    /// Settings file to read instead of the usual one
    #[arg(long, value_name = "FILE", global = true)]
    pub config: Option<PathBuf>,
    /// Colour the output: auto, always, never; auto means on a terminal, unless NO_COLOR is set
    #[arg(
        long,
        value_name = "WHEN",
        value_enum,
        default_value_t = Color::Auto,
        hide_possible_values = true,
        global = true
    )]
    pub color: Color,
    /// Log more; twice: everything
    #[arg(short, long, action = ArgAction::Count, global = true)]
    pub verbose: u8,
}

/// When to colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal, unless NO_COLOR is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// A report as JSON instead of text.
#[derive(Clone, Copy, Debug, Default, Args)]
pub struct Report {
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// What the watching costs, live
    #[command(subcommand_required = true, arg_required_else_help = true)]
    Perf {
        /// What about it.
        #[command(subcommand)]
        verb: PerfVerb,
    },
    /// The dashboard on simulated agents of a private tmux server; everything is gone when it ends
    #[command(after_help = "Examples:\n  tmux-orc demo\n  tmux-orc demo --agents 100")]
    Demo(DemoOptions),
    /// The engine: in the foreground, or start, stop, restart, status, logs of one in the background
    #[command(
        args_conflicts_with_subcommands = true,
        after_help = "\
Examples:
  tmux-orc monitor                                  until Ctrl-C
  tmux-orc monitor --async --pool-size 10 --strategy concurrent --dry-run
  tmux-orc monitor start
  tmux-orc monitor logs -f"
    )]
    Monitor {
        /// Options of the engine in the foreground.
        #[command(flatten)]
        engine: EngineOptions,
        /// What about one in the background.
        #[command(subcommand)]
        verb: Option<MonitorVerb>,
    },
    /// What the engine does: strategy, agents, cycles
    #[command(
        after_help = "Examples:\n  tmux-orc status\n  tmux-orc status --detailed | grep -A5 \"Connection Pool\"\n  \
                            tmux-orc status --json | jq .cycle.p99_ms"
    )]
    Status(StatusOptions),
    /// Every agent with its state and why; with or without an engine
    #[command(
        visible_alias = "ls",
        args_conflicts_with_subcommands = true,
        after_help = "\
Examples:
  tmux-orc agents
  tmux-orc agents --state waiting,error
  tmux-orc agents --wait waiting --timeout 600 && notify-send 'an agent needs you'
  tmux-orc agents --json | jq -r '.agents[] | select(.state==\"waiting\").target'"
    )]
    Agents {
        /// Options of the list.
        #[command(flatten)]
        list: AgentsOptions,
        /// Something else about agents.
        #[command(subcommand)]
        verb: Option<AgentsVerb>,
    },
    /// Health of one agent
    #[command(after_help = "Examples:\n  tmux-orc check api:2.0\n  tmux-orc check %14 --json")]
    Check {
        /// `%12`, `session:window.pane`, `session:window`, or the agent's name
        target: String,
        /// How to report.
        #[command(flatten)]
        report: Report,
    },
    /// Why a pane is in its state: each rule that was tried, where it looked, what it found
    #[command(after_help = "Examples:\n  tmux-orc why api:2.0\n  tmux-orc why %14 --save screen.fixture")]
    Why(super::WhyOptions),
    /// Whether the engine keeps to its thresholds
    #[command(after_help = "Examples:\n  tmux-orc health\n  tmux-orc health --json\n\n\
                            Exit codes: 0 all good; 1 a check failed; 3 no engine runs.")]
    Health(Report),
    /// Measure the engine on a private tmux server with real panes
    #[command(after_help = "\
Examples:
  tmux-orc benchmark --agents 50 --compare
  tmux-orc benchmark --agents 100 --json | jq .cases

Nothing of yours is touched: the server, its panes and its files are made for the run and gone after it, also on Ctrl-C.")]
    Benchmark(super::BenchmarkOptions),
    /// The strategies there are, and where they come from
    #[command(after_help = "Examples:\n  tmux-orc strategies\n  tmux-orc strategies --json")]
    Strategies(Report),
    /// Where settings come from, whether they are right, what they are
    #[command(subcommand_required = true, arg_required_else_help = true)]
    Config {
        /// What about them.
        #[command(subcommand)]
        verb: ConfigVerb,
    },
    /// Take an agent's own word for its state (called by the agent's hooks)
    #[command(
        after_help = "Examples:\n  tmux-orc hook claude < event.json\n\nIt is set up as `tmux-orc hooks show claude` says. \
                            It always succeeds, so that no agent is held up."
    )]
    Hook {
        /// The program whose event it is
        #[arg(value_enum)]
        program: super::Program,
        /// The event's JSON; without it, standard input is read
        event: Option<String>,
    },
    /// Settings that make agents tell their state themselves
    #[command(subcommand_required = true, arg_required_else_help = true)]
    Hooks {
        /// What about them.
        #[command(subcommand)]
        verb: super::HooksVerb,
    },
    /// Take your tmux client to an agent's pane
    #[command(after_help = "Examples:\n  tmux-orc jump api:2.0\n  tmux-orc jump %14\n\n\
                            Outside of tmux, on a terminal, it attaches.")]
    Jump(JumpOptions),
    /// Take your tmux client to the agent that has waited longest; again: to the next one
    #[command(after_help = "Examples:\n  tmux-orc next\n  tmux-orc next --state waiting,error,idle")]
    Next(NextOptions),
    /// What happened, from the journal
    #[command(after_help = "Examples:\n  tmux-orc events --since 1h\n  tmux-orc events --follow\n  \
                            tmux-orc events api:2.0 --since 1d --json | jq -r .event")]
    Events(EventsOptions),
    /// How long each agent worked, waited and idled, and how long answers took
    #[command(after_help = "Examples:\n  tmux-orc report --since 8h\n  tmux-orc report --since 7d --json")]
    Report(ReportOptions),
    /// What joins it to your tmux
    #[command(subcommand_required = true, arg_required_else_help = true)]
    Tmux {
        /// What about it.
        #[command(subcommand)]
        verb: TmuxVerb,
    },
    /// A segment for tmux's status line, such as `2 waiting 5 working`
    #[command(after_help = "Examples:\n  set -ag status-right ' #(tmux-orc statusline) '")]
    Statusline(StatuslineOptions),
    /// The dashboard as a pane at the side of the window
    #[command(after_help = "Examples:\n  tmux-orc sidebar\n  tmux-orc sidebar --toggle --left --width 36")]
    Sidebar(SidebarOptions),
    /// Print completions for a shell
    #[command(
        after_help = "Examples:\n  tmux-orc completions bash > ~/.local/share/bash-completion/completions/tmux-orc\n  \
                            tmux-orc completions zsh > ~/.zfunc/_tmux-orc"
    )]
    Completions {
        /// The shell.
        #[arg(value_enum)]
        shell: clap_complete::Shell,
    },
    /// Print the manual page
    #[command(after_help = "Examples:\n  tmux-orc man | man -l -\n  tmux-orc man > ~/.local/share/man/man1/tmux-orc.1")]
    Man,
}

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

/// Options of `perf watch`.
#[derive(Clone, Debug, Default, Args)]
pub struct WatchOptions {
    /// Seconds between cycles (of an engine inside) and between plain frames
    #[arg(long, value_name = "SECONDS")]
    pub interval: Option<f64>,
    /// Print one plain frame and end
    #[arg(long)]
    pub once: bool,
    /// Print a JSON snapshot a line
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
}

/// Options of `jump`.
#[derive(Clone, Debug, Args)]
pub struct JumpOptions {
    /// `%12`, `session:window.pane`, `session:window`, or the agent's name
    pub target: String,
    /// The client to take there, as `tmux list-clients` names it; default: yours
    #[arg(long, value_name = "NAME")]
    pub client: Option<String>,
}

/// Options of `next`.
#[derive(Clone, Debug, Default, Args)]
pub struct NextOptions {
    /// The states to look for, the first one first; default: waiting
    #[arg(long, value_name = "STATE", value_delimiter = ',', value_parser = state)]
    pub state: Vec<State>,
    /// The client to take there, as `tmux list-clients` names it; default: yours
    #[arg(long, value_name = "NAME")]
    pub client: Option<String>,
    /// For key bindings: print nothing, say what is wrong in tmux's status line
    #[arg(long, requires = "client")]
    pub message: bool,
}

/// Options of `events`.
#[derive(Clone, Debug, Default, Args)]
pub struct EventsOptions {
    /// Only of this one: `%12`, `session`, `session:window.pane`, or a program such as `claude`
    pub target: Option<String>,
    /// Since when: how long ago (90s, 45m, 1h30m, 2d) or a moment (2026-03-01T09:00)
    #[arg(long, value_name = "TIME")]
    pub since: Option<String>,
    /// Most of them, the newest; default: 50, or all since the time given
    #[arg(short = 'n', long, value_name = "N")]
    pub lines: Option<usize>,
    /// Go on as they come
    #[arg(short, long)]
    pub follow: bool,
    /// Print a JSON record a line
    #[arg(long)]
    pub json: bool,
}

/// Options of `report`.
#[derive(Clone, Debug, Args)]
pub struct ReportOptions {
    /// Since when: how long ago (8h, 2d) or a moment (2026-03-01T09:00)
    #[arg(long, value_name = "TIME", default_value = "8h")]
    pub since: String,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Verbs about the user's tmux.
#[derive(Debug, Subcommand)]
pub enum TmuxVerb {
    /// Print key bindings and a status line for ~/.tmux.conf; nothing is installed
    #[command(after_help = "Examples:\n  tmux-orc tmux bindings >> ~/.tmux.conf && tmux source-file ~/.tmux.conf")]
    Bindings,
}

/// Options of `statusline`.
#[derive(Clone, Copy, Debug, Default, Args)]
pub struct StatuslineOptions {
    /// Without colours
    #[arg(long)]
    pub plain: bool,
    /// As a range named `orc`, so that a click on it can be bound (tmux 3.4 and newer)
    #[arg(long)]
    pub range: bool,
}

/// Options of `sidebar`.
#[derive(Clone, Debug, Args)]
pub struct SidebarOptions {
    /// Close it when it is there
    #[arg(long)]
    pub toggle: bool,
    /// On the left instead of the right
    #[arg(long)]
    pub left: bool,
    /// Its columns
    #[arg(long, value_name = "N", default_value_t = crate::app::integration::SIDEBAR_WIDTH,
          value_parser = clap::value_parser!(u16).range(20..=400))]
    pub width: u16,
    /// In the window of this pane; default: the one it runs in
    #[arg(long, value_name = "%ID")]
    pub pane: Option<String>,
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
}

/// Options of an engine.
#[derive(Clone, Debug, Default, Args)]
pub struct EngineOptions {
    /// The async engine: batched requests over a pool, cached
    #[arg(long = "async", overrides_with = "sync")]
    pub asynchronous: bool,
    /// The sync engine: one tmux process per command, one agent at a time
    #[arg(long, overrides_with = "asynchronous")]
    pub sync: bool,
    /// Strategy: concurrent, polling, adaptive, or the name of a script
    #[arg(long, value_name = "NAME")]
    pub strategy: Option<String>,
    /// Most connections at once (1 to 64)
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub pool_size: Option<i64>,
    /// Use the cache
    #[arg(long, overrides_with = "no_cache")]
    pub cache: bool,
    /// Do not use the cache
    #[arg(long, overrides_with = "cache")]
    pub no_cache: bool,
    /// Seconds between cycles
    #[arg(long, value_name = "SECONDS", allow_negative_numbers = true)]
    pub interval: Option<f64>,
    /// How tmux is reached: auto, dial, spawn, process
    #[arg(long, value_name = "HOW")]
    pub transport: Option<String>,
    /// Check everything, print the effective settings, start nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// Verbs about an engine in the background.
#[derive(Debug, Subcommand)]
pub enum MonitorVerb {
    /// Start one; returns when its first cycle is published
    #[command(after_help = "Examples:\n  tmux-orc monitor start\n  tmux-orc monitor start --sync\n  \
                            tmux-orc monitor start --strategy concurrent --pool-size 15")]
    Start(EngineOptions),
    /// Stop it; returns when it is gone
    Stop,
    /// Stop it if it runs, and start one
    Restart(EngineOptions),
    /// What it does
    Status(StatusOptions),
    /// Its log
    #[command(after_help = "Examples:\n  tmux-orc monitor logs\n  tmux-orc monitor logs -f -n 100")]
    Logs {
        /// Go on as it grows
        #[arg(short, long)]
        follow: bool,
        /// Lines to begin with
        #[arg(short = 'n', long, value_name = "N", default_value_t = 50)]
        lines: usize,
    },
    /// The engine itself, as `start` runs it
    #[command(hide = true)]
    Run {
        /// Options of the engine.
        #[command(flatten)]
        engine: EngineOptions,
        /// Leave the terminal's session.
        #[arg(long)]
        daemon: bool,
    },
}

/// Options of `status`.
#[derive(Clone, Copy, Debug, Default, Args)]
pub struct StatusOptions {
    /// Also pool, cache and health
    #[arg(long)]
    pub detailed: bool,
    /// How to report.
    #[command(flatten)]
    pub report: Report,
}

/// Options of `agents`.
#[derive(Clone, Debug, Default, Args)]
pub struct AgentsOptions {
    /// Only agents in these states, separated by commas
    #[arg(long, value_name = "STATE", value_delimiter = ',', value_parser = state)]
    pub state: Vec<State>,
    /// Wait until an agent is in one of these states
    #[arg(long, value_name = "STATE", value_delimiter = ',', value_parser = state)]
    pub wait: Vec<State>,
    /// Seconds to wait at most; without it: for ever
    #[arg(long, value_name = "SECONDS", requires = "wait", value_parser = seconds)]
    pub timeout: Option<f64>,
    /// How to report.
    #[command(flatten)]
    pub report: Report,
}

/// Other verbs about agents.
#[derive(Debug, Subcommand)]
pub enum AgentsVerb {
    /// The programs that are known, and where each profile comes from
    Profiles(Report),
}

/// Verbs about settings.
#[derive(Debug, Subcommand)]
pub enum ConfigVerb {
    /// Print where the settings are read from
    #[command(after_help = "Examples:\n  $EDITOR \"$(tmux-orc config path)\"")]
    Path,
    /// Check the settings; every problem with file:line:column
    #[command(after_help = "Examples:\n  tmux-orc config check\n  tmux-orc config check --config ./candidate.yaml")]
    Check(Report),
    /// Print the settings in force and where each comes from
    #[command(
        after_help = "Examples:\n  tmux-orc config show\n  TMUX_ORC_POOL_SIZE=8 tmux-orc config show | grep max_size"
    )]
    Show(Report),
    /// Write the commented default settings
    #[command(after_help = "Examples:\n  tmux-orc config init\n  tmux-orc config init --force")]
    Init {
        /// Replace a file that is there; it is kept beside as config.yaml.old
        #[arg(long)]
        force: bool,
    },
}

fn state(text: &str) -> Result<State, String> {
    text.trim().to_ascii_lowercase().parse().map_err(|_| {
        use strum::IntoEnumIterator;
        let states: Vec<String> = State::iter().map(|state| state.to_string()).collect();
        format!("there are {}", states.join(", "))
    })
}

fn seconds(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(seconds) if (0.0..=1e9).contains(&seconds) => Ok(seconds),
        _ => Err("expected seconds, such as 30 or 0.5".to_owned()),
    }
}
