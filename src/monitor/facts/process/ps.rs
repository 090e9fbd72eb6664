//! Processes as `ps` shows them, for systems without `/proc`: the whole table at once, for all who ask in a second.

use std::path::PathBuf;
use std::{
    collections::HashMap,
    process::{Command, Stdio},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use crate::monitor::facts::fnv::fnv;
use crate::monitor::facts::process::{Process, ProcessStatus, Usage};
use crate::tmux::clean;

/// How long one table answers.
const GOOD_FOR: Duration = Duration::from_millis(900);

/// One process and its cost.
#[derive(Clone, Debug)]
struct Row {
    process: Process,
    usage: Usage,
    owner: u32,
}

type Rows = Arc<HashMap<u32, Row>>;

/// Whether a process's children can be asked for one by one.
pub fn knows_children() -> bool {
    false
}

/// All processes.
pub fn all() -> Vec<Process> {
    rows().values().map(|row| row.process.clone()).collect()
}

/// Not to be had one by one: see [`all`].
pub fn one(_pid: u32) -> Option<Process> {
    None
}

/// Not to be had one by one: see [`all`].
pub fn children(_pid: u32) -> Vec<u32> {
    Vec::new()
}

/// A process as it was less than a second ago.
pub fn status(pid: u32) -> Option<ProcessStatus> {
    rows().get(&pid).filter(|row| !row.process.zombie).map(|row| ProcessStatus::from(&row.process))
}

/// CPU time and memory of one process.
pub fn usage(pid: u32) -> Option<Usage> {
    rows().get(&pid).map(|row| row.usage)
}

/// Its start is a time of day here, which says nothing of the clock that files have.
pub fn age(_start: u64) -> Option<Duration> {
    None
}

/// The user whose process it is.
pub fn owner(pid: u32) -> Option<u32> {
    rows().get(&pid).map(|row| row.owner)
}

/// Which files another process has open is not shown.
pub fn open_files(_pid: u32) -> Vec<PathBuf> {
    Vec::new()
}

/// Another process's environment is not shown.
pub fn variable(_pid: u32, _name: &str) -> Option<String> {
    None
}

fn rows() -> Rows {
    static KEPT: Mutex<Option<(Instant, Rows)>> = Mutex::new(None);
    let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    match &*kept {
        Some((at, rows)) if at.elapsed() < GOOD_FOR => Arc::clone(rows),
        _ => {
            let rows = Arc::new(read());
            *kept = Some((Instant::now(), Arc::clone(&rows)));
            rows
        }
    }
}

fn read() -> HashMap<u32, Row> {
    let table = ps(&["-axo", "pid=,ppid=,pgid=,tpgid=,tty=,stat=,time=,rss=,lstart=,uid=,ucomm="]);
    let mut rows: HashMap<u32, Row> = table.lines().filter_map(row).map(|row| (row.process.pid, row)).collect();
    for line in ps(&["-axwwo", "pid=,args="]).lines() {
        let Some((pid, args)) = line.trim_start().split_once(' ') else { continue };
        if let Some(row) = pid.parse().ok().and_then(|pid: u32| rows.get_mut(&pid)) {
            row.process.args = clean(args.trim()).split(' ').map(str::to_owned).collect();
        }
    }
    rows
}

fn row(line: &str) -> Option<Row> {
    let words: Vec<&str> = line.split_ascii_whitespace().collect();
    let (group, front): (i64, i64) = (words.get(2)?.parse().ok()?, words.get(3)?.parse().ok()?);
    let (terminal, stat) = (*words.get(4)?, *words.get(5)?);
    // Weekday, month, day, time and year of the start come before the owner and the name.
    let owner = words.get(13)?.parse().ok()?;
    let comm = words.get(14..)?.join(" ");
    let process = Process {
        pid: words.first()?.parse().ok()?,
        ppid: words.get(1)?.parse().ok()?,
        depth: 0,
        foreground: stat.contains('+') || (front > 0 && front == group),
        stopped: stat.starts_with('T'),
        zombie: stat.starts_with('Z'),
        detached: terminal.starts_with('?') || terminal == "-",
        comm: clean(comm.rsplit('/').next().unwrap_or(&comm)),
        args: Vec::new(),
        start: number(&words[8..13]),
    };
    let usage = Usage {
        ticks: (seconds(words.get(6)?)? * 100.0) as u64,
        memory_bytes: words.get(7)?.parse::<u64>().ok()? * 1024,
    };
    Some(Row { process, usage, owner })
}

/// `[[days-]hours:]minutes:seconds[.hundredths]`.
fn seconds(time: &str) -> Option<f64> {
    let (days, clock) = time.split_once('-').unwrap_or(("0", time));
    let clock = clock.split(':').try_fold(0.0, |sum, part| Some(sum * 60.0 + part.parse::<f64>().ok()?))?;
    Some(days.parse::<f64>().ok()? * 86_400.0 + clock)
}

/// A start time as a number: it is only compared.
fn number(words: &[&str]) -> u64 {
    fnv(words.concat().bytes())
}

fn ps(args: &[&str]) -> String {
    Command::new("ps")
        .args(args)
        .env("LC_ALL", "C")
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .map(|out| String::from_utf8_lossy(&out.stdout).into_owned())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::monitor::facts::process::sleeper::Sleeper;

    #[test]
    fn a_line_of_ps_is_a_process() {
        let line = "  501     1   501   612 pts/3 S+     1-02:03:04.50  3144 Tue Nov 24 20:31:52 2026 1000 my agent";
        let Row { process, usage, owner } = row(line).unwrap();
        assert_eq!(owner, 1000);
        assert_eq!((process.pid, process.ppid, process.comm.as_str()), (501, 1, "my agent"));
        assert!(process.foreground && !process.stopped && !process.zombie);
        assert_eq!(usage, Usage { ticks: 9_378_450, memory_bytes: 3144 * 1024 });
        let other = row(&line.replace("20:31:52", "20:31:53")).unwrap();
        assert_ne!(other.process.start, process.start, "another start is another process");
        assert!(row("not a line").is_none());
    }

    #[test]
    fn a_running_child_is_in_the_table_of_ps() {
        let mut child = Sleeper::start();
        let rows = read();
        let row = &rows[&child.id()];
        assert_eq!((row.process.ppid, row.process.args.join(" ")), (std::process::id(), "sleep 600".to_owned()));
        child.end();
        assert!(!read().contains_key(&child.id()));
    }
}
