//! The verbs that report, on real panes: what they print, what they return, with and without an engine.

use std::{collections::BTreeSet, io::Write, path::PathBuf, time::Duration};

use serde_json::Value;
use tmux_orc::{
    app::demo::{Fleet, Plan, scripts},
    monitor::AgentState,
};

use super::support::{PATIENCE, Program, TmuxServer, Watched, tmux_orc, wait_for, wait_some};

/// Quiet agents: one that waits for a permission, one that is idle.
pub struct Two {
    pub fleet: Fleet,
    pub waiting: String,
    pub idle: String,
}

impl Two {
    pub fn start() -> Self {
        let plan = Plan { program: PathBuf::from(Program::PATH), hold: true, ..Plan::new(1) };
        let scene = |state, kind: Option<&str>| {
            let fits = |scene: &tmux_orc::app::demo::Scene| scene.state == state && scene.kind.as_deref() == kind;
            scripts()["claude"].scenes.iter().position(fits).expect("a scene of this state")
        };
        let mut fleet = Fleet::empty(&plan).expect("a fleet");
        let waiting = fleet.add(&plan, "claude", scene(AgentState::Waiting, Some("permission"))).expect("a pane");
        let idle = fleet.add(&plan, "claude", scene(AgentState::Idle, None)).expect("a pane");
        let two = Self { fleet, waiting, idle };
        wait_for("both agents", PATIENCE, || {
            let states: BTreeSet<String> = two.agents(&[]).iter().map(|agent| text(agent, "state")).collect();
            states == BTreeSet::from(["idle".to_owned(), "waiting".to_owned()])
        });
        two
    }

    pub fn agents(&self, args: &[&str]) -> Vec<Value> {
        let json = self.fleet.orc(&[&["agents", "--json"], args].concat()).json();
        assert_eq!(json["schema"], 1);
        assert_eq!(json["server"]["socket"], self.fleet.server().socket().display().to_string());
        json["agents"].as_array().expect("a list").clone()
    }

    /// Exit code, standard output, standard error.
    pub fn orc(&self, args: &[&str]) -> (i32, String, String) {
        let output = self.fleet.orc(args).output();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
        (output.status.code().unwrap_or(-1), text(output.stdout), text(output.stderr))
    }
}

impl Drop for Two {
    fn drop(&mut self) {
        let _ = self.fleet.orc(&["monitor", "stop"]).output();
    }
}

pub fn text(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap_or_default().to_owned()
}

#[test]
fn agents_lists_filters_and_waits() {
    let two = Two::start();
    let (code, stdout, stderr) = two.orc(&["agents"]);
    assert_eq!(code, 0, "{stderr}");
    let lines: Vec<&str> = stdout.lines().collect();
    assert!(lines[0].starts_with("STATE"), "{stdout}");
    assert!(
        lines[1].starts_with("waiting (permission)") && lines[1].contains(&two.waiting),
        "needs-you first: {stdout}"
    );
    assert!(lines[2].starts_with("idle") && lines[2].contains(&two.idle), "{stdout}");
    let (_, same, _) = two.orc(&["ls"]);
    assert_eq!(same.lines().count(), 3);

    assert_eq!(two.agents(&["--state", "waiting,error"]).len(), 1);
    let (code, stdout, _) = two.orc(&["agents", "--state", "working"]);
    assert_eq!((code, stdout.as_str()), (0, "No agent is in such a state.\n"));
    let (code, _, stderr) = two.orc(&["agents", "--state", "bored"]);
    assert!(code == 2 && stderr.contains("there are waiting, error"), "{stderr}");

    assert_eq!(two.agents(&["--wait", "waiting"])[0]["pane_id"], two.waiting);
    let (code, _, stderr) = two.orc(&["agents", "--wait", "working", "--timeout", "0.3"]);
    assert!(code == 1 && stderr.contains("no agent was working within 0.3 s"), "{stderr}");

    let profiles = two.fleet.orc(&["agents", "profiles", "--json"]).json();
    let names: Vec<String> = profiles["profiles"].as_array().unwrap().iter().map(|p| text(p, "name")).collect();
    assert!(["claude", "codex", "gemini"].iter().all(|name| names.iter().any(|n| n == name)), "{names:?}");
}

#[test]
fn check_tells_the_health_of_one_agent() {
    let two = Two::start();
    for engine in [false, true] {
        if engine {
            assert_eq!(two.orc(&["monitor", "start"]).0, 0);
        }
        let check = two.fleet.orc(&["check", &two.idle, "--json"]).json();
        let expected = [("status", "healthy"), ("pane_id", two.idle.as_str()), ("state", "idle"), ("agent", "claude")];
        for (name, value) in expected {
            assert_eq!(check[name], value, "{check}");
        }
        assert_eq!((&check["responsive"], &check["idle"]), (&Value::Bool(true), &Value::Bool(true)));
        let by_place = two.fleet.orc(&["check", &text(&check, "target")]).stdout();
        for line in ["Status: healthy", "Responsive: yes", "Idle: yes", "Agent: claude"] {
            assert!(by_place.lines().any(|l| l == line), "{line} is missing:\n{by_place}");
        }
    }
    let (code, _, stderr) = two.orc(&["check", "%999"]);
    assert!(code == 1 && stderr.contains("no agent at '%999'; there are extra:0.0, extra:1.0"), "{stderr}");
    let (code, _, stderr) = two.orc(&["check", "extra"]);
    assert!(code == 1 && stderr.contains("'extra' could be extra:0.0, extra:1.0"), "{stderr}");
}

#[test]
fn why_names_the_rule_and_saves_a_fixture() {
    let two = Two::start();
    let file = two.fleet.dir().join("screen.fixture");
    let (code, stdout, stderr) = two.orc(&["why", &two.waiting, "--save", file.to_str().unwrap()]);
    assert_eq!(code, 0, "{stderr}");
    assert!(stdout.contains("claude is waiting (permission)"), "{stdout}");
    assert!(stdout.contains("decided by") && stdout.contains("Rules, in order"), "{stdout}");
    let saved = std::fs::read_to_string(&file).unwrap();
    let fixtures = tmux_orc::monitor::detect::fixture::Fixture::parse_all(&saved).expect("reads back");
    assert_eq!((fixtures.len(), fixtures[0].states[0].as_str()), (1, "waiting"));
    assert!(stdout.contains("Its label is `expect: waiting permission`"), "{stdout}");
    // No engine ran, and still the file is right as it is.
    let (code, stdout, stderr) = two.orc(&["agents", "profiles", "test", file.to_str().unwrap()]);
    assert_eq!((code, stdout.as_str()), (0, "1 of 1 screens are judged as their labels say\n"), "{stderr}");
    let json = two.fleet.orc(&["why", &two.waiting, "--json"]).json();
    assert_eq!(json["verdict"]["state"], "waiting");
    let (code, _, stderr) = two.orc(&["why", "nowhere:7"]);
    assert!(code == 1 && stderr.contains("no pane at 'nowhere:7'"), "{stderr}");
}

#[test]
fn an_agent_that_is_newer_than_its_profile_is_named_in_the_list_of_profiles() {
    let two = Two::start();
    let list = || two.fleet.orc(&["agents", "profiles", "--json"]).json();
    let newer = |list: &Value| {
        let profile = list["profiles"].as_array().unwrap().iter().find(|profile| profile["name"] == "claude").unwrap();
        profile["newer"].clone()
    };
    assert_eq!(newer(&list()), Value::Array(Vec::new()), "its version does not show");
    // The number of the first answer is taken for the version.
    let profile = "name: claude\nversions: ['0.5']\nrecognise: { names: [claude] }\n\
                   extract:\n  - { what: version, in: screen, line: '(\\d)\\. Yes', top: true }\n";
    let agents = two.fleet.dir().join("orc/agents");
    std::fs::create_dir_all(&agents).unwrap();
    std::fs::write(agents.join("claude.yaml"), profile).unwrap();
    let found = newer(&list());
    assert_eq!(
        (found.as_array().unwrap().len(), &found[0]["pane_id"]),
        (1, &Value::from(two.waiting.as_str())),
        "{found}"
    );
    let (code, said, stderr) = two.orc(&["agents", "profiles"]);
    assert_eq!(code, 0, "{stderr}");
    assert!(said.contains("runs claude 1, newer than 0.5, the newest checked"), "{said}");
    assert!(said.contains(&format!("`tmux-orc why {} --save FILE`", two.waiting)), "{said}");
    // Without a server the list is the same, and nothing is known of agents.
    let home = tempfile::tempdir().unwrap();
    let (code, alone, stderr) = tmux_orc(home.path(), &["-S", "/nowhere/tmux.sock", "agents", "profiles", "--json"]);
    assert_eq!(code, 0, "{stderr}");
    assert_eq!(newer(&serde_json::from_str(&alone).unwrap()), Value::Null);
}

#[test]
fn a_place_that_begins_with_a_dash_is_a_place() {
    let server = TmuxServer::start();
    server.run(&["new-session", "-d", "-s", "-odd", "sleep 600"]);
    let why = server.orc(&["why", "-odd:0.0", "--json"]).json();
    assert!(why["pane"].as_str().unwrap().contains("-odd:0.0"), "{why}");
}

#[test]
fn status_and_health_report_the_engine() {
    let two = Two::start();
    assert_eq!(two.orc(&["monitor", "start", "--interval", "0.1", "--strategy", "concurrent"]).0, 0);
    let (code, stdout, stderr) = two.orc(&["status", "--detailed"]);
    assert_eq!(code, 0, "{stderr}");
    for heading in ["=== Async Monitoring Status ===", "=== Connection Pool ===", "=== Cache Performance ==="] {
        assert!(stdout.lines().any(|line| line == heading), "{heading} is missing:\n{stdout}");
    }
    assert!(stdout.contains("Strategy: concurrent") && stdout.contains("Agents: 2 (1 waiting, 1 idle)"), "{stdout}");
    let pool: Vec<&str> = stdout.lines().skip_while(|line| !line.contains("Connection Pool")).take(6).collect();
    assert!(pool.contains(&"Pool size: 20"), "{pool:?}");
    let (_, short, _) = two.orc(&["status"]);
    assert!(!short.contains("Connection Pool"), "{short}");

    let report = two.fleet.orc(&["health", "--json"]).json();
    assert_eq!(report["ok"], true);
    let outcome = |name: &str| {
        let checks = report["checks"].as_array().unwrap();
        checks.iter().find(|check| check["name"] == name).unwrap_or_else(|| panic!("{name} is missing: {report}"))
    };
    for (name, threshold) in [("cycle time", 1.0), ("pool size", 5.0), ("agent_status hit rate", 0.6), ("errors", 10.0)]
    {
        assert_eq!(outcome(name)["threshold"], threshold);
    }
    assert_eq!(two.orc(&["monitor", "restart", "--pool-size", "3"]).0, 0);
    let (code, stdout, _) = two.orc(&["health"]);
    assert!(code == 1 && stdout.contains("✗ FAILED") && stdout.contains("pool size:"), "{stdout}");
    assert!(stdout.contains("insufficient data"), "{stdout}");

    let strategies = two.fleet.orc(&["strategies", "--json"]).json();
    assert_eq!(strategies["current"], "adaptive");
    let names: Vec<String> = strategies["strategies"].as_array().unwrap().iter().map(|s| text(s, "name")).collect();
    assert_eq!(names[..3], ["concurrent", "polling", "adaptive"]);
}

#[test]
fn without_a_server_the_answer_is_exit_code_3() {
    let server = TmuxServer::absent();
    for verb in [
        &["agents"][..],
        &["agents", "--json"],
        &["check", "%0"],
        &["why", "%0"],
        &["perf", "watch", "--once"],
        &["status"],
        &["health"],
    ] {
        let output = server.orc(verb).output();
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(3), "{verb:?}: {stderr}");
        assert!(stderr.starts_with("tmux-orc: no "), "{verb:?}: {stderr}");
    }
}

#[test]
fn hooks_store_what_the_agent_says_and_never_hold_it_up() {
    let server = TmuxServer::start();
    let pane = server.window("agent", &["exec sh"]);
    let orc = |args: &[&str], pane: &str| {
        let tmux = format!("{},0,0", server.socket().display());
        server.orc(args).env("TMUX_PANE", pane).env("TMUX", tmux).output()
    };
    let event = r#"{"hook_event_name":"PermissionRequest","tool_name":"Bash"}"#;
    let output = orc(&["hook", "claude", event], &pane);
    assert!(output.status.success() && output.stdout.is_empty(), "{output:?}");
    let stored = server.run(&["show-options", "-p", "-v", "-t", &pane, "@tmux_orc_hook"]);
    assert!(stored.starts_with("claude waiting permission "), "{stored}");
    for (args, pane) in [(["hook", "claude", "{not json"], pane.as_str()), (["hook", "codex", "{}"], "%99")] {
        let output = orc(&args, pane);
        assert!(output.status.success() && output.stdout.is_empty(), "{output:?}");
    }
    // The event counts when it is whole, also where standard input never ends; and where none comes, the agent goes on.
    for (event, stored) in
        [(r#"{"hook_event_name":"UserPromptSubmit"}"#, Some("claude working - ")), ("", None), ("{", None)]
    {
        server.run(&["set-option", "-p", "-u", "-t", &pane, "@tmux_orc_hook"]);
        let tmux = format!("{},0,0", server.socket().display());
        let mut command = server.orc(&["hook", "claude"]).env("TMUX_PANE", &pane).env("TMUX", tmux).command();
        let mut hook = command.stdin(std::process::Stdio::piped()).spawn().unwrap();
        let mut input = hook.stdin.take().unwrap();
        input.write_all(event.as_bytes()).unwrap();
        // Its own four seconds and a busy machine's.
        let status = wait_some("the hook's end", Duration::from_secs(12), || hook.try_wait().unwrap());
        drop(input);
        assert!(status.success(), "{status}");
        let told = server.run(&["show-options", "-p", "-q", "-v", "-t", &pane, "@tmux_orc_hook"]);
        assert!(stored.map_or(told.is_empty(), |stored| told.starts_with(stored)), "{event}: {told}");
    }
    assert!(server.orc(&["hooks", "show", "claude"]).stdout().contains("tmux-orc hook claude"));
    assert!(server.orc(&["hooks", "show", "codex"]).stdout().contains("notify = "));
}

#[test]
fn saved_screens_are_judged_by_the_profiles_and_each_that_is_wrong_is_named() {
    let home = tempfile::tempdir().unwrap();
    let screens = home.path().join("screens");
    std::fs::create_dir(&screens).unwrap();
    let screen = |name: &str, expect: &str, row: &str| {
        format!(
            "=== {name}\nexpect: {expect}\nagent: hal\npane: command=hal size=60x4 cursor=shown@1,3 alternate=off\n\
             process: 0 7 S+ \"hal\" [\"hal\"]\nscreen:\n|{row}\n"
        )
    };
    std::fs::write(screens.join("one.txt"), screen("ready.60x4", "idle *", "hal> ")).unwrap();
    let test = |code: i32| {
        let (got, out, err) = tmux_orc(home.path(), &["agents", "profiles", "test", screens.to_str().unwrap()]);
        assert_eq!(got, code, "{out}{err}");
        out
    };
    assert!(test(1).contains("one.txt ready.60x4: no agent, expected idle *"), "no profile of that name yet");
    let agents = home.path().join("agents");
    std::fs::create_dir_all(&agents).unwrap();
    let profile =
        "name: hal\nrecognise: { names: [hal] }\nrules:\n  - { id: prompt, state: idle, in: screen, line: '^hal>' }\n";
    std::fs::write(agents.join("hal.yaml"), profile).unwrap();
    assert!(test(0).contains("1 of 1 screens"), "a profile is mended without a build");
    std::fs::write(screens.join("two.txt"), screen("asks.60x4", "waiting question", "hal> ")).unwrap();
    let said = test(1);
    assert!(
        said.contains("two.txt asks.60x4: hal idle -, expected waiting question") && said.contains("1 of 2"),
        "{said}"
    );
    // A rule is broken: it is named, and why it does not hold.
    std::fs::write(agents.join("hal.yaml"), profile.replace("^hal>", "^hall>")).unwrap();
    let said = test(1);
    assert!(said.contains("one.txt ready.60x4: hal unknown -, expected idle * [no rule held]"), "{said}");
    assert!(said.contains("    hal/prompt in screen") && said.contains("nothing matches `^hall>`"), "{said}");
}
