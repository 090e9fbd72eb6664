//! Jumps with two clients: the person's one moves, the other stays; across sessions, zooms and linked windows.

use tmux_orc::{
    app::act::{Actor, Caller},
    app::core::act::Act,
    tmux::PaneId,
};

use crate::{
    stage::Stage,
    support::{PATIENCE, TmuxServer, wait_some},
};

/// Terminals that are attached to the server, each in a pane of another server.
pub struct Terminals {
    host: TmuxServer,
}

impl Terminals {
    pub fn new() -> Self {
        Self { host: TmuxServer::start() }
    }

    /// Attaches one more terminal to a session and returns its client's name.
    pub fn attach(&self, stage: &Stage, session: &str) -> String {
        let clients = || stage.server.run(&["list-clients", "-F", "#{client_name}"]);
        let before = clients();
        let socket = stage.server.socket().display().to_string();
        let program = std::env::var("TMUX_ORC_TMUX").unwrap_or_else(|_| "tmux".to_owned());
        let words =
            ["env", "-u", "TMUX", "-u", "TMUX_PANE", &program, "-u", "-S", &socket, "attach-session", "-t", session];
        self.host.window(session, &words);
        wait_some("the client", PATIENCE, || {
            clients().lines().find(|name| !before.lines().any(|old| old == *name)).map(str::to_owned)
        })
    }

    /// Runs the dashboard in one more terminal, outside of the server.
    pub fn dashboard(&self, stage: &Stage) {
        let home = format!("HOME={}", stage.server.home().display());
        let base = format!("TMUX_ORC_HOME={}", stage.server.home().join("orc").display());
        let socket = stage.server.socket().display().to_string();
        let program = crate::support::Program::PATH;
        let words = ["env", "-u", "TMUX", "-u", "TMUX_PANE", &home, &base, program, "-S", &socket, "perf", "watch"];
        self.host.window("dashboard", &words);
    }

    /// Presses keys in the terminal that was attached to a session.
    pub fn keys(&self, session: &str, keys: &[&str]) {
        self.host.keys(&place(session), keys);
    }

    /// Sends bytes to that terminal's program as its keyboard and mouse do.
    pub fn send(&self, session: &str, bytes: &str) {
        self.host.run(&["send-keys", "-l", "-t", &place(session), "--", bytes]);
    }

    /// Keeps all that is written to that terminal in a file.
    pub fn record(&self, session: &str, file: &std::path::Path) {
        self.host.run(&["pipe-pane", "-O", "-t", &place(session), &format!("cat >> '{}'", file.display())]);
    }

    /// Waits until that terminal shows something.
    pub fn wait(&self, session: &str, what: &str, condition: impl Fn(&str) -> bool) -> String {
        self.host.wait_screen(&place(session), what, condition)
    }

    /// Whether that terminal's bell rang while nobody looked at it.
    pub fn rang(&self, session: &str) -> bool {
        self.host.run(&["display-message", "-p", "-t", &place(session), "#{window_bell_flag}"]) == "1"
    }
}

impl Drop for Terminals {
    /// Ends what runs in them and waits for that: what it writes last must not come after the end of the test's
    /// directory.
    fn drop(&mut self) {
        let panes = self.host.try_run(&["list-panes", "-a", "-F", "#{pane_pid}"]);
        let _ = self.host.try_run(&["kill-server"]);
        for pid in String::from_utf8_lossy(&panes.stdout).lines().filter_map(|pid| pid.parse().ok()) {
            let start = std::time::Instant::now();
            while crate::support::alive(pid) {
                if start.elapsed() > PATIENCE {
                    crate::support::signal(pid, rustix::process::Signal::KILL);
                }
                std::thread::sleep(std::time::Duration::from_millis(10));
            }
        }
    }
}

/// The window of the host in which the terminal of a session is.
fn place(session: &str) -> String {
    format!("main:={session}")
}

/// What a client shows: session, window's index, pane, zoomed or not.
pub fn view(stage: &Stage, client: &str) -> String {
    let format = "#{client_name} #{session_name} #{window_index} #{pane_id} #{window_zoomed_flag}";
    let all = stage.server.run(&["list-clients", "-F", format]);
    let line = all.lines().find_map(|line| line.strip_prefix(&format!("{client} ")));
    line.unwrap_or_else(|| panic!("no client {client} in {all}")).to_owned()
}

fn pane(stage: &Stage, target: &str) -> PaneId {
    stage.server.run(&["display-message", "-p", "-t", target, "#{pane_id}"]).parse().expect("a pane id")
}

async fn jump(actor: &Actor, pane: PaneId) -> String {
    let result = actor.perform(Act::Jump { pane }).await;
    assert!(result.ok, "{result:?}");
    result.text
}

fn in_pane(pane: PaneId) -> Caller {
    Caller { pane: Some(pane), inside: true, ..Caller::default() }
}

#[tokio::test]
async fn the_persons_client_goes_across_sessions_and_the_other_stays() {
    let stage = Stage::new();
    stage.server.run(&["new-session", "-d", "-s", "other", "exec sh"]);
    stage.server.run(&["new-window", "-d", "-t", "other:", "exec sh"]);
    stage.server.run(&["split-window", "-d", "-t", "other:1", "exec sh"]);
    stage.server.run(&["new-session", "-d", "-s", "third", "exec sh"]);
    let terminals = Terminals::new();
    let (mine, theirs) = (terminals.attach(&stage, "main"), terminals.attach(&stage, "third"));
    let before = view(&stage, &theirs);
    let to = pane(&stage, "other:1.1");
    let text = jump(&stage.actor_of(in_pane(pane(&stage, "main:0.0")), false), to).await;
    assert_eq!(text, "now at other:1.1");
    assert_eq!(view(&stage, &mine), format!("other 1 {to} 0"));
    assert_eq!(view(&stage, &theirs), before);
    // From a popup of the other terminal nothing but its session is known.
    let session = stage.server.run(&["display-message", "-p", "-t", "third:", "#{session_id}"]);
    let caller = Caller { session: Some(session), inside: true, ..Caller::default() };
    jump(&stage.actor_of(caller, false), pane(&stage, "main:0.0")).await;
    assert!(view(&stage, &theirs).starts_with("main 0 "), "{}", view(&stage, &theirs));
    assert_eq!(view(&stage, &mine), format!("other 1 {to} 0"));
}

#[tokio::test]
async fn a_zoomed_window_stays_zoomed_on_the_pane_that_is_gone_to() {
    let stage = Stage::new();
    stage.server.run(&["new-window", "-d", "-t", "main:5", "exec sh"]);
    stage.server.run(&["split-window", "-d", "-t", "main:5", "exec sh"]);
    stage.server.run(&["resize-pane", "-Z", "-t", "main:5.0"]);
    let terminals = Terminals::new();
    let mine = terminals.attach(&stage, "main");
    let to = pane(&stage, "main:5.1");
    jump(&stage.actor(), to).await;
    assert_eq!(view(&stage, &mine), format!("main 5 {to} 1"));
}

#[tokio::test]
async fn a_linked_window_is_shown_in_the_session_where_the_person_is() {
    let stage = Stage::new();
    stage.server.run(&["new-session", "-d", "-s", "a-other", "exec sh"]);
    stage.server.run(&["new-window", "-d", "-t", "a-other:7", "exec sh"]);
    stage.server.run(&["link-window", "-d", "-s", "a-other:7", "-t", "main:3"]);
    let terminals = Terminals::new();
    let mine = terminals.attach(&stage, "main");
    let to = pane(&stage, "a-other:7.0");
    jump(&stage.actor(), to).await;
    assert_eq!(view(&stage, &mine), format!("main 3 {to} 0"));
}

#[tokio::test]
async fn a_pane_that_died_or_a_server_without_a_terminal_is_said() {
    let stage = Stage::new();
    let to = pane(&stage, "main:0.0");
    let result = stage.actor().perform(Act::Jump { pane: to }).await;
    assert!(!result.ok && result.text.contains("no terminal shows this tmux server"), "{result:?}");
    let result = stage.actor().perform(Act::Jump { pane: PaneId(4242) }).await;
    assert_eq!((result.text.as_str(), result.ok), ("pane %4242 is gone", false));
    let terminals = Terminals::new();
    terminals.attach(&stage, "main");
    let named = Caller { client: Some("/dev/pts/9999".into()), ..Caller::default() };
    let result = stage.actor_of(named, false).perform(Act::Jump { pane: to }).await;
    assert!(!result.ok && result.text.contains("no client is called"), "{result:?}");
}
