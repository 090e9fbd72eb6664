//! Processes as Linux shows them in `/proc`.

use std::fs;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::Duration;

use crate::monitor::facts::process::{Process, ProcessStatus, Usage};
use crate::tmux::clean;

/// Most bytes of one process's arguments that are kept.
const MOST_ARGS: usize = 4096;

pub fn knows_children() -> bool {
    static KNOWN: OnceLock<bool> = OnceLock::new();
    *KNOWN.get_or_init(|| {
        let me = std::process::id();
        fs::metadata(format!("/proc/{me}/task/{me}/children")).is_ok()
    })
}

pub fn all() -> Vec<Process> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).filter_map(one).collect()
}

pub fn one(pid: u32) -> Option<Process> {
    let stat = read(&format!("/proc/{pid}/stat"), 1024)?;
    let (comm, fields) = split(&stat)?;
    let number = |index: usize| fields.get(index).and_then(|word| word.parse::<i64>().ok());
    let (group, front) = (number(2)?, number(5)?);
    let raw = read(&format!("/proc/{pid}/cmdline"), MOST_ARGS as u64).unwrap_or_default();
    Some(Process {
        pid,
        ppid: fields.get(1)?.parse().ok()?,
        depth: 0,
        foreground: front > 0 && front == group,
        stopped: matches!(fields[0], "T" | "t"),
        zombie: matches!(fields[0], "Z" | "X" | "x"),
        detached: number(4) == Some(0),
        comm: clean(comm),
        args: arguments(&raw),
        start: fields.get(19)?.parse().ok()?,
    })
}

pub fn children(pid: u32) -> Vec<u32> {
    let Ok(tasks) = fs::read_dir(format!("/proc/{pid}/task")) else { return Vec::new() };
    let mut all = Vec::new();
    for task in tasks.flatten() {
        let mut path = task.path();
        path.push("children");
        if let Ok(text) = fs::read_to_string(path) {
            all.extend(text.split_ascii_whitespace().filter_map(|word| word.parse::<u32>().ok()));
        }
    }
    all
}

pub fn status(pid: u32) -> Option<ProcessStatus> {
    let stat = read(&format!("/proc/{pid}/stat"), 1024)?;
    let (_, fields) = split(&stat)?;
    let number = |index: usize| fields.get(index).and_then(|word| word.parse::<i64>().ok());
    let (group, front) = (number(2)?, number(5)?);
    // A zombie has ended, whatever its entry says.
    let ended = matches!(fields[0], "Z" | "X" | "x");
    let start = fields.get(19)?.parse().ok()?;
    (!ended).then_some(ProcessStatus {
        start,
        foreground: front > 0 && front == group,
        stopped: matches!(fields[0], "T" | "t"),
    })
}

pub fn usage(pid: u32) -> Option<Usage> {
    let stat = read(&format!("/proc/{pid}/stat"), 1024)?;
    let (_, fields) = split(&stat)?;
    let number = |index: usize| fields.get(index).and_then(|word| word.parse::<u64>().ok()).unwrap_or(0);
    Some(Usage { ticks: number(11) + number(12), memory_bytes: number(21) * rustix::param::page_size() as u64 })
}

pub fn age(start: u64) -> Option<Duration> {
    let uptime = String::from_utf8(read("/proc/uptime", 64)?).ok()?;
    let since_boot = Duration::try_from_secs_f64(uptime.split_ascii_whitespace().next()?.parse().ok()?).ok()?;
    let ticks = rustix::param::clock_ticks_per_second();
    // A container that shows an uptime of its own has processes that began before it: nothing is known then.
    since_boot.checked_sub(Duration::from_millis(start.saturating_mul(1000).checked_div(ticks)?))
}

pub fn owner(pid: u32) -> Option<u32> {
    fs::metadata(format!("/proc/{pid}")).ok().map(|found| found.uid())
}

/// Most open files of one process that are looked at.
const MOST_OPEN: usize = 1024;

pub fn open_files(pid: u32) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(format!("/proc/{pid}/fd")) else { return Vec::new() };
    entries.take(MOST_OPEN).filter_map(|entry| fs::read_link(entry.ok()?.path()).ok()).collect()
}

pub fn variable(pid: u32, name: &str) -> Option<String> {
    let raw = read(&format!("/proc/{pid}/environ"), 1 << 20)?;
    let start = format!("{name}=");
    raw.split(|b| *b == 0)
        .find_map(|entry| entry.strip_prefix(start.as_bytes()))
        .map(|value| String::from_utf8_lossy(value).into_owned())
}

/// The name between the outermost parentheses, and the fields after it: a name may hold spaces and parentheses.
fn split(stat: &[u8]) -> Option<(&str, Vec<&str>)> {
    let text = std::str::from_utf8(stat).ok().or_else(|| {
        // A name that is no text: only the fields count then.
        let end = stat.iter().rposition(|b| *b == b')')?;
        std::str::from_utf8(&stat[end..]).ok()
    })?;
    let end = text.rfind(')')?;
    let comm = text[..end].split_once('(').map_or("", |(_, name)| name);
    Some((comm, text[end + 1..].split_ascii_whitespace().collect()))
}

fn read(path: &str, most: u64) -> Option<Vec<u8>> {
    let mut raw = Vec::with_capacity(512);
    fs::File::open(path).ok()?.take(most).read_to_end(&mut raw).ok()?;
    Some(raw)
}

/// Arguments as the kernel gives them, each ended by NUL: made safe to show.
fn arguments(raw: &[u8]) -> Vec<String> {
    let raw = &raw[..raw.len().min(MOST_ARGS)];
    let mut all: Vec<String> = raw.split(|b| *b == 0).map(|arg| clean(&String::from_utf8_lossy(arg))).collect();
    // A title that a program gave itself is padded with NULs.
    while all.last().is_some_and(String::is_empty) {
        all.pop();
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_arguments_are_made_safe() {
        let args = arguments(b"claude\0--x=\x1b]0;boo\x07\xff\nend\0\0\0");
        assert_eq!(args, ["claude", "--x=\u{fffd}end"]);
    }
}
