//! `hook` and `hooks show`: agents that tell their state themselves.

use std::{ffi::OsString, io::Read, process::Stdio, time::Duration};

use jiff::Timestamp;

use crate::app::cli::{Context, Failure};
use crate::{
    monitor::detect::hook,
    tmux::{HOOK_OPTION, PaneId, Server, SocketChoice},
};

/// Longest event that is read, bytes.
const LONGEST_EVENT: u64 = 4 << 20;

/// All that a hook takes: the agent waits for it, and it promises to end within four seconds.
const LIMIT: Duration = Duration::from_millis(3500);

/// What agents call.
#[derive(Debug, clap::Subcommand)]
pub enum HookVerb {
    /// An event of Claude Code's; it always succeeds
    #[command(after_help = "Examples:\n  tmux-orc hook claude < event.json")]
    Claude {
        /// The event's JSON; without it, standard input is read
        event: Option<String>,
    },
    /// A notice of Codex's; it always succeeds
    #[command(after_help = "Examples:\n  tmux-orc hook codex '{\"type\":\"agent-turn-complete\"}'")]
    Codex {
        /// The notice's JSON; without it, standard input is read
        event: Option<String>,
    },
    /// The status line of Claude Code: model, context, cost and limits are kept, your own line is passed through
    #[command(after_help = "\
Examples:
  tmux-orc hook statusline < status.json
  tmux-orc hook statusline -- sh -c 'my-own-line --colour'

The command after -- gets the same standard input; its output and its exit code are those of this. Without one a short
line is printed. `tmux-orc hooks show claude` says how it is set up.")]
    Statusline {
        /// Your own status line: a program and its arguments
        #[arg(last = true, value_name = "COMMAND")]
        command: Vec<OsString>,
    },
}

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
    match tokio::time::timeout(LIMIT, store(program, event)).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::warn!("the event was not stored: {error}"),
        Err(_) => tracing::warn!("the event was not stored: it took more than {} s", LIMIT.as_secs_f64()),
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
            // On a thread of its own, which may be left behind: nobody knows when the other end closes.
            let (tell, told) = tokio::sync::oneshot::channel();
            std::thread::spawn(move || tell.send(first_value(std::io::stdin().lock())).ok());
            told.await.map_err(|_| "standard input cannot be read".to_owned())??
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
    tmux.arg("-S").arg(server.socket()).args(["set-option", "-p", "-t", &pane.to_string(), HOOK_OPTION, &value]);
    tmux.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
    match tmux.status().await {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("tmux ended with {status}")),
        Err(error) => Err(error.to_string()),
    }
}

/// The first JSON value of an input, as text: what comes after it, or whether it ever ends, does not matter.
fn first_value(input: impl Read) -> Result<String, String> {
    let mut values = serde_json::Deserializer::from_reader(input.take(LONGEST_EVENT)).into_iter::<serde_json::Value>();
    match values.next() {
        Some(Ok(event)) => Ok(event.to_string()),
        Some(Err(error)) => Err(error.to_string()),
        None => Err("there is no event on standard input".to_owned()),
    }
}

/// Prints the settings snippet.
pub fn show(program: Program, context: &mut Context) -> Result<(), Failure> {
    let name = match program {
        Program::Claude => "claude",
        Program::Codex => "codex",
    };
    let snippet = hook::snippet(name).ok_or_else(|| Failure::failed(format!("{name} has no hooks")))?;
    context.out.raw(snippet.as_bytes())?;
    // Beside the settings, which can be piped to where they belong.
    if let Some(notes) = hook::notes(name) {
        eprint!("{notes}");
    }
    Ok(())
}
