//! What is put on the selected agent: parked, snoozed, pinned, silent, a name, a note. The engine keeps it; the same key
//! takes it back.

use tui_input::Input;

use crate::app::core::action::Action;
use crate::app::core::fleet::{AgentKey, MemberId};
use crate::app::core::message::Outcome;
use crate::app::core::pending::Pending;
use crate::app::core::state::{Mode, State};
use crate::app::core::tidy::{SNOOZES, done, tidying};
use crate::app::core::update::engine::command_to;
use crate::app::core::update::{Tone, rows, toast};
use crate::monitor::{Command, LONGEST_NAME, LONGEST_NOTE, TidyChange};

/// What the engine says that knows no such command; what it says more is of its own program.
const UNKNOWN: &str = "knows no such command";

/// Does it, or opens what asks for more.
pub(crate) fn tidy(state: &mut State, action: Action) -> Outcome {
    let Some((key, agent)) = state.list.selected.zip(state.selected()) else { return Outcome::default() };
    let now = state.tidied(key, agent);
    let change = match action {
        // Whose program has ended changes no more until another one starts there: then it is parked for good.
        Action::Park | Action::Dismiss => TidyChange::Park(!now.parked),
        Action::Pin => TidyChange::Pin(!now.pinned),
        Action::Mute => TidyChange::Mute(!now.muted),
        Action::Snooze if now.snoozed => TidyChange::Wake,
        Action::Snooze => {
            state.mode = Mode::Snooze { key, at: 0 };
            return Outcome::redraw();
        }
        _ => {
            let text = |text: Option<String>| Input::new(text.unwrap_or_default());
            state.mode = Mode::Describe { key, name: text(now.name), note: text(now.note), in_note: false };
            return Outcome::redraw();
        }
    };
    ask(state, key, change)
}

/// Asks the agent's engine for it.
fn ask(state: &mut State, key: AgentKey, change: TidyChange) -> Outcome {
    let Some(agent) = state.fleet.agent(key) else { return Outcome::redraw() };
    let asked = Command::Tidy(tidying(agent, change));
    command_to(state, key.member, asked)
}

/// A snooze of the list was chosen.
pub(crate) fn snooze(state: &mut State, key: AgentKey, at: usize) -> Outcome {
    match SNOOZES.get(at) {
        Some((seconds, _)) => ask(state, key, TidyChange::Snooze(*seconds)),
        None => Outcome::redraw(),
    }
}

/// The name and the note are what was typed.
pub(crate) fn describe(state: &mut State, key: AgentKey, name: &Input, note: &Input) -> Outcome {
    ask(state, key, TidyChange::Describe { name: name.value().to_owned(), note: note.value().to_owned() })
}

/// To the other field, the cursor at its end.
pub(crate) fn next_field(state: &mut State) -> Outcome {
    let Mode::Describe { in_note, .. } = &mut state.mode else { return Outcome::default() };
    *in_note = !*in_note;
    Outcome::redraw()
}

/// No more is typed than is kept.
pub(crate) fn typed(state: &mut State) {
    let Mode::Describe { name, note, in_note, .. } = &mut state.mode else { return };
    let (input, most) = if *in_note { (note, LONGEST_NOTE) } else { (name, LONGEST_NAME) };
    if input.value().chars().count() > most {
        let kept: String = input.value().chars().take(most).collect();
        *input = Input::new(kept).with_cursor(input.cursor().min(most));
    }
}

/// It is done: what is not seen of it is said.
pub(crate) fn is_done(state: &mut State, change: &TidyChange) -> Outcome {
    if matches!(change, TidyChange::Pin(_) | TidyChange::Park(false) | TidyChange::Wake) {
        rows::relist(state);
    }
    if let Some(text) = done(change, &state.keymap.label(Action::Aside)) {
        toast(state, text, Tone::Done);
    }
    Outcome::redraw()
}

/// Why it is not done, where the engine is of a program that cannot.
pub(crate) fn too_old(state: &State, pending: &Pending, why: &str) -> Option<String> {
    let Command::Tidy(_) = &pending.command else { return None };
    why.contains(UNKNOWN).then(|| {
        let (whose, how) = where_from(state, pending.member);
        format!("{whose} is too old for this: {how}")
    })
}

fn where_from(state: &State, member: MemberId) -> (String, String) {
    let host = state.fleet.member(member).and_then(|member| member.label.host.clone());
    match host {
        Some(host) => (format!("the tmux-orc on {host}"), format!("`tmux-orc hosts install {host}` brings this one")),
        None => ("the engine in the background".to_owned(), "`tmux-orc monitor restart` starts this one".to_owned()),
    }
}
