//! Waiting for something that any of several servers may show: all are followed at once, and the first that shows it ends the
//! waiting.

use std::sync::Arc;

use futures_util::{
    StreamExt,
    future::{LocalBoxFuture, join_all},
    stream::FuturesUnordered,
};

use crate::app::cli::gather::{Found, Gathered, here, hosts, label, wanted};
use crate::app::cli::{Context, Failure, Scope, source};
use crate::app::settings::Overrides;
use crate::monitor::link::open;
use crate::monitor::{Handle, LinkedHost, RemoteMember, Snapshot};

/// Waits until a snapshot of one of the servers is `there`; what it said is all that comes back. Hosts that are not reached
/// are tried again for as long as it is waited.
pub(in crate::app::cli) async fn until(
    scope: &Scope,
    context: &Context,
    there: impl Fn(&Snapshot) -> bool,
) -> Result<Gathered, Failure> {
    let in_force = context.in_force(Overrides::new())?;
    let hosts = wanted(scope, &in_force.now().settings)?;
    let mut tasks = Vec::new();
    let mut waits: FuturesUnordered<LocalBoxFuture<'_, Option<Found>>> = FuturesUnordered::new();
    for server in here(scope, context, &in_force.now().settings, hosts.is_empty()).await? {
        let follow = source::follow(context, &server, Arc::clone(&in_force), false)?;
        let following = follow.start().await.map_err(|error| Failure::usage(error.to_string()))?;
        tasks.push(following.task);
        let (name, handle, there) = (label(&server).server, following.handle, &there);
        waits.push(Box::pin(async move {
            let snapshot = shows(handle, there).await?;
            Some(Found { host: None, server: Some(name), said: Ok(snapshot) })
        }));
    }
    let links = (!hosts.is_empty()).then(|| hosts::links(context));
    for (host, links) in hosts.into_iter().zip(links.iter().cycle()) {
        let (linked, there) = (open(host.config, links.clone()), &there);
        waits.push(Box::pin(async move { any(&linked, &host.only, there).await }));
    }
    let mut found = None;
    while let Some(ended) = waits.next().await {
        if ended.is_some() {
            found = ended;
            break;
        }
    }
    // The engines end with the last who holds them.
    drop(waits);
    join_all(tasks).await;
    match found {
        Some(found) => Ok(Gathered::new([found], scope.strict)),
        None => Err(Failure::failed("the engines ended")),
    }
}

async fn shows(mut handle: Handle, there: &impl Fn(&Snapshot) -> bool) -> Option<Arc<Snapshot>> {
    let found = handle.snapshots.wait_for(|snapshot: &Arc<Snapshot>| there(snapshot)).await;
    found.ok().map(|snapshot| Arc::clone(&snapshot))
}

/// The first server of a host that shows it.
async fn any(linked: &LinkedHost, only: &[String], there: &impl Fn(&Snapshot) -> bool) -> Option<Found> {
    let mut members = linked.members();
    let (name, fresh) = (&linked.config().name, |snapshot: &Snapshot| {
        // What was last seen before a host was lost is not what it shows.
        snapshot.agents.iter().any(|agent| !agent.stale) && there(snapshot)
    });
    loop {
        let now: Vec<RemoteMember> = members.borrow_and_update().clone();
        let meant = now.into_iter().filter(|member| only.is_empty() || only.contains(&member.server));
        let mut waits: FuturesUnordered<_> = meant
            .map(|member| {
                let fresh = &fresh;
                async move { Some((member.server, shows(member.handle, fresh).await?)) }
            })
            .collect();
        let found = tokio::select! {
            changed = members.changed() => match changed {
                Ok(()) => continue,
                Err(_) => return None,
            },
            Some(found) = waits.next() => found,
        };
        if let Some((server, snapshot)) = found {
            return Some(Found { host: Some(name.as_str().into()), server: Some(server.into()), said: Ok(snapshot) });
        }
    }
}
