//! What happened: to agents, by people, to the engine.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::monitor::snapshot::lenient;
use crate::monitor::snapshot::state::{AgentState, Evidence};
use crate::monitor::snapshot::usage::Limit;
use crate::tmux::PaneId;

/// How many events a snapshot carries.
pub const EVENTS_KEPT: usize = 200;

/// Something that happened: a transition of an agent or a change of the engine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Counted from 1, never reused by one engine.
    pub seq: u64,
    /// When.
    #[serde(default)]
    pub at: Timestamp,
    /// What.
    #[serde(flatten, deserialize_with = "lenient::event")]
    pub what: EventKind,
}

/// Kinds of events.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum EventKind {
    /// An agent was seen for the first time.
    Appeared {
        /// Its pane.
        pane_id: PaneId,
        /// Its place then.
        #[serde(default)]
        target: String,
        /// Which program.
        #[serde(default)]
        agent: String,
        /// Its state.
        #[serde(default = "lenient::unknown", deserialize_with = "lenient::state")]
        state: AgentState,
        /// Kind of the state.
        #[serde(default)]
        kind: Option<String>,
    },
    /// An agent's pane is gone.
    Gone {
        /// Its pane.
        pane_id: PaneId,
        /// Its last place.
        #[serde(default)]
        target: String,
        /// Which program.
        #[serde(default)]
        agent: String,
    },
    /// An agent went from one state to another.
    Transition {
        /// Its pane.
        pane_id: PaneId,
        /// Its place then.
        #[serde(default)]
        target: String,
        /// Which program.
        #[serde(default)]
        agent: String,
        /// State before.
        #[serde(default = "lenient::unknown", deserialize_with = "lenient::state")]
        from: AgentState,
        /// State now.
        #[serde(default = "lenient::unknown", deserialize_with = "lenient::state")]
        to: AgentState,
        /// Kind of the state now.
        #[serde(default)]
        kind: Option<String>,
        /// Why.
        #[serde(default)]
        evidence: Evidence,
    },
    /// A person did something to an agent.
    Acted(Acted),
    /// A setting of the engine was changed, by whom.
    Changed {
        /// Such as `pool`.
        #[serde(default)]
        setting: String,
        /// Value before.
        #[serde(default)]
        from: String,
        /// Value now.
        #[serde(default)]
        to: String,
    },
    /// Much of an account's limit is used.
    Limit {
        /// Which program: the profile's name.
        #[serde(default)]
        program: String,
        /// The account's name.
        #[serde(default)]
        account: String,
        /// The percentage that was reached.
        #[serde(default)]
        percent: u8,
        /// The limit.
        #[serde(default)]
        limit: Limit,
    },
    /// The server was lost, came back, a transport fell back, a script failed: in words.
    Notice {
        /// The words.
        #[serde(default)]
        text: String,
        /// It is a problem.
        #[serde(default)]
        problem: bool,
    },
}

/// Something that a person did to an agent, whether it worked or not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acted {
    /// The pane.
    pub pane_id: PaneId,
    /// Its place then, if known.
    #[serde(default)]
    pub target: String,
    /// Which program, if known.
    #[serde(default)]
    pub agent: String,
    /// What was done.
    pub act: ActKind,
    /// What was sent: keys by their names, or the text; empty when nothing was.
    #[serde(default)]
    pub sent: String,
    /// It worked.
    #[serde(default)]
    pub ok: bool,
    /// How it ended, in words.
    #[serde(default)]
    pub result: String,
}

/// What can be done to an agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, strum::Display)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum ActKind {
    /// The person's client was taken to it.
    Jump,
    /// One of its prompt's answers was picked.
    Answer,
    /// A message was sent.
    Reply,
    /// It was interrupted.
    Interrupt,
    /// Its pane was closed.
    Kill,
}
