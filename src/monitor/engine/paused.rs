//! Tests of the engine with the time paused, on a server that a script plays: what takes minutes takes no time, and
//! always comes out the same.

use std::{sync::Arc, time::Duration};

use crate::monitor::{
    AgentState, Command, Engine, EngineSettings, EventKind, Handle, NamedAgent, ServerStatus, Snapshot,
};
use crate::tmux::{PaneId, Pulse, Server, scripted::Script};

pub(crate) const IDLE: &str = include_str!("../../../tests/engine/screens/idle.txt");
pub(crate) const WORKING: &str = include_str!("../../../tests/engine/screens/working.txt");
pub(crate) const PERMISSION: &str = include_str!("../../../tests/engine/screens/permission.txt");

pub(crate) fn pulse(id: u32, activity: i64) -> Pulse {
    Pulse { id: PaneId(id), activity, pid: 0, width: 100, height: 30, dead: false, ..Pulse::default() }
}

/// A script with so many idle agents that last wrote long ago, and settings that call every pane an agent.
pub(crate) fn fleet(agents: u32) -> (Script, EngineSettings) {
    let script = Script::default();
    script.play().panes = (0..agents).map(|id| (pulse(id, 1_000), IDLE.to_owned())).collect();
    let named = (0..agents + 1000).map(|id| NamedAgent {
        target: format!("%{id}"),
        name: None,
        agent: Some("claude".to_owned()),
    });
    let settings = EngineSettings { named: named.collect(), ..EngineSettings::default() };
    (script, settings)
}

pub(crate) fn start(script: &Script, settings: EngineSettings) -> Handle {
    Engine::new(Server::scripted(script.clone()), settings).start().expect("an engine").0
}

pub(crate) async fn until(handle: &mut Handle, what: &str, good: impl Fn(&Snapshot) -> bool) -> Arc<Snapshot> {
    let waiting = tokio::time::timeout(Duration::from_secs(3600), handle.snapshots.wait_for(|s| good(s)));
    Arc::clone(&waiting.await.unwrap_or_else(|_| panic!("an hour passed without {what}")).expect("the engine runs"))
}

pub(crate) fn all(state: AgentState, agents: usize) -> impl Fn(&Snapshot) -> bool {
    move |s| s.agents.len() == agents && s.agents.iter().all(|a| a.state == state && !a.stale)
}

/// Changes a pane's screen, as a program that writes now.
pub(crate) fn write(script: &Script, index: usize, screen: &str) {
    let mut play = script.play();
    let (pulse, text) = &mut play.panes[index];
    pulse.activity += 7;
    screen.clone_into(text);
}

#[tokio::test(start_paused = true)]
async fn a_change_is_shown_within_one_tick() {
    let (script, settings) = fleet(50);
    let mut handle = start(&script, settings);
    until(&mut handle, "all idle", all(AgentState::Idle, 50)).await;
    tokio::time::sleep(Duration::from_secs(20)).await;
    for (index, screen, state) in [(7, WORKING, AgentState::Working), (9, PERMISSION, AgentState::Waiting)] {
        let changed = tokio::time::Instant::now();
        write(&script, index, screen);
        let id = PaneId(u32::try_from(index).unwrap());
        until(&mut handle, "the change", |s| s.agents.iter().any(|a| a.pane_id == id && a.state == state)).await;
        assert!(changed.elapsed() <= Duration::from_millis(260), "{:?}", changed.elapsed());
    }
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_found_nothing_is_published_once_an_interval_and_a_command_at_once() {
    let (script, settings) = fleet(3);
    let mut handle = start(&script, settings);
    until(&mut handle, "all idle", all(AgentState::Idle, 3)).await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    let before = Arc::clone(&handle.snapshots.borrow_and_update()).base_status.cycle_count;
    let begun = tokio::time::Instant::now();
    let mut published = 0;
    while begun.elapsed() < Duration::from_secs(10) {
        handle.snapshots.changed().await.expect("the engine runs");
        published += 1;
    }
    let cycles = handle.snapshots.borrow_and_update().base_status.cycle_count - before;
    assert!((36..=44).contains(&cycles), "{cycles} probes in ten seconds");
    // The topology's time is over every five seconds, and that is more than a probe.
    assert!((9..=14).contains(&published), "{published} of {cycles} probes were published");
    let asked = tokio::time::Instant::now();
    handle.commands.send(Command::PoolSize(7)).await.expect("the engine runs");
    until(&mut handle, "the pool's size", |s| s.connection_pool.pool_size == 7).await;
    assert!(asked.elapsed() < Duration::from_millis(50), "{:?}", asked.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_stall_of_ten_seconds_is_followed_by_one_cycle_not_by_forty() {
    let (script, mut settings) = fleet(3);
    settings.pool.request_timeout = Duration::from_secs(60);
    let mut handle = start(&script, settings);
    until(&mut handle, "all idle", all(AgentState::Idle, 3)).await;
    script.play().delay = Duration::from_secs(10);
    let before = handle.snapshots.borrow().base_status.cycle_count;
    tokio::time::sleep(Duration::from_secs(3)).await;
    script.play().delay = Duration::ZERO;
    let after = until(&mut handle, "the stalled cycle", |s| s.cycle.overruns > 0).await;
    let stalled = after.base_status.cycle_count;
    assert!(stalled <= before + 2, "{before} -> {stalled}");
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(handle.snapshots.borrow().base_status.cycle_count <= stalled + 1, "late ticks are dropped");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_does_not_answer_makes_verdicts_stale_and_they_recover() {
    let (script, settings) = fleet(5);
    let mut handle = start(&script, settings);
    let before = until(&mut handle, "all idle", all(AgentState::Idle, 5)).await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    script.play().unreachable = true;
    let lost = until(&mut handle, "critical", |s| s.health_summary.critical == 5).await;
    assert_eq!(lost.server.status, ServerStatus::Unreachable);
    assert!(lost.agents.iter().all(|a| a.stale && a.state == AgentState::Idle), "a failed read changes no state");
    assert_eq!(lost.engine.mode, "async", "an engine that once worked does not give way");
    script.play().unreachable = false;
    let back = until(&mut handle, "recovery", all(AgentState::Idle, 5)).await;
    assert_eq!(back.health_summary.healthy, 5);
    assert_eq!(back.agents[0].since, before.agents[0].since);
    let answers_again =
        |e: &crate::monitor::Event| matches!(&e.what, EventKind::Notice { text, .. } if text.contains("answers again"));
    assert!(back.events.iter().any(answers_again));
}

#[tokio::test(start_paused = true)]
async fn an_engine_that_never_works_gives_way_to_the_simple_one_and_says_why() {
    let (script, settings) = fleet(2);
    script.play().unreachable = true;
    let mut handle = start(&script, settings);
    let gave_way = until(&mut handle, "the sync engine", |s| s.engine.mode == "sync").await;
    assert!(gave_way.notes.iter().any(|n| n.contains("one tmux process per command")), "{:?}", gave_way.notes);
    script.play().unreachable = false;
    let works = until(&mut handle, "all idle", all(AgentState::Idle, 2)).await;
    assert_eq!(works.current_strategy, "sequential");
}

#[tokio::test(start_paused = true)]
async fn one_good_cycle_is_enough_not_to_give_way() {
    let (script, settings) = fleet(2);
    let mut handle = start(&script, settings);
    until(&mut handle, "all idle", all(AgentState::Idle, 2)).await;
    script.play().unreachable = true;
    tokio::time::sleep(Duration::from_secs(60)).await;
    let lost = Arc::clone(&handle.snapshots.borrow());
    assert_eq!((lost.server.status, &*lost.engine.mode), (ServerStatus::Unreachable, "async"));
}

#[tokio::test(start_paused = true)]
async fn a_pane_that_vanishes_between_probe_and_capture_harms_nobody() {
    let (script, settings) = fleet(4);
    script.play().vanishing = vec![PaneId(2)];
    let mut handle = start(&script, settings);
    let seen = until(&mut handle, "the other three", all(AgentState::Idle, 3)).await;
    assert_eq!(seen.base_status.errors_detected, 0);
    script.play().panes.remove(2);
    script.play().vanishing.clear();
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(handle.snapshots.borrow().agents.len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_thousand_panes_come_and_go_at_once() {
    let (script, settings) = fleet(1);
    let mut handle = start(&script, settings);
    until(&mut handle, "one", all(AgentState::Idle, 1)).await;
    script.play().panes.extend((1..=1000).map(|id| (pulse(id, 2_000), WORKING.to_owned())));
    until(&mut handle, "a thousand more", |s| s.agents.len() == 1001).await;
    script.play().panes.truncate(1);
    let left = until(&mut handle, "one again", |s| s.agents.len() == 1).await;
    assert_eq!(left.base_status.errors_detected, 0);
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_jumps_hides_no_change() {
    let (script, settings) = fleet(1);
    let mut handle = start(&script, settings);
    // The last output lies an hour ahead: the clock was set back.
    script.play().panes[0].0.activity = jiff::Timestamp::now().as_second() + 3_600;
    until(&mut handle, "idle", all(AgentState::Idle, 1)).await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    let captures = script.play().captures;
    tokio::time::sleep(Duration::from_secs(20)).await;
    assert_eq!(script.play().captures, captures, "a second that lies ahead is settled by the monotonic clock");
    {
        let mut play = script.play();
        play.panes[0].0.activity -= 3_600;
        PERMISSION.clone_into(&mut play.panes[0].1);
    }
    until(&mut handle, "it waits", all(AgentState::Waiting, 1)).await;
}

#[tokio::test(start_paused = true)]
async fn a_day_passes_and_nothing_grows() {
    let (script, mut settings) = fleet(3);
    // More cycles in a day than any list keeps, and few names, which each cycle looks up.
    settings.interval = Duration::from_secs(60);
    settings.named.truncate(3);
    let mut handle = start(&script, settings);
    until(&mut handle, "all idle", all(AgentState::Idle, 3)).await;
    let begun = handle.snapshots.borrow().base_status.cycle_count;
    handle.commands.send(Command::Watched(false)).await.unwrap();
    for hour in 0..24 {
        write(&script, hour % 3, if hour % 2 == 0 { WORKING } else { IDLE });
        tokio::time::sleep(Duration::from_secs(3600)).await;
    }
    let last = Arc::clone(&handle.snapshots.borrow());
    let cycles = last.base_status.cycle_count - begun;
    // One or two a minute, as verdicts are judged again.
    assert!((24 * 59..=24 * 125).contains(&cycles), "{cycles} cycles in a day");
    assert!(last.history.len() <= crate::monitor::HISTORY_POINTS && last.events.len() <= crate::monitor::EVENTS_KEPT);
    assert!(last.agents.iter().all(|a| a.transitions.len() <= 8));
    assert_eq!((last.agents.len(), last.base_status.errors_detected, last.cycle.overruns), (3, 0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_paused_engine_runs_no_cycle_in_an_hour_and_goes_on() {
    let (script, settings) = fleet(2);
    let mut handle = start(&script, settings);
    until(&mut handle, "all idle", all(AgentState::Idle, 2)).await;
    handle.commands.send(Command::Pause(true)).await.unwrap();
    let paused = until(&mut handle, "paused", |s| s.engine.paused).await.base_status.cycle_count;
    write(&script, 0, PERMISSION);
    tokio::time::sleep(Duration::from_secs(3600)).await;
    let still = Arc::clone(&handle.snapshots.borrow());
    assert_eq!((still.base_status.cycle_count, still.agents[0].state), (paused, AgentState::Idle));
    handle.commands.send(Command::Pause(false)).await.unwrap();
    until(&mut handle, "it waits", |s| s.agents[0].state == AgentState::Waiting).await;
}

/// Notices with these words, and agents that came or went.
fn notices(snapshot: &Snapshot, words: &str) -> usize {
    let has = |what: &EventKind| matches!(what, EventKind::Notice { text, .. } if text.contains(words));
    snapshot.events.iter().filter(|event| has(&event.what)).count()
}

fn comings_and_goings(snapshot: &Snapshot) -> usize {
    let is = |what: &EventKind| matches!(what, EventKind::Appeared { .. } | EventKind::Gone { .. });
    snapshot.events.iter().filter(|event| is(&event.what)).count()
}

#[tokio::test(start_paused = true)]
async fn a_list_that_failed_is_not_an_empty_one_whatever_failed_and_is_said_once() {
    for (what, cached) in [(0, true), (1, true), (1, false)] {
        for words in ["the command failed without a word", "client 17: killed", "can't find window: x", "unknown: 9"] {
            let (script, mut settings) = fleet(4);
            settings.cache.enabled = cached;
            let mut handle = start(&script, settings);
            let before = until(&mut handle, "all idle", all(AgentState::Idle, 4)).await;
            script.play().failing[what] = Some(words.to_owned());
            let lost = until(&mut handle, "stale", |s| s.agents.len() == 4 && s.agents.iter().all(|a| a.stale)).await;
            assert!(lost.server.problem.as_deref().is_some_and(|text| text.contains(words)), "{:?}", lost.server);
            tokio::time::sleep(Duration::from_secs(20)).await;
            let lost = Arc::clone(&handle.snapshots.borrow());
            assert!(lost.agents.len() == 4 && lost.agents.iter().all(|a| a.state == AgentState::Idle));
            assert_eq!(notices(&lost, words), 1, "reported once");
            assert!(lost.base_status.errors_detected > 4, "each failure counts");
            script.play().failing[what] = None;
            let back = until(&mut handle, "recovery", all(AgentState::Idle, 4)).await;
            assert_eq!(comings_and_goings(&back), 4, "{words}: nobody went and came again");
            assert_eq!(back.agents[0].since, before.agents[0].since);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_says_it_has_no_session_has_no_agents() {
    let (script, settings) = fleet(3);
    let mut handle = start(&script, settings);
    until(&mut handle, "all idle", all(AgentState::Idle, 3)).await;
    {
        let words = Some("no current target".to_owned());
        script.play().failing = [words.clone(), words.clone(), words];
    }
    let left = until(&mut handle, "nobody", |s| s.agents.is_empty()).await;
    assert_eq!((left.server.status, left.server.problem.clone()), (ServerStatus::Reachable, None));
}

#[tokio::test(start_paused = true)]
async fn a_pane_that_came_while_its_place_could_not_be_read_gets_it_at_once_afterwards() {
    let (script, settings) = fleet(2);
    let mut handle = start(&script, settings);
    until(&mut handle, "all idle", all(AgentState::Idle, 2)).await;
    script.play().failing[1] = Some("client 3: killed".to_owned());
    script.play().panes.push((pulse(2, 1_000), IDLE.to_owned()));
    tokio::time::sleep(Duration::from_millis(600)).await;
    script.play().failing[1] = None;
    let seen = until(&mut handle, "the third", all(AgentState::Idle, 3)).await;
    assert_eq!(seen.agents[2].target, "main:2.0");
    assert!(seen.agents[2].places == ["main:2.0"]);
}

#[tokio::test(start_paused = true)]
async fn captures_that_fail_make_stale_and_are_said_once() {
    let (script, settings) = fleet(3);
    let mut handle = start(&script, settings);
    until(&mut handle, "all idle", all(AgentState::Idle, 3)).await;
    script.play().failing[2] = Some("client 3: killed".to_owned());
    write(&script, 1, PERMISSION);
    until(&mut handle, "one stale", |s| s.agents.iter().filter(|a| a.stale).count() == 1).await;
    tokio::time::sleep(Duration::from_secs(20)).await;
    let lost = Arc::clone(&handle.snapshots.borrow());
    assert_eq!((lost.agents[1].state, lost.agents[1].stale), (AgentState::Idle, true));
    assert_eq!(notices(&lost, "client 3: killed"), 1);
    script.play().failing[2] = None;
    until(&mut handle, "it waits", |s| s.agents[1].state == AgentState::Waiting && !s.agents[1].stale).await;
}

#[tokio::test(start_paused = true)]
async fn a_server_that_ends_after_a_hang_has_its_seconds_to_return() {
    let (script, settings) = fleet(2);
    let mut handle = start(&script, settings);
    until(&mut handle, "all idle", all(AgentState::Idle, 2)).await;
    script.play().unreachable = true;
    tokio::time::sleep(Duration::from_secs(30)).await;
    script.play().gone = true;
    until(&mut handle, "no server", |s| s.server.status == ServerStatus::NoServer).await;
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    assert_eq!(handle.snapshots.borrow().agents.len(), 2, "it may only be restarting");
    until(&mut handle, "they are gone", |s| s.agents.is_empty()).await;
}

#[tokio::test(start_paused = true)]
async fn what_a_hook_says_of_a_quiet_pane_is_noticed_at_the_next_tick() {
    let (script, settings) = fleet(20);
    let mut handle = start(&script, settings);
    until(&mut handle, "all idle", all(AgentState::Idle, 20)).await;
    tokio::time::sleep(Duration::from_secs(20)).await;
    for (word, state) in [("waiting permission", AgentState::Waiting), ("working -", AgentState::Working)] {
        let stored = tokio::time::Instant::now();
        let at = jiff::Timestamp::now().as_millisecond();
        script.play().hooks = vec![(PaneId(7), format!("claude {word} {at}"))];
        let captures = script.play().captures;
        until(&mut handle, "the hook's word", |s| s.agents[7].state == state).await;
        assert!(stored.elapsed() <= Duration::from_millis(260), "{word}: {:?}", stored.elapsed());
        assert!(script.play().captures <= captures + 2, "the others are left alone");
    }
}

#[tokio::test(start_paused = true)]
async fn a_session_s_new_name_is_shown_within_a_second_or_so_and_costs_one_list() {
    let (script, settings) = fleet(5);
    let mut handle = start(&script, settings);
    until(&mut handle, "all idle", all(AgentState::Idle, 5)).await;
    tokio::time::sleep(Duration::from_secs(7)).await;
    let renamed = tokio::time::Instant::now();
    script.play().session = Some("desk".to_owned());
    until(&mut handle, "the new name", |s| s.agents.iter().all(|a| a.target.starts_with("desk:"))).await;
    assert!(renamed.elapsed() <= Duration::from_millis(1_300), "{:?}", renamed.elapsed());
    // A probe each 250 ms, and a list every five seconds, as ever.
    let before = script.play().requests;
    tokio::time::sleep(Duration::from_secs(20)).await;
    let requests = script.play().requests - before;
    assert!(requests <= 20 * 4 + 8, "{requests} requests in twenty quiet seconds");
}
