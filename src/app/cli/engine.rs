//! The engine as a process of its own: `monitor` in the foreground, and what `monitor start` runs in the background.

use std::{
    io::{IsTerminal, Write},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    sync::Arc,
};

use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    task::JoinHandle,
};

use crate::app::cli::source::engine_failure;
use crate::app::cli::{Beside, Context, EngineOptions, Failure};
use crate::app::logging;
use crate::app::settings::Settings;
use crate::monitor::clients::wire;
use crate::monitor::clients::wire::EngineHello;
use crate::monitor::{
    Command, Engine, EngineLock, EnginePaths, EngineSocket, Handle, Interest, Keeper, LockError, Memory, ServerStatus,
    Snapshot,
};

/// The line by which an engine in the background tells its starter that the first cycle is published.
pub const READY: &str = "ready";

/// How the names of an engine's log files start.
#[must_use]
pub fn log_prefix(paths: &EnginePaths) -> String {
    format!("engine-{}", paths.key())
}

/// Runs the engine until it is told to stop.
pub async fn run(options: &EngineOptions, daemon: bool, context: &mut Context) -> Result<(), Failure> {
    let in_force = context.in_force(options.overrides())?;
    let server = context.server()?;
    let paths = context.engine_paths(&server);
    let settings = context.engine_settings(&in_force.now().settings)?;
    let _logging = start_logging(daemon, &paths, context)?;
    if daemon {
        // Out of the starter's session, so that closing its terminal ends nothing here. Fails only for a group's leader.
        rustix::process::setsid().ok();
    }
    let lock = EngineLock::acquire(&paths).map_err(lock_failure)?;
    let socket = EngineSocket::bind(&paths, &lock).map_err(|error| Failure::failed(error.to_string()))?;
    let memory = Memory::load(&paths.memory()).unwrap_or_else(|error| {
        tracing::warn!(%error, "what was remembered of the agents cannot be used");
        None
    });
    let source = Arc::clone(&in_force).source();
    let (handle, task) = Engine::new(server.clone(), settings)
        .reading_from(source)
        .remembering(memory)
        .start()
        .map_err(|error| engine_failure(&error))?;
    let hello = EngineHello {
        protocol: wire::PROTOCOL,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        schema: crate::monitor::SCHEMA,
        pid: std::process::id(),
        tmux_socket: server.socket().display().to_string(),
        oldest: wire::OLDEST,
        logs: daemon.then(|| context.paths.logs().display().to_string()),
        at: None,
    };
    tracing::info!(server = %server.socket().display(), pid = hello.pid, "the engine starts");
    // Nobody looks at what it publishes but those who come by the socket.
    handle.commands.set_interest(Interest::default());
    let serving = tokio::spawn(socket.until_idle(options.until_idle).serve(handle.clone(), hello));
    let beside = Beside::start(&handle, &server, &paths, &context.paths, in_force.subscribe(), &Keeper::engine(&lock));
    let mut signals = Signals::listen()?;
    let first = tokio::select! {
        first = first_cycle(&handle) => first,
        () = signals.end() => {
            handle.commands.send(Command::Stop).await.ok();
            None
        }
    };
    if let Some(snapshot) = first {
        let stderr = paths.stderr();
        announce(&snapshot, &in_force.now().settings, daemon.then_some(stderr.as_path()), context)?;
    }
    let ended = until_end(handle, task, &mut signals, daemon).await;
    serving.await.ok();
    beside.end().await;
    tracing::info!("the engine has ended");
    drop(lock);
    ended
}

fn start_logging(daemon: bool, paths: &EnginePaths, context: &Context) -> Result<logging::Logging, Failure> {
    let logs = context.paths.logs();
    let prefix = log_prefix(paths);
    let target =
        if daemon { logging::Target::Files { dir: &logs, prefix: &prefix } } else { logging::Target::StandardError };
    logging::start(target, "info", context.global.verbose).map_err(|error| Failure::failed(error.to_string()))
}

/// How an engine ends that cannot have the lock.
fn lock_failure(error: LockError) -> Failure {
    match error {
        LockError::Held { .. } => {
            Failure::failed(format!("{error}; `tmux-orc monitor restart` replaces it, `tmux-orc status` shows it"))
        }
        other => Failure::failed(other.to_string()),
    }
}

/// The first snapshot after a cycle; `None` when the engine ended before.
async fn first_cycle(handle: &Handle) -> Option<Arc<Snapshot>> {
    let mut snapshots = handle.snapshots.clone();
    let published = |snapshot: &Arc<Snapshot>| snapshot.server.status != ServerStatus::Connecting;
    snapshots.wait_for(published).await.ok().map(|snapshot| Arc::clone(&snapshot))
}

/// Says that it runs and how. The background engine says it to its starter, then lets go of the starter's pipe.
fn announce(
    snapshot: &Snapshot,
    settings: &Settings,
    stderr: Option<&std::path::Path>,
    context: &mut Context,
) -> Result<(), Failure> {
    let lines = started(snapshot, settings);
    let Some(stderr) = stderr else {
        for line in lines {
            context.out.line(line)?;
        }
        return context.out.flush();
    };
    let mut starter = std::io::stderr().lock();
    // A starter that is gone does not matter: the engine was wanted.
    for line in lines.iter().map(String::as_str).chain([READY]) {
        writeln!(starter, "{line}").ok();
    }
    starter.flush().ok();
    drop(starter);
    let to = std::fs::OpenOptions::new().append(true).create(true).mode(0o600).open(stderr).ok();
    // One of an older version may be open to others.
    if let Some(to) = to.as_ref().filter(|to| to.metadata().is_ok_and(|meta| meta.is_file())) {
        to.set_permissions(std::fs::Permissions::from_mode(0o600)).ok();
    }
    let to = to.or_else(|| std::fs::File::open("/dev/null").ok());
    if let Some(to) = to {
        rustix::stdio::dup2_stderr(&to).ok();
    }
    Ok(())
}

/// The lines that say how an engine started.
#[must_use]
pub fn started(snapshot: &Snapshot, settings: &Settings) -> Vec<String> {
    let mode = if snapshot.engine.mode == "sync" { "Sync" } else { "Async" };
    let mut lines = vec![format!("{mode} monitoring started")];
    if settings.monitoring.asynchronous.enabled && snapshot.engine.mode == "sync" {
        lines.push("Warning: the async engine could not be used".to_owned());
    }
    lines.push(format!("Strategy: {}", snapshot.current_strategy));
    lines.push(format!("Pool size: {}", snapshot.settings.pool_max));
    lines.push(format!("Cache: {}", if snapshot.settings.cache_enabled { "enabled" } else { "disabled" }));
    lines.push(format!("Agents: {}", snapshot.agents.len()));
    let server = &snapshot.server;
    lines.push(match (&server.problem, &server.version) {
        (Some(problem), _) => format!("Server: {} (watched until it answers: {problem})", server.socket),
        (None, Some(version)) => format!("Server: {} (tmux {version})", server.socket),
        (None, None) => format!("Server: {}", server.socket),
    });
    lines.extend(snapshot.notes.iter().map(|note| format!("Note: {note}")));
    lines.push(format!("Pid: {}", snapshot.engine.pid));
    lines
}

async fn until_end(
    handle: Handle,
    mut task: JoinHandle<()>,
    signals: &mut Signals,
    daemon: bool,
) -> Result<(), Failure> {
    // A terminal that is closed sends the same signal that asks a daemon to read its settings again.
    let hangup_ends = !daemon && std::io::stdin().is_terminal();
    let crashed = |error: tokio::task::JoinError| {
        tracing::error!(%error, "the engine crashed");
        Failure::failed(format!("the engine crashed: {error}"))
    };
    let Signals { interrupt, terminate, hangup } = signals;
    loop {
        tokio::select! {
            ended = &mut task => return ended.map_err(crashed),
            _ = interrupt.recv() => break,
            _ = terminate.recv() => break,
            _ = hangup.recv() => {
                if hangup_ends {
                    break;
                }
                // How it ends is told by an event.
                handle.commands.send(Command::Reload).await.ok();
            }
        }
    }
    handle.commands.send(Command::Stop).await.ok();
    task.await.map_err(crashed)
}

/// The signals that an engine heeds.
pub(super) struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hangup: Signal,
}

impl Signals {
    pub(super) fn listen() -> Result<Self, Failure> {
        let listen =
            |kind| signal(kind).map_err(|error| Failure::failed(format!("cannot listen for signals: {error}")));
        Ok(Self {
            interrupt: listen(SignalKind::interrupt())?,
            terminate: listen(SignalKind::terminate())?,
            hangup: listen(SignalKind::hangup())?,
        })
    }

    /// Waits until the process is asked to end, or its terminal is closed.
    pub(super) async fn any(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            _ = self.hangup.recv() => {}
        }
    }

    /// Waits until the process is asked to end.
    async fn end(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
