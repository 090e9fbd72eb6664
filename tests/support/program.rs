//! The built program as a test runs it: with its output kept, or in the background.

use std::{
    ffi::OsString,
    path::Path,
    process::{Child, Command, Output, Stdio},
};

use super::{Watched, isolate};

/// Runs `tmux-orc ARGS` with `home` as its home and base directory and nothing of ours in its environment: exit code,
/// standard output, standard error.
#[must_use]
pub fn tmux_orc(home: &Path, args: &[&str]) -> (i32, String, String) {
    let output = Command::new(Program::PATH)
        .args(args)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", home)
        .env("TMUX_ORC_HOME", home)
        .env("TMUX_TMPDIR", home)
        .stdin(Stdio::null())
        .output()
        .expect("the program starts");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    (output.status.code().unwrap_or(-1), text(output.stdout), text(output.stderr))
}

/// One run of `tmux-orc` on a test's server.
pub struct Program {
    command: Command,
}

impl Program {
    /// Path of the built program.
    pub const PATH: &'static str = env!("CARGO_BIN_EXE_tmux-orc");

    /// `tmux-orc -S <socket> <args>` in the server's private environment.
    #[must_use]
    pub fn new<W: Watched + ?Sized>(server: &W, args: &[&str]) -> Self {
        let mut command = Command::new(Self::PATH);
        command.arg("-S").arg(server.socket()).args(args).stdin(Stdio::null());
        isolate(&mut command, server.home());
        Self { command }
    }

    /// Sets a variable of its environment.
    #[must_use]
    pub fn env(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.command.env(name, value.into());
        self
    }

    /// The command, for what this does not cover.
    #[must_use]
    pub fn command(self) -> Command {
        self.command
    }

    /// Runs it to its end.
    #[must_use]
    pub fn output(mut self) -> Output {
        self.command.output().expect("the program starts")
    }

    /// Runs it to its end and returns its standard output.
    ///
    /// # Panics
    /// When its exit code is not 0.
    #[track_caller]
    #[must_use]
    pub fn stdout(self) -> String {
        let out = self.output();
        assert!(out.status.success(), "{}: {}", out.status, String::from_utf8_lossy(&out.stderr));
        String::from_utf8(out.stdout).expect("UTF-8 on standard output")
    }

    /// Runs it to its end and reads its standard output as JSON.
    #[track_caller]
    #[must_use]
    pub fn json(self) -> serde_json::Value {
        let text = self.stdout();
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("not JSON ({error}): {text}"))
    }

    /// Starts it in the background with its output piped.
    #[must_use]
    pub fn spawn(mut self) -> Child {
        self.command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts")
    }
}
