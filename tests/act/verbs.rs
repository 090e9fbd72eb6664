//! The verbs from outside: next and jump in a real terminal, bindings, the side pane, the status line.

use std::fs;

use crate::{
    jumps::{Terminals, view},
    stage::{ASKS, IDLE, Stage, WORKS},
    support::{PATIENCE, Terminal, wait_for, wait_some},
};

/// Loads the printed bindings into the server, with the program that was built.
fn bind(stage: &Stage) {
    let bindings = stage.server.orc(&["tmux", "bindings"]).stdout();
    let file = stage.server.home().join("bindings.conf");
    fs::write(&file, bindings).expect("the bindings are written");
    stage.server.run(&["source-file", &file.display().to_string()]);
}

#[tokio::test]
async fn next_goes_round_those_who_wait_longest_first() {
    let stage = Stage::new();
    let (one, two) = (stage.agent("one", ASKS), stage.agent("two", WORKS));
    stage.start_engine();
    let waiting = |count: usize| {
        let agents = stage.server.orc(&["agents", "--state", "waiting", "--json"]).json();
        agents["agents"].as_array().is_some_and(|agents| agents.len() == count)
    };
    wait_for("the first to wait", PATIENCE, || waiting(1));
    stage.show(&two, ASKS);
    wait_for("the second to wait", PATIENCE, || waiting(2));
    let terminals = Terminals::new();
    let mine = terminals.attach(&stage, "main");
    let mut visited = Vec::new();
    for _ in 0..3 {
        let said = stage.server.orc(&["next"]).stdout();
        assert!(said.starts_with("now at main:"), "{said}");
        visited.push(view(&stage, &mine).split(' ').nth(2).expect("a pane").to_owned());
    }
    assert_eq!(visited, [one.pane.to_string(), two.pane.to_string(), one.pane.to_string()]);
    stage.show(&one, IDLE);
    stage.show(&two, IDLE);
    wait_for("nobody to wait", PATIENCE, || waiting(0));
    let out = stage.server.orc(&["next"]).output();
    assert_eq!(
        (out.status.code(), String::from_utf8_lossy(&out.stderr).trim()),
        (Some(1), "tmux-orc: no agent is waiting")
    );
    stage.stop_engine();
}

#[tokio::test]
async fn jump_takes_ids_places_and_names() {
    let stage = Stage::new();
    let one = stage.agent("reviewer", IDLE);
    let terminals = Terminals::new();
    let mine = terminals.attach(&stage, "main");
    for target in [one.pane.to_string().as_str(), "main:1.0", "reviewer"] {
        stage.server.run(&["switch-client", "-c", &mine, "-t", "main:0"]);
        let said = stage.server.orc(&["jump", target]).stdout();
        assert_eq!(said, "now at main:1.0\n", "{target}");
        assert!(view(&stage, &mine).contains(&one.pane.to_string()));
    }
    let out = stage.server.orc(&["jump", "nobody"]).output();
    assert_eq!(out.status.code(), Some(1), "{out:?}");
}

#[tokio::test]
async fn a_terminal_outside_of_tmux_attaches_to_the_pane() {
    let stage = Stage::new();
    stage.server.run(&["set-option", "-g", "status", "on"]);
    let one = stage.agent("reviewer", IDLE);
    let terminal = crate::support::Terminal::open(&stage.server, &["jump", "reviewer"], 100, 30);
    let shown = || stage.server.run(&["list-clients", "-F", "#{pane_id}"]);
    wait_for("the attached terminal", PATIENCE, || shown() == one.pane.to_string());
    terminal.wait_text("Claude Code v2");
}

#[tokio::test]
async fn the_printed_bindings_work_in_a_real_terminal() {
    let stage = Stage::new();
    let one = stage.agent("one", ASKS);
    bind(&stage);
    let terminals = Terminals::new();
    let mine = terminals.attach(&stage, "main");
    stage.server.run(&["switch-client", "-c", &mine, "-t", "main:0"]);
    // prefix A: to the one that waits.
    terminals.keys("main", &["C-b", "A"]);
    wait_for("the jump", PATIENCE, || view(&stage, &mine).contains(&one.pane.to_string()));
    // prefix a: the dashboard in a popup; Enter goes to its agent and closes the popup.
    stage.server.run(&["switch-client", "-c", &mine, "-t", "main:0"]);
    terminals.keys("main", &["C-b", "a"]);
    terminals.wait("main", "the popup", |screen| screen.contains("permission") && screen.contains("main:1.0"));
    terminals.keys("main", &["Enter"]);
    wait_for("the jump from the popup", PATIENCE, || view(&stage, &mine).contains(&one.pane.to_string()));
    terminals.wait("main", "the popup's end", |screen| {
        screen.contains("Do you want to proceed?") && !screen.contains("╭ Agents")
    });
    // prefix g: the list in a popup; what is typed narrows it, Enter goes there.
    let two = stage.agent("two", ASKS);
    stage.server.run(&["switch-client", "-c", &mine, "-t", "main:0"]);
    terminals.keys("main", &["C-b", "g"]);
    terminals.wait("main", "the list", |screen| screen.contains("Go to an agent") && screen.contains("main:2.0"));
    terminals.send("main", "main:2");
    terminals
        .wait("main", "one of them", |screen| screen.contains("1 of 2") && screen.contains("Do you want to proceed?"));
    terminals.keys("main", &["Enter"]);
    wait_for("the jump from the list", PATIENCE, || view(&stage, &mine).contains(&two.pane.to_string()));
    terminals.wait("main", "the list's end", |screen| !screen.contains("Go to an agent"));
    stage.server.run(&["switch-client", "-c", &mine, "-t", &one.pane.to_string()]);
    stage.server.run(&["kill-window", "-t", &two.pane.to_string()]);
    // prefix M-a: the side pane, and again: it is closed.
    let panes = || {
        stage.server.run(&["list-panes", "-t", "main:1", "-F", "#{pane_width} #{==:#{pane_pid},#{@tmux_orc_sidebar}}"])
    };
    terminals.keys("main", &["C-b", "M-a"]);
    wait_for("the side pane", PATIENCE, || panes().lines().any(|pane| pane == "40 1"));
    terminals.keys("main", &["C-b", "M-a"]);
    wait_for("the side pane's end", PATIENCE, || panes().lines().count() == 1);
    // Nobody waits any more: said in the status line, not over the pane.
    stage.server.run(&["set-option", "-g", "status", "on"]);
    stage.show_anyhow(&one, IDLE);
    wait_for("the agent to be idle", PATIENCE, || {
        stage.server.orc(&["agents", "--state", "idle", "--json"]).json()["agents"]
            .as_array()
            .is_some_and(|a| a.len() == 1)
    });
    terminals.keys("main", &["C-b", "A"]);
    terminals.wait("main", "the message", |screen| screen.contains("no agent is waiting"));
}

#[tokio::test]
async fn a_click_on_the_status_line_goes_to_the_one_that_waits() {
    let stage = Stage::new();
    let one = stage.agent("one", ASKS);
    stage.start_engine();
    let bindings = stage.server.orc(&["tmux", "bindings"]).stdout();
    let ranges = stage.server.run(&["display-message", "-p", "#{m/r:^(3\\.[4-9]|[4-9]),#{version}}"]) == "1";
    let key = if ranges { "# bind-key -n MouseDown1Status " } else { "# bind-key -n MouseDown1StatusRight " };
    let on: Vec<&str> =
        bindings.lines().map(|line| if line.starts_with(key) { line.trim_start_matches("# ") } else { line }).collect();
    let file = stage.server.home().join("bindings.conf");
    fs::write(&file, on.join("\n")).expect("the bindings are written");
    stage.server.run(&["source-file", &file.display().to_string()]);
    for (option, value) in [("status", "on"), ("mouse", "on"), ("status-right-length", "60"), ("status-interval", "1")]
    {
        stage.server.run(&["set-option", "-g", option, value]);
    }
    let terminals = Terminals::new();
    let mine = terminals.attach(&stage, "main");
    stage.server.run(&["switch-client", "-c", &mine, "-t", "main:0"]);
    let screen = terminals
        .wait("main", "the segment", |screen| screen.lines().last().is_some_and(|line| line.contains("1 waiting")));
    let row = screen.lines().count();
    let column = screen.lines().last().and_then(|line| line.find("1 waiting")).expect("the segment") + 2;
    assert!(!view(&stage, &mine).contains(&one.pane.to_string()));
    terminals.send("main", &format!("\x1b[<0;{column};{row}M\x1b[<0;{column};{row}m"));
    wait_for("the jump", PATIENCE, || view(&stage, &mine).contains(&one.pane.to_string()));
    stage.stop_engine();
}

#[tokio::test]
async fn the_status_line_has_the_counts_while_an_engine_runs() {
    let stage = Stage::new();
    let (_one, _two) = (stage.agent("one", ASKS), stage.agent("two", WORKS));
    assert_eq!(stage.server.orc(&["statusline"]).stdout(), "");
    stage.start_engine();
    let said = wait_some("the counts", PATIENCE, || {
        let said = stage.server.orc(&["statusline"]).stdout();
        // Not each of them need be known by the first cycle.
        (said.contains("1 waiting") && said.contains("1 working")).then_some(said)
    });
    assert_eq!(said, "#[fg=yellow,bold]1 waiting#[default] 1 working\n");
    assert_eq!(
        stage.server.orc(&["statusline", "--plain", "--range"]).stdout(),
        "#[range=user|orc]1 waiting 1 working#[norange]\n"
    );
    stage.server.run(&["set-option", "-g", "status", "on"]);
    stage.server.run(&["set-option", "-g", "status-right-length", "60"]);
    bind(&stage);
    let terminals = Terminals::new();
    terminals.attach(&stage, "main");
    terminals.wait("main", "the segment", |screen| {
        screen.lines().last().is_some_and(|line| line.contains("1 waiting 1 working"))
    });
    // Killed the hard way: what it left behind is nobody's.
    let pid = stage.server.orc(&["status", "--json"]).json()["engine"]["pid"].as_u64().expect("a pid");
    let pid = u32::try_from(pid).expect("a pid");
    crate::support::signal(pid, rustix::process::Signal::KILL);
    // A process is seen to have ended as soon as its first thread has; its files are closed with the last one.
    wait_for("the end of the counts", PATIENCE, || stage.server.orc(&["statusline"]).stdout().is_empty());
}

#[test]
fn outside_of_tmux_what_is_picked_has_the_terminal() {
    let stage = Stage::new();
    let (_one, two) = (stage.agent("one", WORKS), stage.agent("two", ASKS));
    let terminal = Terminal::open(&stage.server, &["jump"], 100, 30);
    terminal.wait("both", |screen| screen.contains("main:1.0") && screen.contains("main:2.0"));
    terminal.keys(&["Enter"]);
    wait_for("a client", PATIENCE, || stage.server.run(&["list-clients", "-F", "#{pane_id}"]) == two.pane.to_string());
    terminal.wait_text("Do you want to proceed?");
    stage.server.run(&["detach-client", "-s", "main"]);
    terminal.wait_text("ended: 0");
    // Escape leaves without going anywhere.
    let terminal = Terminal::open(&stage.server, &["jump"], 100, 30);
    terminal.wait_text("main:2.0");
    terminal.keys(&["Escape"]);
    terminal.wait_text("ended: 0");
    assert_eq!(stage.server.run(&["list-clients"]), "");
    // Without a terminal it says what to do.
    let out = stage.server.orc(&["jump"]).output();
    assert_eq!(out.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&out.stderr).contains("say where to: `tmux-orc jump TARGET`"));
}
