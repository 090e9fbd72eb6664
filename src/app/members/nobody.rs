//! What stands in the first place of a fleet of hosts alone, while nothing of them is there.

use std::sync::Arc;

use tokio::sync::watch;

use crate::app::core::fleet::{Label, Member, MemberId};
use crate::monitor::{Handle, Link, Snapshot};

/// Nothing is watched on this machine, and nothing of hosts is there yet. Its engine never says anything.
#[derive(Debug)]
pub(super) struct Nobody {
    handle: Handle,
    link: watch::Receiver<Link>,
    _says: watch::Sender<Arc<Snapshot>>,
}

impl Nobody {
    pub(super) fn new() -> Self {
        let (_says, snapshots) = watch::channel(Arc::new(Snapshot::default()));
        // What is asked of it is refused at once.
        let (handle, _) = Handle::new(snapshots, 1);
        Self { handle, link: watch::channel(Link::default()).1, _says }
    }

    pub(super) fn now(&self) -> Member {
        let snapshot = self.handle.snapshots.borrow();
        Member { id: MemberId::FIRST, label: Label::default(), link: *self.link.borrow(), snapshot }
    }
}

#[cfg(test)]
mod tests {
    use crate::app::core::fleet::MemberId;
    use crate::app::members::Members;
    use crate::app::members::tests::member;
    use crate::monitor::{Command, NotDone, NotSent};

    #[tokio::test]
    async fn of_hosts_alone_any_may_come_and_go() {
        let members = Members::of_hosts();
        let labels = || members.now().members().iter().map(|m| m.label.name().into_owned()).collect::<Vec<_>>();
        assert_eq!((labels(), members.here().len()), (vec![String::new()], 0));
        assert_eq!(members.ask(MemberId::FIRST, Command::Refresh).await, Err(NotDone::NotSent(NotSent::Ended)));
        let (joined, publish, requests) = member(Some("box"), "work");
        let work = members.join(joined).expect("a number");
        let (joined, _one, _ends) = member(Some("box"), "a");
        members.join(joined).expect("a number");
        assert_eq!(labels(), ["box/a", "box/work"]);
        // Its end is that of a host's engine, and nothing of ours.
        drop((publish, requests));
        members.changed().await.expect("the dashboard goes on");
        members.leave(work);
        assert_eq!(labels(), ["box/a"]);
    }
}
