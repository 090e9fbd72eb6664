//! What the door lets in, and as what.

use super::*;
use crate::monitor::engine::core::Core;
use crate::monitor::{Agent, AgentState, Choice, EngineSettings, Event, EventKind, Limit, Preview};
use crate::tmux::scripted::Script;
use crate::tmux::{PaneId, Server};

const HOSTILE: &str = "\u{1b}]0;owned\u{7}\u{1b}[2J\u{9b}\u{202e}\u{200b}";

fn now() -> Timestamp {
    Timestamp::from_second(1_795_539_600).unwrap()
}

fn blank() -> Snapshot {
    Core::new(Server::scripted(Script::default()), EngineSettings::default()).unwrap().snapshot()
}

fn agent(pane: u32) -> Agent {
    serde_json::from_value(serde_json::json!({ "pane_id": format!("%{pane}"), "target": "s:1.0" })).unwrap()
}

fn with(agents: Vec<Agent>) -> Snapshot {
    Snapshot { agents: agents.into(), timestamp: now(), ..blank() }
}

fn admitted(snapshot: Snapshot, remote: bool) -> Snapshot {
    Door::new(remote).snapshot(snapshot, now()).unwrap().into_inner()
}

#[test]
fn what_is_good_stays_as_it_is() {
    let mut good = agent(1);
    good.doing = Some("Grüße, 世界 👩‍💻".to_owned());
    good.since = now();
    good.reset_at = Some(now() + SignedDuration::from_hours(24 * 7));
    good.context_percent = Some(34.0);
    good.cpu_percent = Some(640.0);
    good.asks = Some(crate::monitor::Asks { line: "rm x".into(), full: "Bash\n rm x\n\nSure?".into() });
    good.choices = vec![Choice { label: "Yes".into(), keys: vec!["1".into()], selected: true }];
    let mut sent = with(vec![good]);
    sent.preview = Some(Arc::new(Preview {
        pane_id: PaneId(1),
        text: "\u{1b}[1mbold\u{1b}[0m\n\nend\n".into(),
        captured_at: now(),
        above: 0,
    }));
    sent.tiles = vec![Arc::new(Preview { pane_id: PaneId(2), text: "end\n".into(), captured_at: now(), above: 9 })];
    sent.engine.started = Timestamp::UNIX_EPOCH;
    let screens = sent.preview.iter().chain(&sent.tiles).cloned().collect();
    assert_eq!(admitted(sent.clone(), false), Snapshot { previews: screens, ..sent });
}

#[test]
fn words_are_cleaned_and_cut_and_numbers_and_times_come_to_their_ranges() {
    let mut strange = agent(1);
    strange.target = format!("{HOSTILE}{}", "t".repeat(100_000));
    strange.title = HOSTILE.to_owned();
    strange.server = HOSTILE.into();
    strange.context_percent = Some(1e308);
    strange.cpu_percent = Some(f64::NAN);
    strange.cost_usd = Some(-1.0);
    strange.memory_bytes = Some(u64::MAX);
    strange.since = Timestamp::MAX;
    strange.last_change = Timestamp::MIN;
    strange.reset_at = Some(Timestamp::MAX);
    strange.activity = vec![200; 1000];
    strange.choices = vec![Choice { label: HOSTILE.into(), keys: vec![HOSTILE.into(); 99], selected: false }; 99];
    strange.limits = vec![Limit { used_percent: f64::INFINITY, ..Limit::default() }; 99];
    strange.evidence.rows = Some((9, 2));
    let got = &admitted(with(vec![strange]), false).agents[0];
    assert_eq!(
        (got.target.len(), got.target.chars().all(|c| c == 't'), &*got.title, &*got.server),
        (200, true, "", "")
    );
    assert_eq!((got.context_percent, got.cpu_percent, got.cost_usd), (Some(100.0), None, Some(0.0)));
    assert_eq!(got.since, now() + SignedDuration::from_hours(1));
    assert_eq!(got.last_change, now() - SignedDuration::from_hours(24 * 365));
    assert_eq!(got.reset_at, Some(now() + SignedDuration::from_hours(24 * 365)));
    assert_eq!((got.activity.len(), got.activity[0], got.choices.len(), got.choices[0].keys.len()), (64, 7, 20, 32));
    assert_eq!((got.limits.len(), got.limits[0].used_percent, got.evidence.rows), (16, 0.0, None));
    assert!(got.memory_bytes.unwrap().checked_mul(20_000).is_some(), "all of them can be added up");
}

#[test]
fn a_pane_holds_one_agent_and_a_server_not_too_many() {
    let twice = with(vec![agent(1), Agent { state: AgentState::Waiting, ..agent(1) }, agent(2)]);
    assert_eq!(admitted(twice, true).agents.len(), 2);
    let many = with((0..10_000).map(agent).collect());
    assert_eq!(Door::new(true).snapshot(many.clone(), now()), Err(NotAdmitted::Agents(2000)));
    assert_eq!(admitted(many, false).agents.len(), 10_000, "ten thousand panes of this machine are all there");
    // Nor do they come bit by bit.
    let door = Door::new(true);
    let mut latest = door.snapshot(with((0..2000).map(agent).collect()), now()).unwrap().shared();
    let change = |pane| Delta { agents: vec![agent(pane)].into(), timestamp: now(), ..Delta::default() };
    latest = door.put_on(door.delta(change(7), now()).unwrap(), &latest).unwrap().shared();
    let more = door.delta(change(2000), now()).unwrap();
    assert_eq!(door.put_on(more, &latest), Err(NotAdmitted::Agents(2000)));
}

#[test]
fn a_remote_s_keys_are_not_taken_and_its_times_are_right_by_its_clock() {
    let mut asks = agent(1);
    asks.choices = vec![Choice { label: "Yes".into(), keys: vec!["1".into()], selected: true }];
    let yesterday = now() - SignedDuration::from_hours(24);
    asks.since = now() + SignedDuration::from_hours(24);
    assert!(admitted(with(vec![asks.clone()]), true).agents[0].choices[0].keys.is_empty());
    let hello = EngineHello { at: Some(asks.since), ..EngineHello::default() };
    let ahead = Door::new(true).by_the_clock_of(&hello, now());
    assert_eq!(ahead.snapshot(with(vec![asks.clone()]), now()).unwrap().agents[0].since, asks.since);
    let hello = EngineHello { at: Some(yesterday), ..EngineHello::default() };
    let behind = Door::new(true).by_the_clock_of(&hello, now());
    let since = behind.snapshot(with(vec![asks]), now()).unwrap().agents[0].since;
    assert_eq!(since, yesterday + SignedDuration::from_hours(1));
}

#[test]
fn a_screen_keeps_its_colours_and_nothing_else_and_has_an_end() {
    let row = format!("\u{1b}[31m{HOSTILE}{}\u{1b}[0m\n", "x".repeat(5000));
    let mut sent = with(Vec::new());
    sent.preview = Some(Arc::new(Preview { pane_id: PaneId(1), text: row.repeat(700), captured_at: now(), above: 0 }));
    let got = admitted(sent, false).preview.unwrap();
    assert_eq!(got.text.lines().count(), 500);
    let wanted = format!("\u{1b}[31m{}", "x".repeat(1000));
    assert!(
        got.text.lines().all(|row| row.strip_suffix("\u{1b}[0m").unwrap_or(row) == wanted),
        "{:?}",
        got.text.lines().next()
    );
}

#[test]
fn the_newest_events_and_notes_are_let_in() {
    let event = |seq| Event { seq, at: now(), what: EventKind::Notice { text: HOSTILE.into(), problem: false } };
    let mut sent = with(Vec::new());
    sent.events = Arc::new((1..=5000).map(event).collect());
    sent.notes = (0..50).map(|n| format!("{n}{}", "n".repeat(9000))).collect();
    let got = admitted(sent, false);
    assert_eq!((got.events.len(), got.events[199].seq), (200, 5000));
    assert_eq!((got.notes.len(), got.notes[7].len(), got.notes[7].starts_with("49")), (8, 500, true));
    assert!(got.events.iter().all(|event| matches!(&event.what, EventKind::Notice { text, .. } if text.is_empty())));
}

#[test]
fn no_word_of_a_sentence_steers_or_goes_on_for_ever() {
    let said = words(&format!("the engine refused: {HOSTILE}{}", "no ".repeat(9000)));
    assert!(said.starts_with("the engine refused: no no") && said.chars().count() == 500);
    assert!(crate::tmux::is_clean(&said));
    let reason = format!("{HOSTILE}no room");
    let Ok(Received::Refused(reason)) = Door::new(false).said(FromEngine::Refused { reason }, now()) else {
        panic!("refused")
    };
    assert_eq!(&*reason, "no room");
}
