//! Reads the terminal in a thread of its own, so that what comes is timed when it comes. Ends when it is dropped, so that
//! whoever has the terminal next gets every key.

use std::{
    fs::File,
    io::{self, IsTerminal as _, PipeWriter, Stdin},
    os::fd::{AsFd, BorrowedFd},
    thread::JoinHandle,
    time::Instant,
};

use rustix::event::{PollFd, PollFlags, poll};
use tokio::sync::mpsc;

/// Most bytes of one read.
const READ: usize = 4096;

/// Bytes that were read in one piece, and when.
pub(crate) type Piece = (Instant, Vec<u8>);

/// Where the keys come from: standard input, or the terminal itself when that is something else.
#[derive(Debug)]
enum Source {
    Stdin(Stdin),
    Terminal(File),
}

impl AsFd for Source {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Stdin(stdin) => stdin.as_fd(),
            Self::Terminal(file) => file.as_fd(),
        }
    }
}

/// The thread that reads.
#[derive(Debug)]
pub(crate) struct Reader {
    /// What was read; closed when the terminal is gone.
    pub(crate) pieces: mpsc::Receiver<Piece>,
    /// Dropped to end the thread.
    end: Option<PipeWriter>,
    thread: Option<JoinHandle<()>>,
}

impl Reader {
    /// Begins to read.
    ///
    /// # Errors
    /// There is no terminal, or no thread to read it.
    pub(crate) fn start() -> io::Result<Self> {
        let stdin = io::stdin();
        let source = if stdin.is_terminal() { Source::Stdin(stdin) } else { Source::Terminal(File::open("/dev/tty")?) };
        let (ended, end) = io::pipe()?;
        let (sender, pieces) = mpsc::channel(64);
        let thread = std::thread::Builder::new().name("terminal".to_owned()).spawn(move || {
            read(&source, &ended, &sender);
        })?;
        Ok(Self { pieces, end: Some(end), thread: Some(thread) })
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.end.take();
        // A thread that waits for room for what it read must not wait for us.
        self.pieces.close();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn read(source: &Source, ended: &io::PipeReader, sender: &mpsc::Sender<Piece>) {
    let mut bytes = [0; READ];
    loop {
        let mut fds = [PollFd::new(source, PollFlags::IN), PollFd::new(ended, PollFlags::IN)];
        match poll(&mut fds, None) {
            Ok(_) if !fds[1].revents().is_empty() => return,
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(_) => return,
        }
        if fds[0].revents().is_empty() {
            continue;
        }
        // From the descriptor itself, so that nothing stays in a buffer of the standard library.
        match rustix::io::read(source, &mut bytes) {
            Ok(0) => return,
            Ok(n) => {
                if sender.blocking_send((Instant::now(), bytes[..n].to_vec())).is_err() {
                    return;
                }
            }
            Err(rustix::io::Errno::INTR | rustix::io::Errno::AGAIN) => {}
            Err(_) => return,
        }
    }
}
