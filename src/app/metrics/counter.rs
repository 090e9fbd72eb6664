//! Counts what the journal holds of one tmux server, from one process to the next: each record once, whoever runs.
//!
//! The sums and how far the journal was read are one file, replaced as a whole. Who comes later goes on from there, be it an
//! engine, a dashboard or the verb; and two that count at the same time come to the same.

use std::{
    io,
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::app::journal::{Account, JournalError, Places, Record, SavedAccount};
use crate::app::metrics::file::replace;
use crate::app::metrics::totals::Totals;
use crate::monitor::EnginePaths;
use crate::monitor::facts::file::read_foreign;

/// Version of the file. Another one is not read: the journal is counted anew.
const VERSION: u32 = 1;

/// Largest file that is read, bytes.
const LARGEST: u64 = 8 << 20;

/// Most of a journal that is counted where no sums are there yet, bytes: some weeks, under a second.
const FIRST: u64 = 64 << 20;

/// The sums of one tmux server, and what they go on from.
#[derive(Debug)]
pub(crate) struct Counter {
    events: PathBuf,
    file: PathBuf,
    /// The server's socket, as the journal names it.
    server: String,
    totals: Totals,
    account: Account,
    places: Places,
}

#[derive(Serialize, Deserialize)]
struct Saved {
    version: u32,
    server: String,
    totals: Totals,
    account: SavedAccount,
    places: Places,
}

impl Counter {
    /// Goes on where the last one ended. `events`: the journal's folder; `server`: the socket as the snapshots name it.
    pub(crate) fn load(events: PathBuf, engine: &EnginePaths, server: &str) -> Self {
        let file = engine.totals();
        let saved = match read(&file) {
            Ok(saved) => saved.filter(|saved| saved.server == server),
            Err(why) => {
                tracing::warn!(path = %file.display(), why, "the sums cannot be used: the journal is counted anew");
                None
            }
        };
        let server = server.to_owned();
        let (totals, account, places) = match saved {
            Some(saved) => (saved.totals, Account::resume(saved.account), saved.places),
            None => (Totals::default(), Account::new(Timestamp::MIN), Places::default()),
        };
        Self { events, file, server, totals, account, places }
    }

    /// Takes in what came into the journal since the last time, and hands each record of this server on. `alive`: an engine
    /// and when it was seen to watch.
    ///
    /// # Errors
    /// [`JournalError`] when the journal cannot be read.
    pub(crate) fn catch_up(
        &mut self,
        alive: Option<(u32, Timestamp)>,
        also: &mut dyn FnMut(&Record),
    ) -> Result<(), JournalError> {
        let Self { totals, account, server, .. } = self;
        let read = self.places.read_on(&self.events, FIRST, &mut |record| {
            if record.server == *server {
                totals.take(&record);
                account.take(&record);
                also(&record);
            }
        });
        let alive = alive.map(|(by, at)| (self.server.as_str(), by, at));
        for report in self.account.drain(alive) {
            self.totals.add(&report);
        }
        read
    }

    /// The sums.
    pub(crate) fn totals(&self) -> &Totals {
        &self.totals
    }

    /// Writes down where the next one goes on, into a file that only its owner can read.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) fn save(&self) -> io::Result<()> {
        let saved = Saved {
            version: VERSION,
            server: self.server.clone(),
            totals: self.totals.clone(),
            account: self.account.save(),
            places: self.places.clone(),
        };
        replace(&self.file, &serde_json::to_vec(&saved)?, 0o600)
    }
}

fn read(path: &Path) -> Result<Option<Saved>, String> {
    let bytes = match read_foreign(path, LARGEST, rustix::process::geteuid().as_raw()) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.to_string()),
    };
    let saved: Saved = serde_json::from_slice(&bytes).map_err(|error| error.to_string())?;
    match saved {
        Saved { version: VERSION, ref totals, .. } if totals.is_sound() => Ok(Some(saved)),
        Saved { version: VERSION, .. } => Err("it holds sums that cannot be".to_owned()),
        Saved { version, .. } => Err(format!("it has version {version}, not {VERSION}")),
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;
    use crate::app::journal::{Happened, Journal, Mark, Standing};
    use crate::monitor::{AgentState, EventKind, Evidence, Tokens};
    use crate::tmux::PaneId;
    use AgentState::{Idle, Waiting, Working};

    struct Place {
        dir: tempfile::TempDir,
        journal: Journal,
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    impl Place {
        fn new() -> Self {
            let dir = tempfile::tempdir().unwrap();
            std::fs::create_dir(dir.path().join("run")).unwrap();
            let journal = Journal::new(dir.path().join("events")).with_largest(700);
            Self { dir, journal }
        }

        fn counter(&self) -> Counter {
            let engine = EnginePaths::new(&self.dir.path().join("run"), Path::new("/s"));
            Counter::load(self.dir.path().join("events"), &engine, "/s")
        }

        fn write(&mut self, second: i64, what: Happened) {
            self.journal.append(&Record::new(at(second), "/s", 1, what)).unwrap();
        }

        fn went(&mut self, second: i64, from: AgentState, to: AgentState, kind: Option<&str>) {
            let (target, agent, kind) = ("a:0.0".into(), "claude".into(), kind.map(str::to_owned));
            let evidence = Evidence::default();
            let what = EventKind::Transition { pane_id: PaneId(1), target, agent, from, to, kind, evidence };
            self.write(second, Happened::Event(what));
        }

        /// A turn with a wait: 20 s of work, 10 s of waiting.
        fn turn(&mut self, second: i64) {
            self.went(second, Idle, Working, None);
            self.went(second + 5, Working, Waiting, Some("permission"));
            self.went(second + 15, Waiting, Working, None);
            self.went(second + 30, Working, Idle, None);
            let tokens = Some(Tokens { input_tokens: 100, output_tokens: 7, ..Tokens::default() });
            let (target, agent, model) = ("a:0.0".into(), "claude".into(), None);
            let what = Standing::Turn {
                pane_id: PaneId(1),
                target,
                agent,
                model,
                tokens,
                cost_usd: Some(0.5),
                worked: 20.0,
                waited: 10.0,
            };
            self.write(second + 36, Happened::Standing(what));
        }
    }

    fn caught_up(mut counter: Counter) -> Totals {
        counter.catch_up(None, &mut |_| {}).unwrap();
        counter.save().unwrap();
        counter.totals
    }

    #[test]
    fn the_sums_are_those_of_the_journal_and_outlive_whoever_counts() {
        let mut place = Place::new();
        place.write(0, Happened::Mark(Mark::EngineStarted));
        for turn in 0..6 {
            place.turn(turn * 40);
        }
        let once = caught_up(place.counter());
        assert_eq!(once.programs.len(), 1);
        let claude = &once.programs[0].1;
        assert_eq!(claude.transitions[&Working][&Waiting], 6);
        assert_eq!((claude.answers["permission"].count(), claude.answers["permission"].sum()), (6, 60.0));
        assert_eq!((claude.turns.count(), claude.turns.sum()), (6, 120.0));
        assert_eq!((claude.tokens.unwrap().input_tokens, claude.cost_usd), (600, Some(3.0)));
        assert_eq!((claude.seconds[&Waiting], claude.seconds[&Working]), (60.0, 120.0));
        // The same piece by piece, each by another process; one of them twice, and one that was killed before it saved.
        let mut pieces = Place::new();
        pieces.write(0, Happened::Mark(Mark::EngineStarted));
        for turn in 0..6 {
            pieces.turn(turn * 40);
            let mut killed = pieces.counter();
            killed.catch_up(None, &mut |_| {}).unwrap();
            caught_up(pieces.counter());
            caught_up(pieces.counter());
        }
        assert_eq!(caught_up(pieces.counter()), once);
    }

    #[test]
    fn a_state_that_lasts_is_counted_as_it_lasts_and_once() {
        let mut place = Place::new();
        place.write(0, Happened::Mark(Mark::EngineStarted));
        place.went(0, Idle, Waiting, Some("question"));
        let mut counter = place.counter();
        let waited = |counter: &mut Counter, alive| {
            counter.catch_up(alive, &mut |_| {}).unwrap();
            counter.totals.programs[0].1.seconds.get(&Waiting).copied().unwrap_or_default()
        };
        assert_eq!(waited(&mut counter, Some((1, at(30)))), 30.0);
        assert_eq!(waited(&mut counter, Some((1, at(30)))), 30.0);
        counter.save().unwrap();
        // Another process cannot say that this engine lives.
        let mut other = place.counter();
        assert_eq!(waited(&mut other, Some((2, at(90)))), 30.0);
        assert_eq!(waited(&mut other, Some((1, at(100)))), 100.0);
        place.went(110, Waiting, Working, None);
        assert_eq!(waited(&mut other, None), 110.0);
        assert_eq!(other.totals.programs[0].1.answers["question"].sum(), 110.0);
    }

    #[test]
    fn what_cannot_be_is_not_read_and_the_journal_is_counted_anew() {
        let mut place = Place::new();
        place.write(0, Happened::Mark(Mark::EngineStarted));
        place.turn(1);
        let good = caught_up(place.counter());
        let file = place.counter().file;
        let text = std::fs::read_to_string(&file).unwrap();
        for (part, other) in
            [("\"version\":1", "\"version\":9"), ("\"sum\":20", "\"sum\":-20"), ("claude", "My Secret"), ("{", "x")]
        {
            assert!(text.contains(part), "{part}: {text}");
            std::fs::write(&file, text.replacen(part, other, 1)).unwrap();
            if part == "claude" {
                std::fs::write(&file, text.replace(part, other)).unwrap();
            }
            assert_eq!(caught_up(place.counter()), good, "{other}");
        }
        let later = SignedDuration::from_secs(1);
        assert!(good.since.unwrap() < at(0) + later);
    }
}
