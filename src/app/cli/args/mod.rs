//! The command line's words: every verb and option, with examples.

mod act;
mod config;
mod engine;
mod hosts;
mod look;
mod notify;
mod parse;
mod scope;
mod tmux;

use std::path::PathBuf;

use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};

pub(crate) use act::{EventsOptions, JumpOptions, NextOptions, ReportOptions, UsageOptions};
pub(crate) use config::ConfigVerb;
pub(crate) use engine::{EngineOptions, MonitorVerb, StatusOptions};
pub(crate) use hosts::{BridgeOptions, HostsVerb};
pub(crate) use look::{
    AgentsOptions, AgentsVerb, DemoOptions, MetricsOptions, PerfVerb, ProfilesVerb, TuneOptions, WatchOptions,
};
pub(crate) use notify::NotifyVerb;
pub(crate) use scope::Scope;
pub(crate) use tmux::{SidebarOptions, StatuslineOptions, TmuxVerb};

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
    /// Those of `perf watch`, for when it is not named.
    #[command(flatten)]
    pub watch: WatchOptions,
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
    /// Name of the tmux socket, as `tmux -L`; several for what shows several servers
    #[arg(short = 'L', long = "socket-name", value_name = "NAME", global = true, conflicts_with = "socket_path")]
    pub socket_name: Vec<String>,
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
    #[command(
        subcommand_required = true,
        arg_required_else_help = true,
        after_help = "Examples:\n  tmux-orc perf watch\n  tmux-orc perf tune"
    )]
    Perf {
        /// What about it.
        #[command(subcommand)]
        verb: PerfVerb,
    },
    /// The dashboard on simulated agents of a private tmux server; everything is gone when it ends
    #[command(after_help = "Examples:\n  tmux-orc demo\n  tmux-orc demo --tour\n  tmux-orc demo --agents 100")]
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
    /// Joins standard input and output to this machine's engines, for a dashboard elsewhere: what connectors run
    #[command(
        after_help = "Examples:\n  ssh box tmux-orc bridge\n  command=\"tmux-orc bridge --read-only\",restrict ssh-ed25519 ... \
                      (a line of authorized_keys)\n\nIt starts an engine where none runs, and ends when nothing comes for 30 s."
    )]
    Bridge(BridgeOptions),
    /// The hosts of the settings: how each is reached, and check, login, install
    #[command(
        args_conflicts_with_subcommands = true,
        after_help = "Examples:\n  tmux-orc hosts\n  tmux-orc hosts check box\n  tmux-orc hosts login box\n\n\
                      Exit codes: 0 a host answers; 3 none does."
    )]
    Hosts {
        /// How to report.
        #[command(flatten)]
        report: Report,
        /// What about one of them.
        #[command(subcommand)]
        verb: Option<HostsVerb>,
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
  tmux-orc agents --all
  tmux-orc agents --wait waiting --timeout 600 && notify-send 'an agent needs you'
  tmux-orc agents --follow --json | jq -r 'select(.state==\"waiting\").target'
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
    #[command(after_help = "Examples:\n  tmux-orc check api:2.0\n  tmux-orc check %14@box --json")]
    Check {
        /// `%12`, `session:window.pane`, `session:window`, or the agent's name; elsewhere: `TARGET@HOST[/SERVER]`
        target: String,
        /// Where it is.
        #[command(flatten)]
        scope: Scope,
        /// How to report.
        #[command(flatten)]
        report: Report,
    },
    /// Why a pane is in its state: each rule that was tried, where it looked, what it found
    #[command(after_help = "Examples:\n  tmux-orc why api:2.0\n  tmux-orc why %14 --save screen.fixture")]
    Why(crate::app::cli::WhyOptions),
    /// Whether the engine keeps to its thresholds
    #[command(after_help = "Examples:\n  tmux-orc health\n  tmux-orc health --json\n\n\
                            Exit codes: 0 all good; 1 a check failed; 3 no engine runs.")]
    Health {
        /// Whose.
        #[command(flatten)]
        scope: Scope,
        /// How to report.
        #[command(flatten)]
        report: Report,
    },
    /// Measure the engine on a private tmux server with real panes
    #[command(after_help = "\
Examples:
  tmux-orc benchmark --agents 50 --compare
  tmux-orc benchmark --agents 100 --busy 30
  tmux-orc benchmark --agents 100 --json | jq .cases

Nothing of yours is touched: the server, its panes and its files are made for the run and gone after it, also on Ctrl-C.")]
    Benchmark(crate::app::cli::BenchmarkOptions),
    /// The strategies there are, and where they come from
    #[command(after_help = "Examples:\n  tmux-orc strategies\n  tmux-orc strategies --json")]
    Strategies(Report),
    /// Where settings come from, whether they are right, what they are
    #[command(
        subcommand_required = true,
        arg_required_else_help = true,
        after_help = "Examples:\n  tmux-orc config init\n  $EDITOR \"$(tmux-orc config path)\" && tmux-orc config check\n  \
                      tmux-orc config show"
    )]
    Config {
        /// What about them.
        #[command(subcommand)]
        verb: ConfigVerb,
    },
    /// Take an agent's own word for what it does and spends (called by the agent)
    #[command(
        subcommand_required = true,
        arg_required_else_help = true,
        after_help = "Examples:\n  tmux-orc hook claude < event.json\n  tmux-orc hook statusline -- sh -c 'my-own-line'\n\n\
                            It is set up as `tmux-orc hooks show claude` says. No agent is held up by it."
    )]
    Hook {
        /// What the agent says.
        #[command(subcommand)]
        verb: crate::app::cli::HookVerb,
    },
    /// Settings that make agents tell their state themselves
    #[command(
        subcommand_required = true,
        arg_required_else_help = true,
        after_help = "Examples:\n  tmux-orc hooks show claude"
    )]
    Hooks {
        /// What about them.
        #[command(subcommand)]
        verb: crate::app::cli::HooksVerb,
    },
    /// Take your tmux client to an agent's pane
    #[command(
        after_help = "Examples:\n  tmux-orc jump api:2.0\n  tmux-orc jump %14\n  tmux-orc jump api:2.0@box\n  tmux-orc jump\n\n\
                            Outside of tmux, on a terminal, it attaches."
    )]
    Jump(JumpOptions),
    /// Take your tmux client to the agent that has waited longest; again: to the next one
    #[command(after_help = "Examples:\n  tmux-orc next\n  tmux-orc next --state waiting,error,idle\n  \
                            tmux-orc next --all")]
    Next(NextOptions),
    /// What happened, from the journal
    #[command(
        after_help = "Examples:\n  tmux-orc events --since 1h\n  tmux-orc events --follow\n  tmux-orc events --host box\n  \
                            tmux-orc events api:2.0 --since 1d --json | jq -r .event\n  \
                            tmux-orc events --follow --json --bare"
    )]
    Events(EventsOptions),
    /// How long each agent worked, waited and idled, and how long answers took
    #[command(after_help = "Examples:\n  tmux-orc report --since 8h\n  tmux-orc report --since 7d --json")]
    Report(ReportOptions),
    /// Tokens and cost, out of the transcripts that the agents' programs write
    #[command(after_help = "Examples:\n  tmux-orc usage\n  tmux-orc usage --since 7d --by model\n  \
                            tmux-orc usage --by day --json | jq .totals")]
    Usage(UsageOptions),
    /// Measures for other systems, as Prometheus reads them
    #[command(after_help = "Examples:\n  tmux-orc metrics\n  tmux-orc metrics --detail agents\n  \
                            tmux-orc metrics --all > /var/lib/node_exporter/textfile/tmux-orc.prom\n\n\
                            `metrics:` in the settings has them written, answered or sent by the engine: docs/metrics.md.")]
    Metrics(MetricsOptions),
    /// Notices: whether they reach you, recipes for services
    #[command(
        subcommand_required = true,
        arg_required_else_help = true,
        after_help = "Examples:\n  tmux-orc notify test\n  tmux-orc notify recipes telegram"
    )]
    Notify {
        /// What about them.
        #[command(subcommand)]
        verb: NotifyVerb,
    },
    /// What joins it to your tmux
    #[command(
        subcommand_required = true,
        arg_required_else_help = true,
        after_help = "Examples:\n  tmux-orc tmux bindings >> ~/.tmux.conf"
    )]
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

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    /// Every verb that is shown, with its words.
    fn verbs(words: &str, command: &clap::Command, found: &mut Vec<(String, clap::Command)>) {
        for verb in command.get_subcommands().filter(|verb| !verb.is_hide_set() && verb.get_name() != "help") {
            let words = format!("{words} {}", verb.get_name());
            verbs(&words, verb, found);
            found.push((words, verb.clone()));
        }
    }

    #[test]
    fn the_help_of_every_verb_has_examples_that_are_good_command_lines() {
        let command = Cli::command();
        command.clone().debug_assert();
        let mut found = Vec::new();
        verbs("tmux-orc", &command, &mut found);
        assert!(found.len() > 30, "only {}", found.len());
        for (words, verb) in found {
            let help = verb.get_after_help().map(ToString::to_string).unwrap_or_default();
            let examples = help.split("Examples:").nth(1).unwrap_or_else(|| panic!("`{words}` has no example"));
            assert!(
                examples.contains(&words) || words.ends_with(" statusline"),
                "`{words}` is not in its own examples"
            );
            for line in examples.lines().map(str::trim).filter(|line| line.starts_with("tmux-orc ")) {
                // Up to what a shell does with its output.
                let plain = line.split(['|', '<', '>', '&']).next().unwrap_or_default();
                let plain = plain.split("  ").next().unwrap_or_default();
                let tried = command.clone().try_get_matches_from(plain.split_whitespace());
                assert!(tried.is_ok(), "{plain}: {}", tried.err().map(|error| error.to_string()).unwrap_or_default());
            }
        }
    }
}
