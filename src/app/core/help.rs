//! The help, made from the live key table.

use strum::IntoEnumIterator as _;

use crate::app::core::action::{ACTIONS, Action, Entry, Group, Scope};
use crate::app::core::fuzzy::Query;
use crate::app::core::palette::available;
use crate::app::core::state::State;
use crate::app::core::text::width;

/// Most cells of the keys of an action that has several.
const KEYS_WIDTH: usize = 11;

/// A row of the help: a group's head, or keys and what they do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HelpRow {
    /// Head of a group.
    Head(Group),
    /// Keys, what they do, and the name in the config.
    Keys(String, &'static str, &'static str),
}

/// The help's rows; only those that match.
#[must_use]
pub fn help_rows(state: &State, query: &str) -> Vec<HelpRow> {
    let mut query = Query::new(query);
    let mut rows = Vec::new();
    for group in Group::iter() {
        let members: Vec<HelpRow> = ACTIONS
            .iter()
            .filter(|entry| entry.group == group && listed(state, entry))
            .map(|entry| HelpRow::Keys(keys(state, entry.action), entry.about, entry.name))
            .filter(|row| match row {
                HelpRow::Keys(keys, about, name) => query.matches(&[keys, name], &[about, &group.to_string()]),
                HelpRow::Head(_) => true,
            })
            .collect();
        if !members.is_empty() {
            rows.push(HelpRow::Head(group));
            rows.extend(members);
        }
    }
    rows
}

/// The keys of an action, as many as fit: `+ =`.
fn keys(state: &State, action: Action) -> String {
    let mut keys = String::new();
    for key in state.keymap.keys(action) {
        let label = key.label();
        if !keys.is_empty() && width(&keys) + 1 + width(&label) > KEYS_WIDTH {
            break;
        }
        keys.push_str(if keys.is_empty() { "" } else { " " });
        keys.push_str(&label);
    }
    keys
}

/// Whether the help lists an action: the caller can do it, be it that there is nothing to do it to just now.
fn listed(state: &State, entry: &Entry) -> bool {
    match entry.scope {
        Scope::Panels | Scope::Wall => {}
        Scope::Answers | Scope::Question | Scope::Recipients | Scope::Message => return state.can.act,
        Scope::Open | Scope::Text | Scope::Form => return true,
    }
    match entry.action {
        Action::Jump => state.can.jump,
        Action::Answer | Action::Reply | Action::Interrupt => state.can.act,
        Action::Copy => state.can.copy,
        Action::NextNeedy
        | Action::Park
        | Action::Snooze
        | Action::Pin
        | Action::Mute
        | Action::Describe
        | Action::Aside => true,
        action => available(action, state),
    }
}
