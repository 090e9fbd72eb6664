//! The tmux servers of this machine that a dashboard watches beside its first one: found and lost by themselves.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};

use tokio::{
    task::JoinHandle,
    time::{MissedTickBehavior, interval},
};
use tokio_util::sync::CancellationToken;

use crate::app::act::Caller;
use crate::app::cli::act::actor;
use crate::app::cli::{Beside, Context, Failure, InForce, source};
use crate::app::core::fleet::{Label, MemberId};
use crate::app::members::{Doer, Joined, Members, WeakMembers, real_path, sockets};
use crate::monitor::{FollowError, Following, Keeper, ServerStatus};
use crate::tmux::{Server, SocketChoice};

/// How often the sockets are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Looks at a socket at which nobody listens, before it counts as left behind: a server that starts makes its socket first.
const TRIES: u32 = 3;

/// A server of this machine that is watched: what must be waited for when it is let go.
pub(super) struct Local {
    task: JoinHandle<Result<(), FollowError>>,
    beside: Beside,
}

/// How the servers of this machine are watched.
#[derive(Clone, Copy)]
pub(super) struct Manner {
    /// Never by an engine in the background.
    pub(super) embedded: bool,
    /// Nothing is typed into a pane, whatever the settings say.
    pub(super) read_only: bool,
}

/// Begins to watch a server: the engine in the background where there is one, else one inside.
pub(super) async fn open(
    context: &Context,
    server: &Server,
    in_force: &Arc<InForce>,
    manner: Manner,
) -> Result<(Joined, Local), Failure> {
    let follow = source::follow(context, server, Arc::clone(in_force), manner.embedded)?;
    let following = follow.start().await.map_err(|error| Failure::usage(error.to_string()))?;
    let engine = context.engine_paths(server);
    let (keeper, settings) = (Keeper::inside(engine.clone()), in_force.subscribe());
    let Following { handle, link, task } = following;
    let beside = Beside::start(&handle, server, &engine, &context.paths, settings, &keeper);
    let now = in_force.now();
    let caller = Caller::from_environment(server.socket(), None);
    let read_only = manner.read_only || now.settings.dashboard.read_only;
    let actor = actor(context, server, &now.settings, caller, read_only)?.telling(handle.commands.clone());
    let label = Label { host: None, server: server.name().into() };
    Ok((Joined { label, handle, link, doer: Some(Doer::Here(Arc::new(actor))) }, Local { task, beside }))
}

impl Local {
    /// Waits for its end, which comes when nobody holds it any more.
    pub(super) async fn end(self) -> Result<(), FollowError> {
        let ended = self.task.await;
        self.beside.end().await;
        ended.unwrap_or(Ok(()))
    }
}

/// Who finds the servers, and lets those go that have ended.
pub struct Locals {
    task: JoinHandle<()>,
    end: CancellationToken,
}

impl Locals {
    /// Starts looking, for those whose names were given, or else for those that the settings name at that moment.
    pub(super) fn start(
        context: Context,
        first: &Server,
        names: Option<Vec<String>>,
        in_force: Arc<InForce>,
        manner: Manner,
        members: &Members,
    ) -> Self {
        let end = CancellationToken::new();
        let finder = Finder {
            context,
            first: real_path(first.socket()),
            names,
            in_force,
            manner,
            members: members.downgrade(),
            watched: HashMap::new(),
            seen: None,
            silent: HashMap::new(),
        };
        Self { task: tokio::spawn(finder.run(end.clone())), end }
    }

    /// Ends the looking, and waits for the end of all that was found. Their members must be let go before.
    pub async fn end(self) {
        self.end.cancel();
        self.task.await.ok();
    }
}

struct Finder {
    context: Context,
    first: PathBuf,
    names: Option<Vec<String>>,
    in_force: Arc<InForce>,
    manner: Manner,
    members: WeakMembers,
    watched: HashMap<PathBuf, (MemberId, Local)>,
    /// What was looked for when, so that a directory that did not change is not read again.
    seen: Option<(Vec<String>, Option<SystemTime>)>,
    /// Sockets at which nobody listened, and how often.
    silent: HashMap<PathBuf, u32>,
}

impl Finder {
    async fn run(mut self, end: CancellationToken) {
        let mut tick = interval(LOOK_EVERY);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = end.cancelled() => break,
                _ = tick.tick() => {}
            }
            let Some(members) = self.members.upgrade() else { break };
            self.look(&members).await;
        }
        for (_, local) in self.watched.into_values() {
            if let Err(error) = local.end().await {
                tracing::warn!(%error, "the engine of another server ended");
            }
        }
    }

    async fn look(&mut self, members: &Members) {
        self.let_go(members).await;
        let names = self.names.clone().unwrap_or_else(|| self.in_force.now().settings.servers.clone());
        if names.is_empty() && self.watched.is_empty() {
            return;
        }
        let dir = SocketChoice::directory();
        let (looked, before) = (names.clone(), self.seen.take());
        let quiet = self.silent.values().all(|tries| *tries >= TRIES);
        let found = tokio::task::spawn_blocking(move || {
            let changed = std::fs::metadata(&dir).and_then(|meta| meta.modified()).ok();
            let now = (looked, changed);
            let same = quiet && before.as_ref() == Some(&now) && now.0.iter().all(|name| !name.contains('/'));
            let found = (!same).then(|| sockets(&now.0, &dir));
            (now, found)
        });
        let Ok((seen, found)) = found.await else { return };
        self.seen = Some(seen);
        let Some(found) = found else { return };
        self.silent.retain(|path, _| found.contains(path));
        for path in &found {
            if *path != self.first && !self.watched.contains_key(path) {
                self.try_one(path, members).await;
            }
        }
        let gone: Vec<PathBuf> = self.watched.keys().filter(|path| !found.contains(path)).cloned().collect();
        for path in gone {
            self.forget(&path, members).await;
        }
    }

    /// Begins to watch a server if one listens there.
    async fn try_one(&mut self, path: &Path, members: &Members) {
        let Ok(server) = Server::resolve(&SocketChoice { name: None, path: Some(path.to_owned()) }) else { return };
        if self.silent.get(path).is_some_and(|tries| *tries >= TRIES) {
            return;
        }
        if !server.listens().await {
            *self.silent.entry(path.to_owned()).or_default() += 1;
            return;
        }
        self.silent.remove(path);
        match open(&self.context, &server, &self.in_force, self.manner).await {
            Ok((joined, local)) => {
                tracing::info!(socket = %path.display(), "another tmux server is watched");
                if let Some(id) = members.join(joined) {
                    self.watched.insert(path.to_owned(), (id, local));
                }
            }
            Err(error) => tracing::warn!(%error, socket = %path.display(), "another tmux server cannot be watched"),
        }
    }

    /// Lets those go whose server has ended.
    async fn let_go(&mut self, members: &Members) {
        let fleet = members.now();
        let over = |id: MemberId| {
            fleet.member(id).is_none_or(|member| member.snapshot.server.status == ServerStatus::NoServer)
        };
        let gone: Vec<PathBuf> =
            self.watched.iter().filter(|(_, (id, _))| over(*id)).map(|(path, _)| path.clone()).collect();
        for path in gone {
            self.forget(&path, members).await;
            // One that comes back at the same socket is found again.
            self.seen = None;
        }
    }

    async fn forget(&mut self, path: &Path, members: &Members) {
        if let Some((id, local)) = self.watched.remove(path) {
            tracing::info!(socket = %path.display(), "another tmux server has ended");
            members.leave(id);
            local.end().await.ok();
        }
    }
}
