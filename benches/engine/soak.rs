//! Memory over many cycles: it must stay flat.

use std::{sync::Arc, time::Duration};

use tmux_orc::monitor::{Command, Engine};

use crate::{fleet::Fleet, settings};

/// Agents in the fleet.
const AGENTS: usize = 20;

/// Lines printed.
const LINES: u64 = 20;

/// Runs `cycles` cycles one right after another, with panes that write, and prints the memory as it goes.
pub async fn run(cycles: u64) {
    let fleet = Fleet::start(AGENTS);
    let (mut handle, task) =
        Engine::new(fleet.server(), settings("concurrent", Duration::from_millis(20))).start().expect("an engine");
    println!("\n{AGENTS} agents, one in five writes at each line; {cycles} cycles\n");
    println!("| cycles | resident memory | captures so far | errors |\n|---:|---:|---:|---:|");
    let (mut next, mut captured, mut seen) = (0, 0, 0);
    loop {
        handle.snapshots.changed().await.expect("the engine runs");
        let snapshot = Arc::clone(&handle.snapshots.borrow_and_update());
        let done = snapshot.base_status.cycle_count;
        if done != seen {
            seen = done;
            captured += snapshot.cycle.last.as_ref().map_or(0, |last| last.checked);
        }
        if done >= next {
            let memory = snapshot.cost.memory_bytes.unwrap_or(0) as f64 / 1e6;
            println!("| {done} | {memory:.2} MB | {captured} | {} |", snapshot.base_status.errors_detected);
            if done >= cycles {
                break;
            }
            next = done + cycles / LINES;
            fleet.touch(5, done as usize);
        }
    }
    handle.commands.send(Command::Stop).await.expect("the engine runs");
    task.await.expect("the engine ends");
}
