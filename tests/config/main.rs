//! Files of settings: each valid one is accepted, each invalid one is told with its place and what to do.

use std::{fs, path::Path};

#[path = "../support/mod.rs"]
mod support;

use support::tmux_orc;

fn files(dir: &str) -> Vec<std::path::PathBuf> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/config").join(dir);
    let mut files: Vec<_> = fs::read_dir(dir).expect("there").map(|entry| entry.expect("readable").path()).collect();
    files.sort();
    files
}

#[test]
fn each_invalid_file_is_told_with_its_place_and_what_to_do() {
    let home = tempfile::tempdir().unwrap();
    let files = files("invalid");
    assert!(files.len() > 25, "only {} files", files.len());
    let mut wrong = Vec::new();
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        let expected =
            text.lines().next().and_then(|line| line.strip_prefix("# expect: ")).expect("says what it expects");
        let path = file.to_str().unwrap();
        let (code, _, stderr) = tmux_orc(home.path(), &["config", "check", "--config", path]);
        if code != 2 || !stderr.contains(&format!("{path}:{expected}")) {
            wrong.push(format!("{path}\n  expected (2) {expected}\n  got ({code}) {stderr}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn each_valid_file_is_accepted() {
    let home = tempfile::tempdir().unwrap();
    for file in files("valid") {
        let path = file.to_str().unwrap();
        let (code, stdout, stderr) = tmux_orc(home.path(), &["config", "check", "--config", path]);
        assert_eq!(code, 0, "{path}: {stderr}");
        assert!(stdout.contains(": good"), "{stdout}");
    }
}

#[test]
fn the_two_files_of_the_guide_do_what_they_say() {
    let home = tempfile::tempdir().unwrap();
    let shown = |name: &str| {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/config/valid").join(name);
        let (code, stdout, stderr) =
            tmux_orc(home.path(), &["config", "show", "--json", "--config", path.to_str().unwrap()]);
        assert_eq!(code, 0, "{stderr}");
        serde_json::from_str::<serde_json::Value>(&stdout).unwrap()["settings"]["monitoring"].clone()
    };
    let pool = |min: u64, max: u64, timeout: f64, age: f64| serde_json::json!({ "min_size": min, "max_size": max, "connection_timeout": timeout, "max_age": age });
    let cache = |ttl: f64, size: u64, strategy: &str| serde_json::json!({ "enabled": true, "default_ttl": ttl, "max_size": size, "strategy": strategy });
    let usual = shown("guide-defaults.yaml");
    assert_eq!(usual["check_interval"], 30.0);
    assert_eq!(usual["async"]["pool"], pool(5, 20, 30.0, 300.0));
    assert_eq!(usual["async"]["cache"], cache(30.0, 1000, "ttl"));
    let production = shown("guide-production.yaml");
    assert_eq!(production["async"]["pool"], pool(8, 25, 45.0, 600.0));
    assert_eq!(production["async"]["cache"], cache(45.0, 2000, "lru"));
}

#[test]
fn show_is_itself_a_settings_file_and_names_every_origin() {
    let home = tempfile::tempdir().unwrap();
    let config = home.path().join("config.yaml");
    fs::write(&config, "monitoring:\n  check_interval: 2\nnotifications: { command: [\"a b\", \"-x\"], on: [done] }\n")
        .unwrap();
    let (code, shown, stderr) = tmux_orc(home.path(), &["config", "show"]);
    assert_eq!(code, 0, "{stderr}");
    let line =
        |name: &str| shown.lines().find(|line| line.trim_start().starts_with(name)).unwrap_or_default().to_owned();
    assert!(line("check_interval: 2").ends_with("# file, line 2"), "{shown}");
    assert!(line("max_failures: 3").ends_with("# default"), "{shown}");
    let again = home.path().join("again.yaml");
    fs::write(&again, &shown).unwrap();
    let json = |path: &Path| {
        let (_, stdout, stderr) =
            tmux_orc(home.path(), &["config", "show", "--json", "--config", path.to_str().unwrap()]);
        serde_json::from_str::<serde_json::Value>(&stdout).expect(&stderr)["settings"].clone()
    };
    assert_eq!(json(&config), json(&again));
}

#[test]
fn init_writes_the_defaults_once_and_keeps_what_was_there() {
    let home = tempfile::tempdir().unwrap();
    let base = home.path().join("new/base");
    let (code, stdout, _) = tmux_orc(&base, &["config", "init"]);
    assert_eq!((code, stdout), (0, format!("{}: written\n", base.join("config.yaml").display())));
    assert_eq!(tmux_orc(&base, &["config", "check"]).0, 0);
    fs::write(base.join("config.yaml"), "# mine\n").unwrap();
    let (code, _, stderr) = tmux_orc(&base, &["config", "init"]);
    assert_eq!(code, 1);
    assert!(stderr.contains("is there already; --force replaces it"), "{stderr}");
    assert_eq!(tmux_orc(&base, &["config", "init", "--force"]).0, 0);
    assert_eq!(fs::read_to_string(base.join("config.yaml.old")).unwrap(), "# mine\n");
}

#[test]
fn the_example_file_is_the_default() {
    let home = tempfile::tempdir().unwrap();
    let (_, stdout, _) = tmux_orc(home.path(), &["config", "check"]);
    assert!(stdout.contains("not there; the defaults are in force"), "{stdout}");
    assert_eq!(tmux_orc(home.path(), &["config", "init"]).0, 0);
    let (_, with, _) = tmux_orc(home.path(), &["config", "show", "--json"]);
    let empty = tempfile::tempdir().unwrap();
    let (_, without, _) = tmux_orc(empty.path(), &["config", "show", "--json"]);
    let settings = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap()["settings"].clone();
    assert_eq!(settings(&with), settings(&without));
}

#[test]
fn what_is_no_file_is_told_so() {
    let home = tempfile::tempdir().unwrap();
    let (code, _, stderr) = tmux_orc(home.path(), &["config", "check", "--config", "/"]);
    assert_eq!(code, 2);
    assert!(stderr.contains("not a file"), "{stderr}");
    let binary = home.path().join("binary.yaml");
    fs::write(&binary, b"monitoring:\n  \xff\n").unwrap();
    let (code, _, stderr) = tmux_orc(home.path(), &["config", "check", "--config", binary.to_str().unwrap()]);
    assert_eq!(code, 2);
    assert!(stderr.contains("binary.yaml:2:3: not UTF-8"), "{stderr}");
}

#[test]
fn the_files_that_the_settings_lead_to_are_checked_too() {
    let home = tempfile::tempdir().unwrap();
    for dir in ["agents", "strategies", "themes"] {
        fs::create_dir(home.path().join(dir)).unwrap();
    }
    fs::write(home.path().join("agents/mine.yaml"), "name: mine\nno_such_key: 1\n").unwrap();
    fs::write(home.path().join("strategies/broken.rhai"), "fn plan( {").unwrap();
    fs::write(home.path().join("themes/mine.yaml"), "name: mine\ninherit: dark\nroles: { idel: {} }\n").unwrap();
    let (code, _, stderr) = tmux_orc(home.path(), &["config", "check"]);
    assert_eq!(code, 2, "{stderr}");
    assert!(stderr.contains("agents/mine.yaml:2:1: unknown field `no_such_key`"), "{stderr}");
    assert!(stderr.contains("strategies/broken.rhai"), "{stderr}");
    assert!(stderr.contains("themes/mine.yaml:3:10: roles.idel: unknown field; did you mean `idle`?"), "{stderr}");
}

#[test]
fn every_wrong_name_is_told_at_once_with_the_nearest_right_one() {
    let home = tempfile::tempdir().unwrap();
    fs::create_dir(home.path().join("themes")).unwrap();
    fs::create_dir(home.path().join("strategies")).unwrap();
    fs::write(home.path().join("themes/any.yaml"), "name: midnight\ninherit: dark\n").unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/strategies/calm.rhai");
    fs::copy(script, home.path().join("strategies/nightly.rhai")).unwrap();
    let config = "\
dashboard:
  theme: midnigth
  keys: { quit: spce, zom: z, tune: f99 }
monitoring:
  async:
    strategy: nigthly
";
    fs::write(home.path().join("config.yaml"), config).unwrap();
    let (code, _, stderr) = tmux_orc(home.path(), &["config", "check"]);
    assert_eq!(code, 2, "{stderr}");
    for part in [
        "config.yaml:2:10: dashboard.theme: no theme \"midnigth\"",
        "did you mean `midnight`?",
        "config.yaml:3:17: dashboard.keys.quit: 'spce' is no key",
        "did you mean `space`?",
        "config.yaml:3:28: dashboard.keys.zom: no such action; did you mean `zoom`?",
        "config.yaml:3:37: dashboard.keys.tune: 'f99' is no key",
        "config.yaml:6:15: monitoring.async.strategy: no strategy \"nigthly\"",
        "did you mean `nightly`?",
    ] {
        assert!(stderr.contains(part), "{part} is missing:\n{stderr}");
    }
    assert_eq!(stderr.lines().count(), 5, "{stderr}");
    fs::write(home.path().join("config.yaml"), "dashboard: { theme: midnight }\n").unwrap();
    assert_eq!(tmux_orc(home.path(), &["config", "check"]).0, 0, "a theme of the user's own");
    let (code, _, stderr) = tmux_orc(home.path(), &["config", "check", "--json"]);
    assert_eq!(code, 0, "{stderr}");
}

#[test]
fn every_example_of_the_manual_is_accepted() {
    let home = tempfile::tempdir().unwrap();
    let manual = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/settings.md")).unwrap();
    let examples: Vec<&str> = manual.split("```yaml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert!(examples.len() >= 3);
    for example in examples {
        let path = home.path().join("example.yaml");
        fs::write(&path, example).unwrap();
        let (code, _, stderr) = tmux_orc(home.path(), &["config", "check", "--config", path.to_str().unwrap()]);
        assert_eq!(code, 0, "{stderr}\n{example}");
    }
}
