//! Files of other programs, and a user's own: whatever stands at their paths, nothing hangs and nothing is believed.

use std::{fs, os::unix::fs::symlink, process::Command, time::Duration};

use tmux_orc::monitor::{AgentState, CacheSettings, EngineSettings, Source};

use super::{Watching, agent, fake_claude, quick, show, support::TmuxServer, write_once};

/// A `claude` at its prompt, and what its script makes of its session file first: `$file` is the path, `$said` a word
/// that says `waiting` and names this very process.
fn with_session(server: &TmuxServer, name: &str, make: &str) -> String {
    let screen = show(server, "idle");
    let folder = server.home().join(name);
    fs::create_dir_all(folder.join("sessions")).unwrap();
    let script = server.home().join(format!("{name}.sh"));
    write_once(
        &script,
        &format!(
            "stty -echo; file=$CLAUDE_CONFIG_DIR/sessions/$$.json
said='{{\"pid\":'$$',\"status\":\"waiting\",\"waitingFor\":\"permission prompt\"}}'
{make}
cat {screen}; while read -r next; do :; done\n"
        ),
    );
    let variable = format!("CLAUDE_CONFIG_DIR={}", folder.display());
    let program = fake_claude(server);
    server.run(&[
        "new-window",
        "-d",
        "-P",
        "-F",
        "#{pane_id}",
        "-n",
        name,
        "-t",
        "main:",
        "-e",
        &variable,
        &program,
        &script.display().to_string(),
    ])
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_session_file_that_is_one_is_believed_and_none_holds_the_engine_up() {
    let server = TmuxServer::start();
    let good = with_session(&server, "good", "printf %s \"$said\" > $file");
    let elsewhere = server.home().join("elsewhere").display().to_string();
    let bad = [
        ("fifo", "mkfifo $file".to_owned()),
        ("link", format!("printf %s \"$said\" > {elsewhere}.$$; ln -s {elsewhere}.$$ $file")),
        ("device", "ln -s /dev/zero $file".to_owned()),
        ("terminal", "ln -s $(tty) $file".to_owned()),
        ("folder", "mkdir $file".to_owned()),
        ("huge", "truncate -s 1G $file".to_owned()),
        ("other", "printf %s \"$said\" | sed 's/pid\":/&1/' > $file".to_owned()),
    ];
    let bad: Vec<String> = bad.iter().map(|(name, make)| with_session(&server, name, make)).collect();
    let mut watching = Watching::new(&server, quick());
    let seen = watching
        .until("all", |s| {
            s.agents.len() == bad.len() + 1
                && s.agents.iter().all(|a| matches!(a.state, AgentState::Idle | AgentState::Waiting))
        })
        .await;
    let told = agent(&seen, &good).unwrap();
    assert_eq!((told.state, told.evidence.source), (AgentState::Waiting, Source::File), "{told:#?}");
    for pane in &bad {
        let found = agent(&seen, pane).unwrap();
        assert_eq!((found.state, found.evidence.source), (AgentState::Idle, Source::Screen), "{found:#?}");
    }
    // It goes on, and one who asks without it is not held up either.
    let count = seen.base_status.cycle_count;
    watching.until("more cycles", |s| s.base_status.cycle_count > count + 3).await;
    for pane in &bad {
        let why = server.orc(&["why", pane]).stdout();
        assert!(why.contains("claude is idle"), "{why}");
    }
    watching.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_profile_that_comes_while_its_program_runs_is_applied_to_it() {
    let server = TmuxServer::start();
    let folder = server.home().join("agents");
    fs::create_dir(&folder).unwrap();
    let program = server.home().join("hal");
    symlink("/bin/bash", &program).unwrap();
    let pane = server.window("hal", &[program.to_str().unwrap(), "-c", "printf 'open the door? [y/n]'; read -r x"]);
    let cache = CacheSettings { ttl: Duration::from_millis(200), ..EngineSettings::default().cache };
    let mut watching = Watching::new(&server, EngineSettings { agents_dir: Some(folder.clone()), cache, ..quick() });
    watching.until("a cycle", |s| s.base_status.cycle_count > 2).await;
    let profile = |state: &str| {
        format!(
            "name: hal\nrecognise: {{ names: [hal] }}\nrules:\n  - {{ id: door, state: {state}, last: 'open the door' }}\n"
        )
    };
    fs::write(folder.join("hal.yaml"), profile("waiting")).unwrap();
    watching
        .until("it is known", |s| agent(s, &pane).is_some_and(|a| a.agent == "hal" && a.state == AgentState::Waiting))
        .await;
    fs::write(folder.join("hal.yaml"), profile("limited")).unwrap();
    watching.until("it is judged anew", |s| agent(s, &pane).is_some_and(|a| a.state == AgentState::Limited)).await;
    // A pipe in the folder is a mistake that is told, and holds nothing up.
    assert!(Command::new("mkfifo").arg(folder.join("pipe.yaml")).status().unwrap().success());
    let told = watching.until("the problem", |s| s.notes.iter().any(|n| n.contains("pipe.yaml"))).await;
    assert!(agent(&told, &pane).is_some());
    fs::remove_file(folder.join("pipe.yaml")).unwrap();
    fs::remove_file(folder.join("hal.yaml")).unwrap();
    watching.until("it is none any more", |s| agent(s, &pane).is_none()).await;
    watching.end().await;
}
