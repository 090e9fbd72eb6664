//! Who acts on the agents of a member: this process, or the bridge on their host.

use std::{path::PathBuf, sync::Arc};

use crate::app::act::{ActionResult, Actor, jump_remote, words};
use crate::app::core::act::Act;
use crate::monitor::LinkedHost;
use crate::monitor::link::shared_way;
use crate::tmux::PaneId;

/// Who acts on the agents of a member.
#[derive(Clone, Debug)]
pub enum Doer {
    /// This process.
    Here(Arc<Actor>),
    /// The bridge on their host: it looks at the pane and acts within the same moment.
    There(Arc<There>),
}

/// The way to a member on another host.
#[derive(Debug)]
pub struct There {
    pub(crate) host: Arc<LinkedHost>,
    /// By what its bridge knows the member.
    pub(crate) key: String,
    /// What people call the server.
    pub(crate) server: String,
    /// Where `hosts login` leaves its connections.
    pub(crate) run: PathBuf,
}

impl There {
    /// The program and its arguments by which a terminal shows this pane. `None`: what reaches the host has no terminal.
    pub(crate) fn in_terminal(&self, pane: PaneId) -> Option<Vec<String>> {
        let config = self.host.config();
        config.terminal_argv(&shared_way(&self.run, &config.name), &words(&self.server, pane, None))
    }

    /// Changes there are told of by its own engine, or may be: it is a server behind the host.
    pub(crate) fn tells(&self) -> bool {
        self.host.tells() || self.host.is_behind(&self.server)
    }

    /// What the settings call the host.
    pub(crate) fn name(&self) -> &str {
        &self.host.config().name
    }
}

impl Doer {
    /// Does it, and says how that ended.
    pub async fn perform(&self, act: Act) -> ActionResult {
        match self {
            Self::Here(actor) => actor.perform(act).await,
            Self::There(there) => {
                let There { host, key, server, run } = &**there;
                let name = &host.config().name;
                // This user's own terminal goes there: nothing that the other end could do.
                if let Act::Jump { pane } = act {
                    return match jump_remote(None, host.config(), run, server, pane).await {
                        Ok(text) => ActionResult { text, ok: true },
                        Err(refusal) => ActionResult { text: refusal.to_string(), ok: false },
                    };
                }
                let sent = match serde_json::to_value(&act) {
                    Ok(act) => host.act(key, act).await.map_err(|lost| lost.to_string()),
                    Err(error) => Err(error.to_string()),
                };
                let (text, ok) = match sent {
                    Ok(answer) => (
                        answer["text"].as_str().unwrap_or("it did not say how that ended").to_owned(),
                        answer["ok"].as_bool().unwrap_or(false),
                    ),
                    Err(why) => (why, false),
                };
                ActionResult { text: format!("{name}: {text}"), ok }
            }
        }
    }
}
