//! What the palette offers: every action that can be done now, strategies, themes, columns and agents by name.

use strum::IntoEnumIterator;

use crate::app::core::action::{ACTIONS, Action, Scope, row};
use crate::app::core::fleet::AgentKey;
use crate::app::core::fuzzy::Query;
use crate::app::core::keymap::Keymap;
use crate::app::core::list::Sort;
use crate::app::core::state::State;
use crate::app::core::view::Main;
use crate::app::core::words::word;
use crate::monitor::{self, Agent};

/// What an item does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Does {
    /// An action of the table.
    Action(Action),
    /// Switch to the strategy of this name.
    Strategy(String),
    /// Use the theme with this index.
    Theme(usize),
    /// Sort by this column.
    Sort(Sort),
    /// Put the cursor on this agent.
    Select(AgentKey),
}

/// One item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// What it does.
    pub does: Does,
    /// The words that are matched and shown.
    pub text: String,
    /// Its keys, or what it is.
    pub hint: String,
}

/// The items that match, best first; all of them in the table's order when the query is empty.
#[must_use]
pub fn items(state: &State, query: &str) -> Vec<Item> {
    let mut items: Vec<Item> = ACTIONS
        .iter()
        .filter(|entry| {
            available(entry.action, state)
                && entry.scope == Scope::Panels
                && !matches!(entry.action, Action::Palette | Action::Strategy(_))
        })
        .map(|entry| Item {
            does: Does::Action(entry.action),
            text: entry.about.to_owned(),
            hint: keys(&state.keymap, entry.action),
        })
        .collect();
    items.extend(state.snapshot().strategies.iter().enumerate().map(|(i, strategy)| Item {
        does: Does::Strategy(strategy.name.clone()),
        text: format!("Strategy {}", strategy.name),
        hint: u8::try_from(i + 1).map_or_else(|_| String::new(), |n| keys(&state.keymap, Action::Strategy(n))),
    }));
    items.extend(Sort::iter().map(|sort| Item {
        does: Does::Sort(sort),
        text: format!("Sort by {sort}"),
        hint: if sort == state.list.sort { "now".to_owned() } else { String::new() },
    }));
    items.extend(state.themes.iter().enumerate().map(|(i, name)| Item {
        does: Does::Theme(i),
        text: format!("Theme {name}"),
        hint: if i == state.theme { "now".to_owned() } else { String::new() },
    }));
    items.extend(state.fleet.keyed().map(|(key, agent)| Item {
        does: Does::Select(key),
        text: format!("Agent {} {}", agent.target, agent.agent),
        hint: word(agent.state, agent.kind.as_deref()),
    }));
    if query.trim().is_empty() {
        return items;
    }
    let mut query = Query::new(query);
    let mut scored: Vec<(u32, Item)> = items
        .into_iter()
        .filter_map(|item| {
            // An action is found by its name in the config too.
            let name = match &item.does {
                Does::Action(action) => row(*action).map_or("", |entry| entry.name),
                _ => "",
            };
            let score = query.score(name).into_iter().chain(query.score(&item.text)).max()?;
            Some((score, item))
        })
        .collect();
    scored.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
    scored.into_iter().map(|(_, item)| item).collect()
}

/// All keys of an action as they are shown: `+ =`.
#[must_use]
pub fn keys(keymap: &Keymap, action: Action) -> String {
    keymap.keys(action).iter().map(crate::app::core::key::Key::label).collect::<Vec<_>>().join(" ")
}

/// Its program is known to run: something can be written to it.
fn runs(agent: &Agent) -> bool {
    agent.pid.is_some() && agent.state != monitor::AgentState::Exited
}

/// Whether an action can be done now. What cannot is neither shown nor done.
#[must_use]
pub fn available(action: Action, state: &State) -> bool {
    let on_the_wall = state.view.main == Main::Wall;
    match row(action).map(|entry| entry.scope) {
        None | Some(Scope::Panels) => {}
        Some(Scope::Wall) => return on_the_wall,
        Some(_) => return false,
    }
    let selected = state.selected();
    match action {
        Action::Jump if state.view.main == Main::Hosts => state.selected_host().is_some(),
        Action::Jump => state.can.jump && selected.is_some(),
        Action::Pick => state.can.jump && !state.fleet.is_empty(),
        Action::Hosts => !state.fleet.hosts().is_empty(),
        Action::Answer => state.can.act && selected.is_some_and(|agent| !agent.choices.is_empty()),
        Action::Reply | Action::Interrupt => state.can.act && selected.is_some_and(runs),
        Action::Kill => state.can.act && selected.is_some(),
        Action::Broadcast => state.can.act && state.fleet.agents().any(runs),
        Action::Dismiss => selected.is_some_and(|agent| agent.state == monitor::AgentState::Exited),
        Action::Park | Action::Snooze | Action::Pin | Action::Mute | Action::Describe => selected.is_some(),
        Action::Aside => state.fleet.agents().any(Agent::is_aside),
        // The wall has all of the page.
        Action::Preview | Action::Events => !on_the_wall,
        Action::Copy => state.can.copy && selected.is_some(),
        Action::Reload => state.can.reload,
        Action::Strategy(n) => usize::from(n) <= state.snapshot().strategies.len(),
        Action::NextNeedy => state.fleet.present().any(|(_, agent)| agent.needs_user()),
        action => row(action).is_some(),
    }
}
