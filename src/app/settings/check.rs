//! Checks a tree of values against the table: one rule each, every problem told with what to do.

use serde_json::{Map, Value};

use crate::app::core::nearest::{did_you_mean, nearest};
use crate::app::settings::hosts;
use crate::app::settings::outlets::{CollectorAddress, loopback};
use crate::app::settings::problem::MOST;
use crate::app::settings::table;
use crate::app::settings::table::{Kind, Row};
use crate::app::settings::yaml::Step;

/// Something wrong with one setting.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// The setting as steps from the top.
    pub path: Vec<Step>,
    /// What is wrong with it.
    pub what: What,
}

/// What is wrong with a setting.
#[derive(Clone, Debug, PartialEq)]
pub enum What {
    /// There is none of this name: the place is the key's.
    Name,
    /// Its value: what is wrong and what to do, without the setting's name.
    Value(String),
}

impl Finding {
    /// What is wrong and what to do, without the setting's name. Looking for the name that was meant takes its time: a
    /// file may hold thousands of them, and only the first ones are told.
    #[must_use]
    pub fn message(&self) -> String {
        match &self.what {
            What::Value(message) => message.clone(),
            What::Name => {
                let names: Vec<&str> = self.path.iter().filter_map(Step::name).collect();
                let (key, section) =
                    names.split_last().map_or(("", String::new()), |(key, section)| (*key, section.join(".")));
                unknown(&section, key)
            }
        }
    }
}

/// A setting and the value it was given.
pub type Given = (&'static Row, Value);

/// Checks all of a file's tree: what it sets, and what is wrong with it.
#[must_use]
pub fn check(tree: &Value) -> (Vec<Given>, Vec<Finding>) {
    let mut pass = Pass::default();
    match tree {
        Value::Null => {}
        Value::Object(map) => pass.section("", map, &mut Vec::new()),
        other => pass.findings.push(Finding {
            path: Vec::new(),
            what: What::Value(format!("expected sections such as `monitoring:`, found {}", shown(other))),
        }),
    }
    (pass.given, pass.findings)
}

/// Checks one value against its row; the message says what was expected.
pub fn check_value(row: &Row, value: &Value) -> Result<(), String> {
    let findings = findings_in_value(row.kind, value);
    match findings.into_iter().next() {
        None => Ok(()),
        Some((_, message)) => Err(message),
    }
}

/// Rules over several settings, on the values that are in force: (the setting to change, what is wrong).
#[must_use]
pub fn check_together(value_of: &dyn Fn(&str) -> Value) -> Option<(&'static str, String)> {
    let (min, max) = (value_of("monitoring.async.pool.min_size"), value_of("monitoring.async.pool.max_size"));
    let (min, max) = (min.as_u64()?, max.as_u64()?);
    (min > max).then(|| {
        (
            "monitoring.async.pool.min_size",
            format!("min_size ({min}) is more than max_size ({max}): lower min_size or raise max_size"),
        )
    })
}

/// A value as an error shows it.
#[must_use]
pub fn shown(value: &Value) -> String {
    match value {
        Value::Null => "nothing".to_owned(),
        Value::Object(_) => "a section".to_owned(),
        Value::Array(_) => "a list".to_owned(),
        Value::String(text) => format!("{:?}", text.chars().take(60).collect::<String>()),
        other => other.to_string(),
    }
}

#[derive(Default)]
struct Pass {
    given: Vec<Given>,
    findings: Vec<Finding>,
}

impl Pass {
    fn section(&mut self, section: &str, map: &Map<String, Value>, steps: &mut Vec<Step>) {
        for (key, value) in map {
            let path = if section.is_empty() { key.clone() } else { format!("{section}.{key}") };
            steps.push(Step::Key(key.clone()));
            if let Some(row) = table::find(&path) {
                self.setting(row, value, steps);
            } else if table::is_section(&path) {
                match value {
                    Value::Object(inner) => self.section(&path, inner, steps),
                    // A section whose every line is commented out.
                    Value::Null => {}
                    other => self.push(steps, What::Value(format!("expected a section, found {}", shown(other)))),
                }
            } else {
                self.push(steps, What::Name);
            }
            steps.pop();
        }
    }

    fn setting(&mut self, row: &'static Row, value: &Value, steps: &[Step]) {
        let findings = findings_in_value(row.kind, value);
        if findings.is_empty() {
            self.given.push((row, value.clone()));
        }
        for (inner, message) in findings {
            let path = steps.iter().cloned().chain(inner).collect::<Vec<_>>();
            self.push(&path, What::Value(message));
        }
    }

    fn push(&mut self, path: &[Step], what: What) {
        self.findings.push(Finding { path: path.to_vec(), what });
    }
}

/// Says that there is no such setting, and which was most likely meant: by its spelling, or the same word elsewhere.
fn unknown(section: &str, key: &str) -> String {
    let names = table::names_in(section);
    if let Some(near) = nearest(key, names.iter().copied()) {
        return format!("unknown setting; did you mean `{near}`?");
    }
    let elsewhere = table::ROWS.iter().find(|row| row.path.rsplit('.').next() == Some(key));
    if let Some(row) = elsewhere {
        return format!("unknown setting here; it belongs at `{}`", row.path);
    }
    format!("unknown setting; there are {} here", names.join(", "))
}

type Inner = (Vec<Step>, String);

fn findings_in_value(kind: Kind, value: &Value) -> Vec<Inner> {
    let wrong = || vec![(Vec::new(), format!("expected {}, found {}", kind.expected(), shown(value)))];
    let good = |fine: bool| if fine { Vec::new() } else { wrong() };
    match kind {
        Kind::Flag => good(value.is_boolean()),
        Kind::Count(min, max) => good(value.as_u64().is_some_and(|n| (min..=max).contains(&n))),
        Kind::Seconds(min, max) | Kind::Percent(min, max) => {
            good(value.as_f64().is_some_and(|n| (min..=max).contains(&n)))
        }
        Kind::Choice(words) => match value.as_str() {
            Some(word) if words.contains(&word) => Vec::new(),
            Some(word) => vec![(Vec::new(), not_a_choice(word, words))],
            None => wrong(),
        },
        Kind::Name => good(value.as_str().is_some_and(is_name)),
        Kind::Text => good(value.as_str().is_some_and(is_line)),
        Kind::Texts => in_list(value, &kind, |entry| {
            if entry.as_str().is_some_and(is_line) {
                None
            } else {
                Some(format!("expected text, found {}", shown(entry)))
            }
        }),
        Kind::Commands => commands(value).unwrap_or_else(wrong),
        Kind::Steps(min, max) => in_list(value, &kind, |entry| {
            let fine = entry.as_f64().is_some_and(|n| (min..=max).contains(&n));
            (!fine).then(|| format!("expected seconds from {min} to {max}, found {}", shown(entry)))
        }),
        Kind::Choices(words) => in_list(value, &kind, |entry| match entry.as_str() {
            Some(word) if words.contains(&word) => None,
            Some(word) => Some(not_a_choice(word, words)),
            None => Some(format!("expected one of {}, found {}", words.join(", "), shown(entry))),
        }),
        Kind::Hours => good(value.as_str().is_some_and(|text| text.is_empty() || hours(text).is_some())),
        Kind::Keys => keys(value).unwrap_or_else(wrong),
        Kind::Prices => prices(value).unwrap_or_else(wrong),
        Kind::Agents => agents(value).unwrap_or_else(wrong),
        Kind::Servers => in_list(value, &kind, |entry| {
            let message = || format!("expected a name, a path or all, found {}", shown(entry));
            (!hosts::is_server(entry)).then(message)
        }),
        Kind::Hosts => hosts::findings(value).unwrap_or_else(wrong),
        Kind::File => good(value.as_str().is_some_and(|text| text.is_empty() || is_whole_path(text))),
        Kind::Listen => good(value.as_str().is_some_and(|text| text.is_empty() || loopback(text).is_some())),
        Kind::Collector => good(
            value.as_str().is_some_and(|text| matches!(text, "" | "env") || CollectorAddress::parse(text).is_some()),
        ),
    }
}

fn not_a_choice(word: &str, words: &[&str]) -> String {
    let hint = did_you_mean(word, words.iter().copied());
    format!("expected one of {}, found {:?}{hint}", words.join(", "), word.chars().take(60).collect::<String>())
}

fn in_list(value: &Value, kind: &Kind, wrong: impl Fn(&Value) -> Option<String>) -> Vec<Inner> {
    let Some(list) = value.as_array() else {
        return vec![(Vec::new(), format!("expected {}, found {}", kind.expected(), shown(value)))];
    };
    let found = list.iter().enumerate();
    let findings = found.filter_map(|(index, entry)| Some((vec![Step::Index(index)], wrong(entry)?)));
    findings.take(MOST + 1).collect()
}

fn keys(value: &Value) -> Option<Vec<Inner>> {
    let mut findings = Vec::new();
    for (action, keys) in value.as_object()? {
        if findings.len() > MOST {
            break;
        }
        let fine = match keys {
            // None at all takes an action's keys away.
            Value::Array(list) => list.iter().all(is_key),
            one => is_key(one),
        };
        if !fine {
            let message = format!("expected a key such as x or ctrl-x, or a list of them, found {}", shown(keys));
            findings.push((vec![Step::Key(action.clone())], message));
        }
    }
    Some(findings)
}

fn commands(value: &Value) -> Option<Vec<Inner>> {
    let mut findings = Vec::new();
    for (name, words) in value.as_object()? {
        if findings.len() > MOST {
            break;
        }
        let at = Step::Key(name.clone());
        if !is_name(name) {
            findings.push((vec![at], "expected a name of letters, digits, '-', '_' and '.'".to_owned()));
            continue;
        }
        let Some(list) = words.as_array().filter(|list| !list.is_empty()) else {
            let message = format!("expected a list of a program and its arguments, found {}", shown(words));
            findings.push((vec![at], message));
            continue;
        };
        let wrong = list.iter().position(|word| !word.as_str().is_some_and(is_line));
        if let Some(index) = wrong {
            let message = format!("expected text, found {}", shown(&list[index]));
            findings.push((vec![at, Step::Index(index)], message));
        }
    }
    Some(findings)
}

/// A key may be written as the digit it is.
fn is_key(value: &Value) -> bool {
    value.as_str().is_some_and(|text| !text.is_empty() && is_line(text)) || value.as_u64().is_some_and(|n| n < 10)
}

fn agents(value: &Value) -> Option<Vec<Inner>> {
    const NAMES: [&str; 3] = ["target", "agent", "name"];
    let mut findings = Vec::new();
    for (index, entry) in value.as_array()?.iter().enumerate() {
        if findings.len() > MOST {
            break;
        }
        let at = Step::Index(index);
        let Some(map) = entry.as_object() else {
            findings.push((vec![at], format!("expected target and agent or name, found {}", shown(entry))));
            continue;
        };
        for (key, value) in map {
            let message = if !NAMES.contains(&key.as_str()) {
                let near = nearest(key, NAMES);
                near.map_or("unknown here; there are target, agent, name".to_owned(), |near| {
                    format!("unknown here; did you mean `{near}`?")
                })
            } else if value.as_str().is_some_and(|text| !text.is_empty() && is_line(text)) {
                continue;
            } else {
                format!("expected text on one line, found {}", shown(value))
            };
            findings.push((vec![at.clone(), Step::Key(key.clone())], message));
        }
        if !map.contains_key("target") || (!map.contains_key("agent") && !map.contains_key("name")) {
            findings.push((vec![at], "expected target, and agent or name or both".to_owned()));
        }
    }
    Some(findings)
}

fn prices(value: &Value) -> Option<Vec<Inner>> {
    const NAMES: [&str; 4] = ["input", "output", "cache_read", "cache_write"];
    let mut findings = Vec::new();
    for (model, price) in value.as_object()? {
        if findings.len() > MOST {
            break;
        }
        let at = Step::Key(model.clone());
        let Some(map) = price.as_object() else {
            findings
                .push((vec![at], format!("expected prices such as {{input: 3, output: 15}}, found {}", shown(price))));
            continue;
        };
        for (key, value) in map {
            let message = if !NAMES.contains(&key.as_str()) {
                let near = nearest(key, NAMES).map(|near| format!("; did you mean `{near}`?"));
                format!("unknown here{}", near.unwrap_or_else(|| format!("; there are {}", NAMES.join(", "))))
            } else if value.as_f64().is_some_and(|price| (0.0..=1e6).contains(&price)) {
                continue;
            } else {
                format!("expected US dollars for a million tokens, found {}", shown(value))
            };
            findings.push((vec![at.clone(), Step::Key(key.clone())], message));
        }
        if !map.contains_key("input") || !map.contains_key("output") {
            findings.push((vec![at], "expected input and output at least".to_owned()));
        }
    }
    Some(findings)
}

/// A path that means the same wherever a process stands, and names a file.
fn is_whole_path(text: &str) -> bool {
    is_line(text) && text.starts_with('/') && !text.ends_with('/')
}

pub(super) fn is_line(text: &str) -> bool {
    !text.chars().any(char::is_control)
}

/// Letters, digits, `-`, `_`, `.`; not starting with a dot, so that no name leaves its directory.
#[must_use]
pub fn is_name(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 64
        && !text.starts_with('.')
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
}

/// Reads `22:00-07:00` as minutes of the day.
#[must_use]
pub fn hours(text: &str) -> Option<(u16, u16)> {
    let minute = |text: &str| {
        let (hour, minute) = text.trim().split_once(':')?;
        let (hour, minute) = (hour.parse::<u16>().ok()?, minute.parse::<u16>().ok()?);
        (hour < 24 && minute < 60).then_some(hour * 60 + minute)
    };
    let (from, to) = text.split_once('-')?;
    Some((minute(from)?, minute(to)?))
}
