//! The engine's side fed with bytes: agent profiles with the screens that they judge, and both ends of the socket.

use std::{
    path::PathBuf,
    sync::{Arc, OnceLock},
};

use jiff::Timestamp;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::UnixStream,
    sync::watch,
};

use crate::fuzzing::Feed;
use crate::monitor::clients::admit::{Admitted, Door, Received};
use crate::monitor::clients::attach::{Client, Wishes};
use crate::monitor::clients::host::Host;
use crate::monitor::clients::wire;
use crate::monitor::clients::wire::{ClientHello, EngineHello, FromClient, FromEngine};
use crate::monitor::detect::fixture::{Fixture, mask};
use crate::monitor::detect::hook::Hook;
use crate::monitor::detect::{Observation, Profiles, explain, hook, judge, recognise, reset};
use crate::monitor::facts::published;
use crate::monitor::facts::transcripts::store;
use crate::monitor::usage::{Records, Said, Tally};
use crate::monitor::{Handle, NamedAgent, Order, Prices, SCHEMA, Snapshot};
use crate::tmux::Screen;

/// The moment at which every input is judged.
fn now() -> Timestamp {
    Timestamp::from_second(1_795_539_600).expect("a time")
}

/// A profile as text, then screens as `why --save` writes them, from the first line that starts with `=== `.
/// Without a profile the built-in ones judge.
pub(crate) fn profiles(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let (profile, screens) = match text.strip_prefix("=== ") {
        Some(_) => ("", &*text),
        None => text.split_once("\n=== ").map_or((&*text, ""), |(profile, _)| (profile, &text[profile.len() + 1..])),
    };
    let Some(profiles) = compiled(profile) else { return };
    let Ok(fixtures) = Fixture::parse_all(screens) else { return };
    for fixture in &fixtures {
        screen(&profiles, fixture);
        words(&profiles, fixture);
    }
}

/// The profiles to judge with; `None` when the text is none, and says where it is wrong.
fn compiled(profile: &str) -> Option<Profiles> {
    static BUILT_IN: OnceLock<Profiles> = OnceLock::new();
    if profile.trim().is_empty() {
        return Some(BUILT_IN.get_or_init(Profiles::embedded).clone());
    }
    let name = profile.lines().find_map(|line| line.strip_prefix("name: ")).unwrap_or("x");
    let path = PathBuf::from(format!("{}.yaml", name.replace(['/', '\0'], "_")));
    match Profiles::of(vec![(path, profile.to_owned())], |built_in| built_in == name) {
        Ok(profiles) => Some(profiles),
        Err(error) => {
            assert!(!error.to_string().is_empty());
            None
        }
    }
}

/// Judges one screen.
fn screen(profiles: &Profiles, fixture: &Fixture) {
    let screen = fixture.screen();
    // An agent that is known was judged before, so its profile is there.
    let known = fixture.agent.as_deref().filter(|name| profiles.get(name).is_some());
    let seen = Observation {
        pane: &fixture.pane,
        screen: Some(&screen),
        processes: &fixture.processes,
        published: None,
        known_agent: known,
        named: None,
        previous: None,
        now: now(),
        zone: None,
    };
    let verdict = judge(profiles, &seen);
    assert_eq!(explain(profiles, &seen).verdict, verdict, "the explanation is that of the verdict");
    for profile in profiles.list().take(2) {
        let named = NamedAgent { target: fixture.pane.id.to_string(), name: None, agent: Some(profile.name.clone()) };
        let seen = Observation { named: Some(&named), ..seen };
        assert!(judge(profiles, &seen).is_some(), "what the settings name is an agent");
    }
    if let Some(verdict) = verdict {
        assert!(profiles.get(&verdict.agent).is_some(), "{} is a profile", verdict.agent);
        assert!(verdict.context_percent.is_none_or(|percent| (0.0..=100.0).contains(&percent)), "{verdict:?}");
    } else {
        let found = recognise(profiles, &fixture.processes);
        assert_eq!(found, None, "whoever is recognised has a state");
    }
}

/// What else reads words from a pane or from an agent.
fn words(profiles: &Profiles, fixture: &Fixture) {
    let published = profiles.list().filter_map(|profile| profile.session_file.as_ref());
    let fields: Vec<_> = published.map(|session| &session.fields).collect();
    for row in &fixture.rows {
        let row = &*crate::tmux::clean(row);
        assert_eq!(mask(row).chars().count(), row.chars().count(), "a mask is as wide as what it hides");
        let _ = reset::parse(row, now(), None);
        for fields in &fields {
            let _ = published::parse(row, fields, 1, 0);
        }
        for value in [hook::from_claude_json(row, now()), hook::from_codex_notify(row, now())].into_iter().flatten() {
            assert!(Hook::parse(&value).is_some(), "{value:?}");
        }
        if let Some(hook) = Hook::parse(row) {
            assert_eq!(Hook::parse(&hook.value()), Some(hook));
        }
    }
    let written = fixture.text();
    let read = Fixture::parse_all(&written).unwrap_or_else(|error| panic!("{error} in\n{written}"));
    assert_eq!(read.len(), 1, "a screen is one screen:\n{written}");
    let rows = |fixture: &Fixture| Screen::text(&fixture.screen()).trim_end().to_owned();
    assert_eq!(rows(&read[0]), rows(fixture), "the rows are as they were");
}

/// A transcript: the first byte chooses the program that writes it.
pub(crate) fn transcripts(data: &[u8]) {
    let profiles = compiled("").expect("the built-in ones");
    let mut all: Vec<_> = profiles.list().filter_map(|profile| profile.transcript.as_ref()).collect();
    all.sort_by_key(|rules| rules.database.is_some());
    let mut feed = Feed::new(data);
    let rules = all[feed.below(all.len())];
    let zone = jiff::tz::TimeZone::UTC;
    if rules.database.is_some() {
        // So many bytes of the database, in pieces of 512, then its log.
        let file = usize::from(feed.number()) * 512;
        let (file, wal) = (feed.bytes(file), feed.rest());
        let mut tally = Tally::default();
        for one in store::all_in(file, wal, rules).unwrap_or_default() {
            tally.take(one, &zone);
        }
        return;
    }
    let (mut records, mut tally, mut said) = (Records::default(), Tally::default(), Vec::new());
    for line in feed.rest().split(|byte| *byte == b'\n') {
        let _ = records.read(rules, line, &mut said);
        for one in said.drain(..) {
            if let Said::Spent(spent) = &one {
                let names = [&spent.model, &spent.project, &spent.session];
                let clean = |name: &String| crate::tmux::clean(name) == *name && name.chars().count() <= 256;
                assert!(names.into_iter().flatten().all(clean), "{spent:?}");
                assert!(spent.cost.is_none_or(|cost| cost >= 0.0), "{spent:?}");
            }
            tally.take(one, &zone);
        }
        let known = tally.known(rules, &Prices::new(), jiff::civil::date(2026, 11, 20), true);
        assert!(known.context_left.is_none_or(|left| (0.0..=100.0).contains(&left)), "{known:?}");
        assert!(known.plan.is_none_or(|plan| plan.done <= plan.of), "{known:?}");
    }
}

/// Says how one end of the socket takes what the other one says. The first byte chooses the end, and whether a right
/// hello goes first; the second the size of the pieces. Returns snapshots that a client was made to believe.
///
/// The engine has published `newest`.
pub(crate) fn wire(data: &[u8], newest: Snapshot) -> Vec<Arc<Snapshot>> {
    let mut feed = Feed::new(data);
    let (kind, piece) = (feed.below(4), 1 + feed.below(128));
    let said = feed.rest();
    for line in said.split(|byte| *byte == b'\n') {
        same_again::<FromClient>(line);
        same_again::<FromEngine>(line);
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let (ours, theirs) = UnixStream::pair().expect("a pair of sockets");
        if kind < 2 {
            to_engine(ours, theirs, newest, kind == 1, said, piece).await;
            Vec::new()
        } else {
            to_client(ours, theirs, kind == 3, said, piece).await
        }
    })
}

/// What reads as a message is written as one that reads the same.
fn same_again<T: serde::Serialize + for<'de> serde::Deserialize<'de> + PartialEq + std::fmt::Debug>(line: &[u8]) {
    let Ok(message) = serde_json::from_slice::<T>(line) else { return };
    let written = wire::line(&message).expect("a message can be written");
    assert_eq!(written.iter().filter(|byte| **byte == b'\n').count(), 1, "one line");
    let read: T = serde_json::from_slice(&written).unwrap_or_else(|error| panic!("{error}: {message:?}"));
    assert_eq!(read, message);
}

/// Bytes in pieces, as a slow peer sends them; then the end.
async fn say(stream: &mut tokio::net::unix::OwnedWriteHalf, hello: &[u8], said: &[u8], piece: usize) {
    // Whoever is talked to may hang up at any time.
    let _ = stream.write_all(hello).await;
    for piece in said.chunks(piece.max(said.len() / 50)) {
        if stream.write_all(piece).await.is_err() {
            break;
        }
        tokio::task::yield_now().await;
    }
    let _ = stream.shutdown().await;
}

/// An engine is told this; all it says back is messages.
async fn to_engine(ours: UnixStream, theirs: UnixStream, newest: Snapshot, hello: bool, said: &[u8], piece: usize) {
    let (publish, snapshots) = watch::channel(Arc::new(newest));
    let (handle, mut requests) = Handle::new(snapshots, 1024);
    let shared = Arc::new(Host::new(engine_hello()));
    let engine = tokio::spawn(shared.admit(theirs, handle));
    let (mut read, mut write) = ours.into_split();
    let first = wire::line(&FromClient::Hello(client_hello())).expect("a line");
    let talk = async {
        say(&mut write, if hello { &first } else { b"" }, said, piece).await;
        let mut heard = Vec::new();
        // A reset instead of an end: what was heard before it counts.
        let _ = read.read_to_end(&mut heard).await;
        heard
    };
    let heard = talk.await;
    drop(publish);
    engine.await.expect("no client breaks the engine");
    let heard = heard.strip_suffix(b"\n").unwrap_or(&heard);
    for line in heard.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        serde_json::from_slice::<FromEngine>(line).unwrap_or_else(|error| panic!("{error}"));
    }
    while let Ok(Order { command, .. }) = requests.commands.try_recv() {
        let again = serde_json::to_value(&command).expect("a command is JSON");
        assert_eq!(serde_json::from_value::<crate::monitor::Command>(again).expect("a command"), command);
    }
}

/// A client is told this; it gives snapshots or says what is wrong.
async fn to_client(ours: UnixStream, theirs: UnixStream, hello: bool, said: &[u8], piece: usize) -> Vec<Arc<Snapshot>> {
    let (mut read, mut write) = ours.into_split();
    let first = wire::line(&FromEngine::Hello(engine_hello())).expect("a line");
    let listen = async {
        let mut believed = Vec::new();
        if let Ok(mut client) = Client::over(theirs, Wishes::local(true)).await {
            while let Ok(snapshot) = client.snapshot().await {
                believed.push(snapshot);
                believed.truncate(4);
            }
        }
        believed
    };
    let talk = async {
        say(&mut write, if hello { &first } else { b"" }, said, piece).await;
        let _ = read.read_to_end(&mut Vec::new()).await;
    };
    tokio::join!(listen, talk).0
}

fn engine_hello() -> EngineHello {
    EngineHello {
        protocol: wire::PROTOCOL,
        version: "0".to_owned(),
        schema: SCHEMA,
        pid: 1,
        tmux_socket: "/s".to_owned(),
        oldest: wire::OLDEST,
        logs: None,
        at: None,
    }
}

fn client_hello() -> ClientHello {
    ClientHello { protocol: wire::PROTOCOL, version: "0".to_owned(), watch: true, ..ClientHello::default() }
}

/// Lets lines of an engine in as a client does. The first byte chooses whether it is of another machine. Nothing that came
/// through the door steers a terminal, and all of it is within bounds. Returns the snapshots.
pub(crate) fn link(data: &[u8]) -> Vec<Arc<Snapshot>> {
    let mut feed = Feed::new(data);
    let remote = feed.flag();
    let mut door = Door::new(remote);
    let mut latest: Option<Admitted<Arc<Snapshot>>> = None;
    let mut shown = Vec::new();
    for line in feed.rest().split(|byte| *byte == b'\n') {
        let Ok(Some(message)) = FromEngine::read(line) else { continue };
        let Ok(said) = door.said(message, now()) else { continue };
        let next = match said {
            Received::Hello(hello) => {
                fits(&serde_json::to_value(&*hello).expect("JSON"), "");
                door = door.by_the_clock_of(&hello, now());
                continue;
            }
            Received::Snapshot(snapshot) => snapshot,
            Received::Update(update) => match &latest {
                Some(before) => Door::complete(update, before),
                None => update,
            },
            Received::Delta(delta) => {
                let Some(before) = &latest else { continue };
                match door.put_on(delta, before) {
                    Ok(after) => after,
                    Err(_) => continue,
                }
            }
            Received::Confirmed(_, confirmed) => {
                fits(&serde_json::to_value(&*confirmed).expect("JSON"), "");
                continue;
            }
            Received::Rejected(_, words) | Received::Refused(words) => {
                assert!(crate::tmux::is_clean(&words) && words.chars().count() <= 500, "{words:?}");
                continue;
            }
            Received::Pong => continue,
        };
        let next = next.shared();
        within_bounds(&next, door.theirs(now()), remote);
        shown.push(Arc::clone(&next));
        shown.truncate(4);
        latest = Some(next);
    }
    shown
}

/// No word in it steers a terminal, and none is long.
fn fits(value: &serde_json::Value, path: &str) {
    match value {
        serde_json::Value::String(text) => {
            let rows = path.ends_with("/full");
            let good = |c: char| !crate::tmux::is_unsafe(c) || (rows && c == '\n');
            assert!(text.chars().all(good), "{path}: {text:?}");
            assert!(text.chars().count() <= 8000, "{path}: {} characters", text.chars().count());
        }
        serde_json::Value::Array(all) => all.iter().for_each(|value| fits(value, path)),
        serde_json::Value::Object(all) => all.iter().for_each(|(key, value)| fits(value, &format!("{path}/{key}"))),
        _ => {}
    }
}

fn within_bounds(snapshot: &Snapshot, now: Timestamp, remote: bool) {
    let mut words = snapshot.clone();
    let preview = words.preview.take();
    fits(&serde_json::to_value(&words).expect("JSON"), "");
    if let Some(preview) = preview {
        assert_eq!(Screen::styled(preview.text.as_bytes()).colours(), Some(&*preview.text), "colours and text alone");
        assert!(preview.text.lines().count() <= 500);
    }
    let agents = &snapshot.agents;
    let panes: std::collections::HashSet<_> = agents.iter().map(|agent| agent.pane_id).collect();
    assert!(panes.len() == agents.len() && agents.len() <= if remote { 2000 } else { 20_000 });
    let hours = |at: Timestamp| at.duration_since(now).as_hours();
    let was = |at: Timestamp| at == Timestamp::UNIX_EPOCH || (-24 * 365 - 1..=1).contains(&hours(at));
    for agent in agents {
        assert!(was(agent.since) && was(agent.last_change) && agent.read_at.is_none_or(was), "{agent:?}");
        assert!(agent.reset_at.is_none_or(|at| hours(at).abs() <= 24 * 366), "{agent:?}");
        assert!(agent.context_percent.is_none_or(|percent| (0.0..=100.0).contains(&percent)), "{agent:?}");
        assert!(agent.activity.len() <= 64 && agent.activity.iter().all(|slice| *slice <= 7), "{agent:?}");
        assert!(agent.choices.len() <= 20 && agent.target.chars().count() <= 200, "{agent:?}");
        assert!(!remote || agent.choices.iter().all(|choice| choice.keys.is_empty()), "{agent:?}");
    }
    assert!(snapshot.events.len() <= crate::monitor::EVENTS_KEPT && snapshot.notes.len() <= 8);
    assert!(snapshot.events.iter().all(|event| was(event.at)));
    let _: u64 = agents.iter().filter_map(|agent| agent.memory_bytes).sum();
}
