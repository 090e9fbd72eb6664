//! Something in the dashboard panics: the terminal is given back, and what happened can be read on it.
//!
//! The program panics nowhere on purpose, so this test program is the dashboard here: it runs itself in a terminal.
//! Signals and a terminal that closes: `tests/dashboard/screen.rs`.

use std::{path::Path, time::Duration};

use tmux_orc::{
    monitor::{Engine, EngineSettings},
    tmux::Server,
    ui,
};

use crate::support::{PATIENCE, Terminal, TmuxServer, wait_for};

/// Variables that tell the dashboard below its server, when to panic and where.
const SOCKET: &str = "FAULT_SOCKET";
const TRIGGER: &str = "FAULT_TRIGGER";
const BESIDE: &str = "FAULT_BESIDE";

/// Panics as soon as the file is there.
async fn panic_when(file: String) {
    while !Path::new(&file).exists() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("a fault that was made");
}

#[test]
#[ignore = "the dashboard of the test below, which runs it in a terminal"]
fn a_dashboard_that_panics() {
    let variable = |name: &str| std::env::var(name).expect(name);
    let trigger = variable(TRIGGER);
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    let error = runtime.block_on(async {
        let server = Server::at(variable(SOCKET), "tmux").expect("a server");
        let (handle, _engine) = Engine::new(server, EngineSettings::default()).start().expect("an engine");
        let dashboard = ui::run(handle.into(), ui::Options::default());
        if variable(BESIDE) == "yes" {
            tokio::spawn(panic_when(trigger));
            dashboard.await.expect_err("it cannot go on")
        } else {
            // In the same task: the stack unwinds through the dashboard.
            tokio::select! {
                ended = dashboard => ended.expect_err("it cannot go on"),
                () = panic_when(trigger) => unreachable!(),
            }
        }
    });
    eprintln!("said: {error}");
    std::process::exit(1);
}

#[test]
fn a_panic_gives_the_terminal_back_and_can_be_read_on_it() {
    for (beside, code) in [("yes", 1), ("no", 101)] {
        let server = TmuxServer::start();
        let trigger = server.home().join("now");
        let own = std::env::current_exe().expect("this program").display().to_string();
        let name = "terminal::a_dashboard_that_panics";
        let words = [own.as_str(), "--exact", name, "--ignored", "--nocapture", "--test-threads=1"];
        let variables = [
            (SOCKET, server.socket().to_str().expect("a plain path")),
            (TRIGGER, trigger.to_str().expect("a plain path")),
            (BESIDE, beside),
            // The message has to fit the screen.
            ("RUST_BACKTRACE", "0"),
        ];
        let terminal = Terminal::run(&server, &words, 100, 30, &variables);
        terminal.wait_text("No agents yet.");
        assert!(!terminal.is_restored(), "it took nothing over?");
        std::fs::write(&trigger, "").expect("a file");
        assert_eq!(terminal.ended(), code, "{}", terminal.screen());
        wait_for("the terminal as it was", PATIENCE, || terminal.is_restored());
        let screen = terminal.screen();
        assert!(screen.contains("a fault that was made"), "the panic is read nowhere:\n{screen}");
        assert!(!screen.contains("No agents yet."), "the dashboard's picture is left:\n{screen}");
        if beside == "yes" {
            assert!(screen.contains("said: the program failed"), "{screen}");
        }
    }
}
