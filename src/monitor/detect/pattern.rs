//! Patterns and phrases of a profile. A user's are compiled while the file is read, so that a bad one is reported with its
//! line and column.

use std::cell::Cell;
use std::sync::OnceLock;

use regex::Regex;
use regex_syntax::hir::{Look, literal::Extractor};
use serde::{Deserialize, Deserializer, de};

/// A regular expression.
///
/// A user's is compiled while the profile is read, so that a bad one is reported with its place. A built-in one is
/// compiled when it is first needed: most programs never run on a machine, and the first picture must not wait for them.
#[derive(Clone, Debug)]
pub struct Pattern {
    text: String,
    begins: OnceLock<Begins>,
    regex: OnceLock<Option<Regex>>,
}

/// The texts with which every row begins that an anchored pattern matches; `None` for any. And whether these are all
/// that it looks for.
///
/// Most rows are none of what a pattern looks for, and show it in their first characters: that is asked in a tenth of the
/// time, and the regex of a pattern for which no row begins right is never compiled.
type Begins = Option<(Box<[Box<[u8]>]>, bool)>;

/// Most texts that are compared before the regex is asked.
const MOST_BEGINS: usize = 16;

thread_local! {
    /// Whether patterns are compiled while they are read.
    static AT_ONCE: Cell<bool> = const { Cell::new(true) };
}

/// Runs `read`, in which patterns are compiled at once or when first needed.
pub(super) fn compiling<T>(at_once: bool, read: impl FnOnce() -> T) -> T {
    let before = AT_ONCE.replace(at_once);
    let result = read();
    AT_ONCE.set(before);
    result
}

impl Pattern {
    /// Whether it matches somewhere in `text`.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        let regex = || self.regex().is_some_and(|regex| regex.is_match(text));
        match self.begins.get_or_init(|| begins(&self.text)) {
            Some((all, whole)) => all.iter().any(|one| text.as_bytes().starts_with(one)) && (*whole || regex()),
            None => regex(),
        }
    }

    /// The pattern as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The compiled pattern; `None` only for a bad built-in one, which a test finds.
    pub(super) fn regex(&self) -> Option<&Regex> {
        self.regex.get_or_init(|| compile(&self.text).ok()).as_ref()
    }
}

/// Compiles a pattern with digits and the edges of words as ASCII has them.
///
/// For Unicode's the regex crate leaves its fast engine at the first character beyond ASCII (its docs, "Unicode can impact
/// memory usage and search speed"), and every row of a frame has some: such a pattern took thirty times as long. Unicode's digits are 70 ranges, which make a
/// small pattern a large one.
fn compile(text: &str) -> Result<Regex, regex::Error> {
    // A bad one is reported as it was written.
    Regex::new(&ascii(text)).or_else(|_| Regex::new(text))
}

/// What all that the pattern matches begins with, where it matches at the beginning of a row alone.
fn begins(text: &str) -> Begins {
    let pattern = regex_syntax::parse(&ascii(text)).ok()?;
    if !pattern.properties().look_set_prefix().contains(Look::Start) {
        return None;
    }
    let begins = Extractor::new().limit_class(MOST_BEGINS).limit_total(MOST_BEGINS).extract(&pattern);
    // What is looked at between characters, such as the end of the row, is no part of these texts.
    let whole = begins.is_exact() && pattern.properties().look_set().len() == 1;
    let begins: Box<[Box<[u8]>]> = begins.literals()?.iter().map(|one| one.as_bytes().into()).collect();
    begins.iter().all(|one| !one.is_empty()).then_some((begins, whole))
}

/// The pattern with each `\b` as `(?-u:\b)` and each `\d` as `[0-9]`, which may stand in brackets too.
fn ascii(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match (c, rest.peek()) {
            ('\\', Some('b')) => {
                rest.next();
                // `\b{start}` is another assertion.
                out.push_str(if rest.peek() == Some(&'{') { r"\b" } else { r"(?-u:\b)" });
            }
            ('\\', Some('d')) => {
                rest.next();
                out.push_str("[0-9]");
            }
            ('\\', Some(&escaped)) => {
                rest.next();
                out.extend([c, escaped]);
            }
            _ => out.push(c),
        }
    }
    out
}

impl<'de> Deserialize<'de> for Pattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let pattern =
            Self { text: String::deserialize(deserializer)?, begins: OnceLock::new(), regex: OnceLock::new() };
        if AT_ONCE.get() {
            let regex = compile(&pattern.text).map_err(|e| {
                // regex draws the place with a caret over several lines; its last line is the reason.
                let reason = e.to_string();
                let reason = reason.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
                de::Error::custom(format!("bad pattern `{}`: {reason}", pattern.text))
            })?;
            let _ = pattern.regex.set(Some(regex));
        }
        Ok(pattern)
    }
}

/// A phrase, compared without its spaces: so it is found however the program wraps it.
#[derive(Clone, Debug)]
pub struct Phrase {
    /// As written.
    pub text: String,
    pub(super) squeezed: String,
}

impl<'de> Deserialize<'de> for Phrase {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let squeezed = crate::monitor::detect::view::squeeze([text.as_str()]);
        if squeezed.len() < 3 {
            return Err(de::Error::custom(format!("phrase `{text}` is too short to mean anything")));
        }
        Ok(Self { text, squeezed })
    }
}

pub(super) fn one_or_many<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Vec<T>, D::Error> {
    // An untagged enum would hide the inner error (and its reason), so the choice is made by hand.
    struct Visitor<T>(std::marker::PhantomData<T>);
    impl<'de, T: Deserialize<'de>> de::Visitor<'de> for Visitor<T> {
        type Value = Vec<T>;
        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("one text or a list of them")
        }
        fn visit_str<E: de::Error>(self, v: &str) -> Result<Self::Value, E> {
            T::deserialize(de::value::StrDeserializer::new(v)).map(|one| vec![one])
        }
        fn visit_seq<A: de::SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
            let mut all = Vec::new();
            while let Some(item) = seq.next_element()? {
                all.push(item);
            }
            Ok(all)
        }
    }
    deserializer.deserialize_any(Visitor(std::marker::PhantomData))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_that_begins_otherwise_is_known_without_the_regex() {
        let told = |text: &str| {
            let (begins, whole) = begins(text)?;
            Some((begins.iter().map(|one| String::from_utf8_lossy(one).into_owned()).collect::<Vec<_>>(), whole))
        };
        assert_eq!(told("^─{3,}$"), Some((vec!["───".to_owned()], false)));
        assert_eq!(told("^│$"), Some((vec!["│".to_owned()], false)), "the end of the row counts too");
        assert_eq!(told("^[│├]").map(|(_, whole)| whole), Some(true));
        let (mut marks, whole) = told("^ ?[●○] x").unwrap();
        assert!(whole);
        marks.sort();
        assert_eq!(marks, [" ○ x", " ● x", "○ x", "● x"]);
        for any in ["─{3,}", "^a|b", "^ *", "^(?:a|$)", "(?m)^a", r"^\w", "^"] {
            assert_eq!(told(any), None, "{any}");
        }
    }

    #[test]
    fn words_end_and_digits_are_as_ascii_has_them() {
        assert_eq!(ascii(r"\bYes\b"), r"(?-u:\b)Yes(?-u:\b)");
        assert_eq!(ascii(r"a\\b \D\b{end}"), r"a\\b \D\b{end}", "a backslash, another assertion");
        assert!(compile(r"^[^\d.][\d.]+-\d$").unwrap().is_match("x1.2-3"));
        let pattern = compile(r"^│ \d\. (?:Yes|No)\b").unwrap();
        assert!(
            pattern.is_match("│ 1. Yes, and") && pattern.is_match("│ 2. No │") && !pattern.is_match("│ 3. Nothing")
        );
        let bad = compile(r"\b(").unwrap_err().to_string();
        assert!(bad.contains(r"\b(") && !bad.contains("-u"), "{bad}");
    }
}
