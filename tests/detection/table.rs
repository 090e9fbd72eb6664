//! Every recorded screen gives the state and kind that it was recorded in, and panes without an agent give nothing.

use std::path::{Path, PathBuf};

use tmux_orc::monitor::detect::{Observation, Profiles, Verdict, explain, judge};
use tmux_orc::monitor::{AgentState, detect::fixture::Fixture};

/// Every fixture of the folder, with the name of its file in front of its own.
pub fn fixtures() -> Vec<Fixture> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/detection/screens");
    let mut files: Vec<PathBuf> = std::fs::read_dir(&dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let mut all = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        let stem = file.file_stem().unwrap().to_string_lossy().into_owned();
        for mut fixture in Fixture::parse_all(&text).unwrap_or_else(|e| panic!("{}: {e}", file.display())) {
            fixture.name = format!("{stem}/{}", fixture.name);
            all.push(fixture);
        }
    }
    all
}

/// The verdict for a fixture as it was recorded. An agent is known to have run there only where it has ended.
pub fn verdict(profiles: &Profiles, fixture: &Fixture) -> Option<Verdict> {
    let screen = fixture.screen();
    judge(profiles, &observation(fixture, &screen))
}

pub fn observation<'a>(fixture: &'a Fixture, screen: &'a tmux_orc::tmux::Screen) -> Observation<'a> {
    fixture.observation(screen, "2026-11-24T17:00:00Z".parse().unwrap())
}

#[test]
fn every_recorded_screen_gives_its_state() {
    let profiles = Profiles::embedded();
    let fixtures = fixtures();
    assert!(fixtures.len() > 700, "only {} screens found", fixtures.len());
    let wrong: Vec<String> = fixtures
        .iter()
        .filter_map(|fixture| {
            Some(format!("{}: {}", fixture.name, fixture.fault(verdict(&profiles, fixture).as_ref())?))
        })
        .collect();
    assert!(wrong.is_empty(), "{} of {} wrong:\n{}", wrong.len(), fixtures.len(), wrong.join("\n"));
}

/// On a menu or a viewer a program is what it was before, or what the screen itself shows; by the screen alone it is
/// idle or unknown. Two screens show that a turn is not over yet.
#[test]
fn a_menu_keeps_the_state_before_it_or_says_what_shows() {
    const BUSY: [&str; 2] = ["hermes-0.19.0/ctrlc-once.100x30", "openhands-1.16.0/interrupted-denied.100x30"];
    let profiles = Profiles::embedded();
    let (mut kept, mut wrong) = (0, Vec::new());
    for fixture in fixtures().iter().filter(|fixture| fixture.states == ["keep"]) {
        let screen = fixture.screen();
        let mut seen = observation(fixture, &screen);
        let alone = judge(&profiles, &seen).expect("an agent").state;
        let busy = alone == AgentState::Working && BUSY.contains(&fixture.name.as_str());
        if !(busy || matches!(alone, AgentState::Idle | AgentState::Unknown)) {
            wrong.push(format!("{}: {alone}", fixture.name));
        }
        let before = [AgentState::Idle, AgentState::Working, AgentState::Waiting];
        let after = before.map(|before| {
            seen.previous = Some((before, None));
            let state = judge(&profiles, &seen).expect("an agent").state;
            if state != before && state != alone {
                wrong.push(format!("{}: {state} after {before}, {alone} by the screen alone", fixture.name));
            }
            state
        });
        kept += usize::from(after == before);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(kept >= 40, "only {kept} screens keep whatever was before");
}

#[test]
fn an_explanation_ends_in_the_same_verdict() {
    let profiles = Profiles::embedded();
    for fixture in fixtures() {
        let screen = fixture.screen();
        let seen = observation(&fixture, &screen);
        let explanation = explain(&profiles, &seen);
        assert_eq!(explanation.verdict, judge(&profiles, &seen), "{}", fixture.name);
        if let Some(verdict) = &explanation.verdict {
            assert!(explanation.to_string().contains(&verdict.evidence.rule), "{}", fixture.name);
        }
    }
}
