//! Several tmux servers of one machine in one dashboard.

use std::{
    fs,
    os::unix::fs::{DirBuilderExt, MetadataExt},
    path::PathBuf,
};

use crate::support::{Program, Terminal, TmuxServer, copy_program};

/// A home with servers in tmux's own directory, each with an agent; they end with it.
struct Home {
    server: TmuxServer,
    named: Vec<&'static str>,
}

impl Home {
    fn new() -> Self {
        let server = TmuxServer::absent();
        let dir = Self::directory(&server);
        fs::DirBuilder::new().mode(0o700).create(dir).unwrap();
        // Its name is what makes it an agent; it says nothing and asks nothing.
        copy_program("/bin/sleep", &server.home().join("claude"));
        Self { server, named: Vec::new() }
    }

    /// tmux's own directory there.
    fn directory(server: &TmuxServer) -> PathBuf {
        let uid = fs::metadata(server.home()).unwrap().uid();
        server.home().join(format!("tmux-{uid}"))
    }

    fn tmux(&self, name: &str, args: &[&str]) {
        let socket = Self::directory(&self.server).join(name);
        let mut words = vec!["-S", socket.to_str().unwrap()];
        words.extend(args);
        self.server.run(&words);
    }

    /// Starts a server whose one session, of this name, runs an agent.
    fn start(&mut self, name: &'static str, session: &str) {
        let agent = format!("exec {} 600", self.server.home().join("claude").display());
        self.tmux(name, &["new-session", "-d", "-s", session, "-x", "100", "-y", "30", &agent]);
        self.named.push(name);
    }

    fn end(&mut self, name: &str) {
        self.tmux(name, &["kill-server"]);
        self.named.retain(|other| *other != name);
    }

    fn settings(&self, text: &str) {
        let orc = self.server.home().join("orc");
        fs::create_dir_all(&orc).unwrap();
        fs::write(orc.join("config.yaml"), text).unwrap();
    }

    fn dashboard(&self, args: &[&str]) -> Terminal {
        let mut words = vec![Program::PATH];
        words.extend(args);
        Terminal::run(&self.server, &words, 140, 42, &[])
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        for name in self.named.clone() {
            let socket = Self::directory(&self.server).join(name);
            let _ = self.server.try_run(&["-S", socket.to_str().unwrap(), "kill-server"]);
        }
    }
}

#[test]
fn all_servers_are_found_and_lost_by_themselves() {
    let mut home = Home::new();
    home.settings("servers: [all]\n");
    home.start("default", "near");
    home.start("work", "far");
    let terminal = home.dashboard(&[]);
    let screen = terminal.wait("both agents", |screen| screen.contains("near:0.0") && screen.contains("far:0.0"));
    assert!(screen.contains("HOST"), "{screen}");
    terminal.wait_text("2 servers");
    home.start("later", "new");
    terminal.wait_text("new:0.0");
    terminal.wait_text("3 servers");
    // Keys work on the server of the agent under the cursor.
    terminal.keys(&["/", "f", "a", "r", "Enter"]);
    terminal.wait_text("far:0.0 claude");
    terminal.keys(&["Escape"]);
    home.end("work");
    terminal.wait("it to be gone", |screen| !screen.contains("far:0.0") && screen.contains("2 servers"));
    home.start("work", "again");
    terminal.wait_text("again:0.0");
    // A socket that was left behind stops nobody.
    fs::write(Home::directory(&home.server).join("no-socket"), "x").unwrap();
    terminal.keys(&["q"]);
    assert_eq!(terminal.ended(), 0);
}

#[test]
fn those_that_are_named_are_shown_whatever_the_settings_say() {
    let mut home = Home::new();
    home.start("one", "a");
    home.start("two", "b");
    home.start("three", "c");
    let terminal = home.dashboard(&["-L", "one", "-L", "two"]);
    let screen = terminal.wait("both agents", |screen| screen.contains("a:0.0") && screen.contains("b:0.0"));
    assert!(!screen.contains("c:0.0"), "{screen}");
    terminal.keys(&["q"]);
    assert_eq!(terminal.ended(), 0);
    home.settings("servers: [all]\n");
    let alone = home.dashboard(&["-L", "three"]);
    alone.wait_text("c:0.0");
    let screen = alone.wait("the first cycle to be long over", |screen| screen.contains("every 1s"));
    assert!(!screen.contains("servers") && !screen.contains("HOST"), "{screen}");
    alone.keys(&["q"]);
    assert_eq!(alone.ended(), 0);
}
