//! Where the program in a pane works, looked at once: for `why`, which says also what cannot be told and for what reason.

use std::{fmt, path::Path};

use serde::Serialize;

use crate::app::settings::Repositories;
use crate::monitor::facts::repository::{Place, count, look};

/// Where the program in a pane works.
#[derive(Debug, Default, Serialize)]
pub(super) struct Workplace {
    /// The working directory, as tmux has it.
    folder: Option<String>,
    repository: Option<String>,
    repository_path: Option<String>,
    worktree: Option<String>,
    branch: Option<String>,
    added: Option<u64>,
    removed: Option<u64>,
    /// What is not known of it, and why.
    unknown: Vec<String>,
}

impl Workplace {
    /// Looks at a folder, unless the settings forbid it.
    pub(super) async fn of(folder: &str, settings: &Repositories, work: &Path) -> Self {
        let mut told = Self { folder: Some(folder.to_owned()).filter(|folder| !folder.is_empty()), ..Self::default() };
        if told.folder.is_none() {
            told.unknown.push("tmux knows no working directory of the pane".to_owned());
        } else if !settings.enabled {
            told.unknown.push("repositories are not looked at: `repositories.enabled` is false".to_owned());
        } else {
            match look(folder).await {
                Some(Ok(Some(place))) => {
                    told.lies_at(&place);
                    told.differs(&place, settings.diff, work).await;
                }
                Some(Ok(None)) => told.unknown.push("the folder lies in no repository".to_owned()),
                Some(Err(why)) => told.unknown.push(format!("the repository cannot be read: {why}")),
                None => told.unknown.push("the repository was not read: the disk does not answer".to_owned()),
            }
        }
        told
    }

    async fn differs(&mut self, place: &Place, enabled: bool, work: &Path) {
        if !enabled {
            self.unknown.push("lines are not counted: `repositories.diff` is false".to_owned());
            return;
        }
        match count(place, work).await {
            Ok(lines) => (self.added, self.removed) = (Some(lines.added), Some(lines.removed)),
            Err(why) => self.unknown.push(format!("lines added and removed: {why}")),
        }
    }

    fn lies_at(&mut self, place: &Place) {
        self.repository = Some(place.repository.clone());
        self.repository_path = Some(place.path.clone());
        self.worktree.clone_from(&place.worktree);
        self.branch = place.branch();
        if let Err(why) = &place.head {
            self.unknown.push(format!("the branch: {why}"));
        }
    }
}

impl fmt::Display for Workplace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "\nWorks in")?;
        let mut line = |name: &str, value: &Option<String>| match value {
            Some(value) => writeln!(f, "  {name:<11} {value}"),
            None => Ok(()),
        };
        line("folder", &self.folder)?;
        let path = self.repository_path.as_ref().map(|path| format!(" ({path})")).unwrap_or_default();
        line("repository", &self.repository.as_ref().map(|name| format!("{name}{path}")))?;
        line("worktree", &self.worktree)?;
        line("branch", &self.branch)?;
        let lines = self.added.zip(self.removed);
        line("lines", &lines.map(|(added, removed)| format!("{added} added, {removed} removed, against HEAD")))?;
        self.unknown.iter().try_for_each(|why| line("unknown", &Some(why.clone())))
    }
}
