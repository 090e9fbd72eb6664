//! Runs a program for a notice: with its input, for a bounded time, and without leaving anything of it behind.

use std::{process::Stdio, time::Duration};

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWriteExt},
    process::{ChildStdin, Command},
    time::timeout,
};

use crate::tmux::clean;

/// Longest time that a program which is run for a notice may take.
pub const COMMAND_LIMIT: Duration = Duration::from_secs(10);

/// Most bytes of a program's output that are kept.
const KEPT: usize = 4096;

/// How long the rest of the output is waited for when the program has ended: what it left running may hold it open.
const REST: Duration = Duration::from_millis(50);

/// What a program said: of each stream its beginning.
#[derive(Clone, Debug, Default)]
pub struct Said {
    /// Standard output.
    pub output: Vec<u8>,
    /// Standard error.
    pub error: Vec<u8>,
}

impl Said {
    /// The first line of its errors, to be told to a person.
    #[must_use]
    pub fn first_error(&self) -> Option<String> {
        let text = String::from_utf8_lossy(&self.error);
        text.lines().map(clean).map(|line| line.trim().to_owned()).find(|line| !line.is_empty())
    }
}

/// The processes of a program. They end when this is dropped before the program ended.
struct Group(Option<Pid>);

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(group) = self.0 {
            kill_process_group(group, Signal::KILL).ok();
        }
    }
}

/// Runs a program with this input to its end, or ends it and what it started when its time is over.
///
/// # Errors
/// Why it did not do what it was to do: with the first line of its errors, where it wrote one.
pub async fn run_to_end(mut command: Command, input: Vec<u8>, limit: Duration) -> Result<Said, String> {
    let stdin = if input.is_empty() { Stdio::null() } else { Stdio::piped() };
    command.stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    // A group of its own, so that what a shell started ends with it.
    command.process_group(0);
    let mut child = command.spawn().map_err(|error| format!("it cannot be started: {error}"))?;
    let mut group = Group(child.id().and_then(|pid| i32::try_from(pid).ok()).and_then(Pid::from_raw));
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let mut said = Said::default();
    let ended = {
        let reading = async { tokio::join!(keep(stdout, &mut said.output), keep(stderr, &mut said.error)) };
        tokio::pin!(reading);
        let ended = async { tokio::join!(write(stdin, input), child.wait()).1 };
        let ended = async {
            tokio::pin!(ended);
            tokio::select! {
                status = &mut ended => {
                    timeout(REST, &mut reading).await.ok();
                    status
                }
                // It closed its output, and runs on.
                _ = &mut reading => ended.await,
            }
        };
        timeout(limit, ended).await
    };
    match ended {
        Ok(Ok(status)) => {
            group.0 = None;
            match said.first_error() {
                _ if status.success() => Ok(said),
                Some(line) => Err(line),
                None => Err(status.to_string()),
            }
        }
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => {
            drop(group);
            child.kill().await.ok();
            Err(format!("it did not end within {} s and was killed", limit.as_secs()))
        }
    }
}

/// One that does not read its input is no failure.
async fn write(stdin: Option<ChildStdin>, input: Vec<u8>) {
    if let Some(mut stdin) = stdin {
        stdin.write_all(&input).await.ok();
    }
}

/// Reads to the end and keeps the beginning.
async fn keep(from: Option<impl AsyncRead + Unpin>, kept: &mut Vec<u8>) {
    let Some(mut from) = from else { return };
    let mut chunk = [0; 1024];
    while let Ok(read @ 1..) = from.read(&mut chunk).await {
        kept.extend_from_slice(&chunk[..read.min(KEPT.saturating_sub(kept.len()))]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[tokio::test]
    async fn a_program_gets_its_input_and_is_told_by_what_it_says() {
        let run = |script: &str, input: &[u8]| run_to_end(shell(script), input.to_vec(), COMMAND_LIMIT);
        assert_eq!(run("cat", b"{\"a\":1}").await.unwrap().output, b"{\"a\":1}");
        let failed = run("echo; echo 'no \x1b[31mroute\x1b[0m' >&2; exit 3", &[b'x'; 1 << 20]).await.unwrap_err();
        assert_eq!(failed, "no route");
        assert!(run("exit 3", b"").await.unwrap_err().contains('3'));
        assert_eq!(run("yes | head -c 1000000", b"").await.unwrap().output.len(), KEPT);
        // What it leaves running holds its output open.
        assert_eq!(run("echo a; sleep 5 & exit 0", b"").await.unwrap().output, b"a\n");
        assert!(run_to_end(Command::new("/no/such/program"), Vec::new(), COMMAND_LIMIT).await.is_err());
    }

    #[tokio::test]
    async fn one_that_hangs_is_killed_with_what_it_started() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("pid");
        let script = format!("sh -c 'echo $$ > {0}.new; mv {0}.new {0}; sleep 1000'; :", file.display());
        let running = tokio::spawn(run_to_end(shell(&script), Vec::new(), Duration::from_secs(1000)));
        let pid = loop {
            if let Ok(text) = std::fs::read_to_string(&file) {
                break Pid::from_raw(text.trim().parse().unwrap()).unwrap();
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        };
        // Nobody waits for it any more.
        running.abort();
        while rustix::process::test_kill_process(pid).is_ok()
            && !std::fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| stat.contains(") Z"))
        {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        tokio::time::pause();
        assert!(run_to_end(shell("sleep 1000"), Vec::new(), COMMAND_LIMIT).await.unwrap_err().contains("killed"));
    }
}
