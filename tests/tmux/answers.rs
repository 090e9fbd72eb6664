//! Every transport gives the same answers.

use std::time::Duration;

use tmux_orc::tmux::{
    Batch, Command, Expect, Features, Fields, PaneId, Pool, PoolSettings, Screen, TransportChoice, TransportKind,
    parse_panes, parse_pulses,
};

use crate::server::{TestServer, eventually};

const ALL: [TransportChoice; 3] = [TransportChoice::Dial, TransportChoice::Spawn, TransportChoice::Process];

#[tokio::test]
async fn every_transport_reads_panes_and_screens_and_names_what_failed() {
    let test = TestServer::start();
    let hello = test.window("printf 'h\\303\\251llo\\n\\360\\237\\246\\200'; exec sleep 1000");
    eventually("the text is on the screen", || {
        test.tmux(&["capture-pane", "-p", "-t", &hello.to_string()]).contains('🦀')
    });
    for choice in ALL {
        let pool = Pool::new(test.server.clone(), choice, PoolSettings::default());
        let mut lease = pool.acquire().await.unwrap();
        let features = test.version().features();
        let mut batch = Batch::new();
        batch.push(Command::list_pulses(features), Expect::Any);
        batch.push(Command::capture(hello, false), Expect::Lines(24));
        batch.push(Command::capture(PaneId(4711), false), Expect::Lines(24));
        batch.push(Command::pane_details(features, hello, Fields::All), Expect::Any);
        batch.push(Command::pane_details(features, PaneId(4711), Fields::All), Expect::Any);
        batch.push(Command::list_pulses_since(features, i64::from(u32::MAX)), Expect::Any);
        let reply = lease.request(&batch).await.unwrap();
        assert_eq!(reply.parts.len(), batch.len());

        let pulses = parse_pulses(reply.parts[0].as_ref().unwrap());
        assert_eq!(pulses.len(), 2, "{choice}");
        assert_eq!((pulses[1].id, pulses[1].width, pulses[1].height, pulses[1].dead), (hello, 80, 24, false));
        let screen = Screen::plain(reply.parts[1].as_ref().unwrap());
        assert_eq!((screen.height(), screen.row(0), screen.row(1)), (24, "héllo", "🦀"), "{choice}");
        for gone in [2, 4] {
            let error = reply.parts[gone].as_ref().unwrap_err();
            assert!(error.is_gone() && error.message.contains("%4711"), "{choice}: {error}");
        }
        let panes = parse_panes(reply.parts[3].as_ref().unwrap());
        assert_eq!(panes.len(), 1, "{choice}: {:?}", reply.parts[3]);
        assert_eq!((panes[0].id, panes[0].session.as_str(), panes[0].pid), (hello, "base", pulses[1].pid));
        assert_eq!(reply.parts[5].as_deref().unwrap(), b"", "nothing was written in the future");
        assert_eq!(reply.processes == 0, choice == TransportChoice::Dial);
        drop(lease);
        assert_eq!(pool.stats().total_acquisitions, 1);
        pool.close().await;
    }
}

#[tokio::test]
async fn auto_dials_a_verified_server() {
    let test = TestServer::start();
    let settings = PoolSettings { request_timeout: Duration::from_secs(20), ..PoolSettings::default() };
    let pool = Pool::new(test.server.clone(), TransportChoice::Auto, settings);
    assert_eq!(pool.transport().await, Some(TransportKind::Dial));
    assert_eq!(pool.version(), Some(test.version()));
    assert_eq!(pool.take_notes(), Vec::<String>::new());
    let mut batch = Batch::new();
    batch.push(Command::list_panes(Features::default(), Fields::All), Expect::Any);
    let reply = pool.acquire().await.unwrap().request(&batch).await.unwrap();
    assert_eq!((reply.requests, reply.processes), (1, 0));
    assert_eq!(parse_panes(reply.parts[0].as_ref().unwrap()).len(), 1);
}
