//! Snapshots as lines for the socket: the bulk is made once for all clients that have the same already; its number and the
//! preview are put in for each.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use jiff::Timestamp;
use serde::Serialize;

use crate::monitor::clients::delta::Delta;
use crate::monitor::clients::wire::Had;
use crate::monitor::{
    Account, Agents, BaseStatus, CacheInfo, CostInfo, CycleInfo, CyclePoint, EngineInfo, Event, HealthSummary,
    HourPoint, LiveSettings, PoolInfo, ServerInfo, Snapshot, StrategyInfo, TuneRow,
};

/// The newest snapshot in the forms in which it was asked for.
#[derive(Debug, Default)]
pub(crate) struct Encoded(Mutex<Option<Forms>>);

#[derive(Debug)]
struct Forms {
    of: Arc<Snapshot>,
    made: Vec<(Form, Bulk)>,
}

/// In which form a client gets a snapshot.
#[derive(Clone, Debug)]
pub(crate) enum Form {
    /// Whole.
    Whole,
    /// With only those points and events that it has not.
    Update(Had),
    /// What differs from the one that it has.
    Delta {
        /// The one that it has.
        from: Arc<Snapshot>,
        /// Of which one it has what that says of the watching itself; `None`: it gets nothing of that.
        instruments: Option<Arc<Snapshot>>,
        /// Figures of an agent by themselves, where nothing else of it differs.
        figures: bool,
    },
}

impl PartialEq for Form {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Whole, Self::Whole) => true,
            (Self::Update(one), Self::Update(two)) => one == two,
            (
                Self::Delta { from, instruments, figures },
                Self::Delta { from: two, instruments: too, figures: alone },
            ) => {
                Arc::ptr_eq(from, two)
                    && figures == alone
                    && instruments.as_ref().map(Arc::as_ptr) == too.as_ref().map(Arc::as_ptr)
            }
            _ => false,
        }
    }
}

/// Made by the first who needs it, while the others that need it wait for it; `None`: there is no such form of this
/// snapshot.
type Bulk = Arc<OnceLock<Result<Option<Made>, String>>>;

/// A line but for its end, and whether it says only that time went on.
#[derive(Clone, Debug)]
struct Made {
    bytes: Arc<Vec<u8>>,
    is_rest: bool,
}

/// Most forms kept of one snapshot: whole, and the rest for those who kept pace. Others make their own.
const FORMS: usize = 8;

/// A line shorter than this is copied together, which costs less than a write of its own for each part.
const SHORT: usize = 32 * 1024;

impl Encoded {
    /// A snapshot as the line for a client; `None`: it cannot be had in this form.
    pub(crate) fn line(&self, snapshot: &Arc<Snapshot>, form: &Form, end: &[u8]) -> Result<Option<Line>, String> {
        let Some(Made { bytes, is_rest }) = self.bulk(snapshot, form)? else { return Ok(None) };
        Ok(Some(if bytes.len() < SHORT {
            Line { bulk: Arc::default(), end: [&bytes, end].concat(), is_rest }
        } else {
            Line { bulk: bytes, end: end.to_vec(), is_rest }
        }))
    }

    fn bulk(&self, snapshot: &Arc<Snapshot>, form: &Form) -> Result<Option<Made>, String> {
        // Not made under the lock: a large one would hold up all that write something else.
        self.place(snapshot, form).get_or_init(|| bulk(snapshot, form).map_err(|error| error.to_string())).clone()
    }

    fn place(&self, snapshot: &Arc<Snapshot>, form: &Form) -> Bulk {
        let mut forms = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match forms.as_mut().filter(|forms| Arc::ptr_eq(&forms.of, snapshot)) {
            Some(forms) => {
                if let Some((_, bulk)) = forms.made.iter().find(|(made, _)| made == form) {
                    return Arc::clone(bulk);
                }
                let bulk = Bulk::default();
                if forms.made.len() < FORMS {
                    forms.made.push((form.clone(), Arc::clone(&bulk)));
                }
                bulk
            }
            None => {
                let bulk = Bulk::default();
                *forms = Some(Forms { of: Arc::clone(snapshot), made: vec![(form.clone(), Arc::clone(&bulk))] });
                bulk
            }
        }
    }
}

/// A line in two parts, to be written one after the other.
#[derive(Debug)]
pub(crate) struct Line {
    /// What is shared by all that get the same; empty when it is short.
    pub(crate) bulk: Arc<Vec<u8>>,
    /// The rest, up to the line's end.
    pub(crate) end: Vec<u8>,
    /// Beside its end it says only that time went on.
    pub(crate) is_rest: bool,
}

/// `{"snapshot":{...`, `{"update":{...` or `{"delta":{...`, up to what is each client's own.
fn bulk(snapshot: &Snapshot, form: &Form) -> Result<Option<Made>, serde_json::Error> {
    let kind: &[u8] = match form {
        Form::Whole => b"{\"snapshot\":",
        Form::Update(_) => b"{\"update\":",
        Form::Delta { .. } => b"{\"delta\":",
    };
    let mut bytes = kind.to_vec();
    let mut is_rest = false;
    match form {
        Form::Whole => serde_json::to_writer(&mut bytes, &Rest::of(snapshot, Had::default()))?,
        Form::Update(had) => serde_json::to_writer(&mut bytes, &Rest::of(snapshot, *had))?,
        Form::Delta { from, instruments, figures } => match Delta::between(from, snapshot, instruments.as_deref()) {
            Some(delta) => {
                let delta = if *figures { delta.with_figures(from) } else { delta };
                is_rest = delta.is_rest();
                serde_json::to_writer(&mut bytes, &delta)?;
            }
            None => return Ok(None),
        },
    }
    // The object's end comes after what is each client's own.
    bytes.pop();
    Ok(Some(Made { bytes: Arc::new(bytes), is_rest }))
}

/// A type with these fields of a snapshot, borrowed, and its `of`. The pattern names every field, so that one that is added
/// to snapshots is not forgotten here.
macro_rules! rest {
    ($(#[$doc:meta])* $name:ident, had $had:ident: $($(#[$attribute:meta])* $field:ident: $type:ty $(= $value:expr)?,)*) => {
        $(#[$doc])*
        #[derive(Serialize)]
        struct $name<'a> {
            $($(#[$attribute])* $field: &'a $type,)*
        }

        impl<'a> $name<'a> {
            fn of(snapshot: &'a Snapshot, $had: Had) -> Self {
                let Snapshot { $($field,)* backlog: _, preview: _, tiles: _, previews: _ } = snapshot;
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
    hour: [HourPoint] = &hour[hour.partition_point(|point| point.n <= had.hour)..],
    history: [CyclePoint] = &history[history.partition_point(|point| point.cycle <= had.cycle)..],
    events: [Event] = &events[events.partition_point(|event| event.seq <= had.event)..],
    notes: [String],
    agents: Agents,
    accounts: [Account],
    #[serde(skip_serializing_if = "instruments_are_of_now")]
    instruments: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde asks for")]
fn instruments_are_of_now(instruments: &&bool) -> bool {
    **instruments
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::monitor::clients::screens::Screens;
    use crate::monitor::clients::wire::FromEngine;
    use crate::monitor::engine::core::Core;
    use crate::monitor::{EngineSettings, EventKind, Interest, Preview};
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

    /// The screens of a client that shows this one.
    fn screens(shown: Option<&Preview>) -> Screens {
        let previews = shown.cloned().into_iter().map(Arc::new).collect();
        let focus = shown.map(|preview| preview.pane_id);
        Screens::of(&Snapshot { previews, ..Snapshot::default() }, &Interest { focus, ..Interest::default() })
    }

    #[test]
    fn each_client_gets_its_own_preview_and_the_rest_is_made_once() {
        let snapshot = Arc::new(snapshot());
        let preview =
            |pane| Preview { pane_id: PaneId(pane), text: "x".into(), captured_at: Timestamp::UNIX_EPOCH, above: 0 };
        let encoded = Encoded::default();
        let line = |form: &Form, shown: Option<&Preview>| {
            encoded.line(&snapshot, form, &screens(shown).end().unwrap()).unwrap().unwrap()
        };
        let (one, two) = (preview(1), preview(2));
        let whole = line(&Form::Whole, None);
        assert_eq!(read(&whole), FromEngine::Snapshot(Box::new(Snapshot::clone(&snapshot))));
        let had = Form::Update(Had { cycle: 7, event: 8, hour: 0 });
        for preview in [Some(one), Some(two), None] {
            let wanted = Snapshot {
                history: Arc::new(snapshot.history[7..].to_vec()),
                events: Arc::new(snapshot.events[8..].to_vec()),
                preview: preview.clone().map(Arc::new),
                ..Snapshot::clone(&snapshot)
            };
            assert_eq!(read(&line(&had, preview.as_ref())), FromEngine::Update(Box::new(wanted)));
        }
        assert_eq!(made(&encoded), 2);
        // One that is handed on without what its engine says of the watching itself says so.
        let without = Arc::new(Snapshot { instruments: false, ..Snapshot::clone(&snapshot) });
        let line = encoded.line(&without, &Form::Whole, &screens(None).end().unwrap()).unwrap().unwrap();
        assert_eq!(read(&line), FromEngine::Snapshot(Box::new(Snapshot::clone(&without))));
        let next = Arc::new(Snapshot { schema: 7, ..Snapshot::clone(&snapshot) });
        let line = encoded.line(&next, &Form::Whole, b"}}").unwrap().unwrap();
        assert!(String::from_utf8_lossy(&line.end).contains("\"schema\":7"));
    }

    /// How many lines were made of the newest snapshot.
    fn made(encoded: &Encoded) -> usize {
        encoded.0.lock().unwrap().as_ref().map_or(0, |forms| forms.made.len())
    }

    #[test]
    fn all_clients_at_the_same_point_share_one_delta() {
        let old = Arc::new(snapshot());
        let mut new = Snapshot::clone(&old);
        new.notes.push("a note".to_owned());
        let new = Arc::new(new);
        let encoded = Encoded::default();
        let delta = |from: &Arc<Snapshot>, instruments: bool| Form::Delta {
            from: Arc::clone(from),
            instruments: instruments.then(|| Arc::clone(from)),
            figures: false,
        };
        // All at once, as they wake when a snapshot is published.
        std::thread::scope(|all| {
            for n in 1..=20 {
                let (encoded, new, form) = (&encoded, &new, delta(&old, true));
                all.spawn(move || {
                    let end = screens(None).delta_end(n, &screens(None)).unwrap();
                    let FromEngine::Delta(read) = read(&encoded.line(new, &form, &end).unwrap().unwrap()) else {
                        panic!("no delta");
                    };
                    assert_eq!((read.n, read.notes), (n, Some(vec!["a note".to_owned()])));
                });
            }
        });
        assert_eq!(made(&encoded), 1, "made once for twenty");
        let one = encoded.bulk(&new, &delta(&old, true)).unwrap().unwrap();
        assert!(Arc::ptr_eq(&one.bytes, &encoded.bulk(&new, &delta(&old, true)).unwrap().unwrap().bytes));
        encoded.bulk(&new, &delta(&old, false)).unwrap();
        encoded.bulk(&new, &delta(&Arc::new(Snapshot::clone(&old)), true)).unwrap();
        assert_eq!(made(&encoded), 3, "another form, another point");
    }
}
