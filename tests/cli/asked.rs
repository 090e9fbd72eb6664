//! What is asked wrongly is said in words, and what the documentation says can be asked is answered.

use super::{
    support::{PATIENCE, Program, Terminal, TmuxServer, wait_for},
    tmux_orc,
};

/// Exit code, standard output, standard error.
fn orc(server: &TmuxServer, args: &[&str]) -> (i32, String, String) {
    said(server.orc(args))
}

fn said(program: Program) -> (i32, String, String) {
    let output = program.output();
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    (output.status.code().unwrap_or(-1), text(output.stdout), text(output.stderr))
}

#[test]
fn options_that_contradict_each_other_are_refused_in_words() {
    let home = tempfile::tempdir().unwrap();
    for (args, words) in [
        (&["monitor", "--sync", "--async", "--dry-run"][..], "cannot be used with"),
        (&["monitor", "--cache", "--no-cache", "--dry-run"], "cannot be used with"),
        (&["monitor", "--sync", "--strategy", "polling", "--dry-run"], "cannot be used with"),
        (&["monitor", "start", "--sync", "--pool-size", "9", "--dry-run"], "cannot be used with"),
        (&["monitor", "restart", "--cache", "--sync", "--dry-run"], "cannot be used with"),
        (&["--read-only", "agents"], "belong to the dashboard"),
        (&["--once", "monitor", "start"], "belong to the dashboard"),
    ] {
        let (code, stdout, stderr) = tmux_orc(home.path(), args);
        assert!(code == 2 && stdout.is_empty() && stderr.contains(words), "{args:?}: {code} {stdout}{stderr}");
    }
    for args in
        [&["monitor", "--sync", "--no-cache", "--dry-run"][..], &["monitor", "--sync", "--interval", "3", "--dry-run"]]
    {
        let (code, _, stderr) = tmux_orc(home.path(), args);
        assert_eq!(code, 0, "{args:?}: {stderr}");
    }
}

#[test]
fn the_dashboards_options_may_stand_without_its_name() {
    let server = TmuxServer::start();
    let (code, stdout, stderr) = orc(&server, &["--once"]);
    assert!(code == 0 && stdout.starts_with("=== TMux Orchestrator Performance Dashboard ==="), "{stdout}{stderr}");
    // Before the verb and behind it they are the same.
    for args in
        [&["--once", "--json"][..], &["--once", "perf", "watch", "--json"], &["--json", "perf", "watch", "--once"]]
    {
        assert_eq!(server.orc(args).json()["schema"], 1, "{args:?}");
    }
    let (code, _, stderr) = orc(&server, &["--once", "--interval", "-1"]);
    assert_eq!(code, 2, "{stderr}");
    let terminal = Terminal::open(&server, &["--read-only", "--exit-on-jump"], 100, 24);
    terminal.wait("the dashboard", |screen| screen.contains("read-only"));
}

#[test]
fn a_settings_file_that_is_named_must_be_there_and_good_for_every_verb() {
    let server = TmuxServer::start();
    assert_eq!(orc(&server, &["monitor", "start"]).0, 0);
    std::fs::write(server.home().join("bad.yaml"), "nonsense: 1\n").unwrap();
    for verb in [&["agents"][..], &["status"], &["health"], &["strategies"], &["events"], &["monitor", "status"]] {
        for (file, word) in [("nosuch.yaml", "nosuch.yaml"), ("bad.yaml", "bad.yaml:1:1")] {
            let (code, _, stderr) = orc(&server, &[verb, &["--config", file]].concat());
            assert!(code == 2 && stderr.contains(word), "{verb:?} {file}: {code} {stderr}");
        }
    }
    assert_eq!(orc(&server, &["monitor", "stop"]).0, 0);
}

#[test]
fn more_is_said_on_standard_error_when_more_is_asked_for() {
    let server = TmuxServer::start();
    let verbs: [&[&str]; 9] = [
        &["agents"],
        &["status"],
        &["health"],
        &["why", "main:0"],
        &["events"],
        &["report"],
        &["config", "show"],
        &["strategies"],
        &["statusline"],
    ];
    for engine in [false, true] {
        if engine {
            assert_eq!(orc(&server, &["monitor", "start"]).0, 0);
        }
        for verb in verbs {
            let lines = |text: &str| text.lines().count();
            let (_, out, usual) = orc(&server, verb);
            let (_, same, more) = orc(&server, &[verb, &["-v"]].concat());
            assert!(lines(&more) > lines(&usual), "{verb:?}: {more}");
            assert_eq!(lines(&out), lines(&same), "{verb:?}");
            let (_, _, trace) = said(server.orc(verb).env("TMUX_ORC_LOG", "trace"));
            assert!(lines(&trace) > lines(&usual), "{verb:?}: {trace}");
        }
    }
    let (_, _, debug) = orc(&server, &["why", "main:0", "-v"]);
    let (_, _, everything) = orc(&server, &["-vv", "agents", "--config", "/dev/null"]);
    assert!(debug.contains("the tmux server") && !everything.is_empty(), "{debug}{everything}");
    assert_eq!(orc(&server, &["monitor", "stop"]).0, 0);
}

#[test]
fn health_tells_of_what_is_not_there() {
    let server = TmuxServer::start();
    let (code, stdout, _) = orc(&server, &["health", "--json"]);
    let json: serde_json::Value = serde_json::from_str(&stdout).expect("an object");
    assert_eq!((code, &json["ok"], &json["engine"]), (3, &false.into(), &serde_json::Value::Null));
    let (code, _, stderr) = orc(&server, &["monitor", "logs"]);
    assert!(code == 3 && stderr.contains("no log of an engine"), "{code} {stderr}");
    assert_eq!(orc(&server, &["monitor", "start", "--interval", "0.1"]).0, 0);
    assert_eq!(orc(&server, &["health"]).0, 0);
    server.run(&["kill-server"]);
    wait_for("the engine to notice", PATIENCE, || orc(&server, &["health"]).0 == 3);
    let (_, _, stderr) = orc(&server, &["health"]);
    assert!(stderr.contains("no_server"), "{stderr}");
    let (code, stdout, _) = orc(&server, &["health", "--json"]);
    let json: serde_json::Value = serde_json::from_str(&stdout).expect("an object");
    assert_eq!((code, &json["ok"], &json["server"]["status"]), (3, &false.into(), &"no_server".into()));
    assert_eq!(orc(&server, &["monitor", "stop"]).0, 0);
}

#[test]
fn connections_of_one_moment_are_no_more_than_there_are() {
    let server = TmuxServer::start();
    for mode in [&["--async", "--strategy", "concurrent"][..], &["--sync"]] {
        assert_eq!(orc(&server, &[&["monitor", "start", "--interval", "0.1"], mode].concat()).0, 0);
        let status = server.orc(&["status", "--json"]).json();
        let pool = &status["connection_pool"];
        let number = |name: &str| pool[name].as_u64().unwrap_or_else(|| panic!("{name}: {pool}"));
        let open = number("connections_created") - number("connections_recycled");
        assert!(number("active_connections") + number("idle_connections") <= open, "{mode:?}: {pool}");
        assert_eq!(orc(&server, &["monitor", "stop"]).0, 0);
    }
}
