//! What agents spend, out of the transcripts that they write while they run.

use std::{
    fs::{self, OpenOptions},
    io::Write,
    path::PathBuf,
};

use tmux_orc::monitor::{Agent, EngineSettings, Tokens, UsageSettings};

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
