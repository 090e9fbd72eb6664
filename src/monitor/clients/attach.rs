//! The other end of the engine's socket: a client that takes snapshots and gives commands.

use std::{collections::HashMap, io, sync::Arc, time::Duration};

use tokio::{
    io::{AsyncWriteExt, BufReader},
    net::{
        UnixStream,
        unix::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
    task::JoinHandle,
    time::{MissedTickBehavior, timeout},
};

use crate::monitor::clients::wire::{
    ClientHello, EngineHello, FromClient, FromEngine, LONGEST_FROM_ENGINE, LineError, Lines,
};
use crate::monitor::clients::{foreign, wire};
use crate::monitor::{
    ANSWER_LIMIT, Command, EnginePaths, Handle, Interest, LiveSettings, Order, Refused, Requests, Snapshot,
};

/// An engine that is watched is asked this often whether it is there.
const PING_EVERY: Duration = Duration::from_secs(4);

/// An engine that has said nothing though it was asked so many times hangs. Counted, not timed: this process may have
/// been stopped itself.
const UNANSWERED_LIMIT: u32 = 3;

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
    Silent(String),
    /// The engine will not talk to us.
    #[error("the engine refused: {0}")]
    Refused(String),
    /// The engine speaks another version.
    #[error(
        "the engine (tmux-orc {theirs}, protocol {protocol}) and this program (tmux-orc {ours}, protocol {our_protocol}) do \
         not understand each other: `tmux-orc monitor restart` with the version you want"
    )]
    Version {
        /// The engine's version.
        theirs: String,
        /// The engine's protocol.
        protocol: u32,
        /// Our version.
        ours: &'static str,
        /// Our protocol.
        our_protocol: u32,
    },
    /// A command did not take effect.
    #[error("{0}")]
    Rejected(String),
    /// The engine went away.
    #[error("the engine went away: {0}")]
    Lost(String),
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
            _ => Err(AttachError::Silent(error.to_string())),
        },
        Err(_) => Err(AttachError::Silent("it does not accept the connection".to_owned())),
    }
}

/// A connection to an engine, past the hello.
#[derive(Debug)]
pub struct Client {
    /// Who the engine is.
    pub hello: EngineHello,
    lines: Lines<BufReader<OwnedReadHalf>>,
    write: OwnedWriteHalf,
    latest: Option<Arc<Snapshot>>,
    next_id: u64,
    /// Somebody looks at the snapshots, as the hello says.
    watch: bool,
}

impl Client {
    /// Connects to the engine of one server. `watch`: somebody will look at the snapshots from now on.
    pub async fn connect(paths: &EnginePaths, watch: bool) -> Result<Self, AttachError> {
        let stream = dial(paths).await?;
        match Self::over(stream, watch).await {
            // It was ending when it was asked: by now nobody listens.
            Err(AttachError::Silent(_)) if matches!(dial(paths).await, Err(AttachError::NoEngine)) => {
                Err(AttachError::NoEngine)
            }
            answer => answer,
        }
    }

    /// Says hello over a connection that was made.
    pub(crate) async fn over(stream: UnixStream, watch: bool) -> Result<Self, AttachError> {
        let ours = rustix::process::geteuid().as_raw();
        match stream.peer_cred() {
            Ok(peer) if peer.uid() == ours => {}
            _ => return Err(AttachError::Silent("the socket belongs to another user".to_owned())),
        }
        let (read, mut write) = stream.into_split();
        let mut lines = Lines::new(BufReader::with_capacity(64 * 1024, read), LONGEST_FROM_ENGINE);
        let hello = match timeout(ANSWER_LIMIT, receive(&mut lines)).await {
            Ok(Ok(FromEngine::Hello(mut hello))) => {
                foreign::hello(&mut hello);
                hello
            }
            Ok(Ok(FromEngine::Refused { reason })) => {
                return Err(AttachError::Refused(foreign::words(&reason).into_owned()));
            }
            Ok(Ok(_)) => return Err(AttachError::Silent("its first line is no hello".to_owned())),
            Ok(Err(error)) => return Err(AttachError::Silent(foreign::words(&error.to_string()).into_owned())),
            Err(_) => return Err(AttachError::Silent(format!("no hello within {} s", ANSWER_LIMIT.as_secs()))),
        };
        // Said also to an engine of another version, which then logs it.
        let ours = ClientHello {
            protocol: wire::PROTOCOL,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            oldest: wire::OLDEST,
            watch,
            tail: true,
        };
        send(&mut write, &FromClient::Hello(ours)).await?;
        if !wire::understood(hello.oldest, hello.protocol) {
            return Err(AttachError::Version {
                theirs: hello.version,
                protocol: hello.protocol,
                ours: env!("CARGO_PKG_VERSION"),
                our_protocol: wire::PROTOCOL,
            });
        }
        Ok(Self { hello, lines, write, latest: None, next_id: 1, watch })
    }

    /// The next snapshot; the first call gives the one that is newest now.
    pub async fn snapshot(&mut self) -> Result<Arc<Snapshot>, AttachError> {
        loop {
            if let Taken::Snapshot(snapshot) = self.take().await? {
                return Ok(snapshot);
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
        answer.await.map_err(|_| AttachError::Silent("no answer to a command".to_owned()))?
    }

    /// Waits until the engine hangs up.
    pub async fn closed(mut self) {
        while self.take().await.is_ok() {}
    }

    /// Becomes a handle like that of an engine inside. The task ends with the reason when the engine goes away.
    pub async fn into_handle(mut self) -> Result<(Handle, JoinHandle<AttachError>), AttachError> {
        let first = match timeout(ANSWER_LIMIT, self.snapshot()).await {
            Ok(first) => first?,
            Err(_) => return Err(AttachError::Silent("it publishes nothing".to_owned())),
        };
        let (publish, snapshots) = watch::channel(first);
        let (handle, requests) = Handle::new(snapshots, COMMANDS_WAITING);
        let task = tokio::spawn(self.forward(publish, requests));
        Ok((handle, task))
    }

    async fn forward(mut self, publish: watch::Sender<Arc<Snapshot>>, mut requests: Requests) -> AttachError {
        // What the engine knows of this so far; the watch by the hello.
        let mut known = Interest { focus: None, watched: self.watch };
        let mut asked: HashMap<u64, Order> = HashMap::new();
        let mut ping = tokio::time::interval(PING_EVERY);
        ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut unanswered = 0;
        loop {
            tokio::select! {
                _ = ping.tick() => {
                    if unanswered == UNANSWERED_LIMIT {
                        let seconds = PING_EVERY.as_secs() * u64::from(unanswered);
                        return AttachError::Silent(format!("nothing for {seconds} s"));
                    }
                    unanswered += 1;
                    if let Err(error) = send(&mut self.write, &FromClient::Ping).await {
                        return error;
                    }
                    continue;
                }
                taken = self.take() => match taken {
                    Ok(Taken::Pong) => {}
                    Ok(Taken::Snapshot(snapshot)) => drop(publish.send_replace(snapshot)),
                    Ok(Taken::Answer(id, answer)) => {
                        let answer = answer.map(drop).map_err(Refused);
                        if let Some(Refused(why)) = asked.remove(&id).and_then(|order| order.answer(answer)) {
                            tracing::warn!(why, "the engine refused a command");
                        }
                    }
                    Err(error) => return error,
                },
                Ok(()) = requests.clients.changed() => {
                    let wanted = requests.clients.borrow_and_update().of(requests.own);
                    let focus = (wanted.focus != known.focus).then_some(Command::Focus(wanted.focus));
                    let watched = (wanted.watched != known.watched).then_some(Command::Watched(wanted.watched));
                    known = wanted;
                    for command in focus.into_iter().chain(watched) {
                        if let Err(error) = self.give(&command).await {
                            return error;
                        }
                    }
                    continue;
                }
                command = requests.commands.recv() => {
                    let Some(order) = command else { return AttachError::Lost("nobody looks any more".to_owned()) };
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
        let message = receive(&mut self.lines)
            .await
            .map_err(|error| AttachError::Lost(foreign::words(&error.to_string()).into_owned()))?;
        Ok(match message {
            FromEngine::Snapshot(mut snapshot) => {
                foreign::snapshot(&mut snapshot);
                self.keep(*snapshot)
            }
            FromEngine::Update(mut update) => {
                foreign::snapshot(&mut update);
                if let Some(before) = &self.latest {
                    wire::complete(&mut update, before);
                }
                self.keep(*update)
            }
            FromEngine::Confirmed { id, settings, strategy, paused } => {
                Taken::Answer(id, Box::new(Ok(Confirmed { settings, strategy, paused })))
            }
            FromEngine::Rejected { id, reason } => {
                Taken::Answer(id, Box::new(Err(foreign::words(&reason).into_owned())))
            }
            FromEngine::Pong => Taken::Pong,
            FromEngine::Refused { reason } => {
                return Err(AttachError::Refused(foreign::words(&reason).into_owned()));
            }
            FromEngine::Hello(_) => return Err(AttachError::Lost("it said hello twice".to_owned())),
        })
    }

    fn keep(&mut self, snapshot: Snapshot) -> Taken {
        let snapshot = Arc::new(snapshot);
        self.latest = Some(Arc::clone(&snapshot));
        Taken::Snapshot(snapshot)
    }
}

enum Taken {
    Snapshot(Arc<Snapshot>),
    Answer(u64, Box<Result<Confirmed, String>>),
    Pong,
}

#[derive(Debug, thiserror::Error)]
enum ReceiveError {
    #[error("{0}")]
    Line(#[from] LineError),
    #[error("not a message of an engine: {0}")]
    Message(#[from] serde_json::Error),
}

async fn receive(lines: &mut Lines<BufReader<OwnedReadHalf>>) -> Result<FromEngine, ReceiveError> {
    loop {
        // One of a kind that is not known is of a newer engine, and tells us nothing.
        if let Some(message) = FromEngine::read(lines.next().await?)? {
            return Ok(message);
        }
    }
}

fn message(id: u64, command: &Command) -> Result<FromClient, AttachError> {
    let command = serde_json::to_value(command).map_err(|error| AttachError::Rejected(error.to_string()))?;
    Ok(FromClient::Command { id, command })
}

async fn send(write: &mut OwnedWriteHalf, message: &FromClient) -> Result<(), AttachError> {
    let lost = |error: String| AttachError::Lost(error);
    let bytes = wire::line(message).map_err(|error| lost(error.to_string()))?;
    match timeout(ANSWER_LIMIT, write.write_all(&bytes)).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(lost(error.to_string())),
        Err(_) => Err(lost("it does not read".to_owned())),
    }
}
