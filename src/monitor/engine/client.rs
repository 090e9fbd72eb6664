//! Who is at an engine: each client with a focus and a watch of its own, given back when it goes however it goes.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use tokio::sync::watch;

use crate::monitor::Tiles;
use crate::monitor::engine::command::Command;
use crate::tmux::PaneId;

/// A client of one engine: counted from 1, never used twice by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClientId(u64);

/// What a client wants of the engine for as long as it is there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Interest {
    /// The pane whose coloured screen it shows.
    pub focus: Option<PaneId>,
    /// The panes that it shows side by side, in their colours too.
    pub tiles: Tiles,
    /// Somebody looks at its snapshots.
    pub watched: bool,
    /// It shows what a snapshot says of the watching itself. Who is not behind a slow way has that anyhow.
    pub instruments: bool,
}

impl Interest {
    /// What is to be asked for by who wanted what is `known`.
    pub(crate) fn news(&self, known: &Self) -> impl Iterator<Item = Command> + use<> {
        let focus = (self.focus != known.focus).then_some(Command::Focus(self.focus));
        let tiles = (self.tiles != known.tiles).then(|| Command::Tiles(self.tiles.clone()));
        let watched = (self.watched != known.watched).then_some(Command::Watched(self.watched));
        let shown = (self.instruments != known.instruments).then_some(Command::Instruments(self.instruments));
        focus.into_iter().chain(tiles).chain(watched).chain(shown)
    }
}

/// The clients that are there now.
///
/// A state and no queue: what was asked for last holds, nothing can be lost because a queue is full, and one who leaves
/// cannot undo what a newcomer asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Clients {
    interests: BTreeMap<ClientId, Interest>,
    last: u64,
}

impl Clients {
    /// How many are there.
    #[must_use]
    pub fn count(&self) -> usize {
        self.interests.len()
    }

    /// The panes that any client has in focus.
    #[must_use]
    pub fn focus(&self) -> BTreeSet<PaneId> {
        self.interests.values().filter_map(|interest| interest.focus).collect()
    }

    /// The panes that any client shows side by side with others.
    #[must_use]
    pub fn tiles(&self) -> BTreeSet<PaneId> {
        self.interests.values().flat_map(|interest| interest.tiles.panes()).copied().collect()
    }

    /// One wish for the tiles of all clients, as far as one client may have them.
    #[must_use]
    pub(crate) fn all_tiles(&self) -> Tiles {
        self.interests.values().fold(Tiles::default(), |all, interest| all.and(&interest.tiles))
    }

    /// Whether somebody looks at any client.
    #[must_use]
    pub fn watched(&self) -> bool {
        self.interests.values().any(|interest| interest.watched)
    }

    /// Whether any client shows what a snapshot says of the watching itself.
    #[must_use]
    pub fn instruments(&self) -> bool {
        self.interests.values().any(|interest| interest.instruments)
    }

    /// What one client wants; nothing, when it is gone.
    #[must_use]
    pub fn of(&self, client: ClientId) -> Interest {
        self.interests.get(&client).cloned().unwrap_or_default()
    }

    fn enter(&mut self, watched: bool) -> ClientId {
        self.last += 1;
        let id = ClientId(self.last);
        self.interests.insert(id, Interest { watched, ..Interest::default() });
        id
    }
}

/// A client's place at an engine. What the client asked for ends with it.
#[derive(Debug)]
pub struct Place {
    id: ClientId,
    clients: Arc<watch::Sender<Clients>>,
}

impl Place {
    /// The place of an engine's first client, which is watched; and the list that the engine follows.
    #[must_use]
    pub fn first() -> (Self, watch::Receiver<Clients>) {
        let mut clients = Clients::default();
        let id = clients.enter(true);
        let (clients, list) = watch::channel(clients);
        (Self { id, clients: Arc::new(clients) }, list)
    }

    /// A place for another client of the same engine.
    #[must_use]
    pub fn another(&self, watched: bool) -> Self {
        let mut id = self.id;
        self.clients.send_modify(|clients| id = clients.enter(watched));
        Self { id, clients: Arc::clone(&self.clients) }
    }

    /// Whose place it is.
    #[must_use]
    pub fn id(&self) -> ClientId {
        self.id
    }

    /// What its client wants now.
    #[must_use]
    pub fn interest(&self) -> Interest {
        self.clients.borrow().of(self.id)
    }

    /// Its client wants this from now on.
    pub fn want(&self, interest: Interest) {
        self.clients.send_if_modified(|clients| {
            if clients.interests.get(&self.id) == Some(&interest) {
                return false;
            }
            clients.interests.insert(self.id, interest);
            true
        });
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.clients.send_modify(|clients| {
            clients.interests.remove(&self.id);
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_client_has_its_own_focus_and_takes_it_along() {
        let (first, list) = Place::first();
        let (one, two) = (first.another(true), first.another(false));
        let focus = |pane| Interest { focus: Some(PaneId(pane)), watched: true, ..Interest::default() };
        one.want(focus(1));
        two.want(focus(2));
        assert_eq!(list.borrow().focus(), BTreeSet::from([PaneId(1), PaneId(2)]));
        two.want(focus(1));
        drop(one);
        assert_eq!(list.borrow().focus(), BTreeSet::from([PaneId(1)]), "the other one still shows it");
        let gone = two.id();
        drop(two);
        assert!(list.borrow().focus().is_empty());
        assert_eq!(list.borrow().of(gone), Interest::default());
        assert_ne!(first.another(true).id(), gone, "a number is never used twice");
    }

    #[test]
    fn each_client_has_its_own_tiles_and_all_of_them_are_bounded() {
        let (first, list) = Place::first();
        let other = first.another(true);
        let tiles = |from: u32| Tiles::new((from..from + 30).map(PaneId), 9);
        let before = Interest { watched: true, ..Interest::default() };
        let wall = Interest { tiles: tiles(0), ..before.clone() };
        first.want(wall.clone());
        other.want(Interest { tiles: tiles(20), watched: true, ..Interest::default() });
        assert_eq!(list.borrow().tiles(), (0..50).map(PaneId).collect());
        assert_eq!(list.borrow().all_tiles().panes().len(), crate::monitor::MOST_TILES);
        assert!(list.borrow().focus().is_empty());
        assert_eq!(wall.news(&before).collect::<Vec<_>>(), [Command::Tiles(tiles(0))]);
        assert_eq!(wall.news(&wall).count(), 0);
        drop(other);
        first.want(before.clone());
        assert!(list.borrow().tiles().is_empty());
        assert_eq!(before.news(&wall).collect::<Vec<_>>(), [Command::Tiles(Tiles::default())]);
    }

    #[test]
    fn a_client_that_leaves_takes_only_its_own_watch_along() {
        let (first, list) = Place::first();
        first.want(Interest::default());
        assert!(!list.borrow().watched());
        let leaving = first.another(true);
        let coming = first.another(true);
        drop(leaving);
        assert!(list.borrow().watched());
        drop(coming);
        assert!(!list.borrow().watched());
    }
}
