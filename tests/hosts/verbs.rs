//! `hosts`, `hosts check` and `hosts login` as a person uses them, against a real sshd.

use std::{fs, process::Command};

use crate::desk::Desk;
use crate::place::Place;
use crate::sshd::{Sshd, program};
use crate::stage::ASKS;

/// The program is found there.
fn install(sshd: &Sshd, name: &str, place: &Place) {
    fs::create_dir_all(place.installed().parent().expect("a folder")).expect("a folder");
    std::os::unix::fs::symlink(sshd.bridge_of(name, place), place.installed()).expect("a link");
}

#[test]
fn check_tells_each_step_and_how_long_it_took() {
    let Some(program) = program() else { return };
    let place = Place::new();
    let sshd = Sshd::start(&program, &[("box", &place)]);
    let desk = Desk::new("", "");
    desk.trusts(&sshd, "box");
    // No tmux, no tmux-orc.
    place.fake("tmux", "exit 1");
    let (code, said) = desk.said(&["hosts", "check", "box"]);
    let line = |said: &str, start: &str| said.lines().find(|line| line.starts_with(start)).map(str::to_owned);
    let ssh = line(&said, "ok       ssh       connects, ").unwrap_or_else(|| panic!("{said}"));
    let seconds = ssh.rsplit(", ").next().and_then(|time| time.strip_suffix(" s")).expect("a time");
    assert!((0.0..20.0).contains(&seconds.parse::<f64>().expect("a number")), "{ssh}");
    assert!(said.contains("ok       system    Linux "), "{said}");
    assert!(said.contains("missing  tmux      no tmux on the PATH there"), "{said}");
    assert!(said.contains("missing  tmux-orc  not in any of the usual places"), "{said}");
    assert_eq!((code, line(&said, "  - { name: box, ssh: box }").is_some()), (1, true), "{said}");
    // All is there.
    fs::remove_file(place.stage.server.home().join("bin/tmux")).expect("it was there");
    install(&sshd, "box", &place);
    let (code, said) = desk.said(&["hosts", "check", "box"]);
    assert!(said.contains("ok       tmux      tmux ") || said.contains("ok       tmux      next-"), "{said}");
    assert!(said.contains(&format!("ok       tmux-orc  tmux-orc {}", env!("CARGO_PKG_VERSION"))), "{said}");
    let bridge = line(&said, "ok       bridge    answers, ").unwrap_or_else(|| panic!("{said}"));
    assert!(bridge.contains(" ms: "), "{bridge}");
    assert_eq!(code, 0, "{said}");
    // What the settings name is asked as they say, and nothing is to be pasted.
    let named = format!("hosts: [{{ name: work, ssh: box, program: {} }}]\n", sshd.bridge_of("box", &place));
    fs::write(desk.at("orc/config.yaml"), named).expect("settings");
    let (code, said) = desk.said(&["hosts", "check", "work"]);
    assert!(code == 0 && said.contains(&sshd.bridge_of("box", &place)) && !said.contains("hosts:"), "{said}");
    // Its key is not known: that is said of ssh, and nothing after it is guessed.
    fs::write(desk.at("known"), "").expect("known hosts");
    let (code, said) = desk.said(&["hosts", "check", "work"]);
    assert!(said.starts_with("missing  ssh       Host key verification failed"), "{said}");
    assert!(code == 1 && said.contains("`tmux-orc hosts login work` asks you"), "{said}");
    assert_eq!(said.trim().lines().count(), 1, "{said}");
}

/// A key that is locked and a host that is not known: both ask in the terminal, and the link goes through what is left.
#[test]
fn a_login_asks_in_its_terminal_and_the_link_goes_through_it() {
    let Some(program) = program() else { return };
    let place = Place::new();
    let _claude = place.stage.agent("one", ASKS);
    let sshd = Sshd::start(&program, &[("box", &place)]);
    install(&sshd, "box", &place);
    let desk = Desk::new("hosts: [{ name: box, ssh: box }]\n", "");
    fs::write(desk.at("ssh_config"), sshd.client("box", sshd.port(), &desk.at("known"), "ask")).expect("written");
    let mut locks = Command::new("ssh-keygen");
    let locked = locks.args(["-q", "-p", "-P", "", "-N", "open sesame", "-f"]).arg(sshd.key("box")).output();
    let locked = locked.expect("ssh-keygen");
    assert!(locked.status.success(), "{locked:?}");
    let (code, said) = desk.said(&["hosts"]);
    assert!(code == 3 && said.contains("needs login") && said.contains("Host key verification failed"), "{said}");
    let terminal = desk.terminal(&["hosts", "login", "box"]);
    terminal.wait_text("Are you sure you want to continue connecting");
    terminal.keys(&["yes", "Enter"]);
    terminal.wait_text("Enter passphrase for key");
    terminal.keys(&["open sesame", "Enter"]);
    terminal.wait_text("box: logged in; the connection is used for 8 hours");
    assert_eq!(terminal.ended(), 0);
    let (code, said) = desk.said(&["hosts"]);
    assert!(code == 0 && said.lines().any(|line| line.starts_with("box") && line.contains(" up ")), "{said}");
    let agents = desk.said(&["agents", "--host", "box"]).1;
    assert!(agents.contains("waiting") && agents.contains("main:1.0"), "{agents}");
    // A second one has nothing to ask.
    let (code, said) = desk.said(&["hosts", "login", "box"]);
    assert!(code == 0 && said.contains("logged in already"), "{said}");
    // Who sits there for nothing is told so, and nothing is left.
    let other = Desk::new("hosts: [{ name: box, ssh: box }]\n", "");
    fs::write(other.at("ssh_config"), sshd.client("box", sshd.port(), &other.at("known"), "ask")).expect("written");
    let terminal = other.terminal(&["hosts", "login", "box"]);
    terminal.wait_text("Are you sure you want to continue connecting");
    terminal.keys(&["no", "Enter"]);
    terminal.wait_text("ssh ended without a connection");
    assert_eq!(terminal.ended(), 1);
    assert!(!other.at("orc/run/ssh-box").exists());
}

#[test]
fn a_host_of_another_program_has_no_login_and_no_install() {
    let desk = Desk::new("hosts: [{ name: web, connect: [sh, -c, exit 3] }]\n", "");
    for verb in ["login", "install"] {
        let (code, said) = desk.said(&["hosts", verb, "web"]);
        assert!(code == 2 && said.contains("web is reached by `connect`, not by ssh"), "{said}");
        let (code, said) = desk.said(&["hosts", verb, "wbe"]);
        assert!(code == 2 && said.contains("did you mean `web`"), "{said}");
    }
    let (code, said) = desk.said(&["hosts", "check", "web"]);
    assert!(code == 1 && said.starts_with("missing  bridge    unreachable (the connection ended"), "{said}");
}
