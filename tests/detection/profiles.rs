//! Profiles as data: the built-in ones are whole, a user's replace or extend them, and a bad one says where.

use std::fs;

use tmux_orc::monitor::AgentState;
use tmux_orc::monitor::detect::{Observation, Process, ProfileError, Profiles, judge};
use tmux_orc::monitor::facts::profiles;
use tmux_orc::tmux::{Pane, Screen};

#[test]
fn every_program_has_a_profile() {
    let profiles = Profiles::embedded();
    let names: Vec<&str> = profiles.list().map(|p| p.name.as_str()).collect();
    for name in
        ["claude", "codex", "gemini", "qwen", "opencode", "aider", "copilot", "cursor-agent", "amp", "goose", "crush"]
    {
        assert!(names.contains(&name), "{name}");
    }
    for profile in profiles.list() {
        assert_eq!(profile.origin, "built in");
        assert_eq!(
            profile.verified,
            !profile.versions.is_empty(),
            "{}: verified means that versions were looked at",
            profile.name
        );
        assert!(profile.verified || profile.note.is_some(), "{} says that it was not run", profile.name);
    }
}

#[test]
fn every_built_in_pattern_is_one() {
    // Read as a user's files they are compiled at once, and a bad one is an error.
    let dir = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/agents");
    if let Err(error) = profiles::load(Some(&dir)) {
        panic!("{error}");
    }
}

fn user(files: &[(&str, &str)]) -> Result<Profiles, ProfileError> {
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in files {
        fs::write(dir.path().join(name), text).unwrap();
    }
    profiles::load(Some(dir.path()))
}

fn state(profiles: &Profiles, comm: &str, screen: &str) -> Option<(AgentState, Option<String>)> {
    let pane = Pane { cursor_shown: true, ..Pane::default() };
    let processes =
        [Process { pid: 5, foreground: true, comm: comm.into(), args: vec![comm.into()], ..Process::default() }];
    let screen = Screen::plain(screen.as_bytes());
    let seen = Observation {
        pane: &pane,
        screen: Some(&screen),
        processes: &processes,
        published: None,
        known_agent: None,
        named: None,
        previous: None,
        now: "2026-11-24T17:00:00Z".parse().unwrap(),
        zone: None,
    };
    judge(profiles, &seen).map(|v| (v.state, v.kind))
}

#[test]
fn a_users_profile_stands_beside_the_built_in_ones() {
    let text = "name: hal\nrecognise: { names: [hal9000] }\nrules:\n  - { id: door, state: waiting, kind: permission, last: 'Open the door\\? \\[y/n\\]$' }\n";
    let profiles = user(&[("hal.yaml", text)]).unwrap();
    assert!(profiles.get("hal").unwrap().origin.ends_with("hal.yaml"));
    assert_eq!(
        state(&profiles, "hal9000", "Open the door? [y/n]\n"),
        Some((AgentState::Waiting, Some("permission".into())))
    );
    assert_eq!(state(&profiles, "hal9000", "Open the door? [y/n]\nno\n"), Some((AgentState::Unknown, None)));
    assert_eq!(state(&profiles, "hal", "Open the door? [y/n]\n"), None);
}

#[test]
fn a_users_profile_replaces_or_extends_a_built_in_one() {
    let rule = "rules:\n  - { id: mine, state: limited, last: '^out of coins$' }\n";
    let replaced =
        user(&[("claude.yaml", &format!("name: claude\nrecognise: {{ names: [claude] }}\n{rule}"))]).unwrap();
    let idle = "────────────\n❯\n────────────\n  ? for shortcuts\n";
    assert_eq!(state(&replaced, "claude", "out of coins\n").map(|s| s.0), Some(AgentState::Limited));
    assert_eq!(state(&replaced, "claude", idle).map(|s| s.0), Some(AgentState::Unknown));

    let extended =
        user(&[("claude.yaml", &format!("name: claude\nextends: true\nrecognise: {{ names: [clyde] }}\n{rule}"))])
            .unwrap();
    assert_eq!(state(&extended, "clyde", "out of coins\n").map(|s| s.0), Some(AgentState::Limited));
    assert_eq!(state(&extended, "claude", idle).map(|s| s.0), Some(AgentState::Idle));
    assert!(extended.get("claude").unwrap().origin.starts_with("built in, extended by "));
    assert_eq!(extended.list().count(), Profiles::embedded().list().count());
}

#[test]
fn a_bad_profile_says_where_and_why() {
    let cases = [
        ("name: x\nrules:\n  - { id: a, state: dancing }\n", 3, "unknown state `dancing`"),
        ("name: x\nrules:\n  - id: a\n    state: idle\n    line: '('\n", 5, "bad pattern `(`"),
        ("name: x\nrules:\n  - id: a\n    state: idle\n    line: ['ok', '[']\n", 5, "bad pattern `[`"),
        ("name: x\nrules:\n  - { id: a, state: idle, inn: footer }\n", 3, "inn"),
        ("name: x\nrules:\n  - { id: a, state: idle, in: cellar }\n", 3, "no region `cellar`"),
        ("name: x\nregions:\n  a:\n    - { under: b }\n  b:\n    - { rows: 3 }\n", 3, "must come before"),
        ("name: x\nrules:\n  - { id: a, state: idle, says: hi }\n", 3, "too short"),
        ("name: x\nkeys: { interrupt: Escpae }\n", 2, "no key `Escpae`"),
        ("name: x\nanswers:\n  - { rules: a, fixed: [{ label: Yes, keys: [yes] }] }\n", 3, "no key `yes`"),
        ("name: y\n", 1, "the file is called `x`"),
        ("name: x\nextends: true\n", 1, "no built-in profile `x`"),
        ("name: x\n  rules: [\n", 2, ""),
    ];
    for (text, line, reason) in cases {
        let error = user(&[("x.yaml", text)]).expect_err(text);
        let ProfileError::Bad { line: got, path, column, .. } = &error else { panic!("{error}") };
        assert!(path.ends_with("x.yaml"), "{error}");
        assert!(*column >= 1);
        assert_eq!(*got, line, "{error}\n{text}");
        assert!(error.to_string().contains(reason), "{error} should say `{reason}`");
    }
}

#[test]
fn no_folder_is_as_good_as_an_empty_one() {
    assert!(profiles::load(Some(std::path::Path::new("/nowhere/at/all"))).is_ok());
}

/// The worked example of docs/agents.md is what its page says that it is.
#[test]
fn the_manuals_example_works() {
    let page = include_str!("../../docs/agents.md");
    let blocks = page.split("```yaml\n").skip(1).filter_map(|part| part.split("```").next());
    let (extended, hal): (Vec<&str>, Vec<&str>) = blocks.partition(|block| block.contains("extends: true"));
    let profiles = user(&[("hal.yaml", &hal.concat()), ("opencode.yaml", &extended.concat())]).unwrap();
    let keys = |name: &str| profiles.get(name).unwrap().keys.clone();
    assert_eq!((keys("hal").interrupt(), keys("hal").submit()), (vec!["C-c".to_owned()], vec!["Enter".to_owned()]));
    assert_eq!(keys("opencode").interrupt(), ["C-x"]);
    assert!(!keys("opencode").pause().is_zero(), "what is not given stays");
    let box_ = "+------------------------------+\n| > fix the door               |\n+------------------------------+\n hal-2 . 80% context left\n";
    let working = format!("* Thinking hard... 12s\n{box_}");
    let asking = "Run this? rm -rf build\n> yes\n  no\nenter: choose, esc: refuse\n";
    assert_eq!(state(&profiles, "hal", &working), Some((AgentState::Working, None)));
    assert_eq!(state(&profiles, "hal", box_), Some((AgentState::Idle, None)));
    assert_eq!(state(&profiles, "hal", asking), Some((AgentState::Waiting, Some("permission".into()))));
    let quoted = format!("{asking}\n{box_}");
    assert_eq!(
        state(&profiles, "hal", &quoted),
        Some((AgentState::Idle, None)),
        "a prompt that is quoted above the box"
    );
}
