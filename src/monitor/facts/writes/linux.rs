//! inotify(7) on the files of terminals: one queue for all, a watch for each pane at rest.

use std::{collections::HashMap, fmt};

use futures_util::{FutureExt as _, StreamExt as _};
use inotify::{EventMask, EventOwned, EventStream, Inotify, WatchDescriptor, WatchMask, Watches};

use crate::monitor::facts::writes::{Followed, Notified, PaneId};

/// Where Linux keeps the terminals of panes.
const TERMINALS: &str = "/dev/pts";

/// Whether this is the terminal of a pane, by its name.
pub(super) fn is_terminal(path: &str) -> bool {
    let number = path.strip_prefix(TERMINALS).and_then(|rest| rest.strip_prefix('/'));
    number.is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
}

/// The next write, or the end of the last program that has it open.
pub(super) fn next_write() -> WatchMask {
    WatchMask::MODIFY | WatchMask::CLOSE_WRITE | WatchMask::ONESHOT
}

/// Notifies of writes to panes. Holds no file until the first subscription.
#[derive(Default)]
pub struct Writes {
    queue: Option<Queue>,
    /// The kernel gave none: its limits are used up (`fs.inotify.max_user_instances`).
    refused: bool,
    /// The busy ones, whose writes are followed.
    pub followed: Followed,
}

struct Queue {
    watches: Watches,
    events: EventStream<Vec<u8>>,
    /// Watch of the folder of terminals.
    folder: Option<WatchDescriptor>,
    panes: HashMap<WatchDescriptor, PaneId>,
    waiting: Vec<Notified>,
}

impl fmt::Debug for Writes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let watched = self.queue.as_ref().map(|queue| queue.panes.len());
        f.debug_struct("Writes").field("watched", &watched).field("refused", &self.refused).finish()
    }
}

impl Writes {
    /// Subscribes to the next write to a pane. Says whether that can be done: the terminal may be none of this system's,
    /// or the user may have no watches left (`fs.inotify.max_user_watches`). Needs a tokio runtime.
    pub fn subscribe(&mut self, pane: PaneId, terminal: &str) -> bool {
        if self.refused || !is_terminal(terminal) {
            return false;
        }
        if self.queue.is_none() {
            self.queue = Queue::open();
            self.refused = self.queue.is_none();
        }
        let Some(queue) = &mut self.queue else { return false };
        match queue.watches.add(terminal, next_write()) {
            Ok(watch) => {
                queue.panes.insert(watch, pane);
                true
            }
            Err(_) => false,
        }
    }

    /// What was notified and not taken yet. Does not wait.
    pub fn take(&mut self) -> Vec<Notified> {
        let Some(queue) = &mut self.queue else { return Vec::new() };
        while let Some(Some(Ok(event))) = queue.events.next().now_or_never() {
            queue.notify(&event);
        }
        std::mem::take(&mut queue.waiting)
    }

    /// Returns when there is something to [`take`](Self::take). Cancelling it loses nothing.
    pub async fn notified(&mut self) {
        let Some(queue) = &mut self.queue else { return std::future::pending().await };
        while queue.waiting.is_empty() {
            match queue.events.next().await {
                Some(Ok(event)) => queue.notify(&event),
                // The queue cannot be read any more; the probes go on.
                Some(Err(_)) | None => {
                    self.queue = None;
                    self.refused = true;
                    return std::future::pending().await;
                }
            }
        }
    }
}

impl Queue {
    fn open() -> Option<Self> {
        let inotify = Inotify::init().ok()?;
        let mut watches = inotify.watches();
        let folder = watches.add(TERMINALS, WatchMask::CREATE | WatchMask::DELETE).ok();
        let events = inotify.into_event_stream(vec![0; 4096]).ok()?;
        Some(Self { watches, events, folder, panes: HashMap::new(), waiting: Vec::new() })
    }

    fn notify(&mut self, event: &EventOwned) {
        let notified = if event.mask.contains(EventMask::Q_OVERFLOW) {
            self.panes.clear();
            Notified::Overflow
        } else if self.folder.as_ref() == Some(&event.wd) {
            Notified::Terminals
        } else {
            // The kernel removes a one-shot watch after its event, and queues `IN_IGNORED` for it, whose watch we do not
            // know any more.
            match self.panes.remove(&event.wd) {
                Some(pane) => Notified::Pane(pane),
                None => return,
            }
        };
        if self.waiting.last() != Some(&notified) {
            self.waiting.push(notified);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{io::Write as _, time::Duration};

    use portable_pty::{PtySize, native_pty_system};

    use super::*;

    async fn next(writes: &mut Writes) -> Vec<Notified> {
        tokio::time::timeout(Duration::from_secs(20), writes.notified()).await.expect("a notification");
        writes.take()
    }

    /// Other tests make and close terminals too.
    async fn next_of_pane(writes: &mut Writes) -> Notified {
        loop {
            if let Some(notified) = next(writes).await.into_iter().find(|notified| *notified != Notified::Terminals) {
                return notified;
            }
        }
    }

    #[tokio::test]
    async fn a_write_to_a_terminal_is_notified_once_and_so_are_its_end_and_new_terminals() {
        let mut writes = Writes::default();
        let pair = native_pty_system().openpty(PtySize::default()).unwrap();
        let path = pair.master.tty_name().expect("a name");
        assert!(writes.subscribe(PaneId(7), path.to_str().unwrap()));
        let mut program = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
        program.write_all(b"one").unwrap();
        assert_eq!(next_of_pane(&mut writes).await, Notified::Pane(PaneId(7)));
        program.write_all(b"two").unwrap();
        assert!(!writes.take().contains(&Notified::Pane(PaneId(7))), "a subscription is for one write");
        assert!(writes.subscribe(PaneId(7), path.to_str().unwrap()));
        drop(program);
        assert_eq!(next_of_pane(&mut writes).await, Notified::Pane(PaneId(7)), "its last program closed it");
        drop(pair);
        while !next(&mut writes).await.contains(&Notified::Terminals) {}
    }

    #[tokio::test]
    async fn only_terminals_can_be_subscribed_to() {
        let mut writes = Writes::default();
        for path in ["", "/etc/passwd", "/dev/pts", "/dev/pts/", "/dev/pts/../null", "/dev/pts/999999"] {
            assert!(!writes.subscribe(PaneId(1), path), "{path}");
        }
    }
}
