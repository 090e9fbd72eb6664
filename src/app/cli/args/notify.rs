//! Options of what notifies a person.

use clap::Subcommand;

use crate::app::cli::args::Report;
use crate::app::notify::Service;

/// Verbs about notices.
#[derive(Debug, Subcommand)]
pub enum NotifyVerb {
    /// Give a notice by every channel that is on, and say which of them worked
    #[command(after_help = "Examples:\n  tmux-orc notify test\n  tmux-orc notify test --json\n\n\
                            Exit codes: 0 all worked; 1 one failed, or none is on.")]
    Test(Report),
    /// Print settings that are ready to be used: ntfy, Telegram, Slack, Discord, Pushover, a webhook, a sound
    #[command(after_help = "Examples:\n  tmux-orc notify recipes\n  tmux-orc notify recipes ntfy")]
    Recipes {
        /// Only this one
        name: Option<String>,
    },
    /// Send the notice on standard input to a service, by curl (called by the recipes)
    #[command(after_help = "\
Examples:
  tmux-orc notify send ntfy < notice.json

It is one of `notifications.commands` in the settings. The secrets are in the environment: `tmux-orc notify recipes` says in
which variables.")]
    Send {
        /// The service
        #[arg(value_enum)]
        service: Service,
    },
}
