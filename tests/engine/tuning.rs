//! Settings change under the running engine: from the next cycle on, nothing lost, every change an event.

use std::{sync::Arc, time::Duration};

use tmux_orc::monitor::{AgentState, Command, EngineSettings, EventKind, strategy::BUILT_IN};

use super::{Watching, agent, claude_window, quick, support::TmuxServer, switch};

#[tokio::test(flavor = "multi_thread")]
async fn every_setting_can_be_changed_and_the_next_snapshot_confirms_it() {
    let server = TmuxServer::start();
    let pane = claude_window(&server, "w", "idle");
    let mut watching = Watching::new(&server, quick());
    let before =
        watching.until("an idle agent", |s| agent(s, &pane).is_some_and(|a| a.state == AgentState::Idle)).await;
    let since = agent(&before, &pane).unwrap().since;
    for name in BUILT_IN {
        watching.send(Command::Strategy(name.into())).await;
        watching.until(name, |s| s.current_strategy == name && s.base_status.cycle_count > 0).await;
    }
    watching.send(Command::PoolSize(7)).await;
    watching.until("pool 7", |s| s.connection_pool.pool_size == 7 && s.settings.pool_max == 7).await;
    watching.send(Command::Interval(0.5)).await;
    watching.until("interval 0.5", |s| s.settings.interval == 0.5).await;
    watching.send(Command::CachePolicy("lfu".into())).await;
    watching.until("lfu", |s| s.settings.cache_policy == "lfu").await;
    watching.send(Command::Transport("process".into())).await;
    let process = watching
        .until("process", |s| {
            s.server.transport.as_deref() == Some("process")
                && s.cycle.last.as_ref().is_some_and(|l| l.tmux_processes > 0)
        })
        .await;
    let found = agent(&process, &pane).unwrap();
    assert_eq!((found.state, found.since), (AgentState::Idle, since), "nothing is lost");
    let changed: Vec<&str> = process
        .events
        .iter()
        .filter_map(|e| match &e.what {
            EventKind::Changed { setting, .. } => Some(setting.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(changed, ["strategy", "strategy", "strategy", "pool", "interval", "cache policy", "transport"]);
    assert!(process.history.iter().any(|p| p.mark.as_deref().is_some_and(|m| m.contains("pool 7"))));
    assert!(process.tune.len() >= 4, "each combination that ran has its row: {:#?}", process.tune);
    watching.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_possible_is_refused_in_words() {
    let server = TmuxServer::start();
    let mut watching = Watching::new(&server, quick());
    for (command, phrase) in [
        (Command::Strategy("magic".into()), "no strategy is called 'magic'"),
        (Command::Interval(-1.0), "interval"),
        (Command::CachePolicy("fifo".into()), "fifo"),
        (Command::Transport("pigeon".into()), "pigeon"),
    ] {
        watching.send(command).await;
        watching
            .until(phrase, |s| {
                s.events
                    .iter()
                    .any(|e| matches!(&e.what, EventKind::Notice { text, problem: true } if text.contains(phrase)))
            })
            .await;
    }
    watching.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_engine_asks_nothing_and_goes_on_where_it_was() {
    let server = TmuxServer::start();
    let pane = claude_window(&server, "w", "idle");
    let mut watching = Watching::new(&server, quick());
    watching.until("an idle agent", |s| agent(s, &pane).is_some()).await;
    watching.send(Command::Pause(true)).await;
    let paused = watching.until("paused", |s| s.engine.paused).await;
    switch(&server, &pane, "working");
    // It answers, and its count stays; that it does so for an hour is shown with the time paused.
    let answer = watching.handle.commands.ask(Command::Focus(None));
    tokio::time::timeout(Duration::from_secs(9), answer).await.expect("at once").expect("taken");
    let still = watching.until("still paused", |s| s.engine.paused).await;
    assert_eq!(still.base_status.cycle_count, paused.base_status.cycle_count);
    watching.send(Command::Pause(false)).await;
    watching.until("it works", |s| agent(s, &pane).is_some_and(|a| a.state == AgentState::Working)).await;
    watching.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_script_that_fails_gives_way_to_the_strategy_it_came_from() {
    let server = TmuxServer::start();
    let dir = server.home().join("strategies");
    std::fs::create_dir(&dir).unwrap();
    let text = "const BASED_ON = \"polling\";\nfn plan(view) {\n  if view.panes.len() > 0 && view.panes[0].state != () { view.panes[99].x }\n  #{}\n}\n";
    std::fs::write(dir.join("mine.rhai"), text).unwrap();
    let settings = EngineSettings { strategy: "mine".into(), strategies_dir: Some(dir), ..quick() };
    let mut watching = Watching::new(&server, settings);
    let runs = watching.until("the script plans", |s| s.cycle.last.is_some()).await;
    assert_eq!(runs.current_strategy, "mine");
    assert_eq!(runs.strategies.last().map(|s| s.name.as_str()), Some("mine"));
    let pane = claude_window(&server, "w", "idle");
    let failed =
        watching.until("polling goes on", |s| s.current_strategy == "polling" && agent(s, &pane).is_some()).await;
    assert!(failed.notes.iter().any(|n| n.contains("mine") && n.contains("line 3")), "{:?}", failed.notes);
    assert!(failed.strategies.last().is_some_and(|s| s.problem.is_some()));
    watching.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_command_is_answered_at_once_also_one_that_needs_no_cycle() {
    let server = TmuxServer::start();
    let pane = claude_window(&server, "w", "idle");
    let mut watching = Watching::new(&server, EngineSettings { interval: Duration::from_secs(60), ..quick() });
    let seen = watching.until("an idle agent", |s| agent(s, &pane).is_some()).await;
    let id = agent(&seen, &pane).unwrap().pane_id;
    let handle = watching.handle.clone();
    let ask = async |command: Command| {
        tokio::time::timeout(Duration::from_secs(9), handle.commands.ask(command)).await.expect("at once")
    };
    for command in [
        Command::Seen(id),
        Command::Focus(Some(id)),
        Command::Focus(None),
        Command::Watched(false),
        Command::Interval(50.0),
        Command::Pause(true),
        Command::Seen(id),
        Command::PoolSize(5),
    ] {
        assert_eq!(ask(command.clone()).await, Ok(()), "{command:?}");
    }
    let shown = Arc::clone(&handle.snapshots.borrow());
    assert_eq!((shown.settings.pool_max, shown.settings.interval, shown.engine.paused), (5, 50.0, true));
    for (command, why) in [
        (Command::Strategy("nonsense".into()), "no strategy is called 'nonsense'"),
        (Command::Interval(-1.0), "above 0"),
        (Command::CachePolicy("magic".into()), "ttl, lru and lfu"),
        (Command::Transport("pigeon".into()), "auto, dial, spawn and process"),
    ] {
        let refused = ask(command).await.unwrap_err().to_string();
        assert!(refused.contains(why), "{refused}");
    }
    assert_eq!(ask(Command::Stop).await, Ok(()));
    assert!(ask(Command::Refresh).await.unwrap_err().to_string().contains("the engine has ended"));
    watching.task.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_engine_refuses_what_it_has_not_in_words() {
    let server = TmuxServer::start();
    let settings = EngineSettings { mode: tmux_orc::monitor::Mode::Sync, ..quick() };
    let mut watching = Watching::new(&server, settings);
    watching.until("a cycle", |s| s.base_status.cycle_count > 0).await;
    let before = watching.handle.snapshots.borrow().current_strategy.clone();
    for command in [Command::Strategy("polling".into()), Command::Transport("dial".into()), Command::Cache(true)] {
        let refused = watching.handle.commands.ask(command).await.unwrap_err().to_string();
        assert!(refused.contains("the sync engine"), "{refused}");
    }
    assert_eq!(watching.handle.snapshots.borrow().current_strategy, before);
    watching.end().await;
}
