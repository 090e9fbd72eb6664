//! A fleet arrives: what it shows anew, and whom it calls for.

use std::{sync::Arc, time::Duration};

use crate::app::core::day::Known;
use crate::app::core::fleet::{AgentKey, Fleet, Member, MemberId};
use crate::app::core::message::{Effect, Outcome};
use crate::app::core::state::{Mode, State, widths_of};
use crate::app::core::update::still::still;
use crate::app::core::update::{ask, rows, toast};
use crate::app::core::view::Main;
use crate::app::core::wall;
use crate::app::core::words::{Tone, word};
use crate::monitor::{
    Agent, AgentState, Command, Event, EventKind, EventReader, Snapshot, TELL_SWITCH_FOR, Tidy, Tiles,
};
use crate::tmux::PaneId;

/// Time for which the cursor is on an agent before what it shows counts as seen.
const DWELL: Duration = Duration::from_secs(2);

/// Takes the fleet in as it is now.
pub(crate) fn arrived(state: &mut State, new: Fleet) -> Outcome {
    // What is answered is shown as it is.
    let new = match state.mode {
        Mode::Normal | Mode::Filter(_) | Mode::Help { .. } if state.reduced_motion => still(&state.fleet, new),
        _ => new,
    };
    let old = std::mem::replace(&mut state.fleet, new);
    let mut redraw = came_or_went(&old, &state.fleet) || old.hosts() != state.fleet.hosts();
    state.news.retain(|id, _| state.fleet.member(*id).is_some());
    state.widths.retain(|id, _| state.fleet.member(*id).is_some());
    let mut behind = false;
    let (mut calls, mut problems) = (Vec::new(), Vec::new());
    for (id, before, now) in changed(&old, &state.fleet) {
        state.widths.entry(id).and_modify(|widths| *widths = widths.after(&before.agents, &now.agents));
        state.now = state.now.max(now.timestamp);
        redraw |= differs(state, &before, &now);
        behind |= instruments_differ(&before, &now);
        keep_events(state, &before, &now);
    }
    let several = state.fleet.several();
    for member in state.fleet.members() {
        state.widths.entry(member.id).or_insert_with(|| widths_of(member));
        // A member that has just come has nothing that is news.
        let reader = state.news.entry(member.id).or_insert_with(|| EventReader::after(&member.snapshot));
        let news = reader.read(&member.snapshot);
        // What another engine tells of happened before it was looked at: no news.
        if !news.another {
            call((state.list.selected, several), member, &news.events, &mut calls, &mut problems);
        }
        let before = old.member(member.id).map(|before| before.link);
        if let Some(words) = before.and_then(|before| member.link.switched_from(before)) {
            let words = if several { format!("{}: {words}", member.label.whose()) } else { words };
            state.switched = Some((words, state.elapsed + TELL_SWITCH_FOR));
        }
        redraw |= before.is_some_and(|before| before != member.link);
    }
    redraw |= !calls.is_empty() || !problems.is_empty();
    tell(state, problems, Tone::Error, |more| format!("{more} problems came up: see the events"));
    tell(state, calls, Tone::NeedsYou, |more| format!("{more} agents came to need you"));
    let stands = state.list.stands(&old, &state.fleet, state.elapsed);
    state.list.clock = state.now;
    if stands {
        debug_assert!(!state.list.clone().rebuild(&state.fleet, state.elapsed, false), "it was to stand");
    } else {
        let place = rows::place_that_stays(state, &old);
        redraw |= state.list.rebuild(&state.fleet, state.elapsed, false);
        rows::stay(state, place);
    }
    redraw |= ask::arrived(state);
    // Instruments alone wait for the tick: numbers that change ten times a second cannot be read, and cost frames.
    state.behind = !redraw && (state.behind || state.viewport.instruments && behind);
    Outcome::redraw_if(redraw).and(ask_focus(state))
}

/// A member came or went.
fn came_or_went(old: &Fleet, new: &Fleet) -> bool {
    !old.members().iter().map(|member| member.id).eq(new.members().iter().map(|member| member.id))
}

/// The snapshots of members that published since, before and now.
fn changed(old: &Fleet, new: &Fleet) -> Vec<(MemberId, Arc<Snapshot>, Arc<Snapshot>)> {
    let of = |now: &Member| Some((now.id, Arc::clone(&old.member(now.id)?.snapshot), Arc::clone(&now.snapshot)));
    let changed = |(_, before, now): &(MemberId, Arc<Snapshot>, Arc<Snapshot>)| !Arc::ptr_eq(before, now);
    new.members().iter().filter_map(of).filter(changed).collect()
}

/// Whether what is in view differs between two snapshots of a member.
fn differs(state: &State, old: &Snapshot, new: &Snapshot) -> bool {
    let view = &state.viewport;
    old.server != new.server
        || old.instruments != new.instruments
        || old.engine.paused != new.engine.paused
        || old.engine.id() != new.engine.id()
        || old.current_strategy != new.current_strategy
        || old.settings != new.settings
        || old.notes != new.notes
        || old.agents.len() != new.agents.len()
        || new.agents.changed(&old.agents).any(|(a, b)| agent_differs(a, b))
        || (view.events > 0 && old.events.last().map(|e| e.seq) != new.events.last().map(|e| e.seq))
        || (view.preview > 0 && preview_differs(old, new))
        || (view.wall.is_some() && tiles_differ(state, old, new))
        || (state.view.main == Main::Tune && old.tune != new.tune)
}

/// Whether a row differs: all but the times of reading, which no row shows.
fn agent_differs(a: &Agent, b: &Agent) -> bool {
    a.pane_id != b.pane_id
        || a.state != b.state
        || a.kind != b.kind
        || a.since != b.since
        || a.doing != b.doing
        || a.asks != b.asks
        || a.activity != b.activity
        || a.stale != b.stale
        || a.context_percent != b.context_percent
        || a.evidence != b.evidence
        || a.target != b.target
        || a.agent != b.agent
        || a.version != b.version
        || a.health != b.health
        || a.background != b.background
        || a.model != b.model
        || a.tokens != b.tokens
        || a.cost_usd != b.cost_usd
        || a.turns != b.turns
        || a.tools != b.tools
        || a.plan != b.plan
        || a.limits != b.limits
        || a.usage_source != b.usage_source
        || a.reset_at != b.reset_at
        || a.deadline != b.deadline
        || a.cwd != b.cwd
        || (&a.repository_path, &a.worktree, &a.branch) != (&b.repository_path, &b.worktree, &b.branch)
        || (a.added, a.removed) != (b.added, b.removed)
        || a.choices != b.choices
        || a.transitions != b.transitions
        || a.name != b.name
        || Tidy::of(a) != Tidy::of(b)
        || crate::app::core::format::cpu(a.cpu_percent) != crate::app::core::format::cpu(b.cpu_percent)
        || crate::app::core::format::bytes(a.memory_bytes) != crate::app::core::format::bytes(b.memory_bytes)
}

fn preview_differs(old: &Snapshot, new: &Snapshot) -> bool {
    match (&old.preview, &new.preview) {
        (Some(a), Some(b)) => !a.shows_as(b),
        (a, b) => a.is_some() != b.is_some(),
    }
}

/// Whether a screen on the wall differs.
fn tiles_differ(state: &State, old: &Snapshot, new: &Snapshot) -> bool {
    if old.previews.is_empty() && new.previews.is_empty() {
        return preview_differs(old, new);
    }
    let of = |snapshot: &Snapshot, pane: PaneId| snapshot.previews.iter().find(|shown| shown.pane_id == pane).cloned();
    wall::page(state).keys.iter().any(|key| match (of(old, key.pane), of(new, key.pane)) {
        (Some(a), Some(b)) => !a.shows_as(&b),
        (a, b) => a.is_some() != b.is_some(),
    })
}

fn instruments_differ(old: &Snapshot, new: &Snapshot) -> bool {
    old.connection_pool != new.connection_pool
        || old.cache_performance != new.cache_performance
        || old.cycle != new.cycle
        || old.cost != new.cost
        || old.strategies != new.strategies
        || old.accounts != new.accounts
        || (!Arc::ptr_eq(&old.history, &new.history) && old.history != new.history)
}

/// What calls the user among a member's news: agents that came to need them, and problems.
fn call(
    (selected, several): (Option<AgentKey>, bool),
    member: &Member,
    news: &[&Event],
    calls: &mut Vec<String>,
    problems: &mut Vec<String>,
) {
    // Who is out of the way or muted calls for nobody.
    let silent = |pane: PaneId| {
        let mut agents = member.snapshot.agents.iter();
        agents.any(|agent| agent.pane_id == pane && (agent.is_aside() || agent.muted))
    };
    for event in news {
        match &event.what {
            EventKind::Transition { pane_id, target, to, kind, .. }
                if to.needs_user()
                    && Some(AgentKey { member: member.id, pane: *pane_id }) != selected
                    && !silent(*pane_id) =>
            {
                let host = if several { member.label.prefix() } else { String::new() };
                calls.push(format!("{host}{target} needs you: {}", word(*to, kind.as_deref())));
            }
            EventKind::Notice { text, problem: true } => problems.push(text.clone()),
            _ => {}
        }
    }
}

/// Up to two toasts, or one that says how many there would be.
fn tell(state: &mut State, texts: Vec<String>, tone: Tone, many: impl Fn(usize) -> String) {
    match texts.len() {
        0..=2 => texts.into_iter().for_each(|text| toast(state, text, tone)),
        more => toast(state, many(more), tone),
    }
}

/// Events that were scrolled to stay in view while new ones come.
fn keep_events(state: &mut State, old: &Snapshot, new: &Snapshot) {
    if state.events_up > 0 {
        let last = old.events.last().map_or(0, |event| event.seq);
        let fresh = new.events.iter().rev().take_while(|event| event.seq > last).count();
        state.events_up = (state.events_up + fresh).min(new.events.len().saturating_sub(1));
    }
}

/// A frame was drawn: what it showed of a preview, and of a request.
pub(crate) fn drawn(state: &mut State) -> Outcome {
    let of = state.list.selected.map(|key| key.member);
    state.drawn = of.zip(state.preview().cloned()).filter(|_| state.viewport.preview > 0);
    match &mut state.mode {
        Mode::Answer { seen, asked, .. } => Outcome::redraw_if(asked.drawn(seen, state.viewport.request)),
        _ => Outcome::default(),
    }
}

/// Asks the engines for what is shown of them alone: the screen of the selected pane while the preview shows it, of one at
/// most; what the one that is shown says of the watching itself.
pub(crate) fn ask_focus(state: &mut State) -> Outcome {
    let wanted = match &state.mode {
        Mode::Answer { key, .. } => Some(*key),
        Mode::Pick { key, .. } => *key,
        _ if state.viewport.preview > 0 => state.list.selected,
        // An engine that shows one screen at a time shows that of the tile with the cursor.
        _ if state.viewport.wall.is_some() && state.member().snapshot.engine.tiles == 0 => state.list.selected,
        _ => None,
    };
    let focus = &mut state.sent.focus;
    focus.retain(|id, _| state.fleet.member(*id).is_some());
    let mut effects = Vec::new();
    for member in state.fleet.members() {
        let pane = wanted.filter(|key| key.member == member.id).map(|key| key.pane);
        // An engine that was never asked shows none.
        if focus.insert(member.id, Some(pane)).unwrap_or(Some(None)) != Some(pane) {
            effects.push(Effect::Engine(member.id, Command::Focus(pane)));
        }
    }
    if !effects.is_empty() {
        state.preview_up = 0;
    }
    effects.extend(ask_tiles(state));
    effects.extend(ask_instruments(state));
    Outcome { redraw: false, effects }
}

/// Asks the engines for the screens of the panes on the wall that are in view, and for none when it is closed.
fn ask_tiles(state: &mut State) -> Vec<Effect> {
    let shown = wall::page(state).keys;
    let rows = state.viewport.wall.map_or(0, |wall| wall.rows);
    let asked = &mut state.sent.tiles;
    asked.retain(|id, _| state.fleet.member(*id).is_some());
    let mut effects = Vec::new();
    for member in state.fleet.members() {
        let panes = shown.iter().filter(|key| key.member == member.id && member.snapshot.engine.tiles > 0);
        let tiles = Tiles::new(panes.map(|key| key.pane), rows);
        // An engine that was never asked shows none.
        if asked.insert(member.id, Some(tiles.clone())).unwrap_or_else(|| Some(Tiles::default())) != Some(tiles.clone())
        {
            effects.push(Effect::Engine(member.id, Command::Tiles(tiles)));
        }
    }
    effects
}

/// Asks the engine that is shown for what it says of the watching itself, while that is in view; one of this machine says
/// it always.
fn ask_instruments(state: &mut State) -> Vec<Effect> {
    let in_view = state.viewport.instruments || state.view.main == Main::Tune;
    let shown = in_view.then(|| state.member().id);
    let asked = &mut state.sent.instruments;
    asked.retain(|id| state.fleet.member(*id).is_some());
    let mut effects = Vec::new();
    for member in state.fleet.members().iter().filter(|member| member.label.host.is_some()) {
        let wanted = shown == Some(member.id);
        let changed = if wanted { asked.insert(member.id) } else { asked.remove(&member.id) };
        if changed {
            effects.push(Effect::Engine(member.id, Command::Instruments(wanted)));
        }
    }
    effects
}

/// A `done` that the user has had before them is seen: the cursor came to it, or they did something, after it was done.
pub(crate) fn mark_seen(state: &mut State) -> Outcome {
    let Some((key, agent)) = state.list.selected.zip(state.selected()) else { return Outcome::default() };
    let dwelt = state.elapsed.saturating_sub(state.selected_at) >= DWELL;
    if agent.state == AgentState::Idle
        && agent.kind.as_deref() == Some("done")
        && (state.viewport.preview > 0 || state.viewport.wall.is_some() && state.fleet.tile(key).is_some())
        && state.focused
        && dwelt
        && state.input_at > agent.since
    {
        let seen = (key, agent.since);
        if state.sent.seen != Some(seen) {
            state.sent.seen = Some(seen);
            return Outcome { redraw: false, effects: vec![Effect::Engine(key.member, Command::Seen(key.pane))] };
        }
    }
    Outcome::default()
}

/// What was never handed on is not waited for, and asked for again when it is wanted.
pub(crate) fn not_sent(state: &mut State, effect: &Effect) {
    if matches!(effect, Effect::ReadDay(_)) {
        // It is tried again.
        state.day = Known::Failed("too much is under way to read the journal".to_owned());
    }
    let Effect::Engine(member, command) = effect else { return };
    state.pending.retain(|pending| !pending.same_kind(*member, command));
    match command {
        Command::Focus(_) => drop(state.sent.focus.insert(*member, None)),
        Command::Tiles(_) => drop(state.sent.tiles.insert(*member, None)),
        Command::Instruments(true) => drop(state.sent.instruments.remove(member)),
        Command::Instruments(false) => drop(state.sent.instruments.insert(*member)),
        Command::Seen(_) => state.sent.seen = None,
        _ => {}
    }
}
