//! One stream over two engines: a watcher attaches to the engine in the background, takes over when it goes, and back.

use std::io::{BufRead, BufReader};

use rustix::process::Signal;

use super::support::{PATIENCE, TmuxServer, alive, signal, wait_for};

/// A running `perf watch --json` and its lines.
struct Stream {
    child: std::process::Child,
    lines: std::io::Lines<BufReader<std::process::ChildStdout>>,
}

impl Stream {
    fn open(server: &TmuxServer, args: &[&str]) -> Self {
        let mut child = server.orc(&[&["perf", "watch", "--json", "--interval", "0.1"], args].concat()).spawn();
        let lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        Self { child, lines }
    }

    #[track_caller]
    fn next(&mut self) -> serde_json::Value {
        let line = self.lines.next().expect("the stream goes on").expect("readable");
        serde_json::from_str(&line).expect("JSON on each line")
    }

    /// The next snapshot that satisfies `condition`; fails when 300 do not.
    #[track_caller]
    fn until(&mut self, what: &str, condition: impl Fn(&serde_json::Value) -> bool) -> serde_json::Value {
        for _ in 0..300 {
            let snapshot = self.next();
            if condition(&snapshot) {
                return snapshot;
            }
        }
        panic!("300 snapshots without {what}");
    }

    #[track_caller]
    fn from(&mut self, pid: u32) -> serde_json::Value {
        self.until(&format!("one of process {pid}"), |snapshot| snapshot["engine"]["pid"] == pid)
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn start(server: &TmuxServer, args: &[&str]) -> u32 {
    let stdout = server.orc(&[&["monitor", "start"], args].concat()).stdout();
    let pid = stdout.lines().find_map(|line| line.strip_prefix("Pid: ")).expect("says its pid");
    pid.parse().expect("a number")
}

#[test]
fn it_follows_whichever_engine_there_is_without_a_gap() {
    let server = TmuxServer::start();
    let mut stream = Stream::open(&server, &[]);
    let own = stream.child.id();
    stream.from(own);

    let first = start(&server, &["--pool-size", "9"]);
    let attached = stream.from(first);
    assert_eq!(attached["settings"]["pool_max"], 9);
    let notes = attached["notes"].to_string();
    assert!(notes.contains(&format!("attached to the engine {first} in the background")), "{notes}");

    signal(first, Signal::KILL);
    wait_for("the engine's end", PATIENCE, || !alive(first));
    let inside = stream.from(own);
    assert_eq!(inside["settings"]["pool_max"], 9, "what was tuned goes on");
    assert!(inside["notes"].to_string().contains("watching from inside"), "{inside}");
    assert_eq!(inside["server"]["status"], "reachable", "nothing is shown before it was looked at");

    let second = start(&server, &[]);
    stream.from(second);
    assert!(server.orc(&["monitor", "stop"]).output().status.success());
    stream.from(own);
}

#[test]
fn several_watch_one_engine_which_outlives_them() {
    let server = TmuxServer::start();
    let pid = start(&server, &[]);
    let mut streams: Vec<Stream> = (0..3).map(|_| Stream::open(&server, &[])).collect();
    for stream in &mut streams {
        stream.from(pid);
    }
    drop(streams);
    assert!(alive(pid));
    let mut own = Stream::open(&server, &["--embedded"]);
    let inside = own.child.id();
    own.from(inside);
    assert!(server.orc(&["monitor", "stop"]).output().status.success());
}

#[test]
fn a_plain_stream_ends_with_its_reader() {
    let server = TmuxServer::start();
    let mut child = server.orc(&["perf", "watch", "--interval", "0.05"]).spawn();
    let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
    let frame: Vec<String> = lines.by_ref().take(40).map(|line| line.expect("readable")).collect();
    assert_eq!(frame[0], "=== TMux Orchestrator Performance Dashboard ===");
    for part in ["Connection Pool: ", "├─ Acquisitions:", "Cache Performance:", "Monitoring: "] {
        assert!(frame.iter().any(|line| line.starts_with(part)), "{part} is missing: {frame:#?}");
    }
    drop(lines);
    let mut ended = None;
    wait_for("its end", PATIENCE, || {
        ended = child.try_wait().expect("waited for");
        ended.is_some()
    });
    assert!(ended.is_some_and(|status| status.success()), "{ended:?}");
}

#[test]
fn an_engine_that_hangs_holds_nobody_up() {
    let server = TmuxServer::start();
    let pid = start(&server, &[]);
    let mut attached = Stream::open(&server, &[]);
    attached.from(pid);
    signal(pid, Signal::STOP);
    let mut late = Stream::open(&server, &[]);
    let inside = late.child.id();
    late.from(inside);
    let own = attached.child.id();
    // It asks three times before it gives up; the last snapshot is repeated meanwhile.
    let begun = std::time::Instant::now();
    while begun.elapsed() < PATIENCE && attached.next()["engine"]["pid"] != own {}
    attached.from(own);
    signal(pid, Signal::CONT);
    late.from(pid);
    attached.from(pid);
    assert!(server.orc(&["monitor", "stop"]).output().status.success());
}
