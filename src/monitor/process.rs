//! What runs under a pane: a walk over its own descendants, kept cheap for a thousand panes.
//!
//! On Linux each process costs one read of `/proc/PID/stat`, `cmdline` and `task/*/children`; nothing else of the
//! system is looked at. Where the kernel has no `children` file, and on other systems, the whole process table is read
//! once and asked ([`Table`]).

use std::collections::HashMap;

use super::detect::Process;
use crate::tmux::clean;

/// Most processes that are looked at under one pane: a runaway build must not hold up a cycle.
const MOST: usize = 400;

/// Most bytes of one process's arguments that are kept.
const MOST_ARGS: usize = 4096;

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

/// Whether the process `pid` that started at `start` still lives. A pid that was given anew has another start.
#[must_use]
pub fn alive(pid: u32, start: u64) -> bool {
    system::start(pid).is_some_and(|now| start == 0 || now == start)
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

/// Arguments as the kernel gives them, each ended by NUL: made safe to show.
#[cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "only Linux gives them so"))]
fn arguments(raw: &[u8]) -> Vec<String> {
    let raw = &raw[..raw.len().min(MOST_ARGS)];
    let mut all: Vec<String> = raw.split(|b| *b == 0).map(|arg| clean(&String::from_utf8_lossy(arg))).collect();
    // A title that a program gave itself is padded with NULs.
    while all.last().is_some_and(String::is_empty) {
        all.pop();
    }
    all
}

#[cfg(target_os = "linux")]
mod system {
    use std::fs;
    use std::io::Read;
    use std::sync::OnceLock;

    use super::{Process, Usage, arguments, clean};

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
        let raw = read(&format!("/proc/{pid}/cmdline"), super::MOST_ARGS as u64).unwrap_or_default();
        Some(Process {
            pid,
            ppid: fields.get(1)?.parse().ok()?,
            depth: 0,
            foreground: front > 0 && front == group,
            stopped: matches!(fields[0], "T" | "t"),
            zombie: matches!(fields[0], "Z" | "X" | "x"),
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

    pub fn start(pid: u32) -> Option<u64> {
        let stat = read(&format!("/proc/{pid}/stat"), 1024)?;
        let (_, fields) = split(&stat)?;
        // A zombie has ended, whatever its entry says.
        (!matches!(*fields.first()?, "Z" | "X" | "x")).then(|| fields.get(19)?.parse().ok()).flatten()
    }

    pub fn usage(pid: u32) -> Option<Usage> {
        let stat = read(&format!("/proc/{pid}/stat"), 1024)?;
        let (_, fields) = split(&stat)?;
        let number = |index: usize| fields.get(index).and_then(|word| word.parse::<u64>().ok()).unwrap_or(0);
        Some(Usage { ticks: number(11) + number(12), memory_bytes: number(21) * rustix::param::page_size() as u64 })
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
}

#[cfg(not(target_os = "linux"))]
mod system {
    use std::process::{Command, Stdio};

    use super::{Process, Usage, clean};

    pub fn knows_children() -> bool {
        false
    }

    pub fn all() -> Vec<Process> {
        let columns = "pid=,ppid=,pgid=,tpgid=,stat=,lstart=,ucomm=";
        let names = ps(&["-axo", columns]);
        let args: std::collections::HashMap<u32, String> = ps(&["-axwwo", "pid=,args="])
            .lines()
            .filter_map(|line| {
                let (pid, args) = line.trim_start().split_once(' ')?;
                Some((pid.parse().ok()?, clean(args.trim())))
            })
            .collect();
        names.lines().filter_map(|line| row(line, &args)).collect()
    }

    fn row(line: &str, args: &std::collections::HashMap<u32, String>) -> Option<Process> {
        let words: Vec<&str> = line.split_ascii_whitespace().collect();
        let pid = words.first()?.parse().ok()?;
        let (group, front): (i64, i64) = (words.get(2)?.parse().ok()?, words.get(3)?.parse().ok()?);
        let stat = *words.get(4)?;
        let comm = words.get(10..)?.join(" ");
        Some(Process {
            pid,
            ppid: words.get(1)?.parse().ok()?,
            depth: 0,
            foreground: stat.contains('+') || (front > 0 && front == group),
            stopped: stat.starts_with('T'),
            zombie: stat.starts_with('Z'),
            comm: clean(comm.rsplit('/').next().unwrap_or(&comm)),
            args: args.get(&pid).map(|a| a.split(' ').map(str::to_owned).collect()).unwrap_or_default(),
            start: number(&words[5..10].join(" ")),
        })
    }

    pub fn one(_pid: u32) -> Option<Process> {
        None
    }

    pub fn children(_pid: u32) -> Vec<u32> {
        Vec::new()
    }

    pub fn start(pid: u32) -> Option<u64> {
        let text = ps(&["-p", &pid.to_string(), "-o", "lstart="]);
        (!text.trim().is_empty()).then(|| number(text.trim()))
    }

    pub fn usage(pid: u32) -> Option<Usage> {
        let text = ps(&["-p", &pid.to_string(), "-o", "time=,rss="]);
        let (time, memory) = text.trim().split_once(' ')?;
        let seconds = time.split(':').try_fold(0.0, |sum, part| Some(sum * 60.0 + part.parse::<f64>().ok()?))?;
        Some(Usage { ticks: (seconds * 100.0) as u64, memory_bytes: memory.trim().parse::<u64>().ok()? * 1024 })
    }

    pub fn variable(_pid: u32, _name: &str) -> Option<String> {
        None
    }

    /// A start time as a number: it is only compared.
    fn number(text: &str) -> u64 {
        text.bytes()
            .filter(|b| !b.is_ascii_whitespace())
            .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
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
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn a_child_is_found_under_us_and_dies() {
        let mut child = Command::new("sleep").arg("600").stdin(Stdio::null()).spawn().unwrap();
        let me = std::process::id();
        let found = under(me).into_iter().find(|p| p.pid == child.id()).expect("the child is under us");
        assert_eq!((found.ppid, found.depth), (me, 1));
        assert!(alive(found.pid, found.start));
        assert!(!alive(found.pid, found.start + 1), "another start is another process");
        assert!(usage([me]).memory_bytes > 0);
        assert_eq!(
            Table::read().under(me).into_iter().find(|p| p.pid == found.pid).map(|p| p.start),
            Some(found.start)
        );
        child.kill().unwrap();
        // Killed and not reaped: it has ended.
        while alive(found.pid, found.start) {
            std::thread::yield_now();
        }
        child.wait().unwrap();
        assert!(under(found.pid).is_empty());
    }

    #[test]
    fn hostile_arguments_are_made_safe() {
        let args = arguments(b"claude\0--x=\x1b]0;boo\x07\xff\nend\0\0\0");
        assert_eq!(args, ["claude", "--x=\u{fffd}end"]);
    }

    #[test]
    fn a_loop_in_the_table_ends() {
        let process = |pid, ppid| Process { pid, ppid, ..Process::default() };
        let table = Table::from_processes([process(5, 6), process(6, 5)]);
        assert_eq!(table.under(5).len(), 2);
    }
}
