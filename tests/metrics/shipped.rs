//! What is shipped for other programs names measures that there are, with labels that they have.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;
use tmux_orc::app::metrics::SPECS;

use crate::place::installed;

fn asset(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("assets").join(name)
}

/// Every expression of the board.
fn expressions(value: &Value, all: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            all.extend(map.get("expr").and_then(Value::as_str).map(str::to_owned));
            map.values().for_each(|value| expressions(value, all));
        }
        Value::Array(list) => list.iter().for_each(|value| expressions(value, all)),
        _ => {}
    }
}

fn board() -> Vec<String> {
    let board: Value = serde_json::from_str(&fs::read_to_string(asset("grafana/tmux-orc.json")).unwrap()).unwrap();
    let mut all = Vec::new();
    expressions(&board, &mut all);
    all
}

/// Names of measures in a text.
fn names(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    words.filter(|word| word.starts_with("tmux_orc_")).map(str::to_owned).collect()
}

fn is_known(name: &str) -> bool {
    let histogram = ["_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end));
    SPECS.iter().any(|spec| spec.name == name || histogram == Some(spec.name))
}

#[test]
fn the_board_and_the_alerts_name_measures_that_there_are() {
    let all = board();
    assert!(all.len() > 20, "{all:?}");
    let alerts = fs::read_to_string(asset("prometheus/alerts.yml")).unwrap();
    let tests = fs::read_to_string(asset("prometheus/alerts_test.yml")).unwrap();
    let docs = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/metrics.md")).unwrap();
    for text in all.iter().chain([&alerts, &tests, &docs]) {
        let unknown: Vec<String> = names(text).into_iter().filter(|name| !is_known(name)).collect();
        assert!(unknown.is_empty(), "{unknown:?} in {text}");
    }
    // The page names each of them.
    let missing: Vec<&str> = SPECS.iter().map(|spec| spec.name).filter(|name| !docs.contains(name)).collect();
    assert!(missing.is_empty(), "docs/metrics.md says nothing of {missing:?}");
    // Without `detail: agents` there are these labels, and the board and the alerts work with those.
    let known =
        ["instance", "job", "server", "agent", "state", "to", "act", "ok", "direction", "le", "host", "severity"];
    for text in all.iter().chain([&alerts]) {
        for list in text.split("by (").skip(1).chain(text.split("on (").skip(1)) {
            for label in list.split(')').next().unwrap().split(',').map(str::trim) {
                assert!(known.contains(&label), "{label} in {text}");
            }
        }
    }
}

#[test]
fn promtool_takes_the_alerts_their_tests_and_every_expression_of_the_board() {
    if !installed("promtool") {
        return;
    }
    let promtool = |args: &[&str]| {
        let output = Command::new("promtool").args(args).current_dir(asset("prometheus")).output().unwrap();
        let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "promtool {args:?}: {text}");
    };
    promtool(&["check", "rules", "alerts.yml"]);
    promtool(&["test", "rules", "alerts_test.yml"]);
    let dir = tempfile::tempdir().unwrap();
    let rules = dir.path().join("board.yml");
    let mut text = "groups:\n- name: board\n  rules:\n".to_owned();
    for (at, expression) in board().iter().enumerate() {
        let plain = expression.replace("$__rate_interval", "5m").replace("$instance", ".*").replace("$server", ".*");
        text.push_str(&format!("  - record: board:{at}\n    expr: {}\n", serde_json::to_string(&plain).unwrap()));
    }
    fs::write(&rules, text).unwrap();
    promtool(&["check", "rules", rules.to_str().unwrap()]);
}
