//! Words that were meant for an agent are no keys of the dashboard.

use proptest::{collection::vec, prelude::*, sample::select};
use tmux_orc::app::Effect;
use tmux_orc::app::core::act::Act;
use tmux_orc::app::core::action::Action;
use tmux_orc::app::core::fleet::MemberId;
use tmux_orc::app::core::key::Key;
use tmux_orc::app::core::message::{Message, Mouse};
use tmux_orc::app::core::palette::available;
use tmux_orc::app::core::state::Mode;
use tmux_orc::monitor::{Agent, AgentState};

use super::{sample::stage::Stage, stage};

/// The cursor on the agent of this state.
fn on(state: AgentState) -> Stage {
    let mut s = stage();
    let of = |s: &Stage| s.state.selected().map(|agent: &Agent| agent.state);
    for _ in 0..12 {
        if of(&s) == Some(state) {
            break;
        }
        s.keys("j");
    }
    assert_eq!(of(&s), Some(state));
    s.effects();
    s
}

/// What is typed, a key every so many milliseconds.
fn types(s: &mut Stage, text: &str, every: u64) {
    for c in text.chars() {
        s.pass(every);
        s.tell(Message::Key(if c == '\n' { "enter".parse().unwrap() } else { Key::char(c) }));
    }
}

/// Everything that a key could have changed by mistake.
fn unmoved(s: &mut Stage) -> bool {
    let engine = s.state.pending.is_empty() && s.state.view.events.is_none() && s.state.view.preview.is_none();
    engine && s.effects().is_empty() && matches!(s.state.mode, Mode::Normal) && s.state.list.sort == Default::default()
}

#[test]
fn no_sentence_answers_a_prompt() {
    for text in ["yes please\n", "yes\n", "y\n", "yes, and try again\n", "yo 1\n", "ya2", "y do 1 then 2\n"] {
        for every in [0, 80, 400] {
            let mut s = stage();
            types(&mut s, text, every);
            assert_eq!(s.effects(), [], "{text} every {every} ms");
            assert!(text == "y\n" || unmoved(&mut s), "{text} every {every} ms");
        }
    }
}

#[test]
fn the_answers_open_with_nothing_marked() {
    let mut s = stage();
    s.keys("y");
    assert!(matches!(s.state.mode, Mode::Answer { at: None, .. }));
    s.keys("enter");
    assert_eq!(s.effects(), []);
    assert!(matches!(s.state.mode, Mode::Answer { at: None, .. }), "they stay open");
    assert!(s.text().contains("no answer is marked"), "{}", s.text());
    s.keys("down enter");
    assert!(matches!(&s.effects()[..], [Effect::Act(MemberId::FIRST, Act::Answer { choice: 0, .. })]));
    s.keys("y up enter");
    assert!(matches!(&s.effects()[..], [Effect::Act(MemberId::FIRST, Act::Answer { choice: 2, .. })]));
    s.keys("y j j k enter");
    assert!(matches!(&s.effects()[..], [Effect::Act(MemberId::FIRST, Act::Answer { choice: 0, .. })]));
}

#[test]
fn a_key_that_is_none_of_theirs_closes_a_question_and_says_so() {
    for (open, key) in
        [("y", "e"), ("y", "9"), ("y", "0"), ("y", "f5"), ("y", "alt-1"), ("x", "e"), ("X", "o"), ("M", "e")]
    {
        let mut s = stage();
        s.keys(&format!("{open} {key}"));
        assert!(matches!(s.state.mode, Mode::Normal), "{open} {key}");
        assert_eq!(s.effects(), [], "{open} {key}");
        if key.len() == 1 {
            assert!(s.text().contains("is none of its keys"), "{open} {key}: {}", s.text());
            // What follows belongs to the same words.
            s.pass(300);
            s.keys("c");
            assert_eq!(s.effects(), [], "{open} {key}");
        }
    }
}

#[test]
fn what_an_agent_cannot_take_is_said_and_what_is_typed_then_is_dropped() {
    for (state, key, said) in [
        (AgentState::Exited, "m", "has exited: nothing to write to"),
        (AgentState::Exited, "y", "has exited: nothing to answer"),
        (AgentState::Exited, "x", "has exited: nothing to interrupt"),
        (AgentState::Idle, "y", "asks nothing to answer"),
        (AgentState::Working, "y", "asks nothing to answer"),
    ] {
        let mut s = on(state);
        let before = s.selected().to_owned();
        s.keys(key);
        assert!(s.text().contains(said), "{key} on {state}: {}", s.text());
        types(&mut s, "only 1\ntry again, <c>lear it\n", 90);
        assert!(unmoved(&mut s), "{key} on {state}");
        assert_eq!(s.selected(), before);
        assert!(s.text().contains("what you type is dropped"), "it is still said: {}", s.text());
        s.pass(1000);
        s.keys("c");
        assert_eq!(s.effects().len(), 1, "after a rest keys are keys again");
    }
}

#[test]
fn read_only_says_so_and_drops_what_is_typed() {
    for key in ["m", "y", "x", "X", "M"] {
        let mut s = stage();
        s.state.can.act = false;
        s.keys(key);
        assert!(s.text().contains("read-only: nothing is typed"), "{key}: {}", s.text());
        types(&mut s, "only 1\n", 90);
        assert!(unmoved(&mut s), "{key}");
        // A key that no sentence holds is one at once.
        s.keys("esc c");
        assert_eq!(s.effects().len(), 1, "{key}");
    }
}

/// A key, a click on an answer, or time that passes.
#[derive(Clone, Debug)]
enum Press {
    Key(&'static str),
    Click(u16, u16),
    Pass(u64),
    Become(usize, AgentState),
}

fn presses() -> impl Strategy<Value = Vec<Press>> {
    let keys = vec![
        "y",
        "y",
        "m",
        "x",
        "X",
        "M",
        "1",
        "2",
        "3",
        "9",
        "enter",
        "enter",
        "esc",
        "j",
        "k",
        "down",
        "up",
        "space",
        "e",
        "s",
        "n",
        "a",
        "i",
        "l",
        "ctrl-n",
        "pagedown",
        "backspace",
        "tab",
    ];
    let states = vec![AgentState::Waiting, AgentState::Idle, AgentState::Exited, AgentState::Unknown];
    vec(
        prop_oneof![
            12 => select(keys).prop_map(Press::Key),
            1 => (30..110u16, 10..32u16).prop_map(|(x, y)| Press::Click(x, y)),
            2 => (0..1500u64).prop_map(Press::Pass),
            1 => (0..12usize, select(states)).prop_map(|(i, state)| Press::Become(i, state)),
        ],
        1..60,
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    /// An answer is sent only for a number, for Enter after the mark was moved, or for a click, each while the answers
    /// were open; after what an agent could not take nothing typed within a second does anything.
    #[test]
    fn only_what_was_picked_is_answered(presses in presses()) {
        let mut s = stage();
        let (mut moved, mut deaf, mut rest) = (false, false, 0);
        for press in presses {
            let open = matches!(s.state.mode, Mode::Answer { .. });
            moved &= open;
            rest = if let Press::Pass(ms) = press { rest + ms } else { rest };
            deaf &= rest < 1000;
            rest = if matches!(press, Press::Key(_)) { 0 } else { rest };
            match &press {
                Press::Key(key) => {
                    let words = key.len() == 1 || ["enter", "space", "tab", "backspace"].contains(key);
                    let key: Key = key.parse().unwrap();
                    let normal = matches!(s.state.mode, Mode::Normal);
                    let refused = normal && !deaf && matches!(s.state.keymap.action(key), Some(action @ (Action::Answer
                        | Action::Reply | Action::Interrupt | Action::Broadcast | Action::Kill))
                        if !available(action, &s.state));
                    let before = format!("{:?}", s.state.mode);
                    s.tell(Message::Key(key));
                    if deaf && words {
                        prop_assert_eq!(s.effects(), []);
                        prop_assert_eq!(format!("{:?}", s.state.mode), before);
                    } else {
                        deaf = refused || s.state.swallows.is_some();
                    }
                    moved |= open && matches!(s.state.mode, Mode::Answer { at: Some(_), .. });
                }
                Press::Click(x, y) => {
                    s.mouse(Mouse::Click, *x, *y);
                    deaf = false;
                }
                Press::Pass(ms) => s.pass(*ms),
                Press::Become(i, state) => {
                    s.publish(|next| next.agents[*i].state = *state);
                }
            }
            for effect in s.effects() {
                if let Effect::Act(MemberId::FIRST, Act::Answer { choice, .. }) = effect {
                    prop_assert!(open, "{press:?} answered while no answers were open");
                    match press {
                        Press::Key("enter") => prop_assert!(moved, "Enter picked what nobody had marked"),
                        Press::Key(digit) => prop_assert_eq!(digit.parse::<usize>().ok(), Some(choice + 1)),
                        Press::Click(..) => {}
                        _ => prop_assert!(false, "{press:?} answered"),
                    }
                }
            }
        }
    }
}
