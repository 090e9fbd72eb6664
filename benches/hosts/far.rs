//! A host that is played: a bridge's words and those of an engine whose agents go on from what was recorded.

use std::{
    io::{BufRead, Write},
    sync::{Arc, Mutex},
    time::Duration,
};

use serde_json::{Value, json};

const KEY: &str = "default-1";
/// Agents that change with each delta: 5 %.
const CHANGING: usize = 5;

/// Plays until its hub is gone; with `until`, only so many deltas, and then it neither reads nor writes.
pub fn play(shown: &str, every_ms: u64, until: u64) {
    let recorded = std::fs::read(shown).expect("a file");
    let snapshot: Value = serde_json::from_slice(&recorded).expect("JSON");
    let silent = Arc::new(Mutex::new(false));
    let version = env!("CARGO_PKG_VERSION");
    say(&format!(
        "{}\n- {}\n{KEY} {}\n{KEY} {}",
        json!({"hello": {"protocol": 1, "oldest": 1, "version": version}}),
        json!({"members": [{"key": KEY, "name": "default", "status": "up"}]}),
        json!({"hello": {"protocol": 2, "oldest": 1, "version": version, "schema": 1, "pid": 1}}),
        json!({ "snapshot": snapshot }),
    ));
    let hushed = Arc::clone(&silent);
    std::thread::spawn(move || answer(&hushed));
    let mut agents: Vec<Value> = snapshot["agents"].as_array().cloned().unwrap_or_default();
    for n in 1_u64.. {
        std::thread::sleep(Duration::from_millis(every_ms));
        if until > 0 && n > until {
            *silent.lock().expect("nobody panics") = true;
            std::thread::sleep(Duration::from_secs(60));
            return;
        }
        let count = agents.len().max(1);
        let changed: Vec<Value> = (0..CHANGING)
            .filter_map(|at| {
                let agent = agents.get_mut((n as usize * CHANGING + at) % count)?;
                agent["doing"] = json!(format!("Running the tests for the {n}th time"));
                Some(agent.clone())
            })
            .collect();
        let now = jiff::Timestamp::now();
        say(&format!("{KEY} {}", json!({"delta": {"n": n, "timestamp": now, "agents": changed}})));
    }
}

/// What the hub asks.
fn answer(silent: &Mutex<bool>) {
    for line in std::io::stdin().lock().lines() {
        let Ok(line) = line else { break };
        if *silent.lock().expect("nobody panics") {
            std::thread::sleep(Duration::from_secs(60));
        }
        let (whom, said) = line.split_once(' ').unwrap_or_default();
        let said: Value = serde_json::from_str(said).unwrap_or_default();
        if let Some(number) = said.get("ping") {
            say(&format!("{whom} {}", json!({ "pong": number })));
        } else if said == "ping" {
            say(&format!("{whom} \"pong\""));
        } else if let Some(id) = said.get("command").and_then(|command| command.get("id")) {
            say(&format!("{whom} {}", json!({"confirmed": {"id": id}})));
        }
    }
    std::process::exit(0);
}

fn say(lines: &str) {
    let mut out = std::io::stdout().lock();
    if out.write_all(lines.as_bytes()).and_then(|()| out.write_all(b"\n")).and_then(|()| out.flush()).is_err() {
        std::process::exit(0);
    }
}
