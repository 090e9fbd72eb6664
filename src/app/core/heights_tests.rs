//! How many rows each line has.

use std::sync::Arc;

use super::*;
use crate::app::core::fixture::{test_agent, test_snapshot};
use crate::app::core::list::{List, Sort};
use crate::monitor::{AgentState, Asks, Snapshot};

const ROOM: Room = Room { rows: 33, cells: 60, details: true };

/// Each asks so many rows.
fn plan(room: Room, agents: usize, (asking, each): (usize, usize), before: Option<Plan>) -> Plan {
    Plan::of(room, Counts { agents, others: 0, asking, rows: asking * each }, before)
}

#[test]
fn a_level_comes_where_there_is_room_to_spare_and_goes_where_there_is_none() {
    let level = |agents, before| plan(ROOM, agents, (0, 0), before).level;
    assert_eq!([1, 8, 9, 12, 13, 100].map(|agents| level(agents, None)), [3, 3, 2, 2, 1, 1]);
    let with = |level| Some(Plan { level, ..Plan::default() });
    assert_eq!([9, 10, 14, 15].map(|agents| level(agents, with(3))), [3, 2, 2, 1], "it stays a little longer");
    assert_eq!(plan(ROOM, 12, (4, 1), None).level, 2);
    assert_eq!(plan(ROOM, 12, (4, 3), None).level, 1, "requests come first");
    assert_eq!(plan(Room { details: false, ..ROOM }, 1, (0, 0), None).level, 1);
    assert_eq!(plan(Room { cells: 0, ..ROOM }, 1, (1, 1), None), Plan::default());
}

#[test]
fn requests_are_shown_in_full_where_there_is_room_and_else_evenly() {
    let share = |rows, agents, asking| plan(Room { rows, ..ROOM }, agents, asking, None).share;
    assert_eq!(share(9, 12, (2, 1)), 0, "a small list that is full stays as it is");
    assert_eq!(share(9, 5, (2, 2)), MOST);
    assert_eq!(share(9, 5, (2, 3)), 2);
    assert_eq!(share(18, 12, (2, 2)), MOST);
    assert_eq!(share(18, 60, (2, 2)), 3, "others are further down");
    assert_eq!([1, 2, 3, 4, 5, 8, 9].map(|asking| share(33, 60, (asking, 9))), [5, 5, 2, 2, 1, 1, 1]);
    assert_eq!(share(60, 1, (1, 14)), MOST);
    assert_eq!(share(60, 1, (0, 0)), 0);
}

#[test]
fn what_short_requests_leave_goes_to_long_ones() {
    assert_eq!(passed_on(&[1, 1, 9], 9, 3, 0), 7);
    assert_eq!(passed_on(&[9, 9, 9], 9, 3, 0), 3, "nobody leaves anything");
    assert_eq!(passed_on(&[9, 9, 9], 9, 1, 0), 3);
    assert_eq!(passed_on(&[1, 1, 9], 10, 3, 7), 7, "a row more moves nothing");
    assert_eq!(passed_on(&[1, 1, 9], 11, 3, 7), MOST, "two do");
    assert_eq!(passed_on(&[1, 4, 9], 9, 3, 7), 4, "there is no room for it any more");
    assert_eq!(passed_on(&[1; 50], 9, 1, 0), 1, "a row for each in any case");
}

#[test]
fn one_who_asks_more_or_less_changes_no_other_row() {
    let mut now = plan(ROOM, 60, (2, 1), None);
    let mut steps = |asking| {
        now = plan(ROOM, 60, (asking, 3), Some(now));
        (now.askers, now.demand)
    };
    assert_eq!([3, 2, 3, 2, 1].map(&mut steps), [(4, 9), (4, 9), (4, 9), (4, 9), (2, 4)]);
    for rows in 0..80 {
        for agents in 0..90 {
            for asking in 0..agents {
                for each in [1, 3, 14] {
                    let plan = plan(Room { rows, ..ROOM }, agents, (asking, each), None);
                    let again = Counts { agents, others: 0, asking, rows: asking * each };
                    assert_eq!(Plan::of(Room { rows, ..ROOM }, again, Some(plan)), plan, "it stands");
                    let used = plan.share.min(each) * asking;
                    assert!(plan.share < 2 || used <= rows, "{rows} {agents} {asking} {each}: {plan:?}");
                }
            }
        }
    }
}

fn asking(panes: &[(u32, &str)]) -> Fleet {
    let agents = panes.iter().map(|(pane, asks)| {
        let mut agent = test_agent(*pane, if asks.is_empty() { AgentState::Working } else { AgentState::Waiting });
        agent.asks = (!asks.is_empty()).then(|| Asks { line: (*asks).to_owned(), full: String::new() });
        agent
    });
    Arc::new(Snapshot { agents: agents.collect(), ..test_snapshot() }).into()
}

fn rows(list: &List) -> Vec<usize> {
    list.in_view().iter().map(|shown| shown.rows).collect()
}

#[test]
fn a_row_is_as_high_as_its_request_and_holds_still_for_two_seconds() {
    let second = Duration::from_secs;
    let room = Room { rows: 12, cells: 10, details: false };
    let mut list = List::default();
    let fleet = asking(&[(1, "one two three four"), (2, ""), (3, "")]);
    list.rebuild(&fleet, second(0), true);
    list.resize(&fleet, room, second(0));
    assert_eq!(rows(&list), [3, 1, 1]);
    assert!(!list.rebuild(&fleet, second(1), false), "nothing has changed");

    // It is answered: its rows are its own till the order has settled.
    let answered = asking(&[(1, ""), (2, ""), (3, "")]);
    list.rebuild(&answered, second(10), false);
    assert_eq!(rows(&list), [3, 1, 1]);
    assert!(list.rebuild(&answered, second(12), false));
    assert_eq!(rows(&list), [1, 1, 1]);

    // One that comes to ask is shown at once, but not while somebody is at the keys.
    list.last_input = Some(second(20));
    list.rebuild(&fleet, second(21), false);
    assert_eq!(rows(&list), [1, 1, 1]);
    list.rebuild(&fleet, second(22), false);
    assert_eq!(rows(&list), [3, 1, 1]);
}

#[test]
fn the_cursor_is_in_view_with_all_its_rows_and_pages_go_by_rows() {
    let long = "one two three four five six seven";
    let panes: Vec<(u32, &str)> = (0..40).map(|pane| (pane, if pane % 20 == 3 { long } else { "" })).collect();
    let fleet = asking(&panes);
    let mut list = List::default();
    list.sort = Sort::Target;
    list.rebuild(&fleet, Duration::ZERO, true);
    list.resize(&fleet, Room { rows: 16, cells: 10, details: true }, Duration::ZERO);
    let whole = |list: &List| {
        let (at, key) =
            (list.cursor(&fleet).unwrap_or(99), list.selected.unwrap_or(AgentKey::first(crate::tmux::PaneId(99))));
        let line = list.lines[at];
        list.in_view().iter().any(|shown| shown.line == line && shown.rows == 1 + list.request(key))
    };
    assert!(list.request(AgentKey::first(crate::tmux::PaneId(3))) == 2);
    for _ in 0..45 {
        list.step(&fleet, 1);
        assert!(whole(&list), "{:?}", list.in_view());
    }
    assert_eq!(list.cursor(&fleet), Some(39));
    for _ in 0..45 {
        list.step(&fleet, -1);
        assert!(whole(&list), "{:?}", list.in_view());
    }
    list.page(&fleet, true);
    assert_eq!(list.cursor(&fleet), Some(13), "15 rows further down, of which two are a request's");
    list.page(&fleet, false);
    assert_eq!(list.cursor(&fleet), Some(0));
    while list.page(&fleet, true) {
        assert!(whole(&list));
    }
    assert_eq!(list.cursor(&fleet), Some(39));
}
