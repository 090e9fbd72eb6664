//! inotify(7) on the journal's folder, or on the one in which it will be made.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use futures_util::{FutureExt as _, StreamExt as _};
use inotify::{EventMask, EventStream, Inotify, WatchMask};

/// Folders that may appear between a look and the watch that it leads to, one after another.
const TRIES: usize = 8;

/// File systems on which others write whom this kernel does not see (statfs(2)): NFS, SMB and CIFS, 9P, Ceph, AFS, and FUSE,
/// which may lead anywhere.
const OF_OTHERS: [u32; 8] =
    [0x6969, 0x517B, 0xFF53_4D42, 0xFE53_4D42, 0x0102_1997, 0x00C3_6400, 0x5346_414F, 0x6573_5546];

/// Notifies of what is written to a journal.
pub(crate) struct Grown {
    dir: PathBuf,
    /// `None`: the kernel gave none (`fs.inotify.max_user_instances`, `fs.inotify.max_user_watches`), or it does not see all
    /// that is written.
    watch: Option<Watch>,
}

struct Watch {
    events: EventStream<Vec<u8>>,
    /// What is watched: the folder, or the nearest one above it that is there.
    at: PathBuf,
}

impl fmt::Debug for Grown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Grown").field("at", &self.watch.as_ref().map(|watch| &watch.at)).finish()
    }
}

impl Grown {
    /// Notifies of what is written in this folder from now on, which need not be there yet. Needs a tokio runtime.
    pub(crate) fn watch(dir: &Path) -> Self {
        Self { dir: dir.to_owned(), watch: Watch::nearest(dir) }
    }

    /// Whether it notifies at all.
    pub(crate) fn notifies(&self) -> bool {
        self.watch.is_some()
    }

    /// Returns when the journal may have grown since the last call. Cancelling it loses nothing.
    pub(crate) async fn wait(&mut self) {
        let Some(watch) = &mut self.watch else { return std::future::pending().await };
        let mut next = watch.events.next().await;
        let mut lost = false;
        // One read is for all that was written by now.
        while let Some(Ok(event)) = &next {
            lost |= event.mask.intersects(EventMask::DELETE_SELF | EventMask::MOVE_SELF | EventMask::IGNORED);
            match watch.events.next().now_or_never() {
                Some(more) => next = more,
                None => break,
            }
        }
        if !matches!(next, Some(Ok(_))) {
            // The queue cannot be read any more: whoever waits looks now and then.
            self.watch = None;
        } else if lost || !watch.is_good_for(&self.dir) {
            // The folder was made, or was taken away and made anew.
            self.watch = Watch::nearest(&self.dir);
        }
    }
}

impl Watch {
    fn nearest(dir: &Path) -> Option<Self> {
        for _ in 0..TRIES {
            let at = nearest(dir)?;
            let system = rustix::fs::statfs(&at).ok()?.f_type;
            if OF_OTHERS.iter().any(|other| u64::from(*other) == system as u64 & 0xFFFF_FFFF) {
                return None;
            }
            let inotify = Inotify::init().ok()?;
            let here = WatchMask::CREATE | WatchMask::MOVED_TO | WatchMask::DELETE_SELF | WatchMask::MOVE_SELF;
            let mask = if at == dir { here | WatchMask::MODIFY } else { here };
            let added = inotify.watches().add(&at, mask);
            let watch = Self { events: inotify.into_event_stream(vec![0; 4096]).ok()?, at };
            // It may have come or gone meanwhile.
            if added.is_ok() && watch.is_good_for(dir) {
                return Some(watch);
            }
        }
        None
    }

    fn is_good_for(&self, dir: &Path) -> bool {
        nearest(dir).as_ref() == Some(&self.at)
    }
}

/// The folder itself where it is there, else the nearest one above it.
fn nearest(dir: &Path) -> Option<PathBuf> {
    dir.ancestors().find(|at| at.is_dir()).map(Path::to_owned)
}

#[cfg(test)]
mod tests {
    use std::{fs, io::Write as _, time::Duration};

    use super::*;

    async fn notified(grown: &mut Grown) {
        tokio::time::timeout(Duration::from_secs(20), grown.wait()).await.expect("a notification");
    }

    /// Whether something was notified that was not taken yet.
    fn is_notified(grown: &mut Grown) -> bool {
        grown.wait().now_or_never().is_some()
    }

    #[tokio::test]
    async fn each_write_is_notified_to_the_same_file_and_to_another() {
        let dir = tempfile::tempdir().unwrap();
        let mut grown = Grown::watch(dir.path());
        assert!(grown.notifies() && !is_notified(&mut grown));
        let mut file = fs::File::create(dir.path().join("2026-03-01.jsonl")).unwrap();
        notified(&mut grown).await;
        for _ in 0..3 {
            file.write_all(b"{}\n").unwrap();
            notified(&mut grown).await;
            assert!(!is_notified(&mut grown), "one for all that was written");
        }
        fs::write(dir.path().join("2026-03-02.jsonl"), "{}\n").unwrap();
        notified(&mut grown).await;
    }

    #[tokio::test]
    async fn a_folder_that_is_made_later_and_one_that_is_made_anew_are_followed() {
        let base = tempfile::tempdir().unwrap();
        let dir = base.path().join("orc/events");
        let mut grown = Grown::watch(&dir);
        assert!(grown.notifies());
        for _ in 0..2 {
            fs::create_dir_all(&dir).unwrap();
            notified(&mut grown).await;
            while is_notified(&mut grown) {}
            fs::write(dir.join("2026-03-01.jsonl"), "{}\n").unwrap();
            notified(&mut grown).await;
            while is_notified(&mut grown) {}
            // Taken away, and there again before anybody looked.
            fs::remove_dir_all(base.path().join("orc")).unwrap();
            fs::create_dir_all(&dir).unwrap();
            notified(&mut grown).await;
            while is_notified(&mut grown) {}
            fs::write(dir.join("2026-03-01.jsonl"), "{}\n").unwrap();
            notified(&mut grown).await;
            fs::remove_dir_all(base.path().join("orc")).unwrap();
            notified(&mut grown).await;
            while is_notified(&mut grown) {}
        }
    }
}
