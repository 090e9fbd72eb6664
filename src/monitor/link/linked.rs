//! A host that is watched, as who wants it holds it.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use tokio::sync::{Notify, watch};
use tokio_util::task::AbortOnDropHandle;

use crate::monitor::LinkState;
use crate::monitor::link::acts::{ActLost, Acts};
use crate::monitor::link::connector::HostConfig;
use crate::monitor::link::lines::BehindLine;
use crate::monitor::link::member::RemoteMember;

/// What is known of a host beside its state.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Known {
    pub(super) rtt: Option<Duration>,
    pub(super) version: Option<String>,
    pub(super) skew: Option<SignedDuration>,
    pub(super) last_heard: Option<Timestamp>,
    pub(super) read_only: bool,
    pub(super) tells: bool,
    pub(super) hosts: bool,
    /// Its tmux servers, as its bridge names them.
    pub(super) servers: Option<Vec<String>>,
}

/// A host that is watched. Dropped, it is not any more, and nothing of it is left.
#[derive(Debug)]
pub struct LinkedHost {
    pub(super) config: HostConfig,
    pub(super) state: watch::Receiver<LinkState>,
    pub(super) members: watch::Receiver<Vec<RemoteMember>>,
    pub(super) behind: watch::Receiver<Option<Vec<BehindLine>>>,
    pub(super) known: Arc<Mutex<Known>>,
    pub(super) acts: Acts,
    pub(super) retry: Arc<Notify>,
    pub(super) read_only: bool,
    pub(super) _task: AbortOnDropHandle<()>,
}

impl LinkedHost {
    /// The host as the settings have it.
    #[must_use]
    pub fn config(&self) -> &HostConfig {
        &self.config
    }

    /// How it is reached now, and when that changes.
    #[must_use]
    pub fn state(&self) -> watch::Receiver<LinkState> {
        self.state.clone()
    }

    /// Its tmux servers that have shown something, and when there are others.
    #[must_use]
    pub fn members(&self) -> watch::Receiver<Vec<RemoteMember>> {
        self.members.clone()
    }

    /// Tries now what would be tried later; asks one that is up whether it is there.
    pub fn retry(&self) {
        self.retry.notify_one();
    }

    /// Has something done to a pane of a member: `act` is an `Act` as JSON. The answer has `ok` and `text`.
    ///
    /// # Errors
    /// It was not sent and why, or nobody knows what came of it. It is never sent twice.
    pub fn act(&self, key: &str, act: Value) -> impl Future<Output = Result<Value, ActLost>> + Send + 'static + use<> {
        let refused = self.read_only.then(|| {
            let why = format!(
                "{} is only looked at (--read-only, dashboard.read_only or its own read_only)",
                self.config.name
            );
            ActLost::NotSent(why)
        });
        let sent = refused.is_none().then(|| self.acts.send(key, act));
        async move {
            match (refused, sent) {
                (None, Some(sent)) => sent.await,
                (refused, _) => Err(refused.unwrap_or(ActLost::Unknown)),
            }
        }
    }

    /// There and back; `None`: not known yet.
    #[must_use]
    pub fn rtt(&self) -> Option<Duration> {
        self.known().rtt
    }

    /// The version of its tmux-orc.
    #[must_use]
    pub fn version(&self) -> Option<String> {
        self.known().version
    }

    /// Its clock minus ours.
    #[must_use]
    pub fn skew(&self) -> Option<SignedDuration> {
        self.known().skew
    }

    /// When anything came of it last.
    #[must_use]
    pub fn last_heard(&self) -> Option<Timestamp> {
        self.known().last_heard
    }

    /// Nothing is typed into its panes: by our settings, or by its own.
    #[must_use]
    pub fn read_only(&self) -> bool {
        self.read_only || self.known().read_only
    }

    /// What its bridge calls its tmux servers, also those that have shown nothing yet; `None`: it has not said yet.
    #[must_use]
    pub fn servers(&self) -> Option<Vec<String>> {
        self.known().servers
    }

    /// Hosts of its own come along, each once it is reached from there.
    #[must_use]
    pub fn has_hosts(&self) -> bool {
        self.known().hosts
    }

    /// How the hosts of its own are reached from there; `None`: it has not said so, which an older one never does.
    pub(crate) fn behind(&self) -> watch::Receiver<Option<Vec<BehindLine>>> {
        self.behind.clone()
    }

    /// A server of this name is one of a host of its own.
    #[must_use]
    pub fn is_behind(&self, server: &str) -> bool {
        let host = server.split('/').next().unwrap_or(server);
        self.behind.borrow().as_ref().is_some_and(|all| all.iter().any(|line| line.name == host))
    }

    /// It notifies of changes itself.
    #[must_use]
    pub fn tells(&self) -> bool {
        self.known().tells
    }

    fn known(&self) -> Known {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
