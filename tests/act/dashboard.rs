//! The dashboard's keys down to the pane: an answer, a message, an interrupt, and what read-only leaves of them.

use crate::{
    stage::{ASKS, IDLE, Stage, WORKS},
    support::{PATIENCE, Terminal, wait_for},
};

#[tokio::test]
async fn the_keys_of_the_dashboard_reach_the_agent() {
    let stage = Stage::new();
    let claude = stage.agent("one", ASKS);
    let terminal = Terminal::open(&stage.server, &["perf", "watch"], 140, 42);
    terminal.wait("the agent and its screen", |screen| {
        screen.contains("permission") && screen.contains("Do you want to proceed?")
    });
    let reaction = claude.react("4", WORKS);
    terminal.keys(&["y", "4"]);
    reaction.join().expect("the answer came");
    terminal.wait_text("answered 'No', now working");
    let reaction = claude.react("\x1b", IDLE);
    terminal.keys(&["x", "y"]);
    reaction.join().expect("Escape came");
    terminal.wait_text("interrupted, now idle");
    let reaction = claude.react("\r", WORKS);
    terminal.keys(&["m", "h", "i", "Enter"]);
    reaction.join().expect("the message came");
    terminal.wait_text("message sent, now working");
    assert_eq!(claude.input(), "4\x1b\x1b[200~hi\x1b[201~\r");
    terminal.wait_text("main:1.0 you: reply");
    terminal.keys(&["q"]);
    assert_eq!(terminal.ended(), 0);
    let acts = stage.server.orc(&["events", "--since", "1h", "--json"]).stdout();
    assert_eq!(acts.lines().filter(|line| line.contains("\"event\":\"acted\"")).count(), 3, "{acts}");
}

#[tokio::test]
async fn read_only_leaves_the_agent_alone() {
    let stage = Stage::new();
    let claude = stage.agent("one", ASKS);
    let terminal = Terminal::open(&stage.server, &["perf", "watch", "--read-only"], 140, 42);
    terminal.wait("the agent", |screen| screen.contains("permission"));
    terminal.keys(&["y", "1", "Enter", "m", "h", "i", "Enter", "q"]);
    wait_for("the end", PATIENCE, || terminal.screen().contains("ended: "));
    assert_eq!(claude.input(), "");
}
