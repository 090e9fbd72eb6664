//! Notices of hosts whose engines give none: from this dashboard, or from another one that watches them, once.

use std::{collections::HashMap, io::IsTerminal, path::Path, sync::Arc};

use tokio_util::task::AbortOnDropHandle;

use crate::app::act::Caller;
use crate::app::cli::beside::small_pool;
use crate::app::cli::{Context, Failure, InForce};
use crate::app::core::fleet::MemberId;
use crate::app::members::{Members, WeakMembers};
use crate::app::notify::{Ways, notify_elsewhere};
use crate::app::settings::Settings;
use crate::monitor::{EnginePaths, Keeper};
use crate::tmux::Server;

/// Gives them until what is returned is dropped or the members are.
pub(super) fn of_hosts(
    context: &Context,
    in_force: &Arc<InForce>,
    members: &Members,
) -> Result<AbortOnDropHandle<()>, Failure> {
    // Of several dashboards one tells. There is no such server: the name is that of what is kept.
    let engine = EnginePaths::new(&context.paths.run(), Path::new("/hosts"));
    engine.prepare().map_err(|error| Failure::failed(error.to_string()))?;
    // The person is told in the tmux that they sit in.
    let server = Caller::own(None).map_or_else(|| context.first_server(), |(server, _)| Ok(server))?;
    let (members, in_force) = (members.downgrade(), Arc::clone(in_force));
    Ok(AbortOnDropHandle::new(tokio::spawn(give(members, in_force, server, Keeper::inside(engine)))))
}

async fn give(members: WeakMembers, in_force: Arc<InForce>, server: Server, keeper: Keeper) {
    let outside = std::io::stdout().is_terminal() && std::env::var_os("TMUX").is_none();
    let mut told: HashMap<MemberId, AbortOnDropHandle<()>> = HashMap::new();
    let Some(mut who) = members.upgrade().map(|members| members.who()) else { return };
    loop {
        // At once: what changes before is no news.
        let Some(members) = members.upgrade() else { return };
        let there = members.there();
        told.retain(|id, _| there.iter().any(|(known, ..)| known == id));
        for (id, there, snapshots) in there {
            told.entry(id).or_insert_with(|| {
                let server = server.clone();
                let ways = move |settings: &Settings| {
                    Ways::new(small_pool(&server, settings), &settings.notifications).with_own_terminal(outside)
                };
                let keeper = keeper.clone();
                // Its own engine tells where it does; whether one behind it does is for nobody here to know.
                let from_here = move || !there.tells() && keeper.keeps();
                AbortOnDropHandle::new(tokio::spawn(notify_elsewhere(snapshots, in_force.subscribe(), ways, from_here)))
            });
        }
        drop(members);
        if who.changed().await.is_err() {
            return;
        }
    }
}
