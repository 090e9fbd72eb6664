//! A line of another version that cannot be read as it is: what is strange in it is left out, and the rest is read.
//!
//! Only lines that were refused come here, so that it may take its time: most strange words are passed over where they are
//! read ([`crate::monitor::snapshot`]).

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use crate::monitor::clients::delta::{Delta, Head};
use crate::monitor::clients::wire::FromEngine;
use crate::monitor::{Agent, Snapshot};

/// The message in a line without what cannot be read in it; `None`: nothing is left of it.
pub(super) fn from_engine(line: &[u8]) -> Option<FromEngine> {
    let Value::Object(message) = serde_json::from_slice(line).ok()? else { return None };
    let (kind, said) = message.into_iter().next()?;
    let Value::Object(mut said) = said else { return None };
    match kind.as_str() {
        "snapshot" | "update" => fields::<Snapshot>(&mut said, "schema"),
        "delta" => fields::<Delta>(&mut said, "n"),
        _ => return None,
    }
    let message = Map::from_iter([(kind, Value::Object(said))]);
    FromEngine::deserialize(Value::Object(message)).ok()
}

/// Leaves out each field of a `T` that alone, beside the one that none can do without, makes it no `T`; of a list its
/// strange members only.
fn fields<T: DeserializeOwned>(object: &mut Map<String, Value>, needed: &str) {
    let first = object.get(needed).cloned();
    let reads = |key: &str, value: Value| {
        let alone = [(needed.to_owned(), first.clone()), (key.to_owned(), Some(value))];
        let alone = alone.into_iter().filter_map(|(key, value)| Some((key, value?))).collect();
        T::deserialize(Value::Object(alone)).is_ok()
    };
    object.retain(|key, value| {
        if key == needed {
            return true;
        }
        match value {
            Value::Array(members) => {
                members.retain_mut(|member| {
                    let mut good = reads(key, Value::Array(vec![member.clone()]));
                    if let (false, "agents", Value::Object(agent)) = (good, key.as_str(), &mut *member) {
                        fields::<Agent>(agent, "pane_id");
                        good = reads(key, Value::Array(vec![member.clone()]));
                    }
                    good
                });
            }
            Value::Object(head) if key == "head" => fields::<Head>(head, "uptime"),
            _ => {}
        }
        reads(key, value.clone())
    });
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(line: &Value) -> Option<FromEngine> {
        FromEngine::read(line.to_string().as_bytes()).unwrap()
    }

    #[test]
    fn one_strange_agent_event_or_field_costs_itself_alone() {
        let good = json!({ "pane_id": "%2", "target": "s:1.0" });
        let line = json!({ "snapshot": {
            "schema": 1,
            "agents": [
                good,
                { "pane_id": "%3", "target": { "is": "an object now" }, "title": "kept" },
                { "pane_id": 4 },
                { "target": "nowhere" },
                "no agent",
            ],
            "events": [{ "seq": "first" }, { "seq": 2, "at": "2026-03-04T14:03:27Z", "event": "notice", "text": "kept" }],
            "cost": { "threads": -3 },
            "notes": ["kept", 7],
            "settings": { "pool_max": 9 },
            "history": "none",
        }});
        let Some(FromEngine::Snapshot(read)) = read(&line) else { panic!("not read") };
        let agents: Vec<_> = read.agents.iter().map(|agent| (agent.pane_id.0, &*agent.target, &*agent.title)).collect();
        assert_eq!(agents, [(2, "s:1.0", ""), (3, "", "kept")]);
        assert_eq!((read.events.len(), read.events[0].seq), (1, 2));
        assert_eq!((&read.notes[..], read.settings.pool_max, read.history.len()), (&["kept".to_owned()][..], 9, 0));
    }

    #[test]
    fn so_it_does_in_a_delta() {
        let line = json!({ "delta": {
            "n": 3,
            "agents": [{ "pane_id": "%2" }, { "pane_id": [] }],
            "gone": ["%1", "one"],
            "order": { "first": "%2" },
            "head": { "uptime": 5.0, "tune": 7, "current_strategy": "polling" },
        }});
        let Some(FromEngine::Delta(read)) = read(&line) else { panic!("not read") };
        assert_eq!((read.n, read.agents.len(), read.gone.len(), &read.order), (3, 1, 1, &None));
        assert_eq!(read.head.unwrap().current_strategy.as_deref(), Some("polling"));
    }

    #[test]
    fn what_nobody_can_do_without_must_be_right() {
        for line in [json!({ "snapshot": { "schema": "x" } }), json!({ "delta": { "n": "x" } }), json!({ "hello": 1 })]
        {
            assert!(FromEngine::read(line.to_string().as_bytes()).is_err(), "{line}");
        }
    }
}
