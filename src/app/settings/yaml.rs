//! The only file that reads YAML: text to a tree of values, and the place of any key or value in the text.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, EnumAccess, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

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

/// Reads a whole text as one tree. Empty text is `null`. Duplicate keys, tags and several documents are errors.
pub fn parse(text: &str) -> Result<Value, SyntaxError> {
    let mut documents = serde_yaml::Deserializer::from_str(text);
    let Some(first) = documents.next() else { return Ok(Value::Null) };
    let tree = Tree.deserialize(first).map_err(|error| syntax_error(text, &error))?;
    if documents.next().is_some() {
        let line = text.lines().skip(1).position(|line| line.starts_with("---")).map_or(1, |index| index + 2);
        let message = "a second document starts here: settings are one document".to_owned();
        return Err(SyntaxError { place: Place { line, column: 1 }, message });
    }
    Ok(tree)
}

/// The place where the value at `path` starts.
pub fn place_of_value(text: &str, path: &[Step]) -> Option<Place> {
    place(text, path, false)
}

/// The place of the last key in `path` (of the value, when the last step is an index).
pub fn place_of_key(text: &str, path: &[Step]) -> Option<Place> {
    place(text, path, true)
}

/// The parser tells the place of an error that is raised while it stands on a value: so one is raised there.
fn place(text: &str, path: &[Step], of_key: bool) -> Option<Place> {
    let document = serde_yaml::Deserializer::from_str(text).next()?;
    let error = Locate { path, of_key }.deserialize(document).err()?;
    error.location().map(|at| Place { line: at.line(), column: at.column() })
}

fn syntax_error(text: &str, error: &serde_yaml::Error) -> SyntaxError {
    let shown = error.to_string();
    let Some(at) = error.location() else {
        let line = text.lines().count().max(1);
        return SyntaxError { place: Place { line, column: 1 }, message: shown };
    };
    let place = Place { line: at.line(), column: at.column() };
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
        while let Some(key) = entries.next_key_seed(Key { seen: Some(&map), wanted: None })? {
            let value = entries.next_value_seed(Self)?;
            map.insert(key, value);
        }
        Ok(Value::Object(map))
    }

    fn visit_enum<A: EnumAccess<'de>>(self, _: A) -> Result<Value, A::Error> {
        Err(A::Error::custom("a tag (`!name`) means nothing in settings"))
    }
}

/// Reads a key as text; raises an error on it when it was seen before, or when its place is wanted.
struct Key<'a> {
    seen: Option<&'a Map<String, Value>>,
    wanted: Option<&'a str>,
}

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
        if self.wanted == Some(key) {
            return Err(E::custom("here"));
        }
        if self.seen.is_some_and(|seen| seen.contains_key(key)) {
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

/// Walks to one place and raises an error there.
struct Locate<'a> {
    path: &'a [Step],
    of_key: bool,
}

impl<'de> DeserializeSeed<'de> for Locate<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Locate<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("another place")
    }

    // Scalars need no method of their own: a visitor without one for the type at hand fails, which is what is wanted.

    fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        let Some((Step::Index(wanted), rest)) = self.path.split_first() else { return Err(A::Error::custom("here")) };
        for _ in 0..*wanted {
            entries.next_element::<IgnoredAny>()?;
        }
        entries.next_element_seed(Locate { path: rest, of_key: self.of_key })?;
        Err(A::Error::custom("here"))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        let Some((Step::Key(wanted), rest)) = self.path.split_first() else { return Err(A::Error::custom("here")) };
        let raise = if self.of_key && rest.is_empty() { Some(wanted.as_str()) } else { None };
        while let Some(key) = entries.next_key_seed(Key { seen: None, wanted: raise })? {
            if key == *wanted {
                entries.next_value_seed(Locate { path: rest, of_key: self.of_key })?;
            } else {
                entries.next_value::<IgnoredAny>()?;
            }
        }
        Err(A::Error::custom("here"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> Vec<Step> {
        text.split('.').map(|s| s.parse().map_or_else(|_| Step::Key(s.to_owned()), Step::Index)).collect()
    }

    const TEXT: &str = "# comment\nmonitoring:\n  check_interval: 1\n  async:\n    pool: { min_size: 5, max_size: 20 }\nlist:\n  - a: 1\n  - b: x\n";

    #[test]
    fn every_key_and_value_has_its_place() {
        let at = |found: Option<Place>| found.map(|p| (p.line, p.column));
        assert_eq!(at(place_of_value(TEXT, &path("monitoring.check_interval"))), Some((3, 19)));
        assert_eq!(at(place_of_key(TEXT, &path("monitoring.check_interval"))), Some((3, 3)));
        assert_eq!(at(place_of_value(TEXT, &path("monitoring.async.pool.max_size"))), Some((5, 36)));
        assert_eq!(at(place_of_key(TEXT, &path("monitoring.async.pool.max_size"))), Some((5, 26)));
        assert_eq!(at(place_of_value(TEXT, &path("list.1.b"))), Some((8, 8)));
        assert_eq!(at(place_of_key(TEXT, &path("monitoring.async.pool"))), Some((5, 5)));
    }

    #[test]
    fn a_second_use_of_a_key_is_told_where_it_stands() {
        let error = parse("a:\n  b: 1\n  c: 2\n  b: 3\n").unwrap_err();
        assert_eq!((error.place.line, error.place.column), (4, 3));
        assert!(error.message.contains("`b` is set a second time"), "{}", error.message);
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
