//! `bridge`: joins standard input and output to this machine's engines, for a dashboard on another machine. What ssh and
//! other connectors run; it lives no longer than its hub does.

mod acting;
mod engines;
mod relay;

use std::{collections::BTreeMap, io::IsTerminal, path::PathBuf, sync::Arc, time::Duration};

use jiff::Timestamp;
use tokio::{
    io::{AsyncWriteExt, BufReader},
    sync::{Notify, mpsc},
    time::{Instant, MissedTickBehavior, sleep_until, timeout},
};
use tokio_util::task::AbortOnDropHandle;

use crate::app::cli::bridge::acting::Acting;
use crate::app::cli::bridge::engines::{Engines, Source};
use crate::app::cli::bridge::relay::{Event, Relay};
use crate::app::cli::{BridgeOptions, Context, Failure};
use crate::app::members;
use crate::app::settings::{HostSettings, Overrides, Settings};
use crate::monitor::clients::wire::{LineError, Lines};
use crate::monitor::link::lines::{
    ACT, BRIDGE, BehindLine, BridgeHello, FromBridge, HELLO, LONGEST_FROM_HUB, MOST_MEMBERS, MemberLine, OLDEST,
    PROTOCOL, ToBridge, is_key, message, split,
};
use crate::monitor::link::open;
use crate::monitor::{LinkedHost, Links};
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
        hosts: !settings.hosts.is_empty(),
    };
    let mut first = serde_json::to_vec(&FromBridge::Hello(hello)).unwrap_or_default();
    first.push(b'\n');
    out.send(first).await.ok();
    let (tell, mut events) = mpsc::channel(LINES_WAITING);
    let work =
        Work { context: Arc::new(context.again()), settings: Arc::new(settings), read_only, out: out.clone(), tell };
    let further = Arc::new(Notify::new());
    let mut bridge = Bridge {
        members: BTreeMap::new(),
        hosts: Vec::new(),
        further: Arc::clone(&further),
        _watching: Vec::new(),
        told_behind: Vec::new(),
        told: None,
        work,
    };
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
                bridge.look_further();
                bridge.tell().await;
            }
            () = further.notified() => {
                bridge.look_further();
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

/// Says when something of a host of this machine is new.
fn watch(host: &Arc<LinkedHost>, further: Arc<Notify>) -> AbortOnDropHandle<()> {
    let (mut state, mut members) = (host.state(), host.members());
    AbortOnDropHandle::new(tokio::spawn(async move {
        loop {
            let ended = tokio::select! {
                changed = state.changed() => changed.is_err(),
                changed = members.changed() => changed.is_err(),
            };
            if ended {
                return;
            }
            further.notify_one();
        }
    }))
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
    /// Its socket; `None`: it is of one of this machine's own hosts.
    socket: Option<PathBuf>,
    relay: Relay,
    acting: Acting,
}

/// The members, by their keys.
struct Bridge {
    members: BTreeMap<String, Member>,
    /// This machine's own hosts, once the hub wants them.
    hosts: Vec<Arc<LinkedHost>>,
    /// Something of them is new.
    further: Arc<Notify>,
    _watching: Vec<AbortOnDropHandle<()>>,
    /// What the hub was told of them last.
    told_behind: Vec<BehindLine>,
    /// And of the members.
    told: Option<Vec<MemberLine>>,
    work: Work,
}

impl Bridge {
    /// These are the servers there are now.
    fn look(&mut self, servers: &[Server]) {
        let runs = |socket: &PathBuf| servers.iter().any(|server| server.socket() == socket);
        self.members.retain(|_, member| member.socket.as_ref().is_none_or(runs));
        for server in servers {
            let known = self.members.values().any(|member| member.socket.as_deref() == Some(server.socket()));
            if !known && self.members.len() < MOST_MEMBERS {
                let (key, member) = self.member(server);
                self.members.entry(key).or_insert(member);
            }
        }
    }

    fn member(&self, server: &Server) -> (String, Member) {
        let socket = server.socket().to_owned();
        let key = self.work.context.engine_paths(server).key().to_owned();
        let relay = Relay::start(&key, Source::Here(Engines::new(server, &self.work)), &self.work);
        let acting = Acting::here(&key, server.clone(), &self.work);
        (key, Member { name: server.name(), status: "starting".to_owned(), socket: Some(socket), relay, acting })
    }

    /// The hub wants this machine's own hosts too.
    fn link(&mut self) {
        let Work { context, settings, read_only, .. } = &self.work;
        if self.hosts.is_empty() && !settings.hosts.is_empty() {
            let links = Links::of_bridge(context.paths.run(), *read_only);
            let configs = settings.hosts.iter().map(HostSettings::config);
            self.hosts = configs.map(|config| Arc::new(open(config, links.clone()))).collect();
            self._watching = self.hosts.iter().map(|host| watch(host, Arc::clone(&self.further))).collect();
            self.further.notify_one();
        }
    }

    /// How the hosts of this machine are reached.
    fn behind(&self) -> Vec<BehindLine> {
        let line = |host: &Arc<LinkedHost>| {
            let (name, why) = (host.config().name.clone(), host.state().borrow().why().map(str::to_owned));
            let members = host.state().borrow().is_up().then(|| host.servers().map(|all| all.len())).flatten();
            BehindLine { name, why, members }
        };
        self.hosts.iter().map(line).collect()
    }

    /// What the hosts of this machine have now. A member keeps its name, `box` for the first of a host and `box/work` for others.
    fn look_further(&mut self) {
        let mut there = Vec::new();
        for host in &self.hosts {
            let name = &host.config().name;
            for (place, member) in host.members().borrow().iter().enumerate() {
                let called = if place == 0 { name.clone() } else { format!("{name}/{}", member.server) };
                there.push((format!("{name}/{}", member.key), called, Arc::clone(host), member.clone()));
            }
        }
        self.members.retain(|key, member| member.socket.is_some() || there.iter().any(|(known, ..)| known == key));
        for (key, name, host, member) in there {
            if self.members.contains_key(&key) || self.members.len() >= MOST_MEMBERS || !is_key(&key) {
                continue;
            }
            let relay = Relay::start(&key, Source::there(&member), &self.work);
            let acting = Acting::there(&key, host, &member.key, &self.work);
            self.members.insert(key, Member { name, status: "up".to_owned(), socket: None, relay, acting });
        }
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
        let behind = self.behind();
        if self.told_behind != behind {
            self.work.out.send(message(BRIDGE, &FromBridge::Behind(behind.clone()))).await.ok();
            self.told_behind = behind;
        }
    }

    async fn dispatch(&mut self, line: &[u8]) {
        let Some((key, rest)) = split(line) else { return };
        if key == BRIDGE {
            match serde_json::from_slice(rest) {
                Ok(ToBridge::Ping(number)) => {
                    self.work.out.send(message(BRIDGE, &FromBridge::Pong(number))).await.ok();
                }
                Ok(ToBridge::Hello(hub)) if hub.hosts => self.link(),
                // What is not known is of a newer hub.
                Ok(ToBridge::Hello(_)) | Err(_) => {}
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
