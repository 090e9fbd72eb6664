//! The list to pick an agent from: its order, its keys, and what it asks to be done.

use tmux_orc::app::Effect;
use tmux_orc::app::core::act::Act;
use tmux_orc::app::core::column::SHOWN;
use tmux_orc::app::core::grouping::Grouping;
use tmux_orc::app::core::keymap::Keymap;
use tmux_orc::app::core::message::{Message, Mouse, Setup};
use tmux_orc::app::core::pick::{Opening, picks};
use tmux_orc::app::core::state::Mode;
use tmux_orc::app::core::view::Capabilities;
use tmux_orc::monitor::{AgentState, Command};

use super::{sample::stage::Stage, stage, twelve};

fn begins(opening: Opening) -> Stage {
    let mut s = Stage::new(twelve(), 100, 30);
    s.tell(Message::Begins(Box::new(Setup {
        keymap: Keymap::default(),
        can: Capabilities { jump: true, act: true, reload: true, copy: true },
        themes: vec!["dark".into()],
        theme: 0,
        ascii: false,
        columns: SHOWN.to_vec(),
        limit_threshold: 80,
        reduced_motion: false,
        grouping: Grouping::None,
        opening,
    })));
    s
}

fn listed(s: &Stage) -> Vec<String> {
    let Mode::Pick { input, .. } = &s.state.mode else { panic!("{:?}", s.state.mode) };
    picks(&s.state, input.value()).into_iter().map(|(_, agent)| agent.target.clone()).collect()
}

fn at(s: &Stage) -> Option<String> {
    let Mode::Pick { key, .. } = &s.state.mode else { panic!("{:?}", s.state.mode) };
    key.and_then(|key| s.state.fleet.agent(key)).map(|agent| agent.target.clone())
}

#[test]
fn who_needs_its_user_is_first_and_words_narrow_the_list() {
    let mut s = begins(Opening::Pick);
    let all = listed(&s);
    assert_eq!(all.len(), 12);
    let needs: Vec<bool> =
        all.iter().map(|target| s.state.fleet.agents().any(|a| a.target == *target && a.state.needs_user())).collect();
    assert!(needs[0] && needs.is_sorted_by(|a, b| a >= b), "{all:?}");
    assert_eq!(at(&s).as_deref(), Some(&*all[0]), "the one that has waited longest");
    s.types("docs");
    assert!(listed(&s).len() < 12 && listed(&s).iter().all(|target| target.starts_with("docs")), "{:?}", listed(&s));
    assert_eq!(at(&s), listed(&s).first().cloned());
    s.types("zzz");
    assert_eq!((listed(&s), at(&s)), (vec![], None));
    s.effects();
    s.keys("enter");
    assert_eq!(s.effects(), [], "nobody is there to go to");
    s.keys("ctrl-u");
    assert_eq!(listed(&s), all);
}

#[test]
fn the_screen_of_the_one_under_the_cursor_is_asked_for_and_enter_goes_there() {
    let mut s = begins(Opening::Pick);
    s.effects();
    s.keys("down");
    let second = s.state.fleet.keyed().find(|(_, agent)| agent.target == listed(&s)[1]).expect("there").0;
    assert_eq!(at(&s), Some(listed(&s)[1].clone()));
    assert_eq!(s.effects(), [Effect::Engine(second.member, Command::Focus(Some(second.pane)))]);
    s.keys("enter");
    assert_eq!(s.effects(), [Effect::Act(second.member, Act::Jump { pane: second.pane })]);
    // It stays in case that this fails, and the next key tries another one.
    s.tell(Message::ActionResult { text: "the pane is gone".into(), ok: false });
    assert!(s.text().contains("the pane is gone"), "{}", s.text());
    s.keys("esc");
    assert!(s.effects().contains(&Effect::Quit));
}

#[test]
fn from_the_panels_it_comes_back_to_them() {
    let mut s = stage();
    s.keys("J esc");
    assert!(matches!(s.state.mode, Mode::Normal) && !s.effects().contains(&Effect::Quit));
    s.keys("J ctrl-c");
    assert!(matches!(s.state.mode, Mode::Normal) && !s.effects().contains(&Effect::Quit));
    s.keys("J enter");
    assert!(matches!(s.state.mode, Mode::Normal));
    assert!(s.effects().iter().any(|effect| matches!(effect, Effect::Act(_, Act::Jump { .. }))));
}

#[test]
fn the_cursor_stays_on_its_agent_while_others_come_and_go() {
    let mut s = begins(Opening::Pick);
    s.keys("down down");
    let on = at(&s).expect("one");
    s.publish(|next| {
        let other = next.agents.iter_mut().find(|agent| !agent.state.needs_user()).expect("one that works");
        other.state = AgentState::Waiting;
    });
    assert_eq!(at(&s), Some(on.clone()));
    s.publish(|next| next.agents.retain(|agent| agent.target != on));
    assert_eq!(at(&s), listed(&s).first().cloned(), "it is gone: the first");
    s.publish(|next| next.agents.retain(|_| false));
    assert_eq!(at(&s), None);
    assert!(s.text().contains("No agents yet"), "{}", s.text());
}

#[test]
fn a_click_goes_to_the_row_that_is_drawn_there() {
    let mut s = begins(Opening::Pick);
    let third = listed(&s)[2].clone();
    let y = s.text().lines().position(|line| line.contains(&third)).expect("it is drawn");
    s.effects();
    s.mouse(Mouse::Click, 10, u16::try_from(y).expect("a row"));
    let key = s.state.fleet.keyed().find(|(_, agent)| agent.target == third).expect("there").0;
    assert!(s.effects().contains(&Effect::Act(key.member, Act::Jump { pane: key.pane })));
}
