//! Who decides when the screen, a hook, the session file and the state before disagree.

use jiff::Timestamp;
use tmux_orc::monitor::detect::{Observation, Process, Profiles, Published, Verdict, judge};
use tmux_orc::monitor::{AgentState, Source};
use tmux_orc::tmux::{Pane, Screen};

const NOW: &str = "2026-11-24T17:00:00Z";

const IDLE: &str = "● Done.\n\n────────────\n❯\n────────────\n  ? for shortcuts\n";
const ENDED: &str = "● Done.\n\n✻ Baked for 3s\n\n────────────\n❯\n────────────\n  ? for shortcuts\n";
const INTERRUPTED: &str =
    "❯ fix it\n  ⎿  Interrupted · What should Claude do instead?\n\n────────────\n❯\n────────────\n  ? for shortcuts\n";
const DRAFT: &str = "● I am looking at it\n\n────────────\n❯ and then\n────────────\n  ⏸ manual mode on\n";
const WORKING: &str =
    "❯ fix it\n\n✢ Roosting… (6s · ↓ 38 tokens)\n\n────────────\n❯\n────────────\n  esc to interrupt\n";
const ASKING: &str =
    "────────────\n Bash command\n Do you want to proceed?\n ❯ 1. Yes\n   2. No\n\n Esc to cancel · Tab to amend\n";
const MENU: &str = "● Done.\n▔▔▔▔▔▔▔▔▔▔▔▔\n  Select model\n  ❯ 1. Default\n\n  Enter to save · Esc to cancel\n";

struct Case<'a> {
    screen: &'a str,
    hook: &'a str,
    file: Option<(&'a str, Option<&'a str>)>,
    previous: Option<(AgentState, Option<&'a str>)>,
}

impl Default for Case<'_> {
    fn default() -> Self {
        Self { screen: IDLE, hook: "", file: None, previous: None }
    }
}

fn look(case: &Case<'_>) -> Verdict {
    let now: Timestamp = NOW.parse().unwrap();
    let hook = case.hook.replace("NOW", &now.as_millisecond().to_string());
    let hook = hook.replace("OLD", &(now.as_millisecond() - 3_600_000).to_string());
    let pane = Pane { hook, height: 20, ..Pane::default() };
    let processes = [Process {
        pid: 5,
        foreground: true,
        comm: "claude".into(),
        args: vec!["claude".into()],
        ..Process::default()
    }];
    let published = case.file.map(|(status, waiting_for)| Published {
        status: status.to_owned(),
        detail: waiting_for.map(str::to_owned),
        at: Some(now),
        session: None,
    });
    let screen = Screen::plain(case.screen.as_bytes());
    judge(
        &Profiles::embedded(),
        &Observation {
            pane: &pane,
            screen: Some(&screen),
            processes: &processes,
            published: published.as_ref(),
            known_agent: None,
            named: None,
            previous: case.previous,
            now,
            zone: None,
        },
    )
    .unwrap()
}

fn is(case: Case<'_>, state: AgentState, kind: Option<&str>, source: Source) {
    let verdict = look(&case);
    let got = (verdict.state, verdict.kind.as_deref(), verdict.evidence.source);
    assert_eq!(
        got,
        (state, kind, source),
        "{} / hook `{}` / file {:?}\n{}",
        verdict.evidence.rule,
        case.hook,
        case.file,
        case.screen
    );
}

#[test]
fn the_screen_alone_will_do() {
    is(Case::default(), AgentState::Idle, None, Source::Screen);
    is(Case { screen: WORKING, ..Case::default() }, AgentState::Working, None, Source::Screen);
    is(Case { screen: ASKING, ..Case::default() }, AgentState::Waiting, Some("permission"), Source::Screen);
    is(Case { screen: DRAFT, ..Case::default() }, AgentState::Unknown, None, Source::None);
}

#[test]
fn the_session_file_fills_what_the_screen_does_not_tell() {
    let busy = Some(("busy", None));
    is(Case { screen: DRAFT, file: busy, ..Case::default() }, AgentState::Working, None, Source::File);
    is(Case { screen: DRAFT, file: Some(("idle", None)), ..Case::default() }, AgentState::Idle, None, Source::File);
    is(Case { screen: IDLE, file: busy, ..Case::default() }, AgentState::Working, None, Source::File);
    // What the screen proves is newer than a file.
    is(Case { screen: ENDED, file: busy, ..Case::default() }, AgentState::Idle, None, Source::Screen);
    is(Case { screen: ASKING, file: busy, ..Case::default() }, AgentState::Waiting, Some("permission"), Source::Screen);
    is(
        Case { screen: WORKING, file: Some(("idle", None)), ..Case::default() },
        AgentState::Working,
        None,
        Source::Screen,
    );
    let asks = Some(("waiting", Some("permission prompt")));
    is(
        Case { screen: "nothing known\n", file: asks, ..Case::default() },
        AgentState::Waiting,
        Some("permission"),
        Source::File,
    );
    // A dialog of any sort: a menu that the user opened is none that waits for them.
    let open = Some(("waiting", Some("dialog open")));
    is(
        Case { screen: MENU, file: open, previous: Some((AgentState::Idle, None)), ..Case::default() },
        AgentState::Idle,
        None,
        Source::Kept,
    );
    assert_eq!(look(&Case { file: Some(("shell", None)), ..Case::default() }).background, 1);
}

#[test]
fn a_fresh_hook_wins_until_the_screen_proves_it_stale() {
    let working = "claude working - NOW";
    is(Case { screen: DRAFT, hook: working, ..Case::default() }, AgentState::Working, None, Source::Hook);
    is(Case { screen: IDLE, hook: working, ..Case::default() }, AgentState::Working, None, Source::Hook);
    // No hook fires on Esc.
    is(Case { screen: INTERRUPTED, hook: working, ..Case::default() }, AgentState::Idle, None, Source::Screen);
    is(
        Case { screen: ASKING, hook: working, ..Case::default() },
        AgentState::Waiting,
        Some("permission"),
        Source::Screen,
    );
    let waiting = "claude waiting permission NOW";
    is(Case { screen: WORKING, hook: waiting, ..Case::default() }, AgentState::Working, None, Source::Screen);
    is(Case { screen: ENDED, hook: waiting, ..Case::default() }, AgentState::Idle, None, Source::Screen);
    // Old, of another program, or no hook at all.
    for hook in ["claude working - OLD", "codex working - NOW", "claude working", "\u{1b}]0;x"] {
        is(Case { screen: IDLE, hook, ..Case::default() }, AgentState::Idle, None, Source::Screen);
    }
    is(Case { screen: IDLE, hook: "claude exited - NOW", ..Case::default() }, AgentState::Idle, None, Source::Screen);
}

#[test]
fn an_answered_prompt_does_not_linger() {
    is(
        Case { previous: Some((AgentState::Waiting, Some("permission"))), ..Case::default() },
        AgentState::Idle,
        None,
        Source::Screen,
    );
}

#[test]
fn a_menu_keeps_the_state_before() {
    let before = |previous| Case { screen: MENU, previous, ..Case::default() };
    is(before(Some((AgentState::Working, None))), AgentState::Working, None, Source::Kept);
    is(before(Some((AgentState::Idle, None))), AgentState::Idle, None, Source::Kept);
    is(before(None), AgentState::Unknown, None, Source::Screen);
    is(before(Some((AgentState::Exited, None))), AgentState::Unknown, None, Source::Screen);
}
