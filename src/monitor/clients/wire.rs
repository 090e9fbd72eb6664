//! What an engine and its clients say to each other: JSON, one message a line, a hello with versions first.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufRead, AsyncBufReadExt};

use crate::monitor::clients::delta::Delta;
use crate::monitor::clients::mend;
use crate::monitor::{EVENTS_KEPT, HISTORY_POINTS, HOUR_POINTS, LiveSettings, Snapshot};

/// Version of these messages. It changes only where old readers would misunderstand: fields and kinds of messages that are
/// added are passed over by who does not know them. An engine and a client that share no version part at the hello, and
/// both say why.
pub const PROTOCOL: u32 = 2;

/// The oldest version of them that is still understood.
pub const OLDEST: u32 = 1;

/// The version that is in force between this end and one that speaks from `oldest` (0: only the newest) to `newest`: the
/// lower of the two newest. `None`: one of them is too old for the other.
#[must_use]
pub fn in_force(oldest: u32, newest: u32) -> Option<u32> {
    let oldest = if oldest == 0 { newest } else { oldest };
    let lower = newest.min(PROTOCOL);
    (lower >= oldest && lower >= OLDEST).then_some(lower)
}

/// Whether a line is a message of a kind that is not among these: of a later version, and no reason to part.
fn is_foreign(line: &[u8], known: &[&str]) -> bool {
    let kind = match serde_json::from_slice::<std::collections::BTreeMap<String, serde::de::IgnoredAny>>(line) {
        Ok(message) if message.len() == 1 => message.into_keys().next(),
        Ok(_) => None,
        Err(_) => serde_json::from_slice::<String>(line).ok(),
    };
    kind.is_some_and(|kind| !known.contains(&kind.as_str()))
}

/// Reads a message; `None`: it is of a kind that this version does not know.
fn read<'a, T: Deserialize<'a> + strum::VariantNames>(line: &'a [u8]) -> Result<Option<T>, serde_json::Error> {
    match serde_json::from_slice(line) {
        Ok(message) => Ok(Some(message)),
        Err(_) if is_foreign(line, T::VARIANTS) => Ok(None),
        Err(error) => Err(error),
    }
}

impl FromEngine {
    /// Reads a line of an engine; `None`: it is of a kind that this version does not know.
    pub fn read(line: &[u8]) -> Result<Option<Self>, serde_json::Error> {
        read(line).or_else(|error| mend::from_engine(line).map(Some).ok_or(error))
    }
}

impl FromClient {
    /// Reads a line of a client; `None`: it is of a kind that this version does not know.
    pub fn read(line: &[u8]) -> Result<Option<Self>, serde_json::Error> {
        read(line)
    }
}

/// Longest line a client may send, bytes.
pub const LONGEST_FROM_CLIENT: usize = 64 * 1024;

/// Longest line an engine of this machine may send, bytes: some 20 000 agents.
pub const LONGEST_FROM_ENGINE: usize = 64 * 1024 * 1024;

/// Longest line an engine of another machine may send, bytes.
pub const LONGEST_FROM_REMOTE: usize = 8 * 1024 * 1024;

/// Who the engine is: the first line it sends.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct EngineHello {
    /// [`PROTOCOL`] of the engine.
    pub protocol: u32,
    /// Version of tmux-orc.
    pub version: String,
    /// Schema of its snapshots.
    pub schema: u32,
    /// Its process.
    pub pid: u32,
    /// Socket of the tmux server it watches.
    pub tmux_socket: String,
    /// The oldest version of the messages that it understands; 0: it does not say.
    pub oldest: u32,
    /// Its log file's directory; `None` when it writes none.
    pub logs: Option<String>,
    /// Its clock when it said so: another machine's may be wrong.
    pub at: Option<Timestamp>,
}

/// Who the client is: the first line it sends. What it does not say is as it was under protocol 1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ClientHello {
    /// [`PROTOCOL`] of the client.
    pub protocol: u32,
    /// Version of tmux-orc.
    pub version: String,
    /// The oldest version of the messages that it understands; 0: it does not say.
    pub oldest: u32,
    /// Somebody looks at the snapshots, rather than taking one and leaving.
    pub watch: bool,
    /// The client keeps history and events itself: each snapshot after the first brings only what is new of them.
    pub tail: bool,
    /// The client keeps the whole snapshot: after the first it gets what differs ([`Delta`]). From protocol 2 on.
    pub delta: bool,
    /// At most one snapshot in so many milliseconds; 0: each.
    pub every_ms: u64,
    /// The client says something, if only `"ping"`, at least every few seconds: one that is silent for long is gone.
    pub pings: bool,
    /// Deltas bring what a snapshot says of the watching itself: pool, cache, cycles, cost, settings.
    pub instruments: bool,
    /// Deltas bring the figures of an agent that differs in nothing else by themselves.
    pub figures: bool,
}

impl Default for ClientHello {
    fn default() -> Self {
        Self {
            protocol: 0,
            version: String::new(),
            oldest: 0,
            watch: false,
            tail: false,
            delta: false,
            every_ms: 0,
            pings: false,
            instruments: true,
            figures: false,
        }
    }
}

/// A line of the engine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, strum::VariantNames)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum FromEngine {
    /// Who it is.
    Hello(EngineHello),
    /// What it has published.
    Snapshot(Box<Snapshot>),
    /// What it has published, with only the new points and events.
    Update(Box<Snapshot>),
    /// What differs in what it has published from the snapshot or delta before.
    Delta(Box<Delta>),
    /// A command took effect: the settings as they are now.
    Confirmed {
        /// The command's number.
        id: u64,
        /// The settings in force.
        #[serde(default)]
        settings: LiveSettings,
        /// The strategy in force.
        #[serde(default)]
        strategy: String,
        /// The cycles are stopped.
        #[serde(default)]
        paused: bool,
    },
    /// A command did not take effect.
    Rejected {
        /// The command's number.
        id: u64,
        /// Why.
        #[serde(default)]
        reason: String,
    },
    /// It is there: the answer to [`FromClient::Ping`].
    Pong,
    /// The engine will not talk to this client; it hangs up.
    Refused {
        /// Why, and what to do.
        #[serde(default)]
        reason: String,
    },
}

/// A line of the client.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, strum::VariantNames)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum FromClient {
    /// Who it is.
    Hello(ClientHello),
    /// Whether the engine is there. A paused engine publishes nothing, so silence alone tells nothing.
    Ping,
    /// It lost a delta: the next thing that is sent is a whole snapshot.
    Again,
    /// A change it asks for. Kept as JSON until read: an engine may not know a newer client's command.
    Command {
        /// Number by which the answer names it.
        id: u64,
        /// A [`Command`](crate::monitor::Command).
        command: serde_json::Value,
    },
}

/// A message as a line.
pub fn line(message: &impl Serialize) -> Result<Vec<u8>, serde_json::Error> {
    let mut bytes = serde_json::to_vec(message)?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// What a client that keeps history and events already has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Had {
    /// Its newest cycle in the history.
    pub cycle: u64,
    /// Its newest event.
    pub event: u64,
    /// Its newest point of the last hour.
    pub hour: u64,
}

impl Had {
    /// What a client has that was just sent this snapshot.
    #[must_use]
    pub fn of(snapshot: &Snapshot) -> Self {
        Self {
            cycle: snapshot.history.last().map_or(0, |point| point.cycle),
            event: snapshot.events.last().map_or(0, |event| event.seq),
            hour: snapshot.hour.last().map_or(0, |point| point.n),
        }
    }
}

/// Puts the history and events of the snapshot before under those of an update.
pub fn complete(update: &mut Snapshot, before: &Snapshot) {
    update.history = joined(&before.history, &update.history, HISTORY_POINTS);
    update.hour = joined(&before.hour, &update.hour, HOUR_POINTS);
    update.events = joined(&before.events, &update.events, EVENTS_KEPT);
}

/// The newest `most` of what is old and what is new.
pub(super) fn joined<T: Clone>(old: &Arc<Vec<T>>, new: &Arc<Vec<T>>, most: usize) -> Arc<Vec<T>> {
    if new.is_empty() {
        return Arc::clone(old);
    }
    let all = old.iter().chain(new.iter());
    Arc::new(all.skip((old.len() + new.len()).saturating_sub(most)).cloned().collect())
}

/// A line could not be had.
#[derive(Debug, thiserror::Error)]
pub enum LineError {
    /// The other end hung up.
    #[error("the other end hung up")]
    Closed,
    /// It sent a line that is longer than any message.
    #[error("a line of more than {0} bytes")]
    TooLong(usize),
    /// The connection failed.
    #[error("{0}")]
    Io(#[from] std::io::Error),
}

/// So much room is kept for the next line whatever the last one took, bytes.
const ROOM_KEPT: usize = 16 * 1024;

/// Reads lines of bounded length. A call that is dropped half-way loses nothing.
///
/// Not `tokio_util::codec::LinesCodec`: that copies each line, of up to 64 MiB, into a string of its own, and hands out a
/// line that was cut when the other end died as if it were whole.
#[derive(Debug)]
pub struct Lines<R> {
    reader: R,
    held: Vec<u8>,
    done: bool,
    most: usize,
}

impl<R: AsyncBufRead + Unpin> Lines<R> {
    /// Lines of `reader`, each at most `most` bytes.
    pub fn new(reader: R, most: usize) -> Self {
        Self { reader, held: Vec::new(), done: false, most }
    }

    /// The next line without its end, good until the next call.
    pub async fn next(&mut self) -> Result<&[u8], LineError> {
        if self.done {
            // The first line is whole, those after it tell what differs: its room is not kept for them.
            if self.held.capacity() > ROOM_KEPT && self.held.len() < self.held.capacity() / 4 {
                self.held = Vec::new();
            }
            self.held.clear();
            self.done = false;
        }
        loop {
            let chunk = self.reader.fill_buf().await?;
            if chunk.is_empty() {
                return Err(LineError::Closed);
            }
            let end = chunk.iter().position(|byte| *byte == b'\n');
            let taken = end.unwrap_or(chunk.len());
            if self.held.len() + taken > self.most {
                return Err(LineError::TooLong(self.most));
            }
            self.held.extend_from_slice(&chunk[..taken]);
            self.reader.consume(taken + usize::from(end.is_some()));
            if end.is_some() {
                self.done = true;
                return Ok(&self.held);
            }
        }
    }
}
