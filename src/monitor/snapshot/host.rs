//! How a host is reached now, in a word and in a sentence.

use std::{fmt, time::Duration};

use jiff::Timestamp;

/// How a host is reached now. Times are of this machine's clock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LinkState {
    /// Being connected to, for the first time or again.
    Connecting,
    /// It answers.
    Up {
        /// There and back, once that is known.
        rtt: Option<Duration>,
    },
    /// Connected, and silent for some seconds.
    Late {
        /// Since when.
        since: Timestamp,
    },
    /// Not reached; it is tried again by itself.
    Down {
        /// Why: what ssh said last, for the most part.
        why: String,
        /// When it was lost, or first not reached.
        since: Timestamp,
        /// When it is tried again.
        next: Timestamp,
    },
    /// ssh asks for something that only a person can give: a password, a code, a word on a host's key.
    NeedsLogin {
        /// What ssh said.
        why: String,
        /// Since when.
        since: Timestamp,
    },
    /// The host is reached, and tmux-orc is not there.
    NotInstalled {
        /// What was said of it.
        why: String,
        /// Since when.
        since: Timestamp,
    },
    /// Its tmux-orc and this one do not understand each other.
    Incompatible {
        /// Which versions.
        why: String,
        /// Since when.
        since: Timestamp,
    },
    /// Not wanted any more.
    Off,
}

impl LinkState {
    /// The state in a word, as `hosts --json` has it.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Connecting => "connecting",
            Self::Up { .. } => "up",
            Self::Late { .. } => "late",
            Self::Down { .. } => "down",
            Self::NeedsLogin { .. } => "needs_login",
            Self::NotInstalled { .. } => "not_installed",
            Self::Incompatible { .. } => "incompatible",
            Self::Off => "off",
        }
    }

    /// What is the matter with the host, in words for people; nothing while it is well.
    #[must_use]
    pub fn trouble(&self) -> Option<&'static str> {
        match self {
            Self::Connecting | Self::Up { .. } | Self::Off => None,
            Self::Late { .. } => Some("does not answer right now"),
            Self::Down { .. } => Some("unreachable"),
            Self::NeedsLogin { .. } => Some("needs you to log in"),
            Self::NotInstalled { .. } => Some("tmux-orc is not installed there"),
            Self::Incompatible { .. } => Some("another version of tmux-orc"),
        }
    }

    /// The verb of `hosts` by which a person mends that; `None` where there is nothing but to wait.
    #[must_use]
    pub fn mend(&self) -> Option<&'static str> {
        match self {
            Self::NeedsLogin { .. } => Some("login"),
            Self::NotInstalled { .. } | Self::Incompatible { .. } => Some("install"),
            _ => None,
        }
    }

    /// The same as a command, for a host of this name.
    #[must_use]
    pub fn remedy(&self, host: &str) -> Option<String> {
        self.mend().map(|verb| format!("tmux-orc hosts {verb} {host}"))
    }

    /// The host answers, if only slowly.
    #[must_use]
    pub fn is_up(&self) -> bool {
        matches!(self, Self::Up { .. } | Self::Late { .. })
    }

    /// Why it is not reached; `None` while it is, or when nothing is known yet.
    #[must_use]
    pub fn why(&self) -> Option<&str> {
        match self {
            Self::Down { why, .. }
            | Self::NeedsLogin { why, .. }
            | Self::NotInstalled { why, .. }
            | Self::Incompatible { why, .. } => Some(why),
            Self::Connecting | Self::Up { .. } | Self::Late { .. } | Self::Off => None,
        }
    }

    /// Since when it is silent or not reached.
    #[must_use]
    pub fn since(&self) -> Option<Timestamp> {
        match self {
            Self::Late { since }
            | Self::Down { since, .. }
            | Self::NeedsLogin { since, .. }
            | Self::NotInstalled { since, .. }
            | Self::Incompatible { since, .. } => Some(*since),
            Self::Connecting | Self::Up { .. } | Self::Off => None,
        }
    }
}

/// In words for people, without the host's name.
impl fmt::Display for LinkState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.trouble(), self.why(), self) {
            (Some(trouble), Some(why), _) => write!(f, "{trouble} ({why})"),
            (Some(trouble), None, _) => f.write_str(trouble),
            (None, _, Self::Up { rtt: Some(rtt) }) => write!(f, "up, {} ms", rtt.as_millis()),
            (None, ..) => f.write_str(self.word()),
        }
    }
}
