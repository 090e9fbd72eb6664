//! Which key does what: the table's keys with the user's changes. A key that would do two things is an error.

use std::collections::{BTreeMap, HashMap};

use crate::app::core::action::{ACTIONS, Action, Entry, Scope};
use crate::app::core::key::{Code, Key, ParseKeyError};
use crate::app::core::nearest::did_you_mean;

/// The user's changes: an action's name to its keys. An empty list takes its keys away.
pub type Overrides = BTreeMap<String, Vec<String>>;

/// Most unknown names that are told of: looking for the ones that were meant takes its time.
const MOST_UNKNOWN: usize = 32;

/// The keys in force.
#[derive(Clone, Debug)]
pub struct Keymap {
    by_key: HashMap<Key, Vec<(Scope, Action)>>,
    by_action: HashMap<Action, Vec<Key>>,
}

/// Why a change of the keys cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeymapError {
    /// The text is no key.
    #[error("keys.{action}: {source}")]
    Key {
        /// Name of the action.
        action: String,
        /// Why.
        source: ParseKeyError,
    },
    /// No action has this name.
    #[error("keys.{name}: no such action{hint}")]
    Action {
        /// What was written.
        name: String,
        /// Which one was most likely meant, in words; may be empty.
        hint: String,
    },
    /// The key is text, or may be: there it must do nothing.
    #[error("keys.{action}: '{key}' {why}; write a key such as f5, ctrl-x or alt-x")]
    Typed {
        /// Name of the action.
        action: String,
        /// The key.
        key: String,
        /// Why it cannot be one, in words.
        why: &'static str,
    },
    /// Two actions ask for the same key.
    #[error("keys: '{key}' is asked for by both '{first}' and '{second}'; give one of them another key")]
    Twice {
        /// The key.
        key: String,
        /// One action.
        first: String,
        /// The other.
        second: String,
    },
}

impl Keymap {
    /// The table's keys with the user's changes.
    ///
    /// # Errors
    /// An unknown action, an unknown key, or a key for two actions. A key that the user gives to one action is taken
    /// from the table's default of another only when the user also gives that other one its keys.
    pub fn new(overrides: &Overrides) -> Result<Self, KeymapError> {
        let (map, problems) = Self::build(overrides);
        problems.into_iter().next().map_or(Ok(map), Err)
    }

    /// All that is wrong with the user's changes.
    #[must_use]
    pub fn problems(overrides: &Overrides) -> Vec<KeymapError> {
        Self::build(overrides).1
    }

    fn build(overrides: &Overrides) -> (Self, Vec<KeymapError>) {
        let unknown = overrides.keys().filter(|name| !ACTIONS.iter().any(|entry| entry.name == name.as_str()));
        let mut problems: Vec<KeymapError> = unknown
            .take(MOST_UNKNOWN)
            .map(|name| {
                let hint = did_you_mean(name, ACTIONS.iter().map(|entry| entry.name));
                KeymapError::Action { name: name.clone(), hint }
            })
            .collect();
        let mut map = Self { by_key: HashMap::new(), by_action: HashMap::new() };
        let mut owners: HashMap<Key, Vec<&Entry>> = HashMap::new();
        for entry in ACTIONS {
            let texts: Vec<&str> = match overrides.get(entry.name) {
                Some(keys) => keys.iter().map(String::as_str).collect(),
                None => entry.keys.to_vec(),
            };
            for text in texts {
                let key: Key = match text.parse() {
                    Ok(key) => key,
                    Err(source) => {
                        problems.push(KeymapError::Key { action: entry.name.to_owned(), source });
                        continue;
                    }
                };
                if let Some(why) = typed(entry, key) {
                    let action = entry.name.to_owned();
                    problems.push(KeymapError::Typed { action, key: key.to_string(), why });
                    continue;
                }
                let owners = owners.entry(key).or_default();
                match owners.iter().find(|other| other.scope.meets(entry.scope)).map(|other| other.name) {
                    None => {
                        owners.push(entry);
                        map.by_key.entry(key).or_default().push((entry.scope, entry.action));
                        map.by_action.entry(entry.action).or_default().push(key);
                    }
                    Some(first) if first == entry.name => {}
                    Some(first) => {
                        // Told where the user asked for it, when only one of the two is the user's.
                        let (first, second) =
                            if overrides.contains_key(entry.name) { (first, entry.name) } else { (entry.name, first) };
                        let (first, second) = (first.to_owned(), second.to_owned());
                        problems.push(KeymapError::Twice { key: key.to_string(), first, second });
                    }
                }
            }
        }
        (map, problems)
    }

    /// What a key does on the panels.
    #[must_use]
    pub fn action(&self, key: Key) -> Option<Action> {
        self.exact(&[Scope::Panels], key)
    }

    /// What a key does where these count, and nothing but this key.
    #[must_use]
    pub(crate) fn action_on(&self, scopes: &[Scope], key: Key) -> Option<Action> {
        self.exact(scopes, key)
    }

    /// What a key does where one of these counts. A named key with Ctrl or Alt that does nothing of its own does what
    /// the key alone does.
    #[must_use]
    pub fn action_in(&self, scopes: &[Scope], key: Key) -> Option<Action> {
        let alone = || match key.code {
            Code::Char(_) => None,
            code => self.exact(scopes, Key::plain(code)),
        };
        self.exact(scopes, key).or_else(alone)
    }

    fn exact(&self, scopes: &[Scope], key: Key) -> Option<Action> {
        let rows = self.by_key.get(&key)?;
        // A key may do one thing here and another there: the first place that is named goes first.
        let in_scope = |scope: &Scope| rows.iter().find(|(other, _)| other == scope);
        scopes.iter().find_map(in_scope).map(|(_, action)| *action)
    }

    /// The keys of an action, the one to show first.
    #[must_use]
    pub fn keys(&self, action: Action) -> &[Key] {
        self.by_action.get(&action).map_or(&[], Vec::as_slice)
    }

    /// The first key of an action as it is shown, or `""`.
    #[must_use]
    pub fn label(&self, action: Action) -> String {
        self.keys(action).first().map(Key::label).unwrap_or_default()
    }
}

/// Why a key cannot be that of an action, when it is one that stands in words.
fn typed(entry: &Entry, key: Key) -> Option<&'static str> {
    match (entry.scope, key.code) {
        _ if !key.is_text() => None,
        (Scope::Text | Scope::Message | Scope::Form, _) => Some("is text where one is typed"),
        // Words that were meant for an agent answer nothing.
        (Scope::Answers, Code::Char(c)) if !c.is_ascii_digit() => Some("would answer when words are typed"),
        _ => None,
    }
}

impl Default for Keymap {
    /// The table as it stands; a test proves that it holds no key twice.
    fn default() -> Self {
        Self::new(&Overrides::new()).unwrap_or_else(|_| Self { by_key: HashMap::new(), by_action: HashMap::new() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn overrides(rows: &[(&str, &[&str])]) -> Overrides {
        rows.iter().map(|(name, keys)| ((*name).to_owned(), keys.iter().map(|k| (*k).to_owned()).collect())).collect()
    }

    #[test]
    fn the_table_holds_no_key_and_no_name_twice() {
        let map = Keymap::new(&Overrides::new()).expect("the table");
        assert!(ACTIONS.iter().all(|entry| !map.keys(entry.action).is_empty()));
        let names: std::collections::HashSet<_> = ACTIONS.iter().map(|entry| entry.name).collect();
        assert_eq!(names.len(), ACTIONS.len());
    }

    #[test]
    fn a_remapped_key_replaces_the_tables() {
        let map = Keymap::new(&overrides(&[("quit", &["Q"]), ("zoom", &["f2", "q"])])).expect("no clash");
        assert_eq!(map.action(Key::char('Q')), Some(Action::Quit));
        assert_eq!(map.action(Key::char('q')), Some(Action::Zoom));
        assert_eq!(map.action(Key::ctrl('c')), None);
        assert_eq!(map.label(Action::Zoom), "f2");
    }

    #[test]
    fn a_key_does_one_thing_in_each_place() {
        let map = Keymap::default();
        let text = [Scope::Message, Scope::Text, Scope::Open];
        assert_eq!(map.action(Key::char('y')), Some(Action::Answer));
        assert_eq!(map.action_in(&[Scope::Question, Scope::Open], Key::char('y')), Some(Action::Confirm));
        assert_eq!(map.action_in(&[Scope::Answers, Scope::Open], Key::char('y')), None);
        assert_eq!(map.action_in(&text, "alt-enter".parse().unwrap()), Some(Action::Newline));
        assert_eq!(map.action_in(&text[1..], "alt-enter".parse().unwrap()), Some(Action::Accept));
        let moved =
            Keymap::new(&overrides(&[("accept", &["f2"]), ("choose-1", &["f2"])])).expect_err("both in the answers");
        assert_eq!(
            moved.to_string(),
            "keys: 'f2' is asked for by both 'accept' and 'choose-1'; give one of them another key"
        );
        let apart =
            Keymap::new(&overrides(&[("mark", &["f2"]), ("confirm", &["f2"]), ("zoom", &["f2"])])).expect("apart");
        assert_eq!(apart.action_in(&[Scope::Recipients, Scope::Open], "f2".parse().unwrap()), Some(Action::Mark));
    }

    #[test]
    fn what_is_typed_can_be_no_key() {
        let of =
            |action, key| Keymap::new(&overrides(&[(action, &[key])])).map(|_| ()).map_err(|error| error.to_string());
        let write = "write a key such as f5, ctrl-x or alt-x";
        assert_eq!(of("newline", "x"), Err(format!("keys.newline: 'x' is text where one is typed; {write}")));
        assert_eq!(of("choose-1", "e"), Err(format!("keys.choose-1: 'e' would answer when words are typed; {write}")));
        assert_eq!((of("choose-1", "0"), of("newline", "ctrl-n")).0, Ok(()));
        assert!(of("newline", "ctrl-n").is_err(), "it is next-item's");
    }

    #[test]
    fn wrong_changes_say_what_and_what_to_do() {
        let twice = Keymap::new(&overrides(&[("zoom", &["q"])])).expect_err("q is quit's");
        assert_eq!(twice.to_string(), "keys: 'q' is asked for by both 'quit' and 'zoom'; give one of them another key");
        let unknown = Keymap::new(&overrides(&[("zom", &["f2"])])).expect_err("no such action");
        assert_eq!(unknown.to_string(), "keys.zom: no such action; did you mean `zoom`?");
        let key = Keymap::new(&overrides(&[("zoom", &["contrl-z"])])).expect_err("no key");
        assert!(key.to_string().starts_with("keys.zoom: 'contrl-z' is no key"), "{key}");
    }
}
