//! One tmux server as a value: its socket and the tmux program that talks to it.

use std::{
    ffi::{OsStr, OsString},
    os::unix::ffi::{OsStrExt, OsStringExt},
    path::{Path, PathBuf},
    process::Stdio,
    sync::Arc,
    time::Duration,
};

use crate::tmux::request::format;
use crate::tmux::transport::{dial, process};
use crate::tmux::{TmuxError, Version};

/// Bytes of a socket address' path, with its NUL: 108 on Linux, 104 on BSD and macOS.
pub(crate) const SUN_PATH: usize = if cfg!(target_os = "linux") { 108 } else { 104 };

/// How long the question for the version may take.
const VERSION_TIMEOUT: Duration = Duration::from_secs(10);

/// How long it may take to connect, to see who listens.
const LISTENER_TIMEOUT: Duration = Duration::from_secs(1);

/// Which server the user named. Both empty: the one we run in, else the default one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SocketChoice {
    /// `-L NAME`: a socket of that name in tmux's own directory.
    pub name: Option<String>,
    /// `-S PATH`: that socket. Wins over the name.
    pub path: Option<PathBuf>,
}

/// A tmux server: where its socket is and which program is its client. Cheap to clone; never a global.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Server {
    socket: Arc<Path>,
    program: Arc<OsStr>,
    /// Answers in the place of a socket.
    #[cfg(test)]
    script: Option<crate::tmux::scripted::Script>,
}

/// What a server says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerFacts {
    /// `#{version}` of the server (not of the client program).
    pub version: Version,
    /// Its process id, 0 when it did not say.
    pub pid: u32,
    /// Number of its panes.
    pub panes: usize,
    /// Terminal of its first pane (the one with the lowest id), if it has one.
    pub first_tty: Option<String>,
}

impl SocketChoice {
    /// The directory in which tmux keeps the sockets that have names.
    #[must_use]
    pub fn directory() -> PathBuf {
        directory(&|name| std::env::var_os(name), rustix::process::getuid().as_raw())
    }
}

fn directory(env: &impl Fn(&str) -> Option<OsString>, uid: u32) -> PathBuf {
    let base = env("TMUX_TMPDIR").filter(|value| !value.is_empty()).unwrap_or_else(|| "/tmp".into());
    Path::new(&base).join(format!("tmux-{uid}"))
}

impl Server {
    /// Finds the server as tmux does: `-S`, then `-L`, then `$TMUX`, then the default socket. Nothing is contacted.
    ///
    /// # Errors
    /// [`TmuxError::BadSocket`] when the name or path cannot be a socket.
    pub fn resolve(choice: &SocketChoice) -> Result<Self, TmuxError> {
        Self::resolve_with(choice, |name| std::env::var_os(name), rustix::process::getuid().as_raw())
    }

    /// As [`Server::resolve`], with the environment and the user id given.
    ///
    /// # Errors
    /// [`TmuxError::BadSocket`] when the name or path cannot be a socket.
    pub fn resolve_with(
        choice: &SocketChoice,
        env: impl Fn(&str) -> Option<OsString>,
        uid: u32,
    ) -> Result<Self, TmuxError> {
        let set = |name: &str| env(name).filter(|value| !value.is_empty());
        let program = set("TMUX_ORC_TMUX").unwrap_or_else(|| "tmux".into());
        let named = |name: &OsStr| directory(&env, uid).join(name);
        let inside = || {
            let value = set("TMUX")?.into_vec();
            let path = value.split(|byte| *byte == b',').next().unwrap_or_default();
            (!path.is_empty()).then(|| PathBuf::from(OsStr::from_bytes(path)))
        };
        let socket = match (&choice.path, &choice.name) {
            (Some(path), _) => path.clone(),
            (None, Some(name)) => {
                if name.is_empty() || name.contains('/') {
                    let reason = "a name given with -L may not be empty or hold a '/'".into();
                    return Err(TmuxError::BadSocket { socket: name.into(), reason });
                }
                named(OsStr::new(name))
            }
            (None, None) => inside().unwrap_or_else(|| named(OsStr::new("default"))),
        };
        Self::at(socket, program)
    }

    /// The server at a socket, with this client program.
    ///
    /// # Errors
    /// [`TmuxError::BadSocket`] when the path is empty or holds a NUL byte.
    pub fn at(socket: impl Into<PathBuf>, program: impl Into<OsString>) -> Result<Self, TmuxError> {
        let socket: PathBuf = socket.into();
        let bytes = socket.as_os_str().as_bytes();
        if bytes.is_empty() || bytes.contains(&0) {
            let reason = "the path is empty or holds a NUL byte".into();
            return Err(TmuxError::BadSocket { socket, reason });
        }
        let socket = std::path::absolute(&socket).unwrap_or(socket);
        Ok(Self {
            socket: socket.into(),
            program: program.into().into(),
            #[cfg(test)]
            script: None,
        })
    }

    /// A server that a test plays.
    #[cfg(test)]
    pub(crate) fn scripted(script: crate::tmux::scripted::Script) -> Self {
        Self { script: Some(script), ..Self::at("/nowhere", "no-tmux").expect("a path") }
    }

    /// What answers in the place of a socket.
    #[cfg(test)]
    pub(crate) fn script(&self) -> Option<&crate::tmux::scripted::Script> {
        self.script.as_ref()
    }

    /// Path of its socket, absolute.
    #[must_use]
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// What people call it: the name of its socket, cleaned.
    #[must_use]
    pub fn name(&self) -> String {
        crate::tmux::clean(&self.socket.file_name().unwrap_or_default().to_string_lossy())
    }

    /// The tmux program: `$TMUX_ORC_TMUX`, else `tmux`.
    #[must_use]
    pub fn program(&self) -> &OsStr {
        &self.program
    }

    /// The server's version, asked by a real client (one process).
    ///
    /// # Errors
    /// Any [`TmuxError`] but the pool's; never starts a server.
    pub async fn version(&self) -> Result<Version, TmuxError> {
        Ok(self.facts().await?.version)
    }

    /// Its version, and whether its processes are out of sight here.
    ///
    /// # Errors
    /// As [`Self::facts`].
    pub(crate) async fn version_and_place(&self) -> Result<(Version, bool), TmuxError> {
        let (facts, elsewhere) = self.facts_and_place(VERSION_TIMEOUT).await?;
        Ok((facts.version, elsewhere))
    }

    /// The server's version and process id, asked by a real client (one process).
    ///
    /// # Errors
    /// Any [`TmuxError`] but the pool's; never starts a server.
    pub async fn facts(&self) -> Result<ServerFacts, TmuxError> {
        self.facts_within(VERSION_TIMEOUT).await
    }

    pub(crate) async fn facts_within(&self, limit: Duration) -> Result<ServerFacts, TmuxError> {
        let mut client = self.client();
        let panes = format::TTYS;
        client.args(["display-message", "-p", "#{version} #{pid}", ";", "list-panes", "-a", "-F", panes]);
        let output = process::run(self, client, None, limit).await?;
        if let Some(error) = process::server_error(self, &output.stderr) {
            return Err(error);
        }
        let text = String::from_utf8_lossy(&output.stdout);
        let (first, rest) = text.split_once('\n').unwrap_or((&text, ""));
        let (version, pid) = first.rsplit_once(' ').unwrap_or((first, ""));
        if version.is_empty() {
            let message = crate::tmux::clean(String::from_utf8_lossy(&output.stderr).trim());
            return Err(TmuxError::Refused { message });
        }
        let ttys = format::parse_ttys(rest);
        Ok(ServerFacts {
            version: Version::parse(version),
            pid: pid.parse().unwrap_or(0),
            panes: ttys.len(),
            first_tty: format::first_tty(ttys),
        })
    }

    /// Process id of the server that listens at the socket, as the system tells it: known also of one that speaks
    /// another version of the protocol. `None`: nobody listens, or the system does not say.
    pub async fn listener(&self) -> Option<u32> {
        dial::peer(self, LISTENER_TIMEOUT).await.filter(|pid| *pid != 0)
    }

    /// Whether the server that calls itself by this process id runs where its processes are out of sight: in another
    /// namespace of processes (a container whose socket is mounted here), or behind a socket that is forwarded.
    pub(crate) async fn is_elsewhere(&self, pid: u32) -> bool {
        pid != 0 && dial::peer(self, LISTENER_TIMEOUT).await.is_some_and(|peer| peer != pid)
    }

    /// What it says of itself, and whether it is out of sight ([`Self::is_elsewhere`]).
    ///
    /// # Errors
    /// As [`Self::facts`].
    pub(crate) async fn facts_and_place(&self, limit: Duration) -> Result<(ServerFacts, bool), TmuxError> {
        let facts = self.facts_within(limit).await?;
        if !self.is_elsewhere(facts.pid).await {
            return Ok((facts, false));
        }
        // Another may have taken its place between the two questions.
        let facts = self.facts_within(limit).await?;
        let elsewhere = self.is_elsewhere(facts.pid).await;
        Ok((facts, elsewhere))
    }

    /// Whether somebody listens at its socket; nothing is said to them.
    pub async fn listens(&self) -> bool {
        dial::knock(self, LISTENER_TIMEOUT).await.is_ok()
    }

    /// The socket's path is too long for a socket address.
    pub(crate) fn is_long(&self) -> bool {
        self.socket.as_os_str().len() >= SUN_PATH
    }

    /// A client process of this server, to which a tmux command is added: UTF-8, outside of any pane, ended with us.
    pub(crate) fn client(&self) -> tokio::process::Command {
        let mut command = tokio::process::Command::new(&*self.program);
        command.arg("-u").arg("-S");
        match (self.socket.parent(), self.socket.file_name()) {
            // Too long for an address as it is, and short enough from within its directory.
            (Some(directory), Some(name)) if self.is_long() => {
                command.current_dir(directory).arg(Path::new(".").join(name));
            }
            _ => {
                command.arg(&*self.socket);
            }
        }
        command.env_remove("TMUX").env_remove("TMUX_PANE");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        command
    }
}
