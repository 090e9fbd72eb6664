//! What the journal costs its reader: a day out of a week's journal of 100 agents, read and drawn as strips (the bar is 50 ms),
//! and the account of a month with a million records (2 s).

use std::{hint::black_box, path::Path};

use criterion::{Criterion, criterion_group, criterion_main};
use jiff::{SignedDuration, Timestamp};
use tmux_orc::app::journal::{Happened, Journal, Record, day, read_since, report};
use tmux_orc::monitor::{AgentState, EventKind, Evidence};
use tmux_orc::tmux::PaneId;

/// Writes the journal of 100 agents over so many days, each of which changes every so many minutes. Says how many records.
fn write(folder: &Path, days: i64, every: i64, now: Timestamp) -> usize {
    use AgentState::{Idle, Waiting, Working};
    let mut journal = Journal::new(folder);
    let mut written = 0;
    for minute in -days * 24 * 60..0 {
        for pane in (0..100_u32).filter(|pane| (minute + i64::from(*pane)) % every == 0) {
            let turn = (minute + i64::from(pane)) / every;
            let (from, to) =
                [(Idle, Working), (Working, Waiting), (Waiting, Working), (Working, Idle)][turn.rem_euclid(4) as usize];
            let evidence =
                Evidence { rule: "claude/dialog.permission".into(), line: "x".repeat(60), ..Evidence::default() };
            let (target, agent, kind) = (format!("session{}:{pane}.0", pane % 9), "claude".to_owned(), None);
            let what = EventKind::Transition { pane_id: PaneId(pane), target, agent, from, to, kind, evidence };
            let at = now + SignedDuration::from_mins(minute);
            journal.append(&Record::new(at, "/tmp/tmux-1000/default", 7, Happened::Event(what))).expect("written");
            written += 1;
        }
    }
    written
}

fn history(c: &mut Criterion) {
    let now = Timestamp::from_second(1_800_000_000).expect("a time");
    let folder = tempfile::tempdir().expect("a folder");
    write(folder.path(), 7, 12, now);
    let since = now - SignedDuration::from_hours(24);
    c.bench_function("a day out of a week, 100 agents", |b| {
        b.iter(|| black_box(day(folder.path(), black_box(since), now)).expect("read"));
    });
    let day = day(folder.path(), since, now).expect("read");
    c.bench_function("its strips, 180 cells", |b| {
        b.iter(|| day.tracks.iter().map(|track| track.cells((since, now), 180).len()).sum::<usize>());
    });
}

fn month(c: &mut Criterion) {
    let now = Timestamp::from_second(1_800_000_000).expect("a time");
    let folder = tempfile::tempdir().expect("a folder");
    let records = write(folder.path(), 28, 4, now);
    let files = std::fs::read_dir(folder.path()).expect("a folder").flatten();
    let (count, bytes) =
        files.fold((0, 0), |(count, sum), file| (count + 1, sum + file.metadata().map_or(0, |m| m.len())));
    println!("{records} records, {} MB in {count} files", bytes / 1_000_000);
    let since = now - SignedDuration::from_hours(30 * 24);
    let mut group = c.benchmark_group("a month");
    group.sample_size(10);
    group.bench_function("a million records in an account", |b| {
        b.iter(|| black_box(report(folder.path(), None, black_box(since), now)).expect("read"));
    });
    group.bench_function("the same records as they are", |b| {
        b.iter(|| black_box(read_since(folder.path(), black_box(since))).expect("read"));
    });
}

criterion_group!(benches, history, month);
criterion_main!(benches);
