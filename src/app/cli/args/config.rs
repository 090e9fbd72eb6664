//! Verbs about settings.

use clap::Subcommand;

use crate::app::cli::args::Report;

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
