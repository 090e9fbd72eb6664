//! Where every key and value of a YAML text stands, found in one pass over it.
//!
//! [`crate::yaml`] tells a place only with an error. This reads the events of another parser, which carry their places, and
//! takes nothing else from it: what a value is, [`crate::app::settings::yaml::parse`] says.

use std::collections::HashMap;

use saphyr_parser::{Event, Marker, Parser};

use crate::app::settings::yaml::{Place, Step};

/// Deepest nesting that is followed; settings have five levels.
const DEEPEST: usize = 64;

/// The places of a text. Of a text that is no YAML there are none.
#[derive(Debug, Default)]
pub struct Places(Option<Node>);

#[derive(Debug)]
struct Node {
    key: Option<Place>,
    value: Place,
    inside: Inside,
}

#[derive(Debug)]
enum Inside {
    Nothing,
    Map { entries: HashMap<String, Node>, key: Option<(String, Place)> },
    List(Vec<Node>),
}

impl Places {
    /// Finds them.
    #[must_use]
    pub fn of(text: &str) -> Self {
        Self(root(text))
    }

    /// The place where the value at `path` starts; of the nearest one around it when that cannot be said.
    #[must_use]
    pub fn value(&self, path: &[Step]) -> Option<Place> {
        self.find(path).map(|node| node.value)
    }

    /// The place of the last key in `path` (of the value, when the last step is an index).
    #[must_use]
    pub fn key(&self, path: &[Step]) -> Option<Place> {
        self.find(path).map(|node| node.key.unwrap_or(node.value))
    }

    fn find(&self, path: &[Step]) -> Option<&Node> {
        let mut node = self.0.as_ref()?;
        for step in path {
            let inner = match (step, &node.inside) {
                (Step::Key(name), Inside::Map { entries, .. }) => entries.get(name),
                (Step::Index(index), Inside::List(entries)) => entries.get(*index),
                _ => None,
            };
            match inner {
                Some(inner) => node = inner,
                None => break,
            }
        }
        Some(node)
    }
}

fn root(text: &str) -> Option<Node> {
    let mut open: Vec<Node> = Vec::new();
    for event in Parser::new_from_str(text) {
        let (event, span) = event.ok()?;
        let value = place(span.start);
        let new = |inside| Node { key: None, value, inside };
        let (done, name) = match event {
            Event::Scalar(text, ..) => (new(Inside::Nothing), text.into_owned()),
            Event::Alias(_) => (new(Inside::Nothing), String::new()),
            Event::SequenceStart(..) | Event::MappingStart(..) => {
                let list = matches!(event, Event::SequenceStart(..));
                open.push(new(if list {
                    Inside::List(Vec::new())
                } else {
                    Inside::Map { entries: HashMap::new(), key: None }
                }));
                if open.len() > DEEPEST {
                    return None;
                }
                continue;
            }
            Event::SequenceEnd | Event::MappingEnd => (open.pop()?, String::new()),
            _ => continue,
        };
        match open.last_mut() {
            None => return Some(done),
            Some(around) => around.take(done, name),
        }
    }
    None
}

impl Node {
    /// Takes in what was read inside; in a map a key and its value come in turns.
    fn take(&mut self, mut done: Self, name: String) {
        match &mut self.inside {
            Inside::Nothing => {}
            Inside::List(entries) => entries.push(done),
            Inside::Map { entries, key } => match key.take() {
                None => *key = Some((name, done.value)),
                Some((name, at)) => {
                    done.key = Some(at);
                    entries.insert(name, done);
                }
            },
        }
    }
}

fn place(mark: Marker) -> Place {
    Place { line: mark.line(), column: mark.col() + 1 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> Vec<Step> {
        text.split('.').map(|s| s.parse().map_or_else(|_| Step::Key(s.to_owned()), Step::Index)).collect()
    }

    const TEXT: &str = "# comment\nmonitoring:\n  check_interval: 1\n  async:\n    pool: { min_size: 5, max_size: 20 }\nlist:\n  - a: 1\n  - b: x\n  - &c { d: [] }\n  - *c\n";

    #[test]
    fn every_key_and_value_has_its_place() {
        let places = Places::of(TEXT);
        let value = |of: &str| places.value(&path(of)).map(|p| (p.line, p.column));
        let key = |of: &str| places.key(&path(of)).map(|p| (p.line, p.column));
        assert_eq!(value("monitoring.check_interval"), Some((3, 19)));
        assert_eq!(key("monitoring.check_interval"), Some((3, 3)));
        assert_eq!(value("monitoring.async.pool.max_size"), Some((5, 36)));
        assert_eq!(key("monitoring.async.pool.max_size"), Some((5, 26)));
        assert_eq!(value("monitoring.async.pool"), Some((5, 11)));
        assert_eq!(key("monitoring.async.pool"), Some((5, 5)));
        assert_eq!(value("list.1.b"), Some((8, 8)));
        assert_eq!(value("list.2.d"), Some((9, 13)));
        assert_eq!(value("list.3.d"), Some((10, 5)), "what an alias stands for is where the alias is");
        assert_eq!(value("list.9"), Some((7, 3)), "what is not there: the value around it");
    }
}
