//! What a script is given and what it may answer, as the maps that docs/strategies.md tells of.

use std::{collections::HashSet, time::Duration};

use rhai::{Array, Dynamic, INT, Map};

use crate::monitor::snapshot::settings::{MAX_INTERVAL, MIN_INTERVAL};
use crate::monitor::strategy::{Plan, View};
use crate::tmux::PaneId;

fn seconds(duration: Duration) -> Dynamic {
    duration.as_secs_f64().into()
}

/// The view as the script sees it.
pub(super) fn view_map(view: &View<'_>) -> Map {
    let age = |at: Option<std::time::Instant>| -> Dynamic {
        at.map_or(Dynamic::UNIT, |at| seconds(view.now.saturating_duration_since(at)))
    };
    let panes: Array = view
        .panes
        .iter()
        .map(|known| {
            let mut map = Map::new();
            map.insert("id".into(), known.pane.to_string().into());
            map.insert("state".into(), known.state.map_or(Dynamic::UNIT, |state| state.to_string().into()));
            map.insert("may_have_changed".into(), known.may_have_changed.into());
            map.insert("read_ago".into(), age(known.read_at));
            map.insert("changed_ago".into(), age(known.changed_at));
            map.insert("focused".into(), known.focused.into());
            map.into()
        })
        .collect();
    let mut map = Map::new();
    map.insert("panes".into(), panes.into());
    map.insert("interval".into(), seconds(view.interval));
    map.insert("pool_size".into(), (view.pool_size as INT).into());
    map.insert("probe_time".into(), seconds(view.measured.probe));
    map.insert("batch_time".into(), view.measured.batch.map_or(Dynamic::UNIT, seconds));
    map.insert("batch_panes".into(), (view.measured.batch_panes as INT).into());
    map.insert("tmux_cpu_percent".into(), view.measured.tmux_cpu_percent.map_or(Dynamic::UNIT, Dynamic::from));
    map.insert("watched".into(), view.watched.into());
    map
}

fn number(value: &Dynamic) -> Option<f64> {
    value.as_float().ok().or_else(|| value.as_int().ok().map(|n| n as f64)).filter(|n| n.is_finite())
}

/// Reads the script's answer; what it leaves out is as `concurrent` does it.
pub(super) fn read_plan(answer: &Map, view: &View<'_>) -> Result<Plan, String> {
    let next = match answer.get("next") {
        None => view.interval,
        Some(value) => {
            let seconds = number(value).filter(|s| *s > 0.0).ok_or("`next` is not a number of seconds above 0")?;
            Duration::from_secs_f64(seconds.min(MAX_INTERVAL.as_secs_f64())).max(MIN_INTERVAL)
        }
    };
    let whole = |key: &str, default: usize| -> Result<usize, String> {
        match answer.get(key) {
            None => Ok(default),
            Some(value) => match value.as_int() {
                Ok(n) if n >= 1 => Ok(usize::try_from(n).unwrap_or(usize::MAX)),
                _ => Err(format!("`{key}` is not a whole number of at least 1")),
            },
        }
    };
    let width = whole("width", view.pool_size.max(1))?.min(view.pool_size.max(1));
    let batch = whole("batch", 100)?.min(250);
    let known: HashSet<PaneId> = view.panes.iter().map(|p| p.pane).collect();
    let due: Vec<PaneId> = match answer.get("panes") {
        None => view.panes.iter().filter(|p| p.may_have_changed).map(|p| p.pane).collect(),
        Some(panes) => {
            let panes = panes.read_lock::<Array>().ok_or("`panes` is not an array")?;
            let mut due = Vec::with_capacity(panes.len());
            let mut seen = HashSet::new();
            for pane in panes.iter() {
                let text = pane.clone().into_string().map_err(|_| "`panes` holds something that is no text")?;
                let id: PaneId = text.parse().map_err(|_| format!("`panes` holds '{text}', which is no pane id"))?;
                if known.contains(&id) && seen.insert(id) {
                    due.push(id);
                }
            }
            due
        }
    };
    Ok(Plan { batches: due.chunks(batch).map(<[PaneId]>::to_vec).collect(), width, next, early: None })
}
