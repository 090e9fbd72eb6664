//! The usage view: the list's rows, cursor, filter and keys, with what each of them spends.

use tmux_orc::app::Effect;
use tmux_orc::app::core::act::Act;
use tmux_orc::app::core::fleet::MemberId;
use tmux_orc::app::core::message::{Hit, Mouse};
use tmux_orc::app::core::view::Main;
use tmux_orc::monitor::AgentTokens;

use super::sample::{self, stage::Stage};

fn at_work(columns: u16, rows: u16) -> Stage {
    Stage::new(sample::snapshot(sample::at_work()), columns, rows)
}

#[test]
fn the_usage_view_has_the_list_s_rows_cursor_and_keys() {
    let mut s = at_work(140, 42);
    let rows = s.rows();
    s.keys("u");
    assert_eq!((s.state.view.main, s.rows()), (Main::Usage, rows.clone()));
    s.keys("j");
    assert_eq!(s.selected(), rows[1]);
    s.effects();
    s.keys("enter");
    assert!(matches!(&s.effects()[..], [Effect::Act(MemberId::FIRST, Act::Jump { .. })]));
    // Another view takes its place; its own key and Escape close it, Escape the filter first.
    s.keys("t");
    assert_eq!(s.state.view.main, Main::Tune);
    s.keys("u u");
    assert_eq!(s.state.view.main, Main::Agents);
    s.keys("u / c o d e x enter");
    assert!(s.rows().len() < rows.len() && s.text().contains("3 agents"), "{}", s.text());
    s.keys("esc");
    assert_eq!((s.state.view.main, s.rows().len()), (Main::Usage, rows.len()));
    s.keys("esc");
    assert_eq!(s.state.view.main, Main::Agents);
}

#[test]
fn a_part_that_is_not_known_takes_its_sum_away() {
    let mut s = at_work(140, 42);
    s.keys("u / c o d e x enter");
    let all = |s: &Stage| s.text().lines().find(|line| line.contains(" all  3 agents")).expect("its sums").to_owned();
    assert!(!all(&s).contains("known"), "{}", all(&s));
    assert!(s.publish(|next| {
        let codex = next.agents.iter_mut().find(|agent| agent.agent == "codex").expect("it is there");
        codex.tokens = AgentTokens::default();
    }));
    assert_eq!(all(&s).matches("2 of 3 known").count(), 3, "{}", all(&s));
}

#[test]
fn what_a_screen_shows_of_its_turn_is_under_why_and_no_session() {
    let mut s = Stage::new(super::twelve(), 200, 55);
    assert!(!s.text().contains("TOKENS"), "of no session is it known");
    s.keys("/ a p i : 1 enter");
    assert!(s.text().contains("turn 12.4k tokens"), "{}", s.text());
}

#[test]
fn the_cursor_stays_in_view_at_every_size() {
    for (columns, rows) in [(200, 55), (120, 35), (80, 24), (60, 6), (40, 30), (24, 7), (20, 6)] {
        let mut s = at_work(columns, rows);
        s.keys("u");
        for keys in ["G", "g", "G k k", "b", "pagedown", "b b b", "z"] {
            s.keys(keys);
            s.check();
            let row = s.selected().to_owned();
            let text = s.text();
            assert!(
                text.lines().any(|line| line.contains('▌') && line.contains(&row)),
                "{columns}x{rows} {row}\n{text}"
            );
        }
    }
}

#[test]
fn a_click_selects_a_row_and_sorts_by_a_head() {
    let mut s = at_work(140, 42);
    s.keys("u");
    let text = s.text();
    let at = |what: &str| {
        let (y, line) = text.lines().enumerate().find(|(_, line)| line.contains(what)).expect(what);
        (line[..line.find(what).unwrap()].chars().count() as u16, u16::try_from(y).unwrap())
    };
    let (x, y) = at("ml:1.0");
    s.mouse(Mouse::Click, x, y);
    assert_eq!(s.selected(), "ml:1.0");
    let (x, y) = at("all  12 agents");
    assert!(matches!(tmux_orc::ui::hit::at(&s.state, &s.layout(), x, y), Some(Hit::Panel(_))), "a sum is no agent");
    let (x, y) = at("AGENT ");
    s.mouse(Mouse::Click, x, y);
    assert!(s.text().contains("by agent ↓"), "{}", s.text());
}
