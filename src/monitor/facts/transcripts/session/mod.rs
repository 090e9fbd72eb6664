//! The session of one agent, read so far, out of its files or out of a database. What is here waits for disks.

#[cfg(test)]
mod tests;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use jiff::{civil::Date, tz::TimeZone};

use crate::monitor::facts::status_lines;
use crate::monitor::facts::transcripts::sqlite::Problem;
use crate::monitor::facts::transcripts::store::{Brought, Store};
use crate::monitor::facts::transcripts::tail::{About, Looked, Tail};
use crate::monitor::facts::transcripts::whose::{Clues, Company, Proof, Standing, Whose};
use crate::monitor::usage::{Spending, StatusLine, Tally};

/// Most transcripts of sub-agents of one session that are read.
const MOST_SIDE: usize = 200;

/// A session, read so far.
#[derive(Debug, Default)]
pub(super) struct Session {
    main: Option<(Tail, Proof)>,
    side: Vec<Tail>,
    /// What transcripts are about, among which those of its sub-agents were looked for.
    looked: BTreeMap<PathBuf, About>,
    /// The database that it is in, where its program keeps one.
    store: Option<Store>,
    tally: Tally,
    /// Its name, by its program or by the name of its file.
    session: Option<String>,
    pub standing: Option<Standing>,
    pub known: Spending,
    /// What of that its status line alone said.
    pub of_status_line: Vec<&'static str>,
    /// The folder of its account.
    pub account: Option<PathBuf>,
    pub left: u64,
    /// It was being written to, and is looked at again soon.
    pub again: bool,
    /// Bytes that the last look read.
    pub bytes: u64,
}

impl Session {
    /// `search`: among how many its file is searched for.
    pub fn look(
        &mut self,
        whose: &Whose,
        clues: &Clues,
        search: Option<Company>,
        most: u64,
        zone: &TimeZone,
        today: Date,
    ) {
        (self.bytes, self.again) = (0, false);
        let looked = match &whose.rules.database {
            Some(_) => self.look_into_store(whose, clues, search, most, zone),
            None => {
                if let Some(company) = search {
                    self.search(whose, clues, company);
                }
                self.try_look(whose, most, zone)
            }
        };
        if let Err(problem) = looked {
            *self = Self { standing: Some(Standing::Failed(problem.kind().to_string())), ..Self::default() };
        }
        self.known = self.tally.known(&whose.rules, &clues.prices, today, self.left == 0);
        if self.known.session_id.is_none() {
            self.known.session_id.clone_from(&self.session);
        }
        if self.left > 0 {
            // The whole takes a while: what its end says of the context is there at once.
            let said = match (&self.main, &mut self.store) {
                (Some((tail, _)), _) => tail.end(&whose.rules),
                (None, Some(store)) => store.end(&whose.rules),
                (None, None) => Vec::new(),
            };
            let mut end = Tally::default();
            said.into_iter().for_each(|said| end.take(said, zone));
            self.known = end.known(&whose.rules, &clues.prices, today, false);
        }
        if let Some(said) = self.status_line(whose, clues) {
            let known = said.beside(self.known.clone(), whose.rules.reserve);
            self.of_status_line = said_alone(&self.known, &known);
            self.known = known;
        } else {
            self.of_status_line.clear();
        }
        let file = self.main.as_ref().map(|(tail, _)| tail.path());
        let file = file.or(self.store.as_ref().map(Store::path));
        self.account = whose.folder_of(file).map(Path::to_owned);
    }

    /// What the command of its status line was told.
    fn status_line(&self, whose: &Whose, clues: &Clues) -> Option<StatusLine> {
        let folder = clues.status_lines.as_deref().filter(|_| whose.rules.status_line)?;
        status_lines::load(folder, clues.session.as_deref().or(self.known.session_id.as_deref())?)
    }

    fn try_look(&mut self, whose: &Whose, most: u64, zone: &TimeZone) -> std::io::Result<()> {
        let Some((main, proof)) = &mut self.main else { return Ok(()) };
        for _ in 0..2 {
            let mut left = 0;
            let mut anew = false;
            let tally = &mut self.tally;
            let bytes = &mut self.bytes;
            let mut read = |tail: &mut Tail| -> std::io::Result<()> {
                let before = tail.bytes;
                // A little each, so that what was appended to a small one does not wait for a large one.
                let looked =
                    tail.read(&whose.rules, most.saturating_sub(*bytes).max(1), |said| tally.take(said, zone))?;
                *bytes += tail.bytes.saturating_sub(before);
                match looked {
                    Looked::On { left: more } => left += more,
                    Looked::Anew => anew = true,
                }
                Ok(())
            };
            read(main)?;
            // One of a sub-agent may be gone: what was counted of it stays.
            self.side.retain_mut(|tail| read(tail).is_ok());
            self.left = left;
            if !anew {
                break;
            }
            // One of them is another file than before: all are counted from their beginning.
            self.tally = Tally::default();
            for tail in std::iter::once(&mut *main).chain(&mut self.side) {
                *tail = tail.again();
            }
        }
        let unread = main.unread + self.side.iter().map(|tail| tail.unread).sum::<u64>();
        self.standing = Some(Standing::Read { path: main.path().to_owned(), proof: *proof, unread });
        Ok(())
    }

    /// The same where it is in a database.
    fn look_into_store(
        &mut self,
        whose: &Whose,
        clues: &Clues,
        search: Option<Company>,
        most: u64,
        zone: &TimeZone,
    ) -> std::io::Result<()> {
        if let Some(company) = search {
            match self.search_store(whose, clues, company, most) {
                Ok(()) => {}
                Err(None) => self.again = true,
                Err(Some(standing)) => {
                    // What is known of the database's log stays: it is long, and was read once.
                    let (mut store, bytes) = (self.store.take(), self.bytes);
                    if let Some(store) = &mut store {
                        store.follow(None);
                    }
                    *self = Self { standing: Some(standing), store, bytes, ..Self::default() };
                }
            }
        }
        let Some(store) = self.store.as_mut().filter(|store| store.session().is_some()) else { return Ok(()) };
        let before = store.bytes();
        let left = most.saturating_sub(self.bytes).max(1);
        for _ in 0..2 {
            match store.read(&whose.rules, left, |said| self.tally.take(said, zone)) {
                Ok(Brought::Anew) => self.tally = Tally::default(),
                Ok(Brought::On { left }) => {
                    self.left = left.into();
                    break;
                }
                Err(Problem::Later) => {
                    self.again = true;
                    break;
                }
                Err(problem) => return Err(problem.into()),
            }
        }
        self.bytes += store.bytes() - before;
        let (path, unread) = (store.path().to_owned(), store.unread);
        self.standing = Some(Standing::Read { path, proof: Proof::Database, unread });
        Ok(())
    }

    /// Finds the session in its database. An error with nothing in it: not now.
    fn search_store(
        &mut self,
        whose: &Whose,
        clues: &Clues,
        company: Company,
        most: u64,
    ) -> Result<(), Option<Standing>> {
        let path = whose.database(clues)?;
        if self.store.as_ref().is_none_or(|store| store.path() != path) {
            *self = Self { store: Some(Store::new(path, whose.owner)), ..Self::default() };
        }
        let Some(store) = &mut self.store else { return Ok(()) };
        let (before, named) = (store.bytes(), clues.session.as_deref());
        let found = store.newest(&whose.rules, &clues.folder, named, most);
        self.bytes += store.bytes() - before;
        let found = match found {
            Ok(found) => found.ok_or(Standing::NotFound)?,
            Err(Problem::Later) => return Err(None),
            Err(problem) => return Err(Some(Standing::Failed(problem.to_string()))),
        };
        if named.is_none() {
            // One that was not written to since the process began may be anyone's.
            if whose.began().is_some_and(|began| found.modified < began) {
                return Err(Some(Standing::NotFound));
            }
            whose.accept(found.modified, clues, company)?;
        }
        if store.follow(Some(&found.session)) {
            self.tally = Tally::default();
        }
        self.session = Some(found.session);
        Ok(())
    }

    /// Finds the files of sub-agents that say themselves whose they are.
    fn search_children(&mut self, whose: &Whose, path: &Path) {
        if self.session.is_none() {
            // The name of the file does not tell it, its first record does.
            let about = self.looked.get(path).cloned().or_else(|| {
                self.bytes += Tail::ABOUT;
                Tail::about(path, whose.owner, &whose.rules)
            });
            self.looked.extend(about.map(|about| (path.to_owned(), about)));
            self.session = self.looked.get(path).and_then(|about| about.session.clone());
        }
        let Some(session) = &self.session else { return };
        let (found, bytes) = whose.children(session, &mut self.looked);
        self.bytes += bytes;
        for path in found.into_iter().take(MOST_SIDE) {
            if !self.side.iter().any(|tail| tail.path() == path) {
                self.side.push(Tail::of_side(path, whose.owner));
            }
        }
    }

    /// Finds the file, and those of its sub-agents.
    fn search(&mut self, whose: &Whose, clues: &Clues, company: Company) {
        match whose.find(clues, company) {
            Ok((path, proof)) => {
                match &mut self.main {
                    Some((main, known)) if main.path() == path => *known = proof,
                    _ => *self = Self { main: Some((Tail::new(path.clone(), whose.owner), proof)), ..Self::default() },
                }
                self.session = clues.session.clone().or_else(|| whose.session_of(&path));
                for side in whose.side(self.session.as_deref()).into_iter().take(MOST_SIDE) {
                    if side.path != path && !self.side.iter().any(|tail| tail.path() == side.path) {
                        self.side.push(Tail::of_side(side.path, whose.owner));
                    }
                }
                if whose.rules.name_parents() {
                    self.search_children(whose, &path);
                }
            }
            Err(standing) => *self = Self { standing: Some(standing), ..Self::default() },
        }
    }
}

/// What became known beside its transcript, in words.
fn said_alone(before: &Spending, after: &Spending) -> Vec<&'static str> {
    let context = |known: &Spending| (known.tokens.context_used, known.tokens.context_window);
    let news = [
        ("model", before.model != after.model),
        ("context", context(before) != context(after)),
        ("cost", before.cost_usd != after.cost_usd),
        ("limits", before.limits != after.limits),
    ];
    news.into_iter().filter(|(_, is_new)| *is_new).map(|(what, _)| what).collect()
}
