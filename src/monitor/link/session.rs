//! One connection to a host, from the start of its program to its end: the bridge's hello, then lines to and from members,
//! questions whether it is there, acts and their answers.

use std::collections::HashMap;

use jiff::Timestamp;
use tokio::{
    io::{AsyncWriteExt, BufReader},
    net::{
        UnixStream,
        unix::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::mpsc,
    time::{Instant, sleep_until},
};
use tokio_util::task::AbortOnDropHandle;

use crate::monitor::clients::wire::{LineError, Lines};
use crate::monitor::link::acts::Underway;
use crate::monitor::link::child;
use crate::monitor::link::child::Running;
use crate::monitor::link::end::{Trouble, ended, prints, tidy};
use crate::monitor::link::lines::{
    ACTED, Acting, BRIDGE, BehindLine, BridgeHello, FromBridge, HELLO, LONGEST_ACT, LONGEST_FROM_BRIDGE, MOST_MEMBERS,
    MemberLine, OLDEST, PROTOCOL, ToBridge, addressed, is_key, message, split,
};
use crate::monitor::link::open::Link;
use crate::monitor::link::state::{Due, Watch};

/// So much of what is not of us may come before the bridge's hello.
const NOISE_LINES: usize = 64;
const NOISE_BYTES: usize = 16 * 1024;
/// Bytes that are read at once. There may be many hosts.
const READ: usize = 16 * 1024;
/// Lines to the host that may wait.
const LINES_WAITING: usize = 64;
/// So many lines that are none of ours, and it is no bridge that speaks.
const MOST_FOREIGN: u32 = 64;

/// Runs a connection to its end. `connected` is called once the bridge has said hello: others may be connected to then.
pub(crate) async fn run(link: &mut Link, argv: &[String], connected: impl FnOnce()) -> Trouble {
    let (running, stream) = match child::start(argv) {
        Ok(started) => started,
        Err(error) => {
            let program = argv.first().map_or("", String::as_str);
            return Trouble::Lost(tidy(&format!("cannot start {program}: {error}")));
        }
    };
    let (read, write) = stream.into_split();
    let mut reader = BufReader::with_capacity(READ, read);
    let mut watch = Watch::new(link.limits(), Instant::now());
    let mut noise = None;
    match greeting(&mut reader, &mut watch, &mut noise).await {
        Ok(hello) if hello.understood() => link.greeted(&hello),
        Ok(hello) => {
            let theirs = tidy(&hello.version);
            let ours = env!("CARGO_PKG_VERSION");
            return Trouble::Incompatible(format!("{theirs} there, {ours} here: bring the older one up to date"));
        }
        Err(Some(trouble)) => return with_last_words(trouble, &running),
        Err(None) => {
            let (stderr, status) = running.end().await;
            return ended(&stderr, status, noise.as_deref());
        }
    }
    connected();
    let lines = Lines::new(reader, LONGEST_FROM_BRIDGE);
    let (out, waiting) = mpsc::channel(LINES_WAITING);
    let _writing = AbortOnDropHandle::new(tokio::spawn(write_all(write, waiting)));
    let underway = link.acts().open();
    let session = Session { out, underway, wires: HashMap::new(), watch, foreign: 0, farewell: None };
    match session.run(link, lines).await {
        Some(trouble) => with_last_words(trouble, &running),
        None => {
            let (stderr, status) = running.end().await;
            ended(&stderr, status, None)
        }
    }
}

/// What standard error says tells more than that nothing came.
fn with_last_words(trouble: Trouble, running: &Running) -> Trouble {
    let said = running.last_words();
    let said = String::from_utf8_lossy(&said);
    let Some(last) = said.lines().map(tidy).rfind(|line| !line.is_empty()) else { return trouble };
    match trouble {
        Trouble::Lost(why) => Trouble::Lost(format!("{why}: {last}")),
        Trouble::NoHello(why) => Trouble::NoHello(format!("{why}: {last}")),
        other => other,
    }
}

/// The bridge's hello, past what a shell prints before it. `Err(None)`: the program has closed its output.
async fn greeting(
    reader: &mut BufReader<OwnedReadHalf>,
    watch: &mut Watch,
    noise: &mut Option<String>,
) -> Result<BridgeHello, Option<Trouble>> {
    let mut lines = Lines::new(reader, NOISE_BYTES);
    let (mut count, mut bytes) = (0, 0);
    loop {
        let line = tokio::select! {
            line = lines.next() => line,
            () = sleep_until(watch.deadline()) => match watch.due(Instant::now()) {
                Due::Lost(Trouble::NoHello(why)) => {
                    return Err(Some(Trouble::NoHello(noise.as_deref().map_or(why, prints))));
                }
                Due::Lost(trouble) => return Err(Some(trouble)),
                Due::Nothing | Due::Ping(_) => continue,
            },
        };
        let line = match line {
            Ok(line) => line,
            Err(LineError::TooLong(_)) => {
                return Err(Some(Trouble::Lost(prints(noise.as_deref().unwrap_or("a line without an end")))));
            }
            Err(LineError::Closed | LineError::Io(_)) => return Err(None),
        };
        if line.starts_with(HELLO)
            && let Ok(FromBridge::Hello(hello)) = serde_json::from_slice(line)
        {
            watch.greeted(Instant::now());
            return Ok(hello);
        }
        (count, bytes) = (count + 1, bytes + line.len());
        let text = tidy(&String::from_utf8_lossy(line));
        if noise.is_none() && !text.is_empty() {
            *noise = Some(text);
        }
        if count > NOISE_LINES || bytes > NOISE_BYTES {
            return Err(Some(Trouble::Lost(prints(noise.as_deref().unwrap_or("empty lines")))));
        }
    }
}

/// On a task of its own: a host that does not read must not keep us from finding out.
async fn write_all(mut write: OwnedWriteHalf, mut lines: mpsc::Receiver<Vec<u8>>) {
    while let Some(line) = lines.recv().await {
        if write.write_all(&line).await.is_err() {
            return;
        }
    }
}

/// A connection past its hello.
struct Session {
    out: mpsc::Sender<Vec<u8>>,
    underway: Underway,
    /// The ways to the clients of the members that are attached to, by their keys.
    wires: HashMap<String, Wire>,
    watch: Watch,
    foreign: u32,
    /// Why the bridge ends, if it said so.
    farewell: Option<String>,
}

/// The way of one member's lines.
struct Wire {
    to_client: OwnedWriteHalf,
    _from_client: AbortOnDropHandle<()>,
}

impl Session {
    /// `None`: the program has closed its output.
    async fn run(mut self, link: &mut Link, mut lines: Lines<BufReader<OwnedReadHalf>>) -> Option<Trouble> {
        let ours = BridgeHello {
            protocol: PROTOCOL,
            oldest: OLDEST,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            at: Some(Timestamp::now()),
            hosts: link.wants_hosts(),
            ..BridgeHello::default()
        };
        self.out.try_send(message(BRIDGE, &ToBridge::Hello(ours))).ok();
        let (mut wakes, retry) = (link.wakes(), link.retries());
        loop {
            link.shows(&self.watch);
            tokio::select! {
                line = lines.next() => match line {
                    Ok(line) => {
                        self.watch.came(Instant::now());
                        if let Err(trouble) = self.dispatch(line, link).await {
                            return Some(trouble);
                        }
                    }
                    Err(LineError::TooLong(most)) => {
                        return Some(Trouble::Lost(format!("it sends lines of more than {most} bytes")));
                    }
                    Err(LineError::Closed | LineError::Io(_)) => return self.farewell.map(Trouble::Lost),
                },
                () = sleep_until(self.watch.deadline()) => match self.watch.due(Instant::now()) {
                    Due::Nothing => {}
                    // Where there is no room for it the host does not read, and the questions are counted.
                    Due::Ping(number) => drop(self.out.try_send(message(BRIDGE, &ToBridge::Ping(number)))),
                    Due::Lost(trouble) => return Some(trouble),
                },
                act = self.underway.next(), if self.out.capacity() > 0 => drop(self.out.try_send(act)),
                () = link.members.show_next() => {}
                Ok(()) = wakes.changed() => self.watch.woke(Instant::now()),
                () = retry.notified() => self.watch.woke(Instant::now()),
            }
        }
    }

    async fn dispatch(&mut self, line: &[u8], link: &mut Link) -> Result<(), Trouble> {
        let Some((key, rest)) = split(line) else {
            self.foreign += 1;
            let said = || tidy(&String::from_utf8_lossy(&line[..line.len().min(200)]));
            return if self.foreign > MOST_FOREIGN { Err(Trouble::Lost(prints(&said()))) } else { Ok(()) };
        };
        if key == BRIDGE {
            // What is not known is of a newer bridge.
            if let Ok(message) = serde_json::from_slice(rest) {
                self.of_bridge(message, link);
            }
        } else if rest.starts_with(ACTED) {
            if let Ok(Acting::Acted(acted)) = serde_json::from_slice(rest) {
                self.underway.answered(&acted);
            }
        } else {
            if rest.starts_with(HELLO) {
                self.open(key, link).await;
            }
            if let Some(wire) = self.wires.get_mut(key) {
                // Its client wakes once. When it has gone, it said why to the member.
                if wire.to_client.write_all(&[rest, b"\n"].concat()).await.is_err() {
                    self.wires.remove(key);
                }
            }
        }
        Ok(())
    }

    fn of_bridge(&mut self, message: FromBridge, link: &mut Link) {
        match message {
            FromBridge::Members(lines) => {
                let lines: Vec<MemberLine> =
                    lines.into_iter().filter(|line| is_key(&line.key) && line.key != BRIDGE).map(admitted).collect();
                let mut named: Vec<MemberLine> = Vec::new();
                for line in lines {
                    if named.len() < MOST_MEMBERS && named.iter().all(|other| other.key != line.key) {
                        named.push(line);
                    }
                }
                self.wires.retain(|key, _| named.iter().any(|line| line.key == *key));
                link.named(named);
                self.watch.named(Instant::now());
            }
            FromBridge::Behind(lines) => link.behind(lines.into_iter().take(MOST_MEMBERS).map(behind).collect()),
            FromBridge::Closed { key, why } => {
                tracing::info!(host = link.name(), key, why = tidy(&why), "a member's engine is gone");
                self.wires.remove(&key);
            }
            FromBridge::Pong(number) => self.watch.pong(number, Instant::now()),
            FromBridge::Ending { why } => self.farewell = Some(tidy(&why)),
            FromBridge::Hello(_) => {}
        }
    }

    /// A new connection to a member's engine: a client of ours for it.
    async fn open(&mut self, key: &str, link: &Link) {
        self.wires.remove(key);
        let Ok((ours, theirs)) = UnixStream::pair() else { return };
        if !link.members.connect(key, theirs, link.wishes()).await {
            return;
        }
        let (from_client, to_client) = ours.into_split();
        let forwarding = tokio::spawn(forward(from_client, key.to_owned(), self.out.clone()));
        self.wires.insert(key.to_owned(), Wire { to_client, _from_client: AbortOnDropHandle::new(forwarding) });
    }
}

/// What people call a member, as it may be shown.
fn admitted(line: MemberLine) -> MemberLine {
    let short = |text: &str| tidy(text).chars().take(100).collect();
    MemberLine { name: short(&line.name), status: short(&line.status), key: line.key }
}

/// What its machine's own host is, as it may be shown.
fn behind(line: BehindLine) -> BehindLine {
    let name = tidy(&line.name).chars().take(32).collect();
    BehindLine { name, why: line.why.map(|why| tidy(&why)), members: line.members }
}

/// What a member's client says, to the host.
async fn forward(from: OwnedReadHalf, key: String, out: mpsc::Sender<Vec<u8>>) {
    let mut lines = Lines::new(BufReader::new(from), LONGEST_ACT);
    while let Ok(line) = lines.next().await {
        if out.send(addressed(&key, line)).await.is_err() {
            return;
        }
    }
}
