//! The wall: what is asked for while it is open, and where keys and mouse go on it.

use std::sync::Arc;

use tmux_orc::app::Effect;
use tmux_orc::app::core::act::Act;
use tmux_orc::app::core::fleet::{Label, Member, MemberId};
use tmux_orc::app::core::message::{Message, Mouse};
use tmux_orc::app::core::state::Mode;
use tmux_orc::app::core::view::Main;
use tmux_orc::monitor::{Agent, Command, Link, MOST_TILES, Tiles};
use tmux_orc::tmux::PaneId;

use super::sample::{self, stage::Stage};

fn wall(agents: Vec<Agent>, columns: u16, rows: u16) -> Stage {
    let mut stage = Stage::new(sample::on_the_wall(agents), columns, rows);
    stage.effects();
    stage.keys("w");
    stage
}

/// What the engines were asked for, by member.
fn asked(s: &mut Stage) -> Vec<(MemberId, Tiles)> {
    let tiles = |effect| if let Effect::Engine(id, Command::Tiles(tiles)) = effect { Some((id, tiles)) } else { None };
    s.effects().into_iter().filter_map(tiles).collect()
}

/// The panes of the agents that are in these places of the list.
fn panes(s: &Stage, places: std::ops::Range<usize>) -> Vec<PaneId> {
    let all: Vec<PaneId> = s.state.list.agents(&s.state.fleet).map(|(key, _)| key.pane).collect();
    let mut panes = all[places].to_vec();
    panes.sort();
    panes
}

#[test]
fn only_what_is_in_view_is_asked_for_and_nothing_when_it_is_closed() {
    let mut s = wall(sample::many(60), 120, 35);
    assert!(s.effects.contains(&Effect::Engine(MemberId::FIRST, Command::Focus(None))), "the preview is not in view");
    let first = Tiles::new(panes(&s, 0..4), 14);
    assert_eq!(asked(&mut s), [(MemberId::FIRST, first.clone())]);
    s.keys("l j");
    assert_eq!(asked(&mut s), [], "the same page");
    s.keys("pagedown");
    assert_eq!(asked(&mut s), [(MemberId::FIRST, Tiles::new(panes(&s, 4..8), 14))]);
    s.keys("z");
    assert_eq!(asked(&mut s), [(MemberId::FIRST, Tiles::new(panes(&s, 7..8), 30))], "one alone, and more of it");
    s.keys("z");
    s.effects();
    s.tell(Message::Resize(1, 1));
    (s.columns, s.rows) = (1, 1);
    s.tell(Message::Resize(1, 1));
    assert_eq!(asked(&mut s), [(MemberId::FIRST, Tiles::default())], "counts alone are in view");
    (s.columns, s.rows) = (120, 35);
    s.tell(Message::Resize(120, 35));
    s.effects();
    s.keys("w");
    let effects = s.effects();
    assert!(effects.contains(&Effect::Engine(MemberId::FIRST, Command::Tiles(Tiles::default()))), "{effects:?}");
    assert_eq!(s.state.view.main, Main::Agents);
    s.keys("w");
    assert_eq!(asked(&mut s).len(), 1);
    s.keys("t");
    assert_eq!(asked(&mut s), [(MemberId::FIRST, Tiles::default())], "another view in its place");
    let mut huge = wall(sample::many(200), 500, 200);
    assert_eq!(asked(&mut huge)[0].1.panes().len(), MOST_TILES);
}

#[test]
fn what_was_not_handed_on_is_asked_for_again() {
    let mut s = wall(sample::twelve(), 120, 35);
    let tiles = asked(&mut s).remove(0).1;
    s.tell(Message::NotSent(Effect::Engine(MemberId::FIRST, Command::Tiles(tiles.clone()))));
    s.publish(|_| {});
    assert_eq!(asked(&mut s), [(MemberId::FIRST, tiles)]);
    s.keys("w");
    s.tell(Message::NotSent(Effect::Engine(MemberId::FIRST, Command::Tiles(Tiles::default()))));
    s.effects();
    s.publish(|_| {});
    assert_eq!(asked(&mut s), [(MemberId::FIRST, Tiles::default())]);
}

#[test]
fn each_server_is_asked_for_its_own_and_one_that_cannot_for_that_in_focus() {
    let mut s = Stage::new(sample::on_the_wall(sample::twelve()), 200, 55);
    let far = sample::on_the_wall(sample::many(3));
    let label = Label { host: None, server: "other".into() };
    let other = Member { id: MemberId(1), label, link: Link::default(), snapshot: Arc::new(far) };
    let first = s.state.fleet.first().clone();
    s.tell(Message::Fleet(tmux_orc::app::core::fleet::Fleet::new(first, [other])));
    s.keys("g w");
    let of = asked(&mut s);
    let count: usize = of.iter().map(|(_, tiles)| tiles.panes().len()).sum();
    assert_eq!((of.len(), count), (2, 12), "{of:?}");

    let mut old = Stage::new(sample::on_the_wall(sample::twelve()), 120, 35);
    old.publish(|next| next.engine.tiles = 0);
    old.keys("w");
    let focus = |pane| Effect::Engine(MemberId::FIRST, Command::Focus(Some(pane)));
    let pane = old.state.selected().unwrap().pane_id;
    assert_eq!(old.effects().last(), Some(&focus(pane)));
    old.keys("l");
    let pane = old.state.selected().unwrap().pane_id;
    assert_eq!(old.effects(), [focus(pane)]);
}

#[test]
fn keys_go_from_tile_to_tile() {
    let mut s = wall(sample::twelve(), 120, 35);
    let rows = s.rows();
    let mut goes = |keys: &str, to: usize| {
        s.keys(keys);
        assert_eq!(s.selected(), rows[to], "{keys}");
    };
    for (keys, to) in [
        ("l", 1),
        ("j", 3),
        ("h", 2),
        ("k", 0),
        ("k h left up", 0),
        ("right down", 3),
        ("down", 5),
        ("G", 11),
        ("l j right down pagedown", 11),
        ("pageup", 7),
        ("g", 0),
        ("pagedown", 4),
        ("n", 0),
        ("n", 1),
        ("g", 0),
    ] {
        goes(keys, to);
    }
    assert_eq!(s.state.viewport.events, 0, "l is no key of the events here");
    s.keys("l enter");
    let pane = s.state.selected().unwrap().pane_id;
    assert_eq!(s.effects().last(), Some(&Effect::Act(MemberId::FIRST, Act::Jump { pane })));
    s.keys("h y");
    assert!(matches!(s.state.mode, Mode::Answer { .. }));
    s.keys("esc m h i");
    assert!(matches!(s.state.mode, Mode::Reply { .. }));
    s.keys("esc p tab");
    assert_eq!(s.state.view.preview, None, "there is no preview to be hidden");
    s.keys("z");
    assert!(s.state.view.zoom);
    s.keys("l");
    assert_eq!(s.selected(), rows[1], "from one to the next");
    s.keys("esc");
    assert_eq!((s.state.view.zoom, s.state.view.main), (false, Main::Wall));
    s.keys("/ c o d e x enter");
    assert!(s.rows().len() < rows.len());
    s.keys("esc");
    assert_eq!((s.rows().len(), s.state.view.main), (rows.len(), Main::Wall));
    s.keys("esc l");
    assert_eq!(s.state.view.main, Main::Agents);
    assert!(s.state.view.events.is_some(), "l is the key of the events again");
}

#[test]
fn a_click_selects_the_tile_under_it_and_turns_the_page() {
    let mut s = wall(sample::twelve(), 120, 35);
    let rows = s.rows();
    for (x, y, to) in [(90, 10, 1), (5, 20, 2), (119, 33, 3), (0, 2, 0)] {
        s.mouse(Mouse::Click, x, y);
        assert_eq!(s.selected(), rows[to], "{x} {y}");
    }
    s.mouse(Mouse::Wheel(3), 90, 10);
    assert_eq!(s.selected(), rows[2], "a row of tiles");
    s.mouse(Mouse::Wheel(3), 90, 10);
    assert_eq!(s.selected(), rows[4], "the next page");
    s.mouse(Mouse::Wheel(-3), 90, 10);
    assert_eq!(s.selected(), rows[2]);
    let line = s.text().lines().nth(1).unwrap().to_owned();
    assert!(line.contains("1–4 of 12 · page 1 of 3"), "{line}");
    s.mouse(Mouse::Click, 118, 1);
    assert_eq!(s.selected(), rows[6]);
    s.mouse(Mouse::Click, 117, 1);
    assert_eq!(s.selected(), rows[2]);
    s.mouse(Mouse::Click, 119, 1);
    assert_eq!(s.selected(), rows[6], "beside it");
}

#[test]
fn where_all_are_out_of_the_way_it_says_how_they_are_shown() {
    let mut s = wall(sample::twelve(), 120, 35);
    s.publish(|next| next.agents.iter_mut().for_each(|agent| agent.parked = true));
    assert!(s.text().contains("12 parked.  a shows them in the list."), "{}", s.text());
}

#[test]
fn a_frame_is_asked_for_when_a_tile_in_view_differs() {
    let mut s = wall(sample::many(60), 120, 35);
    let differs = |s: &mut Stage, place: usize, text: &str| {
        let pane = s.state.list.agents(&s.state.fleet).nth(place).unwrap().0.pane;
        let text = text.to_owned();
        s.publish(move |next| {
            let shown = next.previews.iter_mut().find(|shown| shown.pane_id == pane).unwrap();
            *shown = Arc::new(tmux_orc::monitor::Preview { text, ..(**shown).clone() });
        })
    };
    assert!(differs(&mut s, 3, "else\n"));
    assert!(!differs(&mut s, 3, "else\n"), "it was read again and shows the same");
    assert!(!differs(&mut s, 4, "else\n"), "it is on another page");
    assert!(s.text().contains("else"));
    s.keys("w");
    assert!(!differs(&mut s, 3, "more\n"), "it is closed");
}

#[test]
fn what_is_done_is_seen_on_the_wall_too() {
    let mut s = wall(sample::twelve(), 200, 55);
    s.keys("/ d o n e enter");
    s.effects();
    s.keys("g");
    s.wait(3);
    s.keys("g");
    s.wait(1);
    let pane = s.state.selected().unwrap().pane_id;
    assert!(s.effects().contains(&Effect::Engine(MemberId::FIRST, Command::Seen(pane))));
}

#[test]
fn who_comes_to_need_its_user_comes_into_view_while_nobody_is_at_the_keys() {
    use tmux_orc::monitor::AgentState;
    let first_ends = |rests: i64| {
        let mut s = wall(sample::twelve(), 120, 35);
        s.keys("g");
        s.wait(rests);
        let pane = s.state.selected().unwrap().pane_id;
        s.publish(|next| {
            let now = next.timestamp;
            let first = next.agents.iter_mut().find(|agent| agent.pane_id == pane).unwrap();
            (first.state, first.kind, first.since) = (AgentState::Idle, None, now);
            (first.asks, first.choices) = (None, Vec::new());
        });
        s.wait(4);
        s.check();
        let page = s.text().lines().nth(1).unwrap().to_owned();
        (page.contains("page 1 of 3"), s.state.selected().unwrap().pane_id == pane, s.rows()[0].clone())
    };
    assert_eq!(first_ends(20), (true, false, "web:1.0".to_owned()), "the first page stays, and the cursor with it");
    assert_eq!(first_ends(3), (false, true, "web:1.0".to_owned()), "the cursor stays on its pane");
}
