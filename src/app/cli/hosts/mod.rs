//! `hosts`: how the hosts of the settings are reached, and what helps to reach one.

mod check;
mod install;
mod list;
mod login;
mod program;
mod remote;

use crate::app::cli::{Context, Failure, HostsVerb, Report, gather};
use crate::app::settings::{HostSettings, Overrides};

/// Runs one of them; without a verb, the list.
pub async fn run(report: Report, verb: Option<&HostsVerb>, context: &mut Context) -> Result<(), Failure> {
    match verb {
        None => list::run(report, context).await,
        Some(HostsVerb::Check { destination }) => check::run(destination, context).await,
        Some(HostsVerb::Login { name }) => login::run(&host(name, context)?, context),
        Some(HostsVerb::Install { name, from, yes }) => {
            install::run(&host(name, context)?, from.as_deref(), *yes, context).await
        }
    }
}

/// A host of the settings.
fn host(name: &str, context: &Context) -> Result<HostSettings, Failure> {
    let hosts = context.load(&Overrides::new())?.settings.hosts;
    gather::known(name, &hosts).cloned()
}

/// Where ssh goes for a host. One that is reached by another program is not for ssh.
fn destination(host: &HostSettings) -> Result<&str, Failure> {
    host.ssh.as_deref().ok_or_else(|| {
        Failure::usage(format!("{} is reached by `connect`, not by ssh: there is nothing to do for it here", host.name))
    })
}
