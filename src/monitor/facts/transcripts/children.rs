//! Transcripts of sub-agents that say themselves whose they are.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

use crate::monitor::facts::transcripts::find::{Found, files};
use crate::monitor::facts::transcripts::tail::{About, Tail};
use crate::monitor::facts::transcripts::whose::{MOST_CANDIDATES, SLACK, Whose};

/// Most files, the newest ones, among which those of sub-agents are looked for.
const MOST_LOOKED: usize = 256;

impl Whose {
    /// Those of its sub-agents whose transcripts say whose they are. `looked`: what those that were looked at say, of which
    /// some more are looked at each time. Says how many bytes that took as well.
    pub(super) fn children(&self, session: &str, looked: &mut BTreeMap<PathBuf, About>) -> (Vec<PathBuf>, u64) {
        let all = self.folders.iter().flat_map(|folder| {
            self.rules.files.iter().flat_map(move |pattern| files(folder, pattern, None, self.owner, None))
        });
        let mut all: Vec<Found> = all.collect();
        all.sort_unstable_by_key(|found| std::cmp::Reverse(found.modified));
        all.truncate(MOST_LOOKED);
        all.retain(|found| !looked.contains_key(&found.path));
        let mut bytes = 0;
        for Found { path, modified } in all.into_iter().take(MOST_CANDIDATES) {
            bytes += Tail::ABOUT;
            let about = Tail::about(&path, self.owner, &self.rules).filter(|about| about.session.is_some());
            // One that says nothing is left alone, unless it was only just begun.
            let is_old = || modified.elapsed().is_ok_and(|age| age > SLACK);
            if let Some(about) = about.or_else(|| is_old().then(About::default)) {
                looked.insert(path, about);
            }
        }
        let (mut family, mut found) = (BTreeSet::from([session]), Vec::new());
        loop {
            let before = family.len();
            for (path, about) in looked.iter() {
                if let (Some(own), Some(parent)) = (&about.session, &about.parent)
                    && family.contains(parent.as_str())
                    && family.insert(own)
                {
                    found.push(path.clone());
                }
            }
            if family.len() == before {
                return (found, bytes);
            }
        }
    }
}
