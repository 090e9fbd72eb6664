//! `hook statusline`: takes in what Claude Code tells the command of its status line, and passes the user's own line
//! through. Whatever goes wrong here, that line is as it would be without us.

use std::{
    ffi::OsString,
    io::{Read, Write},
    os::unix::process::ExitStatusExt,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use jiff::{Timestamp, tz::TimeZone};
use rustix::process::{Pid, Signal, kill_process};
use tokio::process::{Child, Command};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::app::cli::{Failure, context::environment};
use crate::app::core::{format, limits};
use crate::app::settings::Paths;
use crate::monitor::facts::status_lines;
use crate::monitor::usage::StatusLine;

/// Longest input of which something is kept, bytes; all of it is passed through.
const LONGEST: usize = 1 << 20;

/// Longest wait for the input, where nothing else is done.
const INPUT_LIMIT: Duration = Duration::from_secs(2);

/// Longest wait for our own disk when the line is there.
const DISK_LIMIT: Duration = Duration::from_millis(100);

/// From how much of a limit on its end is said, percent.
const SAY_END: f64 = 80.0;

/// What the thread that reads the input says.
struct Reading {
    /// What the input was.
    said: oneshot::Receiver<Option<StatusLine>>,
    /// It is kept, or cannot be.
    kept: oneshot::Receiver<()>,
}

/// Runs it. With a command, the exit code is that one's.
pub(super) async fn run(command: &[OsString]) -> Result<(), Failure> {
    // Without a home directory nothing is kept.
    let folder = Paths::find(&environment, None).ok().map(|paths| paths.status_lines());
    let Some((program, args)) = command.split_first() else {
        let reading = read(std::io::stdin(), None::<std::io::Sink>, folder);
        let said = timeout(INPUT_LIMIT, reading.said).await.ok().and_then(Result::ok).flatten();
        if let Some(said) = &said {
            let line = own_line(said, Timestamp::now(), &TimeZone::system());
            // Who does not read it any more wants no error of it.
            writeln!(std::io::stdout(), "{line}").ok();
        }
        timeout(DISK_LIMIT, reading.kept).await.ok();
        return Ok(());
    };
    // Before there is somebody whom a signal would leave behind.
    let signals = [SignalKind::terminate(), SignalKind::hangup(), SignalKind::interrupt()].map(signal);
    let mut user = match Command::new(program).args(args).stdin(Stdio::piped()).spawn() {
        Ok(user) => user,
        Err(error) => {
            eprintln!("tmux-orc: {}: {error}", Path::new(program).display());
            // As a shell says it (POSIX, 2.8.2).
            return Err(Failure::silent(if error.kind() == std::io::ErrorKind::NotFound { 127 } else { 126 }));
        }
    };
    let to = user.stdin.take().and_then(|to| to.into_owned_fd().ok()).map(std::fs::File::from);
    let reading = read(std::io::stdin(), to, folder);
    let code = ended(&mut user, signals).await;
    timeout(DISK_LIMIT, reading.kept).await.ok();
    if code == 0 { Ok(()) } else { Err(Failure::silent(code)) }
}

/// Waits for the user's command; a signal that is to end us ends it too, so that none piles up that nobody waits for.
async fn ended(user: &mut Child, signals: [std::io::Result<tokio::signal::unix::Signal>; 3]) -> u8 {
    let [Ok(mut terminate), Ok(mut hangup), Ok(mut interrupt)] = signals else {
        return user.wait().await.map_or(1, code);
    };
    let signal = tokio::select! {
        status = user.wait() => return status.map_or(1, code),
        _ = terminate.recv() => Signal::TERM,
        _ = hangup.recv() => Signal::HUP,
        _ = interrupt.recv() => Signal::INT,
    };
    if let Some(pid) = user.id().and_then(|id| Pid::from_raw(id.cast_signed())) {
        kill_process(pid, signal).ok();
    }
    128_u8.saturating_add(u8::try_from(signal.as_raw()).unwrap_or(0))
}

/// The exit code that a shell would have.
fn code(status: std::process::ExitStatus) -> u8 {
    let of_signal = || status.signal().map(|signal| signal.saturating_add(128));
    status.code().or_else(of_signal).and_then(|code| u8::try_from(code).ok()).unwrap_or(1)
}

/// Reads the input to its end and hands it on, then keeps what we want of it: on a thread, which is left behind where the
/// input does not end or the disk does not answer.
fn read(from: impl Read + Send + 'static, to: Option<impl Write + Send + 'static>, folder: Option<PathBuf>) -> Reading {
    let ((tell, said), (done, kept)) = (oneshot::channel(), oneshot::channel());
    std::thread::spawn(move || {
        let text = pump(from, to);
        let line = StatusLine::parse(&text, Timestamp::now());
        if line.is_none() {
            tracing::info!("the status line's input is none that is known");
        }
        tell.send(line.clone()).ok();
        if let Some((folder, line)) = folder.zip(line)
            && let Err(error) = status_lines::save(&folder, &line)
        {
            tracing::info!(%error, folder = %folder.display(), "what the status line says is not kept");
        }
        done.send(()).ok();
    });
    Reading { said, kept }
}

/// Hands all on, and returns its beginning.
fn pump(mut from: impl Read, mut to: Option<impl Write>) -> Vec<u8> {
    let mut kept = Vec::new();
    let mut chunk = vec![0; 64 << 10];
    loop {
        match from.read(&mut chunk) {
            Ok(0) => return kept,
            Ok(read) => {
                let read = &chunk[..read];
                kept.extend_from_slice(&read[..read.len().min(LONGEST.saturating_sub(kept.len()))]);
                // The user's command may do without the rest.
                to = to.take().and_then(|mut to| to.write_all(read).is_ok().then_some(to));
            }
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(_) => return kept,
        }
    }
}

/// The line for who has none: the model, how much of the context is left, and the limits, or else what it cost.
fn own_line(said: &StatusLine, now: Timestamp, zone: &TimeZone) -> String {
    let limit = |limit: &crate::monitor::Limit| {
        let limit = limit.at_time(now);
        let end = limits::ends(&limit, now, zone).filter(|_| limit.used_percent >= SAY_END);
        let end = end.map(|end| format!(" until {end}")).unwrap_or_default();
        format!("{} {}{end}", limits::span(&limit), limits::percent(&limit))
    };
    let cost = said.cost_usd.filter(|cost| *cost > 0.0 && said.limits.is_empty());
    let parts = [said.model_name.clone().or_else(|| said.model.clone())]
        .into_iter()
        .flatten()
        .chain(said.context_left().map(|left| format!("{} left", format::share(Some(left / 100.0)))))
        .chain(said.limits.iter().map(limit))
        .chain(cost.map(|cost| format!("${cost:.2}")));
    parts.collect::<Vec<_>>().join(" · ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_own_line_says_what_there_is() {
        let at = Timestamp::from_second(1_795_800_000).unwrap();
        let line = |text: &str| own_line(&StatusLine::parse(text.as_bytes(), at).unwrap(), at, &TimeZone::UTC);
        let real = include_str!("../../../tests/usage/status_lines/oauth-after-one-turn.json");
        assert_eq!(line(real), "Sonnet 5.5 · 98% left · 5h 37% · week 62%");
        assert_eq!(line(&real.replace(": 37,", ": 87.9,")), "Sonnet 5.5 · 98% left · 5h 87% until 18:00 · week 62%");
        let over = real.replace("1795802400", "1795790000");
        assert_eq!(line(&over), "Sonnet 5.5 · 98% left · 5h 0% · week 62%");
        assert_eq!(line(r#"{"session_id":"a","model":{"id":"x"},"cost":{"total_cost_usd":0.123}}"#), "x · $0.12");
        assert_eq!(line(r#"{"session_id":"a"}"#), "");
    }

    #[test]
    fn a_reader_that_ends_early_stops_nothing() {
        struct Ends(usize);
        impl Write for Ends {
            fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
                self.0 = self.0.checked_sub(1).ok_or(std::io::ErrorKind::BrokenPipe)?;
                Ok(bytes.len())
            }
            fn flush(&mut self) -> std::io::Result<()> {
                Ok(())
            }
        }
        let text = vec![b'x'; 3 << 20];
        assert_eq!(pump(text.as_slice(), Some(Ends(2))).len(), LONGEST);
        let mut passed = Vec::new();
        pump(text.as_slice(), Some(&mut passed));
        assert!(passed == text, "all is passed on");
    }
}
