//! Options of what takes a person to an agent, and of what tells of the past.

use clap::Args;

use crate::app::cli::args::Scope;
use crate::app::cli::args::parse::token;
use crate::app::core::wanted::Wanted;
use crate::app::usage::By;

/// Options of `jump`.
#[derive(Clone, Debug, Args)]
pub struct JumpOptions {
    /// `%12`, `session:window.pane`, `session:window`, or the agent's name; elsewhere: `TARGET@HOST[/SERVER]`; without it, on a
    /// terminal: pick one from a list
    #[arg(allow_hyphen_values = true)]
    pub target: Option<String>,
    /// The mark of the client of this terminal, or of the one that is moved.
    #[arg(long, hide = true, value_parser = token, requires = "target")]
    pub link: Option<String>,
    /// The client to take there, as `tmux list-clients` names it; default: yours
    #[arg(long, value_name = "NAME", requires = "target")]
    pub client: Option<String>,
}

/// Options of `next`.
#[derive(Clone, Debug, Default, Args)]
pub struct NextOptions {
    /// The states or kinds (done, permission, ...) to look for, the first one first; default: waiting
    #[arg(long, value_name = "STATE", value_delimiter = ',')]
    pub state: Vec<Wanted>,
    /// Among which.
    #[command(flatten)]
    pub scope: Scope,
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
    /// Of which machines.
    #[command(flatten)]
    pub scope: Scope,
    /// Print a JSON record a line
    #[arg(long)]
    pub json: bool,
    /// Without what stood on a screen and what was sent to a pane: to be shipped elsewhere
    #[arg(long, requires = "json")]
    pub bare: bool,
}

impl EventsOptions {
    /// The same as words, for another machine.
    #[must_use]
    pub fn words(&self) -> Vec<String> {
        let mut words = vec!["events".to_owned()];
        words.extend(self.since.iter().map(|since| format!("--since={since}")));
        words.extend(self.lines.map(|lines| format!("--lines={lines}")));
        words.extend(self.follow.then(|| "--follow".to_owned()));
        words.extend(self.json.then(|| "--json".to_owned()));
        words.extend(self.bare.then(|| "--bare".to_owned()));
        words.extend(self.target.clone());
        words
    }
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
    /// Of which machines.
    #[command(flatten)]
    pub scope: Scope,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

impl UsageOptions {
    /// The same as words, for another machine.
    #[must_use]
    pub fn words(&self) -> Vec<String> {
        let mut words = vec!["usage".to_owned(), format!("--by={}", self.by)];
        words.extend(self.since.iter().map(|since| format!("--since={since}")));
        words.extend(self.json.then(|| "--json".to_owned()));
        words
    }
}

/// Options of `report`.
#[derive(Clone, Debug, Args)]
pub struct ReportOptions {
    /// Since when: how long ago (8h, 2d) or a moment (2026-03-01T09:00)
    #[arg(long, value_name = "TIME", default_value = "8h")]
    pub since: String,
    /// Of which machines.
    #[command(flatten)]
    pub scope: Scope,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

impl ReportOptions {
    /// The same as words, for another machine.
    #[must_use]
    pub fn words(&self) -> Vec<String> {
        let mut words = vec!["report".to_owned(), format!("--since={}", self.since)];
        words.extend(self.json.then(|| "--json".to_owned()));
        words
    }
}
