//! The answers that recorded prompts offer, and the keys that pick them.

use jiff::SignedDuration;
use tmux_orc::{
    monitor::AgentState,
    monitor::detect::{Profiles, fixture::Fixture, judge},
    tmux::Screen,
};

use super::table::{fixtures, observation, verdict};

/// Labels and keys of what a recorded screen offers.
fn offered(name: &str) -> Vec<(String, String)> {
    let fixture = fixtures().into_iter().find(|fixture| fixture.name == name).unwrap();
    let choices = verdict(&Profiles::embedded(), &fixture).unwrap().choices;
    choices.into_iter().map(|choice| (choice.label, choice.keys.join(" "))).collect()
}

fn pairs(list: &[(&str, &str)]) -> Vec<(String, String)> {
    list.iter().map(|(label, keys)| ((*label).to_owned(), (*keys).to_owned())).collect()
}

#[test]
fn a_second_question_of_the_same_look_has_its_own_answers() {
    let first = offered("opencode-1.18.33/perm-bash.100x30");
    assert_eq!(
        first,
        pairs(&[("Allow once", "Enter"), ("Allow always", "Right Enter"), ("Reject", "Right Right Enter")])
    );
    let second = offered("opencode-1.18.33/perm-always.100x30");
    assert_eq!(second, pairs(&[("Confirm", "Enter"), ("Cancel", "Right Enter")]));
}

#[test]
fn no_answer_is_offered_while_words_of_ones_own_are_typed() {
    let open = [
        "claude-2.1.331/ask-own-answer.100x30",
        "copilot-1.0.102/ask-own-answer.100x30",
        "copilot-1.0.102/perm-own-words.100x30",
        "opencode-1.18.33/ask-own-answer.100x30",
        "qwen-0.24.4/ask-own-answer.100x30",
        "pi-0.73.1/ask-own-answer.100x30",
        "pi-1.5.2/ask-own-answer.100x30",
        "nanocoder-1.30.0/ask-own-answer.100x30",
        "vibe-3.0.2/ask-own-answer.100x30",
        "cline-3.0.65/ask-own-answer.100x30",
        "cline-3.0.65/ask-own-empty.100x30",
        "kimi-2.1.0/ask-own-answer.100x30",
        "kimi-2.1.0/perm-own-words.100x30",
    ];
    for name in open {
        assert_eq!(offered(name), [], "{name}");
    }
}

#[test]
fn a_refusal_that_names_its_key_is_picked_by_that_key() {
    let edit = offered("copilot-1.0.102/perm-edit.100x30");
    assert_eq!(edit.last().map(|(_, keys)| keys.as_str()), Some("Escape"), "{edit:?}");
}

#[test]
fn keys_start_from_the_answer_that_its_colour_marks() {
    let name = "opencode-1.18.33/perm-bash.100x30";
    let fixture = fixtures().into_iter().find(|fixture| fixture.name == name).unwrap();
    let keys = |marked: &str| {
        let paint = |row: &String| row.replace(marked, &format!("\x1b[48;2;245;167;66m{marked}\x1b[48;2;30;30;30m"));
        let rows: Vec<String> = fixture.rows.iter().map(paint).collect();
        let screen = Screen::styled(format!("\x1b[48;2;30;30;30m{}", rows.join("\n")).as_bytes());
        let verdict = judge(&Profiles::embedded(), &observation(&fixture, &screen)).unwrap();
        verdict.choices.iter().map(|choice| choice.keys.join(" ")).collect::<Vec<_>>()
    };
    assert_eq!(keys("Reject"), ["Left Left Enter", "Left Enter", "Enter"]);
    assert_eq!(keys("Allow always"), ["Left Enter", "Enter", "Right Enter"]);
    assert_eq!(keys("nothing at all"), ["", "", ""], "no key is better than a wrong one");
}

#[test]
fn the_answers_of_each_program_have_its_keys() {
    let yes_no = [("Yes", "Enter"), ("No", "Down Enter")];
    assert_eq!(offered("pi-1.5.2/perm-ext-gate.100x30"), pairs(&yes_no));
    assert_eq!(offered("pi-1.5.2-sizes/perm-ext-gate.40x15"), pairs(&yes_no), "its hint is cut off");
    let approve = [("Approve", "y"), ("Deny", "n")];
    assert_eq!(offered("cline-3.0.65/perm-bash.100x30"), pairs(&approve));
    let databases = offered("cline-3.0.65/ask-choice.100x30");
    let keys: Vec<&str> = databases.iter().map(|(_, keys)| keys.as_str()).collect();
    assert_eq!(keys, ["Enter", "Down Enter", "Down Down Enter", "Down Down Down Enter"], "{databases:?}");
    let reject = [("Reject", "Enter"), ("Cancel", "Escape")];
    assert_eq!(offered("kilo-7.7.7/perm-reject.100x30"), pairs(&reject), "it asks for words, that may be none");
    // A numbered list in the text above is no answer.
    let codex = offered("codex-0.171.0/adv-perm-permq.100x30");
    assert_eq!(codex.iter().map(|(_, keys)| keys.as_str()).collect::<Vec<_>>(), ["1", "2", "3"], "{codex:?}");
    let qwen = offered("qwen-0.24.4/adv-perm-permq.100x30");
    assert!(qwen.iter().all(|(label, _)| !label.ends_with(['│', '█'])), "{qwen:?}");
}

#[test]
fn a_prompt_for_trust_can_be_refused() {
    let trust = |trust, no, keys| pairs(&[(trust, "Enter"), (no, keys)]);
    assert_eq!(offered("kimi-2.1.0/trust.100x30"), trust("Trust this folder", "Don't trust", "Down Enter"));
    assert_eq!(offered("vibe-3.0.2/trust.100x30"), trust("Trust folder", "Don't trust", "Right Enter"));
    assert_eq!(offered("nanocoder-1.30.0/trust.100x30"), trust("Yes, proceed", "No, exit", "Down Enter"));
}

#[test]
fn keys_come_one_by_one_where_the_second_would_not_see_what_the_first_did() {
    let profiles = Profiles::embedded();
    let pause = |agent: &str| profiles.get(agent).unwrap().keys.pause();
    assert!(pause("nanocoder") >= std::time::Duration::from_millis(100), "it ran what was refused");
    assert!(pause("pi").is_zero());
}

/// Words that tell nobody what would be done.
const VAGUE: &[&str] = &[
    "Would you like to make the following edits?",
    "Would you like to run the following command?",
    "Would you like to continue?",
    "Do you want to proceed?",
    "Approve tool call?",
    "Allow?",
];

#[test]
fn every_request_says_what_is_asked() {
    let profiles = Profiles::embedded();
    let mut wrong = Vec::new();
    let mut seen = 0;
    for fixture in fixtures() {
        let Some(verdict) = verdict(&profiles, &fixture).filter(|verdict| verdict.state == AgentState::Waiting) else {
            continue;
        };
        seen += 1;
        // In a pane that is lower than the prompt, what it is about is not on the screen.
        let cut = fixture.pane.height <= 15;
        let Some(asks) = verdict.asks else {
            if cut {
                continue;
            }
            wrong.push(format!("{}: nothing by {}", fixture.name, verdict.evidence.rule));
            continue;
        };
        let marked = verdict.choices.iter().any(|choice| choice.label == asks.line);
        if marked || asks.full.is_empty() || (VAGUE.contains(&asks.line.as_str()) && !cut) {
            wrong.push(format!("{}: {} by {}", fixture.name, asks.line, verdict.evidence.rule));
        }
    }
    assert!(seen > 300, "only {seen} requests");
    assert!(wrong.is_empty(), "{} of {seen}:\n{}", wrong.len(), wrong.join("\n"));
}

/// The seconds that a prompt of hermes shows beside its keys; the built-in profiles know no other that counts down.
fn shown_seconds(fixture: &Fixture) -> Option<i64> {
    let row = fixture.rows.iter().rev().find(|row| row.contains("Enter to confirm  ("))?;
    row.rsplit_once('(')?.1.strip_suffix("s)")?.parse().ok()
}

#[test]
fn a_prompt_that_counts_down_says_by_when_it_wants_its_answer() {
    let profiles = Profiles::embedded();
    let mut counted = 0;
    for fixture in fixtures() {
        let screen = fixture.screen();
        let seen = observation(&fixture, &screen);
        let Some(verdict) = judge(&profiles, &seen) else { continue };
        let left = shown_seconds(&fixture).filter(|_| verdict.state == AgentState::Waiting);
        let wanted = left.map(|left| seen.now + SignedDuration::from_secs(left));
        assert_eq!(verdict.deadline, wanted, "{}", fixture.name);
        counted += usize::from(left.is_some());
    }
    assert!(counted >= 8, "only {counted} prompts count down");
}
