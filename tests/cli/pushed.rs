//! What goes on and on and is read by programs: a line comes because something changed, and not an interval later. The
//! interval is an hour here, so that a line that waits for it does not come at all.

use std::{
    fs,
    io::{BufRead, BufReader},
    process::{Child, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::machine::Machine;
use crate::support::{PATIENCE, signal, wait_for};

/// A screen of Claude Code that asks for a permission.
const ASKS: &str = " Bash command\r\n\r\n   touch hello.txt\r\n   Create an empty file\r\n\r\n Do you want to proceed?\r\n ❯ 1. Yes\r\n   2. No\r\n\r\n Esc to cancel · Tab to amend\r\n";

/// Settings of who is only told when something changed.
const HOURLY: &str = "monitoring: { check_interval: 3600 }\n";

/// A verb that goes on, and its lines.
struct Lines {
    child: Child,
    lines: Receiver<String>,
}

impl Lines {
    fn of(machine: &Machine, args: &[&str]) -> Self {
        let mut child = machine.command(args).stdout(Stdio::piped()).spawn().expect("the program starts");
        let output = BufReader::new(child.stdout.take().expect("its output"));
        let (tell, lines) = channel();
        std::thread::spawn(move || output.lines().map_while(Result::ok).try_for_each(|line| tell.send(line)));
        Self { child, lines }
    }

    #[track_caller]
    fn next(&self, what: &str) -> String {
        match self.lines.recv_timeout(PATIENCE) {
            Ok(line) => line,
            Err(RecvTimeoutError::Timeout) => panic!("no line in {PATIENCE:?}: {what}"),
            Err(RecvTimeoutError::Disconnected) => panic!("it ended: {what}"),
        }
    }

    /// The next one of which this is so, and how many came before it.
    #[track_caller]
    fn until(&self, what: &str, condition: impl Fn(&Value) -> bool) -> (Value, usize) {
        for before in 0..100 {
            let line: Value = serde_json::from_str(&self.next(what)).expect("JSON on each line");
            if condition(&line) {
                return (line, before);
            }
        }
        panic!("a hundred lines without {what}");
    }

    /// Ends as it does when it is asked to, and has said all.
    #[track_caller]
    fn end(mut self) {
        signal(self.child.id(), rustix::process::Signal::TERM);
        assert!(self.child.wait().expect("it ends").success());
    }
}

impl Drop for Lines {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Shows a screen in the pane of this session.
fn show(machine: &Machine, session: &str, screen: &str) {
    let terminal = machine.tmux("default", &["display-message", "-p", "-t", session, "#{pane_tty}"]);
    fs::write(terminal, format!("\x1b[2J\x1b[H{screen}")).expect("the pane's terminal");
}

/// A machine with two agents that rest, which looks once an hour.
fn resting() -> Machine {
    let mut machine = Machine::new();
    machine.settings(HOURLY);
    machine.start("default", "one");
    machine.shows("default", "two", "an agent\n");
    machine
}

fn state_of(agents: &Value, session: &str) -> String {
    let agents = agents.as_array().into_iter().flatten();
    agents.filter(|agent| agent["session"] == session).map(|agent| agent["state"].as_str().unwrap_or("-")).collect()
}

#[test]
fn a_snapshot_is_printed_when_an_agent_changes() {
    let machine = resting();
    let change_is_seen = |args: &[&str]| {
        let lines = Lines::of(&machine, args);
        lines.until("both agents", |line| line["agents"].as_array().is_some_and(|agents| agents.len() == 2));
        show(&machine, "one", ASKS);
        lines.until("its question", |line| state_of(&line["agents"], "one") == "waiting");
        show(&machine, "one", "done\r\n");
        lines.until("its answer", |line| !["waiting", ""].contains(&&*state_of(&line["agents"], "one")));
        lines.end();
    };
    change_is_seen(&["perf", "watch", "--json"]);
    assert_eq!(machine.says(&["monitor", "start"]).0, 0);
    change_is_seen(&["perf", "watch", "--json"]);
    change_is_seen(&["perf", "watch", "--json", "--all"]);
}

#[test]
fn each_agent_has_a_line_and_then_those_that_changed() {
    let machine = resting();
    for engine in ["inside", "in the background"] {
        if engine == "in the background" {
            assert_eq!(machine.says(&["monitor", "start"]).0, 0);
        }
        let lines = Lines::of(&machine, &["agents", "--follow", "--json"]);
        let of = |session: &'static str, state: &'static str| {
            move |line: &Value| line["session"] == session && (state.is_empty() || line["state"] == state)
        };
        let (one, _) = lines.until("the first", of("one", ""));
        let listed = machine.json(&["agents", "--json"]);
        let fields = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        let mut more = fields(&one);
        more.retain(|name| name != "gone" && name != "timestamp");
        assert_eq!(more, fields(&listed["agents"][0]), "{engine}");
        assert!(one["gone"] == false && one["timestamp"].is_string(), "{one}");
        lines.until("the second", of("two", ""));
        let (server, before) = lines.until("the server", |line| line["pane_id"].is_null());
        assert!(server["server"]["status"] == "reachable" && server["schema"] == 1 && before <= 2, "{server}");
        show(&machine, "two", ASKS);
        let (asks, _) = lines.until("its question", of("two", "waiting"));
        assert!(asks["pane_id"] == "%1" && asks["asks"]["line"] == "Do you want to proceed?", "{asks}");
        machine.shows("default", "three", "an agent\n");
        lines.until("one more", of("three", ""));
        machine.tmux("default", &["kill-session", "-t", "three"]);
        let (gone, _) = lines.until("its end", |line| line["gone"] == true);
        assert_eq!(gone["session"], "three");
        show(&machine, "two", "an agent\r\n");
        lines.until("its answer", |line| line["session"] == "two" && line["state"] != "waiting");
        lines.end();
    }
    // Those in a state, and who leaves it.
    let waiting = Lines::of(&machine, &["agents", "--follow", "--state", "waiting"]);
    show(&machine, "one", ASKS);
    assert!(waiting.next("its question").contains("waiting"));
    show(&machine, "one", "an agent\r\n");
    let left = waiting.next("its answer");
    assert!(left.contains("one:0.0") && !left.contains("waiting"), "{left}");
    waiting.end();
    assert_eq!(machine.says(&["agents", "--follow", "--wait", "idle"]).0, 2);
}

#[test]
fn agents_of_hosts_are_followed_too_and_a_reader_who_goes_ends_it() {
    let (near, mut far) = (resting(), Machine::new());
    far.start("default", "there");
    near.settings(&format!("monitoring: {{ check_interval: 0.2 }}\nhosts:\n{}", far.as_host("box")));
    let mut lines = Lines::of(&near, &["agents", "--follow", "--json", "--all"]);
    for (host, session) in [(Value::Null, "one"), (Value::from("box"), "there")] {
        let (line, _) = lines.until(session, |line| line["session"] == session);
        assert_eq!(line["host"], host, "{line}");
    }
    show(&far, "there", ASKS);
    lines.until("its question", |line| line["host"] == "box" && line["state"] == "waiting");
    let (server, _) = lines.until("the host's server", |line| line["pane_id"].is_null() && line["host"] == "box");
    assert_eq!(server["name"], "default");
    // Nothing happens any more: it is by its sign of life that it finds out.
    lines.lines = channel().1;
    wait_for("its end", PATIENCE, || lines.child.try_wait().expect("waited for").is_some());
}

#[test]
fn events_are_printed_as_the_engine_in_the_background_writes_them() {
    let machine = resting();
    // Nobody looks but the engine itself, by its interval.
    machine.settings("monitoring: { check_interval: 0.2 }\n");
    // There is no journal yet.
    let lines = Lines::of(&machine, &["events", "--follow", "--json"]);
    let shown = Lines::of(&machine, &["events", "--follow"]);
    assert_eq!(machine.says(&["monitor", "start"]).0, 0);
    lines.until("the engine's start", |line| line["event"] == "engine_started");
    for to in ["waiting", "idle"] {
        let screen = if to == "waiting" { ASKS } else { "an agent\r\n" };
        show(&machine, "two", screen);
        lines.until("a change", |line| line["event"] == "transition" && (line["to"] == "waiting") == (to == "waiting"));
    }
    while !shown.next("the same for people").contains("two:0.0") {}
    lines.end();
    shown.end();
}

#[test]
fn a_reader_who_does_not_read_holds_up_no_end() {
    let machine = resting();
    let (mut near, far) = (Machine::new(), Machine::new());
    near.start("default", "near");
    near.settings(&format!("hosts:\n{}", far.as_host("box")));
    for (machine, args) in [
        (&machine, &["perf", "watch", "--json", "--interval", "0.05"][..]),
        (&machine, &["perf", "watch", "--interval", "0.05"]),
        (&near, &["perf", "watch", "--json", "--interval", "0.05", "--all"]),
    ] {
        let mut child = machine.command(args).stdout(Stdio::piped()).spawn().expect("the program starts");
        let output = child.stdout.take().expect("its output");
        // Full when no more comes for many intervals: how much that is depends on how it was written.
        let (mut held, mut since) = (0, Instant::now());
        wait_for("a full pipe", PATIENCE, || {
            let now = rustix::io::ioctl_fionread(&output).expect("a pipe");
            if now != held {
                (held, since) = (now, Instant::now());
            }
            held > 0 && since.elapsed() > Duration::from_secs(1)
        });
        signal(child.id(), rustix::process::Signal::TERM);
        wait_for("its end", PATIENCE, || child.try_wait().expect("waited for").is_some());
        assert!(child.wait().expect("ended").success(), "{args:?}");
    }
}
