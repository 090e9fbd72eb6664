//! An engine that is not to be trusted: its words are cleaned, and words that this version does not know cost nothing else.

use std::sync::Arc;

use serde_json::Value;
use tmux_orc::monitor::clients::wire;
use tmux_orc::monitor::{AttachError, Client, Snapshot};
use tokio::{
    io::AsyncWriteExt,
    net::{UnixListener, UnixStream},
    time::timeout,
};

use super::{sample, stand_in::StandIn, support::PATIENCE};

const HOSTILE: &str = "\u{1b}]0;owned\u{7}\u{1b}[2J\u{9b}\u{202e}\u{200b}";

/// Every text that a snapshot can hold, each with what steers a terminal in front.
fn hostile(snapshot: &Snapshot) -> Snapshot {
    let whole = serde_json::to_value(snapshot).expect("JSON");
    let mut made = whole.clone();
    let mut texts = 0;
    for path in strings(&whole, String::new()) {
        let text = whole.pointer(&path).and_then(Value::as_str).expect("a text");
        let mut tried = made.clone();
        *tried.pointer_mut(&path).expect("there") = Value::String(format!("{HOSTILE}{text}"));
        // A text is free where a snapshot can still be read: words of ours, times and ids are not.
        if serde_json::from_value::<Snapshot>(tried.clone()).is_ok_and(|s| serde_json::to_value(&s).unwrap() == tried) {
            (made, texts) = (tried, texts + 1);
        }
    }
    assert!(texts > 100, "{texts}");
    serde_json::from_value(made).expect("a snapshot")
}

fn strings(value: &Value, path: String) -> Vec<String> {
    match value {
        Value::String(_) => vec![path],
        Value::Array(all) => all.iter().enumerate().flat_map(|(n, v)| strings(v, format!("{path}/{n}"))).collect(),
        Value::Object(all) => all.iter().flat_map(|(k, v)| strings(v, format!("{path}/{k}"))).collect(),
        _ => Vec::new(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_text_of_an_engine_steers_a_terminal() {
    let engine = StandIn::start(wire::PROTOCOL);
    let mut sent = sample::snapshot(sample::twelve());
    // A few are enough, and quick.
    sent.agents.truncate(3);
    sent.notes.push("a note".to_owned());
    let sent = hostile(&sent);
    assert!(sent.notes[0].contains('\u{9b}') && sent.agents[0].target.contains('\u{1b}'));
    engine.publish.send_replace(Arc::new(sent));
    let got = timeout(PATIENCE, async {
        let mut client = Client::connect(&engine.paths, true).await.expect("accepted");
        client.snapshot().await.expect("a snapshot")
    });
    let got = got.await.expect("in time");
    assert!(!got.agents.is_empty() && got.notes[0].ends_with("a note"));
    let mut told = Snapshot::clone(&got);
    told.preview = None;
    let steers = |c: &char| tmux_orc::tmux::is_unsafe(*c);
    for path in strings(&serde_json::to_value(&told).unwrap(), String::new()) {
        let value = serde_json::to_value(&told).unwrap();
        let text = value.pointer(&path).and_then(Value::as_str).unwrap();
        // A whole request alone has several lines.
        let text = if path.ends_with("/asks/full") { text.replace('\n', " ") } else { text.to_owned() };
        assert_eq!(text.chars().find(steers), None, "{path}: {text:?}");
    }
    let frame = tmux_orc::app::core::plain::frame(&got, &jiff::tz::TimeZone::UTC);
    assert_eq!(frame.chars().filter(|c| *c != '\n').find(steers), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn nor_does_a_reason_for_which_it_does_not_talk() {
    let dir = tempfile::tempdir().unwrap();
    let paths = tmux_orc::monitor::EnginePaths::new(&dir.path().join("run"), &dir.path().join("tmux"));
    paths.prepare().unwrap();
    let listener = UnixListener::bind(paths.socket()).unwrap();
    let refuse = async {
        let (mut stream, _): (UnixStream, _) = listener.accept().await.unwrap();
        let line = serde_json::json!({ "refused": { "reason": format!("{HOSTILE}no room") } });
        stream.write_all(format!("{line}\n").as_bytes()).await.unwrap();
        stream
    };
    let (_stream, answer) = tokio::join!(refuse, Client::connect(&paths, false));
    let error = answer.unwrap_err();
    assert!(matches!(&error, AttachError::Refused(_)), "{error}");
    assert_eq!(error.to_string().chars().find(|c| tmux_orc::tmux::is_unsafe(*c)), None, "{error:?}");
}

/// An engine that lies to all who come: each of its words has what steers a terminal in front.
fn liar(socket: &std::path::Path, greeting: Vec<String>) {
    use std::io::{BufRead, BufReader, Write};
    let listener = std::os::unix::net::UnixListener::bind(socket).expect("bound");
    // Ends with the test's process.
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let greeting = greeting.clone();
            std::thread::spawn(move || {
                let mut write = stream.try_clone().expect("a socket");
                for line in &greeting {
                    writeln!(write, "{line}").ok();
                }
                for line in BufReader::new(stream).lines().map_while(Result::ok) {
                    let said: Value = serde_json::from_str(&line).unwrap_or_default();
                    if let Some(id) = said.pointer("/command/id") {
                        let answer =
                            serde_json::json!({ "rejected": { "id": id, "reason": format!("{HOSTILE}never") } });
                        writeln!(write, "{answer}").ok();
                    }
                }
            });
        }
    });
}

/// What a verb says of an engine that says this.
fn told(greeting: &[Value], args: &[&str]) -> String {
    let dir = tempfile::tempdir().unwrap();
    let socket = dir.path().join("s");
    let paths = tmux_orc::monitor::EnginePaths::new(&dir.path().join("run"), &socket);
    paths.prepare().unwrap();
    liar(paths.socket(), greeting.iter().map(Value::to_string).collect());
    let socket = socket.display().to_string();
    let (_, out, err) = super::support::tmux_orc(dir.path(), &[&["-S", &socket], args].concat());
    format!("{out}{err}")
}

/// Neither as it stands nor in the texts of its lines of JSON does anything steer a terminal.
fn assert_tame(args: &[&str], told: &str) {
    let steers = |text: &str| text.chars().find(|c| *c != '\n' && tmux_orc::tmux::is_unsafe(*c));
    assert_eq!(steers(told), None, "{args:?}: {told:?}");
    for value in told.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()) {
        for path in strings(&value, String::new()) {
            // A screen has its colours, and its rows have ends.
            if !path.contains("/preview/") {
                assert_eq!(steers(value.pointer(&path).and_then(Value::as_str).unwrap()), None, "{args:?}: {path}");
            }
        }
    }
}

#[test]
fn no_verb_prints_what_steers_a_terminal() {
    let mut sent = sample::snapshot(sample::twelve());
    sent.agents.truncate(3);
    sent.notes.push("a note".to_owned());
    sent.server.problem = Some("a problem".to_owned());
    let hello = |protocol: u32| {
        serde_json::json!({ "hello": {
            "protocol": protocol, "oldest": protocol, "version": format!("{HOSTILE}9.9"), "schema": 1, "pid": 1,
            "tmux_socket": format!("{HOSTILE}s"), "logs": format!("{HOSTILE}logs"),
        }})
    };
    let snapshot = serde_json::json!({ "snapshot": hostile(&sent) });
    let pane = sent.agents[0].pane_id.to_string();
    let verbs: [&[&str]; 13] = [
        &["perf", "watch", "--once"],
        &["perf", "watch", "--once", "--json"],
        &["status"],
        &["status", "--detailed"],
        &["status", "--json"],
        &["agents"],
        &["agents", "--json"],
        &["health"],
        &["health", "--json"],
        &["statusline"],
        &["why", &pane],
        &["monitor", "status"],
        &["-vv", "monitor", "reload"],
    ];
    for args in verbs {
        let told = told(&[hello(2), snapshot.clone()], args);
        assert_tame(args, &told);
        if args[0] == "agents" || args.starts_with(&["perf"]) {
            assert!(told.contains("api:"), "{args:?} is of this engine: {told}");
        }
    }
    let refused = serde_json::json!({ "refused": { "reason": format!("{HOSTILE}no room") } });
    for (greeting, part) in
        [(vec![hello(9)], "9.9"), (vec![refused], "no room"), (vec![HOSTILE.to_string().into()], "")]
    {
        for args in [&["status", "--detailed"][..], &["-vv", "agents"], &["monitor", "reload"]] {
            let told = told(&greeting, args);
            assert_tame(args, &told);
            assert!(args[0] != "status" || told.contains(part), "{args:?}: {told}");
        }
    }
}

/// A line of an engine of a later version: fields, states, events, kinds of messages that this one does not know, and
/// fields that it no longer has.
fn of_a_later_version() -> String {
    let mut snapshot = serde_json::to_value(sample::snapshot(sample::twelve())).expect("JSON");
    snapshot["agents"][0]["state"] = "dreaming".into();
    snapshot["agents"][0]["evidence"]["source"] = "telepathy".into();
    snapshot["agents"][1]["health"] = "splendid".into();
    snapshot["agents"][1]["mood"] = serde_json::json!({ "of": ["any", "shape"] });
    let agent = snapshot["agents"][2].as_object_mut().expect("an agent");
    agent.retain(|name, _| ["pane_id", "target", "state"].contains(&name.as_str()));
    snapshot["events"][0] = serde_json::json!({ "seq": 1, "at": "2026-03-04T14:03:27Z", "event": "levitated" });
    snapshot["server"]["status"] = "sideways".into();
    for field in ["cost", "tune", "cycle"] {
        snapshot.as_object_mut().expect("a snapshot").remove(field);
    }
    serde_json::json!({ "snapshot": snapshot }).to_string()
}

#[test]
fn a_later_version_s_words_cost_themselves_and_nothing_else() {
    let Ok(Some(wire::FromEngine::Snapshot(read))) = wire::FromEngine::read(of_a_later_version().as_bytes()) else {
        panic!("not read");
    };
    let whole = sample::snapshot(sample::twelve());
    assert_eq!(read.agents.len(), whole.agents.len());
    assert_eq!(read.agents[0].state.to_string(), "unknown");
    assert_eq!(read.agents[1].target, whole.agents[1].target);
    assert_eq!((&read.agents[2].target, read.agents[2].state), (&whole.agents[2].target, whole.agents[2].state));
    assert!(read.agents.iter().skip(3).eq(whole.agents.iter().skip(3)));
    assert_eq!(read.events.len(), whole.events.len());
    assert!(format!("{:?}", read.events[0].what).contains("levitated"), "{:?}", read.events[0]);
    assert_eq!(read.events[1..], whole.events[1..]);
    assert!(matches!(wire::FromEngine::read(b"{\"weather\":{\"sun\":1}}"), Ok(None)));
    assert!(matches!(wire::FromEngine::read(b"\"sunset\""), Ok(None)));
    assert!(wire::FromEngine::read(b"{\"snapshot\":{\"schema\":\"x\"}}").is_err(), "one that is known must be right");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_of_a_later_version_and_one_of_the_first_are_served() {
    use tokio::io::{AsyncBufReadExt, BufReader};
    let engine = StandIn::start(wire::PROTOCOL);
    for hello in [r#"{"protocol":9,"version":"9","oldest":1,"dreams":true}"#, r#"{"protocol":1,"version":"0.1.0"}"#] {
        let (read, mut write) = UnixStream::connect(engine.paths.socket()).await.unwrap().into_split();
        let said = format!(
            "{{\"hello\":{hello}}}\n{{\"weather\":1}}\n{{\"command\":{{\"id\":7,\"command\":\"dance\"}}}}\n\
             {{\"command\":{{\"id\":8,\"command\":{{\"pool_size\":9}}}}}}\n\"ping\"\n"
        );
        write.write_all(said.as_bytes()).await.unwrap();
        let mut lines = BufReader::new(read).lines();
        let heard = timeout(PATIENCE, async {
            let mut heard = String::new();
            while !["\"confirmed\":{\"id\":8", "\"rejected\":{\"id\":7", "pong", "\"snapshot\""]
                .iter()
                .all(|part| heard.contains(part))
            {
                heard.push_str(&lines.next_line().await.unwrap().expect("it goes on"));
            }
        });
        heard.await.unwrap_or_else(|_| panic!("{hello}: not all was answered"));
    }
}
