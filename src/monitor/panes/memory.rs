//! What is remembered of the agents from one engine to the next: their state, since when, and of which process.
//!
//! Without it an engine that starts would take each agent for one that has just come, and nobody would know who has
//! waited longest. An agent goes on only when it is provably the same: the same tmux server, pane and process.
//!
//! Long because its tests, which write what strangers may have written, stand with it: without them it is 280 lines.

use std::{
    collections::HashMap,
    fs::{self, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::Path,
};

use jiff::Timestamp;
use rustix::fs::OFlags;
use serde::{Deserialize, Serialize};

use crate::monitor::detect::Verdict;
use crate::monitor::{
    Account, Agent, AgentState, Limit, Snapshot, TRANSITIONS_KEPT, Tidy, TidyChange, Tidying, Transition,
};
use crate::tmux::{Pane, PaneId, clean};

/// Version of the file. Another one is not read.
const VERSION: u32 = 1;

/// Largest file that is read, bytes: some ten thousand agents.
const LARGEST: u64 = 8 << 20;

/// Most agents that are remembered.
const MOST: usize = 10_000;

/// Most accounts that are remembered, and most limits of one.
const MOST_ACCOUNTS: usize = 64;
const MOST_LIMITS: usize = 16;

/// Most characters of a word that is read back.
const LONGEST_WORD: usize = 64;

/// What was last known of the agents of one tmux server.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Memory {
    version: u32,
    /// When it was so.
    at: Timestamp,
    /// The server's process and the second of its start: pane ids of another server mean other panes.
    server: (u32, Option<i64>),
    agents: Vec<Remembered>,
    /// The accounts and their limits: of what was told once is not told again.
    #[serde(default)]
    accounts: Vec<Account>,
}

/// What was last known of one agent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Remembered {
    pane_id: PaneId,
    pane_pid: u32,
    pub(crate) agent: String,
    pid: Option<u32>,
    start: Option<u64>,
    pub(crate) state: AgentState,
    pub(crate) kind: Option<String>,
    pub(crate) since: Timestamp,
    pub(crate) last_change: Timestamp,
    #[serde(default)]
    pub(crate) transitions: Vec<Transition>,
    #[serde(default)]
    pub(crate) tidy: Tidy,
}

/// What was remembered cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {why}; the ages of the agents begin anew")]
pub struct MemoryError {
    path: String,
    why: String,
}

impl Memory {
    /// What a snapshot holds of the agents; `None` before its first cycle.
    #[must_use]
    pub fn of(snapshot: &Snapshot) -> Option<Self> {
        let server = (snapshot.server.pid?, snapshot.server.started);
        let agents = snapshot.agents.iter().take(MOST).map(Remembered::of).collect();
        let accounts = snapshot.accounts.iter().take(MOST_ACCOUNTS).cloned().collect();
        Some(Self { version: VERSION, at: snapshot.timestamp, server, agents, accounts })
    }

    /// Whether it holds the same of the agents, whenever that was.
    #[must_use]
    pub fn says_the_same_as(&self, other: &Self) -> bool {
        self.server == other.server
            && self.agents.len() == other.agents.len()
            && self.agents.iter().zip(&other.agents).all(|(a, b)| a.says_the_same_as(b))
            && limits(&self.accounts).eq(limits(&other.accounts))
    }

    /// What was put on agents of this snapshot later than it knows, as changes of the same programs.
    #[must_use]
    pub fn tidied_later(&self, snapshot: &Snapshot) -> Vec<Tidying> {
        let later = |(known, agent): (&Remembered, &Agent)| {
            (known.tidy.at > agent.tidied_at).then(|| Tidying {
                pane_id: agent.pane_id,
                pid: agent.pid,
                start: agent.start,
                change: TidyChange::As(known.tidy.clone()),
            })
        };
        self.pairs(snapshot).filter_map(later).collect()
    }

    /// Takes in what was put on agents of this snapshot later than what is remembered. Says whether there was any.
    pub fn take_tidied(&mut self, snapshot: &Snapshot) -> bool {
        let later = |(known, agent): (&Remembered, &Agent)| {
            (agent.tidied_at > known.tidy.at).then(|| (known.pane_id, Tidy::of(agent)))
        };
        let later: Vec<(PaneId, Tidy)> = self.pairs(snapshot).filter_map(later).collect();
        for (pane, tidy) in &later {
            let known = self.agents.iter_mut().filter(|known| known.pane_id == *pane);
            known.for_each(|known| known.tidy = tidy.clone());
        }
        !later.is_empty()
    }

    /// The agents that are remembered and there, of the same programs.
    fn pairs<'a>(&'a self, snapshot: &'a Snapshot) -> impl Iterator<Item = (&'a Remembered, &'a Agent)> {
        let same_server = Some(self.server.0) == snapshot.server.pid && self.server.1 == snapshot.server.started;
        let there: HashMap<PaneId, &Agent> = match same_server {
            true => snapshot.agents.iter().map(|agent| (agent.pane_id, agent)).collect(),
            false => HashMap::new(),
        };
        self.agents.iter().filter_map(move |known| {
            let agent = *there.get(&known.pane_id)?;
            let same = (known.pane_pid, known.pid, known.start) == (agent.pane_pid, agent.pid, agent.start);
            same.then_some((known, agent))
        })
    }

    /// The accounts that were known.
    #[must_use]
    pub(crate) fn accounts(&self) -> &[Account] {
        &self.accounts
    }

    /// Whether there is nobody to remember.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.agents.is_empty() && self.accounts.is_empty()
    }

    /// The later one of two.
    #[must_use]
    pub fn later(one: Option<Self>, other: Option<Self>) -> Option<Self> {
        match (one, other) {
            (Some(one), Some(other)) => Some(if other.at > one.at { other } else { one }),
            (one, other) => one.or(other),
        }
    }

    /// Reads a file; `None` when there is none.
    ///
    /// # Errors
    /// When it is not a file of our own, too large, of another version or none of ours.
    pub fn load(path: &Path) -> Result<Option<Self>, MemoryError> {
        let wrong = |why: String| MemoryError { path: path.display().to_string(), why };
        let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY;
        let flags = i32::try_from(flags.bits()).unwrap_or(0);
        let file = match OpenOptions::new().read(true).custom_flags(flags).open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(wrong(format!("cannot be read: {error}"))),
        };
        let meta = file.metadata().map_err(|error| wrong(format!("cannot be looked at: {error}")))?;
        if !meta.is_file() || meta.uid() != rustix::process::geteuid().as_raw() {
            return Err(wrong("is no file of this user".to_owned()));
        }
        let mut bytes = Vec::new();
        file.take(LARGEST + 1).read_to_end(&mut bytes).map_err(|error| wrong(format!("cannot be read: {error}")))?;
        if bytes.len() as u64 > LARGEST {
            return Err(wrong(format!("is larger than {LARGEST} bytes")));
        }
        let mut memory: Self =
            serde_json::from_slice(&bytes).map_err(|error| wrong(format!("is none of ours: {error}")))?;
        if memory.version != VERSION {
            return Err(wrong(format!("has version {}, not {VERSION}", memory.version)));
        }
        memory.agents.truncate(MOST);
        memory.agents.iter_mut().for_each(Remembered::sanitise);
        memory.accounts.truncate(MOST_ACCOUNTS);
        memory.accounts.iter_mut().for_each(|account| {
            (account.program, account.name) = (clean(&account.program), clean(&account.name));
            account.limits.truncate(MOST_LIMITS);
        });
        Ok(Some(memory))
    }

    /// Writes a file that only its owner can read, whole or not at all, and waits until the disk has it.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn save(&self, path: &Path) -> io::Result<()> {
        let fresh = path.with_extension(format!("{}.tmp", std::process::id()));
        let written = self.write(&fresh).and_then(|()| fs::rename(&fresh, path));
        if written.is_err() {
            fs::remove_file(&fresh).ok();
        }
        written
    }

    fn write(&self, path: &Path) -> io::Result<()> {
        // Left by a process of this id that was killed while it wrote.
        fs::remove_file(path).ok();
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        file.write_all(&serde_json::to_vec(self)?)?;
        file.sync_all()
    }

    /// What is remembered of the panes of this server, each only if it has the same process as then.
    pub(crate) fn of_server<'a>(
        self,
        server: (u32, Option<i64>),
        pane: impl Fn(PaneId) -> Option<&'a Pane>,
    ) -> Vec<(PaneId, Remembered)> {
        let known = matches!((self.server.1, server.1), (Some(then), Some(now)) if then == now);
        if self.server.0 != server.0 || !known {
            return Vec::new();
        }
        let there = |one: &Remembered| pane(one.pane_id).is_some_and(|pane| pane.pid == one.pane_pid);
        self.agents.into_iter().filter(there).map(|one| (one.pane_id, one)).collect()
    }
}

/// What is remembered of limits, without when it was told: that moves with every request.
fn limits(accounts: &[Account]) -> impl Iterator<Item = (&str, &str, Option<u64>, String, Option<Timestamp>)> {
    accounts.iter().flat_map(|account| {
        let of = |limit: &Limit| (limit.minutes, format!("{:.0}", limit.used_percent.floor()), limit.resets_at);
        account
            .limits
            .iter()
            .map(of)
            .map(|(minutes, used, end)| (account.program.as_str(), account.name.as_str(), minutes, used, end))
    })
}

impl Remembered {
    fn of(agent: &Agent) -> Self {
        Self {
            pane_id: agent.pane_id,
            pane_pid: agent.pane_pid,
            agent: agent.agent.clone(),
            pid: agent.pid,
            start: agent.start,
            state: agent.state,
            kind: agent.kind.clone(),
            since: agent.since,
            last_change: agent.last_change,
            transitions: agent.transitions.clone(),
            tidy: Tidy::of(agent),
        }
    }

    fn says_the_same_as(&self, other: &Self) -> bool {
        // Not `last_change`: it moves with every read of an agent that works.
        let facts = |one: &Self| (one.pane_id, one.pane_pid, one.pid, one.start, one.state, one.since);
        facts(self) == facts(other) && self.agent == other.agent && self.kind == other.kind && self.tidy == other.tidy
    }

    /// Makes what a stranger may have written safe to show.
    fn sanitise(&mut self) {
        fn word(word: &str) -> String {
            clean(word).chars().take(LONGEST_WORD).collect()
        }
        self.tidy.sanitise();
        self.agent = word(&self.agent);
        self.kind = self.kind.as_deref().map(word);
        self.transitions.truncate(TRANSITIONS_KEPT);
        self.transitions.iter_mut().for_each(|past| past.kind = past.kind.as_deref().map(word));
    }

    /// Whether a verdict is about the very same program: the same process, or the one that has ended since.
    pub(crate) fn is_of(&self, verdict: &Verdict) -> bool {
        let process = match (self.pid, verdict.pid) {
            (Some(then), Some(now)) => then == now && self.start == verdict.start,
            // Gone since, or out of sight as before (in a container, over ssh): the pane's own process is the same.
            (_, None) => self.pid.is_none() || verdict.state == AgentState::Exited,
            (None, Some(_)) => false,
        };
        process && self.agent == verdict.agent
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::monitor::Source;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    pub(in crate::monitor::panes) fn remembered() -> Remembered {
        Remembered {
            pane_id: PaneId(1),
            pane_pid: 50,
            agent: "claude".into(),
            pid: Some(60),
            start: Some(7),
            state: AgentState::Waiting,
            kind: Some("permission".into()),
            since: at(0),
            last_change: at(5),
            transitions: vec![Transition { at: at(0), from: AgentState::Working, to: AgentState::Waiting, kind: None }],
            tidy: Tidy::default(),
        }
    }

    fn memory() -> Memory {
        Memory {
            version: VERSION,
            at: at(9),
            server: (40, Some(1_700_000_000)),
            agents: vec![remembered()],
            accounts: Vec::new(),
        }
    }

    #[test]
    fn it_comes_back_as_it_was_and_only_its_owner_reads_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.agents");
        assert_eq!(Memory::load(&path).unwrap(), None);
        memory().save(&path).unwrap();
        memory().save(&path).unwrap();
        assert_eq!(Memory::load(&path).unwrap(), Some(memory()));
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "nothing beside it");
        assert!(memory().save(&dir.path().join("nowhere/x")).is_err());
    }

    #[test]
    fn what_is_none_of_ours_is_refused_in_words() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.agents");
        let refused = || Memory::load(&path).unwrap_err().to_string();
        fs::write(&path, "{").unwrap();
        assert!(refused().contains("none of ours"));
        fs::write(&path, serde_json::to_vec(&Memory { version: 99, ..memory() }).unwrap()).unwrap();
        assert!(refused().contains("version 99"));
        fs::write(&path, vec![b' '; usize::try_from(LARGEST).unwrap() + 1]).unwrap();
        assert!(refused().contains("larger than"));
        fs::remove_file(&path).unwrap();
        std::os::unix::fs::symlink("/etc/passwd", &path).unwrap();
        assert!(refused().contains("cannot be read"));
        fs::remove_file(&path).unwrap();
        // Opened, a pipe without a writer would never answer.
        assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
        assert!(refused().contains("no file"));
    }

    #[test]
    fn of_two_who_tidy_the_same_agent_the_later_one_is_right() {
        let agent = |tidied: Option<i64>, pid| {
            let mut agent: Agent = serde_json::from_value(serde_json::json!({ "pane_id": "%1" })).unwrap();
            (agent.pane_pid, agent.pid, agent.start) = (50, Some(pid), Some(7));
            (agent.pinned, agent.tidied_at) = (tidied.is_some(), tidied.map(at));
            agent
        };
        let snapshot = |agent: Agent| {
            let mut snapshot = Snapshot { agents: vec![agent].into(), ..Snapshot::default() };
            (snapshot.server.pid, snapshot.server.started) = (Some(40), Some(1_700_000_000));
            snapshot
        };
        let mut known = memory();
        known.agents[0].tidy = Tidy { parked: true, at: Some(at(5)), ..Tidy::default() };
        // What is written down is later than what this engine knows.
        let told = known.tidied_later(&snapshot(agent(Some(3), 60)));
        assert_eq!((told.len(), told[0].change.clone()), (1, TidyChange::As(known.agents[0].tidy.clone())));
        assert_eq!(Tidy::default().after(told[0].change.clone(), at(9)), known.agents[0].tidy);
        assert!(!known.clone().take_tidied(&snapshot(agent(Some(3), 60))));
        // This engine's is later.
        assert_eq!(known.tidied_later(&snapshot(agent(Some(6), 60))), []);
        assert!(known.take_tidied(&snapshot(agent(Some(6), 60))));
        assert!(known.agents[0].tidy.pinned && !known.agents[0].tidy.parked);
        assert!(!known.take_tidied(&snapshot(agent(Some(6), 60))), "once");
        // Another program in that pane, and another server.
        assert!(!known.take_tidied(&snapshot(agent(Some(8), 61))));
        let mut other = snapshot(agent(Some(8), 60));
        other.server.pid = Some(41);
        assert!(!known.take_tidied(&other) && known.tidied_later(&other).is_empty());
    }

    #[test]
    fn words_of_a_stranger_are_made_safe() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.agents");
        let mut hostile = memory();
        hostile.agents[0].tidy.note = Some("\x1b[2Jx".repeat(1000));
        hostile.agents[0].tidy.name = Some("\x07".to_owned());
        hostile.agents[0].kind = Some("\x1b[2J\u{202e}x".repeat(100));
        hostile.agents[0].transitions = vec![hostile.agents[0].transitions[0].clone(); 500];
        hostile.save(&path).unwrap();
        let read = Memory::load(&path).unwrap().unwrap().agents.remove(0);
        let kind = read.kind.unwrap();
        assert!(kind.chars().count() <= LONGEST_WORD && !kind.contains(['\x1b', '\u{202e}']), "{kind:?}");
        assert_eq!(read.transitions.len(), TRANSITIONS_KEPT);
        assert_eq!((read.tidy.name, read.tidy.note.map(|note| note.chars().count() <= 200)), (None, Some(true)));
    }

    #[test]
    fn only_the_same_server_pane_and_process_goes_on() {
        let pane = Pane { id: PaneId(1), pid: 50, ..Pane::default() };
        let other = Pane { pid: 51, ..pane.clone() };
        let known = |server, pane: &Pane| memory().of_server(server, |_| Some(pane)).len();
        assert_eq!(known((40, Some(1_700_000_000)), &pane), 1);
        assert_eq!(known((40, Some(1_700_000_001)), &pane), 0, "a server that was started later");
        assert_eq!(known((41, Some(1_700_000_000)), &pane), 0);
        assert_eq!(known((40, None), &pane), 0, "not provable");
        assert_eq!(known((40, Some(1_700_000_000)), &other), 0, "respawned");

        let verdict = |agent: &str, pid, start, state| {
            let mut verdict = Verdict::blank(agent, "", pid).say(state, None, "", "", Source::Screen);
            verdict.start = start;
            verdict
        };
        let is = |verdict: &Verdict| remembered().is_of(verdict);
        assert!(is(&verdict("claude", Some(60), Some(7), AgentState::Idle)));
        assert!(is(&verdict("claude", None, None, AgentState::Exited)));
        assert!(!is(&verdict("claude", Some(60), Some(8), AgentState::Idle)), "the pid was given anew");
        assert!(!is(&verdict("claude", Some(61), Some(7), AgentState::Idle)));
        assert!(!is(&verdict("codex", Some(60), Some(7), AgentState::Idle)));
        assert!(!is(&verdict("claude", None, None, AgentState::Idle)), "another one, out of sight");
    }
}
