//! What comes from the terminal and is no key: replies, also cut ones, pastes without brackets, stops by others.

use std::time::Duration;

use rustix::process::Signal;

use crate::support::{PATIENCE, Terminal, TmuxServer, signal, wait_for};

fn open(server: &TmuxServer) -> Terminal {
    let terminal = Terminal::open(server, &["perf", "watch"], 120, 35);
    terminal.wait_text("No agents yet.");
    terminal.wait_text("every 1s");
    terminal
}

#[test]
fn alt_and_a_bracket_make_it_not_deaf() {
    let server = TmuxServer::start();
    let terminal = open(&server);
    terminal.keys(&["M-]"]);
    terminal.keys(&["?"]);
    terminal.wait_text("type to search");
    terminal.keys(&["C-c"]);
    terminal.wait("the help's end", |screen| !screen.contains("type to search"));
    terminal.keys(&["q"]);
    assert_eq!(terminal.ended(), 0);
}

#[test]
fn replies_and_pastes_change_nothing() {
    let server = TmuxServer::start();
    let terminal = open(&server);
    // What a terminal says of itself, whole and without its ESC, then a sentence.
    for text in
        ["\x1bP>|XTerm(390)\x1b\\", "]11;rgb:1010/1212/1616\x1b\\", "[<0;12;5M", "please try again, <clear> it 1 2 3"]
    {
        terminal.keys(&["-l", text]);
        // A rest after a paste: what follows at once belongs to it.
        std::thread::sleep(Duration::from_millis(250));
    }
    terminal.wait_text("keys came at once, as nobody types: dropped");
    let screen = terminal.screen();
    assert!(screen.contains("every 1s") && !screen.contains("PAUSED") && screen.contains("adaptive"), "{screen}");
    terminal.keys(&["q"]);
    assert_eq!(terminal.ended(), 0);
}

#[test]
fn a_stop_by_others_gives_the_terminal_back_and_coming_back_repaints() {
    let server = TmuxServer::start();
    let host = TmuxServer::start();
    let home = server.home().join("orc");
    let line = format!(
        "TMUX_ORC_HOME={} {} -S {} perf watch",
        home.display(),
        crate::support::Program::PATH,
        server.socket().display()
    );
    host.run(&["respawn-pane", "-k", "-t", "main:0.0", "exec bash --norc -i"]);
    host.keys("main:0.0", &[&line, "Enter"]);
    for stop in [Signal::TSTP, Signal::STOP] {
        host.wait_screen("main:0.0", "the dashboard", |screen| screen.contains("No agents yet."));
        let shell = host.run(&["display-message", "-p", "-t", "main:0.0", "#{pane_pid}"]);
        let children =
            std::process::Command::new("ps").args(["-o", "pid=", "--ppid", shell.trim()]).output().expect("ps");
        let pid: u32 = String::from_utf8_lossy(&children.stdout).trim().parse().expect("one child");
        signal(pid, stop);
        let flags = || host.run(&["display-message", "-p", "-t", "main:0.0", "#{alternate_on} #{mouse_any_flag}"]);
        if stop == Signal::TSTP {
            wait_for("the terminal as it was", PATIENCE, || flags().trim() == "0 0");
        }
        host.keys("main:0.0", &["", "Enter"]);
        wait_for("the shell", PATIENCE, || host.screen("main:0.0").contains("Stopped"));
        host.keys("main:0.0", &["clear; fg", "Enter"]);
        host.wait_screen("main:0.0", "the dashboard again", |screen| screen.contains("No agents yet."));
        wait_for("the mouse again", PATIENCE, || flags().trim() == "1 1");
        host.keys("main:0.0", &["?"]);
        host.wait_screen("main:0.0", "its keys", |screen| screen.contains("type to search"));
        host.keys("main:0.0", &["C-c"]);
    }
    host.wait_screen("main:0.0", "the dashboard", |screen| !screen.contains("type to search"));
    host.keys("main:0.0", &["q"]);
    wait_for("the shell at the end", PATIENCE, || !host.screen("main:0.0").contains("No agents yet."));
}
