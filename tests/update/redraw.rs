//! A frame is asked for when something visible changed, and only then.

use std::sync::Arc;

use jiff::SignedDuration;
use tmux_orc::app::core::grouping::Grouping;
use tmux_orc::app::core::message::Message;
use tmux_orc::monitor::Link;

use super::{sample::stage::Stage, stage};

#[test]
fn a_snapshot_that_looks_the_same_asks_for_no_frame() {
    let mut s = stage();
    let second = SignedDuration::from_secs(1);
    assert!(!s.publish(|next| {
        next.timestamp += second;
        next.engine.uptime += 1.0;
        next.base_status.uptime += 1.0;
        for agent in &mut next.agents {
            agent.read_at = agent.read_at.map(|at| at + second);
            agent.cpu_percent = agent.cpu_percent.map(|cpu| cpu + 0.001);
            agent.memory_bytes = agent.memory_bytes.map(|bytes| bytes + 100);
        }
        next.history = Arc::new((*next.history).clone());
    }));
}

#[test]
fn each_visible_change_asks_for_one() {
    let changes: Vec<fn(&mut tmux_orc::monitor::Snapshot)> = vec![
        |next| next.agents[0].doing = Some("else".into()),
        |next| next.agents[0].stale = true,
        |next| next.agents[0].activity = vec![1],
        |next| next.agents[0].cpu_percent = Some(55.0),
        |next| next.agents[0].target = "x:1.1".into(),
        |next| next.engine.paused = true,
        |next| next.notes.push("Fell back to spawn".into()),
        |next| next.preview = None,
        |next| next.settings.interval = 2.0,
    ];
    for (i, change) in changes.into_iter().enumerate() {
        assert!(stage().publish(change), "change {i}");
    }
}

#[test]
fn instruments_alone_wait_for_the_second() {
    let changes: Vec<fn(&mut tmux_orc::monitor::Snapshot)> = vec![
        |next| next.connection_pool.active_connections = 9,
        |next| next.cache_performance.config.hits = 9,
        |next| next.cycle.p50_ms = Some(77.0),
        |next| next.cost.cpu_percent = Some(50.0),
        |next| next.strategies[0].p50_ms = Some(1.0),
        |next| Arc::make_mut(&mut next.history).last_mut().unwrap().duration_ms = 9.0,
    ];
    for (i, change) in changes.into_iter().enumerate() {
        let mut snapshot = super::twelve();
        for agent in &mut snapshot.agents {
            agent.since = super::sample::ago(200_000);
        }
        let mut s = Stage::new(snapshot, 140, 42);
        assert!(!s.wait(1), "no age ticks");
        assert!(!s.publish(change), "change {i} asks for no frame of its own");
        assert!(s.wait(1), "change {i} shows at the next tick");
        assert!(!s.wait(1), "once");
    }
}

#[test]
fn what_is_out_of_view_asks_for_none() {
    let mut s = stage();
    s.keys("z");
    assert!(!s.publish(|next| next.connection_pool.active_connections = 9), "the pool is behind the zoomed agents");
    assert!(!s.publish(|next| next.preview = None));
    s.keys("esc");
}

#[test]
fn the_clock_asks_for_a_frame_only_when_a_text_changes() {
    let mut s = stage();
    assert!(s.wait(1), "ages in seconds are in view");

    let mut snapshot = super::twelve();
    for agent in &mut snapshot.agents {
        agent.since = super::sample::ago(200_000);
    }
    let mut s = Stage::new(snapshot, 140, 42);
    s.tell(Message::Tick(super::sample::now()));
    assert!(!s.wait(30), "days do not tick");
    assert!(s.wait(3), "the minute of the header does");
    assert!(!s.wait(50));
}

#[test]
fn messages_that_change_nothing_ask_for_none() {
    let mut s = stage();
    assert!(!s.tell(Message::Resize(140, 42)));
    assert!(!s.tell(Message::Focus(false)));
    assert!(!s.reach(Link::Embedded));
    assert!(!s.tell(Message::Paste("text".into())));
    let size = s.state.list.top;
    s.keys("k");
    assert_eq!(s.state.list.top, size);
    assert!(!s.tell(Message::Key("k".parse().unwrap())), "already at the top");
}

#[test]
fn a_frame_that_would_look_the_same_writes_nothing() {
    use tmux_orc::ui::{Screen, colour::Depth, theme::Theme};
    let themes = Theme::all(None, Depth::True).unwrap();
    let mut s = stage();
    let backend = super::sample::stage::Writes::default();
    let mut screen = Screen::new(backend, 140, 42);
    assert!(screen.draw(&s.state, &themes[0]).unwrap());
    assert!(!screen.draw(&s.state, &themes[0]).unwrap());
    assert_eq!(screen.backend().frames, 1);
    s.keys("j");
    assert!(screen.draw(&s.state, &themes[0]).unwrap());
    let cells = screen.backend().cells;
    assert!(cells > 0 && cells < 140 * 42, "only what differs: {cells}");
}

#[test]
fn a_switch_to_another_engine_is_told_for_some_seconds() {
    let mut s = stage();
    let banner = |s: &Stage| s.state.banner().map_or(String::new(), |(_, words)| words);
    assert!(s.reach(Link::Attached(7)));
    assert!(s.reach(Link::Lost(7)));
    assert!(banner(&s).starts_with("The engine went away"), "{}", banner(&s));
    assert!(s.reach(Link::Embedded));
    s.wait(9);
    assert_eq!(banner(&s), "the engine 7 in the background is gone: watching from inside");
    assert!(s.wait(2) && banner(&s).is_empty(), "{}", banner(&s));
}

#[test]
fn themes_that_are_read_again_keep_the_one_in_use_and_a_beginning_is_no_switch() {
    use tmux_orc::app::core::message::Setup;
    let mut s = stage();
    let themes = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let (keymap, can) = (s.state.keymap.clone(), s.state.can);
    let setup = Setup {
        opening: tmux_orc::app::core::pick::Opening::Panels,
        keymap,
        can,
        themes: themes(&["dark", "mine"]),
        theme: 1,
        ascii: true,
        limit_threshold: 80,
        reduced_motion: false,
        columns: Vec::new(),
        grouping: Grouping::Program,
    };
    assert!(s.tell(Message::Begins(Box::new(setup))));
    assert!(s.state.banner().is_none() && s.state.ascii);
    assert!(s.state.columns.is_empty() && s.state.list.grouping == Grouping::Program);
    s.tell(Message::Themes(themes(&["light", "dark", "mine"])));
    assert_eq!(s.state.theme, 2);
    s.tell(Message::Themes(themes(&["light", "dark"])));
    assert_eq!(s.state.theme, 0);
    assert!(s.tell(Message::Ascii(false)) && !s.tell(Message::Ascii(false)));
}
