//! Options of what takes a person to an agent, and of what tells of the past.

use clap::Args;

use crate::app::core::wanted::Wanted;
use crate::app::usage::By;

/// Options of `jump`.
#[derive(Clone, Debug, Args)]
pub struct JumpOptions {
    /// `%12`, `session:window.pane`, `session:window`, or the agent's name
    #[arg(allow_hyphen_values = true)]
    pub target: String,
    /// The client to take there, as `tmux list-clients` names it; default: yours
    #[arg(long, value_name = "NAME")]
    pub client: Option<String>,
}

/// Options of `next`.
#[derive(Clone, Debug, Default, Args)]
pub struct NextOptions {
    /// The states or kinds (done, permission, ...) to look for, the first one first; default: waiting
    #[arg(long, value_name = "STATE", value_delimiter = ',')]
    pub state: Vec<Wanted>,
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
    #[arg(allow_hyphen_values = true)]
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

/// Options of `usage`.
#[derive(Clone, Debug, Default, Args)]
pub struct UsageOptions {
    /// Since when: how long ago (8h, 2d) or a moment (2026-03-01T09:00); default: all that is there
    #[arg(long, value_name = "TIME")]
    pub since: Option<String>,
    /// What is added up
    #[arg(long, value_enum, default_value_t)]
    pub by: By,
    /// Print JSON
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
