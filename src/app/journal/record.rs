//! One line of the journal.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::app::core::events::sentence;
use crate::app::core::format::thousands;
use crate::app::core::words::state_and_kind;
use crate::monitor::{Acted, AgentState, EventKind, Tokens};
use crate::tmux::PaneId;

/// One line of the journal: who saw or did what, and when.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// When.
    pub at: Timestamp,
    /// Path of the tmux server's socket.
    pub server: String,
    /// Process id of the program that wrote it: the engine for events, whoever acted for acts.
    pub by: u32,
    /// Which server it was, among those that one after another had this socket; `None` in lines of older versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server_pid: Option<u32>,
    /// The second of its start, with `server_pid`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server_started: Option<i64>,
    /// Process of the agent that it is about; `None` when it is out of sight or gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_pid: Option<u32>,
    /// Start of that process as the system counts it: with `agent_pid` it tells one program from the next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_start: Option<u64>,
    /// The event's number in its engine; `None` for what is no event of an engine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seq: Option<u64>,
    /// What.
    #[serde(flatten)]
    pub what: Happened,
}

/// What a record tells of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Happened {
    /// An event of the engine, or what a person did.
    Event(EventKind),
    /// The watching itself.
    Mark(Mark),
    /// How it stands with an agent.
    Standing(Standing),
}

/// How it stands with an agent that did not change: written when somebody begins to keep the journal, and from time to
/// time, so that an account needs to look back for some hours only.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Standing {
    /// It is watched, in this state.
    Watched {
        /// Its pane.
        pane_id: PaneId,
        /// Its place.
        target: String,
        /// Which program.
        agent: String,
        /// Its state.
        state: AgentState,
        /// Kind of the state.
        kind: Option<String>,
        /// When it entered the state.
        since: Timestamp,
    },
    /// A turn of it is over.
    Turn {
        /// Its pane.
        pane_id: PaneId,
        /// Its place.
        target: String,
        /// Which program.
        agent: String,
        /// The model.
        model: Option<String>,
        /// Tokens that it spent; `None` where nothing says it.
        tokens: Option<Tokens>,
        /// What they cost, US dollars.
        cost_usd: Option<f64>,
        /// Seconds in which it worked.
        worked: f64,
        /// Seconds in which it waited for its user.
        waited: f64,
    },
}

/// The watching itself: without it nobody could tell a quiet hour from an hour without an engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
#[expect(clippy::enum_variant_names, reason = "these are the words of the journal's lines")]
pub enum Mark {
    /// An engine began to watch.
    EngineStarted,
    /// It still watches; written from time to time.
    EngineAlive,
    /// It stopped in order.
    EngineStopped,
}

impl Record {
    /// A record that says nothing of which server and process it was.
    #[must_use]
    pub fn new(at: Timestamp, server: impl Into<String>, by: u32, what: Happened) -> Self {
        let server = server.into();
        Self {
            at,
            server,
            by,
            server_pid: None,
            server_started: None,
            agent_pid: None,
            agent_start: None,
            seq: None,
            what,
        }
    }

    /// The pane it is about, if it is about one.
    #[must_use]
    pub fn pane(&self) -> Option<PaneId> {
        match &self.what {
            Happened::Event(
                EventKind::Appeared { pane_id, .. }
                | EventKind::Gone { pane_id, .. }
                | EventKind::Transition { pane_id, .. }
                | EventKind::Acted(Acted { pane_id, .. }),
            )
            | Happened::Standing(Standing::Watched { pane_id, .. } | Standing::Turn { pane_id, .. }) => Some(*pane_id),
            _ => None,
        }
    }

    /// The place and the program it is about, if it is about an agent.
    #[must_use]
    pub fn agent(&self) -> Option<(&str, &str)> {
        match &self.what {
            Happened::Event(
                EventKind::Appeared { target, agent, .. }
                | EventKind::Gone { target, agent, .. }
                | EventKind::Transition { target, agent, .. }
                | EventKind::Acted(Acted { target, agent, .. }),
            )
            | Happened::Standing(Standing::Watched { target, agent, .. } | Standing::Turn { target, agent, .. }) => {
                Some((target, agent))
            }
            _ => None,
        }
    }

    /// It only says that all is as it was, which people do not want to read.
    #[must_use]
    pub fn is_heartbeat(&self) -> bool {
        matches!(self.what, Happened::Mark(Mark::EngineAlive) | Happened::Standing(_))
    }

    /// The record as JSON without any word that stood on a screen, that was sent to a pane, or by which tmux answered: what
    /// may go to other machines. Who, what, when and where are in it.
    #[must_use]
    pub(crate) fn bare(&self) -> Value {
        let mut bare = serde_json::to_value(self).unwrap_or_default();
        if let Value::Object(pairs) = &mut bare {
            pairs.remove("sent");
            pairs.remove("result");
            if let Some(Value::Object(evidence)) = pairs.get_mut("evidence") {
                evidence.remove("line");
            }
        }
        bare
    }

    /// The record as a sentence without its time: that of the event, as everywhere.
    #[must_use]
    pub fn sentence(&self) -> String {
        match &self.what {
            Happened::Event(event) => sentence(event),
            Happened::Mark(Mark::EngineStarted) => format!("engine {} began to watch {}", self.by, self.server),
            Happened::Mark(Mark::EngineAlive) => format!("engine {} watches {}", self.by, self.server),
            Happened::Mark(Mark::EngineStopped) => format!("engine {} stopped watching {}", self.by, self.server),
            Happened::Standing(Standing::Watched { target, agent, state, kind, .. }) => {
                format!("{target} {agent} is {}", state_and_kind(*state, kind.as_deref()))
            }
            Happened::Standing(Standing::Turn { target, agent, tokens, worked, .. }) => {
                let spent = tokens.map(|tokens| format!(", {} tokens", thousands(tokens.total()))).unwrap_or_default();
                format!("{target} {agent} ended a turn: {worked:.0} s of work{spent}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::monitor::{ActKind, AgentState, Evidence, Source};

    fn record(what: Happened) -> Record {
        Record { seq: Some(3), agent_pid: Some(60), ..Record::new(Timestamp::UNIX_EPOCH, "/tmp/s", 7, what) }
    }

    #[test]
    fn every_kind_comes_back_as_it_was() {
        let evidence = Evidence {
            rule: "claude/x".into(),
            line: "y".into(),
            source: Source::Screen,
            region: Some("dialog".into()),
            rows: None,
        };
        let (target, agent) = ("api:2.0".to_owned(), "claude".to_owned());
        let events = [
            Happened::Event(EventKind::Gone { pane_id: PaneId(4), target: target.clone(), agent: agent.clone() }),
            Happened::Event(EventKind::Transition {
                pane_id: PaneId(4),
                target: target.clone(),
                agent: agent.clone(),
                from: AgentState::Working,
                to: AgentState::Waiting,
                kind: Some("permission".into()),
                evidence,
            }),
            Happened::Event(EventKind::Acted(Acted {
                pane_id: PaneId(4),
                target,
                agent,
                act: ActKind::Answer,
                sent: "1".into(),
                ok: true,
                result: "working".into(),
            })),
            Happened::Mark(Mark::EngineAlive),
        ];
        for what in events {
            let record = record(what);
            let line = serde_json::to_string(&record).unwrap();
            assert_eq!(serde_json::from_str::<Record>(&line).unwrap(), record, "{line}");
            assert!(!line.contains('\n'));
        }
    }

    #[test]
    fn a_bare_record_has_no_word_of_a_pane() {
        let word = || "CANARY".to_owned();
        let evidence = Evidence {
            rule: "claude/x".into(),
            line: word(),
            source: Source::Screen,
            region: None,
            rows: Some((1, 2)),
        };
        let (target, agent) = ("api:2.0".to_owned(), "claude".to_owned());
        let (from, to, kind) = (AgentState::Working, AgentState::Waiting, Some("permission".to_owned()));
        let changed = EventKind::Transition {
            pane_id: PaneId(4),
            target: target.clone(),
            agent: agent.clone(),
            from,
            to,
            kind,
            evidence,
        };
        let acted =
            Acted { pane_id: PaneId(4), target, agent, act: ActKind::Reply, sent: word(), ok: true, result: word() };
        for what in [changed, EventKind::Acted(acted)] {
            let record = record(Happened::Event(what));
            let (bare, whole) = (record.bare(), serde_json::to_string(&record).unwrap());
            assert!(whole.contains("CANARY") && !bare.to_string().contains("CANARY"), "{bare}");
            assert_eq!((bare["target"].as_str(), bare["agent"].as_str()), (Some("api:2.0"), Some("claude")));
            assert!(bare["evidence"]["rule"] == "claude/x" || bare["act"] == "reply", "{bare}");
        }
    }

    #[test]
    fn the_sentence_names_who_and_what() {
        let act = Acted {
            pane_id: PaneId(4),
            target: "api:2.0".into(),
            agent: "claude".into(),
            act: ActKind::Answer,
            sent: "1".into(),
            ok: true,
            result: "working".into(),
        };
        assert_eq!(record(Happened::Event(EventKind::Acted(act))).sentence(), "api:2.0 you: answer: working [1]");
    }
}
