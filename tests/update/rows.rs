//! Rows stay put: under the cursor, and while states flap.

use tmux_orc::{
    monitor::{AgentState, Snapshot},
    tmux::PaneId,
};

use super::stage;

fn set(next: &mut Snapshot, pane: u32, state: AgentState, kind: Option<&str>, at: jiff::Timestamp) {
    let agent = next.agents.iter_mut().find(|a| a.pane_id == PaneId(pane)).unwrap();
    agent.state = state;
    agent.kind = kind.map(str::to_owned);
    agent.since = at;
}

#[test]
fn a_row_moves_when_its_new_place_has_settled() {
    let mut s = stage();
    let before = s.rows();
    let now = s.state.now;
    s.publish(|next| set(next, 11, AgentState::Idle, None, now));
    assert_eq!(s.rows(), before, "not at once");
    s.wait(1);
    assert_eq!(s.rows(), before);
    s.wait(1);
    assert_ne!(s.rows(), before);
    assert_eq!(s.rows()[9], "api:1.0");
}

#[test]
fn a_state_that_flaps_moves_nothing() {
    let mut s = stage();
    let before = s.rows();
    for _ in 0..5 {
        let now = s.state.now;
        s.publish(|next| set(next, 11, AgentState::Idle, None, now));
        s.wait(1);
        let now = s.state.now;
        s.publish(|next| set(next, 11, AgentState::Working, None, now));
        s.wait(1);
        assert_eq!(s.rows(), before);
    }
}

#[test]
fn who_comes_to_need_the_user_goes_up_at_once_unless_somebody_is_at_the_keys() {
    let mut s = stage();
    let now = s.state.now;
    s.publish(|next| set(next, 11, AgentState::Waiting, Some("permission"), now));
    assert_eq!(s.rows()[2], "api:1.0", "below those that have waited longer");

    s.wait(5);
    s.keys("j");
    let before = s.rows();
    let now = s.state.now;
    s.publish(|next| set(next, 16, AgentState::Waiting, Some("permission"), now));
    assert_eq!(s.rows(), before, "a key was just pressed");
    s.wait(2);
    assert_eq!(s.rows()[3], "api:3.1");
}

#[test]
fn the_cursor_stays_on_its_pane_and_the_pane_at_its_place() {
    let mut s = super::sample::stage::Stage::new(super::sample::snapshot(super::sample::many(100)), 80, 24);
    s.keys("G");
    for _ in 0..30 {
        s.keys("k");
    }
    let (selected, top) = (s.selected().to_owned(), s.state.list.top);
    let line = |s: &super::sample::stage::Stage| s.state.list.cursor(&s.state.fleet).unwrap() - s.state.list.top;
    let at = line(&s);
    s.wait(5);
    let now = s.state.now;
    // One from far below goes to the top.
    let last = s.state.snapshot().agents.iter().rev().find(|a| a.state == AgentState::Idle).unwrap().pane_id;
    s.publish(|next| set(next, last.0, AgentState::Waiting, Some("question"), now));
    assert_eq!(s.selected(), selected);
    assert_eq!(line(&s), at, "the row under the cursor did not move");
    assert_eq!(s.state.list.top, top + 1);
}

#[test]
fn a_list_that_stands_at_its_top_shows_who_comes_to_need_the_user() {
    let mut s = super::sample::stage::Stage::new(super::sample::snapshot(super::sample::many(100)), 120, 35);
    s.keys("g");
    s.keys("j j j j j j");
    s.wait(5);
    assert_eq!(s.state.list.top, 0);
    let now = s.state.now;
    let last = s.state.snapshot().agents.iter().rev().find(|a| a.state == AgentState::Idle).unwrap().pane_id;
    s.publish(|next| set(next, last.0, AgentState::Waiting, Some("question"), now));
    s.check();
    assert_eq!(s.state.list.top, 0, "it stays at its top while the cursor is in view");
}

#[test]
fn a_row_keeps_its_height_till_the_order_has_settled() {
    let mut s = super::sample::stage::Stage::new(super::sample::snapshot(super::sample::asking()), 120, 35);
    let high = |s: &super::sample::stage::Stage| {
        let rows = s.state.list.in_view();
        rows.iter().map(|shown| shown.rows).collect::<Vec<_>>()
    };
    let before = high(&s);
    assert!(before[0] > 1, "{before:?}");
    s.wait(5);
    let now = s.state.now;
    s.publish(|next| {
        let agent = next.agents.iter_mut().find(|a| a.target == "misc:2.0").unwrap();
        (agent.state, agent.kind, agent.asks, agent.since) = (AgentState::Working, None, None, now);
    });
    assert_eq!(high(&s), before, "its rows are its own till then");
    s.wait(3);
    assert_ne!(high(&s), before);
    s.check();
}

#[test]
fn new_rows_find_their_place_and_gone_ones_leave_theirs() {
    let mut s = stage();
    s.keys("j j j");
    assert_eq!(s.selected(), "docs:0.0");
    s.publish(|next| next.agents.retain(|a| a.pane_id != PaneId(20)));
    assert_eq!(s.rows().len(), 11);
    assert_eq!(s.selected(), "api:1.0", "the row that stands there now");
    s.publish(|next| {
        let mut new = next.agents[1].clone();
        new.pane_id = PaneId(99);
        new.target = "new:0.0".into();
        next.agents.push(new);
    });
    assert_eq!(s.rows().len(), 12);
    assert_eq!(s.selected(), "api:1.0");
    s.publish(|next| next.agents.truncate(0));
    assert_eq!(s.selected(), "");
    s.publish(|next| *next = super::twelve());
    assert_eq!(s.selected(), "api:2.0");
}

#[test]
fn a_pane_that_moves_to_another_window_keeps_the_cursor() {
    let mut s = stage();
    s.keys("j");
    s.publish(|next| {
        let agent = next.agents.iter_mut().find(|a| a.pane_id == PaneId(50)).unwrap();
        agent.target = "other:7.3".into();
    });
    assert_eq!(s.selected(), "other:7.3");
}

/// Its state is the same: nothing else says that its row is another.
#[test]
fn a_request_that_goes_on_to_another_one_gets_its_room() {
    let mut s = super::stage();
    s.wait(3);
    let whole: Vec<String> = (1..=6).map(|n| format!(" line {n} of the other request")).collect();
    let other = super::sample::asks("the other request", &whole.join("\n"));
    s.publish(|next| {
        let asks = next.agents.iter_mut().find(|agent| agent.asks.is_some()).expect("one asks");
        asks.asks = Some(other);
    });
    s.wait(3);
    assert!(s.text().contains("line 4 of the other request"), "{}", s.text());
}
