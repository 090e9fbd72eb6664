//! The dashboard with hosts: their agents stand in its list, are answered from it, and one that is lost stops nobody.

use std::{
    fs, thread,
    time::{Duration, Instant},
};

use rustix::process::Signal;
use tmux_orc::monitor::Connector;

use crate::place::Place;
use crate::stage::{ASKS, IDLE, Stage, WORKS};
use crate::support::{PATIENCE, Program, Terminal, TmuxServer, signal, tmux_orc, wait_for};

#[test]
fn agents_of_hosts_are_listed_and_answered_and_a_lost_host_stops_nobody() {
    let place = Place::new();
    let claude = place.stage.agent("one", ASKS);
    let Connector::Command(words) = place.config(&[]).connector else { unreachable!("by a program") };
    // No server runs here: what runs elsewhere is shown all the same.
    let here = TmuxServer::absent();
    let lost = r#"["sh", "-c", "echo 'ssh: connect to host ci port 22: Connection timed out' >&2; exit 255"]"#;
    let connect = serde_json::to_string(&words).expect("JSON");
    fs::create_dir_all(here.home().join("orc")).expect("a folder");
    let hosts = format!("hosts:\n  - {{ name: box, connect: {connect} }}\n  - {{ name: ci, connect: {lost} }}\n");
    fs::write(here.home().join("orc/config.yaml"), hosts).expect("a file");
    let terminal = Terminal::run(&here, &[Program::PATH], 140, 42, &[]);
    terminal.wait("its agent", |screen| screen.contains("main:1.0") && screen.contains("▲ 1 needs you"));
    terminal.wait_text("ci: unreachable (ssh: connect to host ci port 22: Connection timed out)");
    terminal.keys(&["H"]);
    let screen = terminal.wait("the hosts", |screen| screen.contains("╭ Hosts "));
    assert!(screen.contains("● box") && screen.contains("✕ ci"), "{screen}");
    terminal.keys(&["H", "y"]);
    // Nothing is answered before the request was shown.
    terminal.wait("the request", |screen| {
        let whole = screen.contains("Do you want to proceed?") && !screen.contains("Reading the pane");
        screen.contains("Answer main:1.0@box") && screen.contains("4 No") && whole
    });
    let reaction = claude.react("4", WORKS);
    terminal.keys(&["4"]);
    terminal.wait("what came of it", |screen| screen.contains("answered 'No'") && screen.contains("● 1 working"));
    reaction.join().expect("the stand-in got its key");
    assert_eq!(claude.input(), "4", "once");
    terminal.keys(&["q"]);
    assert_eq!(terminal.ended(), 0);
}

/// The dashboard of one host: neither this machine nor another host is in it, and it outlives the host.
#[test]
fn a_dashboard_of_one_host_shows_that_one_alone() {
    let place = Place::new();
    let claude = place.stage.agent("one", ASKS);
    let Connector::Command(words) = place.config(&[]).connector else { unreachable!("by a program") };
    let here = Stage::new();
    let _local = here.agent("local", IDLE);
    let home = here.server.home();
    fs::create_dir_all(home.join("orc")).expect("a folder");
    let hosts = serde_json::json!({ "hosts": [
        { "name": "box", "connect": words },
        { "name": "ci", "connect": ["sh", "-c", "exit 255"] },
    ]});
    fs::write(home.join("orc/config.yaml"), hosts.to_string()).expect("a file");
    let (code, _, said) = tmux_orc(&home.join("orc"), &["--host", "bx", "perf", "watch"]);
    assert!(code == 2 && said.contains("no host of the settings is called 'bx'"), "{said}");
    for words in [&["--host", "box"][..], &["perf", "watch", "--host", "box"]] {
        let terminal = Terminal::open(&here.server, words, 140, 42);
        let screen = terminal.wait("its agent", |screen| screen.contains("main:1.0") && screen.contains("1 needs you"));
        assert!(screen.contains("1 host 1 server") && screen.contains("● box"), "{screen}");
        assert!(!screen.contains("idle") && !screen.contains("ci "), "{screen}");
        terminal.keys(&["H"]);
        let screen = terminal.wait("the hosts", |screen| screen.contains("╭ Hosts "));
        assert!(screen.contains("● box") && !screen.contains("✕ ci"), "{screen}");
        terminal.keys(&["H", "r"]);
        terminal.wait_text("The settings were read again: nothing changed");
        terminal.keys(&["q"]);
        assert_eq!(terminal.ended(), 0);
    }
    let terminal = Terminal::open(&here.server, &["--host", "box"], 140, 42);
    terminal.wait_text("main:1.0");
    terminal.keys(&["y"]);
    terminal.wait("the request", |screen| screen.contains("4 No") && !screen.contains("Reading the pane"));
    let reaction = claude.react("4", WORKS);
    terminal.keys(&["4"]);
    terminal.wait_text("answered 'No'");
    reaction.join().expect("the stand-in got its key");
    // The settings do not name it any more: nothing is watched, and that is no end.
    fs::write(home.join("orc/config.yaml"), "hosts: []\n").expect("a file");
    terminal.keys(&["r"]);
    terminal.wait("it is gone", |screen| !screen.contains("main:1.0") && !screen.contains("box"));
    terminal.keys(&["q"]);
    assert_eq!(terminal.ended(), 0);
}

/// A bridge without members that notes when it was started. It answers until the machine that watches it sleeps; one that was
/// started before it slept says nothing more then, as if the network between had forgotten the connection.
const FORGOTTEN: &str = r#"
echo started >> "$1/started"
echo '{"hello":{"protocol":1,"oldest":1,"version":"0.1.0"}}'
echo '- {"members":[]}'
[ -e "$1/slept" ] && old=no || old=yes
while read -r key json; do
    [ -e "$1/slept" ] && [ "$old" = yes ] && continue
    case $json in *ping*) n=${json#*:}; echo "- {\"pong\":${n%\}}}";; esac
done
"#;

#[test]
fn after_a_sleep_what_is_lost_is_known_at_once_and_connected_anew() {
    let here = TmuxServer::absent();
    fs::create_dir_all(here.home().join("orc")).expect("a folder");
    fs::write(here.home().join("forgotten.sh"), FORGOTTEN).expect("a file");
    let folder = here.home().display().to_string();
    let hosts = format!("hosts:\n  - {{ name: box, connect: [sh, {folder}/forgotten.sh, {folder}] }}\n");
    fs::write(here.home().join("orc/config.yaml"), hosts).expect("a file");
    let started = || fs::read_to_string(here.home().join("started")).unwrap_or_default().lines().count();
    let terminal = Terminal::run(&here, &[Program::PATH], 140, 42, &[]);
    terminal.wait("it is up", |screen| screen.contains("● box"));
    assert_eq!(started(), 1);
    // The whole process stands still for longer than any tick may be late.
    let pid = terminal.pid();
    signal(pid, Signal::STOP);
    fs::write(here.home().join("slept"), "").expect("a file");
    thread::sleep(Duration::from_secs(13));
    signal(pid, Signal::CONT);
    let woke = Instant::now();
    terminal.wait("it is lost", |screen| screen.contains("✕ box"));
    let known = woke.elapsed();
    wait_for("it is connected anew", PATIENCE, || started() > 1);
    let anew = woke.elapsed();
    terminal.wait("it is up again", |screen| screen.contains("● box"));
    // By the questions that are asked anyhow it would be known after ten seconds.
    assert!(known < Duration::from_secs(5), "known after {known:?}");
    assert!(anew < Duration::from_secs(7), "connected anew after {anew:?}");
    assert_eq!(started(), 2, "once");
    terminal.keys(&["q"]);
    assert_eq!(terminal.ended(), 0);
}
