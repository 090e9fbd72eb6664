//! Tests of the ceiling and of bursts, with the time paused, on a server that a script plays and whose work is counted.

use std::{sync::Arc, time::Duration};

use crate::monitor::engine::paused::{IDLE, PERMISSION, WORKING, all, fleet, pulse, start, until, write};
use crate::monitor::{AgentState, Command, Engine, EngineSettings, EventKind};
use crate::tmux::{PaneId, Server, scripted::Script};

/// A server with so many panes on a busy machine: what a request costs by itself grows with them.
fn expensive(script: &Script, request: u64, capture_us: u64) {
    script.play().costs = (Duration::from_millis(request), Duration::from_micros(capture_us));
}

/// The server's CPU time that watching took in so many seconds, in percent.
async fn spent_in(script: &Script, seconds: u64) -> f64 {
    let before = script.play().spent;
    tokio::time::sleep(Duration::from_secs(seconds)).await;
    (script.play().spent - before).as_secs_f64() / seconds as f64 * 100.0
}

#[tokio::test(start_paused = true)]
async fn the_ceiling_holds_for_every_strategy_whatever_the_fleet_does() {
    for strategy in ["adaptive", "concurrent", "polling"] {
        for writes in [false, true] {
            let (script, settings) = fleet(120);
            expensive(&script, 100, 7_500);
            let mut handle = start(&script, EngineSettings { strategy: strategy.into(), ..settings });
            until(&mut handle, "all are known", all(AgentState::Idle, 120)).await;
            let begun = script.play().spent;
            assert!(begun < Duration::from_secs(6), "{strategy}: the first sight cost {begun:?}");
            if writes {
                let script = script.clone();
                tokio::spawn(async move {
                    loop {
                        for (index, (pulse, text)) in script.play().panes.iter_mut().enumerate() {
                            pulse.activity += 1;
                            *text = format!("{} {index}\n{WORKING}", pulse.activity);
                        }
                        tokio::time::sleep(Duration::from_secs(4)).await;
                    }
                });
            }
            tokio::time::sleep(Duration::from_secs(30)).await;
            let percent = spent_in(&script, 100).await;
            assert!(percent <= 5.0, "{strategy}, writing: {writes}: {percent:.1} %");
            assert!(percent >= 1.0, "{strategy}, writing: {writes}: {percent:.1} %: it goes on watching");
            let last = Arc::clone(&handle.snapshots.borrow());
            assert!(last.cost.held_back, "{strategy}, writing: {writes}");
            let noticed = |e: &&crate::monitor::Event| matches!(&e.what, EventKind::Notice { text, .. } if text.contains("max_server_percent"));
            assert_eq!(
                last.events.iter().filter(noticed).count(),
                1,
                "{strategy}: one notice, among {}",
                last.events.len()
            );
            assert!(last.cost.watching_percent.is_some_and(|p| (1.0..7.0).contains(&p)), "{:?}", last.cost);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn another_ceiling_is_kept_and_none_holds_nothing_back() {
    for (percent, expected) in [(1.0, 0.5..1.2), (20.0, 10.0..21.0), (100.0, 30.0..95.0)] {
        let (script, settings) = fleet(100);
        expensive(&script, 100, 3_000);
        let mut handle = start(&script, EngineSettings { max_server_percent: percent, ..settings });
        until(&mut handle, "all are known", all(AgentState::Idle, 100)).await;
        tokio::time::sleep(Duration::from_secs(60)).await;
        let spent = spent_in(&script, 120).await;
        assert!(expected.contains(&spent), "{percent}: {spent:.2}");
    }
}

#[tokio::test(start_paused = true)]
async fn at_the_ceiling_an_agent_that_asks_is_seen_before_those_at_rest_are_read_again() {
    let (script, settings) = fleet(300);
    expensive(&script, 100, 3_000);
    let mut handle = start(&script, settings);
    until(&mut handle, "all are known", all(AgentState::Idle, 300)).await;
    tokio::time::sleep(Duration::from_secs(60)).await;
    write(&script, 123, PERMISSION);
    let asked = tokio::time::Instant::now();
    until(&mut handle, "the question", |s| s.agents.iter().any(|a| a.state == AgentState::Waiting)).await;
    assert!(asked.elapsed() < Duration::from_secs(10), "{:?}", asked.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_burst_of_panes_beside_a_running_engine_is_read_at_once() {
    let (script, settings) = fleet(1);
    expensive(&script, 2, 60);
    let mut handle = start(&script, settings);
    until(&mut handle, "one", all(AgentState::Idle, 1)).await;
    tokio::time::sleep(Duration::from_secs(60)).await;
    let before = script.play().requests;
    script.play().panes.extend((1..=750).map(|id| (pulse(id, 2_000), IDLE.to_owned())));
    write(&script, 700, PERMISSION);
    let made = tokio::time::Instant::now();
    let seen = until(&mut handle, "all of them", |s| s.agents.len() == 751).await;
    assert!(made.elapsed() < Duration::from_millis(500), "{:?}", made.elapsed());
    assert!(seen.agents.iter().any(|a| a.state == AgentState::Waiting));
    let requests = script.play().requests - before;
    assert!(requests <= 8, "{requests} requests: a few large ones");
    assert_eq!(seen.cycle.reading, None);
}

#[tokio::test(start_paused = true)]
async fn a_fleet_that_takes_long_to_read_is_shown_in_parts_and_says_how_far_it_is() {
    let (script, settings) = fleet(300);
    expensive(&script, 100, 3_000);
    let mut handle = start(&script, settings);
    let part = until(&mut handle, "a part", |s| s.cycle.reading.is_some() && !s.agents.is_empty()).await;
    let reading = part.cycle.reading.expect("a part");
    assert_eq!((reading.read, reading.of), (part.agents.len(), 300));
    let begun = tokio::time::Instant::now();
    let whole = until(&mut handle, "the whole", all(AgentState::Idle, 300)).await;
    assert!(begun.elapsed() < Duration::from_secs(6), "{:?}", begun.elapsed());
    assert_eq!(whole.cycle.reading, None);
}

#[tokio::test(start_paused = true)]
async fn a_fleet_larger_than_the_cache_is_not_read_again_and_again() {
    let (script, mut settings) = fleet(300);
    settings.cache.max_size = 100;
    let mut handle = start(&script, settings);
    until(&mut handle, "all are known", all(AgentState::Idle, 300)).await;
    tokio::time::sleep(Duration::from_secs(60)).await;
    let before = script.play().captures;
    tokio::time::sleep(Duration::from_secs(60)).await;
    let captures = script.play().captures - before;
    assert!(captures <= 3 * 300, "{captures} captures of 300 quiet panes in a minute");
    handle.commands.send(Command::ClearCache).await.unwrap();
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert!(script.play().captures - before - captures >= 300, "a cleared cache is filled anew");
}

#[tokio::test(start_paused = true)]
async fn commands_without_a_pause_do_not_hold_the_cycles_up() {
    let (script, settings) = fleet(3);
    let mut handle = start(&script, settings);
    until(&mut handle, "all idle", all(AgentState::Idle, 3)).await;
    let commands = handle.commands.clone();
    // The time does not go on by itself while this task never rests.
    tokio::spawn(async move { while commands.send(Command::Seen(PaneId(1))).await.is_ok() {} });
    let before = script.play().requests;
    for _ in 0..20 {
        tokio::time::advance(Duration::from_millis(300)).await;
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
    }
    let probes = script.play().requests - before;
    assert!(probes >= 10, "{probes} probes in six seconds");
}

#[tokio::test(start_paused = true)]
async fn a_smaller_pool_for_a_while_leaves_its_least_size_as_it_is() {
    let (script, settings) = fleet(1);
    let least = settings.pool.min_size;
    let mut handle = start(&script, settings);
    for size in [1, 20] {
        handle.commands.send(Command::PoolSize(size)).await.unwrap();
        let tuned = until(&mut handle, "the size", |s| s.settings.pool_max == size).await;
        assert_eq!(tuned.settings.pool_min, least);
    }
}

#[tokio::test(start_paused = true)]
async fn one_look_reads_all_and_no_ceiling_holds_it_up() {
    let (script, settings) = fleet(200);
    expensive(&script, 100, 3_000);
    let settings = EngineSettings { max_server_percent: 0.1, ..settings };
    let snapshot = Engine::new(Server::scripted(script.clone()), settings).once().await.expect("a look");
    assert!(all(AgentState::Idle, 200)(&snapshot), "{} agents", snapshot.agents.len());
    assert_eq!(script.play().captures, 200);
}
