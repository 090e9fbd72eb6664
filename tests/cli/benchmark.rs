//! `benchmark`: its figures are those of the run, and nothing of it is left, however it ends.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    process::Command,
};

use rustix::process::Signal;
use serde_json::Value;

use super::support::{PATIENCE, TmuxServer, isolate, signal, tmux_program, wait_for, wait_some};

fn leftovers(dir: &Path) -> Vec<String> {
    let entries = fs::read_dir(dir).expect("there").flatten();
    entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).filter(|name| name.contains("demo")).collect()
}

#[test]
fn it_measures_each_case_and_the_baseline_in_the_same_run() {
    let place = TmuxServer::absent();
    let report = place
        .orc(&["benchmark", "--agents", "4", "--runs", "3", "--compare", "--json"])
        .env("TMPDIR", place.home())
        .json();
    assert_eq!((&report["agents"], &report["changing"]), (&4.into(), &1.into()), "{report}");
    let case = |name: &str| case(&report, name);
    let median = |name: &str| case(name)["median_ms"].as_f64().expect("a number");
    assert_eq!(case("full")["checked"], 4);
    assert_eq!(case("warm")["checked"], 0);
    assert_eq!((&case("full")["tmux_processes"], &case("warm")["tmux_processes"]), (&0.into(), &0.into()));
    let processes = case("baseline")["tmux_processes"].as_u64();
    assert!(processes >= Some(5), "a process for the list and one for each agent: {processes:?}");
    let ratio = report["baseline_over"]["full"].as_f64().expect("a number");
    assert!((ratio - median("baseline") / median("full")).abs() < 1e-6);
    assert!(!report["tmux_version"].as_str().unwrap_or_default().is_empty());
    assert_eq!((&report["busy"], leftovers(place.home())), (&0.into(), Vec::new()));
    let server = |name: &str| case(name)["server_ms"].as_f64();
    if cfg!(target_os = "linux") {
        let [warm, full, baseline] = ["warm", "full", "baseline"].map(|name| server(name).expect("measured"));
        assert!(warm > 0.0 && full > 0.0 && baseline > full, "{report}");
    } else {
        assert_eq!(server("full"), None, "not known here, and not guessed");
    }
}

fn case(report: &Value, name: &str) -> Value {
    let cases = report["cases"].as_array().expect("a list");
    cases.iter().find(|case| case["name"] == name).unwrap_or_else(|| panic!("{name} is missing: {report}")).clone()
}

#[test]
fn busy_agents_redraw_while_it_measures_and_the_others_stand_still() {
    let place = TmuxServer::absent();
    let order = ["benchmark", "--agents", "5", "--busy", "3", "--runs", "3", "--json"];
    let child = place.orc(&order).env("TMPDIR", place.home()).spawn();
    let socket = wait_some("the private server", PATIENCE, || {
        let socket = place.home().join(leftovers(place.home()).first()?).join("s");
        socket.exists().then_some(socket)
    });
    let tmux = |args: &[&str]| {
        let mut command = Command::new(tmux_program());
        let out = isolate(&mut command, place.home()).arg("-S").arg(&socket).args(args).output().expect("tmux starts");
        String::from_utf8_lossy(&out.stdout).into_owned()
    };
    // What stood in the row that is drawn over, by pane.
    let mut seen = BTreeMap::<String, BTreeSet<String>>::new();
    wait_for("three agents that redraw", PATIENCE, || {
        for pane in tmux(&["list-panes", "-a", "-F", "#{pane_id}"]).lines() {
            seen.entry(pane.to_owned()).or_default().insert(tmux(&["capture-pane", "-p", "-E", "0", "-t", pane]));
        }
        seen.values().filter(|rows| rows.len() > 10).count() == 3
    });
    let still = seen.values().filter(|rows| rows.len() < 6).count();
    assert_eq!((seen.len(), still), (5, 2), "{seen:?}");

    let output = child.wait_with_output().expect("ends");
    let report: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!((&report["agents"], &report["busy"], &report["changing"]), (&5.into(), &3.into(), &1.into()));
    assert_eq!(case(&report, "warm")["checked"], 3, "those that redraw are read in every cycle: {report}");
    assert_eq!(case(&report, "full")["checked"], 5, "{report}");
}

#[test]
fn ctrl_c_takes_everything_down() {
    let place = TmuxServer::absent();
    let mut child = place.orc(&["benchmark", "--agents", "30"]).env("TMPDIR", place.home()).spawn();
    wait_for("the private server", PATIENCE, || {
        leftovers(place.home()).first().is_some_and(|dir| place.home().join(dir).join("s").exists())
    });
    signal(child.id(), Signal::INT);
    let status = child.wait().expect("ends");
    assert_eq!(status.code(), Some(130));
    assert_eq!(leftovers(place.home()), Vec::<String>::new());
}

#[test]
fn a_number_of_agents_that_no_machine_should_play_is_refused() {
    let place = TmuxServer::absent();
    for wrong in [["--agents", "0"], ["--agents", "5000"], ["--agents", "many"], ["--busy", "51"]] {
        let output = place.orc(&["benchmark", wrong[0], wrong[1]]).output();
        assert_eq!(output.status.code(), Some(2), "{output:?}");
    }
}
