//! The members of a fleet as a front end holds them: for each what it publishes, the way to its engine, and who acts on
//! its agents; and the newest of all as one [`Fleet`].

mod doer;
pub(crate) mod hosts;
mod nobody;
mod scan;

use std::{
    future::Future,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicBool, Ordering},
    },
};

use tokio::{
    sync::{Notify, watch},
    time::{Duration, Instant, sleep_until},
};
use tokio_util::task::AbortOnDropHandle;

use crate::app::act::Actor;
use crate::app::core::fleet::{Fleet, Host, Label, Member, MemberId};
use crate::monitor::{Command, Ended, Handle, Link, LinkedHost, NotDone, NotSent, Snapshots};

pub use doer::{Doer, There};
use nobody::Nobody;
pub(crate) use scan::{real_path, sockets};

/// What several members publish within this time is taken in at once: the time of a frame, and once more for each thousand
/// of agents.
const MOMENT: Duration = Duration::from_millis(33);

/// The members: clones are the same. Their engines are let go with the last of them.
#[derive(Clone, Debug)]
pub struct Members(Arc<Shared>);

/// The same without a claim, for who finds and loses members.
#[derive(Clone, Debug)]
pub(crate) struct WeakMembers(Weak<Shared>);

#[derive(Debug)]
struct Shared {
    held: Mutex<Held>,
    news: Arc<News>,
    /// One came or went.
    who: watch::Sender<()>,
    /// Before this nothing is told: what several publish within one moment is taken in at once.
    not_before: Mutex<Instant>,
}

#[derive(Debug, Default)]
struct Held {
    /// In the order in which they are listed: the first, those of this machine, those of hosts.
    members: Vec<One>,
    /// What stands in the first place while there is none at all.
    nobody: Option<Nobody>,
    /// The number of the next one.
    next: u16,
    /// The hosts of the settings.
    hosts: Vec<(Host, Arc<LinkedHost>)>,
}

/// One member.
#[derive(Debug)]
struct One {
    id: MemberId,
    joined: Joined,
    /// Waits for what it publishes.
    _waits: AbortOnDropHandle<()>,
}

/// A member as it joins.
#[derive(Debug)]
pub struct Joined {
    /// Where it is.
    pub label: Label,
    /// Its engine.
    pub handle: Handle,
    /// How that is reached.
    pub link: watch::Receiver<Link>,
    /// Who acts on its agents; nobody where nothing can be done.
    pub doer: Option<Doer>,
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
        let label = Label::default();
        Self::new(Joined { label, handle, link: watch::channel(Link::default()).1, doer: None })
    }
}

impl Members {
    /// A fleet of one: the server that the user means.
    #[must_use]
    pub fn new(first: Joined) -> Self {
        let members = Self(Arc::new(Shared {
            held: Mutex::default(),
            news: Arc::default(),
            who: watch::Sender::new(()),
            not_before: Mutex::new(Instant::now()),
        }));
        members.join(first);
        members
    }

    /// A fleet of hosts alone: whatever joins, none of it is the first for good.
    #[must_use]
    pub(crate) fn of_hosts() -> Self {
        let held = Held { nobody: Some(Nobody::new()), next: 1, ..Held::default() };
        let not_before = Mutex::new(Instant::now());
        let who = watch::Sender::new(());
        Self(Arc::new(Shared { held: Mutex::new(held), news: Arc::default(), who, not_before }))
    }

    /// Takes one more in. `None`: there were as many as there are numbers.
    pub fn join(&self, joined: Joined) -> Option<MemberId> {
        let mut held = self.held();
        let id = MemberId(held.next);
        held.next = held.next.checked_add(1)?;
        let waits = tell(id, joined.handle.snapshots.clone(), joined.link.clone(), Arc::clone(&self.0.news));
        let one = One { id, joined, _waits: AbortOnDropHandle::new(tokio::spawn(waits)) };
        // The first stays the first.
        let stays = usize::from(held.nobody.is_none());
        let others = held.members.get(stays..).unwrap_or_default();
        let before = others.iter().take_while(|other| other.joined.label <= one.joined.label).count();
        let at = (stays + before).min(held.members.len());
        held.members.insert(at, one);
        drop(held);
        self.0.who.send_replace(());
        self.0.news.told.notify_one();
        Some(id)
    }

    /// Lets one go. The first one stays.
    pub fn leave(&self, id: MemberId) {
        if id != MemberId::FIRST {
            self.held().members.retain(|one| one.id != id);
            self.0.who.send_replace(());
            self.0.news.told.notify_one();
        }
    }

    /// What all of them published last.
    #[must_use]
    pub fn now(&self) -> Fleet {
        let held = self.held();
        let mut all = held.members.iter().map(One::now);
        // There is always a first.
        let first = all.next().or_else(|| held.nobody.as_ref().map(Nobody::now));
        let first = first.unwrap_or_else(|| unreachable!("a fleet without its first member"));
        Fleet::new(first, all).with_hosts(held.hosts.iter().map(|(host, _)| host.clone()).collect())
    }

    /// Waits until one of them has published, is reached in another way, came or went. A call that is dropped half-way
    /// misses nothing.
    ///
    /// # Errors
    /// The engine of the first member has ended, and none takes its place.
    pub async fn changed(&self) -> Result<(), Ended> {
        let not_before = *self.0.not_before.lock().unwrap_or_else(PoisonError::into_inner);
        sleep_until(not_before).await;
        self.0.news.told.notified().await;
        *self.0.not_before.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now() + self.moment();
        if self.0.news.ended.load(Ordering::Acquire) { Err(Ended) } else { Ok(()) }
    }

    /// What is published within this time is one change: a list of thousands is not made anew for each of its hosts.
    fn moment(&self) -> Duration {
        let held = self.held();
        if held.members.len() < 2 {
            return Duration::ZERO;
        }
        let agents: usize = held.members.iter().map(|one| one.joined.handle.snapshots.borrow().agents.len()).sum();
        MOMENT * u32::try_from(1 + agents / 1000).unwrap_or(1)
    }

    /// Asks a member's engine for something; the answer comes after the snapshot that shows it is in [`Self::now`].
    pub fn ask(
        &self,
        id: MemberId,
        command: Command,
    ) -> impl Future<Output = Result<(), NotDone>> + Send + 'static + use<> {
        let answer = self.with(id, |joined| joined.handle.commands.ask(command));
        async move {
            match answer {
                Some(answer) => answer.await,
                None => Err(NotDone::NotSent(NotSent::Ended)),
            }
        }
    }

    /// Hands a command to a member's engine. Says whether there was room for it.
    #[must_use]
    pub fn send(&self, id: MemberId, command: Command) -> bool {
        self.with(id, |joined| joined.handle.commands.try_send(command).is_ok()).unwrap_or(false)
    }

    /// Who acts on the agents of a member.
    #[must_use]
    pub fn doer(&self, id: MemberId) -> Option<Doer> {
        self.with(id, |joined| joined.doer.clone()).flatten()
    }

    /// Tells of each who comes or goes; ends with the members.
    pub(crate) fn who(&self) -> watch::Receiver<()> {
        self.0.who.subscribe()
    }

    /// The members of hosts, and what they publish.
    pub(crate) fn there(&self) -> Vec<(MemberId, Arc<There>, Snapshots)> {
        let held = self.held();
        let there = |one: &One| match &one.joined.doer {
            Some(Doer::There(there)) => Some((one.id, Arc::clone(there), one.joined.handle.snapshots.clone())),
            _ => None,
        };
        held.members.iter().filter_map(there).collect()
    }

    /// The link to a host of the settings.
    #[must_use]
    pub fn host(&self, name: &str) -> Option<Arc<LinkedHost>> {
        self.held().hosts.iter().find(|(host, _)| &*host.name == name).map(|(_, linked)| Arc::clone(linked))
    }

    /// A host is as this says now.
    pub(crate) fn set_host(&self, host: Host, linked: Arc<LinkedHost>) {
        let mut held = self.held();
        let news = match held.hosts.iter_mut().find(|(other, _)| other.name == host.name) {
            Some(known) => {
                known.1 = linked;
                known.0 != host && {
                    known.0 = host;
                    true
                }
            }
            None => {
                held.hosts.push((host, linked));
                true
            }
        };
        drop(held);
        if news {
            self.0.news.told.notify_one();
        }
    }

    /// A host is not linked to any more.
    pub(crate) fn drop_host(&self, linked: &Arc<LinkedHost>) {
        self.held().hosts.retain(|(_, other)| !Arc::ptr_eq(other, linked));
        self.0.news.told.notify_one();
    }

    /// All who act on agents of this machine, the first member's first.
    #[must_use]
    pub fn actors(&self) -> Vec<Arc<Actor>> {
        let held = self.held();
        let here = |one: &One| match &one.joined.doer {
            Some(Doer::Here(actor)) => Some(Arc::clone(actor)),
            _ => None,
        };
        held.members.iter().filter_map(here).collect()
    }

    /// The engines of this machine, the first member's first.
    #[must_use]
    pub fn here(&self) -> Vec<Handle> {
        let held = self.held();
        held.members.iter().filter(|one| one.joined.label.host.is_none()).map(|one| one.joined.handle.clone()).collect()
    }

    pub(crate) fn downgrade(&self) -> WeakMembers {
        WeakMembers(Arc::downgrade(&self.0))
    }

    fn with<T>(&self, id: MemberId, use_it: impl FnOnce(&Joined) -> T) -> Option<T> {
        self.held().members.iter().find(|one| one.id == id).map(|one| use_it(&one.joined))
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.0.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl WeakMembers {
    /// The members, unless nobody holds them any more.
    pub(crate) fn upgrade(&self) -> Option<Members> {
        self.0.upgrade().map(Members)
    }
}

impl One {
    fn now(&self) -> Member {
        let Joined { label, handle, link, .. } = &self.joined;
        Member { id: self.id, label: label.clone(), link: *link.borrow(), snapshot: handle.snapshots.borrow() }
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

#[cfg(test)]
pub(super) mod tests {
    use futures_util::FutureExt as _;
    use tokio::time::timeout;

    use super::*;
    use crate::app::core::fixture::test_snapshot;
    use crate::monitor::{Requests, Snapshot};

    /// A member of this host, and its engine's ends.
    pub(crate) fn member(host: Option<&str>, server: &str) -> (Joined, watch::Sender<Arc<Snapshot>>, Requests) {
        let (publish, snapshots) = watch::channel(Arc::new(test_snapshot()));
        let (handle, requests) = Handle::new(snapshots, 4);
        let label = Label { host: host.map(Into::into), server: server.into() };
        (Joined { label, handle, link: watch::channel(Link::default()).1, doer: None }, publish, requests)
    }

    async fn told(members: &Members) -> bool {
        timeout(Duration::from_millis(1), members.changed()).await.is_ok()
    }

    #[tokio::test(start_paused = true)]
    async fn what_several_publish_within_a_moment_is_told_once_and_nothing_is_missed() {
        let ((first, one, _ends), (second, two, _others)) = (member(None, "default"), member(Some("box"), "default"));
        let members = Members::new(first);
        members.join(second).expect("a number");
        assert!(told(&members).await, "one has come");
        let publish = |of: &watch::Sender<Arc<Snapshot>>| drop(of.send_replace(Arc::new(test_snapshot())));
        publish(&one);
        publish(&two);
        assert!(!told(&members).await, "it waits, and a wait that is given up loses nothing");
        publish(&two);
        tokio::time::sleep(MOMENT).await;
        assert!(told(&members).await);
        tokio::time::sleep(MOMENT).await;
        assert!(!told(&members).await, "all of it was told at once");
        // At rest nothing waits.
        publish(&two);
        assert!(told(&members).await);
        drop(one);
        tokio::time::sleep(MOMENT).await;
        assert!(members.changed().await.is_err(), "the first engine has ended");
    }

    #[tokio::test]
    async fn the_first_stays_the_first_and_those_of_this_machine_come_before_those_of_hosts() {
        let (first, _one, _ends) = member(None, "work");
        let members = Members::new(first);
        let mut kept = Vec::new();
        for (host, server) in [(Some("box"), "default"), (None, "default"), (Some("box"), "a"), (Some("api"), "z")] {
            let (joined, publish, requests) = member(host, server);
            kept.push((members.join(joined).expect("a number"), publish, requests));
        }
        let names =
            || members.now().members().iter().map(|member| member.label.name().into_owned()).collect::<Vec<_>>();
        assert_eq!(names(), ["work", "·", "api/z", "box/a", "box"]);
        members.leave(kept[0].0);
        members.leave(MemberId::FIRST);
        assert_eq!(names(), ["work", "·", "api/z", "box/a"]);
        let (joined, ..) = member(None, "later");
        assert_eq!(members.join(joined), Some(MemberId(5)), "no number is given twice");
    }

    #[tokio::test]
    async fn who_comes_and_goes_is_told_of_and_ends_with_them() {
        let members = Members::new(member(None, "default").0);
        let mut who = members.who();
        let id = members.join(member(Some("box"), "default").0).expect("a number");
        assert!(matches!(who.changed().now_or_never(), Some(Ok(()))), "one came");
        members.leave(id);
        assert!(matches!(who.changed().now_or_never(), Some(Ok(()))), "it went");
        drop(members);
        assert!(matches!(who.changed().now_or_never(), Some(Err(_))));
    }
}
