//! The dashboard of the built program in a real terminal: keys, sizes, signals, and the terminal afterwards.

#[path = "../support/mod.rs"]
mod support;

mod bytes;
mod input;
mod screen;
mod servers;

use std::path::PathBuf;

use support::Program;
use tmux_orc::app::demo::{Fleet, Plan};

/// Simulated agents that each stay in one state.
fn held() -> Fleet {
    let plan = Plan { hold: true, program: PathBuf::from(Program::PATH), ..Plan::new(1) };
    Fleet::start_plan(&plan).expect("a fleet")
}
