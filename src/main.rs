//! The program `tmux-orc`: reads the command line, runs the verb, turns its end into an exit code.

use std::process::ExitCode;

use clap::Parser;
use tmux_orc::app::{
    cli::{self, Cli, Failure},
    demo,
};

fn main() -> ExitCode {
    // First, for speed: a demo starts this program many times, as the shells and agents of its panes.
    if let Some(code) = demo::simulate_if_asked() {
        return code;
    }
    let cli = Cli::parse();
    let run = || -> Result<(), Failure> {
        // Two workers: one engine and one front end never need more, and each thread costs memory.
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
        let runtime = runtime.map_err(|error| Failure::failed(format!("cannot start: {error}")))?;
        let ended = runtime.block_on(async { cli::run(cli).await });
        // A blocking read of standard input or of a pipe must not keep the program from ending.
        runtime.shutdown_background();
        ended.map(drop)
    };
    match run() {
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
