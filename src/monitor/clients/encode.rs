//! Snapshots as lines for the socket: the bulk is made once for all clients that have the same already, the preview is
//! put in for each.

use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use serde::Serialize;

use crate::monitor::clients::wire::Had;
use crate::monitor::{
    Account, Agent, BaseStatus, CacheInfo, CostInfo, CycleInfo, CyclePoint, EngineInfo, Event, HealthSummary,
    LiveSettings, PoolInfo, Preview, ServerInfo, Snapshot, StrategyInfo, TuneRow,
};

/// The newest snapshot in the forms in which it was asked for: whole, or what is new to those who had the one before.
#[derive(Debug, Default)]
pub(crate) struct Encoded(Mutex<Option<Forms>>);

#[derive(Debug)]
struct Forms {
    of: Arc<Snapshot>,
    /// What the clients have, and the line up to its preview.
    made: Vec<(Option<Had>, Arc<Vec<u8>>)>,
}

/// Most forms kept of one snapshot: whole, and the rest for those who kept pace. Others make their own.
const FORMS: usize = 4;

impl Encoded {
    /// A snapshot as the line for a client that has this already and shows that pane.
    pub(crate) fn line(
        &self,
        snapshot: &Arc<Snapshot>,
        had: Option<Had>,
        preview: Option<&Preview>,
    ) -> Result<Line, serde_json::Error> {
        Ok(Line { bulk: self.bulk(snapshot, had)?, end: end(preview)? })
    }

    fn bulk(&self, snapshot: &Arc<Snapshot>, had: Option<Had>) -> Result<Arc<Vec<u8>>, serde_json::Error> {
        if let Some(bulk) = self.kept(snapshot, had) {
            return Ok(bulk);
        }
        // Not under the lock: a large one would hold up all that write.
        let bulk = Arc::new(bulk(snapshot, had)?);
        let mut forms = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match forms.as_mut() {
            Some(forms) if Arc::ptr_eq(&forms.of, snapshot) => {
                if forms.made.len() < FORMS {
                    forms.made.push((had, Arc::clone(&bulk)));
                }
            }
            _ => *forms = Some(Forms { of: Arc::clone(snapshot), made: vec![(had, Arc::clone(&bulk))] }),
        }
        Ok(bulk)
    }

    fn kept(&self, snapshot: &Arc<Snapshot>, had: Option<Had>) -> Option<Arc<Vec<u8>>> {
        let forms = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let forms = forms.as_ref().filter(|forms| Arc::ptr_eq(&forms.of, snapshot))?;
        forms.made.iter().find(|(made_for, _)| *made_for == had).map(|(_, bulk)| Arc::clone(bulk))
    }
}

/// A line in two parts, to be written one after the other.
#[derive(Debug)]
pub(crate) struct Line {
    /// All but the preview: shared.
    pub(crate) bulk: Arc<Vec<u8>>,
    /// The preview and the line's end.
    pub(crate) end: Vec<u8>,
}

/// `{"snapshot":{...` or `{"update":{...`, up to the preview.
fn bulk(snapshot: &Snapshot, had: Option<Had>) -> Result<Vec<u8>, serde_json::Error> {
    let kind: &[u8] = if had.is_some() { b"{\"update\":" } else { b"{\"snapshot\":" };
    let mut bytes = kind.to_vec();
    serde_json::to_writer(&mut bytes, &Rest::of(snapshot, had.unwrap_or_default()))?;
    // The object's end comes after the preview.
    bytes.pop();
    Ok(bytes)
}

fn end(preview: Option<&Preview>) -> Result<Vec<u8>, serde_json::Error> {
    let mut bytes = b",\"preview\":".to_vec();
    serde_json::to_writer(&mut bytes, &preview)?;
    bytes.extend_from_slice(b"}}\n");
    Ok(bytes)
}

/// A type with these fields of a snapshot, borrowed, and its `of`. The pattern names every field, so that one that is added
/// to snapshots is not forgotten here.
macro_rules! rest {
    ($(#[$doc:meta])* $name:ident, had $had:ident: $($field:ident: $type:ty $(= $value:expr)?,)*) => {
        $(#[$doc])*
        #[derive(Serialize)]
        struct $name<'a> {
            $($field: &'a $type,)*
        }

        impl<'a> $name<'a> {
            fn of(snapshot: &'a Snapshot, $had: Had) -> Self {
                let Snapshot { $($field,)* backlog: _, preview: _, previews: _ } = snapshot;
                $($(let $field = $value;)?)*
                Self { $($field,)* }
            }
        }
    };
}

rest! {
    /// A snapshot without its preview, and with only those points and events that its client has not; nothing is copied.
    Rest, had had:
    schema: u32,
    timestamp: Timestamp,
    server: ServerInfo,
    engine: EngineInfo,
    current_strategy: str,
    base_status: BaseStatus,
    connection_pool: PoolInfo,
    cache_performance: CacheInfo,
    health_summary: HealthSummary,
    cycle: CycleInfo,
    cost: CostInfo,
    settings: LiveSettings,
    strategies: [StrategyInfo],
    tune: [TuneRow],
    history: [CyclePoint] = &history[history.partition_point(|point| point.cycle <= had.cycle)..],
    events: [Event] = &events[events.partition_point(|event| event.seq <= had.event)..],
    notes: [String],
    agents: [Agent],
    accounts: [Account],
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::monitor::clients::wire::FromEngine;
    use crate::monitor::engine::core::Core;
    use crate::monitor::{EngineSettings, EventKind};
    use crate::tmux::scripted::Script;
    use crate::tmux::{PaneId, Server};

    fn snapshot() -> Snapshot {
        let server = Server::scripted(Script::default());
        let mut snapshot = Core::new(server, EngineSettings::default()).unwrap().snapshot();
        snapshot.history = Arc::new((1..=9).map(|cycle| CyclePoint { cycle, ..CyclePoint::default() }).collect());
        let notice = |seq| EventKind::Notice { text: format!("event {seq}"), problem: false };
        let event = |seq| Event { seq, at: Timestamp::UNIX_EPOCH, what: notice(seq) };
        snapshot.events = Arc::new((1..=9).map(event).collect());
        snapshot
    }

    fn read(line: &Line) -> FromEngine {
        serde_json::from_slice(&[&line.bulk[..], &line.end].concat()).unwrap()
    }

    #[test]
    fn each_client_gets_its_own_preview_and_the_rest_is_made_once() {
        let snapshot = Arc::new(snapshot());
        let preview = |pane| Preview { pane_id: PaneId(pane), text: "x".into(), captured_at: Timestamp::UNIX_EPOCH };
        let encoded = Encoded::default();
        let (one, two) = (preview(1), preview(2));
        let whole = encoded.line(&snapshot, None, None).unwrap();
        assert_eq!(read(&whole), FromEngine::Snapshot(Box::new(Snapshot::clone(&snapshot))));
        let had = Some(Had { cycle: 7, event: 8 });
        let lines = [Some(&one), Some(&two), None].map(|preview| encoded.line(&snapshot, had, preview).unwrap());
        assert!(lines.iter().all(|line| Arc::ptr_eq(&line.bulk, &lines[0].bulk)));
        for (line, preview) in lines.iter().zip([Some(one), Some(two), None]) {
            let wanted = Snapshot {
                history: Arc::new(snapshot.history[7..].to_vec()),
                events: Arc::new(snapshot.events[8..].to_vec()),
                preview: preview.map(Arc::new),
                ..Snapshot::clone(&snapshot)
            };
            assert_eq!(read(line), FromEngine::Update(Box::new(wanted)));
        }
        let next = Arc::new(Snapshot { schema: 7, ..Snapshot::clone(&snapshot) });
        assert!(String::from_utf8_lossy(&encoded.line(&next, None, None).unwrap().bulk).contains("\"schema\":7"));
    }
}
