//! A process for tests that only sleeps, and ends with the test, also with one that fails: left behind, it would hold
//! the output of the tests open, and whoever reads that would wait for ten minutes.

use std::process::{Child, Command, Stdio};

/// A `sleep 600` under this process.
#[derive(Debug)]
pub struct Sleeper(Child);

impl Sleeper {
    /// Starts it.
    pub fn start() -> Self {
        Self::of(&mut Command::new("sleep"))
    }

    /// Starts it with a variable in its environment; returns when the kernel shows it with that.
    #[cfg(target_os = "linux")]
    pub fn with(variable: &str, value: &std::path::Path) -> (Self, super::Process) {
        let sleeper = Self::of(Command::new("sleep").env(variable, value));
        // Between fork and exec it still has our environment.
        let process = loop {
            let found = super::under(sleeper.id()).into_iter().next().expect("a process that sleeps");
            if found.comm == "sleep" {
                break found;
            }
        };
        (sleeper, process)
    }

    fn of(command: &mut Command) -> Self {
        Self(command.arg("600").stdin(Stdio::null()).spawn().expect("sleep can be started"))
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.0.id()
    }

    /// Kills it and leaves it to be reaped.
    pub fn kill(&mut self) {
        self.0.kill().expect("it can be killed");
    }

    /// Kills it and waits for its end.
    pub fn end(&mut self) {
        self.0.kill().ok();
        self.0.wait().expect("it ends");
    }
}

impl Drop for Sleeper {
    fn drop(&mut self) {
        self.end();
    }
}
