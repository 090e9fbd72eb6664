//! Tests of what the parts of a pane do to each other.

use std::sync::Arc;

use super::*;
use crate::monitor::detect::Verdict;
use crate::monitor::{AgentState, Source};
use crate::tmux::PaneId;

fn pulse(activity: i64, pid: u32) -> Pulse {
    Pulse { id: PaneId(1), activity, pid, width: 80, height: 24, dead: false, ..Pulse::default() }
}

/// A pane in which an agent may hide.
fn hiding(now: Instant) -> Tracked {
    Tracked { program: Program::hiding(), ..Tracked::new(pulse(10, 5), now) }
}

fn verdict(state: AgentState) -> Arc<Verdict> {
    Arc::new(Verdict::blank("claude", "", None).say(state, None, "", "", Source::Screen))
}

#[test]
fn a_capture_proves_something_only_after_the_second_of_the_last_output() {
    let now = Instant::now();
    let at = Timestamp::from_second(1_000).unwrap();
    let tracked = Tracked::new(pulse(1_000, 5), now);
    assert!(!tracked.is_settled(at, now));
    assert!(tracked.is_settled(Timestamp::from_second(1_001).unwrap(), now));
    // The clock went back an hour: the output lies in the future, and a monotonic second settles it.
    let back = Timestamp::from_second(1_000 - 3_600).unwrap();
    assert!(!tracked.is_settled(back, now + Duration::from_millis(900)));
    assert!(tracked.is_settled(back, now + Duration::from_millis(1_100)));
}

#[test]
fn fields_that_were_not_asked_for_stay() {
    let now = Instant::now();
    let processes = vec![crate::monitor::detect::Process { pid: 5, ..Default::default() }];
    let mut tracked = Tracked { program: Program::seen(processes), ..Tracked::new(pulse(10, 5), now) };
    assert!(tracked.is_expensive_due(now), "never read");
    let whole = Pane { command: "node".into(), path: "/src".into(), title: "a".into(), ..Pane::default() };
    tracked.describe(whole, Fields::All, now);
    assert!(!tracked.is_expensive_due(now));
    tracked.describe(Pane { title: "b".into(), ..Pane::default() }, Fields::Cheap, now);
    let Pane { command, path, title, .. } = &tracked.pane;
    assert_eq!((command.as_str(), path.as_str(), title.as_str()), ("node", "/src", "b"));
    tracked.program = Program::seen(Vec::new());
    assert!(tracked.is_expensive_due(now), "its processes are not to be seen");
}

#[test]
fn passing_by_is_not_looking() {
    let (now, at) = (Instant::now(), Timestamp::from_second(1_000).unwrap());
    let mut tracked = Tracked::new(pulse(10, 5), now);
    for state in [AgentState::Working, AgentState::Idle] {
        tracked.judge(verdict(state), at, now, Duration::ZERO);
    }
    let mut look = |in_view, after: u64| {
        let pane = Pane { in_view, ..Pane::default() };
        tracked.describe(pane, Fields::All, now + Duration::from_millis(after));
        tracked.record().and_then(|record| record.kind.clone())
    };
    for (in_view, after) in [(true, 0), (true, 500), (false, 1_000), (true, 3_000), (true, 4_500)] {
        assert_eq!(look(in_view, after).as_deref(), Some("done"), "{after}");
    }
    assert_eq!(look(true, 5_100), None, "two seconds are a look");
}

#[test]
fn a_write_that_was_notified_is_read_and_again_if_it_came_during_the_read() {
    let (now, second) = (Instant::now(), Duration::from_secs(1));
    let mut tracked = hiding(now);
    tracked.take_read(1, now, Timestamp::UNIX_EPOCH, false);
    assert!(!tracked.reading().must_be_read());
    tracked.notified(now + second);
    assert!(tracked.reading().must_be_read());
    tracked.take_read(2, now + second, Timestamp::UNIX_EPOCH, true);
    assert!(tracked.reading().must_be_read(), "what was notified since the read began may not be in it");
    tracked.take_read(3, now + second * 2, Timestamp::UNIX_EPOCH, true);
    assert!(!tracked.reading().must_be_read());
}

#[test]
fn only_panes_that_may_hold_an_agent_are_read() {
    let now = Instant::now();
    let mut nobody = Tracked::new(pulse(10, 5), now);
    nobody.take_read(1, now, Timestamp::UNIX_EPOCH, false);
    nobody.notified(now);
    nobody.update(Pulse { hook: 7, ..pulse(10, 5) }, now);
    assert!(!nobody.is_candidate() && !nobody.reading().must_be_read());
    let mut maybe = hiding(now);
    maybe.take_read(1, now, Timestamp::UNIX_EPOCH, false);
    maybe.update(Pulse { hook: 7, ..pulse(10, 5) }, now);
    assert!(maybe.reading().must_be_read(), "a hook says something without any output");
}

#[test]
fn a_pulse_tells_what_is_out_of_date() {
    let now = Instant::now();
    let mut tracked = Tracked::new(pulse(10, 5), now);
    tracked.subscription.subscribe(now, || true);
    assert_eq!(tracked.update(pulse(11, 5), now), OutOfDate::default(), "output");
    assert!(tracked.is_subscribed());
    tracked.update(Pulse { width: 81, ..pulse(11, 5) }, now);
    assert!(!tracked.is_subscribed(), "tmux draws it anew");
    assert!(tracked.update(pulse(11, 6), now).topology, "respawned");
    assert!(tracked.update(Pulse { dead: true, ..pulse(11, 6) }, now).topology);
    assert!(tracked.is_notified(), "what is dead writes nothing");
}

#[test]
fn fields_that_judge_a_pane_make_the_verdict_old() {
    let now = Instant::now();
    let mut tracked = Tracked::new(pulse(10, 5), now);
    tracked.judged_as(7);
    tracked.describe(Pane { path: "/src".into(), ..tracked.pane.clone() }, Fields::All, now);
    assert_eq!(tracked.reading().verdict_key(), Some(7), "its directory judges nobody");
    tracked.describe(Pane { title: "b".into(), ..tracked.pane.clone() }, Fields::All, now);
    assert_eq!(tracked.reading().verdict_key(), None);
}

#[test]
fn an_agent_by_the_settings_alone_is_gone_when_they_say_so_no_more() {
    let (now, at) = (Instant::now(), Timestamp::UNIX_EPOCH);
    let named = |agent: &str| NamedAgent { target: "%1".into(), name: None, agent: Some(agent.to_owned()) };
    let mut tracked = Tracked::new(pulse(10, 5), now);
    assert_eq!(tracked.set_named(Some(named("claude"))), None);
    tracked.take_read(1, now, at, false);
    tracked.judge(verdict(AgentState::Idle), at, now, Duration::ZERO);
    assert_eq!(tracked.set_named(Some(named("claude"))), None, "as before");
    assert!(tracked.is_unread(), "it is read at once, whatever its turn would be");
    assert!(
        matches!(tracked.set_named(Some(named("codex"))), Some(EventKind::Gone { agent, .. }) if agent == "claude")
    );
    assert!(tracked.record().is_none());
}

#[test]
fn an_agent_that_ended_in_order_is_dismissed_when_its_user_saw_it() {
    let (now, at) = (Instant::now(), Timestamp::UNIX_EPOCH);
    let ended = |alternate_on| {
        let mut tracked = Tracked::new(pulse(10, 5), now);
        tracked.judge(verdict(AgentState::Working), at, now, Duration::ZERO);
        let pane = Pane { in_view: true, alternate_on, ..Pane::default() };
        tracked.describe(pane.clone(), Fields::All, now);
        tracked.judge(verdict(AgentState::Exited), at, now, Duration::ZERO);
        assert!(tracked.pass_time(at, now + DWELL, Duration::ZERO).is_empty(), "not looked at since");
        let later = now + DWELL * 2;
        tracked.describe(pane, Fields::All, later);
        let events = tracked.pass_time(at, later, Duration::ZERO);
        (events.len(), tracked.occupant().is_over())
    };
    assert_eq!(ended(false), (1, true));
    assert_eq!(ended(true), (0, false), "it was killed: it did not give the screen back");
}
