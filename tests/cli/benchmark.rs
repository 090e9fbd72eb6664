//! `benchmark`: its figures are those of the run, and nothing of it is left, however it ends.

use std::{fs, path::Path};

use rustix::process::Signal;

use super::support::{PATIENCE, TmuxServer, signal, wait_for};

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
    let case = |name: &str| {
        let cases = report["cases"].as_array().expect("a list");
        cases.iter().find(|case| case["name"] == name).unwrap_or_else(|| panic!("{name} is missing: {report}")).clone()
    };
    let median = |name: &str| case(name)["median_ms"].as_f64().expect("a number");
    assert_eq!(case("full")["checked"], 4);
    assert_eq!(case("warm")["checked"], 0);
    assert_eq!((&case("full")["tmux_processes"], &case("warm")["tmux_processes"]), (&0.into(), &0.into()));
    let processes = case("baseline")["tmux_processes"].as_u64();
    assert!(processes >= Some(5), "a process for the list and one for each agent: {processes:?}");
    let ratio = report["baseline_over"]["full"].as_f64().expect("a number");
    assert!((ratio - median("baseline") / median("full")).abs() < 1e-6);
    assert!(!report["tmux_version"].as_str().unwrap_or_default().is_empty());
    assert_eq!(leftovers(place.home()), Vec::<String>::new());
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
    for number in ["0", "5000", "many"] {
        let output = place.orc(&["benchmark", "--agents", number]).output();
        assert_eq!(output.status.code(), Some(2), "{output:?}");
    }
}
