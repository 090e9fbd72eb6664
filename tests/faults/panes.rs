//! What panes show is hostile: none of it reaches the user's terminal, and none of it stops the watching.

use std::fs;

use tmux_orc::app::demo::Fleet;

use super::{Watch, agents, nothing_left, still};
use crate::support::{Terminal, TmuxServer, Watched, copy_program, wait_for};

/// Titles, answers, modes, colours, bells, bidi, joined emoji, broken UTF-8: all that a terminal obeys or stumbles over.
const HOSTILE: &[u8] = b"\x1b]0;owned-title\x07\x1b]2;owned-title\x1b\\\x1b[2J\x1b[?1049h\x1b[?1000h\x1b[6n\x1b[c\x1b[5n\
\x1b]52;c;b3duZWQ=\x07\x07\x07\x1bP$q\"p\x1b\\\x1b_app\x1b\\\x1b^pm\x1b\\\x1b[31;1mred\x1b[999;999Hfar\x1b[3;1H\
\xe2\x80\xae desrever \xe2\x80\xac\xef\xbb\xbf\xe2\x80\x8b zero\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x91\xa7 family\xff\xfe\xc0\x80 broken\n\
Do you want to proceed?\n \xe2\x9d\xaf 1. Yes\n   2. No\n\n Esc to cancel \xc2\xb7 Tab to amend\n";

#[test]
fn hostile_panes_reach_neither_the_terminal_nor_the_engine() {
    let mut fleet = Fleet::start_plan(&still(1)).expect("a fleet");
    let hostile = fleet.dir().join("hostile");
    fs::write(&hostile, HOSTILE).expect("a file");
    // Beside a good agent, a program under an agent's name that shows all that.
    let claude = fleet.dir().join("claude-cat");
    fs::create_dir(&claude).expect("a folder");
    let program = claude.join("claude");
    copy_program("/bin/sleep", &program);
    let script = format!("cat '{}'; exec '{}' 1000", hostile.display(), program.display());
    fleet.add(&still(1), "codex", 2).expect("one more");
    let out = std::process::Command::new(crate::support::tmux_program())
        .arg("-S")
        .arg(fleet.server().socket())
        .args(["new-window", "-d", "-t", "=extra:", "-n", "\u{202e}\u{1b}[31mevil", "sh", "-c", &script])
        .env_remove("TMUX")
        .output()
        .expect("tmux starts");
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    wait_for("the hostile agent", crate::support::PATIENCE, || {
        agents(&fleet.orc(&["agents", "--json"]).json()).len() == 3
    });
    let json = fleet.orc(&["agents", "--json"]).stdout();
    for forbidden in ['\u{1b}', '\u{202e}', '\u{200b}', '\u{feff}', '\u{7}'] {
        assert!(
            !json.contains(forbidden) && !json.contains(&format!("\\u{:04x}", u32::from(forbidden))),
            "{forbidden:?}"
        );
    }
    let terminal = Terminal::open(&fleet, &["perf", "watch", "--interval", "0.2"], 140, 42);
    terminal.wait_text("extra:1.0");
    let title = terminal.format("#{pane_title}");
    // Every agent is shown in the preview once, in its own colours.
    for _ in 0..4 {
        terminal.keys(&["j"]);
        terminal.wait("its preview", |screen| screen.contains("Preview") || screen.contains("api"));
    }
    assert_eq!(terminal.format("#{pane_title}"), title, "a pane's title reached the terminal");
    assert!(!terminal.screen().contains("owned-title") || !title.contains("owned"), "{}", terminal.screen());
    terminal.keys(&["q"]);
    assert_eq!(terminal.ended(), 0);
}

#[test]
fn a_thousand_agents_appear_and_vanish_at_once() {
    let server = TmuxServer::start();
    let home = server.home().to_owned();
    let pid = server.pid().expect("a server");
    // A program under an agent's name, which shows nothing.
    let program = home.join("claude");
    copy_program("/bin/sleep", &program);
    let run = |name: &str, script: String| {
        let file = home.join(name);
        fs::write(&file, script).expect("a file");
        server.run(&["source-file", file.to_str().expect("a plain path")]);
    };
    let mut watch = Watch::of(&server);
    watch.until("the server", |snapshot| snapshot["server"]["status"] == "reachable");
    // Three ways of a pane into a server: its own session, a window, a part of a window.
    let agent = format!("'exec {} 10000'", program.display());
    let mut many = format!("new-session -d -s many -x 200 -y 400 {agent}\n");
    many.push_str(&format!("new-window -d -t many: {agent}\n").repeat(900));
    for session in 0..90 {
        many.push_str(&format!("new-session -d -s s{session} {agent}\n"));
    }
    many.push_str(&format!("split-window -d -t many:0 {agent}\nselect-layout -t many:0 even-vertical\n").repeat(9));
    // In pieces: a server answers nobody before a file is done, and on a busy machine a thousand panes take it longer than
    // a request waits.
    let commands: Vec<&str> = many.lines().collect();
    for (number, piece) in commands.chunks(100).enumerate() {
        run(&format!("appear-{number}"), piece.join("\n") + "\n");
    }
    let all = watch.until("a thousand agents", |snapshot| agents(snapshot).len() == 1000);
    assert_eq!(all["base_status"]["errors_detected"], 0, "{}", all["notes"]);
    let ids: std::collections::HashSet<_> = agents(&all).iter().map(|agent| agent["pane_id"].to_string()).collect();
    assert_eq!(ids.len(), 1000, "no pane twice");
    let read = watch.until("every one of them read", |snapshot| {
        agents(snapshot).len() == 1000 && agents(snapshot).iter().all(|agent| agent["stale"] == false)
    });
    assert_eq!(read["server"]["status"], "reachable");
    run(
        "vanish",
        (0..90).map(|session| format!("kill-session -t s{session}\n")).collect::<String>() + "kill-session -t many\n",
    );
    let none = watch.until("nobody", |snapshot| agents(snapshot).is_empty());
    assert_eq!(none["server"]["status"], "reachable", "{}", none["server"]);
    assert_eq!(none["base_status"]["errors_detected"], 0, "{}", none["notes"]);
    // The same server, as it was.
    assert_eq!(server.pid(), Some(pid));
    assert_eq!(server.run(&["list-panes", "-a", "-F", "#{session_name}"]), "main");
    drop((watch, server));
    nothing_left(&home);
}
