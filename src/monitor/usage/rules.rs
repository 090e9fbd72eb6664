//! What a profile says of its program's transcripts: where they are, and which of their fields mean what.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::monitor::usage::fields::{Amount, Field, Wanted};

/// How a program writes down its sessions.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TranscriptRules {
    /// The variable of its environment that names its folder; several folders may stand in it, with commas between them.
    #[serde(default)]
    pub variable: Option<String>,
    /// Its folders below the home folder, where that variable is not set; all that exist are looked into.
    pub home: Vec<String>,
    /// The files below its folder. `*` stands for any part of one name, `**` for any folders, `{session}` for the name of
    /// the session.
    pub files: Vec<String>,
    /// The files of a session's sub-agents, with `{session}` in them.
    #[serde(default)]
    pub side_files: Vec<String>,
    /// Files of which a running program has one: with `{pid}` in its name, or held open by one of its processes. Each names
    /// its `{session}`.
    #[serde(default)]
    pub process_files: Vec<String>,
    /// Where in such a file the process stands, if it is JSON: then neither its name tells it nor is it held open.
    #[serde(default)]
    pub process_field: Option<Field>,
    /// A file whose name ends in `.json` is one JSON document, and its records are the items of this list in it, or this
    /// one object. In all others each line is a record.
    #[serde(default)]
    pub document: Option<Field>,
    /// Its files are SQLite databases that hold all sessions: a row is a record.
    #[serde(default)]
    pub database: Option<DatabaseRules>,
    /// The file that holds the folder that a session works in, seen from the transcript's own folder, where no record has
    /// it.
    #[serde(default)]
    pub project_file: Option<String>,
    /// Where in that file, if it is JSON.
    #[serde(default)]
    pub project_field: Option<Field>,
    /// Fields that a record has unless its rule names others.
    #[serde(default)]
    pub fields: CommonFields,
    /// Tokens of the context that the program leaves out of both sides when it reckons how much of it is left.
    #[serde(default)]
    pub reserve: u64,
    /// The command of its status line may be `tmux-orc hook statusline`: what that was told is known of its sessions too.
    #[serde(default)]
    pub status_line: bool,
    /// Tokens that a model can hold, by its name, where no record says so.
    #[serde(default)]
    pub windows: BTreeMap<String, u64>,
    /// What the records mean. Every rule whose conditions hold is applied, in this order.
    pub records: Vec<RecordRules>,
}

impl TranscriptRules {
    /// Whether a transcript says that it is a sub-agent's, and of which session.
    #[must_use]
    pub fn name_parents(&self) -> bool {
        self.records.iter().any(|rule| rule.parent.is_some())
    }
}

/// The tables of a database that holds sessions. A record has the columns of its row by their names, and beside them
/// `table` (the table's name), `session` (the row of its session, of which only the columns that are named here) and
/// `root` (the session that its sub-agents' sessions are counted to).
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DatabaseRules {
    /// Where the sessions stand.
    pub sessions: SessionTable,
    /// Where the records stand. Those of the first table are read before those of the second.
    pub rows: Vec<RowTable>,
}

/// The table of sessions.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SessionTable {
    /// Its name.
    pub table: String,
    /// The column with a session's name.
    pub id: String,
    /// The one with the name of the session that a sub-agent's belongs to.
    #[serde(default)]
    pub parent: Option<String>,
    /// The one with the folder that it works in.
    pub folder: String,
    /// The one with the time when it was written to last, in milliseconds or seconds since 1970.
    pub at: String,
}

/// A table of records.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RowTable {
    /// Its name.
    pub table: String,
    /// The column with the name of its session.
    pub session: String,
    /// The one that tells a row from another that later has its place.
    #[serde(default)]
    pub id: Option<String>,
    /// Columns that hold JSON.
    #[serde(default)]
    pub json: Vec<String>,
    /// A row of which all of this holds is not finished, and is read again.
    #[serde(default)]
    pub open: BTreeMap<Field, Wanted>,
    /// It tells of a running agent alone, and of what was written before it is looked at so many rows.
    #[serde(default)]
    pub recent: Option<usize>,
    /// All its rows of the agent's session are one record, with the list `rows`, and are read anew each time.
    #[serde(default)]
    pub list: bool,
}

/// Fields that most records have.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CommonFields {
    /// When it was written: RFC 3339, or milliseconds or seconds since 1970.
    pub at: Option<Field>,
    /// The session's name.
    pub session: Option<Field>,
    /// The folder that it works in.
    pub project: Option<Field>,
    /// The model's name.
    pub model: Option<Field>,
    /// Whether a sub-agent wrote it.
    pub side: Option<Field>,
}

/// What one kind of record means.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RecordRules {
    /// All of these must hold.
    pub when: BTreeMap<Field, Wanted>,
    /// None of these texts may begin so.
    pub unless: BTreeMap<Field, Vec<String>>,
    /// It is applied to each item of this list in the record; fields that begin with `item` are the item's.
    pub each: Option<Field>,
    /// What makes it the same as another one, all together: of those only one counts. Where all but the first are
    /// missing, its time is one of them; where the first is, it is the same as none.
    pub id: Vec<Field>,

    // What it says of the session, until another one does.
    /// It counts only where this is another than in the record before: the same is told of several times.
    pub changed: Option<Field>,
    /// It is of another model or a sub-agent: it says nothing of the context.
    pub aside: bool,
    /// The folder that it works in.
    pub project: Option<Field>,
    /// The session's name.
    pub session: Option<Field>,
    /// The name of the session that it is a sub-agent's of.
    pub parent: Option<Field>,
    /// The model's name.
    pub model: Option<Field>,
    /// Tokens of one request.
    pub tokens: Option<TokenFields>,
    /// Tokens in the context now.
    pub context: Option<Amount>,
    /// What was paid for them, US dollars.
    pub cost: Option<Field>,
    /// Tokens that the model can hold.
    pub window: Option<Field>,
    /// Limits of the account.
    pub limits: Vec<LimitFields>,
    /// A turn begins, or has ended.
    pub turn: Option<Edge>,
    /// A call of a tool begins, or has ended.
    pub tool: Option<Edge>,
    /// Which call that is.
    pub call: Option<Field>,
    /// The list of what is planned.
    pub plan: Option<Field>,
    /// A text that is JSON, in which that list stands.
    pub plan_text: Option<Field>,
    /// In an item of that list: its state.
    pub plan_state: Option<Field>,
    /// The words of that state that mean that it is done.
    pub plan_done: Vec<String>,
    /// What went before is no part of the context any more.
    pub compacted: bool,
}

/// Where the tokens of a request stand.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TokenFields {
    /// Sent to the model.
    pub input: Option<Amount>,
    /// Written by the model.
    pub output: Option<Amount>,
    /// Read from a cache.
    pub cache_read: Option<Amount>,
    /// Written to a cache.
    pub cache_write: Option<Amount>,
    /// `input` counts what was read from a cache or written to one as well.
    pub input_has_cached: bool,
    /// They are those of the whole session so far: what was added since the record before counts.
    pub cumulative: bool,
    /// Tokens that were in the context, where that is not all that was sent; `[]` where another record tells it.
    pub context: Option<Amount>,
}

/// Where a limit of the account stands.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LimitFields {
    /// How much of it is used, percent.
    pub used: Option<Field>,
    /// How long it lasts, minutes.
    pub minutes: Option<Field>,
    /// When it ends: RFC 3339 or seconds since 1970.
    pub resets_at: Option<Field>,
    /// Seconds until it ends, from the time of the record.
    pub resets_in: Option<Field>,
}

/// An end of something that lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Edge {
    /// It begins.
    Begins,
    /// It has ended.
    Ends,
}
