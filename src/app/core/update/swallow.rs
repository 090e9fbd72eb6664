//! Words that were meant for an agent are no keys of ours: what cannot be done to it says so, and what is typed then is
//! dropped until the typing rests.

use std::time::Duration;

use crate::app::core::action::Action;
use crate::app::core::key::{Code, Key};
use crate::app::core::message::Outcome;
use crate::app::core::state::{Mode, State};
use crate::app::core::update::{Tone, modes, toast};
use crate::app::core::words::state_and_kind;
use crate::monitor;

/// Rest after which keys are keys again. Who types a sentence leaves less between two letters.
const REST: Duration = Duration::from_secs(1);

/// Whether the key is dropped, because it belongs to words that are being typed to nobody. Any key that no sentence
/// holds (Escape, an arrow, one with Ctrl) ends that at once.
pub(crate) fn takes(state: &mut State, key: Key) -> bool {
    let Some(until) = state.swallows else { return false };
    if state.elapsed >= until || !in_words(key) {
        state.swallows = None;
        return false;
    }
    state.swallows = Some(state.elapsed + REST);
    true
}

/// A key that stands in a sentence.
fn in_words(key: Key) -> bool {
    !key.ctrl && matches!(key.code, Code::Char(_) | Code::Enter | Code::Tab | Code::Backspace)
}

/// Says why an action cannot be done now. After one that would have taken words, or an answer, what is typed is dropped.
pub(crate) fn refuse(state: &mut State, action: Action) -> Outcome {
    let Some(why) = why_not(state, action) else { return Outcome::default() };
    toast(state, why, Tone::Error);
    if !matches!(action, Action::Jump | Action::Copy | Action::Dismiss) {
        state.swallows = Some(state.elapsed + REST);
    }
    Outcome::redraw()
}

/// Why an action on an agent cannot be done; `None` for the other actions.
fn why_not(state: &State, action: Action) -> Option<String> {
    let (verb, types) = match action {
        Action::Jump => ("to go to", false),
        Action::Copy => ("to copy", false),
        Action::Dismiss => ("to dismiss", false),
        Action::Answer => ("to answer", true),
        Action::Reply | Action::Broadcast => ("to write to", true),
        Action::Interrupt => ("to interrupt", true),
        Action::Kill => ("to close", true),
        _ => return None,
    };
    if types && !state.can.act {
        return Some("read-only: nothing is typed into panes, what you type is dropped".to_owned());
    }
    let Some(agent) = state.selected().filter(|_| action != Action::Broadcast) else {
        return Some(format!("there is no agent {verb}"));
    };
    let target = &agent.target;
    Some(match (action, agent.state) {
        (Action::Jump | Action::Copy, _) => format!("there is no way {verb} {target} from here"),
        (Action::Dismiss, now) => {
            let is = state_and_kind(now, agent.kind.as_deref());
            format!("{target} is {is}: only an agent that has exited is dismissed")
        }
        (_, monitor::AgentState::Exited) => format!("{target} has exited: nothing {verb}, what you type is dropped"),
        (Action::Answer, monitor::AgentState::Waiting) => {
            format!("{target}: its answers are not known here, go to its pane; what you type is dropped")
        }
        (Action::Answer, _) => {
            let is = state_and_kind(agent.state, agent.kind.as_deref());
            format!("{target} is {is}: it asks nothing to answer, what you type is dropped")
        }
        _ => format!("{target}: its program is not known to run: nothing {verb}, what you type is dropped"),
    })
}

/// A key that is none of an open question's closes it; a letter is taken for the first of words, which are dropped.
pub(crate) fn close(state: &mut State, key: Key) -> Outcome {
    let what = match state.mode {
        Mode::Answer { .. } => "the answers",
        Mode::Broadcast { .. } => "the list",
        _ => "the question",
    };
    modes::close(state);
    if in_words(key) {
        toast(state, format!("'{}' is none of its keys: {what} closed, nothing was done", key.label()), Tone::Error);
        state.swallows = Some(state.elapsed + REST);
    }
    Outcome::redraw()
}

/// Says that keys were dropped which nobody had typed.
pub(crate) fn dropped(state: &mut State, keys: usize) -> Outcome {
    let reply = state.keymap.label(Action::Reply);
    let how = if reply.is_empty() { String::new() } else { format!("; {reply} writes to an agent") };
    toast(state, format!("{keys} keys came at once, as nobody types: dropped{how}"), Tone::Error);
    Outcome::redraw()
}
