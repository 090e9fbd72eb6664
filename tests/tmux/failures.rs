//! Whatever a server or a client process does, an answer or an error comes in time and nothing is left behind.

use std::{
    fs,
    io::Read,
    path::Path,
    time::{Duration, Instant},
};

use tmux_orc::tmux::{
    Batch, Command, Expect, PaneId, Pool, PoolSettings, Server, TmuxError, Transport, TransportChoice, TransportKind,
};

use crate::{
    server::{TestServer, eventually},
    stand_in,
};

fn two() -> Batch {
    let mut batch = Batch::new();
    batch.push(Command::capture(PaneId(0), false), Expect::Lines(24));
    batch.push(Command::new("list-sessions"), Expect::Any);
    batch
}

fn hasty(limit: Duration) -> PoolSettings {
    PoolSettings { request_timeout: limit, ..PoolSettings::default() }
}

async fn ask(pool: &Pool, batch: &Batch) -> Result<tmux_orc::tmux::Reply, TmuxError> {
    pool.acquire().await?.request(batch).await
}

/// Child processes of this process, zombies too.
fn children() -> Vec<String> {
    let me = std::process::id().to_string();
    let mut children = Vec::new();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        if let Ok(stat) = fs::read_to_string(entry.path().join("stat"))
            && let Some((start, rest)) = stat.rsplit_once(") ")
            && rest.split(' ').nth(1) == Some(&me)
        {
            children.push(start.to_owned());
        }
    }
    children
}

/// Those of them that run the program in this directory.
fn stand_ins(directory: &Path) -> usize {
    let name = directory.to_string_lossy().into_owned();
    fs::read_dir("/proc")
        .unwrap()
        .flatten()
        .filter_map(|entry| fs::read(entry.path().join("cmdline")).ok())
        .filter(|cmdline| String::from_utf8_lossy(cmdline).contains(&name))
        .count()
}

#[tokio::test]
async fn a_tmux_that_hangs_is_ended_and_reaped() {
    let directory = tempfile::tempdir().unwrap();
    let program = stand_in::program(directory.path(), "exec sleep 1000");
    let server = Server::at(directory.path().join("s"), &program).unwrap();
    let pool = Pool::new(server.clone(), TransportChoice::Spawn, hasty(Duration::from_millis(50)));
    let error = ask(&pool, &two()).await.unwrap_err();
    assert!(matches!(error, TmuxError::Timeout { .. }), "{error}");
    eventually("the client is gone and reaped", || !children().iter().any(|child| child.contains("(sleep")));

    // Cancelled in the middle: the process goes with the future.
    let pool = Pool::new(server, TransportChoice::Spawn, hasty(Duration::from_secs(100)));
    let waited = tokio::time::timeout(Duration::from_millis(50), ask(&pool, &two())).await;
    assert!(waited.is_err());
    let started = Instant::now();
    while children().iter().any(|child| child.contains("(sleep")) {
        assert!(started.elapsed() < Duration::from_secs(20), "a cancelled client is still there");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(pool.stats().active_connections, 0);
}

#[tokio::test]
async fn a_tmux_that_prints_and_hangs_or_dies_half_way_is_an_error_or_asked_again() {
    let directory = tempfile::tempdir().unwrap();
    let version = "case \"$*\" in *'#{version}'*) echo '3.3a 0'; exit;; esac; ";
    for (script, what) in [
        ("cat >/dev/null; yes x | head -c 3000000; kill -9 $$", "dies"),
        ("head -c 1 >/dev/null; printf '\\377\\376\\000garbage'", "stops reading"),
        ("cat >/dev/null; echo 'lost server' >&2; exit 1", "loses its server"),
        ("cat >/dev/null; echo 'server exited unexpectedly' >&2; exit 1", "sees its server die"),
        ("cat >/dev/null; echo 'protocol version mismatch (client 8, server 7)' >&2; exit 1", "is too new"),
        ("cat >/dev/null; head -c 3000000 /dev/zero; exec sleep 1000", "hangs after much"),
    ] {
        let program = stand_in::program(directory.path(), &format!("{version}{script}"));
        let server = Server::at(directory.path().join("s"), &program).unwrap();
        let limit = if what == "hangs after much" { Duration::from_secs(2) } else { Duration::from_secs(60) };
        let pool = Pool::new(server, TransportChoice::Spawn, hasty(limit));
        let result = ask(&pool, &two()).await;
        match what {
            "dies" | "stops reading" => {
                let reply = result.unwrap();
                // One that had printed something when it ended is asked once more, with a mark behind it: was it whole?
                assert_eq!(reply.parts.len(), 2);
                assert!((3..=5).contains(&reply.requests), "{} requests: asked again, each by itself", reply.requests);
            }
            "loses its server" => assert!(matches!(result, Err(TmuxError::LostServer { .. })), "{what}: {result:?}"),
            "sees its server die" => assert!(matches!(result, Err(TmuxError::ServerExited { .. })), "{what}"),
            "is too new" => assert!(matches!(result, Err(TmuxError::ProtocolMismatch { .. })), "{what}"),
            _ => assert!(matches!(result, Err(TmuxError::Timeout { .. })), "{what}: {result:?}"),
        }
    }
    eventually("no client is left", || stand_ins(directory.path()) == 0);
}

#[tokio::test]
async fn a_stopped_server_is_a_timeout_on_every_transport_and_well_again_afterwards() {
    let test = TestServer::start();
    let pid = rustix::process::Pid::from_raw(test.pid().cast_signed()).unwrap();
    let pools: Vec<Pool> = [TransportChoice::Dial, TransportChoice::Spawn, TransportChoice::Process]
        .map(|choice| Pool::new(test.server.clone(), choice, hasty(Duration::from_millis(400))))
        .into();
    for pool in &pools {
        until_answered(pool).await;
    }
    rustix::process::kill_process(pid, rustix::process::Signal::STOP).unwrap();
    for pool in &pools {
        let error = ask(pool, &two()).await.unwrap_err();
        assert!(matches!(error, TmuxError::Timeout { .. }), "{error}");
        assert!(error.is_unreachable());
        assert_eq!(pool.stats().active_connections, 0);
    }
    rustix::process::kill_process(pid, rustix::process::Signal::CONT).unwrap();
    for pool in &pools {
        until_answered(pool).await;
    }
}

/// Asks again and again, with a limit that a busy machine may not keep.
async fn until_answered(pool: &Pool) {
    let started = Instant::now();
    while ask(pool, &two()).await.is_err() {
        assert!(started.elapsed() < Duration::from_secs(20), "it never answered");
    }
}

#[tokio::test]
async fn a_server_that_dies_and_comes_back_is_noticed_and_asked_anew() {
    let test = TestServer::start();
    let pool = Pool::new(test.server.clone(), TransportChoice::Auto, PoolSettings::default());
    ask(&pool, &two()).await.unwrap();
    test.tmux(&["kill-server"]);
    eventually("its socket refuses", || std::os::unix::net::UnixStream::connect(test.server.socket()).is_err());
    let error = ask(&pool, &two()).await.unwrap_err();
    assert!(error.is_no_server(), "{error}");
    assert!(error.to_string().contains("start one with `tmux`"));
    test.tmux(&["new-session", "-d", "exec sleep 1000"]);
    let reply = ask(&pool, &two()).await.unwrap();
    assert!(reply.parts.iter().all(Result::is_ok));
    assert_eq!(pool.transport().await, Some(TransportKind::Dial));

    // Killed and replaced between two requests, unseen: the answer comes from the new one after its version was asked.
    test.tmux(&["kill-server"]);
    eventually("its socket refuses", || std::os::unix::net::UnixStream::connect(test.server.socket()).is_err());
    test.tmux(&["new-session", "-d", "-s", "third", "exec sleep 1000"]);
    let reply = ask(&pool, &two()).await.unwrap();
    assert!(String::from_utf8_lossy(reply.parts[1].as_ref().unwrap()).starts_with("third"));
}

#[tokio::test]
async fn an_unexpected_answer_leads_to_spawn_for_good_with_one_note() {
    let directory = tempfile::tempdir().unwrap();
    let program = stand_in::program_of_version(directory.path(), "3.3a", 0);
    let cases: [(&str, Vec<u8>); 6] = [
        ("nothing", Vec::new()),
        ("unknown", stand_in::message(999, b"")),
        ("version", stand_in::message(12, b"")),
        ("length", vec![203, 0, 0, 0, 1, 0, 0, 0, 8, 0, 0, 0, 255, 255, 255, 255]),
        ("stream", stand_in::message(304, b"\x05\0\0\0data")),
        ("http", b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec()),
    ];
    for (name, answer) in cases {
        let socket = directory.path().join(name);
        stand_in::serve(&socket, move |stream| {
            stand_in::read_opening(stream);
            stand_in::write_in_pieces(stream, &answer, 3);
        });
        let server = Server::at(&socket, &program).unwrap();
        let pool = Pool::new(server, TransportChoice::Auto, hasty(Duration::from_secs(60)));
        let mut batch = Batch::new();
        batch.push(Command::new("list-sessions"), Expect::Any);
        for _ in 0..3 {
            let reply = ask(&pool, &batch).await.unwrap();
            assert_eq!(reply.parts[0].as_deref().unwrap(), b"spawned list-sessions\n", "{name}");
            assert_eq!(reply.processes, 1);
        }
        assert_eq!(pool.transport().await, Some(TransportKind::Spawn), "{name}");
        let notes = pool.take_notes();
        assert_eq!(notes.len(), 1, "{name}: {notes:?}");
        assert!(notes[0].contains("spawn"), "{notes:?}");
        assert!(pool.take_notes().is_empty());
    }
}

#[tokio::test]
async fn a_peer_that_hangs_up_or_never_answers_is_an_error_and_no_descriptor_stays() {
    let directory = tempfile::tempdir().unwrap();
    // It says its version once and then is gone.
    let script =
        "if mkdir \"$3.asked\" 2>/dev/null; then echo 3.8 0; else echo \"no server running on $3\" >&2; exit 1; fi";
    let program = stand_in::program(directory.path(), script);
    let silent = directory.path().join("silent");
    stand_in::serve(&silent, |stream| {
        // Reads to the end, which is when the other side gives up.
        let _ = stream.read_to_end(&mut Vec::new());
    });
    let rude = directory.path().join("rude");
    stand_in::serve(&rude, |stream| {
        stand_in::read_opening(stream);
        stand_in::write_in_pieces(stream, &stand_in::message(303, b"\x01\0\0\0\x01\0\0\0\0\0\0\0\0")[..20], 7);
    });
    for (socket, lost) in [(&silent, false), (&rude, true)] {
        let server = Server::at(socket, &program).unwrap();
        let limit = if lost { Duration::from_secs(60) } else { Duration::from_secs(1) };
        let pool = Pool::new(server, TransportChoice::Auto, hasty(limit));
        let error = ask(&pool, &two()).await.unwrap_err();
        assert_eq!(matches!(error, TmuxError::LostServer { .. }), lost, "{error}");
        assert_eq!(matches!(error, TmuxError::Timeout { .. }), !lost, "{error}");
        let open = || {
            let target = socket.to_string_lossy().into_owned();
            fs::read_to_string("/proc/net/unix").unwrap().lines().filter(|line| line.ends_with(&target)).count()
        };
        // The listener stays; the connection does not.
        eventually("the connection is closed", || open() <= 1);
    }
}

#[tokio::test]
async fn a_server_too_crowded_to_let_us_in_is_a_timeout() {
    use rustix::net::{AddressFamily, SocketAddrUnix, SocketType, bind, listen, socket};
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("s");
    let listener = socket(AddressFamily::UNIX, SocketType::STREAM, None).unwrap();
    bind(&listener, &SocketAddrUnix::new(&path).unwrap()).unwrap();
    listen(&listener, 0).unwrap();
    let _first = std::os::unix::net::UnixStream::connect(&path).unwrap();
    let transport = Transport::new(Server::at(&path, "tmux").unwrap(), TransportKind::Dial, None);
    let error = transport.send(&two(), Duration::from_millis(300)).await.unwrap_err();
    assert!(matches!(error, TmuxError::Timeout { .. }), "{error}");
}

#[tokio::test]
async fn answers_of_many_megabytes_come_whole_in_pieces_of_any_size() {
    let directory = tempfile::tempdir().unwrap();
    let program = stand_in::program_of_version(directory.path(), "3.8", 0);
    let socket = directory.path().join("s");
    let block: Vec<u8> = (0..16_000u32).map(|n| (n % 251) as u8).collect();
    let expected: Vec<u8> = block.iter().copied().cycle().take(16_000 * 1000).collect();
    stand_in::serve(&socket, move |stream| {
        stand_in::read_opening(stream);
        let mut answer = stand_in::message(303, b"\x01\0\0\0\x01\0\0\0\0\0\0\0\0");
        for _ in 0..1000 {
            answer.extend(stand_in::message(304, &[&1i32.to_le_bytes()[..], &block].concat()));
        }
        answer.extend(stand_in::exit(0));
        stand_in::write_in_pieces(stream, &answer, 77_777);
    });
    let pool = Pool::new(Server::at(&socket, &program).unwrap(), TransportChoice::Auto, PoolSettings::default());
    let mut batch = Batch::new();
    batch.push(Command::new("list-sessions"), Expect::Any);
    let reply = ask(&pool, &batch).await.unwrap();
    let part = reply.parts[0].as_ref().unwrap();
    assert_eq!(part.len(), expected.len());
    assert!(part[..] == expected[..], "the bytes are in order");
}

#[tokio::test]
async fn versions_decide_and_say_so() {
    let directory = tempfile::tempdir().unwrap();
    stand_in::serve(&directory.path().join("s"), |_| {});
    let mut batch = Batch::new();
    batch.push(Command::new("list-sessions"), Expect::Any);
    for (version, choice, expected) in [
        ("3.9", TransportChoice::Auto, Some((TransportKind::Spawn, "not a version"))),
        ("next-3.9", TransportChoice::Auto, Some((TransportKind::Spawn, "not a version"))),
        ("gibberish", TransportChoice::Auto, Some((TransportKind::Spawn, "not a version"))),
        ("3.9", TransportChoice::Dial, Some((TransportKind::Dial, "end with all its sessions"))),
        ("3.1c", TransportChoice::Auto, None),
        ("2.9a", TransportChoice::Spawn, None),
    ] {
        let program = stand_in::program_of_version(directory.path(), version, 0);
        let server = Server::at(directory.path().join("s"), &program).unwrap();
        let pool = Pool::new(server, choice, PoolSettings::default());
        match expected {
            Some((kind, words)) => {
                assert_eq!(pool.transport().await, Some(kind), "{version}");
                let notes = pool.take_notes();
                assert!(notes.len() == 1 && notes[0].contains(words), "{version}: {notes:?}");
            }
            None => {
                let error = ask(&pool, &batch).await.unwrap_err();
                assert!(matches!(&error, TmuxError::TooOld { found } if found == version), "{error}");
                assert!(error.to_string().contains("3.2 or newer"));
            }
        }
    }
    let server = Server::at(directory.path().join("s"), "/nowhere/tmux").unwrap();
    let pool = Pool::new(server, TransportChoice::Auto, PoolSettings::default());
    let error = ask(&pool, &batch).await.unwrap_err();
    assert!(error.is_no_tmux() && error.to_string().contains("TMUX_ORC_TMUX"), "{error}");
}
