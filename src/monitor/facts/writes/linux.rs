//! inotify on the terminals' files: one queue for all, a watch for each pane at rest.

use std::{collections::HashMap, fmt};

use futures_util::{FutureExt as _, StreamExt as _};
use inotify::{EventMask, EventOwned, EventStream, Inotify, WatchDescriptor, WatchMask, Watches};

use crate::monitor::facts::writes::{Heard, PaneId};

/// Where Linux keeps the terminals of panes.
const TERMINALS: &str = "/dev/pts";

/// Hears of writes to panes that are watched. Holds no file until the first is.
#[derive(Default)]
pub struct Writes {
    queue: Option<Queue>,
    /// It was tried and there is none to be had.
    refused: bool,
}

struct Queue {
    watches: Watches,
    events: EventStream<Vec<u8>>,
    /// Watch of the folder of terminals.
    folder: Option<WatchDescriptor>,
    panes: HashMap<WatchDescriptor, PaneId>,
    waiting: Vec<Heard>,
}

impl fmt::Debug for Writes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let watched = self.queue.as_ref().map(|queue| queue.panes.len());
        f.debug_struct("Writes").field("watched", &watched).field("refused", &self.refused).finish()
    }
}

impl Writes {
    /// Watches a pane for its next write. Says whether that can be done: the terminal may be none of this system's, or
    /// the user may have no more watches to spend. Needs a tokio runtime.
    pub fn watch(&mut self, pane: PaneId, terminal: &str) -> bool {
        let number = terminal.strip_prefix(TERMINALS).and_then(|rest| rest.strip_prefix('/'));
        if self.refused || number.is_none_or(|n| n.is_empty() || !n.bytes().all(|b| b.is_ascii_digit())) {
            return false;
        }
        if self.queue.is_none() {
            self.queue = Queue::open();
            self.refused = self.queue.is_none();
        }
        let Some(queue) = &mut self.queue else { return false };
        match queue.watches.add(terminal, WatchMask::MODIFY | WatchMask::CLOSE_WRITE | WatchMask::ONESHOT) {
            Ok(watch) => {
                queue.panes.insert(watch, pane);
                true
            }
            Err(_) => false,
        }
    }

    /// What was heard and not taken yet. Does not wait.
    pub fn take(&mut self) -> Vec<Heard> {
        let Some(queue) = &mut self.queue else { return Vec::new() };
        while let Some(Some(Ok(event))) = queue.events.next().now_or_never() {
            queue.hear(&event);
        }
        std::mem::take(&mut queue.waiting)
    }

    /// Comes back when there is something to [`take`](Self::take). Cancelling it loses nothing.
    pub async fn heard(&mut self) {
        let Some(queue) = &mut self.queue else { return std::future::pending().await };
        while queue.waiting.is_empty() {
            match queue.events.next().await {
                Some(Ok(event)) => queue.hear(&event),
                // It will tell nothing more; the probes go on.
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

    fn hear(&mut self, event: &EventOwned) {
        let heard = if event.mask.contains(EventMask::Q_OVERFLOW) {
            self.panes.clear();
            Heard::TooMuch
        } else if self.folder.as_ref() == Some(&event.wd) {
            Heard::Terminals
        } else {
            // Its watch is gone with this, and the kernel says so in an event of its own, of which nothing is known.
            match self.panes.remove(&event.wd) {
                Some(pane) => Heard::Pane(pane),
                None => return,
            }
        };
        if self.waiting.last() != Some(&heard) {
            self.waiting.push(heard);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{io::Write as _, time::Duration};

    use portable_pty::{PtySize, native_pty_system};

    use super::*;

    async fn next(writes: &mut Writes) -> Vec<Heard> {
        tokio::time::timeout(Duration::from_secs(20), writes.heard()).await.expect("something is heard");
        writes.take()
    }

    /// Other tests make and close terminals too.
    async fn next_of_pane(writes: &mut Writes) -> Heard {
        loop {
            if let Some(heard) = next(writes).await.into_iter().find(|heard| *heard != Heard::Terminals) {
                return heard;
            }
        }
    }

    #[tokio::test]
    async fn a_write_to_a_terminal_is_heard_once_and_so_are_its_end_and_new_terminals() {
        let mut writes = Writes::default();
        let pair = native_pty_system().openpty(PtySize::default()).unwrap();
        let path = pair.master.tty_name().expect("a name");
        assert!(writes.watch(PaneId(7), path.to_str().unwrap()));
        let mut program = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
        program.write_all(b"one").unwrap();
        assert_eq!(next_of_pane(&mut writes).await, Heard::Pane(PaneId(7)));
        program.write_all(b"two").unwrap();
        assert!(!writes.take().contains(&Heard::Pane(PaneId(7))), "a watch tells once");
        assert!(writes.watch(PaneId(7), path.to_str().unwrap()));
        drop(program);
        assert_eq!(next_of_pane(&mut writes).await, Heard::Pane(PaneId(7)), "its last program closed it");
        drop(pair);
        while !next(&mut writes).await.contains(&Heard::Terminals) {}
    }

    #[tokio::test]
    async fn only_terminals_are_watched() {
        let mut writes = Writes::default();
        for path in ["", "/etc/passwd", "/dev/pts", "/dev/pts/", "/dev/pts/../null", "/dev/pts/999999"] {
            assert!(!writes.watch(PaneId(1), path), "{path}");
        }
    }
}
