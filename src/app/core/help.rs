//! The help, made from the live key table.

use strum::IntoEnumIterator as _;

use crate::app::core::action::{ACTIONS, Action, Group};
use crate::app::core::fuzzy::Query;
use crate::app::core::palette;
use crate::app::core::palette::available;
use crate::app::core::state::State;

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
            .filter(|entry| entry.group == group && listed(state, entry.action))
            .map(|entry| HelpRow::Keys(palette::keys(&state.keymap, entry.action), entry.about, entry.name))
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

/// Whether the help lists an action: the caller can do it, be it that there is nothing to do it to just now.
fn listed(state: &State, action: Action) -> bool {
    match action {
        Action::Jump => state.can.jump,
        Action::Answer | Action::Reply | Action::Interrupt => state.can.act,
        Action::Copy => state.can.copy,
        Action::NextNeedy => true,
        action => available(action, state),
    }
}
