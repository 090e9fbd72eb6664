//! Several tmux servers in one verb: which are meant, what each of them says at one moment, and what there is to report of
//! those that say nothing.

pub(super) mod frames;
mod hosts;
pub(super) mod place;
pub(super) mod there;
mod until;
pub(super) mod watched;

use std::{collections::HashSet, sync::Arc};

use futures_util::future::join_all;
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::app::cli::{Context, Failure, Look, Scope, cell, source};
use crate::app::core::fleet::{Label, address};
use crate::app::core::target::{self, TargetError};
use crate::app::members::{real_path, sockets};
use crate::app::settings::{Overrides, Settings};
use crate::monitor::{Agent, SCHEMA, Snapshot};
use crate::tmux::{Server, SocketChoice, clean};

pub(super) use hosts::{known, links, wanted};
pub(super) use until::until;

/// What one server said, or why it said nothing.
pub(super) struct Found {
    host: Option<Arc<str>>,
    /// `None`: the host did not say which it has.
    server: Option<Arc<str>>,
    said: Result<Arc<Snapshot>, String>,
}

/// One that did not answer, as it is reported.
#[derive(Serialize)]
struct Silent {
    host: Option<Arc<str>>,
    /// `None`: the host did not say which it has.
    server: Option<Arc<str>>,
    problem: String,
}

/// What all that were asked said.
pub(super) struct Gathered {
    /// Those that answered, in order.
    pub(super) answered: Vec<(Label, Arc<Snapshot>)>,
    silent: Vec<Silent>,
    strict: bool,
}

/// Who is asked on this machine. On other hosts it is the engine, always.
#[derive(Clone, Copy, Debug)]
pub(super) enum Ask {
    /// The engine in the background.
    Engine,
    /// The same, else a look of our own.
    OrNow {
        /// git is waited for.
        with_lines: bool,
    },
}

/// Several servers are meant, or one elsewhere: by the options of the verb, or by several names.
pub(super) fn several(scope: &Scope, context: &Context) -> bool {
    scope.any() || context.global.socket_name.len() > 1
}

/// Asks all servers that are meant, all at once: one that does not answer holds up none of the others, and the end only so
/// long as a host may take.
pub(super) async fn gather(scope: &Scope, context: &Context, ask: Ask) -> Result<Gathered, Failure> {
    let settings = context.load(&Overrides::new())?.settings;
    let hosts = wanted(scope, &settings)?;
    let here = here(scope, context, &settings, hosts.is_empty()).await?;
    let (here, there) = tokio::join!(asked(here, context, ask), hosts::ask(hosts, context));
    Ok(Gathered::new(here.into_iter().chain(there), scope.strict))
}

/// The same of this machine alone.
pub(super) async fn gather_here(scope: &Scope, context: &Context, ask: Ask) -> Result<Gathered, Failure> {
    let settings = context.load(&Overrides::new())?.settings;
    let here = here(scope, context, &settings, settings.hosts.is_empty()).await?;
    Ok(Gathered::new(asked(here, context, ask).await, scope.strict))
}

async fn asked(servers: Vec<Server>, context: &Context, ask: Ask) -> Vec<Found> {
    join_all(servers.into_iter().map(async |server| {
        let name = label(&server).server;
        let said = match ask {
            Ask::Engine => source::from_engine_of(&server, context).await,
            Ask::OrNow { with_lines } => source::from_engine_or(&server, context, with_lines).await,
        };
        Found { host: None, server: Some(name), said: said.map_err(|failure| failure.to_string()) }
    }))
    .await
}

/// Where a server of this machine is.
fn label(server: &Server) -> Label {
    Label { host: None, server: server.name().into() }
}

/// The servers of this machine that are meant. Those that nobody named are there when something listens at their sockets.
async fn here(scope: &Scope, context: &Context, settings: &Settings, alone: bool) -> Result<Vec<Server>, Failure> {
    if !scope.host.is_empty() {
        return Ok(Vec::new());
    }
    let mut all = Vec::new();
    for (at, server) in servers_of(scope.all, settings, context)?.into_iter().enumerate() {
        if at == 0 || server.listens().await {
            all.push(server);
        }
    }
    let (first, mut others) = (all.remove(0), all);
    let named = context.global.socket_name.get(1..).unwrap_or_default();
    let is_named = !context.global.socket_name.is_empty() || context.global.socket_path.is_some();
    // A name without a socket is no server that could be looked at, and is reported all the same.
    let missing = named
        .iter()
        .filter(|name| *name != "all" && sockets(std::slice::from_ref(name), &SocketChoice::directory()).is_empty());
    for name in missing {
        let choice = SocketChoice { name: Some(name.clone()), path: None };
        others.push(Server::resolve(&choice).map_err(|error| Failure::usage(error.to_string()))?);
    }
    // The usual one that does not run is no fault where there are others.
    let wanted = is_named || alone && others.is_empty() || first.listens().await;
    Ok(wanted.then_some(first).into_iter().chain(others).collect())
}

/// The servers of this machine that are meant, whether they run or not.
pub(super) fn servers_here(all: bool, context: &Context) -> Result<Vec<Server>, Failure> {
    servers_of(all, &context.load(&Overrides::new())?.settings, context)
}

/// The first one, and those of which there is a socket.
fn servers_of(all: bool, settings: &Settings, context: &Context) -> Result<Vec<Server>, Failure> {
    let first = context.first_server()?;
    let named = context.global.socket_name.get(1..).unwrap_or_default();
    let names = if all && named.is_empty() { settings.servers.as_slice() } else { named };
    let mut seen = HashSet::from([real_path(first.socket())]);
    let mut servers = vec![first];
    for path in sockets(names, &SocketChoice::directory()) {
        if seen.insert(path.clone())
            && let Ok(server) = Server::resolve(&SocketChoice { name: None, path: Some(path) })
        {
            servers.push(server);
        }
    }
    Ok(servers)
}

impl Gathered {
    fn new(found: impl IntoIterator<Item = Found>, strict: bool) -> Self {
        let mut all = Self { answered: Vec::new(), silent: Vec::new(), strict };
        for Found { host, server, said } in found {
            match said {
                Ok(snapshot) => all.answered.push((Label { host, server: server.unwrap_or_default() }, snapshot)),
                Err(problem) => all.silent.push(Silent { host, server, problem }),
            }
        }
        all
    }

    /// A report as JSON: when, of which servers (with what `of` says of each), which did not answer, and what `more` there is.
    pub(super) fn json(&self, of: impl Fn(&Snapshot) -> Map<String, Value>, more: Map<String, Value>) -> Value {
        let servers = self.answered.iter().map(|(label, snapshot)| {
            let mut one = of(snapshot);
            one.insert("host".to_owned(), json!(label.host));
            one.insert("name".to_owned(), json!(label.server));
            Value::Object(one)
        });
        let mut report = Map::new();
        report.insert("schema".to_owned(), json!(SCHEMA));
        report.insert("timestamp".to_owned(), json!(jiff::Timestamp::now()));
        report.insert("servers".to_owned(), servers.collect());
        report.insert("unreachable".to_owned(), json!(self.silent));
        report.extend(more);
        Value::Object(report)
    }

    /// Prints of each that did not answer why.
    pub(super) fn tell(&self, context: &mut Context) -> Result<(), Failure> {
        for words in self.problems() {
            context.out.line(context.out.paint(Look::Bad, &words))?;
        }
        Ok(())
    }

    /// Which did not answer, and why.
    pub(super) fn problems(&self) -> impl Iterator<Item = String> {
        self.silent.iter().map(|Silent { host, server, problem }| {
            let name = match (host, server) {
                (Some(host), None) => host.to_string(),
                (host, server) => {
                    Label { host: host.clone(), server: server.clone().unwrap_or_default() }.name().into_owned()
                }
            };
            format!("{name} did not answer: {}", cell(problem, 400))
        })
    }

    /// The one agent that is meant, wherever it is. Says of the servers that did not answer when none fits.
    pub(super) fn find(&self, target: &str, context: &mut Context) -> Result<(&Snapshot, &Agent), Failure> {
        let mut found = Vec::new();
        for (_, snapshot) in &self.answered {
            match target::find(snapshot, target) {
                Ok(agent) => found.push((&**snapshot, agent)),
                Err(error @ TargetError::Several { .. }) => return Err(Failure::failed(error.to_string())),
                Err(TargetError::None { .. }) => {}
            }
        }
        match found[..] {
            [one] => Ok(one),
            [] => {
                self.tell(context)?;
                if self.answered.is_empty() {
                    self.end()?;
                }
                let agents = self.answered.iter().flat_map(|(_, snapshot)| &snapshot.agents);
                let there = agents.map(|agent| clean(&address(agent))).collect();
                Err(Failure::failed(TargetError::None { target: clean(target), there }.to_string()))
            }
            [..] => {
                let fit = found.iter().map(|(_, agent)| clean(&address(agent))).collect();
                Err(Failure::failed(TargetError::Several { target: clean(target), fit }.to_string()))
            }
        }
    }

    /// How the verb ends: well, unless none answered, or not all did where all must.
    pub(super) fn end(&self) -> Result<(), Failure> {
        match (self.answered.is_empty(), self.silent.first()) {
            (true, _) => Err(Failure::unreachable("none of the tmux servers that were asked for answered")),
            (false, Some(_)) if self.strict => Err(Failure::check()),
            (false, _) => Ok(()),
        }
    }
}

/// The pairs of an object.
pub(super) fn object(value: Value) -> Map<String, Value> {
    if let Value::Object(pairs) = value { pairs } else { Map::new() }
}
