//! Script strategies from outside: a script is run by nobody who did not ask for it, none can hang the engine or fill
//! the memory, and the verbs tell what lies in the folder now.

use std::{
    fs,
    time::{Duration, Instant},
};

use super::{
    support::{PATIENCE, wait_for, wait_some},
    watched::Watched,
};

/// Far under the time that any of these scripts would take if it were run.
const SOON: Duration = Duration::from_secs(60);

fn script(watched: &Watched, name: &str, text: &str) {
    let dir = watched.server.home().join("orc/strategies");
    fs::create_dir_all(&dir).expect("made");
    fs::write(dir.join(format!("{name}.rhai")), text).expect("written");
}

#[test]
fn a_script_that_lies_in_the_folder_is_listed_and_never_run() {
    let watched = Watched::new();
    script(&watched, "sleeper", "fn f() {}\nsleep(1000000);\nfn plan(view) { #{} }");
    script(&watched, "looper", "let x = 1;\nloop {}\nfn plan(view) { #{} }");
    let began = Instant::now();
    for args in [&["strategies"][..], &["agents"], &["config", "check"], &["monitor", "start"], &["strategies"]] {
        let (code, stdout, stderr) = watched.orc(args);
        assert_eq!(code, 0, "{args:?}: {stdout}{stderr}");
        if args == ["strategies"] {
            assert!(stdout.contains("sleeper.rhai") && stdout.contains("looper.rhai"), "{stdout}");
            assert!(!stdout.contains("line"), "one was run: {stdout}");
        }
    }
    assert!(began.elapsed() < SOON, "{:?}", began.elapsed());
    assert_eq!(watched.status()["current_strategy"], "adaptive");
}

#[test]
fn the_folder_is_listed_as_it_is_now_also_beside_an_engine() {
    let watched = Watched::new();
    assert_eq!(watched.orc(&["monitor", "start"]).0, 0);
    script(&watched, "fine", "fn plan(view) { #{} }");
    script(&watched, "broken", "fn plan(view) {\n  let = 1;\n}");
    let (code, stdout, _) = watched.orc(&["strategies"]);
    let line = |name: &str| stdout.lines().find(|line| line.contains(name)).unwrap_or_else(|| panic!("{stdout}"));
    assert_eq!(code, 0);
    assert!(line("fine").contains("fine.rhai"), "{stdout}");
    assert!(line("broken").contains("line 2"), "{stdout}");
    // The engine learns of them when the settings are read again, and says so.
    rustix::process::kill_process(
        rustix::process::Pid::from_raw(i32::try_from(watched.pid()).expect("a pid")).expect("a pid"),
        rustix::process::Signal::HUP,
    )
    .expect("sent");
    let changes = wait_some("the settings to be read again", PATIENCE, || {
        let status = watched.status();
        (status["settings"]["reread"]["count"] == 1).then(|| status["settings"]["reread"]["changes"].to_string())
    });
    assert!(changes.contains("script fine") && changes.contains("script broken"), "{changes}");
}

#[test]
fn no_script_hangs_the_engine_or_fills_the_memory() {
    let watched = Watched::new();
    for (name, text) in [
        ("toploop", "let x = 1;\nloop {}\nfn plan(view) { #{} }"),
        ("sleeper", "fn plan(view) {\n  sleep(1000000);\n  #{} }"),
        ("sorts", "fn plan(view) {\n let a = []; a.pad(100000, 0); loop { a.reverse(); a.sort(); } }"),
        (
            "nested",
            "fn plan(view) {\n let a=[]; a.pad(20000, 0); let m = #{}; for i in 0..19990 { m[\"k\"+i] = a; m[\"k\"+i].push(1); } #{ state: m } }",
        ),
        ("deep", "fn plan(view) {\n let a = []; for i in 0..100000 { a = [a]; } #{ state: a } }"),
    ] {
        script(&watched, name, text);
        let (code, _, stderr) = watched.orc(&["monitor", "start", "--strategy", name]);
        assert_eq!(code, 0, "{name}: {stderr}");
        wait_for(&format!("{name} to give way"), PATIENCE, || watched.status()["current_strategy"] == "adaptive");
        let status = watched.status();
        let note = status["notes"].to_string();
        assert!(note.contains(&format!("strategy {name}: ")) && note.contains("going on with adaptive"), "{note}");
        let (_, stdout, _) = watched.orc(&["strategies"]);
        let line = stdout.lines().find(|line| line.contains(name)).expect("listed");
        assert!(line.contains("it could not plan: "), "{stdout}");
        let memory = fs::read_to_string(format!("/proc/{}/status", watched.pid())).unwrap_or_default();
        let peak = memory.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib: u64 = peak.and_then(|text| text.split_whitespace().next()?.parse().ok()).unwrap_or(0);
        assert!(kib < 300_000, "{name}: {kib} KiB at most");
        assert_eq!(watched.orc(&["monitor", "stop"]).0, 0);
    }
}
