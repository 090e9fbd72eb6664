//! The words that may be labels: a closed set, whatever a pane, a file or another machine says.

use std::collections::BTreeSet;

use crate::monitor::facts::profiles;

/// What stands for a word that is none of the set.
pub(super) const OTHER: &str = "other";

/// Longest name of a server as a label, characters.
const LONGEST_SERVER: usize = 64;

/// The names of programs that may be labels: those of the profiles.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Words(BTreeSet<String>);

impl Words {
    /// The names of these programs.
    #[must_use]
    pub fn of(names: impl IntoIterator<Item = String>) -> Self {
        Self(names.into_iter().filter(|name| is_word(name)).collect())
    }

    /// Those of the profiles that come with the program, and of the user's in this folder. Profiles that cannot be read are
    /// left out: whoever watches says what is wrong with them.
    #[must_use]
    pub fn load(dir: Option<&std::path::Path>) -> Self {
        let profiles = profiles::load(dir).or_else(|_| profiles::load(None));
        Self::of(profiles.iter().flat_map(|all| all.list()).map(|profile| profile.name.clone()))
    }

    /// The program's label.
    #[must_use]
    pub(super) fn program<'p>(&self, name: &'p str) -> &'p str {
        if self.0.contains(name) { name } else { OTHER }
    }
}

/// A short name of small letters, digits and the signs between them.
#[must_use]
pub(super) fn is_word(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_.".contains(&byte);
    (1..=32).contains(&text.len()) && text.bytes().all(fits)
}

/// What a wait is for, as a label: the kinds of the profiles, which a user's own may name otherwise.
#[must_use]
pub(super) fn wait_kind(kind: Option<&str>) -> &'static str {
    match kind {
        Some("permission") => "permission",
        Some("question") => "question",
        Some("trust") => "trust",
        Some("login") => "login",
        _ => OTHER,
    }
}

/// A version as a label: digits and points, and what tmux and ours have behind them (`3.3a`, `3.6-rc`).
#[must_use]
pub(super) fn version(text: &str) -> &str {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b".-+".contains(&byte);
    let is_one = text.len() <= 24 && text.starts_with(|c: char| c.is_ascii_digit()) && text.bytes().all(fits);
    if is_one { text } else { OTHER }
}

/// A server's name as a label.
#[must_use]
pub(super) fn server(name: &str) -> String {
    let shown = |c: char| if c.is_control() { '?' } else { c };
    crate::tmux::clean(name).chars().map(shown).take(LONGEST_SERVER).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_words_of_the_set_are_labels() {
        let words = Words::of(["claude".to_owned(), "My Secret".to_owned()]);
        assert_eq!(
            [words.program("claude"), words.program("My Secret"), words.program("rm -rf")],
            ["claude", OTHER, OTHER]
        );
        assert_eq!(
            [wait_kind(Some("permission")), wait_kind(Some("ship it?")), wait_kind(None)],
            ["permission", OTHER, OTHER]
        );
        assert_eq!(
            [version("3.3a"), version("3.6-rc"), version("next-3.7"), version("1 2")],
            ["3.3a", "3.6-rc", OTHER, OTHER]
        );
        assert!(Words::load(None).program("claude") == "claude");
    }
}
