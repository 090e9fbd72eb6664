//! The dashboard's keys down to the pane: an answer, a message, an interrupt, and what read-only leaves of them.

use crate::{
    stage::{ASKS, IDLE, Stage, WORKS},
    support::{PATIENCE, Terminal, signal, wait_for},
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
    // The answers open with the request: it is seen before anything can be picked.
    terminal.keys(&["y"]);
    terminal.wait_text("Answer main:1.0");
    terminal.keys(&["4"]);
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
async fn one_message_goes_to_those_who_are_marked() {
    let stage = Stage::new();
    let (one, two, three) = (stage.agent("one", IDLE), stage.agent("two", IDLE), stage.agent("three", WORKS));
    let terminal = Terminal::open(&stage.server, &["perf", "watch"], 140, 42);
    terminal.wait("the agents", |screen| {
        ["main:1.0", "main:2.0", "main:3.0"].iter().all(|place| screen.contains(place)) && screen.contains("2 idle")
    });
    terminal.keys(&["M"]);
    // The idle ones are marked; the one that works comes first in the list.
    terminal.wait_text("Message to 2 of 3");
    terminal.keys(&["Space"]);
    terminal.wait_text("Message to 3 of 3");
    terminal.keys(&["i", "Enter"]);
    terminal.wait_text("main:1.0, main:2.0");
    let reactions = [one.react("\r", WORKS), two.react("\r", WORKS)];
    terminal.keys(&["g", "o", "Enter"]);
    for reaction in reactions {
        reaction.join().expect("the message came");
    }
    terminal.wait_text("message sent to 2 agents");
    assert_eq!(
        (one.input(), two.input(), three.input()),
        ("\x1b[200~go\x1b[201~\r".to_owned(), "\x1b[200~go\x1b[201~\r".to_owned(), String::new())
    );
    terminal.keys(&["q"]);
    assert_eq!(terminal.ended(), 0);
}

#[tokio::test]
async fn a_pane_is_closed_only_after_asking() {
    let stage = Stage::new();
    let claude = stage.agent("one", IDLE);
    let terminal = Terminal::open(&stage.server, &["perf", "watch"], 140, 42);
    terminal.wait("the agent", |screen| screen.contains("main:1.0"));
    let there =
        || stage.server.run(&["list-panes", "-a", "-F", "#{pane_id}"]).lines().any(|id| id == claude.pane.to_string());
    terminal.keys(&["X"]);
    terminal.wait_text("Close the pane of main:1.0");
    terminal.keys(&["n", "X"]);
    terminal.wait_text("Close the pane of main:1.0");
    assert!(there());
    terminal.keys(&["y"]);
    wait_for("the pane's end", PATIENCE, || !there());
}

#[tokio::test]
async fn read_only_leaves_the_agent_alone() {
    let stage = Stage::new();
    let claude = stage.agent("one", ASKS);
    let terminal = Terminal::open(&stage.server, &["perf", "watch", "--read-only"], 140, 42);
    terminal.wait("the agent, and that nothing is typed", |screen| {
        screen.contains("permission") && screen.contains("read-only")
    });
    terminal.keys(&["y", "1", "Enter"]);
    terminal.wait_text("what you type is dropped");
    terminal.keys(&["m", "h", "i", "Enter"]);
    // What was typed was dropped until Escape said that the words are over.
    terminal.keys(&["Escape"]);
    terminal.wait("keys that are keys again", |screen| !screen.contains("what you type is dropped"));
    terminal.keys(&["q"]);
    wait_for("the end", PATIENCE, || terminal.screen().contains("ended: "));
    assert_eq!(claude.input(), "");
}

#[test]
fn two_dashboards_on_one_engine_each_show_the_pane_they_chose() {
    let stage = Stage::new();
    let (one, two) = (stage.agent("one", IDLE), stage.agent("two", WORKS));
    let own = |name: &str| vec![format!("this is the screen of {name}"), "\u{276f} ".to_owned()];
    stage.draw(&one, &own("one"));
    stage.draw(&two, &own("two"));
    let started = stage.server.orc(&["monitor", "start", "--interval", "0.2"]).output();
    assert!(started.status.success(), "{started:?}");
    let dashboards = [140, 141].map(|width| Terminal::open(&stage.server, &["perf", "watch"], width, 42));
    for dashboard in &dashboards {
        dashboard.wait_text("this is the screen of");
    }
    let [first, second] = &dashboards;
    let shows = |terminal: &Terminal, name: &str| terminal.wait_text(&format!("this is the screen of {name}"));
    first.keys(&["g"]);
    second.keys(&["G"]);
    let name = if first.screen().contains("screen of one") { ["one", "two"] } else { ["two", "one"] };
    shows(second, name[1]);
    shows(first, name[0]);
    // Anew, so that nothing that was shown before is taken for it.
    for (agent, of) in [(&one, "one"), (&two, "two")] {
        stage.draw(agent, &own(&format!("{of}, drawn later")));
    }
    shows(first, &format!("{}, drawn later", name[0]));
    shows(second, &format!("{}, drawn later", name[1]));
    let status = stage.server.orc(&["status", "--json"]).json();
    assert!(status["preview"].is_null(), "one that asked for no screen gets none: {}", status["preview"]);
    let pid: u32 = second.format("#{pane_pid}").trim().parse().expect("a pid");
    signal(child_of(pid), rustix::process::Signal::KILL);
    second.wait_text("ended: 137");
    stage.draw(&one, &own("one, drawn last"));
    stage.draw(&two, &own("two, drawn last"));
    shows(first, &format!("{}, drawn last", name[0]));
    let stopped = stage.server.orc(&["monitor", "stop"]).output();
    assert!(stopped.status.success(), "{stopped:?}");
}

/// The process that a terminal's shell runs.
fn child_of(shell: u32) -> u32 {
    let out = std::process::Command::new("ps").args(["-o", "pid=", "--ppid", &shell.to_string()]).output();
    let text = String::from_utf8(out.expect("ps runs").stdout).expect("numbers");
    text.split_whitespace().next().and_then(|pid| pid.parse().ok()).expect("a child")
}
