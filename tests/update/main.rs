//! What keys, snapshots and the clock do to the dashboard's state, and what it asks to be done.

#[path = "../sample/mod.rs"]
mod sample;

mod engine;
mod groups;
mod keys;
mod members;
mod mouse;
mod pick;
mod property;
mod redraw;
mod rows;
mod shown;
mod tidy;
mod tour;
mod usage;
mod wall;
mod words;

use sample::stage::Stage;
use tmux_orc::monitor::Snapshot;

fn stage() -> Stage {
    let mut stage = Stage::new(twelve(), 140, 42);
    stage.effects();
    stage
}

fn twelve() -> Snapshot {
    sample::snapshot(sample::twelve())
}
