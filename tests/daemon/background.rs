//! The engine in the background, from outside: start, stop, restart, crashes, bad places.

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use rustix::process::Signal;

use super::{
    support::{self, PATIENCE, TmuxServer, alive, signal, wait_for},
    watched::Watched,
};

#[test]
fn start_returns_with_the_first_cycle_and_stop_when_it_is_gone() {
    let watched = Watched::new();
    let (code, stdout, stderr) = watched.orc(&["monitor", "start", "--strategy", "concurrent", "--pool-size", "15"]);
    assert_eq!(code, 0, "{stderr}");
    for line in ["Async monitoring started", "Strategy: concurrent", "Pool size: 15", "Cache: enabled"] {
        assert!(stdout.lines().any(|l| l == line), "{line:?} is missing:\n{stdout}");
    }
    let status = watched.status();
    assert!(status["base_status"]["cycle_count"].as_u64() >= Some(1), "{status}");
    let pid = watched.pid();
    assert!(stdout.contains(&format!("Pid: {pid}\n")) && alive(pid), "{stdout}");
    let log = stdout.lines().find_map(|line| line.strip_prefix("Log: ")).expect("names its log");
    assert!(fs::read_to_string(log).unwrap().contains("the engine starts"));

    let (code, _, stderr) = watched.orc(&["monitor", "start"]);
    assert_eq!(code, 1);
    assert!(stderr.contains(&format!("(pid {pid}) already watches")), "{stderr}");

    let (code, stdout, _) = watched.orc(&["monitor", "stop"]);
    assert_eq!((code, stdout), (0, format!("Monitoring stopped (pid {pid})\n")));
    assert!(!alive(pid), "stop returned before it was gone");
    for verb in [&["monitor", "stop"][..], &["status"], &["health"], &["monitor", "status"]] {
        let (code, _, stderr) = watched.orc(verb);
        assert_eq!(code, 3, "{verb:?}: {stderr}");
        assert!(stderr.contains("no engine runs") && stderr.contains("monitor start"), "{stderr}");
    }
}

#[test]
fn sync_is_said_and_done() {
    let watched = Watched::new();
    let (code, stdout, stderr) = watched.orc(&["monitor", "start", "--sync"]);
    assert_eq!(code, 0, "{stderr}");
    assert!(stdout.starts_with("Sync monitoring started\n"), "{stdout}");
    assert_eq!(watched.status()["engine"]["mode"], "sync");
    let (code, _, stderr) = watched.orc(&["health"]);
    assert_eq!(code, 0, "{stderr}");
    let (code, stdout, _) = watched.with(&["monitor", "restart"], &[("TMUX_ORC_ASYNC_DISABLED", "1")]);
    assert!(code == 0 && stdout.contains("Sync monitoring started"), "{stdout}");
    watched.config("monitoring: { async: { enabled: false } }\n");
    let (code, stdout, _) = watched.orc(&["monitor", "restart"]);
    assert!(code == 0 && stdout.contains("Sync monitoring started"), "{stdout}");
    let (code, stdout, _) = watched.orc(&["monitor", "restart", "--async"]);
    assert!(code == 0 && stdout.contains("Async monitoring started"), "the option wins: {stdout}");
}

#[test]
fn twelve_starts_at_once_give_one_engine_and_eleven_clear_answers() {
    let watched = Watched::new();
    let runs: Vec<_> = std::thread::scope(|scope| {
        let started: Vec<_> = (0..12).map(|_| scope.spawn(|| watched.orc(&["monitor", "start"]))).collect();
        started.into_iter().map(|run| run.join().unwrap()).collect()
    });
    let (good, bad): (Vec<_>, Vec<_>) = runs.iter().partition(|(code, ..)| *code == 0);
    assert_eq!(good.len(), 1, "{runs:#?}");
    for (code, _, stderr) in bad {
        assert_eq!(*code, 1);
        assert!(stderr.contains("already watches this tmux server"), "{stderr}");
    }
    assert!(good[0].1.contains(&format!("Pid: {}\n", watched.pid())));
}

/// The program, told of a server by another path of its socket.
struct ByPath<'a> {
    socket: &'a Path,
    home: &'a Path,
}

impl support::Watched for ByPath<'_> {
    fn socket(&self) -> &Path {
        self.socket
    }

    fn home(&self) -> &Path {
        self.home
    }
}

impl ByPath<'_> {
    fn orc(&self, args: &[&str]) -> (i32, String, String) {
        let output = support::Watched::orc(self, args).output();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
        (output.status.code().unwrap_or(-1), text(output.stdout), text(output.stderr))
    }
}

#[test]
fn by_every_path_of_the_server_s_socket_the_same_engine_is_found() {
    let watched = Watched::new();
    let home = watched.server.home().to_owned();
    assert_eq!(watched.orc(&["monitor", "start"]).0, 0);
    let pid = watched.pid();
    let (hard, soft, folder) = (home.join("hard"), home.join("soft"), home.join("folder"));
    fs::hard_link(watched.server.socket(), &hard).unwrap();
    std::os::unix::fs::symlink(&hard, &soft).unwrap();
    std::os::unix::fs::symlink(&home, &folder).unwrap();
    for path in [&hard, &soft, &folder.join("s")] {
        let by = ByPath { socket: path, home: &home };
        let (code, stdout, stderr) = by.orc(&["status"]);
        assert_eq!(code, 0, "{}: {stderr}", path.display());
        assert!(stdout.contains(&format!("(pid {pid},")), "{}: {stdout}", path.display());
        let (code, _, stderr) = by.orc(&["monitor", "start"]);
        assert_eq!(code, 1, "{}", path.display());
        assert!(stderr.contains(&format!("(pid {pid}) already watches")), "{}: {stderr}", path.display());
    }
    let (code, stdout, _) = ByPath { socket: &hard, home: &home }.orc(&["monitor", "stop"]);
    assert_eq!((code, stdout), (0, format!("Monitoring stopped (pid {pid})\n")));
    assert!(!alive(pid));
}

#[test]
fn an_engine_whose_files_a_cleaner_took_is_found_again() {
    let watched = Watched::new();
    assert_eq!(watched.orc(&["monitor", "start"]).0, 0);
    let pid = watched.pid();
    fs::remove_dir_all(watched.server.home().join("orc/run")).unwrap();
    wait_for("its new socket", PATIENCE, || watched.orc(&["status"]).0 == 0);
    assert_eq!(watched.pid(), pid);
    let (code, _, stderr) = watched.orc(&["monitor", "start"]);
    assert!(code == 1 && stderr.contains(&format!("(pid {pid}) already watches")), "{stderr}");
}

#[test]
fn an_engine_in_whose_place_another_came_ends_and_takes_nothing_of_it() {
    let watched = Watched::new();
    assert_eq!(watched.orc(&["monitor", "start"]).0, 0);
    let first = watched.pid();
    // Stopped, so that it cannot be the faster one.
    signal(first, Signal::STOP);
    fs::remove_dir_all(watched.server.home().join("orc/run")).unwrap();
    let (code, _, stderr) = watched.orc(&["monitor", "start"]);
    assert_eq!(code, 0, "{stderr}");
    let second = watched.pid();
    assert_ne!(first, second);
    signal(first, Signal::CONT);
    wait_for("the end of the one that nobody finds", PATIENCE, || !alive(first));
    assert_eq!(watched.pid(), second, "its socket is still there");
}

#[test]
fn a_killed_engine_leaves_nothing_that_stops_the_next_start() {
    let watched = Watched::new();
    assert_eq!(watched.orc(&["monitor", "start"]).0, 0);
    let pid = watched.pid();
    signal(pid, Signal::KILL);
    wait_for("the engine's end", PATIENCE, || !alive(pid));
    let (code, _, stderr) = watched.orc(&["status"]);
    assert!(code == 3 && stderr.contains("no engine runs"), "{stderr}");
    let (code, stdout, stderr) = watched.orc(&["monitor", "start"]);
    assert_eq!(code, 0, "{stdout}{stderr}");
    assert_ne!(watched.pid(), pid);
}

#[test]
fn a_stopped_engine_that_hangs_is_ended_all_the_same() {
    let watched = Watched::new();
    assert_eq!(watched.orc(&["monitor", "start"]).0, 0);
    let pid = watched.pid();
    signal(pid, Signal::STOP);
    let (code, _, stderr) = watched.orc(&["monitor", "stop"]);
    assert_eq!(code, 0, "{stderr}");
    assert!(!alive(pid));
}

#[test]
fn it_starts_before_the_tmux_server_and_finds_it_later() {
    let watched = Watched::on(TmuxServer::absent());
    let (code, stdout, stderr) = watched.orc(&["monitor", "start", "--interval", "0.1"]);
    assert_eq!(code, 0, "{stderr}");
    assert!(stdout.contains("no tmux server runs at"), "{stdout}");
    assert_eq!(watched.status()["server"]["status"], "no_server");
    watched.server.revive();
    wait_for("the server is seen", PATIENCE, || watched.status()["server"]["status"] == "reachable");
}

#[test]
fn bad_settings_and_options_start_nothing() {
    let watched = Watched::new();
    watched.config("monitoring:\n  async:\n    pool: { min_size: 30 }\n");
    for verb in [&["monitor", "start"][..], &["monitor"], &["monitor", "--dry-run"], &["perf", "watch", "--once"]] {
        let (code, _, stderr) = watched.orc(verb);
        assert_eq!(code, 2, "{verb:?}: {stderr}");
        assert!(stderr.contains("config.yaml:3:23: monitoring.async.pool.min_size"), "{stderr}");
    }
    watched.config("");
    for (option, value) in [
        ("--pool-size", "0"),
        ("--pool-size", "-3"),
        ("--interval", "-1"),
        ("--strategy", "nonsense"),
        ("--transport", "ssh"),
    ] {
        let (code, _, stderr) = watched.orc(&["monitor", "start", option, value]);
        assert_eq!(code, 2, "{option} {value}: {stderr}");
        assert!(stderr.contains(option), "{stderr}");
    }
    assert_eq!(watched.orc(&["status"]).0, 3);
}

#[test]
fn a_dry_run_checks_all_and_starts_nothing() {
    let watched = Watched::new();
    let (code, stdout, stderr) =
        watched.orc(&["monitor", "--async", "--pool-size", "10", "--strategy", "concurrent", "--dry-run"]);
    assert_eq!(code, 0, "{stderr}");
    for line in ["Mode: async", "Strategy: concurrent", "Pool size: 10", "Cache: enabled", "Engine: none runs"] {
        assert!(stdout.lines().any(|l| l == line), "{line:?} is missing:\n{stdout}");
    }
    assert!(!watched.server.home().join("orc").exists(), "a dry run writes nothing");
    let scripts = watched.server.home().join("orc/strategies");
    fs::create_dir_all(&scripts).unwrap();
    fs::write(scripts.join("broken.rhai"), "fn plan( {").unwrap();
    let (code, _, stderr) = watched.orc(&["monitor", "start", "--strategy", "broken", "--dry-run"]);
    assert!(code == 2 && stderr.contains("broken"), "{stderr}");
}

#[test]
fn a_base_directory_with_a_very_long_path_works() {
    let watched = Watched::new();
    let deep = watched.server.home().join("d".repeat(120)).join("e".repeat(60));
    let deep = [("TMUX_ORC_HOME", deep.to_str().unwrap())];
    let (code, stdout, stderr) = watched.with(&["monitor", "start"], &deep);
    assert_eq!(code, 0, "{stdout}{stderr}");
    assert_eq!(watched.with(&["status"], &deep).0, 0);
    assert_eq!(watched.with(&["monitor", "stop"], &deep).0, 0);
    // Where sockets of such directories are; it stays when another engine has one there.
    fs::remove_dir(format!("/tmp/tmux-orc-{}", rustix::process::geteuid().as_raw())).ok();
}

#[test]
fn a_place_that_cannot_be_written_is_told_with_what_to_do() {
    let watched = Watched::new();
    // As a file where a directory must be: also root, who runs many a test, cannot write there.
    let file = watched.server.home().join("file");
    fs::write(&file, "").unwrap();
    let inside = file.join("base");
    let bad = [("TMUX_ORC_HOME", inside.to_str().unwrap())];
    let (code, _, stderr) = watched.with(&["monitor", "start"], &bad);
    assert_eq!(code, 2, "{stderr}");
    let read_only = Path::new("/proc/self");
    let bad = [("TMUX_ORC_HOME", read_only.to_str().unwrap())];
    let (code, _, stderr) = watched.with(&["monitor", "start"], &bad);
    assert_eq!(code, 1, "{stderr}");
    assert!(stderr.contains("cannot") && stderr.contains("/proc/self"), "{stderr}");
    // Looking needs nothing written.
    let (code, stdout, stderr) = watched.with(&["agents"], &bad);
    assert!(code == 0 && stdout.contains("No agent"), "{stderr}");
}

#[test]
fn one_engine_a_server_and_each_in_a_private_place() {
    let one = Watched::new();
    assert_eq!(one.orc(&["monitor", "start"]).0, 0);
    let other = TmuxServer::start();
    let home = one.server.home().join("orc");
    let start = other.orc(&["monitor", "start"]).env("TMUX_ORC_HOME", &home).output();
    assert!(start.status.success(), "{start:?}");
    let run = home.join("run");
    assert_eq!(fs::metadata(&run).unwrap().permissions().mode() & 0o777, 0o700);
    let sockets = fs::read_dir(&run).unwrap().flatten().filter(|e| e.file_name().to_string_lossy().ends_with(".sock"));
    let modes: Vec<_> = sockets.map(|entry| entry.metadata().unwrap().permissions().mode() & 0o777).collect();
    assert_eq!(modes, [0o600, 0o600]);
    let stop = other.orc(&["monitor", "stop"]).env("TMUX_ORC_HOME", &home).output();
    assert!(stop.status.success(), "{stop:?}");
    assert_eq!(one.orc(&["status"]).0, 0, "the other engine's end is none of this one's business");
}

#[test]
fn in_the_foreground_it_runs_until_it_is_asked_to_end() {
    for end in [Signal::INT, Signal::TERM] {
        let watched = Watched::new();
        let child = watched.server.orc(&["monitor", "--no-cache"]).spawn();
        wait_for("its first cycle", PATIENCE, || {
            let (code, stdout, _) = watched.orc(&["status", "--json"]);
            code == 0 && !stdout.contains("\"cycle_count\":0")
        });
        signal(child.id(), end);
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{output:?}");
        let stdout = String::from_utf8_lossy(&output.stdout);
        assert!(stdout.contains("Async monitoring started") && stdout.contains("Cache: disabled"), "{stdout}");
        assert_eq!(watched.orc(&["status"]).0, 3);
    }
}
