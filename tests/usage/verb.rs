//! `tmux-orc usage`, as a user runs it.

use std::{path::Path, process::Command};

use serde_json::Value;

use crate::support::Program;

struct Run {
    code: Option<i32>,
    out: String,
    err: String,
}

/// Runs it on a recorded case of Claude Code, with these settings.
fn usage(args: &[&str], settings: &str) -> Run {
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join("config.yaml"), settings).unwrap();
    let case = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/usage/transcripts/claude-2.1.332");
    let case = case.join(if args.contains(&"--by=day") { "edge-day-boundary" } else { "edge-two-models" });
    let out = Command::new(Program::PATH)
        .arg("usage")
        .args(args)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", home.path())
        .env("TMUX_ORC_HOME", home.path())
        .env("TMUX_TMPDIR", home.path())
        .env("CLAUDE_CONFIG_DIR", &case)
        .env("TZ", "UTC")
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Run { code: out.status.code(), out: text(out.stdout), err: text(out.stderr) }
}

fn json(args: &[&str], settings: &str) -> Value {
    let run = usage(&[args, &["--json"]].concat(), settings);
    assert_eq!(run.code, Some(0), "{}", run.err);
    serde_json::from_str(&run.out).unwrap()
}

#[test]
fn sums_are_by_what_was_asked_for_and_add_up() {
    for by in ["program", "model", "project", "day", "session"] {
        let said = json(&[&format!("--by={by}")], "");
        let rows = said["rows"].as_array().unwrap();
        assert!(!rows.is_empty() && rows.iter().all(|row| row[by].is_string()), "{said}");
        for field in ["input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "turns"] {
            let sum: u64 = rows.iter().map(|row| row[field].as_u64().unwrap()).sum();
            assert_eq!(Some(sum), said["totals"][field].as_u64(), "{field}: {said}");
        }
    }
    assert_eq!(json(&["--by=model"], "")["rows"].as_array().unwrap().len(), 2);
    // No server runs here: all that was spent is of agents that are no longer there.
    let gone = json(&["--by=agent"], "");
    assert_eq!((&gone["rows"][0]["agent"], &gone["totals"]), (&Value::Null, &json(&[], "")["totals"]), "{gone}");
    assert!(json(&["--by=day"], "")["rows"].as_array().unwrap().len() > 1);
    assert_eq!(json(&["--since", "2100-01-01T00:00"], "")["totals"]["input_tokens"], 0);
}

#[test]
fn cost_is_that_of_the_users_prices_or_unknown() {
    assert_eq!(json(&[], "")["totals"]["cost_usd"], Value::Null);
    let one = "prices:\n  claude-sonnet-*: { input: 1, output: 10 }\n";
    let said = json(&["--by=model"], one);
    let known: Vec<bool> = said["rows"].as_array().unwrap().iter().map(|row| row["cost_usd"].is_number()).collect();
    assert!(known.contains(&true) && known.contains(&false), "{said}");
    assert_eq!(said["totals"]["cost_usd"], Value::Null, "a part of the cost would be a wrong number");
    let all = json(&[], "prices:\n  claude-*: { input: 1000000, output: 0, cache_read: 0, cache_write: 0 }\n");
    assert_eq!(all["totals"]["cost_usd"].as_f64(), all["totals"]["input_tokens"].as_f64());
}

#[test]
fn a_person_reads_a_table_and_what_is_wrong_is_said() {
    let run = usage(&["--by=model"], "");
    assert_eq!((run.code, run.err.as_str()), (Some(0), ""));
    let lines: Vec<&str> = run.out.lines().collect();
    assert!(lines[0].starts_with("MODEL") && lines[0].contains("CACHE READ") && lines.len() == 4, "{}", run.out);
    assert!(lines[3].starts_with("all "), "{}", run.out);
    let off = usage(&[], "usage: { enabled: false }\n");
    assert_eq!(off.code, Some(1));
    assert!(off.err.contains("usage.enabled"), "{}", off.err);
    let bad = usage(&["--since", "yesterday"], "");
    assert!(bad.code == Some(2) && bad.err.contains("yesterday") && bad.err.contains("2d"), "{}", bad.err);
    let bad = usage(&[], "prices:\n  x: { input: -1, outptu: 3 }\n");
    assert_eq!(bad.code, Some(2), "{}", bad.err);
    assert!(bad.err.contains("config.yaml:2") && bad.err.contains("did you mean `output`?"), "{}", bad.err);
    let left_out = usage(&["--json"], "usage: { programs: [codex] }\n");
    assert!(left_out.out.contains("\"rows\":[]"), "{}", left_out.out);
}
