//! Options of what joins hosts.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// Options of `bridge`.
#[derive(Clone, Debug, Default, Args)]
pub struct BridgeOptions {
    /// Nothing is ever typed into a pane
    #[arg(long)]
    pub read_only: bool,
    /// Serve the tmux server of this name, or all of them; may be repeated [default: the usual one]
    #[arg(long, value_name = "all|NAME")]
    pub server: Vec<String>,
}

/// What about hosts; without a verb, how each is reached.
#[derive(Debug, Subcommand)]
pub enum HostsVerb {
    /// Try a host step by step, say what is there, and print the line to paste when no settings name it yet
    #[command(after_help = "Examples:\n  tmux-orc hosts check box\n  tmux-orc hosts check me@gpu1\n\n\
                            It changes nothing. Exit codes: 0 all is there; 1 something is missing.")]
    Check {
        /// A destination as ssh takes it, or the name of a host of the settings
        #[arg(value_name = "DEST")]
        destination: String,
    },
    /// Log in to a host in this terminal: its key, a password, a code; the connection is then used for 8 hours
    #[command(after_help = "Examples:\n  tmux-orc hosts login box")]
    Login {
        /// Name of the host in the settings
        name: String,
        /// When it fails, wait for Enter: for a window that closes with it
        #[arg(long, hide = true)]
        hold: bool,
    },
    /// Copy a static program to ~/.local/bin on a host, after asking
    #[command(
        after_help = "Examples:\n  tmux-orc hosts install box\n  tmux-orc hosts install box --from ./tmux-orc-aarch64\n\n\
                            Only a static program for the host's own kind of machine is copied; `make dist` makes one.\n\
                            What was there stays until the copy is proved by its sha256 and starts."
    )]
    Install {
        /// Name of the host in the settings
        name: String,
        /// The program to copy instead of the one that came with this one
        #[arg(long, value_name = "FILE")]
        from: Option<PathBuf>,
        /// Do not ask
        #[arg(long)]
        yes: bool,
        /// When it fails, wait for Enter: for a window that closes with it
        #[arg(long, hide = true)]
        hold: bool,
    },
}
