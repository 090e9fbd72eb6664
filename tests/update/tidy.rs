//! What its user puts on an agent: asked of the engine, shown when it is so, taken back by the same key.

use tmux_orc::app::Effect;
use tmux_orc::app::core::list::Line;
use tmux_orc::app::core::message::{Hit, Message, Mouse};
use tmux_orc::app::core::state::Mode;
use tmux_orc::monitor::{Agent, Command, Snapshot, TidyChange};

use super::{sample::stage::Stage, stage};

/// The changes that were asked of the engine, each with its pane.
fn asked(s: &mut Stage) -> Vec<(u32, TidyChange)> {
    let change = |effect| match effect {
        Effect::Ask(_, _, Command::Tidy(tidying)) => Some((tidying.pane_id.0, tidying.change)),
        _ => None,
    };
    s.effects().into_iter().filter_map(change).collect()
}

fn of<'a>(next: &'a mut Snapshot, target: &str) -> &'a mut Agent {
    next.agents.iter_mut().find(|agent| agent.target == target).unwrap()
}

/// The engine does what was asked for last: puts it on the agent and answers.
fn does(s: &mut Stage, target: &str, change: impl FnOnce(&mut Agent)) {
    s.publish(|next| change(of(next, target)));
    s.answer(Ok(()));
}

#[test]
fn who_is_parked_is_folded_at_the_end_and_the_same_key_takes_it_back() {
    let mut s = stage();
    let first = s.selected().to_owned();
    let needy = s.state.counts()[0];
    s.keys("P");
    let (pane, change) = asked(&mut s).remove(0);
    assert_eq!(change, TidyChange::Park(true));
    assert_eq!(s.rows().len(), 12, "not before the engine says so");
    assert!(s.text().contains("park …"));
    // Pressed again before it is answered: what is on its way is taken back.
    s.keys("P");
    assert_eq!(asked(&mut s), [(pane, TidyChange::Park(false))]);
    s.keys("P");
    does(&mut s, &first, |agent| agent.parked = true);
    assert_eq!((s.rows().len(), s.state.counts()[0], s.state.aside().as_str()), (11, needy - 1, "1 parked"));
    assert!(s.text().contains("▸ 1 parked") && s.text().contains("11 of 12"));
    assert_ne!(s.selected(), first, "the cursor stays in its row");
    s.effects();

    s.keys("a");
    assert_eq!(s.rows().last(), Some(&first));
    s.keys("G P");
    assert_eq!(asked(&mut s), [(pane, TidyChange::Park(false))]);
    does(&mut s, &first, |agent| agent.parked = false);
    assert_eq!(s.rows()[0], first);
    assert!(!s.text().contains("1 parked"));
}

#[test]
fn a_filter_and_the_palette_find_who_is_folded_and_a_click_opens_the_fold() {
    let mut s = stage();
    s.publish(|next| {
        of(next, "web:2.0").parked = true;
        of(next, "api:1.0").snoozed = true;
    });
    assert_eq!(s.state.aside(), "1 parked, 1 snoozed");
    assert!(s.rows().iter().all(|row| row != "web:2.0" && row != "api:1.0"));
    s.keys("/ w e b : 2 enter");
    assert_eq!(s.rows(), ["web:2.0"]);
    s.keys("esc");
    s.keys("esc");
    assert_eq!(s.rows().len(), 10);
    let y = s.text().lines().position(|line| line.contains("▸ 1 parked")).unwrap();
    s.mouse(Mouse::Click, 10, u16::try_from(y).unwrap());
    assert_eq!(s.rows()[10..], ["api:1.0", "web:2.0"]);
    s.mouse(Mouse::Click, 10, u16::try_from(y).unwrap());
    assert_eq!(s.rows().len(), 10);
    s.keys(": w e b : 2 . 0 enter");
    assert_eq!(s.selected(), "web:2.0", "the fold is opened for it");
    let folded = s.state.list.lines.iter().filter(|line| matches!(line, Line::Aside { parked: 1, snoozed: 1 })).count();
    assert_eq!(folded, 1);
}

#[test]
fn who_is_out_of_the_way_is_not_the_next_one_and_calls_for_nobody() {
    let mut s = stage();
    let waiting: Vec<String> = s.rows().drain(..2).collect();
    s.publish(|next| of(next, &waiting[0]).snoozed = true);
    s.keys("n");
    assert_eq!(s.selected(), waiting[1]);
    s.keys("n");
    assert_eq!(s.selected(), waiting[1], "round and round");
    s.publish(|next| of(next, &waiting[1]).parked = true);
    s.effects();
    s.keys("n");
    assert_eq!(s.state.counts()[0], 0);
}

#[test]
fn a_snooze_is_chosen_by_its_number_or_with_the_cursor() {
    let mut s = stage();
    for (keys, change) in [
        ("Z enter", Some(TidyChange::Snooze(Some(600)))),
        ("Z 2", Some(TidyChange::Snooze(Some(3600)))),
        ("Z j j enter", Some(TidyChange::Snooze(None))),
        ("Z esc", None),
        ("Z 7", None),
    ] {
        let mut s = stage();
        s.keys(keys);
        assert_eq!(asked(&mut s).pop().map(|(_, change)| change), change, "{keys}");
        assert!(matches!(s.state.mode, Mode::Normal), "{keys}");
    }
    s.keys("Z");
    s.tell(Message::Mouse(Mouse::Click, Some(Hit::Choice(2))));
    assert_eq!(asked(&mut s).pop().unwrap().1, TidyChange::Snooze(None));
    let target = s.selected().to_owned();
    let until = s.state.now + jiff::SignedDuration::from_secs(540);
    does(&mut s, &target, |agent| (agent.snoozed, agent.snoozed_until) = (true, Some(until)));
    s.keys("a G");
    assert!(s.text().contains("snoozed 9m"), "{}", s.text());
    s.effects();
    s.keys("Z");
    assert_eq!(asked(&mut s).pop().unwrap().1, TidyChange::Wake);
}

#[test]
fn a_pinned_row_is_on_top_of_all_but_those_that_need_their_user() {
    let mut s = stage();
    let last = s.rows().pop().unwrap();
    s.keys("G i");
    assert_eq!(asked(&mut s).pop().unwrap().1, TidyChange::Pin(true));
    does(&mut s, &last, |agent| agent.pinned = true);
    assert_eq!(s.rows()[2], last, "at once: its user asked for it");
    for _ in 0..7 {
        s.keys("o");
        let at = s.rows().iter().position(|row| *row == last).unwrap();
        assert_eq!(at, if s.state.list.sort.to_string() == "need" { 2 } else { 0 }, "{}", s.state.list.sort);
        s.keys("O");
        assert_eq!(s.rows()[0], last, "{}", s.state.list.sort);
        s.keys("O");
    }
    s.effects();
    s.keys("i B");
    assert_eq!(
        asked(&mut s).into_iter().map(|(_, change)| change).collect::<Vec<_>>(),
        [TidyChange::Pin(false), TidyChange::Mute(true)]
    );
}

#[test]
fn a_name_and_a_note_are_typed_into_one_form_and_are_no_longer_than_is_kept() {
    let mut s = stage();
    s.keys("N");
    s.types("parser");
    s.keys("tab");
    s.types("q quits nothing");
    s.keys("enter");
    let typed = |name: &str, note: &str| TidyChange::Describe { name: name.into(), note: note.into() };
    assert_eq!(asked(&mut s).pop().unwrap().1, typed("parser", "q quits nothing"));
    let target = s.selected().to_owned();
    does(&mut s, &target, |agent| {
        (agent.name, agent.given_name) = ("parser".into(), Some("parser".into()));
        agent.note = Some("q quits nothing".into());
    });
    assert!(s.text().contains(&format!("parser {target}")), "{}", s.text());
    assert!(s.text().contains("q quits nothing"));
    // It begins with what is there; a cleared field takes it away.
    s.keys("N ctrl-u down");
    s.tell(Message::Paste(format!("{}\nx", "y".repeat(400))));
    s.keys("enter");
    let Some((_, TidyChange::Describe { name, note })) = asked(&mut s).pop() else { panic!("nothing asked") };
    assert_eq!((name.as_str(), note.chars().count()), ("", 200));
    assert!(note.starts_with("q quits nothingyyy"), "{note}");
    s.keys("N esc");
    assert_eq!(asked(&mut s), []);
}

#[test]
fn an_engine_that_knows_nothing_of_it_is_said_to_be_too_old() {
    let mut s = stage();
    s.keys("P");
    s.answer(Err("the engine knows no such command: unknown variant `tidy`, expected one of `strategy`"));
    let text = &s.state.toasts.back().unwrap().text;
    assert_eq!(text, "the engine in the background is too old for this: `tmux-orc monitor restart` starts this one");
}
