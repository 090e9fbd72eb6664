//! When the lines that differ from what is committed are counted: one process at a time, at most one in a while for a working
//! tree, and only after one of its agents has written.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use futures_util::FutureExt;
use tokio_util::task::AbortOnDropHandle;

use crate::monitor::facts::repository::find::Place;
use crate::monitor::facts::repository::lines::{Lines, Unknown, count};

/// The program.
pub(super) const GIT: &str = "git";

/// Shortest time between two counts of a working tree.
const EVERY: Duration = Duration::from_secs(30);

/// The same where they fail, at most: each failure doubles it.
const AT_MOST: Duration = Duration::from_secs(1800);

/// Shortest time till git is looked for again where there is none.
const NO_GIT: Duration = Duration::from_secs(600);

/// How often it is looked whether a count has ended that is waited for.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// The counts of all working trees.
#[derive(Debug)]
pub(super) struct Counts {
    git: PathBuf,
    /// Where counting keeps what it needs; `None`: nothing is counted.
    work: Option<PathBuf>,
    trees: HashMap<PathBuf, Tree>,
    /// The one that is counted, and since when.
    counting: Option<(PathBuf, AbortOnDropHandle<Result<Lines, Unknown>>)>,
    no_git_till: Option<Instant>,
}

#[derive(Debug)]
struct Tree {
    lines: Option<Lines>,
    began: Option<Instant>,
    every: Duration,
    /// An agent in it has written since, or none was looked at yet.
    changed: bool,
}

impl Counts {
    pub(super) fn new(work: Option<PathBuf>) -> Self {
        Self { git: GIT.into(), work, trees: HashMap::new(), counting: None, no_git_till: None }
    }

    /// One round: where agents work and whether each has written since the last one.
    pub(super) fn round<'a>(&mut self, workers: impl Iterator<Item = (&'a Place, bool)>, now: Instant) {
        let Some(work) = self.work.clone() else { return };
        let mut trees: HashMap<PathBuf, (Tree, &Place)> = HashMap::new();
        for (place, wrote) in workers {
            let Some(root) = &place.root else { continue };
            if !trees.contains_key(root) {
                trees.insert(root.clone(), (self.trees.remove(root).unwrap_or_default(), place));
            }
            if let Some((tree, _)) = trees.get_mut(root) {
                tree.changed |= wrote;
            }
        }
        self.take(&mut trees, now);
        let may = self.counting.is_none() && self.no_git_till.is_none_or(|till| now >= till);
        let due = trees.iter_mut().filter(|(_, (tree, _))| may && tree.is_due(now));
        if let Some((root, (tree, place))) = due.min_by_key(|(_, (tree, _))| tree.began) {
            (tree.began, tree.changed) = (Some(now), false);
            let (git, place): (PathBuf, Place) = (self.git.clone(), (*place).clone());
            let counting = tokio::spawn(async move { count(&git, &place, &work).await });
            self.counting = Some((root.clone(), AbortOnDropHandle::new(counting)));
        }
        self.trees = trees.into_iter().map(|(root, (tree, _))| (root, tree)).collect();
    }

    /// Counts them in these working trees, one after the other, as many as can be in `limit`: for those who look once.
    pub(super) async fn settle(&mut self, places: &[Place], limit: Duration) {
        let end = Instant::now() + limit;
        loop {
            self.round(places.iter().map(|place| (place, false)), Instant::now());
            let Some((_, counting)) = &self.counting else { return };
            while !counting.is_finished() {
                if Instant::now() >= end {
                    return;
                }
                tokio::time::sleep(LOOK_EVERY).await;
            }
        }
    }

    /// Takes in what a count came to, if it has ended.
    fn take(&mut self, trees: &mut HashMap<PathBuf, (Tree, &Place)>, now: Instant) {
        let Some((root, counting)) = &mut self.counting else { return };
        let Some(ended) = counting.now_or_never() else { return };
        let counted = ended.unwrap_or_else(|error| Err(Unknown::Because(error.to_string())));
        self.no_git_till = (counted == Err(Unknown::NoGit)).then_some(now + NO_GIT);
        if let Err(why) = &counted {
            tracing::debug!(%why, root = %root.display(), "lines are not counted");
        }
        if let Some((tree, _)) = trees.get_mut(root) {
            tree.every = if counted.is_ok() { EVERY } else { (tree.every * 2).min(AT_MOST) };
            tree.lines = counted.ok();
        }
        self.counting = None;
    }

    /// The lines that differ in a working tree.
    pub(super) fn of(&self, place: &Place) -> Option<Lines> {
        self.trees.get::<Path>(place.root.as_deref()?)?.lines
    }
}

impl Default for Tree {
    fn default() -> Self {
        Self { lines: None, began: None, every: EVERY, changed: true }
    }
}

impl Tree {
    fn is_due(&self, now: Instant) -> bool {
        self.changed && self.began.is_none_or(|began| now.saturating_duration_since(began) >= self.every)
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt};

    use super::*;
    use crate::monitor::facts::repository::find::find;

    /// Working trees by hand, and a program in git's place that writes down each call.
    struct Stand {
        dir: tempfile::TempDir,
        counts: Counts,
        now: Instant,
    }

    impl Stand {
        fn new(answer: &str) -> Self {
            let dir = tempfile::tempdir().unwrap();
            let git = dir.path().join("git");
            let calls = dir.path().join("calls");
            fs::write(&git, format!("#!/bin/sh\necho \"$GIT_WORK_TREE\" >> {}\n{answer}\n", calls.display())).unwrap();
            fs::set_permissions(&git, PermissionsExt::from_mode(0o755)).unwrap();
            let counts = Counts { git, ..Counts::new(Some(dir.path().join("work"))) };
            Self { dir, counts, now: Instant::now() }
        }

        fn place(&self, name: &str) -> Place {
            let root = self.dir.path().join(name);
            for folder in [".git/objects", ".git/refs"] {
                fs::create_dir_all(root.join(folder)).unwrap();
            }
            fs::write(root.join(".git/HEAD"), "ref: refs/heads/main\n").unwrap();
            fs::write(root.join(".git/index"), "").unwrap();
            find(&root, None).unwrap().unwrap()
        }

        /// A round so many seconds later, and what was begun in it is waited for.
        async fn round(&mut self, later: u64, workers: &[(&Place, bool)]) {
            self.now += Duration::from_secs(later);
            self.counts.round(workers.iter().copied(), self.now);
            if let Some((_, counting)) = &mut self.counts.counting {
                let ended = counting.await;
                let root = self.counts.counting.take().unwrap().0;
                let again = tokio::spawn(async move { ended.unwrap() });
                while !again.is_finished() {
                    tokio::task::yield_now().await;
                }
                self.counts.counting = Some((root, AbortOnDropHandle::new(again)));
            }
        }

        fn calls(&self) -> usize {
            fs::read_to_string(self.dir.path().join("calls")).map_or(0, |calls| calls.lines().count())
        }
    }

    #[tokio::test]
    async fn a_hundred_agents_of_one_repository_start_one_process_in_thirty_seconds() {
        let mut stand = Stand::new("echo ' 1 file changed, 7 insertions(+)'");
        let place = stand.place("app");
        let all_write = vec![(&place, true); 100];
        for _ in 0..30 {
            stand.round(1, &all_write).await;
        }
        assert_eq!(stand.calls(), 1);
        assert_eq!(stand.counts.of(&place), Some(Lines { added: 7, removed: 0 }));
        stand.round(1, &all_write).await;
        assert_eq!(stand.calls(), 2);
    }

    #[tokio::test]
    async fn who_looks_once_waits_for_all_of_them_but_not_for_ever() {
        let mut stand = Stand::new("echo ' 1 file changed, 7 insertions(+)'");
        let places: Vec<Place> = ["a", "b", "c"].map(|name| stand.place(name)).into();
        stand.counts.settle(&places, Duration::from_secs(30)).await;
        assert_eq!(stand.calls(), 3);
        assert!(places.iter().all(|place| stand.counts.of(place) == Some(Lines { added: 7, removed: 0 })));
        let mut stand = Stand::new("sleep 60");
        let place = stand.place("a");
        let began = Instant::now();
        stand.counts.settle(std::slice::from_ref(&place), Duration::from_millis(200)).await;
        assert_eq!(stand.counts.of(&place), None);
        assert!(began.elapsed() < Duration::from_secs(20));
    }

    #[tokio::test]
    async fn agents_that_rest_start_none_but_the_first() {
        let mut stand = Stand::new("");
        let place = stand.place("app");
        let rest = vec![(&place, false); 100];
        for _ in 0..100 {
            stand.round(60, &rest).await;
        }
        assert_eq!(stand.calls(), 1);
        stand.round(1, &[(&place, true)]).await;
        assert_eq!(stand.calls(), 2);
    }

    #[tokio::test]
    async fn working_trees_take_turns_one_at_a_time() {
        let mut stand = Stand::new("");
        let places: Vec<Place> = ["a", "b", "c"].map(|name| stand.place(name)).into();
        let rest: Vec<(&Place, bool)> = places.iter().map(|place| (place, false)).collect();
        for round in 1..=5 {
            stand.round(1, &rest).await;
            assert_eq!(stand.calls(), round.min(3));
        }
        stand.round(1, &rest[..1]).await;
        assert_eq!(stand.counts.trees.len(), 1, "nobody works in the others");
    }

    #[tokio::test]
    async fn what_fails_is_tried_less_and_less() {
        let mut stand = Stand::new("echo broken >&2; exit 1");
        let place = stand.place("app");
        for _ in 0..600 {
            stand.round(1, &[(&place, true)]).await;
        }
        // At 0, 60, 180 and 420 seconds.
        assert_eq!((stand.calls(), stand.counts.of(&place)), (4, None));
    }

    #[tokio::test]
    async fn without_git_it_is_looked_for_now_and_then() {
        let mut stand = Stand::new("");
        stand.counts.git = "/nowhere/git".into();
        let place = stand.place("app");
        stand.round(1, &[(&place, true)]).await;
        stand.round(1, &[(&place, true)]).await;
        assert!(stand.counts.no_git_till.is_some_and(|till| till > stand.now + Duration::from_secs(500)));
        assert!(stand.counts.counting.is_none());
        stand.counts.work = None;
        stand.round(10_000, &[(&place, true)]).await;
        assert!(stand.counts.counting.is_none(), "switched off");
    }
}
