//! Whose transcript a file is, and by what that is known: a wrong one would show another agent's numbers.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};

use crate::monitor::Prices;
use crate::monitor::facts::transcripts::find::{Found, files, fits, session_in};
use crate::monitor::facts::transcripts::tail::Tail;
use crate::monitor::facts::{file, process};
use crate::monitor::usage::TranscriptRules;
use crate::monitor::usage::fields::Field;

/// Most files that are looked into to find the one of an agent.
pub(super) const MOST_CANDIDATES: usize = 16;

/// Largest file of a running program that is read for its process, bytes.
const LARGEST_PROCESS_FILE: u64 = 64 << 10;

/// By how much a file's time may lie before the start of the process that wrote it: clocks are coarse.
pub(super) const SLACK: Duration = Duration::from_secs(2);

/// Longest time after its last output in which an agent may go on writing its transcript, as one does that sums up what it
/// should remember. What is written later is another's, of whom tmux does not know.
const WRITES_ON: Duration = Duration::from_secs(60);

/// How the file was found to be its agent's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// The program says which session it has.
    Session,
    /// Its process has it open.
    Open,
    /// It works in the agent's folder, and no other agent of the program does.
    Folder,
    /// The same of a session in a database that its process has open.
    Database,
}

/// How the look for an agent's transcript stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It is read, by this proof. So many of its records could not be.
    Read { path: PathBuf, proof: Proof, unread: u64 },
    /// None was found.
    NotFound,
    /// Several may be it.
    Unsure,
    /// It cannot be read.
    Failed(String),
}

impl Standing {
    /// In words, for a user who wonders where the numbers come from or why there are none.
    #[must_use]
    pub fn sentence(&self) -> String {
        match self {
            Self::Read { path, proof, unread } => {
                let proof = match proof {
                    Proof::Session => "its program says that this is its session",
                    Proof::Open => "its process has it open",
                    Proof::Folder => "no other agent of this program works in its folder",
                    Proof::Database => {
                        "its process has it open, and no other agent of this program works in its folder"
                    }
                };
                let unread = match unread {
                    0 => String::new(),
                    1 => "; 1 record could not be read".to_owned(),
                    more => format!("; {more} records could not be read"),
                };
                format!("from {} ({proof}){unread}", path.display())
            }
            Self::NotFound => "no transcript of it was found".to_owned(),
            Self::Unsure => {
                "several agents of this program worked in its folder, and nothing tells whose transcript is whose"
                    .to_owned()
            }
            Self::Failed(why) => format!("its transcript cannot be read: {why}"),
        }
    }
}

/// Whose transcript is looked for.
#[derive(Clone, Debug)]
pub(super) struct Whose {
    pub rules: Arc<TranscriptRules>,
    pub folders: Vec<PathBuf>,
    pub owner: u32,
    pub start: u64,
}

/// What a search may go by, at the time of a look.
#[derive(Clone, Debug)]
pub struct Clues {
    /// The session, as the program says it.
    pub session: Option<String>,
    /// Its process and those below it.
    pub pids: Vec<u32>,
    /// Those of them without a terminal: one such may serve several agents.
    pub servers: Vec<u32>,
    /// The folder that the agent works in.
    pub folder: String,
    /// The second of its last output.
    pub wrote: i64,
    /// What tokens cost, where the program does not record it.
    pub prices: Prices,
    /// Where what status lines were told is kept.
    pub status_lines: Option<PathBuf>,
}

/// Whether other agents of the program work in the same folder and keep their transcripts in the same place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Company {
    /// None was seen.
    #[default]
    None,
    /// There are.
    Here,
    /// There were, until then: what was written before may be theirs.
    Until(SystemTime),
}

/// A second of the clock.
pub(super) fn second(second: i64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(second.try_into().unwrap_or_default())
}

impl Whose {
    /// The one of the folders in which its transcript is; where none was found, the only one that is there.
    pub(super) fn folder_of(&self, transcript: Option<&Path>) -> Option<&Path> {
        let holds = |path: &Path| self.folders.iter().find(|folder| path.starts_with(folder));
        let only = || {
            let mut there = self.folders.iter().filter(|folder| folder.is_dir());
            there.next().filter(|_| there.next().is_none())
        };
        transcript.and_then(holds).or_else(only).map(PathBuf::as_path)
    }

    /// Its file. `company`: whether others may have written those that are there.
    pub(super) fn find(&self, clues: &Clues, company: Company) -> Result<(PathBuf, Proof), Standing> {
        let all = |session: Option<&str>, since| {
            let found = self.folders.iter().flat_map(|folder| {
                self.rules.files.iter().flat_map(move |pattern| files(folder, pattern, session, self.owner, since))
            });
            found.collect::<Vec<Found>>()
        };
        let named = clues.session.clone().or_else(|| self.session_of_process(&clues.pids));
        if let Some(session) = &named {
            let newest = all(Some(session), None).into_iter().max_by_key(|found| found.modified);
            return newest.map(|found| (found.path, Proof::Session)).ok_or(Standing::NotFound);
        }
        let is_here = |path: &Path| {
            let about = Tail::about(path, self.owner, &self.rules).unwrap_or_default();
            about.parent.is_none() && about.project.as_deref() == Some(&clues.folder)
        };
        let (servers, own): (Vec<u32>, Vec<u32>) = clues.pids.iter().partition(|pid| clues.servers.contains(pid));
        let mut open = self.open(&own);
        if open.len() > 1 {
            open.retain(|path| is_here(path));
        }
        match open.as_slice() {
            [] => {}
            [path] => return Ok((path.clone(), Proof::Open)),
            _ => return Err(Standing::Unsure),
        }
        let mut candidates = all(None, self.began());
        // What a server has open may be older than this process, which goes on with it.
        candidates.extend(self.open(&servers).into_iter().filter_map(|path| {
            let modified = std::fs::symlink_metadata(&path).and_then(|found| found.modified()).ok()?;
            Some(Found { path, modified })
        }));
        candidates.sort_unstable_by_key(|found| std::cmp::Reverse(found.modified));
        candidates.dedup_by(|a, b| a.path == b.path);
        let newest = candidates.into_iter().take(MOST_CANDIDATES).find(|found| is_here(&found.path));
        let Found { path, modified } = newest.ok_or(Standing::NotFound)?;
        self.accept(modified, clues, company).map(|()| (path, Proof::Folder))
    }

    /// Whether what was written at that time is the agent's own.
    pub(super) fn accept(&self, modified: SystemTime, clues: &Clues, company: Company) -> Result<(), Standing> {
        let is_late = modified > second(clues.wrote) + WRITES_ON;
        match company {
            Company::Here => Err(Standing::Unsure),
            Company::Until(end) if modified <= end => Err(Standing::Unsure),
            _ if is_late => Err(Standing::Unsure),
            Company::None | Company::Until(_) => Ok(()),
        }
    }

    /// The database that its sessions are in: the one that its process has open.
    pub(super) fn database(&self, clues: &Clues) -> Result<PathBuf, Standing> {
        let open = self.open(&clues.pids);
        match open.as_slice() {
            [path] => Ok(path.clone()),
            // Where the system does not show what is open.
            [] if !cfg!(target_os = "linux") => {
                let all = self.folders.iter().flat_map(|folder| {
                    self.rules.files.iter().flat_map(move |pattern| files(folder, pattern, None, self.owner, None))
                });
                all.max_by_key(|found| found.modified).map(|found| found.path).ok_or(Standing::NotFound)
            }
            [] => Err(Standing::NotFound),
            _ => Err(Standing::Unsure),
        }
    }

    /// The transcripts that these processes have open.
    fn open(&self, pids: &[u32]) -> Vec<PathBuf> {
        let open = pids.iter().flat_map(|pid| process::open_files(*pid));
        let mut open: Vec<PathBuf> = open.filter(|path| self.is_transcript(path)).collect();
        open.sort_unstable();
        open.dedup();
        open
    }

    fn is_transcript(&self, path: &Path) -> bool {
        let below = self.folders.iter().find_map(|folder| path.strip_prefix(folder).ok());
        let Some(below) = below.and_then(Path::to_str) else { return false };
        self.rules.files.iter().any(|pattern| {
            let pattern = pattern.replace("{session}", "*");
            let (parts, names) = (pattern.split('/'), below.split('/'));
            pattern.matches('/').count() == below.matches('/').count()
                && parts.zip(names).all(|(part, name)| fits(part, name))
        })
    }

    /// The session's name out of the name of its file, where the pattern tells it.
    pub(super) fn session_of(&self, path: &Path) -> Option<String> {
        let below = self.folders.iter().find_map(|folder| path.strip_prefix(folder).ok()?.to_str())?;
        self.rules.files.iter().find_map(|pattern| session_in(pattern, below))
    }

    /// The session that one of the processes has a file of.
    fn session_of_process(&self, pids: &[u32]) -> Option<String> {
        let in_folder = |folder: &PathBuf, path: &Path, pattern: &str| {
            session_in(pattern, path.strip_prefix(folder).ok()?.to_str()?)
        };
        let places = self
            .rules
            .process_files
            .iter()
            .flat_map(|pattern| self.folders.iter().map(move |folder| (pattern, folder)));
        let mut found = places.filter_map(|(pattern, folder)| {
            let named = |pattern: &str| files(folder, pattern, None, self.owner, self.began());
            if let Some(field) = &self.rules.process_field {
                let of_ours = |path: &Path| pids.contains(&self.process_in(path, field)?).then_some(());
                let found =
                    named(pattern).into_iter().take(MOST_CANDIDATES).find(|found| of_ours(&found.path).is_some())?;
                return in_folder(folder, &found.path, pattern);
            }
            pids.iter().find_map(|pid| {
                let own = pattern.replace("{pid}", &pid.to_string());
                let paths = match own == *pattern {
                    true => process::open_files(*pid),
                    false => named(&own).into_iter().map(|found| found.path).collect(),
                };
                paths.iter().find_map(|path| in_folder(folder, path, &own))
            })
        });
        found.next()
    }

    /// The process that such a file says it is of.
    fn process_in(&self, path: &Path, field: &Field) -> Option<u32> {
        let bytes = file::read_foreign(path, LARGEST_PROCESS_FILE, self.owner).ok()?;
        field.of(&serde_json::from_slice(&bytes).ok()?, None)?.as_u64()?.try_into().ok()
    }

    /// When its process began: what was not written since is not its own.
    pub(super) fn began(&self) -> Option<SystemTime> {
        process::age(self.start).and_then(|age| SystemTime::now().checked_sub(age + SLACK))
    }

    /// Those of its sub-agents.
    pub(super) fn side(&self, session: Option<&str>) -> Vec<Found> {
        let Some(session) = session else { return Vec::new() };
        let patterns = |folder| {
            let rules = &self.rules.side_files;
            rules.iter().flat_map(move |pattern| files(folder, pattern, Some(session), self.owner, None))
        };
        self.folders.iter().flat_map(|folder| patterns(folder.as_path())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::monitor::detect::Profiles;
    use std::fs;

    /// After this machine was started, whenever that was.
    fn soon() -> i64 {
        jiff::Timestamp::now().as_second() + 1000
    }

    fn of(agent: &str, home: &Path) -> Whose {
        let rules = Arc::clone(Profiles::embedded().get(agent).unwrap().transcript.as_ref().unwrap());
        let owner = rustix::process::geteuid().as_raw();
        Whose { rules, folders: vec![home.to_owned()], owner, start: 0 }
    }

    fn clues(wrote: i64) -> Clues {
        let pids = vec![std::process::id()];
        let (servers, prices, status_lines) = (Vec::new(), Prices::default(), None);
        Clues { session: None, pids, servers, folder: "/p".to_owned(), wrote, prices, status_lines }
    }

    fn write(path: PathBuf, text: &str, at: i64) -> PathBuf {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        fs::File::options().write(true).open(&path).unwrap().set_modified(second(at)).unwrap();
        path
    }

    fn session(home: &Path, name: &str, folder: &str, at: i64) -> PathBuf {
        let text = format!("{{\"type\":\"session\",\"id\":\"{name}\",\"cwd\":\"{folder}\"}}\n");
        write(home.join(format!("sessions/--p--/2026_{name}.jsonl")), &text, at)
    }

    #[test]
    fn what_others_may_have_written_is_nobodys() {
        let home = tempfile::tempdir().unwrap();
        let (at, pi) = (soon(), of("pi", home.path()));
        let find = |company, wrote| pi.find(&clues(wrote), company);
        assert_eq!(find(Company::None, at), Err(Standing::NotFound));
        session(home.path(), "elsewhere", "/q", at + 10);
        assert_eq!(find(Company::None, at), Err(Standing::NotFound));
        let mine = session(home.path(), "mine", "/p", at);
        let known = Ok((mine, Proof::Folder));
        assert_eq!(find(Company::None, at), known);
        assert_eq!(find(Company::Here, at), Err(Standing::Unsure));
        assert_eq!(find(Company::Until(second(at + 1)), at), Err(Standing::Unsure), "it may be of one that has ended");
        assert_eq!(find(Company::Until(second(at - 1)), at), known, "it was written since");
        assert_eq!(find(Company::None, at - 50), known);
        assert_eq!(find(Company::None, at - 70), Err(Standing::Unsure), "it was silent then");
    }

    #[test]
    fn a_file_with_the_process_in_it_tells_its_session() {
        let home = tempfile::tempdir().unwrap();
        let (at, qwen) = (soon(), of("qwen", home.path()));
        let here = |name: &str| home.path().join("projects/-p/chats").join(name);
        let (one, _) = (write(here("one.jsonl"), "{}\n", at), write(here("two.jsonl"), "{}\n", at + 9));
        let says = |name: &str, pid: u32, at| {
            write(here(&format!("{name}.runtime.json")), &format!("{{\"pid\":{pid}}}"), at);
        };
        says("two", 0, at + 9);
        assert_eq!(qwen.find(&clues(at), Company::Here), Err(Standing::NotFound), "no record tells the folder");
        says("one", std::process::id(), at);
        assert_eq!(qwen.find(&clues(at), Company::Here), Ok((one, Proof::Session)));
        says("three", std::process::id(), at + 5);
        assert_eq!(
            qwen.find(&clues(at), Company::Here),
            Err(Standing::NotFound),
            "a new session, which has no file yet"
        );
    }
}
