//! inotify(7) on the terminals of busy panes: a queue of its own that nobody waits for and that is read at a fixed rate.

use std::collections::HashMap;
use std::io::ErrorKind;

use inotify::{EventMask, Inotify, WatchDescriptor};

use crate::monitor::facts::writes::linux::{is_terminal, next_write};
use crate::monitor::facts::writes::{PaneId, Taken};

/// Room for the notifications that one read of the queue brings, bytes: 16 each, two for a write.
const ROOM: usize = 8192;

/// The panes whose writes are followed. Holds no file until the first.
///
/// Its queue is known to no reactor: one that is would wake this process at each write.
#[derive(Default)]
pub struct Followed {
    queue: Option<Inotify>,
    /// The kernel gave no queue: its limits are used up (`fs.inotify.max_user_instances`).
    refused: bool,
    panes: HashMap<WatchDescriptor, (PaneId, Box<str>)>,
}

impl std::fmt::Debug for Followed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Followed").field("panes", &self.panes.len()).field("refused", &self.refused).finish()
    }
}

impl Followed {
    /// Follows the writes to a pane from now on. Says whether that can be done, as [`Writes::subscribe`] does.
    ///
    /// [`Writes::subscribe`]: super::Writes::subscribe
    pub fn follow(&mut self, pane: PaneId, terminal: &str) -> bool {
        if self.refused || !is_terminal(terminal) {
            return false;
        }
        if self.queue.is_none() {
            self.queue = Inotify::init().ok();
            self.refused = self.queue.is_none();
        }
        self.watch(pane, terminal.into())
    }

    fn watch(&mut self, pane: PaneId, terminal: Box<str>) -> bool {
        let Some(queue) = &self.queue else { return false };
        let watch = queue.watches().add(&*terminal, next_write());
        watch.map(|watch| self.panes.insert(watch, (pane, terminal))).is_ok()
    }

    /// Follows a pane no more.
    pub fn leave(&mut self, pane: PaneId) {
        let Some(queue) = &self.queue else { return };
        for (watch, _) in self.panes.extract_if(|_, (followed, _)| *followed == pane) {
            // It may have ended by itself.
            queue.watches().remove(watch).ok();
        }
    }

    /// Who is followed.
    #[must_use]
    pub fn panes(&self) -> Vec<PaneId> {
        self.panes.values().map(|(pane, _)| *pane).collect()
    }

    /// How many are followed.
    #[must_use]
    pub fn len(&self) -> usize {
        self.panes.len()
    }

    /// Whether nobody is followed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.panes.is_empty()
    }

    /// Who wrote since it was asked last: each once, however often. Does not wait.
    pub fn take(&mut self) -> Taken {
        let mut taken = Taken::default();
        let mut again = Vec::new();
        let mut buffer = [0; ROOM];
        while let Some(queue) = &mut self.queue {
            let events = match queue.read_events(&mut buffer) {
                Ok(events) => events,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                // It cannot be read any more; the probes go on.
                Err(_) => {
                    taken.lost.extend(self.panes.drain().map(|(_, (pane, _))| pane));
                    (self.queue, self.refused) = (None, true);
                    return taken;
                }
            };
            for event in events {
                if event.mask.contains(EventMask::Q_OVERFLOW) {
                    // Notifications were dropped: anybody may have written.
                    again.extend(self.panes.drain().map(|(_, pane)| pane));
                } else if let Some((pane, terminal)) = self.panes.remove(&event.wd) {
                    // `IN_IGNORED` alone: the terminal is gone. After a write the watch is not known any more.
                    match event.mask.contains(EventMask::IGNORED) {
                        true => taken.lost.push(pane),
                        false => again.push((pane, terminal)),
                    }
                }
            }
        }
        for (pane, terminal) in again {
            taken.wrote.push(pane);
            if !self.watch(pane, terminal) {
                taken.lost.push(pane);
            }
        }
        taken
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use portable_pty::{PtySize, native_pty_system};

    use super::*;

    #[test]
    fn each_who_wrote_is_told_once_and_followed_on_until_it_is_gone_or_left() {
        let mut followed = Followed::default();
        assert!(!followed.follow(PaneId(1), "/etc/passwd") && followed.is_empty());
        let pair = native_pty_system().openpty(PtySize::default()).unwrap();
        let path = pair.master.tty_name().expect("a name");
        let path = path.to_str().unwrap();
        let mut program = std::fs::OpenOptions::new().write(true).open(path).unwrap();
        assert!(followed.follow(PaneId(7), path));
        let wrote = Taken { wrote: vec![PaneId(7)], lost: Vec::new() };
        assert_eq!(followed.take(), Taken::default());
        for _ in 0..3 {
            program.write_all(b"one").unwrap();
            program.write_all(b"two").unwrap();
            assert_eq!(followed.take(), wrote);
            assert_eq!(followed.take(), Taken::default());
        }
        followed.leave(PaneId(7));
        assert!(followed.is_empty());
        program.write_all(b"three").unwrap();
        assert_eq!(followed.take(), Taken::default());

        assert!(followed.follow(PaneId(8), path));
        drop((program, pair));
        let gone = std::iter::repeat_with(|| followed.take()).take(10_000).find(|taken| !taken.lost.is_empty());
        assert_eq!(gone.map(|taken| taken.lost), Some(vec![PaneId(8)]));
        assert!(followed.is_empty());
    }
}
