//! The panel of the hosts: `Enter` begins what only a person can do, in a window of their tmux or in the dashboard's own terminal.

use std::{fs, process::Command};

use crate::desk::Desk;
use crate::place::Place;
use crate::sshd::{Sshd, program};
use crate::stage::ASKS;
use crate::support::{Program, Terminal, tmux_program};

/// A host that asks for its key and for that of its user, without tmux-orc.
struct Scene {
    place: Place,
    desk: Desk,
    sshd: Sshd,
}

impl Scene {
    fn new() -> Option<Self> {
        let program = program()?;
        let place = Place::new();
        let sshd = Sshd::start(&program, &[("box", &place)]);
        let desk = Desk::new("hosts: [{ name: box, ssh: box }]\n", "");
        fs::write(desk.at("ssh_config"), sshd.client("box", sshd.port(), &desk.at("known"), "ask")).expect("written");
        let mut locks = Command::new("ssh-keygen");
        let locked = locks.args(["-q", "-p", "-P", "", "-N", "open sesame", "-f"]).arg(sshd.key("box")).output();
        assert!(locked.expect("ssh-keygen").status.success());
        Some(Self { place, desk, sshd })
    }

    /// Logs in, which leads to the next trouble: tmux-orc is not there.
    fn log_in(&self, terminal: &Terminal) {
        terminal.wait_text("Are you sure you want to continue connecting");
        terminal.keys(&["yes", "Enter"]);
        terminal.wait_text("Enter passphrase for key");
        terminal.keys(&["open sesame", "Enter"]);
        terminal
            .wait("it is back, and knows", |screen| screen.contains("╭ Hosts ") && screen.contains("not installed"));
    }

    /// `hosts install` with what is tested here, which is no static program: it fails and is read; meanwhile somebody else
    /// installs it.
    fn install(&self, terminal: &Terminal) {
        terminal.wait_text("install  H back");
        terminal.keys(&["Enter"]);
        terminal.wait("why not", |screen| screen.contains("not static") && screen.contains("Press Enter to go back."));
        fs::create_dir_all(self.place.installed().parent().expect("a folder")).expect("a folder");
        std::os::unix::fs::symlink(self.sshd.bridge_of("box", &self.place), self.place.installed()).expect("a link");
        terminal.keys(&["Enter"]);
        terminal.wait("it is up", |screen| screen.contains("╭ Hosts ") && screen.contains("● box   up"));
        terminal.keys(&["H"]);
        terminal.wait("its agent", |screen| screen.contains("main:1.0") && screen.contains("1 needs you"));
    }
}

#[test]
fn outside_of_tmux_the_terminal_is_given_to_it_and_taken_back() {
    let Some(scene) = Scene::new() else { return };
    let _claude = scene.place.stage.agent("one", ASKS);
    let terminal = scene.desk.terminal(&["--host", "box"]);
    terminal.wait_text("needs you to log in");
    terminal.keys(&["H"]);
    terminal.wait("what Enter does", |screen| screen.contains("╭ Hosts ") && screen.contains("log in  H back"));
    // Somebody who thinks better of it.
    terminal.keys(&["Enter"]);
    terminal.wait_text("Are you sure you want to continue connecting");
    assert!(terminal.format("#{alternate_on}") == "0", "it is on the terminal as any ssh is");
    terminal.keys(&["no", "Enter"]);
    terminal.wait("why not", |screen| {
        screen.contains("ssh ended without a connection") && screen.contains("Press Enter to go back.")
    });
    terminal.keys(&["Enter"]);
    terminal.wait_text("╭ Hosts ");
    terminal.keys(&["q"]);
    assert_eq!(terminal.ended(), 0);
    // And who goes through with it.
    let terminal = scene.desk.terminal(&["--host", "box"]);
    terminal.wait_text("needs you to log in");
    terminal.keys(&["H"]);
    terminal.wait_text("log in  H back");
    terminal.keys(&["Enter"]);
    scene.log_in(&terminal);
    scene.install(&terminal);
    terminal.keys(&["q"]);
    assert_eq!(terminal.ended(), 0);
}

#[test]
fn inside_tmux_it_has_a_window_of_its_own() {
    let Some(scene) = Scene::new() else { return };
    let _claude = scene.place.stage.agent("one", ASKS);
    let own = &scene.desk.server;
    own.revive();
    own.run(&["set-option", "-g", "status", "off"]);
    let path = format!("PATH={}", scene.desk.path());
    own.run(&["new-window", "-t", "main:", "env", &path, Program::PATH, "--host", "box"]);
    let socket = own.socket().display().to_string();
    let tmux = tmux_program();
    let terminal = Terminal::run(own, &[tmux.to_str().expect("plain"), "-S", &socket, "attach"], 140, 42, &[]);
    terminal.wait_text("needs you to log in");
    terminal.keys(&["H"]);
    terminal.wait_text("log in  H back");
    terminal.keys(&["Enter"]);
    terminal.wait_text("Are you sure you want to continue connecting");
    let windows = || own.run(&["list-windows", "-t", "main", "-F", "#{window_name}"]);
    assert!(windows().contains("login box"), "{}", windows());
    scene.log_in(&terminal);
    assert!(!windows().contains("login box"), "it closed: {}", windows());
    scene.install(&terminal);
}

/// A host of another program: nothing that ssh could do.
#[test]
fn what_ssh_does_not_reach_is_not_mended_by_it() {
    let desk = Desk::new("hosts: [{ name: web, connect: [sh, -c, exit 127] }]\n", "");
    let terminal = desk.terminal(&["--host", "web"]);
    terminal.wait_text("tmux-orc is not installed there");
    terminal.keys(&["H"]);
    terminal.wait_text("╭ Hosts ");
    terminal.keys(&["Enter"]);
    terminal.wait_text("web is reached by the program of its `connect`: mend that");
    terminal.keys(&["q"]);
    assert_eq!(terminal.ended(), 0);
}
