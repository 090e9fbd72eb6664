//! Reads what was appended to a transcript since the last time, and notices when it is another one.

use std::{
    fs::Metadata,
    io::{self, Read, Seek, SeekFrom},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use serde_json::Value;

use crate::monitor::facts::file::{open_foreign, read_foreign, words};
use crate::monitor::usage::{Records, Said, TranscriptRules};

/// Bytes that are read at once.
const CHUNK: usize = 1 << 20;

/// Longest line that is parsed, bytes: a picture in a record has some megabytes.
const LONGEST_LINE: usize = 16 << 20;

/// Largest document that is parsed, bytes.
const LARGEST_DOCUMENT: u64 = 64 << 20;

/// Longest path of a folder, characters.
const LONGEST_PATH: usize = 4096;

/// Largest file beside a transcript that is read, bytes.
const LARGEST_BESIDE: u64 = 1 << 20;

/// Bytes before the end of what was read by which a file is known again: some programs write their first line anew.
const SEAM: usize = 256;

/// One transcript, read so far.
#[derive(Clone, Debug)]
pub struct Tail {
    path: PathBuf,
    owner: u32,
    /// It is a sub-agent's.
    side: bool,
    file: Option<(u64, u64)>,
    /// The last bytes before the offset.
    seam: Vec<u8>,
    /// The end of the last whole record.
    offset: u64,
    /// In a line that is too long.
    skipping: bool,
    /// Size and time of a document when it was read.
    document: Option<(u64, i64, i64)>,
    records: Records,
    said: Vec<Said>,
    /// Records that could not be read.
    pub unread: u64,
    /// Bytes that were read so far.
    pub bytes: u64,
}

/// What a look brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Looked {
    /// It goes on where the last look ended; so many bytes are left for the next one.
    On {
        /// Bytes.
        left: u64,
    },
    /// It is another file, or was written anew: nothing was read, and what was counted of it counts no more.
    Anew,
}

impl Tail {
    /// Most bytes that a look at what one is about reads.
    pub const ABOUT: u64 = CHUNK as u64 / 4;

    /// A file of `owner`, unread.
    #[must_use]
    pub fn new(path: PathBuf, owner: u32) -> Self {
        Self {
            path,
            owner,
            side: false,
            file: None,
            seam: Vec::new(),
            offset: 0,
            skipping: false,
            document: None,
            records: Records::default(),
            said: Vec::new(),
            unread: 0,
            bytes: 0,
        }
    }

    /// The same of a sub-agent's.
    #[must_use]
    pub fn of_side(path: PathBuf, owner: u32) -> Self {
        Self { side: true, records: Records::of_side(), ..Self::new(path, owner) }
    }

    /// The same file, unread again.
    #[must_use]
    pub fn again(&self) -> Self {
        let new = if self.side { Self::of_side } else { Self::new };
        new(self.path.clone(), self.owner)
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads at most some `most` bytes of what is new, and hands on what the records say.
    ///
    /// # Errors
    /// When it cannot be read, or is no regular file of its owner.
    pub fn read(&mut self, rules: &TranscriptRules, most: u64, mut take: impl FnMut(Said)) -> io::Result<Looked> {
        let (mut file, meta) = open_foreign(&self.path, self.owner)?;
        if self.is_another(&mut file, &meta)? {
            *self = self.again();
            return Ok(Looked::Anew);
        }
        self.file = Some((meta.dev(), meta.ino()));
        if is_document(rules, &self.path) {
            return self.read_document(rules, file, &meta, take);
        }
        let mut read = 0;
        let mut chunk = Vec::new();
        while read < most && self.offset < meta.len() {
            file.seek(SeekFrom::Start(self.offset))?;
            chunk.clear();
            file.by_ref().take(CHUNK as u64).read_to_end(&mut chunk)?;
            if !chunk.contains(&b'\n') && !self.skipping && chunk.len() == CHUNK {
                // A long line: as much of it as is parsed at all.
                file.by_ref().take((LONGEST_LINE - CHUNK) as u64).read_to_end(&mut chunk)?;
            }
            let taken = self.take_lines(rules, &chunk, &mut take);
            if taken == 0 {
                break;
            }
            read += taken as u64;
            self.bytes += chunk.len() as u64;
            self.offset += taken as u64;
            self.seam = chunk[taken.saturating_sub(SEAM)..taken].to_vec();
        }
        Ok(Looked::On { left: if read < most { 0 } else { meta.len().saturating_sub(self.offset) } })
    }

    /// Takes in the whole lines of a chunk. Says how many bytes that were.
    fn take_lines(&mut self, rules: &TranscriptRules, chunk: &[u8], take: &mut impl FnMut(Said)) -> usize {
        let mut from = 0;
        for end in memchr::memchr_iter(b'\n', chunk) {
            let line = &chunk[from..end];
            from = end + 1;
            if std::mem::take(&mut self.skipping) {
                continue;
            }
            self.unread += u64::from(self.records.read(rules, line, &mut self.said).is_err());
            self.said.drain(..).for_each(&mut *take);
        }
        // The rest is a line that is still being written, unless it is too long.
        if from == 0 && (self.skipping || chunk.len() >= LONGEST_LINE) {
            self.unread += u64::from(!self.skipping);
            self.skipping = true;
            return chunk.len();
        }
        from
    }

    fn read_document(
        &mut self,
        rules: &TranscriptRules,
        file: std::fs::File,
        meta: &Metadata,
        mut take: impl FnMut(Said),
    ) -> io::Result<Looked> {
        let now = (meta.len(), meta.mtime(), meta.mtime_nsec());
        if self.document == Some(now) {
            return Ok(Looked::On { left: 0 });
        }
        if self.document.take().is_some() {
            // It is written as a whole each time, and so it is counted.
            self.records = self.again().records;
            return Ok(Looked::Anew);
        }
        if meta.len() > LARGEST_DOCUMENT {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "it is too large"));
        }
        let mut bytes = Vec::new();
        file.take(LARGEST_DOCUMENT).read_to_end(&mut bytes)?;
        self.bytes += bytes.len() as u64;
        // It may be in the middle of being written: then the next look will do.
        let Ok(document) = serde_json::from_slice::<Value>(&bytes) else { return Ok(Looked::On { left: 0 }) };
        self.document = Some(now);
        let list = rules.document.as_ref().and_then(|list| list.of(&document, None));
        let records = match list {
            Some(Value::Array(records)) => records.as_slice(),
            Some(record) => std::slice::from_ref(record),
            None => &[],
        };
        let _ = self.records.take(rules, &document, &mut Vec::new());
        for record in records {
            self.unread += u64::from(self.records.take(rules, record, &mut self.said).is_err());
            self.said.drain(..).for_each(&mut take);
        }
        Ok(Looked::On { left: 0 })
    }

    /// Whether what stands there is another file than the one that was read, or was written anew.
    fn is_another(&mut self, file: &mut std::fs::File, meta: &Metadata) -> io::Result<bool> {
        let Some(known) = self.file else { return Ok(false) };
        if known != (meta.dev(), meta.ino()) || meta.len() < self.offset {
            return Ok(true);
        }
        if self.seam.is_empty() {
            return Ok(false);
        }
        file.seek(SeekFrom::Start(self.offset - self.seam.len() as u64))?;
        let mut seam = Vec::new();
        file.take(self.seam.len() as u64).read_to_end(&mut seam)?;
        Ok(seam != self.seam)
    }

    /// The name of the session that it is a sub-agent's of, as far as it was read.
    #[must_use]
    pub fn parent(&self) -> Option<&str> {
        self.records.parent()
    }

    /// The name of its session, as far as it was read.
    #[must_use]
    pub fn session(&self) -> Option<&str> {
        self.records.session()
    }

    /// The folder that the session works in and its name, out of its first records; nothing is counted.
    #[must_use]
    pub fn about(path: &Path, owner: u32, rules: &TranscriptRules) -> Option<About> {
        let (file, meta) = open_foreign(path, owner).ok()?;
        let mut records = Records::default();
        let mut said = Vec::new();
        if is_document(rules, path) {
            if meta.len() > LARGEST_DOCUMENT {
                return None;
            }
            let mut bytes = Vec::new();
            file.take(LARGEST_DOCUMENT).read_to_end(&mut bytes).ok()?;
            let _ = records.take(rules, &serde_json::from_slice(&bytes).ok()?, &mut said);
        } else {
            let mut bytes = Vec::new();
            file.take(Self::ABOUT).read_to_end(&mut bytes).ok()?;
            for line in bytes.split(|byte| *byte == b'\n') {
                if let Ok(record) = serde_json::from_slice::<Value>(line) {
                    let _ = records.take(rules, &record, &mut said);
                }
                if records.project().is_some() && records.session().is_some() {
                    break;
                }
            }
        }
        let beside = || {
            let file = path.parent()?.join(rules.project_file.as_ref()?);
            let text = read_foreign(&file, LARGEST_BESIDE, owner).ok()?;
            let text = std::str::from_utf8(&text).ok()?;
            let known = match &rules.project_field {
                None => text.trim_end().to_owned(),
                Some(field) => field.of(&serde_json::from_str(text).ok()?, None)?.as_str()?.to_owned(),
            };
            Some(words(&known, LONGEST_PATH))
        };
        let project = records.project().map(str::to_owned).or_else(beside);
        let own = |word: Option<&str>| word.map(str::to_owned);
        Some(About { project, session: own(records.session()), parent: own(records.parent()) })
    }

    /// What the end of a large file says, before all of it was read.
    #[must_use]
    pub fn end(&self, rules: &TranscriptRules) -> Vec<Said> {
        let read = || -> io::Result<Vec<u8>> {
            let (mut file, meta) = open_foreign(&self.path, self.owner)?;
            file.seek(SeekFrom::Start(meta.len().saturating_sub(CHUNK as u64 / 4)))?;
            let mut bytes = Vec::new();
            file.take(CHUNK as u64 / 4).read_to_end(&mut bytes)?;
            Ok(bytes)
        };
        let bytes = read().unwrap_or_default();
        let (mut records, mut said) = (self.again().records, Vec::new());
        // The first line is cut off.
        for line in bytes.split(|byte| *byte == b'\n').skip(1) {
            let _ = records.read(rules, line, &mut said);
        }
        said
    }
}

/// What a transcript says it is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct About {
    /// The folder that its agent works in.
    pub project: Option<String>,
    /// The session's name.
    pub session: Option<String>,
    /// The name of the session that it is a sub-agent's of.
    pub parent: Option<String>,
}

fn is_document(rules: &TranscriptRules, path: &Path) -> bool {
    rules.document.is_some() && path.extension().is_some_and(|end| end == "json")
}
