//! A name is no proof: scripts and common words need a second one.

use tmux_orc::monitor::AgentState;
use tmux_orc::monitor::detect::{Observation, Process, Profiles, judge, recognise};
use tmux_orc::tmux::{Pane, Screen};

use crate::processes::{SHELL, chain, look};

#[test]
fn a_script_of_an_agents_name_that_is_not_installed_counts_only_with_a_second_proof() {
    let profiles = Profiles::embedded();
    let with_cursor = |(comm, args): (&str, &[&str]), rows: &str, known: Option<&str>, cursor_shown: bool| {
        let pane = Pane { title: "box".to_owned(), width: 60, height: 8, cursor_shown, ..Pane::default() };
        let (screen, tree) = (Screen::plain(rows.as_bytes()), chain(&[SHELL, ("+", comm, args)]));
        let seen = Observation { known_agent: known, ..look(&pane, &screen, &tree) };
        judge(&profiles, &seen).map(|verdict| (verdict.agent, verdict.state))
    };
    let judged = |ran: (&str, &[&str]), rows: &str, known: Option<&str>| {
        let shown = with_cursor(ran, rows, known, true);
        // A hidden cursor tells of no program.
        assert!(shown.is_some() || with_cursor(ran, rows, known, false).is_none(), "{ran:?}: {rows}");
        shown
    };
    let aider = "Aider v0.86.2\nMain model: x\n\n> \n";
    let idle = || Some(("aider".to_owned(), AgentState::Idle));
    for args in [&["python3", "/tmp/x/aider", "log"] as &[&str], &["python3", "aider"], &["bash", "./aider"]] {
        assert_eq!(judged((args[0], args), aider, None), idle(), "{args:?}: its screen tells");
        assert_eq!(judged((args[0], args), "listening on 8080\n", None), None, "{args:?}: another of that name");
        assert_eq!(judged((args[0], args), "hello\n> \n", None), None, "{args:?}: another that prompts");
        assert!(judged((args[0], args), "\n", Some("aider")).is_some(), "{args:?}: it was known before");
    }
    for args in [&["node", "/home/u/src/codex"] as &[&str], &["python3", "gemini"], &["python3", "/src/claude", "-v"]] {
        for rows in
            ["ready\n", "$ npm start\n> server\n> node server\n\nlistening\n", "\n", "codex claude gemini\n> \n"]
        {
            assert_eq!(judged((args[0], args), rows, None), None, "{args:?}: {rows}");
        }
    }
    // Whose name only resembles an agent's is none, whatever it shows.
    assert_eq!(judged(("python3", &["python3", "/tmp/aider-2.py"]), aider, None), None);
    assert_eq!(judged(("vi", &["vi", "/tmp/aider"]), aider, None), None);
    // A wrapper of that name hides no agent that it starts.
    let wrapped = chain(&[SHELL, ("+", "bash", &["bash", "/h/claude"]), ("+", "claude", &["claude"])]);
    let found = recognise(&profiles, &wrapped).unwrap();
    assert_eq!((found.pid, found.unproven), (Some(102), false));
    // What was known before and is another program of a like name now has ended.
    assert_eq!(
        judged(("node", &["node", "/home/u/src/codex"]), "ready\n", Some("claude")),
        Some(("claude".to_owned(), AgentState::Exited))
    );
}

#[test]
fn a_common_name_counts_only_with_a_second_proof() {
    let profiles = Profiles::embedded();
    let judged = |args: &[&str], comm: &str, title: &str, rows: &str, known: Option<&str>| {
        let args = args.iter().map(ToString::to_string).collect();
        let process = Process { pid: 9, foreground: true, comm: comm.to_owned(), args, ..Process::default() };
        let pane = Pane { title: title.to_owned(), width: 60, height: 6, ..Pane::default() };
        let screen = Screen::plain(rows.as_bytes());
        let seen = Observation {
            pane: &pane,
            screen: Some(&screen),
            processes: std::slice::from_ref(&process),
            published: None,
            known_agent: known,
            named: None,
            previous: None,
            now: "2026-11-24T17:00:00Z".parse().unwrap(),
            zone: None,
        };
        judge(&profiles, &seen).map(|verdict| verdict.agent)
    };
    let composer = "hello\n────────────────────\n\n────────────────────\n/src (main)\n0.6%/200k (auto)\n";
    let pi = || Some("pi".to_owned());
    assert_eq!(judged(&["pi", "1000"], "pi", "box", "3.14159265\n", None), None, "a program that prints digits");
    assert_eq!(judged(&["pi"], "pi", "π - src", "\n", None), pi(), "its title tells");
    assert_eq!(judged(&["pi"], "pi", "box", composer, None), pi(), "its screen tells");
    assert_eq!(judged(&["pi"], "pi", "box", "\n", Some("pi")), pi(), "it was known before");
    let script = "/opt/lib/node_modules/@earendil-works/pi-coding-agent/dist/cli.js";
    assert_eq!(judged(&["node", script], "node", "box", "$ pi\n", None), pi(), "its package tells");
    assert_eq!(judged(&["/usr/bin/hermes", "serve"], "hermes", "box", "listening\n", None), None, "another hermes");
    assert_eq!(judged(&["cline", "src"], "cline", "box", "3 warnings\n", None), None, "a linter");
}
