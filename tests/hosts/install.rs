//! `hosts install` against a real sshd: what is copied, what is not, and that the host is reached then.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use tempfile::TempDir;

use crate::desk::Desk;
use crate::place::Place;
use crate::sshd::{Sshd, program};
use crate::stage::ASKS;
use crate::support::{Program, copy_program};

/// A static program that is `tmux-orc` at this place: what it runs is the one that is tested.
fn fixed(dir: &Path, place: &Place) -> PathBuf {
    let (source, built) = (dir.join("fixed.rs"), dir.join("fixed"));
    let socket = place.stage.server.socket();
    let text = format!(
        "use std::os::unix::process::CommandExt;\nfn main() {{ panic!(\"{{}}\", std::process::Command::new({:?}).arg(\"-S\")\
         .arg({socket:?}).args(std::env::args_os().skip(1)).exec()); }}\n",
        Program::PATH,
    );
    fs::write(&source, text).expect("written");
    let mut rustc = Command::new("rustc");
    rustc.args(["--edition=2024", "-Ctarget-feature=+crt-static", "-Cstrip=symbols", "-o"]).arg(&built).arg(&source);
    let output = rustc.output().expect("rustc starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    built
}

/// The same for another kind of machine: its file says so.
fn foreign(from: &Path, to: &Path) {
    let mut bytes = fs::read(from).expect("the program");
    // The machine of an ELF file, aarch64.
    bytes[18] = 183;
    fs::write(to, bytes).expect("written");
}

struct Scene {
    dir: TempDir,
    place: Place,
    desk: Desk,
    fixed: PathBuf,
    _sshd: Sshd,
}

impl Scene {
    fn new() -> Option<Self> {
        let program = program()?;
        if !cfg!(all(target_os = "linux", target_arch = "x86_64", target_env = "gnu")) {
            eprintln!("its programs are for Linux x86_64: skipped");
            return None;
        }
        let place = Place::new();
        let dir = tempfile::tempdir().expect("a directory");
        let sshd = Sshd::start(&program, &[("box", &place)]);
        let desk = Desk::with(&sshd, "box");
        let fixed = fixed(dir.path(), &place);
        Some(Self { dir, place, desk, fixed, _sshd: sshd })
    }

    /// Copies this file.
    fn install(&self, from: &Path) -> (i32, String) {
        self.desk.said(&["hosts", "install", "box", "--yes", "--from", from.to_str().expect("a plain path")])
    }

    fn is_untouched(&self, text: &str) {
        assert_eq!(fs::read_to_string(self.place.installed()).expect("it is there"), text);
        let names = fs::read_dir(self.place.installed().parent().expect("a folder")).expect("a folder");
        assert_eq!(names.count(), 1, "nothing else is left there");
    }
}

#[test]
fn where_there_is_none_it_is_put_and_the_host_is_reached() {
    let Some(scene) = Scene::new() else { return };
    let _claude = scene.place.stage.agent("one", ASKS);
    let (code, said) = scene.desk.said(&["hosts"]);
    assert!(code == 3 && said.contains("not installed"), "{said}");
    let (code, said) = scene.install(&scene.fixed);
    let place = scene.place.installed();
    let version = env!("CARGO_PKG_VERSION");
    assert!(said.starts_with(&format!("box: tmux-orc {version}")) && said.contains(", sha256 "), "{said}");
    assert!(code == 0 && said.contains(&format!(" at {}", place.display())) && !said.contains("in place of"), "{said}");
    assert_eq!(fs::read(&place).expect("it is there"), fs::read(&scene.fixed).expect("ours"));
    let (code, said) = scene.desk.said(&["hosts"]);
    assert!(code == 0 && said.contains(" up "), "{said}");
    let agents = scene.desk.said(&["agents", "--host", "box"]).1;
    assert!(agents.contains("waiting"), "{agents}");
}

#[test]
fn an_older_one_gives_way_when_all_is_proved_and_else_stays() {
    let Some(scene) = Scene::new() else { return };
    let old = "#!/bin/sh\necho tmux-orc 0.0.1\n";
    fs::create_dir_all(scene.place.installed().parent().expect("a folder")).expect("a folder");
    crate::support::write_program(&scene.place.installed(), old);
    // What arrives is something else than what was sent.
    scene.place.fake("sha256sum", "cat >/dev/null; echo 0000 -");
    let (code, said) = scene.install(&scene.fixed);
    assert!(code == 1 && said.contains("what arrived there is not what was sent"), "{said}");
    scene.is_untouched(old);
    fs::remove_file(scene.place.stage.server.home().join("bin/sha256sum")).expect("it was there");
    // Another kind of machine, whichever side of it.
    let other = scene.dir.path().join("other");
    foreign(&scene.fixed, &other);
    let (code, said) = scene.install(&other);
    assert!(code == 1 && said.contains("the program is for Linux aarch64, the host is Linux x86_64"), "{said}");
    scene.place.fake("uname", "[ \"$1\" = -m ] && echo riscv64 || echo Linux");
    let (code, said) = scene.install(&scene.fixed);
    assert!(code == 1 && said.contains("the program is for Linux x86_64, the host is Linux riscv64"), "{said}");
    scene.is_untouched(old);
    // One that says it is for that machine, and does not run there.
    scene.place.fake("uname", "[ \"$1\" = -m ] && echo aarch64 || echo Linux");
    let (code, said) = scene.install(&other);
    assert!(code == 1 && said.contains("nothing was changed: the program does not run there"), "{said}");
    scene.is_untouched(old);
    fs::remove_file(scene.place.stage.server.home().join("bin/uname")).expect("it was there");
    // Nobody to ask, and somebody who says no.
    let (code, said) = scene.desk.said(&["hosts", "install", "box", "--from", scene.fixed.to_str().expect("plain")]);
    assert!(code == 2 && said.contains("--yes copies without asking"), "{said}");
    let words = ["hosts", "install", "box", "--from", scene.fixed.to_str().expect("plain")];
    let terminal = scene.desk.terminal(&words);
    terminal.wait_text("in place of tmux-orc 0.0.1? [y/N]");
    terminal.keys(&["n", "Enter"]);
    terminal.wait_text("box: nothing was copied");
    assert_eq!(terminal.ended(), 1);
    scene.is_untouched(old);
    let terminal = scene.desk.terminal(&words);
    terminal.wait_text("[y/N]");
    terminal.keys(&["y", "Enter"]);
    terminal.wait_text("in place of tmux-orc 0.0.1, sha256 ");
    assert_eq!(terminal.ended(), 0);
    assert_eq!(fs::read(scene.place.installed()).expect("it is there"), fs::read(&scene.fixed).expect("ours"));
}

/// Without `--from` it is what came with the program, where the program itself is no static one.
#[test]
fn what_make_dist_made_is_what_is_copied() {
    let Some(scene) = Scene::new() else { return };
    let dist = scene.dir.path().join("dist");
    let kept = dist.join("lib/tmux-orc").join(concat!("x86_64", "-unknown-linux-gnu"));
    fs::create_dir_all(&kept).expect("a folder");
    let own = dist.join("tmux-orc");
    if fs::hard_link(Program::PATH, &own).is_err() {
        copy_program(Program::PATH, &own);
    }
    let install = || {
        let mut command = scene.desk.command(&own);
        let output = command.args(["hosts", "install", "box", "--yes"]).output().expect("it starts");
        String::from_utf8([output.stdout, output.stderr].concat()).expect("UTF-8")
    };
    let said = install();
    assert!(said.contains("not static") && said.contains("name it with --from"), "{said}");
    copy_program(&scene.fixed, &kept.join("tmux-orc"));
    fs::write(kept.join("tmux-orc.sha256"), format!("{}  tmux-orc\n", "0".repeat(64))).expect("written");
    let said = install();
    assert!(said.contains("it is not what its .sha256 says"), "{said}");
    assert!(!scene.place.installed().exists());
    let made = Command::new("sh").args(["-c", "sha256sum tmux-orc > tmux-orc.sha256"]).current_dir(&kept).status();
    assert!(made.expect("sh").success());
    let said = install();
    assert!(said.starts_with("box: tmux-orc ") && said.contains("sha256"), "{said}");
    assert_eq!(fs::read(scene.place.installed()).expect("it is there"), fs::read(&scene.fixed).expect("ours"));
}
