//! Which agent program runs in a pane: from the processes under it, never from names of windows.

use super::Process;
use super::profile::Recognise;
use super::profiles::{Profile, Profiles};
use super::rules::holds;
use super::view::View;
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
}

/// The agent program among the processes under a pane. Cheap; needs no screen.
///
/// A foreground process counts before a stopped one; of several the one nearest to the pane's own process. An agent
/// that runs in the background of a shell, or as somebody's tool, is not the pane's.
#[must_use]
pub fn recognise(profiles: &Profiles, _pane: &Pane, processes: &[Process]) -> Option<Recognised> {
    let knows_foreground = processes.iter().any(|p| p.foreground);
    let mut best: Option<(u8, u16, &Process, &Profile, String)> = None;
    for process in processes.iter().filter(|p| !p.zombie) {
        let rank = match process {
            p if p.stopped => 2,
            p if p.foreground || !knows_foreground => 0,
            _ => continue,
        };
        if best.as_ref().is_some_and(|(r, depth, ..)| (*r, *depth) <= (rank, process.depth)) {
            continue;
        }
        let identity = Identity::of(process);
        if let Some((profile, by)) = profiles.list().find_map(|profile| Some((profile, identity.named(profile)?))) {
            best = Some((rank, process.depth, process, profile, by));
        }
    }
    best.map(|(rank, _, process, profile, by)| Recognised {
        agent: profile.name.clone(),
        pid: Some(process.pid),
        by: format!("{by} (pid {})", process.pid),
        stopped: rank == 2,
    })
}

/// Whether an agent may run here out of sight: in another machine, a container or a tmux inside this pane.
#[must_use]
pub fn may_hide_agent(_pane: &Pane, processes: &[Process]) -> bool {
    let knows_foreground = processes.iter().any(|p| p.foreground);
    processes.iter().filter(|p| !p.zombie && !p.stopped && (p.foreground || !knows_foreground)).any(|p| {
        let name = program_name(p);
        HIDING.contains(&name) || name.starts_with("tmux: ")
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
    inner_status: bool,
) -> Option<&'p Profile> {
    profiles.list().find(|profile| {
        if profile.signs.is_empty() {
            return false;
        }
        let view = View::new(profile, pane, Some(screen), inner_status);
        profile.signs.iter().any(|(place, compiled, sign)| {
            holds(&sign.when, compiled, &view)
                && view.region(*place).is_some_and(|range| view.rows(range).iter().any(|row| sign.line.matches(row)))
        })
    })
}

fn program_name(process: &Process) -> &str {
    base(&process.comm)
}

/// What a process says of itself, read once for all profiles.
struct Identity<'a> {
    /// Name as the kernel has it.
    comm: &'a str,
    /// First argument without its folder.
    program: &'a str,
    /// First argument as it is.
    path: &'a str,
    /// The script or module that an interpreter runs.
    script: Option<&'a str>,
    module: Option<&'a str>,
    interpreted: bool,
    words: Vec<&'a str>,
    /// Where its own arguments begin.
    own: usize,
}

impl<'a> Identity<'a> {
    fn of(process: &'a Process) -> Self {
        let words = words(&process.args);
        let (comm, path) = (base(&process.comm), words.first().copied().unwrap_or_default());
        let program = base(path);
        let interpreted = is_interpreter(program) || is_interpreter(comm);
        let module_at = if interpreted { module_at(&words) } else { None };
        let script_at = if interpreted && module_at.is_none() { script_at(&words) } else { None };
        let (module, script) = (module_at.map(|at| words[at]), script_at.map(|at| words[at]));
        let own = module_at.or(script_at).map_or(1, |at| at + 1);
        Self { comm, program, path, script, module, interpreted, words, own }
    }

    /// How this is the program of `profile`, in words; `None` when it is not.
    fn named(&self, profile: &Profile) -> Option<String> {
        let recognise = &profile.recognise;
        let is_name = |name: &str| recognise.names.iter().any(|n| n == name);
        let how = if is_name(self.comm) {
            format!("process `{}`", self.comm)
        } else if self.interpreted {
            self.interpreted_as(recognise, &is_name)?
        } else {
            self.compiled_as(recognise, &is_name)?
        };
        // The first argument that is no option may make it something else: `claude mcp`, `codex app-server`.
        let verb = self.words.iter().skip(self.own).find(|word| !word.starts_with('-'));
        let other = verb.is_some_and(|verb| recognise.not_with.iter().any(|n| n == verb));
        (!other).then_some(how)
    }

    fn interpreted_as(&self, recognise: &Recognise, is_name: &dyn Fn(&str) -> bool) -> Option<String> {
        if let Some(module) = self.module {
            return recognise.modules.iter().any(|m| m == module).then(|| format!("`{} -m {module}`", self.program));
        }
        let script = self.script?;
        if is_name(base(script)) {
            return Some(format!("`{}` runs `{}`", self.program, base(script)));
        }
        let package = recognise.packages.iter().find(|package| in_path(script, package))?;
        Some(format!("`{}` runs package `{package}`", self.program))
    }

    /// A runtime that names its main thread, or a wrapper (`.claude-wrapped`): the path of the program tells.
    fn compiled_as(&self, recognise: &Recognise, is_name: &dyn Fn(&str) -> bool) -> Option<String> {
        let generic = GENERIC.contains(&self.comm);
        if self.path.contains('/') && is_name(self.program) && (generic || self.comm.contains(self.program)) {
            return Some(format!("program `{}` (process `{}`)", self.program, self.comm));
        }
        let package = recognise.packages.iter().find(|package| generic && in_path(self.path, package))?;
        Some(format!("program of package `{package}`"))
    }
}

/// Arguments word by word. A process that sets its own title has them all in the first.
fn words(args: &[String]) -> Vec<&str> {
    match args {
        [one] if one.contains(' ') && !one.starts_with('/') => one.split(' ').filter(|w| !w.is_empty()).collect(),
        _ => args.iter().map(String::as_str).collect(),
    }
}

/// Names that runtimes give their main thread.
const GENERIC: &[&str] = &["MainThread", "main", "node-MainThread", "bun", "deno"];

fn base(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or(path);
    // Login shells have a dash in front.
    name.strip_prefix('-').unwrap_or(name)
}

fn is_interpreter(name: &str) -> bool {
    matches!(
        name,
        "node"
            | "nodejs"
            | "bun"
            | "deno"
            | "tsx"
            | "ts-node"
            | "pypy"
            | "pypy3"
            | "uv"
            | "sh"
            | "bash"
            | "dash"
            | "zsh"
            | "env"
            | "ruby"
            | "perl"
            | "qemu-x86_64"
    ) || name.strip_prefix("python").is_some_and(|rest| rest.bytes().all(|b| b.is_ascii_digit() || b == b'.'))
}

/// Whether an interpreter's option takes the next word.
fn takes_word(option: &str) -> bool {
    matches!(
        option,
        "-r" | "--require"
            | "--import"
            | "--loader"
            | "--experimental-loader"
            | "-C"
            | "--conditions"
            | "-W"
            | "-X"
            | "--env-file"
            | "--title"
            | "--icu-data-dir"
            | "-O"
            | "-o"
            | "+O"
    )
}

/// Where the script is among the arguments of an interpreter; `None` when it runs code from its command line.
fn script_at(words: &[&str]) -> Option<usize> {
    let mut at = 1;
    while let Some(word) = words.get(at) {
        match *word {
            "-c" | "-e" | "--eval" | "-p" | "--print" | "-m" | "-i" | "-" | "-s" => return None,
            // `bun run x`, `deno run x`, `uv run x`
            "run" if at == 1 => at += 1,
            "--" => return words.get(at + 1).map(|_| at + 1),
            w if takes_word(w) => at += 2,
            w if w.starts_with('-')
                && w.len() > 2
                && !w.starts_with("--")
                && w.ends_with('c')
                && w[1..].bytes().all(|b| b.is_ascii_lowercase()) =>
            {
                // `bash -lc CODE`
                return None;
            }
            w if w.starts_with('-') => at += 1,
            _ => return Some(at),
        }
    }
    None
}

/// Where the module is among the arguments of `python -m MODULE`.
fn module_at(words: &[&str]) -> Option<usize> {
    let at = words.iter().skip(1).take_while(|word| word.starts_with('-')).position(|word| *word == "-m")? + 2;
    (at < words.len()).then_some(at)
}

/// Whether `package` is a whole part of `path`: `@scope/name` in `/x/node_modules/@scope/name/cli.js`.
fn in_path(path: &str, package: &str) -> bool {
    path.match_indices(package).any(|(at, _)| {
        let before = path[..at].chars().next_back();
        let next = path[at + package.len()..].chars().next();
        before == Some('/') && matches!(next, None | Some('/'))
    })
}
