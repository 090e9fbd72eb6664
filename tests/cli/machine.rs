//! A machine of a test's own: a home with several tmux servers, each with agents, and the way to it from another one.

use std::{
    fs,
    os::unix::fs::{DirBuilderExt, MetadataExt},
    path::{Path, PathBuf},
    process::Command,
};

use crate::support::{Program, TmuxServer, copy_program, isolate, write_program};

/// A machine. All that runs there ends with it.
pub struct Machine {
    pub server: TmuxServer,
    named: Vec<&'static str>,
}

/// What it said: exit code, standard output, standard error.
pub type Said = (i32, String, String);

impl Machine {
    pub fn new() -> Self {
        let server = TmuxServer::absent();
        let machine = Self { server, named: Vec::new() };
        fs::DirBuilder::new().mode(0o700).create(machine.directory()).unwrap();
        copy_program("/bin/sleep", &machine.home().join("claude"));
        machine
    }

    pub fn home(&self) -> &Path {
        self.server.home()
    }

    /// tmux's own directory there.
    fn directory(&self) -> PathBuf {
        let uid = fs::metadata(self.home()).unwrap().uid();
        self.home().join(format!("tmux-{uid}"))
    }

    pub fn socket(&self, name: &str) -> PathBuf {
        self.directory().join(name)
    }

    pub fn tmux(&self, name: &str, args: &[&str]) -> String {
        let socket = self.socket(name);
        let mut words = vec!["-S", socket.to_str().unwrap()];
        words.extend(args);
        let output = self.server.command(&words).env("PATH", self.path()).output().unwrap();
        assert!(output.status.success(), "tmux {args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
    }

    /// Where programs are looked for there: first in its own directory.
    fn path(&self) -> String {
        format!("{}:{}", self.home().join("bin").display(), std::env::var("PATH").unwrap())
    }

    /// A program of its own, before all others of this name.
    pub fn program(&self, name: &str, script: &str) {
        let dir = self.home().join("bin");
        fs::create_dir_all(&dir).unwrap();
        write_program(&dir.join(name), script);
    }

    /// Starts a server whose one session, of this name, runs an agent that says nothing.
    pub fn start(&mut self, name: &'static str, session: &str) {
        let agent = format!("exec {} 600", self.home().join("claude").display());
        self.tmux(name, &["new-session", "-d", "-s", session, "-x", "100", "-y", "30", &agent]);
        self.named.push(name);
    }

    /// An agent that shows a text and then nothing more, in a session of its own. Its pane.
    pub fn shows(&self, name: &str, session: &str, screen: &str) -> String {
        let file = self.home().join(session);
        fs::write(&file, screen).unwrap();
        let agent = format!("cat {}; exec {} 600", file.display(), self.home().join("claude").display());
        self.tmux(
            name,
            &["new-session", "-d", "-P", "-F", "#{pane_id}", "-s", session, "-x", "100", "-y", "30", &agent],
        )
    }

    pub fn settings(&self, text: &str) {
        let orc = self.home().join("orc");
        fs::create_dir_all(&orc).unwrap();
        fs::write(orc.join("config.yaml"), text).unwrap();
    }

    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(Program::PATH);
        isolate(&mut command, self.home()).env("PATH", self.path()).args(args).stdin(std::process::Stdio::null());
        command
    }

    pub fn says(&self, args: &[&str]) -> Said {
        let output = self.command(args).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        (output.status.code().unwrap_or(-1), text(output.stdout), text(output.stderr))
    }

    #[track_caller]
    pub fn json(&self, args: &[&str]) -> serde_json::Value {
        let (_, stdout, stderr) = self.says(args);
        serde_json::from_str(&stdout).unwrap_or_else(|error| panic!("{args:?}: {error}: {stdout}{stderr}"))
    }

    /// A script that becomes a process of this machine: what a login there has in its environment.
    fn login(&self) -> String {
        let mut script = "#!/bin/sh\nunset TMUX TMUX_PANE\n".to_owned();
        let mut command = Command::new("x");
        for (name, value) in isolate(&mut command, self.home()).get_envs() {
            if let Some(value) = value {
                script.push_str(&format!("export {}='{}'\n", name.to_string_lossy(), value.to_string_lossy()));
            }
        }
        script + &*format!("export PATH='{}'\ncd '{}'\n", self.path(), self.home().display())
    }

    /// The line of another machine's settings by which it is a host there.
    pub fn as_host(&self, name: &str) -> String {
        let way = self.home().join("way");
        write_program(&way, &format!("{}exec {} \"$@\"\n", self.login(), Program::PATH));
        format!("  - {{ name: {name}, connect: [{}, bridge], servers: [all] }}\n", way.display())
    }

    /// The same by the name of ssh: `here` gets a program of that name which leads nowhere else.
    pub fn by_ssh(&self, name: &str, here: &Self) -> String {
        let past = "while [ \"$1\" != -- ]; do shift; done\nshift 2\n";
        here.program("ssh", &format!("{}{past}exec sh -c \"$1\"\n", self.login()));
        format!("  - {{ name: {name}, ssh: {name}, program: {}, servers: [all] }}\n", Program::PATH)
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        for name in &self.named {
            let _ = self.says(&["-L", name, "monitor", "stop"]);
            let _ = self.server.try_run(&["-S", self.socket(name).to_str().unwrap(), "kill-server"]);
        }
    }
}
