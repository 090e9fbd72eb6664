//! A profile as it is written in YAML: how a program is recognised, where its parts are on the screen, and its rules.
//!
//! `docs/agents.md` explains every key with a worked example.

use std::collections::BTreeMap;
use std::mem::take;

use serde::{Deserialize, Deserializer, de};

use crate::monitor::AgentState;
use crate::monitor::detect::keys::Keys;
use crate::monitor::detect::pattern::{Pattern, Phrase, one_or_many};
use crate::monitor::detect::session::SessionRules;
use crate::monitor::detect::values::{Answers, Extract};
use crate::monitor::usage::TranscriptRules;

/// A profile file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// Name by which everything calls the program; the file's name without `.yaml`.
    pub name: String,
    /// The program's full name.
    #[serde(default)]
    pub title: Option<String>,
    /// In a user's file: the built-in profile of the same name is extended, its rules come after these.
    #[serde(default)]
    pub extends: bool,
    /// The rules were checked against the running program.
    #[serde(default = "yes")]
    pub verified: bool,
    /// Versions that were looked at.
    #[serde(default)]
    pub versions: Vec<String>,
    /// What the reader should know.
    #[serde(default)]
    pub note: Option<String>,
    /// It writes as much while it waits as while it works, so that the rhythm of its writes says nothing.
    #[serde(default)]
    pub restless: bool,
    /// How the program is recognised.
    #[serde(default)]
    pub recognise: Recognise,
    /// Parts of the screen, by name.
    #[serde(default)]
    pub regions: Regions,
    /// Rules, tried in this order; the first that holds decides.
    #[serde(default)]
    pub rules: Vec<Rule>,
    /// Values read from the screen.
    #[serde(default)]
    pub extract: Vec<Extract>,
    /// How prompts are answered.
    #[serde(default)]
    pub answers: Vec<Answers>,
    /// Keys that mean the same in every state.
    #[serde(default)]
    pub keys: Keys,
    /// Where the program publishes its own state.
    #[serde(default)]
    pub session_file: Option<SessionRules>,
    /// How it writes down what it spends.
    #[serde(default)]
    pub transcript: Option<TranscriptRules>,
}

fn yes() -> bool {
    true
}

/// How a program is recognised.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recognise {
    /// Names of its process, its executable, or of the script that an interpreter runs.
    #[serde(default)]
    pub names: Vec<String>,
    /// Parts of the path of its package, such as `@scope/package` (node) or `package/__main__.py` (python).
    #[serde(default)]
    pub packages: Vec<String>,
    /// Python modules (`python -m NAME`).
    #[serde(default)]
    pub modules: Vec<String>,
    /// Other programs have its name: its screen or its title must show it as well, unless its file lies in a package.
    #[serde(default)]
    pub common_name: bool,
    /// The pane's title by which it is known, where its name is a common one.
    #[serde(default)]
    pub title: Option<Pattern>,
    /// First arguments that make it something else than the interactive program (`mcp`, `app-server`).
    #[serde(default)]
    pub not_with: Vec<String>,
    /// The first arguments with which alone it is this program: other programs have the same name. An empty list: none.
    #[serde(default)]
    pub only_with: Option<Vec<String>>,
    /// Options and first arguments with which it does one thing and ends (`--print`, `exec`).
    #[serde(default)]
    pub headless_with: Vec<String>,
    /// Options that take no word: the word after any other may be its value, so it is no first argument.
    #[serde(default)]
    pub switches: Vec<String>,
    /// Rules of this profile that also prove the program where its processes are out of sight (ssh, docker, nested tmux).
    #[serde(default)]
    pub by_screen: Vec<Sign>,
}

/// A sign on the screen that proves the program.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sign {
    /// The region that must be there.
    #[serde(rename = "in")]
    pub region: String,
    /// A row of it that must match.
    pub line: Pattern,
    /// What must hold besides.
    #[serde(default)]
    pub when: When,
}

/// Regions in the order in which they are written.
#[derive(Clone, Debug, Default)]
pub struct Regions(pub Vec<(String, Vec<Region>)>);

impl<'de> Deserialize<'de> for Regions {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = Regions;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("regions by name, each a list of ways to find it")
            }
            fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut all = Vec::new();
                while let Some((name, ways)) = map.next_entry::<String, Vec<Region>>()? {
                    all.push((name, ways));
                }
                Ok(Regions(all))
            }
        }
        deserializer.deserialize_map(Visitor)
    }
}

/// One way to find a region. Without `over` and `under` it is looked for on the whole screen, from the bottom upwards.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Region {
    /// The rows above this region (not the screen's).
    #[serde(default)]
    pub over: Option<String>,
    /// The rows below this region, to the last that is not blank.
    #[serde(default)]
    pub under: Option<String>,
    /// The rows of this region without its first and last.
    #[serde(default)]
    pub within: Option<String>,
    /// The region that must not be there.
    #[serde(default)]
    pub without: Option<String>,
    /// Its first row.
    #[serde(default)]
    pub first: Option<Pattern>,
    /// The row after the first.
    #[serde(default)]
    pub second: Option<Pattern>,
    /// Every row between the first and the last.
    #[serde(default)]
    pub inside: Option<Pattern>,
    /// No row of it.
    #[serde(default)]
    pub never: Option<Pattern>,
    /// Its last row; without it the region ends with the last row that is not blank.
    #[serde(default)]
    pub last: Option<Pattern>,
    /// Every row below it that is not blank.
    #[serde(default)]
    pub below: Option<Pattern>,
    /// At most this many rows below it that are not blank.
    #[serde(default)]
    pub below_rows: Option<usize>,
    /// At most this many rows, counted from its end.
    #[serde(default)]
    pub rows: Option<usize>,
}

/// What must hold besides the text.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct When {
    /// Regions that must be there (`true`) or not (`false`).
    #[serde(default)]
    pub regions: BTreeMap<String, bool>,
    /// The cursor is shown.
    #[serde(default)]
    pub cursor: Option<bool>,
    /// The cursor is in this region.
    #[serde(default)]
    pub cursor_in: Option<String>,
    /// The alternate screen is in use.
    #[serde(default)]
    pub alternate: Option<bool>,
    /// The pane's title.
    #[serde(default)]
    pub title: Option<Pattern>,
    /// What the pane's title must not be.
    #[serde(default)]
    pub not_title: Option<Pattern>,
}

/// What a rule says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Says {
    /// A state.
    State(AgentState),
    /// The state before is kept: a menu, a viewer or a help screen hides what would tell.
    Keep,
}

impl<'de> Deserialize<'de> for Says {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let word = String::deserialize(deserializer)?;
        if word == "keep" {
            return Ok(Self::Keep);
        }
        word.parse().map(Self::State).map_err(|_| {
            de::Error::custom(format!(
                "unknown state `{word}`, expected one of waiting, error, limited, working, starting, unknown, idle, keep"
            ))
        })
    }
}

/// What is looked for in one region.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Look {
    /// Region in which it looks; `title` is the pane's title.
    #[serde(rename = "in", default)]
    pub region: Option<String>,
    /// A row that must be there, or several.
    #[serde(default, deserialize_with = "one_or_many")]
    pub line: Vec<Pattern>,
    /// The region's first row that is not blank.
    #[serde(default)]
    pub first: Option<Pattern>,
    /// The region's last row that is not blank.
    #[serde(default)]
    pub last: Option<Pattern>,
    /// Phrases that must be there, however they are wrapped.
    #[serde(default, deserialize_with = "one_or_many")]
    pub says: Vec<Phrase>,
    /// Rows that must not be there.
    #[serde(default, deserialize_with = "one_or_many")]
    pub not: Vec<Pattern>,
}

/// One rule.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Its name within the profile.
    pub id: String,
    /// What it says.
    pub state: Says,
    /// Kind of the state.
    #[serde(default)]
    pub kind: Option<String>,
    /// Region in which it looks; `title` is the pane's title.
    #[serde(rename = "in", default)]
    pub region: Option<String>,
    /// A row that must be there, or several.
    #[serde(default, deserialize_with = "one_or_many")]
    pub line: Vec<Pattern>,
    /// The region's first row that is not blank.
    #[serde(default)]
    pub first: Option<Pattern>,
    /// The region's last row that is not blank.
    #[serde(default)]
    pub last: Option<Pattern>,
    /// Phrases that must be there, however they are wrapped.
    #[serde(default, deserialize_with = "one_or_many")]
    pub says: Vec<Phrase>,
    /// Rows that must not be there.
    #[serde(default, deserialize_with = "one_or_many")]
    pub not: Vec<Pattern>,
    /// What must be seen in other regions too.
    #[serde(default)]
    pub also: Vec<Look>,
    /// What must hold besides.
    #[serde(default)]
    pub when: When,
    /// With `keep`: the state when none is known from before. Without it, that is `unknown`.
    #[serde(default)]
    pub cold: Option<AgentState>,
    /// It proves its state: a hook or a published word that says otherwise is stale. Taken as true for `working`,
    /// `waiting`, `limited` and `error`.
    #[serde(default)]
    pub proof: Option<bool>,
    /// Versions in which it was seen; empty: in all that were looked at.
    #[serde(default)]
    pub seen: Vec<String>,
}

impl Rule {
    /// Takes out all that it looks for: its own first.
    pub(super) fn take_looks(&mut self) -> Vec<Look> {
        let own = Look {
            region: self.region.clone(),
            line: take(&mut self.line),
            first: self.first.take(),
            last: self.last.take(),
            says: take(&mut self.says),
            not: take(&mut self.not),
        };
        std::iter::once(own).chain(take(&mut self.also)).collect()
    }

    /// Whether it proves its state against another source.
    #[must_use]
    pub fn is_proof(&self) -> bool {
        self.proof.unwrap_or(matches!(
            self.state,
            Says::State(AgentState::Working | AgentState::Waiting | AgentState::Limited | AgentState::Error)
        ))
    }
}
