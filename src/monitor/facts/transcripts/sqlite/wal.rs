//! The write-ahead log: which page of the database stands where in it, up to its last whole transaction.
//!
//! Each look goes on where the last one ended, so that what was written once is read once.

use std::collections::HashMap;

use crate::monitor::facts::transcripts::sqlite::{Problem, ReadAt, u32_at};

/// Bytes of the head of a log.
const HEAD: usize = 32;

/// Bytes of the head of a page in it.
const FRAME_HEAD: usize = 24;

/// Most pages of a log that are looked at: some gigabytes.
const MOST_FRAMES: u32 = 1 << 20;

/// Bytes that are read at once.
const CHUNK: usize = 256 << 10;

/// What stands in a log.
#[derive(Clone, Debug, Default)]
pub struct Log {
    head: Vec<u8>,
    /// The sums after the last whole transaction.
    sums: (u32, u32),
    /// How many frames it takes up to there.
    frames: u32,
    /// The newest frame of each page.
    pages: HashMap<u32, u32>,
    /// How many pages the database has after it; 0 where no transaction is in it.
    count: u32,
}

/// The head of a log.
struct Head {
    page_size: usize,
    big: bool,
    salts: [u8; 8],
    sums: (u32, u32),
}

impl Head {
    fn parse(bytes: &[u8]) -> Option<Self> {
        let big = match u32_at(bytes, 0) {
            0x377f_0682 => false,
            0x377f_0683 => true,
            _ => return None,
        };
        let sums = add((0, 0), bytes.get(..24)?, big);
        let page_size = usize::try_from(u32_at(bytes, 8)).ok()?;
        let is_whole = u32_at(bytes, 4) == 3_007_000 && sums == (u32_at(bytes, 24), u32_at(bytes, 28));
        let salts = bytes.get(16..24)?.try_into().ok()?;
        (is_whole && is_page_size(page_size)).then_some(Self { page_size, big, salts, sums })
    }
}

/// Whether pages can be of such a size, bytes.
pub(super) fn is_page_size(size: usize) -> bool {
    size.is_power_of_two() && (512..=65_536).contains(&size)
}

impl Log {
    /// The head of a log as it is in a file now, to see whether it is still the same one.
    pub fn head_of(file: &dyn ReadAt) -> Result<Vec<u8>, Problem> {
        let mut head = vec![0; HEAD];
        let read = file.read_at(&mut head, 0)?;
        head.truncate(read);
        Ok(head)
    }

    /// The head that was read.
    pub fn head(&self) -> &[u8] {
        &self.head
    }

    /// The size of its pages, bytes; `None` where it is empty.
    pub fn page_size(&self) -> Option<usize> {
        Head::parse(&self.head).map(|head| head.page_size)
    }

    /// How many pages the database has after it; `None` where it says nothing of that.
    pub fn count(&self) -> Option<u32> {
        (self.count > 0).then_some(self.count)
    }

    /// Where a page stands in it.
    pub fn place(&self, page: u32) -> Option<u64> {
        let size = self.page_size()? as u64;
        let frame = u64::from(*self.pages.get(&page)?);
        Some(HEAD as u64 + frame * (FRAME_HEAD as u64 + size) + FRAME_HEAD as u64)
    }

    /// Takes in what was written since, some `most` bytes of it; `None`: there is no log. Says how many bytes it read, and
    /// whether that was all.
    pub fn take(&mut self, file: Option<&dyn ReadAt>, most: u64) -> Result<(u64, bool), Problem> {
        let head = file.map(Self::head_of).transpose()?.unwrap_or_default();
        if head != self.head {
            // It was begun anew: all before stands in the database.
            *self = Self { sums: Head::parse(&head).map_or((0, 0), |head| head.sums), head, ..Self::default() };
        }
        let (Some(file), Some(head)) = (file, Head::parse(&self.head)) else { return Ok((0, true)) };
        let size = FRAME_HEAD + head.page_size;
        let mut read = 0;
        let (mut sums, mut frame) = (self.sums, self.frames);
        let mut fresh: Vec<(u32, u32)> = Vec::new();
        let mut bytes = vec![0; (CHUNK / size).max(1) * size];
        loop {
            let got = file.read_at(&mut bytes, HEAD as u64 + u64::from(frame) * size as u64)?;
            read += got as u64;
            for one in bytes[..got].chunks_exact(size) {
                let (begin, page) = one.split_at(FRAME_HEAD);
                sums = add(add(sums, &begin[..8], head.big), page, head.big);
                // What is behind the end of the log is left over from before it was begun anew, or is being written.
                if begin[8..16] != head.salts || sums != (u32_at(begin, 16), u32_at(begin, 20)) || u32_at(begin, 0) == 0
                {
                    return Ok((read, true));
                }
                if frame >= MOST_FRAMES {
                    return Err(Problem::Unsupported("its log is too large"));
                }
                fresh.push((u32_at(begin, 0), frame));
                frame += 1;
                let count = u32_at(begin, 4);
                if count > 0 {
                    self.pages.extend(fresh.drain(..));
                    (self.sums, self.frames, self.count) = (sums, frame, count);
                    if read >= most {
                        return Ok((read, false));
                    }
                }
            }
            if got < bytes.len() {
                return Ok((read, true));
            }
        }
    }
}

/// Goes on with the sums of a log over more of it, pairs of numbers of four bytes.
pub(super) fn add((mut a, mut b): (u32, u32), bytes: &[u8], big: bool) -> (u32, u32) {
    let number = |four: &[u8]| {
        let four = [four[0], four[1], four[2], four[3]];
        if big { u32::from_be_bytes(four) } else { u32::from_le_bytes(four) }
    };
    for pair in bytes.chunks_exact(8) {
        a = a.wrapping_add(number(&pair[..4])).wrapping_add(b);
        b = b.wrapping_add(number(&pair[4..])).wrapping_add(a);
    }
    (a, b)
}
