//! Whose agents a verb is about, where it may be about several tmux servers.

use clap::Args;

/// Whose agents.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Whose agents")]
pub struct Scope {
    /// Of this host of the settings, or of one of its tmux servers (`box/work`); may be repeated
    #[arg(long, value_name = "HOST")]
    pub host: Vec<String>,
    /// Of all tmux servers and hosts of the settings
    #[arg(long, conflicts_with = "host")]
    pub all: bool,
    /// Exit code 1 when one of them does not answer; without it 3, and only when none does
    #[arg(long)]
    pub strict: bool,
}

impl Scope {
    /// Others than the one server of this machine are meant.
    #[must_use]
    pub fn any(&self) -> bool {
        self.all || !self.host.is_empty()
    }

    /// These and those.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        let host = self.host.into_iter().chain(other.host).collect();
        Self { host, all: self.all || other.all, strict: self.strict || other.strict }
    }
}
