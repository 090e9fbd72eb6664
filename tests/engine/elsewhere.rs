//! A tmux server whose processes are out of sight: behind a forwarded socket, or in another namespace of processes. Its
//! agents are judged by their screens, never by processes of this machine that happen to have the same numbers.

use std::{
    io,
    os::unix::net::{UnixListener, UnixStream},
    process::{Command, Stdio},
    thread,
};

use tmux_orc::monitor::AgentState;
use tmux_orc::tmux::{Server, SocketChoice};

use super::{Watching, agent, quick, show, support::TmuxServer, switch};

/// A pane that shows a screen of `claude`, and others that are typed; no process below it is called so.
fn shows(server: &TmuxServer, screen: &str) -> String {
    let script = server.home().join("show.sh");
    super::write_once(&script, super::SHOW);
    server.window("x", &["bash", &script.display().to_string(), &show(server, screen)])
}

/// A socket that forwards to the server's, as `ssh -L` makes one: who listens there is not the server.
fn forwarded(server: &TmuxServer) -> Server {
    let path = server.home().join("forwarded");
    let listener = UnixListener::bind(&path).unwrap();
    let to = server.socket().to_owned();
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let Ok(real) = UnixStream::connect(&to) else { continue };
            for (mut from, mut to) in [
                (client.try_clone().unwrap(), real.try_clone().unwrap()),
                (real.try_clone().unwrap(), client.try_clone().unwrap()),
            ] {
                thread::spawn(move || {
                    let _ = io::copy(&mut from, &mut to);
                    let _ = to.shutdown(std::net::Shutdown::Write);
                });
            }
        }
    });
    Server::resolve(&SocketChoice { name: None, path: Some(path) }).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn behind_a_forwarded_socket_agents_are_judged_by_their_screens() {
    let server = TmuxServer::start();
    let pane = shows(&server, "permission");
    let mut watching = Watching::with(forwarded(&server), quick());
    let seen = watching.until("its agent", |s| agent(s, &pane).is_some_and(|a| a.state == AgentState::Waiting)).await;
    let found = agent(&seen, &pane).unwrap();
    assert_eq!((found.agent.as_str(), found.pid), ("claude", None));
    assert!(seen.notes.iter().any(|note| note.contains("out of sight")), "{:?}", seen.notes);
    assert_eq!(seen.cost.tmux_cpu_percent, None, "that number is of another process");
    switch(&server, &pane, "working");
    watching.until("its work", |s| agent(s, &pane).is_some_and(|a| a.state == AgentState::Working)).await;
    watching.end().await;
    // The same server at its own socket: the pane runs nothing that is known.
    let mut here = Watching::new(&server, quick());
    here.until("a cycle", |s| s.base_status.cycle_count > 2 && agent(s, &pane).is_none()).await;
    here.end().await;
}

/// In a namespace of its own, where this user may make one.
#[tokio::test(flavor = "multi_thread")]
#[cfg(target_os = "linux")]
async fn in_a_container_agents_are_judged_by_their_screens() {
    let server = TmuxServer::absent();
    let screen = show(&server, "permission");
    let show = format!("cat {screen}; sleep 600");
    let words = format!(
        "tmux -f /dev/null -S {} new-session -d -s main -x 100 -y 30 '{show}'; sleep 600",
        server.socket().display()
    );
    let mut command = Command::new("unshare");
    // All inside ends with it.
    command.args(["--user", "--map-root-user", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c", &words]);
    // Nothing inside holds the test's own output open.
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut inside = server.isolate(&mut command).spawn().expect("unshare, of util-linux");
    super::support::wait_for("the server inside", super::support::PATIENCE, || {
        assert!(inside.try_wait().unwrap().is_none(), "no namespace of processes can be made here");
        server.pid().is_some()
    });
    let mut watching = Watching::new(&server, quick());
    let waits = |s: &tmux_orc::monitor::Snapshot| agent(s, "%0").is_some_and(|a| a.state == AgentState::Waiting);
    let seen = watching.until("its agent", waits).await;
    assert!(seen.notes.iter().any(|note| note.contains("out of sight")), "{:?}", seen.notes);
    watching.end().await;
    server.run(&["kill-server"]);
    inside.kill().unwrap();
    inside.wait().unwrap();
}
