//! The endpoint: what it answers to whom, and that nobody can hold it up.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    time::{Duration, Instant},
};

use crate::place::{Place, free_port, get, say, value};
use crate::support::{PATIENCE, wait_for};

fn open(place: &Place) -> SocketAddr {
    let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
    place.settings(&format!("{{ listen: \"{address}\" }}"));
    place.start();
    Place::wait_answer(address);
    address
}

#[test]
fn it_answers_what_is_asked_and_nothing_else() {
    let place = Place::new();
    let address = open(&place);
    let answer = get(address, "/metrics", "").unwrap();
    assert!(answer.status == 200 && answer.head.contains("text/plain; version=0.0.4"), "{}", answer.head);
    assert!(answer.head.contains(&format!("Content-Length: {}", answer.body.len())), "{}", answer.head);
    assert_eq!(value(&answer.body, "tmux_orc_server_up", &[]), Some(1.0));
    let open = get(address, "/metrics", "Accept: application/openmetrics-text;version=1.0.0,*/*;q=0.1\r\n").unwrap();
    assert!(open.body.ends_with("# EOF\n") && open.head.contains("application/openmetrics-text"), "{}", open.head);
    let ask = |method: &str, path: &str| {
        say(address, format!("{method} {path} HTTP/1.1\r\nHost: {address}\r\n\r\n").as_bytes()).unwrap()
    };
    let head = ask("HEAD", "/metrics");
    assert!(head.status == 200 && head.body.is_empty() && !head.head.contains("Content-Length: 0"), "{}", head.head);
    assert_eq!(ask("GET", "/").status, 200);
    assert_eq!((ask("GET", "/admin").status, ask("POST", "/admin").status), (404, 404));
    let method = ask("POST", "/metrics");
    assert!(method.status == 405 && method.head.contains("Allow: GET, HEAD"), "{}", method.head);
    // A page in a browser whose name leads here.
    assert_eq!(say(address, b"GET /metrics HTTP/1.1\r\nHost: evil.example\r\n\r\n").unwrap().status, 403);
    assert_eq!(say(address, b"\x16\x03\x01\x02\x00 hello\r\n\r\n").unwrap().status, 400);
    // A body that nobody wants does not take the answer away.
    let body =
        format!("POST /metrics HTTP/1.1\r\nHost: {address}\r\nContent-Length: 40000\r\n\r\n{}", "x".repeat(40_000));
    assert_eq!(say(address, body.as_bytes()).unwrap().status, 405);
    // The port of the engine that is gone is free for the next one.
    assert_eq!(place.orc(&["monitor", "stop"]).0, 0);
    assert!(TcpListener::bind(address).is_ok());
}

#[test]
fn slow_and_greedy_clients_hold_up_nobody_for_long() {
    let place = Place::new();
    let address = open(&place);
    // A head without an end, of any length.
    let mut greedy = TcpStream::connect(address).unwrap();
    greedy.set_read_timeout(Some(PATIENCE)).unwrap();
    for _ in 0..40 {
        if greedy.write_all(&[b'x'; 1024]).is_err() {
            break;
        }
    }
    let mut answer = String::new();
    greedy.read_to_string(&mut answer).ok();
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431 "), "{answer}");
    // Many who say half a word and wait: there is no room for more until their time is over.
    let begun = Instant::now();
    let slow: Vec<TcpStream> = (0..40)
        .map(|_| {
            let mut stream = TcpStream::connect(address).unwrap();
            stream.write_all(b"GET /met").unwrap();
            stream
        })
        .collect();
    wait_for("an answer beside the slow ones", PATIENCE, || {
        get(address, "/metrics", "").is_some_and(|answer| answer.status == 200)
    });
    assert!(begun.elapsed() < Duration::from_secs(15), "{:?}", begun.elapsed());
    let mut late = String::new();
    let mut one = &slow[0];
    one.set_read_timeout(Some(PATIENCE)).unwrap();
    one.read_to_string(&mut late).unwrap();
    assert!(late.starts_with("HTTP/1.1 408 "), "{late}");
    // One that takes nothing of its answer, and many that leave at once.
    let mut deaf = TcpStream::connect(address).unwrap();
    deaf.write_all(format!("GET /metrics HTTP/1.1\r\nHost: {address}\r\n\r\n").as_bytes()).unwrap();
    for _ in 0..200 {
        drop(TcpStream::connect(address).unwrap());
    }
    wait_for("an answer after all of them", PATIENCE, || {
        get(address, "/metrics", "").is_some_and(|answer| answer.status == 200)
    });
    // The engine watches on.
    place.asks();
}

#[test]
fn a_port_that_another_has_is_told_of_and_taken_when_it_is_free() {
    let place = Place::new();
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = other.local_addr().unwrap();
    place.settings(&format!("{{ listen: \"{address}\" }}"));
    place.start();
    wait_for("an event", PATIENCE, || {
        let (_, events, _) = place.orc(&["events", "--json"]);
        events.contains(&format!("metrics.listen: nothing answers at {address}"))
    });
    drop(other);
    assert_eq!(Place::wait_answer(address).status, 200);
}
