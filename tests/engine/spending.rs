//! What agents spend, out of the transcripts that they write while they run.

use std::{
    fs::{self, OpenOptions},
    io::Write,
    path::PathBuf,
};

use tmux_orc::monitor::{Account, Agent, EngineSettings, EventKind, Memory, Snapshot, Tokens, UsageSettings};

use super::{Watching, agent, fake_claude, quick, show, support::TmuxServer, write_once};

/// A `claude` at its prompt, which says which session it has and writes a dot for each line that it is sent.
struct Spender {
    pane: String,
    file: PathBuf,
}

impl Spender {
    fn start(server: &TmuxServer, name: &str) -> Self {
        Self::start_in(server, name, name, &format!(r#",{Q}sessionId{Q}:{Q}{name}{Q}"#, Q = r#"\""#))
    }

    /// In a folder of others, and it does not say which session it has.
    fn start_among(server: &TmuxServer, name: &str) -> Self {
        Self::start_in(server, name, "shared", "")
    }

    fn start_in(server: &TmuxServer, name: &str, folder: &str, session: &str) -> Self {
        let screen = show(server, "idle");
        let folder = server.home().join(folder);
        fs::create_dir_all(folder.join("sessions")).unwrap();
        fs::create_dir_all(folder.join("projects/-p")).unwrap();
        let script = server.home().join(format!("{name}.sh"));
        let said = format!(r#"{{\"pid\":$$,\"status\":\"idle\"{session}}}"#);
        write_once(
            &script,
            &format!(
                "stty -echo\nprintf %s \"{said}\" > $CLAUDE_CONFIG_DIR/sessions/$$.json
cat {screen}; while read -r next; do printf .; done\n"
            ),
        );
        let variable = format!("CLAUDE_CONFIG_DIR={}", folder.display());
        let (program, script) = (fake_claude(server), script.display().to_string());
        let new = ["new-window", "-d", "-P", "-F", "#{pane_id}", "-n", name, "-t", "main:", "-e"];
        let pane = server.run(&[&new[..], &[&variable, &program, &script]].concat());
        Self { pane, file: folder.join(format!("projects/-p/{name}.jsonl")) }
    }

    /// Appends to its transcript, and lets it write.
    fn writes(&self, server: &TmuxServer, text: &str) {
        let mut file = OpenOptions::new().create(true).append(true).open(&self.file).unwrap();
        file.write_all(text.as_bytes()).unwrap();
        server.keys(&self.pane, &["x", "Enter"]);
    }
}

fn prompt() -> &'static str {
    "{\"type\":\"user\",\"isSidechain\":false,\"timestamp\":\"2026-11-20T10:00:00Z\",\"message\":{\"role\":\"user\",\"content\":\"go\"}}\n"
}

fn spent(id: u32, input: u64, output: u64, cached: u64) -> String {
    format!(
        "{{\"type\":\"assistant\",\"isSidechain\":false,\"requestId\":\"r{id}\",\"timestamp\":\"2026-11-20T10:00:01Z\",\"message\":{{\"id\":\"m{id}\",\"model\":\"claude-x\",\"content\":[],\"usage\":{{\"input_tokens\":{input},\"output_tokens\":{output},\"cache_read_input_tokens\":{cached},\"cache_creation_input_tokens\":0}}}}}}\n"
    )
}

fn session(agent: &Agent) -> Option<(u64, u64, u64)> {
    let Tokens { input_tokens, output_tokens, cache_read_tokens, .. } = agent.tokens.session?;
    Some((input_tokens, output_tokens, cache_read_tokens))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_agent_spends_is_told_while_it_works() {
    let server = TmuxServer::start();
    let one = Spender::start(&server, "one");
    let mut watching = Watching::new(&server, quick());
    watching.until("the agent", |s| agent(s, &one.pane).is_some()).await;
    one.writes(&server, &format!("{}{}", prompt(), spent(1, 10, 20, 3000)));
    let seen = watching.until("tokens", |s| agent(s, &one.pane).and_then(session) == Some((10, 20, 3000))).await;
    let found = agent(&seen, &one.pane).unwrap();
    assert_eq!((found.model.as_deref(), found.turns), (Some("claude-x"), Some(1)));
    assert_eq!((found.tokens.context_used, found.tokens.context_window), (Some(3010), None));
    assert_eq!((found.tokens.today, found.cost_usd), (Some(Tokens::default()), None), "it was another day");
    // The same message in another line counts once, a line that is not whole not yet.
    let more = spent(2, 1, 2, 4000);
    one.writes(&server, &format!("{}{}{}", spent(1, 10, 20, 3000), prompt(), &more[..50]));
    watching.until("a turn", |s| agent(s, &one.pane).is_some_and(|a| a.turns == Some(2))).await;
    one.writes(&server, &format!("{}no record\n", &more[50..]));
    let seen = watching.until("more", |s| agent(s, &one.pane).and_then(session) == Some((11, 22, 7000))).await;
    let found = agent(&seen, &one.pane).unwrap();
    assert_eq!(found.tokens.turn.map(|turn| turn.total()), Some(4003));
    // Written anew, as a program does that repairs its file: what was counted before counts no more.
    fs::write(&one.file, format!("{}{}", prompt(), spent(9, 5, 5, 5))).unwrap();
    server.keys(&one.pane, &["x", "Enter"]);
    watching.until("the new one", |s| agent(s, &one.pane).and_then(session) == Some((5, 5, 5))).await;
    watching.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_read_of_those_that_the_settings_leave_out() {
    let server = TmuxServer::start();
    let one = Spender::start(&server, "one");
    one.writes(&server, &spent(1, 10, 20, 3000));
    let usage = UsageSettings { enabled: true, programs: vec!["codex".to_owned()] };
    let mut watching = Watching::new(&server, EngineSettings { usage, ..quick() });
    let seen = watching.until("the agent", |s| agent(s, &one.pane).is_some()).await;
    let count = seen.base_status.cycle_count;
    one.writes(&server, &spent(2, 10, 20, 3000));
    let seen = watching.until("more cycles", |s| s.base_status.cycle_count > count + 20).await;
    assert_eq!(agent(&seen, &one.pane).and_then(session), None);
    watching.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_transcript_of_an_agent_at_rest_is_not_read() {
    let server = TmuxServer::start();
    let one = Spender::start(&server, "one");
    let mut watching = Watching::new(&server, quick());
    one.writes(&server, &spent(1, 10, 20, 3000));
    let mut seen = watching.until("tokens", |s| agent(s, &one.pane).and_then(session).is_some()).await;
    // It wrote a moment ago: more may follow for some seconds.
    for _ in 0..2 {
        let (since, five) = (seen.timestamp, jiff::SignedDuration::from_secs(5));
        seen = watching.until("five seconds of cycles", |s| s.timestamp.duration_since(since) > five).await;
        OpenOptions::new().append(true).open(&one.file).unwrap().write_all(spent(2, 1, 1, 1).as_bytes()).unwrap();
    }
    let count = seen.base_status.cycle_count;
    let seen = watching.until("more cycles", |s| s.base_status.cycle_count > count + 25).await;
    assert_eq!(agent(&seen, &one.pane).and_then(session), Some((10, 20, 3000)), "it wrote nothing to its terminal");
    server.keys(&one.pane, &["x", "Enter"]);
    watching.until("what was written", |s| agent(s, &one.pane).and_then(session) == Some((11, 21, 3001))).await;
    watching.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_agent_of_the_folder_wrote_is_not_shown_even_after_its_end() {
    let server = TmuxServer::start();
    let (one, two) = (Spender::start_among(&server, "one"), Spender::start_among(&server, "two"));
    let folder = server.run(&["display-message", "-p", "-t", &one.pane, "#{pane_current_path}"]);
    let mut watching = Watching::new(&server, quick());
    watching.until("both", |s| agent(s, &one.pane).is_some() && agent(s, &two.pane).is_some()).await;
    let here = |text: &str| text.replace("\"timestamp\"", &format!("\"cwd\":\"{}\",\"timestamp\"", folder.trim()));
    two.writes(&server, &here(&format!("{}{}", prompt(), spent(2, 1, 2, 3))));
    let unsure = |pane: &str, s: &tmux_orc::monitor::Snapshot| {
        agent(s, pane).is_some_and(|a| a.usage_source.as_ref().is_some_and(|why| why.contains("several agents")))
    };
    watching.until("nobody's", |s| unsure(&two.pane, s)).await;
    server.run(&["kill-pane", "-t", &two.pane]);
    watching.until("the end of the other", |s| agent(s, &two.pane).is_none()).await;
    server.keys(&one.pane, &["x", "Enter"]);
    let seen = watching.until("still nobody's", |s| agent(s, &two.pane).is_none() && unsure(&one.pane, s)).await;
    assert_eq!(agent(&seen, &one.pane).and_then(session), None);
    watching.end().await;
}

/// What Claude Code would tell its status line of a session: how much of its five hours is used.
fn status_line(server: &TmuxServer, session: &str, used: f64) {
    let end = jiff::Timestamp::now().as_second() / 3600 * 3600 + 7200;
    let text = format!(
        r#"{{"session_id":"{session}","model":{{"id":"claude-x[1m]"}},"cost":{{"total_cost_usd":1.25}},
        "context_window":{{"context_window_size":1000000,"current_usage":{{"input_tokens":400000}}}},
        "rate_limits":{{"five_hour":{{"used_percentage":{used},"resets_at":{end}}}}}}}"#
    );
    let mut command = server.orc(&["hook", "statusline"]).command();
    let mut child = command.stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::null()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    assert!(child.wait().unwrap().success());
}

fn limits_told(snapshot: &Snapshot) -> Vec<u8> {
    let percent = |what: &EventKind| match what {
        EventKind::Limit { percent, .. } => Some(*percent),
        _ => None,
    };
    snapshot.events.iter().filter_map(|event| percent(&event.what)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_status_line_was_told_joins_its_agent_and_its_account() {
    let server = TmuxServer::start();
    let (one, two) = (Spender::start(&server, "one"), Spender::start(&server, "two"));
    let folder = server.home().join("orc/run/status-lines");
    let settings = EngineSettings { status_lines: Some(folder.clone()), ..quick() };
    status_line(&server, "one", 61.0);
    assert!(folder.join("one.json").exists(), "where the engine looks for it");
    let mut watching = Watching::new(&server, settings.clone());
    one.writes(&server, &spent(1, 10, 20, 3000));
    let used = |s: &Snapshot| s.accounts.first().map(|account| account.limits[0].used_percent);
    let seen = watching.until("the limit", |s| used(s) == Some(61.0)).await;
    let found = agent(&seen, &one.pane).unwrap();
    assert_eq!((found.tokens.context_used, found.tokens.context_window), (Some(400_000), Some(1_000_000)));
    assert_eq!((found.context_percent, found.cost_usd), (Some(60.0), Some(1.25)));
    assert_eq!((found.model.as_deref(), found.limits.len()), (Some("claude-x[1m]"), 1));
    let Account { program, name, limits } = &seen.accounts[0];
    assert!((program.as_str(), limits[0].minutes) == ("claude", Some(300)) && name.ends_with("/one"), "{name}");
    assert_eq!((seen.accounts.len(), limits_told(&seen)), (1, vec![]));
    let other = agent(&seen, &two.pane).map(|other| (other.limits.len(), other.cost_usd));
    assert_eq!(other, Some((0, None)), "nothing was said of it");
    // It crosses 80 percent, and that is told once.
    for percent in [83.0, 86.0] {
        status_line(&server, "one", percent);
        server.keys(&one.pane, &["x", "Enter"]);
        let seen = watching.until("more of it", |s| used(s) == Some(percent)).await;
        assert_eq!(limits_told(&seen), [80]);
    }
    let last = watching.until("its state", |s| agent(s, &one.pane).is_some()).await;
    watching.end().await;
    // The next engine knows what the one before knew.
    let choice = tmux_orc::tmux::SocketChoice { name: None, path: Some(server.socket().to_owned()) };
    let engine = tmux_orc::monitor::Engine::new(tmux_orc::tmux::Server::resolve(&choice).unwrap(), settings);
    let (handle, task) = engine.remembering(Memory::of(&last)).start().unwrap();
    let mut watching = Watching { handle, task };
    let seen = watching.until("its context", |s| agent(s, &one.pane).is_some_and(|a| a.cost_usd.is_some())).await;
    assert_eq!((used(&seen), limits_told(&seen)), (Some(86.0), vec![]));
    status_line(&server, "one", 97.0);
    server.keys(&one.pane, &["x", "Enter"]);
    let seen = watching.until("more of it", |s| used(s) == Some(97.0)).await;
    assert_eq!(limits_told(&seen), [95]);
    watching.end().await;
}
