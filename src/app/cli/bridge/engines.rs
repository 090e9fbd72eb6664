//! A connection to the engine of one server: of the one in the background, which is started where none runs; where that
//! fails, of one inside.

use std::{path::PathBuf, process::Stdio, sync::Arc, time::Duration};

use jiff::Timestamp;
use tokio::{net::UnixStream, process::Command, task::JoinHandle, time::timeout};

use crate::app::cli::Context;
use crate::app::cli::bridge::Work;
use crate::app::settings::Settings;
use crate::monitor::clients::host::Host;
use crate::monitor::clients::wire::{EngineHello, OLDEST, PROTOCOL};
use crate::monitor::link::end::tidy;
use crate::monitor::{Engine, EnginePaths, Handle, Interest, Memory, RemoteMember, SCHEMA};
use crate::tmux::Server;

/// An engine that was started for a hub ends so long after its last client has left.
const UNTIL_IDLE: &str = "1h";
/// A start takes no longer than this.
const START_LIMIT: Duration = Duration::from_secs(40);
/// An engine takes a connection within this time.
const CONNECT_LIMIT: Duration = Duration::from_secs(5);

/// Where a member's engine is.
pub(super) enum Source {
    /// On this machine.
    Here(Engines),
    /// On one of this machine's own hosts: behind a handle.
    There { handle: Handle, host: Arc<Host> },
}

impl Source {
    /// A member of one of this machine's own hosts.
    pub(super) fn there(member: &RemoteMember) -> Self {
        let snapshot = member.handle.snapshots.borrow();
        let hello = hello(snapshot.engine.pid, snapshot.server.socket.clone());
        Self::There { handle: member.handle.clone(), host: Arc::new(Host::new(hello)) }
    }

    /// A connection to the engine of now.
    pub(super) async fn attach(&mut self) -> Result<UnixStream, String> {
        match self {
            Self::Here(engines) => engines.attach().await,
            Self::There { handle, host } => served(handle, host),
        }
    }
}

fn hello(pid: u32, tmux_socket: String) -> EngineHello {
    EngineHello {
        protocol: PROTOCOL,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        schema: SCHEMA,
        pid,
        tmux_socket,
        oldest: OLDEST,
        logs: None,
        at: Some(Timestamp::now()),
    }
}

/// A connection to what is served out of a handle.
fn served(handle: &Handle, host: &Arc<Host>) -> Result<UnixStream, String> {
    let (ours, theirs) = UnixStream::pair().map_err(|error| error.to_string())?;
    tokio::spawn(Arc::clone(host).admit(theirs, handle.clone()));
    Ok(ours)
}

/// The engines of one server, one after the other.
pub(super) struct Engines {
    server: Server,
    paths: EnginePaths,
    context: Arc<Context>,
    settings: Arc<Settings>,
    /// One inside, since none could be started.
    inside: Option<Inside>,
}

struct Inside {
    handle: Handle,
    task: JoinHandle<()>,
    host: Arc<Host>,
}

impl Engines {
    pub(super) fn new(server: &Server, work: &Work) -> Self {
        let paths = work.context.engine_paths(server);
        let (context, settings) = (Arc::clone(&work.context), Arc::clone(&work.settings));
        Self { server: server.clone(), paths, context, settings, inside: None }
    }

    /// A connection to the engine of now.
    pub(super) async fn attach(&mut self) -> Result<UnixStream, String> {
        if let Some(stream) = dial(self.paths.socket()).await {
            self.inside = None;
            return Ok(stream);
        }
        let why = match self.start().await {
            Ok(()) => match dial(self.paths.socket()).await {
                Some(stream) => return Ok(stream),
                None => "it does not answer".to_owned(),
            },
            Err(why) => why,
        };
        tracing::info!(why, "no engine can be started in the background: one runs inside");
        self.inside().await.map_err(|error| format!("no engine can be started: {why}; and inside: {error}"))
    }

    /// Starts one in the background.
    async fn start(&self) -> Result<(), String> {
        let program = std::env::current_exe().map_err(|error| error.to_string())?;
        let mut command = Command::new(program);
        command.arg("-S").arg(self.server.socket());
        if let Some(config) = &self.context.global.config {
            command.arg("--config").arg(std::path::absolute(config).map_err(|error| error.to_string())?);
        }
        command.args(["monitor", "start", "--until-idle", UNTIL_IDLE]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).kill_on_drop(true);
        match timeout(START_LIMIT, command.output()).await {
            Ok(Ok(output)) if output.status.success() => Ok(()),
            Ok(Ok(output)) => {
                let said = String::from_utf8_lossy(&output.stderr);
                Err(said.lines().next().map_or_else(|| output.status.to_string(), tidy))
            }
            Ok(Err(error)) => Err(error.to_string()),
            Err(_) => Err(format!("it did not start within {} s", START_LIMIT.as_secs())),
        }
    }

    async fn inside(&mut self) -> Result<UnixStream, String> {
        if self.inside.as_ref().is_none_or(|inside| inside.task.is_finished()) {
            let settings = self.context.engine_settings(&self.settings).map_err(|failure| failure.to_string())?;
            let memory = Memory::load(&self.paths.memory()).ok().flatten();
            let engine = Engine::new(self.server.clone(), settings).remembering(memory);
            let (handle, task) = engine.start().map_err(|error| error.to_string())?;
            handle.commands.set_interest(Interest::default());
            let hello = hello(std::process::id(), self.server.socket().display().to_string());
            self.inside = Some(Inside { handle, task, host: Arc::new(Host::new(hello)) });
        }
        let Some(Inside { handle, host, .. }) = &self.inside else { return Err("it has ended".to_owned()) };
        served(handle, host)
    }
}

/// A connection to a socket where somebody listens who is this user.
async fn dial(socket: &std::path::Path) -> Option<UnixStream> {
    let socket: PathBuf = socket.to_owned();
    let stream = timeout(CONNECT_LIMIT, UnixStream::connect(socket)).await.ok()?.ok()?;
    let ours = rustix::process::geteuid().as_raw();
    stream.peer_cred().is_ok_and(|peer| peer.uid() == ours).then_some(stream)
}
