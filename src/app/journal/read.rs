//! Reads the journal back: from a time on, and on as it grows. Lines that are cut off or of another kind are passed over.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{BufRead, BufReader, Read, Seek, SeekFrom},
    path::{Path, PathBuf},
};

use jiff::{Timestamp, ToSpan, civil::Date};
use serde::{Deserialize, Serialize};

use crate::app::journal::file::{day_start, files};
use crate::app::journal::{JournalError, Record};

/// Longest line that is read, bytes: no record is longer, so what is longer is not ours.
const LONGEST_LINE: u64 = 1 << 20;

/// Read at once, bytes.
const READ: usize = 1 << 16;

/// All records since a time, in the order in which they were written.
///
/// # Errors
/// [`JournalError`] when the directory or a file cannot be read. A journal that was never written is empty.
pub fn read_since(dir: &Path, since: Timestamp) -> Result<Vec<Record>, JournalError> {
    let mut records = Vec::new();
    lines_since(dir, since, &mut |line| {
        if let Ok(record) = serde_json::from_slice::<Record>(line)
            && record.at >= since
        {
            records.push(record);
        }
    })?;
    Ok(records)
}

/// Hands out every whole line since a time, and perhaps some of before it, in the order in which they were written.
///
/// # Errors
/// As [`read_since`].
pub(super) fn lines_since(dir: &Path, since: Timestamp, take: &mut dyn FnMut(&[u8])) -> Result<(), JournalError> {
    for (date, _, path) in list(dir)? {
        if !is_over_before(date, since) {
            Reader::open(path, 0)?.since(since).lines(take)?;
        }
    }
    Ok(())
}

fn list(dir: &Path) -> Result<Vec<(Date, u32, PathBuf)>, JournalError> {
    files(dir).map_err(|source| JournalError { path: dir.to_owned(), what: "list", source })
}

/// Whether the day was over before `since`. A day more than needed: clocks of writers may be behind their records.
fn is_over_before(date: Date, since: Timestamp) -> bool {
    date.checked_add(1.day()).is_ok_and(|next| day_start(next) <= since)
}

/// A second as the journal writes it: `2026-03-01T10:00:00`, in UTC.
type Second = [u8; 19];

/// Whether a line says in its first words that it is from before a second. One that begins otherwise is looked into.
fn is_before(line: &[u8], since: &Second) -> bool {
    let at = line.strip_prefix(br#"{"at":""#).and_then(|rest| rest.get(..since.len()));
    at.is_some_and(|at| at.is_ascii() && at[4] == b'-' && at < since.as_slice())
}

/// Reads one file up to its last whole line, and on from there when asked again.
#[derive(Debug)]
pub struct Reader {
    path: PathBuf,
    file: BufReader<File>,
    at: u64,
    /// Lines of an earlier second are not looked into.
    since: Option<Second>,
}

impl Reader {
    /// Opens a file at an offset in bytes.
    ///
    /// # Errors
    /// [`JournalError`] when it cannot be opened.
    pub fn open(path: PathBuf, at: u64) -> Result<Self, JournalError> {
        match File::open(&path) {
            Ok(file) => Ok(Self { path, file: BufReader::with_capacity(READ, file), at, since: None }),
            Err(source) => Err(JournalError { path, what: "read", source }),
        }
    }

    /// The same, which may pass over what is from before a time: most of a file is, for who wants its last hours.
    #[must_use]
    fn since(self, since: Timestamp) -> Self {
        let text = since.strftime("%Y-%m-%dT%H:%M:%S").to_string();
        Self { since: text.as_bytes().try_into().ok(), ..self }
    }

    /// Hands out every record that is whole and was not read before.
    ///
    /// # Errors
    /// [`JournalError`] when it cannot be read.
    pub fn read(&mut self, take: &mut dyn FnMut(Record)) -> Result<(), JournalError> {
        self.lines(&mut |line| {
            if let Ok(record) = serde_json::from_slice(line) {
                take(record);
            }
        })
    }

    /// The same of the lines as they are.
    fn lines(&mut self, take: &mut dyn FnMut(&[u8])) -> Result<(), JournalError> {
        let wrong = |path: &Path, source| JournalError { path: path.to_owned(), what: "read", source };
        self.file.seek(SeekFrom::Start(self.at)).map_err(|error| wrong(&self.path, error))?;
        let mut line = Vec::new();
        loop {
            line.clear();
            let read = self.file.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut line);
            let read = read.map_err(|error| wrong(&self.path, error))? as u64;
            let whole = line.last() == Some(&b'\n');
            if read == 0 || (!whole && read < LONGEST_LINE) {
                // The rest may still come: it is read again next time.
                return Ok(());
            }
            self.at += read;
            if self.since.is_none_or(|since| !is_before(&line, &since)) {
                take(&line);
            }
        }
    }
}

/// How far somebody has read in each file of a journal: where a later reading goes on, in this process or another.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Places(BTreeMap<String, u64>);

impl Places {
    /// Hands out every record that is whole and was not read before. Who has read nothing yet begins so that at most about
    /// `most` bytes are read.
    ///
    /// # Errors
    /// [`JournalError`] when the journal cannot be read. What was handed out before counts as read.
    pub(crate) fn read_on(&mut self, dir: &Path, most: u64, take: &mut dyn FnMut(Record)) -> Result<(), JournalError> {
        let files: Vec<(String, u64, PathBuf)> = list(dir)?
            .into_iter()
            .filter_map(|(.., path)| {
                let size = std::fs::metadata(&path).ok()?.len();
                Some((path.file_name()?.to_string_lossy().into_owned(), size, path))
            })
            .collect();
        if self.0.is_empty() {
            let mut sum = 0_u64;
            for (name, size, _) in files.iter().rev() {
                sum = sum.saturating_add(*size);
                self.0.insert(name.clone(), if sum > most { *size } else { 0 });
            }
        }
        self.0.retain(|name, _| files.iter().any(|(there, ..)| there == name));
        for (name, size, path) in files {
            let at = self.0.entry(name).or_default();
            // One that is shorter than it was is not ours any more: nothing of it is new.
            if size <= *at {
                continue;
            }
            let mut reader = Reader::open(path, *at)?;
            let read = reader.read(take);
            *at = reader.at;
            read?;
        }
        Ok(())
    }
}

/// Follows a journal from now on, over the change of its files.
#[derive(Debug)]
pub struct Follow {
    dir: PathBuf,
    /// The file that is read, with its day and number.
    now: Option<(Date, u32, Reader)>,
}

impl Follow {
    /// Records that come after this call.
    ///
    /// # Errors
    /// [`JournalError`] when the journal cannot be read.
    pub fn from_end(dir: &Path) -> Result<Self, JournalError> {
        let now = match list(dir)?.pop() {
            None => None,
            Some((date, number, path)) => {
                let size = std::fs::metadata(&path).map_or(0, |meta| meta.len());
                Some((date, number, Reader::open(path, size)?))
            }
        };
        Ok(Self { dir: dir.to_owned(), now })
    }

    /// Records that came since the last call, in order.
    ///
    /// # Errors
    /// [`JournalError`] when the journal cannot be read.
    pub fn fresh(&mut self) -> Result<Vec<Record>, JournalError> {
        let mut records = Vec::new();
        if let Some((_, _, reader)) = &mut self.now {
            reader.read(&mut |record| records.push(record))?;
        }
        let at = self.now.as_ref().map(|(date, number, _)| (*date, *number));
        for (date, number, path) in list(&self.dir)? {
            if at.is_none_or(|at| (date, number) > at) {
                // The file before may have got lines between its last read and now.
                if let Some((_, _, reader)) = &mut self.now {
                    reader.read(&mut |record| records.push(record))?;
                }
                let mut reader = Reader::open(path, 0)?;
                reader.read(&mut |record| records.push(record))?;
                self.now = Some((date, number, reader));
            }
        }
        Ok(records)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::journal::{Happened, Journal, Mark};

    #[test]
    fn reading_on_gives_each_record_once_also_in_a_later_process_and_begins_not_too_far_back() {
        let dir = tempfile::tempdir().unwrap();
        let record = |at: &str, by| Record::new(at.parse().unwrap(), "/tmp/s", by, Happened::Mark(Mark::EngineAlive));
        let mut journal = Journal::new(dir.path()).with_largest(250);
        for by in 1..=6 {
            journal.append(&record("2026-03-01T10:00:00Z", by)).unwrap();
        }
        let read = |places: &mut Places, most| {
            let mut seen = Vec::new();
            places.read_on(dir.path(), most, &mut |record| seen.push(record.by)).unwrap();
            seen
        };
        let mut places = Places::default();
        assert_eq!(read(&mut places, u64::MAX), [1, 2, 3, 4, 5, 6]);
        journal.append(&record("2026-03-02T10:00:00Z", 7)).unwrap();
        let saved = serde_json::to_string(&places).unwrap();
        let mut later: Places = serde_json::from_str(&saved).unwrap();
        assert_eq!((read(&mut places, u64::MAX), read(&mut later, 0)), (vec![7], vec![7]));
        assert_eq!(read(&mut places, u64::MAX), [0_u32; 0]);
        // A line of the day before that comes late, and a file that is gone.
        journal.append(&record("2026-03-01T23:59:59Z", 8)).unwrap();
        std::fs::remove_file(dir.path().join("2026-03-01.jsonl")).unwrap();
        assert_eq!(read(&mut places, 0), [8]);
        let newest = read(&mut Places::default(), 300);
        assert!(newest.contains(&8) || newest.contains(&7), "{newest:?}");
        assert!(newest.len() < 5, "{newest:?}");
        assert_eq!(read(&mut Places::default(), 0), [0_u32; 0]);
    }

    #[test]
    fn lines_of_before_are_passed_over_without_a_look_into_them_and_no_line_of_after() {
        let since: Timestamp = "2026-03-01T10:00:05.25Z".parse().unwrap();
        let second: Second = since.strftime("%Y-%m-%dT%H:%M:%S").to_string().as_bytes().try_into().unwrap();
        let before = |at: &str| is_before(format!("{{\"at\":\"{at}\",\"server\":\"/s\"}}").as_bytes(), &second);
        assert!(before("2026-03-01T10:00:04.999Z") && before("2026-02-28T23:00:00Z"));
        assert!(
            !before("2026-03-01T10:00:05Z") && !before("2026-03-01T10:00:05.3Z") && !before("2026-03-02T00:00:00Z")
        );
        assert!(!before("10:00") && !before("+002026-03-01T10:00:00Z"));
        assert!(!is_before(br#"{"server":"/s","at":"2026-02-28T23:00:00Z"}"#, &second));
        let dir = tempfile::tempdir().unwrap();
        let mut journal = Journal::new(dir.path());
        for (by, at) in (1..).zip(["2026-03-01T10:00:04Z", "2026-03-01T10:00:05Z", "2026-03-01T10:00:05.5Z"]) {
            journal.append(&Record::new(at.parse().unwrap(), "/s", by, Happened::Mark(Mark::EngineAlive))).unwrap();
        }
        let read: Vec<u32> = read_since(dir.path(), since).unwrap().iter().map(|record| record.by).collect();
        assert_eq!(read, [3]);
    }

    #[test]
    fn following_goes_on_over_a_new_file_and_a_half_line() {
        let dir = tempfile::tempdir().unwrap();
        let record = |at: &str, by| Record::new(at.parse().unwrap(), "/tmp/s", by, Happened::Mark(Mark::EngineAlive));
        let mut follow = Follow::from_end(dir.path()).unwrap();
        assert!(follow.fresh().unwrap().is_empty());
        let mut journal = Journal::new(dir.path()).with_largest(250);
        let mut seen = Vec::new();
        for by in 1..8 {
            journal.append(&record("2026-03-01T10:00:00Z", by)).unwrap();
            if by % 3 == 0 {
                seen.extend(follow.fresh().unwrap().iter().map(|r| r.by));
            }
        }
        journal.append(&record("2026-03-02T10:00:00Z", 8)).unwrap();
        seen.extend(follow.fresh().unwrap().iter().map(|r| r.by));
        assert_eq!(seen, [1, 2, 3, 4, 5, 6, 7, 8]);

        let line = serde_json::to_string(&record("2026-03-02T10:00:01Z", 9)).unwrap() + "\n";
        let path = dir.path().join("2026-03-02.jsonl");
        let mut file = std::fs::OpenOptions::new().append(true).open(path).unwrap();
        std::io::Write::write_all(&mut file, &line.as_bytes()[..30]).unwrap();
        assert!(follow.fresh().unwrap().is_empty());
        std::io::Write::write_all(&mut file, &line.as_bytes()[30..]).unwrap();
        assert_eq!(follow.fresh().unwrap().len(), 1);
    }
}
