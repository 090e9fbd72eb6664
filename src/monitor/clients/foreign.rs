//! What another process says, made fit to be shown: no text of an attached engine can steer a terminal.
//!
//! The engine in the background is this user's own program, and cleans what it takes from panes; that it did is not taken
//! on trust: it may be of another version, or of another machine.

use std::{borrow::Cow, sync::Arc};

use crate::monitor::clients::delta::Delta;
use crate::monitor::clients::wire::EngineHello;
use crate::monitor::{Acted, Agent, Change, Event, EventKind, Evidence, Preview, Snapshot};
use crate::tmux::{Screen, clean, is_clean};

fn each<const N: usize>(texts: [&mut String; N]) {
    texts.into_iter().for_each(tidy);
}

fn tidy(text: &mut String) {
    if !is_clean(text) {
        *text = clean(text);
    }
}

/// A text of the other end in words for an error or a note.
pub(crate) fn words(text: &str) -> Cow<'_, str> {
    if is_clean(text) { Cow::Borrowed(text) } else { Cow::Owned(clean(text)) }
}

/// Who the engine says that it is.
pub(crate) fn hello(hello: &mut EngineHello) {
    each([&mut hello.version, &mut hello.tmux_socket]);
    hello.logs.as_mut().into_iter().for_each(tidy);
}

/// All texts of a snapshot that came from another process.
pub(crate) fn snapshot(snapshot: &mut Snapshot) {
    let (server, engine) = (&mut snapshot.server, &mut snapshot.engine);
    each([&mut server.socket, &mut engine.mode, &mut engine.version, &mut snapshot.current_strategy]);
    [&mut server.version, &mut server.transport, &mut server.problem].into_iter().flatten().for_each(tidy);
    each([&mut snapshot.settings.transport, &mut snapshot.settings.cache_policy]);
    if let Some(reread) = &mut snapshot.settings.reread {
        reread.problem.as_mut().into_iter().for_each(tidy);
        reread.changes.iter_mut().for_each(change);
    }
    for strategy in &mut snapshot.strategies {
        each([&mut strategy.name, &mut strategy.origin]);
        strategy.problem.as_mut().into_iter().for_each(tidy);
    }
    for row in &mut snapshot.tune {
        each([&mut row.strategy, &mut row.cache]);
    }
    let marked = |point: &crate::monitor::CyclePoint| point.mark.as_deref().is_some_and(|mark| !is_clean(mark));
    if snapshot.history.iter().any(marked) {
        Arc::make_mut(&mut snapshot.history).iter_mut().filter_map(|point| point.mark.as_mut()).for_each(tidy);
    }
    if !snapshot.events.is_empty() {
        Arc::make_mut(&mut snapshot.events).iter_mut().for_each(event);
    }
    snapshot.notes.iter_mut().for_each(tidy);
    if let Some(preview) = &mut snapshot.preview {
        preview_of(Arc::make_mut(preview));
    }
    snapshot.agents.iter_mut().for_each(agent);
    snapshot.accounts.iter_mut().for_each(|account| each([&mut account.program, &mut account.name]));
}

/// All texts of a delta: as those of a snapshot that has them.
pub(crate) fn delta(delta: &mut Delta) {
    delta.agents.iter_mut().for_each(agent);
    delta.events.iter_mut().for_each(event);
    delta.notes.iter_mut().flatten().for_each(tidy);
}

fn change(change: &mut Change) {
    each([&mut change.setting, &mut change.from, &mut change.to]);
}

fn preview_of(preview: &mut Preview) {
    // As a capture: colours and nothing else.
    let screen = Screen::styled(preview.text.as_bytes());
    screen.colours().unwrap_or_default().clone_into(&mut preview.text);
}

fn evidence(evidence: &mut Evidence) {
    each([&mut evidence.rule, &mut evidence.line]);
    evidence.region.as_mut().into_iter().for_each(tidy);
}

fn event(event: &mut Event) {
    match &mut event.what {
        EventKind::Appeared { target, agent, kind, .. } => {
            each([target, agent]);
            kind.as_mut().into_iter().for_each(tidy);
        }
        EventKind::Gone { target, agent, .. } => each([target, agent]),
        EventKind::Transition { target, agent, kind, evidence: why, .. } => {
            each([target, agent]);
            kind.as_mut().into_iter().for_each(tidy);
            evidence(why);
        }
        EventKind::Acted(Acted { target, agent, sent, result, .. }) => each([target, agent, sent, result]),
        EventKind::Changed { setting, from, to } => each([setting, from, to]),
        EventKind::Limit { program, account, .. } => each([program, account]),
        EventKind::Notice { text, .. } => tidy(text),
    }
}

fn agent(agent: &mut Agent) {
    each([
        &mut agent.target,
        &mut agent.session,
        &mut agent.window,
        &mut agent.name,
        &mut agent.agent,
        &mut agent.title,
    ]);
    for name in agent.host.iter_mut().chain([&mut agent.server]).filter(|name| !is_clean(name)) {
        *name = clean(name).into();
    }
    agent.places.iter_mut().for_each(tidy);
    let some = [&mut agent.version, &mut agent.kind, &mut agent.cwd, &mut agent.doing, &mut agent.model];
    let works_in = [&mut agent.repository, &mut agent.repository_path, &mut agent.worktree, &mut agent.branch];
    some.into_iter()
        .chain(works_in)
        .chain([&mut agent.tokens.shown, &mut agent.session_id, &mut agent.usage_source])
        .flatten()
        .for_each(tidy);
    evidence(&mut agent.evidence);
    if let Some(asks) = &mut agent.asks {
        tidy(&mut asks.line);
        // Each row by itself: an end of a row is no control character here.
        let mut rows: Vec<String> = asks.full.lines().map(str::to_owned).collect();
        rows.iter_mut().for_each(tidy);
        asks.full = rows.join("\n");
    }
    for choice in &mut agent.choices {
        tidy(&mut choice.label);
        choice.keys.iter_mut().for_each(tidy);
    }
    agent.transitions.iter_mut().filter_map(|transition| transition.kind.as_mut()).for_each(tidy);
}
