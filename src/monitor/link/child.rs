//! The program that joins us to a host: its standard input and output are one end of a socket pair, the last of what it says
//! on standard error is why it failed, and nothing of it outlives us.

use std::{
    collections::VecDeque,
    io,
    os::{fd::OwnedFd, unix::net},
    process::{ExitStatus, Stdio},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::{
    io::AsyncReadExt,
    net::UnixStream,
    process::{Child, ChildStderr, Command},
    time::timeout,
};
use tokio_util::task::AbortOnDropHandle;

/// So much of standard error is kept.
const KEPT: usize = 4096;
/// A program that has closed its output ends within this time, or is ended.
const END_LIMIT: Duration = Duration::from_secs(2);
/// What it said last is there within this time after its end, unless a child of its own holds the pipe.
const LAST_WORDS: Duration = Duration::from_millis(200);

/// A program that runs. When this is dropped it is killed with all that it started, and reaped.
#[derive(Debug)]
pub(crate) struct Running {
    child: Child,
    said: Arc<Mutex<VecDeque<u8>>>,
    reading: AbortOnDropHandle<()>,
}

/// Starts a program; what is returned beside it is its standard input and output.
pub(crate) fn start(argv: &[String]) -> io::Result<(Running, UnixStream)> {
    let (program, arguments) =
        argv.split_first().ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "no program is named"))?;
    let (ours, theirs) = net::UnixStream::pair()?;
    ours.set_nonblocking(true)?;
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::from(OwnedFd::from(theirs.try_clone()?)))
        .stdout(Stdio::from(OwnedFd::from(theirs)))
        .stderr(Stdio::piped())
        // A key that is meant for us is not for it; and it is ended with all that it started.
        .process_group(0)
        .kill_on_drop(true)
        .spawn()?;
    let said = Arc::default();
    let stderr = child.stderr.take();
    let reading = AbortOnDropHandle::new(tokio::spawn(keep(stderr, Arc::clone(&said))));
    Ok((Running { child, said, reading }, UnixStream::from_std(ours)?))
}

impl Running {
    /// Waits for its end, which is near: its output is closed, or what it says is of no use any more. Gives its last words
    /// and how it ended; `None`: it had to be ended.
    pub(crate) async fn end(mut self) -> (Vec<u8>, Option<ExitStatus>) {
        let status = match timeout(END_LIMIT, self.child.wait()).await {
            Ok(Ok(status)) => Some(status),
            Ok(Err(_)) | Err(_) => {
                self.kill();
                timeout(END_LIMIT, self.child.wait()).await.ok();
                None
            }
        };
        timeout(LAST_WORDS, &mut self.reading).await.ok();
        (self.last_words(), status)
    }

    /// What it said last on standard error.
    pub(crate) fn last_words(&self) -> Vec<u8> {
        self.said.lock().unwrap_or_else(PoisonError::into_inner).iter().copied().collect()
    }

    /// Ends it with all that it started. One that was reaped has no id any more, so that no other can be met.
    fn kill(&self) {
        let group = self.child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        if let Some(group) = group {
            kill_process_group(group, Signal::KILL).ok();
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.kill();
    }
}

async fn keep(stderr: Option<ChildStderr>, said: Arc<Mutex<VecDeque<u8>>>) {
    let Some(mut stderr) = stderr else { return };
    let mut chunk = [0; 1024];
    while let Ok(count @ 1..) = stderr.read(&mut chunk).await {
        let mut said = said.lock().unwrap_or_else(PoisonError::into_inner);
        said.extend(&chunk[..count]);
        let over = said.len().saturating_sub(KEPT);
        said.drain(..over);
    }
}
