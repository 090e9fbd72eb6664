//! Rows of a database and their columns.

use std::hash::{DefaultHasher, Hash, Hasher};

use serde_json::{Map, Value};

use crate::monitor::facts::transcripts::sqlite::{
    Problem,
    record::{self, Record},
    schema::Table,
    tree::{self, Payload},
    view::View,
};
use crate::monitor::usage::rules::{DatabaseRules, RowTable};

/// Largest row that is read, bytes: a picture in one has some megabytes.
const LARGEST_ROW: u64 = 16 << 20;

/// Longest name or folder of a session, bytes.
const LONGEST_NAME: usize = 4096;

/// The numbers of the rows with this text in a column, ascending.
pub(super) fn rows_of(view: &mut View<'_>, table: &Table, column: &str, text: &str) -> Result<Vec<i64>, Problem> {
    let mut found = Vec::new();
    if let Some(index) = table.indexes.get(column) {
        tree::rows_with(view, *index, text, &mut |row| found.push(row))?;
        found.sort_unstable();
        return Ok(found);
    }
    tree::rows(view, table.root, i64::MIN, &mut |view, row, payload| {
        if text_of(view, table, column, &payload)?.as_deref() == Some(text) {
            found.push(row);
        }
        Ok(true)
    })?;
    Ok(found)
}

/// The columns of a session that are kept.
pub(super) fn session_columns(tables: &DatabaseRules) -> Vec<String> {
    let own = &tables.sessions;
    [&own.id, &own.folder, &own.at].into_iter().chain(&own.parent).cloned().collect()
}

/// The columns of a row that have a value, by name.
pub(super) fn columns(
    view: &mut View<'_>,
    table: &Table,
    wanted: &[String],
    payload: &Payload,
) -> Result<Map<String, Value>, Problem> {
    let read = |bytes: &[u8]| {
        let record = Record::parse(bytes)?;
        let mut columns = Map::new();
        for (index, name) in table.columns.iter().enumerate().filter(|(_, name)| wanted.contains(name)) {
            let value = match record.value(index)? {
                record::Value::Int(number) => number.into(),
                record::Value::Real(number) => number.into(),
                record::Value::Text(text) => text.into(),
                record::Value::Null | record::Value::Blob(_) => continue,
            };
            columns.insert(name.clone(), value);
        }
        Ok(columns)
    };
    // Where all that is wanted stands in the tree itself, the rest of it need not be read.
    match read(payload.begin()) {
        Ok(columns) => Ok(columns),
        Err(_) if !payload.is_whole() => read(&payload.whole(view, LARGEST_ROW)?),
        Err(problem) => Err(problem),
    }
}

pub(super) fn text_of(
    view: &mut View<'_>,
    table: &Table,
    column: &str,
    payload: &Payload,
) -> Result<Option<String>, Problem> {
    let column = table.column(column)?;
    let read = |bytes: &[u8]| {
        Ok(match Record::parse(bytes)?.value(column)? {
            record::Value::Text(text) if text.len() <= LONGEST_NAME => Some(text.to_owned()),
            _ => None,
        })
    };
    match read(payload.begin()) {
        Ok(text) => Ok(text),
        Err(_) if !payload.is_whole() => read(&payload.whole(view, LARGEST_ROW)?),
        Err(problem) => Err(problem),
    }
}

/// What a row is known by again.
pub(super) fn mark(view: &mut View<'_>, table: &Table, own: &RowTable, payload: &Payload) -> Result<u64, Problem> {
    let mut hasher = DefaultHasher::new();
    if let Some(id) = &own.id {
        text_of(view, table, id, payload)?.hash(&mut hasher);
    }
    Ok(hasher.finish())
}

/// Makes JSON of a text that holds some; says whether it does.
pub(super) fn parse(value: &mut Value) -> bool {
    let Value::String(text) = value else { return true };
    serde_json::from_str(text).map(|parsed| *value = parsed).is_ok()
}
