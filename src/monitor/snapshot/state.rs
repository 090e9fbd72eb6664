//! The words for what an agent is doing, why we say so, and how well it can be watched.

use serde::{Deserialize, Serialize};
use strum::{Display, EnumIter, EnumString, IntoStaticStr};

/// What an agent is doing, exactly one.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    Display,
    EnumString,
    EnumIter,
    IntoStaticStr,
)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum AgentState {
    /// Blocked on its user: permission, question, trust, login.
    Waiting,
    /// The last turn ended in an error and it waits.
    Error,
    /// A usage or rate limit holds it.
    Limited,
    /// The program is gone: shell prompt, dead pane, crash.
    Exited,
    /// A turn runs; compacting and retrying are kinds of it.
    Working,
    /// The program has started and shows nothing of its own yet.
    Starting,
    /// A known agent shows nothing that is recognised: said so, never guessed.
    Unknown,
    /// At its prompt, nothing runs.
    Idle,
}

impl AgentState {
    /// Whether its user is needed now.
    #[must_use]
    pub fn needs_user(self) -> bool {
        self == Self::Waiting
    }
}

/// How well an agent can be watched, by failed checks in a row. Being idle is no failure.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, Display, EnumString, IntoStaticStr,
)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Health {
    /// No failed check.
    #[default]
    Healthy,
    /// One failed check.
    Unresponsive,
    /// Two failed checks in a row.
    Warning,
    /// `max_failures` or more.
    Critical,
}

/// Where a verdict comes from. One authority decides; it is always named.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, Display, EnumString, IntoStaticStr,
)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Source {
    /// Process facts: ended, stopped, dead pane.
    Process,
    /// A file in which the program publishes its own state.
    File,
    /// A pane option that a hook of the program set.
    Hook,
    /// A title that carries state.
    Title,
    /// The screen, by the profile's regions and rules.
    Screen,
    /// The state before, kept: a menu or a viewer hides what would tell.
    Kept,
    /// Nothing recognised.
    #[default]
    None,
}

/// Why an agent is said to be in its state.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Evidence {
    /// Rule id such as `claude/dialog.proceed`, or the fact's name such as `process/ended`.
    pub rule: String,
    /// The line that matched, or the fact in words. Cleaned of control characters.
    pub line: String,
    /// The source that decided.
    #[serde(deserialize_with = "crate::monitor::snapshot::lenient::source")]
    pub source: Source,
    /// Region in which the rule looked, when it was the screen.
    pub region: Option<String>,
    /// Rows of the screen that a prompt takes, its answers too: the first, counted from 0, and the one after the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows: Option<(u16, u16)>,
}
