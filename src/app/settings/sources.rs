//! What sets values: the file, the environment. Each remembers where a value comes from.

use std::{collections::BTreeMap, fmt, io, path::Path};

use serde_json::Value;

use crate::app::settings::check::{Finding, What};
use crate::app::settings::places::Places;
use crate::app::settings::problem::{MOST, dotted};
use crate::app::settings::table::Kind;
use crate::app::settings::yaml::{Place, Step};
use crate::app::settings::{Problem, SettingsError, check, table, yaml};
use crate::monitor::facts::file;

/// Largest settings file that is read, bytes.
const LARGEST_FILE: u64 = 1 << 20;

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// An option of the command line, such as `--pool-size`.
    Option(&'static str),
    /// An environment variable.
    Environment(&'static str),
    /// The file, with the line of the key.
    File(usize),
    /// Nothing set it.
    Default,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Option(name) => write!(f, "option {name}"),
            Self::Environment(name) => write!(f, "environment {name}"),
            Self::File(line) => write!(f, "file, line {line}"),
            Self::Default => f.write_str("default"),
        }
    }
}

/// Every setting's value, and where it comes from.
pub(super) type Values = BTreeMap<&'static str, (Value, Origin)>;

/// Looks up an environment variable. A parameter, so that tests need no global state.
pub type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;

/// The file's text; `None` when there is none and need not be one.
pub(super) fn read(path: &Path, must_exist: bool) -> Result<Option<String>, SettingsError> {
    let wrong = |message: String| SettingsError(vec![Problem::of(path.display().to_string(), message)]);
    let meta = match std::fs::metadata(path) {
        Ok(meta) => meta,
        Err(error) if error.kind() == io::ErrorKind::NotFound && !must_exist => return Ok(None),
        Err(error) => return Err(wrong(format!("cannot read the settings: {error}"))),
    };
    if !meta.is_file() {
        return Err(wrong("cannot read the settings: not a file".to_owned()));
    }
    if meta.len() > LARGEST_FILE {
        return Err(wrong(format!("cannot read the settings: {} bytes is no settings file", meta.len())));
    }
    let bytes = file::read_own_bytes(path, LARGEST_FILE)
        .map_err(|error| wrong(format!("cannot read the settings: {error}")))?;
    String::from_utf8(bytes).map(Some).map_err(|error| {
        let before = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = before.iter().filter(|b| **b == b'\n').count() + 1;
        let column = before.iter().rev().take_while(|b| **b != b'\n').count() + 1;
        let problem = Problem::of(path.display().to_string(), "not UTF-8 text: save the file as UTF-8");
        SettingsError(vec![problem.at(Some(Place { line, column }))])
    })
}

/// Puts what the file sets in the place of what was there. Returns where each thing of it stands.
pub(super) fn apply_file(text: &str, name: &str, values: &mut Values, problems: &mut Vec<Problem>) -> Places {
    let tree = match yaml::parse(text) {
        Ok(tree) => tree,
        Err(error) => {
            problems.push(Problem::of(name, error.message).at(Some(error.place)));
            return Places::default();
        }
    };
    let places = Places::of(text);
    let (given, findings) = check::check(&tree);
    for (row, value) in given {
        let line = places.key(&steps(row.path)).map_or(0, |place| place.line);
        values.insert(row.path, (value, Origin::File(line)));
    }
    let mut found: Vec<(Option<Place>, Finding)> = findings
        .into_iter()
        .map(|finding| {
            let at_key = finding.what == What::Name;
            (if at_key { places.key(&finding.path) } else { places.value(&finding.path) }, finding)
        })
        .collect();
    found.sort_by_key(|(place, _)| *place);
    for (place, finding) in found.into_iter().take(MOST + 1) {
        let problem = Problem::of(name, finding.message()).at(place);
        problems.push(if finding.path.is_empty() { problem } else { problem.about(dotted(&finding.path)) });
    }
    places
}

/// Puts what the environment sets in the place of what was there.
pub(super) fn apply_environment(environment: Environment<'_>, values: &mut Values, problems: &mut Vec<Problem>) {
    for row in table::ROWS {
        let Some(variable) = row.env else { continue };
        let Some(text) = environment(variable).filter(|text| !text.is_empty()) else { continue };
        let value = from_text(row.kind, &text);
        match check::check_value(row, &value) {
            Ok(()) => drop(values.insert(row.path, (value, Origin::Environment(variable)))),
            Err(message) => problems.push(Problem::of(variable, message).about(row.path)),
        }
    }
    for variable in ["TMUX_ORC_ASYNC_DISABLED", "TMUX_ORC_FORCE_SYNC"] {
        let path = "monitoring.async.enabled";
        match environment(variable).as_deref().map(|text| from_text(Kind::Flag, text)) {
            Some(Value::Bool(true)) => drop(values.insert(path, (false.into(), Origin::Environment(variable)))),
            None | Some(Value::Bool(false)) => {}
            Some(other) if other == "" => {}
            Some(other) => {
                let message = format!("expected 1 or 0, found {}", check::shown(&other));
                problems.push(Problem::of(variable, message).about(path));
            }
        }
    }
}

/// A value as it is written in an environment variable or an option.
fn from_text(kind: Kind, text: &str) -> Value {
    let text = text.trim();
    match kind {
        Kind::Flag => match text.to_ascii_lowercase().as_str() {
            "1" | "true" | "yes" | "on" => true.into(),
            "0" | "false" | "no" | "off" => false.into(),
            _ => text.into(),
        },
        Kind::Count(..) => text.parse::<u64>().map_or_else(|_| text.into(), Value::from),
        Kind::Seconds(..) | Kind::Percent(..) => text.parse::<f64>().map_or_else(|_| text.into(), Value::from),
        _ => text.into(),
    }
}

/// A setting's name as steps from the top of the file.
pub(super) fn steps(path: &str) -> Vec<Step> {
    path.split('.').map(|name| Step::Key(name.to_owned())).collect()
}
