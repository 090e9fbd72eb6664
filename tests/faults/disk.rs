//! The disk is full: watching goes on without a word lost on the screen. What the engine in the background keeps on a
//! full disk is in tests/daemon/disk.rs.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use tmux_orc::app::demo::Fleet;

use super::{Watch, agents, nothing_left, still};
use crate::support::{Program, Watched, isolate};

/// A base directory that has no room left.
///
/// A small file system of its own where mounting is allowed (root); elsewhere a limit on what a process may write into
/// files, under which writes fail the same way, and which nothing lifts.
struct Full {
    dir: PathBuf,
    mounted: bool,
}

impl Full {
    fn new(home: &Path) -> Self {
        let dir = home.join("full");
        fs::create_dir(&dir).expect("a directory");
        let mount =
            Command::new("mount").args(["-t", "tmpfs", "-o", "size=128k,mode=0700", "tmpfs"]).arg(&dir).output();
        let mounted = mount.is_ok_and(|out| out.status.success());
        if !mounted {
            eprintln!("no file system can be mounted here: the size of files is limited instead");
        }
        Self { dir, mounted }
    }

    /// Takes the room that is left, to the last byte.
    fn fill(&self) {
        if self.mounted {
            use std::io::Write as _;
            let mut file = fs::File::create(self.dir.join("filler")).expect("a file");
            while file.write_all(&[b'x'; 1024]).is_ok() {}
            while file.write_all(b"x").is_ok() {}
        }
    }

    /// `tmux-orc -S SOCKET ARGS` with its base directory here.
    fn orc(&self, watched: &impl Watched, args: &[&str]) -> Command {
        let mut command = Command::new("sh");
        let limit = if self.mounted { "" } else { "trap '' XFSZ; ulimit -f 0; " };
        command
            .args(["-c", &format!("{limit}exec \"$@\""), "sh", Program::PATH, "-S"])
            .arg(watched.socket())
            .args(args);
        isolate(&mut command, watched.home()).env("TMUX_ORC_HOME", &self.dir);
        command
    }
}

impl Drop for Full {
    fn drop(&mut self) {
        if self.mounted {
            // Lazily: a process that is about to end may still hold a file.
            let _ = Command::new("umount").arg("-l").arg(&self.dir).output();
        }
    }
}

#[test]
fn a_full_disk_takes_nothing_from_the_dashboard() {
    let fleet = Fleet::start_plan(&still(3)).expect("a fleet");
    let home = fleet.dir().to_owned();
    let full = Full::new(&home);
    full.fill();
    let mut watch = Watch::start(full.orc(&fleet, &["perf", "watch", "--json", "--interval", "0.2"]));
    let first = watch.until("the agents", |snapshot| agents(snapshot).len() == 3);
    let cycles = |snapshot: &serde_json::Value| snapshot["base_status"]["cycle_count"].as_u64().unwrap_or(0);
    let later = watch.until("more cycles", |snapshot| cycles(snapshot) > cycles(&first) + 5);
    assert_eq!(later["base_status"]["errors_detected"], 0, "no file is part of a cycle: {later}");
    drop(watch);
    let out = full.orc(&fleet, &["agents"]).output().expect("it starts");
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    drop((full, fleet));
    nothing_left(&home);
}
