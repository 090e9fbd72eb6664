//! The demo: a private tmux server whose panes run simulated agents that go through every state.
//!
//! A [`Fleet`] is the server and its panes. In each pane runs this same program under another name (`bash`, `claude`,
//! `codex`, ...), told by one environment variable what to play, so that names, process trees, titles and screens are
//! what the monitor meets in real life. What they show is data: `assets/demo/*.yaml`.

mod agent;
mod fleet;
mod lifeline;
mod paint;
mod part;
mod script;
#[cfg(test)]
mod seen;
mod shell;
mod stage;

use std::process::ExitCode;

pub(crate) use fleet::DemoError;
pub use fleet::{Fleet, Plan};
pub use script::{Scene, Script, scripts};

/// Plays a simulated shell or agent when this process was started as one, and says how it ended.
///
/// `main` calls it first: `None` means that the program was started as itself.
#[must_use]
pub fn simulate_if_asked() -> Option<ExitCode> {
    let part = part::Part::from_environment()?;
    let result = match part.role {
        part::Role::Shell => shell::play(&part),
        part::Role::Agent { depth } => agent::play(&part, depth),
    };
    // The only reason to fail is that the pane is gone, and with it the one who could read why.
    Some(if result.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
