//! `hosts`: how the hosts of the settings are reached, and what helps to reach one.

mod check;
mod install;
mod list;
mod login;
mod mend;
mod program;
mod remote;

use std::io::BufRead;

use crate::app::cli::{Context, Failure, HostsVerb, Report, gather};
use crate::app::settings::{HostSettings, Overrides};

pub(crate) use mend::Mending;

/// Runs one of them; without a verb, the list.
pub async fn run(report: Report, verb: Option<&HostsVerb>, context: &mut Context) -> Result<(), Failure> {
    match verb {
        None => list::run(report, context).await,
        Some(HostsVerb::Check { destination }) => check::run(destination, context).await,
        Some(HostsVerb::Login { name, hold }) => {
            let ended = host(name, context).and_then(|host| login::run(&host, context));
            held(ended, *hold)
        }
        Some(HostsVerb::Install { name, from, yes, hold }) => {
            let ended = match host(name, context) {
                Ok(host) => install::run(&host, from.as_deref(), *yes, context).await,
                Err(failure) => Err(failure),
            };
            held(ended, *hold)
        }
    }
}

/// Where what failed would be gone with its window, it stays until somebody has read it.
fn held(ended: Result<(), Failure>, hold: bool) -> Result<(), Failure> {
    if let (Err(failure), true) = (&ended, hold) {
        // It may quote what others said.
        let words = failure.to_string().lines().map(crate::tmux::clean).collect::<Vec<_>>().join("\n");
        eprint!("tmux-orc: {words}\nPress Enter to go back. ");
        std::io::stdin().lock().read_line(&mut String::new()).ok();
        return Err(Failure::silent(failure.code()));
    }
    ended
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
