//! The transcript of one agent, read again and again after its agent wrote. Every read is on a thread of its own.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::FutureExt;
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use tokio::task::JoinHandle;

use crate::monitor::detect::{Process, Profile};
use crate::monitor::facts::transcripts::session::Session;
use crate::monitor::facts::transcripts::whose::{Clues, Company, SLACK, Standing, Whose, second};
use crate::monitor::facts::{file, process};
use crate::monitor::usage::Spending;

/// Shortest time between two looks.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// The same while a part of it is left to be read.
const GO_ON_AFTER: Duration = Duration::from_millis(200);

/// Seconds after the last output in which a program may still write its transcript.
const SETTLES: i64 = 3;

/// Shortest time between two searches for another file than the one that is read.
const SEARCH_EVERY: Duration = Duration::from_secs(15);

/// The same while there is none.
const FIND_EVERY: Duration = Duration::from_secs(4);

/// The transcript of one agent.
#[derive(Debug)]
pub struct Transcript {
    whose: Whose,
    company: Company,
    /// What was read; `None` while a look is under way.
    read: Option<Box<Session>>,
    looking: Option<JoinHandle<Box<Session>>>,
    looked: Option<Asked>,
    /// When the last look began that searched for the file, and in which second.
    searched: Option<(Instant, i64)>,
    known: Spending,
    account: Option<PathBuf>,
    standing: Standing,
    /// What its status line alone said.
    of_status_line: Vec<&'static str>,
    source: String,
    left: u64,
}

/// When the last look began.
#[derive(Clone, Debug)]
struct Asked {
    now: Instant,
    second: i64,
    day: Date,
    session: Option<String>,
}

impl Transcript {
    /// Watches the transcript of a process; `None` when its profile knows of none, or the process is not ours.
    #[must_use]
    pub fn of(profile: &Profile, process: &Process) -> Option<Self> {
        let rules = Arc::clone(profile.transcript.as_ref()?);
        let (folders, owner) = process::folders(process.pid, rules.variable.as_deref(), &rules.home)?;
        Some(Self::new(Whose { rules, folders, owner, start: process.start }))
    }

    fn new(whose: Whose) -> Self {
        let standing = Standing::NotFound;
        Self {
            whose,
            company: Company::None,
            read: Some(Box::default()),
            looking: None,
            looked: None,
            searched: None,
            known: Spending::default(),
            account: None,
            of_status_line: Vec::new(),
            source: standing.sentence(),
            standing,
            left: 0,
        }
    }

    /// The folders that it is looked for in.
    #[must_use]
    pub fn folders(&self) -> &[PathBuf] {
        &self.whose.folders
    }

    /// Whether others of its program work in its agent's folder now and keep theirs in the same place.
    pub fn has_company(&mut self, company: bool, at: Timestamp) {
        self.company = match (company, self.company) {
            (true, _) => Company::Here,
            (false, Company::Here) => Company::Until(second(at.as_second()) + SLACK),
            (false, before) => before,
        };
    }

    /// What is known.
    pub fn known(&self) -> &Spending {
        &self.known
    }

    /// How the look for it stands, in words.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The folder in which its program keeps the account that it works on, as far as that is known.
    #[must_use]
    pub fn account_folder(&self) -> Option<&Path> {
        self.account.as_deref()
    }

    /// Its user does not want it to be read.
    pub fn forget(&mut self) {
        if self.looked.take().is_some() {
            (self.read, self.looking, self.searched, self.left) = (Some(Box::default()), None, None, 0);
            (self.known, self.standing) = (Spending::default(), Standing::NotFound);
            self.of_status_line.clear();
            self.source = self.standing.sentence();
        }
    }

    /// When the last look began.
    #[must_use]
    pub fn looked_at(&self) -> Option<Instant> {
        self.looked.as_ref().map(|last| last.now)
    }

    /// Whether a look is under way, or a part is left to be read.
    #[must_use]
    pub fn is_under_way(&self) -> bool {
        self.looking.is_some() || self.left > 0
    }

    /// Whether it is time for a look. `wrote`: the second of the agent's last output.
    /// `session`: the one that it says it has.
    #[must_use]
    pub fn is_due(&self, wrote: i64, session: Option<&str>, now: Instant, today: Date) -> bool {
        if self.looking.is_some() {
            return false;
        }
        let Some(last) = &self.looked else { return true };
        let age = now.saturating_duration_since(last.now);
        if self.left > 0 {
            return age >= GO_ON_AFTER;
        }
        let is_found = matches!(self.standing, Standing::Read { .. });
        let other_session = last.session.as_deref() != session;
        let every = if is_found || other_session { LOOK_EVERY } else { FIND_EVERY };
        let since = |second: i64| second < wrote + SETTLES;
        age >= every && (since(last.second) || last.day != today || other_session)
    }

    /// Whether a look in this second searches for the file as well: the last one after an output does.
    fn searches(&self, wrote: i64, session: Option<&str>, now: Instant, second: i64) -> bool {
        let is_found = matches!(self.standing, Standing::Read { .. });
        let same = self.looked.as_ref().is_some_and(|last| last.session.as_deref() == session);
        let lately = self.searched.is_some_and(|(at, searched)| {
            let settled = wrote + SETTLES;
            now.saturating_duration_since(at) < SEARCH_EVERY && (searched >= settled || second < settled)
        });
        !(is_found && lately && same)
    }

    /// Begins a look.
    /// `most`: bytes that it may read.
    pub fn look(&mut self, clues: Clues, most: u64, now: Instant, at: Timestamp) {
        let zone = TimeZone::system();
        let today = zone.to_datetime(at).date();
        let search = self.searches(clues.wrote, clues.session.as_deref(), now, at.as_second());
        let Some(mut session) = self.read.take() else { return };
        if search {
            self.searched = Some((now, at.as_second()));
        }
        let company = self.company;
        self.looked = Some(Asked { now, second: at.as_second(), day: today, session: clues.session.clone() });
        let whose = self.whose.clone();
        self.looking = file::start(move || {
            session.look(&whose, &clues, search.then_some(company), most, &zone, today);
            session
        });
        if self.looking.is_none() {
            // Too much is under way: it is begun anew later.
            (self.read, self.looked, self.searched) = (Some(Box::default()), None, None);
        }
    }

    /// Takes in a look that has come to its end. Says whether it brought something new, and how many bytes it read.
    pub fn take(&mut self) -> (bool, u64) {
        let Some(done) = self.looking.as_mut().and_then(FutureExt::now_or_never) else { return (false, 0) };
        self.looking = None;
        let session = done.unwrap_or_default();
        self.left = session.left.max(session.again.into());
        let standing = session.standing.clone().unwrap_or(Standing::NotFound);
        if self.standing != standing || self.of_status_line != session.of_status_line {
            self.source = standing.sentence();
            if !session.of_status_line.is_empty() {
                self.source += &format!("; its status line says: {}", session.of_status_line.join(", "));
            }
            self.standing = standing;
            self.of_status_line.clone_from(&session.of_status_line);
        }
        let news = self.known != session.known;
        self.known = session.known.clone();
        self.account.clone_from(&session.account);
        let bytes = session.bytes;
        self.read = Some(session);
        (news, bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::monitor::detect::Profiles;
    use crate::monitor::facts::transcripts::whose::Proof;

    fn transcript() -> Transcript {
        let rules = Arc::clone(Profiles::embedded().get("pi").unwrap().transcript.as_ref().unwrap());
        Transcript::new(Whose { rules, folders: Vec::new(), owner: 0, start: 0 })
    }

    /// The looks of so many seconds after an output in second 1000, at which one is due: with `true` where it searches.
    fn looks(mut transcript: Transcript, found: bool, seconds: u64) -> Vec<(u64, bool)> {
        let begin = Instant::now();
        let today = Date::constant(2026, 11, 20);
        if found {
            transcript.standing = Standing::Read { path: PathBuf::new(), proof: Proof::Folder, unread: 0 };
        }
        let mut seen = Vec::new();
        for second in 0..seconds {
            let now = begin + Duration::from_secs(second);
            if transcript.is_due(1000, None, now, today) {
                let at = 1000 + i64::try_from(second).unwrap();
                let search = transcript.searches(1000, None, now, at);
                transcript.looked = Some(Asked { now, second: at, day: today, session: None });
                if search {
                    transcript.searched = Some((now, at));
                }
                seen.push((second, search));
            }
        }
        seen
    }

    #[test]
    fn what_is_written_after_the_last_output_is_found_and_then_nothing_is_read() {
        assert_eq!(looks(transcript(), false, 100), [(0, true), (4, true)], "none is found");
        assert_eq!(looks(transcript(), true, 100), [(0, true), (2, false), (4, true)]);
    }

    #[test]
    fn another_session_is_looked_for_at_once() {
        let mut transcript = transcript();
        transcript.standing = Standing::Read { path: PathBuf::new(), proof: Proof::Session, unread: 0 };
        let now = Instant::now();
        let day = Date::constant(2026, 11, 20);
        transcript.looked = Some(Asked { now, second: 2000, day, session: Some("a".to_owned()) });
        transcript.searched = Some((now, 2000));
        let later = now + LOOK_EVERY;
        assert!(!transcript.is_due(1000, Some("a"), later, day));
        assert!(transcript.is_due(1000, Some("b"), later, day) && transcript.searches(1000, Some("b"), later, 2002));
    }
}
