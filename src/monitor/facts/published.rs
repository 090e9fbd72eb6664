//! What a program publishes of its own state: a session file, as Claude Code and cline write one. Where it is, which of its
//! fields are read and what its words mean, a profile says (`session_file`).
//!
//! Such files are not documented, so they only fill in what the screen does not show. One counts when it is ours and
//! names the process that we see, by pid and, where it has it, start time: after a crash it stays behind. Nothing beside
//! it is opened: neighbours may be secrets. What it says of tmux is not used: of an agent inside a nested tmux it names a
//! pane of the inner server.

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant, SystemTime},
};

use futures_util::FutureExt;
use jiff::Timestamp;
use serde_json::{Map, Value};
use tokio::task::JoinHandle;

use crate::monitor::detect::{Observation, Process, Profile, Profiles, Published, SessionFields, Verdict, judge};
use crate::monitor::facts::transcripts::find::session_in;
use crate::monitor::facts::{file, process};

/// Most bytes of the file that are read; it has a few hundred.
const MOST: u64 = 64 * 1024;

/// Most names in a folder of sessions that are looked at.
const MOST_NAMES: usize = 4096;

/// Most of the newest files in a folder of sessions that are read: others than the agent's own may be written just now.
const MOST_FILES: usize = 8;

/// Longest word of it that is kept, characters.
const LONGEST: usize = 120;

/// How long a verdict waits for it: a disk that does not answer holds no cycle up.
const WAIT: Duration = Duration::from_millis(100);

/// Shortest time between two searches of a folder of sessions in which none was the agent's.
const SEARCH_EVERY: Duration = Duration::from_secs(5);

/// By how much a file's time may lie before the start of the process that wrote it: clocks are coarse.
const SLACK: Duration = Duration::from_secs(2);

/// The session file of one process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionFile {
    folder: PathBuf,
    /// Below the folder; `{session}` in it stands for a name that is to be found.
    path: String,
    fields: SessionFields,
    pid: u32,
    /// The process's start in the kernel's units, 0 when unknown.
    start: u64,
    /// Who must own the file: the user whose process it is.
    owner: u32,
}

/// What a read brought: where the file is, and what it says.
type Found = Option<(PathBuf, Published)>;

impl SessionFile {
    /// Where the program of `process` writes it: in the folder that a variable of its own environment names, else in
    /// its own home folder, else in ours. `None` when its profile knows of none, or the process is not ours: another
    /// user's variables are not for us to follow.
    #[must_use]
    pub fn of(profile: &Profile, process: &Process) -> Option<Self> {
        let known = profile.session_file.as_ref()?;
        let (mut folders, owner) = process::folders(process.pid, known.variable.as_deref(), &[&known.home])?;
        let folder = folders.pop()?;
        let path = known.path.replace("{pid}", &process.pid.to_string());
        let (pid, start, fields) = (process.pid, process.start, known.fields.clone());
        Some(Self { folder, path, fields, pid, start, owner })
    }

    /// Reads it: at `known`, where it was found before, else by its name, else (`search`) the newest that is the process's.
    fn read(&self, known: Option<PathBuf>, search: bool) -> Found {
        let Some((before, _)) = self.path.split_once("{session}") else {
            return self.read_at(self.folder.join(&self.path));
        };
        let again = known.and_then(|path| self.read_at(path));
        if again.is_some() || !search {
            return again;
        }
        let candidate = |entry: std::io::Result<fs::DirEntry>| {
            let name = entry.ok()?.file_name().into_string().ok()?;
            let path = self.folder.join(self.path.replace("{session}", &name));
            Some((fs::symlink_metadata(&path).ok()?.modified().ok()?, path))
        };
        let entries = fs::read_dir(self.folder.join(before)).ok()?;
        let mut files: Vec<(SystemTime, PathBuf)> = entries.take(MOST_NAMES).filter_map(candidate).collect();
        files.sort_unstable_by(|a, b| b.cmp(a));
        files.into_iter().take(MOST_FILES).find_map(|(_, path)| self.read_at(path))
    }

    fn read_at(&self, path: PathBuf) -> Found {
        let bytes = file::read_foreign(&path, MOST, self.owner).ok()?;
        let mut said = parse(std::str::from_utf8(&bytes).ok()?, &self.fields, self.pid, self.start)?;
        let below = || path.strip_prefix(&self.folder).ok()?.to_str();
        said.session = said.session.or_else(|| session_in(&self.path, below()?));
        // A file without the start time may be that of an older process with this pid.
        (self.fields.start.is_some() || self.is_of_this_process(&path)).then_some((path, said))
    }

    fn is_of_this_process(&self, path: &Path) -> bool {
        let began = process::age(self.start).and_then(|age| SystemTime::now().checked_sub(age + SLACK));
        let written = fs::symlink_metadata(path).and_then(|found| found.modified());
        began.is_none_or(|began| written.is_ok_and(|written| written >= began))
    }
}

/// What the program in a pane publishes, read once. Which program that is, a first judgement without it says.
pub async fn read(profiles: &Profiles, seen: &Observation<'_>) -> Option<Published> {
    let Verdict { agent, pid, .. } = judge(profiles, seen)?;
    let process = seen.processes.iter().find(|process| Some(process.pid) == pid)?;
    let file = SessionFile::of(profiles.get(&agent)?, process)?;
    file::beside(WAIT * 10, move || file.read(None, true)).await.flatten().map(|(_, said)| said)
}

/// One session file, read again and again. Every read is on a thread of its own, one at a time.
#[derive(Debug)]
pub struct Watch {
    file: SessionFile,
    /// Where it is and what it said last.
    last: Found,
    asked_at: Option<Instant>,
    /// When it was looked for among the files of other processes, without success.
    searched_at: Option<Instant>,
    reading: Option<JoinHandle<Found>>,
}

impl Watch {
    /// Watches `file`, unread as yet.
    #[must_use]
    pub fn new(file: SessionFile) -> Self {
        Self { file, last: None, asked_at: None, searched_at: None, reading: None }
    }

    /// What it says now; what it said last when the disk does not answer soon.
    pub async fn now(&mut self) -> Option<Published> {
        // A search that has ended meanwhile is not begun again for some time: what it found must not be lost.
        self.take();
        if self.start()
            && let Some(reading) = &mut self.reading
            && let Ok(read) = tokio::time::timeout(WAIT, reading).await
        {
            self.reading = None;
            self.last = read.ok().flatten();
        }
        self.last.as_ref().map(|(_, said)| said.clone())
    }

    /// The session that it names, or that its own name tells.
    pub fn session(&self) -> Option<&str> {
        self.last.as_ref()?.1.session.as_deref()
    }

    /// Whether it says something new. It is read at most once in `every`, and a later call returns what that brought.
    pub fn has_news(&mut self, now: Instant, every: Duration) -> bool {
        let news = self.take();
        let due = self.asked_at.is_none_or(|at| now.saturating_duration_since(at) >= every);
        if due && self.start() {
            self.asked_at = Some(now);
        }
        news
    }

    /// Takes in a read that has come to its end. Says whether it brought something new.
    fn take(&mut self) -> bool {
        let Some(read) = self.reading.as_mut().and_then(FutureExt::now_or_never) else { return false };
        self.reading = None;
        let read = read.ok().flatten();
        std::mem::replace(&mut self.last, read) != self.last
    }

    /// Begins a read; `false` while one is still under way.
    fn start(&mut self) -> bool {
        if self.reading.as_ref().is_some_and(|reading| !reading.is_finished()) {
            return false;
        }
        let (file, known) = (self.file.clone(), self.last.as_ref().map(|(path, _)| path.clone()));
        let search = known.is_some() || self.searched_at.is_none_or(|at| at.elapsed() >= SEARCH_EVERY);
        if search && known.is_none() {
            self.searched_at = Some(Instant::now());
        }
        self.reading = file::start(move || file.read(known, search));
        self.reading.is_some()
    }
}

/// What a session file says of the process `pid` that started at `start`.
pub(crate) fn parse(text: &str, fields: &SessionFields, pid: u32, start: u64) -> Option<Published> {
    // The program may be in the middle of writing it: then the next look will do.
    let found: Map<String, Value> = serde_json::from_str(text).ok()?;
    let field = |name: &String| found.get(name).filter(|value| !value.is_null());
    let of_pid = field(&fields.pid).and_then(number) == Some(u64::from(pid));
    let started = fields.start.as_ref().and_then(field).and_then(number);
    let over = fields.ended.as_ref().and_then(field).is_some();
    if !of_pid || over || (start != 0 && started.is_some_and(|started| started != start)) {
        return None;
    }
    let words = |value: &Value| value.as_str().map(|text| file::words(text, LONGEST));
    Some(Published {
        status: field(&fields.status).and_then(words)?,
        detail: fields.detail.as_ref().and_then(field).and_then(words),
        at: fields.at.iter().find_map(field).and_then(time),
        session: fields.session.as_ref().and_then(field).and_then(words),
    })
}

fn number(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.trim().parse().ok())
}

fn time(value: &Value) -> Option<Timestamp> {
    match value.as_i64() {
        Some(ms) => Timestamp::from_millisecond(ms).ok(),
        None => value.as_str()?.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::monitor::facts::process::sleeper::Sleeper;
    use crate::tmux::Pane;

    const TEXT: &str = r#"{"pid":42,"procStart":"777","status":"waiting","waitingFor":"permission prompt","tmux":"in:@0.%0","statusUpdatedAt":1795533994964}"#;

    fn parse_claude(text: &str, pid: u32, start: u64) -> Option<Published> {
        parse(text, &Profiles::embedded().get("claude")?.session_file.as_ref()?.fields, pid, start)
    }

    #[test]
    fn the_file_of_this_very_process_is_believed() {
        let got = parse_claude(TEXT, 42, 777).unwrap();
        assert_eq!((got.status.as_str(), got.detail.as_deref()), ("waiting", Some("permission prompt")));
        assert_eq!(got.at.unwrap().as_millisecond(), 1_795_533_994_964);
        assert_eq!(parse_claude(TEXT, 42, 778), None, "another process with that pid");
        assert_eq!(parse_claude(TEXT, 43, 777), None);
        assert_eq!(parse_claude(&TEXT[..60], 42, 777), None, "half written");
    }

    #[test]
    fn its_words_are_safe_to_show() {
        let long = format!("{}{}", r"a\u009b31m\u202e\u200bb", "x".repeat(50_000));
        let got = parse_claude(&TEXT.replace("permission prompt", &long), 42, 777).unwrap().detail.unwrap();
        assert!(got.starts_with("a31mbxxx") && got.chars().count() <= LONGEST + 1, "{got:?}");
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn the_file_of_a_process_of_ours_is_found_by_its_own_variables_and_watched() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("sessions")).unwrap();
        let (_sleeper, process) = Sleeper::with("CLAUDE_CONFIG_DIR", dir.path());
        let profiles = Profiles::embedded();
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
        assert_eq!(watch.last.as_ref().map(|(_, said)| said.status.as_str()), Some("idle"));
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
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_file_with_a_name_of_its_own_is_found_by_the_process_that_it_names() {
        let dir = tempfile::tempdir().unwrap();
        let (_sleeper, process) = Sleeper::with("CLINE_DATA_DIR", dir.path());
        let profiles = Profiles::embedded();
        let file = SessionFile::of(profiles.get("cline").unwrap(), &process).unwrap();
        let write = |session: &str, pid: u32, more: &str| {
            let folder = dir.path().join("sessions").join(session);
            fs::create_dir_all(&folder).unwrap();
            fs::write(folder.join(format!("{session}.json")), format!(r#"{{"pid":{pid},{more}}}"#)).unwrap();
            fs::write(folder.join(format!("{session}.messages.json")), "{}").unwrap();
            folder.join(format!("{session}.json"))
        };
        assert_eq!(file.read(None, true), None, "no session yet");
        write("1_other", process.pid + 1, r#""status":"pending""#);
        let over = write("2_over", process.pid, r#""status":"completed","ended_at":"2026-11-27T12:12:11.416Z""#);
        assert_eq!(file.read(None, true), None, "a session that is over is none");
        let own = write("0_resumed", process.pid, r#""status":"running","ended_at":null"#);
        let (path, said) = file.read(None, true).unwrap();
        assert_eq!((&path, said.status.as_str()), (&own, "running"));
        assert_eq!(file.read(None, false), None, "only a search finds it");
        assert_eq!(file.read(Some(path.clone()), false), Some((path, said)));
        assert_eq!(file.read(Some(over), true).map(|(path, _)| path), Some(own.clone()), "another session was begun");
        let long_ago = SystemTime::now() - Duration::from_secs(3600);
        fs::File::options().write(true).open(&own).unwrap().set_modified(long_ago).unwrap();
        assert_eq!(file.read(None, true), None, "of a process that had this pid before");
    }
}
