//! An account between two processes: what is needed to go on where another left off.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::app::journal::account::{Account, Entry, Open, Process};
use crate::app::journal::report::AgentReport;
use crate::tmux::PaneId;

/// An account between two processes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct SavedAccount {
    entries: Vec<SavedEntry>,
    heard: Vec<(String, u32, Timestamp)>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct SavedEntry {
    server: String,
    pane: PaneId,
    agent: String,
    of: Option<(u32, Option<i64>)>,
    process: Option<Process>,
    open: Option<Open>,
}

impl Account {
    /// What is needed to go on later, of an account that was drained.
    #[must_use]
    pub(in crate::app) fn save(&self) -> SavedAccount {
        let saved = |entry: &Entry| SavedEntry {
            server: entry.report.server.clone(),
            pane: entry.report.pane_id,
            agent: entry.report.agent.clone(),
            of: entry.server,
            process: entry.process,
            open: entry.open.clone(),
        };
        let heard = self.heard.iter().map(|((server, by), at)| (server.to_string(), *by, *at)).collect();
        SavedAccount { entries: self.entries.iter().map(saved).collect(), heard }
    }

    /// Goes on where another was saved.
    #[must_use]
    pub(in crate::app) fn resume(saved: SavedAccount) -> Self {
        let mut account = Self::new(Timestamp::MIN);
        for saved in saved.entries {
            let socket = account.socket(&saved.server);
            account.current.insert((Arc::clone(&socket), saved.pane), account.entries.len());
            let report = AgentReport::new(&saved.server, saved.pane, &saved.agent);
            let SavedEntry { of: server, process, open, .. } = saved;
            account.entries.push(Entry { report, socket, server, process, open });
        }
        for (server, by, at) in saved.heard {
            let writer = (account.socket(&server), by);
            account.heard.insert(writer, at);
        }
        account
    }
}
