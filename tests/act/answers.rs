//! Answers go to the prompt that was seen, or nowhere.

use tmux_orc::app::act::Caller;
use tmux_orc::app::core::act::{Act, Seen};

use crate::stage::{ASKS, Actress, IDLE, Stage, WORKS, rows};

fn answer(actress: &Actress, seen: &Seen, label: &str) -> Act {
    let choice = seen
        .choices
        .iter()
        .position(|choice| choice.label == label)
        .unwrap_or_else(|| panic!("{label} is not offered: {seen:?}"));
    Act::Answer { pane: actress.pane, choice, seen: seen.clone() }
}

#[tokio::test]
async fn an_answer_presses_its_key_and_tells_what_followed() {
    let stage = Stage::new();
    let claude = stage.agent("one", ASKS);
    let seen = stage.seen(&claude).await;
    let reaction = claude.react("4", WORKS);
    let result = stage.actor().perform(answer(&claude, &seen, "No")).await;
    reaction.join().expect("the stand-in got its key");
    assert_eq!((result.text.as_str(), result.ok), ("main:1.0: answered 'No', now working", true));
    assert_eq!(claude.input(), "4");
    assert_eq!(stage.last_act(), ("4".to_owned(), true));
}

#[tokio::test]
async fn a_prompt_that_changed_in_between_gets_nothing() {
    let stage = Stage::new();
    let claude = stage.agent("one", ASKS);
    let actor = stage.actor();
    let seen = stage.seen(&claude).await;
    // The same question with the same answers, about another command.
    let other: Vec<String> = rows(ASKS)
        .into_iter()
        .map(|row| if row.starts_with(" touch") { " rm -rf /home/user".into() } else { row })
        .collect();
    stage.draw(&claude, &other);
    let result = actor.perform(answer(&claude, &seen, "Yes")).await;
    assert!(!result.ok && result.text.contains("its prompt has changed"), "{result:?}");
    // The mark of the selected answer was moved by somebody else.
    let moved: Vec<String> = rows(ASKS)
        .into_iter()
        .map(|row| row.replace(" ❯ 1. Yes", "   1. Yes").replace("   4. No", " ❯ 4. No"))
        .collect();
    stage.draw(&claude, &moved);
    assert!(!actor.perform(answer(&claude, &seen, "Yes")).await.ok);
    // Answered by somebody else.
    stage.show(&claude, WORKS);
    let result = actor.perform(answer(&claude, &seen, "Yes")).await;
    assert!(!result.ok && result.text.contains("it is working now"), "{result:?}");
    assert_eq!(claude.input(), "", "nothing was ever sent");
    assert_eq!(stage.last_act(), (String::new(), false));
}

#[tokio::test]
async fn what_moves_above_the_prompt_does_not_matter() {
    let stage = Stage::new();
    let claude = stage.agent("one", ASKS);
    let seen = stage.seen(&claude).await;
    let blinked: Vec<String> = rows(ASKS).into_iter().map(|row| row.replace("● Bash", "  Bash")).collect();
    stage.draw(&claude, &blinked);
    let reaction = claude.react("1", IDLE);
    assert!(stage.actor().perform(answer(&claude, &seen, "Yes")).await.ok);
    reaction.join().expect("the stand-in got its key");
}

#[tokio::test]
async fn a_prompt_whose_request_was_not_shown_gets_nothing() {
    let stage = Stage::new();
    let claude = stage.agent("one", ASKS);
    let seen = stage.row(&claude).await;
    let result = stage.actor().perform(answer(&claude, &seen, "Yes")).await;
    assert!(!result.ok && result.text.contains("its request was not shown"), "{result:?}");
    assert_eq!(claude.input(), "");
}

/// The prompt with other rows in the place of its command.
fn asking(command: &[&str]) -> Vec<String> {
    let all = rows(ASKS);
    let row = all.iter().position(|row| row.starts_with(" touch")).expect("the command");
    let mut asking = all.clone();
    asking.splice(row..=row, command.iter().map(|row| (*row).to_owned()));
    asking.truncate(all.len());
    asking
}

#[tokio::test]
async fn every_row_of_the_request_counts_whatever_stands_below_it() {
    let stage = Stage::new();
    let claude = stage.agent("one", ASKS);
    let actor = stage.actor();
    // What looks like the upper edge of a dialog may be a row of the command.
    for middle in [" # note", " ────────────", "────────────", " ┌ note", "╭──────╮", " ══════════"]
    {
        stage.draw(&claude, &asking(&[" ls -la", middle, " echo done"]));
        let seen = stage.seen(&claude).await;
        stage.draw(&claude, &asking(&[" rm -rf ~/work", middle, " echo done"]));
        let result = actor.perform(answer(&claude, &seen, "Yes")).await;
        assert!(!result.ok && result.text.contains("its prompt has changed"), "{middle}: {result:?}");
    }
    // Blanks count, and rows that were blank.
    stage.draw(&claude, &asking(&[" rm -r a b", "", " echo"]));
    let seen = stage.seen(&claude).await;
    for other in [[" rm -r a  b", "", " echo"], [" rm -r a b", " rm c", " echo"]] {
        stage.draw(&claude, &asking(&other));
        let result = actor.perform(answer(&claude, &seen, "Yes")).await;
        assert!(!result.ok && result.text.contains("its prompt has changed"), "{result:?}");
    }
    assert_eq!(claude.input(), "");
}

#[tokio::test]
async fn what_it_asks_about_counts_also_where_it_stands_above_the_prompt() {
    let stage = Stage::new();
    let claude = stage.agent("one", ASKS);
    let seen = stage.seen(&claude).await;
    let other = |row: String| if row.starts_with("● Bash(") { "● Bash(rm -rf ~)".to_owned() } else { row };
    stage.draw(&claude, &rows(ASKS).into_iter().map(other).collect::<Vec<_>>());
    let result = stage.actor().perform(answer(&claude, &seen, "Yes")).await;
    assert!(!result.ok && result.text.contains("what it asks about has changed"), "{result:?}");
    assert_eq!(claude.input(), "");
}

#[tokio::test]
async fn two_programs_that_answer_one_prompt_press_one_key() {
    let stage = Stage::new();
    let claude = stage.agent("one", ASKS);
    let seen = stage.seen(&claude).await;
    // Each with a lock, a pool and a journal of its own, as two dashboards have them.
    let (one, two) = (stage.actor(), stage.actor());
    let (act, other) = (answer(&claude, &seen, "Yes"), answer(&claude, &seen, "No"));
    let (first, second) = tokio::join!(one.perform(act), two.perform(other));
    // The stand-in never takes its prompt down, as one that is slow.
    assert_eq!(claude.input().len(), 1, "{first:?} {second:?}");
    let refused = [&first, &second].into_iter().filter(|result| result.text.contains("the same prompt was answered"));
    assert_eq!(refused.count(), 1, "{first:?} {second:?}");
    assert!(!first.ok && !second.ok, "an answer after which nothing changed is not said to have worked");
}

#[tokio::test]
async fn another_agent_of_the_same_name_in_the_same_pane_is_left_alone() {
    let stage = Stage::new();
    let claude = stage.agent("one", ASKS);
    let seen = stage.seen(&claude).await;
    let again = stage.again(&claude, ASKS);
    let actor = stage.actor();
    let pane = claude.pane;
    let acts = [
        answer(&claude, &seen, "Yes"),
        Act::Reply { pane, text: "hello".into(), seen: seen.clone() },
        Act::Interrupt { pane, seen: seen.clone() },
        Act::Kill { pane, seen: seen.clone() },
    ];
    for (act, screen) in acts.into_iter().zip([ASKS, IDLE, WORKS, IDLE]) {
        stage.show(&again, screen);
        let result = actor.perform(act).await;
        assert!(!result.ok && result.text.contains("another claude runs in it now"), "{result:?}");
    }
    assert_eq!(again.input(), "");
    assert!(stage.server.run(&["list-panes", "-a", "-F", "#{pane_id}"]).contains(&pane.to_string()));
}

#[tokio::test]
async fn answers_that_changed_get_nothing_and_the_one_that_was_seen_gets_its_key() {
    let stage = Stage::new();
    let claude = stage.agent("one", ASKS);
    let seen = stage.seen(&claude).await;
    let other: Vec<String> =
        rows(ASKS).into_iter().map(|row| row.replace("3. Yes, and switch", "3. Yes, and never switch")).collect();
    stage.draw(&claude, &other);
    assert!(!stage.actor().perform(answer(&claude, &seen, "Yes")).await.ok);
    stage.show(&claude, ASKS);
    let reaction = claude.react("1", WORKS);
    assert!(stage.actor().perform(answer(&claude, &seen, "Yes")).await.ok);
    reaction.join().expect("the stand-in got its key");
}

#[tokio::test]
async fn a_pane_that_would_pass_the_keys_on_gets_none() {
    let stage = Stage::new();
    let claude = stage.agent("one", ASKS);
    let pane = claude.pane.to_string();
    let seen = stage.seen(&claude).await;
    let actor = stage.actor();
    let refused = async |word: &str| {
        let result = actor.perform(answer(&claude, &seen, "Yes")).await;
        assert!(!result.ok && result.text.contains(word), "{result:?}");
    };
    stage.server.run(&["copy-mode", "-t", &pane]);
    refused("copy mode").await;
    stage.server.run(&["send-keys", "-t", &pane, "-X", "cancel"]);
    stage.server.run(&["set-option", "-w", "-t", &pane, "synchronize-panes", "on"]);
    refused("synchronize-panes").await;
    stage.server.run(&["set-option", "-w", "-t", &pane, "synchronize-panes", "off"]);
    stage.server.run(&["select-pane", "-d", "-t", &pane]);
    refused("input is turned off").await;
    stage.server.run(&["select-pane", "-e", "-t", &pane]);
    assert_eq!(claude.input(), "");
}

#[tokio::test]
async fn a_program_that_ended_or_a_pane_that_died_gets_nothing() {
    let stage = Stage::new();
    let claude = stage.agent("one", ASKS);
    let seen = stage.seen(&claude).await;
    let actor = stage.actor();
    let pane = claude.pane.to_string();
    let shell = stage.server.run(&["display-message", "-p", "-t", &pane, "#{pane_pid}"]);
    let killed = std::process::Command::new("pkill").args(["-KILL", "-P", &shell]).status().expect("pkill");
    assert!(killed.success());
    stage.server.wait_screen(&pane, "the shell's prompt", |screen| screen.trim_end().ends_with('$'));
    let result = actor.perform(answer(&claude, &seen, "Yes")).await;
    assert!(!result.ok, "{result:?}");
    let reply = Act::Reply { pane: claude.pane, text: "touch harm".into(), seen: seen.clone() };
    let result = actor.perform(reply).await;
    assert!(!result.ok, "{result:?}");
    let screen = stage.server.screen(&pane);
    assert!(!screen.contains("touch harm") && !screen.contains("$ 1"), "{screen}");
    stage.server.run(&["kill-pane", "-t", &pane]);
    let result = actor.perform(answer(&claude, &seen, "Yes")).await;
    assert_eq!(result.text, format!("pane {pane} is gone"));
}

#[tokio::test]
async fn read_only_sends_nothing_at_all() {
    let stage = Stage::new();
    let claude = stage.agent("one", ASKS);
    let seen = stage.seen(&claude).await;
    let actor = stage.actor_of(Caller::default(), true);
    for act in [
        answer(&claude, &seen, "Yes"),
        Act::Reply { pane: claude.pane, text: "x".into(), seen: seen.clone() },
        Act::Interrupt { pane: claude.pane, seen: seen.clone() },
        Act::Kill { pane: claude.pane, seen: seen.clone() },
    ] {
        let result = actor.perform(act).await;
        assert!(!result.ok && result.text.contains("switched off"), "{result:?}");
    }
    assert_eq!(claude.input(), "");
}
