//! Events in words.

use crate::app::core::fleet::{Member, MemberId};
use crate::app::core::fuzzy::Query;
use crate::app::core::limits;
use crate::app::core::state::State;
use crate::app::core::words::{Tone, state_and_kind};
use crate::monitor::{Event, EventKind};

/// An event as a sentence without its time, the same wherever it is told: `api:2.0 working → waiting
/// (permission)`.
#[must_use]
pub fn sentence(what: &EventKind) -> String {
    match what {
        EventKind::Appeared { target, agent, state, kind, .. } => {
            format!("{target} {agent} appeared, {}", state_and_kind(*state, kind.as_deref()))
        }
        EventKind::Gone { target, agent, .. } => format!("{target} {agent} is gone"),
        EventKind::Transition { target, from, to, kind, .. } => {
            format!("{target} {from} → {}", state_and_kind(*to, kind.as_deref()))
        }
        EventKind::Acted(acted) => {
            let name = if acted.target.is_empty() { acted.pane_id.to_string() } else { acted.target.clone() };
            let sent = if acted.sent.is_empty() { String::new() } else { format!(" [{}]", acted.sent) };
            format!("{name} you: {}: {}{sent}", acted.act, acted.result)
        }
        EventKind::Changed { setting, from, to } => format!("{setting} {from} → {to}"),
        EventKind::Limit { program, account, limit, .. } => {
            format!("{program} {account}: {} of {} used", limits::percent(limit), limits::of(limit))
        }
        EventKind::Notice { text, .. } => text.clone(),
    }
}

/// What an event means.
#[must_use]
pub fn tone(event: &Event) -> Tone {
    match &event.what {
        EventKind::Appeared { state, kind, .. } | EventKind::Transition { to: state, kind, .. } => {
            Tone::of(*state, kind.as_deref())
        }
        EventKind::Gone { .. } => Tone::Exited,
        EventKind::Acted(acted) if !acted.ok => Tone::Error,
        EventKind::Acted(_) | EventKind::Changed { .. } => Tone::Starting,
        EventKind::Limit { .. } => Tone::Limited,
        EventKind::Notice { problem: true, .. } => Tone::Error,
        EventKind::Notice { problem: false, .. } => Tone::Idle,
    }
}

/// How many events match the filter, and the newest of them, `most` at most, newest first.
#[must_use]
pub fn newest(state: &State, most: usize) -> (usize, Vec<(MemberId, &Event)>) {
    let members = state.fleet.members();
    if !state.events_filter.trim().is_empty() {
        let mut all = shown(state);
        let count = all.len();
        all.truncate(most);
        return (count, all);
    }
    // Of each member so many suffice: thousands are not put in order with every frame.
    let newest = |member: &'_ Member| member.snapshot.events.len().saturating_sub(most);
    let mut events: Vec<(MemberId, &Event)> = Vec::new();
    for member in members {
        events.extend(member.snapshot.events[newest(member)..].iter().rev().map(|event| (member.id, event)));
    }
    if members.len() > 1 {
        events.sort_by_key(|(_, event)| std::cmp::Reverse(event.at));
        events.truncate(most);
    }
    (members.iter().map(|member| member.snapshot.events.len()).sum(), events)
}

/// The events of all members that match the filter, newest first.
pub fn shown(state: &State) -> Vec<(MemberId, &Event)> {
    let members = state.fleet.members();
    let mut events: Vec<(MemberId, &Event)> = Vec::new();
    for Member { id, snapshot, .. } in members {
        events.extend(snapshot.events.iter().rev().map(|event| (*id, event)));
    }
    if members.len() > 1 {
        events.sort_by_key(|(_, event)| std::cmp::Reverse(event.at));
    }
    if !state.events_filter.trim().is_empty() {
        let mut query = Query::new(&state.events_filter);
        events.retain(|(_, event)| query.matches(&[], &[&sentence(&event.what)]));
    }
    events
}
