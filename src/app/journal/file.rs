//! The journal's files: one a day, more when a day is long; a record is one line and one write.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Read, Seek, SeekFrom, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use jiff::{Timestamp, civil::Date, tz::TimeZone};

use crate::app::journal::Record;

/// Size at which a day's file is followed by another, bytes.
pub const LARGEST_FILE: u64 = 8 << 20;

/// Most files that are kept; the oldest go.
pub const MOST_FILES: usize = 64;

/// The journal cannot be written or read.
#[derive(Debug, thiserror::Error)]
#[error("{}: cannot {what} the journal: {source}; free space or set TMUX_ORC_HOME to a directory that you can write", path.display())]
pub struct JournalError {
    /// The file or directory.
    pub path: PathBuf,
    /// What could not be done.
    pub what: &'static str,
    /// Why.
    pub source: io::Error,
}

/// Writes records. Several processes may write the same journal at the same time.
#[derive(Debug)]
pub struct Journal {
    dir: PathBuf,
    largest: u64,
    open: Option<Open>,
}

#[derive(Debug)]
struct Open {
    file: File,
    path: PathBuf,
    date: Date,
    number: u32,
    /// The file does not end with a newline: a write was cut off, and the next line must not be glued to it.
    torn: bool,
}

impl Journal {
    /// A journal in this directory, which is made when the first record comes.
    #[must_use]
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self { dir: dir.into(), largest: LARGEST_FILE, open: None }
    }

    /// The same with another size at which files are followed by others, bytes.
    #[must_use]
    pub fn with_largest(mut self, bytes: u64) -> Self {
        self.largest = bytes;
        self
    }

    /// Where its files are.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Appends a record to the file of its day (UTC).
    ///
    /// # Errors
    /// [`JournalError`] when the directory or the file cannot be made or written. The next call tries again.
    pub fn append(&mut self, record: &Record) -> Result<(), JournalError> {
        let mut line = serde_json::to_vec(record).map_err(|error| JournalError {
            path: self.dir.clone(),
            what: "make a line of",
            source: error.into(),
        })?;
        line.push(b'\n');
        let date = record.at.to_zoned_datetime(TimeZone::UTC).date();
        let open = self.open_for(date)?;
        if open.torn {
            line.insert(0, b'\n');
        }
        // One write of one line with O_APPEND: lines of several writers do not mix.
        let written = open.file.write(&line);
        let whole = matches!(written, Ok(count) if count == line.len());
        open.torn = !whole && !matches!(written, Ok(0) | Err(_));
        let path = open.path.clone();
        match written {
            Ok(_) if whole => Ok(()),
            Ok(_) => {
                let source = io::Error::new(
                    io::ErrorKind::StorageFull,
                    "No space left on device: only a part of a line was written",
                );
                Err(JournalError { path, what: "write", source })
            }
            Err(source) => {
                self.open = None;
                Err(JournalError { path, what: "write", source })
            }
        }
    }

    fn open_for(&mut self, date: Date) -> Result<&mut Open, JournalError> {
        let fits = match &self.open {
            // A file that somebody removed is not written on into nowhere.
            Some(open) if open.date == date => fs::metadata(&open.path).is_ok_and(|there| there.len() < self.largest),
            _ => false,
        };
        if !fits {
            let from = match &self.open {
                Some(open) if open.date == date => open.number,
                _ => 0,
            };
            self.open = Some(self.open_new(date, from)?);
        }
        match &mut self.open {
            Some(open) => Ok(open),
            None => {
                Err(JournalError { path: self.dir.clone(), what: "open", source: io::Error::other("no file is open") })
            }
        }
    }

    fn open_new(&self, date: Date, from: u32) -> Result<Open, JournalError> {
        let wrong = |path: &Path, what| {
            let path = path.to_owned();
            move |source| JournalError { path, what, source }
        };
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&self.dir)
            .map_err(wrong(&self.dir, "make the directory of"))?;
        let mut number = from;
        loop {
            let path = self.dir.join(file_name(date, number));
            let size = fs::metadata(&path).map_or(0, |meta| meta.len());
            if size >= self.largest {
                number += 1;
                continue;
            }
            let mut file = OpenOptions::new()
                .create(true)
                .read(true)
                .append(true)
                .mode(0o600)
                .open(&path)
                .map_err(wrong(&path, "open"))?;
            let torn = is_torn(&mut file).map_err(wrong(&path, "read the end of"))?;
            if size == 0 {
                remove_oldest(&self.dir, MOST_FILES);
            }
            return Ok(Open { file, path, date, number, torn });
        }
    }
}

/// Name of a day's file; `number` counts the files of one day from 0.
fn file_name(date: Date, number: u32) -> String {
    if number == 0 { format!("{date}.jsonl") } else { format!("{date}.{number:04}.jsonl") }
}

/// The day and number that a file's name tells; `None` for files that are no journal.
fn parse_name(name: &str) -> Option<(Date, u32)> {
    let stem = name.strip_suffix(".jsonl")?;
    match stem.split_once('.') {
        None => Some((stem.parse().ok()?, 0)),
        Some((date, number)) => Some((date.parse().ok()?, number.parse().ok()?)),
    }
}

/// Whether the file ends in the middle of a line.
fn is_torn(file: &mut File) -> io::Result<bool> {
    if file.seek(SeekFrom::End(0))? == 0 {
        return Ok(false);
    }
    file.seek(SeekFrom::End(-1))?;
    let mut last = [0];
    file.read_exact(&mut last)?;
    Ok(last != *b"\n")
}

/// The journal's files, oldest first.
pub(super) fn files(dir: &Path) -> io::Result<Vec<(Date, u32, PathBuf)>> {
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut files = Vec::new();
    for entry in entries {
        let entry = entry?;
        if let Some((date, number)) = entry.file_name().to_str().and_then(parse_name) {
            files.push((date, number, entry.path()));
        }
    }
    files.sort();
    Ok(files)
}

fn remove_oldest(dir: &Path, most: usize) {
    let Ok(files) = files(dir) else { return };
    for (_, _, path) in files.iter().take(files.len().saturating_sub(most)) {
        if let Err(error) = fs::remove_file(path) {
            tracing::warn!(path = %path.display(), %error, "cannot remove an old file of the journal");
        }
    }
}

/// The first instant of a day (UTC).
pub(super) fn day_start(date: Date) -> Timestamp {
    date.to_zoned_datetime(TimeZone::UTC).map_or(Timestamp::MIN, |zoned| zoned.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::journal::{Happened, Mark, read_since};

    fn record(at: &str, by: u32) -> Record {
        Record::new(at.parse().unwrap(), "/tmp/s", by, Happened::Mark(Mark::EngineAlive))
    }

    fn names(dir: &Path) -> Vec<String> {
        files(dir).unwrap().into_iter().map(|(_, _, p)| p.file_name().unwrap().to_string_lossy().into_owned()).collect()
    }

    #[test]
    fn a_day_has_its_file_and_a_long_day_several() {
        let dir = tempfile::tempdir().unwrap();
        let mut journal = Journal::new(dir.path().join("events")).with_largest(200);
        for by in 0..5 {
            journal.append(&record("2026-03-01T10:00:00Z", by)).unwrap();
        }
        journal.append(&record("2026-03-02T00:00:00Z", 9)).unwrap();
        let dir = dir.path().join("events");
        assert_eq!(names(&dir), ["2026-03-01.jsonl", "2026-03-01.0001.jsonl", "2026-03-02.jsonl"]);
        let all: Vec<u32> = read_since(&dir, Timestamp::MIN).unwrap().iter().map(|r| r.by).collect();
        assert_eq!(all, [0, 1, 2, 3, 4, 9]);
        let late: Vec<u32> =
            read_since(&dir, "2026-03-01T12:00:00Z".parse().unwrap()).unwrap().iter().map(|r| r.by).collect();
        assert_eq!(late, [9]);
    }

    #[test]
    fn a_line_that_was_cut_off_costs_itself_and_no_other() {
        let dir = tempfile::tempdir().unwrap();
        let mut journal = Journal::new(dir.path());
        journal.append(&record("2026-03-01T10:00:00Z", 1)).unwrap();
        let path = dir.path().join("2026-03-01.jsonl");
        let mut file = OpenOptions::new().append(true).open(&path).unwrap();
        file.write_all(br#"{"at":"2026-03-01T10:00:01Z","server":"/t"#).unwrap();
        drop(file);
        assert_eq!(read_since(dir.path(), Timestamp::MIN).unwrap().len(), 1);
        let mut journal = Journal::new(dir.path());
        journal.append(&record("2026-03-01T10:00:02Z", 2)).unwrap();
        let all: Vec<u32> = read_since(dir.path(), Timestamp::MIN).unwrap().iter().map(|r| r.by).collect();
        assert_eq!(all, [1, 2]);
    }

    #[test]
    fn writers_at_the_same_time_keep_each_line_whole() {
        let dir = tempfile::tempdir().unwrap();
        std::thread::scope(|scope| {
            for by in 0..4 {
                let dir = dir.path();
                scope.spawn(move || {
                    let mut journal = Journal::new(dir).with_largest(20_000);
                    for _ in 0..200 {
                        journal.append(&record("2026-03-01T10:00:00Z", by)).unwrap();
                    }
                });
            }
        });
        assert_eq!(read_since(dir.path(), Timestamp::MIN).unwrap().len(), 800);
        assert!(names(dir.path()).len() > 1);
    }

    #[test]
    fn old_files_go_and_strangers_stay() {
        let dir = tempfile::tempdir().unwrap();
        for day in 1..=5 {
            fs::write(dir.path().join(format!("2026-01-0{day}.jsonl")), "").unwrap();
        }
        fs::write(dir.path().join("notes.jsonl"), "").unwrap();
        remove_oldest(dir.path(), 2);
        assert_eq!(names(dir.path()), ["2026-01-04.jsonl", "2026-01-05.jsonl"]);
        assert!(dir.path().join("notes.jsonl").exists());
    }
}
