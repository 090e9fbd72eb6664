//! The ways by which a notice reaches a person. Each by itself: one that fails stops no other.

use std::{
    fs::OpenOptions,
    os::unix::fs::{FileTypeExt, OpenOptionsExt},
    process::Stdio,
    sync::Arc,
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::{io::AsyncWriteExt, process, sync::Semaphore, task::JoinSet, time::timeout};

use crate::app::notify::{Notice, summary};
use crate::{
    app::{act::Client, settings::Notifications},
    tmux::{Batch, Command, Expect, Pool, clean},
};

/// Longest time that a program which is told may run.
pub const COMMAND_LIMIT: Duration = Duration::from_secs(10);

/// Most runs of the command hook at once.
const MOST_AT_ONCE: usize = 16;

/// Most tellings that are under way. Who hangs is given up after [`COMMAND_LIMIT`], so more than this is a flood.
const MOST_UNDER_WAY: usize = 64;

/// How long those that are under way are waited for when the engine ends.
const END_LIMIT: Duration = Duration::from_millis(1500);

/// What is being told, each by itself: a way that hangs holds up no other, and no later notice.
#[derive(Debug, Default)]
pub struct Telling {
    under_way: JoinSet<()>,
}

impl Telling {
    /// Begins to tell of these by every way that is on, and does not wait for it.
    pub fn tell(&mut self, ways: &Arc<Ways>, notices: Vec<Notice>) {
        while self.under_way.try_join_next().is_some() {}
        let text = summary(&notices);
        let (at, to) = (Arc::clone(ways), text.clone());
        self.begin(async move { at.tell_terminals(&to).await });
        let at = Arc::clone(ways);
        self.begin(async move { at.tell_desktop(&text).await });
        if !ways.command.is_empty() {
            for notice in notices {
                let at = Arc::clone(ways);
                self.begin(async move { at.run_command(&notice).await });
            }
        }
    }

    fn begin(&mut self, telling: impl Future<Output = ()> + Send + 'static) {
        if self.under_way.len() < MOST_UNDER_WAY {
            self.under_way.spawn(telling);
        } else {
            tracing::warn!("{MOST_UNDER_WAY} notices are still under way: one more is not told");
        }
    }

    /// Lets those that are under way come to their end, if they are quick; what hangs is ended.
    pub async fn end(mut self) {
        let all = async { while self.under_way.join_next().await.is_some() {} };
        timeout(END_LIMIT, all).await.ok();
    }
}

/// How the notices of one server reach a person.
pub struct Ways {
    pool: Pool,
    bell: bool,
    terminal: bool,
    tmux: bool,
    desktop: bool,
    command: Vec<String>,
    own_terminal: bool,
    /// Room for runs of the command.
    room: Semaphore,
}

impl Ways {
    /// As the settings say; tmux is reached through the pool.
    #[must_use]
    pub fn new(pool: Pool, settings: &Notifications) -> Self {
        Self {
            pool,
            bell: settings.bell,
            terminal: settings.terminal,
            tmux: settings.tmux,
            desktop: settings.desktop,
            command: settings.command.clone(),
            own_terminal: false,
            room: Semaphore::new(MOST_AT_ONCE),
        }
    }

    /// Also the terminal that this program runs on: for one that runs outside of tmux, which no client shows.
    #[must_use]
    pub fn with_own_terminal(mut self, own: bool) -> Self {
        self.own_terminal = own;
        self
    }

    /// The terminals of the server's clients: a line in tmux's status line, the bell, the terminal's own notice.
    async fn tell_terminals(&self, text: &str) {
        if !(self.tmux || self.bell || self.terminal) {
            return;
        }
        let mut batch = Batch::new();
        batch.push(Client::list(), Expect::Any);
        let listed = match self.pool.acquire().await {
            Ok(mut lease) => lease.request(&batch).await,
            Err(error) => Err(error),
        };
        let clients = match listed {
            Ok(reply) => match reply.parts.into_iter().next() {
                Some(Ok(bytes)) => Client::parse(&String::from_utf8_lossy(&bytes)),
                _ => Vec::new(),
            },
            Err(error) => return tracing::warn!(%error, "no terminal was told"),
        };
        let clients: Vec<Client> = clients.into_iter().filter(|client| !client.control).collect();
        if self.tmux && !clients.is_empty() {
            let mut batch = Batch::new();
            for client in &clients {
                batch.push(Command::display_message(&client.name, text), Expect::Any);
            }
            if let Ok(mut lease) = self.pool.acquire().await
                && let Err(error) = lease.request(&batch).await
            {
                tracing::warn!(%error, "tmux was not told");
            }
        }
        let bytes = terminal_bytes(self.bell, self.terminal, text);
        if !bytes.is_empty() {
            let own = self.own_terminal.then(|| "/dev/tty".to_owned());
            let ttys: Vec<String> = clients.into_iter().map(|client| client.tty).chain(own).collect();
            let written = tokio::task::spawn_blocking(move || ttys.iter().for_each(|tty| write_terminal(tty, &bytes)));
            written.await.ok();
        }
    }

    async fn tell_desktop(&self, text: &str) {
        if !self.desktop {
            return;
        }
        // The text is an argument, never a part of a script.
        let (program, args): (&str, Vec<&str>) = if cfg!(target_os = "macos") {
            let script = ["on run words", "display notification (item 1 of words) with title \"tmux-orc\"", "end run"];
            ("osascript", vec!["-e", script[0], "-e", script[1], "-e", script[2], "--", text])
        } else {
            ("notify-send", vec!["--app-name=tmux-orc", "--", "tmux-orc", text])
        };
        let mut command = process::Command::new(program);
        command.args(args);
        if let Err(problem) = run_to_end(command, Vec::new()).await {
            tracing::warn!(program, problem, "the desktop was not told");
        }
    }

    /// Runs the hook for one notice.
    async fn run_command(&self, notice: &Notice) {
        let Some((program, args)) = self.command.split_first() else { return };
        let Ok(input) = serde_json::to_vec(notice) else { return };
        let Ok(_room) = self.room.acquire().await else { return };
        let mut command = process::Command::new(program);
        command.args(args);
        if let Err(problem) = run_to_end(command, input).await {
            tracing::warn!(program, problem, "notifications.command failed");
        }
    }
}

/// Runs a program with this input to its end, or ends it when its time is over.
async fn run_to_end(mut command: process::Command, input: Vec<u8>) -> Result<(), String> {
    let stdin = if input.is_empty() { Stdio::null() } else { Stdio::piped() };
    command.stdin(stdin).stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
    // A group of its own, so that what a shell started ends with it.
    command.process_group(0);
    let mut child = command.spawn().map_err(|error| format!("it cannot be started: {error}"))?;
    let to_end = async {
        if let Some(mut stdin) = child.stdin.take() {
            // One that does not read its input is no failure.
            stdin.write_all(&input).await.ok();
        }
        child.wait().await
    };
    let ended = tokio::time::timeout(COMMAND_LIMIT, to_end).await;
    match ended {
        Ok(Ok(status)) if status.success() => Ok(()),
        Ok(Ok(status)) => Err(status.to_string()),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => {
            if let Some(group) = child.id().and_then(|pid| i32::try_from(pid).ok()).and_then(Pid::from_raw) {
                kill_process_group(group, Signal::KILL).ok();
            }
            child.kill().await.ok();
            Err(format!("it did not end within {} s and was killed", COMMAND_LIMIT.as_secs()))
        }
    }
}

/// What a terminal is sent: the bell, and the notices of those terminals that know OSC 9 or OSC 777. None of it moves
/// the cursor or changes a colour.
#[must_use]
pub fn terminal_bytes(bell: bool, notice: bool, text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    if notice {
        // Ended by BEL rather than ESC \, which more terminals understand; `;` would start a field of OSC 777.
        let text = clean(text).replace(';', ",");
        bytes.extend_from_slice(format!("\x1b]9;{text}\x07\x1b]777;notify;tmux-orc;{text}\x07").as_bytes());
    }
    if bell {
        bytes.push(0x07);
    }
    bytes
}

/// Writes to a terminal that is another program's: at once or not at all, and only if it is a terminal.
fn write_terminal(tty: &str, bytes: &[u8]) {
    let flags = rustix::fs::OFlags::NOCTTY | rustix::fs::OFlags::NONBLOCK | rustix::fs::OFlags::NOFOLLOW;
    let flags = i32::try_from(flags.bits()).unwrap_or(0);
    let opened = OpenOptions::new().write(true).custom_flags(flags).open(tty);
    let Ok(file) = opened else { return };
    if file.metadata().is_ok_and(|meta| meta.file_type().is_char_device()) && rustix::termios::isatty(&file) {
        // One write, so that it does not stand in the middle of what tmux writes. A terminal that is full gets nothing.
        rustix::io::write(&file, bytes).ok();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_the_text_ends_the_sequence() {
        let bytes = terminal_bytes(true, true, "a\x07b\x1b\\c;d");
        let text = String::from_utf8(bytes).unwrap();
        assert_eq!(text, "\x1b]9;abc,d\x07\x1b]777;notify;tmux-orc;abc,d\x07\x07");
        assert_eq!(terminal_bytes(true, false, "x"), b"\x07");
        assert!(terminal_bytes(false, false, "x").is_empty());
    }

    #[tokio::test]
    async fn a_program_gets_its_input_and_does_not_outstay() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("got");
        let mut command = process::Command::new("sh");
        command.args(["-c", "cat > \"$1\"", "sh", file.to_str().unwrap()]);
        run_to_end(command, b"{\"a\":1}".to_vec()).await.unwrap();
        assert_eq!(std::fs::read_to_string(file).unwrap(), "{\"a\":1}");
        let mut failing = process::Command::new("sh");
        failing.args(["-c", "exit 3"]);
        assert!(run_to_end(failing, vec![b'x'; 1 << 20]).await.unwrap_err().contains('3'));
        assert!(run_to_end(process::Command::new("/no/such/program"), Vec::new()).await.is_err());
    }

    #[tokio::test]
    async fn a_program_that_hangs_is_killed() {
        tokio::time::pause();
        let mut command = process::Command::new("sleep");
        command.arg("1000");
        assert!(run_to_end(command, Vec::new()).await.unwrap_err().contains("killed"));
    }
}
