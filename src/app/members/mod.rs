//! The members of a fleet as a front end holds them: a handle for each, and the newest of all as one [`Fleet`].

pub(crate) mod scan;

use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use tokio::{
    sync::{Notify, watch},
    task::JoinSet,
};

use crate::app::core::fleet::{Fleet, Member, MemberId};
use crate::monitor::{Command, Ended, Handle, Link, NotDone, NotSent, Snapshots};

/// What watches each member: dropped with the front end.
#[derive(Debug)]
pub struct Members {
    first: Held,
    others: Vec<Held>,
    news: Arc<News>,
    /// One for each member, which waits for what it publishes.
    _waiting: JoinSet<()>,
}

/// A member's engine, as it is held.
#[derive(Clone, Debug)]
struct Held {
    id: MemberId,
    handle: Handle,
    link: watch::Receiver<Link>,
}

/// Something is new: told once however many members it is of.
#[derive(Debug, Default)]
struct News {
    told: Notify,
    /// The engine of the first member has ended, and none takes its place.
    ended: AtomicBool,
}

/// A fleet of one whose engine runs inside.
impl From<Handle> for Members {
    fn from(handle: Handle) -> Self {
        Self::new(handle, watch::channel(Link::default()).1)
    }
}

impl Members {
    /// A fleet of one: the server that this machine's user means.
    #[must_use]
    pub fn new(handle: Handle, link: watch::Receiver<Link>) -> Self {
        let first = Held { id: MemberId::FIRST, handle, link };
        let mut waiting = JoinSet::new();
        let news = Arc::new(News::default());
        waiting.spawn(tell(first.id, first.handle.snapshots.clone(), first.link.clone(), Arc::clone(&news)));
        Self { first, others: Vec::new(), news, _waiting: waiting }
    }

    /// What all of them published last.
    #[must_use]
    pub fn now(&self) -> Fleet {
        Fleet::new(self.first.now(), self.others.iter().map(Held::now))
    }

    /// Waits until one of them has published, or is reached in another way. A call that is dropped half-way misses
    /// nothing.
    ///
    /// # Errors
    /// The engine of the first member has ended, and none takes its place.
    pub async fn changed(&self) -> Result<(), Ended> {
        self.news.told.notified().await;
        if self.news.ended.load(Ordering::Acquire) { Err(Ended) } else { Ok(()) }
    }

    /// Asks a member's engine for something; the answer comes after the snapshot that shows it is in [`Self::now`].
    pub fn ask(
        &self,
        id: MemberId,
        command: Command,
    ) -> impl Future<Output = Result<(), NotDone>> + Send + 'static + use<> {
        let answer = self.held(id).map(|held| held.handle.commands.ask(command));
        async move {
            match answer {
                Some(answer) => answer.await,
                None => Err(NotDone::NotSent(NotSent::Ended)),
            }
        }
    }

    /// Hands a command to a member's engine. Says whether it has room for it.
    #[must_use]
    pub fn send(&self, id: MemberId, command: Command) -> bool {
        self.held(id).is_some_and(|held| held.handle.commands.try_send(command).is_ok())
    }

    fn held(&self, id: MemberId) -> Option<&Held> {
        std::iter::once(&self.first).chain(&self.others).find(|held| held.id == id)
    }
}

impl Held {
    fn now(&self) -> Member {
        Member { id: self.id, link: *self.link.borrow(), snapshot: self.handle.snapshots.borrow() }
    }
}

/// Tells of what a member publishes until its engine ends. It keeps no engine.
async fn tell(id: MemberId, mut snapshots: Snapshots, mut link: watch::Receiver<Link>, news: Arc<News>) {
    loop {
        let ended = tokio::select! {
            changed = snapshots.changed() => changed.map(|()| drop(snapshots.borrow_and_update())).is_err(),
            Ok(()) = link.changed() => false,
        };
        if ended && id == MemberId::FIRST {
            news.ended.store(true, Ordering::Release);
        }
        news.told.notify_one();
        if ended {
            return;
        }
    }
}
