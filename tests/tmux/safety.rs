//! The server survives us, and shows no trace of us. `TMUX_ORC_TEST_REQUESTS` is the number of requests in a row.

use std::{
    fs,
    io::Write,
    os::unix::net::UnixStream,
    process::{self, Child, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tmux_orc::tmux::{Batch, Command, Expect, Fields, Pool, PoolSettings, Server, TransportChoice, parse_pulses};

use crate::{
    server::{TestServer, eventually, program},
    stand_in::message,
};

/// Environment of a copy of this test that watches a socket until it is killed.
const WATCH: &str = "TMUX_ORC_TEST_WATCH";

/// One cycle as the monitor does it: the probe, then details and screen of every pane.
async fn cycle(pool: &Pool) -> Result<usize, tmux_orc::tmux::TmuxError> {
    let features = pool.version().map(|version| version.features()).unwrap_or_default();
    let mut lease = pool.acquire().await?;
    let mut probe = Batch::new();
    probe.push(Command::list_pulses(features), Expect::Any);
    let reply = lease.request(&probe).await?;
    let pulses = reply.parts[0].as_ref().map(|part| parse_pulses(part)).unwrap_or_default();
    let mut batch = Batch::new();
    for pulse in &pulses {
        batch.push(Command::capture(pulse.id, true), Expect::Lines(usize::from(pulse.height)));
    }
    batch.push(Command::list_panes(features, Fields::All), Expect::Any);
    lease.request(&batch).await?;
    Ok(pulses.len())
}

/// What a process has open, sockets and pipes without their numbers.
fn descriptors(pid: u32) -> Vec<String> {
    let open = fs::read_dir(format!("/proc/{pid}/fd")).unwrap().flatten();
    let mut names: Vec<String> = open
        .filter_map(|entry| fs::read_link(entry.path()).ok())
        .map(|name| name.to_string_lossy().split('[').next().unwrap_or_default().to_owned())
        .collect();
    names.sort();
    names
}

/// A process of its own that watches as fast as it can.
fn watcher(server: &Server, choice: TransportChoice) -> Child {
    process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "safety::the_watcher_itself", "--nocapture"])
        .env(WATCH, server.socket())
        .env("TMUX_ORC_TEST_TRANSPORT", choice.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Not a test by itself: what [`watcher`] runs.
#[tokio::test]
async fn the_watcher_itself() {
    let Some(socket) = std::env::var_os(WATCH) else { return };
    let choice = std::env::var("TMUX_ORC_TEST_TRANSPORT").unwrap().parse().unwrap();
    let pool = Pool::new(Server::at(socket, program()).unwrap(), choice, PoolSettings::default());
    loop {
        let _ = cycle(&pool).await;
        println!("cycle");
    }
}

/// Waits for the first cycle of a watcher.
fn watching(child: &mut Child) {
    use std::io::{BufRead, BufReader};
    let lines = BufReader::new(child.stdout.as_mut().unwrap()).lines();
    let seen = lines.map_while(Result::ok).any(|line| line.contains("cycle"));
    assert!(seen, "the watcher ended before its first cycle");
}

/// The whole opening of a client that captures a pane, as it goes over the wire.
fn opening() -> Vec<u8> {
    [
        message(111, &0x10000u64.to_le_bytes()),
        message(111, &0x10000u64.to_le_bytes()),
        message(101, b"xterm\0"),
        message(109, &0i32.to_le_bytes()),
        message(102, b"\0"),
        message(108, b"/\0"),
        message(107, &1i32.to_le_bytes()),
        message(106, b""),
        message(200, b"\x02\0\0\0source-file\0-\0"),
        message(301, b"\x03\0\0\0display-message -p x\n"),
        message(302, &[0; 8]),
    ]
    .concat()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_we_do_costs_the_server_its_life_or_a_descriptor() {
    let requests: u32 = std::env::var("TMUX_ORC_TEST_REQUESTS").ok().and_then(|n| n.parse().ok()).unwrap_or(1000);
    let test = TestServer::start();
    for _ in 0..6 {
        test.window("yes | head -100; exec sleep 1000");
    }
    let pid = test.pid();
    // The connection of the client that set things up is closed a moment after it has ended.
    eventually("only the server's own socket is open", || {
        descriptors(pid).iter().filter(|name| *name == "socket:").count() == 1
    });
    let descriptors_before = descriptors(pid);
    let pool = Pool::new(test.server.clone(), TransportChoice::Auto, PoolSettings::default());

    // Sessions come and go in one command list, which kills a server that has a control client, while it is watched.
    let done = Arc::new(AtomicBool::new(false));
    let watch = {
        let (pool, done) = (pool.clone(), Arc::clone(&done));
        tokio::spawn(async move {
            let mut cycles = 0;
            while !done.load(Ordering::Relaxed) {
                cycle(&pool).await.unwrap();
                cycles += 1;
            }
            cycles
        })
    };
    for _ in 0..100 {
        let churn = "new-session -d -s c \"exec sleep 100\" ; new-window -t c \"exec sleep 100\" ; kill-session -t c";
        let args: Vec<&str> = ["new-session", "-d", "-s", "c", "exec sleep 100", ";", "new-window", "-t", "c"]
            .into_iter()
            .chain(["exec sleep 100", ";", "kill-session", "-t", "c"])
            .collect();
        let output = test.try_tmux(&args);
        assert!(output.status.success(), "{churn}: {}", String::from_utf8_lossy(&output.stderr));
    }
    done.store(true, Ordering::Relaxed);
    assert!(watch.await.unwrap() > 0);

    // Connections cut off at every byte of the opening.
    let opening = opening();
    for end in 0..=opening.len() {
        let mut stream = UnixStream::connect(test.server.socket()).unwrap();
        stream.write_all(&opening[..end]).unwrap();
    }
    // Requests given up at any moment.
    for microseconds in (0..3000u64).step_by(30) {
        let _ = tokio::time::timeout(Duration::from_micros(microseconds), cycle(&pool)).await;
    }
    // Killed in the middle of requests.
    for choice in [TransportChoice::Dial, TransportChoice::Spawn, TransportChoice::Dial] {
        let mut child = watcher(&test.server, choice);
        watching(&mut child);
        child.kill().unwrap();
        child.wait().unwrap();
    }
    // Very many in a row, several at a time.
    let mut tasks = Vec::new();
    for _ in 0..4 {
        let pool = pool.clone();
        tasks.push(tokio::spawn(async move {
            for _ in 0..requests / 8 {
                assert_eq!(cycle(&pool).await.unwrap(), 7);
            }
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    let stats = pool.stats();
    assert_eq!((stats.active_connections, stats.waiters, stats.acquisition_timeouts), (0, 0, 0));
    pool.close().await;
    assert_eq!(test.pid(), pid, "the server lives");
    let mut descriptors_after = Vec::new();
    for _ in 0..2000 {
        descriptors_after = descriptors(pid);
        if descriptors_after == descriptors_before {
            break;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(descriptors_after, descriptors_before, "it has the descriptors it had");
}

/// All that a user can see of a server, but for what the clock moves.
fn look(test: &TestServer) -> String {
    [
        &["list-sessions", "-F", "#{session_name} #{session_attached} #{session_activity} #{session_alerts} #{session_windows}"][..],
        &["list-windows", "-a", "-F", "#{window_id} #{window_width} #{window_height} #{window_raw_flags} #{window_active_clients} #{window_activity} #{window_layout}"],
        &["list-panes", "-a", "-F", "#{pane_id} #{pane_width} #{pane_height} #{pane_in_mode} #{pane_active} #{cursor_x} #{history_size} #{pane_title}"],
        &["list-clients", "-F", "#{client_name} #{client_session} #{client_flags} #{client_width} #{client_activity}"],
        &["list-buffers"],
        &["show-options", "-s"],
        &["show-options", "-g"],
        &["show-options", "-gw"],
        &["show-options", "-t", "base:"],
        &["show-hooks", "-g"],
        &["show-environment", "-g"],
        &["list-keys"],
    ]
    .into_iter()
    .map(|args| format!("{args:?}\n{}\n", test.tmux(args)))
    .collect()
}

#[tokio::test]
async fn a_watched_server_looks_like_one_that_is_not() {
    let test = TestServer::start();
    let log = test.directory.path().join("hooks");
    // Every hook that a client could set off, for a user who has set them.
    for hook in [
        "client-attached",
        "client-detached",
        "client-session-changed",
        "client-resized",
        "session-created",
        "session-closed",
        "session-window-changed",
        "window-pane-changed",
        "pane-mode-changed",
        "after-select-pane",
        "window-layout-changed",
        "after-select-window",
        "alert-activity",
        "alert-bell",
        "pane-focus-in",
        "pane-focus-out",
        "window-resized",
        "after-set-option",
    ] {
        test.try_tmux(&["set-hook", "-g", hook, &format!("run-shell \"echo {hook} >> '{}'\"", log.display())]);
    }
    test.tmux(&["set-option", "-g", "monitor-activity", "on"]);
    test.tmux(&["set-option", "-g", "monitor-bell", "on"]);
    test.tmux(&["set-buffer", "-b", "mine", "kept"]);
    test.window("printf '\\a'; exec sleep 1000");
    let copy = test.window("yes | head -200; exec sleep 1000");
    test.tmux(&["copy-mode", "-t", &copy.to_string()]);
    // A user's client, in a pane of another server.
    let screen = TestServer::start();
    screen.window(&format!(
        "exec env -u TMUX '{}' -S '{}' attach",
        program().display(),
        test.server.socket().display()
    ));
    eventually("the user is attached", || !test.tmux(&["list-clients"]).is_empty());
    eventually("the bell has rung", || test.tmux(&["list-windows", "-a", "-F", "#{window_flags}"]).contains('!'));
    let mut before = String::new();
    eventually("everything is calm", || {
        let earlier = std::mem::replace(&mut before, look(&test));
        std::thread::sleep(Duration::from_millis(200));
        earlier == before
    });
    let hooks_before = fs::read_to_string(&log).unwrap_or_default();

    for choice in [TransportChoice::Dial, TransportChoice::Spawn] {
        let mut child = watcher(&test.server, choice);
        watching(&mut child);
        for _ in 0..3 {
            assert_eq!(look(&test), before, "{choice}: while it watches");
        }
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(look(&test), before, "{choice}: after kill -9");
    }
    let pool = Pool::new(test.server.clone(), TransportChoice::Auto, PoolSettings::default());
    for _ in 0..20 {
        cycle(&pool).await.unwrap();
    }
    pool.close().await;
    assert_eq!(look(&test), before, "after it was stopped");
    assert_eq!(fs::read_to_string(&log).unwrap_or_default(), hooks_before, "no hook was set off");
}
