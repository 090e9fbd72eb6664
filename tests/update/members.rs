//! Two tmux servers whose panes have the same numbers: each row, key and effect is of its own one.

use std::sync::Arc;

use tmux_orc::app::Effect;
use tmux_orc::app::core::act::Act;
use tmux_orc::app::core::fleet::{AgentKey, Fleet, Host, Label, Member, MemberId};
use tmux_orc::app::core::message::{Hit, Message, Mouse};
use tmux_orc::monitor::{AgentState, Command, Event, EventKind, Link, LinkState, Preview, Snapshot};

use super::sample::stage::Stage;

const OTHER: MemberId = MemberId(4);

/// The first member as in the samples, and one more with the same panes whose places begin with `far`.
fn two() -> Stage {
    let mut s = super::stage();
    let other = s.state.snapshot().as_ref().clone();
    join(&mut s, other, |other| {
        for agent in &mut other.agents {
            agent.target = format!("far{}", agent.target);
        }
        other.current_strategy = "polling".into();
    });
    s.effects();
    s
}

fn join(s: &mut Stage, mut other: Snapshot, change: impl FnOnce(&mut Snapshot)) {
    change(&mut other);
    other.preview = None;
    let label = Label { host: None, server: "work".into() };
    let member = Member { id: OTHER, label, link: Link::Embedded, snapshot: Arc::new(other) };
    s.tell(Message::Fleet(Fleet::new(s.state.fleet.first().clone(), [member])));
}

/// The other member publishes.
fn publish(s: &mut Stage, change: impl FnOnce(&mut Snapshot)) -> bool {
    let mut next = Snapshot::clone(&s.state.fleet.member(OTHER).unwrap().snapshot);
    change(&mut next);
    s.tell(Message::Fleet(s.state.fleet.with_snapshot(OTHER, Arc::new(next))))
}

#[test]
fn the_same_pane_of_two_servers_is_two_rows() {
    let mut s = two();
    let rows = s.rows();
    assert_eq!(rows.len(), 24);
    assert!(rows.contains(&"api:2.0".to_owned()) && rows.contains(&"farapi:2.0".to_owned()), "{rows:?}");
    s.check();
    s.keys("g");
    for row in 0..24 {
        let expected = s.rows()[row].clone();
        assert_eq!(s.selected(), expected, "the cursor goes through all of them");
        s.keys("j");
    }
}

#[test]
fn keys_go_to_the_server_of_the_agent_under_the_cursor() {
    let mut s = two();
    s.types("/");
    s.types("farapi:2.0");
    s.keys("enter");
    assert_eq!(s.selected(), "farapi:2.0");
    let pane = s.state.list.selected.unwrap().pane;
    assert_eq!(s.state.snapshot().current_strategy, "polling", "the engine that is shown is its own");
    let effects = s.effects();
    let focus = |member, pane| Effect::Engine(member, Command::Focus(pane));
    assert_eq!(effects[effects.len() - 2..], [focus(MemberId::FIRST, None), focus(OTHER, Some(pane))]);
    s.keys("enter");
    assert_eq!(s.effects(), [Effect::Act(OTHER, Act::Jump { pane })]);
    s.keys("+");
    assert!(matches!(s.effects()[..], [Effect::Ask(_, OTHER, Command::PoolSize(_))]));
    assert!(s.state.pending_pool().is_some());
    s.keys("esc");
    s.tell(Message::Fleet(s.state.fleet.clone()));
    let near = s.state.fleet.keyed().find(|(key, _)| key.member == MemberId::FIRST).unwrap().0;
    s.tell(Message::Mouse(Mouse::Click, Some(Hit::Agent(near))));
    assert_eq!(s.state.pending_pool(), None, "the other engine was not asked");
}

#[test]
fn a_screen_of_one_server_is_never_taken_for_that_of_another() {
    let mut s = two();
    let waiting = s.state.fleet.agents().find(|agent| agent.state == AgentState::Waiting).unwrap();
    let (pane, far) = (waiting.pane_id, format!("far{}", waiting.target));
    publish(&mut s, |next| {
        let preview = Preview { pane_id: pane, text: "the far screen".into(), captured_at: next.timestamp, above: 0 };
        next.preview = Some(Arc::new(preview));
    });
    let key = |member| AgentKey { member, pane };
    assert!(s.state.fleet.preview(key(OTHER)).is_some());
    s.types("/");
    s.types(&far);
    s.keys("enter");
    assert!(s.text().contains("the far screen"), "{}", s.text());
    s.keys("esc");
    s.tell(Message::Mouse(Mouse::Click, Some(Hit::Agent(key(MemberId::FIRST)))));
    assert!(!s.text().contains("the far screen"), "{}", s.text());
}

#[test]
fn a_place_of_another_host_is_copied_without_what_a_shell_obeys() {
    let mut s = two();
    publish(&mut s, |next| {
        next.agents.truncate(1);
        (next.agents[0].host, next.agents[0].server) = (Some("box".into()), "default".into());
        next.agents[0].target = "a$(reboot);b:1.0".into();
    });
    s.types("/");
    s.types("reboot");
    s.keys("enter");
    s.effects();
    s.keys("Y");
    assert_eq!(s.effects(), [Effect::CopyText("arebootb:1.0@box".to_owned())]);
}

#[test]
fn a_member_that_goes_takes_its_rows_along() {
    let mut s = two();
    s.types("/");
    s.types("farapi:2.0");
    s.keys("enter esc");
    assert_eq!(s.selected(), "farapi:2.0");
    assert!(s.tell(Message::Fleet(Fleet::new(s.state.fleet.first().clone(), []))));
    assert_eq!(s.rows().len(), 12);
    assert!(s.state.selected().is_some(), "the row that stands there now has the cursor");
    s.check();
}

#[test]
fn news_of_each_server_are_told_once() {
    let mut s = two();
    let last = s.state.snapshot().events.last().cloned().unwrap();
    let told = |s: &Stage| s.state.toasts.iter().map(|toast| toast.text.clone()).collect::<Vec<_>>();
    assert_eq!(told(&s), Vec::<String>::new(), "what a member tells that has just come is no news");
    publish(&mut s, |next| {
        let what = EventKind::Notice { text: "far trouble".into(), problem: true };
        let event = Event { seq: last.seq + 1, at: next.timestamp, what };
        let events = next.events.iter().cloned().chain([event]).collect();
        next.events = Arc::new(events);
    });
    assert_eq!(told(&s), ["far trouble"]);
    s.publish(|_| {});
    assert_eq!(told(&s), ["far trouble"]);
}

/// Both as in [`two`], but the other one on the host `box`, whose snapshots come without instruments.
fn remote() -> Stage {
    let mut s = two();
    let mut other = s.state.fleet.member(OTHER).unwrap().clone();
    other.label.host = Some("box".into());
    other.snapshot = Arc::new(Snapshot { instruments: false, ..Snapshot::clone(&other.snapshot) });
    s.tell(Message::Fleet(Fleet::new(s.state.fleet.first().clone(), [other])));
    s.effects();
    s
}

/// What members were asked for of instruments, since the last look.
fn asked(s: &mut Stage) -> Vec<(MemberId, bool)> {
    let of = |effect| if let Effect::Engine(id, Command::Instruments(on)) = effect { Some((id, on)) } else { None };
    s.effects().into_iter().filter_map(of).collect()
}

#[test]
fn a_remote_engine_says_what_its_watching_costs_while_that_is_in_view() {
    let mut s = remote();
    assert_eq!(asked(&mut s), [], "nobody looks at it");
    s.keys("g");
    let click = |s: &mut Stage, member| {
        let key = s.state.fleet.keyed().find(|(key, _)| key.member == member).unwrap().0;
        s.tell(Message::Mouse(Mouse::Click, Some(Hit::Agent(key))));
    };
    click(&mut s, OTHER);
    assert_eq!(asked(&mut s), [(OTHER, true)]);
    s.tell(Message::Fleet(s.state.fleet.clone()));
    assert_eq!(asked(&mut s), [], "asked once");
    // It was not handed on: it is asked for again.
    s.tell(Message::NotSent(Effect::Engine(OTHER, Command::Instruments(true))));
    publish(&mut s, |_| {});
    assert_eq!(asked(&mut s), [(OTHER, true)]);
    click(&mut s, MemberId::FIRST);
    assert_eq!(asked(&mut s), [(OTHER, false)], "and none of the engine here, which says it always");
    click(&mut s, OTHER);
    assert_eq!(asked(&mut s), [(OTHER, true)]);
    // The list alone has the screen.
    s.keys("z");
    assert!(!s.state.viewport.instruments);
    assert_eq!(asked(&mut s), [(OTHER, false)]);
    s.keys("z t");
    assert_eq!(asked(&mut s), [(OTHER, true)]);
}

#[test]
fn what_an_engine_has_not_said_is_shown_by_no_number() {
    let mut s = remote();
    let key = s.state.fleet.keyed().find(|(key, _)| key.member == OTHER).unwrap().0;
    s.tell(Message::Mouse(Mouse::Click, Some(Hit::Agent(key))));
    let unknown = s.text();
    for part in ["Pool box/work", "Cache box/work", "Cycle box/work", "Cost box/work", "Strategy box/work", "every -"] {
        assert!(unknown.contains(part), "{part} is missing:\n{unknown}");
    }
    assert!(!unknown.contains("polling") && !unknown.contains("in use"), "{unknown}");
    assert!(publish(&mut s, |next| next.instruments = true), "shown at once");
    let known = s.text();
    assert!(known.contains("in use") && known.contains("every 1s") && !known.contains("every -"), "{known}");
}

/// A dashboard of that host alone: nothing of this machine tells the time.
#[test]
fn the_agents_of_a_lost_host_fold_when_nobody_publishes_any_more() {
    let mut s = super::stage();
    let mut theirs = s.state.snapshot().as_ref().clone();
    for agent in &mut theirs.agents {
        agent.host = Some("box".into());
    }
    let label = Label { host: Some("box".into()), server: "default".into() };
    let member = Member { label, snapshot: Arc::new(theirs), ..s.state.fleet.first().clone() };
    let since = s.state.now;
    let state = LinkState::Down { why: "Connection timed out".into(), since, next: since };
    let host = Host { name: "box".into(), state, version: None, last_heard: Some(since), read_only: false };
    s.tell(Message::Fleet(Fleet::new(member, []).with_hosts(vec![host])));
    s.wait(590);
    assert_eq!(s.rows().len(), 12);
    assert!(s.wait(20), "it is drawn");
    assert_eq!(s.rows(), Vec::<String>::new());
    assert!(s.text().contains("box: unreachable for 10m"), "{}", s.text());
}
