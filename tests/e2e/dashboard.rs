//! The dashboard in a real terminal: read back from its screen, driven by keys.

use rustix::process::Signal;
use tmux_orc::{app::demo::Fleet, monitor::AgentState};

use super::agents::{patient, scene, tmux};
use crate::support::{PATIENCE, Terminal, TmuxServer, signal, wait_for};

const WATCH: &[&str] = &["perf", "watch", "--interval", "0.2"];

/// The row of the screen that holds `text`.
fn row<'s>(screen: &'s str, text: &str) -> Option<&'s str> {
    screen.lines().find(|line| line.contains(text))
}

#[test]
fn it_shows_the_agents_and_their_changes() {
    let plan = patient(3);
    let mut fleet = Fleet::start_plan(&plan).expect("a fleet");
    let terminal = Terminal::open(&fleet, WATCH, 140, 42);
    for panel in ["Agents", "Pool", "Cache", "Cycle"] {
        terminal.wait_text(panel);
    }
    let pane = fleet.add(&plan, "claude", scene("claude", AgentState::Waiting, Some("question"))).expect("one more");
    terminal.wait("a question", |screen| row(screen, "extra:0.0").is_some_and(|row| row.contains("question")));
    tmux(&fleet, &["send-keys", "-t", &pane, "1"]);
    terminal.wait("work", |screen| row(screen, "extra:0.0").is_some_and(|row| row.contains("working")));
    tmux(&fleet, &["kill-pane", "-t", &pane]);
    terminal.wait("its disappearance", |screen| row(screen, "extra:0.0").is_none_or(|row| row.contains("→")));
}

#[test]
fn keys_change_the_engine_and_the_panels_prove_it() {
    let fleet = Fleet::start_plan(&patient(3)).expect("a fleet");
    let terminal = Terminal::open(&fleet, WATCH, 140, 42);
    terminal.wait_text("api:0.0");
    let pool = |screen: &str| -> Option<usize> {
        row(screen, "Pool")?.split("Pool").nth(1)?.split('/').nth(1)?.split_whitespace().next()?.parse().ok()
    };
    let screen = terminal.wait("a pool", |screen| pool(screen).is_some());
    let before = pool(&screen).expect("a size");
    terminal.keys(&["-"]);
    terminal.wait("a smaller pool", |screen| pool(screen) == Some(before - 1));
    terminal.keys(&["+", "+"]);
    terminal.wait("a larger pool", |screen| pool(screen) == Some(before + 1));

    let strategy = |screen: &str| {
        let names = ["concurrent", "polling", "adaptive"];
        let header = screen.lines().next().unwrap_or_default().to_owned();
        names.into_iter().find(|name| header.contains(name) && !header.contains("→"))
    };
    let screen = terminal.wait("a strategy", |screen| strategy(screen).is_some());
    let first = strategy(&screen);
    terminal.keys(&["s"]);
    terminal.wait("another strategy", |screen| strategy(screen).is_some() && strategy(screen) != first);

    terminal.keys(&["Space"]);
    terminal.wait("the pause", |screen| screen.to_lowercase().contains("paused"));
    terminal.keys(&["Space"]);
    terminal.wait("its end", |screen| !screen.lines().next().unwrap_or_default().to_lowercase().contains("paused"));

    terminal.keys(&["?"]);
    terminal.wait_text("Next agent that needs you");
    // Not with the next key at once: a terminal sends Alt-q as Escape and q.
    terminal.keys(&["Escape"]);
    terminal.wait("the end of the help", |screen| !screen.contains("Next agent that needs you"));
    terminal.keys(&["q"]);
    assert_eq!(terminal.ended(), 0);
    assert!(terminal.is_restored());
}

#[test]
fn a_server_that_dies_and_comes_back() {
    let server = TmuxServer::start();
    let terminal = Terminal::open(&server, WATCH, 100, 30);
    terminal.wait_text("No agents yet.");
    server.crash();
    terminal.wait_text("No tmux server runs.");
    server.revive();
    terminal.wait_text("No agents yet.");
    terminal.keys(&["q"]);
    assert_eq!(terminal.ended(), 0);
}

#[test]
fn a_server_with_agents_that_dies_is_not_forgotten_as_if_they_had_ended() {
    let fleet = Fleet::start_plan(&patient(3)).expect("a fleet");
    let terminal = Terminal::open(&fleet, WATCH, 100, 30);
    terminal.wait_text("api:0.0");
    signal(fleet.pid().expect("a server"), Signal::KILL);
    terminal.wait("what happened", |screen| screen.contains("No tmux server") || screen.contains("does not answer"));
    assert!(!terminal.screen().contains("exited"), "{}", terminal.screen());
    terminal.keys(&["q"]);
    assert_eq!(terminal.ended(), 0);
}

#[test]
fn no_server_at_first_and_then_one() {
    let server = TmuxServer::absent();
    let terminal = Terminal::open(&server, WATCH, 100, 30);
    terminal.wait_text("No tmux server runs.");
    terminal.wait_text("tmux-orc demo");
    assert!(!server.socket().exists(), "the dashboard started a server");
    server.revive();
    terminal.wait_text("No agents yet.");
}

#[test]
fn every_size_is_survived() {
    let fleet = Fleet::start_plan(&patient(4)).expect("a fleet");
    let terminal = Terminal::open(&fleet, WATCH, 80, 24);
    terminal.wait_text("api:0.0");
    for (width, height) in [(40, 20), (18, 5), (2, 2), (1, 1), (300, 80), (60, 20)] {
        terminal.resize(width, height);
        if width >= 18 {
            terminal.wait("agents or counts", |screen| screen.contains('●') || screen.contains('▲'));
        }
    }
    terminal.wait_text("api:0.0");
    terminal.keys(&["q"]);
    assert_eq!(terminal.ended(), 0);
}

#[test]
fn the_terminal_is_restored_on_every_way_out() {
    let server = TmuxServer::start();
    for (how, code) in [(Signal::TERM, 143), (Signal::INT, 130), (Signal::HUP, 129)] {
        let terminal = Terminal::open(&server, WATCH, 100, 30);
        terminal.wait_text("No agents yet.");
        assert!(!terminal.is_restored(), "it took nothing over?");
        signal(terminal.pid(), how);
        let ended = terminal.ended();
        assert!(ended == 0 || ended == code, "{how:?}: {ended}");
        wait_for("the terminal as it was", PATIENCE, || terminal.is_restored());
        assert!(!terminal.screen().contains("No agents yet."), "its picture is left: {}", terminal.screen());
    }
}

#[test]
fn a_closed_terminal_ends_it() {
    let server = TmuxServer::start();
    let terminal = Terminal::open(&server, WATCH, 100, 30);
    terminal.wait_text("No agents yet.");
    terminal.close();
}

#[test]
fn watching_leaves_no_trace_on_the_server() {
    let fleet = Fleet::start_plan(&patient(3)).expect("a fleet");
    let trace = || {
        let session = "#{session_name} #{session_attached} #{session_alerts} #{session_windows}";
        let window = "#{window_id} #{window_width}x#{window_height} #{window_flags} #{window_layout}";
        [
            tmux(&fleet, &["list-clients"]),
            tmux(&fleet, &["list-sessions", "-F", session]),
            tmux(&fleet, &["list-windows", "-a", "-F", window]),
            tmux(&fleet, &["show-options", "-g"]),
            tmux(&fleet, &["show-hooks", "-g"]),
            tmux(&fleet, &["list-buffers"]),
            tmux(&fleet, &["list-keys"]),
        ]
    };
    let before = trace();
    let terminal = Terminal::open(&fleet, WATCH, 140, 42);
    terminal.wait_text("api:0.0");
    terminal.keys(&["s", "+", "j", "p", "t", "t"]);
    assert_eq!(trace(), before, "while it runs");
    terminal.keys(&["q"]);
    assert_eq!(terminal.ended(), 0);
    assert_eq!(trace(), before, "after it ended");
}
