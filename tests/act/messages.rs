//! Messages, interrupts and kills: whole, only where they are read as such, and without a trace in tmux.

use tmux_orc::app::core::act::Act;

use crate::{
    stage::{ASKS, IDLE, Stage, WORKS, rows},
    support::{PATIENCE, wait_for},
};

const TEXT: &str = "first line; $(touch harm)\t`x` #{pane_id} %H\n  ünïcode ✓ 日本語 🦀\n\nlast \"line\" '$HOME' \\n ~";

#[tokio::test]
async fn a_message_of_several_lines_arrives_as_one_paste() {
    let stage = Stage::new();
    let claude = stage.agent("one", IDLE);
    let seen = stage.seen(&claude).await;
    let reaction = claude.react("\r", WORKS);
    let result = stage.actor().perform(Act::Reply { pane: claude.pane, text: TEXT.into(), seen }).await;
    reaction.join().expect("Enter came");
    assert_eq!((result.text.as_str(), result.ok), ("main:1.0: message sent, now working", true));
    assert_eq!(claude.input(), stage.pasted(&claude, TEXT) + "\r");
    assert_eq!(stage.buffers(), "");
    assert_eq!(stage.last_act(), (TEXT.to_owned(), true));
}

#[tokio::test]
async fn a_long_message_arrives_whole() {
    let stage = Stage::new();
    let claude = stage.agent("one", IDLE);
    let seen = stage.seen(&claude).await;
    let text = "0123456789 abcdefghijklmnopqrstuvwxyz ÄÖÜ\n".repeat(1000);
    let reaction = claude.react("\x1b[201~\r", WORKS);
    assert!(stage.actor().perform(Act::Reply { pane: claude.pane, text: text.clone(), seen }).await.ok);
    reaction.join().expect("Enter came");
    assert_eq!(claude.input(), stage.pasted(&claude, text.trim_end()) + "\r");
}

#[tokio::test]
async fn a_prompt_that_comes_up_is_not_answered_by_the_end_of_a_message() {
    let stage = Stage::new();
    let claude = stage.agent("one", WORKS);
    let seen = stage.seen(&claude).await;
    // Up before the message: nothing is sent.
    stage.show(&claude, ASKS);
    let actor = stage.actor();
    let reply = |text: &str| Act::Reply { pane: claude.pane, text: text.into(), seen: seen.clone() };
    let result = actor.perform(reply("hello")).await;
    assert!(!result.ok && result.text.contains("it asks something now"), "{result:?}");
    assert_eq!(claude.input(), "");
    // Up between the text and Enter: Enter is not pressed.
    stage.show(&claude, WORKS);
    let reaction = claude.react("\x1b[201~", ASKS);
    let result = actor.perform(reply("hello")).await;
    reaction.join().expect("the text came");
    assert!(!result.ok && result.text.contains("was not sent off"), "{result:?}");
    assert_eq!(claude.input(), "\x1b[200~hello\x1b[201~");
    assert_eq!(stage.last_act(), ("hello".to_owned(), false));
    assert_eq!(stage.buffers(), "");
}

#[tokio::test]
async fn a_message_that_is_nothing_or_all_controls_is_refused() {
    let stage = Stage::new();
    let claude = stage.agent("one", IDLE);
    let seen = stage.seen(&claude).await;
    for text in ["", " \n ", "\x1b[201~"] {
        let result =
            stage.actor().perform(Act::Reply { pane: claude.pane, text: text.into(), seen: seen.clone() }).await;
        assert!(!result.ok, "{text:?}: {result:?}");
    }
    assert_eq!(claude.input(), "");
}

#[tokio::test]
async fn a_turn_is_interrupted_and_rest_is_left_alone() {
    let stage = Stage::new();
    let claude = stage.agent("one", WORKS);
    let seen = stage.seen(&claude).await;
    let actor = stage.actor();
    let reaction = claude.react("\x1b", IDLE);
    let result = actor.perform(Act::Interrupt { pane: claude.pane, seen: seen.clone() }).await;
    reaction.join().expect("Escape came");
    assert_eq!((result.text.as_str(), result.ok), ("main:1.0: interrupted, now idle", true));
    let result = actor.perform(Act::Interrupt { pane: claude.pane, seen }).await;
    assert!(!result.ok && result.text.contains("it is idle"), "{result:?}");
    assert_eq!(claude.input(), "\x1b");
}

#[tokio::test]
async fn a_kill_closes_that_pane_only_if_the_agent_is_still_in_it() {
    let stage = Stage::new();
    let (one, two) = (stage.agent("one", IDLE), stage.agent("two", IDLE));
    let seen = stage.seen(&one).await;
    let actor = stage.actor();
    let mut other = seen.clone();
    other.agent = "codex".into();
    assert!(!actor.perform(Act::Kill { pane: one.pane, seen: other }).await.ok);
    assert!(actor.perform(Act::Kill { pane: one.pane, seen }).await.ok);
    let gone = one.pane.to_string();
    wait_for("the pane's end", PATIENCE, || {
        !stage.server.run(&["list-panes", "-a", "-F", "#{pane_id}"]).lines().any(|id| id == gone)
    });
    assert!(stage.server.run(&["list-panes", "-a", "-F", "#{pane_id}"]).contains(&two.pane.to_string()));
}

#[tokio::test]
async fn a_broadcast_has_a_result_for_each() {
    let stage = Stage::new();
    let (one, two, three) = (stage.agent("one", IDLE), stage.agent("two", IDLE), stage.agent("three", IDLE));
    let mut to = Vec::new();
    for actress in [&one, &two, &three] {
        to.push((actress.pane, stage.seen(actress).await));
    }
    stage.draw(&two, &rows(ASKS));
    let reactions = [one.react("\r", WORKS), three.react("\r", WORKS)];
    let results = stage.actor().broadcast("all of you", to).await;
    for reaction in reactions {
        reaction.join().expect("Enter came");
    }
    let ok: Vec<bool> = results.iter().map(|(_, result)| result.ok).collect();
    assert_eq!(ok, [true, false, true], "{results:?}");
    assert_eq!(
        (one.input(), two.input(), three.input()),
        ("\x1b[200~all of you\x1b[201~\r".to_owned(), String::new(), "\x1b[200~all of you\x1b[201~\r".to_owned())
    );
    assert_eq!(stage.journal().len(), 3);
}
