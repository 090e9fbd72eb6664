//! Reads YAML: text to a tree of values. Where each of them stands, [`crate::app::settings::places`] knows.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, EnumAccess, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use crate::yaml::{self, Mistake};

/// A place in a file, both counted from 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Line.
    pub line: usize,
    /// Column in characters.
    pub column: usize,
}

/// The text is not YAML, or uses what settings have no use for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyntaxError {
    /// Where, when the parser could say.
    pub place: Place,
    /// What is wrong there.
    pub message: String,
}

/// One step from a value to a value inside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// The value under a key.
    Key(String),
    /// The entry of a list, from 0.
    Index(usize),
}

impl Step {
    /// The name, when it is one.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Key(name) => Some(name),
            Self::Index(_) => None,
        }
    }
}

/// Deepest nesting of brackets. The parser takes no deeper one, and its time grows with the square of the depth.
const DEEPEST: usize = 100;

/// Reads a whole text as one tree. Empty text is `null`. Duplicate keys, tags and several documents are errors.
pub fn parse(text: &str) -> Result<Value, SyntaxError> {
    if let Some(place) = too_deep(text) {
        let message = format!("more than {DEEPEST} brackets inside each other: settings have a few");
        return Err(SyntaxError { place, message });
    }
    let first = yaml::first(text, Tree).map_err(|error| syntax_error(text, &error))?;
    let Some((tree, more)) = first else { return Ok(Value::Null) };
    if more {
        let line = text.lines().skip(1).position(|line| line.starts_with("---")).map_or(1, |index| index + 2);
        let message = "a second document starts here: settings are one document".to_owned();
        return Err(SyntaxError { place: Place { line, column: 1 }, message });
    }
    Ok(tree)
}

/// Where brackets go deeper than is read. Those in texts and comments count too: what looks like a text here may be
/// none to the parser.
fn too_deep(text: &str) -> Option<Place> {
    let mut depth = 0usize;
    for (line, content) in text.lines().enumerate() {
        for (column, letter) in content.chars().enumerate() {
            match letter {
                '[' | '{' => depth += 1,
                ']' | '}' => depth = depth.saturating_sub(1),
                _ => {}
            }
            if depth > DEEPEST {
                return Some(Place { line: line + 1, column: column + 1 });
            }
        }
    }
    None
}

fn syntax_error(text: &str, error: &Mistake) -> SyntaxError {
    let shown = error.message.clone();
    let Some((line, column)) = error.place else {
        let line = text.lines().count().max(1);
        return SyntaxError { place: Place { line, column: 1 }, message: shown };
    };
    let place = Place { line, column };
    let suffix = format!(" at line {} column {}", place.line, place.column);
    SyntaxError { place, message: shown.replacen(&suffix, "", 1) }
}

/// Builds the tree.
struct Tree;

impl<'de> DeserializeSeed<'de> for Tree {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Tree {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("settings")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        serde_json::Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("not a finite number"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(entry) = entries.next_element_seed(Self)? {
            list.push(entry);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(key) = entries.next_key_seed(Key(&map))? {
            let value = entries.next_value_seed(Self)?;
            map.insert(key, value);
        }
        Ok(Value::Object(map))
    }

    fn visit_enum<A: EnumAccess<'de>>(self, _: A) -> Result<Value, A::Error> {
        Err(A::Error::custom("a tag (`!name`) means nothing in settings"))
    }
}

/// Reads a key as text; raises an error on it when it was seen before.
struct Key<'a>(&'a Map<String, Value>);

impl<'de> DeserializeSeed<'de> for Key<'_> {
    type Value = String;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<String, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Key<'_> {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a setting")
    }

    fn visit_str<E: serde::de::Error>(self, key: &str) -> Result<String, E> {
        if self.0.contains_key(key) {
            return Err(E::custom(format!("`{key}` is set a second time: keep one of them")));
        }
        Ok(key.to_owned())
    }

    fn visit_bool<E: serde::de::Error>(self, key: bool) -> Result<String, E> {
        self.visit_str(&key.to_string())
    }

    fn visit_u64<E: serde::de::Error>(self, key: u64) -> Result<String, E> {
        self.visit_str(&key.to_string())
    }

    fn visit_i64<E: serde::de::Error>(self, key: i64) -> Result<String, E> {
        self.visit_str(&key.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_use_of_a_key_is_told_where_it_stands() {
        let error = parse("a:\n  b: 1\n  c: 2\n  b: 3\n").unwrap_err();
        assert_eq!((error.place.line, error.place.column), (4, 3));
        assert!(error.message.contains("`b` is set a second time"), "{}", error.message);
    }

    #[test]
    fn what_is_nested_without_end_is_refused_at_once() {
        for text in [
            format!("a: {}", "[".repeat(100_000)),
            format!("a: it's\nb: {}", "[".repeat(100_000)),
            "{a: ".repeat(50_000),
            format!("a: \"{}\\\"", "[".repeat(100_000)),
        ] {
            let error = parse(&text).unwrap_err();
            assert!(error.message.contains("brackets inside each other"), "{error:?}");
        }
        parse(&"- ".repeat(100_000)).unwrap_err();
        parse(&"? ".repeat(100_000)).unwrap_err();
        assert!(parse("a: [[[1]], {b: [2]}]").is_ok());
    }

    #[test]
    fn what_is_not_yaml_is_told_with_its_place() {
        for (text, line) in [("a: [1, 2\nb: 3\n", 2), ("a:\n\t- b\n", 2), ("a: 1\n---\nb: 2\n", 2), ("a: !tag x\n", 1)]
        {
            let error = parse(text).unwrap_err();
            assert_eq!(error.place.line, line, "{text:?}: {error:?}");
        }
        assert_eq!(parse(""), Ok(Value::Null));
        assert_eq!(parse("# nothing\n"), Ok(Value::Null));
    }
}
