//! Nothing that a pane can show breaks the detection: random bytes, broken screens, one cell.

use jiff::Timestamp;
use proptest::prelude::*;
use tmux_orc::monitor::{
    AgentState, Source,
    detect::{Observation, Process, Profiles, explain, judge},
};
use tmux_orc::tmux::{Pane, Screen};

use super::table::{fixtures, observation};

const PIECES: &[&str] = &[
    "─",
    "│",
    "❯ 1. Yes",
    "› ",
    "● ",
    "\n",
    "\n\n",
    "  ",
    "Do you want to proceed?",
    "Esc to cancel",
    "✻ Working… (3s)",
    "▄▄▄▄",
    "▀▀▀▀",
    "╹▀▀▀",
    "┃  ",
    "╭──╮",
    "╰──╯",
    "\u{1b}[31m",
    "\u{202e}",
    "漢字",
    "\u{0}",
    "esc to interrupt",
    "⠋ ",
    "────────",
    "> ",
    "(Y)es/(N)o",
    "⬝⬝■■",
    "◉ 1 Permission",
    "\t",
    "é",
    "👩‍👩‍👧",
    "resets 6:33pm (Nowhere/Land)",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn random_screens_never_break_it(
        pieces in proptest::collection::vec(0..PIECES.len(), 0..200),
        noise in proptest::collection::vec(any::<u8>(), 0..200),
        agent in 0..7_usize,
        flags in any::<[bool; 3]>(),
    ) {
        let names = ["claude", "codex", "gemini", "qwen", "opencode", "copilot", "aider"];
        let mut bytes: Vec<u8> = pieces.iter().flat_map(|i| PIECES[*i].bytes()).collect();
        bytes.extend(noise);
        let screen = Screen::plain(&bytes);
        let process = Process { pid: 9, foreground: true, comm: names[agent].to_owned(), args: vec![names[agent].to_owned()], ..Process::default() };
        let pane = Pane { cursor_shown: flags[0], alternate_on: flags[1], cursor: (3, 70), title: String::from_utf8_lossy(&bytes).into_owned(), ..Pane::default() };
        let profiles = profiles();
        let mut fixture = fixtures_once()[agent].clone();
        fixture.pane = pane;
        fixture.processes = vec![process];
        let mut seen = observation(&fixture, &screen);
        if flags[2] {
            seen.previous = Some((AgentState::Working, Some("retrying")));
        }
        let verdict = judge(profiles, &seen);
        prop_assert!(verdict.is_some());
        prop_assert_eq!(&explain(profiles, &seen).verdict, &verdict);
    }
}

fn profiles() -> &'static Profiles {
    static ONCE: std::sync::OnceLock<Profiles> = std::sync::OnceLock::new();
    ONCE.get_or_init(Profiles::embedded)
}

fn fixtures_once() -> &'static [tmux_orc::monitor::detect::fixture::Fixture] {
    static ONCE: std::sync::OnceLock<Vec<tmux_orc::monitor::detect::fixture::Fixture>> = std::sync::OnceLock::new();
    ONCE.get_or_init(fixtures)
}

#[test]
fn a_screen_cut_anywhere_breaks_nothing() {
    let profiles = profiles();
    for fixture in fixtures_once().iter().step_by(7) {
        let screen = fixture.screen();
        let whole = judge(profiles, &observation(fixture, &screen)).map(|verdict| verdict.agent);
        for keep in 0..fixture.rows.len() {
            let mut cuts = [fixture.clone(), fixture.clone()];
            cuts[0].rows.drain(..keep);
            cuts[1].rows.truncate(keep);
            for cut in cuts {
                let screen = cut.screen();
                let seen = observation(&cut, &screen);
                let verdict = judge(profiles, &seen);
                assert_eq!(explain(profiles, &seen).verdict, verdict, "{} at {keep}", cut.name);
                // The processes tell which agent it is; what it says stands on what is left of its screen.
                assert_eq!(verdict.as_ref().map(|verdict| &verdict.agent), whole.as_ref(), "{} at {keep}", cut.name);
                if cut.rows.iter().all(|row| row.trim().is_empty()) {
                    let asks = verdict.is_some_and(|verdict| {
                        verdict.state == AgentState::Waiting && verdict.evidence.source == Source::Screen
                    });
                    assert!(!asks, "{} at {keep}: nothing is shown that asks", cut.name);
                }
            }
        }
    }
}

#[test]
fn a_pane_without_processes_is_no_agent() {
    let pane = Pane { window: "claude".into(), title: "✳ Claude Code".into(), ..Pane::default() };
    let seen = Observation {
        pane: &pane,
        screen: None,
        processes: &[],
        published: None,
        known_agent: None,
        named: None,
        previous: None,
        now: Timestamp::UNIX_EPOCH,
        zone: None,
    };
    assert_eq!(judge(profiles(), &seen), None);
}
