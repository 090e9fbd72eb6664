//! The socket between an engine and its clients: hello, snapshots, commands, versions, the end.
//!
//! Long because each promise of the wire is tried over a real socket, with what the clients of these tests share.

use std::{collections::BTreeSet, os::unix::fs::MetadataExt, time::Duration};

use tmux_orc::monitor::clients::wire;
use tmux_orc::monitor::{AttachError, Client, Clients, Command, EnginePaths, Snapshot, Tiles, Wishes};
use tmux_orc::tmux::PaneId;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{
        UnixStream,
        unix::{OwnedReadHalf, OwnedWriteHalf},
    },
    time::timeout,
};

use super::stand_in::{StandIn, snapshot};

const SOON: Duration = Duration::from_secs(20);

async fn soon<T>(what: impl Future<Output = T>) -> T {
    timeout(SOON, what).await.expect("in time")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_sees_each_snapshot_whole_though_only_news_is_sent() {
    let engine = StandIn::start(wire::PROTOCOL);
    engine.publish(5);
    let mut client = soon(Client::connect(&engine.paths, true)).await.unwrap();
    assert_eq!(*soon(client.snapshot()).await.unwrap(), snapshot(5));
    for cycle in [6, 7, 400] {
        engine.publish(cycle);
        let got = loop {
            let got = soon(client.snapshot()).await.unwrap();
            if got.base_status.cycle_count == cycle {
                break got;
            }
        };
        let wanted = snapshot(cycle);
        let kept = wanted.history.len().min(tmux_orc::monitor::HISTORY_POINTS);
        assert_eq!(got.history[..], wanted.history[wanted.history.len() - kept..]);
        assert_eq!(got.events.last(), wanted.events.last());
        assert_eq!(got.events.len(), wanted.events.len().min(tmux_orc::monitor::EVENTS_KEPT));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_is_answered_with_the_value_in_force_or_with_why_not() {
    let engine = StandIn::start(wire::PROTOCOL);
    let mut client = soon(Client::connect(&engine.paths, true)).await.unwrap();
    let confirmed = soon(client.command(&Command::PoolSize(10))).await.unwrap();
    assert_eq!(confirmed.settings.pool_max, 10);
    let rejected = soon(client.command(&Command::Strategy("nonsense".into()))).await.unwrap_err();
    assert!(matches!(&rejected, AttachError::Rejected(why) if why.contains("no strategy nonsense")), "{rejected}");
    let confirmed = soon(client.command(&Command::Strategy("polling".into()))).await.unwrap();
    assert_eq!(confirmed.strategy, "polling");
}

#[tokio::test(flavor = "multi_thread")]
async fn several_handles_share_one_engine_and_learn_of_its_end() {
    let engine = StandIn::start(wire::PROTOCOL);
    let mut handles = Vec::new();
    for _ in 0..4 {
        let client = soon(Client::connect(&engine.paths, true)).await.unwrap();
        handles.push(soon(client.into_handle()).await.unwrap());
    }
    handles[0].0.commands.send(Command::PoolSize(33)).await.unwrap();
    for (handle, _) in &mut handles {
        let seen = |snapshot: &std::sync::Arc<Snapshot>| snapshot.settings.pool_max == 33;
        soon(handle.snapshots.wait_for(seen)).await.unwrap();
    }
    let paths = engine.paths.clone();
    let _dir = engine.end().await;
    for (mut handle, task) in handles {
        let why = soon(task).await.unwrap();
        assert!(matches!(why, AttachError::Lost(_)), "{why}");
        soon(async { while handle.snapshots.changed().await.is_ok() {} }).await;
    }
    assert!(!paths.socket().exists(), "the socket's file stays behind");
    assert!(matches!(soon(Client::connect(&paths, false)).await, Err(AttachError::NoEngine)));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_engine_knows_whether_anybody_looks() {
    let mut engine = StandIn::start(wire::PROTOCOL);
    // The stand-in itself looks at nothing.
    assert!(!engine.clients.borrow().watched());
    let mut passing = soon(Client::connect(&engine.paths, false)).await.unwrap();
    soon(passing.snapshot()).await.unwrap();
    soon(passing.command(&Command::PoolSize(6))).await.unwrap();
    assert!(!engine.clients.borrow().watched(), "one that takes a snapshot and leaves");
    let one = soon(Client::connect(&engine.paths, true)).await.unwrap();
    soon(engine.clients.wait_for(|clients| clients.watched())).await.unwrap();
    // One comes, another goes: never nobody, in whatever order that is heard.
    let two = soon(Client::connect(&engine.paths, true)).await.unwrap();
    let (handle, task) = soon(two.into_handle()).await.unwrap();
    drop(one);
    drop(passing);
    soon(engine.clients.wait_for(|clients| clients.count() == 2)).await.unwrap();
    assert!(engine.clients.borrow().watched());
    drop(handle);
    soon(task).await.unwrap();
    soon(engine.clients.wait_for(|clients| !clients.watched())).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn each_client_sees_its_own_pane_and_takes_its_focus_along() {
    let mut engine = StandIn::start(wire::PROTOCOL);
    let shows = |pane: u32| move |snapshot: &std::sync::Arc<Snapshot>| shown(snapshot) == Some(PaneId(pane));
    let (mut one, _one) = soon(soon(Client::connect(&engine.paths, true)).await.unwrap().into_handle()).await.unwrap();
    let (mut two, two_task) =
        soon(soon(Client::connect(&engine.paths, true)).await.unwrap().into_handle()).await.unwrap();
    one.commands.send(Command::Focus(Some(PaneId(1)))).await.unwrap();
    two.commands.send(Command::Focus(Some(PaneId(2)))).await.unwrap();
    let both = |clients: &Clients| clients.focus() == BTreeSet::from([PaneId(1), PaneId(2)]);
    soon(engine.clients.wait_for(both)).await.unwrap();
    engine.show(5, &[1, 2]);
    soon(one.snapshots.wait_for(shows(1))).await.unwrap();
    soon(two.snapshots.wait_for(shows(2))).await.unwrap();
    let mut passing = soon(Client::connect(&engine.paths, false)).await.unwrap();
    assert_eq!(shown(&soon(passing.snapshot()).await.unwrap()), None, "it asked for none");
    // The second one is killed, without a word.
    two_task.abort();
    soon(engine.clients.wait_for(|clients| clients.focus() == BTreeSet::from([PaneId(1)]))).await.unwrap();
    engine.show(6, &[1]);
    let still = |s: &std::sync::Arc<Snapshot>| s.base_status.cycle_count == 6;
    assert_eq!(shown(&soon(one.snapshots.wait_for(still)).await.unwrap()), Some(PaneId(1)));
    one.commands.send(Command::Focus(None)).await.unwrap();
    soon(engine.clients.wait_for(|clients| clients.focus().is_empty())).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn each_client_has_its_own_tiles_and_gets_those_that_differ() {
    let mut engine = StandIn::start(wire::PROTOCOL);
    let tiles = |s: &std::sync::Arc<Snapshot>| s.previews.iter().map(|shown| shown.pane_id.0).collect::<BTreeSet<_>>();
    let shows = |panes: &[u32]| {
        let wanted: BTreeSet<u32> = panes.iter().copied().collect();
        move |s: &std::sync::Arc<Snapshot>| tiles(s) == wanted
    };
    let ask = |panes: &[u32]| Command::Tiles(Tiles::new(panes.iter().copied().map(PaneId), 9));
    let (mut one, _one) = soon(soon(Client::connect(&engine.paths, true)).await.unwrap().into_handle()).await.unwrap();
    let (mut two, two_task) =
        soon(soon(Client::connect(&engine.paths, true)).await.unwrap().into_handle()).await.unwrap();
    one.commands.send(ask(&[1, 2])).await.unwrap();
    two.commands.send(ask(&[2, 3])).await.unwrap();
    let all = |clients: &Clients| clients.tiles() == BTreeSet::from([PaneId(1), PaneId(2), PaneId(3)]);
    soon(engine.clients.wait_for(all)).await.unwrap();
    // A wish is known a moment before it is obeyed.
    for cycle in [5, 6] {
        engine.show(cycle, &[1, 2, 3]);
    }
    let first = soon(one.snapshots.wait_for(shows(&[1, 2]))).await.unwrap();
    let right = |shown: &tmux_orc::monitor::Preview| shown.text.trim_end() == format!("pane {}", shown.pane_id.0);
    assert!(first.preview.is_none() && first.previews.iter().all(|shown| right(shown)), "{:?}", first.previews);
    soon(two.snapshots.wait_for(shows(&[2, 3]))).await.unwrap();
    // What is shown no more goes, and what is not sent again stays.
    engine.show(7, &[2, 3]);
    let later = |s: &std::sync::Arc<Snapshot>| s.base_status.cycle_count == 7;
    assert_eq!(tiles(&soon(one.snapshots.wait_for(later)).await.unwrap()), BTreeSet::from([2]));
    assert_eq!(tiles(&soon(two.snapshots.wait_for(later)).await.unwrap()), BTreeSet::from([2, 3]));
    // One that is gone is shown nothing, and neither is one that closed its wall.
    two_task.abort();
    one.commands.send(ask(&[])).await.unwrap();
    soon(engine.clients.wait_for(|clients| clients.tiles().is_empty())).await.unwrap();
    engine.show(8, &[1, 2, 3]);
    soon(one.snapshots.wait_for(|s| s.base_status.cycle_count == 8 && s.previews.is_empty())).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_hides_its_screen_takes_no_other_s_away() {
    let mut engine = StandIn::start(wire::PROTOCOL);
    let mut clients = Vec::new();
    for pane in [1, 2, 1] {
        let client = soon(Client::connect(&engine.paths, true)).await.unwrap();
        let (handle, task) = soon(client.into_handle()).await.unwrap();
        handle.commands.send(Command::Focus(Some(PaneId(pane)))).await.unwrap();
        clients.push((handle, task, pane));
    }
    for (handle, _, pane) in &mut clients {
        let shows = |s: &std::sync::Arc<Snapshot>| shown(s) == Some(PaneId(*pane));
        soon(async {
            // Again, until the third's wish is known too: the first one has the same.
            while timeout(Duration::from_millis(50), handle.snapshots.wait_for(shows)).await.is_err() {
                engine.show(5, &[1, 2]);
            }
        })
        .await;
    }
    // The second hides its screen, the third chooses another row.
    clients[1].0.commands.send(Command::Focus(None)).await.unwrap();
    for pane in [2, 1, 3] {
        clients[2].0.commands.send(Command::Focus(Some(PaneId(pane)))).await.unwrap();
    }
    let wanted = BTreeSet::from([PaneId(1), PaneId(3)]);
    soon(engine.clients.wait_for(|clients| clients.focus() == wanted)).await.unwrap();
    engine.show(6, &[1, 3]);
    for ((handle, ..), pane) in clients.iter_mut().zip([Some(1), None, Some(3)]) {
        let later = |s: &std::sync::Arc<Snapshot>| s.base_status.cycle_count == 6;
        assert_eq!(shown(&soon(handle.snapshots.wait_for(later)).await.unwrap()), pane.map(PaneId));
    }
}

fn shown(snapshot: &Snapshot) -> Option<PaneId> {
    snapshot.preview.as_ref().map(|preview| preview.pane_id)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_client_and_a_new_engine_tell_each_other_so() {
    let engine = StandIn::start(wire::PROTOCOL + 1);
    let error = soon(Client::connect(&engine.paths, true)).await.unwrap_err().to_string();
    for part in ["tmux-orc 9.9.9, protocol 3", "protocol 2", "monitor restart"] {
        assert!(error.contains(part), "{part} is missing: {error}");
    }
    let engine = StandIn::start(wire::PROTOCOL);
    let stream = soon(UnixStream::connect(engine.paths.socket())).await.unwrap();
    let (read, mut write) = stream.into_split();
    write.write_all(b"{\"hello\":{\"protocol\":77,\"version\":\"7.7.7\"}}\n").await.unwrap();
    let mut lines = BufReader::new(read).lines();
    let hello = soon(lines.next_line()).await.unwrap().unwrap();
    assert!(hello.starts_with("{\"hello\":{\"protocol\":2,"), "{hello}");
    let refused = soon(lines.next_line()).await.unwrap().unwrap();
    assert!(refused.contains("refused") && refused.contains("7.7.7") && refused.contains("same version"), "{refused}");
    assert!(soon(lines.next_line()).await.unwrap().is_none(), "the engine hangs up");
}

/// A connection that has said this hello, past the engine's own.
async fn greeted(engine: &StandIn, hello: &str) -> (tokio::io::Lines<BufReader<OwnedReadHalf>>, OwnedWriteHalf) {
    let stream = soon(UnixStream::connect(engine.paths.socket())).await.unwrap();
    let (read, mut write) = stream.into_split();
    write.write_all(format!("{{\"hello\":{hello}}}\n").as_bytes()).await.unwrap();
    let mut lines = BufReader::new(read).lines();
    assert!(soon(lines.next_line()).await.unwrap().unwrap().starts_with("{\"hello\":"));
    (lines, write)
}

/// The first words of each line up to the one that holds this.
async fn kinds(lines: &mut tokio::io::Lines<BufReader<OwnedReadHalf>>, last: &str) -> (Vec<String>, String) {
    let mut kinds = Vec::new();
    loop {
        let line = soon(lines.next_line()).await.unwrap().expect("it goes on");
        kinds.push(line.split('"').nth(1).unwrap_or_default().to_owned());
        if line.contains(last) {
            return (kinds, line);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_speaks_protocol_2_gets_what_differs_and_all_again_when_it_asks() {
    let engine = StandIn::start(wire::PROTOCOL);
    let hello = r#"{"protocol":2,"oldest":1,"version":"0","delta":true,"instruments":false}"#;
    let (mut lines, mut write) = greeted(&engine, hello).await;
    assert_eq!(kinds(&mut lines, "snapshot").await.0, ["snapshot"]);
    let mut next = snapshot(2);
    next.notes.push("a note".to_owned());
    engine.publish.send_replace(std::sync::Arc::new(next));
    let (_, line) = kinds(&mut lines, "a note").await;
    assert!(line.starts_with("{\"delta\":{") && line.ends_with(",\"n\":1}}"), "{line}");
    assert!(!line.contains("\"head\"") && line.len() < 300, "{line}");
    write.write_all(b"\"again\"\n").await.unwrap();
    let (kinds_seen, _) = kinds(&mut lines, "\"snapshot\"").await;
    assert_eq!(kinds_seen.last().map(String::as_str), Some("snapshot"));
    let mut next = snapshot(3);
    next.notes.push("another".to_owned());
    engine.publish.send_replace(std::sync::Arc::new(next));
    assert!(kinds(&mut lines, "another").await.1.ends_with(",\"n\":1}}"), "counted from the whole one");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_missed_what_cannot_be_made_up_for_gets_all_again() {
    let engine = StandIn::start(wire::PROTOCOL);
    let (mut lines, _write) = greeted(&engine, r#"{"protocol":2,"oldest":1,"version":"0","delta":true}"#).await;
    kinds(&mut lines, "\"cycle_count\":1").await;
    engine.publish(90);
    assert_eq!(kinds(&mut lines, "\"cycle_count\":90").await.0, ["delta"]);
    // What happened in between is not kept.
    let mut next = snapshot(120);
    std::sync::Arc::make_mut(&mut next.events).drain(..110);
    engine.publish.send_replace(std::sync::Arc::new(next));
    assert_eq!(kinds(&mut lines, "\"cycle_count\":120").await.0, ["snapshot"]);
    let mut next = snapshot(121);
    std::sync::Arc::make_mut(&mut next.events).drain(..110);
    next.notes.push("on".to_owned());
    engine.publish.send_replace(std::sync::Arc::new(next));
    let (_, line) = kinds(&mut lines, "\"on\"").await;
    assert!(line.starts_with("{\"delta\":") && line.ends_with(",\"n\":1}}"), "{line}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_instruments_come_when_they_are_asked_for_and_stop_when_they_are_not() {
    let engine = StandIn::start(wire::PROTOCOL);
    let hello = r#"{"protocol":2,"oldest":1,"version":"0","delta":true,"instruments":false}"#;
    let (mut lines, mut write) = greeted(&engine, hello).await;
    kinds(&mut lines, "snapshot").await;
    let publish = |cycle: u64, note: &str| {
        let mut next = snapshot(cycle);
        (next.notes, next.connection_pool.pool_size) = (vec![note.to_owned()], 33);
        engine.publish.send_replace(std::sync::Arc::new(next));
    };
    publish(2, "one");
    assert!(!kinds(&mut lines, "one").await.1.contains("\"head\""));
    // Nothing more is published: they come at once, and all of them, though the last two snapshots have the same pool.
    write.write_all(b"{\"command\":{\"id\":4,\"command\":{\"instruments\":true}}}\n").await.unwrap();
    let (_, line) = kinds(&mut lines, "\"head\"").await;
    for part in ["\"pool_size\":33", "\"cycle_count\":2", "\"strategies\":", "\"n\":2"] {
        assert!(line.contains(part), "{part} is missing: {line}");
    }
    assert_eq!(kinds(&mut lines, "\"id\":4").await.0, ["confirmed"]);
    publish(3, "two");
    let (_, line) = kinds(&mut lines, "two").await;
    assert!(line.contains("\"cycle_count\":3") && !line.contains("pool_size"), "what differs: {line}");
    write.write_all(b"{\"command\":{\"id\":5,\"command\":{\"instruments\":false}}}\n").await.unwrap();
    kinds(&mut lines, "\"id\":5").await;
    publish(4, "three");
    assert!(!kinds(&mut lines, "three").await.1.contains("\"head\""));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_says_whether_its_instruments_are_of_now() {
    let engine = StandIn::start(wire::PROTOCOL);
    let attach = async |wishes| {
        let stream = soon(UnixStream::connect(engine.paths.socket())).await.unwrap();
        soon(Client::over(stream, wishes)).await.unwrap().into_handle().await.unwrap()
    };
    let (mut far, _far) = attach(Wishes { every_ms: 0, ..Wishes::remote() }).await;
    let (mut near, _near) = attach(Wishes::local(true)).await;
    assert!(far.snapshots.borrow().instruments, "the first one is whole");
    let publish = |cycle: u64| {
        let mut next = snapshot(cycle);
        (next.connection_pool.pool_size, next.notes) = (usize::try_from(cycle).unwrap(), vec![format!("{cycle}")]);
        engine.publish.send_replace(std::sync::Arc::new(next));
    };
    let noted = |cycle: u64| move |s: &std::sync::Arc<Snapshot>| s.notes.first() == Some(&format!("{cycle}"));
    let pool = |s: std::sync::Arc<Snapshot>| s.instruments.then_some(s.connection_pool.pool_size);
    publish(5);
    assert_eq!(pool(soon(far.snapshots.wait_for(noted(5))).await.unwrap()), None, "that is of an earlier one");
    let ask = async |on| {
        for commands in [&far.commands, &near.commands] {
            commands.send(Command::Instruments(on)).await.unwrap();
        }
    };
    ask(true).await;
    assert_eq!(pool(soon(far.snapshots.clone().wait_for(|s| s.instruments)).await.unwrap()), Some(5));
    ask(false).await;
    // The engine reads that at some moment after it.
    for cycle in 6.. {
        publish(cycle);
        let shown = pool(soon(near.snapshots.wait_for(noted(cycle))).await.unwrap());
        assert_eq!(shown, usize::try_from(cycle).ok(), "who takes them always has them always");
        if pool(soon(far.snapshots.wait_for(noted(cycle))).await.unwrap()).is_none() {
            break;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_that_knows_nothing_of_instruments_on_request_just_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let paths = EnginePaths::new(&dir.path().join("run"), &dir.path().join("tmux"));
    paths.prepare().unwrap();
    let listener = tokio::net::UnixListener::bind(paths.socket()).unwrap();
    let play = async {
        let (read, mut write) = listener.accept().await.unwrap().0.into_split();
        let whole = serde_json::json!({ "snapshot": snapshot(1) });
        write.write_all(format!("{{\"hello\":{{\"protocol\":2,\"oldest\":1}}}}\n{whole}\n").as_bytes()).await.unwrap();
        (BufReader::new(read).lines(), write)
    };
    let attach = async {
        let stream = UnixStream::connect(paths.socket()).await.unwrap();
        Client::over(stream, Wishes::remote()).await.unwrap().into_handle().await.unwrap()
    };
    let ((mut lines, mut write), (mut handle, task)) = soon(async { tokio::join!(play, attach) }).await;
    handle.commands.send(Command::Instruments(true)).await.unwrap();
    let line = loop {
        let line = soon(lines.next_line()).await.unwrap().unwrap();
        if line.contains("instruments\":true") {
            break line;
        }
    };
    assert_eq!(line, r#"{"command":{"id":1,"command":{"instruments":true}}}"#);
    let no = r#"{"rejected":{"id":1,"reason":"the engine knows no such command"}}"#;
    write.write_all(format!("{no}\n{{\"delta\":{{\"n\":1,\"notes\":[\"on\"]}}}}\n").as_bytes()).await.unwrap();
    let shown = soon(handle.snapshots.wait_for(|s| s.notes == ["on"])).await.unwrap();
    assert!(!shown.instruments && !task.is_finished());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_client_that_keeps_history_gets_updates_whatever_else_it_says() {
    let engine = StandIn::start(wire::PROTOCOL);
    // Words of protocol 2 under protocol 1 mean nothing.
    for more in ["", r#","delta":true"#] {
        let hello = format!(r#"{{"protocol":1,"oldest":1,"version":"0.1.0","watch":true,"tail":true{more}}}"#);
        let (mut lines, _write) = greeted(&engine, &hello).await;
        assert_eq!(kinds(&mut lines, "snapshot").await.0, ["snapshot"]);
        engine.publish(7);
        assert_eq!(kinds(&mut lines, "\"cycle_count\":7").await.0, ["update"]);
        engine.publish(1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_asks_for_few_gets_few_and_its_answer_after_the_snapshot_that_shows_it() {
    let engine = StandIn::start(wire::PROTOCOL);
    let hello = r#"{"protocol":2,"version":"0","delta":true,"every_ms":3600000}"#;
    let (mut lines, mut write) = greeted(&engine, hello).await;
    kinds(&mut lines, "snapshot").await;
    engine.publish(2);
    engine.publish(3);
    write.write_all(b"{\"command\":{\"id\":5,\"command\":{\"pool_size\":9}}}\n").await.unwrap();
    let (seen, _) = kinds(&mut lines, "\"id\":5").await;
    assert_eq!(seen, ["delta", "confirmed"]);
}

/// An engine that plays what it is told to.
async fn played(paths: &EnginePaths, said: &[&str]) -> (Client, OwnedReadHalf, OwnedWriteHalf) {
    paths.prepare().unwrap();
    let listener = tokio::net::UnixListener::bind(paths.socket()).unwrap();
    let play = async {
        let (read, mut write) = listener.accept().await.unwrap().0.into_split();
        for line in said {
            write.write_all(format!("{line}\n").as_bytes()).await.unwrap();
        }
        (read, write)
    };
    let ((read, write), client) = soon(async { tokio::join!(play, Client::connect(paths, false)) }).await;
    (client.unwrap(), read, write)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_delta_is_noticed_and_all_is_asked_for_again() {
    let dir = tempfile::tempdir().unwrap();
    let paths = EnginePaths::new(&dir.path().join("run"), &dir.path().join("tmux"));
    let whole = serde_json::json!({ "snapshot": snapshot(1) }).to_string();
    let delta = |n: u64, note: &str| serde_json::json!({ "delta": { "n": n, "notes": [note] } }).to_string();
    let hello = r#"{"hello":{"protocol":2,"oldest":1,"version":"2"}}"#;
    let said = [hello, &whole, &delta(1, "one"), &delta(3, "three"), &delta(4, "four"), &whole, &delta(1, "end")];
    let (mut client, read, _write) = played(&paths, &said).await;
    let mut notes = Vec::new();
    while notes.last().is_none_or(|note| note != "end") {
        let got = soon(client.snapshot()).await.unwrap();
        notes.push(got.notes.first().cloned().unwrap_or_default());
    }
    assert_eq!(notes, ["", "one", "", "end"], "what cannot be put on is not shown");
    let mut asked = BufReader::new(read).lines();
    assert!(soon(asked.next_line()).await.unwrap().unwrap().contains("\"delta\":true"));
    assert_eq!(soon(asked.next_line()).await.unwrap().as_deref(), Some("\"again\""));
    drop(client);
    assert_eq!(soon(asked.next_line()).await.unwrap(), None, "asked once");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_of_protocol_1_is_spoken_with() {
    let dir = tempfile::tempdir().unwrap();
    let paths = EnginePaths::new(&dir.path().join("run"), &dir.path().join("tmux"));
    let whole = serde_json::json!({ "snapshot": snapshot(3) }).to_string();
    let mut news = snapshot(4);
    std::sync::Arc::make_mut(&mut news.history).drain(..3);
    std::sync::Arc::make_mut(&mut news.events).drain(..3);
    let update = serde_json::json!({ "update": news }).to_string();
    let said = [r#"{"hello":{"protocol":1,"version":"0.1.0","schema":1,"pid":7,"tmux_socket":"/s"}}"#, &whole, &update];
    let (mut client, ..) = played(&paths, &said).await;
    assert_eq!(client.protocol, 1);
    assert_eq!(*soon(client.snapshot()).await.unwrap(), snapshot(3));
    assert_eq!(*soon(client.snapshot()).await.unwrap(), snapshot(4));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plain_client_gets_the_same_whole_object_each_time() {
    let engine = StandIn::start(wire::PROTOCOL);
    let stream = soon(UnixStream::connect(engine.paths.socket())).await.unwrap();
    let (read, mut write) = stream.into_split();
    write.write_all(b"{\"hello\":{\"protocol\":1,\"version\":\"0\"}}\n").await.unwrap();
    let mut lines = BufReader::new(read).lines();
    soon(lines.next_line()).await.unwrap().unwrap();
    for cycle in [1, 2, 3] {
        engine.publish(cycle);
        let line = loop {
            let line = soon(lines.next_line()).await.unwrap().unwrap();
            if line.contains(&format!("\"cycle_count\":{cycle}")) {
                break line;
            }
        };
        let message: wire::FromEngine = serde_json::from_str(&line).unwrap();
        assert_eq!(message, wire::FromEngine::Snapshot(Box::new(snapshot(cycle))));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stale_socket_is_replaced_and_only_its_owner_can_use_the_new_one() {
    let dir = tempfile::tempdir().unwrap();
    let paths = EnginePaths::new(&dir.path().join("run"), &dir.path().join("tmux"));
    paths.prepare().unwrap();
    drop(std::os::unix::net::UnixListener::bind(paths.socket()).unwrap());
    assert!(paths.socket().exists());
    assert!(matches!(soon(Client::connect(&paths, false)).await, Err(AttachError::NoEngine)));
    let lock = tmux_orc::monitor::EngineLock::acquire(&paths).unwrap();
    let _socket = tmux_orc::monitor::EngineSocket::bind(&paths, &lock).unwrap();
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().mode() & 0o777;
    assert_eq!(mode(paths.socket()), 0o600);
    assert_eq!(mode(&dir.path().join("run")), 0o700);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_that_ends_before_it_says_hello_is_none() {
    let dir = tempfile::tempdir().unwrap();
    let paths = EnginePaths::new(&dir.path().join("run"), &dir.path().join("tmux"));
    paths.prepare().unwrap();
    let ending = std::os::unix::net::UnixListener::bind(paths.socket()).unwrap();
    let end = std::thread::spawn(move || {
        let (client, _) = ending.accept().unwrap();
        drop(ending);
        drop(client);
    });
    assert!(matches!(soon(Client::connect(&paths, false)).await, Err(AttachError::NoEngine)));
    end.join().unwrap();
}
