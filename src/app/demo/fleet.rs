//! The fleet: a private tmux server with simulated agents in its panes, gone when dropped.

use std::{
    fs::{self, DirBuilder},
    io,
    os::unix::{
        fs::{DirBuilderExt, symlink},
        net::UnixStream,
    },
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};

use crate::app::demo::lifeline::Lifeline;
use crate::app::demo::part::{Part, Role, VARIABLE, mix};
use crate::app::demo::script::{Process, Project, Script, casting, scripts};
use crate::{
    monitor::AgentState,
    tmux::{Server, SocketChoice, TmuxError, clean},
};

/// Agents in one session.
const PER_SESSION: usize = 3;

/// The most agents that a fleet may have: each is two or three processes.
pub const MOST_AGENTS: usize = 500;

/// How long tmux may take to end before it is killed.
const PATIENCE: Duration = Duration::from_secs(2);

/// Starts the simulated shell `$0` of a pane with SIGTTOU ignored, as a shell with job control has it; a Rust program
/// cannot ask for that without unsafe code, but inherits it.
const OPEN: &str = r#"trap "" TTOU; exec "$0" -i"#;

/// Why there is no fleet.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// More agents than a machine should be asked to play, or none.
    #[error("a demo has 1 to {MOST_AGENTS} agents, not {0}")]
    Count(usize),
    /// No simulated agent has this name.
    #[error("no simulated agent is called '{0}'")]
    NoScript(String),
    /// The private directory, its sockets or links could not be made.
    #[error("the demo's private directory {path} could not be set up: {source}. Set TMPDIR to a directory of yours.")]
    Directory {
        /// Where.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The socket's path is none that tmux can use.
    #[error(transparent)]
    Socket(#[from] TmuxError),
    /// tmux could not be started.
    #[error("tmux could not be started: {0}. Install tmux 3.2 or newer (apt-get install tmux, brew install tmux).")]
    NoTmux(io::Error),
    /// tmux refused a command.
    #[error("the demo's tmux server refused '{command}': {message}")]
    Refused {
        /// The tmux command.
        command: String,
        /// What tmux said.
        message: String,
    },
}

/// What a fleet is to be.
#[derive(Clone, Debug)]
pub struct Plan {
    /// How many agents, 1 to [`MOST_AGENTS`].
    pub agents: usize,
    /// The same seed gives the same fleet with the same durations.
    pub seed: u64,
    /// Factor on all durations; 0.5 is twice as fast.
    pub pace: f64,
    /// Stay in one scene for ever: one agent for each scene of each script instead of `agents`, its window named
    /// `AGENT-INDEX` after the script and the scene's index.
    pub hold: bool,
    /// The program that plays the parts; its `main` calls [`crate::app::demo::simulate_if_asked`].
    pub program: PathBuf,
}

impl Plan {
    /// The usual plan for this many agents, played by the running program.
    #[must_use]
    pub fn new(agents: usize) -> Self {
        let program = std::env::current_exe().unwrap_or_else(|_| PathBuf::from("tmux-orc"));
        Self { agents, seed: 7, pace: 1.0, hold: false, program }
    }
}

/// A private tmux server with simulated agents. Everything of it is gone when this is dropped, and also when the
/// process that holds it is killed.
pub struct Fleet {
    dir: PathBuf,
    server: Server,
    pid: Option<Pid>,
    lifeline: Option<Lifeline>,
}

/// One pane to make.
struct Spot {
    session: String,
    window: String,
    /// Side by side with the pane before, not in a window of its own.
    split: bool,
    part: Part,
}

impl Fleet {
    /// Starts `agents` simulated agents.
    ///
    /// # Errors
    /// When the number is out of range, tmux is missing or refuses, or the private directory cannot be made.
    pub fn start(agents: usize) -> Result<Self, DemoError> {
        Self::start_plan(&Plan::new(agents))
    }

    /// Starts the agents of a plan.
    ///
    /// # Errors
    /// As [`Fleet::start`].
    pub fn start_plan(plan: &Plan) -> Result<Self, DemoError> {
        if !plan.hold && !(1..=MOST_AGENTS).contains(&plan.agents) {
            return Err(DemoError::Count(plan.agents));
        }
        let mut fleet = Self::empty(plan)?;
        let spots = if plan.hold { every_scene(plan, &fleet.dir) } else { spots(plan, &fleet.dir) };
        let mut last = String::new();
        for spot in &spots {
            fleet.open_pane(spot, &last)?;
            last.clone_from(&spot.session);
        }
        Ok(fleet)
    }

    /// A fleet without agents, for [`Fleet::add`]: its tmux server starts with the first one.
    ///
    /// # Errors
    /// When the private directory cannot be made.
    pub fn empty(plan: &Plan) -> Result<Self, DemoError> {
        let dir = private_directory()?;
        let failed = |source| DemoError::Directory { path: dir.clone(), source };
        let lifeline = Lifeline::open(&dir).map_err(failed)?;
        let server = Server::resolve(&SocketChoice { name: None, path: Some(dir.join("s")) })?;
        let fleet = Self { dir: dir.clone(), server, pid: None, lifeline: Some(lifeline) };
        fleet.lay_out(plan).map_err(failed)?;
        Ok(fleet)
    }

    /// Opens one more pane, in the session `extra`, and returns its id.
    ///
    /// `scene` is the index of the scene to begin with.
    ///
    /// # Errors
    /// When there is no script of this name, or tmux refuses.
    pub fn add(&mut self, plan: &Plan, agent: &str, scene: usize) -> Result<String, DemoError> {
        if !scripts().contains_key(agent) {
            return Err(DemoError::NoScript(agent.to_owned()));
        }
        let part = part(plan, &self.dir, agent, casting().projects[0].clone(), scene, plan.seed);
        let exists = self.tmux(&["has-session", "-t", "=extra"]).is_ok();
        let spot = Spot { session: "extra".into(), window: agent.to_owned(), split: false, part };
        self.open_pane(&spot, if exists { "extra" } else { "" })
    }

    /// The private tmux server.
    #[must_use]
    pub fn server(&self) -> &Server {
        &self.server
    }

    /// The private directory: everything of the fleet is in it.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Process id of the tmux server.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.pid.and_then(|pid| u32::try_from(pid.as_raw_nonzero().get()).ok())
    }

    /// Makes the programs' names and the projects' folders.
    fn lay_out(&self, plan: &Plan) -> io::Result<()> {
        let bin = self.dir.join("bin");
        fs::create_dir(&bin)?;
        let names = scripts().values().flat_map(|script| &script.processes).map(|Process { file, .. }| file.as_str());
        for name in names.chain(["bash"]) {
            let link = bin.join(name);
            if !link.exists() {
                symlink(&plan.program, link)?;
            }
        }
        casting().projects.iter().try_for_each(|project| fs::create_dir_all(self.folder(project)))
    }

    fn folder(&self, project: &Project) -> PathBuf {
        self.dir.join("src").join(&project.session)
    }

    /// Opens the pane for one agent and returns its id.
    fn open_pane(&mut self, spot: &Spot, last_session: &str) -> Result<String, DemoError> {
        let folder = self.folder(&spot.part.project);
        let variable = format!("{VARIABLE}={}", spot.part.to_value());
        let (window, session) = (spot.window.as_str(), spot.session.as_str());
        let (target, last) = (format!("={session}:"), format!("={session}:{{end}}"));
        let mut args = match (session == last_session, spot.split) {
            (false, _) => vec!["new-session", "-d", "-s", session, "-n", window, "-x", "100", "-y", "30"],
            (true, false) => vec!["new-window", "-d", "-t", &target, "-n", window],
            (true, true) => vec!["split-window", "-d", "-t", &last],
        };
        let (folder, shell) = (folder.display().to_string(), self.dir.join("bin/bash").display().to_string());
        args.extend(["-P", "-F", "#{pane_id}", "-c", &folder, "-e", &variable, "--", "sh", "-c", OPEN, &shell]);
        let pane = self.tmux(&args)?.trim().to_owned();
        if self.pid.is_none() {
            // Names are ours, and sizes too: a small client that looks at one session must not shrink the others.
            for option in [["automatic-rename", "off"], ["allow-rename", "off"], ["window-size", "latest"]] {
                self.tmux(&["set-option", "-g", option[0], option[1]])?;
            }
            let pid = self.tmux(&["display-message", "-p", "#{pid}"])?;
            self.pid = pid.trim().parse().ok().and_then(Pid::from_raw);
        }
        Ok(pane)
    }

    /// Runs a tmux command on the private server and returns its output.
    fn tmux(&self, args: &[&str]) -> Result<String, DemoError> {
        let out = Command::new(self.server.program())
            .args(["-u", "-f", "/dev/null", "-S"])
            .arg(self.server.socket())
            .args(args)
            .env_remove("TMUX")
            .env_remove("TMUX_PANE")
            .env_remove(VARIABLE)
            .stdin(Stdio::null())
            .output()
            .map_err(DemoError::NoTmux)?;
        if out.status.success() {
            return Ok(String::from_utf8_lossy(&out.stdout).into_owned());
        }
        let message = clean(String::from_utf8_lossy(&out.stderr).trim());
        Err(DemoError::Refused { command: args.first().copied().unwrap_or_default().to_owned(), message })
    }

    fn answers(&self) -> bool {
        UnixStream::connect(self.server.socket()).is_ok()
    }

    fn wait_for_end(&self) -> bool {
        let start = Instant::now();
        while self.answers() {
            if start.elapsed() > PATIENCE {
                return false;
            }
            thread::sleep(Duration::from_millis(10));
        }
        true
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        // By signal, not by a tmux command: a server that is stopped or stuck would never answer one. The socket
        // tells that the process is still ours.
        for signal in [Signal::TERM, Signal::KILL] {
            if let Some(pid) = self.pid
                && self.answers()
            {
                let _ = kill_process(pid, signal);
                let _ = kill_process(pid, Signal::CONT);
                if self.wait_for_end() {
                    break;
                }
            }
        }
        // The line before the directory: it is closed through its socket there.
        self.lifeline = None;
        let _ = fs::remove_dir_all(&self.dir);
    }
}

/// A new directory that only this user can enter.
fn private_directory() -> Result<PathBuf, DemoError> {
    let base = std::env::temp_dir();
    // A socket's path has to fit in 104 bytes.
    let base = if base.as_os_str().len() > 60 { PathBuf::from("/tmp") } else { base };
    let started = jiff::Timestamp::now().as_nanosecond();
    let mut number = mix(u64::from(std::process::id()) ^ u64::try_from(started & i128::from(u64::MAX)).unwrap_or(0));
    loop {
        let path = base.join(format!("tmux-orc-demo-{:08x}", number >> 32));
        match DirBuilder::new().mode(0o700).create(&path) {
            Ok(()) => return Ok(path),
            Err(source) if source.kind() == io::ErrorKind::AlreadyExists => number = mix(number),
            Err(source) => return Err(DemoError::Directory { path, source }),
        }
    }
}

/// The panes of a usual fleet: three agents a session, the third one beside the second.
fn spots(plan: &Plan, dir: &Path) -> Vec<Spot> {
    let (order, projects) = (&casting().order, &casting().projects);
    (0..plan.agents)
        .map(|index| {
            let agent = &order[index % order.len()];
            let (number, slot) = (index / PER_SESSION, index % PER_SESSION);
            let project = projects[number % projects.len()].clone();
            let turn = number / projects.len();
            let session = if turn == 0 { project.session.clone() } else { format!("{}-{}", project.session, turn + 1) };
            let seed = mix(plan.seed ^ (index as u64));
            let scene = first_scene(&scripts()[agent], index, seed);
            let part = part(plan, dir, agent, project, scene, seed);
            Spot { session, window: agent.clone(), split: slot == 2, part }
        })
        .collect()
}

/// One pane for each scene of each script, but for the ends.
fn every_scene(plan: &Plan, dir: &Path) -> Vec<Spot> {
    let project = &casting().projects[0];
    let mut spots = Vec::new();
    for script in scripts().values() {
        for (index, scene) in script.scenes.iter().enumerate().filter(|(_, scene)| scene.state != AgentState::Exited) {
            let part = part(plan, dir, &script.agent, project.clone(), index, plan.seed);
            debug_assert_ne!(scene.state, AgentState::Exited);
            let window = format!("{}-{index}", script.agent);
            spots.push(Spot { session: script.agent.clone(), window, split: false, part });
        }
    }
    spots
}

fn part(plan: &Plan, dir: &Path, agent: &str, project: Project, scene: usize, seed: u64) -> Part {
    Part {
        role: Role::Shell,
        agent: agent.to_owned(),
        project,
        scene,
        hold: plan.hold,
        pace: plan.pace,
        seed,
        dir: dir.to_owned(),
    }
}

/// The scene an agent begins with: spread so that a fleet shows many states at once, and mostly work.
fn first_scene(script: &Script, index: usize, seed: u64) -> usize {
    // Every second agent works at the start; the others stand anywhere but at the end.
    let wanted = |scene: usize| match script.scenes[scene].state {
        AgentState::Exited | AgentState::Starting => false,
        AgentState::Working => index.is_multiple_of(2),
        _ => !index.is_multiple_of(2),
    };
    let candidates: Vec<usize> = (0..script.scenes.len()).filter(|scene| wanted(*scene)).collect();
    usize::try_from(seed >> 33)
        .ok()
        .and_then(|random| candidates.get(random % candidates.len().max(1)))
        .copied()
        .unwrap_or(0)
}
