//! Logs: a file a day, seven kept; nothing is ever written on the dashboard's screen.

use std::{
    io,
    path::{Path, PathBuf},
};

use tracing_appender::{
    non_blocking::WorkerGuard,
    rolling::{RollingFileAppender, Rotation},
};
use tracing_subscriber::{EnvFilter, fmt, layer::SubscriberExt, util::SubscriberInitExt};

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
#[error("{}: cannot write the log: {reason}", dir.display())]
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
            let (writer, guard) = tracing_appender::non_blocking(appender);
            registry.with(fmt::layer().with_writer(writer).with_ansi(false)).try_init().ok();
            Ok(Logging(Some(guard)))
        }
    }
}

fn appender(dir: &Path, prefix: &str) -> Result<RollingFileAppender, LoggingError> {
    use std::os::unix::fs::DirBuilderExt;
    let fail = |reason: String| LoggingError { dir: dir.to_owned(), reason };
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(|error| fail(error.to_string()))?;
    RollingFileAppender::builder()
        .rotation(Rotation::DAILY)
        .filename_prefix(prefix)
        .filename_suffix("log")
        .max_log_files(FILES_KEPT)
        .build(dir)
        .map_err(|error| {
            let cause = std::error::Error::source(&error).map(|source| format!(": {source}")).unwrap_or_default();
            fail(format!("{error}{cause}"))
        })
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
        io::Write::write_all(&mut file, b"one\ntwo\x1b[2J\n").unwrap();
        let ours = std::fs::read_dir(dir.path()).unwrap().flatten();
        let ours = ours.filter(|entry| entry.file_name().to_string_lossy().starts_with("engine-x")).count();
        assert!(ours <= FILES_KEPT, "{ours} files");
        let newest = newest(dir.path(), "engine-x").unwrap();
        assert!(!newest.to_string_lossy().contains("2020"), "{newest:?}");
        assert_eq!(tail(&newest, 1), ["two"]);
    }

    #[test]
    fn a_directory_that_cannot_be_made_is_told() {
        let error = appender(Path::new("/proc/none/logs"), "x").unwrap_err().to_string();
        assert!(error.starts_with("/proc/none/logs: cannot write the log:"), "{error}");
    }
}
