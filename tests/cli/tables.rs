//! Tables: the names that the settings give, kinds as words for agents, and the width of the terminal.

use super::{
    support::{Terminal, Watched},
    verbs::{Two, text},
};

#[test]
fn a_name_of_the_settings_is_shown_and_taken() {
    let two = Two::start();
    assert!(!two.orc(&["agents"]).1.contains("NAME"), "nobody has one");
    let target = text(&two.agents(&["--state", "idle"])[0], "target");
    let config = two.fleet.dir().join("orc/config.yaml");
    std::fs::create_dir_all(config.parent().unwrap()).unwrap();
    std::fs::write(&config, format!("agents:\n  - {{ target: \"{target}\", name: reviewer }}\n")).unwrap();
    let (_, table, _) = two.orc(&["agents"]);
    let line = table.lines().find(|line| line.contains(&two.idle)).unwrap_or_default();
    assert!(table.lines().next().unwrap_or_default().contains("NAME") && line.contains("reviewer"), "{table}");
    assert_eq!(text(&two.agents(&["--state", "idle"])[0], "name"), "reviewer");
    let (code, check, stderr) = two.orc(&["check", "reviewer"]);
    assert!(code == 0 && check.contains("Agent: claude (reviewer)"), "{check}{stderr}");
    assert_eq!(text(&two.fleet.orc(&["check", "reviewer", "--json"]).json(), "name"), "reviewer");
}

#[test]
fn kinds_are_words_for_agents() {
    let two = Two::start();
    assert_eq!(two.agents(&["--state", "permission"])[0]["pane_id"], two.waiting);
    assert_eq!(two.agents(&["--wait", "permission,done"]).len(), 1);
    assert!(two.agents(&["--state", "done"]).is_empty());
    let (code, _, stderr) = two.orc(&["next", "--state", "done"]);
    assert!(code == 1 && stderr.contains("no agent is done"), "{code} {stderr}");
    let (code, _, stderr) = two.orc(&["agents", "--wait", "done", "--timeout", "0.3"]);
    assert!(code == 1 && stderr.contains("no agent was done within"), "{code} {stderr}");
    let (code, _, stderr) = two.orc(&["agents", "--state", "permision"]);
    assert!(code == 2 && stderr.contains("did you mean `permission`?"), "{stderr}");
}

#[test]
fn tables_fit_the_terminal_and_are_whole_in_a_pipe() {
    let two = Two::start();
    assert_eq!(two.orc(&["monitor", "start"]).0, 0);
    let (_, whole, _) = two.orc(&["agents"]);
    assert!(whole.lines().next().unwrap_or_default().contains("EVIDENCE"), "{whole}");
    assert!(whole.lines().any(|line| line.chars().count() > 80), "nothing to cut: {whole}");
    for (verb, rows, width) in [("agents", 3, 80), ("agents", 3, 40), ("report", 6, 80)] {
        let terminal = Terminal::open(&two.fleet, &[verb], width, 24);
        let screen = terminal.wait("its end", |screen| screen.contains("ended: 0"));
        let printed = screen.lines().take_while(|line| !line.starts_with("ended:")).count();
        assert_eq!(printed, rows, "{verb} at {width} columns:\n{screen}");
        assert!(screen.contains("waiting") || screen.contains("WAITING"), "{screen}");
    }
}
