//! What is asked before something is done to an agent: which answer, what message, whether at all.

use crate::{
    app::{
        action::Action,
        message::{Outcome, Seen},
        state::{Mode, Recipient, State},
    },
    monitor::{self, Agent},
};

/// Opens the question before something is typed into a pane.
pub(super) fn ask(state: &mut State, action: Action) -> Outcome {
    let Some(agent) = state.selected() else { return Outcome::default() };
    let seen = Seen::of(agent, state.snapshot.preview.as_deref());
    let pane = agent.pane_id;
    state.mode = match action {
        // Nothing is marked: Enter alone, or at the end of words that were meant for the agent, picks nothing.
        Action::Answer => Mode::Answer { pane, seen, at: None },
        Action::Reply => Mode::Reply { pane, seen, input: tui_input::Input::default() },
        _ => Mode::Confirm { pane, seen, kill: action == Action::Kill },
    };
    Outcome::redraw()
}

/// Opens the list of those who may get one message: what is listed now, so that the filter chooses them. Those at their
/// prompt are marked.
pub(super) fn broadcast(state: &mut State) -> Outcome {
    let preview = state.snapshot.preview.as_deref();
    let may_get = |agent: &&Agent| agent.pid.is_some() && agent.state != monitor::State::Exited;
    let agents = &state.snapshot.agents;
    let listed = state.list.agents(agents).filter_map(|id| agents.iter().find(|agent| agent.pane_id == id));
    let to: Vec<Recipient> = listed
        .filter(may_get)
        .map(|agent| Recipient {
            pane: agent.pane_id,
            seen: Seen::of(agent, preview),
            marked: agent.state == monitor::State::Idle,
        })
        .collect();
    if to.is_empty() {
        return Outcome::default();
    }
    state.mode = Mode::Broadcast { to, at: 0, input: None };
    Outcome::redraw()
}
