//! A host of a test's own: a private tmux server with agents, and the ways to the bridge there.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use tmux_orc::monitor::{Connector, HostConfig, LinkState, LinkedHost, Links, RemoteMember, link::open};
use tokio::time::timeout;

use crate::stage::Stage;
use crate::support::{PATIENCE, Program, alive, isolate, signal, wait_for, write_program};

/// A host. Its engine is stopped when this is dropped.
pub struct Place {
    pub stage: Stage,
}

impl Place {
    pub fn new() -> Self {
        Self { stage: Stage::new() }
    }

    fn home(&self) -> &Path {
        self.stage.server.home()
    }

    /// What a process there has in its environment, and the program with its socket.
    fn words(&self, options: &[&str]) -> Vec<String> {
        let mut command = Command::new("env");
        isolate(&mut command, self.home());
        let unset = ["-u", "TMUX", "-u", "TMUX_PANE"].map(str::to_owned);
        let set = command
            .get_envs()
            .filter_map(|(name, value)| Some(format!("{}={}", name.to_string_lossy(), value?.to_string_lossy())));
        let mut words = vec!["env".to_owned()];
        words.extend(unset);
        words.extend(set);
        words.extend([Program::PATH, "-S", &self.stage.server.socket().display().to_string()].map(str::to_owned));
        words.extend(options.iter().map(|word| (*word).to_owned()));
        words
    }

    /// By a program that joins a pipe to the bridge.
    pub fn config(&self, options: &[&str]) -> HostConfig {
        let connector = Connector::Command(self.words(&[&["bridge"], options].concat()));
        HostConfig { name: "box".to_owned(), connector, servers: Vec::new(), read_only: false }
    }

    /// Watched in that way.
    pub fn link(&self) -> LinkedHost {
        open(self.config(&[]), Links::new(None, false))
    }

    /// What a login there has before its command: for a key that forces it. What a test puts into its `bin` comes before
    /// what the machine has.
    pub fn forced(&self) -> String {
        let words = self.words(&[]);
        // Without the program: that is the command's own.
        let end = words.iter().position(|word| word == Program::PATH).expect("the program");
        let path = format!("PATH={}:{}", self.home().join("bin").display(), std::env::var("PATH").expect("a PATH"));
        format!("{} {path} sh -c \"$SSH_ORIGINAL_COMMAND\"", words[..end].join(" "))
    }

    /// Puts a program of this text in the place of the machine's own.
    pub fn fake(&self, name: &str, text: &str) {
        let bin = self.home().join("bin");
        fs::create_dir_all(&bin).expect("a folder");
        write_program(&bin.join(name), &format!("#!/bin/sh\n{text}\n"));
    }

    /// Where `hosts install` puts the program.
    pub fn installed(&self) -> PathBuf {
        self.home().join(".local/bin/tmux-orc")
    }

    /// Processes of this program there whose arguments hold this word.
    pub fn processes(&self, word: &str) -> Vec<u32> {
        let home = format!("HOME={}", self.home().display());
        processes(|arguments, environment| {
            arguments.iter().any(|argument| argument == word)
                && arguments.first().is_some_and(|program| program.contains("tmux-orc"))
                && environment.contains(&home)
        })
    }

    /// Ends them the hard way, and waits until they are gone.
    pub fn kill(&self, word: &str) {
        let pids = self.processes(word);
        assert!(!pids.is_empty(), "no process with {word}");
        for pid in &pids {
            signal(*pid, rustix::process::Signal::KILL);
        }
        wait_for("their end", PATIENCE, || pids.iter().all(|pid| !alive(*pid)));
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        for word in ["bridge", "--daemon"] {
            for pid in self.processes(word) {
                signal(pid, rustix::process::Signal::KILL);
            }
        }
    }
}

/// Processes of which this is so, by their arguments and environment.
pub fn processes(good: impl Fn(&[String], &[String]) -> bool) -> Vec<u32> {
    let words = |pid: u32, file: &str| -> Vec<String> {
        let bytes = fs::read(format!("/proc/{pid}/{file}")).unwrap_or_default();
        bytes.split(|byte| *byte == 0).map(|word| String::from_utf8_lossy(word).into_owned()).collect()
    };
    let entries = fs::read_dir("/proc").expect("/proc").flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    pids.filter(|pid| good(&words(*pid, "cmdline"), &words(*pid, "environ")) && alive(*pid)).collect()
}

/// Waits until a host is so.
pub async fn wait(host: &LinkedHost, what: &str, good: impl Fn(&LinkState) -> bool) -> LinkState {
    within(host, what, PATIENCE, good).await
}

/// The same, and not longer than so long.
pub async fn within(host: &LinkedHost, what: &str, limit: Duration, good: impl Fn(&LinkState) -> bool) -> LinkState {
    let mut state = host.state();
    let found = timeout(limit, state.wait_for(good)).await.map(|found| found.expect("the link lives").clone());
    let now = host.state().borrow().clone();
    found.unwrap_or_else(|_| panic!("{}: waited {limit:?} in vain: {what}; it is {now:?}", host.config().name))
}

/// Its first member, once it has one with so many agents.
pub async fn member(host: &LinkedHost, agents: usize) -> RemoteMember {
    let mut members = host.members();
    let shown = timeout(PATIENCE, members.wait_for(|members| !members.is_empty())).await;
    let state = host.state().borrow().clone();
    let member = shown.unwrap_or_else(|_| panic!("no member: {state:?}")).expect("the link lives")[0].clone();
    let mut snapshots = member.handle.snapshots.clone();
    let all =
        snapshots.wait_for(|snapshot| snapshot.agents.len() == agents && snapshot.agents.iter().all(|a| !a.stale));
    timeout(PATIENCE, all).await.expect("its agents").expect("the engine lives");
    member
}
