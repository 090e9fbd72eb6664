//! The machine of a person who has hosts: a home with settings, and an ssh that knows the test's own configuration alone.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::sshd::Sshd;
use crate::support::{Program, Terminal, TmuxServer, isolate, write_program};

/// The person's machine. No tmux server runs on it.
pub struct Desk {
    pub server: TmuxServer,
}

impl Desk {
    /// With these settings, and this as the whole of ssh's configuration.
    pub fn new(settings: &str, client: &str) -> Self {
        let desk = Self { server: TmuxServer::absent() };
        for folder in ["bin", "orc"] {
            fs::create_dir_all(desk.at(folder)).expect("a folder");
        }
        fs::write(desk.at("orc/config.yaml"), settings).expect("settings");
        fs::write(desk.at("ssh_config"), client).expect("ssh's configuration");
        let path = std::env::var_os("PATH").expect("a PATH");
        let ssh = std::env::split_paths(&path).map(|folder| folder.join("ssh")).find(|file| file.exists());
        let ssh = ssh.expect("ssh where sshd is");
        // ssh takes its user's home from the system: HOME would not keep it from the files there.
        let text = format!("#!/bin/sh\nexec {} -F {} \"$@\"\n", ssh.display(), desk.at("ssh_config").display());
        write_program(&desk.at("bin/ssh"), &text);
        desk
    }

    /// With this one host of an sshd, whose key is known.
    pub fn with(sshd: &Sshd, name: &str) -> Self {
        let desk = Self::new(&format!("hosts: [{{ name: {name}, ssh: {name} }}]\n"), "");
        desk.trusts(sshd, name);
        desk
    }

    /// The key of this host is known, and nothing is asked.
    pub fn trusts(&self, sshd: &Sshd, name: &str) {
        let known = self.at("known");
        fs::write(&known, sshd.known(sshd.port())).expect("known hosts");
        fs::write(self.at("ssh_config"), sshd.client(name, sshd.port(), &known, "yes")).expect("written");
    }

    /// A file of the home.
    pub fn at(&self, name: &str) -> PathBuf {
        self.server.home().join(name)
    }

    /// Where programs are looked for: `ssh` is the one of the test.
    pub fn path(&self) -> String {
        format!("{}:{}", self.at("bin").display(), std::env::var("PATH").expect("a PATH"))
    }

    /// A program that lies elsewhere, in the person's environment.
    pub fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        isolate(&mut command, self.server.home()).env("PATH", self.path()).stdin(Stdio::null());
        command
    }

    /// Runs `tmux-orc ARGS` to its end: its exit code, and all that it said.
    pub fn said(&self, args: &[&str]) -> (i32, String) {
        let output = self.server.orc(args).env("PATH", self.path()).output();
        let text = [output.stdout, output.stderr].concat();
        (output.status.code().unwrap_or(-1), String::from_utf8(text).expect("UTF-8"))
    }

    /// `tmux-orc ARGS` on a terminal.
    pub fn terminal(&self, args: &[&str]) -> Terminal {
        let words: Vec<&str> = [&[Program::PATH], args].concat();
        Terminal::run(&self.server, &words, 140, 42, &[("PATH", &self.path())])
    }
}

impl Drop for Desk {
    /// Ends the connections that were left for hours.
    fn drop(&mut self) {
        for entry in fs::read_dir(self.at("orc/run")).into_iter().flatten().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if let Some(host) = name.strip_prefix("ssh-") {
                let control = format!("ControlPath={}", entry.path().display());
                let mut end = Command::new(self.at("bin/ssh"));
                end.args(["-O", "exit", "-o", &control, host]).output().ok();
            }
        }
    }
}
