//! The mouse does what stands under it.

use tmux_orc::app::Effect;
use tmux_orc::app::core::act::Act;
use tmux_orc::app::core::fleet::MemberId;
use tmux_orc::app::core::list::Sort;
use tmux_orc::app::core::message::{Hit, Mouse};
use tmux_orc::app::core::state::Mode;
use tmux_orc::app::core::view::{Main, Panel};
use tmux_orc::monitor::Command;
use tmux_orc::tmux::PaneId;

use super::{
    sample::{self, stage::Stage},
    stage,
};

/// Where a text first stands on the screen.
fn find(s: &Stage, text: &str) -> (u16, u16) {
    for (y, line) in s.text().lines().enumerate() {
        if let Some(at) = line.find(text) {
            let x = line[..at].chars().count();
            return (u16::try_from(x).unwrap(), u16::try_from(y).unwrap());
        }
    }
    panic!("'{text}' is not on the screen:\n{}", s.text());
}

fn click(s: &mut Stage, text: &str) {
    let (x, y) = find(s, text);
    s.mouse(Mouse::Click, x, y);
}

#[test]
fn a_click_selects_the_row_under_it() {
    let mut s = stage();
    click(&mut s, "ml:1.0");
    assert_eq!(s.selected(), "ml:1.0");
    assert_eq!(s.effects(), [Effect::Engine(MemberId::FIRST, Command::Focus(Some(PaneId(41))))]);
}

#[test]
fn what_stands_below_an_agent_is_its_own() {
    let mut s = Stage::new(sample::snapshot(sample::asking()), 120, 35);
    click(&mut s, "CI machines have");
    assert_eq!(s.selected(), "web:1.0");
    click(&mut s, "npm run build");
    assert_eq!(s.selected(), "api:2.0");
    s.keys("y");
    s.effects();
    click(&mut s, "2 Yes, and don't ask again for npm");
    assert!(matches!(s.effects()[..], [Effect::Act(MemberId::FIRST, Act::Answer { choice: 1, .. })]));
}

#[test]
fn the_wheel_moves_the_cursor_and_scrolls_the_events() {
    let mut s = stage();
    let (x, y) = find(&s, "ml:1.0");
    s.mouse(Mouse::Wheel(3), x, y);
    assert_eq!(s.selected(), "docs:0.0");
    let (x, y) = find(&s, "Events");
    s.mouse(Mouse::Wheel(1), x, y + 1);
    assert_eq!(s.state.events_up, 1);
    s.mouse(Mouse::Wheel(-3), x, y + 1);
    assert_eq!(s.state.events_up, 0);
}

#[test]
fn headers_sort_and_sort_the_other_way() {
    let mut s = stage();
    click(&mut s, "AGENT");
    assert_eq!((s.state.list.sort, s.state.list.reverse), (Sort::Agent, false));
    click(&mut s, "AGENT");
    assert_eq!((s.state.list.sort, s.state.list.reverse), (Sort::Agent, true));
    click(&mut s, "STATE");
    assert_eq!(s.state.list.sort, Sort::Need);
}

#[test]
fn the_strategy_bar_switches() {
    let mut s = stage();
    click(&mut s, "2 polling");
    assert!(matches!(&s.effects()[..], [Effect::Ask(_, _, Command::Strategy(name))] if name == "polling"));
}

#[test]
fn the_footers_keys_can_be_clicked() {
    let mut s = stage();
    click(&mut s, "? help");
    assert!(matches!(s.state.mode, Mode::Help { .. }));
    // Beside the overlay: it closes.
    s.mouse(Mouse::Click, 1, 1);
    assert!(matches!(s.state.mode, Mode::Normal));
}

#[test]
fn a_click_gives_a_panel_the_focus() {
    let mut s = stage();
    for (text, panel) in
        [("Cache", Panel::Cache), ("Why", Panel::Preview), ("Cost", Panel::Cost), ("Agents", Panel::Agents)]
    {
        click(&mut s, text);
        assert_eq!(s.state.view.focus, panel, "{text}");
    }
}

#[test]
fn palette_items_and_answers_can_be_clicked() {
    let mut s = stage();
    s.keys(":");
    s.types("tune");
    click(&mut s, "Compare what was tried");
    assert_eq!(s.state.view.main, Main::Tune);
    s.keys("t y");
    s.effects();
    click(&mut s, "3 No, and tell");
    assert!(matches!(s.effects()[..], [Effect::Act(MemberId::FIRST, Act::Answer { choice: 2, .. })]));
}

#[test]
fn every_cell_of_every_size_can_be_clicked() {
    for (columns, rows) in [(140, 42), (80, 24), (60, 20), (40, 30), (10, 3), (1, 1)] {
        for keys in ["g", "t", "u", "b", "z", ":", "?", "y"] {
            let mut s = Stage::new(super::twelve(), columns, rows);
            s.keys(keys);
            let (text, layout) = (s.text(), s.layout());
            let lines: Vec<&str> = text.lines().collect();
            let mut hits = 0;
            for y in 0..rows {
                for x in 0..columns {
                    let hit = tmux_orc::ui::hit::at(&s.state, &layout, x, y);
                    hits += usize::from(hit.is_some());
                    let place = format!("{hit:?} at {x},{y} of {columns}x{rows} after {keys}\n{text}");
                    match hit {
                        Some(Hit::Agent(id)) => {
                            let agent = s.state.fleet.agent(id).expect(&place);
                            // Where there is room, the place of the agent stands in the row that was hit, or above it
                            // where an agent has several.
                            let first = (0..=y).rev().find(|y| tmux_orc::ui::hit::at(&s.state, &layout, x, *y) != hit);
                            let line = lines[first.map_or(0, |y| usize::from(y) + 1)];
                            let covered = !matches!(s.state.mode, Mode::Normal);
                            assert!(covered || columns < 80 || line.contains(&agent.target), "{place}");
                        }
                        Some(Hit::Strategy(row)) => assert!(row < s.state.snapshot().strategies.len(), "{place}"),
                        Some(Hit::Item(_)) => assert!(matches!(s.state.mode, Mode::Palette { .. }), "{place}"),
                        Some(Hit::Choice(_)) => assert!(matches!(s.state.mode, Mode::Answer { .. }), "{place}"),
                        Some(Hit::Overlay) => assert!(!matches!(s.state.mode, Mode::Normal), "{place}"),
                        _ => {}
                    }
                }
                assert_eq!(tmux_orc::ui::hit::at(&s.state, &layout, columns, y), None, "beside the screen");
            }
            assert!(columns < 40 || hits * 2 > usize::from(columns) * usize::from(rows), "{hits} of {columns}x{rows}");
        }
    }
}

#[test]
fn what_has_a_key_on_the_screen_can_be_clicked() {
    let mut s = stage();
    s.keys("G");
    click(&mut s, "need you");
    assert_eq!(s.selected(), "api:2.0", "as n does");
    let (x, y) = find(&s, "c C e");
    s.effects();
    s.mouse(Mouse::Click, x + 2, y);
    assert!(matches!(s.effects()[..], [Effect::Ask(_, _, Command::Cache(_))]));
    s.mouse(Mouse::Click, x, y);
    assert!(matches!(s.effects()[..], [Effect::Ask(_, _, Command::ClearCache)]));
    // The title of a panel: it has the focus, then the whole page, and back.
    click(&mut s, "╭ Events");
    assert_eq!((s.state.view.focus, s.state.view.zoom), (Panel::Events, false));
    click(&mut s, "╭ Events");
    assert!(s.state.view.zoom);
    click(&mut s, "╭ Events");
    assert!(!s.state.view.zoom);
    s.publish(|next| next.engine.paused = true);
    s.effects();
    click(&mut s, "Paused: nothing is read");
    assert!(matches!(s.effects()[..], [Effect::Ask(_, _, Command::Pause(false))]));
    s.mouse(Mouse::Click, 2, 0);
    assert_eq!(s.state.view.main, Main::Agents, "there are no hosts");
}
