//! The engine on real tmux servers: agents come, change and go; settings change under it; servers die and return.

#[path = "../support/mod.rs"]
mod support;

mod agents;
mod elsewhere;
mod failures;
mod foreign;
mod heard;
mod places;
mod repositories;
mod spending;
mod tidy;
mod tuning;
mod wall;

use std::{sync::Arc, time::Duration};

use support::{PATIENCE, TmuxServer};
use tmux_orc::{
    monitor::{Agent, Command, Engine, EngineSettings, Handle, Snapshot},
    tmux::{Server, SocketChoice},
};

/// An engine on a test's server, with what a test asks of it.
struct Watching {
    handle: Handle,
    task: tokio::task::JoinHandle<()>,
}

impl Watching {
    fn new(server: &TmuxServer, settings: EngineSettings) -> Self {
        let choice = SocketChoice { name: None, path: Some(server.socket().to_owned()) };
        Self::with(Server::resolve(&choice).expect("a socket path"), settings)
    }

    fn with(server: Server, settings: EngineSettings) -> Self {
        let (handle, task) = Engine::new(server, settings).start().expect("valid settings");
        Self { handle, task }
    }

    async fn send(&self, command: Command) {
        self.handle.commands.send(command).await.expect("the engine runs");
    }

    /// Waits for a snapshot that satisfies the condition.
    #[track_caller]
    fn until(&mut self, what: &str, condition: impl Fn(&Snapshot) -> bool) -> impl Future<Output = Arc<Snapshot>> {
        let caller = std::panic::Location::caller();
        async move {
            let last = self.handle.snapshots.clone();
            let waiting = self.handle.snapshots.wait_for(|snapshot| condition(snapshot));
            match tokio::time::timeout(PATIENCE, waiting).await {
                Ok(Ok(snapshot)) => Arc::clone(&snapshot),
                Ok(Err(_)) => panic!("{caller}: the engine ended while waiting for {what}"),
                Err(_) => {
                    panic!("{caller}: waited in vain for {what}; the last snapshot: {:#?}", last.borrow())
                }
            }
        }
    }

    async fn end(self) {
        self.send(Command::Stop).await;
        tokio::time::timeout(PATIENCE, self.task).await.expect("the engine ends").expect("without a panic");
    }
}

fn quick() -> EngineSettings {
    EngineSettings { interval: Duration::from_millis(200), ..EngineSettings::default() }
}

/// A program that the process table calls `claude`: a shell under that name, which shows what a file holds.
fn fake_claude(server: &TmuxServer) -> String {
    let path = server.home().join("claude");
    if !path.exists() {
        std::os::unix::fs::symlink("/bin/bash", &path).expect("a link");
    }
    path.display().to_string()
}

/// A window in which `claude` shows `screen` and reads further screens from its standard input by name.
fn claude_window(server: &TmuxServer, name: &str, screen: &str) -> String {
    claude_in(server, name, screen, server.home())
}

/// The same in a folder.
fn claude_in(server: &TmuxServer, name: &str, screen: &str, folder: &std::path::Path) -> String {
    let program = fake_claude(server);
    let script = server.home().join("show.sh");
    write_once(&script, SHOW);
    let (folder, script) = (folder.display().to_string(), script.display().to_string());
    let begin = "cd \"$0\" && exec \"$@\"";
    server.window(name, &["sh", "-c", begin, &folder, &program, &script, &show(server, screen)])
}

/// What the fake program runs: it shows a file, then the files that are typed.
const SHOW: &str = "show() { printf '\\033[2J\\033[H'; cat \"$1\"; }
stty -echo
show \"$1\"
while read -r next; do show \"$next\"; done
";

/// Never twice: another pane may be reading it.
fn write_once(path: &std::path::Path, text: &str) {
    if !path.exists() {
        std::fs::write(path, text).expect("a file");
    }
}

/// Writes a screen to a file and returns its path.
fn show(server: &TmuxServer, screen: &str) -> String {
    let path = server.home().join(format!("screen-{screen}"));
    write_once(&path, agents::screen(screen).trim_end_matches('\n'));
    path.display().to_string()
}

/// Makes the pane's `claude` show another screen.
fn switch(server: &TmuxServer, pane: &str, screen: &str) {
    let path = show(server, screen);
    server.run(&["send-keys", "-t", pane, "-l", "--", &path]);
    server.keys(pane, &["Enter"]);
}

fn agent<'a>(snapshot: &'a Snapshot, pane: &str) -> Option<&'a Agent> {
    snapshot.agents.iter().find(|agent| agent.pane_id.to_string() == pane)
}
