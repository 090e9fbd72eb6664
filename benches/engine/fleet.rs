//! Agents in real panes of a private tmux server.

use std::{
    path::{Path, PathBuf},
    process::{self, Stdio},
    time::Duration,
};

use tmux_orc::tmux::{Server, SocketChoice};

/// What `claude` shows in each pane.
const SCREENS: [(&str, &str); 2] = [
    ("idle", include_str!("../../tests/engine/screens/idle.txt")),
    ("permission", include_str!("../../tests/engine/screens/permission.txt")),
];

/// A private tmux server; it ends with this value.
pub struct Fleet {
    dir: tempfile::TempDir,
    /// The panes' ids.
    pub panes: Vec<String>,
}

impl Fleet {
    pub fn start(count: usize) -> Self {
        let dir = tempfile::Builder::new().prefix("orc-bench-").tempdir_in("/tmp").expect("a directory");
        let mut fleet = Self { dir, panes: Vec::new() };
        let claude = fleet.path("claude");
        std::os::unix::fs::symlink("/bin/sh", &claude).expect("a link");
        for (name, screen) in SCREENS {
            // Drawn at once, as these programs do.
            let drawn = format!("\x1b[2J\x1b[H{}", screen.trim_end_matches('\n'));
            std::fs::write(fleet.path(name), drawn).expect("a file");
        }
        // A line that names a screen shows it; any other is written over the first row.
        let script = "cat \"$1/idle\"; while read -r line; do if [ -f \"$1/$line\" ]; then cat \"$1/$line\"; \
                      else printf '\\033[H%s' \"$line\"; fi; done";
        std::fs::write(fleet.path("show.sh"), script).expect("a file");
        let argv = [text(&claude), text(&fleet.path("show.sh")), text(fleet.dir.path())];
        for n in 0..count {
            let session = format!("s{}", n / 5);
            let mut args = if n % 5 == 0 {
                vec!["new-session", "-d", "-P", "-F", "#{pane_id}", "-x", "100", "-y", "30", "-s", &session]
            } else {
                vec!["new-window", "-d", "-P", "-F", "#{pane_id}", "-t", &session]
            };
            args.extend(argv.iter().map(String::as_str));
            let pane = fleet.tmux(&args);
            fleet.panes.push(pane);
        }
        fleet
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn tmux(&self, args: &[&str]) -> String {
        let program = std::env::var_os("TMUX_ORC_TMUX").unwrap_or_else(|| "tmux".into());
        let out = process::Command::new(program)
            .args(["-u", "-f", "/dev/null", "-S"])
            .arg(self.path("s"))
            .args(args)
            .env_remove("TMUX")
            .stdin(Stdio::null())
            .output()
            .expect("tmux starts");
        assert!(out.status.success(), "{args:?}: {}", String::from_utf8_lossy(&out.stderr));
        String::from_utf8_lossy(&out.stdout).trim().to_owned()
    }

    #[allow(dead_code, reason = "each bench takes what it needs")]
    pub fn server(&self) -> Server {
        Server::resolve(&SocketChoice { name: None, path: Some(self.path("s")) }).expect("a socket")
    }

    /// The server's socket.
    #[allow(dead_code, reason = "each bench takes what it needs")]
    pub fn socket(&self) -> String {
        text(&self.path("s"))
    }

    /// CPU time that the tmux server used so far.
    #[allow(dead_code, reason = "each bench takes what it needs")]
    pub fn cpu(&self) -> Duration {
        let pid = self.tmux(&["display-message", "-p", "#{pid}"]);
        Duration::from_nanos(on_cpu(Path::new(&format!("/proc/{pid}"))))
    }

    #[allow(dead_code, reason = "each bench takes what it needs")]
    /// Writes into every `nth` pane, as a program in it would.
    pub fn touch(&self, nth: usize, number: usize) {
        let text = format!("turn {number}");
        for pane in self.panes.iter().step_by(nth) {
            self.tmux(&["send-keys", "-t", pane, &text, "Enter"]);
        }
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        self.tmux(&["kill-server"]);
    }
}

fn text(path: &Path) -> String {
    path.display().to_string()
}

/// Nanoseconds on a CPU of the process or thread that a directory of `/proc` shows.
pub fn on_cpu(dir: &Path) -> u64 {
    let text = std::fs::read_to_string(dir.join("schedstat")).unwrap_or_default();
    text.split(' ').next().and_then(|ns| ns.parse().ok()).unwrap_or(0)
}
