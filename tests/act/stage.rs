//! A pane in which a stand-in for Claude Code runs: the test draws its screen and reads what it was sent.

use std::{fs, io::Write, path::PathBuf, sync::Arc};

use jiff::Timestamp;
use tmux_orc::{
    app::{
        act::{Actor, Caller, Known},
        core::act::Seen,
        journal::{Happened, Journal, Record, read_since},
    },
    monitor::{
        Agent, Engine, EnginePaths, EngineSettings, EventKind, Preview,
        detect::{Profiles, fixture},
    },
    tmux::{PaneId, Pool, PoolSettings, Server, TransportChoice},
};

use crate::support::{PATIENCE, TmuxServer, wait_some, write_program};

/// Screens of the real program, recorded.
const SCREENS: &str = include_str!("../detection/screens/claude-2.1.331.txt");

/// The program asks for a permission.
pub const ASKS: &str = "classic-perm-bash.100x30";
/// The program is at its prompt.
pub const IDLE: &str = "classic-idle-welcome.100x30";
/// The program works.
pub const WORKS: &str = "classic-working-stream-1.100x30";

/// A private server with agents on it.
pub struct Stage {
    pub server: TmuxServer,
}

/// One agent.
pub struct Actress {
    pub pane: PaneId,
    tty: String,
    input: PathBuf,
}

impl Stage {
    pub fn new() -> Self {
        let server = TmuxServer::start();
        // The recorded screens have 30 rows: no status line on top of them.
        server.run(&["set-option", "-g", "status", "off"]);
        server.run(&["resize-window", "-t", "main:0", "-x", "100", "-y", "30"]);
        let program = server.home().join("claude");
        let script =
            "#!/bin/sh\nstty raw -echo\nprintf '\\033[?2004h\\033[?25l\\033]2;✳ Claude Code\\007'\ncat >> \"$1\"\n:\n";
        write_program(&program, script);
        Self { server }
    }

    /// Starts an agent in a window of its own and shows a screen.
    pub fn agent(&self, name: &str, screen: &str) -> Actress {
        let actress = self.quiet(name);
        self.show(&actress, screen);
        actress
    }

    /// Starts an agent that shows nothing.
    pub fn quiet(&self, name: &str) -> Actress {
        let input = self.server.home().join(format!("{name}.input"));
        fs::write(&input, "").expect("the input's file");
        let program = self.server.home().join("claude").display().to_string();
        let file = input.display().to_string();
        // Under a shell, as a person starts it: what is left when it ends is a prompt.
        let pane = self.server.window(name, &["sh", "-c", "\"$0\" \"$1\"; exec sh", &program, &file]);
        self.server.run(&["resize-window", "-t", &pane, "-x", "100", "-y", "30"]);
        let tty = self.server.run(&["display-message", "-p", "-t", &pane, "#{pane_tty}"]);
        let actress = Actress { pane: pane.parse().expect("a pane id"), tty, input };
        wait_some("the stand-in", PATIENCE, || {
            let title = self.server.run(&["display-message", "-p", "-t", &pane, "#{pane_title}"]);
            title.contains("Claude").then_some(())
        });
        actress
    }

    /// Starts another agent in the same pane, in the place of the first.
    pub fn again(&self, before: &Actress, screen: &str) -> Actress {
        let pane = before.pane.to_string();
        fs::write(&before.input, "").expect("the input's file");
        let program = self.server.home().join("claude").display().to_string();
        self.server.run(&["select-pane", "-t", &pane, "-T", "none"]);
        let file = before.input.display().to_string();
        self.server.run(&["respawn-pane", "-k", "-t", &pane, "sh", "-c", "\"$0\" \"$1\"; exec sh", &program, &file]);
        wait_some("the stand-in", PATIENCE, || {
            let title = self.server.run(&["display-message", "-p", "-t", &pane, "#{pane_title}"]);
            title.contains("Claude").then_some(())
        });
        let tty = self.server.run(&["display-message", "-p", "-t", &pane, "#{pane_tty}"]);
        let again = Actress { pane: before.pane, tty, input: before.input.clone() };
        self.show(&again, screen);
        again
    }

    /// Draws a recorded screen and waits until tmux has it.
    pub fn show(&self, actress: &Actress, screen: &str) {
        self.draw(actress, &rows(screen));
    }

    /// Draws a recorded screen, whatever the size of the pane is by now.
    pub fn show_anyhow(&self, actress: &Actress, screen: &str) {
        actress.draw(&rows(screen));
    }

    /// Draws rows and waits until tmux has them.
    pub fn draw(&self, actress: &Actress, rows: &[String]) {
        actress.draw(rows);
        let wanted = rows.join("\n");
        self.server.wait_screen(&actress.pane.to_string(), "the drawn screen", |screen| {
            screen.trim_end() == wanted.trim_end()
        });
    }

    /// What a person sees of an agent now, with its screen in view.
    pub async fn seen(&self, actress: &Actress) -> Seen {
        let text = self.server.screen(&actress.pane.to_string());
        let preview = Preview { pane_id: actress.pane, text, captured_at: Timestamp::now(), above: 0 };
        Seen::of(&self.watch(actress).await, Some(&preview))
    }

    /// What a person sees of an agent whose screen is not in view.
    pub async fn row(&self, actress: &Actress) -> Seen {
        Seen::of(&self.watch(actress).await, None)
    }

    async fn watch(&self, actress: &Actress) -> Agent {
        let snapshot = Engine::new(self.tmux(), EngineSettings::default()).once().await.expect("a cycle");
        let agent = snapshot.agents.into_iter().find(|agent| agent.pane_id == actress.pane);
        agent.map(Arc::unwrap_or_clone).expect("the stand-in is taken for an agent")
    }

    fn tmux(&self) -> Server {
        let program = std::env::var_os("TMUX_ORC_TMUX").unwrap_or_else(|| "tmux".into());
        Server::at(self.server.socket(), program).expect("a server")
    }

    /// One who acts for a person who is nowhere in particular.
    pub fn actor(&self) -> Actor {
        self.actor_of(Caller::default(), false)
    }

    /// One who has no turns to wait for: what it answered a moment ago may be answered again.
    pub fn quick_actor(&self) -> Actor {
        self.new_actor(Caller::default(), false)
    }

    pub fn actor_of(&self, caller: Caller, read_only: bool) -> Actor {
        let paths = EnginePaths::new(&self.server.home().join("run"), self.server.socket());
        self.new_actor(caller, read_only).locking(paths)
    }

    fn new_actor(&self, caller: Caller, read_only: bool) -> Actor {
        let pool = Pool::new(self.tmux(), TransportChoice::Auto, PoolSettings::default());
        let known = Known { profiles: Arc::new(Profiles::embedded()), named: Vec::new(), read_only };
        Actor::new(pool, known, caller, Journal::new(self.events()))
    }

    fn events(&self) -> PathBuf {
        self.server.home().join("events")
    }

    /// Starts an engine in the background.
    pub fn start_engine(&self) {
        let said = self.server.orc(&["monitor", "start"]).stdout();
        assert!(said.contains("monitoring started"), "{said}");
    }

    /// Stops it.
    pub fn stop_engine(&self) {
        drop(self.server.orc(&["monitor", "stop"]).stdout());
    }

    /// The journal.
    pub fn journal(&self) -> Vec<Record> {
        read_since(&self.events(), Timestamp::MIN).expect("a journal")
    }

    /// What the last line of the journal says was sent, and whether it worked.
    pub fn last_act(&self) -> (String, bool) {
        match self.journal().pop().expect("a line").what {
            Happened::Event(EventKind::Acted(act)) => (act.sent, act.ok),
            other => panic!("no act: {other:?}"),
        }
    }

    /// A message as it arrives in a bracketed paste.
    pub fn pasted(&self, actress: &Actress, text: &str) -> String {
        // Where tmux tells that the program takes brackets, ends of lines are those of a terminal.
        let tells =
            self.server.run(&["display-message", "-p", "-t", &actress.pane.to_string(), "#{bracket_paste_flag}"]);
        let text = if tells.is_empty() { text.to_owned() } else { text.replace('\n', "\r") };
        format!("\x1b[200~{text}\x1b[201~")
    }

    /// Names of the paste buffers that are there.
    pub fn buffers(&self) -> String {
        self.server.run(&["list-buffers", "-F", "#{buffer_name}"])
    }
}

impl Actress {
    /// Its pane's terminal.
    pub fn tty(&self) -> &str {
        &self.tty
    }

    fn draw(&self, rows: &[String]) {
        let mut tty = fs::OpenOptions::new().write(true).open(&self.tty).expect("the pane's terminal");
        let text = format!("\x1b[2J\x1b[H{}\x1b[{};2H", rows.join("\r\n"), rows.len());
        tty.write_all(text.as_bytes()).expect("the screen is drawn");
    }

    /// What it was sent so far.
    pub fn input(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.input).expect("its input")).into_owned()
    }

    /// As the program does: waits until it was sent `key`, then shows a screen.
    pub fn react(&self, key: &'static str, screen: &'static str) -> std::thread::JoinHandle<()> {
        let (input, tty) = (self.input.clone(), self.tty.clone());
        let other = Self { pane: self.pane, tty, input };
        std::thread::spawn(move || {
            wait_some(&format!("the key {key:?}"), PATIENCE, || other.input().ends_with(key).then_some(()));
            other.draw(&rows(screen));
        })
    }
}

/// The rows of a recorded screen.
pub fn rows(name: &str) -> Vec<String> {
    let all = fixture::Fixture::parse_all(SCREENS).expect("the recorded screens");
    all.into_iter().find(|one| one.name == name).unwrap_or_else(|| panic!("no screen {name}")).rows
}
