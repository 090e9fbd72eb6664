//! `hook` and `hooks show`: agents that tell their state themselves.

use std::{io::Read, process::Stdio};

use jiff::Timestamp;

use super::{Context, Failure};
use crate::{
    monitor::detect::hook,
    tmux::{PaneId, Server, SocketChoice},
};

/// Longest event that is read, bytes.
const LONGEST_EVENT: u64 = 4 << 20;

/// Pane option that the probe reads.
const OPTION: &str = "@tmux_orc_hook";

/// Programs that tell their state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Program {
    /// Claude Code: its hook's JSON on standard input.
    Claude,
    /// Codex: its notice's JSON as the last argument.
    Codex,
}

/// Verbs about hooks.
#[derive(Debug, clap::Subcommand)]
pub enum HooksVerb {
    /// Print the settings that make a program tell its state; nothing is edited
    #[command(after_help = "Examples:\n  tmux-orc hooks show claude\n  tmux-orc hooks show codex")]
    Show {
        /// The program
        #[arg(value_enum)]
        program: Program,
    },
}

/// Stores the state that an event tells in the option of the pane it runs in. Whatever happens, the agent goes on: the
/// exit code is 0, and nothing is printed that it could take for an answer.
pub async fn hook(program: Program, event: Option<String>) -> Result<(), Failure> {
    if let Err(error) = store(program, event).await {
        tracing::warn!("the event was not stored: {error}");
    }
    Ok(())
}

async fn store(program: Program, event: Option<String>) -> Result<(), String> {
    let Some(pane) = std::env::var("TMUX_PANE").ok().and_then(|pane| pane.parse::<PaneId>().ok()) else {
        return Err("not in a tmux pane".to_owned());
    };
    let event = match event {
        Some(event) => event,
        None => {
            let mut text = String::new();
            std::io::stdin().lock().take(LONGEST_EVENT).read_to_string(&mut text).map_err(|error| error.to_string())?;
            text
        }
    };
    let now = Timestamp::now();
    let value = match program {
        Program::Claude => hook::from_claude_json(&event, now),
        Program::Codex => hook::from_codex_notify(&event, now),
    };
    // An event that tells nothing of the state.
    let Some(value) = value else { return Ok(()) };
    let server = Server::resolve(&SocketChoice::default()).map_err(|error| error.to_string())?;
    let mut tmux = tokio::process::Command::new(server.program());
    tmux.arg("-S").arg(server.socket()).args(["set-option", "-p", "-t", &pane.to_string(), OPTION, &value]);
    tmux.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
    let ran = tokio::time::timeout(std::time::Duration::from_secs(4), tmux.status()).await;
    match ran {
        Ok(Ok(status)) if status.success() => Ok(()),
        Ok(Ok(status)) => Err(format!("tmux ended with {status}")),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err("tmux did not answer".to_owned()),
    }
}

/// Prints the settings snippet.
pub fn show(program: Program, context: &mut Context) -> Result<(), Failure> {
    let name = match program {
        Program::Claude => "claude",
        Program::Codex => "codex",
    };
    let snippet = hook::snippet(name).ok_or_else(|| Failure::failed(format!("{name} has no hooks")))?;
    context.out.raw(snippet.as_bytes())
}
