//! What `TARGET@HOST/SERVER` and the options of a verb together mean.

use crate::app::cli::{Context, Failure, Scope};
use crate::app::core::target::{At, split};
use crate::app::members::sockets;
use crate::app::settings::{Overrides, Settings};
use crate::tmux::SocketChoice;

/// An agent that is meant: what names it, and where.
pub(in crate::app::cli) struct Meant<'t> {
    /// Its name, pane or place there.
    pub(in crate::app::cli) target: &'t str,
    /// Where.
    pub(in crate::app::cli) scope: Scope,
    /// Another tmux server of this machine is meant.
    pub(in crate::app::cli) context: Option<Context>,
}

/// What a target means.
///
/// # Errors
/// Two places are named.
pub(in crate::app::cli) fn of<'t>(target: &'t str, scope: &Scope, context: &Context) -> Result<Meant<'t>, Failure> {
    let here = Meant { target, scope: scope.clone(), context: None };
    if !target.contains('@') {
        return Ok(here);
    }
    let settings = context.load(&Overrides::new())?.settings;
    let (target, at) = split(target, |name| settings.hosts.iter().any(|host| host.name == name));
    if at != At::Here && scope.any() {
        return Err(Failure::usage("--host, --all: the target says where it is, behind its @: leave one out"));
    }
    Ok(match at {
        At::Here => here,
        At::Server(server) => match on_server(&server, &settings, context) {
            Some(there) => Meant { target, context: Some(there), ..here },
            // What another machine calls a server may be a host of this one.
            None => Meant { target, scope: Scope { host: vec![server], ..scope.clone() }, context: None },
        },
        At::Host { host, server } => {
            let host = server.map_or_else(|| host.clone(), |server| format!("{host}/{server}"));
            Meant { target, scope: Scope { host: vec![host], ..scope.clone() }, context: None }
        }
    })
}

/// The same about another tmux server of this machine: one of the settings with a socket of this name, else the one that
/// tmux itself calls so. `None`: it is a host that is called so.
fn on_server(name: &str, settings: &Settings, context: &Context) -> Option<Context> {
    let mut there = context.again();
    let known = sockets(&settings.servers, &SocketChoice::directory());
    let known = known.into_iter().find(|path| path.file_name().is_some_and(|file| file == name));
    let usual = || Some(SocketChoice::directory().join(name)).filter(|path| !name.contains('/') && path.exists());
    let host = name.split_once('/').map_or(name, |(host, _)| host);
    (there.global.socket_name, there.global.socket_path) = match known.or_else(usual) {
        Some(path) => (Vec::new(), Some(path)),
        None if settings.hosts.iter().any(|known| known.name == host) => return None,
        None => (vec![name.to_owned()], None),
    };
    Some(there)
}
