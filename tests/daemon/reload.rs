//! Settings read again while the engine and the dashboard run: each change takes effect and is an event, a bad file
//! changes nothing and says why where its user looks.

use std::{fs, time::Duration};

use rustix::process::Signal;
use serde_json::{Value, json};

use super::{
    support::{PATIENCE, Terminal, copy_program, signal, wait_for, wait_some},
    watched::Watched,
};

/// Everything that an engine lives by, each value another than its default.
const ALL: &str = "\
monitoring:
  check_interval: 0.2
  max_failures: 7
  async:
    strategy: concurrent
    transport: spawn
    pool: { min_size: 2, max_size: 9, connection_timeout: 4, max_age: 60 }
    cache: { default_ttl: 11, max_size: 222, strategy: lfu }
";

/// The settings by their names in `status --json`, and by those in the events.
const LIVE: [(&str, &str); 9] = [
    ("interval", "interval"),
    ("max_failures", "max failures"),
    ("transport", "transport"),
    ("pool_min", "pool min size"),
    ("pool_max", "pool"),
    ("pool_connection_timeout", "pool connection timeout"),
    ("pool_max_age", "pool max age"),
    ("cache_ttl", "cache ttl"),
    ("cache_max_size", "cache max size"),
];

/// The engine reads its settings again, and what came of it.
#[track_caller]
fn hang_up(watched: &Watched) -> Value {
    let count = |status: &Value| status["settings"]["reread"]["count"].as_u64().unwrap_or(0);
    let before = count(&watched.status());
    signal(watched.pid(), Signal::HUP);
    wait_some("the settings to be read again", PATIENCE, || {
        let status = watched.status();
        (count(&status) > before).then_some(status)
    })
}

/// The settings that changed, by name, since the last reading.
fn changed(status: &Value) -> Vec<String> {
    let changes = status["settings"]["reread"]["changes"].as_array().cloned().unwrap_or_default();
    changes.iter().map(|change| change["setting"].as_str().expect("a name").to_owned()).collect()
}

#[test]
fn every_setting_of_the_engine_takes_effect_at_once_and_each_is_an_event() {
    let watched = Watched::new();
    assert_eq!(watched.orc(&["monitor", "start"]).0, 0);
    let before = watched.status()["settings"].clone();
    watched.config(ALL);
    let status = hang_up(&watched);
    let now = &status["settings"];
    for (name, _) in LIVE {
        assert_ne!(now[name], before[name], "{name} stayed");
    }
    let expected = json!([0.2, 7, "spawn", 2, 9, 4.0, 60.0, 11.0, 222, "lfu", true]);
    let names = LIVE.iter().map(|(name, _)| *name).chain(["cache_policy", "cache_enabled"]);
    assert_eq!(Value::from_iter(names.map(|name| now[name].clone())), expected);
    assert_eq!(status["current_strategy"], "concurrent");
    assert_eq!(status["connection_pool"]["pool_size"], 9);
    assert_eq!(status["cache_performance"]["pane_content"]["capacity"], 222);
    let told: Vec<&str> = LIVE.iter().map(|(_, name)| *name).chain(["strategy", "cache policy"]).collect();
    let changes = changed(&status);
    assert!(told.iter().all(|name| changes.iter().any(|change| change == name)), "{changes:?}");
    assert_eq!(changes.len(), told.len(), "{changes:?}");
    let kept = wait_some("the changes in the journal", PATIENCE, || {
        let events = watched.events();
        let changes: Vec<Value> = events.into_iter().filter(|event| event["event"] == "changed").collect();
        (changes.len() == told.len()).then_some(changes)
    });
    assert!(kept.iter().any(|change| change["setting"] == "pool" && change["from"] == "20" && change["to"] == "9"));
    assert_eq!(changed(&hang_up(&watched)), Vec::<String>::new(), "nothing is new the second time");
}

#[test]
fn what_was_tuned_and_what_options_set_is_kept_unless_the_file_says_otherwise() {
    let watched = Watched::new();
    watched.config("monitoring: { check_interval: 2 }\n");
    assert_eq!(watched.orc(&["monitor", "start", "--pool-size", "6"]).0, 0);
    watched.config("monitoring: { check_interval: 3, async: { pool: { max_size: 30 } } }\n");
    let status = hang_up(&watched);
    assert_eq!((&status["settings"]["interval"], &status["settings"]["pool_max"]), (&json!(3.0), &json!(6)));
}

#[test]
fn bad_settings_change_nothing_and_say_why_in_the_events() {
    let watched = Watched::new();
    watched.config("monitoring: { async: { pool: { max_size: 10 } } }\n");
    assert_eq!(watched.orc(&["monitor", "start"]).0, 0);
    let why = "config.yaml:1:42: monitoring.async.pool.max_size: expected a whole number from 1 to 64";
    watched.config("monitoring: { async: { pool: { max_size: 99 } } }\n");
    let status = hang_up(&watched);
    assert_eq!(status["settings"]["pool_max"], 10);
    assert!(status["settings"]["reread"]["problem"].as_str().is_some_and(|text| text.contains(why)), "{status}");
    let told = |text: &str| {
        wait_for(text, PATIENCE, || {
            let (_, stdout, _) = watched.orc(&["events"]);
            stdout.contains("settings unchanged: ") && stdout.contains(text)
        });
    };
    told(why);
    // Also the files that the settings lead to.
    let strategies = watched.server.home().join("orc/strategies");
    fs::create_dir_all(&strategies).expect("made");
    fs::write(strategies.join("mine.rhai"), "fn plan( {").expect("written");
    watched.config("monitoring: { async: { strategy: mine } }\n");
    let status = hang_up(&watched);
    assert_eq!(status["current_strategy"], "adaptive");
    told("strategy mine: ");
    assert!(watched.orc(&["monitor", "logs", "-n", "500"]).1.contains("strategy mine: "), "the log tells it too");
    let (code, _, stderr) = watched.orc(&["monitor", "restart"]);
    assert!(code == 2 && stderr.contains("strategy mine: "), "{stderr}");
    assert_eq!(watched.orc(&["status"]).0, 0, "the engine that runs is not stopped for settings that start none");
}

#[test]
fn from_async_to_sync_and_back() {
    let watched = Watched::new();
    assert_eq!(watched.orc(&["monitor", "start", "--interval", "0.2"]).0, 0);
    watched.config("monitoring: { async: { enabled: false } }\n");
    let status = hang_up(&watched);
    assert_eq!((&status["engine"]["mode"], &status["server"]["transport"]), (&json!("sync"), &json!("process")));
    assert_eq!((&status["settings"]["pool_max"], &status["settings"]["cache_enabled"]), (&json!(1), &json!(false)));
    assert_eq!(changed(&status), ["engine"]);
    watched.config("monitoring: { async: { pool: { max_size: 12 } } }\n");
    let status = hang_up(&watched);
    assert_eq!((&status["engine"]["mode"], &status["current_strategy"]), (&json!("async"), &json!("adaptive")));
    assert_eq!((&status["settings"]["pool_max"], &status["settings"]["cache_enabled"]), (&json!(12), &json!(true)));
    let (_, stdout, _) = watched.orc(&["agents", "--json"]);
    assert!(stdout.contains("\"agents\""), "{stdout}");
}

#[test]
fn named_panes_come_and_go_with_the_settings() {
    let watched = Watched::new();
    assert_eq!(watched.orc(&["monitor", "start", "--interval", "30"]).0, 0);
    let agents = || watched.status()["agents"].as_array().cloned().expect("agents");
    assert!(agents().is_empty());
    watched.config("agents:\n  - { target: \"main:0.0\", name: nightly }\n");
    hang_up(&watched);
    wait_for("the pane that the settings name", Duration::from_secs(10), || {
        agents().first().is_some_and(|agent| agent["name"] == "nightly")
    });
    watched.config("agents: []\n");
    hang_up(&watched);
    wait_for("the pane to be none again", Duration::from_secs(10), || agents().is_empty());
}

/// A script of the user's as the notices' command, which appends what it is told to a file.
fn notices(watched: &Watched, enabled: bool) -> std::path::PathBuf {
    let told = watched.server.home().join("told");
    watched.config(&format!(
        "notifications:\n  enabled: {enabled}\n  on: [exited]\n  bell: false\n  tmux: false\n  command: [sh, -c, 'cat >> {}']\n",
        told.display()
    ));
    told
}

#[test]
fn notices_are_switched_on_and_off_by_the_settings() {
    let watched = Watched::new();
    notices(&watched, false);
    assert_eq!(watched.orc(&["monitor", "start", "--interval", "0.1"]).0, 0);
    let told = notices(&watched, true);
    assert_eq!(changed(&hang_up(&watched)), ["notifications.enabled"]);
    let agent = |name: &str| {
        let program = watched.server.home().join(name).join("claude");
        fs::create_dir_all(program.parent().expect("a parent")).expect("made");
        copy_program("/bin/sleep", &program);
        let pane = watched.server.window(name, &[program.to_str().expect("UTF-8"), "1000"]);
        let seen = |state: &str| {
            wait_for(state, PATIENCE, || {
                let agents = watched.status()["agents"].clone();
                let agents = agents.as_array().expect("agents");
                agents
                    .iter()
                    .any(|agent| agent["pane_id"] == pane.as_str() && (state.is_empty() || agent["state"] == state))
            });
        };
        seen("");
        watched.server.run(&["set-option", "-p", "-t", &pane, "remain-on-exit", "on"]);
        let pid = watched.server.run(&["display-message", "-p", "-t", &pane, "#{pane_pid}"]);
        signal(pid.parse().expect("a pid"), Signal::TERM);
        seen("exited");
    };
    agent("one");
    wait_for("the notice", PATIENCE, || fs::read_to_string(&told).is_ok_and(|text| text.contains("\"name\":\"one\"")));
    notices(&watched, false);
    assert_eq!(changed(&hang_up(&watched)), ["notifications.enabled"]);
    agent("two");
    assert_eq!(watched.orc(&["monitor", "stop"]).0, 0);
    assert!(!fs::read_to_string(&told).expect("there").contains("\"name\":\"two\""), "it was switched off");
}

#[test]
fn the_key_reads_everything_again_whether_the_engine_is_inside_or_not() {
    for attached in [false, true] {
        let watched = Watched::new();
        watched.config("dashboard: { theme: dark }\n");
        if attached {
            assert_eq!(watched.orc(&["monitor", "start", "--interval", "5"]).0, 0);
        }
        let terminal = Terminal::open(&watched.server, &["perf", "watch"], 120, 40);
        terminal.wait_text("adaptive");
        wait_for("the mouse", PATIENCE, || terminal.format("#{mouse_any_flag}") == "1");
        watched.config("dashboard: { theme: light, mouse: false, read_only: true }\nmonitoring: { max_failures: 8 }\n");
        terminal.keys(&["r"]);
        let screen = terminal.wait_text("The settings were read again:");
        assert!(screen.contains("dashboard.theme light"), "{screen}");
        wait_for("the mouse to be left alone", PATIENCE, || terminal.format("#{mouse_any_flag}") == "0");
        let told = |text: &str| {
            wait_for(text, PATIENCE, || watched.orc(&["events"]).1.contains(text));
        };
        for text in ["dashboard.theme", "dashboard.mouse", "dashboard.read_only", "max failures"] {
            told(text);
        }
        watched.config("dashboard: { theme: lihgt }\n");
        terminal.keys(&["r"]);
        terminal.wait_text(
            "settings unchanged: config.yaml:1:21: dashboard.theme: no theme \"lihgt\"; did you mean `light`?",
        );
        told("did you mean `light`?");
        terminal.keys(&["q"]);
        assert_eq!(terminal.ended(), 0);
    }
}
