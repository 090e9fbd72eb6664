//! What a program publishes of its own state: a session file, as Claude Code writes one (`sessions/PID.json` under its
//! settings folder). Where it is, a profile says (`session_file`).
//!
//! The file is not documented, so it only fills in what the screen does not show. It counts when it is ours, and
//! names the process that we see, by pid and start time: after a crash it stays behind. Its neighbour `PID.HASH.key` is
//! a secret and is never opened. Its `tmux` field is not used: of an agent inside a nested tmux it names a pane of the
//! inner server.

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use futures_util::FutureExt;
use jiff::Timestamp;
use serde::Deserialize;
use tokio::task::JoinHandle;

use crate::monitor::detect::{Observation, Process, Profile, Profiles, Published, Verdict, judge};
use crate::monitor::facts::{file, process};

/// Most bytes of the file that are read; it has a few hundred.
const MOST: u64 = 64 * 1024;

/// Longest word of it that is kept, characters.
const LONGEST: usize = 120;

/// How long a verdict waits for it: a disk that does not answer holds no cycle up.
const WAIT: Duration = Duration::from_millis(100);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct File {
    pid: u32,
    #[serde(default)]
    proc_start: Option<serde_json::Value>,
    status: String,
    #[serde(default)]
    waiting_for: Option<String>,
    #[serde(default)]
    status_updated_at: Option<serde_json::Value>,
    #[serde(default)]
    updated_at: Option<serde_json::Value>,
}

/// The session file of one process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionFile {
    path: PathBuf,
    pid: u32,
    /// The process's start in the kernel's units, 0 when unknown.
    start: u64,
    /// Who must own the file: the user whose process it is.
    owner: u32,
}

impl SessionFile {
    /// Where the program of `process` writes it: in the folder that a variable of its own environment names, else in
    /// its own home folder, else in ours. `None` when its profile knows of none, or the process is not ours: another
    /// user's variables are not for us to follow.
    #[must_use]
    pub fn of(profile: &Profile, process: &Process) -> Option<Self> {
        let known = profile.session_file.as_ref()?;
        let owner = process::owner(process.pid).filter(|owner| *owner == rustix::process::geteuid().as_raw())?;
        let own =
            |name: &str| process::variable(process.pid, name).filter(|value| value.starts_with('/')).map(PathBuf::from);
        let folder = known.variable.as_deref().and_then(own).or_else(|| {
            let home = own("HOME").or_else(|| std::env::var_os("HOME").map(PathBuf::from));
            home.map(|home| home.join(&known.home))
        })?;
        let path = folder.join(known.path.replace("{pid}", &process.pid.to_string()));
        Some(Self { path, pid: process.pid, start: process.start, owner })
    }

    fn read(&self) -> Option<Published> {
        let bytes = file::read_foreign(&self.path, MOST, self.owner).ok()?;
        parse(std::str::from_utf8(&bytes).ok()?, self.pid, self.start)
    }
}

/// What the program in a pane publishes, read once. Which program that is, a first judgement without it says.
pub async fn read(profiles: &Profiles, seen: &Observation<'_>) -> Option<Published> {
    let Verdict { agent, pid, .. } = judge(profiles, seen)?;
    let process = seen.processes.iter().find(|process| Some(process.pid) == pid)?;
    let file = SessionFile::of(profiles.get(&agent)?, process)?;
    file::beside(WAIT * 10, move || file.read()).await.flatten()
}

/// One session file, read again and again. Every read is on a thread of its own, one at a time.
#[derive(Debug)]
pub struct Watch {
    file: SessionFile,
    /// What it said last.
    last: Option<Published>,
    asked_at: Option<Instant>,
    reading: Option<JoinHandle<Option<Published>>>,
}

impl Watch {
    /// Watches `file`, unread as yet.
    #[must_use]
    pub fn new(file: SessionFile) -> Self {
        Self { file, last: None, asked_at: None, reading: None }
    }

    /// What it says now; what it said last when the disk does not answer soon.
    pub async fn now(&mut self) -> Option<Published> {
        if self.start()
            && let Some(reading) = &mut self.reading
            && let Ok(read) = tokio::time::timeout(WAIT, reading).await
        {
            self.reading = None;
            self.last = read.ok().flatten();
        }
        self.last.clone()
    }

    /// Whether it says something new. It is read at most once in `every`, and a later call returns what that brought.
    pub fn has_news(&mut self, now: Instant, every: Duration) -> bool {
        let read = self.reading.as_mut().and_then(FutureExt::now_or_never);
        let news = read.is_some_and(|read| {
            self.reading = None;
            let read = read.ok().flatten();
            std::mem::replace(&mut self.last, read) != self.last
        });
        let due = self.asked_at.is_none_or(|at| now.saturating_duration_since(at) >= every);
        if due && self.start() {
            self.asked_at = Some(now);
        }
        news
    }

    /// Begins a read; `false` while one is still under way.
    fn start(&mut self) -> bool {
        if self.reading.as_ref().is_some_and(|reading| !reading.is_finished()) {
            return false;
        }
        let file = self.file.clone();
        self.reading = file::start(move || file.read());
        self.reading.is_some()
    }
}

pub(crate) fn parse(text: &str, pid: u32, start: u64) -> Option<Published> {
    // Claude may be in the middle of writing it: then the next look will do.
    let found: File = serde_json::from_str(text).ok()?;
    let same =
        found.pid == pid && (start == 0 || found.proc_start.as_ref().and_then(number).is_none_or(|s| s == start));
    if !same {
        return None;
    }
    let at = found.status_updated_at.as_ref().or(found.updated_at.as_ref()).and_then(time);
    let words = |text: &str| file::words(text, LONGEST);
    Some(Published { status: words(&found.status), waiting_for: found.waiting_for.as_deref().map(words), at })
}

fn number(value: &serde_json::Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.trim().parse().ok())
}

fn time(value: &serde_json::Value) -> Option<Timestamp> {
    match value.as_i64() {
        Some(ms) => Timestamp::from_millisecond(ms).ok(),
        None => value.as_str()?.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tmux::Pane;

    const TEXT: &str = r#"{"pid":42,"procStart":"777","status":"waiting","waitingFor":"permission prompt","tmux":"in:@0.%0","statusUpdatedAt":1795533994964}"#;

    #[test]
    fn the_file_of_this_very_process_is_believed() {
        let got = parse(TEXT, 42, 777).unwrap();
        assert_eq!((got.status.as_str(), got.waiting_for.as_deref()), ("waiting", Some("permission prompt")));
        assert_eq!(got.at.unwrap().as_millisecond(), 1_795_533_994_964);
        assert_eq!(parse(TEXT, 42, 778), None, "another process with that pid");
        assert_eq!(parse(TEXT, 43, 777), None);
        assert_eq!(parse(&TEXT[..60], 42, 777), None, "half written");
    }

    #[test]
    fn its_words_are_safe_to_show() {
        let long = format!("{}{}", r"a\u009b31m\u202e\u200bb", "x".repeat(50_000));
        let got = parse(&TEXT.replace("permission prompt", &long), 42, 777).unwrap().waiting_for.unwrap();
        assert!(got.starts_with("a31mbxxx") && got.chars().count() <= LONGEST + 1, "{got:?}");
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn the_file_of_a_process_of_ours_is_found_by_its_own_variables_and_watched() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("sessions")).unwrap();
        let mut child =
            std::process::Command::new("sleep").arg("600").env("CLAUDE_CONFIG_DIR", dir.path()).spawn().unwrap();
        let profiles = Profiles::embedded();
        // Between fork and exec it still has our environment.
        let process = loop {
            let found = process::under(child.id()).into_iter().next().unwrap();
            if found.comm == "sleep" {
                break found;
            }
        };
        let file = SessionFile::of(profiles.get("claude").unwrap(), &process).unwrap();
        assert_eq!(SessionFile::of(profiles.get("codex").unwrap(), &process), None);
        let write = |status: &str| {
            let text = format!(r#"{{"pid":{},"procStart":{},"status":"{status}"}}"#, process.pid, process.start);
            std::fs::write(dir.path().join(format!("sessions/{}.json", process.pid)), text).unwrap();
        };
        let mut watch = Watch::new(file);
        assert_eq!(watch.now().await, None);
        write("busy");
        assert_eq!(watch.now().await.map(|said| said.status).as_deref(), Some("busy"));
        write("idle");
        while !watch.has_news(Instant::now(), Duration::ZERO) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        assert_eq!(watch.last.as_ref().map(|said| said.status.as_str()), Some("idle"));
        let claude = Process { comm: "claude".into(), args: vec!["claude".into()], ..process };
        let seen = Observation {
            pane: &Pane::default(),
            screen: None,
            processes: std::slice::from_ref(&claude),
            published: None,
            known_agent: Some("claude"),
            named: None,
            previous: None,
            now: Timestamp::UNIX_EPOCH,
            zone: None,
        };
        let read = read(&profiles, &seen).await;
        assert_eq!(read.map(|said| said.status).as_deref(), Some("idle"));
        child.kill().unwrap();
        child.wait().unwrap();
    }
}
