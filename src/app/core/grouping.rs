//! What the agents are grouped by, and the lines of a list in groups.

use std::borrow::Cow;

use crate::app::core::fleet;
use crate::app::core::fleet::{Fleet, Place};
use crate::app::core::list::Line;
use crate::monitor::Agent;

/// What the agents are grouped by.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    Hash,
    strum::EnumIter,
    strum::Display,
    strum::EnumString,
    strum::VariantNames,
)]
#[strum(serialize_all = "lowercase")]
pub enum Grouping {
    /// Nothing.
    #[default]
    None,
    /// Session of tmux.
    Session,
    /// Host or tmux server.
    Host,
    /// Working directory.
    Folder,
    /// Repository, with all its working trees.
    Repository,
    /// Which program.
    Program,
}

impl Grouping {
    /// The one after.
    #[must_use]
    pub fn next(self) -> Self {
        use strum::IntoEnumIterator;
        Self::iter().cycle().skip_while(|by| *by != self).nth(1).unwrap_or_default()
    }

    /// What agents of one group have in common; empty where it is not known.
    #[must_use]
    pub fn of(self, agent: &Agent) -> Cow<'_, str> {
        Cow::Borrowed(match self {
            Self::None => "",
            Self::Session => &agent.session,
            Self::Host => return fleet::host_of(agent),
            Self::Folder => agent.cwd.as_deref().unwrap_or_default(),
            // Others may have the same name.
            Self::Repository => agent.repository_path.as_deref().unwrap_or_default(),
            Self::Program => &agent.agent,
        })
    }

    /// What the group of an agent is called, and more where that is not enough.
    #[must_use]
    pub fn head(self, agent: &Agent) -> (Cow<'_, str>, &str) {
        match self {
            Self::Folder if agent.cwd.is_none() => ("no folder".into(), ""),
            Self::Repository => match &agent.repository {
                Some(name) => (name.into(), agent.repository_path.as_deref().unwrap_or_default()),
                None => ("no repository".into(), ""),
            },
            Self::Host if agent.host.is_none() && self.of(agent) == "·" => ("this machine".into(), ""),
            _ => (self.of(agent), ""),
        }
    }
}

/// Puts the agents of a group under its head; groups come in the order of their first agent.
pub(super) fn group(fleet: &Fleet, lines: &[Line], by: Grouping) -> Vec<Line> {
    let mut groups: Vec<(Cow<'_, str>, Vec<Place>)> = Vec::new();
    for line in lines {
        let Line::Agent(place) = line else { continue };
        let Some((_, agent)) = fleet.at(*place) else { continue };
        let common = by.of(agent);
        match groups.iter_mut().find(|(name, _)| *name == common) {
            Some((_, places)) => places.push(*place),
            None => groups.push((common, vec![*place])),
        }
    }
    groups
        .into_iter()
        .flat_map(|(_, places)| std::iter::once(Line::Head(places[0])).chain(places.into_iter().map(Line::Agent)))
        .collect()
}
