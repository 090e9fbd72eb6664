//! The settings in force as types: what the rest of the program reads.

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};

use crate::app::core::column::Column;
use crate::app::core::grouping::Grouping;
use crate::app::settings::HostSettings;
use crate::monitor::{NamedAgent, Prices, UsageSettings};

/// All settings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The engine.
    pub monitoring: Monitoring,
    /// The dashboard.
    pub dashboard: Dashboard,
    /// What is told of, and how.
    pub notifications: Notifications,
    /// What is put into the user's tmux server.
    pub tmux: Tmux,
    /// What is read of the transcripts that agent programs write.
    pub usage: UsageSettings,
    /// tmux servers of this machine besides the usual one: names or paths; `all`: every one that there is.
    pub servers: Vec<String>,
    /// Hosts whose agents are shown too.
    pub hosts: Vec<HostSettings>,
    /// Measures for other systems.
    pub metrics: Metrics,
    /// What tokens cost, where no program records it.
    pub prices: Prices,
    /// The repositories that agents work in.
    pub repositories: Repositories,
    /// Panes that hold an agent though nothing else tells so, or what to call them.
    pub agents: Vec<NamedAgent>,
}

/// The engine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Monitoring {
    /// Time between cycles.
    #[serde(with = "seconds")]
    pub check_interval: Duration,
    /// Failed checks in a row that make an agent critical.
    pub max_failures: u32,
    /// Most of the tmux server's time that watching may take, percent of one core.
    pub max_server_percent: f64,
    /// The async engine.
    #[serde(rename = "async")]
    pub asynchronous: Async,
}

/// The async engine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Async {
    /// Use it; otherwise the sync one.
    pub enabled: bool,
    /// Name of the strategy.
    pub strategy: String,
    /// `auto`, `dial`, `spawn` or `process`.
    pub transport: String,
    /// Connections.
    pub pool: Pool,
    /// The cache.
    pub cache: Cache,
}

/// Connections to tmux.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pool {
    /// Made ready at the start.
    pub min_size: usize,
    /// Most at once.
    pub max_size: usize,
    /// Longest wait for a free one.
    #[serde(with = "seconds")]
    pub connection_timeout: Duration,
    /// Age at which one is replaced.
    #[serde(with = "seconds")]
    pub max_age: Duration,
}

/// The cache.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cache {
    /// It is used.
    pub enabled: bool,
    /// How long an entry is good for at most.
    #[serde(with = "seconds")]
    pub default_ttl: Duration,
    /// Most entries of a layer.
    pub max_size: u64,
    /// `ttl`, `lru` or `lfu`.
    pub strategy: String,
}

/// The dashboard.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dashboard {
    /// Name of the theme; `auto` looks at the terminal.
    pub theme: String,
    /// Signs of the dashboard: `auto`, `unicode`, `ascii`.
    pub glyphs: String,
    /// The mouse works.
    pub mouse: bool,
    /// Nothing blinks, and screens of panes change but now and then.
    pub reduced_motion: bool,
    /// Nothing is ever typed into a pane.
    pub read_only: bool,
    /// Percent of an account's limit from which on the header shows it.
    pub limit_threshold: u8,
    /// Names of the columns that are shown.
    pub columns: Vec<String>,
    /// What the agents are grouped by at first.
    pub group: String,
    /// How a jump to another host opens: `window` or `here`.
    pub jump: String,
    /// Other keys for actions.
    pub keys: BTreeMap<String, KeyNames>,
}

impl Dashboard {
    /// The columns that are shown.
    #[must_use]
    pub fn columns(&self) -> Vec<Column> {
        self.columns.iter().filter_map(|name| Column::named(name)).collect()
    }

    /// A jump to another host takes the terminal that it is asked in.
    #[must_use]
    pub fn jumps_here(&self) -> bool {
        self.jump == "here"
    }

    /// What the agents are grouped by at first.
    #[must_use]
    pub fn grouping(&self) -> Grouping {
        self.group.parse().unwrap_or_default()
    }
}

/// One key or several.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum KeyNames {
    /// A digit, which YAML reads as a number.
    Digit(u8),
    /// One key.
    One(String),
    /// Several.
    Many(Vec<KeyNames>),
}

impl KeyNames {
    /// All of them, as written.
    #[must_use]
    pub fn all(&self) -> Vec<String> {
        match self {
            Self::Digit(digit) => vec![digit.to_string()],
            Self::One(key) => vec![key.clone()],
            Self::Many(keys) => keys.iter().flat_map(Self::all).collect(),
        }
    }
}

/// What is told of, and how.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Notifications {
    /// Anything is told at all.
    pub enabled: bool,
    /// States entered (`waiting`, `exited`, `limited`, `error`), `done`, and `limit`: much of an account's limit is used.
    pub on: Vec<String>,
    /// Only these programs; none: all.
    pub agents: Vec<String>,
    /// Only these sessions; none: all.
    pub sessions: Vec<String>,
    /// Ring the terminal's bell.
    pub bell: bool,
    /// The terminal's own notice (OSC 9 and 777).
    pub terminal: bool,
    /// A message in tmux's status line.
    pub tmux: bool,
    /// notify-send or osascript.
    pub desktop: bool,
    /// A program and its arguments; the event is its standard input, as JSON. Empty: none.
    pub command: Vec<String>,
    /// More of them, by name.
    pub commands: BTreeMap<String, Vec<String>>,
    /// Seconds of one wait after which its notice is given again.
    pub remind_after: Vec<f64>,
    /// Local time without notices, `22:00-07:00`, or empty.
    pub quiet_hours: String,
}

impl Notifications {
    /// The quiet hours as minutes of the day, from and to.
    #[must_use]
    pub fn quiet_minutes(&self) -> Option<(u16, u16)> {
        crate::app::settings::check::hours(&self.quiet_hours)
    }

    /// How long a wait lasts when its notice is given again, the shortest first.
    #[must_use]
    pub fn reminders(&self) -> Vec<Duration> {
        let mut steps: Vec<Duration> =
            self.remind_after.iter().filter_map(|seconds| Duration::try_from_secs_f64(*seconds).ok()).collect();
        steps.sort_unstable();
        steps.dedup();
        steps
    }

    /// All programs that are run for a notice: what each is called, and its words.
    #[must_use]
    pub fn programs(&self) -> Vec<(String, Vec<String>)> {
        let one = (!self.command.is_empty()).then(|| ("command".to_owned(), self.command.clone()));
        one.into_iter().chain(self.commands.clone()).collect()
    }
}

/// What is put into the user's tmux server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tmux {
    /// A sign for each window and pane with an agent, in options of theirs.
    pub badges: bool,
}

/// The repositories that agents work in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Repositories {
    /// Name, branch and working tree are read from their files.
    pub enabled: bool,
    /// Lines added and removed are counted by a git process now and then.
    pub diff: bool,
}

/// Measures for other systems.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Metrics {
    /// A file that is written every 15 seconds; empty: none.
    pub textfile: String,
    /// An address of this machine at which Prometheus is answered; empty: none.
    pub listen: String,
    /// A collector on this machine; `env`: what the `OTEL_*` variables say; empty: none.
    pub otlp: String,
    /// `totals` or `agents`.
    pub detail: String,
}

impl Metrics {
    /// Whether anything is told to anybody.
    #[must_use]
    pub fn any(&self) -> bool {
        !(self.textfile.is_empty() && self.listen.is_empty() && self.otlp.is_empty())
    }
}

/// A duration as a number of seconds.
mod seconds {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub fn serialize<S: Serializer>(value: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(value.as_secs_f64())
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        Duration::try_from_secs_f64(f64::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}
