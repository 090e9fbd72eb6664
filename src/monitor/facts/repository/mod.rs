//! The repositories that agents work in: name, branch, working tree, lines that differ from what is committed. Each folder is
//! looked at on a thread of its own, and again only when an agent in it has written or its `HEAD` is another file.

mod counts;
mod find;
mod lines;
mod parse;
mod stand_in;

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use futures_util::FutureExt;
use tokio::task::JoinHandle;

use crate::monitor::RepositorySettings;
use crate::monitor::facts::file;
use crate::monitor::facts::repository::counts::Counts;
pub use crate::monitor::facts::repository::find::Place;
use crate::monitor::facts::repository::find::find;
pub use crate::monitor::facts::repository::lines::{Lines, Unknown};
use crate::tmux::PaneId;

/// Shortest time between two rounds through the folders.
const ROUND: Duration = Duration::from_secs(1);

/// Shortest time between two looks at a folder in which an agent writes.
const LOOK_AGAIN: Duration = Duration::from_secs(3);

/// Time between two looks at the `HEAD` of a repository in which no agent writes: its user may.
const LOOK_ANYWAY: Duration = Duration::from_secs(10);

/// Most folders that are looked at at once: a disk that does not answer keeps each of them for good.
const MOST_LOOKS: usize = 8;

/// What a look found; an error says why it cannot be told.
pub type Found = Result<Option<Place>, String>;

/// An agent, as far as it matters here.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Worker<'a> {
    pub(crate) pane: PaneId,
    /// Its working directory.
    pub(crate) folder: &'a str,
    /// The second of its last output: [`crate::tmux::Pulse::activity`].
    pub(crate) activity: i64,
    /// Its program runs: what is written after it has ended is not its own.
    pub(crate) runs: bool,
}

/// The folders in which agents work.
#[derive(Debug)]
pub(crate) struct Repositories {
    enabled: bool,
    home: Option<PathBuf>,
    counts: Counts,
    folders: HashMap<String, Folder>,
    /// The last output of each agent, as it was in the last round.
    activity: HashMap<PaneId, i64>,
    round_at: Option<Instant>,
}

#[derive(Debug, Default)]
struct Folder {
    found: Option<Found>,
    looked_at: Option<Instant>,
    /// An agent in it has written since.
    wrote: bool,
    /// `None` from it: all is as it was.
    looking: Option<JoinHandle<Option<Found>>>,
}

impl Repositories {
    pub(crate) fn new(settings: &RepositorySettings) -> Self {
        let home = std::env::var_os("HOME").map(PathBuf::from);
        let work = settings.work.clone().filter(|_| settings.diff);
        let (folders, activity) = (HashMap::new(), HashMap::new());
        Self { enabled: settings.enabled, home, counts: Counts::new(work), folders, activity, round_at: None }
    }

    /// One round: takes in what looks have found, and begins those that are due. Never waits.
    pub(crate) fn round<'a>(&mut self, workers: impl Iterator<Item = Worker<'a>>, now: Instant) {
        let rests = self.round_at.is_some_and(|at| now.saturating_duration_since(at) < ROUND);
        if !self.enabled || rests && self.folders.values().all(|folder| folder.looking.is_none()) {
            return;
        }
        self.round_at = Some(now);
        let (mut folders, mut activity, mut wrote_in) = (HashMap::new(), HashMap::new(), Vec::new());
        for worker in workers {
            if !folders.contains_key(worker.folder) {
                folders.insert(worker.folder.to_owned(), self.folders.remove(worker.folder).unwrap_or_default());
            }
            let wrote = self.activity.get(&worker.pane).is_some_and(|before| *before != worker.activity);
            if let Some(folder) = folders.get_mut(worker.folder) {
                folder.wrote |= wrote;
            }
            wrote_in.push((worker.folder, wrote && worker.runs));
            activity.insert(worker.pane, worker.activity);
        }
        (self.folders, self.activity) = (folders, activity);
        self.folders.values_mut().for_each(Folder::take);
        let mut free = MOST_LOOKS.saturating_sub(self.folders.values().filter(|f| f.looking.is_some()).count());
        // Of those that rest one in a round: a large fleet that rests costs no more than a small one.
        let mut rests = 1;
        for (path, folder) in self.folders.iter_mut().filter(|(_, folder)| folder.is_due(now)) {
            let rest = usize::from(folder.rests());
            if free > 0 && rest <= rests {
                (free, rests) = (free - 1, rests - rest);
                folder.look(path, self.home.as_deref(), now);
            }
        }
        let places = wrote_in.into_iter().filter_map(|(folder, wrote)| Some((place(&self.folders, folder)?, wrote)));
        self.counts.round(places, now);
    }

    /// Waits until all that is being looked at was seen, at most for `limit`: for those who look once.
    pub(crate) async fn settle(&mut self, limit: Duration) {
        let all = async {
            for folder in self.folders.values_mut() {
                if let Some(looking) = &mut folder.looking {
                    let found = looking.await;
                    folder.looking = None;
                    folder.found = found.ok().flatten().or(folder.found.take());
                }
            }
        };
        let _ = tokio::time::timeout(limit, all).await;
    }

    /// Counts the lines of all working trees that were seen, as many as can be in `limit`: for those who look once.
    pub(crate) async fn count(&mut self, limit: Duration) {
        let found = |folder: &Folder| folder.found.clone().and_then(Result::ok).flatten();
        let places: Vec<Place> = self.folders.values().filter_map(found).collect();
        self.counts.settle(&places, limit).await;
    }

    /// Where a folder lies, as far as that was seen.
    pub(crate) fn place(&self, folder: &str) -> Option<&Place> {
        place(&self.folders, folder)
    }

    /// The lines that differ there from what is committed, as they were counted last.
    pub(crate) fn lines(&self, place: &Place) -> Option<Lines> {
        self.counts.of(place)
    }
}

fn place<'a>(folders: &'a HashMap<String, Folder>, folder: &str) -> Option<&'a Place> {
    folders.get(folder)?.found.as_ref()?.as_ref().ok()?.as_ref()
}

impl Folder {
    /// Takes in what a look has found, if it has ended.
    fn take(&mut self) {
        if let Some(ended) = self.looking.as_mut().and_then(FutureExt::now_or_never) {
            self.looking = None;
            self.found = ended.ok().flatten().or(self.found.take());
        }
    }

    fn is_due(&self, now: Instant) -> bool {
        let Some(at) = self.looked_at.filter(|_| self.looking.is_none()) else { return self.looking.is_none() };
        let age = now.saturating_duration_since(at);
        let has_head = matches!(self.found, Some(Ok(Some(_))));
        self.wrote && age >= LOOK_AGAIN || has_head && age >= LOOK_ANYWAY
    }

    /// Whether it was looked at and no agent has written in it since.
    fn rests(&self) -> bool {
        self.looked_at.is_some() && !self.wrote
    }

    /// Begins a look, unless too much of such work is under way everywhere.
    fn look(&mut self, path: &str, home: Option<&Path>, now: Instant) {
        let (path, home) = (PathBuf::from(path), home.map(Path::to_owned));
        // Nobody here has written: only the branch may be another one.
        let known = self.found.clone().filter(|_| !self.wrote).and_then(Result::ok).flatten();
        let look = move || match known {
            Some(place) if place.is_as_read() => None,
            _ => Some(find(&path, home.as_deref())),
        };
        if let Some(looking) = file::start(look) {
            *self = Self { found: self.found.take(), looked_at: Some(now), wrote: false, looking: Some(looking) };
        }
    }
}

/// Counts the lines that differ there, once. `work`: see [`RepositorySettings::work`].
///
/// # Errors
/// Why they cannot be told.
pub async fn count(place: &Place, work: &Path) -> Result<Lines, Unknown> {
    lines::count(Path::new(counts::GIT), place, work).await
}

/// Whether the program that counts them can be found.
#[must_use]
pub fn has_git() -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(counts::GIT).is_file())
}

/// Where a folder lies, looked at once. `None` when the disk does not answer.
pub async fn look(folder: &str) -> Option<Found> {
    let (folder, home) = (PathBuf::from(folder), std::env::var_os("HOME").map(PathBuf::from));
    file::beside(ROUND, move || find(&folder, home.as_deref())).await
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn repository(at: &Path, branch: &str) {
        fs::create_dir_all(at.join(".git/objects")).unwrap();
        fs::create_dir_all(at.join(".git/refs")).unwrap();
        set_branch(at, branch);
    }

    fn set_branch(at: &Path, branch: &str) {
        fs::write(at.join(".git/HEAD"), format!("ref: refs/heads/{branch}\n")).unwrap();
    }

    struct Rounds {
        all: Repositories,
        folder: String,
        now: Instant,
    }

    impl Rounds {
        /// A round so much later, in which an agent's last output was then.
        async fn round(&mut self, later: Duration, activity: i64) -> Option<String> {
            self.now += later;
            let worker = Worker { pane: PaneId(1), folder: &self.folder, activity, runs: true };
            self.all.round([worker].into_iter(), self.now);
            self.all.settle(Duration::from_secs(30)).await;
            self.all.place(&self.folder).and_then(Place::branch)
        }
    }

    #[tokio::test]
    async fn a_folder_is_looked_at_again_when_its_agent_wrote_and_its_head_now_and_then() {
        let dir = tempfile::tempdir().unwrap();
        let s = Duration::from_secs;
        let folder = dir.path().join("src");
        fs::create_dir(&folder).unwrap();
        let mut rounds = Rounds {
            all: Repositories {
                home: Some(dir.path().to_owned()),
                ..Repositories::new(&RepositorySettings::default())
            },
            folder: folder.display().to_string(),
            now: Instant::now(),
        };
        assert_eq!(rounds.round(s(0), 10).await, None);
        repository(dir.path(), "main");
        assert_eq!(rounds.round(s(100), 10).await, None, "nobody wrote, and there was no HEAD to look at");
        assert_eq!(rounds.round(s(1), 11).await.as_deref(), Some("main"), "it wrote");
        set_branch(dir.path(), "other");
        assert_eq!(rounds.round(s(2), 12).await.as_deref(), Some("main"), "it was looked at just now");
        assert_eq!(rounds.round(s(1), 12).await.as_deref(), Some("other"));
        set_branch(dir.path(), "third");
        assert_eq!(rounds.round(s(9), 12).await.as_deref(), Some("other"));
        assert_eq!(rounds.round(s(1), 12).await.as_deref(), Some("third"), "its user switched");
        rounds.all.round(std::iter::empty(), rounds.now + s(2));
        assert!(rounds.all.folders.is_empty(), "its agent is gone");
        rounds.all = Repositories::new(&RepositorySettings { enabled: false, ..RepositorySettings::default() });
        assert_eq!(rounds.round(s(100), 13).await, None);
    }

    #[tokio::test]
    async fn a_hundred_folders_are_looked_at_a_few_at_a_time() {
        let dir = tempfile::tempdir().unwrap();
        repository(dir.path(), "main");
        let folders: Vec<String> = (0..100).map(|n| dir.path().join(n.to_string()).display().to_string()).collect();
        folders.iter().for_each(|folder| fs::create_dir(folder).unwrap());
        let mut all =
            Repositories { home: Some(dir.path().to_owned()), ..Repositories::new(&RepositorySettings::default()) };
        let mut now = Instant::now();
        // Others may keep the threads for such work busy for a while.
        while !folders.iter().all(|folder| all.place(folder).is_some()) {
            let workers =
                folders.iter().zip(0..).map(|(folder, n)| Worker { pane: PaneId(n), folder, activity: 1, runs: true });
            all.round(workers, now);
            assert!(all.folders.values().filter(|folder| folder.looking.is_some()).count() <= MOST_LOOKS);
            all.settle(Duration::from_secs(30)).await;
            now += ROUND;
        }
        assert_eq!(all.folders.len(), 100);
        now += LOOK_ANYWAY;
        all.round(
            folders.iter().zip(0..).map(|(folder, n)| Worker { pane: PaneId(n), folder, activity: 1, runs: true }),
            now,
        );
        let looks = all.folders.values().filter(|folder| folder.looking.is_some()).count();
        assert!(looks <= 1, "{looks} looks at folders in which nobody writes");
    }
}
