//! The command line's words: every verb and option, with examples.

use std::path::PathBuf;

use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};

/// The whole command line.
#[derive(Debug, Parser)]
#[command(
    name = "tmux-orc",
    version,
    about = "Watches the AI coding agents in your tmux panes and tells which one needs you",
    long_about = "Watches every AI coding agent in the panes of a tmux server, tells at a glance which one needs its user, \
                  and shows what the watching itself costs.\n\nWithout a verb, on a terminal: the dashboard (perf watch).",
    after_help = EXAMPLES,
    propagate_version = true,
    infer_subcommands = false,
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
  tmux-orc config init              write a commented settings file
  tmux-orc config show              every setting, its value and where it comes from

Exit codes: 0 done; 1 it failed or a check failed; 2 usage or bad settings; 3 no engine or no tmux server.
Settings: ~/.tmux_orchestrator/config.yaml (TMUX_ORC_HOME names another directory).";

/// Options of every verb.
#[derive(Clone, Debug, Default, Args)]
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
    /// Colour the output; auto: on a terminal, unless NO_COLOR is set
    #[arg(long, value_name = "WHEN", value_enum, default_value_t = Color::Auto, global = true)]
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

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Where settings come from, whether they are right, what they are
    #[command(subcommand_required = true, arg_required_else_help = true)]
    Config {
        /// What about them.
        #[command(subcommand)]
        verb: ConfigVerb,
    },
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

/// Verbs about settings.
#[derive(Debug, Subcommand)]
pub enum ConfigVerb {
    /// Print where the settings are read from
    #[command(after_help = "Examples:\n  $EDITOR \"$(tmux-orc config path)\"")]
    Path,
    /// Check the settings; every problem with file:line:column
    #[command(after_help = "Examples:\n  tmux-orc config check\n  tmux-orc config check --config ./candidate.yaml")]
    Check {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Print the settings in force and where each comes from
    #[command(
        after_help = "Examples:\n  tmux-orc config show\n  TMUX_ORC_POOL_SIZE=8 tmux-orc config show | grep max_size"
    )]
    Show {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Write the commented default settings
    #[command(after_help = "Examples:\n  tmux-orc config init\n  tmux-orc config init --force")]
    Init {
        /// Replace a file that is there; it is kept beside as config.yaml.old
        #[arg(long)]
        force: bool,
    },
}
