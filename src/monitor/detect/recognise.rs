//! Which agent program runs in a pane: from the processes under it, never from names of windows.

use crate::monitor::detect::Process;
use crate::monitor::detect::identity::{Identity, Purpose};
use crate::monitor::detect::name::base;
use crate::monitor::detect::profiles::{Profile, Profiles};
use crate::monitor::detect::rules::holds;
use crate::monitor::detect::view::View;
use crate::tmux::{Pane, Screen};

/// An agent program that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recognised {
    /// The profile's name.
    pub agent: String,
    /// Its process; `None` when its processes are out of sight.
    pub pid: Option<u32>,
    /// How it was recognised, in words.
    pub by: String,
    /// It is stopped (Ctrl-Z, SIGSTOP).
    pub stopped: bool,
    /// It was started to do one thing and end (`claude -p`): nobody can talk to it.
    pub headless: bool,
    /// Only its name tells so far, which other programs have too: the screen must show it before it counts.
    pub unproven: bool,
}

impl Recognised {
    /// An agent that is known without its process.
    pub(super) fn without_process(agent: &str, by: &str) -> Self {
        Self { agent: agent.to_owned(), pid: None, by: by.to_owned(), stopped: false, headless: false, unproven: false }
    }
}

/// The agent program among the processes under a pane. Cheap; needs no screen.
///
/// A foreground process counts before a stopped one; of several the one nearest to the pane's own process. An agent
/// that runs in the background of a shell, or as somebody's tool, is not the pane's.
#[must_use]
pub fn recognise(profiles: &Profiles, processes: &[Process]) -> Option<Recognised> {
    let knows_foreground = processes.iter().any(|p| p.foreground);
    let front = in_front(processes);
    let mut best: Option<(u8, u16, Recognised)> = None;
    // A script that is anybody's hides no program that is known.
    let mut script: Option<(u8, u16, Recognised)> = None;
    for (process, front) in processes.iter().zip(front).filter(|(p, _)| !p.zombie) {
        let rank = match process {
            p if p.stopped => 2,
            p if p.foreground || !knows_foreground => 0,
            _ if front => 1,
            _ => continue,
        };
        if best.as_ref().is_some_and(|(r, depth, _)| (*r, *depth) <= (rank, process.depth)) {
            continue;
        }
        let identity = Identity::of(process);
        let found = profiles.list().find_map(|profile| {
            let by = identity.named(&profile.recognise)?;
            let purpose = identity.purpose(&profile.recognise);
            let elsewhere = identity.is_script_elsewhere(&profile.recognise);
            let found = || Recognised {
                agent: profile.name.clone(),
                pid: Some(process.pid),
                by: format!("{by} (pid {})", process.pid),
                stopped: process.stopped,
                headless: purpose == Purpose::Headless,
                unproven: identity.only_by_name(&profile.recognise),
            };
            (purpose != Purpose::Other).then(|| (found(), elsewhere))
        });
        match found {
            Some((found, true)) => script = script.or(Some((rank, process.depth, found))),
            Some((found, false)) => best = Some((rank, process.depth, found)),
            None => {}
        }
    }
    best.or(script).map(|(_, _, found)| found)
}

/// Which processes are in the foreground. One without a terminal of its own (`setsid`, a sandbox that makes a new
/// session) cannot be; it is taken for it when its parent is, which waits for it.
fn in_front(processes: &[Process]) -> Vec<bool> {
    let mut front: Vec<bool> = Vec::with_capacity(processes.len());
    // A parent is the nearest one before that lies less deep.
    for (index, process) in processes.iter().enumerate() {
        let parent = processes[..index].iter().rposition(|other| other.depth < process.depth);
        let inherits = process.detached && parent.is_some_and(|at| front[at] && !processes[at].stopped);
        front.push(process.foreground || inherits);
    }
    front
}

/// Whether an agent may run here out of sight: in another machine, a container or a tmux inside this pane.
#[must_use]
pub fn may_hide_agent(processes: &[Process]) -> bool {
    let knows_foreground = processes.iter().any(|p| p.foreground);
    processes.iter().filter(|p| !p.zombie && !p.stopped && (p.foreground || !knows_foreground)).any(|p| {
        let name = program_name(p);
        HIDING.contains(&name) || p.is_out_of_sight() || name.starts_with("tmux: ")
    })
}

/// Programs whose screen is another place's: the processes there are not below this pane.
const HIDING: &[&str] = &[
    "ssh",
    "mosh",
    "mosh-client",
    "et",
    "docker",
    "podman",
    "nerdctl",
    "kubectl",
    "oc",
    "lxc",
    "incus",
    "machinectl",
    "nsenter",
    "vagrant",
    "multipass",
    "limactl",
    "tmux",
    "screen",
    "zellij",
    "dtach",
    "abduco",
    "gcloud",
    "aws",
    "devcontainer",
    "distrobox",
    "toolbox",
    "wsl.exe",
    "autossh",
    "sshpass",
    "tsh",
    "telnet",
];

/// Whether tmux runs in the foreground of the pane, so that the last row may be its status line.
pub(super) fn nested_tmux(processes: &[Process]) -> bool {
    processes.iter().any(|p| p.foreground && !p.zombie && program_name(p).starts_with("tmux"))
}

/// The profile whose signs the screen shows, for panes whose processes are out of sight.
pub(super) fn by_screen<'p>(
    profiles: &'p Profiles,
    pane: &Pane,
    screen: &Screen,
    inner_status: usize,
) -> Option<&'p Profile> {
    profiles.list().find(|profile| {
        !profile.signs.is_empty() && shows_sign(profile, &View::new(profile, pane, Some(screen), inner_status))
    })
}

/// Whether the screen shows a sign that no other program has.
pub(super) fn shows_sign(profile: &Profile, view: &View<'_>) -> bool {
    profile.signs.iter().any(|(place, compiled, sign)| {
        holds(&sign.when, compiled, view)
            && view.region(*place).is_some_and(|mut range| range.any(|row| view.fits(row, &sign.line)))
    })
}

fn program_name(process: &Process) -> &str {
    base(&process.comm)
}
