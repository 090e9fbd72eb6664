//! The agents of one snapshot: each is shared with the snapshots before and after it in which it is the same.

use std::{
    iter::Map,
    ops::{Index, IndexMut},
    slice,
    sync::Arc,
    vec,
};

use serde::{Deserialize, Serialize};

use crate::monitor::snapshot::agent::Agent;

/// Agents in an order. A copy shares all of them, and what changes one in a copy copies that one alone: a snapshot that
/// differs from the one before in five of a hundred agents costs five.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Agents(Vec<Arc<Agent>>);

/// Agents one after the other.
pub type Iter<'a> = Map<slice::Iter<'a, Arc<Agent>>, fn(&'a Arc<Agent>) -> &'a Agent>;

/// The same, to be changed.
pub type IterMut<'a> = Map<slice::IterMut<'a, Arc<Agent>>, fn(&'a mut Arc<Agent>) -> &'a mut Agent>;

impl Agents {
    /// None.
    #[must_use]
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// There is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The one at a place, counted from 0.
    #[must_use]
    pub fn get(&self, place: usize) -> Option<&Agent> {
        self.0.get(place).map(Arc::as_ref)
    }

    /// The same, to be changed: one that is shared is copied.
    pub fn get_mut(&mut self, place: usize) -> Option<&mut Agent> {
        self.0.get_mut(place).map(Arc::make_mut)
    }

    /// The first.
    #[must_use]
    pub fn first(&self) -> Option<&Agent> {
        self.get(0)
    }

    /// All of them in their order.
    pub fn iter(&self) -> Iter<'_> {
        self.0.iter().map(Arc::as_ref)
    }

    /// All of them, to be changed: those that are shared are copied.
    pub fn iter_mut(&mut self) -> IterMut<'_> {
        self.0.iter_mut().map(Arc::make_mut)
    }

    /// One more at the end.
    pub fn push(&mut self, agent: impl Into<Arc<Agent>>) {
        self.0.push(agent.into());
    }

    /// The first ones alone.
    pub fn truncate(&mut self, most: usize) {
        self.0.truncate(most);
    }

    /// Keeps those alone.
    pub fn retain(&mut self, mut keep: impl FnMut(&Agent) -> bool) {
        self.0.retain(|agent| keep(agent));
    }

    /// As they are shared.
    pub(crate) fn shared(&self) -> &[Arc<Agent>] {
        &self.0
    }

    /// The same, to be replaced or ordered without a copy of any.
    pub(crate) fn shared_mut(&mut self) -> &mut Vec<Arc<Agent>> {
        &mut self.0
    }

    /// Those that differ from the one at the same place in `before`, each with that one, in no more time than it takes to
    /// see that the others are shared. Places that only one of them has are left out.
    pub fn changed<'a>(&'a self, before: &'a Self) -> impl Iterator<Item = (&'a Agent, &'a Agent)> {
        before.0.iter().zip(&self.0).filter(|(one, two)| !Arc::ptr_eq(one, two)).map(|(one, two)| (&**one, &**two))
    }
}

/// What is shared is not compared.
impl PartialEq for Agents {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.changed(other).all(|(one, two)| one == two)
    }
}

impl Index<usize> for Agents {
    type Output = Agent;

    fn index(&self, place: usize) -> &Agent {
        &self.0[place]
    }
}

impl IndexMut<usize> for Agents {
    fn index_mut(&mut self, place: usize) -> &mut Agent {
        Arc::make_mut(&mut self.0[place])
    }
}

impl From<Vec<Agent>> for Agents {
    fn from(agents: Vec<Agent>) -> Self {
        agents.into_iter().collect()
    }
}

impl<A: Into<Arc<Agent>>> FromIterator<A> for Agents {
    fn from_iter<T: IntoIterator<Item = A>>(agents: T) -> Self {
        Self(agents.into_iter().map(Into::into).collect())
    }
}

impl<A: Into<Arc<Agent>>> Extend<A> for Agents {
    fn extend<T: IntoIterator<Item = A>>(&mut self, agents: T) {
        self.0.extend(agents.into_iter().map(Into::into));
    }
}

impl<'a> IntoIterator for &'a Agents {
    type Item = &'a Agent;
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<'a> IntoIterator for &'a mut Agents {
    type Item = &'a mut Agent;
    type IntoIter = IterMut<'a>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter_mut()
    }
}

impl IntoIterator for Agents {
    type Item = Arc<Agent>;
    type IntoIter = vec::IntoIter<Arc<Agent>>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn agents() -> Agents {
        let agent = |n| serde_json::from_value::<Agent>(serde_json::json!({ "pane_id": format!("%{n}") })).unwrap();
        (0..4).map(agent).collect()
    }

    #[test]
    fn what_changes_one_in_a_copy_copies_that_one_alone() {
        let before = agents();
        let mut after = before.clone();
        assert_eq!(after.changed(&before).count(), 0);
        after[2].stale = true;
        let changed: Vec<_> = after.changed(&before).map(|(one, two)| (one.pane_id.0, one.stale, two.stale)).collect();
        assert_eq!(changed, [(2, false, true)]);
        assert_ne!(before, after);
        assert!(!before[2].stale, "the copy alone");
    }

    #[test]
    fn they_are_a_list_in_json() {
        let (one, json) = (agents(), serde_json::to_value(agents()).unwrap());
        assert_eq!(json.as_array().map(Vec::len), Some(4));
        let read: Agents = serde_json::from_value(json).unwrap();
        assert_eq!(read, one);
        assert_eq!(read.changed(&one).count(), 4, "equal, and not shared");
    }
}
