//! Options of what joins it to the user's tmux.

use clap::{Args, Subcommand};

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
    /// Counted over all tmux servers of this machine that the settings name
    #[arg(long)]
    pub all: bool,
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
