//! A database on disk, read again and again, each time as it is at one moment.

use std::{
    fs::{self, File, Metadata},
    io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use crate::monitor::facts::{
    file::open_foreign,
    transcripts::sqlite::{Problem, ReadAt, view::View, wal::Log},
};

/// How old a file's time must be for a later write to have another one: kernels count in such steps.
const STEP: Duration = Duration::from_millis(20);

/// A database of another program.
#[derive(Clone, Debug)]
pub struct Database {
    path: PathBuf,
    owner: u32,
    file: Option<(u64, u64)>,
    log: Log,
    /// Bytes that were read so far.
    pub bytes: u64,
    /// Pages that were read so far, without those of the log as it was taken in.
    pub pages: u64,
}

/// What tells one moment of a database from another.
#[derive(PartialEq, Eq)]
struct Moment {
    file: (u64, u64, u64, i64, i64),
    log: Option<(u64, u64)>,
}

impl Moment {
    fn now(path: &Path, file: &File) -> Result<Self, Problem> {
        let meta = file.metadata()?;
        let log = fs::symlink_metadata(beside(path, "-wal")).ok().map(|log| (log.dev(), log.ino()));
        Ok(Self { file: (meta.dev(), meta.ino(), meta.len(), meta.mtime(), meta.mtime_nsec()), log })
    }
}

impl Database {
    /// One of `owner`, unread.
    #[must_use]
    pub fn new(path: PathBuf, owner: u32) -> Self {
        Self { path, owner, file: None, log: Log::default(), bytes: 0, pages: 0 }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads it as it is now, of its log some `most` bytes at once.
    ///
    /// # Errors
    /// When it cannot be read, or not now: what was read counts for nothing then.
    pub fn read<T>(&mut self, most: u64, read: impl FnOnce(&mut View<'_>) -> Result<T, Problem>) -> Result<T, Problem> {
        let (file, meta) = open_foreign(&self.path, self.owner)?;
        let here = (meta.dev(), meta.ino());
        if self.file.replace(here).is_some_and(|known| known != here) {
            self.log = Log::default();
        }
        let before = Moment::now(&self.path, &file)?;
        self.is_at_rest(&meta)?;
        let wal = self.open_log()?;
        let wal = wal.as_ref().map(|wal| wal as &dyn ReadAt);
        let (bytes, whole) = self.log.take(wal, most)?;
        self.bytes += bytes;
        if !whole {
            return Err(Problem::Later);
        }
        let mut view = View::new(&file, meta.len(), wal, &self.log)?;
        view.identify(here);
        let found = read(&mut view);
        let (bytes, pages) = (view.bytes(), view.pages());
        self.bytes += bytes;
        self.pages += pages;
        // Pages of different moments may say anything: that is looked at before what they say.
        let head = wal.map(Log::head_of).transpose()?.unwrap_or_default();
        if Moment::now(&self.path, &file)? != before || head != self.log.head() {
            return Err(Problem::Later);
        }
        found
    }

    /// Whether no transaction is being written into the file itself.
    fn is_at_rest(&self, meta: &Metadata) -> Result<(), Problem> {
        let written = meta.modified()?;
        if SystemTime::now().duration_since(written).is_ok_and(|age| age < STEP) {
            return Err(Problem::Later);
        }
        // Of the databases that are not in this mode: a journal with a head is of a transaction that did not end.
        match open_foreign(&beside(&self.path, "-journal"), self.owner) {
            Ok((journal, _)) => {
                let mut head = [0; 8];
                let read = journal.read_at(&mut head, 0)?;
                if read == head.len() && head != [0; 8] { Err(Problem::Later) } else { Ok(()) }
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    fn open_log(&self) -> Result<Option<File>, Problem> {
        match open_foreign(&beside(&self.path, "-wal"), self.owner) {
            Ok((log, _)) => Ok(Some(log)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

/// The file beside a database whose name ends so.
fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    PathBuf::from(name)
}
