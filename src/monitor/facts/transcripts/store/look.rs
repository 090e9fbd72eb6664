//! One look at a database: finds the rows that are new, and takes in what they say.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use crate::monitor::facts::transcripts::sqlite::{
    Problem,
    schema::{Schema, Table},
    tree::{self, Payload},
    view::View,
};
use crate::monitor::facts::transcripts::store::{
    Progress, Seen,
    rows::{columns, mark, parse, rows_of, session_columns, text_of},
};
use crate::monitor::usage::{
    Records, Said, TranscriptRules,
    rules::{DatabaseRules, RowTable},
};

/// Most rows that are not finished and read again: more were left so by a program that ended.
pub(super) const MOST_OPEN: usize = 64;

/// Most sessions of sub-agents of one session.
const MOST_SIDE: usize = 1000;

/// Most items of a list.
const MOST_ITEMS: usize = 1000;

/// Most rows of sessions that were there before it was looked at.
const MOST_PENDING: usize = 4 << 20;

/// What one look reads, to be kept if nothing changed meanwhile.
pub(super) struct Look<'a> {
    rules: &'a TranscriptRules,
    pub tables: &'a DatabaseRules,
    pub said: Vec<Said>,
    pub unread: u64,
    most: u64,
}

impl<'a> Look<'a> {
    pub fn new(rules: &'a TranscriptRules, tables: &'a DatabaseRules, most: u64) -> Self {
        Self { rules, tables, said: Vec::new(), unread: 0, most }
    }

    /// Whether a part is left; `None` where the rows are others than before.
    pub fn all(&mut self, view: &mut View<'_>, root: &str, seen: &mut Seen) -> Result<Option<bool>, Problem> {
        let schema = Schema::read(view)?;
        let before: BTreeSet<String> = seen.sessions.keys().cloned().collect();
        seen.sessions = self.sessions(view, &schema, root)?;
        seen.tables.resize_with(self.tables.rows.len(), Progress::default);
        let mut left = false;
        for (index, own) in self.tables.rows.iter().enumerate() {
            let table = schema.table(&own.table)?;
            if own.list {
                self.list(view, table, own, root, seen)?;
                continue;
            }
            let mut known = std::mem::take(&mut seen.tables[index]);
            if !is_same(view, table, own, &known)? {
                return Ok(None);
            }
            let fresh: Vec<&String> = seen.sessions.keys().filter(|session| !before.contains(*session)).collect();
            begin(view, table, own, &fresh, &mut known)?;
            left |= self.table(view, table, own, (seen, &mut known))?;
            seen.tables[index] = known;
        }
        Ok(Some(left))
    }

    /// The session with those of its sub-agents, and of theirs.
    fn sessions(&self, view: &mut View<'_>, schema: &Schema, root: &str) -> Result<BTreeMap<String, Value>, Problem> {
        let own = &self.tables.sessions;
        let table = schema.table(&own.table)?;
        let mut found = BTreeMap::new();
        let mut wanted = vec![(own.id.as_str(), root.to_owned())];
        while let Some((column, name)) = wanted.pop() {
            for row in rows_of(view, table, column, &name)? {
                let Some(payload) = tree::row(view, table.root, row)? else { continue };
                let session = Value::Object(columns(view, table, &session_columns(self.tables), &payload)?);
                let Some(id) = session.get(&own.id).and_then(Value::as_str).map(str::to_owned) else { continue };
                if found.len() < MOST_SIDE && found.insert(id.clone(), session).is_none() {
                    wanted.extend(own.parent.as_deref().map(|parent| (parent, id)));
                }
            }
        }
        Ok(found)
    }

    /// Reads what is new of a table. Says whether a part is left.
    fn table(
        &mut self,
        view: &mut View<'_>,
        table: &Table,
        own: &RowTable,
        (seen, known): (&Seen, &mut Progress),
    ) -> Result<bool, Problem> {
        let again: Vec<i64> = known.open.iter().copied().collect();
        for row in again {
            let is_open = match tree::row(view, table.root, row)? {
                Some(payload) => self.row(view, table, own, (seen, &payload))?,
                None => false,
            };
            if !is_open {
                known.open.remove(&row);
            }
        }
        while let Some(row) = known.pending.pop() {
            if let Some(payload) = tree::row(view, table.root, row)?
                && self.row(view, table, own, (seen, &payload))?
            {
                known.open.insert(row);
            }
            if view.bytes() >= self.most {
                return Ok(true);
            }
        }
        let from = known.last.map_or(i64::MIN, |(row, _)| row.saturating_add(1));
        let most = self.most;
        let whole = known.last.is_some_and(|(row, _)| row == i64::MAX)
            || tree::rows(view, table.root, from, &mut |view, row, payload| {
                if self.row(view, table, own, (seen, &payload))? {
                    known.open.insert(row);
                }
                known.last = Some((row, mark(view, table, own, &payload)?));
                Ok(view.bytes() < most)
            })?;
        while known.open.len() > MOST_OPEN {
            known.open.pop_first();
        }
        Ok(!whole)
    }

    /// Takes in one row, if it is of one of the sessions. Says whether it is not finished.
    pub fn row(
        &mut self,
        view: &mut View<'_>,
        table: &Table,
        own: &RowTable,
        (seen, payload): (&Seen, &Payload),
    ) -> Result<bool, Problem> {
        let session = text_of(view, table, &own.session, payload)?;
        let Some((root, session)) = session.and_then(|name| Some((seen.root_of(&name, self.tables)?, name))) else {
            return Ok(false);
        };
        let record = match columns(view, table, &table.columns, payload) {
            Ok(mut columns) => {
                let all_read = own.json.iter().all(|name| columns.get_mut(name).is_none_or(parse));
                columns.insert("table".to_owned(), own.table.clone().into());
                columns.insert("session".to_owned(), seen.sessions.get(&session).cloned().unwrap_or_default());
                columns.insert("root".to_owned(), root.into());
                all_read.then_some(Value::Object(columns))
            }
            // One row that is too large is no reason to leave the others.
            Err(Problem::Unsupported(_)) => None,
            Err(problem) => return Err(problem),
        };
        let Some(record) = record else {
            self.unread += 1;
            return Ok(false);
        };
        let is_open =
            !own.open.is_empty() && own.open.iter().all(|(field, wanted)| wanted.holds(field.of(&record, None)));
        // Rows of several sessions stand between each other: none says anything of the next one.
        let read = Records::default().take(self.rules, &record, &mut self.said);
        self.unread += u64::from(read.is_err() && !is_open);
        Ok(is_open)
    }

    /// Takes in all rows of the agent's own session as one record.
    fn list(
        &mut self,
        view: &mut View<'_>,
        table: &Table,
        own: &RowTable,
        root: &str,
        seen: &Seen,
    ) -> Result<(), Problem> {
        let mut rows = Vec::new();
        for row in rows_of(view, table, &own.session, root)?.into_iter().take(MOST_ITEMS) {
            if let Some(payload) = tree::row(view, table.root, row)? {
                rows.push(Value::Object(columns(view, table, &table.columns, &payload)?));
            }
        }
        let mut record = Map::new();
        record.insert("table".to_owned(), own.table.clone().into());
        record.insert("session".to_owned(), seen.sessions.get(root).cloned().unwrap_or_default());
        record.insert("root".to_owned(), root.into());
        record.insert("rows".to_owned(), rows.into());
        let read = Records::default().take(self.rules, &Value::Object(record), &mut self.said);
        self.unread += u64::from(read.is_err());
        Ok(())
    }
}

impl Seen {
    /// The session that one is counted to.
    fn root_of(&self, session: &str, tables: &DatabaseRules) -> Option<String> {
        let mut at = session;
        let Some(mut found) = self.sessions.get(at) else { return self.all.then(|| session.to_owned()) };
        // As far as it goes: a parent may be gone, and a circle has no end.
        for _ in 0..MOST_SIDE {
            let parent = tables.sessions.parent.as_ref().and_then(|parent| found.get(parent)).and_then(Value::as_str);
            let Some((parent, above)) = parent.and_then(|parent| Some((parent, self.sessions.get(parent)?))) else {
                break;
            };
            (at, found) = (parent, above);
        }
        Some(at.to_owned())
    }
}

/// Whether the last row that was looked at is still what it was. A row that was deleted gives its number to the next one.
fn is_same(view: &mut View<'_>, table: &Table, own: &RowTable, known: &Progress) -> Result<bool, Problem> {
    let Some((row, before)) = known.last else { return Ok(true) };
    match tree::row(view, table.root, row)? {
        Some(payload) => Ok(mark(view, table, own, &payload)? == before),
        None => Ok(false),
    }
}

/// Finds out which of the rows that were there before are of these sessions: without an index all are gone through.
fn begin(
    view: &mut View<'_>,
    table: &Table,
    own: &RowTable,
    fresh: &[&String],
    known: &mut Progress,
) -> Result<(), Problem> {
    if fresh.is_empty() {
        return Ok(());
    }
    if table.indexes.contains_key(&own.session) {
        let last = known.last.map_or(i64::MAX, |(row, _)| row);
        for session in fresh {
            known.pending.extend(rows_of(view, table, &own.session, session)?.into_iter().filter(|row| *row <= last));
        }
    } else if own.recent.is_none() {
        return Ok(());
    }
    if known.pending.len() > MOST_PENDING {
        return Err(Problem::Unsupported("a session has too many rows"));
    }
    known.pending.sort_unstable_by_key(|row| std::cmp::Reverse(*row));
    known.pending.dedup();
    known.pending.truncate(own.recent.unwrap_or(usize::MAX));
    if known.last.is_none()
        && let Some(row) = tree::last(view, table.root)?
        && let Some(payload) = tree::row(view, table.root, row)?
    {
        known.last = Some((row, mark(view, table, own, &payload)?));
    }
    Ok(())
}
