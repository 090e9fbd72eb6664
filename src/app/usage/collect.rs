//! Reads all transcripts that are there, each request once.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use jiff::Timestamp;

use crate::monitor::facts::transcripts::find::files;
use crate::monitor::facts::transcripts::sqlite::Problem;
use crate::monitor::facts::transcripts::store::Store;
use crate::monitor::facts::transcripts::tail::{Looked, Tail};
use crate::monitor::usage::requests::{Counts, Requests};
use crate::monitor::usage::rules::Edge;
use crate::monitor::usage::{Said, TranscriptRules};
use crate::monitor::{Price, Prices, Tokens, UsageSettings, detect::Profiles};

/// How often a database is read that is written to meanwhile.
const TRIES: usize = 20;

/// And after how long the next time.
const TRY_AFTER: Duration = Duration::from_millis(50);

/// Where transcripts are looked for, and whose.
#[derive(Clone)]
#[expect(missing_debug_implementations, reason = "a function has none")]
pub struct Sources<'a> {
    /// What is known of the programs.
    pub profiles: &'a Profiles,
    /// Which programs are wanted.
    pub usage: &'a UsageSettings,
    /// What is paid for what no program recorded.
    pub prices: &'a Prices,
    /// The user's home folder.
    pub home: Option<PathBuf>,
    /// A variable of the environment.
    pub variable: &'a dyn Fn(&str) -> Option<String>,
    /// The user.
    pub owner: u32,
}

/// A request that was counted, or a turn that began.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Request {
    /// Which program.
    pub program: String,
    /// When.
    pub at: Option<Timestamp>,
    /// The model.
    pub model: Option<String>,
    /// The folder that it worked in.
    pub project: Option<String>,
    /// The session's name.
    pub session: String,
    /// Tokens.
    pub tokens: Tokens,
    /// What they cost, US dollars; `None` where neither the program nor the settings say it.
    pub cost_usd: Option<f64>,
    /// A turn began, and nothing was spent.
    pub turn: bool,
}

impl Request {
    fn place(&mut self, project: Option<String>, session: Option<String>) {
        self.project = project.or(self.project.take());
        if let Some(session) = session {
            self.session = session;
        }
    }
}

/// What was read.
#[derive(Clone, Debug, Default)]
pub struct Collected {
    /// Requests and turns.
    pub requests: Vec<Request>,
    /// Transcripts that were read.
    pub files: usize,
    /// Records that could not be read, by program.
    pub unread: Vec<(String, u64)>,
    /// Transcripts that could not be read, and why.
    pub failed: Vec<(PathBuf, String)>,
}

/// Reads the transcripts of all programs; with `since` only those that were written to since then, and of them what is
/// as new.
#[must_use]
pub fn collect(sources: &Sources<'_>, since: Option<Timestamp>) -> Collected {
    let mut collected = Collected::default();
    for profile in sources.profiles.list().filter(|profile| sources.usage.wants(&profile.name)) {
        let Some(rules) = &profile.transcript else { continue };
        let mut reader = Reader {
            program: &profile.name,
            rules,
            prices: sources.prices,
            counted: Requests::default(),
            parents: BTreeMap::new(),
            requests: Vec::new(),
            turns: Vec::new(),
            unread: 0,
        };
        for path in all_files(sources, rules, since) {
            let read = match &rules.database {
                Some(_) => reader.read_database(&path, sources.owner),
                None => reader.read(&path, sources.owner),
            };
            match read {
                Ok(()) => collected.files += 1,
                Err(error) => collected.failed.push((path, error.to_string())),
            }
        }
        if reader.unread > 0 {
            collected.unread.push((profile.name.clone(), reader.unread));
        }
        for request in &mut reader.requests {
            // As deep as sub-agents of sub-agents go.
            for _ in 0..reader.parents.len() {
                let Some(parent) = reader.parents.get(&request.session) else { break };
                request.session.clone_from(parent);
            }
        }
        // Copies in a newer session are known by the older one, so the times are looked at last.
        let is_new = |one: &Request| since.is_none_or(|since| one.at.is_some_and(|at| at >= since));
        collected.requests.extend(reader.requests.into_iter().chain(reader.turns).filter(is_new));
    }
    collected
}

fn all_files(sources: &Sources<'_>, rules: &TranscriptRules, since: Option<Timestamp>) -> Vec<PathBuf> {
    let named = rules.variable.as_deref().and_then(sources.variable).filter(|named| !named.is_empty());
    let folders: Vec<PathBuf> = match (named, &sources.home) {
        (Some(named), _) => named.split(',').map(|folder| PathBuf::from(folder.trim())).collect(),
        (None, Some(home)) => rules.home.iter().map(|below| home.join(below)).collect(),
        (None, None) => Vec::new(),
    };
    let age = |since: Timestamp| Duration::from_secs(u64::try_from(since.as_second()).unwrap_or(0));
    // What is new of a database stands in its log at first: its own time is an older one.
    let since = since.filter(|_| rules.database.is_none()).map(|since| SystemTime::UNIX_EPOCH + age(since));
    let patterns = || rules.files.iter().chain(&rules.side_files);
    let found = folders
        .iter()
        .flat_map(|folder| patterns().flat_map(move |pattern| files(folder, pattern, None, sources.owner, since)));
    let mut paths: Vec<PathBuf> = found.map(|found| found.path).collect();
    // Of copies the one counts that comes first: by path it is the same one each time.
    paths.sort_unstable();
    paths.dedup();
    paths
}

struct Reader<'a> {
    program: &'a str,
    rules: &'a TranscriptRules,
    prices: &'a Prices,
    counted: Requests,
    /// The sessions that those of sub-agents count to.
    parents: BTreeMap<String, String>,
    requests: Vec<Request>,
    turns: Vec<Request>,
    unread: u64,
}

impl Reader<'_> {
    fn read(&mut self, path: &Path, owner: u32) -> std::io::Result<()> {
        let session = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let rules = self.rules;
        let mut tail = Tail::new(path.to_owned(), owner);
        let about = rules.project_file.is_some().then(|| Tail::about(path, owner, rules)).flatten();
        let project = about.and_then(|about| about.project);
        let mut last = Request { program: self.program.to_owned(), session, project, ..Request::default() };
        loop {
            let looked = tail.read(rules, u64::MAX, |said| self.take(said, &mut last))?;
            if looked != Looked::Anew {
                break;
            }
        }
        self.unread += tail.unread;
        if let Some((session, parent)) = tail.session().zip(tail.parent()) {
            self.parents.insert(session.to_owned(), parent.to_owned());
        }
        self.turns.extend(last.turn.then_some(last));
        Ok(())
    }

    fn read_database(&mut self, path: &Path, owner: u32) -> std::io::Result<()> {
        let mut store = Store::new(path.to_owned(), owner);
        let mut tries = 0;
        let said = loop {
            tries += 1;
            match store.read_all(self.rules) {
                Err(Problem::Later) if tries < TRIES => std::thread::sleep(TRY_AFTER),
                read => break read?,
            }
        };
        // Sessions stand between each other in it.
        let mut lasts: BTreeMap<String, Request> = BTreeMap::new();
        for said in said {
            let session = match &said {
                Said::Spent(spent) => spent.session.clone(),
                Said::Turn(turned) => turned.session.clone(),
                _ => None,
            };
            let Some(session) = session else { continue };
            let new = || Request { program: self.program.to_owned(), session: session.clone(), ..Request::default() };
            let mut last = lasts.remove(&session).unwrap_or_else(new);
            self.take(said, &mut last);
            lasts.insert(session, last);
        }
        self.unread += store.unread;
        self.turns.extend(lasts.into_values().filter(|last| last.turn));
        Ok(())
    }

    fn take(&mut self, said: Said, last: &mut Request) {
        match said {
            Said::Spent(spent) => {
                last.place(spent.project.clone(), spent.session.clone());
                last.model.clone_from(&spent.model);
                // It is of the model that answers first.
                self.turns.extend(last.turn.then(|| last.clone()));
                (last.at, last.turn) = (spent.at, false);
                let price = || Some(Price::of(self.prices, spent.model.as_deref()?)?.cost(&spent.tokens));
                let cost_usd = spent.cost.or_else(price);
                let request = Request { tokens: spent.tokens, cost_usd, ..last.clone() };
                match self.counted.take(&spent) {
                    Counts::New => self.requests.push(request),
                    Counts::Instead { number, .. } => self.requests[number] = request,
                    Counts::Not => {}
                }
            }
            Said::Turn(turned) if turned.edge == Edge::Begins => {
                self.turns.extend(last.turn.then(|| last.clone()));
                *last =
                    Request { at: turned.at, turn: true, tokens: Tokens::default(), cost_usd: None, ..last.clone() };
                last.place(turned.project, turned.session);
            }
            _ => {}
        }
    }
}
