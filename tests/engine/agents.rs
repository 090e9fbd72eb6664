//! Agents appear, change their state and disappear.

use tmux_orc::monitor::{AgentState, Command, CycleStats, EngineSettings, EventKind, NamedAgent};

use super::{Watching, agent, claude_window, quick, support::TmuxServer, switch};

/// Screens as Claude Code shows them, cut to what tells.
pub fn screen(name: &str) -> &'static str {
    match name {
        "idle" => include_str!("screens/idle.txt"),
        "working" => include_str!("screens/working.txt"),
        "permission" => include_str!("screens/permission.txt"),
        other => panic!("no screen {other}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn agents_appear_change_and_disappear() {
    let server = TmuxServer::start();
    let mut watching = Watching::new(&server, quick());
    let empty = watching.until("the first cycle", |s| s.cycle.last.is_some()).await;
    assert!(empty.agents.is_empty(), "a shell is no agent");

    let pane = claude_window(&server, "npm", "idle");
    let seen = watching.until("an idle agent", |s| agent(s, &pane).is_some_and(|a| a.state == AgentState::Idle)).await;
    let found = agent(&seen, &pane).unwrap();
    assert_eq!((found.agent.as_str(), found.session.as_str(), found.window.as_str()), ("claude", "main", "npm"));
    assert!(found.pid.is_some());

    switch(&server, &pane, "working");
    watching.until("it works", |s| agent(s, &pane).is_some_and(|a| a.state == AgentState::Working)).await;
    switch(&server, &pane, "permission");
    let waits = watching.until("it waits", |s| agent(s, &pane).is_some_and(|a| a.state == AgentState::Waiting)).await;
    let found = agent(&waits, &pane).unwrap();
    assert_eq!(found.kind.as_deref(), Some("permission"));
    assert!(!found.evidence.rule.is_empty() && !found.evidence.line.is_empty());

    switch(&server, &pane, "working");
    watching.until("it works on", |s| agent(s, &pane).is_some_and(|a| a.state == AgentState::Working)).await;
    switch(&server, &pane, "idle");
    let done = watching.until("it is done", |s| agent(s, &pane).is_some_and(|a| a.state == AgentState::Idle)).await;
    assert_eq!(agent(&done, &pane).unwrap().kind.as_deref(), Some("done"), "nobody has looked");
    watching.send(Command::Seen(agent(&done, &pane).unwrap().pane_id)).await;
    watching.until("it is seen", |s| agent(s, &pane).is_some_and(|a| a.kind.is_none())).await;

    server.run(&["kill-pane", "-t", &pane]);
    let gone = watching.until("it is gone", |s| s.agents.is_empty()).await;
    let transitions = gone.events.iter().filter(|e| matches!(e.what, EventKind::Transition { .. })).count();
    assert_eq!(transitions, 4, "{:#?}", gone.events);
    assert!(matches!(gone.events.last().map(|e| &e.what), Some(EventKind::Gone { .. })));
    watching.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_ends_is_exited_whatever_its_screen_says() {
    let server = TmuxServer::start();
    server.run(&["set-option", "-g", "remain-on-exit", "on"]);
    let mut watching = Watching::new(&server, quick());
    let pane = claude_window(&server, "w", "working");
    let seen = watching.until("it works", |s| agent(s, &pane).is_some_and(|a| a.state == AgentState::Working)).await;
    let pid = agent(&seen, &pane).and_then(|a| a.pid).unwrap();
    super::support::signal(pid, rustix::process::Signal::KILL);
    let dead = watching.until("it is exited", |s| agent(s, &pane).is_some_and(|a| a.state == AgentState::Exited)).await;
    assert_eq!(agent(&dead, &pane).unwrap().pid, None);
    watching.until("a dead program is a failed check", |s| s.health_summary.critical == 1).await;
    watching.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_that_its_user_left_is_none_once_the_pane_serves_something_else() {
    let server = TmuxServer::start();
    server.run(&["set-option", "-g", "remain-on-exit", "on"]);
    let program = super::fake_claude(&server);
    // Two panes in whose shell an agent ran: in one another program runs since, in the other nothing does.
    let shell = |after: &str| server.window("w", &["sh", "-c", &format!("{program} -c 'read -r x; exit 0'; {after}")]);
    let (moved, still) = (shell("exec sleep 900"), shell("read -r y; read -r z"));
    let crashed = server.window("c", &[&program, "-c", "read -r x; exit 3"]);
    let panes = [&moved, &still, &crashed];
    let mut watching = Watching::new(&server, quick());
    watching.until("all three", |s| panes.iter().all(|p| agent(s, p).is_some_and(|a| a.pid.is_some()))).await;
    panes.iter().for_each(|pane| server.keys(pane, &["Enter"]));
    let exited =
        |s: &tmux_orc::monitor::Snapshot, pane: &str| agent(s, pane).is_some_and(|a| a.state == AgentState::Exited);
    watching.until("they have ended", |s| exited(s, &still) && exited(s, &crashed)).await;
    let gone = watching.until("one is of no interest", |s| agent(s, &moved).is_none()).await;
    assert!(exited(&gone, &still) && exited(&gone, &crashed), "nobody knows of their end yet");
    for pane in [&still, &crashed] {
        watching.send(Command::Seen(agent(&gone, pane).unwrap().pane_id)).await;
    }
    let count = gone.base_status.cycle_count;
    let seen = watching.until("they are dismissed", |s| s.agents.is_empty()).await;
    assert!(seen.events.iter().any(|e| matches!(e.what, EventKind::Gone { .. })));
    watching.until("and stay so", |s| s.base_status.cycle_count > count + 10 && s.agents.is_empty()).await;
    // Another agent in such a pane is one again.
    server.run(&["respawn-pane", "-k", "-t", &crashed, &program, "-c", "read -r x"]);
    watching.until("a new one", |s| agent(s, &crashed).is_some_and(|a| a.state != AgentState::Exited)).await;
    watching.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quiet_fleet_costs_one_request_and_no_process() {
    let server = TmuxServer::start();
    let panes: Vec<String> = (0..5).map(|n| claude_window(&server, &format!("w{n}"), "idle")).collect();
    let mut watching = Watching::new(&server, quick());
    watching
        .until("all are idle", |s| panes.iter().all(|p| agent(s, p).is_some_and(|a| a.state == AgentState::Idle)))
        .await;
    let quiet = watching
        .until("a quiet cycle", |s| {
            let last = |l: &CycleStats| l.skipped == 5 && l.checked == 0 && l.tmux_requests == 1;
            s.cycle.rhythm.followed == 0 && s.cycle.last.as_ref().is_some_and(last)
        })
        .await;
    let last = quiet.cycle.last.clone().unwrap();
    assert_eq!((last.tmux_commands, last.tmux_requests, last.changed), (1, 1, 0));
    assert!(quiet.cache_performance.pane_content.hits >= 5);
    assert!(quiet.cache_performance.agent_status.hits >= 5);

    watching.send(Command::Cache(false)).await;
    let bypassed = watching
        .until("without the cache all are read in every cycle", |s| {
            !s.settings.cache_enabled && s.cycle.last.as_ref().is_some_and(|l| l.checked == 5)
        })
        .await;
    assert_eq!(bypassed.cache_performance.pane_content.size, 0);
    let hits = bypassed.cache_performance.pane_content.hits;
    let later =
        watching.until("more cycles", |s| s.base_status.cycle_count > bypassed.base_status.cycle_count + 3).await;
    assert_eq!(later.cache_performance.pane_content.hits, hits);
    watching.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_focused_pane_comes_with_its_colours() {
    let server = TmuxServer::start();
    let pane = claude_window(&server, "w", "permission");
    let mut watching = Watching::new(&server, quick());
    let seen = watching.until("it waits", |s| agent(s, &pane).is_some_and(|a| a.state == AgentState::Waiting)).await;
    assert!(seen.preview.is_none());
    let id = agent(&seen, &pane).unwrap().pane_id;
    watching.send(Command::Focus(Some(id))).await;
    let focused = watching.until("a preview", |s| s.preview.is_some()).await;
    assert!(focused.preview.as_ref().unwrap().text.contains("Do you want to proceed?"));
    watching.send(Command::Focus(None)).await;
    watching.until("no preview", |s| s.preview.is_none()).await;
    watching.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_client_of_an_engine_has_its_focus_and_a_paused_one_shows_what_is_chosen() {
    let server = TmuxServer::start();
    let (one, two) = (claude_window(&server, "one", "permission"), claude_window(&server, "two", "idle"));
    let mut watching = Watching::new(&server, quick());
    let seen = watching.until("both", |s| agent(s, &one).is_some() && agent(s, &two).is_some()).await;
    let id = |pane: &str| agent(&seen, pane).unwrap().pane_id;
    let (first, second) = (id(&one), id(&two));
    let shown = |s: &super::Snapshot| s.previews.iter().map(|preview| preview.pane_id).collect::<Vec<_>>();
    let other = watching.handle.another(true).expect("it runs");
    watching.send(Command::Focus(Some(first))).await;
    other.commands.send(Command::Focus(Some(second))).await.unwrap();
    let both = watching.until("both screens", |s| shown(s) == [first, second]).await;
    assert_eq!(both.preview.as_ref().map(|preview| preview.pane_id), Some(first), "its own");
    drop(other);
    watching.until("one screen", |s| shown(s) == [first]).await;
    // Chosen again, its screen comes again though nothing in the pane has changed.
    watching.send(Command::Focus(Some(second))).await;
    watching.until("the other screen", |s| shown(s) == [second]).await;
    watching.send(Command::Focus(Some(first))).await;
    watching.until("the first screen", |s| shown(s) == [first]).await;
    watching.send(Command::Pause(true)).await;
    let paused = watching.until("paused", |s| s.engine.paused).await;
    watching.send(Command::Focus(Some(second))).await;
    let chosen = watching.until("a screen", |s| s.preview.as_ref().is_some_and(|p| p.pane_id == second)).await;
    assert_eq!(chosen.base_status.cycle_count, paused.base_status.cycle_count, "the cycles rest");
    watching.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pane_that_the_settings_call_an_agent_is_one() {
    let server = TmuxServer::start();
    let path = super::show(&server, "permission");
    let shows = server.window("custom", &["sh", "-c", &format!("cat {path}; read -r x")]);
    let silent = server.window("mine", &["sh", "-c", "echo hello; read -r x"]);
    let named = |target: &str, agent: Option<&str>| NamedAgent {
        target: target.to_owned(),
        name: Some("reviewer".to_owned()),
        agent: agent.map(str::to_owned),
    };
    let settings = EngineSettings { named: vec![named(&shows, Some("claude")), named(&silent, None)], ..quick() };
    let mut watching = Watching::new(&server, settings);
    let seen = watching.until("both", |s| s.agents.len() == 2 && agent(s, &shows).is_some()).await;
    let shown = agent(&seen, &shows).unwrap();
    assert_eq!((shown.agent.as_str(), shown.name.as_str(), shown.state), ("claude", "reviewer", AgentState::Waiting));
    let unknown = agent(&seen, &silent).unwrap();
    assert_eq!((unknown.agent.as_str(), unknown.state), ("other", AgentState::Unknown));
    watching.end().await;
}
