//! What the view of the day costs: a day out of a week's journal of 100 agents, read and drawn as strips. The bar is 50 ms.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use jiff::{SignedDuration, Timestamp};
use tmux_orc::app::journal::{Happened, Journal, Record, day};
use tmux_orc::monitor::{AgentState, EventKind, Evidence};
use tmux_orc::tmux::PaneId;

/// Minutes between two changes of one agent.
const EVERY: i64 = 12;

fn week(folder: &std::path::Path, now: Timestamp) {
    use AgentState::{Idle, Waiting, Working};
    let mut journal = Journal::new(folder);
    for minute in -7 * 24 * 60..0 {
        for pane in (0..100_u32).filter(|pane| (minute + i64::from(*pane)) % EVERY == 0) {
            let turn = (minute + i64::from(pane)) / EVERY;
            let (from, to) =
                [(Idle, Working), (Working, Waiting), (Waiting, Working), (Working, Idle)][turn.rem_euclid(4) as usize];
            let evidence =
                Evidence { rule: "claude/dialog.permission".into(), line: "x".repeat(60), ..Evidence::default() };
            let (target, agent, kind) = (format!("session{}:{pane}.0", pane % 9), "claude".to_owned(), None);
            let what = EventKind::Transition { pane_id: PaneId(pane), target, agent, from, to, kind, evidence };
            let at = now + SignedDuration::from_mins(minute);
            journal.append(&Record::new(at, "/tmp/tmux-1000/default", 7, Happened::Event(what))).expect("written");
        }
    }
}

fn history(c: &mut Criterion) {
    let now = Timestamp::from_second(1_800_000_000).expect("a time");
    let folder = tempfile::tempdir().expect("a folder");
    week(folder.path(), now);
    let since = now - SignedDuration::from_hours(24);
    c.bench_function("a day out of a week, 100 agents", |b| {
        b.iter(|| black_box(day(folder.path(), black_box(since), now)).expect("read"));
    });
    let day = day(folder.path(), since, now).expect("read");
    c.bench_function("its strips, 180 cells", |b| {
        b.iter(|| day.tracks.iter().map(|track| track.cells((since, now), 180).len()).sum::<usize>());
    });
}

criterion_group!(benches, history);
criterion_main!(benches);
