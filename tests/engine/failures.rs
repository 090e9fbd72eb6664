//! Servers that are not there, die, return and hang.

use std::time::Duration;

use rustix::process::Signal;
use tmux_orc::monitor::{ServerStatus, State};

use super::{
    Watching, agent, claude_window, quick,
    support::{TmuxServer, signal},
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
    watching.until("the agent", |s| agent(s, &pane).is_some_and(|a| a.state == State::Idle)).await;
    server.crash();
    let stale = watching.until("a lost server", |s| s.server.status != ServerStatus::Reachable).await;
    let found = agent(&stale, &pane).expect("the last good picture stays for a moment");
    assert!(found.stale);
    assert_eq!(found.state, State::Idle, "a failed read changes no state");
    watching.until("no agents", |s| s.agents.is_empty() && s.server.status == ServerStatus::NoServer).await;
    server.revive();
    let pane = claude_window(&server, "w", "permission");
    watching.until("the new agent", |s| agent(s, &pane).is_some_and(|a| a.state == State::Waiting)).await;
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
    watching.until("the agent", |s| agent(s, &pane).is_some_and(|a| a.state == State::Idle)).await;
    signal(pid, Signal::STOP);
    let stale = watching.until("stale", |s| agent(s, &pane).is_some_and(|a| a.stale)).await;
    assert_eq!(stale.server.status, ServerStatus::Unreachable);
    assert_eq!(agent(&stale, &pane).unwrap().state, State::Idle);
    watching.until("critical", |s| s.health_summary.critical == 1).await;
    signal(pid, Signal::CONT);
    let back = watching.until("back", |s| agent(s, &pane).is_some_and(|a| !a.stale)).await;
    assert_eq!((back.health_summary.healthy, back.server.status), (1, ServerStatus::Reachable));
    watching.end().await;
}
