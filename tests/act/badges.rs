//! Badges in the window list: only where they are asked for, as the agents are, and nothing left of them.

use std::fs;

use rustix::process::Signal;

use crate::{
    jumps::Terminals,
    stage::{ASKS, Stage, WORKS},
    support::{PATIENCE, alive, signal, wait_for},
};

/// Every option of ours that the server has: pane, the pane's, the window's.
fn badges(stage: &Stage) -> Vec<String> {
    let listed = stage.server.run(&["list-panes", "-a", "-F", "#{pane_id}#{@orc_pane_badge};#{@orc_badge}"]);
    listed.lines().filter(|line| !line.ends_with(';') || line.contains('[')).map(str::to_owned).collect()
}

fn settings(stage: &Stage, badges: bool) {
    let base = stage.server.home().join("orc");
    fs::create_dir_all(&base).expect("the base directory");
    fs::write(base.join("config.yaml"), format!("tmux: {{ badges: {badges} }}\n")).expect("the settings");
}

fn engine(stage: &Stage) -> u32 {
    let status = stage.server.orc(&["status", "--json"]).json();
    u32::try_from(status["engine"]["pid"].as_u64().expect("a pid")).expect("a pid")
}

#[test]
fn a_window_that_needs_its_user_says_so_where_that_is_asked_for() {
    let stage = Stage::new();
    let (one, two) = (stage.agent("one", WORKS), stage.agent("two", ASKS));
    stage.start_engine();
    wait_for("the agents", PATIENCE, || {
        let agents = stage.server.orc(&["agents", "--state", "waiting", "--json"]).json();
        agents["agents"].as_array().is_some_and(|agents| agents.len() == 1)
    });
    assert_eq!(badges(&stage), Vec::<String>::new(), "watching changes nothing");
    settings(&stage, true);
    signal(engine(&stage), Signal::HUP);
    let of = |pane: &crate::stage::Actress, sign: &str| {
        let badge = format!(" #[{sign}#[default]");
        badges(&stage).contains(&format!("{}{badge};{badge}", pane.pane))
    };
    wait_for("both badges", PATIENCE, || of(&one, "fg=cyan]●") && of(&two, "fg=yellow,bold]▲"));
    assert_eq!(badges(&stage).len(), 2, "{:?}", badges(&stage));
    // As the bindings show it: only the one who waits has a sign in yellow.
    let file = stage.server.home().join("bindings.conf");
    fs::write(&file, stage.server.orc(&["tmux", "bindings"]).stdout()).expect("the bindings");
    for _ in 0..2 {
        stage.server.run(&["source-file", file.to_str().expect("a plain path")]);
    }
    stage.server.run(&["set-option", "-g", "status", "on"]);
    let terminals = Terminals::new();
    terminals.attach(&stage, "main");
    terminals.wait("main", "the window list", |screen| {
        let line = screen.lines().last().unwrap_or_default();
        line.contains("1:one  ●") && line.contains("2:two") && line.matches('▲').count() == 1
    });
    stage.show_anyhow(&one, ASKS);
    wait_for("the other badge", PATIENCE, || of(&one, "fg=yellow,bold]▲"));
    // An engine that is killed takes nothing away; the next one does when it knows better.
    let pid = engine(&stage);
    signal(pid, Signal::KILL);
    wait_for("its end", PATIENCE, || !alive(pid));
    assert_eq!(badges(&stage).len(), 2);
    stage.show_anyhow(&two, WORKS);
    stage.start_engine();
    wait_for("what is so now", PATIENCE, || of(&one, "fg=yellow,bold]▲") && of(&two, "fg=cyan]●"));
    settings(&stage, false);
    signal(engine(&stage), Signal::HUP);
    wait_for("none of them", PATIENCE, || badges(&stage).is_empty());
    settings(&stage, true);
    signal(engine(&stage), Signal::HUP);
    wait_for("both again", PATIENCE, || badges(&stage).len() == 2);
    stage.stop_engine();
    assert_eq!(badges(&stage), Vec::<String>::new(), "they go with the engine");
}
