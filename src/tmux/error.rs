//! What can go wrong between us and a tmux server, each with what to do about it.

use std::{io, path::PathBuf, time::Duration};

/// A request did not get its answer. Cloneable, so that one failure can be told to all who waited for it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TmuxError {
    /// The tmux program could not be started because it is not there.
    #[error("cannot find the program '{program}': install tmux 3.2 or newer, or set TMUX_ORC_TMUX to where it is")]
    NoTmux {
        /// What was looked for.
        program: String,
    },
    /// Nobody listens at the socket. A state, not a fault.
    #[error("no tmux server runs at {}: start one with `tmux`, or name another with -L or -S", socket.display())]
    NoServer {
        /// The socket.
        socket: PathBuf,
    },
    /// The socket, or a directory on the way to it, belongs to another user.
    #[error("permission denied at the tmux socket {}: it belongs to another user; run as that user", socket.display())]
    PermissionDenied {
        /// The socket.
        socket: PathBuf,
    },
    /// The path cannot be used as a socket's name.
    #[error("{} cannot be a tmux socket: {reason}; give a shorter or another path with -S", socket.display())]
    BadSocket {
        /// The path.
        socket: PathBuf,
        /// Why.
        reason: String,
    },
    /// The server is older than what is supported.
    #[error("the tmux server runs version {found}, and 3.2 or newer is needed: upgrade tmux, then restart its server")]
    TooOld {
        /// Its version, as it calls it.
        found: String,
    },
    /// Server and client speak different versions of the protocol.
    #[error(
        "the tmux server speaks another protocol version than the program '{program}': \
         set TMUX_ORC_TMUX to the tmux that started the server, or restart the server"
    )]
    ProtocolMismatch {
        /// The client program, or `tmux-orc` for our own client.
        program: String,
    },
    /// The connection ended before the answer was complete: the server crashed or was killed.
    #[error("the tmux server at {} went away in the middle of a request; its agents were not read", socket.display())]
    LostServer {
        /// The socket.
        socket: PathBuf,
    },
    /// The server ended while it answered.
    #[error("the tmux server at {} ended unexpectedly (look for a core file or `tmux` in the system's log), or is much newer than the tmux program here (TMUX_ORC_TMUX names another one)", socket.display())]
    ServerExited {
        /// The socket.
        socket: PathBuf,
    },
    /// The answer did not come in time. A client process that was waiting for it has been ended.
    #[error("tmux did not answer within {}: the server at {} is stopped, hangs or is overloaded", seconds(*after), socket.display())]
    Timeout {
        /// The socket.
        socket: PathBuf,
        /// How long it was waited.
        after: Duration,
    },
    /// Every connection of the pool stayed in use.
    #[error("no connection became free within {}: raise pool.max_size or connection_timeout", seconds(*after))]
    AcquireTimeout {
        /// How long it was waited.
        after: Duration,
    },
    /// The pool was closed.
    #[error("the connection pool is closed")]
    Closed,
    /// Our own client got an answer that it does not know. The pool goes on with `spawn`.
    #[error("the tmux server answered the direct connection with something unexpected: {what}")]
    Unexpected {
        /// What came.
        what: String,
    },
    /// Another server than before answers at the socket. The pool asks that one's version and goes on.
    #[error("another tmux server answers at the socket now: try again")]
    ServerChanged,
    /// tmux refused the request as a whole.
    #[error("tmux refused: {message}")]
    Refused {
        /// Its words, cleaned.
        message: String,
    },
    /// The system failed.
    #[error("cannot {doing}: {error}")]
    Io {
        /// What was tried.
        doing: String,
        /// The system's words.
        error: String,
        /// The system's class of error.
        kind: io::ErrorKind,
    },
}

impl TmuxError {
    pub(crate) fn io(doing: impl Into<String>, error: &io::Error) -> Self {
        Self::Io { doing: doing.into(), error: error.to_string(), kind: error.kind() }
    }

    /// Whether it is the same trouble: what tells one time from the next (durations, numbers in tmux's words) aside.
    #[must_use]
    pub fn is_like(&self, other: &Self) -> bool {
        let no_digits = |text: &str| text.replace(|c: char| c.is_ascii_digit(), "");
        match (self, other) {
            (Self::Refused { message: a }, Self::Refused { message: b }) => no_digits(a) == no_digits(b),
            (Self::Io { doing: a, kind: one, .. }, Self::Io { doing: b, kind: two, .. }) => a == b && one == two,
            _ => std::mem::discriminant(self) == std::mem::discriminant(other),
        }
    }

    /// No server runs: its agents are gone, as opposed to "cannot be read now".
    #[must_use]
    pub fn is_no_server(&self) -> bool {
        matches!(self, Self::NoServer { .. })
    }

    /// The server ended while it was asked.
    #[must_use]
    pub fn is_server_end(&self) -> bool {
        matches!(self, Self::LostServer { .. } | Self::ServerExited { .. })
    }

    /// The tmux program is not installed.
    #[must_use]
    pub fn is_no_tmux(&self) -> bool {
        matches!(self, Self::NoTmux { .. })
    }

    /// The server could not be read this time; what was known of its agents stays, marked stale.
    #[must_use]
    pub fn is_unreachable(&self) -> bool {
        !self.is_no_server() && !self.is_no_tmux()
    }
}

/// A duration as people say it; what a clock measured more finely is noise.
fn seconds(duration: Duration) -> String {
    format!("{} s", (duration.as_secs_f64() * 10.0).round() / 10.0)
}

/// One command of a request failed; the others went on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct CommandError {
    /// tmux's words, cleaned: `can't find pane: %99`.
    pub message: String,
}

impl CommandError {
    /// tmux's own words for a server that has no session (`exit-empty off`): there is nothing to list.
    /// Seen on 3.3a, 3.5a, 3.7c and 3.8: `no current target` of lists and captures, `no sessions` of
    /// `attach-session`, `no current session` of what needs one.
    /// Any other failure of a list says nothing of what there is.
    #[must_use]
    pub fn is_no_sessions(&self) -> bool {
        matches!(self.message.as_str(), "no current target" | "no sessions" | "no current session")
    }

    /// The pane, window or session that was named does not exist (any more).
    #[must_use]
    pub fn is_gone(&self) -> bool {
        self.message.contains("can't find ") || self.message.contains("no such ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_tmux_s_own_words_say_that_there_is_nothing_to_list() {
        let says = |message: &str| CommandError { message: message.into() }.is_no_sessions();
        assert!(says("no current target") && says("no sessions"));
        for other in [
            "the command failed without a word",
            "can't find pane: %9",
            "unknown command: bogus",
            "",
            "no sessions; lost",
        ] {
            assert!(!says(other), "{other}");
        }
    }

    #[test]
    fn a_time_out_is_told_in_the_same_words_each_time() {
        let late = |nanos| TmuxError::Timeout { socket: "/s".into(), after: Duration::from_nanos(nanos) }.to_string();
        assert_eq!(late(4_999_981_234), late(4_999_979_871));
        assert!(late(4_999_981_234).contains("within 5 s"), "{}", late(4_999_981_234));
    }
}
