//! A field of a record by its path, and what it must be.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::tmux::clean;

/// More tokens than a request can have: a number above says that the field means something else.
const MOST_TOKENS: u64 = 1_000_000_000_000;

/// Longest name of a model, session or folder that is kept, characters.
const LONGEST: usize = 256;

/// The path of a field: keys of objects with dots between them; `\.` is a dot in a key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Field(Vec<String>);

impl Field {
    fn parse(path: &str) -> Result<Self, String> {
        // A key that holds a dot itself has a backslash before it.
        let keys = path.replace("\\.", "\0");
        let keys: Vec<String> = keys.split('.').map(|key| key.replace('\0', ".")).collect();
        match keys.iter().any(String::is_empty) {
            true => Err(format!("`{path}` is no field: give keys with dots between them")),
            false => Ok(Self(keys)),
        }
    }

    /// Whether the object that it is a field of is there.
    #[must_use]
    pub fn has_place(&self, record: &Value, item: Option<&Value>) -> bool {
        let above = Self(self.0[..self.0.len() - 1].to_vec());
        above.0.is_empty() || above.of(record, item).is_some_and(Value::is_object)
    }

    /// The field in a record, and where it begins with `item` in the item; `None` where it is missing or null.
    #[must_use]
    pub fn of<'a>(&self, record: &'a Value, item: Option<&'a Value>) -> Option<&'a Value> {
        let (start, keys) = match (item, self.0.split_first()) {
            (Some(item), Some((first, rest))) if first == "item" => (item, rest),
            _ => (record, self.0.as_slice()),
        };
        keys.iter().try_fold(start, |value, key| value.get(key)).filter(|value| !value.is_null())
    }
}

impl<'de> Deserialize<'de> for Field {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("."))
    }
}

/// A number that stands in one field or in several that are added. Of several such ways the first counts whose object is
/// there; of none there is no number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Amount(pub Vec<Vec<Field>>);

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            One(String),
            Many(Vec<String>),
        }
        let ways = match Written::deserialize(deserializer)? {
            Written::One(way) => vec![way],
            Written::Many(ways) => ways,
        };
        let field = |path: &str| Field::parse(path.trim()).map_err(serde::de::Error::custom);
        let way = |way: &String| way.split(" + ").map(field).collect();
        Ok(Self(ways.iter().map(way).collect::<Result<_, _>>()?))
    }
}

/// What a field must be.
#[derive(Clone, Debug, PartialEq)]
pub enum Wanted {
    /// There, whatever it is.
    Present,
    /// Missing, null or false.
    Absent,
    /// One of these words.
    OneOf(Vec<String>),
    /// A string, or no string.
    Text(bool),
}

impl Wanted {
    /// Whether the field is so.
    #[must_use]
    pub fn holds(&self, found: Option<&Value>) -> bool {
        match self {
            Self::Present => found.is_some_and(|value| *value != Value::Bool(false)),
            Self::Absent => found.is_none_or(|value| *value == Value::Bool(false)),
            Self::Text(wanted) => found.is_some_and(|value| value.is_string() == *wanted),
            Self::OneOf(words) => {
                found.and_then(Value::as_str).is_some_and(|found| words.iter().any(|word| word == found))
            }
        }
    }

    /// Words of which one must stand in the text of a record.
    #[must_use]
    pub fn words(&self) -> &[String] {
        match self {
            Self::OneOf(words) => words,
            Self::Present | Self::Absent | Self::Text(_) => &[],
        }
    }
}

impl<'de> Deserialize<'de> for Wanted {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            There(bool),
            Word(String),
            Words(Vec<String>),
        }
        Ok(match Written::deserialize(deserializer)? {
            Written::There(true) => Self::Present,
            Written::There(false) => Self::Absent,
            Written::Word(word) if word == "(text)" => Self::Text(true),
            Written::Word(word) if word == "(no text)" => Self::Text(false),
            Written::Word(word) => Self::OneOf(vec![word]),
            Written::Words(words) => Self::OneOf(words),
        })
    }
}

/// A number of tokens or minutes.
pub(super) fn count(value: &Value) -> Option<u64> {
    // Some programs write whole numbers as `128000.0`.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole, and in the range")]
    let whole =
        || value.as_f64().filter(|number| number.fract() == 0.0 && (0.0..1e15).contains(number)).map(|n| n as u64);
    value.as_u64().or_else(whole).filter(|count| *count <= MOST_TOKENS)
}

/// RFC 3339, or milliseconds or seconds since 1970: what is below some year 5000 in seconds is seconds.
pub(super) fn time(value: &Value) -> Option<Timestamp> {
    match value {
        Value::String(text) => text.parse().ok(),
        Value::Number(number) => {
            let number = number.as_f64().filter(|number| *number > 0.0)?;
            #[expect(clippy::cast_possible_truncation, reason = "jiff refuses what is out of its range")]
            let ms = if number < 1e11 { number * 1000.0 } else { number } as i64;
            Timestamp::from_millisecond(ms).ok()
        }
        _ => None,
    }
}

pub(super) fn word(text: &str) -> String {
    // Cut first: cleaning a megabyte for a name is waste.
    let text: String = text.chars().take(LONGEST).collect();
    clean(&text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_is_whole_however_it_is_written() {
        for (text, wanted) in [
            ("128000", Some(128_000)),
            ("128000.0", Some(128_000)),
            ("0.5", None),
            ("-1.0", None),
            ("1e300", None),
            ("\"1\"", None),
        ] {
            assert_eq!(count(&serde_json::from_str(text).unwrap()), wanted, "{text}");
        }
    }
}
