//! What runs under a pane: a walk over its own descendants, kept cheap for a thousand panes.
//!
//! On Linux each process costs one read of `/proc/PID/stat`, `cmdline` and `task/*/children`; nothing else of the
//! system is looked at. Where the kernel has no `children` file, and on other systems, the whole process table is read
//! once and asked ([`Table`]).

#[cfg(target_os = "linux")]
mod linux;
#[cfg(any(not(target_os = "linux"), test))]
#[cfg_attr(target_os = "linux", expect(dead_code, reason = "there only its parsing is tested"))]
mod ps;
#[cfg(test)]
pub(crate) mod sleeper;

/// The process table as this system shows it.
mod system {
    #[cfg(target_os = "linux")]
    pub(super) use super::linux::{
        age, all, children, knows_children, one, open_files, owner, status, usage, variable,
    };
    #[cfg(not(target_os = "linux"))]
    pub(super) use super::ps::{age, all, children, knows_children, one, open_files, owner, status, usage, variable};
}

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::monitor::detect::Process;

/// Most processes that are looked at under one pane: a runaway build must not hold up a cycle.
const MOST: usize = 400;

/// CPU time and memory of some processes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// User and system time so far, in clock ticks (`sysconf(_SC_CLK_TCK)`, 100 a second nearly everywhere).
    pub ticks: u64,
    /// Resident memory, bytes. Shared pages count in each process.
    pub memory_bytes: u64,
}

/// The process table of the whole system, read once.
#[derive(Clone, Debug, Default)]
pub struct Table {
    processes: HashMap<u32, Process>,
    children: HashMap<u32, Vec<u32>>,
}

impl Table {
    /// Reads it. Empty when the system does not show it.
    #[must_use]
    pub fn read() -> Self {
        Self::from_processes(system::all())
    }

    fn from_processes(all: impl IntoIterator<Item = Process>) -> Self {
        let mut table = Self::default();
        for process in all {
            table.children.entry(process.ppid).or_default().push(process.pid);
            table.processes.insert(process.pid, process);
        }
        table.children.values_mut().for_each(|pids| pids.sort_unstable());
        table
    }

    /// `pid` and its descendants, parents before children.
    #[must_use]
    pub fn under(&self, pid: u32) -> Vec<Process> {
        let none = Vec::new();
        walk(pid, |pid| self.processes.get(&pid).cloned(), |pid| self.children.get(&pid).unwrap_or(&none).clone())
    }
}

/// `pid` and its descendants, parents before children; empty when it does not exist (any more).
#[must_use]
pub fn under(pid: u32) -> Vec<Process> {
    if pid == 0 {
        return Vec::new();
    }
    if !system::knows_children() {
        return Table::read().under(pid);
    }
    walk(pid, system::one, system::children)
}

/// What one read says of a process (proc_pid_stat(5)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProcessStatus {
    /// As [`Process::start`]: a pid that was given anew has another.
    pub start: u64,
    /// As [`Process::foreground`].
    pub foreground: bool,
    /// As [`Process::stopped`].
    pub stopped: bool,
}

impl From<&Process> for ProcessStatus {
    fn from(process: &Process) -> Self {
        Self { start: process.start, foreground: process.foreground, stopped: process.stopped }
    }
}

/// A process as it is now, by one read; `None` when it has ended.
#[must_use]
pub fn status(pid: u32) -> Option<ProcessStatus> {
    system::status(pid)
}

/// How long ago a process started, by [`Process::start`]; `None` where that cannot be told.
#[must_use]
pub fn age(start: u64) -> Option<Duration> {
    system::age(start)
}

/// The files that a process has open; none where the system does not show them.
#[must_use]
pub fn open_files(pid: u32) -> Vec<PathBuf> {
    system::open_files(pid)
}

/// CPU time and memory of `pids` together; those that are gone count nothing.
#[must_use]
pub fn usage(pids: impl IntoIterator<Item = u32>) -> Usage {
    pids.into_iter().filter_map(system::usage).fold(Usage::default(), |sum, one| Usage {
        ticks: sum.ticks + one.ticks,
        memory_bytes: sum.memory_bytes + one.memory_bytes,
    })
}

/// An environment variable of a process of the same user, such as `HOME`; `None` when it cannot be read.
#[must_use]
pub fn variable(pid: u32, name: &str) -> Option<String> {
    system::variable(pid, name)
}

/// The user whose process it is; `None` when it has ended.
#[must_use]
pub fn owner(pid: u32) -> Option<u32> {
    system::owner(pid)
}

fn walk(pid: u32, one: impl Fn(u32) -> Option<Process>, children: impl Fn(u32) -> Vec<u32>) -> Vec<Process> {
    let mut found: Vec<Process> = Vec::new();
    let mut open = vec![(pid, 0_u16)];
    while let Some((pid, depth)) = open.pop() {
        // A process seen twice was given a pid anew while we looked.
        if found.len() >= MOST || found.iter().any(|p| p.pid == pid) {
            continue;
        }
        let Some(mut process) = one(pid) else { continue };
        process.depth = depth;
        found.push(process);
        let mut below = children(pid);
        below.sort_unstable_by(|a, b| b.cmp(a));
        open.extend(below.into_iter().map(|child| (child, depth.saturating_add(1))));
    }
    found
}

/// The folders in which the program of a process keeps what is its own: those that a variable of its own environment
/// names, with commas between them, else those below its own home folder, else below ours. And whose they must be.
/// `None` when the process is not ours: another user's variables are not for us to follow.
#[must_use]
pub fn folders(pid: u32, variable: Option<&str>, homes: &[impl AsRef<Path>]) -> Option<(Vec<PathBuf>, u32)> {
    let owner = owner(pid).filter(|owner| *owner == rustix::process::geteuid().as_raw())?;
    let own = |name: &str| self::variable(pid, name).filter(|value| value.starts_with('/'));
    if let Some(named) = variable.and_then(own) {
        return Some((
            named.split(',').map(str::trim).filter(|one| one.starts_with('/')).map(PathBuf::from).collect(),
            owner,
        ));
    }
    let home = own("HOME").map(PathBuf::from).or_else(|| std::env::var_os("HOME").map(PathBuf::from))?;
    Some((homes.iter().map(|below| home.join(below)).collect(), owner))
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use crate::monitor::facts::process::sleeper::Sleeper;

    #[test]
    fn a_child_is_found_under_us_and_dies() {
        let mut child = Sleeper::start();
        let me = std::process::id();
        let found = under(me).into_iter().find(|p| p.pid == child.id()).expect("the child is under us");
        assert_eq!((found.ppid, found.depth), (me, 1));
        assert_eq!(status(found.pid).map(|now| now.start), Some(found.start));
        assert!(usage([me]).memory_bytes > 0);
        assert_eq!(
            Table::read().under(me).into_iter().find(|p| p.pid == found.pid).map(|p| p.start),
            Some(found.start)
        );
        child.kill();
        // Killed and not reaped: it has ended.
        while status(found.pid).is_some() {
            std::thread::yield_now();
        }
        child.end();
        assert!(under(found.pid).is_empty());
    }

    #[test]
    fn a_loop_in_the_table_ends() {
        let process = |pid, ppid| Process { pid, ppid, ..Process::default() };
        let table = Table::from_processes([process(5, 6), process(6, 5)]);
        assert_eq!(table.under(5).len(), 2);
    }
}
