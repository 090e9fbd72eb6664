//! Words of another version: one that is not known here costs that word and nothing else of a snapshot.

use serde::{Deserialize, Deserializer, de::Error};
use serde_json::Value;

use crate::monitor::snapshot::event::EventKind;
use crate::monitor::snapshot::server::ServerStatus;
use crate::monitor::snapshot::state::{AgentState, Health, Source};

/// The state of which nothing is said.
pub(crate) fn unknown() -> AgentState {
    AgentState::Unknown
}

fn word<'de, D: Deserializer<'de>, T: Deserialize<'de>>(from: D, otherwise: T) -> Result<T, D::Error> {
    use serde::de::value::StringDeserializer;
    let said = String::deserialize(from)?;
    let known: Result<T, serde::de::value::Error> = T::deserialize(StringDeserializer::new(said));
    Ok(known.unwrap_or(otherwise))
}

/// A state; one that is not known is `unknown`, said so.
pub(crate) fn state<'de, D: Deserializer<'de>>(from: D) -> Result<AgentState, D::Error> {
    word(from, AgentState::Unknown)
}

/// How well an agent can be watched.
pub(crate) fn health<'de, D: Deserializer<'de>>(from: D) -> Result<Health, D::Error> {
    word(from, Health::default())
}

/// Where a verdict comes from.
pub(crate) fn source<'de, D: Deserializer<'de>>(from: D) -> Result<Source, D::Error> {
    word(from, Source::None)
}

/// How a server is reached; in a way that is not known is no way.
pub(crate) fn status<'de, D: Deserializer<'de>>(from: D) -> Result<ServerStatus, D::Error> {
    word(from, ServerStatus::Unreachable)
}

/// What happened; a kind that is not known becomes a notice.
pub(crate) fn event<'de, D: Deserializer<'de>>(from: D) -> Result<EventKind, D::Error> {
    let said = Value::deserialize(from)?;
    match EventKind::deserialize(&said) {
        Ok(known) => Ok(known),
        Err(problem) => match said.get("event").and_then(Value::as_str) {
            Some(kind) => {
                let text = format!("something that this version cannot read: {kind}");
                Ok(EventKind::Notice { text, problem: false })
            }
            None => Err(D::Error::custom(problem)),
        },
    }
}
