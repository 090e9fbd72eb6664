//! What a recorded prompt asks of its user, in one line and in full.

use std::collections::BTreeMap;

use crate::table::fixtures;
use tmux_orc::{
    monitor::{
        AgentState, Asks,
        detect::{Profiles, Verdict, judge},
    },
    tmux::Screen,
};

/// The verdicts of all recorded prompts.
fn prompts() -> BTreeMap<String, Verdict> {
    let profiles = Profiles::embedded();
    let mut prompts = BTreeMap::new();
    for fixture in fixtures() {
        let screen = Screen::plain(fixture.rows.join("\n").as_bytes());
        let seen = fixture.observation(&screen, jiff::Timestamp::UNIX_EPOCH);
        let verdict = judge(&profiles, &seen).filter(|verdict| verdict.state == AgentState::Waiting);
        prompts.extend(verdict.map(|verdict| (fixture.name.clone(), verdict)));
    }
    prompts
}

#[test]
fn the_line_is_the_command_the_file_or_the_question() {
    let prompts = prompts();
    let wrong: Vec<String> = include_str!("asks.txt")
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .filter_map(|line| {
            let (name, asks) = line.split_once(" | ")?;
            let found = prompts.get(name).map(|verdict| verdict.asks.clone().unwrap_or_default().line);
            (found.as_deref() != Some(asks)).then(|| format!("{name}: {found:?}, not {asks:?}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_answer_is_taken_for_the_request() {
    for (name, verdict) in prompts() {
        let Some(Asks { line, full }) = verdict.asks else { continue };
        assert!(!line.trim().is_empty() && line.lines().count() == 1, "{name}: {line:?}");
        assert!(verdict.choices.iter().all(|choice| choice.label != line), "{name}: {line:?} is an answer");
        assert!(full.trim_end() == full && full.lines().all(|row| row.trim_end() == row), "{name}: {full:?}");
    }
}

#[test]
fn the_request_in_full_is_what_stands_above_the_answers() {
    let prompts = prompts();
    let full = |name: &str| {
        let rows = prompts[name].asks.clone().unwrap_or_default().full;
        rows.lines().map(str::trim).filter(|row| !row.is_empty()).collect::<Vec<_>>().join("\n")
    };
    assert_eq!(
        full("claude-2.1.331/perm-edit.100x30"),
        "Edit file\nhello.py\n1  print(\"hello\")\n2 +print(\"world\")\nDo you want to make this edit to hello.py?"
    );
    assert_eq!(
        full("codex-0.169.0/perm-bash.100x30"),
        "Would you like to run the following command?\nEnvironment: local\nReason: Do you want to let me create the \
         marker file outside of the workspace?\n$ touch /home/user/proj1/made-by-tool.txt && echo hello-from-tool"
    );
    assert_eq!(
        full("pi-1.5.2/perm-ext-gate.100x30"),
        "⚠️ Dangerous command:\nrm -rf /home/user/proj1/pinew-ext-100x30/scratch && echo removed\nAllow?"
    );
    assert_eq!(
        full("cline-3.0.65/perm-bash.100x30"),
        "Cline needs permission\nApprove tool call?\nrun_commands\n$ touch /home/user/proj1/made-by-tool.txt && echo \
         hello-from-tool"
    );
}
