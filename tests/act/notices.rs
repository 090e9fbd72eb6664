//! What is told of, by which ways: from a real engine to real terminals, a fake desktop and a command hook.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::{
    jumps::Terminals,
    stage::{ASKS, IDLE, Stage, WORKS},
    support::{HttpServer, PATIENCE, Program, alive, signal, wait_for, wait_some, write_program},
};

/// Writes settings into a base directory.
pub fn settings(base: &Path, notifications: &str) {
    fs::create_dir_all(base).expect("the base directory");
    let text = format!("notifications:\n  enabled: true\n{notifications}");
    fs::write(base.join("config.yaml"), text).expect("the settings");
}

/// A program that appends its arguments, a line for each run, or its input.
pub fn recorder(stage: &Stage, name: &str, what: &str) -> (PathBuf, PathBuf) {
    let dir = stage.server.home().join("bin");
    fs::create_dir_all(&dir).expect("a directory");
    let (program, file) = (dir.join(name), stage.server.home().join(format!("{name}.told")));
    write_program(&program, &format!("#!/bin/sh\n{{ {what}; }} >> '{}'\n", file.display()));
    (program, file)
}

pub fn lines(file: &Path) -> Vec<String> {
    fs::read_to_string(file).unwrap_or_default().lines().map(str::to_owned).collect()
}

fn went(stage: &Stage, to: &str) -> usize {
    let lines = stage.server.orc(&["events", "--since", "1h", "--json"]).stdout();
    let is = |line: &str| line.contains("\"event\":\"transition\"") && line.contains(&format!("\"to\":\"{to}\""));
    lines.lines().filter(|line| is(line)).count()
}

/// Starts an engine whose PATH begins with the stage's own programs.
fn start_engine(stage: &Stage) {
    let path = format!("{}/bin:{}", stage.server.home().display(), std::env::var("PATH").unwrap_or_default());
    drop(stage.server.orc(&["monitor", "start"]).env("PATH", path).stdout());
}

#[tokio::test]
async fn those_that_come_together_reach_terminal_and_desktop_as_one_notice() {
    let stage = Stage::new();
    let agents = ["one", "two", "three"].map(|name| stage.agent(name, WORKS));
    // An older one, which knows no buttons.
    let (_, desktop) = recorder(&stage, "notify-send", "[ \"$1\" = --help ] || echo \"$*\"");
    settings(
        &stage.server.home().join("orc"),
        "  on: [waiting]\n  bell: false\n  tmux: false\n  terminal: true\n  desktop: true\n",
    );
    let terminals = Terminals::new();
    terminals.attach(&stage, "main");
    let written = stage.server.home().join("written");
    terminals.record("main", &written);
    start_engine(&stage);
    for agent in &agents {
        stage.show(agent, ASKS);
    }
    wait_for("the desktop", PATIENCE, || !lines(&desktop).is_empty());
    let told = lines(&desktop);
    let words = told[0].strip_prefix("--app-name=tmux-orc -- tmux-orc ").expect("the words are the last argument");
    // In the order in which they changed, which is nobody's promise here.
    let named = ["main:1.0", "main:2.0", "main:3.0"].iter().all(|place| words.contains(place));
    assert!(told.len() == 1 && named && words.starts_with("3 agents wait for you: "), "{told:?}");
    let wanted = format!("\x1b]9;{words}\x07\x1b]777;notify;tmux-orc;{words}\x07");
    wait_for("the terminal's notice", PATIENCE, || {
        String::from_utf8_lossy(&fs::read(&written).unwrap_or_default()).contains(&wanted)
    });
    assert!(!terminals.rang("main"), "the bell is off");
    stage.stop_engine();
}

#[tokio::test]
async fn only_those_programs_and_sessions_that_are_listed_are_told_of() {
    let stage = Stage::new();
    let other = stage.agent("one", WORKS);
    stage.server.run(&["new-session", "-d", "-s", "told", "exec sh"]);
    let told = stage.agent("two", WORKS);
    stage.server.run(&["move-window", "-s", &told.pane.to_string(), "-t", "told:5"]);
    let (hook, file) = recorder(&stage, "hook", "cat; echo");
    let base = stage.server.home().join("orc");
    let rules = "  on: [waiting]\n  bell: false\n  tmux: false\n  agents: [claude, codex]\n  sessions: [told]\n";
    settings(&base, &format!("{rules}  command: [{hook:?}]\n"));
    start_engine(&stage);
    // Both within the time in which notices are gathered: one told, the other would be too.
    stage.show(&other, ASKS);
    stage.show_anyhow(&told, ASKS);
    wait_for("the hook", PATIENCE, || !lines(&file).is_empty());
    let all = lines(&file);
    assert!(all.len() == 1 && all[0].contains("\"target\":\"told:5.0\""), "{all:?}");
    stage.stop_engine();
}

#[tokio::test]
async fn nothing_is_told_in_quiet_hours() {
    let stage = Stage::new();
    let claude = stage.agent("one", WORKS);
    let (quiet_hook, quiet) = recorder(&stage, "quiet", "cat; echo");
    let (loud_hook, loud) = recorder(&stage, "loud", "cat; echo");
    let rules = "  on: [waiting]\n  bell: false\n  tmux: false\n";
    // Quiet for all of the day but a minute that is not now.
    let now = jiff::Timestamp::now().to_zoned_datetime(jiff::tz::TimeZone::UTC);
    let minute =
        |hours: i64| now.checked_add(jiff::Span::new().hours(hours)).expect("a time").strftime("%H:%M").to_string();
    let hours = format!("  quiet_hours: \"{}-{}\"\n", minute(-11), minute(11));
    settings(&stage.server.home().join("orc"), &format!("{rules}{hours}  command: [{quiet_hook:?}]\n"));
    drop(stage.server.orc(&["monitor", "start"]).env("TZ", "UTC").stdout());
    // A second engine of another person's settings: by the time it tells, the first one would have.
    let second = stage.server.home().join("orc2");
    settings(&second, &format!("{rules}  command: [{loud_hook:?}]\n"));
    let mut watch = stage.server.orc(&["perf", "watch", "--json"]).env("TMUX_ORC_HOME", second).spawn();
    let mut output = watch.stdout.take().expect("its output");
    // Its first snapshot: from here on it sees what changes.
    std::io::Read::read_exact(&mut output, &mut [0; 1]).expect("a snapshot");
    std::thread::spawn(move || std::io::copy(&mut output, &mut std::io::sink()));
    stage.show(&claude, ASKS);
    wait_for("the other engine's notice", PATIENCE, || !lines(&loud).is_empty());
    assert_eq!(went(&stage, "waiting"), 1);
    assert_eq!(lines(&quiet), Vec::<String>::new());
    signal(watch.id(), rustix::process::Signal::TERM);
    watch.wait().expect("its end");
    stage.stop_engine();
}

#[tokio::test]
async fn a_change_is_told_once_by_every_way_and_not_of_the_pane_in_view() {
    let stage = Stage::new();
    let (seen, hidden) = (stage.agent("seen", WORKS), stage.agent("hidden", WORKS));
    let home = stage.server.home().join("orc");
    fs::create_dir_all(&home).expect("the base directory");
    let hook = stage.server.home().join("hook");
    fs::write(&hook, "#!/bin/sh\ncat >> \"$1\"\necho >> \"$1\"\n").expect("the hook");
    let told = stage.server.home().join("told");
    let config = format!(
        "notifications:\n  enabled: true\n  on: [waiting, done]\n  bell: true\n  tmux: true\n  command: [sh, {:?}, {:?}]\n",
        hook, told
    );
    fs::write(home.join("config.yaml"), config).expect("the settings");
    stage.server.run(&["set-option", "-g", "status", "on"]);
    stage.server.run(&["set-option", "-g", "display-time", "20000"]);
    let terminals = Terminals::new();
    let mine = terminals.attach(&stage, "main");
    stage.server.run(&["switch-client", "-c", &mine, "-t", &seen.pane.to_string()]);
    stage.start_engine();
    // A dashboard beside it that is attached: it tells of nothing itself.
    let mut dashboard = stage.server.orc(&["perf", "watch", "--json"]).spawn();
    stage.show_anyhow(&seen, ASKS);
    stage.show_anyhow(&hidden, ASKS);
    let lines = || fs::read_to_string(&told).unwrap_or_default().lines().map(str::to_owned).collect::<Vec<_>>();
    wait_for("the hook", PATIENCE, || !lines().is_empty());
    terminals.wait("main", "the message", |screen| screen.contains("main:2.0 claude waits for you (permission)"));
    wait_for("the bell", PATIENCE, || terminals.rang("main"));
    // One that follows is told too, so by then the first would have been told twice.
    stage.show_anyhow(&hidden, IDLE);
    wait_for("the end of the wait", PATIENCE, || went(&stage, "idle") == 1);
    stage.show_anyhow(&hidden, ASKS);
    wait_for("the second", PATIENCE, || lines().len() >= 2);
    let all: Vec<serde_json::Value> =
        lines().iter().map(|line| serde_json::from_str(line).expect("an event as JSON")).collect();
    assert_eq!(all.len(), 2, "{all:?}");
    for one in &all {
        assert_eq!(
            (one["pane_id"].as_str(), one["state"].as_str()),
            (Some(hidden.pane.to_string().as_str()), Some("waiting"))
        );
    }
    signal(dashboard.id(), rustix::process::Signal::TERM);
    dashboard.wait().expect("its end");
    stage.stop_engine();
}

#[tokio::test]
async fn a_dashboard_outside_of_tmux_rings_its_own_terminal() {
    let stage = Stage::new();
    let claude = stage.agent("one", WORKS);
    let home = stage.server.home().join("orc");
    fs::create_dir_all(&home).expect("the base directory");
    fs::write(home.join("config.yaml"), "notifications:\n  enabled: true\n  on: [waiting]\n").expect("the settings");
    let terminals = Terminals::new();
    terminals.dashboard(&stage);
    terminals.wait("dashboard", "the agent", |screen| screen.contains("main:1.0") && screen.contains("working"));
    assert!(!terminals.rang("dashboard"));
    stage.show(&claude, ASKS);
    wait_for("the bell", PATIENCE, || terminals.rang("dashboard"));
}

#[tokio::test]
async fn a_command_that_hangs_holds_up_no_other_notice() {
    let stage = Stage::new();
    let agents = ["one", "two"].map(|name| stage.agent(name, WORKS));
    // The first run hangs for good, as does what it started.
    let (hook, told) = recorder(&stage, "hook", "cat; echo; mkdir \"$0.first\" 2>/dev/null && sleep 600");
    let rules = format!("  on: [waiting]\n  bell: false\n  tmux: true\n  command: [{hook:?}]\n");
    settings(&stage.server.home().join("orc"), &rules);
    stage.server.run(&["set-option", "-g", "status", "on"]);
    let terminals = Terminals::new();
    terminals.attach(&stage, "main");
    start_engine(&stage);
    stage.show_anyhow(&agents[0], ASKS);
    wait_for("the first", PATIENCE, || lines(&told).len() == 1);
    let hung = std::time::Instant::now();
    stage.show_anyhow(&agents[1], ASKS);
    terminals.wait("main", "the second in the status line", |screen| screen.contains("main:2.0 claude waits for you"));
    wait_for("the second", PATIENCE, || lines(&told).len() == 2);
    assert!(hung.elapsed() < tmux_orc::app::notify::COMMAND_LIMIT, "the first one was waited for");
    stage.stop_engine();
}

#[tokio::test]
async fn who_still_waits_is_told_of_again_and_by_a_service_what_is_asked() {
    let stage = Stage::new();
    let claude = stage.agent("one", WORKS);
    let service = HttpServer::answering("200 OK", "");
    let (hook, file) = recorder(&stage, "hook", "cat; echo");
    let base = stage.server.home().join("orc");
    let ways = format!("  commands: {{ hook: [{hook:?}], ntfy: [{:?}, notify, send, ntfy] }}\n", Program::PATH);
    settings(&base, &format!("  on: [waiting]\n  bell: false\n  tmux: false\n  remind_after: [3]\n{ways}"));
    let start = stage.server.orc(&["monitor", "start"]).env("NTFY_SERVER", &*service.address);
    drop(start.env("NTFY_TOPIC", "agents").stdout());
    stage.show_anyhow(&claude, ASKS);
    let first = service.next();
    assert_eq!(first.header("Title"), Some("main:1.0 claude waits for you (permission)"));
    let agents: serde_json::Value =
        serde_json::from_str(&stage.server.orc(&["agents", "--json"]).stdout()).expect("the agents as JSON");
    let asks = agents["agents"][0]["asks"]["line"].as_str().expect("what it asks").to_owned();
    assert_eq!(String::from_utf8(first.body.clone()).expect("a text"), asks);
    let again = service.next();
    assert_eq!(again.header("Title"), Some("main:1.0 claude still waits for you after 3 s (permission)"));
    assert_eq!((again.header("Priority"), &again.body), (Some("5"), &first.body));
    stage.show_anyhow(&claude, WORKS);
    wait_for("the end of the wait", PATIENCE, || went(&stage, "working") >= 1);
    stage.stop_engine();
    assert!(service.is_quiet(), "one notice and one reminder");
    let told: Vec<serde_json::Value> =
        lines(&file).iter().map(|line| serde_json::from_str(line).expect("a notice as JSON")).collect();
    let field = |name: &str| told.iter().map(|one| one[name].clone()).collect::<Vec<_>>();
    assert_eq!(field("waited"), [serde_json::Value::Null, 3.into()]);
    assert_eq!(told[0]["asks"]["line"], asks);
    assert_eq!(told[0]["text"], format!("main:1.0 claude waits for you (permission): {asks}"));
}

#[tokio::test]
async fn the_button_of_a_notice_leads_to_the_agent_and_leaves_nothing_behind() {
    let stage = Stage::new();
    let agents = ["one", "two"].map(|name| stage.agent(name, WORKS));
    // The first notice's button is pressed, the second one stays unanswered.
    let (program, desktop) = recorder(&stage, "notify-send", "");
    let script = "#!/bin/sh\n[ \"$1\" = --help ] && exec echo '  -A, --action=[NAME=]Text'\necho \"$*\" >> \"$0.told\"\n\
                  mkdir \"$0.first\" 2>/dev/null && exec echo jump\necho $$ > \"$0.pid\"\nexec sleep 600\n";
    write_program(&program, script);
    let desktop = desktop.with_file_name("bin/notify-send.told");
    settings(
        &stage.server.home().join("orc"),
        "  on: [waiting]\n  bell: false\n  tmux: false\n  desktop: true\n  remind_after: []\n",
    );
    let terminals = Terminals::new();
    let mine = terminals.attach(&stage, "main");
    start_engine(&stage);
    stage.show_anyhow(&agents[1], ASKS);
    let at = |pane: &str| {
        stage.server.run(&["list-clients", "-F", "#{client_name} #{pane_id}"]).contains(&format!("{mine} {pane}"))
    };
    wait_for("the jump", PATIENCE, || at(&agents[1].pane.to_string()));
    let told = lines(&desktop);
    assert!(
        told[0].starts_with("--app-name=tmux-orc --expire-time=60000 --action=jump=Go there -- tmux-orc "),
        "{told:?}"
    );
    stage.show_anyhow(&agents[0], ASKS);
    let pid_file = stage.server.home().join("bin/notify-send.pid");
    let pid = wait_some("the second", PATIENCE, || fs::read_to_string(&pid_file).ok()?.trim().parse::<u32>().ok());
    stage.stop_engine();
    wait_for("its end", PATIENCE, || !alive(pid));
}
