//! A private tmux server in a directory of its own, gone with everything in it when dropped.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    time::{Duration, Instant},
};

use tmux_orc::tmux::{Server, Version};

/// The tmux under test.
pub fn program() -> OsString {
    std::env::var_os("TMUX_ORC_TMUX").filter(|value| !value.is_empty()).unwrap_or_else(|| "tmux".into())
}

pub struct TestServer {
    pub server: Server,
    pub directory: tempfile::TempDir,
}

impl TestServer {
    /// A server with one session `base` of 80x24, whose pane sleeps.
    pub fn start() -> Self {
        Self::start_at("s")
    }

    /// The same with its socket at this path in its directory.
    pub fn start_at(socket: impl AsRef<Path>) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let socket: PathBuf = directory.path().join(socket);
        std::fs::create_dir_all(socket.parent().unwrap()).unwrap();
        let server = Server::at(socket, program()).unwrap();
        let started = Self { server, directory };
        started.tmux(&["new-session", "-d", "-s", "base", "-x", "80", "-y", "24", "exec sleep 1000"]);
        started
    }

    /// Runs tmux, which must succeed.
    #[track_caller]
    pub fn tmux(&self, args: &[&str]) -> String {
        let output = self.try_tmux(args);
        assert!(output.status.success(), "tmux {args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    pub fn try_tmux(&self, args: &[&str]) -> Output {
        Command::new(program())
            .args(["-u", "-f", "/dev/null", "-S"])
            .arg(self.server.socket())
            .args(args)
            .env_remove("TMUX")
            .env_remove("TMUX_PANE")
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }

    /// Adds a window to `base` that runs this shell command; its pane's id.
    pub fn window(&self, command: &str) -> tmux_orc::tmux::PaneId {
        let id = self.tmux(&["new-window", "-d", "-t", "base:", "-P", "-F", "#{pane_id}", command]);
        id.trim().parse().unwrap()
    }

    pub fn pid(&self) -> u32 {
        self.tmux(&["display-message", "-p", "#{pid}"]).trim().parse().unwrap()
    }

    pub fn version(&self) -> Version {
        Version::parse(&self.tmux(&["display-message", "-p", "#{version}"]))
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        self.try_tmux(&["kill-server"]);
    }
}

/// Waits until a condition holds; what it was is said when it never does.
#[track_caller]
pub fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let started = Instant::now();
    while !condition() {
        assert!(started.elapsed() < Duration::from_secs(20), "never happened: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}
