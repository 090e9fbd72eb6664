//! The day of all agents out of the journal: what each did when.

use std::path::Path;

use jiff::Timestamp;

use crate::app::core::day::{Day, Track};
use crate::app::journal::JournalError;
use crate::app::journal::account::Account;
use crate::app::journal::keep::TOLD_EVERY;
use crate::app::journal::line::accounted_since;
use crate::tmux::clean;

/// Reads the day up to `now`. What an agent did at `since` is told by a record of the hours before.
///
/// # Errors
/// [`JournalError`] when the journal cannot be read. One that was never written is an empty day.
pub fn day(dir: &Path, since: Timestamp, now: Timestamp) -> Result<Day, JournalError> {
    let from = since.checked_sub(TOLD_EVERY).unwrap_or(since);
    let mut account = Account::new(since).tracing();
    accounted_since(dir, from, &mut |record| {
        if (from..=now).contains(&record.at) {
            account.take(record);
        }
    })?;
    let tracks = account.end(now).into_iter().map(|report| Track {
        server: report.server,
        pane: report.pane_id,
        target: clean(&report.target),
        agent: clean(&report.agent),
        present: report.state.is_some(),
        spans: report.spans,
    });
    Ok(Day { since, until: now, tracks: tracks.collect() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::journal::read::lines_since;
    use crate::app::journal::{Happened, Journal, Mark, Record};
    use crate::monitor::{AgentState, EventKind, Evidence};
    use crate::tmux::PaneId;

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + minute * 60).unwrap()
    }

    fn record(minute: i64, what: Happened) -> Record {
        Record::new(at(minute), "/s", 7, what)
    }

    fn went(minute: i64, pane: u32, from: AgentState, to: AgentState) -> Record {
        let (target, agent) = (format!("a:0.{pane}"), "claude".to_owned());
        let evidence = Evidence::default();
        let what = EventKind::Transition { pane_id: PaneId(pane), target, agent, from, to, kind: None, evidence };
        record(minute, Happened::Event(what))
    }

    fn alive(minute: i64) -> Record {
        record(minute, Happened::Mark(Mark::EngineAlive))
    }

    fn states(track: &Track) -> Vec<(AgentState, i64, i64)> {
        let minutes = |at: Timestamp| (at.as_second() - 1_800_000_000) / 60;
        track.spans.iter().map(|span| (span.state, minutes(span.from), minutes(span.to))).collect()
    }

    #[test]
    fn spans_are_what_was_watched_and_those_who_are_gone_are_among_them() {
        use AgentState::{Idle, Waiting, Working};
        let dir = tempfile::tempdir().unwrap();
        let mut journal = Journal::new(dir.path());
        let gone = EventKind::Gone { pane_id: PaneId(2), target: "a:0.2".into(), agent: "claude".into() };
        let mut records = vec![
            went(-20, 1, Idle, Working),
            went(3, 1, Working, Waiting),
            went(4, 2, Idle, Working),
            went(9, 1, Waiting, Idle),
            record(12, Happened::Event(gone)),
            record(
                80,
                Happened::Event(EventKind::Appeared {
                    pane_id: PaneId(3),
                    target: "a:0.3".into(),
                    agent: "codex".into(),
                    state: Waiting,
                    kind: None,
                }),
            ),
        ];
        // An hour in which nobody watched.
        records.extend((-20..15).chain(75..90).map(alive));
        records.push(went(80, 1, Idle, Working));
        records.sort_by_key(|record| record.at);
        records.iter().for_each(|record| journal.append(record).unwrap());
        let day = day(dir.path(), at(0), at(90)).unwrap();
        let track = |pane: u32| day.tracks.iter().find(|track| track.pane == PaneId(pane)).unwrap();
        assert_eq!(
            states(track(1)),
            [(Working, 0, 3), (Waiting, 3, 9), (Idle, 9, 14), (Idle, 75, 80), (Working, 80, 90)]
        );
        assert_eq!((states(track(2)), track(2).present, track(1).present), (vec![(Working, 4, 12)], false, true));
        assert_eq!((states(track(3)), track(3).present), (vec![(Waiting, 80, 90)], true), "as it was found");
    }

    #[test]
    fn of_a_week_only_the_last_day_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let mut journal = Journal::new(dir.path());
        let week = 7 * 24 * 60;
        for minute in (-week..0).step_by(2) {
            journal.append(&alive(minute)).unwrap();
            let (from, to) = if minute % 4 == 0 {
                (AgentState::Idle, AgentState::Working)
            } else {
                (AgentState::Working, AgentState::Idle)
            };
            journal.append(&went(minute, u32::try_from((minute % 40).unsigned_abs()).unwrap(), from, to)).unwrap();
        }
        let mut lines = 0;
        lines_since(dir.path(), at(-24 * 60), &mut |_| lines += 1).unwrap();
        assert_eq!(lines, 24 * 60);
        let day = day(dir.path(), at(-24 * 60), at(0)).unwrap();
        assert!(day.tracks.len() == 20 && day.tracks.iter().all(|track| track.spans[0].from >= at(-24 * 60)));
    }

    #[test]
    fn a_journal_that_was_never_written_is_an_empty_day_and_one_that_cannot_be_read_says_so() {
        let dir = tempfile::tempdir().unwrap();
        assert!(day(&dir.path().join("none"), at(0), at(1)).unwrap().tracks.is_empty());
        let file = dir.path().join("file");
        std::fs::write(&file, "").unwrap();
        assert!(day(&file, at(0), at(1)).unwrap_err().to_string().contains("the journal"));
    }
}
