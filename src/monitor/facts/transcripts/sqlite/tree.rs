//! The trees of pages that hold tables and indexes.

use std::{cmp::Ordering, rc::Rc};

use crate::monitor::facts::transcripts::sqlite::{
    Problem,
    record::{Record, Value, varint},
    u16_at, u32_at,
    view::View,
};

/// How many pages deep a tree is at most; SQLite's own limit.
const DEEPEST: usize = 20;

/// Longest entry of an index that is read, bytes.
const LONGEST_KEY: u64 = 64 << 10;

const DAMAGED: Problem = Problem::Damaged("a page is no part of a tree");

/// What a row holds: a part of it stands in the tree, the rest on pages of its own.
#[derive(Clone, Debug)]
pub struct Payload {
    page: Rc<[u8]>,
    from: usize,
    local: usize,
    total: u64,
    more: u32,
}

impl Payload {
    /// What stands in the tree.
    pub fn begin(&self) -> &[u8] {
        &self.page[self.from..self.from + self.local]
    }

    /// Whether that is all.
    pub fn is_whole(&self) -> bool {
        self.local as u64 == self.total
    }

    /// All of it, unless it has more than `most` bytes.
    pub fn whole(&self, view: &mut View<'_>, most: u64) -> Result<Vec<u8>, Problem> {
        if self.total > most {
            return Err(Problem::Unsupported("a row is too large"));
        }
        let mut bytes = self.begin().to_vec();
        let mut next = self.more;
        while (bytes.len() as u64) < self.total {
            let page = view.page(next)?;
            next = u32_at(&page, 0);
            let left = usize::try_from(self.total - bytes.len() as u64).map_err(|_| DAMAGED)?;
            bytes.extend_from_slice(&page[4..4 + left.min(view.usable() - 4)]);
        }
        Ok(bytes)
    }
}

/// What kind of page it is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Rows,
    RowsBelow,
    Keys,
    KeysBelow,
}

/// One page of a tree.
struct Node {
    page: Rc<[u8]>,
    kind: Kind,
    begin: usize,
    count: usize,
    /// The last page below it.
    last: u32,
}

impl Node {
    fn read(view: &mut View<'_>, number: u32) -> Result<Self, Problem> {
        let page = view.page(number)?;
        // The first page begins with the head of the file.
        let head = if number == 1 { 100 } else { 0 };
        let kind = match page[head] {
            13 => Kind::Rows,
            5 => Kind::RowsBelow,
            10 => Kind::Keys,
            2 => Kind::KeysBelow,
            _ => return Err(DAMAGED),
        };
        let is_below = matches!(kind, Kind::RowsBelow | Kind::KeysBelow);
        let begin = head + if is_below { 12 } else { 8 };
        let count = u16_at(&page, head + 3);
        if begin + 2 * count > view.usable() {
            return Err(DAMAGED);
        }
        Ok(Self { kind, begin, count, last: if is_below { u32_at(&page, head + 8) } else { 0 }, page })
    }

    /// Where a cell begins, and its bytes up to the end of the page.
    fn cell(&self, view: &View<'_>, index: usize) -> Result<(usize, &[u8]), Problem> {
        let at = u16_at(&self.page, self.begin + 2 * index);
        let cell = self.page.get(at..view.usable()).filter(|cell| cell.len() >= 4);
        cell.map(|cell| (at, cell)).ok_or(DAMAGED)
    }

    /// What a cell holds, of so many bytes, from a place in the page on.
    fn payload(&self, view: &View<'_>, from: usize, total: u64) -> Result<Payload, Problem> {
        let usable = view.usable();
        let least = (usable - 12) * 32 / 255 - 23;
        let most = if self.kind == Kind::Rows { usable - 35 } else { (usable - 12) * 64 / 255 - 23 };
        let local = match usize::try_from(total) {
            Ok(total) if total <= most => total,
            _ => {
                let rest = usize::try_from((total - least as u64) % (usable as u64 - 4)).map_err(|_| DAMAGED)?;
                if least + rest <= most { least + rest } else { least }
            }
        };
        let is_whole = local as u64 == total;
        let end = from + local + if is_whole { 0 } else { 4 };
        if end > usable {
            return Err(DAMAGED);
        }
        let more = if is_whole { 0 } else { u32_at(&self.page, from + local) };
        Ok(Payload { page: Rc::clone(&self.page), from, local, total, more })
    }
}

/// Hands on the rows of a table from a number on, in their order, until `each` says no. Says whether it never did.
pub fn rows(
    view: &mut View<'_>,
    root: u32,
    from: i64,
    each: &mut dyn FnMut(&mut View<'_>, i64, Payload) -> Result<bool, Problem>,
) -> Result<bool, Problem> {
    rows_below(view, root, from, DEEPEST, each)
}

fn rows_below(
    view: &mut View<'_>,
    number: u32,
    from: i64,
    depth: usize,
    each: &mut dyn FnMut(&mut View<'_>, i64, Payload) -> Result<bool, Problem>,
) -> Result<bool, Problem> {
    let node = Node::read(view, number)?;
    let deeper = depth.checked_sub(1).ok_or(DAMAGED)?;
    for index in 0..node.count {
        let (at, cell) = node.cell(view, index)?;
        match node.kind {
            Kind::Rows => {
                let (total, size) = varint(cell).ok_or(DAMAGED)?;
                let (row, more) = varint(&cell[size..]).ok_or(DAMAGED)?;
                let row = row.cast_signed();
                if row >= from {
                    let payload = node.payload(view, at + size + more, total)?;
                    if !each(view, row, payload)? {
                        return Ok(false);
                    }
                }
            }
            Kind::RowsBelow => {
                let (last, _) = varint(&cell[4..]).ok_or(DAMAGED)?;
                if last.cast_signed() >= from && !rows_below(view, u32_at(cell, 0), from, deeper, each)? {
                    return Ok(false);
                }
            }
            Kind::Keys | Kind::KeysBelow => return Err(DAMAGED),
        }
    }
    match node.kind {
        Kind::RowsBelow => rows_below(view, node.last, from, deeper, each),
        Kind::Rows => Ok(true),
        Kind::Keys | Kind::KeysBelow => Err(DAMAGED),
    }
}

/// One row.
pub fn row(view: &mut View<'_>, root: u32, number: i64) -> Result<Option<Payload>, Problem> {
    let mut found = None;
    rows(view, root, number, &mut |_, row, payload| {
        found = (row == number).then_some(payload);
        Ok(false)
    })?;
    Ok(found)
}

/// The number of the last row.
pub fn last(view: &mut View<'_>, root: u32) -> Result<Option<i64>, Problem> {
    let mut number = root;
    for _ in 0..=DEEPEST {
        let node = Node::read(view, number)?;
        match node.kind {
            Kind::RowsBelow => number = node.last,
            Kind::Rows => {
                let Some(index) = node.count.checked_sub(1) else { return Ok(None) };
                let (_, cell) = node.cell(view, index)?;
                let (_, size) = varint(cell).ok_or(DAMAGED)?;
                return Ok(Some(varint(&cell[size..]).ok_or(DAMAGED)?.0.cast_signed()));
            }
            Kind::Keys | Kind::KeysBelow => return Err(DAMAGED),
        }
    }
    Err(DAMAGED)
}

/// The numbers of the rows whose first column in an index is this text, in the order of the index.
pub fn rows_with(view: &mut View<'_>, root: u32, text: &str, each: &mut dyn FnMut(i64)) -> Result<(), Problem> {
    keys_below(view, root, text, DEEPEST, each).map(|_| ())
}

/// Says whether there may be more.
fn keys_below(
    view: &mut View<'_>,
    number: u32,
    text: &str,
    depth: usize,
    each: &mut dyn FnMut(i64),
) -> Result<bool, Problem> {
    let node = Node::read(view, number)?;
    let deeper = depth.checked_sub(1).ok_or(DAMAGED)?;
    let below = match node.kind {
        Kind::Keys => 0,
        Kind::KeysBelow => 4,
        Kind::Rows | Kind::RowsBelow => return Err(DAMAGED),
    };
    for index in 0..node.count {
        let (at, cell) = node.cell(view, index)?;
        let (total, size) = varint(&cell[below..]).ok_or(DAMAGED)?;
        let payload = node.payload(view, at + below + size, total)?;
        let (order, row) = compare(view, &payload, text)?;
        if order == Ordering::Less {
            continue;
        }
        if below > 0 && !keys_below(view, u32_at(cell, 0), text, deeper, each)? {
            return Ok(false);
        }
        if order == Ordering::Greater {
            return Ok(false);
        }
        each(row);
    }
    if below > 0 { keys_below(view, node.last, text, deeper, each) } else { Ok(true) }
}

/// How the first column of an entry stands to a text, and the row that it is of.
fn compare(view: &mut View<'_>, payload: &Payload, text: &str) -> Result<(Ordering, i64), Problem> {
    let bytes = payload.whole(view, LONGEST_KEY)?;
    let record = Record::parse(&bytes)?;
    let order = match record.value(0)? {
        Value::Null | Value::Int(_) | Value::Real(_) => Ordering::Less,
        Value::Text(own) => own.as_bytes().cmp(text.as_bytes()),
        Value::Blob(_) => Ordering::Greater,
    };
    match record.value(record.len().saturating_sub(1))? {
        Value::Int(row) => Ok((order, row)),
        _ => Err(DAMAGED),
    }
}
