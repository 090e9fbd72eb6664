//! Who is let go, and who is not.

use futures_util::FutureExt as _;

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
