//! A way that takes time: bytes go through a child's pipes late by the same time each, and what comes back is kept.

use std::{
    fs::File,
    io::{Read, Write},
    process::{Command, Stdio},
    sync::mpsc,
    time::{Duration, Instant},
};

/// Runs a program behind such a way until it ends.
pub fn relay(each_ms: u64, record: &str, argv: &[&str]) {
    let late = Duration::from_millis(each_ms);
    let mut child = Command::new(argv[0])
        .args(&argv[1..])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let (to, from) = (child.stdin.take().expect("a pipe"), child.stdout.take().expect("a pipe"));
    std::thread::spawn(move || carry(std::io::stdin(), to, late, None));
    carry(from, std::io::stdout(), late, File::create(record).ok());
    child.wait().ok();
}

fn carry(mut from: impl Read, mut to: impl Write + Send + 'static, late: Duration, mut record: Option<File>) {
    let (send, on_the_way) = mpsc::channel::<(Instant, Vec<u8>)>();
    let writing = std::thread::spawn(move || {
        for (at, bytes) in on_the_way {
            std::thread::sleep(at.saturating_duration_since(Instant::now()));
            if to.write_all(&bytes).and_then(|()| to.flush()).is_err() {
                return;
            }
        }
    });
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        record.iter_mut().for_each(|record| drop(record.write_all(&buffer[..length])));
        if send.send((Instant::now() + late, buffer[..length].to_vec())).is_err() {
            break;
        }
    }
    drop(send);
    writing.join().ok();
}
