//! The servers of other hosts, as their bridges tell of them: asked once, each host for itself and for a bounded time.

use std::{sync::Arc, time::Duration};

use futures_util::future::join_all;
use tokio::time::{Instant, sleep_until, timeout_at};

use crate::app::cli::gather::Found;
use crate::app::cli::source;
use crate::app::cli::{Context, Failure, Scope};
use crate::app::core::nearest::did_you_mean;
use crate::app::settings::{HostSettings, Settings};
use crate::monitor::link::lines::BehindLine;
use crate::monitor::link::open;
use crate::monitor::{HostConfig, LinkState, LinkedHost, Links, RemoteMember, ServerStatus};

/// A host has answered after this time or does not count: as long as its hello may take.
const LIMIT: Duration = Duration::from_secs(15);

/// What stands behind a host is waited for so long after the host itself where its bridge does not say what is to come.
const BEHIND: Duration = Duration::from_secs(3);

/// A host that is meant, and which of its servers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::app::cli) struct RemoteHost {
    /// As it is linked to.
    pub(in crate::app::cli) config: HostConfig,
    /// Only these servers; none: all that its bridge serves.
    pub(in crate::app::cli) only: Vec<String>,
}

/// The hosts that a verb is about.
///
/// # Errors
/// The settings know none of this name.
pub(in crate::app::cli) fn wanted(scope: &Scope, settings: &Settings) -> Result<Vec<RemoteHost>, Failure> {
    if scope.all {
        return Ok(settings.hosts.iter().map(|host| RemoteHost { config: host.config(), only: Vec::new() }).collect());
    }
    let mut all: Vec<(RemoteHost, bool)> = Vec::new();
    for text in &scope.host {
        let (name, server) = text.split_once('/').map_or((text.as_str(), None), |(name, server)| (name, Some(server)));
        let host = known(name, &settings.hosts)?;
        if server.is_some_and(str::is_empty) {
            return Err(Failure::usage(format!("--host {name}/: name one of its tmux servers behind the slash")));
        }
        let at = all.iter().position(|(one, _)| one.config.name == name).unwrap_or_else(|| {
            all.push((RemoteHost { config: host.config(), only: Vec::new() }, false));
            all.len() - 1
        });
        let (one, whole) = &mut all[at];
        match server {
            Some(server) => one.only.push(server.to_owned()),
            None => *whole = true,
        }
    }
    Ok(all
        .into_iter()
        .map(|(one, whole)| if whole { RemoteHost { only: Vec::new(), ..one } } else { narrowed(one) })
        .collect())
}

/// Its bridge need not look at servers that nobody wants.
fn narrowed(mut one: RemoteHost) -> RemoteHost {
    one.config.servers.clone_from(&one.only);
    one
}

/// The host of the settings that is called so.
pub(in crate::app::cli) fn known<'h>(name: &str, hosts: &'h [HostSettings]) -> Result<&'h HostSettings, Failure> {
    let names = || hosts.iter().map(|host| host.name.as_str());
    hosts.iter().find(|host| host.name == name).ok_or_else(|| {
        let there = match names().collect::<Vec<_>>() {
            none if none.is_empty() => "; there are none: docs/hosts.md tells how".to_owned(),
            some => format!("; there are {}{}", some.join(", "), did_you_mean(name, names())),
        };
        Failure::usage(format!("no host of the settings is called '{}'{there}", crate::tmux::clean(name)))
    })
}

/// Links to hosts for as long as a verb runs, which types nothing.
pub(in crate::app::cli) fn links(context: &Context) -> Links {
    Links::new(Some(context.paths.run()), true)
}

/// Asks all of them at once.
pub(super) async fn ask(hosts: Vec<RemoteHost>, context: &Context) -> Vec<Found> {
    if hosts.is_empty() {
        return Vec::new();
    }
    let links = links(context);
    join_all(hosts.into_iter().map(|wanted| one(wanted, links.clone()))).await.into_iter().flatten().collect()
}

async fn one(wanted: RemoteHost, links: Links) -> Vec<Found> {
    let until = Instant::now() + LIMIT;
    let name: Arc<str> = wanted.config.name.as_str().into();
    let silent =
        |server: Option<Arc<str>>, why: String| Found { host: Some(Arc::clone(&name)), server, said: Err(why) };
    let linked = open(wanted.config, links);
    let all = timeout_at(until, named(&linked)).await;
    if let Ok(Err(why)) = all {
        return vec![silent(None, why)];
    }
    if all.is_ok() && linked.has_hosts() {
        further(&linked, &wanted.only, until).await;
    }
    // Those that are there in time are told of, whatever the others do.
    let members = linked.members().borrow().clone();
    let Some(servers) = linked.servers() else { return vec![silent(None, too_late())] };
    let meant = |server: &str| wanted.only.is_empty() || wanted.only.iter().any(|only| only == server);
    let mut found = Vec::new();
    for server in servers.iter().filter(|server| meant(server)) {
        let member = members.iter().find(|member| member.server == *server);
        let said = match member {
            None => Err(too_late()),
            Some(member) => first(member.clone(), until).await,
        };
        found.push(Found { host: Some(Arc::clone(&name)), server: Some(server.as_str().into()), said });
    }
    let behind = linked.behind().borrow().clone().unwrap_or_default();
    let lost = behind.iter().filter(|line| !shown(line, &members));
    let lost: Vec<_> = lost.filter(|line| wanted.only.is_empty() || wants(&wanted.only, line)).collect();
    found.extend(lost.iter().map(|line| {
        let why = line.why.clone().unwrap_or_else(too_late);
        silent(Some(line.name.as_str().into()), why)
    }));
    let is_lost = |only: &str| lost.iter().any(|line| of(line, only));
    let missing = wanted.only.iter().filter(|only| !servers.contains(only) && !is_lost(only));
    found.extend(
        missing.map(|only| silent(Some(only.as_str().into()), "it has no tmux server of this name".to_owned())),
    );
    if found.is_empty() {
        found.push(silent(None, "no tmux server runs there".to_owned()));
    }
    found
}

fn too_late() -> String {
    format!("nothing came within {} s", LIMIT.as_secs())
}

/// Waits until each server that its bridge named has shown something. `Err`: it is not reached, and why.
async fn named(linked: &LinkedHost) -> Result<(), String> {
    let (mut state, mut members) = (linked.state(), linked.members());
    loop {
        if let Some(why) = why(&linked.config().name, &state.borrow_and_update()) {
            return Err(why);
        }
        let shown = members.borrow_and_update().len();
        if linked.servers().is_some_and(|named| shown >= named.len()) {
            return Ok(());
        }
        let changed = tokio::select! {
            changed = state.changed() => changed,
            changed = members.changed() => changed,
        };
        if changed.is_err() {
            return Err("it is not watched any more".to_owned());
        }
    }
}

/// Waits for the hosts behind it, or for those servers that were named: until each has shown what it has, or is known not
/// to be reached.
async fn further(linked: &LinkedHost, only: &[String], until: Instant) {
    let (mut members, mut behind) = (linked.members(), linked.behind());
    // An older bridge does not say what there is.
    let says = timeout_at(until.min(Instant::now() + BEHIND), behind.wait_for(Option::is_some)).await.is_ok();
    let until = if says { until } else { Instant::now() };
    loop {
        let now = members.borrow_and_update().clone();
        let lines = behind.borrow_and_update().clone().unwrap_or_default();
        let named = |only: &String| now.iter().any(|member| member.server == *only);
        let known = |line: &BehindLine| line.why.is_some() || shown(line, &now);
        let enough = match only {
            [] => lines.iter().all(known),
            only => only.iter().all(named) || lines.iter().filter(|line| wants(only, line)).all(known),
        };
        if enough {
            return;
        }
        let ended = tokio::select! {
            changed = members.changed() => changed.is_err(),
            changed = behind.changed() => changed.is_err(),
            () = sleep_until(until) => true,
        };
        if ended {
            return;
        }
    }
}

/// A server of this name is one of that host behind.
fn of(line: &BehindLine, server: &str) -> bool {
    server == line.name || server.strip_prefix(line.name.as_str()).is_some_and(|rest| rest.starts_with('/'))
}

/// Some of these servers are of that host behind.
fn wants(only: &[String], line: &BehindLine) -> bool {
    only.iter().any(|only| of(line, only))
}

/// All that a host behind has is there.
fn shown(line: &BehindLine, members: &[RemoteMember]) -> bool {
    let there = members.iter().filter(|member| of(line, &member.server)).count();
    line.members.is_some_and(|members| there >= members)
}

/// Why a host is not reached, and what to do.
fn why(host: &str, state: &LinkState) -> Option<String> {
    let why = state.why()?;
    Some(match (state, state.remedy(host)) {
        (LinkState::NeedsLogin { .. }, Some(remedy)) => format!("{why} (`{remedy}` asks you)"),
        (LinkState::NotInstalled { .. }, Some(remedy)) => format!("tmux-orc is not there: {why} (`{remedy}`)"),
        _ => why.to_owned(),
    })
}

/// The first snapshot of a member that tells something.
async fn first(member: RemoteMember, until: Instant) -> Result<Arc<crate::monitor::Snapshot>, String> {
    let mut snapshots = member.handle.snapshots.clone();
    let there = |snapshot: &Arc<crate::monitor::Snapshot>| snapshot.server.status != ServerStatus::Connecting;
    match timeout_at(until, snapshots.wait_for(there)).await {
        Ok(Ok(snapshot)) => source::reachable(Arc::clone(&snapshot)).map_err(|failure| failure.to_string()),
        Ok(Err(_)) => Err("its engine ended".to_owned()),
        Err(_) => Err(too_late()),
    }
}
