//! A simulated agent's process: goes through its scenes on the pane's terminal, and reacts to keys as a dialog does.

use std::{
    io::{self, Read, Write},
    os::unix::process::CommandExt,
    process::Command,
    sync::mpsc::{self, Receiver, RecvTimeoutError},
    thread,
    time::{Duration, Instant},
};

use jiff::ZonedDateTime;
use rustix::termios::{self, OptionalActions, Termios};

use crate::app::demo::paint::Row;
use crate::app::demo::part::{Part, Role, VARIABLE};
use crate::app::demo::script::{Process, Script, scripts};
use crate::app::demo::stage::{Picture, Stage, visible};
use crate::monitor::AgentState;

/// How often a scene in which nothing moves looks whether the terminal has another size.
const STILL: Duration = Duration::from_millis(500);

/// Ctrl-C in raw mode.
const INTERRUPT: u8 = 3;

/// Plays process `depth` of the agent: a wrapper starts the next one and waits, the innermost draws.
pub(super) fn play(part: &Part, depth: usize) -> io::Result<()> {
    let Some(script) = scripts().get(&part.agent) else { return Err(io::ErrorKind::NotFound.into()) };
    if depth == 0 {
        // The shell made us the leader of a group: to the foreground with it, as a shell's job control does.
        termios::tcsetpgrp(io::stdin(), rustix::process::getpid())?;
    }
    if depth + 1 < script.processes.len() {
        return start(part, script, depth + 1)?.status().map(drop);
    }
    let terminal = Terminal::enter(script.alternate)?;
    let result = scenes(part, script);
    terminal.leave(script)?;
    result
}

/// The command that starts process `depth` of an agent under its own name and arguments.
pub(super) fn start(part: &Part, script: &Script, depth: usize) -> io::Result<Command> {
    let Process { file, args } = script.processes.get(depth).ok_or(io::ErrorKind::NotFound)?;
    let part = Part { role: Role::Agent { depth }, ..part.clone() };
    let mut command = Command::new(part.dir.join("bin").join(file));
    command.arg0(args.first().unwrap_or(file)).args(args.iter().skip(1)).env(VARIABLE, part.to_value());
    Ok(command)
}

/// Goes from scene to scene until the last one, which is the end of the program.
fn scenes(part: &Part, script: &Script) -> io::Result<()> {
    let keys = keys();
    let mut canvas = Canvas::default();
    let mut stage = Stage::new(script, &part.project);
    let first = part.scene.min(script.scenes.len().saturating_sub(1));
    let now = ZonedDateTime::now();
    script.scenes[..first].iter().for_each(|scene| stage.finish(scene, &now));
    for (index, scene) in script.scenes.iter().enumerate().skip(first) {
        if scene.state == AgentState::Exited {
            break;
        }
        let lasts = Duration::from_secs_f64(part.seconds(index, u64::from(std::process::id()), scene.seconds));
        let (start, now) = (Instant::now(), ZonedDateTime::now());
        loop {
            let elapsed = start.elapsed();
            if elapsed >= lasts && !part.hold {
                break;
            }
            canvas.draw(&stage.picture(scene, elapsed, lasts, &now, size()))?;
            let streaming = visible(scene, elapsed, lasts) < scene.say.lines().count();
            let frame = if script.moves(scene) || streaming { Duration::from_millis(script.frame_ms) } else { STILL };
            let patience = if part.hold { frame } else { frame.min(lasts.saturating_sub(elapsed)) };
            match keys.recv_timeout(patience) {
                Ok(INTERRUPT) => return Ok(()),
                Ok(key) if matches!(scene.state, AgentState::Waiting) && answers(key) => break,
                Ok(b'\r') if scene.state == AgentState::Idle => break,
                Ok(_) | Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Err(io::ErrorKind::BrokenPipe.into()),
            }
        }
        stage.finish(scene, &now);
    }
    Ok(())
}

/// Whether a key answers a dialog: Enter, Escape, a digit or a letter such as y.
fn answers(key: u8) -> bool {
    key == b'\r' || key == 0x1b || key.is_ascii_alphanumeric()
}

/// The bytes that are typed into the pane; disconnected when the terminal is gone.
fn keys() -> Receiver<u8> {
    let (sender, receiver) = mpsc::sync_channel(64);
    thread::spawn(move || {
        for byte in io::stdin().lock().bytes() {
            let Ok(byte) = byte else { return };
            if sender.send(byte).is_err() {
                return;
            }
        }
    });
    receiver
}

/// Width and height of the terminal in cells.
fn size() -> (usize, usize) {
    termios::tcgetwinsize(io::stdout())
        .map_or((80, 24), |size| (usize::from(size.ws_col.max(1)), usize::from(size.ws_row.max(1))))
}

/// The pane's terminal in raw mode.
struct Terminal {
    before: Termios,
    alternate: bool,
}

impl Terminal {
    fn enter(alternate: bool) -> io::Result<Self> {
        let before = termios::tcgetattr(io::stdin())?;
        let mut raw = before.clone();
        raw.make_raw();
        termios::tcsetattr(io::stdin(), OptionalActions::Now, &raw)?;
        // No wrapping at the right edge: a full row must not push the next one down.
        io::stdout().write_all(if alternate { b"\x1b[?1049h\x1b[?7l" } else { b"\x1b[?7l" })?;
        Ok(Self { before, alternate })
    }

    /// Back to the shell, with the program's last words on the main screen.
    fn leave(self, script: &Script) -> io::Result<()> {
        let mut out = String::from("\x1b[?7h\x1b[?25h\x1b]2;\x1b\\");
        if self.alternate {
            out.push_str("\x1b[?1049l");
        } else {
            out.push_str("\r\n");
        }
        struct Nothing;
        impl crate::app::demo::paint::Words for Nothing {
            fn word(&self, _: &str) -> Option<String> {
                None
            }
        }
        for line in script.goodbye.lines() {
            out.push_str(&crate::app::demo::paint::row(line, size().0, &script.accent, &Nothing).text);
            out.push_str("\r\n");
        }
        io::stdout().write_all(out.as_bytes())?;
        io::stdout().flush()?;
        termios::tcsetattr(io::stdin(), OptionalActions::Now, &self.before)?;
        Ok(())
    }
}

/// What is on the terminal, so that only what changed is written: a quiet agent is silent, as real ones are.
#[derive(Default)]
struct Canvas {
    shown: Option<(Picture, (usize, usize))>,
}

impl Canvas {
    fn draw(&mut self, picture: &Picture) -> io::Result<()> {
        let size = size();
        let mut out = String::new();
        let same_size = self.shown.as_ref().is_some_and(|(_, before)| *before == size);
        if !same_size {
            out.push_str("\x1b[2J");
            self.shown = None;
        }
        let before = self.shown.as_ref().map(|(picture, _)| picture);
        let blank = Row::default();
        let count = picture.rows.len().max(before.map_or(0, |before| before.rows.len()));
        for index in 0..count.min(size.1) {
            let row = picture.rows.get(index).unwrap_or(&blank);
            let old = before.map_or(&blank, |before| before.rows.get(index).unwrap_or(&blank));
            if row.text != old.text {
                out.push_str(&format!("\x1b[{};1H\x1b[2K{}", index + 1, row.text));
            }
        }
        if before.is_none_or(|before| before.title != picture.title) && !picture.title.is_empty() {
            out.push_str(&format!("\x1b]2;{}\x1b\\", picture.title));
        }
        let place = picture.rows.iter().enumerate().find_map(|(y, row)| Some((y, row.cursor?)));
        if !out.is_empty() || before.is_none_or(|before| before.cursor != picture.cursor) {
            let (y, x) = place.unwrap_or((picture.rows.len().saturating_sub(1), 0));
            let shown = if picture.cursor { 'h' } else { 'l' };
            out.push_str(&format!("\x1b[{};{}H\x1b[?25{shown}", y + 1, x + 1));
            let mut terminal = io::stdout().lock();
            terminal.write_all(out.as_bytes())?;
            terminal.flush()?;
        }
        self.shown =
            Some((Picture { rows: picture.rows.clone(), title: picture.title.clone(), cursor: picture.cursor }, size));
        Ok(())
    }
}
