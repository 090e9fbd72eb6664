//! Reads YAML. The one file that knows `serde_yaml`, which its author has archived: whatever takes its place is a change here
//! alone. `build.rs` reads the profiles with it too.

use std::fmt;

use serde::de::{Deserialize, DeserializeOwned, DeserializeSeed};

/// The text is not YAML, or not what was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// Line and column, both counted from 1, where the parser could say.
    pub place: Option<(usize, usize)>,
    /// What is wrong. Places are part of the words.
    pub message: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Mistake {}

impl From<serde_yaml::Error> for Mistake {
    fn from(error: serde_yaml::Error) -> Self {
        let place = error.location().map(|at| (at.line(), at.column()));
        Self { place, message: error.to_string() }
    }
}

/// Reads a text as a value.
pub fn read<T: DeserializeOwned>(text: &str) -> Result<T, Mistake> {
    Ok(serde_yaml::from_str(text)?)
}

/// Reads the first document of a text, and says whether another one follows. `None`: the text has none.
pub fn first<'de, S: DeserializeSeed<'de>>(text: &'de str, seed: S) -> Result<Option<(S::Value, bool)>, Mistake> {
    let mut documents = serde_yaml::Deserializer::from_str(text);
    let Some(document) = documents.next() else { return Ok(None) };
    let value = seed.deserialize(document)?;
    Ok(Some((value, documents.next().is_some())))
}

/// The same as JSON, its keys in the same order.
pub fn to_json(text: &str) -> Result<String, Mistake> {
    let value = serde_yaml::Value::deserialize(serde_yaml::Deserializer::from_str(text))?;
    serde_json::to_string(&value).map_err(|error| Mistake { place: None, message: error.to_string() })
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, marker::PhantomData};

    use super::*;

    #[test]
    fn a_mistake_has_its_place_and_its_words() {
        let mistake = read::<BTreeMap<String, u8>>("a: 1\nb: many\n").unwrap_err();
        assert_eq!(mistake.place, Some((2, 4)));
        assert!(mistake.to_string().contains("many"), "{mistake}");
        assert_eq!(read::<BTreeMap<String, u8>>("a: 1\nb: 2\n").unwrap().len(), 2);
    }

    #[test]
    fn documents_are_counted() {
        let first = |text| first::<PhantomData<Option<u8>>>(text, PhantomData).unwrap();
        assert_eq!((first("1"), first("1\n---\n2")), (Some((Some(1), false)), Some((Some(1), true))));
        assert!(first("").is_none_or(|(value, more)| value.is_none() && !more), "nothing is no value");
    }

    #[test]
    fn keys_keep_their_order_as_json() {
        assert_eq!(to_json("b: [1, x]\na:\n  d: true\n  c: ~\n").unwrap(), r#"{"b":[1,"x"],"a":{"d":true,"c":null}}"#);
        assert!(to_json("a: [").is_err());
    }
}
