//! Our opening is held against what the installed tmux client really sends.

use std::{
    collections::BTreeMap,
    io::{Read, Write},
    os::unix::net::UnixListener,
    process::Stdio,
    time::Duration,
};

use tmux_orc::tmux::{Batch, Command, Expect, Pool, PoolSettings, Server, TransportChoice};

use crate::{
    server::program,
    stand_in::{exit, frames},
};

/// What a client sends to a server that ends each one at once, as type and data.
fn opening_seen_by(listener: &UnixListener) -> Vec<(u32, Vec<u8>)> {
    let mut bytes = Vec::new();
    let mut chunk = [0; 4096];
    let mut stream = loop {
        let (mut stream, _) = listener.accept().unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        // One who only looks whether somebody is there says nothing.
        let read = stream.read(&mut chunk).unwrap();
        bytes.extend_from_slice(&chunk[..read]);
        if read > 0 {
            break stream;
        }
    };
    while !frames(&bytes).iter().any(|(kind, _)| *kind == 200) {
        let read = stream.read(&mut chunk).unwrap();
        assert!(read > 0, "the client left before it said what to run");
        bytes.extend_from_slice(&chunk[..read]);
    }
    stream.write_all(&exit(0)).unwrap();
    frames(&bytes)
}

#[tokio::test]
async fn our_opening_says_what_the_real_client_says_in_its_order() {
    let directory = tempfile::tempdir().unwrap();
    let socket = directory.path().join("s");
    let listener = UnixListener::bind(&socket).unwrap();

    // tmux takes a lock beside the socket and looks whether the directory is safe; then it connects as to any server.
    let mut client = std::process::Command::new(program())
        .args(["-u", "-S"])
        .arg(&socket)
        .args(["list-sessions", "-F", "x y"])
        .env_remove("TMUX")
        .env("TERM", "xterm")
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let real = opening_seen_by(&listener);
    client.kill().unwrap();
    client.wait().unwrap();

    // A stand-in for the program answers the question for the version, then the pool dials.
    let stand_in = crate::stand_in::program_of_version(directory.path(), "3.3a", 0);
    let server = Server::at(&socket, stand_in).unwrap();
    let pool = Pool::new(server, TransportChoice::Auto, PoolSettings::default());
    let asked = tokio::spawn(async move {
        let mut batch = Batch::new();
        batch.push(Command::new("list-sessions").args(["-F", "x y"]), Expect::Any);
        pool.acquire().await.unwrap().request(&batch).await
    });
    let ours = tokio::task::spawn_blocking(move || opening_seen_by(&listener)).await.unwrap();
    asked.await.unwrap().unwrap();

    // Descriptors (104, 110), environment (105) and terminal capabilities (112) are left out, as every part that the
    // server does not need. What is sent is the same, but for the process id.
    // Clients up to 3.3 send their flags once in an older form (100, 32 bits) and once in the newer (111, 64 bits).
    let kept = |frames: &[(u32, Vec<u8>)]| -> Vec<(u32, Vec<u8>)> {
        let kept = frames.iter().filter(|(kind, _)| ![104, 105, 110, 112].contains(kind)).cloned();
        kept.map(|(kind, data)| if kind == 100 { (111, [&data[..], &[0; 4]].concat()) } else { (kind, data) }).collect()
    };
    let (real, ours_kept) = (kept(&real), kept(&ours));
    assert_eq!(ours, ours_kept, "we send nothing of what is left out");
    let sorted = |frames: &[(u32, Vec<u8>)]| -> BTreeMap<u32, Vec<Vec<u8>>> {
        let mut by_kind = BTreeMap::<u32, Vec<Vec<u8>>>::new();
        for (kind, data) in frames {
            let mut data = data.clone();
            match kind {
                // A process id, and bits that the user's settings choose: their size counts.
                107 | 109 => data.fill(0),
                // Of the flags the one we set counts; the client of 3.8 sets one of its own.
                111 => {
                    assert_eq!(data[2] & 1, 1, "a UTF-8 client");
                    data.fill(0);
                }
                _ => {}
            }
            by_kind.entry(*kind).or_default().push(data);
        }
        by_kind
    };
    assert_eq!(sorted(&ours_kept), sorted(&real));
    let order = |frames: &[(u32, Vec<u8>)]| frames.iter().map(|(kind, _)| *kind).collect::<Vec<_>>();
    assert_eq!(order(&ours_kept), order(&real));
}
