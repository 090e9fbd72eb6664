//! A transcript that grows, shrinks, is replaced, is huge, or is no file at all.

use std::{
    fs::{self, File, OpenOptions},
    io::{Seek, SeekFrom, Write},
    path::Path,
    sync::{Arc, OnceLock},
};

use proptest::prelude::*;
use tmux_orc::monitor::detect::Profiles;
use tmux_orc::monitor::facts::transcripts::tail::{Looked, Tail};
use tmux_orc::monitor::usage::{Said, TranscriptRules};

fn rules() -> Arc<TranscriptRules> {
    static RULES: OnceLock<Arc<TranscriptRules>> = OnceLock::new();
    Arc::clone(RULES.get_or_init(|| Profiles::embedded().get("claude").unwrap().transcript.clone().unwrap()))
}

fn me() -> u32 {
    rustix::process::geteuid().as_raw()
}

fn record(id: u32) -> String {
    format!(
        "{{\"type\":\"assistant\",\"requestId\":\"r\",\"timestamp\":\"2026-11-20T10:00:01Z\",\"message\":{{\"id\":\"m{id}\",\"content\":[],\"usage\":{{\"input_tokens\":{id},\"output_tokens\":1}}}}}}\n"
    )
}

/// The inputs that a look finds.
fn look(tail: &mut Tail, most: u64) -> (Vec<u64>, Looked) {
    let mut found = Vec::new();
    let looked = tail.read(&rules(), most, |said| {
        if let Said::Spent(spent) = said {
            found.push(spent.tokens.input_tokens);
        }
    });
    (found, looked.unwrap())
}

const DONE: Looked = Looked::On { left: 0 };

fn append(path: &Path, text: &str) {
    OpenOptions::new().create(true).append(true).open(path).unwrap().write_all(text.as_bytes()).unwrap();
}

#[test]
fn only_what_was_appended_is_read_and_half_a_line_waits() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("t.jsonl");
    let (one, two) = (record(1), record(2));
    append(&path, &one);
    append(&path, &two[..30]);
    let mut tail = Tail::new(path.clone(), me());
    assert_eq!(look(&mut tail, 1 << 20), (vec![1], DONE));
    assert_eq!(look(&mut tail, 1 << 20), (vec![], DONE));
    append(&path, &two[30..]);
    append(&path, "no record\n{\"type\":\"assistant\",\"message\":{\"usage\":{\"input_tokens\":-1}}}\n");
    assert_eq!(look(&mut tail, 1 << 20), (vec![2], DONE));
    assert_eq!(tail.unread, 1, "a number of tokens that is none; a line without the words of a record is not parsed");
}

#[test]
fn one_that_shrinks_is_replaced_or_is_written_anew_is_another() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("t.jsonl");
    fs::write(&path, [record(1), record(2)].concat()).unwrap();
    let mut tail = Tail::new(path.clone(), me());
    assert_eq!(look(&mut tail, 1 << 20).0, [1, 2]);
    fs::write(&path, record(3)).unwrap();
    assert_eq!(look(&mut tail, 1 << 20), (vec![], Looked::Anew));
    assert_eq!(look(&mut tail, 1 << 20), (vec![3], DONE));
    // As long as before, and more.
    fs::write(&path, [record(4), record(5)].concat()).unwrap();
    assert_eq!(look(&mut tail, 1 << 20).1, Looked::Anew);
    assert_eq!(look(&mut tail, 1 << 20), (vec![4, 5], DONE));
    // Another file in its place, which begins as it does.
    let fresh = dir.path().join("fresh");
    fs::write(&fresh, [record(4), record(5), record(6)].concat()).unwrap();
    fs::rename(&fresh, &path).unwrap();
    assert_eq!(look(&mut tail, 1 << 20).1, Looked::Anew);
    assert_eq!(look(&mut tail, 1 << 20), (vec![4, 5, 6], DONE));
    // Some programs write the first line anew, as long as it was: what follows is as it was.
    let mut file = OpenOptions::new().write(true).open(&path).unwrap();
    file.seek(SeekFrom::Start(0)).unwrap();
    file.write_all(&record(7).into_bytes()).unwrap();
    append(&path, &record(8));
    assert_eq!(look(&mut tail, 1 << 20), (vec![8], DONE));
    fs::remove_file(&path).unwrap();
    assert!(tail.read(&rules(), 1, |_| {}).is_err());
}

#[test]
fn a_huge_one_is_read_in_pieces_and_its_end_is_known_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("t.jsonl");
    let filler = format!("{{\"type\":\"attachment\",\"text\":\"{}\"}}\n", "x".repeat(1 << 19));
    for id in 1..=8 {
        append(&path, &record(id));
        append(&path, &filler);
    }
    append(&path, &record(9));
    let mut tail = Tail::new(path, me());
    let (first, looked) = look(&mut tail, 1 << 20);
    let Looked::On { left } = looked else { panic!("{looked:?}") };
    assert!(left > 2 << 20 && first.len() < 4, "{left} {first:?}");
    let end = tail.end(&rules()).into_iter().filter_map(|said| match said {
        Said::Spent(spent) => Some(spent.tokens.input_tokens),
        _ => None,
    });
    assert_eq!(end.collect::<Vec<_>>(), [9]);
    let mut all = first;
    loop {
        let (more, looked) = look(&mut tail, 1 << 20);
        all.extend(more);
        if looked == DONE {
            break;
        }
    }
    assert_eq!(all, (1..=9).collect::<Vec<_>>());
}

#[test]
fn a_line_without_end_is_passed_over() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("t.jsonl");
    append(&path, &record(1));
    let file = OpenOptions::new().append(true).open(&path).unwrap();
    let size = file.metadata().unwrap().len();
    // A hole: 40 MB that take no room.
    file.set_len(size + (40 << 20)).unwrap();
    append(&path, "\n");
    append(&path, &record(2));
    let mut tail = Tail::new(path, me());
    assert_eq!(look(&mut tail, u64::MAX), (vec![1, 2], DONE));
    assert_eq!(tail.unread, 1);
}

#[test]
fn what_is_no_file_of_its_user_is_refused_and_hangs_nobody() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    fs::write(at("file"), record(1)).unwrap();
    std::os::unix::fs::symlink(at("file"), at("link")).unwrap();
    std::os::unix::fs::symlink("/dev/zero", at("zero")).unwrap();
    assert!(std::process::Command::new("mkfifo").arg(at("fifo")).status().unwrap().success());
    for name in ["link", "zero", "fifo", ".", "missing"] {
        assert!(Tail::new(at(name), me()).read(&rules(), 1 << 20, |_| {}).is_err(), "{name}");
        assert_eq!(Tail::about(&at(name), me(), &rules()), None, "{name}");
    }
    assert!(Tail::new(at("file"), me() + 1).read(&rules(), 1 << 20, |_| {}).is_err(), "another user's");
    File::create(at("hole")).unwrap().set_len(1 << 40).unwrap();
    assert!(matches!(look(&mut Tail::new(at("hole"), me()), 1 << 20).1, Looked::On { left } if left > 0));
}

proptest! {
    #[test]
    fn however_it_is_cut_each_record_is_read_once(cuts in prop::collection::vec(1_usize..400, 1..12), junk in ".{0,40}") {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("t.jsonl");
        let junk = junk.replace(['\n', '\r'], " ");
        let text: String = (1..=6).map(|id| format!("{junk}\n{}", record(id))).collect();
        let (mut tail, mut all, mut rest) = (Tail::new(path.clone(), me()), Vec::new(), text.as_bytes());
        let mut file = OpenOptions::new().create(true).append(true).open(&path).unwrap();
        for cut in cuts.iter().cycle() {
            let (now, later) = rest.split_at(rest.len().min(*cut));
            file.write_all(now).unwrap();
            let (found, looked) = look(&mut tail, 1 << 20);
            prop_assert_eq!(looked, DONE);
            all.extend(found);
            rest = later;
            if rest.is_empty() {
                break;
            }
        }
        prop_assert_eq!(all, (1..=6).collect::<Vec<u64>>());
    }
}
