//! The program `tmux-orc`: reads the command line, runs the verb, turns its end into an exit code.

use std::process::ExitCode;

use clap::Parser;
use tmux_orc::app::{
    cli::{self, Cli},
    demo,
};

fn main() -> ExitCode {
    // First, for speed: a demo starts this program many times, as the shells and agents of its panes.
    if let Some(code) = demo::simulate_if_asked() {
        return code;
    }
    match cli::run(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            let message = failure.to_string();
            if !message.is_empty() {
                eprintln!("tmux-orc: {message}");
            }
            ExitCode::from(failure.code())
        }
    }
}
