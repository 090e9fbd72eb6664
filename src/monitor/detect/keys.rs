//! The keys of a profile: what picks an answer, stops a turn, sends off a message.

use std::time::Duration;

use serde::{Deserialize, Deserializer, de};

/// Keys without a letter, by tmux's names.
const NAMED: &[&str] = &[
    "Enter", "Escape", "Tab", "BTab", "Space", "BSpace", "Up", "Down", "Left", "Right", "Home", "End", "PageUp",
    "PPage", "PgUp", "PageDown", "NPage", "PgDn", "IC", "Insert", "DC", "Delete", "F1", "F2", "F3", "F4", "F5", "F6",
    "F7", "F8", "F9", "F10", "F11", "F12",
];

/// A key by tmux's name: `Enter`, `C-c`, `M-Left`, `y`.
///
/// It is checked while the profile is read: tmux would type a name that it does not know, letter by letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyName(String);

impl KeyName {
    /// A key by its name.
    ///
    /// # Errors
    /// When there is no such key, in words for the one who wrote it.
    pub fn new(name: &str) -> Result<Self, String> {
        let mut bare = name;
        while let Some((modifier, rest)) = bare.split_once('-')
            && matches!(modifier, "C" | "M" | "S")
            && !rest.is_empty()
        {
            bare = rest;
        }
        let one = bare.chars().count() == 1 && !bare.contains(|c: char| c.is_control() || c.is_whitespace());
        if one || NAMED.contains(&bare) {
            return Ok(Self(name.to_owned()));
        }
        Err(format!(
            "there is no key `{name}`, expected one letter or {} and the like, with C-, M- or S- before it if need be",
            NAMED[..4].join(", ")
        ))
    }

    /// Its name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for KeyName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(&String::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

/// Keys as a profile writes them: one or several, at least one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyList(pub Vec<KeyName>);

impl<'de> Deserialize<'de> for KeyList {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let keys: Vec<KeyName> = crate::monitor::detect::pattern::one_or_many(deserializer)?;
        if keys.is_empty() {
            return Err(de::Error::custom("no key is given, expected at least one"));
        }
        Ok(Self(keys))
    }
}

/// The keys that mean the same in every state of a program. What is not given is as most programs have it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Keys {
    /// Stops the turn that runs; `Escape` if not given.
    #[serde(default)]
    pub interrupt: Option<KeyList>,
    /// Sends off what was written; `Enter` if not given.
    #[serde(default)]
    pub submit: Option<KeyList>,
    /// Begins a new line in what is written; without it several lines are sent only where tmux tells that the program
    /// takes a paste in brackets.
    #[serde(default)]
    pub newline: Option<KeyList>,
    /// Milliseconds between two keys of one answer or interrupt; 0 if not given, which is all at once.
    #[serde(default)]
    pub pause_ms: Option<u16>,
}

impl Keys {
    /// What stops a turn.
    #[must_use]
    pub fn interrupt(&self) -> Vec<String> {
        names(self.interrupt.as_ref(), "Escape")
    }

    /// What sends off a message.
    #[must_use]
    pub fn submit(&self) -> Vec<String> {
        names(self.submit.as_ref(), "Enter")
    }

    /// What begins a new line of a message, if that is known.
    #[must_use]
    pub fn newline(&self) -> Option<Vec<String>> {
        self.newline.as_ref().map(|keys| keys.0.iter().map(|key| key.0.clone()).collect())
    }

    /// Time between two keys: some programs take keys that come together for something else.
    #[must_use]
    pub fn pause(&self) -> Duration {
        Duration::from_millis(self.pause_ms.unwrap_or(0).into())
    }

    /// Puts what a user's profile says in the place of what is here.
    pub(super) fn extend(&mut self, user: Self) {
        self.interrupt = user.interrupt.or(self.interrupt.take());
        self.submit = user.submit.or(self.submit.take());
        self.newline = user.newline.or(self.newline.take());
        self.pause_ms = user.pause_ms.or(self.pause_ms);
    }
}

fn names(given: Option<&KeyList>, default: &str) -> Vec<String> {
    given.map_or_else(|| vec![default.to_owned()], |keys| keys.0.iter().map(|key| key.0.clone()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_have_tmuxs_names() {
        for good in ["Enter", "y", "é", "C-c", "M-Left", "C-M-x", "-", "C--", "F12", "1"] {
            assert!(KeyName::new(good).is_ok(), "{good}");
        }
        for bad in ["", "Escpae", "esc", "C-", "ctrl-c", "yes", " ", "F13", "\u{1b}"] {
            assert!(KeyName::new(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn what_is_not_given_is_as_most_programs_have_it() {
        let read = |text: &str| crate::yaml::read::<Keys>(text);
        let none = read("{}").unwrap();
        assert_eq!(
            (none.interrupt(), none.submit(), none.pause()),
            (vec!["Escape".into()], vec!["Enter".into()], Duration::ZERO)
        );
        let mut some = read("interrupt: [Escape, Escape]\nsubmit: C-s\npause_ms: 50").unwrap();
        assert_eq!((some.interrupt().len(), some.submit()), (2, vec!["C-s".to_owned()]));
        some.extend(read("interrupt: C-c").unwrap());
        assert_eq!((some.interrupt(), some.submit()), (vec!["C-c".to_owned()], vec!["C-s".to_owned()]));
        assert_eq!(some.pause(), Duration::from_millis(50));
        for bad in ["interrupt: []", "interrupt: Escpae", "submit: [Enter, foo]", "intrerupt: C-c", "pause_ms: -1"] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}
