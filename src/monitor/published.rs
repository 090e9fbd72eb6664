//! What Claude Code publishes of its own state: `sessions/PID.json` under its settings folder.
//!
//! The file is not documented, so it only fills in what the screen does not tell. It is believed when it names the
//! process that we see, by pid and start time: after a crash it stays behind. Its neighbour `PID.HASH.key` is a secret
//! and is never opened. Its `tmux` field is not used: of an agent inside a nested tmux it names a pane of the inner
//! server.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::Deserialize;

use super::detect::Published;
use super::process;

/// Most bytes of the file that are read; it has a few hundred.
const MOST: u64 = 64 * 1024;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct File {
    pid: u32,
    #[serde(default)]
    proc_start: Option<serde_json::Value>,
    status: String,
    #[serde(default)]
    waiting_for: Option<String>,
    #[serde(default)]
    status_updated_at: Option<serde_json::Value>,
    #[serde(default)]
    updated_at: Option<serde_json::Value>,
}

/// The folder in which the Claude Code of process `pid` keeps its settings: its own `CLAUDE_CONFIG_DIR`, else `.claude`
/// in its own home folder, else in ours.
#[must_use]
pub fn folder(pid: u32) -> Option<PathBuf> {
    let own = |name: &str| process::variable(pid, name).filter(|value| value.starts_with('/')).map(PathBuf::from);
    own("CLAUDE_CONFIG_DIR")
        .or_else(|| own("HOME").map(|home| home.join(".claude")))
        .or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".claude")))
}

/// What the Claude Code of process `pid` publishes in `folder`; `None` when there is no file of that very process.
/// `start` is the process's start in the kernel's units, 0 when unknown.
#[must_use]
pub fn read(folder: &Path, pid: u32, start: u64) -> Option<Published> {
    let path = folder.join("sessions").join(format!("{pid}.json"));
    let file = fs::File::open(path).ok()?;
    if !file.metadata().ok()?.is_file() {
        return None;
    }
    let mut text = String::new();
    file.take(MOST).read_to_string(&mut text).ok()?;
    parse(&text, pid, start)
}

pub(super) fn parse(text: &str, pid: u32, start: u64) -> Option<Published> {
    // Claude may be in the middle of writing it: then the next look will do.
    let file: File = serde_json::from_str(text).ok()?;
    let same = file.pid == pid && (start == 0 || file.proc_start.as_ref().and_then(number).is_none_or(|s| s == start));
    if !same {
        return None;
    }
    let at = file.status_updated_at.as_ref().or(file.updated_at.as_ref()).and_then(time);
    Some(Published { status: file.status, waiting_for: file.waiting_for, at })
}

fn number(value: &serde_json::Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.trim().parse().ok())
}

fn time(value: &serde_json::Value) -> Option<Timestamp> {
    match value.as_i64() {
        Some(ms) => Timestamp::from_millisecond(ms).ok(),
        None => value.as_str()?.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"{"pid":42,"procStart":"777","status":"waiting","waitingFor":"permission prompt","tmux":"in:@0.%0","statusUpdatedAt":1795533994964}"#;

    #[test]
    fn the_file_of_this_very_process_is_believed() {
        let got = parse(TEXT, 42, 777).unwrap();
        assert_eq!((got.status.as_str(), got.waiting_for.as_deref()), ("waiting", Some("permission prompt")));
        assert_eq!(got.at.unwrap().as_millisecond(), 1_795_533_994_964);
        assert_eq!(parse(TEXT, 42, 778), None, "another process with that pid");
        assert_eq!(parse(TEXT, 43, 777), None);
        assert_eq!(parse(&TEXT[..60], 42, 777), None, "half written");
    }

    #[test]
    fn only_the_session_file_is_read() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("sessions")).unwrap();
        assert_eq!(read(dir.path(), 42, 777), None);
        fs::write(dir.path().join("sessions/42.json"), TEXT).unwrap();
        assert!(read(dir.path(), 42, 777).is_some());
    }
}
