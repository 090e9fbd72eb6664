//! One line of the journal.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    monitor::{Acted, EventKind},
    tmux::PaneId,
};

/// One line of the journal: who saw or did what, and when.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// When.
    pub at: Timestamp,
    /// Path of the tmux server's socket.
    pub server: String,
    /// Process id of the program that wrote it: the engine for events, whoever acted for acts.
    pub by: u32,
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
}

/// The watching itself: without it nobody could tell a quiet hour from an hour without an engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Mark {
    /// An engine began to watch.
    EngineStarted,
    /// It still watches; written from time to time.
    EngineAlive,
    /// It stopped in order.
    EngineStopped,
}

impl Record {
    /// The pane it is about, if it is about one.
    #[must_use]
    pub fn pane(&self) -> Option<PaneId> {
        match &self.what {
            Happened::Event(
                EventKind::Appeared { pane_id, .. }
                | EventKind::Gone { pane_id, .. }
                | EventKind::Transition { pane_id, .. }
                | EventKind::Acted(Acted { pane_id, .. }),
            ) => Some(*pane_id),
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
            ) => Some((target, agent)),
            _ => None,
        }
    }

    /// It is only a sign of life, which people do not want to read.
    #[must_use]
    pub fn is_heartbeat(&self) -> bool {
        self.what == Happened::Mark(Mark::EngineAlive)
    }

    /// What happened, as one sentence without its time.
    #[must_use]
    pub fn sentence(&self) -> String {
        let with = |state: &dyn std::fmt::Display, kind: &Option<String>| match kind {
            Some(kind) => format!("{state} ({kind})"),
            None => state.to_string(),
        };
        match &self.what {
            Happened::Event(EventKind::Appeared { target, agent, state, kind, .. }) => {
                format!("{target} {agent} appeared, {}", with(state, kind))
            }
            Happened::Event(EventKind::Gone { target, agent, .. }) => format!("{target} {agent} is gone"),
            Happened::Event(EventKind::Transition { target, agent, from, to, kind, .. }) => {
                format!("{target} {agent} {from} → {}", with(to, kind))
            }
            Happened::Event(EventKind::Changed { setting, from, to }) => format!("{setting} {from} → {to}"),
            Happened::Event(EventKind::Notice { text, .. }) => text.clone(),
            Happened::Event(EventKind::Acted(act)) => {
                let sent = if act.sent.is_empty() { String::new() } else { format!(" [{}]", act.sent) };
                let name = if act.target.is_empty() { act.pane_id.to_string() } else { act.target.clone() };
                format!("{name} you: {}{sent}: {}", act.act, act.result)
            }
            Happened::Mark(Mark::EngineStarted) => format!("engine {} began to watch {}", self.by, self.server),
            Happened::Mark(Mark::EngineAlive) => format!("engine {} watches {}", self.by, self.server),
            Happened::Mark(Mark::EngineStopped) => format!("engine {} stopped watching {}", self.by, self.server),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::monitor::{ActKind, Evidence, Source, State};

    fn record(what: Happened) -> Record {
        Record { at: Timestamp::UNIX_EPOCH, server: "/tmp/s".into(), by: 7, seq: Some(3), what }
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
                from: State::Working,
                to: State::Waiting,
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
        assert_eq!(record(Happened::Event(EventKind::Acted(act))).sentence(), "api:2.0 you: answer [1]: working");
    }
}
