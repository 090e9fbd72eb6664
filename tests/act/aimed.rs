//! A prompt that is exchanged for another one while it is being answered: the key goes to the one that was seen.

use std::{
    fs,
    io::{Read, Write},
    os::unix::fs::OpenOptionsExt,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use tmux_orc::app::core::act::{Act, Seen};

use crate::{
    stage::{ASKS, Stage, rows},
    support::{PATIENCE, wait_for, write_program},
};

/// The program that asks: it shows one of two requests and counts the keys that come while each is shown.
struct Flipping {
    keys: [Arc<AtomicUsize>; 2],
    flip: Arc<AtomicBool>,
    stop: Arc<AtomicBool>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Flipping {
    /// Takes the pane's terminal over, in which a stand-in holds still. Every 3 ms the request becomes the other one,
    /// while it is told to.
    fn new(tty: &str, requests: [String; 2]) -> Self {
        let terminal = fs::OpenOptions::new().read(true).write(true).custom_flags(libc_noctty()).open(tty);
        let mut terminal = terminal.expect("the pane's terminal");
        let (keys, flip, stop) = (<[Arc<AtomicUsize>; 2]>::default(), Arc::new(AtomicBool::new(false)), Arc::default());
        let (counts, flips, stops) = (keys.clone(), Arc::clone(&flip), Arc::<AtomicBool>::clone(&stop));
        let thread = thread::spawn(move || {
            let mut shown = 0;
            terminal.write_all(requests[shown].as_bytes()).expect("a request is shown");
            while !stops.load(Ordering::Relaxed) {
                let until = Instant::now() + Duration::from_millis(3);
                loop {
                    let left = until.saturating_duration_since(Instant::now());
                    let limit = rustix::event::Timespec::try_from(left).expect("a short time");
                    let mut ready = [rustix::event::PollFd::new(&terminal, rustix::event::PollFlags::IN)];
                    if rustix::event::poll(&mut ready, Some(&limit)).expect("the terminal") == 0 {
                        break;
                    }
                    let mut key = [0; 64];
                    let count = terminal.read(&mut key).expect("a key");
                    counts[shown].fetch_add(count, Ordering::Relaxed);
                }
                let next = if flips.load(Ordering::Relaxed) { 1 - shown } else { 0 };
                if next != shown {
                    shown = next;
                    terminal.write_all(requests[shown].as_bytes()).expect("a request is shown");
                }
            }
        });
        Self { keys, flip, stop, thread: Some(thread) }
    }

    /// Keys that came while the request that was seen was shown, and while the other one was.
    fn keys(&self) -> (usize, usize) {
        (self.keys[0].load(Ordering::Relaxed), self.keys[1].load(Ordering::Relaxed))
    }
}

impl Drop for Flipping {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.take().map(thread::JoinHandle::join);
    }
}

fn libc_noctty() -> i32 {
    i32::try_from(rustix::fs::OFlags::NOCTTY.bits()).expect("a flag")
}

/// What came of so many exchanges.
#[derive(Debug, Default)]
struct Came {
    right: usize,
    wrong: usize,
    refused: usize,
}

/// When the requests begin to be exchanged.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Begins {
    /// Before the answer.
    Before,
    /// At a moment somewhere in it.
    Within,
}

/// Answers `count` times while the request is exchanged for the other one and back every 3 ms.
async fn exchanges(count: usize, begins: Begins) -> Came {
    let stage = Stage::new();
    let program = stage.server.home().join("claude");
    let text = "#!/bin/sh\nstty raw -echo\nprintf '\\033[?25l\\033]2;✳ Claude Code\\007'\nsleep 100000\n:\n";
    write_program(&program, text);
    let claude = stage.quiet("one");
    let request = |command: &str| {
        let other = |row: String| if row.starts_with(" touch") { format!(" {command}") } else { row };
        let rows: Vec<String> = rows(ASKS).into_iter().map(other).collect();
        format!("\x1b[H{}\x1b[24;2H", rows.iter().map(|row| format!("{row}\x1b[K")).collect::<Vec<_>>().join("\r\n"))
    };
    let program = Flipping::new(claude.tty(), [request("make test"), request("rm -rf ~/work")]);
    let pane = claude.pane.to_string();
    stage.server.wait_screen(&pane, "the request", |screen| screen.contains("make test") && screen.contains("4. No"));
    let seen: Seen = stage.seen(&claude).await;
    let actor = stage.quick_actor();
    let mut came = Came::default();
    for index in 0..count {
        program.flip.store(false, Ordering::Relaxed);
        wait_for("the request that was seen", PATIENCE, || stage.server.screen(&pane).contains("make test"));
        let (right, wrong) = program.keys();
        if begins == Begins::Before {
            program.flip.store(true, Ordering::Relaxed);
        } else {
            let (flip, after) = (Arc::clone(&program.flip), Duration::from_micros((index as u64 * 7919) % 250_000));
            thread::spawn(move || {
                thread::sleep(after);
                flip.store(true, Ordering::Relaxed);
            });
        }
        let act = Act::Answer { pane: claude.pane, choice: 0, seen: seen.clone() };
        let result = actor.perform(act).await;
        thread::sleep(Duration::from_millis(10));
        let now = program.keys();
        match (now.0 - right, now.1 - wrong) {
            (0, 0) => {
                assert!(!result.ok, "{result:?}");
                came.refused += 1;
            }
            (_, 0) => came.right += 1,
            _ => came.wrong += 1,
        }
    }
    came
}

#[tokio::test]
async fn a_prompt_that_changes_to_and_fro_gets_no_key_that_was_meant_for_the_other() {
    let came = exchanges(24, Begins::Before).await;
    assert_eq!(came.wrong, 0, "{came:?}");
    assert_eq!(came.right + came.refused, 24, "{came:?}");
}

/// `cargo test --test act -- --ignored --nocapture aimed`, and with `TMUX_ORC_TMUX` on other versions.
#[tokio::test]
#[ignore = "a thousand exchanges take minutes: the figures of docs/acting.md"]
async fn a_thousand_aimed_exchanges() {
    let came = exchanges(1000, Begins::Before).await;
    println!("exchanged all the time: {came:?}");
    assert_eq!(came.wrong, 0, "{came:?}");
}

/// What remains: an exchange that the program makes while the key is on its way to it. Nobody can see that one coming,
/// so that it is counted and not judged.
#[tokio::test]
#[ignore = "a thousand exchanges take minutes: the figures of docs/acting.md"]
async fn a_thousand_exchanges_that_begin_within_the_answer() {
    println!("the first one within the answer: {:?}", exchanges(1000, Begins::Within).await);
}
