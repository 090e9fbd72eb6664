//! Writes to quiet panes are notified without a probe, and those that cannot be are found all the same.

use tmux_orc::monitor::{AgentState, EngineSettings, Snapshot};

use super::{Watching, agent, fake_claude, show, support::TmuxServer, switch};

/// More turns than it takes until a pane was at rest when it wrote.
#[cfg(target_os = "linux")]
const TURNS: u32 = 20;

async fn turn(watching: &mut Watching, server: &TmuxServer, pane: &str) -> u64 {
    watching.until("it rests", |s| agent(s, pane).is_some_and(|a| a.state == AgentState::Idle)).await;
    switch(server, pane, "permission");
    let asks = watching.until("it asks", |s| agent(s, pane).is_some_and(|a| a.state == AgentState::Waiting)).await;
    switch(server, pane, "idle");
    asks.cycle.heard
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn a_write_to_a_quiet_agent_is_heard_by_adaptive_alone() {
    let server = TmuxServer::start();
    let mut watching = Watching::new(&server, EngineSettings::default());
    let pane = super::claude_window(&server, "w", "idle");
    let mut turns = 0;
    while turn(&mut watching, &server, &pane).await == 0 {
        turns += 1;
        assert!(turns < TURNS, "never heard");
    }
    watching.send(tmux_orc::monitor::Command::Strategy("concurrent".to_owned())).await;
    let before = watching.until("another strategy", |s| s.current_strategy == "concurrent").await.cycle.heard;
    for _ in 0..2 {
        assert_eq!(turn(&mut watching, &server, &pane).await, before, "it reads once an interval and is not woken");
    }
    watching.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_writes_past_its_terminals_file_is_found_by_the_probes() {
    let server = TmuxServer::start();
    let mut watching = Watching::new(&server, EngineSettings::default());
    let script = server.home().join("past.sh");
    let text = "exec >/dev/tty\nstty -echo\nshow() { printf '\\033[2J\\033[H'; cat \"$1\"; }\nshow \"$1\"\n\
                while read -r next; do show \"$next\"; done\n";
    std::fs::write(&script, text).expect("a file");
    let (program, screen) = (fake_claude(&server), show(&server, "idle"));
    let pane = server.window("w", &[&program, &script.display().to_string(), &screen]);
    let mut heard = 0;
    for _ in 0..3 {
        heard = turn(&mut watching, &server, &pane).await;
    }
    assert_eq!(heard, 0);
    watching.end().await;
}

/// An agent may be started in any pane: also a shell's next write is notified.
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn a_write_to_a_shell_is_heard_too() {
    let server = TmuxServer::start();
    let mut watching = Watching::new(&server, EngineSettings::default());
    let mut cycles =
        watching.until("the first cycles", |s| s.base_status.cycle_count > 8).await.base_status.cycle_count;
    for turn in 0.. {
        server.run(&["send-keys", "-t", "main:0", "echo hello", "Enter"]);
        // Long enough for the pane to be at rest again.
        let seen = watching.until("it to rest", |s| s.base_status.cycle_count > cycles + 8).await;
        // The first one may be heard because every pane is read once.
        if seen.cycle.heard > 1 {
            break;
        }
        cycles = seen.base_status.cycle_count;
        assert!(turn < TURNS, "never heard");
    }
    watching.end().await;
}

/// A program that redraws its screen ten times a second while it works, and shows another screen when one is typed.
#[cfg(target_os = "linux")]
fn busy_window(server: &TmuxServer) -> String {
    let script = server.home().join("busy.sh");
    let text = r#"stty -echo
next=$1 n=0 part=
while :; do
  limit=60
  case $next in
    *working) printf '\033[H\033[2J'; cat "$next"; printf '%s' $((n += 1)); limit=0.1 ;;
    "$shown") ;;
    *) printf '\033[H\033[2J'; cat "$next" ;;
  esac
  shown=$next
  # What was read of a line when the time was over is its beginning.
  if read -r -t $limit typed; then next=$part$typed part=; else part=$part$typed; fi
done
"#;
    std::fs::write(&script, text).expect("a file");
    server.window("busy", &[&fake_claude(server), &script.display().to_string(), &show(server, "working")])
}

/// What a busy agent goes on to draw is followed, and what it asks breaks the rhythm of that.
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn a_request_of_a_busy_agent_breaks_the_rhythm_of_its_writes() {
    let server = TmuxServer::start();
    let mut watching = Watching::new(&server, EngineSettings::default());
    let pane = busy_window(&server);
    for turn in 0.. {
        let works = |s: &Snapshot| agent(s, &pane).is_some_and(|a| a.state == AgentState::Working);
        watching.until("it works and is followed", |s| works(s) && s.cycle.rhythm.followed > 0).await;
        let cycles = watching.until("a cycle", |_| true).await.base_status.cycle_count;
        watching.until("more of them", |s| s.base_status.cycle_count > cycles + 3).await;
        switch(&server, &pane, "permission");
        let asks = |s: &Snapshot| agent(s, &pane).is_some_and(|a| a.state == AgentState::Waiting);
        // The read that is made each second may see it first.
        let rhythm = watching.until("it asks", asks).await.cycle.rhythm;
        watching.until("it rests", |s| s.cycle.rhythm.followed == 0).await;
        if rhythm.breaks > rhythm.false_breaks {
            break;
        }
        assert!(turn < TURNS, "its rhythm never told: {rhythm:?}");
        switch(&server, &pane, "working");
    }
    watching.end().await;
}
