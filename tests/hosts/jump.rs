//! A jump to an agent of another host by a real ssh: into a window of the person's tmux, or into the terminal where it is asked.

use std::{fs, os::unix::fs::DirBuilderExt};

use crate::desk::Desk;
use crate::place::Place;
use crate::sshd::{Sshd, program};
use crate::stage::{ASKS, Actress};
use crate::support::{Program, Terminal, tmux_program, write_program};

struct Scene {
    _claude: Actress,
    place: Place,
    desk: Desk,
    _sshd: Sshd,
}

/// What the agent shows, and no dashboard around it.
fn is_there(screen: &str) -> bool {
    screen.contains("Do you want to proceed?") && !screen.contains("╭ Agents ")
}

impl Scene {
    fn new(jump: &str) -> Option<Self> {
        let program = program()?;
        let place = Place::new();
        let _claude = place.stage.agent("one", ASKS);
        let sshd = Sshd::start(&program, &[("box", &place)]);
        fs::create_dir_all(place.installed().parent().expect("a folder")).expect("a folder");
        write_program(&place.installed(), &format!("#!/bin/sh\nexec {} \"$@\"\n", Program::PATH));
        // The usual server there: the one that is meant where none is named.
        let home = place.stage.server.home();
        let sockets = home.join(format!("tmux-{}", rustix::process::geteuid().as_raw()));
        fs::DirBuilder::new().mode(0o700).create(&sockets).expect("tmux's directory");
        std::os::unix::fs::symlink(place.stage.server.socket(), sockets.join("default")).expect("a link");
        let desk = Desk::with(&sshd, "box");
        let settings = format!("hosts: [{{ name: box, ssh: box }}]\ndashboard: {{ jump: {jump} }}\n");
        fs::write(desk.at("orc/config.yaml"), settings).expect("settings");
        Some(Self { _claude, place, desk, _sshd: sshd })
    }

    /// The dashboard in a pane of the person's own tmux, and a terminal that shows it.
    fn inside(&self) -> Terminal {
        let own = &self.desk.server;
        own.revive();
        own.run(&["set-option", "-g", "status", "off"]);
        let path = format!("PATH={}", self.desk.path());
        own.run(&["set-environment", "-g", "PATH", &self.desk.path()]);
        own.run(&["new-window", "-t", "main:", "env", &path, Program::PATH, "--host", "box"]);
        let (socket, tmux) = (own.socket().display().to_string(), tmux_program());
        Terminal::run(own, &[tmux.to_str().expect("plain"), "-S", &socket, "attach"], 140, 42, &[])
    }

    fn windows(&self) -> String {
        self.desk.server.run(&["list-windows", "-t", "main", "-F", "#{window_name} #{@tmux_orc_link}"])
    }

    /// Who is there leaves again.
    fn detach(&self) {
        self.place.stage.server.run(&["detach-client", "-s", "main"]);
    }
}

fn jump(terminal: &Terminal) {
    terminal.wait("its agent", |screen| screen.contains("main:1.0") && screen.contains("1 needs you"));
    terminal.keys(&["Enter"]);
    terminal.wait("the agent itself", is_there);
}

#[test]
fn outside_of_tmux_the_dashboards_terminal_is_the_one_there_until_it_is_left() {
    let Some(scene) = Scene::new("window") else { return };
    let terminal = scene.desk.terminal(&["--host", "box"]);
    jump(&terminal);
    scene.detach();
    terminal.wait_text("╭ Agents ");
    terminal.keys(&["q"]);
    assert_eq!(terminal.ended(), 0);
}

#[test]
fn inside_tmux_it_is_a_window_of_its_own() {
    let Some(scene) = Scene::new("window") else { return };
    let terminal = scene.inside();
    jump(&terminal);
    assert!(scene.windows().lines().any(|line| line == "box box/default"), "{}", scene.windows());
}

#[test]
fn or_the_dashboards_own_where_the_settings_say_so() {
    let Some(scene) = Scene::new("here") else { return };
    let terminal = scene.inside();
    let before = scene.windows().lines().count();
    jump(&terminal);
    assert_eq!(scene.windows().lines().count(), before, "{}", scene.windows());
    scene.detach();
    terminal.wait_text("╭ Agents ");
}
