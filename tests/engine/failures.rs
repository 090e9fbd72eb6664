//! Servers that are not there, die, return and hang.

use std::time::Duration;

use rustix::process::Signal;
use tmux_orc::{
    monitor::{AgentState, EngineSettings, ServerStatus, Snapshot},
    tmux::{Server, TransportChoice},
};

use super::{
    Watching, agent, claude_window, quick,
    support::{TmuxServer, signal},
    switch,
};

#[tokio::test(flavor = "multi_thread")]
async fn no_server_is_a_state_and_its_start_is_noticed() {
    let server = TmuxServer::absent();
    let mut watching = Watching::new(&server, quick());
    let none = watching.until("no server", |s| s.server.status == ServerStatus::NoServer).await;
    assert!(none.server.problem.is_some());
    server.revive();
    let pane = claude_window(&server, "w", "idle");
    watching.until("the agent", |s| s.server.status == ServerStatus::Reachable && agent(s, &pane).is_some()).await;
    watching.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_server_takes_its_agents_along_and_may_return() {
    let server = TmuxServer::start();
    let pane = claude_window(&server, "w", "idle");
    let mut watching = Watching::new(&server, quick());
    watching.until("the agent", |s| agent(s, &pane).is_some_and(|a| a.state == AgentState::Idle)).await;
    server.crash();
    let stale = watching.until("a lost server", |s| s.server.status != ServerStatus::Reachable).await;
    let found = agent(&stale, &pane).expect("the last good picture stays for a moment");
    assert!(found.stale);
    assert_eq!(found.state, AgentState::Idle, "a failed read changes no state");
    watching.until("no agents", |s| s.agents.is_empty() && s.server.status == ServerStatus::NoServer).await;
    server.revive();
    let pane = claude_window(&server, "w", "permission");
    watching.until("the new agent", |s| agent(s, &pane).is_some_and(|a| a.state == AgentState::Waiting)).await;
    watching.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_hangs_makes_verdicts_stale_and_they_recover() {
    let server = TmuxServer::start();
    let pane = claude_window(&server, "w", "idle");
    let pid = server.pid().unwrap();
    let mut settings = quick();
    settings.pool.request_timeout = Duration::from_millis(300);
    let mut watching = Watching::new(&server, settings);
    watching.until("the agent", |s| agent(s, &pane).is_some_and(|a| a.state == AgentState::Idle)).await;
    signal(pid, Signal::STOP);
    // Before the list of panes fails, a read may.
    let hangs = |s: &Snapshot| s.server.status == ServerStatus::Unreachable;
    let stale = watching.until("stale", |s| hangs(s) && agent(s, &pane).is_some_and(|a| a.stale)).await;
    assert_eq!(agent(&stale, &pane).unwrap().state, AgentState::Idle);
    watching.until("critical", |s| s.health_summary.critical == 1).await;
    signal(pid, Signal::CONT);
    let back = watching.until("back", |s| agent(s, &pane).is_some_and(|a| !a.stale)).await;
    assert_eq!((back.health_summary.healthy, back.server.status), (1, ServerStatus::Reachable));
    watching.end().await;
}

/// Hooks that fail after a list or a capture, each in another way; the server takes them all.
const FAILING_HOOKS: &[(&str, &str)] = &[
    ("after-list-panes", "select-window -t nope"),
    ("after-list-panes", "run-shell 'exit 1'"),
    ("after-list-panes", "run-shell 'echo no server running on /x; exit 1'"),
    ("after-capture-pane", "kill-pane -t %99"),
    ("after-display-message", "select-window -t nope"),
];

#[tokio::test(flavor = "multi_thread")]
async fn a_hook_of_the_user_that_fails_hides_nobody() {
    for transport in [TransportChoice::Dial, TransportChoice::Spawn, TransportChoice::Process] {
        for (hook, command) in FAILING_HOOKS {
            let what = format!("{transport}, {hook} {command}");
            let server = TmuxServer::start();
            let pane = claude_window(&server, "w", "idle");
            server.run(&["set-hook", "-g", hook, command]);
            let mut watching = Watching::new(&server, EngineSettings { transport, ..quick() });
            let idle = watching.until(&what, |s| agent(s, &pane).is_some_and(|a| a.state == AgentState::Idle)).await;
            switch(&server, &pane, "permission");
            let waits =
                watching.until(&what, |s| agent(s, &pane).is_some_and(|a| a.state == AgentState::Waiting)).await;
            assert_eq!((&idle.server.problem, &waits.server.problem), (&None, &None), "{what}");
            assert_eq!(waits.base_status.errors_detected, 0, "{what}");
            watching.end().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tmux_client_that_is_killed_takes_no_agents_along() {
    let server = TmuxServer::start();
    let pane = claude_window(&server, "w", "idle");
    let (wrapper, kill) = (server.home().join("tmux"), server.home().join("kill"));
    let tmux = super::support::tmux_program();
    let text = format!(
        "#!/bin/sh\n[ -e '{}' ] && case \"$*\" in *list-panes*) kill -9 $$;; esac\nexec {} \"$@\"\n",
        kill.display(),
        tmux.display()
    );
    super::support::write_program(&wrapper, &text);
    let settings = EngineSettings { transport: TransportChoice::Process, ..quick() };
    let mut watching = Watching::with(Server::at(server.socket(), &wrapper).unwrap(), settings);
    let first = watching.until("the agent", |s| agent(s, &pane).is_some_and(|a| a.state == AgentState::Idle)).await;
    std::fs::write(&kill, "").unwrap();
    let lost = watching.until("stale", |s| agent(s, &pane).is_some_and(|a| a.stale)).await;
    assert_eq!(lost.server.status, ServerStatus::Unreachable);
    std::fs::remove_file(&kill).unwrap();
    let back = watching.until("it is back", |s| agent(s, &pane).is_some_and(|a| !a.stale)).await;
    assert_eq!(agent(&back, &pane).unwrap().since, agent(&first, &pane).unwrap().since);
    watching.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_a_session_is_no_failure() {
    for transport in [TransportChoice::Dial, TransportChoice::Spawn, TransportChoice::Process] {
        let server = TmuxServer::start();
        let pane = claude_window(&server, "w", "idle");
        server.run(&["set-option", "-g", "exit-empty", "off"]);
        let mut watching = Watching::new(&server, EngineSettings { transport, ..quick() });
        watching.until("the agent", |s| agent(s, &pane).is_some()).await;
        server.run(&["kill-session", "-t", "main"]);
        let none = watching.until("nobody", |s| s.agents.is_empty()).await;
        assert_eq!((none.server.status, &none.server.problem), (ServerStatus::Reachable, &None), "{transport}");
        watching.end().await;
    }
}
