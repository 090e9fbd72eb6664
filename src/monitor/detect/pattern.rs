//! Patterns and phrases of a profile. A user's are compiled while the file is read, so that a bad one is reported with its
//! line and column.

use std::cell::Cell;
use std::sync::OnceLock;

use regex::Regex;
use serde::{Deserialize, Deserializer, de};

/// A regular expression.
///
/// A user's is compiled while the profile is read, so that a bad one is reported with its place. A built-in one is
/// compiled when it is first needed: most programs never run on a machine, and the first picture must not wait for them.
#[derive(Clone, Debug)]
pub struct Pattern {
    text: String,
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
        self.regex().is_some_and(|regex| regex.is_match(text))
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

/// Compiles a pattern with the edges of words as ASCII has them.
///
/// For Unicode's the regex crate leaves its fast engine at the first character beyond ASCII (its docs, "Unicode can impact
/// memory usage and search speed"), and every row of a frame has some: such a pattern took thirty times as long.
fn compile(text: &str) -> Result<Regex, regex::Error> {
    // A bad one is reported as it was written.
    Regex::new(&ascii_edges(text)).or_else(|_| Regex::new(text))
}

/// The pattern with each `\b` as `(?-u:\b)`.
fn ascii_edges(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match (c, rest.peek()) {
            ('\\', Some('b')) => {
                rest.next();
                // `\b{start}` is another assertion.
                out.push_str(if rest.peek() == Some(&'{') { r"\b" } else { r"(?-u:\b)" });
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
        let pattern = Self { text: String::deserialize(deserializer)?, regex: OnceLock::new() };
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
    fn words_end_as_ascii_has_them() {
        assert_eq!(ascii_edges(r"\bYes\b"), r"(?-u:\b)Yes(?-u:\b)");
        assert_eq!(ascii_edges(r"a\\b \d\b{end}"), r"a\\b \d\b{end}", "a backslash, another assertion");
        let pattern = compile(r"^│ \d\. (?:Yes|No)\b").unwrap();
        assert!(
            pattern.is_match("│ 1. Yes, and") && pattern.is_match("│ 2. No │") && !pattern.is_match("│ 3. Nothing")
        );
        let bad = compile(r"\b(").unwrap_err().to_string();
        assert!(bad.contains(r"\b(") && !bad.contains("-u"), "{bad}");
    }
}
