//! A tmux server of a test's own: its own socket, configuration and home, killed when dropped.

use std::{
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    sync::atomic::{AtomicU32, Ordering},
};

use rustix::process::Signal;
use tempfile::TempDir;

use super::{PATIENCE, Program, Watched, alive, isolate, signal, wait_for, wait_some};

/// The tmux under test: `$TMUX_ORC_TMUX`, which the program obeys too, else `tmux`.
#[must_use]
pub fn tmux_program() -> PathBuf {
    std::env::var_os("TMUX_ORC_TMUX").filter(|path| !path.is_empty()).map_or_else(|| "tmux".into(), PathBuf::from)
}

/// A private tmux server, or the place for one that does not run yet. Killed on drop, also by a panic.
pub struct TmuxServer {
    dir: TempDir,
    socket: PathBuf,
    /// Process id of the server that this started last; 0: none.
    started: AtomicU32,
}

impl TmuxServer {
    /// The place for a server; none runs.
    ///
    /// # Panics
    /// When tmux is not installed: these tests never skip.
    #[must_use]
    pub fn absent() -> Self {
        assert!(
            Command::new(tmux_program()).arg("-V").output().is_ok_and(|out| out.status.success()),
            "{} is needed for the tests: run `make setup`",
            tmux_program().display()
        );
        // Not in $TMPDIR: a socket's path must stay under 104 bytes, and macOS has long ones.
        let dir = tempfile::Builder::new().prefix("orc-test-").tempdir_in("/tmp").expect("a directory in /tmp");
        let socket = dir.path().join("s");
        Self { dir, socket, started: AtomicU32::new(0) }
    }

    /// A server with one session `main`, whose only pane is a quiet shell of 100x30.
    #[must_use]
    pub fn start() -> Self {
        let server = Self::absent();
        server.revive();
        server
    }

    /// Starts the server (again) on the same socket, as [`TmuxServer::start`] does.
    pub fn revive(&self) {
        let size = ["-x", "100", "-y", "30"];
        let pid =
            self.run(&[&["new-session", "-d", "-P", "-F", "#{pid}", "-s", "main"][..], &size, &["exec sh"]].concat());
        self.started.store(pid.trim().parse().expect("a process id"), Ordering::Relaxed);
        self.run(&["set-option", "-g", "default-command", "exec sh"]);
    }

    /// Path of the socket.
    #[must_use]
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// The private directory: `HOME` of everything that runs on this server, and of the program.
    #[must_use]
    pub fn home(&self) -> &Path {
        self.dir.path()
    }

    /// The built program on this server, isolated like everything here.
    #[must_use]
    pub fn orc(&self, args: &[&str]) -> Program {
        Program::new(self, args)
    }

    /// Environment that keeps a child away from the machine's own tmux, home and settings.
    pub fn isolate<'c>(&self, command: &'c mut Command) -> &'c mut Command {
        isolate(command, self.home())
    }

    /// A `tmux` command on this server, ready to run.
    #[must_use]
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(tmux_program());
        command.args(["-u", "-f", "/dev/null", "-S"]).arg(&self.socket).args(args).stdin(Stdio::null());
        isolate(&mut command, self.home());
        command
    }

    /// Runs a tmux command whether it succeeds or not.
    #[must_use]
    pub fn try_run(&self, args: &[&str]) -> Output {
        self.command(args).output().expect("tmux starts")
    }

    /// Runs a tmux command and returns what it prints, without the last newline.
    ///
    /// # Panics
    /// When it fails.
    #[track_caller]
    pub fn run(&self, args: &[&str]) -> String {
        let out = self.try_run(args);
        assert!(out.status.success(), "tmux {args:?}: {}", String::from_utf8_lossy(&out.stderr));
        String::from_utf8_lossy(&out.stdout).trim_end_matches('\n').to_owned()
    }

    /// Opens a window that runs `argv` and returns its pane's id.
    #[track_caller]
    pub fn window(&self, name: &str, argv: &[&str]) -> String {
        let mut args = vec!["new-window", "-d", "-P", "-F", "#{pane_id}", "-n", name, "-t", "main:"];
        args.extend(argv);
        self.run(&args)
    }

    /// Presses keys (tmux names) in a pane, one call a key.
    #[track_caller]
    pub fn keys(&self, target: &str, keys: &[&str]) {
        for key in keys {
            self.run(&["send-keys", "-t", target, "--", key]);
        }
    }

    /// The screen of a pane as text.
    #[track_caller]
    pub fn screen(&self, target: &str) -> String {
        self.run(&["capture-pane", "-p", "-t", target])
    }

    /// Waits until a pane's screen satisfies `condition`, and returns that screen.
    ///
    /// # Panics
    /// When it does not in time, with the screen.
    #[track_caller]
    pub fn wait_screen(&self, target: &str, what: &str, condition: impl Fn(&str) -> bool) -> String {
        let mut last = String::new();
        let start = std::time::Instant::now();
        while start.elapsed() < PATIENCE {
            last = self.screen(target);
            if condition(&last) {
                return last;
            }
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        panic!("waited {PATIENCE:?} in vain for {what}; the screen of {target} is\n{last}");
    }

    /// The server's process id, when it runs and answers.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        let out = self.try_run(&["display-message", "-p", "#{pid}"]);
        out.status.success().then(|| String::from_utf8_lossy(&out.stdout).trim().parse().ok()).flatten()
    }

    /// Kills the server the hard way, as a crash would, and waits until it is gone.
    pub fn crash(&self) {
        let pid = wait_some("the server's pid", PATIENCE, || self.pid());
        signal(pid, Signal::KILL);
        wait_for("the server's end", PATIENCE, || !alive(pid));
    }
}

impl Watched for TmuxServer {
    fn socket(&self) -> &Path {
        &self.socket
    }

    fn home(&self) -> &Path {
        self.dir.path()
    }
}

impl Drop for TmuxServer {
    fn drop(&mut self) {
        // A test that failed may have left it stopped: nothing asked of it would ever end.
        let started = self.started.load(Ordering::Relaxed);
        if started != 0 {
            signal(started, Signal::CONT);
        }
        // Only when there is a socket: asking must not start a server.
        if self.socket.exists() {
            let pid = self.pid();
            let _ = self.try_run(&["kill-server"]);
            if let Some(pid) = pid {
                signal(pid, Signal::KILL);
            }
        }
    }
}
