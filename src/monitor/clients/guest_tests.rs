//! Who is let go, and who is not.

use futures_util::FutureExt as _;
use tokio::net::UnixStream;

use super::*;
use crate::monitor::clients::attach::Wishes;
use crate::monitor::engine::core::Core;
use crate::monitor::{Client, EngineSettings};
use crate::tmux::Server;
use crate::tmux::scripted::Script;

fn engine_hello() -> EngineHello {
    EngineHello {
        protocol: wire::PROTOCOL,
        version: "0".to_owned(),
        schema: crate::monitor::SCHEMA,
        pid: 1,
        tmux_socket: "/s".to_owned(),
        oldest: 0,
        logs: None,
        at: None,
    }
}

#[tokio::test(start_paused = true)]
async fn one_that_says_that_it_looks_and_falls_silent_is_let_go_and_one_that_asks_is_not() {
    let snapshot = Core::new(Server::scripted(Script::default()), EngineSettings::default()).unwrap().snapshot();
    // Nothing more is published: there is nothing that one could refuse to read.
    let (_publish, snapshots) = tokio::sync::watch::channel(Arc::new(snapshot));
    let (handle, requests) = Handle::new(snapshots, 8);
    let mut clients = requests.clients.clone();
    let host = Arc::new(Host::new(engine_hello()));
    let admit = || {
        let (ours, theirs) = UnixStream::pair().unwrap();
        tokio::spawn(Arc::clone(&host).admit(theirs, handle.clone()));
        ours
    };
    let mut silent = admit();
    let hello = format!("{{\"hello\":{{\"protocol\":{},\"version\":\"0\",\"watch\":true}}}}\n", wire::PROTOCOL);
    silent.write_all(hello.as_bytes()).await.unwrap();
    let mut promised = admit();
    let hello = format!("{{\"hello\":{{\"protocol\":{},\"version\":\"0\",\"pings\":true}}}}\n", wire::PROTOCOL);
    promised.write_all(hello.as_bytes()).await.unwrap();
    let mut passing = admit();
    let hello = format!("{{\"hello\":{{\"protocol\":{},\"version\":\"0\"}}}}\n", wire::PROTOCOL);
    passing.write_all(hello.as_bytes()).await.unwrap();
    let (_attached, task) = Client::over(admit(), Wishes::local(true)).await.unwrap().into_handle().await.unwrap();
    clients.wait_for(|clients| clients.count() == 5).await.unwrap();
    let came = Instant::now();
    clients.wait_for(|clients| clients.count() == 4).await.unwrap();
    assert!(came.elapsed() <= SILENCE_LIMIT + Duration::from_secs(1), "{:?}", came.elapsed());
    clients.wait_for(|clients| clients.count() == 3).await.unwrap();
    let late = came.elapsed().saturating_sub(PROMISED_LIMIT);
    assert!(came.elapsed() > SILENCE_LIMIT && late <= Duration::from_secs(1), "{:?}", came.elapsed());
    tokio::time::sleep(Duration::from_secs(600)).await;
    // Its own, the one that asks, and one that neither looks nor promised anything.
    assert!(clients.borrow().count() == 3 && !task.is_finished());
}

#[tokio::test(start_paused = true)]
async fn that_only_time_went_on_comes_rarely_to_another_machine_and_what_changed_at_once() {
    let first = Core::new(Server::scripted(Script::default()), EngineSettings::default()).unwrap().snapshot();
    let (publish, snapshots) = tokio::sync::watch::channel(Arc::new(first));
    let (handle, _requests) = Handle::new(snapshots, 8);
    let host = Arc::new(Host::new(engine_hello()));
    let attach = |wishes| {
        let (ours, theirs) = UnixStream::pair().unwrap();
        tokio::spawn(Arc::clone(&host).admit(theirs, handle.clone()));
        async move { Client::over(ours, wishes).await.unwrap().into_handle().await.unwrap() }
    };
    let (mut there, _one) = attach(Wishes::remote()).await;
    let (mut here, _two) = attach(Wishes::local(true)).await;
    let next = |change: fn(&mut Snapshot)| {
        publish.send_modify(|snapshot| {
            let snapshot = Arc::make_mut(snapshot);
            snapshot.timestamp += Duration::from_secs(1);
            change(snapshot);
        });
    };
    let (mut came_there, mut came_here) = (0, 0);
    for _ in 0..20 {
        next(|_| {});
        tokio::time::sleep(Duration::from_secs(1)).await;
        came_there += usize::from(there.snapshots.changed().now_or_never().is_some());
        came_here += usize::from(here.snapshots.changed().now_or_never().is_some());
        drop(there.snapshots.borrow_and_update());
        drop(here.snapshots.borrow_and_update());
    }
    assert!((3..=5).contains(&came_there), "{came_there} of 20");
    assert_eq!(came_here, 20);
    // What was held back is in what comes next.
    next(|snapshot| snapshot.notes.push("a note".to_owned()));
    tokio::time::timeout(Duration::from_secs(1), there.snapshots.changed()).await.unwrap().unwrap();
    let seen = there.snapshots.borrow_and_update();
    assert_eq!((seen.timestamp, &seen.notes), (publish.borrow().timestamp, &vec!["a note".to_owned()]));
}

/// What clients get who say this in their hello, while a snapshot is published each ten milliseconds for two seconds: the
/// kinds of their lines after the first, and whether the last one is of the last snapshot.
async fn lines_of(hellos: &[&str], change: fn(&mut Snapshot, i64)) -> Vec<(Vec<String>, bool)> {
    use tokio::io::AsyncBufReadExt as _;
    let mut first = Core::new(Server::scripted(Script::default()), EngineSettings::default()).unwrap().snapshot();
    first.settings.interval = 1.0;
    let (publish, snapshots) = tokio::sync::watch::channel(Arc::new(first));
    let (handle, requests) = Handle::new(snapshots, 8);
    let mut clients = requests.clients.clone();
    let host = Arc::new(Host::new(engine_hello()));
    let readers: Vec<_> = hellos
        .iter()
        .map(|hello| {
            let (mut ours, theirs) = UnixStream::pair().unwrap();
            tokio::spawn(Arc::clone(&host).admit(theirs, handle.clone()));
            let hello = format!("{{\"hello\":{hello}}}\n");
            tokio::spawn(async move {
                ours.write_all(hello.as_bytes()).await.unwrap();
                let (mut lines, mut seen) = (BufReader::new(ours).lines(), Vec::new());
                while let Ok(Some(line)) = lines.next_line().await {
                    seen.push(line);
                }
                seen
            })
        })
        .collect();
    clients.wait_for(|clients| clients.count() == hellos.len() + 1).await.unwrap();
    let epoch = |second: i64| Timestamp::from_second(second).unwrap();
    for n in 1..=200 {
        tokio::time::sleep(Duration::from_millis(10)).await;
        publish.send_modify(|snapshot| {
            let snapshot = Arc::make_mut(snapshot);
            snapshot.timestamp = epoch(n);
            change(snapshot, n);
        });
    }
    // With the engine its clients end; what was not sent yet comes before.
    drop(publish);
    let mut all = Vec::new();
    for reader in readers {
        let lines = reader.await.unwrap();
        let is_last = lines.last().is_some_and(|line| line.contains(&format!("\"timestamp\":\"{}\"", epoch(200))));
        // The hello and the first snapshot.
        let kinds = lines.iter().skip(2).map(|line| line.split('"').nth(1).unwrap_or_default().to_owned());
        all.push((kinds.collect(), is_last));
    }
    all
}

/// Of protocol 2, and of protocol 1 with and without history of its own.
const HELLOS: [(&str, &str); 3] = [
    (r#"{"protocol":2,"oldest":1,"version":"0","delta":true}"#, "delta"),
    (r#"{"protocol":1,"version":"0.1.0","tail":true}"#, "update"),
    (r#"{"protocol":1,"version":"0.1.0"}"#, "snapshot"),
];

#[tokio::test(start_paused = true)]
async fn what_changes_all_the_time_makes_twenty_lines_a_second_of_the_kind_that_each_client_understands() {
    let all = lines_of(&HELLOS.map(|(hello, _)| hello), |snapshot, n| snapshot.notes = vec![n.to_string()]).await;
    for ((kinds, is_last), (_, kind)) in all.iter().zip(HELLOS) {
        assert!((37..=41).contains(&kinds.len()), "{} in two seconds", kinds.len());
        assert!(kinds.iter().all(|other| other == kind) && *is_last, "{kinds:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn clocks_and_figures_that_go_on_make_a_line_an_interval() {
    let all = lines_of(&HELLOS.map(|(hello, _)| hello), |snapshot, n| {
        snapshot.base_status.cycle_count = n.unsigned_abs();
        snapshot.connection_pool.total_acquisitions = n.unsigned_abs();
    })
    .await;
    for ((kinds, is_last), (_, kind)) in all.iter().zip(HELLOS) {
        // One more as the engine ends.
        assert!((2..=3).contains(&kinds.len()), "{} in two seconds", kinds.len());
        assert!(kinds.iter().all(|other| other == kind) && *is_last, "{kinds:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn one_that_does_not_read_is_owed_one_line_whatever_it_missed() {
    use tokio::io::AsyncBufReadExt as _;
    let first = Core::new(Server::scripted(Script::default()), EngineSettings::default()).unwrap().snapshot();
    let (publish, snapshots) = tokio::sync::watch::channel(Arc::new(first));
    let (handle, _requests) = Handle::new(snapshots, 8);
    let host = Arc::new(Host::new(engine_hello()));
    let (mut ours, theirs) = UnixStream::pair().unwrap();
    tokio::spawn(host.admit(theirs, handle));
    let hello = format!("{{\"hello\":{}}}\n", HELLOS[0].0);
    ours.write_all(hello.as_bytes()).await.unwrap();
    // More than its way holds, fifty times, in less time than it may take for one.
    for n in 0..50 {
        publish.send_modify(|snapshot| Arc::make_mut(snapshot).notes = vec![n.to_string(), "x".repeat(1 << 20)]);
        tokio::time::sleep(WRITE_LIMIT / 60).await;
    }
    let mut lines = BufReader::new(ours).lines();
    let mut seen = Vec::new();
    while seen.last().is_none_or(|line: &String| !line.contains("\"notes\":[\"49\"")) {
        seen.push(lines.next_line().await.unwrap().expect("it is not let go"));
    }
    assert!(seen.len() <= 4, "{} lines", seen.len());
}
