//! What a user puts on an agent is kept for its program: until its state changes, over another engine, for no other one.

use std::time::Duration;

use tmux_orc::monitor::{AgentState, Command, Engine, Memory, Snapshot, TidyChange, Tidying};
use tmux_orc::tmux::{Server, SocketChoice};

use super::{Watching, agent, claude_window, quick, support::TmuxServer, switch};

fn tidy(snapshot: &Snapshot, pane: &str, change: TidyChange) -> Command {
    let agent = agent(snapshot, pane).expect("an agent");
    Command::Tidy(Tidying { pane_id: agent.pane_id, pid: agent.pid, start: agent.start, change })
}

#[tokio::test(flavor = "multi_thread")]
async fn parked_until_its_state_changes_and_named_until_its_program_is_another() {
    let server = TmuxServer::start();
    let mut watching = Watching::new(&server, quick());
    let pane = claude_window(&server, "w", "idle");
    let seen = watching.until("an idle agent", |s| agent(s, &pane).is_some_and(|a| a.state == AgentState::Idle)).await;
    let describe = TidyChange::Describe { name: "parser\x1b[2J".into(), note: " a note ".into() };
    for change in [TidyChange::Park(true), TidyChange::Pin(true), TidyChange::Mute(true), describe] {
        watching.handle.commands.ask(tidy(&seen, &pane, change)).await.expect("done");
    }
    let now = watching.handle.snapshots.borrow();
    let is = agent(&now, &pane).unwrap();
    assert!(is.parked && is.pinned && is.muted, "shown when it is answered: {is:?}");
    assert_eq!((is.name.as_str(), is.note.as_deref()), ("parser", Some("a note")));

    // Another engine goes on with it.
    let memory = Memory::of(&now);
    let choice = SocketChoice { name: None, path: Some(server.socket().to_owned()) };
    let engine = Engine::new(Server::resolve(&choice).unwrap(), quick()).remembering(memory);
    let (handle, task) = engine.start().unwrap();
    let mut second = Watching { handle, task };
    let there = second.until("the same agent", |s| agent(s, &pane).is_some()).await;
    assert_eq!(agent(&there, &pane).map(|a| (a.parked, a.name.clone())), Some((true, "parser".to_owned())));
    second.end().await;

    switch(&server, &pane, "working");
    let works = watching.until("it works", |s| agent(s, &pane).is_some_and(|a| a.state == AgentState::Working)).await;
    let is = agent(&works, &pane).unwrap();
    assert!(!is.parked && is.pinned && is.name == "parser", "{is:?}");

    // Another program of the same kind in the same pane: nothing of it is meant.
    let before = (is.pid, is.start);
    let old = tidy(&works, &pane, TidyChange::Park(true));
    let program = super::fake_claude(&server);
    let (script, screen) = (server.home().join("show.sh").display().to_string(), super::show(&server, "idle"));
    server.run(&["respawn-pane", "-k", "-t", &pane, &program, &script, &screen]);
    let other = watching
        .until("another program", |s| {
            agent(s, &pane)
                .is_some_and(|a| a.pid.is_some() && (a.pid, a.start) != before && a.state == AgentState::Idle)
        })
        .await;
    let is = agent(&other, &pane).unwrap();
    assert!(!is.pinned && !is.muted && is.note.is_none() && is.name != "parser", "{is:?}");
    let refused = watching.handle.commands.ask(old).await.expect_err("it was meant for the one before");
    assert!(refused.to_string().contains("another program"), "{refused}");
    watching.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snooze_ends_with_its_time_whatever_happens_meanwhile() {
    let server = TmuxServer::start();
    let mut watching = Watching::new(&server, quick());
    let pane = claude_window(&server, "w", "permission");
    let waits = watching.until("it waits", |s| agent(s, &pane).is_some_and(|a| a.state == AgentState::Waiting)).await;
    watching.handle.commands.ask(tidy(&waits, &pane, TidyChange::Snooze(Some(4)))).await.expect("done");
    let snoozed = watching.handle.snapshots.borrow();
    let until = agent(&snoozed, &pane).unwrap().snoozed_until.expect("a time");
    switch(&server, &pane, "working");
    let works = watching.until("it works", |s| agent(s, &pane).is_some_and(|a| a.state == AgentState::Working)).await;
    assert!(works.timestamp > until || agent(&works, &pane).unwrap().snoozed);
    let woken = watching.until("it is over", |s| agent(s, &pane).is_some_and(|a| !a.snoozed)).await;
    assert!(woken.timestamp >= until && woken.timestamp.duration_since(until).unsigned_abs() < Duration::from_secs(60));
    watching.end().await;
}
