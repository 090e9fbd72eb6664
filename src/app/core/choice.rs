//! What an answer of a prompt means beyond this once, as its own words say it.

use std::ops::Range;

/// How far an answer reaches, as far as its words say it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Till the program ends.
    Session,
    /// Longer than this once; how long, its words tell or leave open.
    Beyond,
}

impl Reach {
    /// In words.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Session => "for this session",
            Self::Beyond => "beyond this once",
        }
    }
}

/// Words that say so, in small letters.
const SAYS: &[&str] = &[
    "don't ask again",
    "don’t ask again",
    "do not ask again",
    "never ask again",
    "never show again",
    "always",
    "allow all",
    "switch to auto",
    "switch to accept",
    "remember",
    "permanent",
    "as my default",
    "for this session",
    "for this sessi",
    "during this session",
    "for remainder of this session",
    "for the rest of this session",
    "this session only",
    "for future sessions",
    "auto low",
];

/// The part of an answer that says what it means beyond this once, from its first word on, and how far that reaches. An
/// answer that refuses means nothing beyond.
#[must_use]
pub fn beyond(label: &str) -> Option<(Range<usize>, Reach)> {
    let small = label.to_ascii_lowercase();
    let refuses = ["no,", "no ", "reject", "deny", "cancel"].iter().any(|word| small.starts_with(word));
    if refuses && !small.contains("again") && !small.contains("always") {
        return None;
    }
    let from = SAYS.iter().filter_map(|words| small.find(words)).min()?;
    let session = small.contains("session") && !small.contains("future sessions");
    Some((from..label.len(), if session { Reach::Session } else { Reach::Beyond }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lasts_is_told_by_the_words_of_the_answer() {
        let said = |label: &'static str| beyond(label).map(|(bytes, reach)| (&label[bytes], reach));
        assert_eq!(said("Yes, and don't ask again for `npm *`"), Some(("don't ask again for `npm *`", Reach::Beyond)));
        assert_eq!(
            said("Yes, allow all edits during this session (shift+tab)"),
            Some(("allow all edits during this session (shift+tab)", Reach::Session))
        );
        assert_eq!(said("Allow for this session"), Some(("for this session", Reach::Session)));
        assert_eq!(
            said("Always allow run 'touch *' commands in this project"),
            Some(("Always allow run 'touch *' commands in this project", Reach::Beyond))
        );
        assert_eq!(
            said("Yes, and remember this folder for future sessions"),
            Some(("remember this folder for future sessions", Reach::Beyond))
        );
        assert_eq!(said("Keep current model (never show again)"), Some(("never show again)", Reach::Beyond)));
        for once in [
            "Yes",
            "Allow once",
            "No, suggest changes",
            "Reject",
            "No, keep manual mode",
            "PostgreSQL",
            "",
            "Trust folder",
        ] {
            assert_eq!(said(once), None, "{once}");
        }
    }
}
