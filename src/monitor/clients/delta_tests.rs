//! A delta put on the snapshot before gives the one after, whichever two snapshots those are.

use proptest::prelude::*;

use super::*;
use crate::monitor::engine::core::Core;
use crate::monitor::{AgentState, EngineSettings, EventKind, Health};
use crate::tmux::Server;
use crate::tmux::scripted::Script;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + second).unwrap()
}

fn blank() -> Snapshot {
    let mut blank = Core::new(Server::scripted(Script::default()), EngineSettings::default()).unwrap().snapshot();
    blank.strategies.clear();
    blank
}

/// An agent in one of few shapes, so that two snapshots have some in common.
fn agent(pane: u32, shape: u8, look: i64) -> Agent {
    let blank = serde_json::json!({ "pane_id": format!("%{pane}") });
    let mut agent: Agent = serde_json::from_value(blank).unwrap();
    agent.target = format!("s:{shape}.0");
    agent.state = if shape.is_multiple_of(2) { AgentState::Idle } else { AgentState::Waiting };
    agent.health = if shape.is_multiple_of(3) { Health::Critical } else { Health::Healthy };
    agent.doing = (shape > 2).then(|| format!("doing {shape}"));
    agent.activity = vec![shape % 8; 4];
    agent.read_at = Some(at(look));
    agent.last_change = at(look / 2);
    agent
}

prop_compose! {
    /// A snapshot of an engine that has published `point` of them.
    fn snapshot(point: u64)(
        agents in proptest::collection::btree_map(0_u32..12, (0_u8..6, 0_i64..4), 0..10),
        order in Just((0_u32..12).collect::<Vec<_>>()).prop_shuffle(),
        notes in proptest::collection::vec("[a-c]{1,2}", 0..3),
        numbers in (0_u64..3, 0_u32..3, 0_usize..3, any::<bool>(), 0_u8..3),
        had in 0_u64..300,
    ) -> Snapshot {
        let mut snapshot = blank();
        snapshot.engine.started = at(0);
        snapshot.timestamp = at(point as i64);
        snapshot.agents = order
            .iter()
            .filter_map(|pane| agents.get(pane).map(|(shape, look)| agent(*pane, *shape, *look)))
            .collect();
        let (cycle, cost, pool, paused, words) = numbers;
        snapshot.notes = notes;
        snapshot.base_status.cycle_count = cycle;
        snapshot.base_status.count(&snapshot.agents);
        snapshot.health_summary = HealthSummary::of(&snapshot.agents);
        snapshot.cost.threads = Some(u64::from(cost));
        snapshot.connection_pool.pool_size = pool;
        snapshot.settings.pool_max = pool;
        (snapshot.engine.paused, snapshot.engine.uptime) = (paused, point as f64);
        snapshot.current_strategy = format!("strategy {words}");
        snapshot.server.problem = (words > 1).then(|| "gone".to_owned());
        snapshot.tune = vec![TuneRow { cycles: cycle, ..TuneRow::default() }];
        snapshot.accounts = vec![Account { name: format!("{words}"), ..Account::default() }];
        // What happened goes on: its newest is that of this moment.
        let newest = had + point * 20;
        let kept = |most: usize| newest.saturating_sub(most as u64) + 1..=newest;
        let event = |seq| Event {
            seq,
            at: at(seq as i64),
            what: EventKind::Notice { text: format!("{seq}"), problem: false },
        };
        snapshot.events = Arc::new(kept(EVENTS_KEPT).map(event).collect());
        let point = |cycle| CyclePoint { cycle, ..CyclePoint::default() };
        snapshot.history = Arc::new(kept(HISTORY_POINTS).map(point).collect());
        let half_minute = |n| HourPoint { n, cycles: n, ..HourPoint::default() };
        snapshot.hour = Arc::new(kept(HOUR_POINTS).map(half_minute).collect());
        snapshot
    }
}

/// As it is sent and read.
fn sent(delta: &Delta) -> Delta {
    serde_json::from_str(&serde_json::to_string(delta).unwrap()).unwrap()
}

/// Without what is no reason to send an agent, and without the instruments.
fn bare(snapshot: &Snapshot, like: &Snapshot) -> Snapshot {
    let mut bare = like.clone();
    let Snapshot { timestamp, server, engine, health_summary, events, notes, agents, accounts, .. } = snapshot.clone();
    (bare.timestamp, bare.server, bare.engine, bare.events) = (timestamp, server, engine, events);
    (bare.health_summary, bare.notes, bare.agents, bare.accounts) = (health_summary, notes, agents, accounts);
    bare.base_status.active_agents = snapshot.base_status.active_agents;
    bare.base_status.idle_agents = snapshot.base_status.idle_agents;
    bare.engine.uptime = 0.0;
    for agent in &mut bare.agents {
        (agent.read_at, agent.last_change) = (None, Timestamp::UNIX_EPOCH);
    }
    bare
}

proptest! {
    #[test]
    fn what_differs_put_on_the_one_before_gives_the_one_after(old in snapshot(1), new in snapshot(2)) {
        match Delta::between(&old, &new, Some(&old)) {
            Some(delta) => prop_assert_eq!(sent(&delta).apply(&old), new.clone()),
            // Some events were never seen between the two: what was kept of them does not go on.
            None => prop_assert!(new.events[0].seq > old.events.last().map_or(0, |event| event.seq) + 1
                || new.events.last().map(|event| event.seq) < old.events.last().map(|event| event.seq)),
        }
        if let Some(delta) = Delta::between(&old, &new, None) {
            prop_assert!(delta.head.is_none());
            let made = sent(&delta).apply(&old);
            prop_assert_eq!(bare(&made, &old), bare(&new, &old));
            prop_assert!(!made.instruments, "it says that they are of an earlier one");
            prop_assert_eq!((made.tune, made.history, made.hour), (old.tune, old.history, old.hour), "the instruments stay");
        }
    }

    #[test]
    fn instruments_that_are_asked_for_later_are_all_there_at_once(
        old in snapshot(1), between in snapshot(2), new in snapshot(3)
    ) {
        let Some(without) = Delta::between(&old, &between, None) else { return Ok(()) };
        let shown = sent(&without).apply(&old);
        // Nothing may have been published since.
        for next in [&new, &between] {
            if let Some(begins) = Delta::between(&between, next, Some(&old)) {
                prop_assert_eq!(&sent(&begins).apply(&shown), next);
            }
        }
    }

    #[test]
    fn nothing_but_the_time_differs_where_nothing_does(one in snapshot(1)) {
        let mut later = one.clone();
        later.timestamp = at(99);
        for agent in &mut later.agents {
            agent.read_at = Some(at(99));
        }
        let delta = Delta::between(&one, &later, None).unwrap();
        prop_assert_eq!(&delta, &Delta { timestamp: at(99), ..Delta::default() });
        prop_assert!(serde_json::to_string(&delta).unwrap().len() < 60);
        let looked = Delta::between(&one, &later, Some(&one)).unwrap();
        prop_assert!(looked.agents.is_empty(), "to be looked at is no difference");
        prop_assert_eq!(looked.apply(&one), later);
    }
}

#[test]
fn an_agent_whose_figures_alone_go_on_is_not_sent_whole() {
    let mut old = blank();
    old.agents = (0..40).map(|pane| agent(pane, 3, 1)).collect();
    for agent in &mut old.agents {
        agent.activity = vec![0, 0, 7, 3];
        (agent.cpu_percent, agent.memory_bytes) = (Some(0.3), Some(90 << 20));
    }
    let mut new = old.clone();
    new.timestamp = at(5);
    for agent in &mut new.agents {
        agent.activity = vec![0, 7, 3, 0];
        agent.read_at = Some(at(4));
    }
    new.agents[1].cpu_percent = Some(2.5);
    new.agents[2].doing = Some("something new".to_owned());
    new.agents[3].activity = vec![0, 7, 3, 5];
    new.agents[4].memory_bytes = Some((90 << 20) + 512);
    for instruments in [None, Some(&old)] {
        let whole = Delta::between(&old, &new, instruments).unwrap();
        assert_eq!(whole.agents.len(), 40, "for who does not take them by themselves");
        let small = sent(&whole.with_figures(&old));
        let panes = |agents: &Agents| agents.iter().map(|agent| agent.pane_id.0).collect::<Vec<_>>();
        assert_eq!(panes(&small.agents), [2]);
        assert_eq!(small.figures.iter().map(|figures| figures.pane_id.0).collect::<Vec<_>>(), [1, 3]);
        assert_eq!(small.rested.len(), 37);
        let made = small.apply(&old);
        let mut wanted = new.agents.clone();
        wanted[4].memory_bytes = Some(90 << 20);
        if instruments.is_none() {
            // When it was looked at comes with the agent alone.
            let whole = wanted.iter_mut().filter(|agent| agent.pane_id.0 != 2);
            whole.for_each(|agent| agent.read_at = Some(at(1)));
        }
        assert_eq!(made.agents, wanted);
    }
    // All of them at rest: a word for each.
    new.agents = old.agents.clone();
    new.agents.iter_mut().for_each(|agent| agent.activity = vec![0, 7, 3, 0]);
    let small = Delta::between(&old, &new, None).unwrap().with_figures(&old);
    assert!(serde_json::to_string(&small).unwrap().len() < 350, "{small:?}");
    // Slices that stand still bring nothing.
    let mut still = old.clone();
    still.agents.iter_mut().for_each(|agent| agent.activity = vec![0; 4]);
    let mut later = still.clone();
    later.agents.iter_mut().for_each(|agent| agent.memory_bytes = Some((90 << 20) + 1));
    let small = Delta::between(&still, &later, None).unwrap().with_figures(&still);
    assert_eq!(small, Delta { timestamp: still.timestamp, ..Delta::default() });
}

#[test]
fn another_engine_s_snapshot_is_no_difference() {
    let one = blank();
    let mut other = one.clone();
    other.engine.pid += 1;
    assert_eq!(Delta::between(&one, &other, Some(&one)), None);
    other = one.clone();
    other.schema += 1;
    assert_eq!(Delta::between(&one, &other, Some(&one)), None);
    other = one.clone();
    other.agents = vec![agent(1, 1, 1), agent(1, 2, 1)].into();
    assert_eq!(Delta::between(&one, &other, Some(&one)), None, "two agents in one pane");
}

#[test]
fn a_screen_that_is_gone_is_not_one_that_is_as_before() {
    let read = |text: &str| serde_json::from_str::<Delta>(text).unwrap().preview;
    assert_eq!(read("{}"), None);
    assert_eq!(read(r#"{"preview":null}"#), Some(None));
    assert_eq!(sent(&Delta { preview: Some(None), ..Delta::default() }).preview, Some(None));
}
