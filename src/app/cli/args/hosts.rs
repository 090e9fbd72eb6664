//! Options of what joins hosts.

use clap::Args;

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
