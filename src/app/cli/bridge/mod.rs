//! `bridge`: joins standard input and output to this machine's engines, for a dashboard on another machine. What ssh and
//! other connectors run; it lives no longer than its hub does.

mod acting;
mod engines;
mod relay;

use std::{collections::BTreeMap, io::IsTerminal, path::PathBuf, sync::Arc, time::Duration};

use jiff::Timestamp;
use tokio::{
    io::{AsyncWriteExt, BufReader},
    sync::mpsc,
    time::{Instant, MissedTickBehavior, sleep_until, timeout},
};
use tokio_util::task::AbortOnDropHandle;

use crate::app::cli::bridge::acting::Acting;
use crate::app::cli::bridge::relay::{Event, Relay};
use crate::app::cli::{BridgeOptions, Context, Failure};
use crate::app::members;
use crate::app::settings::{Overrides, Settings};
use crate::monitor::clients::wire::{LineError, Lines};
use crate::monitor::link::lines::{
    ACT, BRIDGE, BridgeHello, FromBridge, HELLO, LONGEST_FROM_HUB, MOST_MEMBERS, MemberLine, OLDEST, PROTOCOL,
    ToBridge, message, split,
};
use crate::tmux::{Server, SocketChoice};

/// A hub that has said nothing for so long is gone, however the connection looks from here: it asks every four seconds.
const SILENCE_LIMIT: Duration = Duration::from_secs(30);
/// One that takes nothing for so long too.
const WRITE_LIMIT: Duration = Duration::from_secs(10);
/// How often it is looked which servers there are.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// Lines that may wait to be written: engines wait then, and send what is newest when there is room again.
const LINES_WAITING: usize = 8;

/// Runs until the hub is gone.
pub async fn run(options: &BridgeOptions, context: &mut Context) -> Result<(), Failure> {
    if std::io::stdin().is_terminal() {
        return Err(Failure::usage(
            "bridge is run by ssh or another connector of a dashboard elsewhere, with a stream on standard input: \
             see `hosts` in the settings there",
        ));
    }
    let settings = context.load(&Overrides::new())?.settings;
    let read_only = options.read_only || settings.dashboard.read_only;
    let (out, lines) = mpsc::channel(LINES_WAITING);
    let mut writing = AbortOnDropHandle::new(tokio::spawn(write(lines)));
    let hello = BridgeHello {
        protocol: PROTOCOL,
        oldest: OLDEST,
        version: env!("TMUX_ORC_VERSION").to_owned(),
        at: Some(Timestamp::now()),
        read_only,
        tells: settings.notifications.enabled,
    };
    let mut first = serde_json::to_vec(&FromBridge::Hello(hello)).unwrap_or_default();
    first.push(b'\n');
    out.send(first).await.ok();
    let (tell, mut events) = mpsc::channel(LINES_WAITING);
    let work =
        Work { context: Arc::new(context.again()), settings: Arc::new(settings), read_only, out: out.clone(), tell };
    let mut bridge = Bridge { members: BTreeMap::new(), told: None, work };
    let mut lines = Lines::new(BufReader::with_capacity(64 * 1024, tokio::io::stdin()), LONGEST_FROM_HUB);
    let mut silent = Instant::now() + SILENCE_LIMIT;
    let mut look = tokio::time::interval(LOOK_EVERY);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let why = loop {
        tokio::select! {
            line = lines.next() => match line {
                Ok(line) => {
                    silent = Instant::now() + SILENCE_LIMIT;
                    bridge.dispatch(line).await;
                }
                Err(LineError::Closed) => break None,
                Err(error) => break Some(error.to_string()),
            },
            () = sleep_until(silent) => break Some(format!("nothing came for {} s", SILENCE_LIMIT.as_secs())),
            // What is to be said of it is the hub's to find out: it does not read.
            _ = &mut writing => break None,
            _ = look.tick() => {
                bridge.look(&servers(&options.server, context).await?);
                bridge.tell().await;
            }
            Some(event) = events.recv() => {
                bridge.happened(event);
                bridge.tell().await;
            }
        }
    };
    if let Some(why) = why {
        tracing::info!(why, "the bridge ends");
        out.try_send(message(BRIDGE, &FromBridge::Ending { why })).ok();
    }
    // What still waits is written, if anybody reads it: once all who write are gone, the writer ends.
    drop((bridge, out));
    timeout(Duration::from_secs(1), writing).await.ok();
    Ok(())
}

/// Writes lines to the hub until it takes none.
async fn write(mut lines: mpsc::Receiver<Vec<u8>>) {
    let mut out = tokio::io::stdout();
    while let Some(line) = lines.recv().await {
        let written = async {
            out.write_all(&line).await?;
            out.flush().await
        };
        if !matches!(timeout(WRITE_LIMIT, written).await, Ok(Ok(()))) {
            return;
        }
    }
}

/// The servers that are meant: the usual one unless others are named, and of those the ones that run.
async fn servers(named: &[String], context: &Context) -> Result<Vec<Server>, Failure> {
    if named.is_empty() {
        return Ok(vec![context.server()?]);
    }
    let mut running = Vec::new();
    for socket in members::sockets(named, &SocketChoice::directory()) {
        // The socket of a server that has ended stays.
        if let Ok(server) = Server::resolve(&SocketChoice { name: None, path: Some(socket) })
            && server.listens().await
        {
            running.push(server);
        }
    }
    Ok(running)
}

/// What all members are served with.
#[derive(Clone)]
struct Work {
    context: Arc<Context>,
    settings: Arc<Settings>,
    read_only: bool,
    out: mpsc::Sender<Vec<u8>>,
    tell: mpsc::Sender<Event>,
}

/// A member: one tmux server.
struct Member {
    name: String,
    status: String,
    socket: PathBuf,
    relay: Relay,
    acting: Acting,
}

/// The members, by their keys.
struct Bridge {
    members: BTreeMap<String, Member>,
    /// What the hub was told of them last.
    told: Option<Vec<MemberLine>>,
    work: Work,
}

impl Bridge {
    /// These are the servers there are now.
    fn look(&mut self, servers: &[Server]) {
        self.members.retain(|_, member| servers.iter().any(|server| server.socket() == member.socket));
        for server in servers {
            let known = self.members.values().any(|member| member.socket == server.socket());
            if !known && self.members.len() < MOST_MEMBERS {
                let (key, member) = self.member(server);
                self.members.entry(key).or_insert(member);
            }
        }
    }

    fn member(&self, server: &Server) -> (String, Member) {
        let socket = server.socket().to_owned();
        let key = self.work.context.engine_paths(server).key().to_owned();
        let name = socket.file_name().map_or_else(String::new, |name| crate::tmux::clean(&name.to_string_lossy()));
        let relay = Relay::start(&key, server, &self.work);
        let acting = Acting::new(&key, server.clone(), &self.work);
        (key, Member { name, status: "starting".to_owned(), socket, relay, acting })
    }

    fn happened(&mut self, event: Event) {
        let Event { key, status } = event;
        if let Some(member) = self.members.get_mut(&key) {
            member.status = status;
        }
    }

    /// Tells the hub of the members, where it does not know.
    async fn tell(&mut self) {
        let line = |(key, member): (&String, &Member)| MemberLine {
            key: key.clone(),
            name: member.name.clone(),
            status: member.status.clone(),
        };
        let now: Vec<MemberLine> = self.members.iter().map(line).collect();
        if self.told.as_ref() != Some(&now) {
            self.work.out.send(message(BRIDGE, &FromBridge::Members(now.clone()))).await.ok();
            self.told = Some(now);
            // What an engine says before its member was named would be said to nobody.
            self.members.values().for_each(|member| member.relay.named());
        }
    }

    async fn dispatch(&mut self, line: &[u8]) {
        let Some((key, rest)) = split(line) else { return };
        if key == BRIDGE {
            // The hub's hello asks for nothing, and what is not known is of a newer one.
            if let Ok(ToBridge::Ping(number)) = serde_json::from_slice(rest) {
                self.work.out.send(message(BRIDGE, &FromBridge::Pong(number))).await.ok();
            }
            return;
        }
        let Some(member) = self.members.get_mut(key) else { return };
        if rest.starts_with(ACT) {
            member.acting.act(rest);
        } else {
            member.relay.pass(rest, rest.starts_with(HELLO));
        }
    }
}
