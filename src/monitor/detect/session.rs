//! What a profile says of its program's session file: where it is, which fields are read, what its words mean.

use serde::Deserialize;

use crate::monitor::AgentState;
use crate::monitor::detect::Published;
use crate::monitor::detect::pattern::one_or_many;

/// Where a program publishes its own state, and what its words mean.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SessionRules {
    /// The variable of its environment that names its folder.
    #[serde(default)]
    pub variable: Option<String>,
    /// Its folder below the home folder, where that variable is not set.
    pub home: String,
    /// The file below its folder; `{pid}` stands for the process, `{session}` for a name that only the program knows:
    /// then the newest file that names the process is the one.
    pub path: String,
    /// The names of the fields that are read.
    pub fields: SessionFields,
    /// What its words mean; the first that fits counts. A word that none fits says nothing.
    pub states: Vec<SessionWord>,
}

/// Names of fields at the top of a session file, which is a JSON object.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SessionFields {
    /// The process id: a file that names another process is not its own.
    pub pid: String,
    /// The process's start time in the kernel's units, where the file has it.
    #[serde(default)]
    pub start: Option<String>,
    /// The program's word for its state.
    pub status: String,
    /// The session's name, where its transcripts are called by it.
    #[serde(default)]
    pub session: Option<String>,
    /// More words, such as what it waits for.
    #[serde(default)]
    pub detail: Option<String>,
    /// When that state began, by the first of these that is there: milliseconds since 1970 or RFC 3339.
    #[serde(default, deserialize_with = "one_or_many")]
    pub at: Vec<String>,
    /// Where this one is there, the session is over.
    #[serde(default)]
    pub ended: Option<String>,
}

/// What a word of a session file means.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SessionWord {
    /// The word, or several.
    #[serde(deserialize_with = "one_or_many")]
    pub status: Vec<String>,
    /// The words beside it; any or none when not given.
    #[serde(default)]
    pub detail: Option<String>,
    /// The state that it means.
    pub state: AgentState,
    /// Kind of the state.
    #[serde(default)]
    pub kind: Option<String>,
    /// It names no state of its own, so the screen decides where it shows one.
    #[serde(default)]
    pub vague: bool,
    /// So many tasks run in the background.
    #[serde(default)]
    pub background: u32,
}

impl SessionRules {
    /// What it means that the program published this; `None` when the profile does not know the word.
    #[must_use]
    pub fn meaning(&self, published: &Published) -> Option<&SessionWord> {
        let fits = |word: &&SessionWord| {
            word.status.contains(&published.status)
                && word.detail.as_ref().is_none_or(|detail| published.detail.as_ref() == Some(detail))
        };
        self.states.iter().find(fits)
    }
}
