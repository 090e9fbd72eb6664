//! Settings that name something else: a strategy, a theme, actions and keys, agent programs. What they name must exist.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::app::core::keymap::{Keymap, KeymapError};
use crate::app::core::nearest::did_you_mean;
use crate::app::settings::problem::MOST;
use crate::app::settings::sources::Values;
use crate::app::settings::theme;
use crate::app::settings::{KeyNames, Paths};
use crate::monitor::facts::profiles;
use crate::monitor::{scripts, strategy};

/// Program of an agent that only the settings call one.
const OTHER: &str = "other";

/// What is wrong: the setting, as a path with the places in lists, and the message.
pub(super) type Wrong = (String, String);

/// The end of the sentence that names a wrong name: what was most likely meant, or a full stop.
fn hint<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let near = did_you_mean(name, known);
    if near.is_empty() { ".".to_owned() } else { near }
}

/// All names that name nothing. The values' shape was checked before.
pub(super) fn check(values: &Values, paths: &Paths) -> Vec<Wrong> {
    let value = |path: &str| &values[path].0;
    let mut wrong: Vec<Wrong> = Vec::new();
    wrong.extend(unknown_strategy(value("monitoring.async.strategy"), paths));
    wrong.extend(unknown_theme(value("dashboard.theme"), paths));
    wrong.extend(unknown_keys(value("dashboard.keys")));
    wrong.extend(unknown_programs(value("agents"), value("notifications.agents"), paths));
    wrong
}

fn unknown_strategy(value: &Value, paths: &Paths) -> Option<Wrong> {
    let name = value.as_str()?;
    if strategy::BUILT_IN.contains(&name) || paths.strategies().join(format!("{name}.rhai")).is_file() {
        return None;
    }
    let known: Vec<String> = scripts::list(Some(&paths.strategies())).into_iter().map(|info| info.name).collect();
    let hint = hint(name, known.iter().map(String::as_str));
    let (known, dir) = (known.join(", "), paths.strategies());
    let message = format!("no strategy {name:?}{hint} There are {known}; scripts: {}", dir.display());
    Some(("monitoring.async.strategy".to_owned(), message))
}

fn unknown_theme(value: &Value, paths: &Paths) -> Option<Wrong> {
    let name = value.as_str()?;
    if name == theme::AUTO || theme::BUILT_IN.iter().any(|(built_in, _)| *built_in == name) {
        return None;
    }
    let known = theme::names(&paths.themes());
    if known.iter().any(|theme| theme == name) {
        return None;
    }
    let hint = hint(name, known.iter().map(String::as_str));
    let (known, dir) = (known.join(", "), paths.themes());
    let message = format!("no theme {name:?}{hint} There are {known}; yours: {}", dir.display());
    Some(("dashboard.theme".to_owned(), message))
}

fn unknown_keys(value: &Value) -> Vec<Wrong> {
    let Ok(keys) = serde_json::from_value::<BTreeMap<String, KeyNames>>(value.clone()) else { return Vec::new() };
    let keys = keys.into_iter().map(|(action, keys)| (action, keys.all())).collect();
    let wrong = Keymap::problems(&keys).into_iter().map(|problem| {
        let (action, message) = match problem {
            KeymapError::Key { action, source } => (action, source.to_string()),
            KeymapError::Typed { action, key, why } => {
                (action, format!("'{key}' {why}: write a key such as f5, ctrl-x or alt-x"))
            }
            KeymapError::Action { name, hint } => (name, format!("no such action{hint}")),
            KeymapError::Twice { key, first, second } => {
                (second, format!("'{key}' is asked for by `{first}` too: give one of them another key"))
            }
        };
        (format!("dashboard.keys.{action}"), message)
    });
    wrong.take(MOST + 1).collect()
}

fn unknown_programs(agents: &Value, notices: &Value, paths: &Paths) -> Vec<Wrong> {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let named = list(agents)
        .into_iter()
        .enumerate()
        .filter_map(|(index, entry)| Some((format!("agents.{index}.agent"), entry.get("agent")?.as_str()?.to_owned())));
    let noticed = list(notices)
        .into_iter()
        .enumerate()
        .filter_map(|(index, entry)| Some((format!("notifications.agents.{index}"), entry.as_str()?.to_owned())));
    let mut wanted = named.chain(noticed).peekable();
    // Reading the profiles is spared where none is named. Bad ones are told of by whoever uses them.
    let profiles = wanted.peek().and_then(|_| profiles::load(Some(&paths.agents())).ok());
    let Some(profiles) = profiles else { return Vec::new() };
    let known: Vec<&str> = profiles.list().map(|profile| profile.name.as_str()).chain([OTHER]).collect();
    let unknown = wanted.filter(|(_, name)| !known.contains(&name.as_str()));
    let wrong = unknown.map(|(path, name)| {
        let hint = hint(&name, known.iter().copied());
        (path, format!("no agent profile {name:?}{hint} `tmux-orc agents profiles` lists them"))
    });
    wrong.take(MOST + 1).collect()
}
