//! What is on the screen after keys, resizes, signals and the loss of the server.

use rustix::process::Signal;

use crate::{
    held,
    support::{Terminal, TmuxServer, signal},
};

/// Waits until agents are listed.
fn listed(terminal: &Terminal) -> String {
    terminal.wait("agents", |screen| screen.contains("need you") || screen.contains("needs you"))
}

#[test]
fn it_shows_the_agents_obeys_keys_and_leaves_the_terminal_as_it_was() {
    let fleet = held();
    let terminal = Terminal::open(&fleet, &["perf", "watch"], 140, 42);
    listed(&terminal);
    // The terminal may show the half of a frame for a moment: each part is waited for.
    for part in ["Agents", "Pool", "Cache", "Cycle", "Cost", "Strategy", "Events", "Why", "? help"] {
        terminal.wait_text(part);
    }
    let screen = terminal.wait("the cursor", |screen| !row_under_cursor(screen).is_empty());
    // The cursor's row is the one that the preview shows.
    let first = row_under_cursor(&screen);
    terminal.keys(&["j"]);
    terminal.wait("the cursor to move", |screen| row_under_cursor(screen) != first);

    // The engine confirms what was asked: the pool's size stands in the border without an arrow.
    terminal.keys(&["+"]);
    terminal.wait("the pool to grow", |screen| screen.contains(" / 21 "));
    terminal.keys(&["-"]);
    terminal.wait("the pool to shrink", |screen| screen.contains(" / 20 "));
    terminal.keys(&["1"]);
    terminal.wait("the strategy to switch", |screen| screen.contains("▸ 1 concurrent"));
    terminal.wait("its mark in the history", |screen| screen.contains('┊'));
    terminal.keys(&["Space"]);
    terminal.wait_text("Paused");
    terminal.keys(&["Space"]);
    terminal.wait("it to go on", |screen| !screen.contains("Paused"));

    terminal.keys(&["t"]);
    terminal.wait_text("what was tried");
    terminal.keys(&["t", "?"]);
    terminal.wait_text("type to search");
    terminal.keys(&["Escape"]);
    terminal.wait("the help to close", |screen| !screen.contains("type to search"));
    terminal.keys(&["/", "c", "o", "d", "e", "x", "Enter"]);
    terminal.wait_text("/codex");
    terminal.keys(&["q"]);
    assert_eq!(terminal.ended(), 0);
    assert!(terminal.is_restored());
}

#[test]
fn it_fits_every_size_that_the_terminal_takes() {
    let fleet = held();
    let terminal = Terminal::open(&fleet, &["perf", "watch"], 140, 42);
    listed(&terminal);
    terminal.resize(80, 24);
    terminal.wait("the compact arrangement", |screen| screen.contains("─ Engine "));
    terminal.resize(40, 30);
    terminal.wait("the sidebar", |screen| !screen.contains("Engine") && screen.contains("pool"));
    terminal.resize(15, 4);
    terminal.wait("the counts", |screen| screen.contains('▲') && !screen.contains("tmux-orc"));
    terminal.resize(1, 1);
    terminal.resize(120, 35);
    terminal.wait("all of it again", |screen| screen.contains("Strategy") && screen.contains("Why"));
    terminal.keys(&["q"]);
    assert_eq!(terminal.ended(), 0);
}

#[test]
fn signals_end_it_with_the_terminal_restored() {
    let server = TmuxServer::start();
    for (name, number) in [(Signal::TERM, 15), (Signal::HUP, 1), (Signal::INT, 2)] {
        let terminal = Terminal::open(&server, &["perf", "watch"], 100, 30);
        terminal.wait_text("No agents yet.");
        signal(terminal.pid(), name);
        assert_eq!(terminal.ended(), 128 + number);
        assert!(terminal.is_restored(), "after signal {number}");
    }
}

#[test]
fn a_server_that_goes_is_told_and_one_that_comes_is_shown() {
    let server = TmuxServer::absent();
    let terminal = Terminal::open(&server, &["perf", "watch"], 100, 30);
    let screen = terminal.wait_text("No tmux server runs.");
    assert!(screen.contains("tmux-orc demo"), "it says what to do\n{screen}");
    server.revive();
    terminal.wait_text("No agents yet.");
    server.crash();
    terminal.wait_text("No tmux server runs.");
    terminal.keys(&["q"]);
    assert_eq!(terminal.ended(), 0);
}

#[test]
fn ctrl_z_suspends_and_fg_comes_back() {
    let server = TmuxServer::start();
    let host = TmuxServer::start();
    let line = format!(
        "TMUX_ORC_HOME={} {} -S {} perf watch",
        server.home().join("orc").display(),
        crate::support::Program::PATH,
        server.socket().display()
    );
    host.run(&["respawn-pane", "-k", "-t", "main:0.0", "exec bash --norc -i"]);
    host.keys("main:0.0", &[&line, "Enter"]);
    host.wait_screen("main:0.0", "the dashboard", |screen| screen.contains("No agents yet."));
    host.keys("main:0.0", &["C-z"]);
    host.wait_screen("main:0.0", "the shell", |screen| screen.contains("Stopped"));
    assert_eq!(host.run(&["display-message", "-p", "-t", "main:0.0", "#{alternate_on} #{mouse_any_flag}"]), "0 0");
    host.keys("main:0.0", &["fg", "Enter"]);
    host.wait_screen("main:0.0", "the dashboard again", |screen| screen.contains("No agents yet."));
    host.keys("main:0.0", &["q"]);
    host.wait_screen("main:0.0", "the shell at the end", |screen| !screen.contains("No agents yet."));
}

#[test]
fn a_terminal_that_closes_ends_it() {
    let server = TmuxServer::start();
    let terminal = Terminal::open(&server, &["perf", "watch"], 100, 30);
    terminal.wait_text("No agents yet.");
    terminal.close();
}

#[test]
fn a_bad_theme_or_key_is_said_before_the_screen_is_taken() {
    let server = TmuxServer::start();
    let home = server.home().join("orc");
    std::fs::create_dir_all(&home).expect("a directory");
    for (text, phrase) in [
        ("dashboard: { theme: drak }\n", "no theme \"drak\""),
        ("dashboard: { keys: { zoom: q } }\n", "'q' is asked for by"),
    ] {
        std::fs::write(home.join("config.yaml"), text).expect("the config");
        let terminal = Terminal::open(&server, &["perf", "watch"], 100, 30);
        assert_eq!(terminal.ended(), 2, "{}", terminal.screen());
        let screen = terminal.screen().replace('\n', "");
        assert!(screen.contains(phrase), "{phrase} in\n{screen}");
    }
}

/// The first row with the cursor's bar, without what changes by itself.
fn row_under_cursor(screen: &str) -> String {
    let line = screen.lines().find(|line| line.contains('▌')).unwrap_or_default();
    line.split('│').nth(1).unwrap_or_default().split_whitespace().skip(3).take(2).collect::<Vec<_>>().join(" ")
}
