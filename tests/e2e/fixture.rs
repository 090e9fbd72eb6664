//! The fixture itself: what the other tests lean on must hold, above all that nothing is left behind.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::support::{PATIENCE, TmuxServer, alive, wait_for, wait_some};

#[test]
fn a_server_ends_with_its_test_even_by_a_panic() {
    let mut left = None;
    let failed = catch_unwind(AssertUnwindSafe(|| {
        let server = TmuxServer::start();
        left = Some((wait_some("the pid", PATIENCE, || server.pid()), server.home().to_owned()));
        panic!("a failing test");
    }));
    assert!(failed.is_err());
    let (pid, home) = left.expect("the server had started");
    wait_for("the server's end", PATIENCE, || !alive(pid));
    assert!(!home.exists(), "{} is left", home.display());
}

#[test]
fn keys_reach_a_pane_and_its_screen_is_read_back() {
    let server = TmuxServer::start();
    server.keys("main:0.0", &["printf 'a%s\\n' bc", "Enter"]);
    server.wait_screen("main:0.0", "the output", |screen| screen.lines().any(|line| line == "abc"));
    server.crash();
    assert_eq!(server.pid(), None);
    server.revive();
    assert!(server.pid().is_some());
}
