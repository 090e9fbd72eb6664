//! A private tmux server with an agent, an engine that watches it, and what its measures say.

use std::{
    fs,
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    path::PathBuf,
    process::Command,
    time::Duration,
};

use rustix::process::Signal;

use crate::stage::{ASKS, Actress, Stage, WORKS};
use crate::support::{PATIENCE, signal, wait_for, wait_some};

/// An agent that works, on a server of its own. Its engine is stopped when this is dropped.
pub struct Place {
    pub stage: Stage,
    pub agent: Actress,
}

/// Where a program is, or nothing where it is not installed. In CI it must be.
pub fn installed(name: &str) -> bool {
    let found = Command::new(name).arg("--version").output().is_ok();
    assert!(found || std::env::var_os("CI").is_none(), "CI has no {name}: .ci/run installs it");
    if !found {
        eprintln!("no {name} here: skipped");
    }
    found
}

/// A port that is free now.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port").port()
}

/// An answer over HTTP.
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

/// Sends these bytes, and reads what comes until the other end closes.
pub fn say(address: SocketAddr, bytes: &[u8]) -> Option<Answer> {
    let mut stream = TcpStream::connect(address).ok()?;
    stream.set_read_timeout(Some(PATIENCE)).expect("a limit");
    stream.write_all(bytes).ok()?;
    let mut text = String::new();
    stream.read_to_string(&mut text).ok()?;
    let (head, body) = text.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    Some(Answer { status, head: head.to_owned(), body: body.to_owned() })
}

/// `GET` of a path.
pub fn get(address: SocketAddr, path: &str, more: &str) -> Option<Answer> {
    let head = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n{more}\r\n");
    say(address, head.as_bytes())
}

impl Place {
    pub fn new() -> Self {
        let stage = Stage::new();
        let agent = stage.agent("api", WORKS);
        Self { stage, agent }
    }

    pub fn home(&self) -> PathBuf {
        self.stage.server.home().to_owned()
    }

    /// Exit code, standard output, standard error.
    pub fn orc(&self, args: &[&str]) -> (i32, String, String) {
        let output = self.stage.server.orc(args).output();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
        (output.status.code().unwrap_or(-1), text(output.stdout), text(output.stderr))
    }

    /// The settings from now on.
    pub fn settings(&self, metrics: &str) {
        let dir = self.home().join("orc");
        fs::create_dir_all(&dir).expect("made");
        fs::write(dir.join("config.yaml"), format!("monitoring: {{ check_interval: 0.2 }}\nmetrics: {metrics}\n"))
            .expect("written");
    }

    /// An engine in the background.
    pub fn start(&self) {
        let (code, _, stderr) = self.orc(&["monitor", "start"]);
        assert_eq!(code, 0, "{stderr}");
    }

    /// The engine's process.
    pub fn pid(&self) -> u32 {
        let status = self.stage.server.orc(&["status", "--json"]).json();
        u32::try_from(status["engine"]["pid"].as_u64().expect("a pid")).expect("a pid")
    }

    /// The engine reads its settings again.
    pub fn hang_up(&self) {
        signal(self.pid(), Signal::HUP);
    }

    pub fn asks(&self) {
        self.stage.show(&self.agent, ASKS);
        self.wait_state("waiting");
    }

    pub fn works(&self) {
        self.stage.show(&self.agent, WORKS);
        self.wait_state("working");
    }

    /// Waits until the engine sees it so, and the journal has it.
    pub fn wait_state(&self, state: &str) {
        wait_for(&format!("{state} in the journal"), PATIENCE, || {
            let (_, events, _) = self.orc(&["events", "--json"]);
            let all: Vec<serde_json::Value> =
                events.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
            let last = all.iter().rev().find(|event| event["event"] == "transition" || event["event"] == "appeared");
            last.is_some_and(|event| event["to"] == state || event["state"] == state)
        });
    }

    /// What `tmux-orc metrics` prints.
    pub fn metrics(&self, args: &[&str]) -> String {
        let (code, stdout, stderr) = self.orc(&[&["metrics"], args].concat());
        assert_eq!(code, 0, "{stderr}");
        stdout
    }

    /// Waits until something answers there.
    pub fn wait_answer(address: SocketAddr) -> Answer {
        wait_some("an answer", PATIENCE, || get(address, "/metrics", ""))
    }
}

/// The value of a series of this name whose labels hold all of these.
pub fn value(text: &str, name: &str, labels: &[&str]) -> Option<f64> {
    let fits = |line: &&str| {
        line.strip_prefix(name).is_some_and(|rest| rest.starts_with(['{', ' ']))
            && labels.iter().all(|label| line.contains(label))
    };
    text.lines().find(fits)?.rsplit_once(' ')?.1.parse().ok()
}

/// A short while, for what is looked at now and then.
pub const SOON: Duration = Duration::from_millis(50);

impl Drop for Place {
    fn drop(&mut self) {
        let _ = self.orc(&["monitor", "stop"]);
    }
}
