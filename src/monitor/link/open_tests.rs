//! Tests of a link with a shell in the place of ssh, which plays each way in which a host fails.

use std::{path::Path, time::Duration};

use super::*;
use crate::monitor::link::acts::ActLost;
use crate::monitor::link::connector::Connector;

const HELLO: &str = r#"echo '{"hello":{"protocol":1,"oldest":1,"version":"0.1.0"}}'; "#;
const MEMBERS: &str = r#"echo '- {"members":[]}'; "#;
/// Answers each question.
const ANSWERS: &str =
    r#"while read -r key json; do case $json in *ping*) n=${json#*:}; echo "- {\"pong\":${n%\}}}";; esac; done"#;

/// Waited out by a failure alone.
const PATIENCE: Duration = Duration::from_secs(60);

fn shell(script: &str) -> HostConfig {
    let words = ["sh", "-c", script].map(str::to_owned).to_vec();
    HostConfig { name: "box".to_owned(), connector: Connector::Command(words), servers: Vec::new(), read_only: false }
}

fn hurried() -> Links {
    let limits = Limits {
        hello: Duration::from_millis(300),
        members: Duration::from_millis(300),
        ping_every: Duration::from_millis(200),
        late: Duration::from_millis(300),
        ..Limits::default()
    };
    Links::within(limits, None, false)
}

async fn wait(host: &LinkedHost, what: &str, good: impl Fn(&LinkState) -> bool) -> LinkState {
    let mut state = host.state();
    let found = tokio::time::timeout(PATIENCE, state.wait_for(good)).await;
    let now = host.state().borrow().clone();
    found.unwrap_or_else(|_| panic!("{what}, but it is {now:?}")).expect("the link lives").clone()
}

/// How a host ends that a script plays.
async fn end_of(script: &str, links: Links) -> LinkState {
    let host = open(shell(script), links);
    wait(&host, script, |state| state.why().is_some()).await
}

fn why(state: &LinkState) -> &str {
    state.why().expect("it is not reached")
}

#[tokio::test]
async fn what_a_shell_prints_before_the_hello_is_passed_over() {
    let script = format!("echo Welcome; echo; printf '\\033[1mhi\\033[0m {{\"hello\":\\n'; {HELLO}{MEMBERS}{ANSWERS}");
    let host = open(shell(&script), Links::new(None, false));
    let up = wait(&host, "it is up", |state| matches!(state, LinkState::Up { rtt: Some(_) })).await;
    assert!(up.is_up() && host.rtt().is_some() && host.last_heard().is_some(), "{up:?}");
    assert_eq!(host.version().as_deref(), Some("0.1.0"));
}

#[tokio::test]
async fn a_shell_that_prints_instead_is_told_by_its_first_line() {
    for script in
        ["echo '[tmux] exec'; sleep 100", "echo '[tmux] exec'; yes x", "echo '[tmux] exec'; head -c 900000 /dev/zero"]
    {
        let state = end_of(script, hurried()).await;
        assert_eq!(why(&state), "its shell prints instead of us: [tmux] exec", "{script}");
    }
}

#[tokio::test]
async fn one_that_says_nothing_or_half_a_hello_is_not_waited_for() {
    for script in ["sleep 100", "printf '{\"hello\":{\"proto'; sleep 100"] {
        let state = end_of(script, hurried()).await;
        assert_eq!(why(&state), "no hello within 0.3 s", "{script}");
    }
    let state = end_of(&format!("{HELLO} sleep 100"), hurried()).await;
    assert_eq!(why(&state), "nothing after its hello within 0.3 s");
}

#[tokio::test]
async fn the_exit_code_and_the_last_words_tell_what_is_the_matter() {
    let links = Links::new(None, false);
    let state = end_of("exit 127", links.clone()).await;
    assert!(matches!(&state, LinkState::NotInstalled { .. }), "{state:?}");
    for (said, login) in [
        ("me@box: Permission denied (publickey).", true),
        ("Host key verification failed.", true),
        ("ssh: connect to host box port 22: Connection timed out", false),
        ("ssh: Could not resolve hostname box: Name or service not known", false),
        ("kex_exchange_identification: Connection closed by remote host", false),
    ] {
        let state = end_of(&format!("echo first >&2; echo '{said}' >&2; exit 255"), links.clone()).await;
        assert_eq!(why(&state), said);
        assert_eq!(matches!(state, LinkState::NeedsLogin { .. }), login, "{state:?}");
    }
    let nowhere = HostConfig { connector: Connector::Command(vec!["/nowhere/at/all".to_owned()]), ..shell("") };
    let state = wait(&open(nowhere, links.clone()), "it cannot start", |state| state.why().is_some()).await;
    assert!(why(&state).starts_with("cannot start /nowhere/at/all: "), "{state:?}");
    let newer = r#"echo '{"hello":{"protocol":9,"oldest":9,"version":"9.9.9"}}'; cat"#;
    let state = end_of(newer, links).await;
    assert!(matches!(&state, LinkState::Incompatible { why, .. } if why.starts_with("9.9.9 there")), "{state:?}");
}

/// Its next try would come minutes later.
#[tokio::test]
async fn a_login_in_any_terminal_is_noticed() {
    let dir = tempfile::tempdir().unwrap();
    let socket = crate::monitor::link::login_socket(dir.path(), "box");
    let script = format!(
        "[ -S {} ] || {{ echo 'Permission denied' >&2; exit 255; }}; {HELLO}{MEMBERS}{ANSWERS}",
        socket.display()
    );
    let host = open(shell(&script), Links::new(Some(dir.path().to_owned()), false));
    wait(&host, "it needs a login", |state| matches!(state, LinkState::NeedsLogin { .. })).await;
    let _left = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    wait(&host, "it is up", LinkState::is_up).await;
}

#[tokio::test]
async fn one_that_falls_silent_is_late_and_then_lost() {
    let links = hurried();
    let host = open(shell(&format!("{HELLO}{MEMBERS} exec sleep 100")), links);
    wait(&host, "it is late", |state| matches!(state, LinkState::Late { .. })).await;
    let state = wait(&host, "it is lost", |state| state.why().is_some()).await;
    assert!(why(&state).starts_with("nothing for "), "{state:?}");
}

#[tokio::test]
async fn one_that_floods_what_is_no_message_is_let_go() {
    let state = end_of(&format!("{HELLO}{MEMBERS} yes"), Links::new(None, false)).await;
    assert_eq!(why(&state), "its shell prints instead of us: y");
    let state =
        end_of(&format!("{HELLO}{MEMBERS} head -c 9000000 /dev/zero; sleep 100"), Links::new(None, false)).await;
    assert!(why(&state).contains("lines of more than"), "{state:?}");
}

#[tokio::test]
async fn one_that_dies_after_its_hello_is_tried_again_and_at_once_when_asked() {
    let dir = tempfile::tempdir().unwrap();
    let log = dir.path().join("log");
    let script = format!("echo x >> {}; {HELLO}{MEMBERS} read -r line; echo gone >&2; exit 1", log.display());
    let host = open(shell(&script), Links::new(None, false));
    let tries = || std::fs::read_to_string(&log).map_or(0, |text| text.lines().count());
    wait(&host, "it falls", |state| matches!(state, LinkState::Down { why, .. } if why == "gone")).await;
    let since = host.state().borrow().since();
    wait_until("it is tried again by itself", || tries() >= 3).await;
    // Each time it was up for a moment.
    assert!(since.is_some());
    let before = tries();
    host.retry();
    wait_until("it is tried again at once", || tries() > before).await;
}

#[tokio::test]
async fn nothing_is_left_of_one_that_is_not_wanted_any_more() {
    let dir = tempfile::tempdir().unwrap();
    let pids = dir.path().join("pids");
    let script = format!("sleep 300 & echo $! > {0}; echo $$ >> {0}; {HELLO}{MEMBERS}{ANSWERS}", pids.display());
    let host = open(shell(&script), Links::new(None, false));
    wait(&host, "it is up", LinkState::is_up).await;
    let pids: Vec<i32> = std::fs::read_to_string(&pids).unwrap().lines().map(|pid| pid.parse().unwrap()).collect();
    assert!(pids.len() == 2 && pids.iter().all(|pid| runs(*pid)));
    drop(host);
    wait_until("both are gone", || pids.iter().all(|pid| !runs(*pid))).await;
}

#[tokio::test]
async fn not_more_than_eight_are_connected_to_at_once_and_one_that_hangs_holds_up_no_other() {
    let dir = tempfile::tempdir().unwrap();
    let log = dir.path().join("log");
    let links = Links::new(None, false);
    let hung = open(shell("sleep 100"), links.clone());
    let script = format!("echo + >> {0}; sleep 0.3; echo - >> {0}; {HELLO}{MEMBERS}{ANSWERS}", log.display());
    let hosts: Vec<LinkedHost> = (0..20).map(|_| open(shell(&script), links.clone())).collect();
    for host in &hosts {
        wait(host, "it is up", LinkState::is_up).await;
    }
    let (mut now, mut most) = (0, 0);
    for line in std::fs::read_to_string(&log).unwrap().lines() {
        now += if line == "+" { 1 } else { -1 };
        most = most.max(now);
    }
    assert!((2..=8).contains(&most), "{most} at once");
    assert_eq!(*hung.state().borrow(), LinkState::Connecting);
}

#[tokio::test]
async fn a_host_that_is_only_looked_at_is_sent_nothing() {
    let config = HostConfig { read_only: true, ..shell(&format!("{HELLO}{MEMBERS}{ANSWERS}")) };
    let host = open(config, Links::new(None, false));
    wait(&host, "it is up", LinkState::is_up).await;
    let refused = host.act("k", serde_json::json!({})).await;
    assert!(matches!(&refused, Err(ActLost::NotSent(why)) if why.contains("only looked at")), "{refused:?}");
}

fn runs(pid: i32) -> bool {
    let stat = std::fs::read_to_string(Path::new("/proc").join(pid.to_string()).join("stat"));
    // Without /proc the signal that asks nothing must do, which a zombie takes too.
    match stat {
        Ok(stat) => !stat.contains(") Z "),
        Err(_) if Path::new("/proc/self").exists() => false,
        Err(_) => {
            rustix::process::Pid::from_raw(pid).is_some_and(|pid| rustix::process::test_kill_process(pid).is_ok())
        }
    }
}

async fn wait_until(what: &str, mut good: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !good() {
        assert!(begun.elapsed() < PATIENCE, "waited in vain: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
