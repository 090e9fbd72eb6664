//! The transcript of one agent, read again and again after its agent wrote. Every read is on a thread of its own.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use futures_util::FutureExt;
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use tokio::task::JoinHandle;

use crate::monitor::Prices;
use crate::monitor::detect::{Process, Profile};
use crate::monitor::facts::transcripts::find::{Found, files, fits, session_in};
use crate::monitor::facts::transcripts::tail::{Looked, Tail};
use crate::monitor::facts::{file, process, status_lines};
use crate::monitor::usage::{Spending, StatusLine, Tally, TranscriptRules};

/// Most bytes of one look.
const MOST_AT_ONCE: u64 = 4 << 20;

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

/// Most files that are looked into to find the one of an agent.
const MOST_CANDIDATES: usize = 16;

/// Most transcripts of sub-agents of one session that are read.
const MOST_SIDE: usize = 200;

/// By how much a file's time may lie before the start of the process that wrote it: clocks are coarse.
const SLACK: Duration = Duration::from_secs(2);

/// How the file was found to be its agent's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// The program says which session it has.
    Session,
    /// Its process has it open.
    Open,
    /// It works in the agent's folder, and no other agent of the program does.
    Folder,
}

/// How the look for an agent's transcript stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It is read, by this proof. So many of its records could not be.
    Read { path: PathBuf, proof: Proof, unread: u64 },
    /// None was found.
    NotFound,
    /// Several may be it.
    Unsure,
    /// It cannot be read.
    Failed(String),
}

impl Standing {
    /// In words, for a user who wonders where the numbers come from or why there are none.
    #[must_use]
    pub fn sentence(&self) -> String {
        match self {
            Self::Read { path, proof, unread } => {
                let proof = match proof {
                    Proof::Session => "its program says that this is its session",
                    Proof::Open => "its process has it open",
                    Proof::Folder => "no other agent of this program works in its folder",
                };
                let unread = match unread {
                    0 => String::new(),
                    1 => "; 1 record could not be read".to_owned(),
                    more => format!("; {more} records could not be read"),
                };
                format!("from {} ({proof}){unread}", path.display())
            }
            Self::NotFound => "no transcript of it was found".to_owned(),
            Self::Unsure => {
                "several agents of this program work in its folder, and nothing tells whose transcript is whose"
                    .to_owned()
            }
            Self::Failed(why) => format!("its transcript cannot be read: {why}"),
        }
    }
}

/// Whose transcript is looked for.
#[derive(Clone, Debug)]
struct Whose {
    rules: Arc<TranscriptRules>,
    folders: Vec<PathBuf>,
    owner: u32,
    start: u64,
}

/// What a search may go by, at the time of a look.
#[derive(Clone, Debug)]
pub struct Clues {
    /// The session, as the program says it.
    pub session: Option<String>,
    /// Its process and those below it.
    pub pids: Vec<u32>,
    /// The folder that the agent works in.
    pub folder: String,
    /// No other agent of this program works there.
    pub alone: bool,
    /// What tokens cost, where the program does not record it.
    pub prices: Prices,
    /// Where what status lines were told is kept.
    pub status_lines: Option<PathBuf>,
}

/// The transcript of one agent.
#[derive(Debug)]
pub struct Transcript {
    whose: Whose,
    /// What was read; `None` while a look is under way.
    read: Option<Box<Session>>,
    looking: Option<JoinHandle<Box<Session>>>,
    looked: Option<Asked>,
    known: Spending,
    standing: Standing,
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

/// A session, read so far.
#[derive(Debug, Default)]
struct Session {
    main: Option<(Tail, Proof)>,
    side: Vec<Tail>,
    tally: Tally,
    searched_at: Option<Instant>,
    session: Option<String>,
    standing: Option<Standing>,
    known: Spending,
    left: u64,
}

impl Transcript {
    /// Watches the transcript of a process; `None` when its profile knows of none, or the process is not ours.
    #[must_use]
    pub fn of(profile: &Profile, process: &Process) -> Option<Self> {
        let rules = Arc::clone(profile.transcript.as_ref()?);
        let (folders, owner) = process::folders(process.pid, rules.variable.as_deref(), &rules.home)?;
        let whose = Whose { rules, folders, owner, start: process.start };
        let (known, standing) = (Spending::default(), Standing::NotFound);
        let source = standing.sentence();
        Some(Self { whose, read: Some(Box::default()), looking: None, looked: None, known, standing, source, left: 0 })
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

    /// The folder in which its program keeps the account that it works on.
    #[must_use]
    pub fn account_folder(&self) -> Option<&Path> {
        let read = match &self.standing {
            Standing::Read { path, .. } => self.whose.folders.iter().find(|folder| path.starts_with(folder)),
            _ => None,
        };
        let only = || self.whose.folders.first().filter(|_| self.whose.folders.len() == 1);
        read.or_else(only).map(PathBuf::as_path)
    }

    /// Its user does not want it to be read.
    pub fn forget(&mut self) {
        if self.looked.take().is_some() {
            (self.read, self.looking, self.left) = (Some(Box::default()), None, 0);
            (self.known, self.standing) = (Spending::default(), Standing::NotFound);
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
        let news = last.second < wrote + SETTLES || last.day != today || last.session.as_deref() != session;
        age >= LOOK_EVERY && news
    }

    /// Begins a look.
    pub fn look(&mut self, clues: Clues, now: Instant, at: Timestamp) {
        let zone = TimeZone::system();
        let today = zone.to_datetime(at).date();
        let Some(mut session) = self.read.take() else { return };
        self.looked = Some(Asked { now, second: at.as_second(), day: today, session: clues.session.clone() });
        let whose = self.whose.clone();
        self.looking = file::start(move || {
            session.look(&whose, &clues, now, &zone, today);
            session
        });
        if self.looking.is_none() {
            // Too much is under way: it is begun anew later.
            (self.read, self.looked) = (Some(Box::default()), None);
        }
    }

    /// Takes in a look that has come to its end. Says whether it brought something new.
    pub fn take(&mut self) -> bool {
        let Some(done) = self.looking.as_mut().and_then(FutureExt::now_or_never) else { return false };
        self.looking = None;
        let session = done.unwrap_or_default();
        self.left = session.left;
        let standing = session.standing.clone().unwrap_or(Standing::NotFound);
        if self.standing != standing {
            self.source = standing.sentence();
            self.standing = standing;
        }
        let news = self.known != session.known;
        self.known = session.known.clone();
        self.read = Some(session);
        news
    }
}

impl Session {
    fn look(&mut self, whose: &Whose, clues: &Clues, now: Instant, zone: &TimeZone, today: Date) {
        if let Err(problem) = self.try_look(whose, clues, now, zone) {
            self.standing = Some(Standing::Failed(problem.kind().to_string()));
            *self = Self { standing: self.standing.take(), searched_at: self.searched_at, ..Self::default() };
        }
        self.known = self.tally.known(&whose.rules, &clues.prices, today, self.left == 0);
        if self.left > 0
            && let Some((tail, _)) = &self.main
        {
            // The whole takes a while: what its end says of the context is there at once.
            let mut end = Tally::default();
            tail.end(&whose.rules).into_iter().for_each(|said| end.take(said, zone));
            self.known = end.known(&whose.rules, &clues.prices, today, false);
        }
        if let Some(said) = self.status_line(whose, clues) {
            self.known = said.beside(std::mem::take(&mut self.known), whose.rules.reserve);
        }
    }

    /// What the command of its status line was told.
    fn status_line(&self, whose: &Whose, clues: &Clues) -> Option<StatusLine> {
        let folder = clues.status_lines.as_deref().filter(|_| whose.rules.status_line)?;
        status_lines::load(folder, clues.session.as_deref().or(self.known.session_id.as_deref())?)
    }

    fn try_look(&mut self, whose: &Whose, clues: &Clues, now: Instant, zone: &TimeZone) -> std::io::Result<()> {
        self.search(whose, clues, now);
        let Some((main, proof)) = &mut self.main else { return Ok(()) };
        for _ in 0..2 {
            let mut left = 0;
            let mut anew = false;
            for tail in std::iter::once(&mut *main).chain(&mut self.side) {
                match tail.read(&whose.rules, MOST_AT_ONCE, |said| self.tally.take(said, zone))? {
                    Looked::On { left: more } => left += more,
                    Looked::Anew => anew = true,
                }
            }
            self.left = left;
            if !anew {
                break;
            }
            // One of them is another file than before: all are counted from their beginning.
            self.tally = Tally::default();
            for tail in std::iter::once(&mut *main).chain(&mut self.side) {
                *tail = Tail::new(tail.path().to_owned(), whose.owner);
            }
        }
        let unread = main.unread + self.side.iter().map(|tail| tail.unread).sum::<u64>();
        self.standing = Some(Standing::Read { path: main.path().to_owned(), proof: *proof, unread });
        Ok(())
    }

    /// Finds the file, and those of its sub-agents.
    fn search(&mut self, whose: &Whose, clues: &Clues, now: Instant) {
        let every = if self.main.is_some() { SEARCH_EVERY } else { FIND_EVERY };
        let searched = self.searched_at.is_some_and(|at| now.saturating_duration_since(at) < every);
        let same = self.session == clues.session;
        if searched && same {
            return;
        }
        self.searched_at = Some(now);
        self.session.clone_from(&clues.session);
        match whose.find(clues) {
            Ok((path, proof)) => {
                if self.main.as_ref().is_none_or(|(main, _)| main.path() != path) {
                    *self = Self {
                        main: Some((Tail::new(path.clone(), whose.owner), proof)),
                        searched_at: self.searched_at,
                        session: self.session.take(),
                        ..Self::default()
                    };
                }
                let session = clues.session.clone().or_else(|| whose.session_of(&path));
                for side in whose.side(session.as_deref()).into_iter().take(MOST_SIDE) {
                    if side.path != path && !self.side.iter().any(|tail| tail.path() == side.path) {
                        self.side.push(Tail::new(side.path, whose.owner));
                    }
                }
            }
            Err(standing) => {
                *self = Self {
                    searched_at: self.searched_at,
                    session: self.session.take(),
                    standing: Some(standing),
                    ..Self::default()
                };
            }
        }
    }
}

impl Whose {
    fn find(&self, clues: &Clues) -> Result<(PathBuf, Proof), Standing> {
        let all = |session: Option<&str>, since| {
            let found = self.folders.iter().flat_map(|folder| {
                self.rules.files.iter().flat_map(move |pattern| files(folder, pattern, session, self.owner, since))
            });
            found.collect::<Vec<Found>>()
        };
        let named = clues.session.clone().or_else(|| self.session_of_process(&clues.pids));
        if let Some(session) = &named {
            let newest = all(Some(session), None).into_iter().max_by_key(|found| found.modified);
            return newest.map(|found| (found.path, Proof::Session)).ok_or(Standing::NotFound);
        }
        let about = |path: &Path| Tail::about(path, self.owner, &self.rules)?.project;
        let is_here = |path: &PathBuf| about(path).as_deref() == Some(clues.folder.as_str());
        let open = clues.pids.iter().flat_map(|pid| process::open_files(*pid));
        let mut open: Vec<PathBuf> = open.filter(|path| self.is_transcript(path)).collect();
        open.sort_unstable();
        open.dedup();
        // One process may serve several agents.
        if open.len() > 1 {
            open.retain(is_here);
        }
        if let [path] = open.as_slice() {
            return Ok((path.clone(), Proof::Open));
        }
        if !open.is_empty() {
            return Err(Standing::Unsure);
        }
        let began = process::age(self.start).and_then(|age| SystemTime::now().checked_sub(age + SLACK));
        let mut candidates = all(None, began);
        candidates.sort_unstable_by(|a, b| b.modified.cmp(&a.modified));
        match candidates.into_iter().map(|found| found.path).take(MOST_CANDIDATES).find(is_here) {
            Some(path) if clues.alone => Ok((path, Proof::Folder)),
            Some(_) => Err(Standing::Unsure),
            None => Err(Standing::NotFound),
        }
    }

    fn is_transcript(&self, path: &Path) -> bool {
        let below = self.folders.iter().find_map(|folder| path.strip_prefix(folder).ok());
        let Some(below) = below.and_then(Path::to_str) else { return false };
        self.rules.files.iter().any(|pattern| {
            let pattern = pattern.replace("{session}", "*");
            let (parts, names) = (pattern.split('/'), below.split('/'));
            pattern.matches('/').count() == below.matches('/').count()
                && parts.zip(names).all(|(part, name)| fits(part, name))
        })
    }

    /// The session's name out of the name of its file, where the pattern tells it.
    fn session_of(&self, path: &Path) -> Option<String> {
        let below = self.folders.iter().find_map(|folder| path.strip_prefix(folder).ok()?.to_str())?;
        self.rules.files.iter().find_map(|pattern| session_in(pattern, below))
    }

    /// The session that one of the processes has a file of.
    fn session_of_process(&self, pids: &[u32]) -> Option<String> {
        self.rules.process_files.iter().find_map(|pattern| {
            let in_folder = |folder: &PathBuf, path: &Path, pattern: &str| {
                session_in(pattern, path.strip_prefix(folder).ok()?.to_str()?)
            };
            pids.iter().find_map(|pid| {
                let own = pattern.replace("{pid}", &pid.to_string());
                let open = if own == *pattern { process::open_files(*pid) } else { Vec::new() };
                self.folders.iter().find_map(|folder| {
                    let there = if own == *pattern { Vec::new() } else { files(folder, &own, None, self.owner, None) };
                    let paths = open.iter().cloned().chain(there.into_iter().map(|found| found.path));
                    paths.into_iter().find_map(|path| in_folder(folder, &path, &own))
                })
            })
        })
    }

    fn side(&self, session: Option<&str>) -> Vec<Found> {
        let Some(session) = session else { return Vec::new() };
        let patterns = |folder| {
            let rules = &self.rules.side_files;
            rules.iter().flat_map(move |pattern| files(folder, pattern, Some(session), self.owner, None))
        };
        self.folders.iter().flat_map(|folder| patterns(folder.as_path())).collect()
    }
}
