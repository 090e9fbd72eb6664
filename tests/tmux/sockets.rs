//! Which socket, and what is said of one that cannot be used.

use std::{collections::HashMap, ffi::OsString, path::Path, process::Stdio, time::Duration};

use tmux_orc::tmux::{Batch, Command, Expect, Server, SocketChoice, TmuxError, Transport, TransportKind};

use crate::server::{TestServer, program};

const ALL: [TransportKind; 3] = [TransportKind::Dial, TransportKind::Spawn, TransportKind::Process];

fn resolve(choice: SocketChoice, env: &[(&str, &str)]) -> Result<Server, TmuxError> {
    let env: HashMap<&str, OsString> = env.iter().map(|(name, value)| (*name, value.into())).collect();
    Server::resolve_with(&choice, |name| env.get(name).cloned(), 1000)
}

#[test]
fn the_socket_is_chosen_as_tmux_chooses_it() {
    let none = SocketChoice::default;
    let name = || SocketChoice { name: Some("work".into()), path: None };
    let both = || SocketChoice { name: Some("work".into()), path: Some("/run/x".into()) };
    let inside = [("TMUX", "/tmp/tmux-1000/other,321,0"), ("TMUX_TMPDIR", "/var/t")];
    for (choice, env, expected) in [
        (none(), &[][..], "/tmp/tmux-1000/default"),
        (none(), &[("TMUX", "")], "/tmp/tmux-1000/default"),
        (none(), &[("TMUX", ",1,2")], "/tmp/tmux-1000/default"),
        (none(), &inside, "/tmp/tmux-1000/other"),
        (name(), &inside, "/var/t/tmux-1000/work"),
        (name(), &[], "/tmp/tmux-1000/work"),
        (both(), &inside, "/run/x"),
    ] {
        assert_eq!(resolve(choice.clone(), env).unwrap().socket(), Path::new(expected), "{choice:?} {env:?}");
    }
    for bad in ["", "a/b"] {
        let error = resolve(SocketChoice { name: Some(bad.into()), path: None }, &[]).unwrap_err();
        assert!(matches!(error, TmuxError::BadSocket { .. }), "{error}");
    }
    assert!(resolve(SocketChoice { name: None, path: Some("".into()) }, &[]).is_err());
    assert_eq!(resolve(none(), &[]).unwrap().program(), "tmux");
    assert_eq!(resolve(none(), &[("TMUX_ORC_TMUX", "/opt/tmux")]).unwrap().program(), "/opt/tmux");
}

/// What each transport says of this socket.
async fn ask(server: &Server) -> Vec<Result<usize, TmuxError>> {
    let mut batch = Batch::new();
    batch.push(Command::new("list-sessions"), Expect::Any);
    batch.push(Command::new("list-windows").args(["-a"]), Expect::Any);
    let mut results = Vec::new();
    for choice in ALL {
        let result = Transport::new(server.clone(), choice, None).send(&batch, Duration::from_secs(20)).await;
        results.push(result.map(|reply| reply.parts.iter().filter(|part| part.is_ok()).count()));
    }
    results
}

#[tokio::test]
async fn any_path_works_on_every_transport() {
    for socket in ["with space/so cket", "ünï/漢字 🦀", "quote'\"$(x)/s;"] {
        let test = TestServer::start_at(socket);
        for result in ask(&test.server).await {
            assert_eq!(result.unwrap(), 2, "{socket}");
        }
    }
}

#[tokio::test]
async fn a_path_longer_than_an_address_is_reached_through_its_directory() {
    let directory = tempfile::tempdir().unwrap();
    let deep = directory.path().join("d".repeat(100)).join("e".repeat(100));
    std::fs::create_dir_all(&deep).unwrap();
    let tmux = |args: &[&str]| {
        let mut command = std::process::Command::new(std::fs::canonicalize(program()).unwrap_or(program().into()));
        command.current_dir(&deep).args(["-f", "/dev/null", "-S", "./s"]).args(args);
        command.env_remove("TMUX").stdin(Stdio::null()).stderr(Stdio::null()).status().unwrap()
    };
    assert!(tmux(&["new-session", "-d", "exec sleep 1000"]).success());
    let server = Server::at(deep.join("s"), program()).unwrap();
    let results = ask(&server).await;
    tmux(&["kill-server"]);
    for result in results {
        assert_eq!(result.unwrap(), 2);
    }
    for result in ask(&Server::at(deep.join("x".repeat(120)), program()).unwrap()).await {
        assert!(matches!(result.unwrap_err(), TmuxError::BadSocket { .. } | TmuxError::NoServer { .. }));
    }
}

#[tokio::test]
async fn nobody_there_is_no_server_and_never_starts_one() {
    let directory = tempfile::tempdir().unwrap();
    let stale = directory.path().join("stale");
    drop(std::os::unix::net::UnixListener::bind(&stale).unwrap());
    assert!(stale.exists());
    for socket in [stale, directory.path().join("absent"), directory.path().join("no/directory")] {
        let server = Server::at(&socket, program()).unwrap();
        for result in ask(&server).await {
            let error = result.unwrap_err();
            assert!(error.is_no_server(), "{}: {error}", socket.display());
        }
        assert!(std::os::unix::net::UnixStream::connect(&socket).is_err(), "a server was started");
    }
}

/// The test below runs itself as another user when the tests run as root, to whom nothing is forbidden.
#[tokio::test]
async fn another_users_socket_is_permission_denied() {
    const ASK: &str = "TMUX_ORC_TEST_FOREIGN_SOCKET";
    if let Some(socket) = std::env::var_os(ASK) {
        for result in ask(&Server::at(socket, program()).unwrap()).await {
            let error = result.unwrap_err();
            assert!(matches!(error, TmuxError::PermissionDenied { .. }), "{error}");
            assert!(error.to_string().contains("another user"));
        }
        return;
    }
    if !rustix::process::getuid().is_root() {
        // Past the harness, which shows nothing of a test that passed.
        let said = b"skipped: another_users_socket_is_permission_denied: only root can make another user's socket\n";
        std::io::Write::write_all(&mut std::io::stderr(), said).unwrap();
        return;
    }
    let test = TestServer::start();
    let path = test.server.socket().to_path_buf();
    // In a directory that all may enter, so that the socket itself is what is denied; and as it is usually.
    for mode in [0o755, 0o700] {
        use std::os::unix::{fs::PermissionsExt, process::CommandExt};
        std::fs::set_permissions(test.directory.path(), std::fs::Permissions::from_mode(mode)).unwrap();
        let copy = tempfile::tempdir().unwrap();
        std::fs::set_permissions(copy.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        let me = copy.path().join("test");
        crate::executable::copy_program(std::env::current_exe().unwrap(), &me);
        let output = std::process::Command::new(&me)
            .args(["--exact", "sockets::another_users_socket_is_permission_denied", "--nocapture"])
            .env(ASK, &path)
            .current_dir("/")
            .uid(65534)
            .gid(65534)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && said.contains("1 passed"), "{said}");
    }
}
