//! Tests of precedence, origins and the default file.

use std::path::Path;

use serde_json::json;

use crate::app::settings::*;

fn paths(dir: &Path) -> Paths {
    Paths { base: dir.to_owned(), config: dir.join("config.yaml"), config_was_named: false, demo: None }
}

fn nothing(_: &str) -> Option<String> {
    None
}

fn loaded(text: &str) -> Result<Loaded, SettingsError> {
    let dir = tempfile::tempdir().expect("a temporary directory");
    std::fs::write(dir.path().join("config.yaml"), text).expect("written");
    load(&paths(dir.path()), &nothing, &Overrides::new())
}

#[test]
fn the_default_file_sets_every_setting_to_its_default() {
    let loaded = loaded(DEFAULT_FILE).expect("the default file is good");
    assert_eq!(loaded.settings, defaults());
    for (row, value, origin) in loaded.rows() {
        let default: serde_json::Value = serde_json::from_str(row.default).unwrap();
        assert_eq!(*value, default, "{}", row.path);
        assert!(matches!(origin, Origin::File(line) if *line > 0), "{} is missing from the file", row.path);
    }
}

#[test]
fn a_file_that_sets_one_key_keeps_the_defaults_for_the_rest() {
    let loaded = loaded("monitoring:\n  async:\n    pool:\n      max_size: 8\n    cache:\n").unwrap();
    let mut expected = defaults();
    expected.monitoring.asynchronous.pool.max_size = 8;
    assert_eq!(loaded.settings, expected);
    assert_eq!(loaded.origin("monitoring.async.pool.max_size"), Origin::File(4));
    assert_eq!(loaded.origin("monitoring.max_failures"), Origin::Default);
}

#[test]
fn option_wins_over_environment_over_file_over_default() {
    let dir = tempfile::tempdir().unwrap();
    let text = "monitoring:\n  check_interval: 2\n  async: { pool: { max_size: 10 }, strategy: polling }\n";
    std::fs::write(dir.path().join("config.yaml"), text).unwrap();
    let environment = |name: &str| match name {
        "TMUX_ORC_POOL_SIZE" => Some("12".to_owned()),
        "TMUX_ORC_STRATEGY" => Some("concurrent".to_owned()),
        "TMUX_ORC_ASYNC_DISABLED" => Some("1".to_owned()),
        _ => None,
    };
    let overrides = vec![("--pool-size", "monitoring.async.pool.max_size", json!(14))];
    let loaded = load(&paths(dir.path()), &environment, &overrides).unwrap();
    let monitoring = &loaded.settings.monitoring;
    assert_eq!(monitoring.asynchronous.pool.max_size, 14);
    assert_eq!(monitoring.asynchronous.strategy, "concurrent");
    assert!(!monitoring.asynchronous.enabled);
    assert_eq!(monitoring.check_interval.as_secs_f64(), 2.0);
    let origin = |path| loaded.origin(path).to_string();
    assert_eq!(origin("monitoring.async.pool.max_size"), "option --pool-size");
    assert_eq!(origin("monitoring.async.strategy"), "environment TMUX_ORC_STRATEGY");
    assert_eq!(origin("monitoring.async.enabled"), "environment TMUX_ORC_ASYNC_DISABLED");
    assert_eq!(origin("monitoring.check_interval"), "file, line 2");
}

#[test]
fn a_small_pool_by_option_takes_its_floor_along() {
    let dir = tempfile::tempdir().unwrap();
    let overrides = vec![("--pool-size", "monitoring.async.pool.max_size", json!(2))];
    let loaded = load(&paths(dir.path()), &nothing, &overrides).unwrap();
    let pool = &loaded.settings.monitoring.asynchronous.pool;
    assert_eq!((pool.min_size, pool.max_size), (2, 2));
}

#[test]
fn bad_environment_and_options_are_told_by_name() {
    let dir = tempfile::tempdir().unwrap();
    let environment = |name: &str| (name == "TMUX_ORC_INTERVAL").then(|| "fast".to_owned());
    let overrides = vec![("--pool-size", "monitoring.async.pool.max_size", json!(0))];
    let error = load(&paths(dir.path()), &environment, &overrides).unwrap_err().to_string();
    let expected = "TMUX_ORC_INTERVAL: monitoring.check_interval: expected seconds from 0.05 to 3600, found \"fast\"";
    assert!(error.contains(expected), "{error}");
    assert!(
        error.contains("--pool-size: monitoring.async.pool.max_size: expected a whole number from 1 to 64, found 0")
    );
}

#[test]
fn a_named_file_must_exist_and_the_usual_one_need_not() {
    let dir = tempfile::tempdir().unwrap();
    let mut paths = paths(dir.path());
    assert_eq!(load(&paths, &nothing, &Overrides::new()).unwrap().file, None);
    paths.config_was_named = true;
    let error = load(&paths, &nothing, &Overrides::new()).unwrap_err().to_string();
    assert!(error.contains("config.yaml: cannot read the settings: No such file"), "{error}");
}

#[test]
fn a_script_of_the_user_is_a_strategy() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("strategies")).unwrap();
    std::fs::write(dir.path().join("strategies/nightly.rhai"), "").unwrap();
    let with = |name: &str| {
        load(&paths(dir.path()), &nothing, &vec![("--strategy", "monitoring.async.strategy", json!(name))])
    };
    assert_eq!(with("nightly").unwrap().settings.monitoring.asynchronous.strategy, "nightly");
    let error = with("nigthly").unwrap_err().to_string();
    assert!(error.contains("no strategy \"nigthly\"") && error.contains("did you mean `nightly`?"), "{error}");
    assert!(with("../nightly").is_err());
}

#[test]
fn the_manual_names_every_setting_with_its_default_and_variable() {
    let manual = include_str!("../../../docs/settings.md");
    for row in ROWS {
        let line = manual.lines().find(|line| line.starts_with(&format!("| `{}` |", row.path)));
        let line = line.unwrap_or_else(|| panic!("docs/settings.md does not name {}", row.path));
        assert!(line.contains(&format!("| `{}` |", row.default)), "another default: {line}");
        assert!(row.env.is_none_or(|variable| line.contains(variable)), "{line}");
        assert!(line.contains(row.help), "{line}");
    }
}

#[test]
fn what_a_file_says_reaches_no_terminal_as_it_is() {
    for text in [
        "\"\\e[2J\": 1\n",
        "monitoring: \"\\e]0;x\\a\"\n",
        "dashboard:\n  theme: !\"\\e[2J\" x\n",
        "a\tb: !x y\n",
        "dashboard: { keys: { \"a\\e[2Jb\": x } }\n",
    ] {
        let said = loaded(text).expect_err(text).to_string();
        assert!(!said.contains(['\u{1b}', '\u{7}', '\t']), "{text:?}: {said:?}");
    }
}

/// The longest of `text`'s checks is a few readings of it: no problem reads it again.
#[test]
fn a_file_full_of_mistakes_is_checked_in_the_time_of_some_readings() {
    let names: String = (0..4000).map(|n| format!("key{n}: 1\n")).collect();
    let actions: String = (0..4000).map(|n| format!("    act{n}: x\n")).collect();
    let entries = |entry: &str| vec![entry; 4000].join(", ");
    for text in [
        names,
        format!("dashboard:\n  keys:\n{actions}"),
        format!("notifications: {{ on: [{}] }}\n", entries("wating")),
        format!("notifications: {{ agents: [{}] }}\n", entries("cluade")),
        format!("agents: [{}]\n", entries("{ target: 'a:0.0', agent: cluade }")),
        format!("agents: [{}]\n", entries("[]")),
    ] {
        let began = std::time::Instant::now();
        yaml::parse(&text).expect("YAML");
        let reading = began.elapsed();
        let began = std::time::Instant::now();
        let SettingsError(problems) = loaded(&text).expect_err("full of mistakes");
        let checking = began.elapsed();
        let start = &text[..40];
        assert!(checking < reading * 20 + std::time::Duration::from_millis(100), "{start}: {checking:?}, {reading:?}");
        assert_eq!(problems.len(), 21, "{start}");
        assert!(problems[20].message.contains("there are more problems"), "{start}: {}", problems[20]);
        assert!(problems[..20].iter().all(|problem| problem.line.is_some()), "{start}: {}", problems[0]);
    }
}

#[test]
fn the_first_problems_are_those_at_the_top_of_the_file() {
    let text: String = (0..100).map(|n| format!("key{n}: 1\n")).collect();
    let SettingsError(problems) = loaded(&text).expect_err("full of mistakes");
    let lines: Vec<_> = problems.iter().take(20).map(|problem| problem.line.unwrap_or(0)).collect();
    assert_eq!(lines, (1..=20).collect::<Vec<_>>());
}
