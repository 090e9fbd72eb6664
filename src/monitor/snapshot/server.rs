//! The tmux server that is watched.

use serde::{Deserialize, Serialize};

use crate::monitor::snapshot::lenient;

/// The tmux server that is watched.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ServerInfo {
    /// Path of its socket.
    pub socket: String,
    /// Its version such as `3.3a`; `None` before it was asked.
    pub version: Option<String>,
    /// The transport in use (`dial`, `spawn`, `process`); `None` before the first answer.
    pub transport: Option<String>,
    /// How it is reached at this moment.
    #[serde(deserialize_with = "lenient::status")]
    pub status: ServerStatus,
    /// What went wrong and what to do, when it is not reachable.
    pub problem: Option<String>,
    /// Its process; `None` before it was asked.
    #[serde(default)]
    pub pid: Option<u32>,
    /// When it started, seconds since 1970 by tmux's `#{start_time}`. With `pid` it tells a server from one that was
    /// started later on the same socket; `None` before it was asked.
    #[serde(default)]
    pub started: Option<i64>,
    /// Its agents are simulated: it is the server of a demo.
    #[serde(default)]
    pub simulated: bool,
}

impl ServerInfo {
    /// What it is called: the name of its socket, `default` for the usual one; `tmux` where that is not known.
    #[must_use]
    pub fn name(&self) -> &str {
        self.socket.rsplit('/').next().filter(|name| !name.is_empty()).unwrap_or("tmux")
    }
}

/// How the server is reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, strum::Display)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum ServerStatus {
    /// The first cycle has not ended yet.
    #[default]
    Connecting,
    /// It answers.
    Reachable,
    /// No server runs at the socket.
    NoServer,
    /// The program tmux is not installed.
    NoTmux,
    /// A server is there and does not answer as it should; the agents shown are the last good ones.
    Unreachable,
}
