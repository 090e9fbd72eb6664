//! Verbs about several tmux servers and hosts: what there is is said, and what is missing has a reason.

use std::time::{Duration, Instant};

use crate::machine::Machine;
use crate::support::{PATIENCE, Terminal, wait_for};

/// A screen of Claude Code that asks for a permission.
const ASKS: &str = " Bash command\n\n   touch hello.txt\n   Create an empty file\n\n Do you want to proceed?\n ❯ 1. Yes\n   2. No\n\n Esc to cancel · Tab to amend\n";

fn names(agents: &serde_json::Value) -> Vec<String> {
    let of = |agent: &serde_json::Value| {
        let text = |name: &str| agent[name].as_str().unwrap_or("-").to_owned();
        format!("{} {} {}", text("host"), text("server"), text("session"))
    };
    let mut all: Vec<String> = agents.as_array().unwrap().iter().map(of).collect();
    all.sort();
    all
}

#[test]
fn agents_of_all_servers_and_hosts_are_one_list() {
    let (mut near, mut far) = (Machine::new(), Machine::new());
    near.start("default", "here");
    near.start("work", "job");
    far.start("default", "there");
    far.start("more", "deep");
    let down = "  - { name: gone, connect: [sh, -c, 'echo no route >&2; exit 255'] }\n";
    near.settings(&format!("servers: [all]\nhosts:\n{}{down}", far.as_host("box")));
    // As JSON: where each is, what was asked, and why one did not answer.
    let all = near.json(&["agents", "--all", "--json"]);
    assert_eq!(names(&all["agents"]), ["- default here", "- work job", "box default there", "box more deep"], "{all}");
    let unreachable = &all["unreachable"];
    assert_eq!((unreachable[0]["host"].as_str(), unreachable.as_array().unwrap().len()), (Some("gone"), 1), "{all}");
    assert!(unreachable[0]["problem"].as_str().unwrap().contains("no route"), "{all}");
    assert_eq!(all["servers"].as_array().unwrap().len(), 4);
    // As text.
    let (code, stdout, _) = near.says(&["agents", "--all"]);
    assert_eq!(code, 0, "{stdout}");
    for words in ["HOST", "box/more", "there:0.0", "gone did not answer: no route"] {
        assert!(stdout.contains(words), "{words}: {stdout}");
    }
    let (code, stdout, _) = near.says(&["agents", "--all", "--columns", "host,state"]);
    assert!(code == 0 && stdout.contains("box/more  "), "{stdout}");
    // Fewer of them.
    let only = |args: &[&str]| names(&near.json(&[&["agents", "--json"], args].concat())["agents"]);
    assert_eq!(only(&["--host", "box"]), ["box default there", "box more deep"]);
    assert_eq!(only(&["--host", "box/more"]), ["box more deep"]);
    assert_eq!(only(&["-L", "default", "-L", "work"]), ["- default here", "- work job"]);
    assert_eq!(only(&[]), ["- default here"], "as ever");
    // How it ends.
    let code = |args: &[&str]| near.says(&[&["agents"], args].concat()).0;
    assert_eq!(code(&["--all", "--strict"]), 1);
    assert_eq!(code(&["--host", "box", "--strict"]), 0);
    assert_eq!(code(&["--host", "gone"]), 3);
    assert_eq!(code(&["--host", "gone", "--host", "box"]), 0);
    assert_eq!(code(&["--host", "box/nothing"]), 3);
    let (code, _, stderr) = near.says(&["agents", "--host", "bux"]);
    assert!(code == 2 && stderr.contains("there are box, gone") && stderr.contains("box"), "{stderr}");
    assert_eq!(near.says(&["agents", "--host", "box", "--all"]).0, 2);
}

#[test]
fn status_and_health_are_told_of_each_under_its_name() {
    let (mut near, mut far) = (Machine::new(), Machine::new());
    near.start("default", "here");
    far.start("default", "there");
    near.settings(&format!("hosts:\n{}", far.as_host("box")));
    // Nothing runs in the background here: that is said of this server alone.
    let (code, stdout, _) = near.says(&["status", "--all"]);
    assert!(
        code == 0 && stdout.contains("## box\n=== Async") && stdout.contains("· did not answer: no engine"),
        "{stdout}"
    );
    assert_eq!(near.says(&["-L", "default", "monitor", "start"]).0, 0);
    let (code, stdout, _) = near.says(&["status", "--all"]);
    assert!(code == 0 && stdout.contains("## ·\n") && !stdout.contains("did not answer"), "{stdout}");
    let all = near.json(&["status", "--all", "--json"]);
    let servers = all["servers"].as_array().unwrap();
    assert_eq!(servers.len(), 2);
    assert!(servers[1]["host"] == "box" && servers[1]["agents"][0]["host"] == "box", "{all}");
    let (code, stdout, _) = near.says(&["health", "--all"]);
    assert!(code <= 1 && stdout.contains("## box\n") && stdout.matches("cycle time").count() == 2, "{stdout}");
    let all = near.json(&["health", "--host", "box", "--json"]);
    assert!(all["servers"][0]["checks"].as_array().is_some_and(|checks| checks.len() == 4), "{all}");
    assert!(all["ok"].is_boolean() && all["unreachable"].as_array().unwrap().is_empty(), "{all}");
}

#[test]
fn one_agent_is_named_by_its_place_wherever_it_is() {
    let (mut near, mut far) = (Machine::new(), Machine::new());
    near.start("default", "here");
    near.start("work", "job@box");
    far.start("default", "here");
    near.settings(&format!("hosts:\n{}", far.as_host("box")));
    let where_is = |target: &str| {
        let (_, stdout, stderr) = near.says(&["check", target, "--json"]);
        let agent: serde_json::Value = serde_json::from_str(&stdout).unwrap_or_default();
        if agent.is_null() { stderr } else { names(&serde_json::json!([agent])).remove(0) }
    };
    let target = |text: &str| near.json(&["check", text, "--json"])["target"].as_str().unwrap_or("-").to_owned();
    assert_eq!(where_is("here@box"), "box default -");
    assert_eq!(where_is("%0@box/default"), "box default -");
    assert_eq!(where_is("here"), "- default -");
    assert_eq!(target("%0@/work"), "job@box:0.0");
    // A session may be called as a place is.
    assert_eq!(target("job@box:0.0@/work"), "job@box:0.0");
    assert!(
        where_is("nobody@box").contains("no agent at 'nobody'; there are here:0.0@box"),
        "{}",
        where_is("nobody@box")
    );
    let (code, _, stderr) = near.says(&["check", "here", "--all"]);
    assert!(code == 1 && stderr.contains("could be here:0.0, here:0.0@box"), "{stderr}");
    let (code, stdout, stderr) = near.says(&["check", "here:0.0", "--host", "box"]);
    assert!(code == 0 && stdout.contains("Target: here:0.0@box (%0)"), "{stdout}{stderr}");
    assert_eq!(near.says(&["check", "here@box", "--all"]).0, 2);
}

#[test]
fn it_is_waited_for_whoever_is_first_wherever_it_is() {
    let (mut near, mut far) = (Machine::new(), Machine::new());
    near.start("default", "here");
    far.start("default", "there");
    let slow = "  - { name: slow, connect: [sleep, '600'] }\n";
    near.settings(&format!("hosts:\n{}{slow}", far.as_host("box")));
    let (code, _, stderr) = near.says(&["agents", "--all", "--wait", "waiting", "--timeout", "1"]);
    assert!(code == 1 && stderr.contains("no agent was waiting within 1 s"), "{stderr}");
    let mut waiting = near.command(&["agents", "--all", "--wait", "waiting", "--timeout", "60", "--json"]);
    let waiting = waiting.stdout(std::process::Stdio::piped()).spawn().unwrap();
    wait_for("an engine there", PATIENCE, || far.says(&["status"]).0 == 0);
    let started = Instant::now();
    far.shows("default", "asks", ASKS);
    let output = waiting.wait_with_output().unwrap();
    let all: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(output.status.success() && started.elapsed() < Duration::from_secs(30));
    assert_eq!(names(&all["agents"]), ["box default asks"], "{all}");
}

#[test]
fn the_longest_wait_of_all_is_gone_to_and_then_the_next() {
    let (mut near, mut far) = (Machine::new(), Machine::new());
    near.start("default", "here");
    far.start("default", "there");
    near.settings(&format!("servers: [all]\nhosts:\n{}", far.by_ssh("box", &near)));
    let asks = far.shows("default", "asks", ASKS);
    let waits = || far.json(&["agents", "--json", "--state", "waiting"])["agents"].as_array().unwrap().len();
    wait_for("its question", PATIENCE, || waits() == 1);
    let socket = near.socket("default").display().to_string();
    let terminal = Terminal::run(&near.server, &["tmux", "-f", "/dev/null", "-S", &socket, "attach"], 100, 30, &[]);
    terminal.wait_text("[here]");
    let next = || {
        let output = near.command(&["next", "--all"]).env("TMUX", format!("{socket},1,0")).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        format!("{}{}", text(output.stdout), text(output.stderr))
    };
    assert_eq!(next(), format!("now at {asks} on box\n"));
    terminal.wait_text("Do you want to proceed?");
    near.shows("default", "also", ASKS);
    let here = || near.json(&["agents", "--json", "--state", "waiting"])["agents"].as_array().unwrap().len();
    wait_for("the second question", PATIENCE, || here() == 1);
    assert_eq!(next(), "now at also:0.0\n");
    assert_eq!(next(), format!("now at {asks} on box\n"), "and again from the first");
    assert!(near.says(&["next", "--all", "--state", "error"]).2.contains("no agent is error"));
}

#[test]
fn frames_and_counts_are_of_all_servers() {
    let (mut near, mut far) = (Machine::new(), Machine::new());
    near.start("default", "here");
    near.start("work", "job");
    far.start("default", "there");
    near.settings(&format!("servers: [all]\nhosts:\n{}", far.as_host("box")));
    let (code, stdout, stderr) = near.says(&["perf", "watch", "--once", "--all"]);
    assert!(code == 0 && stdout.matches("=== TMux Orchestrator").count() == 3, "{stdout}{stderr}");
    for name in ["## ·\n", "## work\n", "## box\n"] {
        assert!(stdout.contains(name), "{name}: {stdout}");
    }
    // Until the reader goes away.
    let mut child = near.command(&["--all", "--json"]).stdout(std::process::Stdio::piped()).spawn().unwrap();
    let mut lines = std::io::BufRead::lines(std::io::BufReader::new(child.stdout.take().unwrap()));
    let mut seen = std::collections::BTreeSet::new();
    while seen.len() < 3 {
        let line: serde_json::Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
        seen.insert(format!("{} {}", line["host"], line["name"]));
    }
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), ["\"box\" \"default\"", "null \"default\"", "null \"work\""]);
    drop(lines);
    wait_for("its end", PATIENCE, || child.try_wait().unwrap().is_some());
    // Two engines, each with an agent that asks.
    for name in ["default", "work"] {
        near.shows(name, "asks", ASKS);
        assert_eq!(near.says(&["-L", name, "monitor", "start"]).0, 0);
    }
    wait_for("one here", PATIENCE, || near.says(&["statusline", "--plain"]).1.contains("1 waiting"));
    wait_for("both", PATIENCE, || near.says(&["statusline", "--plain", "--all"]).1.contains("2 waiting"));
}

#[test]
fn a_host_that_hangs_costs_the_others_nothing_but_a_bounded_wait() {
    let mut near = Machine::new();
    near.start("default", "here");
    near.settings("hosts:\n  - { name: hung, connect: [sleep, '600'] }\n  - { name: also, connect: [sleep, '600'] }\n");
    let started = Instant::now();
    let (code, stdout, _) = near.says(&["agents", "--all"]);
    assert!(code == 0 && stdout.contains("here:0.0"), "{stdout}");
    assert!(stdout.contains("hung did not answer: ") && stdout.contains("also did not answer: "), "{stdout}");
    assert!(started.elapsed() < Duration::from_secs(25), "one after the other: {:?}", started.elapsed());
}
