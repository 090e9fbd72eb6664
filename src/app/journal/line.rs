//! What an account reads of a line of the journal: who was in which state when, and what was spent and done.

use std::{borrow::Cow, mem, panic, path::Path, sync::mpsc::sync_channel, thread};

use jiff::Timestamp;
use serde::Deserialize;

use crate::app::journal::read::lines_since;
use crate::app::journal::{Happened, JournalError, Mark, Record, Standing};
use crate::monitor::{ActKind, Acted, AgentState, EventKind, Evidence, Tokens};
use crate::tmux::PaneId;

/// Records that are handed over together.
const TOGETHER: usize = 512;

/// So many times that are read ahead.
const AHEAD: usize = 8;

/// Hands out every record since a time, and perhaps some of before it, as far as an account looks at it, in the order in which
/// they were written. They are read on a thread of their own: to read one takes longer than to account for it.
///
/// # Errors
/// As [`lines_since`]. What could be read was handed out.
pub(super) fn accounted_since(dir: &Path, since: Timestamp, take: &mut dyn FnMut(&Record)) -> Result<(), JournalError> {
    let (send, records) = sync_channel(AHEAD);
    thread::scope(|scope| {
        let reading = scope.spawn(move || {
            let mut some = Vec::with_capacity(TOGETHER);
            let read = lines_since(dir, since, &mut |line| {
                some.extend(accounted(line));
                if some.len() == TOGETHER {
                    send.send(mem::replace(&mut some, Vec::with_capacity(TOGETHER))).ok();
                }
            });
            send.send(some).ok();
            read
        });
        records.into_iter().flatten().for_each(|record| take(&record));
        reading.join().unwrap_or_else(|panicked| panic::resume_unwind(panicked))
    })
}

/// The record of a line as far as an account looks at it. Reading all of it takes five times as long, and nobody should wait
/// for a day or a month.
pub(super) fn accounted(line: &[u8]) -> Option<Record> {
    serde_json::from_slice::<Line>(line).ok()?.record()
}

#[derive(Deserialize)]
struct Line<'a> {
    at: Timestamp,
    #[serde(borrow)]
    server: Cow<'a, str>,
    by: u32,
    server_pid: Option<u32>,
    server_started: Option<i64>,
    agent_pid: Option<u32>,
    agent_start: Option<u64>,
    #[serde(borrow)]
    event: Cow<'a, str>,
    pane_id: Option<PaneId>,
    target: Option<String>,
    agent: Option<String>,
    // No word that is a state has an escape in it.
    state: Option<&'a str>,
    from: Option<&'a str>,
    to: Option<&'a str>,
    kind: Option<String>,
    since: Option<Timestamp>,
    tokens: Option<Tokens>,
    cost_usd: Option<f64>,
    act: Option<ActKind>,
    #[serde(default)]
    ok: bool,
}

impl Line<'_> {
    /// The record without its evidence, the words that were sent, and the turn's model and times.
    fn record(self) -> Option<Record> {
        // A word of a later version is a state that is not known.
        let word = |word: Option<&str>| word.and_then(|word| word.parse().ok()).unwrap_or(AgentState::Unknown);
        let (target, agent, kind) = (self.target.unwrap_or_default(), self.agent.unwrap_or_default(), self.kind);
        let (tokens, cost_usd) = (self.tokens, self.cost_usd);
        let what = match (&*self.event, self.pane_id) {
            ("transition", Some(pane_id)) => {
                let (from, to, evidence) = (word(self.from), word(self.to), Evidence::default());
                Happened::Event(EventKind::Transition { pane_id, target, agent, from, to, kind, evidence })
            }
            ("appeared", Some(pane_id)) => {
                Happened::Event(EventKind::Appeared { pane_id, target, agent, state: word(self.state), kind })
            }
            ("gone", Some(pane_id)) => Happened::Event(EventKind::Gone { pane_id, target, agent }),
            ("acted", Some(pane_id)) => {
                let (act, ok, sent, result) = (self.act?, self.ok, String::new(), String::new());
                Happened::Event(EventKind::Acted(Acted { pane_id, target, agent, act, sent, ok, result }))
            }
            ("watched", Some(pane_id)) => {
                let (state, since) = (word(self.state), self.since?);
                Happened::Standing(Standing::Watched { pane_id, target, agent, state, kind, since })
            }
            ("turn", Some(pane_id)) => {
                let (model, worked, waited) = (None, 0.0, 0.0);
                Happened::Standing(Standing::Turn { pane_id, target, agent, model, tokens, cost_usd, worked, waited })
            }
            ("engine_started", _) => Happened::Mark(Mark::EngineStarted),
            ("engine_stopped", _) => Happened::Mark(Mark::EngineStopped),
            // Of these an account takes that their writer lives.
            ("engine_alive" | "notice" | "changed" | "limit", _) => Happened::Mark(Mark::EngineAlive),
            _ => return None,
        };
        Some(Record {
            at: self.at,
            server: self.server.into_owned(),
            by: self.by,
            server_pid: self.server_pid,
            server_started: self.server_started,
            agent_pid: self.agent_pid,
            agent_start: self.agent_start,
            seq: None,
            what,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::monitor::Limit;

    /// A record of every kind.
    fn records() -> Vec<Record> {
        let place = || (PaneId(1), "a:0.1".to_owned(), "claude".to_owned());
        let at = |minute: i64| Timestamp::from_second(1_800_000_000 + minute * 60).unwrap();
        let (pane_id, target, agent) = place();
        let appeared = EventKind::Appeared { pane_id, target, agent, state: AgentState::Idle, kind: None };
        let (pane_id, target, agent) = place();
        let (from, to, evidence) = (AgentState::Idle, AgentState::Waiting, Evidence::default());
        let kind = Some("done \u{22}quoted\u{22} é".to_owned());
        let went = EventKind::Transition { pane_id, target, agent, from, to, kind: kind.clone(), evidence };
        let (pane_id, target, agent) = place();
        let (act, sent, result) = (ActKind::Answer, String::new(), String::new());
        let acted = EventKind::Acted(Acted { pane_id, target, agent, act, sent, ok: true, result });
        let (pane_id, target, agent) = place();
        let watched = Standing::Watched { pane_id, target, agent, state: AgentState::Idle, kind, since: at(1) };
        let (pane_id, target, agent) = place();
        let (tokens, cost_usd) = (Some(Tokens { input_tokens: 7, ..Tokens::default() }), Some(0.25));
        let turn = Standing::Turn { pane_id, target, agent, model: None, tokens, cost_usd, worked: 0.0, waited: 0.0 };
        let (pane_id, target, agent) = place();
        let gone = EventKind::Gone { pane_id, target, agent };
        let events = [appeared, went, acted, gone].map(Happened::Event);
        let rest = [watched, turn].map(Happened::Standing);
        let marks = [Mark::EngineStarted, Mark::EngineAlive, Mark::EngineStopped].map(Happened::Mark);
        let all = events.into_iter().chain(rest).chain(marks);
        (1..)
            .zip(all)
            .map(|(minute, what)| Record { agent_pid: Some(60), ..Record::new(at(minute), "/s", 7, what) })
            .collect()
    }

    #[test]
    fn what_an_account_reads_of_a_line_is_what_the_whole_line_says() {
        for whole in records() {
            let line = serde_json::to_vec(&whole).unwrap();
            assert_eq!(accounted(&line), Some(whole), "{}", String::from_utf8_lossy(&line));
        }
    }

    #[test]
    fn of_what_is_about_no_agent_it_takes_that_the_writer_lives_and_of_strange_lines_nothing() {
        let (text, setting, account) = ("x".to_owned(), "pool".to_owned(), "me".to_owned());
        let others = [
            EventKind::Notice { text, problem: true },
            EventKind::Changed { setting, from: "1".into(), to: "2".into() },
            EventKind::Limit { program: "claude".into(), account, percent: 90, limit: Limit::default() },
        ];
        for what in others {
            let line = serde_json::to_vec(&Record::new(Timestamp::UNIX_EPOCH, "/s", 7, Happened::Event(what))).unwrap();
            let read = accounted(&line).expect("read");
            assert_eq!((read.by, read.what), (7, Happened::Mark(Mark::EngineAlive)));
        }
        let strange = [
            r#"{"at":"2026-03-01T10:00:00Z","server":"/s","by":7,"event":"of a later version"}"#,
            r#"{"at":"2026-03-01T10:00:00Z","server":"/s","by":7,"event":"gone"}"#,
            r#"{"at":"2026-03-01T10:00:00Z","server":"/s","by":7"#,
        ];
        for line in strange {
            assert_eq!(accounted(line.as_bytes()), None, "{line}");
        }
    }
}
