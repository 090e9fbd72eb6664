//! One who acts on a pane at a time, in all programs of this user, and what was answered in it a moment ago.

use std::{
    fs::{File, OpenOptions, TryLockError},
    hash::{DefaultHasher, Hash, Hasher},
    io::{self, Read, Seek, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
    thread,
    time::{Duration, Instant},
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::tmux::PaneId;

/// The same prompt is not answered again for this long: its program may need a while to take it down.
const ANSWERED: Duration = Duration::from_secs(2);

/// How long another one's act is waited for: longer than one takes.
const PATIENCE: Duration = Duration::from_secs(15);

/// Lock files there are at most. Panes that share one wait for each other, no more.
const FILES: u64 = 64;

/// Most answers that a file remembers.
const REMEMBERED: usize = 16;

/// Longest file that is read.
const LONGEST: u64 = 16 * 1024;

/// The right to act on a pane. It ends when this is dropped, or the process ends, however it ends.
#[derive(Debug)]
pub(super) struct Turn {
    file: Option<File>,
    pane: u64,
    answers: Vec<Answered>,
}

/// A prompt that was answered.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Answered {
    /// Which pane of which server, hashed.
    pane: u64,
    /// Its text, hashed.
    request: u64,
    /// When.
    at: Timestamp,
}

impl Turn {
    /// Waits until nobody else acts on the pane. `server` tells servers apart whose panes have the same ids. Blocks.
    ///
    /// # Errors
    /// When the lock's file cannot be used, or somebody else holds it for too long.
    pub fn take(dir: &Path, server: &str, pane: PaneId) -> io::Result<Self> {
        let id = hash((server, pane.0));
        let mut file = open(&dir.join(format!("act-{:02x}.lock", id % FILES)))?;
        let until = Instant::now() + PATIENCE;
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) if Instant::now() < until => thread::sleep(Duration::from_millis(15)),
                Err(TryLockError::WouldBlock) => {
                    return Err(io::Error::other("another tmux-orc acts on the pane and does not end"));
                }
                Err(TryLockError::Error(error)) => return Err(error),
            }
        }
        let mut text = Vec::new();
        Read::by_ref(&mut file).take(LONGEST).read_to_end(&mut text)?;
        // One that cannot be read was cut off when its writer was killed: nothing is known of its answers.
        let answers = serde_json::from_slice(&text).unwrap_or_default();
        Ok(Self { file: Some(file), pane: id, answers })
    }

    /// The right as it is where no other program is thought of.
    pub fn alone() -> Self {
        Self { file: None, pane: 0, answers: Vec::new() }
    }

    /// How long ago this very prompt was answered, if that was a moment ago.
    pub fn answered(&self, request: &str) -> Option<Duration> {
        let (request, now) = (hash(request), Timestamp::now());
        let mut ages = self.answers.iter().filter(|one| one.pane == self.pane && one.request == request).map(age(now));
        ages.find(|age| *age < ANSWERED)
    }

    /// Keeps that this prompt was answered now.
    pub fn answer(&mut self, request: &str) {
        let (pane, request, at) = (self.pane, hash(request), Timestamp::now());
        self.answers.retain(|one| (one.pane, one.request) != (pane, request) && age(at)(one) < ANSWERED);
        self.answers.push(Answered { pane, request, at });
        let surplus = self.answers.len().saturating_sub(REMEMBERED);
        self.answers.drain(..surplus);
        let Some(file) = &mut self.file else { return };
        let kept = serde_json::to_vec(&self.answers).map_err(io::Error::from).and_then(|text| {
            file.set_len(0)?;
            file.rewind()?;
            file.write_all(&text)
        });
        if let Err(error) = kept {
            tracing::warn!(%error, "an answer is not remembered for other dashboards");
        }
    }
}

/// Time since an answer; a clock that was set back makes it long.
fn age(now: Timestamp) -> impl Fn(&Answered) -> Duration {
    move |one| Duration::try_from(now.duration_since(one.at)).unwrap_or(Duration::MAX)
}

fn hash(of: impl Hash) -> u64 {
    // The same in every process of this program: it is made without keys.
    let mut hasher = DefaultHasher::new();
    of.hash(&mut hasher);
    hasher.finish()
}

fn open(path: &Path) -> io::Result<File> {
    let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK | rustix::fs::OFlags::CLOEXEC;
    let flags = i32::try_from(flags.bits()).unwrap_or(0);
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(0o600).custom_flags(flags);
    let file = options.open(path)?;
    if file.metadata()?.is_file() { Ok(file) } else { Err(io::Error::other("it is no regular file")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_prompt_of_the_same_pane_is_answered_once_in_a_while() {
        let dir = tempfile::tempdir().unwrap();
        let take = |server: &str, pane| Turn::take(dir.path(), server, PaneId(pane)).unwrap();
        let mut turn = take("1 2", 3);
        assert_eq!(turn.answered("rm x"), None);
        turn.answer("rm x");
        drop(turn);
        assert!(take("1 2", 3).answered("rm x").is_some_and(|ago| ago < ANSWERED));
        assert_eq!(take("1 2", 3).answered("rm y"), None);
        assert_eq!(take("1 2", 4).answered("rm x"), None);
        assert_eq!(take("9 9", 3).answered("rm x"), None);
    }

    #[test]
    fn a_second_one_waits_for_the_first() {
        let dir = tempfile::tempdir().unwrap();
        let first = Turn::take(dir.path(), "s", PaneId(1)).unwrap();
        let path = dir.path().to_owned();
        let second = thread::spawn(move || Turn::take(&path, "s", PaneId(1)).map(|_| Instant::now()));
        thread::sleep(Duration::from_millis(60));
        let freed = Instant::now();
        drop(first);
        assert!(second.join().unwrap().unwrap() >= freed);
    }
}
