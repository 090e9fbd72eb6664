//! The line on which a fleet's life hangs: when the process that started it is gone, however it went, so is the fleet.
//!
//! The fleet listens on a socket and every pane's shell connects to it. The kernel closes the connection when the
//! starter ends, also by `kill -9`; each shell then removes the private directory and ends the server.

use std::{
    fs,
    io::{self, Read},
    os::unix::net::{UnixListener, UnixStream},
    path::{Path, PathBuf},
    process,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use rustix::process::{Pid, Signal, getppid, kill_process};

/// Name of the socket in the fleet's directory.
const NAME: &str = "alive";

/// The starter's end. Dropping it ends the fleet.
pub(super) struct Lifeline {
    socket: PathBuf,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Lifeline {
    /// Begins to listen in the fleet's directory.
    pub(super) fn open(dir: &Path) -> io::Result<Self> {
        let socket = dir.join(NAME);
        let listener = UnixListener::bind(&socket)?;
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = thread::Builder::new().name("demo-lifeline".into()).spawn(move || {
            let mut held = Vec::new();
            while let Ok((stream, _)) = listener.accept() {
                if stopped.load(Ordering::SeqCst) {
                    return;
                }
                held.push(stream);
            }
        })?;
        Ok(Self { socket, stop, thread: Some(thread) })
    }
}

impl Drop for Lifeline {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        // Wakes the thread; when nobody can connect, it is not waiting any more.
        if UnixStream::connect(&self.socket).is_ok()
            && let Some(thread) = self.thread.take()
        {
            let _ = thread.join();
        }
    }
}

/// A pane's end: a thread that ends everything when the starter is gone. To be called by a child of the server.
pub(super) fn hold(dir: PathBuf) {
    let server = getppid();
    thread::spawn(move || {
        if let Ok(mut line) = UnixStream::connect(dir.join(NAME)) {
            // Nothing is ever sent: this returns when the other end is closed.
            let _ = line.read(&mut [0]);
        }
        // The directory first: the server's end is ours too.
        let _ = fs::remove_dir_all(&dir);
        end_server(server);
        process::exit(0);
    });
}

/// Ends the server that this process is a child of. When it is no child any more, the server is gone already.
fn end_server(server: Option<Pid>) {
    for signal in [Signal::TERM, Signal::CONT, Signal::KILL] {
        let Some(pid) = server.filter(|server| !server.is_init() && getppid() == Some(*server)) else { return };
        let _ = kill_process(pid, signal);
        if signal != Signal::TERM {
            thread::sleep(Duration::from_secs(1));
        }
    }
}
