//! Detection: from a pane's facts to a verdict with its evidence. Pure: no clock, no I/O.
//!
//! `recognise` finds the program, `profiles` holds what is known of it, `view` finds the parts of its screen, `rules`
//! tries them in order, `request` tells what a prompt takes of the screen and `asks` what it asks, `judge` weighs the
//! screen against what else is known, `extract` reads values, `explain` tells the same to people.

mod about;
mod asks;
mod choices;
mod colour;
mod explain;
mod extract;
pub mod fixture;
pub(crate) mod hook;
mod identity;
mod judge;
mod keys;
mod least;
mod name;
mod pattern;
mod profile;
mod profiles;
mod recognise;
mod request;
pub(crate) mod reset;
mod rules;
mod session;
mod source;
mod values;
mod version;
mod view;

use jiff::{Timestamp, tz::TimeZone};
use serde::Serialize;

pub(crate) use explain::Explanation;
pub use explain::explain;
pub use judge::judge;
pub(crate) use judge::{is_shell, may_be_left_behind};
pub use keys::Keys;
pub(crate) use profiles::Profile;
pub use profiles::{ProfileError, Profiles};
pub(crate) use recognise::Recognised;
pub use recognise::{may_hide_agent, recognise};
pub use request::{Request, request};
pub use rules::Step;
pub(crate) use session::SessionFields;

use crate::monitor::{AgentState, Asks, Choice, Evidence, NamedAgent};
use crate::tmux::{Pane, Screen};

/// What stands for the processes of a pane that are out of sight: a server in a container, or behind a forwarded socket.
const OUT_OF_SIGHT: &str = "(out of sight)";

impl Process {
    /// It stands for all processes of a pane whose server's processes are out of sight.
    #[must_use]
    pub fn out_of_sight() -> Self {
        Self { foreground: true, comm: OUT_OF_SIGHT.to_owned(), ..Self::default() }
    }

    /// It does ([`Self::out_of_sight`]).
    #[must_use]
    pub fn is_out_of_sight(&self) -> bool {
        self.pid == 0 && self.comm == OUT_OF_SIGHT
    }
}

/// One process under a pane, as the process table shows it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Process {
    /// Process id.
    pub pid: u32,
    /// Its parent.
    pub ppid: u32,
    /// Depth below the pane's own process, which is 0.
    pub depth: u16,
    /// It is in the foreground group of its own terminal.
    pub foreground: bool,
    /// It is stopped (Ctrl-Z).
    pub stopped: bool,
    /// It has ended and was not reaped.
    pub zombie: bool,
    /// It has no terminal: it runs in a session of its own.
    pub detached: bool,
    /// Name as the kernel has it (at most 15 bytes on Linux).
    pub comm: String,
    /// Its arguments, the program first.
    pub args: Vec<String>,
    /// Start time in the kernel's units (clock ticks since boot on Linux): with the pid, the process's identity.
    pub start: u64,
}

/// What a program itself publishes outside its screen, in its session file. What its words mean, its profile says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    /// The program's own word for its state.
    pub status: String,
    /// What it says besides, such as what it waits for.
    pub detail: Option<String>,
    /// When the program says that its status began.
    pub at: Option<Timestamp>,
    /// The session that it names.
    pub session: Option<String>,
}

/// All that a verdict is made from.
#[derive(Clone, Copy, Debug)]
pub struct Observation<'a> {
    /// tmux's fields.
    pub pane: &'a Pane,
    /// The screen; `None` when it was not read (a dead process needs none).
    pub screen: Option<&'a Screen>,
    /// The processes under the pane, parents before children. Empty when the process table cannot be read.
    pub processes: &'a [Process],
    /// What the program publishes, already checked for pid and start time.
    pub published: Option<&'a Published>,
    /// The agent known to have run in this pane before (its profile's name), if any.
    pub known_agent: Option<&'a str>,
    /// What the settings say of the pane, where they call it an agent.
    pub named: Option<&'a NamedAgent>,
    /// The state before, which a menu or a viewer keeps.
    pub previous: Option<(AgentState, Option<&'a str>)>,
    /// Now, for reset times.
    pub now: Timestamp,
    /// The zone of times of day that name none; UTC when `None`.
    pub zone: Option<&'a TimeZone>,
}

/// What an agent is doing and why.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Verdict {
    /// The profile's name.
    pub agent: String,
    /// How the program was recognised, in words.
    pub recognised_by: String,
    /// Process id of the agent program, when it runs.
    pub pid: Option<u32>,
    /// Start time of that process, as [`Process::start`].
    pub start: Option<u64>,
    /// Version of the program, when it shows.
    pub version: Option<String>,
    /// What it is doing.
    pub state: AgentState,
    /// Kind of the state.
    pub kind: Option<String>,
    /// Why.
    pub evidence: Evidence,
    /// What it is doing, asking or has said last.
    pub doing: Option<String>,
    /// What it asks of its user.
    pub asks: Option<Asks>,
    /// Percent of the context that is left.
    pub context_percent: Option<f64>,
    /// When a limit ends.
    pub reset_at: Option<Timestamp>,
    /// When its prompt, which counts down, ends without an answer.
    pub deadline: Option<Timestamp>,
    /// Model.
    pub model: Option<String>,
    /// Tokens of this turn as shown.
    pub tokens: Option<String>,
    /// Background shells or tasks.
    pub background: u32,
    /// Answers that the prompt offers.
    pub choices: Vec<Choice>,
}
