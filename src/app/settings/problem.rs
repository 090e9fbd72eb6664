//! What is wrong with settings: where, which, what, and what to do.

use std::fmt;

use crate::app::settings::yaml::{Place, Step};

/// Most problems that are told at once.
pub(super) const MOST: usize = 20;

/// One thing that is wrong with the settings: where, which, what, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Problem {
    /// The file, the environment variable or the option.
    pub source: String,
    /// Line in the file, from 1.
    pub line: Option<usize>,
    /// Column in the file, from 1.
    pub column: Option<usize>,
    /// The setting, when it is one.
    pub setting: Option<String>,
    /// What is wrong, and what to do.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Names and words are quoted from a file, and this goes to a terminal.
        let clean = crate::tmux::clean;
        f.write_str(&clean(&self.source))?;
        if let (Some(line), Some(column)) = (self.line, self.column) {
            write!(f, ":{line}:{column}")?;
        }
        if let Some(setting) = &self.setting {
            write!(f, ": {}", clean(setting))?;
        }
        write!(f, ": {}", clean(&self.message))
    }
}

/// All that is wrong with the settings.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", list(.0))]
pub struct SettingsError(pub Vec<Problem>);

fn list(problems: &[Problem]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

impl SettingsError {
    /// The first ones, in the order of the file, and that there are more.
    #[must_use]
    pub(super) fn first_of(mut problems: Vec<Problem>, name: &str) -> Self {
        problems.sort_by_key(|problem| (problem.line, problem.column));
        if problems.len() > MOST {
            problems.truncate(MOST);
            problems.push(Problem::of(name, "there are more problems than these: mend these first"));
        }
        Self(problems)
    }
}

impl Problem {
    /// Of a whole source: a file, an environment variable, an option.
    #[must_use]
    pub fn of(source: impl Into<String>, message: impl Into<String>) -> Self {
        Self { source: source.into(), line: None, column: None, setting: None, message: message.into() }
    }

    /// The same with the setting that it is about.
    #[must_use]
    pub fn about(self, setting: impl Into<String>) -> Self {
        Self { setting: Some(setting.into()), ..self }
    }

    /// The same with its place in the file, when that is known.
    #[must_use]
    pub fn at(self, place: Option<Place>) -> Self {
        Self { line: place.map(|at| at.line), column: place.map(|at| at.column), ..self }
    }
}

/// A setting's name in an error. The file may be anybody's: no control character of it reaches a terminal.
pub(super) fn dotted(path: &[Step]) -> String {
    let mut out = String::new();
    for step in path {
        match step {
            Step::Key(name) if out.is_empty() => out.push_str(&crate::tmux::clean(name)),
            Step::Key(name) => out.push_str(&format!(".{}", crate::tmux::clean(name))),
            Step::Index(index) => out.push_str(&format!("[{index}]")),
        }
    }
    out
}
