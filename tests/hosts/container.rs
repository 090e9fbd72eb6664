//! A container-like place, with processes and mounts of its own: joined by `connect: [nsenter, ...]`, as docs/hosts.md says.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use tmux_orc::app::core::act::{Act, Seen};
use tmux_orc::monitor::{Connector, HostConfig, Interest, LinkState, Links, link::open};

use crate::desk::Desk;
use crate::place::{member, wait};
use crate::stage::{ASKS, rows};
use crate::support::{
    PATIENCE, Program, TmuxServer, isolate, signal, tmux_program, wait_for, wait_some, write_program,
};

/// A tmux server with one agent in namespaces of their own: neither its processes nor its socket are seen from here.
struct Container {
    home: TmuxServer,
    unshare: Child,
    /// Its first process, as it is called here.
    first: u32,
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// `unshare` with what it needs. Who is not root is root within.
fn unshare() -> Command {
    let mut command = Command::new("unshare");
    command.args(["--pid", "--mount", "--fork", "--kill-child", "--mount-proc"]);
    if !is_root() {
        command.args(["--user", "--map-root-user"]);
    }
    command
}

impl Container {
    /// Nothing where the kernel lets nobody make one. In CI it must.
    fn start() -> Option<Self> {
        let can =
            unshare().args(["mount", "-t", "tmpfs", "none", "/mnt"]).output().is_ok_and(|out| out.status.success());
        assert!(can || std::env::var_os("CI").is_none(), "CI can make no namespaces");
        if !can {
            eprintln!("no namespaces can be made here: skipped");
            return None;
        }
        let home = TmuxServer::absent();
        let at = |name: &str| home.home().join(name);
        fs::create_dir_all(at("private")).expect("a folder");
        fs::write(at("tmux.conf"), "set -g status off\n").expect("written");
        fs::write(at("screen"), format!("\x1b[2J\x1b[H{}", rows(ASKS).join("\r\n"))).expect("written");
        fs::write(at("input"), "").expect("written");
        let claude = "#!/bin/sh\nstty raw -echo\nprintf '\\033[?2004h\\033[?25l\\033]2;✳ Claude Code\\007'\n\
                      cat \"$1\"\ncat >> \"$2\"\n:\n";
        write_program(&at("claude"), claude);
        let script = "mount -t tmpfs none \"$1/private\" && \"$2\" -S \"$1/private/s\" -f \"$1/tmux.conf\" \
                      new-session -d -s main -x 100 -y 30 \"$1/claude\" \"$1/screen\" \"$1/input\" && exec sleep 3600";
        let mut command = unshare();
        isolate(&mut command, home.home()).args(["sh", "-c", script, "sh"]).arg(home.home()).arg(tmux_program());
        let unshare = command.stdin(Stdio::null()).spawn().expect("it starts");
        let children = PathBuf::from(format!("/proc/{0}/task/{0}/children", unshare.id()));
        let first = wait_some("its first process", PATIENCE, || {
            fs::read_to_string(&children).ok()?.split_whitespace().next()?.parse().ok()
        });
        let container = Self { home, unshare, first };
        wait_for("its tmux server", PATIENCE, || container.within(&[], "pane_pid").is_some());
        Some(container)
    }

    fn socket(&self) -> PathBuf {
        self.home.home().join("private/s")
    }

    /// The words that run a program in it.
    fn enter(&self) -> Vec<String> {
        let mut words: Vec<String> = ["nsenter", "-t", &self.first.to_string(), "-p", "-m"].map(str::to_owned).into();
        if !is_root() {
            words.extend(["-U", "--preserve-credentials"].map(str::to_owned));
        }
        let mut command = Command::new("env");
        isolate(&mut command, self.home.home()).env("TMUX_ORC_HOME", self.home.home().join("private/orc"));
        words.extend(["env", "-u", "TMUX", "-u", "TMUX_PANE"].map(str::to_owned));
        let set = command.get_envs().filter_map(|(name, value)| Some((name.to_str()?, value?.to_str()?)));
        words.extend(set.map(|(name, value)| format!("{name}={value}")));
        words
    }

    /// A tmux format, as it is for its pane.
    fn within(&self, options: &[&str], format: &str) -> Option<String> {
        let words = self.enter();
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]).arg(tmux_program()).arg("-S").arg(self.socket()).args(options);
        let output = command.args(["display-message", "-p", "-t", "main:", &format!("#{{{format}}}")]).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    /// What the settings say of it.
    fn connect(&self) -> Vec<String> {
        let mut words = self.enter();
        words.extend([
            Program::PATH.to_owned(),
            "-S".to_owned(),
            self.socket().display().to_string(),
            "bridge".to_owned(),
        ]);
        words
    }

    fn config(&self) -> HostConfig {
        let connector = Connector::Command(self.connect());
        HostConfig { name: "ns".to_owned(), connector, servers: Vec::new(), read_only: false }
    }

    fn input(&self) -> String {
        String::from_utf8_lossy(&fs::read(self.home.home().join("input")).expect("its input")).into_owned()
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        // All that runs in it ends with its first process.
        signal(self.first, rustix::process::Signal::KILL);
        self.unshare.kill().ok();
        self.unshare.wait().ok();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_runs_in_a_container_is_judged_there_by_its_own_processes() {
    let Some(container) = Container::start() else { return };
    assert!(!Path::new(&container.socket()).exists(), "its socket is not seen from here");
    let host = open(container.config(), Links::new(None, false));
    wait(&host, "it is up", LinkState::is_up).await;
    let member = member(&host, 1).await;
    let mut snapshots = member.handle.snapshots.clone();
    let pane = snapshots.borrow().agents[0].pane_id;
    member.handle.commands.set_interest(Interest { focus: Some(pane), watched: true, ..Interest::default() });
    let asks = snapshots.wait_for(|all| all.preview.is_some() && all.agents.iter().any(|a| !a.choices.is_empty()));
    let snapshot = tokio::time::timeout(PATIENCE, asks).await.expect("its request").expect("the engine lives");
    let agent = &snapshot.agents[0];
    let pid = container.within(&[], "pane_pid").expect("a pid");
    assert_eq!((agent.pid.map(|pid| pid.to_string()), agent.state.to_string()), (Some(pid), "waiting".to_owned()));
    assert_eq!((agent.agent.as_str(), snapshot.notes.as_slice()), ("claude", &[][..]), "nothing is out of sight");
    let seen = Seen::of(agent, snapshot.preview.as_deref());
    let choice = seen.choices.iter().position(|choice| choice.label == "No").expect("an answer");
    let act = serde_json::to_value(Act::Answer { pane, choice, seen }).expect("JSON");
    let acting = tokio::spawn(host.act(&member.key, act));
    wait_for("the key", PATIENCE, || container.input() == "4");
    acting.abort();
    // The container ends: nothing of it is left, and that is said.
    signal(container.first, rustix::process::Signal::KILL);
    let lost = wait(&host, "it is lost", |state| state.why().is_some()).await;
    assert!(matches!(&lost, LinkState::Down { why, .. } if !why.is_empty()), "{lost:?}");
}

#[test]
fn the_settings_of_the_documentation_reach_it() {
    let Some(container) = Container::start() else { return };
    let hosts = serde_json::json!({ "hosts": [{ "name": "ns", "connect": container.connect(), "read_only": true }] });
    let desk = Desk::new(&hosts.to_string(), "");
    let (code, said) = desk.said(&["hosts", "--json"]);
    let json: serde_json::Value = serde_json::from_str(&said).unwrap_or_else(|_| panic!("{said}"));
    let host = &json["hosts"][0];
    assert_eq!((code, &host["state"], &host["agents"], &host["waiting"]), (0, &"up".into(), &1.into(), &1.into()));
    // `--read-only` came behind its last word.
    assert_eq!(host["read_only"], true);
    let (code, said) = desk.said(&["agents", "--host", "ns"]);
    assert!(code == 0 && said.contains("waiting") && said.contains("main:0.0"), "{said}");
    let (code, said) = desk.said(&["why", "main:0.0@ns"]);
    assert!(code == 0 && said.contains("claude"), "a verb runs there in place of the bridge: {said}");
    let (code, said) = desk.said(&["hosts", "check", "ns"]);
    assert!(code == 0 && said.starts_with("ok       bridge    answers, "), "{said}");
    let (code, said) = desk.said(&["jump", "main:0.0@ns"]);
    assert!(code != 0 && said.contains("has no terminal"), "{said}");
}
