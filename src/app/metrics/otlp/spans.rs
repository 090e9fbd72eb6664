//! Turns and waits as spans: a turn from its first work to its rest, and each wait in it. Made of the journal's records; no
//! word of a pane is in them.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};

use crate::app::journal::{Happened, Record};
use crate::app::metrics::otlp::encode::random;
use crate::app::metrics::words::wait_kind;
use crate::monitor::{AgentState, EventKind};
use crate::tmux::PaneId;

/// Most spans that are kept until they are fetched.
const MOST: usize = 2048;

/// A turn whose end was not seen is none after this time.
const LONGEST: SignedDuration = SignedDuration::from_hours(24);

/// A turn or a wait that is over.
#[derive(Clone, Debug, PartialEq)]
pub struct Span {
    /// The turn it is of.
    pub trace: u128,
    /// Its own number.
    pub id: u64,
    /// That of the turn, of a wait whose turn was seen to begin.
    pub parent: Option<u64>,
    /// `turn` or `wait`.
    pub name: &'static str,
    /// When it began.
    pub start: Timestamp,
    /// When it was over.
    pub end: Timestamp,
    /// Which program.
    pub agent: String,
    /// Its pane.
    pub pane: PaneId,
    /// The state that came after it.
    pub state: &'static str,
    /// Of a wait: for what.
    pub kind: Option<&'static str>,
}

/// The turns that go on, and what is over and not fetched yet.
#[derive(Debug)]
pub struct Spans {
    /// What was over before is another's.
    from: Timestamp,
    open: HashMap<PaneId, Turn>,
    over: Vec<Span>,
    lost: u64,
}

#[derive(Debug)]
struct Turn {
    trace: u128,
    id: u64,
    /// `None`: it was not seen.
    start: Option<Timestamp>,
    wait: Option<(Timestamp, &'static str)>,
}

impl Turn {
    fn new(start: Option<Timestamp>) -> Self {
        let trace = (u128::from(random()) << 64) | u128::from(random());
        Self { trace, id: random(), start, wait: None }
    }
}

/// Whether a turn lasts in this state.
fn is_turn(state: AgentState) -> bool {
    matches!(state, AgentState::Working | AgentState::Waiting)
}

impl Spans {
    /// Those that end from now on.
    #[must_use]
    pub fn new(from: Timestamp) -> Self {
        Self { from, open: HashMap::new(), over: Vec::new(), lost: 0 }
    }

    /// Takes in the next record of a server.
    pub(in crate::app) fn take(&mut self, record: &Record) {
        match &record.what {
            Happened::Event(EventKind::Transition { pane_id, agent, from, to, kind, .. }) => {
                let (pane, at) = (*pane_id, record.at);
                if *from == AgentState::Waiting {
                    self.end_wait(pane, at, agent, *to);
                }
                if !is_turn(*to) {
                    self.end_turn(pane, at, agent, *to);
                } else if !is_turn(*from) {
                    self.open.insert(pane, Turn::new(Some(at)));
                }
                if *to == AgentState::Waiting {
                    let turn = self.open.entry(pane).or_insert_with(|| Turn::new(None));
                    turn.wait = Some((at, wait_kind(kind.as_deref())));
                }
            }
            Happened::Event(EventKind::Gone { pane_id, agent, .. }) => {
                self.end_wait(*pane_id, record.at, agent, AgentState::Exited);
                self.end_turn(*pane_id, record.at, agent, AgentState::Exited);
            }
            // Another program, or one that nobody saw begin.
            Happened::Event(EventKind::Appeared { pane_id, .. }) => drop(self.open.remove(pane_id)),
            _ => {}
        }
    }

    fn end_wait(&mut self, pane: PaneId, at: Timestamp, agent: &str, next: AgentState) {
        let Some(turn) = self.open.get_mut(&pane) else { return };
        let Some((start, kind)) = turn.wait.take() else { return };
        let (trace, parent) = (turn.trace, turn.start.map(|_| turn.id));
        let (name, agent, kind) = ("wait", agent.to_owned(), Some(kind));
        self.put(Span { trace, id: random(), parent, name, start, end: at, agent, pane, state: next.into(), kind });
    }

    fn end_turn(&mut self, pane: PaneId, at: Timestamp, agent: &str, next: AgentState) {
        let Some(Turn { trace, id, start: Some(start), .. }) = self.open.remove(&pane) else { return };
        let (name, agent) = ("turn", agent.to_owned());
        self.put(Span { trace, id, parent: None, name, start, end: at, agent, pane, state: next.into(), kind: None });
    }

    fn put(&mut self, span: Span) {
        if span.end < self.from || span.end < span.start || span.end.duration_since(span.start) > LONGEST {
            return;
        }
        if self.over.len() < MOST {
            self.over.push(span);
        } else {
            self.lost += 1;
        }
    }

    /// Those that are over and were not fetched, and how many more there were.
    pub fn drain(&mut self) -> (Vec<Span>, u64) {
        (std::mem::take(&mut self.over), std::mem::take(&mut self.lost))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::monitor::Evidence;
    use AgentState::{Error, Idle, Waiting, Working};

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    fn went(second: i64, from: AgentState, to: AgentState, kind: Option<&str>) -> Record {
        let (target, agent, kind) = ("CANARY:0.0".into(), "claude".into(), kind.map(str::to_owned));
        let evidence = Evidence { line: "CANARY".into(), ..Evidence::default() };
        let what = EventKind::Transition { pane_id: PaneId(4), target, agent, from, to, kind, evidence };
        Record::new(at(second), "/s", 1, Happened::Event(what))
    }

    #[test]
    fn a_turn_is_a_span_and_each_wait_in_it_one_of_its_own() {
        let mut spans = Spans::new(at(0));
        for record in [
            went(0, Idle, Working, None),
            went(5, Working, Waiting, Some("permission")),
            went(8, Waiting, Waiting, Some("question")),
            went(20, Waiting, Working, None),
            went(30, Working, Error, None),
            went(40, Error, Working, None),
        ] {
            spans.take(&record);
        }
        let (over, lost) = spans.drain();
        let brief = |span: &Span| {
            let second = |at: Timestamp| at.as_second() - 1_800_000_000;
            (span.name, second(span.start), second(span.end), span.state, span.kind)
        };
        let expected = [
            ("wait", 5, 8, "waiting", Some("permission")),
            ("wait", 8, 20, "working", Some("question")),
            ("turn", 0, 30, "error", None),
        ];
        assert_eq!((over.iter().map(brief).collect::<Vec<_>>(), lost), (expected.to_vec(), 0));
        assert!(over.iter().all(|span| span.trace == over[0].trace && span.trace != 0));
        assert_eq!((over[0].parent, over[1].parent, over[2].parent), (Some(over[2].id), Some(over[2].id), None));
        assert!(!format!("{over:?}").contains("CANARY"));
        // The turn that goes on ends with its pane.
        let gone = EventKind::Gone { pane_id: PaneId(4), target: String::new(), agent: "claude".into() };
        spans.take(&Record::new(at(50), "/s", 1, Happened::Event(gone)));
        assert_eq!(spans.drain().0.iter().map(brief).collect::<Vec<_>>(), [("turn", 40, 50, "exited", None)]);
    }

    #[test]
    fn what_was_over_before_or_whose_beginning_was_not_seen_is_no_span() {
        let mut spans = Spans::new(at(100));
        spans.take(&went(0, Idle, Working, None));
        spans.take(&went(50, Working, Idle, None));
        spans.take(&went(110, Waiting, Working, None));
        spans.take(&went(120, Working, Idle, None));
        assert_eq!(spans.drain().0, []);
        // The beginning of this wait was seen, that of its turn was not.
        spans.take(&went(121, Working, Waiting, None));
        spans.take(&went(125, Waiting, Working, None));
        spans.take(&went(127, Working, Idle, None));
        let over = spans.drain().0;
        assert_eq!(over.iter().map(|span| (span.name, span.parent)).collect::<Vec<_>>(), [("wait", None)]);
        spans.take(&went(130, Idle, Working, None));
        spans.take(&went(130 + 25 * 3600, Working, Idle, None));
        assert_eq!(spans.drain().0, [], "nobody saw its end for a day");
    }
}
