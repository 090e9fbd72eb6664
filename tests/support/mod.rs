//! What the black-box tests share: private tmux servers, the built program, and waiting for conditions.
//!
//! A test crate includes it with `mod support;` (or `#[path = "../support/mod.rs"] mod support;` from a folder).
#![allow(dead_code, unused_imports, reason = "each test crate uses its own part of this")]

mod executable;
mod http;
mod program;
mod server;
mod terminal;

pub use executable::{copy_program, write_program};
pub use http::{HttpRequest, HttpServer};
pub use program::{Program, tmux_orc};
pub use server::{TmuxServer, tmux_program};
pub use terminal::Terminal;

use std::{
    path::Path,
    process::Command,
    thread,
    time::{Duration, Instant},
};

/// How long a condition may take on a busy machine before the test fails: generous, since it is only ever
/// waited out by a failure.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// A tmux server that the program is pointed at, with a private directory of the test's.
pub trait Watched {
    /// Path of the server's socket.
    fn socket(&self) -> &Path;

    /// The private directory: `HOME` of everything that runs on the server, and of the program.
    fn home(&self) -> &Path;

    /// The built program on this server, isolated from the machine's own tmux, home and settings.
    fn orc(&self, args: &[&str]) -> Program {
        Program::new(self, args)
    }
}

impl Watched for tmux_orc::app::demo::Fleet {
    fn socket(&self) -> &Path {
        self.server().socket()
    }

    fn home(&self) -> &Path {
        self.dir()
    }
}

/// Environment that keeps a child away from the machine's own tmux, home and settings.
pub fn isolate<'c>(command: &'c mut Command, home: &Path) -> &'c mut Command {
    for name in ["TMUX", "TMUX_PANE", "ENV", "NO_COLOR", "CLAUDE_CONFIG_DIR", "CODEX_HOME", "TMUX_ORC_LOG"] {
        command.env_remove(name);
    }
    command
        .env("HOME", home)
        .env("TMUX_TMPDIR", home)
        .env("TMUX_ORC_HOME", home.join("orc"))
        .env("LC_ALL", "C.UTF-8")
        .env("TERM", "xterm-256color")
        .env("PS1", "$ ")
        .current_dir(home)
}

/// Waits until `condition` holds.
///
/// # Panics
/// When it does not within `deadline`.
#[track_caller]
pub fn wait_for(what: &str, deadline: Duration, mut condition: impl FnMut() -> bool) {
    wait_some(what, deadline, || condition().then_some(()));
}

/// Waits until `probe` gives a value, and returns it.
///
/// # Panics
/// When it does not within `deadline`.
#[track_caller]
pub fn wait_some<T>(what: &str, deadline: Duration, mut probe: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(value) = probe() {
            return value;
        }
        assert!(start.elapsed() < deadline, "waited {deadline:?} in vain for: {what}");
        thread::sleep(Duration::from_millis(20));
    }
}

/// Whether a process with this id exists (a zombie counts as gone).
#[must_use]
pub fn alive(pid: u32) -> bool {
    let out = Command::new("ps").args(["-o", "stat=", "-p", &pid.to_string()]).output();
    let state = out.map(|o| String::from_utf8_lossy(&o.stdout).trim().to_owned()).unwrap_or_default();
    !state.is_empty() && !state.starts_with('Z')
}

/// Sends a signal to a process; one that is gone already is no error.
pub fn signal(pid: u32, signal: rustix::process::Signal) {
    if let Some(pid) = i32::try_from(pid).ok().and_then(rustix::process::Pid::from_raw) {
        let _ = rustix::process::kill_process(pid, signal);
    }
}
