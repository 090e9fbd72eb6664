//! A busy fleet for long: what the engine, its client and the journal hold does not grow with what happened.

use std::{fs, time::Duration};

use crate::counts::{ALLOCATOR, stage::Stage};
use crate::monitor::engine::paused::{PERMISSION, WORKING, write};

/// Agents, each of which changes every second.
const AGENTS: usize = 20;
/// Changes of state, all together.
const TRANSITIONS: usize = 100_000;
/// From here on all that keeps the last hour is full.
const FULL: usize = 4_000;
/// What may be held more at the end, bytes: less than four a transition since then.
const MORE: i64 = 64 << 10;

/// What this process holds.
#[derive(Debug)]
struct Held {
    bytes: i64,
    descriptors: usize,
    watches: usize,
}

impl Held {
    fn now() -> Self {
        let stats = ALLOCATOR.stats();
        let given = stats.bytes_allocated as i64 - stats.bytes_deallocated as i64;
        let infos: Vec<_> = fs::read_dir("/proc/self/fdinfo").into_iter().flatten().flatten().collect();
        let of = |info: &fs::DirEntry| fs::read_to_string(info.path()).unwrap_or_default();
        let watches =
            infos.iter().map(|info| of(info).lines().filter(|line| line.starts_with("inotify ")).count()).sum();
        Self { bytes: given, descriptors: infos.len(), watches }
    }
}

#[tokio::test(start_paused = true)]
#[ignore = "takes minutes, and counts what the whole process holds, so it runs alone: make soak"]
async fn nothing_grows_with_what_happens() {
    let stage = Stage::start(AGENTS as u32).await;
    let mut full = None;
    for second in 0..TRANSITIONS / AGENTS {
        if second == FULL {
            full = Some(Held::now());
        }
        let screen = [WORKING, PERMISSION][second % 2];
        (0..AGENTS).for_each(|index| write(&stage.script, index, screen));
        tokio::time::sleep(Duration::from_secs(1)).await;
        if second % 500 == 0 {
            println!("after {second} s: {:?}", Held::now());
        }
    }
    let (full, end) = (full.expect("it was full"), Held::now());
    let snapshot = stage.snapshot();
    let happened = snapshot.events.last().map_or(0, |event| event.seq);
    assert!(happened >= TRANSITIONS as u64, "{happened} events: each change was seen");
    assert!(end.bytes <= full.bytes + MORE, "{full:?} -> {end:?}");
    assert_eq!((end.descriptors, end.watches), (full.descriptors, full.watches), "{full:?} -> {end:?}");
}
