//! The settings in force: option over environment over file over default.

use std::path::PathBuf;

use serde_json::{Map, Value};

use crate::app::settings::paths::Paths;
use crate::app::settings::places::Places;
use crate::app::settings::sources::{Environment, Origin, Values};
use crate::app::settings::table::Row;
use crate::app::settings::yaml::Step;
use crate::app::settings::{Problem, Settings, SettingsError, check, names, sources, table};

/// Values that options of the command line set: (option, setting, value).
pub type Overrides = Vec<(&'static str, &'static str, Value)>;

/// The settings in force, and where each comes from.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The settings.
    pub settings: Settings,
    /// The file that was read; `None` when there is none.
    pub file: Option<PathBuf>,
    values: Values,
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

/// Reads the settings in force. A missing default file is no error; a missing `--config` file is.
pub fn load(paths: &Paths, environment: Environment<'_>, overrides: &Overrides) -> Result<Loaded, SettingsError> {
    let text = sources::read(&paths.config, paths.config_was_named)?;
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
    let mut values = default_values();
    let mut problems = Vec::new();
    let places = match &text {
        Some(text) => sources::apply_file(text, &name, &mut values, &mut problems),
        None => Places::default(),
    };
    sources::apply_environment(environment, &mut values, &mut problems);
    for (option, path, value) in overrides {
        let Some(row) = table::find(path) else { continue };
        match check::check_value(row, value) {
            Ok(()) => drop(values.insert(row.path, (value.clone(), Origin::Option(option)))),
            Err(message) => problems.push(Problem::of(*option, message).about(row.path)),
        }
    }
    // A pool made smaller by hand takes its floor along: `--pool-size 3` is a wish, not a contradiction.
    let max = values["monitoring.async.pool.max_size"].clone();
    if !matches!(max.1, Origin::File(_) | Origin::Default)
        && values["monitoring.async.pool.min_size"].0.as_u64() > max.0.as_u64()
    {
        values.insert("monitoring.async.pool.min_size", max);
    }
    if let Some((path, message)) = check::check_together(&|path| values[path].0.clone()) {
        // The place is that of the one which the file sets; the other may be a default.
        let set = [path, "monitoring.async.pool.max_size"];
        let at = set.into_iter().find(|p| matches!(values[p].1, Origin::File(_))).unwrap_or(path);
        problems.push(blame(&values, &places, &name, at, message));
    }
    for (path, message) in names::check(&values, paths) {
        problems.push(blame(&values, &places, &name, &path, message));
    }
    if !problems.is_empty() {
        return Err(SettingsError::first_of(problems, &name));
    }
    let settings = typed(&values).map_err(|message| SettingsError(vec![Problem::of(name, message)]))?;
    Ok(Loaded { settings, file: text.map(|_| paths.config.clone()), values })
}

/// The settings when nothing sets any.
#[must_use]
pub fn defaults() -> Settings {
    typed(&default_values()).expect("the table's defaults fit the types: a test reads them")
}

fn default_values() -> Values {
    let value = |row: &Row| (serde_json::from_str(row.default).unwrap_or_default(), Origin::Default);
    table::ROWS.iter().map(|row| (row.path, value(row))).collect()
}

/// A problem of a value, at the place that set it. Numbers in the path are places in lists.
fn blame(values: &Values, places: &Places, file: &str, path: &str, message: String) -> Problem {
    let origin = values.iter().find(|(row, _)| path == **row || path.starts_with(&format!("{row}.")));
    match origin.map(|(_, (_, origin))| origin) {
        Some(Origin::Option(source) | Origin::Environment(source)) => Problem::of(*source, message).about(path),
        _ => {
            let steps: Vec<Step> =
                path.split('.').map(|s| s.parse().map_or_else(|_| Step::Key(s.to_owned()), Step::Index)).collect();
            Problem::of(file, message).about(crate::app::settings::problem::dotted(&steps)).at(places.value(&steps))
        }
    }
}

fn typed(values: &Values) -> Result<Settings, String> {
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
