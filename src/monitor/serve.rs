//! The engine's socket: serves snapshots as they are published, takes commands, and survives every kind of client.

use std::{
    fs, io,
    os::unix::fs::PermissionsExt,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncWriteExt, BufReader},
    net::{
        UnixListener, UnixStream,
        unix::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::mpsc,
    time::{Instant, timeout, timeout_at},
};
use tokio_util::task::TaskTracker;

use super::{
    Command, EngineLock, EnginePaths, Handle, RereadInfo, Snapshot,
    encode::{Encoded, Line},
    wire::{self, ClientHello, EngineHello, FromClient, FromEngine, Had, LONGEST_FROM_CLIENT, LineError, Lines},
};

/// Most clients at once.
const MOST_CLIENTS: usize = 64;
/// A client says who it is within this time.
const HELLO_LIMIT: Duration = Duration::from_secs(5);
/// A client takes a message within this time, or is dropped: it is not waited for.
const WRITE_LIMIT: Duration = Duration::from_secs(5);
/// That no client can be accepted is told this often.
const TELL_AGAIN: Duration = Duration::from_secs(60);
/// A command is confirmed within this time.
const CONFIRM_LIMIT: Duration = Duration::from_secs(10);
/// After a snapshot that does not show a command, it is given this long.
const SECOND_LOOK: Duration = Duration::from_secs(3);
/// Most commands of one client that wait for their confirmation.
const MOST_COMMANDS: usize = 64;

/// The socket cannot be made.
#[derive(Debug, thiserror::Error)]
#[error("{}: cannot make the engine's socket: {source}", path.display())]
pub struct ServeError {
    path: PathBuf,
    source: io::Error,
}

/// A bound socket. Its file is removed when this is dropped.
#[derive(Debug)]
pub struct EngineSocket {
    listener: UnixListener,
    path: PathBuf,
}

impl EngineSocket {
    /// Binds the socket. The lock proves that a socket file which is already there belongs to nobody.
    pub fn bind(paths: &EnginePaths, _lock: &EngineLock) -> Result<Self, ServeError> {
        let path = paths.socket().to_owned();
        let fail = |source| ServeError { path: path.clone(), source };
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(fail(error)),
            _ => {}
        }
        let listener = UnixListener::bind(&path).map_err(fail)?;
        // The directory is private already: this only makes it plain.
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).map_err(fail)?;
        Ok(Self { listener, path })
    }

    /// Serves clients until the engine ends, that is, until no snapshot can come any more.
    pub async fn serve(self, handle: Handle, hello: EngineHello) {
        let shared = Arc::new(Shared::new(hello));
        let clients = TaskTracker::new();
        let mut ended = handle.snapshots.clone();
        let mut failing = None::<Instant>;
        loop {
            tokio::select! {
                accepted = self.listener.accept() => match accepted {
                    Ok((stream, _)) => {
                        let (shared, handle) = (Arc::clone(&shared), handle.clone());
                        clients.spawn(async move { shared.admit(stream, handle).await });
                    }
                    Err(error) => {
                        // Out of descriptors, most likely: some will be free again. Told now and then, not at each try.
                        if failing.is_none_or(|at| at.elapsed() >= TELL_AGAIN) {
                            tracing::warn!(%error, "cannot accept a client");
                            failing = Some(Instant::now());
                        }
                        tokio::time::sleep(Duration::from_millis(200)).await;
                    }
                },
                () = closed(&mut ended) => break,
            }
        }
        clients.close();
        // Each client's own channel is closed too, so they all end; none that hangs may hold the engine up.
        timeout(Duration::from_secs(1), clients.wait()).await.ok();
    }
}

impl Drop for EngineSocket {
    fn drop(&mut self) {
        fs::remove_file(&self.path).ok();
    }
}

async fn closed(snapshots: &mut tokio::sync::watch::Receiver<Arc<Snapshot>>) {
    while snapshots.changed().await.is_ok() {}
}

/// What all clients of one engine share.
pub(super) struct Shared {
    hello: EngineHello,
    encoded: Encoded,
    clients: AtomicUsize,
}

/// Why a client was let go that left by itself.
const HUNG_UP: &str = "it hung up";

fn hung_up(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset)
}

/// Why a client was let go.
type Gone = Result<(), String>;

impl Shared {
    pub(super) fn new(hello: EngineHello) -> Self {
        Self { hello, encoded: Encoded::default(), clients: AtomicUsize::new(0) }
    }

    /// Serves one client to its end.
    pub(super) async fn admit(self: Arc<Self>, stream: UnixStream, handle: Handle) {
        let ours = rustix::process::geteuid().as_raw();
        match stream.peer_cred() {
            Ok(peer) if peer.uid() == ours => {}
            Ok(peer) => return tracing::warn!(uid = peer.uid(), "a client of another user was turned away"),
            Err(error) => return tracing::warn!(%error, "a client whose user is not known was turned away"),
        }
        let number = self.clients.fetch_add(1, Ordering::Relaxed) + 1;
        let (read, write) = stream.into_split();
        let client = Client {
            shared: Arc::clone(&self),
            lines: Lines::new(BufReader::new(read), LONGEST_FROM_CLIENT),
            write,
            handle,
            had: None,
        };
        let gone = if number > MOST_CLIENTS { client.turn_away().await } else { client.serve().await };
        self.clients.fetch_sub(1, Ordering::Relaxed);
        match gone {
            Ok(()) => tracing::debug!("a client left"),
            // One that took its snapshot and left at once.
            Err(reason) if reason == HUNG_UP => tracing::debug!("a client left"),
            Err(reason) => tracing::info!(reason, "a client was let go"),
        }
    }
}

struct Client {
    shared: Arc<Shared>,
    lines: Lines<BufReader<OwnedReadHalf>>,
    write: OwnedWriteHalf,
    handle: Handle,
    /// What a client that keeps history itself has; `None` for others, and before the first snapshot.
    had: Option<Had>,
}

impl Client {
    async fn turn_away(mut self) -> Gone {
        let reason = format!("{MOST_CLIENTS} clients are connected already: close some");
        self.send(&FromEngine::Refused { reason }).await
    }

    async fn serve(mut self) -> Gone {
        let hello = FromEngine::Hello(self.shared.hello.clone());
        self.send(&hello).await?;
        let Some(hello) = self.hello().await? else { return Ok(()) };
        // Its focus and its watch end with this, however it goes.
        self.handle = self.handle.another(hello.watch);
        self.talk(&hello).await
    }

    /// Who the client is; `None` when it left before it said so.
    async fn hello(&mut self) -> Result<Option<ClientHello>, String> {
        let read = match timeout(HELLO_LIMIT, self.lines.next()).await {
            Err(_) => Err("it said nothing for too long".to_owned()),
            Ok(Err(LineError::Closed)) => return Ok(None),
            Ok(Err(error)) => Err(error.to_string()),
            Ok(Ok(line)) => match serde_json::from_slice(line) {
                Ok(FromClient::Hello(hello)) => Ok(hello),
                Ok(_) => Err("it asked for something before it said who it is".to_owned()),
                Err(error) => Err(format!("its first line is no hello: {error}")),
            },
        };
        let refused = match read {
            Ok(hello) if hello.protocol == wire::PROTOCOL => return Ok(Some(hello)),
            Ok(hello) => {
                let ours = &self.shared.hello;
                format!(
                    "the client (tmux-orc {}, protocol {}) and the engine (tmux-orc {}, protocol {}) do not understand each \
                     other: run the same version, then `tmux-orc monitor restart`",
                    clip(&hello.version),
                    hello.protocol,
                    ours.version,
                    ours.protocol
                )
            }
            Err(reason) => reason,
        };
        self.refuse(refused).await.map(|()| None)
    }

    async fn talk(&mut self, hello: &ClientHello) -> Gone {
        let mut snapshots = self.handle.snapshots.clone();
        let (answers, mut answered) = mpsc::channel(MOST_COMMANDS);
        let confirming = TaskTracker::new();
        self.push(&mut snapshots, hello).await?;
        loop {
            tokio::select! {
                biased;
                Some(answer) = answered.recv() => self.send(&answer).await?,
                changed = snapshots.changed() => match changed {
                    Ok(()) => self.push(&mut snapshots, hello).await?,
                    Err(_) => return Ok(()),
                },
                line = self.lines.next() => {
                    let message = match line {
                        Ok(line) => serde_json::from_slice(line).map_err(|error| format!("not a message: {error}")),
                        Err(LineError::Closed) => return Ok(()),
                        Err(LineError::Io(error)) if hung_up(&error) => return Ok(()),
                        Err(error) => Err(error.to_string()),
                    };
                    match message {
                        Ok(FromClient::Command { id, command }) if confirming.len() < MOST_COMMANDS => {
                            let (handle, answers) = (self.handle.clone(), answers.clone());
                            confirming.spawn(async move {
                                answers.send(confirm(id, command, handle).await).await.ok();
                            });
                        }
                        Ok(FromClient::Command { id, .. }) => {
                            let reason = "too many commands wait for their confirmation".to_owned();
                            self.send(&FromEngine::Rejected { id, reason }).await?;
                        }
                        Ok(FromClient::Ping) => self.send(&FromEngine::Pong).await?,
                        Ok(FromClient::Hello(_)) => return self.refuse("it said hello twice".to_owned()).await,
                        Err(reason) => return self.refuse(reason).await,
                    }
                }
            }
        }
    }

    /// Sends the newest snapshot: whole, or only what is new of its history and events.
    async fn push(&mut self, snapshots: &mut tokio::sync::watch::Receiver<Arc<Snapshot>>, hello: &ClientHello) -> Gone {
        let snapshot = Arc::clone(&snapshots.borrow_and_update());
        let focus = self.handle.commands.interest().focus;
        let preview = snapshot.previews.iter().find(|preview| focus == Some(preview.pane_id));
        let line = self.shared.encoded.line(&snapshot, self.had, preview.map(Arc::as_ref));
        let Line { bulk, end } = line.map_err(|error| error.to_string())?;
        if hello.tail {
            self.had = Some(Had::of(&snapshot));
        }
        self.write(&bulk).await?;
        self.write(&end).await
    }

    async fn refuse(&mut self, reason: String) -> Gone {
        self.send(&FromEngine::Refused { reason: reason.clone() }).await.ok();
        Err(reason)
    }

    async fn send(&mut self, message: &FromEngine) -> Gone {
        let bytes = wire::line(message).map_err(|error| error.to_string())?;
        self.write(&bytes).await
    }

    async fn write(&mut self, bytes: &[u8]) -> Gone {
        match timeout(WRITE_LIMIT, self.write.write_all(bytes)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) if hung_up(&error) => Err(HUNG_UP.to_owned()),
            Ok(Err(error)) => Err(error.to_string()),
            Err(_) => Err(format!("it did not read for {} s", WRITE_LIMIT.as_secs())),
        }
    }
}

/// Hands a command to the engine and waits until a snapshot shows it.
async fn confirm(id: u64, command: serde_json::Value, handle: Handle) -> FromEngine {
    let command = match serde_json::from_value::<Command>(command) {
        Ok(command) => command,
        Err(error) => return FromEngine::Rejected { id, reason: format!("the engine knows no such command: {error}") },
    };
    let mut snapshots = handle.snapshots;
    snapshots.mark_unchanged();
    let gone = || FromEngine::Rejected { id, reason: "the engine has ended".to_owned() };
    let stops = command == Command::Stop;
    let reread = snapshots.borrow().settings.reread.clone();
    if handle.commands.send(command.clone()).await.is_err() {
        return gone();
    }
    let confirmed = |snapshot: &Snapshot| FromEngine::Confirmed {
        id,
        settings: snapshot.settings.clone(),
        strategy: snapshot.current_strategy.clone(),
        paused: snapshot.engine.paused,
    };
    if stops {
        return confirmed(&snapshots.borrow());
    }
    let mut limit = Instant::now() + CONFIRM_LIMIT;
    let mut others = false;
    loop {
        match timeout_at(limit, snapshots.changed()).await {
            Err(_) => break,
            Ok(Err(_)) => return gone(),
            Ok(Ok(())) => {}
        }
        let snapshot = Arc::clone(&snapshots.borrow_and_update());
        let told = match &snapshot.settings.reread {
            Some(ended) if command == Command::Reload && snapshot.settings.reread != reread => Some(ended),
            _ => None,
        };
        match told {
            Some(RereadInfo { problem: Some(reason), .. }) => {
                return FromEngine::Rejected { id, reason: format!("settings unchanged: {reason}") };
            }
            Some(_) => return confirmed(&snapshot),
            None if command != Command::Reload && wire::shows(&snapshot, &command) => return confirmed(&snapshot),
            None => {}
        }
        // That one may have been on its way when the command came; the next ones should show it.
        if !others {
            others = true;
            limit = limit.min(Instant::now() + SECOND_LOOK);
        }
    }
    let reason = if others {
        let notes = snapshots.borrow().notes.join("; ");
        let because = if notes.is_empty() { String::new() } else { format!(": {notes}") };
        format!("the engine did not take {}{because}", name(&command))
    } else {
        format!("the engine did not confirm {} within {} s", name(&command), CONFIRM_LIMIT.as_secs())
    };
    FromEngine::Rejected { id, reason }
}

fn name(command: &Command) -> String {
    clip(&serde_json::to_string(command).unwrap_or_default())
}

fn clip(text: &str) -> String {
    crate::tmux::clean(&text.chars().take(80).collect::<String>())
}
