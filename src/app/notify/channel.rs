//! The ways by which a notice reaches a person. Each by itself: one that fails stops no other.

use std::{
    fs::OpenOptions,
    os::unix::fs::{FileTypeExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use tokio::{process, sync::Semaphore, task::JoinSet, time::timeout};

use crate::app::notify::desktop::{Desktop, Jump};
use crate::app::notify::program::{COMMAND_LIMIT, run_to_end};
use crate::app::notify::{Notice, summary};
use crate::{
    app::{act::Client, settings::Notifications},
    monitor::AgentState,
    tmux::{Batch, Command, Expect, Pool, clean},
};

/// Most runs of programs for notices at once.
const MOST_AT_ONCE: usize = 16;

/// Most deliveries that are under way. Who hangs is ended after [`COMMAND_LIMIT`], so more than this is a flood.
const MOST_UNDER_WAY: usize = 64;

/// How long those that are under way are waited for when the engine ends.
const END_LIMIT: Duration = Duration::from_millis(1500);

/// How long the desktop has to show what was begun.
const SHOWN_LIMIT: Duration = Duration::from_millis(200);

/// What is being delivered, each by itself: a channel that hangs holds up no other, and no later notice.
#[derive(Debug, Default)]
pub struct Telling {
    under_way: JoinSet<()>,
    /// Notices of the desktop: with a button they last until somebody closes them.
    desktop: JoinSet<()>,
}

impl Telling {
    /// Begins to deliver these by every channel that is on, and does not wait for it.
    pub fn tell(&mut self, ways: &Arc<Ways>, notices: Vec<Notice>) {
        while self.under_way.try_join_next().is_some() {}
        while self.desktop.try_join_next().is_some() {}
        let notices: Arc<[Notice]> = notices.into();
        let (terminals, others): (Vec<Channel>, _) = ways.channels().into_iter().partition(Channel::is_terminals);
        // One after the other, so that the bell stands in no other's sequence; all else at once.
        for channels in std::iter::once(terminals).chain(others.into_iter().map(|channel| vec![channel])) {
            let (at, notices) = (Arc::clone(ways), Arc::clone(&notices));
            let is_desktop = channels == [Channel::Desktop];
            self.begin(is_desktop, async move {
                for channel in channels {
                    if let Err(problem) = at.deliver(&channel, &notices).await {
                        tracing::warn!(channel = channel.name(), problem, "a notice was not delivered");
                    }
                }
            });
        }
    }

    fn begin(&mut self, is_desktop: bool, telling: impl Future<Output = ()> + Send + 'static) {
        let under_way = if is_desktop { &mut self.desktop } else { &mut self.under_way };
        if under_way.len() < MOST_UNDER_WAY {
            under_way.spawn(telling);
        } else {
            tracing::warn!("{MOST_UNDER_WAY} notices are still under way: one more is not delivered");
        }
    }

    /// Lets those that are under way come to their end, if they are quick; what hangs is ended.
    pub async fn end(mut self) {
        let all = async { while self.under_way.join_next().await.is_some() {} };
        timeout(END_LIMIT, all).await.ok();
        // One without a button is shown within this time; nobody is kept waiting for the button of another.
        let shown = async { while self.desktop.join_next().await.is_some() {} };
        timeout(SHOWN_LIMIT, shown).await.ok();
    }
}

/// One way by which a notice reaches a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Channel {
    /// The terminals' bell.
    Bell,
    /// Their own notice.
    Terminal,
    /// A message in tmux's status line.
    Tmux,
    /// The desktop's notice.
    Desktop,
    /// A program, by its name in the settings.
    Program(String, Vec<String>),
}

impl Channel {
    /// It writes to the terminals of tmux's clients.
    fn is_terminals(&self) -> bool {
        matches!(self, Self::Bell | Self::Terminal | Self::Tmux)
    }

    /// What the settings call it.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Bell => "bell",
            Self::Terminal => "terminal",
            Self::Tmux => "tmux",
            Self::Desktop => "desktop",
            Self::Program(name, _) => name,
        }
    }
}

/// How the notices of one server reach a person.
pub struct Ways {
    pool: Pool,
    channels: Vec<Channel>,
    desktop: Desktop,
    buttons: bool,
    own_terminal: bool,
    /// Room for runs of programs.
    room: Semaphore,
}

impl Ways {
    /// As the settings say; tmux is reached through the pool.
    #[must_use]
    pub fn new(pool: Pool, settings: &Notifications) -> Self {
        let fixed = [
            (settings.tmux, Channel::Tmux),
            (settings.terminal, Channel::Terminal),
            (settings.bell, Channel::Bell),
            (settings.desktop, Channel::Desktop),
        ];
        let on = fixed.into_iter().filter(|(on, _)| *on).map(|(_, channel)| channel);
        let programs = settings.programs().into_iter().map(|(name, words)| Channel::Program(name, words));
        Self {
            pool,
            channels: on.chain(programs).collect(),
            desktop: Desktop::default(),
            buttons: true,
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

    /// Without buttons on the desktop: who shows one waits until it is closed.
    #[must_use]
    pub fn without_buttons(mut self) -> Self {
        self.buttons = false;
        self
    }

    /// Those that are on.
    #[must_use]
    pub fn channels(&self) -> Vec<Channel> {
        self.channels.clone()
    }

    /// Delivers notices by one channel, and says to whom; the same for all but programs, which run for each by itself.
    ///
    /// # Errors
    /// Why nobody got them.
    pub async fn deliver(&self, channel: &Channel, notices: &[Notice]) -> Result<String, String> {
        let text = summary(notices);
        match channel {
            Channel::Bell => self.write_to_terminals(terminal_bytes(true, false, &text)).await,
            Channel::Terminal => self.write_to_terminals(terminal_bytes(false, true, &text)).await,
            Channel::Tmux => self.show_in_tmux(&text).await,
            Channel::Desktop => {
                self.desktop.show(&text, self.jump(notices).filter(|_| self.buttons)).await.map(|()| "shown".to_owned())
            }
            Channel::Program(_, words) => {
                // Each by itself: one that hangs holds up no other.
                let runs = notices.iter().map(|notice| self.run(words, notice));
                let ended = futures_util::future::join_all(runs).await;
                ended.into_iter().collect::<Result<Vec<()>, String>>()?;
                Ok(format!("{} ended well", words.first().map_or("", String::as_str)))
            }
        }
    }

    /// The terminals of the server's clients.
    async fn clients(&self) -> Result<Vec<Client>, String> {
        let mut batch = Batch::new();
        batch.push(Client::list(), Expect::Any);
        let asked = async { self.pool.acquire().await?.request(&batch).await };
        let reply = asked.await.map_err(|error| error.to_string())?;
        let clients = match reply.parts.into_iter().next() {
            Some(Ok(bytes)) => Client::parse(&String::from_utf8_lossy(&bytes)),
            _ => Vec::new(),
        };
        Ok(clients.into_iter().filter(|client| !client.control).collect())
    }

    async fn show_in_tmux(&self, text: &str) -> Result<String, String> {
        let clients = self.clients().await?;
        if clients.is_empty() {
            return Err(NOBODY.to_owned());
        }
        let mut batch = Batch::new();
        for client in &clients {
            batch.push(Command::display_message(&client.name, text), Expect::Any);
        }
        let asked = async { self.pool.acquire().await?.request(&batch).await };
        asked.await.map_err(|error| error.to_string())?;
        Ok(terminals(clients.len()))
    }

    async fn write_to_terminals(&self, bytes: Vec<u8>) -> Result<String, String> {
        let clients = self.clients().await;
        let own = self.own_terminal.then(|| PathBuf::from("/dev/tty"));
        let clients = match (clients, &own) {
            (Err(problem), None) => return Err(problem),
            (clients, _) => clients.unwrap_or_default(),
        };
        let ttys: Vec<PathBuf> = clients.into_iter().map(|client| client.tty.into()).chain(own).collect();
        let write = move || ttys.iter().filter(|tty| write_terminal(tty, &bytes)).count();
        match tokio::task::spawn_blocking(write).await {
            Ok(0) => Err(NOBODY.to_owned()),
            Ok(written) => Ok(terminals(written)),
            Err(error) => Err(error.to_string()),
        }
    }

    /// Goes to the agent that a notice is about; of several to the first one that waits for its user.
    fn jump(&self, notices: &[Notice]) -> Option<Jump> {
        let agents = || notices.iter().filter_map(Notice::agent);
        let about = agents().find(|agent| agent.state == AgentState::Waiting).or_else(|| agents().next())?;
        let program = std::env::current_exe().ok()?.display().to_string();
        let words = match &about.host {
            Some(host) => {
                // What people call a server is the name of its socket.
                let server = Path::new(&about.server).file_name().unwrap_or_default().to_string_lossy();
                vec![program, "jump".to_owned(), format!("{}@{host}/{server}", about.pane_id)]
            }
            None => vec![program, "-S".to_owned(), about.server.clone(), "jump".to_owned(), about.pane_id.to_string()],
        };
        Some(Jump { words, through_own: about.host.is_some() })
    }

    /// Runs a program for one notice.
    async fn run(&self, words: &[String], notice: &Notice) -> Result<(), String> {
        let Some((program, args)) = words.split_first() else { return Ok(()) };
        let _room = self.room.acquire().await.map_err(|error| error.to_string())?;
        let mut command = process::Command::new(program);
        command.args(args);
        let ended = run_to_end(command, notice.input(), COMMAND_LIMIT).await;
        let name = Path::new(program).file_name().unwrap_or_default().to_string_lossy();
        // Most programs begin their errors with their name.
        ended.map(drop).map_err(
            |problem| {
                if problem.starts_with(&*name) { problem } else { format!("{name}: {problem}") }
            },
        )
    }
}

/// Nobody is there to see it.
const NOBODY: &str = "no terminal shows this tmux server";

fn terminals(count: usize) -> String {
    if count == 1 { "1 terminal".to_owned() } else { format!("{count} terminals") }
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

/// Writes to a terminal that is another program's: at once or not at all, and only if it is a terminal. Whether it was.
fn write_terminal(tty: &Path, bytes: &[u8]) -> bool {
    let flags = rustix::fs::OFlags::NOCTTY | rustix::fs::OFlags::NONBLOCK | rustix::fs::OFlags::NOFOLLOW;
    let flags = i32::try_from(flags.bits()).unwrap_or(0);
    let opened = OpenOptions::new().write(true).custom_flags(flags).open(tty);
    let Ok(file) = opened else { return false };
    if file.metadata().is_ok_and(|meta| meta.file_type().is_char_device()) && rustix::termios::isatty(&file) {
        // One write, so that it does not stand in the middle of what tmux writes. A terminal that is full gets nothing.
        return rustix::io::write(&file, bytes).is_ok();
    }
    false
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
}
