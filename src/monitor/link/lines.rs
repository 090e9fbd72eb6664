//! What a bridge and its hub say to each other: a hello, then lines that begin with whom they are for.
//!
//! `KEY {json}` is a line of the member of this key, which an engine or its client wrote and nobody on the way reads; `- {json}`
//! is one of the bridge itself. A line under a key that begins as a hello is the first of a new connection to that engine. Acts go to a member's key and are the bridge's to do.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Version of these messages; the lowest that is understood is [`OLDEST`].
pub(crate) const PROTOCOL: u32 = 1;
/// The oldest version of them that is understood.
pub(crate) const OLDEST: u32 = 1;

/// How the bridge's first line begins. What comes before it is not of us.
pub(crate) const HELLO: &[u8] = b"{\"hello\":";
/// How an act begins.
pub(crate) const ACT: &[u8] = b"{\"act\":";
/// How the answer to an act begins.
pub(crate) const ACTED: &[u8] = b"{\"acted\":";
/// The bridge itself.
pub(crate) const BRIDGE: &str = "-";

/// Longest line that an act may be, bytes.
pub(crate) const LONGEST_ACT: usize = 128 * 1024;
/// Longest line from the hub, bytes: an act, or a client's, and whom it is for.
pub(crate) const LONGEST_FROM_HUB: usize = LONGEST_ACT + LONGEST_KEY + 1;
/// Longest line from a bridge, bytes.
pub(crate) const LONGEST_FROM_BRIDGE: usize = 8 * 1024 * 1024;
/// Longest key of a member.
const LONGEST_KEY: usize = 200;
/// Most members of one host.
pub(crate) const MOST_MEMBERS: usize = 16;

/// Who a bridge is: its first line.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct BridgeHello {
    /// [`PROTOCOL`] of the bridge.
    pub(crate) protocol: u32,
    /// The oldest one that it understands.
    pub(crate) oldest: u32,
    /// Version of its tmux-orc.
    pub(crate) version: String,
    /// Its clock when it said so.
    pub(crate) at: Option<Timestamp>,
    /// Nothing is typed into a pane there, whatever is asked.
    pub(crate) read_only: bool,
    /// Its engines notify of changes themselves.
    pub(crate) tells: bool,
    /// Of a bridge: its machine has hosts of its own. Of a hub: they are wanted too. A bridge that is a hub itself wants
    /// none: two levels are enough, and hosts that name each other would go round for ever.
    pub(crate) hosts: bool,
}

impl BridgeHello {
    /// Whether the two understand each other.
    pub(crate) fn understood(&self) -> bool {
        let oldest = if self.oldest == 0 { self.protocol } else { self.oldest };
        oldest <= PROTOCOL && self.protocol >= OLDEST
    }
}

/// A member as its bridge names it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct MemberLine {
    /// By what it is addressed.
    pub(crate) key: String,
    /// What people call its tmux server.
    pub(crate) name: String,
    /// How it is with it, for people.
    pub(crate) status: String,
}

/// A host of the bridge's own machine as the bridge reaches it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct BehindLine {
    /// What the settings there call it, which is also how its members' names begin.
    pub(crate) name: String,
    /// Why it is not reached; `None`: it is, or that is not known yet.
    pub(crate) why: Option<String>,
    /// How many members it has, once it has said so.
    pub(crate) members: Option<usize>,
}

/// A line of the bridge itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum FromBridge {
    /// Who it is.
    Hello(BridgeHello),
    /// All its members.
    Members(Vec<MemberLine>),
    /// All the hosts of its machine. An older one does not say.
    Behind(Vec<BehindLine>),
    /// The connection to this member's engine is gone; another one is tried.
    Closed {
        /// Which one.
        key: String,
        /// Why.
        #[serde(default)]
        why: String,
    },
    /// It is there.
    Pong(u64),
    /// It ends, and why.
    Ending {
        /// Why.
        #[serde(default)]
        why: String,
    },
}

/// A line for the bridge itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ToBridge {
    /// Who the hub is.
    Hello(BridgeHello),
    /// Whether it is there.
    Ping(u64),
}

/// Something to be done to a pane.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct ActLine {
    /// By which its answer is known; never the same one twice.
    pub(crate) id: u64,
    /// What is to be done.
    pub(crate) act: serde_json::Value,
}

/// How an act ended.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct ActedLine {
    /// Which one.
    pub(crate) id: u64,
    /// It was done.
    pub(crate) ok: bool,
    /// In words.
    pub(crate) text: String,
}

/// A line of acts, as it is under a member's key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Acting {
    /// Do this.
    Act(ActLine),
    /// It ended so.
    Acted(ActedLine),
}

/// A line under a key, with its end.
pub(crate) fn addressed(key: &str, json: &[u8]) -> Vec<u8> {
    let mut line = Vec::with_capacity(key.len() + json.len() + 2);
    line.extend_from_slice(key.as_bytes());
    line.push(b' ');
    line.extend_from_slice(json);
    line.push(b'\n');
    line
}

/// A message under a key, with its line's end. What is written here always can be.
pub(crate) fn message(key: &str, message: &impl Serialize) -> Vec<u8> {
    addressed(key, &serde_json::to_vec(message).unwrap_or_default())
}

/// Whom a line is for, and the rest of it. `None`: it is no line of ours.
pub(crate) fn split(line: &[u8]) -> Option<(&str, &[u8])> {
    let end = line.iter().take(LONGEST_KEY + 1).position(|byte| *byte == b' ')?;
    let key = std::str::from_utf8(&line[..end]).ok().filter(|key| is_key(key))?;
    Some((key, &line[end + 1..]))
}

/// Whether members may be addressed so.
pub(crate) fn is_key(key: &str) -> bool {
    (1..=LONGEST_KEY).contains(&key.len()) && key.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._/".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_whom_it_is_for_and_the_rest_is_left_as_it_is() {
        assert_eq!(split(b"default-0a {\"a\": 1} x"), Some(("default-0a", &b"{\"a\": 1} x"[..])));
        assert_eq!(split(&message(BRIDGE, &ToBridge::Ping(7))), Some(("-", &b"{\"ping\":7}\n"[..])));
        for bad in [&b""[..], b"x", b" x", b"a\x1bb {}", "\u{202e}a {}".as_bytes(), &[b'a'; 300]] {
            assert_eq!(split(bad), None, "{bad:?}");
        }
        let act = message("k", &Acting::Act(ActLine { id: 1, act: serde_json::Value::Null }));
        assert!(split(&act).unwrap().1.starts_with(ACT));
        let acted = message("k", &Acting::Acted(ActedLine::default()));
        assert!(split(&acted).unwrap().1.starts_with(ACTED));
    }

    #[test]
    fn what_a_newer_bridge_adds_is_passed_over_and_what_an_older_one_lacks_is_not_missed() {
        let hello: FromBridge = serde_json::from_str(r#"{"hello":{"protocol":9,"oldest":1,"new":[1]}}"#).unwrap();
        assert!(matches!(hello, FromBridge::Hello(hello) if hello.understood() && hello.version.is_empty()));
        let newer = BridgeHello { protocol: 9, oldest: 2, ..BridgeHello::default() };
        assert!(!newer.understood() && !BridgeHello::default().understood());
    }
}
