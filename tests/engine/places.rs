//! Panes that are listed more than once: session groups and linked windows. One agent, one record.

use std::sync::Arc;

use tmux_orc::{
    monitor::{Agent, AgentState, Command, EngineSettings, EventKind, Mode, NamedAgent, Snapshot},
    tmux::TransportChoice,
};

use super::{Watching, agent, claude_window, quick, support::TmuxServer, switch};

/// Events that tell of this pane appearing or going.
fn comings_and_goings(snapshot: &Snapshot, pane: &str) -> usize {
    let of = |kind: &EventKind| match kind {
        EventKind::Appeared { pane_id, .. } | EventKind::Gone { pane_id, .. } => pane_id.to_string() == pane,
        _ => false,
    };
    snapshot.events.iter().filter(|event| of(&event.what)).count()
}

/// Lets the engine do so many cycles.
async fn cycles(watching: &mut Watching, count: u64) -> Arc<Snapshot> {
    let from = watching.handle.snapshots.borrow().base_status.cycle_count;
    watching.until("more cycles", |s| s.base_status.cycle_count >= from + count).await
}

fn modes() -> Vec<(&'static str, EngineSettings)> {
    let strategy = |name: &str| EngineSettings { strategy: name.to_owned(), ..quick() };
    let mut uncached = quick();
    uncached.cache.enabled = false;
    vec![
        ("concurrent", strategy("concurrent")),
        ("polling", strategy("polling")),
        ("adaptive", strategy("adaptive")),
        ("spawn", EngineSettings { transport: TransportChoice::Spawn, ..quick() }),
        ("uncached", uncached),
        ("sync", EngineSettings { mode: Mode::Sync, ..quick() }),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pane_of_a_session_group_is_one_agent_with_one_record_in_every_mode() {
    for (mode, settings) in modes() {
        let server = TmuxServer::start();
        let pane = claude_window(&server, "w", "working");
        server.run(&["new-session", "-d", "-t", "main", "-s", "view"]);
        // Into another session, and a second time into its own.
        server.run(&["new-session", "-d", "-s", "other", "exec sh"]);
        server.run(&["link-window", "-d", "-s", "main:1", "-t", "other:7"]);
        server.run(&["link-window", "-d", "-s", "main:1", "-t", "main:5"]);
        let mut watching = Watching::new(&server, settings);
        let works = |s: &Snapshot| agent(s, &pane).is_some_and(|a| a.state == AgentState::Working);
        let first = watching.until(&format!("{mode}: it works"), works).await;
        let since = agent(&first, &pane).unwrap().since;
        let later = cycles(&mut watching, 6).await;
        let Agent { target, places, .. } = agent(&later, &pane).unwrap();
        assert_eq!(target, "main:1.0", "{mode}: of detached sessions the oldest, and its first window");
        assert_eq!(places[0], "main:1.0", "{mode}");
        let mut all = places.clone();
        all.sort();
        assert_eq!(all, ["main:1.0", "main:5.0", "other:7.0", "view:1.0", "view:5.0"], "{mode}");
        assert_eq!(later.agents.len(), 1, "{mode}");
        assert_eq!(agent(&later, &pane).unwrap().since, since, "{mode}: its age runs");
        assert_eq!(comings_and_goings(&later, &pane), 1, "{mode}: it appeared once");
        // A change is a transition of the one record.
        switch(&server, &pane, "permission");
        let waits = |s: &Snapshot| agent(s, &pane).is_some_and(|a| a.state == AgentState::Waiting);
        let waiting = watching.until(&format!("{mode}: it waits"), waits).await;
        let told = waiting.events.iter().filter(|e| matches!(e.what, EventKind::Transition { .. })).count();
        assert_eq!((told, comings_and_goings(&waiting, &pane)), (1, 1), "{mode}");
        watching.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_grouped_session_that_comes_is_renamed_and_goes_leaves_the_record() {
    let server = TmuxServer::start();
    let pane = claude_window(&server, "w", "idle");
    let mut watching = Watching::new(&server, quick());
    let places = |s: &Snapshot| agent(s, &pane).map(|a| a.places.join(" ")).unwrap_or_default();
    let first = watching.until("one place", |s| places(s) == "main:1.0").await;
    let since = agent(&first, &pane).unwrap().since;
    server.run(&["new-session", "-d", "-t", "main", "-s", "view"]);
    watching.until("a second place", |s| places(s) == "main:1.0 view:1.0").await;
    server.run(&["rename-session", "-t", "view", "phone"]);
    watching.until("its new name", |s| places(s) == "main:1.0 phone:1.0").await;
    server.run(&["rename-session", "-t", "main", "desk"]);
    watching.until("the first one's too", |s| places(s) == "desk:1.0 phone:1.0").await;
    server.run(&["kill-session", "-t", "desk"]);
    let last = watching.until("the one that is left", |s| places(s) == "phone:1.0").await;
    assert_eq!(agent(&last, &pane).unwrap().since, since);
    assert_eq!(comings_and_goings(&last, &pane), 1);
    watching.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_from_the_settings_is_given_by_any_place() {
    let server = TmuxServer::start();
    let pane = claude_window(&server, "w", "idle");
    server.run(&["new-session", "-d", "-t", "main", "-s", "view"]);
    let named = NamedAgent { target: "view:1.0".into(), name: Some("reviewer".into()), agent: None };
    let mut watching = Watching::new(&server, EngineSettings { named: vec![named], ..quick() });
    let seen = watching.until("its name", |s| agent(s, &pane).is_some_and(|a| a.name == "reviewer")).await;
    assert_eq!(agent(&seen, &pane).unwrap().target, "main:1.0");
    watching.send(Command::Refresh).await;
    watching.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn thirty_agents_of_a_group_are_read_as_often_as_thirty() {
    let mut costs = Vec::new();
    for group in [false, true] {
        let server = TmuxServer::start();
        let panes: Vec<String> = (0..30).map(|n| claude_window(&server, &format!("w{n}"), "idle")).collect();
        if group {
            server.run(&["new-session", "-d", "-t", "main", "-s", "view"]);
        }
        let mut watching = Watching::new(&server, quick());
        let idle = |s: &Snapshot| panes.iter().all(|p| agent(s, p).is_some_and(|a| a.state == AgentState::Idle));
        watching.until("all idle", idle).await;
        // The captures are proven unchanged once their second is over; then a cycle reads nothing.
        let rests =
            |s: &Snapshot| s.cycle.rhythm.followed == 0 && s.cycle.last.as_ref().is_some_and(|l| l.checked == 0);
        watching.until("a cycle that reads nothing", rests).await;
        let before = watching.handle.snapshots.borrow().cache_performance.pane_content.misses;
        let after = cycles(&mut watching, 15).await.cache_performance.pane_content.misses;
        costs.push(after - before);
        watching.end().await;
    }
    assert!(costs[1] <= costs[0] + 5, "screens that had to be read: {costs:?}");
}
