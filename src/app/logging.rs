//! Logs: a file a day, seven kept; nothing is ever written on the dashboard's screen.

use std::{
    fs::{OpenOptions, Permissions},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

use jiff::{Timestamp, civil::Date, tz::TimeZone};

use tracing_appender::{
    non_blocking::{NonBlockingBuilder, WorkerGuard},
    rolling::{RollingFileAppender, Rotation},
};
use tracing_subscriber::{EnvFilter, fmt, layer::SubscriberExt, util::SubscriberInitExt};

/// Log lines that may wait to be written; more are dropped rather than waited for.
const QUEUED_LINES: usize = 4096;

/// Environment variable with a filter such as `debug` or `tmux_orc::tmux=trace`.
pub const FILTER_VARIABLE: &str = "TMUX_ORC_LOG";

/// Files kept for each kind of log.
const FILES_KEPT: usize = 7;

/// Where a program's log lines go.
#[derive(Clone, Copy, Debug)]
pub enum Target<'a> {
    /// A file in this directory whose name starts so.
    Files {
        /// The directory.
        dir: &'a Path,
        /// How the names start.
        prefix: &'a str,
    },
    /// Standard error, for verbs that print and end.
    StandardError,
}

/// Keeps the log's writer alive; what is buffered is written when it is dropped.
#[must_use]
pub struct Logging(#[expect(dead_code, reason = "held for its drop")] Option<WorkerGuard>);

/// The log cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("{}: cannot write the log: {reason}; free space or set TMUX_ORC_HOME to a directory that you can write", dir.display())]
pub struct LoggingError {
    dir: PathBuf,
    reason: String,
}

/// Starts logging. `verbosity` counts `-v`: each raises the level above the usual one.
pub fn start(target: Target<'_>, usual: &str, verbosity: u8) -> Result<Logging, LoggingError> {
    let level = match verbosity {
        0 => usual,
        1 => "debug",
        _ => "trace",
    };
    // A filter that cannot be read must not silence the log: its good parts count.
    let filter = match std::env::var(FILTER_VARIABLE) {
        Ok(text) if !text.trim().is_empty() => EnvFilter::new(text),
        _ => EnvFilter::new(format!("warn,tmux_orc={level}")),
    };
    let registry = tracing_subscriber::registry().with(filter);
    match target {
        Target::StandardError => {
            registry.with(fmt::layer().with_writer(io::stderr).with_target(false).without_time()).try_init().ok();
            Ok(Logging(None))
        }
        Target::Files { dir, prefix } => {
            let appender = appender(dir, prefix)?;
            // Its queue is made at once, for as many lines as it may hold: the usual number is 4 MB of memory.
            let (writer, guard) = NonBlockingBuilder::default().buffered_lines_limit(QUEUED_LINES).finish(appender);
            registry.with(fmt::layer().with_writer(writer).with_ansi(false)).try_init().ok();
            Ok(Logging(Some(guard)))
        }
    }
}

/// A rolling file that only its owner can read: what agents show may be quoted in it.
#[derive(Debug)]
struct Private {
    files: RollingFileAppender,
    dir: PathBuf,
    prefix: String,
    /// The day whose file is private already.
    day: Date,
}

impl Private {
    /// Sees to it that the file of the day is private before anything is written to it.
    fn close_to_others(&mut self, day: Date) -> io::Result<()> {
        let path = self.dir.join(format!("{}.{day}.log", self.prefix));
        let file = OpenOptions::new().append(true).create(true).mode(0o600).open(path)?;
        // A link to a device is somebody's wish, and the device not ours.
        if file.metadata()?.is_file() {
            file.set_permissions(Permissions::from_mode(0o600))?;
        }
        self.day = day;
        Ok(())
    }
}

impl Write for Private {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let today = utc_day();
        if today != self.day {
            // The line is worth more than the mode: it is tried again with the next one.
            self.close_to_others(today).ok();
        }
        self.files.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.files.flush()
    }
}

/// The day by which the files are named.
fn utc_day() -> Date {
    Timestamp::now().to_zoned_datetime(TimeZone::UTC).date()
}

fn appender(dir: &Path, prefix: &str) -> Result<Private, LoggingError> {
    let fail = |reason: String| LoggingError { dir: dir.to_owned(), reason };
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(|error| fail(error.to_string()))?;
    let files = RollingFileAppender::builder()
        .rotation(Rotation::DAILY)
        .filename_prefix(prefix)
        .filename_suffix("log")
        .max_log_files(FILES_KEPT)
        .build(dir)
        .map_err(|error| {
            let cause = std::error::Error::source(&error).map(|source| format!(": {source}")).unwrap_or_default();
            fail(format!("{error}{cause}"))
        })?;
    let mut private = Private { files, dir: dir.to_owned(), prefix: prefix.to_owned(), day: utc_day() };
    private.close_to_others(utc_day()).map_err(|error| fail(error.to_string()))?;
    Ok(private)
}

/// The newest log file whose name starts so.
#[must_use]
pub fn newest(dir: &Path, prefix: &str) -> Option<PathBuf> {
    let start = format!("{prefix}.");
    let files = std::fs::read_dir(dir).ok()?.flatten();
    let names = files.filter_map(|entry| entry.file_name().into_string().ok());
    // The date in the name sorts as text.
    names.filter(|name| name.starts_with(&start) && name.ends_with(".log")).max().map(|name| dir.join(name))
}

/// The last lines of a file, at most `lines`, cleaned of control characters.
#[must_use]
pub fn tail(path: &Path, lines: usize) -> Vec<String> {
    use std::io::{Read, Seek, SeekFrom};
    const WINDOW: u64 = 256 * 1024;
    let read = || -> io::Result<Vec<u8>> {
        let mut file = std::fs::File::open(path)?;
        let size = file.metadata()?.len();
        file.seek(SeekFrom::Start(size.saturating_sub(WINDOW)))?;
        let mut bytes = Vec::new();
        file.take(WINDOW).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    let bytes = read().unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let all: Vec<&str> = text.lines().collect();
    all[all.len().saturating_sub(lines)..].iter().map(|line| crate::tmux::clean(line)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seven_files_are_kept_and_the_newest_is_found() {
        let dir = tempfile::tempdir().unwrap();
        for day in 10..25 {
            std::fs::write(dir.path().join(format!("engine-x.2020-01-{day}.log")), "old\n").unwrap();
        }
        std::fs::write(dir.path().join("other.2099-01-01.log"), "").unwrap();
        let mut file = appender(dir.path(), "engine-x").unwrap();
        file.write_all(b"one\ntwo\x1b[2J\n").unwrap();
        let ours = std::fs::read_dir(dir.path()).unwrap().flatten();
        let ours = ours.filter(|entry| entry.file_name().to_string_lossy().starts_with("engine-x")).count();
        assert!(ours <= FILES_KEPT, "{ours} files");
        let newest = newest(dir.path(), "engine-x").unwrap();
        assert!(!newest.to_string_lossy().contains("2020"), "{newest:?}");
        assert_eq!(tail(&newest, 1), ["two"]);
    }

    #[test]
    fn nobody_else_can_read_a_log_also_not_the_next_days() {
        let dir = tempfile::tempdir().unwrap();
        let mode = || std::fs::metadata(newest(dir.path(), "x").unwrap()).unwrap().permissions().mode() & 0o777;
        let mut file = appender(dir.path(), "x").unwrap();
        assert_eq!(mode(), 0o600);
        // As if the file of a new day had been made in between.
        std::fs::set_permissions(newest(dir.path(), "x").unwrap(), Permissions::from_mode(0o644)).unwrap();
        file.day = file.day.yesterday().unwrap();
        file.write_all(b"one\n").unwrap();
        assert_eq!(mode(), 0o600);
    }

    #[test]
    fn a_directory_that_cannot_be_made_is_told() {
        let error = appender(Path::new("/proc/none/logs"), "x").unwrap_err().to_string();
        assert!(error.starts_with("/proc/none/logs: cannot write the log:"), "{error}");
    }
}
