//! A client of an engine, as the client sees it: takes snapshots and gives commands, over the engine's socket or any other
//! stream of bytes.

use std::{collections::HashMap, io, sync::Arc, time::Duration};

use jiff::Timestamp;
use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt, BufReader},
    net::UnixStream,
    sync::watch,
    task::JoinHandle,
    time::{MissedTickBehavior, timeout},
};

use crate::monitor::clients::admit::{Admitted, Door, Received, words};
use crate::monitor::clients::delta::Delta;
use crate::monitor::clients::wire;
use crate::monitor::clients::wire::{
    ClientHello, EngineHello, FromClient, LONGEST_FROM_ENGINE, LONGEST_FROM_REMOTE, Lines,
};
pub use crate::monitor::clients::wishes::Wishes;
use crate::monitor::{
    ANSWER_LIMIT, Command, EnginePaths, Handle, Interest, LiveSettings, Order, Refused, Requests, Snapshot,
};

/// An engine that is watched is asked this often whether it is there.
const PING_EVERY: Duration = Duration::from_secs(4);

/// An engine that has said nothing though it was asked so many times hangs. Counted, not timed: this process may have
/// been stopped itself.
const UNANSWERED_LIMIT: u32 = 3;

/// Bytes that are read at once: whole snapshots of an engine here, what differs of one elsewhere, of which there may be
/// many.
const LOCAL_READ: usize = 64 * 1024;
const READ: usize = 8 * 1024;

/// Commands that may wait to be sent.
const COMMANDS_WAITING: usize = 64;

/// Talking to an engine failed.
#[derive(Debug, thiserror::Error)]
pub enum AttachError {
    /// Nobody listens at the socket.
    #[error("no engine runs for this tmux server: `tmux-orc monitor start` starts one")]
    NoEngine,
    /// Somebody listens there and does not answer as an engine does.
    #[error("the engine does not answer: {0}")]
    Silent(Admitted<String>),
    /// The engine will not talk to us.
    #[error("the engine refused: {0}")]
    Refused(Admitted<String>),
    /// The engine speaks another version.
    #[error(
        "the engine (tmux-orc {theirs}, protocol {protocol}) and this program (tmux-orc {ours}, protocol {our_protocol}) do \
         not understand each other: `tmux-orc monitor restart` with the version you want"
    )]
    Version {
        /// The engine's version.
        theirs: Admitted<String>,
        /// The engine's protocol.
        protocol: u32,
        /// Our version.
        ours: &'static str,
        /// Our protocol.
        our_protocol: u32,
    },
    /// A command did not take effect.
    #[error("{0}")]
    Rejected(Admitted<String>),
    /// The engine went away.
    #[error("the engine went away: {0}")]
    Lost(Admitted<String>),
}

/// What the engine says that the settings are after a command.
#[derive(Clone, Debug, PartialEq)]
pub struct Confirmed {
    /// The settings in force.
    pub settings: LiveSettings,
    /// The strategy in force.
    pub strategy: String,
    /// The cycles are stopped.
    pub paused: bool,
}

/// Connects to the socket of one server's engine.
async fn dial(paths: &EnginePaths) -> Result<UnixStream, AttachError> {
    match timeout(ANSWER_LIMIT, UnixStream::connect(paths.socket())).await {
        Ok(Ok(stream)) => Ok(stream),
        Ok(Err(error)) => match error.kind() {
            // Reset: it stopped listening at this moment.
            io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused | io::ErrorKind::ConnectionReset => {
                Err(AttachError::NoEngine)
            }
            _ => Err(AttachError::Silent(words(&error.to_string()))),
        },
        Err(_) => Err(AttachError::Silent(words("it does not accept the connection"))),
    }
}

/// A connection to an engine, past the hello.
///
/// The stream may be anything that carries lines: [`Client::over`] takes a Unix socket and asks the kernel who is at its
/// other end, [`Client::talk`] two halves of any stream whose maker knows who is there, such as the pipes of a child that
/// joins them to a bridge on another machine, or one member's lines taken out of a stream that carries several
/// (`tokio::io::duplex`). What goes before the engine's hello on such a stream is for its maker to pass over.
///
/// Then [`Client::into_handle`] makes of it what an engine inside would give: a handle with the newest snapshot and the way
/// for commands, and a task that ends with the reason when the stream does. It asks every four seconds whether the engine is
/// there, and takes three unanswered questions for an end.
///
/// With an engine of protocol 1 the same is had from whole snapshots; nobody behind a client can tell.
pub struct Client {
    /// Who the engine is.
    pub hello: Admitted<EngineHello>,
    /// The version of the messages in force.
    pub protocol: u32,
    door: Door,
    lines: Lines<BufReader<Box<dyn AsyncRead + Send + Sync + Unpin>>>,
    write: Box<dyn AsyncWrite + Send + Sync + Unpin>,
    latest: Option<Admitted<Arc<Snapshot>>>,
    /// Deltas since the last whole snapshot; `None`: one was lost, and a whole one was asked for.
    deltas: Option<u64>,
    next_id: u64,
    wishes: Wishes,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").field("hello", &self.hello).field("wishes", &self.wishes).finish_non_exhaustive()
    }
}

impl Client {
    /// Connects to the engine of one server. `watch`: somebody will look at the snapshots from now on.
    pub async fn connect(paths: &EnginePaths, watch: bool) -> Result<Self, AttachError> {
        let stream = dial(paths).await?;
        match Self::over(stream, Wishes::local(watch)).await {
            // It was ending when it was asked: by now nobody listens.
            Err(AttachError::Silent(_)) if matches!(dial(paths).await, Err(AttachError::NoEngine)) => {
                Err(AttachError::NoEngine)
            }
            answer => answer,
        }
    }

    /// Says hello over a socket that was connected. The user at its other end must be this one.
    pub async fn over(stream: UnixStream, wishes: Wishes) -> Result<Self, AttachError> {
        let ours = rustix::process::geteuid().as_raw();
        match stream.peer_cred() {
            Ok(peer) if peer.uid() == ours => {}
            _ => return Err(AttachError::Silent(words("the socket belongs to another user"))),
        }
        let (read, write) = stream.into_split();
        Self::talk(read, write, wishes).await
    }

    /// Says hello over any stream: whoever made it has seen to it who is at its other end.
    pub async fn talk(
        read: impl AsyncRead + Send + Sync + Unpin + 'static,
        write: impl AsyncWrite + Send + Sync + Unpin + 'static,
        wishes: Wishes,
    ) -> Result<Self, AttachError> {
        let longest = if wishes.remote { LONGEST_FROM_REMOTE } else { LONGEST_FROM_ENGINE };
        let read: Box<dyn AsyncRead + Send + Sync + Unpin> = Box::new(read);
        let mut lines =
            Lines::new(BufReader::with_capacity(if wishes.remote { READ } else { LOCAL_READ }, read), longest);
        let mut write: Box<dyn AsyncWrite + Send + Sync + Unpin> = Box::new(write);
        let door = Door::new(wishes.remote);
        let hello = match timeout(ANSWER_LIMIT, door.receive(&mut lines)).await {
            Ok(Ok(Received::Hello(hello))) => hello,
            Ok(Ok(Received::Refused(reason))) => return Err(AttachError::Refused(reason)),
            Ok(Ok(_)) => return Err(AttachError::Silent(words("its first line is no hello"))),
            Ok(Err(error)) => return Err(AttachError::Silent(words(&error.to_string()))),
            Err(_) => {
                return Err(AttachError::Silent(words(&format!("no hello within {} s", ANSWER_LIMIT.as_secs()))));
            }
        };
        let door = door.by_the_clock_of(&hello, Timestamp::now());
        // Received also to an engine of another version, which then logs it.
        let ours = ClientHello {
            protocol: wire::PROTOCOL,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            oldest: wire::OLDEST,
            watch: wishes.watch,
            tail: true,
            delta: true,
            every_ms: wishes.every_ms,
            pings: wishes.pings,
            instruments: wishes.instruments,
            figures: true,
        };
        send(&mut write, &FromClient::Hello(ours)).await?;
        let Some(protocol) = wire::in_force(hello.oldest, hello.protocol) else {
            return Err(AttachError::Version {
                theirs: words(&hello.version),
                protocol: hello.protocol,
                ours: env!("CARGO_PKG_VERSION"),
                our_protocol: wire::PROTOCOL,
            });
        };
        Ok(Self { hello, protocol, door, lines, write, latest: None, deltas: Some(0), next_id: 1, wishes })
    }

    /// The same for an engine whose agents are on this host and this server as they are called here.
    pub(crate) fn at(self, host: Arc<str>, server: Arc<str>) -> Self {
        Self { door: self.door.at(host, server), ..self }
    }

    /// The next snapshot; the first call gives the one that is newest now.
    pub async fn snapshot(&mut self) -> Result<Arc<Snapshot>, AttachError> {
        loop {
            if let Taken::Snapshot(snapshot) = self.take().await? {
                return Ok(snapshot.into_inner());
            }
        }
    }

    /// Gives a command and waits for its confirmation.
    pub async fn command(&mut self, command: &Command) -> Result<Confirmed, AttachError> {
        let id = self.give(command).await?;
        let answer = timeout(ANSWER_LIMIT, async {
            loop {
                match self.take().await? {
                    Taken::Answer(answered, result) if answered == id => {
                        return (*result).map_err(AttachError::Rejected);
                    }
                    _ => {}
                }
            }
        });
        answer.await.map_err(|_| AttachError::Silent(words("no answer to a command")))?
    }

    /// Waits until the engine hangs up.
    pub async fn closed(mut self) {
        while self.take().await.is_ok() {}
    }

    /// Becomes a handle like that of an engine inside. The task ends with the reason when the engine goes away.
    pub async fn into_handle(mut self) -> Result<(Handle, JoinHandle<AttachError>), AttachError> {
        let first = match timeout(ANSWER_LIMIT, self.snapshot()).await {
            Ok(first) => first?,
            Err(_) => return Err(AttachError::Silent(words("it publishes nothing"))),
        };
        let (publish, snapshots) = watch::channel(first);
        let (handle, requests) = Handle::new(snapshots, COMMANDS_WAITING);
        let task = tokio::spawn(self.forward(publish, requests));
        Ok((handle, task))
    }

    async fn forward(mut self, publish: watch::Sender<Arc<Snapshot>>, mut requests: Requests) -> AttachError {
        // What the engine knows of this so far, by the hello.
        let instruments = self.wishes.instruments;
        let mut known = Interest { watched: self.wishes.watch, instruments, ..Interest::default() };
        let mut asked: HashMap<u64, Order> = HashMap::new();
        let mut ping = tokio::time::interval(PING_EVERY);
        ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut unanswered = 0;
        loop {
            tokio::select! {
                _ = ping.tick() => {
                    if unanswered == UNANSWERED_LIMIT {
                        let seconds = PING_EVERY.as_secs() * u64::from(unanswered);
                        return AttachError::Silent(words(&format!("nothing for {seconds} s")));
                    }
                    unanswered += 1;
                    if let Err(error) = send(&mut self.write, &FromClient::Ping).await {
                        return error;
                    }
                    continue;
                }
                taken = self.take() => match taken {
                    Ok(Taken::Pong | Taken::Nothing) => {}
                    Ok(Taken::Snapshot(snapshot)) => drop(publish.send_replace(snapshot.into_inner())),
                    Ok(Taken::Answer(id, answer)) => {
                        let answer = answer.map(drop).map_err(|why| Refused(why.into_inner()));
                        if let Some(Refused(why)) = asked.remove(&id).and_then(|order| order.answer(answer)) {
                            tracing::warn!(why, "the engine refused a command");
                        }
                    }
                    Err(error) => return error,
                },
                Ok(()) = requests.clients.changed() => {
                    let mut wanted = requests.clients.borrow_and_update().of(requests.own);
                    // Who took them when it came has them always.
                    wanted.instruments |= instruments;
                    let news = wanted.news(&known);
                    known = wanted;
                    // One that an engine does not know is refused by it, and all goes on without.
                    for command in news {
                        if let Err(error) = self.give(&command).await {
                            return error;
                        }
                    }
                    continue;
                }
                command = requests.commands.recv() => {
                    let Some(order) = command else { return AttachError::Lost(words("nobody looks any more")) };
                    match self.give(&order.command).await {
                        Ok(id) => drop(asked.insert(id, order)),
                        Err(error) => return error,
                    }
                    continue;
                }
            }
            unanswered = 0;
        }
    }

    /// Sends a command. Returns the number by which it is answered.
    async fn give(&mut self, command: &Command) -> Result<u64, AttachError> {
        let id = self.next_id;
        self.next_id += 1;
        send(&mut self.write, &message(id, command)?).await?;
        Ok(id)
    }

    async fn take(&mut self) -> Result<Taken, AttachError> {
        let said = self.door.receive(&mut self.lines).await;
        Ok(match said.map_err(|error| AttachError::Lost(words(&error.to_string())))? {
            Received::Snapshot(snapshot) => self.keep(snapshot),
            Received::Update(update) => {
                let update = match &self.latest {
                    Some(before) => Door::complete(update, before),
                    None => update,
                };
                self.keep(update)
            }
            Received::Delta(delta) => return self.put_on(delta).await,
            Received::Confirmed(id, confirmed) => {
                let (settings, strategy, paused) = confirmed.into_inner();
                Taken::Answer(id, Box::new(Ok(Confirmed { settings, strategy, paused })))
            }
            Received::Rejected(id, reason) => Taken::Answer(id, Box::new(Err(reason))),
            Received::Pong => Taken::Pong,
            Received::Refused(reason) => return Err(AttachError::Refused(reason)),
            Received::Hello(_) => return Err(AttachError::Lost(words("it said hello twice"))),
        })
    }

    /// Puts on what differs from the snapshot before; where a delta was lost, asks for a whole snapshot instead.
    async fn put_on(&mut self, delta: Admitted<Delta>) -> Result<Taken, AttachError> {
        let Some(deltas) = self.deltas else { return Ok(Taken::Nothing) };
        let next = deltas.saturating_add(1);
        match &self.latest {
            Some(before) if delta.n == next => {
                let after = self.door.put_on(delta, before);
                let snapshot = after.map_err(|error| AttachError::Lost(words(&error.to_string())))?;
                let taken = self.keep(snapshot);
                self.deltas = Some(next);
                Ok(taken)
            }
            _ => {
                tracing::debug!(n = delta.n, next, "a delta was lost");
                self.deltas = None;
                send(&mut self.write, &FromClient::Again).await?;
                Ok(Taken::Nothing)
            }
        }
    }

    fn keep(&mut self, snapshot: Admitted<Snapshot>) -> Taken {
        self.deltas = Some(0);
        let snapshot = snapshot.shared();
        self.latest = Some(snapshot.clone());
        Taken::Snapshot(snapshot)
    }
}

enum Taken {
    Snapshot(Admitted<Arc<Snapshot>>),
    Answer(u64, Box<Result<Confirmed, Admitted<String>>>),
    Pong,
    /// Something that brings nothing.
    Nothing,
}

fn message(id: u64, command: &Command) -> Result<FromClient, AttachError> {
    let command = serde_json::to_value(command).map_err(|error| AttachError::Rejected(words(&error.to_string())))?;
    Ok(FromClient::Command { id, command })
}

async fn send(write: &mut (impl AsyncWrite + Unpin), message: &FromClient) -> Result<(), AttachError> {
    let lost = |error: String| AttachError::Lost(words(&error));
    let bytes = wire::line(message).map_err(|error| lost(error.to_string()))?;
    let written = async {
        write.write_all(&bytes).await?;
        write.flush().await
    };
    match timeout(ANSWER_LIMIT, written).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(lost(error.to_string())),
        Err(_) => Err(lost("it does not read".to_owned())),
    }
}
