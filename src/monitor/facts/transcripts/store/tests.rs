//! A database that is written to, damaged, replaced or large.

use std::{
    fs,
    path::Path,
    sync::{Arc, OnceLock},
};

use proptest::prelude::*;

use super::*;
use crate::monitor::detect::Profiles;
use crate::monitor::facts::transcripts::sqlite::made::{Cell, Made, log, pages};
use crate::monitor::usage::Tally;
use crate::monitor::{Plan, Prices};

const SIZE: usize = 1024;

fn rules() -> Arc<TranscriptRules> {
    static RULES: OnceLock<Arc<TranscriptRules>> = OnceLock::new();
    Arc::clone(RULES.get_or_init(|| Profiles::embedded().get("opencode").unwrap().transcript.clone().unwrap()))
}

fn text(text: &str) -> Cell {
    Cell::Text(text.to_owned())
}

/// A session: its name, its parent, its folder, when it was written to.
fn session(id: &str, parent: Option<&str>, folder: &str, at: i64) -> Vec<Cell> {
    vec![text(id), parent.map_or(Cell::Null, text), text(folder), text(&"t".repeat(40)), Cell::Int(at)]
}

/// A message of the model's, with so many tokens sent; none: it is not answered yet.
fn message(id: u32, session: &str, input: Option<u64>) -> Vec<Cell> {
    let (input, done) = (input.unwrap_or(0), input.map_or("", |_| ",\"completed\":2"));
    let data = format!(
        "{{\"role\":\"assistant\",\"modelID\":\"m\",\"cost\":0.5,\"tokens\":{{\"input\":{input},\"output\":1}},\"time\":{{\"created\":1{done}}}}}"
    );
    vec![text(&format!("msg_{id}")), text(session), Cell::Int(1_795_000_000_000), text(&data)]
}

#[derive(Clone, Default)]
struct Rows {
    sessions: Vec<Vec<Cell>>,
    messages: Vec<(i64, Vec<Cell>)>,
    todos: Vec<Vec<Cell>>,
    indexed: bool,
    cookie: u32,
}

impl Rows {
    fn pages(&self) -> Vec<Vec<u8>> {
        let number = |rows: &[Vec<Cell>]| (1..).zip(rows.iter().cloned()).collect();
        let index = |column, at| self.indexed.then_some((column, at));
        let session = Made {
            name: "session",
            columns: "id text PRIMARY KEY, parent_id text, directory text, title text, time_updated integer",
            rows: number(&self.sessions),
            index: index("parent_id", 1),
        };
        let columns = "id text PRIMARY KEY, session_id text, time_created integer, data text";
        let rows = self.messages.clone();
        let message = Made { name: "message", columns, rows, index: index("session_id", 1) };
        let part = Made { name: "part", columns, rows: Vec::new(), index: None };
        let todo =
            Made { name: "todo", columns: "session_id text, status text", rows: number(&self.todos), index: None };
        pages(SIZE, &[session, message, part, todo], self.cookie)
    }
}

/// One session with messages of so many tokens each.
fn rows(inputs: &[u64]) -> Rows {
    let messages = (1..).zip(inputs).map(|(row, input)| (row, message(row as u32, "ses_1", Some(*input)))).collect();
    Rows { sessions: vec![session("ses_1", None, "/p", 1_795_000_000_000)], messages, ..Rows::default() }
}

fn me() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// Writes the file as if it had been there for a while.
fn write(path: &Path, pages: &[Vec<u8>]) {
    fs::write(path, pages.concat()).unwrap();
    let at = SystemTime::now() - Duration::from_secs(10);
    fs::File::options().write(true).open(path).unwrap().set_modified(at).unwrap();
}

struct Test {
    dir: tempfile::TempDir,
    store: Store,
    tally: Tally,
}

impl Test {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut store = Store::new(dir.path().join("a.db"), me());
        store.follow(Some("ses_1"));
        Self { dir, store, tally: Tally::default() }
    }

    fn path(&self) -> PathBuf {
        self.dir.path().join("a.db")
    }

    fn log(&self, bytes: &[u8]) {
        fs::write(self.dir.path().join("a.db-wal"), bytes).unwrap();
    }

    /// Looks until all was read; the sum of what was sent.
    fn look(&mut self) -> Result<u64, Problem> {
        loop {
            let utc = jiff::tz::TimeZone::UTC;
            match self.store.read(&rules(), 1 << 20, |said| self.tally.take(said, &utc))? {
                Brought::Anew => self.tally = Tally::default(),
                Brought::On { left: true } => {}
                Brought::On { left: false } => break,
            }
        }
        Ok(self.known().tokens.session.unwrap_or_default().input_tokens)
    }

    fn known(&self) -> crate::monitor::usage::Spending {
        self.tally.known(&rules(), &Prices::new(), jiff::civil::date(2026, 11, 20), true)
    }
}

#[test]
fn rows_that_are_only_in_the_log_count_once_their_transaction_is_whole() {
    let mut test = Test::new();
    let states: Vec<Vec<Vec<u8>>> = [&[1][..], &[1, 20], &[1, 20, 300]].map(|inputs| rows(inputs).pages()).into();
    write(&test.path(), &states[0]);
    assert_eq!(test.look().unwrap(), 1);
    let whole = log(SIZE, &states[0], &states[1..], 7);
    let first = log(SIZE, &states[0], &states[1..2], 7).len();
    // A part of a page, a transaction without its end, one of which the last byte is another.
    for cut in [first - 1, first - SIZE, first - 24] {
        test.log(&whole[..cut]);
        assert_eq!(test.look().unwrap(), 1, "{cut}");
    }
    let mut torn = whole.clone();
    *torn.last_mut().unwrap() ^= 1;
    test.log(&torn);
    assert_eq!(test.look().unwrap(), 21, "the first transaction is whole");
    test.log(&whole);
    assert_eq!(test.look().unwrap(), 321);
    // What a log held before it was begun anew is still behind its end.
    let mut test = Test::new();
    write(&test.path(), &states[0]);
    let old = log(SIZE, &states[0], &states[1..], 8);
    test.log(&[&whole[..first], &old[first..]].concat());
    assert_eq!(test.look().unwrap(), 21);
}

#[test]
fn a_transaction_that_ends_later_is_read_as_it_ended() {
    let mut test = Test::new();
    let states: Vec<Vec<Vec<u8>>> = [&[1][..], &[1, 20], &[1, 50]].map(|inputs| rows(inputs).pages()).into();
    write(&test.path(), &states[0]);
    let given_up = log(SIZE, &states[0], &states[1..2], 7);
    test.log(&given_up[..given_up.len() - SIZE - 24]);
    assert_eq!(test.look().unwrap(), 1);
    test.log(&log(SIZE, &states[0], &states[2..], 7));
    assert_eq!(test.look().unwrap(), 51);
}

#[test]
fn a_checkpoint_between_two_looks_neither_loses_nor_repeats_a_row() {
    let mut test = Test::new();
    let states: Vec<Vec<Vec<u8>>> =
        [&[1][..], &[1, 20], &[1, 20, 300], &[1, 20, 300, 4000]].map(|inputs| rows(inputs).pages()).into();
    write(&test.path(), &states[0]);
    test.log(&log(SIZE, &states[0], &states[1..3], 7));
    assert_eq!(test.look().unwrap(), 321);
    write(&test.path(), &states[2]);
    assert_eq!(test.look().unwrap(), 321, "the log is as it was");
    test.log(&log(SIZE, &states[2], &states[3..], 8));
    assert_eq!(test.look().unwrap(), 4321);
    write(&test.path(), &states[3]);
    test.log(&[]);
    assert_eq!(test.look().unwrap(), 4321);
    fs::remove_file(test.dir.path().join("a.db-wal")).unwrap();
    assert_eq!(test.look().unwrap(), 4321);
    assert_eq!(test.store.unread, 0);
}

#[test]
fn another_database_in_its_place_is_counted_from_its_beginning() {
    let mut test = Test::new();
    write(&test.path(), &rows(&[1, 20]).pages());
    assert_eq!(test.look().unwrap(), 21);
    write(&test.dir.path().join("b.db"), &rows(&[5, 60, 700]).pages());
    fs::rename(test.dir.path().join("b.db"), test.path()).unwrap();
    assert_eq!(test.look().unwrap(), 765);
    // All rows are written anew with other numbers.
    let mut fresh = rows(&[5, 60, 700]);
    (fresh.cookie, fresh.messages[2].0) = (1, 9);
    write(&test.path(), &fresh.pages());
    assert_eq!(test.look().unwrap(), 765);
    // The last row is gone, and the next one has its number.
    fresh.messages[2].1 = message(77, "ses_1", Some(8));
    write(&test.path(), &fresh.pages());
    assert_eq!(test.look().unwrap(), 73);
    fresh.messages.pop();
    write(&test.path(), &fresh.pages());
    assert_eq!(test.look().unwrap(), 65);
    fs::remove_file(test.path()).unwrap();
    assert!(test.look().is_err());
}

#[test]
fn a_row_that_is_finished_later_counts_as_it_is_then() {
    let mut test = Test::new();
    let mut made = rows(&[1]);
    made.messages.push((2, message(2, "ses_1", None)));
    made.messages.push((3, message(3, "ses_1", Some(300))));
    write(&test.path(), &made.pages());
    assert_eq!(test.look().unwrap(), 301);
    made.messages[1].1 = message(2, "ses_1", Some(20));
    write(&test.path(), &made.pages());
    assert_eq!((test.look().unwrap(), test.known().cost_usd), (321, Some(1.5)));
    made.messages[1].1 = message(2, "ses_1", Some(90));
    write(&test.path(), &made.pages());
    assert_eq!(test.look().unwrap(), 321, "it was finished");
}

#[test]
fn large_rows_are_read_and_too_large_ones_are_counted() {
    let mut test = Test::new();
    let mut made = rows(&[1, 20]);
    let Cell::Text(data) = &made.messages[0].1[3] else { panic!() };
    let large = |size: usize| text(&data.replacen('{', &format!("{{\"text\":\"{}\",", "x".repeat(size)), 1));
    let (middle, huge) = (large(30_000), large(17 << 20));
    made.messages[0].1[3] = middle;
    write(&test.path(), &made.pages());
    assert_eq!((test.look().unwrap(), test.store.unread), (21, 0));
    made.messages.push((3, message(3, "ses_1", Some(300))));
    made.messages[2].1[3] = huge;
    made.messages.push((4, message(4, "ses_1", Some(4000))));
    made.messages.push((5, vec![text("msg_5"), text("ses_1"), Cell::Int(1), text("no JSON")]));
    write(&test.path(), &made.pages());
    assert_eq!((test.look().unwrap(), test.store.unread), (4021, 2));
}

#[test]
fn the_newest_session_of_a_folder_is_found_and_sub_agents_count_to_it() {
    for indexed in [false, true] {
        let mut test = Test::new();
        let mut made = rows(&[1]);
        made.indexed = indexed;
        made.sessions.extend([
            session("ses_2", Some("ses_1"), "/p", 1_795_000_009_000),
            session("ses_3", Some("ses_2"), "/p", 1_795_000_009_000),
            session("ses_4", None, "/q", 1_795_000_008_000),
            session("ses_5", None, "/p", 1_794_000_000_000),
        ]);
        for (row, name) in [(2, "ses_2"), (3, "ses_3"), (4, "ses_4"), (5, "ses_5")] {
            made.messages.push((row, message(row as u32, name, Some(10_u64.pow(row as u32)))));
        }
        made.todos = ["completed", "pending", "in_progress"].map(|state| vec![text("ses_1"), text(state)]).into();
        made.todos.push(vec![text("ses_4"), text("completed")]);
        write(&test.path(), &made.pages());
        let mut newest = |folder, session| {
            let found = test.store.newest(&rules(), folder, session, 1 << 20).unwrap();
            found.map(|found| found.session)
        };
        assert_eq!(newest("/p", None).as_deref(), Some("ses_1"));
        assert_eq!(newest("/r", None), None);
        assert_eq!(newest("/p", Some("ses_5")).as_deref(), Some("ses_5"));
        assert_eq!(test.look().unwrap(), 1101, "indexed: {indexed}");
        let known = test.known();
        assert_eq!((known.plan, known.session_id.as_deref()), (Some(Plan { done: 1, of: 3 }), Some("ses_1")));
        // One more, which was begun since.
        made.sessions.push(session("ses_6", Some("ses_1"), "/p", 1_795_000_010_000));
        made.messages.push((6, message(6, "ses_6", Some(5))));
        write(&test.path(), &made.pages());
        assert_eq!(test.look().unwrap(), 1106, "indexed: {indexed}");
        let all = test.store.read_all(&rules()).unwrap();
        let sent = all.iter().map(|said| match said {
            Said::Spent(spent) => spent.tokens.input_tokens,
            _ => 0,
        });
        assert_eq!(sent.sum::<u64>(), 1 + 100 + 1000 + 10_000 + 100_000 + 5);
    }
}

#[test]
fn of_a_hundred_thousand_rows_only_those_of_the_session_and_then_the_new_ones_are_read() {
    let mut test = Test::new();
    let mut made = rows(&[]);
    made.indexed = true;
    made.messages = (1..=100_000)
        .map(|row| {
            let own = row % 1000 == 0;
            (row, message(row as u32, if own { "ses_1" } else { "ses_9" }, Some(1)))
        })
        .collect();
    let before = made.pages();
    write(&test.path(), &before);
    assert!(before.len() > 19_000, "{} pages", before.len());
    assert_eq!(test.look().unwrap(), 100);
    let first = test.store.pages();
    assert!(first < 700, "{first} pages for 100 messages");
    assert_eq!(test.look().unwrap(), 100);
    let second = test.store.pages() - first;
    assert!(second < 30, "{second} pages for nothing new");
    made.messages.push((100_001, message(100_001, "ses_1", Some(7))));
    let after = made.pages();
    test.log(&log(SIZE, &before, &[after], 7));
    // The log is taken in over several looks.
    assert_eq!((0..20).find_map(|_| test.look().ok()), Some(107));
    let third = test.store.pages() - first - second;
    assert!(third < 40, "{third} pages for one row");
}

#[test]
fn one_that_is_being_written_to_is_read_later() {
    let mut test = Test::new();
    write(&test.path(), &rows(&[1]).pages());
    let journal = test.dir.path().join("a.db-journal");
    fs::write(&journal, b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7 and more").unwrap();
    assert!(matches!(test.look(), Err(Problem::Later)));
    fs::write(&journal, [0; 40]).unwrap();
    assert_eq!(test.look().unwrap(), 1, "the transaction has ended");
    fs::File::options().write(true).open(test.path()).unwrap().set_modified(SystemTime::now()).unwrap();
    assert!(matches!(test.look(), Err(Problem::Later)), "it was written to in this moment");
    let path = test.path();
    let read = test.store.database.read(1 << 20, |_| {
        write(&path, &rows(&[1, 2]).pages());
        Ok(())
    });
    assert!(matches!(read, Err(Problem::Later)), "{read:?}");
}

#[test]
fn what_is_no_database_of_its_user_is_refused() {
    let mut test = Test::new();
    let mut other = rows(&[1]).pages();
    other[0][59] = 2;
    write(&test.path(), &other);
    assert!(matches!(test.look(), Err(Problem::Unsupported(_))), "its text is UTF-16");
    write(&test.path(), &[b"no database at all".repeat(100)]);
    assert!(matches!(test.look(), Err(Problem::Damaged(_))));
    write(&test.path(), &rows(&[1]).pages()[..3]);
    assert!(matches!(test.look(), Err(Problem::Damaged(_))), "pages are missing");
    write(&test.path(), &pages(SIZE, &[], 0));
    assert!(matches!(test.look(), Err(Problem::Unsupported(_))), "no table");
    fs::rename(test.path(), test.dir.path().join("b.db")).unwrap();
    std::os::unix::fs::symlink(test.dir.path().join("b.db"), test.path()).unwrap();
    assert!(matches!(test.look(), Err(Problem::Io(_))), "a link");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn damage_anywhere_ends_in_an_error_or_in_numbers(
        spoilt in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12),
        at_most in any::<prop::sample::Index>(),
        indexed in any::<bool>(),
    ) {
        let mut test = Test::new();
        let mut made = rows(&[1; 40]);
        made.indexed = indexed;
        let before = made.pages();
        made.messages.push((41, message(41, "ses_1", Some(5))));
        let mut bytes = before.concat();
        let mut wal = log(SIZE, &before, &[made.pages()], 7);
        for (at, byte) in spoilt {
            let at = at.index(bytes.len() + wal.len());
            match bytes.len() {
                size if at < size => bytes[at] = byte,
                size => wal[at - size] = byte,
            }
        }
        bytes.truncate(bytes.len() - at_most.index(bytes.len()) / 8);
        write(&test.path(), &[bytes]);
        test.log(&wal);
        let _ = (test.look(), test.store.read_all(&rules()), test.store.newest(&rules(), "/p", None, 1 << 20));
    }

    #[test]
    fn what_was_written_is_read(inputs in prop::collection::vec(1_u64..1000, 0..300), indexed in any::<bool>()) {
        let mut test = Test::new();
        let mut made = rows(&inputs);
        made.indexed = indexed;
        write(&test.path(), &made.pages());
        prop_assert_eq!(test.look().unwrap(), inputs.iter().sum::<u64>());
    }
}
