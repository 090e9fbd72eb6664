//! What a profile reads from a screen, and how its prompts are answered, as written in YAML.

use serde::Deserialize;

use crate::monitor::AgentState;
use crate::monitor::detect::keys::KeyName;
use crate::monitor::detect::pattern::{Pattern, one_or_many};

/// Whether one of `wanted` names the rule `id`; `*` at the end stands for any rest.
pub(super) fn names_rule(wanted: &[String], id: &str) -> bool {
    wanted.iter().any(|wanted| wanted.strip_suffix('*').map_or(wanted == id, |start| id.starts_with(start)))
}

/// What an extraction yields.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// What it does, asks or has said last.
    Doing,
    /// Percent of the context that is left.
    ContextLeft,
    /// Percent of the context that is used.
    ContextUsed,
    /// When a limit ends.
    ResetAt,
    /// When a prompt that counts down ends without an answer.
    Deadline,
    /// Model.
    Model,
    /// Tokens of this turn.
    Tokens,
    /// Version of the program.
    Version,
    /// Number of background shells or tasks.
    Background,
}

/// A value read from the screen: the first group of the pattern, from the lowest row that matches.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Extract {
    /// What it is.
    pub what: What,
    /// Region in which it is; `title` is the pane's title.
    #[serde(rename = "in")]
    pub region: String,
    /// The pattern with one group.
    pub line: Pattern,
    /// Only in these states.
    #[serde(default)]
    pub states: Vec<AgentState>,
    /// Only where one of these rules decided; `*` at the end stands for any rest.
    #[serde(default, deserialize_with = "one_or_many")]
    pub rules: Vec<String>,
    /// The highest row that matches, not the lowest.
    #[serde(default)]
    pub top: bool,
    /// It goes on in the rows below, to one without words.
    #[serde(default)]
    pub wraps: bool,
    /// What it is about are the rows right above, up to a blank one: they come behind it.
    #[serde(default)]
    pub subject: bool,
}

/// How the answers of a prompt are chosen.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answers {
    /// Rules whose prompt it is; `*` at the end stands for any rest.
    #[serde(deserialize_with = "one_or_many")]
    pub rules: Vec<String>,
    /// Region in which the answers are.
    #[serde(rename = "in", default)]
    pub region: Option<String>,
    /// A row with an answer: groups `mark` (it is preselected), `number`, `key`, `label`.
    #[serde(default)]
    pub option: Option<Pattern>,
    /// What is pressed.
    #[serde(default)]
    pub press: Press,
    /// How the preselected answer is told, where no sign stands before it.
    #[serde(default)]
    pub marked_by: MarkedBy,
    /// Answers that are always the same.
    #[serde(default)]
    pub fixed: Vec<Fixed>,
    /// The region is all of the prompt: what is below it, such as a clock that runs, need not hold still.
    #[serde(default)]
    pub closed: bool,
}

/// How the preselected answer is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MarkedBy {
    /// By the group `mark`.
    #[default]
    Sign,
    /// By its background, which is another than that of its row.
    Colour,
}

/// How an answer is picked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Press {
    /// Its number.
    #[default]
    Number,
    /// Its number, then Enter.
    NumberEnter,
    /// The arrow keys down or up from the preselected one, then Enter.
    Arrows,
    /// The arrow keys right or left from the preselected one, then Enter.
    Sideways,
}

/// An answer that is always the same.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fixed {
    /// Its label.
    pub label: String,
    /// What is pressed.
    pub keys: Vec<KeyName>,
    /// It is the one that Enter takes.
    #[serde(default)]
    pub selected: bool,
}
