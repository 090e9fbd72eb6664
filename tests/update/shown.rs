//! What the dashboard shows of names, groups, engines that change, requests that were not handed on.

use tmux_orc::app::Effect;
use tmux_orc::app::core::fleet::MemberId;
use tmux_orc::app::core::keymap::Keymap;
use tmux_orc::app::core::message::{Message, Mouse};
use tmux_orc::monitor::Command;
use tmux_orc::tmux::PaneId;
use tmux_orc::ui::Preview;
use tmux_orc::ui::colour::Depth;
use tmux_orc::ui::slot::Slot;

use super::{sample, sample::stage::Stage, stage};

#[test]
fn what_was_not_handed_on_is_asked_for_again_and_not_waited_for() {
    let mut s = stage();
    s.keys("+");
    s.tell(Message::NotSent(Effect::Engine(MemberId::FIRST, Command::PoolSize(21))));
    assert_eq!(s.state.pending_pool(), None);
    s.tell(Message::NotSent(Effect::Engine(MemberId::FIRST, Command::Focus(Some(PaneId(14))))));
    s.effects();
    s.publish(|_| {});
    assert_eq!(s.effects(), [Effect::Engine(MemberId::FIRST, Command::Focus(Some(PaneId(14))))]);
}

#[test]
fn a_click_on_a_toast_presses_no_key_under_it() {
    let mut s = stage();
    let clicks = |s: &mut Stage| {
        for x in 0..140 {
            s.mouse(Mouse::Click, x, 41);
        }
        s.effects()
    };
    s.tell(Message::ActionResult { text: "done".into(), ok: true });
    assert_eq!(clicks(&mut s), []);
    assert!(s.text().contains("done"));
    s.keys("down");
    s.effects();
    assert!(!clicks(&mut s).is_empty(), "without it the keys can be clicked");
}

#[test]
fn the_preview_follows_the_colours_of_the_theme() {
    let mut preview = Preview::default();
    let s = stage();
    preview.read(s.state.preview(), Depth::True, false);
    let coloured = format!("{preview:?}");
    preview.read(s.state.preview(), Depth::None, false);
    let plain = format!("{preview:?}");
    assert!(coloured.contains("fg(") || coloured.contains("Rgb") || coloured.contains("Green"), "{coloured}");
    assert_ne!(coloured, plain);
}

#[test]
fn hints_name_the_keys_that_are_in_force() {
    let mut s = stage();
    let overrides = [("tune", "f2"), ("cache", "f3"), ("back", "f4")];
    let overrides = overrides.map(|(name, key)| (name.to_owned(), vec![key.to_owned()])).into();
    s.state.keymap = Keymap::new(&overrides).unwrap();
    s.keys("f2");
    let text = s.text();
    assert!(text.contains("f3 cache") && text.contains("f2 back"), "{text}");
    s.keys("f2 / z z z z enter");
    assert!(s.text().contains("f4 shows all"), "{}", s.text());
}

#[test]
fn names_from_the_settings_are_shown_with_the_place() {
    for (columns, rows) in [(140, 42), (80, 24), (40, 30)] {
        let mut s = Stage::new(super::twelve(), columns, rows);
        s.publish(|next| next.agents[0].name = "reviewer".into());
        let target = s.state.snapshot().agents[0].target.clone();
        assert!(s.text().contains(&format!("reviewer {target}")), "{columns}: {}", s.text());
        // So it is in the head of the preview.
        s.publish(|next| next.agents.iter_mut().for_each(|agent| agent.name = "reviewer".into()));
        let head = format!("╭ reviewer {} claude", s.selected());
        assert!(columns < 140 || s.text().contains(&head), "{columns}: {}", s.text());
    }
}

#[test]
fn a_long_line_at_the_bottom_keeps_its_end() {
    let mut s = Stage::new(super::twelve(), 60, 24);
    let text = "the engine 17381 in the background is gone: watching from here".to_owned();
    s.tell(tmux_orc::app::core::message::Message::ActionResult { text, ok: false });
    let screen = s.text();
    let bottom = screen.lines().last().unwrap().trim_end();
    assert!(bottom.starts_with(" ✕ the engine 17381") && bottom.ends_with("is gone: watching from here"), "{bottom}");
}

#[test]
fn a_server_that_is_gone_leaves_its_agents_and_their_counts_or_neither() {
    for (columns, rows) in [(200, 55), (120, 35), (80, 24), (60, 20)] {
        let mut s = Stage::new(super::twelve(), columns, rows);
        s.publish(|next| {
            next.server.status = tmux_orc::monitor::ServerStatus::NoServer;
            next.agents.iter_mut().for_each(|agent| agent.stale = true);
        });
        let screen = s.text();
        assert!(screen.contains("▲ 2") && screen.contains("api:2.0"), "{screen}");
        assert!(screen.contains("The tmux server is gone. The agents are as last known."), "{screen}");
        s.publish(|next| next.agents.truncate(0));
        let screen = s.text();
        assert!(!screen.contains("▲ 2") && screen.contains("No tmux server runs."), "{screen}");
        assert!(!screen.contains("The tmux server is gone"), "{screen}");
    }
}

#[test]
fn the_first_line_in_view_is_the_head_of_its_group_and_agents_are_counted() {
    let mut s = Stage::new(super::twelve(), 100, 18);
    s.keys("b G");
    let rows = s.text();
    let lines: Vec<&str> = rows.lines().collect();
    let top = lines.iter().position(|line| line.contains("STATE")).unwrap() + 1;
    assert!(lines[top].contains("───"), "a head: {rows}");
    assert!(rows.contains(" of 12 "), "{rows}");
    for _ in 0..12 {
        s.check();
        s.keys("k");
        assert!(s.text().contains('▌'), "the cursor is in view: {}", s.text());
    }
}

#[test]
fn a_demo_says_that_it_is_simulated_and_ascii_is_ascii() {
    for (columns, rows) in [(200, 55), (120, 35), (80, 24), (40, 30), (10, 4)] {
        let mut s = Stage::new(super::twelve(), columns, rows);
        s.publish(|next| next.server.simulated = true);
        assert!(columns < 40 || s.text().contains("simulated"), "{columns}: {}", s.text());
        s.state.ascii = true;
        for keys in ["b", "t", "?", "esc", ":", "esc", "t", "z"] {
            s.keys(keys);
            let text = s.text();
            assert!(text.is_ascii(), "{text}");
        }
        s.publish(|next| next.agents = sample::foreign().into());
        assert!(s.text().is_ascii(), "{}", s.text());
    }
}

#[test]
fn a_wide_terminal_gives_what_agents_do_more_room() {
    let doing = |columns| {
        let s = Stage::new(super::twelve(), columns, 60);
        let layout = s.layout();
        (layout.rect(Slot::Main).unwrap().width, layout.rect(Slot::Side).unwrap().width)
    };
    assert!(doing(250).0 > doing(200).0 && doing(200).0 >= doing(180).0, "{:?} {:?}", doing(200), doing(250));
    assert!(doing(250).1 >= 90 && doing(200).1 >= 80);
}
