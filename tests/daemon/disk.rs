//! Disks that are full, small, elsewhere or not to be written: nothing is half-written, the engine goes on, and what
//! cannot be kept is said.

use std::{
    fs,
    io::Write,
    os::unix::fs::{MetadataExt, PermissionsExt, symlink},
    path::{Path, PathBuf},
    process::Command,
};

use tmux_orc::monitor;

use super::{
    support::{PATIENCE, TmuxServer, wait_for},
    watched::Watched,
};

/// A file system of its own for a base directory, of a few hundred kilobytes. On drop the engine in it is stopped, which
/// nobody would find any more without its socket, and it is unmounted.
struct SmallDisk<'a> {
    server: &'a TmuxServer,
    at: PathBuf,
}

impl<'a> SmallDisk<'a> {
    /// Mounts one at `at`; `None` where this user may not mount.
    fn mount(server: &'a TmuxServer, at: &Path, options: &str) -> Option<Self> {
        fs::create_dir_all(at).expect("made");
        let done = Command::new("mount").args(["-t", "tmpfs", "-o", options, "tmpfs"]).arg(at).output();
        let mounted = done.is_ok_and(|done| done.status.success());
        if !mounted {
            // Past the harness, which shows nothing of a test that passed.
            let test = std::thread::current().name().unwrap_or("a test").to_owned();
            let _ = writeln!(std::io::stderr(), "in part skipped: {test}: this user may not mount a small disk");
        }
        mounted.then(|| Self { server, at: at.to_owned() })
    }

    /// Fills it to the last byte.
    fn fill(&self) {
        let mut file = fs::File::create(self.at.join("filler")).expect("made");
        for size in [4096, 1] {
            while file.write_all(&vec![b'x'; size]).is_ok() {}
        }
    }

    fn make_room(&self) {
        fs::remove_file(self.at.join("filler")).expect("removed");
    }
}

impl Drop for SmallDisk<'_> {
    fn drop(&mut self) {
        let _ = self.server.orc(&["monitor", "stop"]).env("TMUX_ORC_HOME", self.at.display().to_string()).output();
        let _ = Command::new("umount").arg("-l").arg(&self.at).output();
    }
}

fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(dir).expect("there").flatten().map(|e| e.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// The journal and the log lead to a device that is always full: for users who may not mount a small disk.
fn full_devices(watched: &Watched) {
    let home = watched.server.home().join("orc");
    fs::create_dir_all(home.join("events")).expect("made");
    let today = jiff::Timestamp::now().to_zoned_datetime(jiff::tz::TimeZone::UTC).date();
    for day in [today, today.tomorrow().expect("a day")] {
        symlink("/dev/full", home.join(format!("events/{day}.jsonl"))).expect("linked");
    }
}

#[test]
fn an_engine_whose_disk_fills_up_goes_on_and_says_what_is_not_kept() {
    let watched = Watched::new();
    let home = watched.server.home().join("orc");
    let disk = SmallDisk::mount(&watched.server, &home, "size=512k,mode=700");
    if disk.is_none() {
        full_devices(&watched);
    }
    assert_eq!(watched.orc(&["monitor", "start", "--interval", "0.1"]).0, 0);
    if let Some(disk) = &disk {
        disk.fill();
    }
    let cycles = || watched.status()["base_status"]["cycle_count"].as_u64().expect("a count");
    let before = cycles();
    // Something to be kept: as many events as fill what was left of the last block.
    let told = || watched.status()["events"].to_string().contains("events are not kept: ");
    for round in 0..200 {
        if told() {
            break;
        }
        watched.tell(monitor::Command::PoolSize(if round % 2 == 0 { 7 } else { 8 }));
    }
    wait_for("what is not kept to be said", PATIENCE, told);
    let events = watched.status()["events"].to_string();
    assert!(events.contains("No space left on device") && events.contains("free space"), "{events}");
    wait_for("the cycles to go on", PATIENCE, || cycles() > before + 5);
    assert_eq!(watched.orc(&["agents"]).0, 0);
    assert_eq!(watched.orc(&["health"]).0, 0);
    let Some(disk) = &disk else { return };
    disk.make_room();
    watched.tell(monitor::Command::Interval(0.25));
    wait_for("the journal to be written again", PATIENCE, || {
        watched.events().iter().any(|event| event["setting"] == "interval" && event["to"] == "0.25 s")
    });
    assert_eq!(watched.orc(&["monitor", "stop"]).0, 0);
}

#[test]
fn on_a_full_disk_nothing_is_half_written_and_all_works_again_with_room() {
    let watched = Watched::new();
    let home = watched.server.home().join("orc");
    let Some(disk) = SmallDisk::mount(&watched.server, &home, "size=64k,mode=700") else {
        // Without a small disk: a limit on the size of files fails in the middle of the write, too.
        let limited = |args: &str| {
            let line = format!("trap '' XFSZ; ulimit -f 1; exec {} config init {args}", env!("CARGO_BIN_EXE_tmux-orc"));
            let run = watched.server.isolate(Command::new("sh").args(["-c", &line])).output().expect("runs");
            assert_eq!(run.status.code(), Some(1), "{run:?}");
        };
        limited("");
        assert_eq!(names(&home), Vec::<String>::new());
        watched.config("# mine\n");
        limited("--force");
        assert_eq!(names(&home), ["config.yaml"]);
        return;
    };
    disk.fill();
    let (code, _, stderr) = watched.orc(&["config", "init"]);
    assert_eq!(code, 1);
    assert!(stderr.contains("No space left on device") && stderr.contains("TMUX_ORC_HOME"), "{stderr}");
    assert_eq!(names(&home), ["filler"], "half a file is worse than none");
    let (code, _, stderr) = watched.orc(&["monitor", "start"]);
    assert_eq!(code, 1, "{stderr}");
    assert!(stderr.contains("No space left on device"), "{stderr}");
    assert_eq!(watched.orc(&["status"]).0, 3);
    // Looking needs no disk.
    assert_eq!(watched.orc(&["agents"]).0, 0);
    assert_eq!(watched.orc(&["perf", "watch", "--once"]).0, 0);

    disk.make_room();
    watched.config("# mine\n");
    disk.fill();
    let (code, _, stderr) = watched.orc(&["config", "init", "--force"]);
    assert_eq!(code, 1, "{stderr}");
    assert_eq!(fs::read_to_string(home.join("config.yaml")).expect("there"), "# mine\n", "the old one is lost");
    disk.make_room();
    let (code, stdout, stderr) = watched.orc(&["monitor", "start"]);
    assert_eq!(code, 0, "{stdout}{stderr}");
    let full = names(&home).into_iter().filter(|name| name.contains("yaml.")).collect::<Vec<_>>();
    assert_eq!(full, Vec::<String>::new(), "leftovers");
}

#[test]
fn a_home_on_another_file_system_works() {
    let server = TmuxServer::start();
    let elsewhere = Path::new("/dev/shm");
    let home = if elsewhere.is_dir() {
        tempfile::tempdir_in(elsewhere).expect("made")
    } else {
        tempfile::tempdir().expect("made")
    };
    let disk = SmallDisk::mount(&server, &home.path().join("base"), "size=2m,mode=700");
    let base = home.path().join("base");
    fs::create_dir_all(&base).expect("made");
    if disk.is_some() || elsewhere.is_dir() {
        let device = |path: &Path| fs::metadata(path).expect("there").dev();
        assert_ne!(device(&base), device(server.home()), "it is no other file system");
    }
    let orc = |args: &[&str]| server.orc(args).env("TMUX_ORC_HOME", &base).output();
    for args in [
        &["config", "init"][..],
        &["config", "init", "--force"],
        &["monitor", "start"],
        &["status"],
        &["events"],
        &["monitor", "logs"],
        &["monitor", "stop"],
    ] {
        let done = orc(args);
        assert!(done.status.success(), "{args:?}: {done:?}");
    }
}

#[test]
fn a_home_that_is_read_only_is_told_and_looking_works() {
    let watched = Watched::new();
    let home = watched.server.home().join("orc");
    let disk = SmallDisk::mount(&watched.server, &home, "size=64k,mode=700,ro");
    if disk.is_none() {
        fs::create_dir_all(&home).expect("made");
        fs::set_permissions(&home, fs::Permissions::from_mode(0o500)).expect("closed");
    }
    for args in [&["config", "init"][..], &["monitor", "start"]] {
        let (code, _, stderr) = watched.orc(args);
        assert_eq!(code, 1, "{args:?}: {stderr}");
        assert!(stderr.contains("Read-only file system") || stderr.contains("Permission denied"), "{stderr}");
        assert!(stderr.contains("TMUX_ORC_HOME"), "it says what to do: {stderr}");
    }
    for args in [&["agents"][..], &["perf", "watch", "--once"], &["config", "check"], &["monitor", "--dry-run"]] {
        assert_eq!(watched.orc(args).0, 0, "{args:?}");
    }
    if disk.is_none() {
        fs::set_permissions(&home, fs::Permissions::from_mode(0o700)).expect("opened");
    }
}

#[test]
fn what_is_written_is_readable_by_its_owner_alone() {
    let watched = Watched::new();
    assert_eq!(watched.orc(&["config", "init"]).0, 0);
    assert_eq!(watched.orc(&["monitor", "start", "--interval", "0.1"]).0, 0);
    let home = watched.server.home().join("orc");
    wait_for("the journal", PATIENCE, || home.join("events").is_dir());
    let mut seen = 0;
    let mut open = vec![home];
    while let Some(dir) = open.pop() {
        for entry in fs::read_dir(dir).expect("readable").flatten() {
            let meta = entry.metadata().expect("there");
            let mode = meta.permissions().mode() & 0o777;
            let wanted = if meta.is_dir() { 0o700 } else { 0o600 };
            assert_eq!(mode, wanted, "{} is {mode:o}", entry.path().display());
            seen += 1;
            if meta.is_dir() {
                open.push(entry.path());
            }
        }
    }
    assert!(seen >= 8, "only {seen} entries");
}
