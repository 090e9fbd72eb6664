//! Databases made for tests, with as many pages as a test wants. That the format is SQLite's own, the recorded ones show
//! (`tests/usage`).

use crate::monitor::facts::transcripts::sqlite::wal::add;

/// A value of a row.
#[derive(Clone, Debug)]
pub enum Cell {
    Null,
    Int(i64),
    Text(String),
}

/// A table with the rows in it, and the name of a column that it has an index of.
#[derive(Clone, Debug, Default)]
pub struct Made {
    pub name: &'static str,
    pub columns: &'static str,
    pub rows: Vec<(i64, Vec<Cell>)>,
    pub index: Option<(&'static str, usize)>,
}

fn varint(value: u64) -> Vec<u8> {
    let mut bytes = vec![(value & 0x7f) as u8];
    let mut rest = value >> 7;
    while rest > 0 {
        bytes.insert(0, (rest & 0x7f) as u8 | 0x80);
        rest >>= 7;
    }
    bytes
}

fn record(cells: &[Cell]) -> Vec<u8> {
    let (mut kinds, mut values) = (Vec::new(), Vec::new());
    for cell in cells {
        match cell {
            Cell::Null => kinds.extend(varint(0)),
            Cell::Int(number) => {
                kinds.extend(varint(6));
                values.extend(number.to_be_bytes());
            }
            Cell::Text(text) => {
                kinds.extend(varint(text.len() as u64 * 2 + 13));
                values.extend(text.bytes());
            }
        }
    }
    // The head counts itself.
    let size = if kinds.len() < 127 { kinds.len() + 1 } else { kinds.len() + 2 };
    [varint(size as u64), kinds, values].concat()
}

struct Pages {
    size: usize,
    pages: Vec<Vec<u8>>,
}

impl Pages {
    fn put(&mut self, page: Vec<u8>) -> u32 {
        self.pages.push(page);
        self.pages.len() as u32
    }

    /// What of a payload stands in the tree, with where the rest is.
    fn local(&mut self, bytes: &[u8], most: usize) -> Vec<u8> {
        if bytes.len() <= most {
            return bytes.to_vec();
        }
        let least = (self.size - 12) * 32 / 255 - 23;
        let wish = least + (bytes.len() - least) % (self.size - 4);
        let (local, rest) = bytes.split_at(if wish <= most { wish } else { least });
        let mut next = 0_u32;
        for part in rest.chunks(self.size - 4).rev() {
            let mut page = [&next.to_be_bytes()[..], part].concat();
            page.resize(self.size, 0);
            next = self.put(page);
        }
        [local, &next.to_be_bytes()].concat()
    }

    fn page(&self, kind: u8, cells: &[Vec<u8>], last: Option<u32>, head: usize) -> Vec<u8> {
        let mut page = vec![0; self.size];
        let mut end = self.size;
        let mut at = head + if last.is_some() { 12 } else { 8 };
        for cell in cells {
            end -= cell.len();
            page[end..end + cell.len()].copy_from_slice(cell);
            page[at..at + 2].copy_from_slice(&(end as u16).to_be_bytes());
            at += 2;
        }
        assert!(at <= end, "the cells fit");
        page[head] = kind;
        page[head + 3..head + 5].copy_from_slice(&(cells.len() as u16).to_be_bytes());
        page[head + 5..head + 7].copy_from_slice(&(end as u16).to_be_bytes());
        if let Some(last) = last {
            page[head + 8..head + 12].copy_from_slice(&last.to_be_bytes());
        }
        page
    }

    fn fits(&self, cells: &[Vec<u8>], more: &[u8]) -> bool {
        cells.iter().map(|cell| cell.len() + 2).sum::<usize>() + more.len() + 2 + 12 <= self.size
    }

    fn table(&mut self, rows: &[(i64, Vec<Cell>)]) -> u32 {
        let mut below: Vec<(u32, i64)> = Vec::new();
        let (mut cells, mut last) = (Vec::new(), 0);
        for (row, values) in rows {
            let bytes = record(values);
            let local = self.local(&bytes, self.size - 35);
            let cell = [varint(bytes.len() as u64), varint(row.cast_unsigned()), local].concat();
            if !self.fits(&cells, &cell) {
                let page = self.page(13, &cells, None, 0);
                below.push((self.put(page), last));
                cells.clear();
            }
            cells.push(cell);
            last = *row;
        }
        let page = self.page(13, &cells, None, 0);
        below.push((self.put(page), last));
        while below.len() > 1 {
            let mut above = Vec::new();
            for group in below.chunks(20) {
                let (last, before) = group.split_last().unwrap();
                let cell = |(page, row): &(u32, i64)| [&page.to_be_bytes()[..], &varint(row.cast_unsigned())].concat();
                let cells: Vec<Vec<u8>> = before.iter().map(cell).collect();
                let page = self.page(5, &cells, Some(last.0), 0);
                above.push((self.put(page), last.1));
            }
            below = above;
        }
        below[0].0
    }

    fn index(&mut self, rows: &[(i64, Vec<Cell>)], column: usize) -> u32 {
        let mut keys: Vec<(String, i64)> = Vec::new();
        for (row, values) in rows {
            match &values[column] {
                Cell::Text(text) => keys.push((text.clone(), *row)),
                _ => keys.push((String::new(), *row)),
            }
        }
        keys.sort();
        let entry = |(text, row): &(String, i64)| {
            // None is before all text.
            let text = if text.is_empty() { Cell::Null } else { Cell::Text(text.clone()) };
            let bytes = record(&[text, Cell::Int(*row)]);
            [varint(bytes.len() as u64), bytes].concat()
        };
        // Each page but the last gives its last entry to the one above.
        let mut below: Vec<(u32, Option<Vec<u8>>)> = Vec::new();
        let mut cells = Vec::new();
        for key in &keys {
            let cell = entry(key);
            if self.fits(&cells, &cell) {
                cells.push(cell);
            } else {
                let page = self.page(10, &cells, None, 0);
                below.push((self.put(page), Some(cell)));
                cells.clear();
            }
        }
        let page = self.page(10, &cells, None, 0);
        below.push((self.put(page), None));
        while below.len() > 1 {
            let mut above = Vec::new();
            for group in below.chunks(8) {
                let (last, before) = group.split_last().unwrap();
                let cell = |(page, key): &(u32, Option<Vec<u8>>)| {
                    [&page.to_be_bytes()[..], key.as_deref().unwrap_or_default()].concat()
                };
                let cells: Vec<Vec<u8>> = before.iter().map(cell).collect();
                let page = self.page(2, &cells, Some(last.0), 0);
                above.push((self.put(page), last.1.clone()));
            }
            below = above;
        }
        below[0].0
    }
}

/// The pages of a database with these tables.
pub fn pages(size: usize, tables: &[Made], cookie: u32) -> Vec<Vec<u8>> {
    let mut pages = Pages { size, pages: vec![Vec::new()] };
    let mut schema = Vec::new();
    let mut made = |kind: &str, name: &str, table: &str, root: u32, sql: String| {
        let text = |text: &str| Cell::Text(text.to_owned());
        let bytes = record(&[text(kind), text(name), text(table), Cell::Int(root.into()), Cell::Text(sql)]);
        schema.push([varint(bytes.len() as u64), varint(schema.len() as u64 + 1), bytes].concat());
    };
    for table in tables {
        let root = pages.table(&table.rows);
        made("table", table.name, table.name, root, format!("CREATE TABLE {} ({})", table.name, table.columns));
        if let Some((column, at)) = table.index {
            let root = pages.index(&table.rows, at);
            let name = format!("{}_{column}", table.name);
            made("index", &name, table.name, root, format!("CREATE INDEX {name} ON {} ({column})", table.name));
        }
    }
    let mut first = pages.page(13, &schema, None, 100);
    first[..16].copy_from_slice(b"SQLite format 3\0");
    first[16..18].copy_from_slice(&(if size == 65_536 { 1 } else { size as u16 }).to_be_bytes());
    first[18..20].copy_from_slice(&[2, 2]);
    first[28..32].copy_from_slice(&(pages.pages.len() as u32).to_be_bytes());
    first[40..44].copy_from_slice(&cookie.to_be_bytes());
    first[56..60].copy_from_slice(&1_u32.to_be_bytes());
    pages.pages[0] = first;
    pages.pages
}

/// A log in which each transaction makes the database to be these pages. `salt`: another one after each time that it was
/// begun anew.
pub fn log(size: usize, before: &[Vec<u8>], transactions: &[Vec<Vec<u8>>], salt: u32) -> Vec<u8> {
    let numbers = |numbers: &[u32]| numbers.iter().flat_map(|number| number.to_be_bytes()).collect::<Vec<u8>>();
    let mut log = numbers(&[0x377f_0683, 3_007_000, size as u32, 0, salt, !salt]);
    let mut sums = add((0, 0), &log, true);
    log.extend(numbers(&[sums.0, sums.1]));
    let mut now = before.to_vec();
    for pages in transactions {
        let is_new = |(at, page): &(usize, &Vec<u8>)| now.get(*at) != Some(*page);
        let changed: Vec<(usize, &Vec<u8>)> = pages.iter().enumerate().filter(is_new).collect();
        let last = changed.len().saturating_sub(1);
        for (index, (at, page)) in changed.into_iter().enumerate() {
            let begin = numbers(&[at as u32 + 1, if index == last { pages.len() as u32 } else { 0 }]);
            sums = add(add(sums, &begin, true), page, true);
            log.extend([begin, numbers(&[salt, !salt, sums.0, sums.1]), page.clone()].concat());
        }
        now.clone_from(pages);
    }
    log
}
