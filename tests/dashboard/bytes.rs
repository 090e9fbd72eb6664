//! What the dashboard writes to its terminal, byte by byte.

use std::{
    io::Read,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

use crate::support::{PATIENCE, Program, TmuxServer, wait_for};

/// The program on a pseudo terminal.
struct Pty {
    child: Box<dyn Child + Send + Sync>,
    master: Box<dyn MasterPty + Send>,
    written: Arc<Mutex<Vec<u8>>>,
}

impl Pty {
    fn open(server: &TmuxServer, variables: &[(&str, &str)]) -> Self {
        let size = PtySize { rows: 30, cols: 100, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).expect("a pseudo terminal");
        let mut command = CommandBuilder::new(Program::PATH);
        command.args(["-S", &server.socket().display().to_string(), "perf", "watch"]);
        command.env_clear();
        command.env("PATH", std::env::var("PATH").unwrap_or_default());
        command.env("HOME", server.home());
        command.env("TMUX_ORC_HOME", server.home().join("orc"));
        command.env("TERM", "xterm-256color");
        for (name, value) in variables {
            command.env(name, value);
        }
        let child = pair.slave.spawn_command(command).expect("the program starts");
        let mut reader = pair.master.try_clone_reader().expect("a reader");
        let written = Arc::new(Mutex::new(Vec::new()));
        let into = Arc::clone(&written);
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(n @ 1..) = reader.read(&mut bytes) {
                into.lock().expect("not poisoned").extend_from_slice(&bytes[..n]);
            }
        });
        Self { child, master: pair.master, written }
    }

    fn written(&self) -> Vec<u8> {
        self.written.lock().expect("not poisoned").clone()
    }

    fn screen(&self) -> vt100::Parser {
        let mut parser = vt100::Parser::new(30, 100, 0);
        parser.process(&self.written());
        parser
    }

    #[track_caller]
    fn wait_text(&self, text: &str) {
        wait_for(text, PATIENCE, || self.screen().screen().contents().contains(text));
    }

    fn press(&self, keys: &[u8]) {
        let mut writer = self.master.take_writer().expect("a writer");
        std::io::Write::write_all(&mut writer, keys).expect("the terminal takes keys");
    }
}

impl Drop for Pty {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// How often a sequence stands in what was written.
fn count(written: &[u8], sequence: &str) -> usize {
    written.windows(sequence.len()).filter(|window| *window == sequence.as_bytes()).count()
}

#[test]
fn frames_are_synchronised_and_a_quiet_dashboard_writes_little() {
    let server = TmuxServer::start();
    let pty = Pty::open(&server, &[("COLORTERM", "truecolor")]);
    pty.wait_text("No agents yet.");
    let (begin, end) = ("\x1b[?2026h", "\x1b[?2026l");
    wait_for("whole frames", PATIENCE, || {
        let written = pty.written();
        count(&written, begin) > 0 && count(&written, begin) == count(&written, end)
    });
    let before = pty.written();
    let start = Instant::now();
    wait_for("some quiet seconds", PATIENCE, || start.elapsed() > Duration::from_secs(3));
    let after = pty.written();
    let frames = count(&after, begin) - count(&before, begin);
    // The instruments change once a cycle, so about once a second; what is written is what differs.
    assert!(frames <= 12, "{frames} frames in three quiet seconds");
    let bytes = after.len() - before.len();
    assert!(bytes < 12_000, "{bytes} bytes in three quiet seconds");
}

#[test]
fn no_color_means_not_one_colour() {
    let server = TmuxServer::start();
    let pty = Pty::open(&server, &[("NO_COLOR", "1"), ("COLORTERM", "truecolor")]);
    pty.wait_text("No agents yet.");
    let text = String::from_utf8_lossy(&pty.written()).into_owned();
    for sequence in text.split("\x1b[").skip(1).filter_map(|rest| rest.split_once('m').map(|(body, _)| body)) {
        let codes: Vec<&str> = sequence.split(';').collect();
        if !codes.iter().all(|code| code.bytes().all(|b| b.is_ascii_digit())) {
            continue;
        }
        let coloured = codes.iter().any(|code| matches!(code.parse::<u16>(), Ok(30..=38 | 40..=48 | 90..=107)));
        assert!(!coloured, "ESC[{sequence}m sets a colour");
    }
    let parser = pty.screen();
    let screen = parser.screen();
    assert!(
        (0..100).any(|x| screen.cell(0, x).is_some_and(vt100::Cell::bold)),
        "bold still carries meaning without colours"
    );
}

#[test]
fn all_that_was_turned_on_is_turned_off() {
    let server = TmuxServer::start();
    let mut pty = Pty::open(&server, &[]);
    pty.wait_text("No agents yet.");
    pty.press(b"q");
    wait_for("its end", PATIENCE, || pty.child.try_wait().is_ok_and(|status| status.is_some()));
    wait_for("the last bytes", PATIENCE, || count(&pty.written(), "\x1b[?1049l") == 1);
    let written = pty.written();
    for mode in ["1049", "2004", "1004", "1000", "1002", "1003", "1006"] {
        let (on, off) = (format!("\x1b[?{mode}h"), format!("\x1b[?{mode}l"));
        assert!(count(&written, &on) >= 1, "{mode} was turned on");
        assert!(count(&written, &off) >= 1, "{mode} was turned off");
    }
    let parser = pty.screen();
    assert!(!parser.screen().hide_cursor() && !parser.screen().alternate_screen());
}

#[test]
fn a_terminals_late_answer_presses_no_key() {
    let server = TmuxServer::start();
    let pty = Pty::open(&server, &[]);
    pty.wait_text("No agents yet.");
    // Long after the question for the background was given up: `q` and digits are in it.
    pty.press(b"\x1b]11;rgb:1010/1212/1616\x1b\\?");
    pty.wait_text("type to search");
}
