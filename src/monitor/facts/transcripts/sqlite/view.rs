//! The pages of a database at one moment: those of its log, else those of its file.

use std::{collections::HashMap, rc::Rc};

use crate::monitor::facts::transcripts::sqlite::{
    Problem, ReadAt, u16_at, u32_at,
    wal::{Log, is_page_size},
};

/// Most pages that are kept in memory at once.
const MOST_KEPT: usize = 1024;

/// Most steps from page to page in one view: a tree that goes round is left.
const MOST_STEPS: u32 = 1 << 22;

/// How many steps more than it has pages a database may take: most pages are looked at once or from below.
const FREE_STEPS: u32 = 1 << 16;

/// Which database it is, and how its tables were made: that changes when all rows are written anew as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    file: (u64, u64),
    schema: u32,
}

/// A database at one moment.
#[expect(missing_debug_implementations, reason = "files behind a trait have none")]
pub struct View<'a> {
    file: &'a dyn ReadAt,
    wal: Option<&'a dyn ReadAt>,
    log: &'a Log,
    page_size: usize,
    usable: usize,
    count: u32,
    identity: Identity,
    kept: HashMap<u32, Rc<[u8]>>,
    steps: u32,
    pages: u64,
}

impl<'a> View<'a> {
    /// Looks at its head. `size`: the bytes of its file.
    pub fn new(file: &'a dyn ReadAt, size: u64, wal: Option<&'a dyn ReadAt>, log: &'a Log) -> Result<Self, Problem> {
        let mut head = vec![0; 100];
        let place = wal.zip(log.place(1));
        let read = match place {
            Some((wal, place)) => wal.read_at(&mut head, place)?,
            None => file.read_at(&mut head, 0)?,
        };
        if read < head.len() || !head.starts_with(b"SQLite format 3\0") {
            return Err(Problem::Damaged("it is no SQLite database"));
        }
        let page_size = match u16_at(&head, 16) {
            1 => 65_536,
            size => size,
        };
        let usable = page_size.saturating_sub(head[20].into());
        if !is_page_size(page_size) || usable < 480 || log.page_size().is_some_and(|size| size != page_size) {
            return Err(Problem::Damaged("its pages have no size"));
        }
        if head[19] > 2 {
            return Err(Problem::Unsupported("it is of a newer format"));
        }
        if u32_at(&head, 56) > 1 {
            return Err(Problem::Unsupported("its text is not UTF-8"));
        }
        let in_file = u32::try_from(size / page_size as u64).unwrap_or(u32::MAX);
        let count = log.count().unwrap_or(in_file);
        let steps = count.saturating_mul(2).saturating_add(FREE_STEPS).min(MOST_STEPS);
        Ok(Self {
            file,
            wal,
            log,
            page_size,
            usable,
            count,
            identity: Identity { file: (0, 0), schema: u32_at(&head, 40) },
            kept: HashMap::new(),
            steps,
            pages: 0,
        })
    }

    /// It is in this file: device and number.
    pub(super) fn identify(&mut self, file: (u64, u64)) {
        self.identity.file = file;
    }

    /// Another one means that rows may have other numbers.
    pub fn identity(&self) -> Identity {
        self.identity
    }

    /// Bytes of a page that hold something.
    pub fn usable(&self) -> usize {
        self.usable
    }

    /// How many pages were read.
    pub fn pages(&self) -> u64 {
        self.pages
    }

    /// How many bytes that were.
    pub fn bytes(&self) -> u64 {
        self.pages * self.page_size as u64
    }

    /// A page.
    pub fn page(&mut self, number: u32) -> Result<Rc<[u8]>, Problem> {
        if number == 0 || number > self.count {
            return Err(Problem::Damaged("a page is not there"));
        }
        self.steps = self.steps.checked_sub(1).ok_or(Problem::Damaged("its pages go round"))?;
        if let Some(page) = self.kept.get(&number) {
            return Ok(Rc::clone(page));
        }
        let mut page = vec![0; self.page_size];
        let place = self.wal.zip(self.log.place(number));
        let read = match place {
            Some((wal, place)) => wal.read_at(&mut page, place)?,
            None => self.file.read_at(&mut page, u64::from(number - 1) * self.page_size as u64)?,
        };
        if read < page.len() {
            return Err(Problem::Damaged("a page is cut off"));
        }
        self.pages += 1;
        if self.kept.len() >= MOST_KEPT {
            self.kept.clear();
        }
        let page: Rc<[u8]> = page.into();
        self.kept.insert(number, Rc::clone(&page));
        Ok(page)
    }
}
