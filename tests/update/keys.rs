//! Keys that move, filter, sort and open things.

use tmux_orc::app::Effect;
use tmux_orc::app::core::act::{Act, Seen};
use tmux_orc::app::core::action::Action;
use tmux_orc::app::core::fleet::MemberId;
use tmux_orc::app::core::key::Key;
use tmux_orc::app::core::keymap::Keymap;
use tmux_orc::app::core::list::Sort;
use tmux_orc::app::core::message::Message;
use tmux_orc::app::core::palette::available;
use tmux_orc::app::core::state::Mode;
use tmux_orc::app::core::view::{Main, Panel};
use tmux_orc::monitor::Command;
use tmux_orc::tmux::PaneId;

use super::{sample, stage};

#[test]
fn the_cursor_starts_at_who_has_waited_longest_and_stops_at_the_ends() {
    let mut s = stage();
    assert_eq!(s.selected(), "api:2.0");
    s.keys("k");
    assert_eq!(s.selected(), "api:2.0");
    s.keys("j j");
    assert_eq!(s.selected(), "docs:1.0");
    s.keys("G j");
    assert_eq!(s.selected(), "misc:2.0");
    s.keys("g");
    assert_eq!(s.selected(), "api:2.0");
}

#[test]
fn next_goes_round_those_that_wait_longest_first() {
    let mut s = stage();
    s.keys("G n");
    assert_eq!(s.selected(), "api:2.0");
    s.keys("n");
    assert_eq!(s.selected(), "web:1.0");
    s.keys("n");
    assert_eq!(s.selected(), "api:2.0");
}

#[test]
fn next_leaves_a_filter_that_hides_whom_it_looks_for() {
    let mut s = stage();
    s.keys("/ m i s c enter n");
    assert_eq!(s.selected(), "api:2.0");
    assert!(s.state.list.filter.is_empty());
}

#[test]
fn the_filter_matches_what_is_shown_and_escape_takes_it_away() {
    let mut s = stage();
    s.keys("/ c o d e x space i d l e");
    assert_eq!(s.rows(), ["web:2.0", "misc:2.0"]);
    s.keys("enter");
    assert!(matches!(s.state.mode, Mode::Normal));
    assert_eq!(s.rows().len(), 2);
    s.keys("esc");
    assert_eq!(s.rows().len(), 12);
    s.keys("/ x x esc");
    assert_eq!(s.rows().len(), 12);
    s.keys("/");
    s.tell(Message::Paste("lexer\n".into()));
    assert_eq!(s.rows().len(), 2);
}

#[test]
fn events_have_their_own_filter() {
    let mut s = stage();
    s.keys("backtab");
    assert_eq!(s.state.view.focus, Panel::Events);
    s.keys("/ p o o l enter");
    assert_eq!(s.rows().len(), 12);
    assert_eq!(tmux_orc::app::core::events::shown(&s.state).len(), 1);
}

#[test]
fn sorting_goes_through_the_columns_and_turns_round() {
    let mut s = stage();
    s.keys("o");
    assert_eq!(s.state.list.sort, Sort::For);
    assert_eq!(s.rows()[0], "misc:2.0");
    s.keys("O");
    assert_eq!(s.rows()[0], "ml:0.1");
    s.keys("o o o");
    assert_eq!(s.state.list.sort, Sort::Context);
    assert_eq!(s.rows()[0], "api:3.1");
    // Unmeasured ones come last.
    assert_eq!(s.rows().len(), 12);
    assert!(["docs:0.0", "misc:1.0"].contains(&s.rows()[11].as_str()));
}

#[test]
fn jump_and_answer_act_on_what_was_seen() {
    let mut s = stage();
    s.keys("enter");
    assert_eq!(s.effects(), [Effect::Act(MemberId::FIRST, Act::Jump { pane: PaneId(14) })]);
    s.keys("y 2");
    let agent = s.state.snapshot().agents.iter().find(|a| a.pane_id == PaneId(14)).unwrap().clone();
    let seen = Seen::of(&agent, s.state.snapshot().preview.as_deref());
    assert_eq!(
        s.effects(),
        [Effect::Act(MemberId::FIRST, Act::Answer { pane: PaneId(14), choice: 1, seen: seen.clone() })]
    );
    s.keys("x n");
    assert_eq!(s.effects(), []);
    s.keys("x y");
    assert_eq!(s.effects(), [Effect::Act(MemberId::FIRST, Act::Interrupt { pane: PaneId(14), seen: seen.clone() })]);
    s.keys("m g o enter");
    assert_eq!(s.effects(), [Effect::Act(MemberId::FIRST, Act::Reply { pane: PaneId(14), text: "go".into(), seen })]);
    s.keys("m enter");
    assert_eq!(s.effects(), [], "an empty message is none");
    s.keys("esc");
}

#[test]
fn what_is_pasted_is_taken_whole_or_not_at_all() {
    let mut s = stage();
    let long = format!("all:\r\tcc\r{}END", "y".repeat(60_000));
    s.keys("m a b left");
    s.tell(Message::Paste(long.clone()));
    s.keys("enter");
    let effects = s.effects();
    let text = format!("a{}b", long.replace('\r', "\n"));
    assert!(matches!(&effects[..], [Effect::Act(MemberId::FIRST, Act::Reply { text: sent, .. })] if *sent == text));
    s.keys("m o k");
    s.tell(Message::Paste("y".repeat(64 * 1024 - 1)));
    assert!(s.text().contains("nothing was pasted"), "{}", s.text());
    s.keys("enter");
    assert!(matches!(&s.effects()[..], [Effect::Act(MemberId::FIRST, Act::Reply { text, .. })] if text == "ok"));
}

#[test]
fn nothing_is_answered_before_its_request_was_shown_whole() {
    let mut s = stage();
    // The screen of the agent is not there: it is asked for, and keys only say so.
    s.publish(|next| next.preview = None);
    s.keys("y 1");
    assert_eq!(s.effects(), []);
    assert!(s.text().contains("Reading the pane") && s.text().contains("the request is shown first"), "{}", s.text());
    // It comes: now it is shown, and can be answered.
    s.publish(|next| next.preview = Some(std::sync::Arc::new(sample::preview())));
    s.keys("1");
    assert!(
        matches!(&s.effects()[..], [Effect::Act(MemberId::FIRST, Act::Answer { seen, choice: 0, .. })] if !seen.rows.is_empty())
    );
    // Where no preview is shown the screen is asked for all the same.
    let mut s = crate::sample::stage::Stage::new(crate::twelve(), 80, 12);
    s.effects();
    s.publish(|next| next.preview = None);
    s.keys("y");
    assert_eq!(s.effects(), [Effect::Engine(MemberId::FIRST, Command::Focus(Some(PaneId(14))))]);
    // A request that does not fit is read to its first row before it can be answered.
    let mut preview = sample::preview();
    preview.text = (0..30).map(|n| format!("row {n}\n")).collect();
    s.publish(move |next| next.preview = Some(std::sync::Arc::new(preview)));
    s.keys("1");
    assert_eq!(s.effects(), []);
    assert!(s.text().contains("24 of them not seen yet"), "{}", s.text());
    for _ in 0..40 {
        s.keys("pageup");
    }
    assert!(s.text().contains("row 0 "), "{}", s.text());
    s.keys("1");
    let effects = s.effects();
    assert!(
        matches!(effects.first(), Some(Effect::Act(MemberId::FIRST, Act::Answer { choice: 0, .. }))),
        "{effects:?}"
    );
    assert_eq!(
        effects.last(),
        Some(&Effect::Engine(MemberId::FIRST, Command::Focus(None))),
        "no screen is in view any more"
    );
}

#[test]
fn a_message_may_have_several_lines() {
    let mut s = stage();
    s.keys("m o n e alt-enter t w o ctrl-j");
    // Most terminals paste a line's end as CR.
    s.tell(Message::Paste("three\rfour\r\nfive".into()));
    s.keys("enter");
    let effects = s.effects();
    let text = "one\ntwo\nthree\nfour\nfive";
    assert!(
        matches!(&effects[..], [Effect::Act(MemberId::FIRST, Act::Reply { text: sent, .. })] if sent == text),
        "{effects:?}"
    );
}

#[test]
fn an_answer_stays_with_the_prompt_that_was_seen() {
    let mut s = stage();
    s.keys("y");
    s.publish(|next| {
        let agent = next.agents.iter_mut().find(|a| a.pane_id == PaneId(14)).unwrap();
        agent.evidence.line = "Delete everything?".into();
    });
    s.keys("down enter");
    let effects = s.effects();
    assert!(
        matches!(&effects[..], [Effect::Act(MemberId::FIRST, Act::Answer { seen, choice: 0, .. })] if seen.line == "cargo publish --dry-run?"),
        "{effects:?}"
    );
}

#[test]
fn what_nobody_can_do_is_neither_shown_nor_done() {
    let mut s = stage();
    s.state.can = tmux_orc::app::core::view::Capabilities::default();
    s.keys("enter y m x r Y");
    assert_eq!(s.effects(), []);
    assert!(matches!(s.state.mode, Mode::Normal));
    let text = s.text();
    assert!(!text.contains("enter jump") && !text.contains("y answer"), "{text}");
    s.keys("?");
    assert!(!s.text().contains("interrupt"));
    s.state.can.act = true;
    s.keys("esc G");
    assert!(!available(Action::Answer, &s.state), "an idle agent asks nothing");
}

#[test]
fn the_palette_does_what_it_finds() {
    let mut s = stage();
    s.keys(":");
    s.types("cleaar");
    s.keys("backspace backspace r enter");
    assert!(matches!(&s.effects()[..], [Effect::Ask(_, _, Command::ClearCache)]));
    s.keys(":");
    s.types("no such thing");
    s.keys("enter");
    assert_eq!(s.effects(), []);
    s.keys(":");
    s.types("strategy poll");
    s.keys("enter");
    assert!(matches!(&s.effects()[..], [Effect::Ask(_, _, Command::Strategy(name))] if name == "polling"));
    s.keys(":");
    s.types("theme light");
    s.keys("enter");
    assert_eq!(s.state.themes[s.state.theme], "light");
    s.keys(":");
    s.types("agent web:1");
    s.keys("enter");
    assert_eq!(s.selected(), "web:1.0");
}

#[test]
fn the_help_shows_the_keys_that_are_in_force() {
    let mut s = stage();
    let overrides = [("quit".to_owned(), vec!["f10".to_owned()])].into();
    s.state.keymap = Keymap::new(&overrides).unwrap();
    s.keys("?");
    s.types("leave the dash");
    let text = s.text();
    assert!(text.contains("f10") && text.contains("Leave the dashboard"), "{text}");
    s.keys("esc");
    assert!(s.text().contains("f10 quit"));
    s.keys("q");
    assert_eq!(s.effects(), []);
    s.keys("f10");
    assert_eq!(s.effects(), [Effect::Quit]);
}

#[test]
fn the_keys_of_what_is_open_can_be_others_and_its_hints_say_so() {
    let mut s = stage();
    let keys = [
        ("accept", "f2"),
        ("leave", "f3"),
        ("choose-2", "f5"),
        ("confirm", "J"),
        ("decline", "N"),
        ("mark", "ctrl-t"),
        ("newline", "f6"),
        ("cursor-left", "f7"),
    ];
    let overrides = keys.map(|(action, key)| (action.to_owned(), vec![key.to_owned()])).into();
    s.state.keymap = Keymap::new(&overrides).unwrap();
    s.keys("y");
    assert!(s.text().contains("1 f5 3 or f2  f3 leave") && s.text().contains("f5 Yes, and"), "{}", s.text());
    s.keys("f5");
    assert!(matches!(&s.effects()[..], [Effect::Act(MemberId::FIRST, Act::Answer { choice: 1, .. })]));
    s.keys("x");
    assert!(s.text().contains("J interrupt  N leave"), "{}", s.text());
    s.keys("N x J");
    assert!(matches!(&s.effects()[..], [Effect::Act(MemberId::FIRST, Act::Interrupt { .. })]));
    s.keys("x y");
    assert!(s.effects().is_empty() && matches!(s.state.mode, Mode::Normal), "the old key is none of its keys");
    s.pass(1000);
    s.keys("M");
    assert!(s.text().contains("ctrl-t mark  a all  i idle  f2 write"), "{}", s.text());
    s.keys("f3 m");
    assert!(s.text().contains("f2 send  f3 leave"), "{}", s.text());
    s.keys("a f6 b f7 J f2");
    assert!(matches!(&s.effects()[..], [Effect::Act(MemberId::FIRST, Act::Reply { text, .. })] if text == "a\nJb"));
    s.keys("?");
    s.types("newline");
    assert!(s.text().contains("f6") && s.text().contains("A new line of the message"), "{}", s.text());
    s.keys("f3 /");
    assert!(s.text().contains("f2 keep  f3 clear"), "{}", s.text());
}

#[test]
fn panels_take_the_focus_in_turn_and_escape_leads_back() {
    let mut s = stage();
    let mut seen = Vec::new();
    for _ in 0..8 {
        seen.push(s.state.view.focus);
        s.keys("tab");
    }
    use Panel::*;
    assert_eq!(seen, [Agents, Preview, Pool, Cache, Cycle, Cost, Strategy, Events]);
    assert_eq!(s.state.view.focus, Agents);
    s.keys("backtab z esc esc");
    assert_eq!(s.state.view.focus, Agents);
    assert!(!s.state.view.zoom);
}

#[test]
fn a_panel_that_is_hidden_loses_the_focus() {
    let mut s = stage();
    s.keys("tab");
    assert_eq!(s.state.view.focus, Panel::Preview);
    s.keys("p");
    assert_eq!(s.state.view.focus, Panel::Agents);
}

#[test]
fn preview_and_events_are_shown_and_hidden_at_any_size() {
    for (columns, rows) in [(200, 55), (100, 40), (80, 24), (40, 30)] {
        let mut s = sample::stage::Stage::new(super::twelve(), columns, rows);
        for _ in 0..2 {
            let before = s.state.viewport.preview > 0;
            s.keys("p");
            assert_eq!(s.state.viewport.preview > 0, !before, "preview at {columns}x{rows}");
            let before = s.state.viewport.events > 0;
            s.keys("l");
            assert_eq!(s.state.viewport.events > 0, !before, "events at {columns}x{rows}");
        }
    }
}

#[test]
fn the_preview_scrolls_within_what_there_is() {
    let mut s = stage();
    s.publish(|next| {
        let preview = std::sync::Arc::make_mut(next.preview.as_mut().unwrap());
        preview.text = (0..100).map(|row| format!("row {row}\n")).collect();
    });
    s.keys("p p tab");
    s.keys("k k k");
    assert_eq!(s.state.preview_up, 3);
    s.keys("j");
    assert_eq!(s.state.preview_up, 2);
    s.keys("g k");
    assert_eq!(s.state.preview_up, 100 - s.state.viewport.preview, "not beyond the first row");
    s.keys("G j");
    assert_eq!(s.state.preview_up, 0);
}

#[test]
fn ctrl_c_closes_what_is_open_and_then_leaves() {
    let mut s = stage();
    s.keys("?");
    s.tell(Message::Key(Key::ctrl('c')));
    assert!(matches!(s.state.mode, Mode::Normal));
    s.tell(Message::Key(Key::ctrl('c')));
    assert_eq!(s.effects(), [Effect::Quit]);
}

#[test]
fn keys_and_theme_follow_the_settings_while_it_runs() {
    let mut s = stage();
    let keymap = Keymap::new(&[("tune".to_owned(), vec!["f2".to_owned()])].into()).unwrap();
    let configured = |keymap, theme: &str, act| Message::Configured {
        keymap: Box::new(keymap),
        theme: Some(theme.to_owned()),
        mouse: act,
        act,
        glyphs: "auto".to_owned(),
        limit_threshold: 80,
        reduced_motion: false,
        columns: Vec::new(),
        grouping: None,
    };
    s.tell(configured(keymap, "mono", true));
    assert_eq!(s.effects(), [Effect::Mouse(true)]);
    assert_eq!(s.state.themes[s.state.theme], "mono");
    s.keys("t");
    assert_eq!(s.state.view.main, Main::Agents);
    s.keys("f2");
    assert_eq!(s.state.view.main, Main::Tune);
    s.tell(configured(Keymap::default(), "auto", false));
    assert_eq!(s.state.themes[s.state.theme], "mono");
    assert!(!s.state.can.act, "read-only from now on");
}
