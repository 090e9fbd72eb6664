//! Reads the journal back: from a time on, and on as it grows. Lines that are cut off or of another kind are passed over.

use std::{
    fs::File,
    io::{BufRead, BufReader, Read, Seek, SeekFrom},
    path::{Path, PathBuf},
};

use jiff::{Timestamp, ToSpan, civil::Date};

use crate::app::journal::file::{day_start, files};
use crate::app::journal::{JournalError, Record};

/// Longest line that is read, bytes: no record is longer, so what is longer is not ours.
const LONGEST_LINE: u64 = 1 << 20;

/// All records since a time, in the order in which they were written.
///
/// # Errors
/// [`JournalError`] when the directory or a file cannot be read. A journal that was never written is empty.
pub fn read_since(dir: &Path, since: Timestamp) -> Result<Vec<Record>, JournalError> {
    let mut records = Vec::new();
    for (date, _, path) in list(dir)? {
        if is_over_before(date, since) {
            continue;
        }
        let mut reader = Reader::open(path, 0)?;
        reader.read(&mut |record| {
            if record.at >= since {
                records.push(record);
            }
        })?;
    }
    Ok(records)
}

fn list(dir: &Path) -> Result<Vec<(Date, u32, PathBuf)>, JournalError> {
    files(dir).map_err(|source| JournalError { path: dir.to_owned(), what: "list", source })
}

/// Whether the day was over before `since`. A day more than needed: clocks of writers may be behind their records.
fn is_over_before(date: Date, since: Timestamp) -> bool {
    date.checked_add(1.day()).is_ok_and(|next| day_start(next) <= since)
}

/// Reads one file up to its last whole line, and on from there when asked again.
#[derive(Debug)]
pub struct Reader {
    path: PathBuf,
    file: BufReader<File>,
    at: u64,
}

impl Reader {
    /// Opens a file at an offset in bytes.
    ///
    /// # Errors
    /// [`JournalError`] when it cannot be opened.
    pub fn open(path: PathBuf, at: u64) -> Result<Self, JournalError> {
        match File::open(&path) {
            Ok(file) => Ok(Self { path, file: BufReader::new(file), at }),
            Err(source) => Err(JournalError { path, what: "read", source }),
        }
    }

    /// Hands out every record that is whole and was not read before.
    ///
    /// # Errors
    /// [`JournalError`] when it cannot be read.
    pub fn read(&mut self, take: &mut dyn FnMut(Record)) -> Result<(), JournalError> {
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
            if let Ok(record) = serde_json::from_slice(&line) {
                take(record);
            }
        }
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
