//! Sessions that a program keeps in a database: which one is an agent's, what its rows say, and which of them are new.

mod look;
mod rows;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use serde_json::Value;

#[cfg(any(test, fuzzing))]
use crate::monitor::facts::transcripts::sqlite::wal::Log;
use crate::monitor::facts::transcripts::sqlite::{
    Problem,
    database::Database,
    schema::Schema,
    tree,
    view::{Identity, View},
};
use crate::monitor::facts::transcripts::store::{
    look::{Look, MOST_OPEN},
    rows::{columns, session_columns},
};
use crate::monitor::usage::{Said, TranscriptRules, rules::DatabaseRules};

/// The sessions of one database, read so far.
#[derive(Clone, Debug)]
pub struct Store {
    database: Database,
    seen: Seen,
    /// Rows that could not be read.
    pub unread: u64,
}

/// What was read of it.
#[derive(Clone, Debug, Default)]
struct Seen {
    /// In which database.
    identity: Option<Identity>,
    /// The agent's session.
    root: Option<String>,
    /// All sessions are wanted.
    all: bool,
    /// It and those of its sub-agents.
    sessions: BTreeMap<String, Value>,
    tables: Vec<Progress>,
}

/// What was read of one table.
#[derive(Clone, Debug, Default)]
struct Progress {
    /// All rows up to this one were looked at, and a hash of what it is.
    last: Option<(i64, u64)>,
    /// Those of them that are still to be read, the last one first.
    pending: Vec<i64>,
    /// Those that were not finished when they were read.
    open: BTreeSet<i64>,
}

/// A session that an agent may have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Its name.
    pub session: String,
    /// When it was written to last.
    pub modified: SystemTime,
}

/// What a look at a database brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Brought {
    /// It goes on where the last look ended; `left`: not all was read.
    On {
        /// Whether a part is left for the next look.
        left: bool,
    },
    /// The rows are others than before: what was counted of them counts no more, and they are read from their beginning.
    Anew,
}

impl Store {
    /// A database of `owner`, unread.
    #[must_use]
    pub fn new(path: PathBuf, owner: u32) -> Self {
        Self { database: Database::new(path, owner), seen: Seen::default(), unread: 0 }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.database.path()
    }

    /// The session that is read.
    #[must_use]
    pub fn session(&self) -> Option<&str> {
        self.seen.root.as_deref()
    }

    /// Bytes that were read so far.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.database.bytes
    }

    /// Pages that were read so far, without those of its log as it was taken in.
    #[must_use]
    pub fn pages(&self) -> u64 {
        self.database.pages
    }

    /// The session of this folder that was written to last, without those of sub-agents; with `session` that one.
    ///
    /// # Errors
    /// When the database cannot be read, or not now.
    pub fn newest(
        &mut self,
        rules: &TranscriptRules,
        folder: &str,
        session: Option<&str>,
        most: u64,
    ) -> Result<Option<Candidate>, Problem> {
        let Some(tables) = &rules.database else { return Ok(None) };
        self.database.read(most, |view| {
            let schema = Schema::read(view)?;
            let mut newest: Option<Candidate> = None;
            each_session(view, &schema, tables, &mut |one| {
                let own = &tables.sessions;
                let text = |name: &String| one.get(name).and_then(Value::as_str);
                let is_side = own.parent.as_ref().is_some_and(|parent| text(parent).is_some());
                let is_it = match session {
                    Some(session) => text(&own.id) == Some(session),
                    None => !is_side && text(&own.folder) == Some(folder),
                };
                let Some((id, modified)) = text(&own.id).zip(one.get(&own.at).and_then(time)).filter(|_| is_it) else {
                    return;
                };
                if newest.as_ref().is_none_or(|known| known.modified <= modified) {
                    newest = Some(Candidate { session: id.to_owned(), modified });
                }
            })?;
            Ok(newest)
        })
    }

    /// It is this session's from now on, or no one's. Says whether it was not before.
    pub fn follow(&mut self, session: Option<&str>) -> bool {
        let is_another = self.session() != session;
        if is_another {
            self.seen = Seen { root: session.map(str::to_owned), ..Seen::default() };
            self.unread = 0;
        }
        is_another
    }

    /// Reads some `most` bytes of what is new of its session and those of its sub-agents, and hands on what that says.
    ///
    /// # Errors
    /// When it cannot be read, or not now: then nothing was handed on.
    pub fn read(&mut self, rules: &TranscriptRules, most: u64, take: impl FnMut(Said)) -> Result<Brought, Problem> {
        let (Some(tables), Some(root)) = (&rules.database, self.seen.root.clone()) else {
            return Ok(Brought::On { left: false });
        };
        let mut seen = self.seen.clone();
        let mut look = Look::new(rules, tables, most);
        let left = self.database.read(most, |view| {
            if seen.identity.replace(view.identity()).is_some_and(|known| known != view.identity()) {
                return Ok(None);
            }
            look.all(view, &root, &mut seen)
        })?;
        let Some(left) = left else {
            self.follow(None);
            self.follow(Some(&root));
            return Ok(Brought::Anew);
        };
        self.seen = seen;
        self.unread += look.unread;
        look.said.into_iter().for_each(take);
        Ok(Brought::On { left })
    }

    /// What the last rows of its session say, before all of them were read.
    #[must_use]
    pub fn end(&mut self, rules: &TranscriptRules) -> Vec<Said> {
        let (Some(tables), seen) = (&rules.database, &self.seen) else { return Vec::new() };
        let mut look = Look::new(rules, tables, u64::MAX);
        let read = self.database.read(u64::MAX, |view| {
            let schema = Schema::read(view)?;
            for (own, known) in tables.rows.iter().zip(&seen.tables) {
                let table = schema.table(&own.table)?;
                for row in known.pending[..known.pending.len().min(MOST_OPEN)].iter().rev() {
                    if let Some(payload) = tree::row(view, table.root, *row)? {
                        look.row(view, table, own, (seen, &payload))?;
                    }
                }
            }
            Ok(())
        });
        read.map(|()| look.said).unwrap_or_default()
    }

    /// What all rows of all sessions say.
    ///
    /// # Errors
    /// When it cannot be read, or not now.
    pub fn read_all(&mut self, rules: &TranscriptRules) -> Result<Vec<Said>, Problem> {
        let Some(tables) = &rules.database else { return Ok(Vec::new()) };
        let mut look = Look::new(rules, tables, u64::MAX);
        self.database.read(u64::MAX, |view| all_sessions(view, &mut look))?;
        self.unread = look.unread;
        Ok(look.said)
    }
}

/// What a database of these bytes says, with its log.
#[cfg(any(test, fuzzing))]
pub(crate) fn all_in(file: &[u8], wal: &[u8], rules: &TranscriptRules) -> Result<Vec<Said>, Problem> {
    let Some(tables) = &rules.database else { return Ok(Vec::new()) };
    let mut log = Log::default();
    log.take(Some(&wal), u64::MAX)?;
    let mut look = Look::new(rules, tables, u64::MAX);
    all_sessions(&mut View::new(&file, file.len() as u64, Some(&wal), &log)?, &mut look)?;
    Ok(look.said)
}

fn all_sessions(view: &mut View<'_>, look: &mut Look<'_>) -> Result<(), Problem> {
    let tables = look.tables;
    let schema = Schema::read(view)?;
    let mut seen = Seen { all: true, ..Seen::default() };
    each_session(view, &schema, tables, &mut |one| {
        if let Some(id) = one.get(&tables.sessions.id).and_then(Value::as_str) {
            seen.sessions.insert(id.to_owned(), one.clone());
        }
    })?;
    for own in tables.rows.iter().filter(|own| own.recent.is_none() && !own.list) {
        let table = schema.table(&own.table)?;
        tree::rows(view, table.root, i64::MIN, &mut |view, _, payload| {
            look.row(view, table, own, (&seen, &payload)).map(|_| true)
        })?;
    }
    Ok(())
}

fn each_session(
    view: &mut View<'_>,
    schema: &Schema,
    tables: &DatabaseRules,
    each: &mut dyn FnMut(&Value),
) -> Result<(), Problem> {
    let table = schema.table(&tables.sessions.table)?;
    let wanted = session_columns(tables);
    tree::rows(view, table.root, i64::MIN, &mut |view, _, payload| {
        each(&Value::Object(columns(view, table, &wanted, &payload)?));
        Ok(true)
    })?;
    Ok(())
}

fn time(value: &Value) -> Option<SystemTime> {
    let number = value.as_f64().filter(|number| *number > 0.0)?;
    let seconds = if number < 1e11 { number } else { number / 1000.0 };
    SystemTime::UNIX_EPOCH.checked_add(Duration::try_from_secs_f64(seconds).ok()?)
}
