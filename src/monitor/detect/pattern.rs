//! Patterns and phrases of a profile. A user's are compiled while the file is read, so that a bad one is reported with its
//! line and column.

use std::borrow::Cow;
use std::cell::Cell;
use std::sync::OnceLock;

use memchr::memmem::Finder;
use regex::Regex;
use serde::{Deserialize, Deserializer, de};

use crate::monitor::detect::least::{Least, Sign};

/// A regular expression.
///
/// A user's is compiled while the profile is read, so that a bad one is reported with its place. A built-in one is
/// compiled when it is first needed: most programs never run on a machine, and the first picture must not wait for them.
///
/// Boxed: a profile has room for several times as many as it has.
#[derive(Clone, Debug)]
pub struct Pattern(Box<Parts>);

#[derive(Clone, Debug)]
struct Parts {
    text: String,
    least: OnceLock<Box<Least>>,
    regex: OnceLock<Option<Regex>>,
}

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
        self.fits(text, None)
    }

    /// Whether it matches somewhere in a row of which the first sign may be known. The regex of a pattern that no row comes
    /// near is never compiled.
    pub(super) fn fits(&self, row: &str, sign: Option<&Sign>) -> bool {
        match self.least().of_row(row, sign) {
            Some(whole) => whole || self.regex().is_some_and(|regex| regex.is_match(row)),
            None => false,
        }
    }

    /// The row as groups are to be looked for in it.
    pub(super) fn shortened<'r>(&self, row: &'r str) -> Cow<'r, str> {
        self.least().shortened(row)
    }

    fn least(&self) -> &Least {
        self.0.least.get_or_init(|| Box::new(Least::of(&ascii(&self.0.text))))
    }

    /// The pattern as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0.text
    }

    /// The compiled pattern; `None` only for a bad built-in one, which a test finds.
    pub(super) fn regex(&self) -> Option<&Regex> {
        self.0.regex.get_or_init(|| compile(&self.0.text).ok()).as_ref()
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
        let text = String::deserialize(deserializer)?;
        let pattern = Self(Box::new(Parts { text, least: OnceLock::new(), regex: OnceLock::new() }));
        if AT_ONCE.get() {
            let regex = compile(&pattern.0.text).map_err(|e| {
                // regex draws the place with a caret over several lines; its last line is the reason.
                let reason = e.to_string();
                let reason = reason.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
                de::Error::custom(format!("bad pattern `{}`: {reason}", pattern.0.text))
            })?;
            let _ = pattern.0.regex.set(Some(regex));
        }
        Ok(pattern)
    }
}

/// A phrase, compared without its spaces: so it is found however the program wraps it.
#[derive(Clone, Debug)]
pub struct Phrase {
    /// As written.
    pub text: String,
    pub(super) finder: Finder<'static>,
    /// The first characters of it without spaces: a row that has them may be its first.
    pub(super) begin: String,
}

impl<'de> Deserialize<'de> for Phrase {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let squeezed = crate::monitor::detect::view::squeeze(&text);
        if squeezed.len() < 3 {
            return Err(de::Error::custom(format!("phrase `{text}` is too short to mean anything")));
        }
        let begin = squeezed.chars().take(8).collect();
        Ok(Self { text, finder: Finder::new(&squeezed).into_owned(), begin })
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
