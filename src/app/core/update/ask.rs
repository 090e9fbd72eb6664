//! What is asked before something is done to an agent: which answer, what message, whether at all.

use std::sync::Arc;

use crate::app::core::act::Seen;
use crate::app::core::action::Action;
use crate::app::core::asked::Asked;
use crate::app::core::fleet::{AgentKey, MemberId};
use crate::app::core::message::Outcome;
use crate::app::core::state::{Mode, Recipient, State};
use crate::app::core::update::{Tone, fleet, toast};
use crate::monitor;
use crate::monitor::{Agent, Preview};

/// Opens the question before something is typed into a pane.
pub(crate) fn ask(state: &mut State, action: Action) -> Outcome {
    let Some((key, agent)) = state.list.selected.zip(state.selected()) else { return Outcome::default() };
    let seen = Seen::of(agent, state.fleet.preview(key).map(Arc::as_ref));
    state.mode = match action {
        // Nothing is marked: Enter alone, or at the end of words that were meant for the agent, picks nothing.
        Action::Answer => {
            let asked = asked(state, key, agent, &seen);
            Mode::Answer { key, seen, at: None, asked }
        }
        Action::Reply => Mode::Reply { key, seen, input: tui_input::Input::default() },
        _ => Mode::Confirm { key, seen, kill: action == Action::Kill },
    };
    Outcome::redraw().and(fleet::ask_focus(state))
}

/// What the agent asks, as far as its screen is there. It is seen already where the last frame showed all of it.
fn asked(state: &State, key: AgentKey, agent: &Agent, seen: &Seen) -> Asked {
    let mut asked = Asked::new(agent, seen, state.fleet.preview(key));
    let shown = |(member, drawn): &(MemberId, Arc<Preview>)| {
        let same = |now: &Arc<Preview>| now.pane_id == drawn.pane_id && now.text == drawn.text;
        *member == key.member && asked.screen.as_ref().is_some_and(same)
    };
    let room = (state.viewport.preview_width, state.viewport.preview);
    asked.seen_whole = state.preview_up == 0 && state.drawn.as_ref().is_some_and(shown) && asked.fits(seen, room);
    asked
}

/// The screen of an agent whose answers are open has come: now it is shown, and can be answered.
pub(crate) fn arrived(state: &mut State) -> bool {
    let Mode::Answer { key, asked: Asked { screen: None, .. }, .. } = &state.mode else { return false };
    let key = *key;
    let Some(agent) = state.fleet.agent(key).filter(|agent| !agent.choices.is_empty()) else {
        state.mode = Mode::Normal;
        toast(state, "its prompt is gone: nothing was done".to_owned(), Tone::Error);
        return true;
    };
    let preview = state.fleet.preview(key);
    let seen = Seen::of(agent, preview.map(Arc::as_ref));
    let asked = Asked::new(agent, &seen, preview);
    if asked.screen.is_none() {
        return false;
    }
    state.mode = Mode::Answer { key, seen, at: None, asked };
    true
}

/// Opens the list of those who may get one message: what is listed now, so that the filter chooses them. Those at their
/// prompt are marked.
pub(crate) fn broadcast(state: &mut State) -> Outcome {
    let may_get = |(_, agent): &(AgentKey, &Agent)| agent.pid.is_some() && agent.state != monitor::AgentState::Exited;
    let listed = state.list.agents(&state.fleet);
    let to: Vec<Recipient> = listed
        .filter(may_get)
        .map(|(key, agent)| Recipient {
            key,
            seen: Seen::of(agent, state.fleet.preview(key).map(Arc::as_ref)),
            marked: agent.state == monitor::AgentState::Idle,
        })
        .collect();
    if to.is_empty() {
        return Outcome::default();
    }
    state.mode = Mode::Broadcast { to, at: 0, input: None };
    Outcome::redraw()
}
