//! The textfile: whole at every moment, readable by a collector, gone when nobody writes it any more.

use std::{fs, os::unix::fs::PermissionsExt};

use crate::place::{Place, SOON, value};
use crate::support::{PATIENCE, wait_for, wait_some};

#[test]
fn it_is_written_by_the_engine_moves_with_the_settings_and_goes_with_it() {
    let place = Place::new();
    let dir = place.home().join("collected");
    fs::create_dir(&dir).unwrap();
    let set = |name: &str| format!("{{ textfile: {} }}", dir.join(name).display());
    place.settings(&set("orc.prom"));
    place.start();
    // The server is called `s`, not `default`.
    let path = dir.join("orc.s.prom");
    let text = wait_some("the file", PATIENCE, || fs::read_to_string(&path).ok());
    assert_eq!(value(&text, "tmux_orc_server_up", &["server=\"s\""]), Some(1.0), "{text}");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o644);
    // What a reader finds is whole, however often it looks while it is replaced.
    place.settings(&set("other.prom"));
    place.hang_up();
    let other = dir.join("other.s.prom");
    wait_for("the other file", PATIENCE, || other.exists() && !path.exists());
    for _ in 0..20 {
        let text = fs::read_to_string(&other).unwrap();
        assert!(text.starts_with("# HELP") && text.ends_with(" 1\n"), "{text}");
        std::thread::sleep(SOON);
    }
    let names = || fs::read_dir(&dir).unwrap().map(|entry| entry.unwrap().file_name()).collect::<Vec<_>>();
    assert_eq!(names(), ["other.s.prom"]);
    // A dashboard and another engine do not write it as well; with the engine it goes.
    let (code, _, stderr) = place.orc(&["monitor", "stop"]);
    assert_eq!(code, 0, "{stderr}");
    assert!(names().is_empty(), "{:?}", names());
}

#[test]
fn one_that_cannot_be_written_is_told_of_and_the_watching_goes_on() {
    let place = Place::new();
    place.settings("{ textfile: /nowhere/at/all/orc.prom }");
    place.start();
    wait_for("an event", PATIENCE, || {
        let (_, events, _) = place.orc(&["events", "--json"]);
        events.contains("metrics.textfile: /nowhere/at/all/orc.s.prom cannot be written")
    });
    place.asks();
    // A setting that cannot be meant starts nothing.
    for (metrics, phrase) in [
        ("{ textfile: orc.prom }", "a whole path"),
        ("{ listen: \"0.0.0.0:9788\" }", "an address that this machine alone reaches"),
        ("{ listen: \"box:9788\" }", "an address that this machine alone reaches"),
        ("{ otlp: \"https://otlp.example.com\" }", "an address of this machine"),
        ("{ otlp: \"http://10.0.0.1:4318\" }", "an address of this machine"),
        ("{ detail: panes }", "expected one of totals, agents"),
    ] {
        place.settings(metrics);
        let (code, _, stderr) = place.orc(&["config", "check"]);
        assert!(code == 2 && stderr.contains(phrase) && stderr.contains("config.yaml:2:"), "{metrics}: {stderr}");
    }
}
