//! Where a value comes from: option over environment over file over default, each remembered.

use std::{
    collections::BTreeMap,
    fmt, io,
    path::{Path, PathBuf},
};

use serde_json::{Map, Value};

use super::{
    KeyNames, Settings,
    check::{self, Finding},
    nearest::nearest,
    paths::Paths,
    table::{self, Kind, Row},
    yaml::{self, Place, Step},
};
use crate::app::keymap::{Keymap, KeymapError};

/// Strategies that need no script.
pub const BUILT_IN_STRATEGIES: &[&str] = &["concurrent", "polling", "adaptive"];

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

/// Values that options of the command line set: (option, setting, value).
pub type Overrides = Vec<(&'static str, &'static str, Value)>;

/// The settings in force, and where each comes from.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The settings.
    pub settings: Settings,
    /// The file that was read; `None` when there is none.
    pub file: Option<PathBuf>,
    values: BTreeMap<&'static str, (Value, Origin)>,
}

impl Loaded {
    /// Every setting with its value and origin, in the table's order.
    pub fn rows(&self) -> impl Iterator<Item = (&'static Row, &Value, &Origin)> {
        table::ROWS.iter().filter_map(|row| self.values.get(row.path).map(|(value, origin)| (row, value, origin)))
    }

    /// Where this setting comes from.
    #[must_use]
    pub fn origin(&self, path: &str) -> Origin {
        self.values.get(path).map_or(Origin::Default, |(_, origin)| origin.clone())
    }
}

/// Looks up an environment variable. A parameter, so that tests need no global state.
pub type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Reads the settings in force. A missing default file is no error; a missing `--config` file is.
pub fn load(paths: &Paths, environment: Environment<'_>, overrides: &Overrides) -> Result<Loaded, SettingsError> {
    let text = read(&paths.config, paths.config_was_named)?;
    resolve(text, paths, environment, overrides)
}

/// The settings in force when the file holds this text.
pub(in crate::app) fn resolve(
    text: Option<String>,
    paths: &Paths,
    environment: Environment<'_>,
    overrides: &Overrides,
) -> Result<Loaded, SettingsError> {
    let name = paths.config.display().to_string();
    let mut values: BTreeMap<&'static str, (Value, Origin)> = BTreeMap::new();
    let mut problems = Vec::new();
    for row in table::ROWS {
        values.insert(row.path, (serde_json::from_str(row.default).unwrap_or_default(), Origin::Default));
    }
    if let Some(text) = &text {
        apply_file(text, &name, &mut values, &mut problems);
    }
    apply_environment(environment, &mut values, &mut problems);
    for (option, path, value) in overrides {
        let Some(row) = table::find(path) else { continue };
        match check::check_value(row, value) {
            Ok(()) => drop(values.insert(row.path, (value.clone(), Origin::Option(option)))),
            Err(message) => problems.push(elsewhere(option, row.path, message)),
        }
    }
    // A pool made smaller by hand takes its floor along: `--pool-size 3` is a wish, not a contradiction.
    let max = values["monitoring.async.pool.max_size"].clone();
    if !matches!(max.1, Origin::File(_) | Origin::Default)
        && values["monitoring.async.pool.min_size"].0.as_u64() > max.0.as_u64()
    {
        values.insert("monitoring.async.pool.min_size", max);
    }
    let place = |path: &str| text.as_deref().map(|text| (text, name.as_str(), path.to_owned()));
    if let Some((path, message)) = check::check_together(&|path| values[path].0.clone()) {
        // The place is that of the one which the file sets; the other may be a default.
        let set = [path, "monitoring.async.pool.max_size"];
        let at = set.into_iter().find(|p| matches!(values[p].1, Origin::File(_))).unwrap_or(path);
        problems.push(located(place(at), at, message));
    }
    if let Some(message) = unknown_strategy(&values["monitoring.async.strategy"].0, paths) {
        let path = "monitoring.async.strategy";
        problems.push(match &values[path].1 {
            Origin::Option(source) | Origin::Environment(source) => elsewhere(source, path, message),
            _ => located(place(path), path, message),
        });
    }
    let keys = &values["dashboard.keys"].0;
    if let Some((action, message)) = keys_problem(keys) {
        let path = action.map_or("dashboard.keys".to_owned(), |action| format!("dashboard.keys.{action}"));
        problems.push(located(place(&path), &path, message));
    }
    if !problems.is_empty() {
        problems.sort_by_key(|problem| (problem.line, problem.column));
        return Err(SettingsError(problems));
    }
    let settings = typed(&values).map_err(|message| {
        SettingsError(vec![Problem { source: name, line: None, column: None, setting: None, message }])
    })?;
    Ok(Loaded { settings, file: text.map(|_| paths.config.clone()), values })
}

/// The settings when nothing sets any.
#[must_use]
pub fn defaults() -> Settings {
    let values = table::ROWS
        .iter()
        .map(|row| (row.path, (serde_json::from_str(row.default).unwrap_or_default(), Origin::Default)))
        .collect();
    typed(&values).expect("the table's defaults fit the types: a test reads them")
}

fn read(path: &Path, must_exist: bool) -> Result<Option<String>, SettingsError> {
    let wrong = |message: String| {
        let source = path.display().to_string();
        SettingsError(vec![Problem { source, line: None, column: None, setting: None, message }])
    };
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
    let bytes = std::fs::read(path).map_err(|error| wrong(format!("cannot read the settings: {error}")))?;
    String::from_utf8(bytes).map(Some).map_err(|error| {
        let before = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = before.iter().filter(|b| **b == b'\n').count() + 1;
        let column = before.iter().rev().take_while(|b| **b != b'\n').count() + 1;
        let source = path.display().to_string();
        let message = "not UTF-8 text: save the file as UTF-8".to_owned();
        SettingsError(vec![Problem { source, line: Some(line), column: Some(column), setting: None, message }])
    })
}

fn apply_file(
    text: &str,
    name: &str,
    values: &mut BTreeMap<&'static str, (Value, Origin)>,
    problems: &mut Vec<Problem>,
) {
    let tree = match yaml::parse(text) {
        Ok(tree) => tree,
        Err(error) => {
            let Place { line, column } = error.place;
            let (line, column) = (Some(line), Some(column));
            problems.push(Problem { source: name.to_owned(), line, column, setting: None, message: error.message });
            return;
        }
    };
    let (given, findings) = check::check(&tree);
    for (row, value) in given {
        let line = yaml::place_of_key(text, &steps(row.path)).map_or(0, |place| place.line);
        values.insert(row.path, (value, Origin::File(line)));
    }
    for Finding { path, at_key, message } in findings {
        let place = if at_key { yaml::place_of_key(text, &path) } else { yaml::place_of_value(text, &path) };
        problems.push(Problem {
            source: name.to_owned(),
            line: place.map(|p| p.line),
            column: place.map(|p| p.column),
            setting: (!path.is_empty()).then(|| dotted(&path)),
            message,
        });
    }
}

fn apply_environment(
    environment: Environment<'_>,
    values: &mut BTreeMap<&'static str, (Value, Origin)>,
    problems: &mut Vec<Problem>,
) {
    for row in table::ROWS {
        let Some(variable) = row.env else { continue };
        let Some(text) = environment(variable).filter(|text| !text.is_empty()) else { continue };
        let value = from_text(row.kind, &text);
        match check::check_value(row, &value) {
            Ok(()) => drop(values.insert(row.path, (value, Origin::Environment(variable)))),
            Err(message) => problems.push(elsewhere(variable, row.path, message)),
        }
    }
    for variable in ["TMUX_ORC_ASYNC_DISABLED", "TMUX_ORC_FORCE_SYNC"] {
        let path = "monitoring.async.enabled";
        match environment(variable).as_deref().map(|text| from_text(Kind::Flag, text)) {
            Some(Value::Bool(true)) => drop(values.insert(path, (false.into(), Origin::Environment(variable)))),
            None | Some(Value::Bool(false)) => {}
            Some(other) if other == "" => {}
            Some(other) => {
                problems.push(elsewhere(variable, path, format!("expected 1 or 0, found {}", check::shown(&other))));
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
        Kind::Seconds(..) => text.parse::<f64>().map_or_else(|_| text.into(), Value::from),
        _ => text.into(),
    }
}

fn unknown_strategy(value: &Value, paths: &Paths) -> Option<String> {
    let name = value.as_str()?;
    if BUILT_IN_STRATEGIES.contains(&name) || paths.strategies().join(format!("{name}.rhai")).is_file() {
        return None;
    }
    let scripts = std::fs::read_dir(paths.strategies()).into_iter().flatten().flatten();
    let scripts = scripts.filter_map(|entry| Some(entry.file_name().to_str()?.strip_suffix(".rhai")?.to_owned()));
    let mut known: Vec<String> = BUILT_IN_STRATEGIES.iter().map(ToString::to_string).chain(scripts).collect();
    known[BUILT_IN_STRATEGIES.len()..].sort();
    let near = nearest(name, known.iter().map(String::as_str));
    let hint = near.map_or(String::new(), |near| format!("; did you mean `{near}`?"));
    let dir = paths.strategies();
    Some(format!("no strategy {name:?}: there are {} (scripts: {}){hint}", known.join(", "), dir.display()))
}

/// What is wrong with the keys, and at which action. Their shape was checked before.
fn keys_problem(keys: &Value) -> Option<(Option<String>, String)> {
    let keys: BTreeMap<String, KeyNames> = serde_json::from_value(keys.clone()).ok()?;
    let keys = keys.into_iter().map(|(action, keys)| (action, keys.all())).collect();
    let (action, message) = match Keymap::new(&keys).err()? {
        KeymapError::Key { action, source } => (Some(action), source.to_string()),
        KeymapError::Action { name, nearest } => {
            let hint = nearest.map_or(String::new(), |near| format!("; did you mean `{near}`?"));
            (Some(name), format!("no such action{hint}"))
        }
        KeymapError::Twice { key, first, second } => {
            (Some(second), format!("'{key}' is asked for by `{first}` too: give one of them another key"))
        }
    };
    Some((action, message))
}

fn typed(values: &BTreeMap<&'static str, (Value, Origin)>) -> Result<Settings, String> {
    let mut tree = Map::new();
    for (path, (value, _)) in values {
        let mut at = &mut tree;
        let mut names = path.split('.').peekable();
        while let Some(name) = names.next() {
            if names.peek().is_none() {
                at.insert(name.to_owned(), value.clone());
                break;
            }
            let section = at.entry(name).or_insert_with(|| Value::Object(Map::new()));
            let Value::Object(inner) = section else { return Err(format!("`{name}` is no section")) };
            at = inner;
        }
    }
    serde_json::from_value(Value::Object(tree)).map_err(|error| error.to_string())
}

fn steps(path: &str) -> Vec<Step> {
    path.split('.').map(|name| Step::Key(name.to_owned())).collect()
}

fn dotted(path: &[Step]) -> String {
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

fn located(file: Option<(&str, &str, String)>, setting: &str, message: String) -> Problem {
    let place = file.as_ref().and_then(|(text, _, path)| yaml::place_of_value(text, &steps(path)));
    Problem {
        source: file.map_or_else(|| "settings".to_owned(), |(_, name, _)| name.to_owned()),
        line: place.map(|p| p.line),
        column: place.map(|p| p.column),
        setting: Some(setting.to_owned()),
        message,
    }
}

fn elsewhere(source: &str, setting: &str, message: String) -> Problem {
    Problem { source: source.to_owned(), line: None, column: None, setting: Some(setting.to_owned()), message }
}
