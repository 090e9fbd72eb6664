//! Garbage, half messages, huge lines and slow readers: the engine goes on.

use std::time::Duration;

use tmux_orc::monitor::clients::wire;
use tmux_orc::monitor::{Client, Command};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::UnixStream,
    time::timeout,
};

use super::stand_in::StandIn;

const HELLO: &[u8] = b"{\"hello\":{\"protocol\":1,\"version\":\"0\",\"watch\":true}}\n";

/// The engine still serves a new client and obeys it.
async fn serves(engine: &StandIn, size: usize) {
    let served = timeout(Duration::from_secs(20), async {
        let mut client = Client::connect(&engine.paths, true).await.expect("accepted");
        client.snapshot().await.expect("a snapshot");
        client.command(&Command::PoolSize(size)).await.expect("obeyed").settings.pool_max
    });
    assert_eq!(served.await.expect("in time"), size);
}

/// Says something and reads until the engine hangs up or a moment has passed; either is fine.
async fn say(engine: &StandIn, bytes: &[u8]) {
    let mut stream = UnixStream::connect(engine.paths.socket()).await.expect("accepted");
    stream.write_all(bytes).await.ok();
    stream.shutdown().await.ok();
    let mut answer = Vec::new();
    timeout(Duration::from_secs(20), stream.read_to_end(&mut answer)).await.expect("the engine hangs up").ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn garbage_and_half_messages_hurt_nobody() {
    let engine = StandIn::start(wire::PROTOCOL);
    let deep = [HELLO, "[".repeat(50_000).as_bytes(), b"\n"].concat();
    let unknown = [HELLO, b"{\"command\":{\"id\":1,\"command\":{\"explode\":true}}}\n"].concat();
    let early = b"{\"command\":{\"id\":1,\"command\":\"stop\"}}\n";
    let twice = [HELLO, HELLO].concat();
    let fixed: [&[u8]; 9] = [b"", b"\n", b"\0\0\0\0\n", b"\xff\xfe\n", b"null\n", &deep, &unknown, early, &twice];
    for bytes in fixed {
        say(&engine, bytes).await;
    }
    // Every prefix of a right conversation, and that conversation with a byte changed.
    let right = [HELLO, b"{\"command\":{\"id\":1,\"command\":{\"pool_size\":9}}}\n"].concat();
    for cut in 0..right.len() {
        say(&engine, &right[..cut]).await;
    }
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
    for _ in 0..300 {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let mut bytes = right.clone();
        let at = (seed >> 33) as usize % bytes.len();
        bytes[at] = (seed >> 20) as u8;
        say(&engine, &bytes).await;
    }
    serves(&engine, 11).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_without_end_is_cut_off() {
    let engine = StandIn::start(wire::PROTOCOL);
    let mut stream = UnixStream::connect(engine.paths.socket()).await.unwrap();
    let chunk = vec![b'x'; 64 * 1024];
    let written = timeout(Duration::from_secs(20), async {
        let mut written = 0;
        while written < 64 * 1024 * 1024 && stream.write_all(&chunk).await.is_ok() {
            written += chunk.len();
        }
        written
    });
    assert!(written.await.expect("in time") < 8 * 1024 * 1024, "the engine took it all");
    serves(&engine, 12).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_who_does_not_read_is_dropped_and_the_others_go_on() {
    let engine = StandIn::start(wire::PROTOCOL);
    let mut slow = UnixStream::connect(engine.paths.socket()).await.unwrap();
    slow.write_all(HELLO).await.unwrap();
    let mut client = Client::connect(&engine.paths, true).await.unwrap();
    let dropped = timeout(Duration::from_secs(60), async {
        for cycle in 2_u64.. {
            engine.publish(cycle.min(200));
            client.snapshot().await.expect("the one who reads is served all the time");
            if engine.publish.receiver_count() <= 4 {
                break;
            }
        }
    });
    dropped.await.expect("the slow one is dropped");
    serves(&engine, 13).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crowd_is_served_up_to_the_limit_and_the_rest_told_so() {
    let engine = StandIn::start(wire::PROTOCOL);
    let mut crowd = Vec::new();
    let refused = loop {
        assert!(crowd.len() < 200, "no limit");
        match timeout(Duration::from_secs(20), Client::connect(&engine.paths, false)).await.expect("in time") {
            Ok(client) => crowd.push(client),
            Err(error) => break error.to_string(),
        }
    };
    assert!(refused.contains("clients are connected already"), "{refused}");
    assert!(crowd.len() >= 32);
    drop(crowd);
    let again = timeout(Duration::from_secs(20), async {
        while Client::connect(&engine.paths, false).await.is_err() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    again.await.expect("room again");
}
