//! Reads SQLite databases of other programs, with what stands in their write-ahead logs: no lock is taken, nothing is
//! written, and what is damaged or changes meanwhile is an error.
//!
//! Own code, since what there is on crates.io is a library in C or a whole database. The format is the one of
//! <https://www.sqlite.org/fileformat2.html>; of it only what tables with row ids need is here.

pub mod database;
#[cfg(test)]
pub(crate) mod made;
pub(crate) mod record;
pub(crate) mod schema;
pub(crate) mod tree;
pub(crate) mod view;
pub(crate) mod wal;

use std::io;

/// Why a database, or a part of it, cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// The system says why.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// It is not as the format says.
    #[error("the database is damaged: {0}")]
    Damaged(&'static str),
    /// It is of a kind that is not read.
    #[error("the database is not read: {0}")]
    Unsupported(&'static str),
    /// It was written to while it was read, or more was written since than is read at once.
    #[error("the database is being written to")]
    Later,
}

impl From<Problem> for io::Error {
    fn from(problem: Problem) -> Self {
        match problem {
            Problem::Io(error) => error,
            Problem::Damaged(_) => Self::new(io::ErrorKind::InvalidData, problem),
            Problem::Unsupported(_) => Self::new(io::ErrorKind::Unsupported, problem),
            Problem::Later => Self::new(io::ErrorKind::WouldBlock, problem),
        }
    }
}

/// Bytes that can be read anywhere.
pub trait ReadAt {
    /// Fills as much of `buffer` as there is from `offset` on.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize>;
}

impl ReadAt for std::fs::File {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let mut filled = 0;
        while filled < buffer.len() {
            match std::os::unix::fs::FileExt::read_at(self, &mut buffer[filled..], offset + filled as u64) {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(filled)
    }
}

#[cfg(any(test, fuzzing))]
impl ReadAt for &[u8] {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let there = usize::try_from(offset).ok().and_then(|offset| self.get(offset..)).unwrap_or_default();
        let read = there.len().min(buffer.len());
        buffer[..read].copy_from_slice(&there[..read]);
        Ok(read)
    }
}

/// Four bytes as a number, the highest first; 0 where they are not there.
pub(super) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..at + 4).and_then(|four| four.try_into().ok()).map_or(0, u32::from_be_bytes)
}

/// The same of two bytes.
pub(super) fn u16_at(bytes: &[u8], at: usize) -> usize {
    bytes.get(at..at + 2).and_then(|two| two.try_into().ok()).map_or(0, u16::from_be_bytes).into()
}
