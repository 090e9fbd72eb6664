//! `tmux-orc metrics`: with an engine and without, of one server and of all; `events --bare`.

use crate::place::{Place, value};
use crate::stage::{ASKS, WORKS};
use crate::support::signal;

#[test]
fn the_sums_are_the_journals_whoever_asks_and_outlive_an_engine_that_is_killed() {
    let place = Place::new();
    // Without an engine: one look, no sums yet.
    let text = place.metrics(&[]);
    assert_eq!(value(&text, "tmux_orc_agents", &["agent=\"claude\"", "state=\"working\""]), Some(1.0), "{text}");
    assert_eq!(value(&text, "tmux_orc_answer_seconds_count", &[]), Some(0.0), "{text}");
    place.start();
    place.asks();
    let text = place.metrics(&[]);
    assert_eq!(value(&text, "tmux_orc_agents", &["state=\"waiting\""]), Some(1.0), "{text}");
    assert!(value(&text, "tmux_orc_oldest_wait_timestamp_seconds", &["claude"]).is_some(), "{text}");
    place.works();
    let text = place.metrics(&[]);
    assert_eq!(value(&text, "tmux_orc_answer_seconds_count", &[]), Some(1.0), "{text}");
    assert!(value(&text, "tmux_orc_oldest_wait_timestamp_seconds", &[]).is_none(), "{text}");
    let before = value(&text, "tmux_orc_state_seconds_total", &["waiting"]).expect("time that it waited");
    // Killed, not stopped: another engine goes on with the same sums.
    signal(place.pid(), rustix::process::Signal::KILL);
    crate::support::wait_for("its end", crate::support::PATIENCE, || place.orc(&["status"]).0 == 3);
    assert_eq!(value(&place.metrics(&[]), "tmux_orc_answer_seconds_count", &[]), Some(1.0));
    place.start();
    // Another agent: what the first one does again within three seconds counts as what the killed one has seen already.
    let other = place.stage.agent("web", WORKS);
    place.wait_state("working");
    place.stage.show(&other, ASKS);
    place.wait_state("waiting");
    place.stage.show(&other, WORKS);
    place.wait_state("working");
    let text = place.metrics(&[]);
    assert_eq!(value(&text, "tmux_orc_answer_seconds_count", &[]), Some(2.0), "{text}");
    assert!(value(&text, "tmux_orc_state_seconds_total", &["waiting"]).unwrap() >= before, "{text}");
    // Without what was written down, all is counted from the journal again.
    let run = place.home().join("orc/run");
    let sums = std::fs::read_dir(run).unwrap().map(|entry| entry.unwrap().path());
    let sums: Vec<_> = sums.filter(|path| path.extension().is_some_and(|end| end == "totals")).collect();
    assert_eq!(sums.len(), 1, "{sums:?}");
    std::fs::remove_file(&sums[0]).unwrap();
    assert_eq!(value(&place.metrics(&[]), "tmux_orc_answer_seconds_count", &[]), Some(2.0));
}

#[test]
fn its_options_say_how_much_in_which_form_and_of_whom() {
    let place = Place::new();
    let text = place.metrics(&["--detail", "agents", "--openmetrics"]);
    assert!(text.ends_with("# EOF\n") && text.contains("# TYPE tmux_orc_cycles counter\n"), "{text}");
    let since = ["pane=\"%", "session=\"main\"", "state=\"working\""];
    assert!(value(&text, "tmux_orc_agent_state_since_timestamp_seconds", &since).is_some(), "{text}");
    place.settings("{ detail: agents }");
    assert!(place.metrics(&[]).contains("tmux_orc_agent_state_since_timestamp_seconds"));
    assert!(!place.metrics(&["--detail", "totals"]).contains("pane="));
    let text = place.metrics(&["--all"]);
    assert_eq!(value(&text, "tmux_orc_server_up", &["server=\"s\""]), Some(1.0), "{text}");
    let dir = place.home().join("orc");
    std::fs::write(dir.join("config.yaml"), "hosts: [{ name: gone, connect: [sh, -c, 'exit 255'] }]\n").unwrap();
    let (code, text, stderr) = place.orc(&["metrics", "--all"]);
    assert!(code == 0 && stderr.contains("gone did not answer"), "{stderr}");
    assert_eq!(value(&text, "tmux_orc_host_up", &["host=\"gone\""]), Some(0.0), "{text}");
    for wrong in [&["metrics", "--detail", "panes"][..], &["metrics", "--host", "gone", "--host", "gone"]] {
        assert_eq!(place.orc(wrong).0, 2, "{wrong:?}");
    }
}

#[test]
fn a_bare_journal_has_no_word_of_a_pane() {
    let place = Place::new();
    place.start();
    place.asks();
    let (code, whole, _) = place.orc(&["events", "--json"]);
    let (bare_code, bare, _) = place.orc(&["events", "--json", "--bare"]);
    assert_eq!((code, bare_code), (0, 0));
    let told: Vec<serde_json::Value> = whole.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let shown = told.iter().find_map(|line| line["evidence"]["line"].as_str()).unwrap();
    assert!(!shown.is_empty() && !bare.contains(shown), "{shown}: {bare}");
    let lines: Vec<serde_json::Value> = bare.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), whole.lines().count());
    assert!(lines.iter().any(|line| line["to"] == "waiting" && line["evidence"]["rule"].is_string()), "{bare}");
    assert_eq!(place.orc(&["events", "--bare"]).0, 2, "it is JSON or nothing");
}
