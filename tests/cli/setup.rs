//! `scripts/setup` on machines that lack something: it says what, installs it, or says what root must do.

use std::{ffi::OsStr, fs, os::unix::fs::symlink, path::Path, process::Command};

use tempfile::TempDir;

use crate::support::write_program;

/// A machine whose PATH has only what is put there, as scripts, and what any system has.
struct Machine {
    home: TempDir,
}

impl Machine {
    /// With these programs: a name in the folder of the PATH, or a path in the user's home.
    fn with(user: u32, programs: &[(&str, &str)]) -> Self {
        let machine = Self { home: tempfile::tempdir().expect("made") };
        let bin = machine.home.path().join("bin");
        for folder in [&bin, &machine.home.path().join("tmp")] {
            fs::create_dir(folder).expect("made");
        }
        for tool in ["sh", "sed", "dirname", "mktemp", "rm", "cp", "cat", "chmod", "mkdir", "env"] {
            let real = ["/bin", "/usr/bin"].iter().map(|dir| Path::new(dir).join(tool)).find(|path| path.exists());
            symlink(real.expect(tool), bin.join(tool)).expect("linked");
        }
        let id = format!("echo {user}");
        for (name, script) in programs.iter().copied().chain([("id", id.as_str())]) {
            let path = if name.contains('/') { machine.home.path().join(name) } else { bin.join(name) };
            fs::create_dir_all(path.parent().expect("a folder")).expect("made");
            write_program(&path, &format!("#!/bin/sh\n{script}\n"));
        }
        machine
    }

    /// What it ends with, and all that it said. It is called from another folder than the repository's.
    fn setup(&self) -> (i32, String) {
        self.setup_with_path(self.home.path().join("bin").as_os_str())
    }

    fn setup_with_path(&self, path: &OsStr) -> (i32, String) {
        let home = self.home.path();
        let out = Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/setup"))
            .env_clear()
            .current_dir(home)
            .env("PATH", path)
            .env("TMPDIR", home.join("tmp"))
            .env("HOME", home)
            .output()
            .expect("it starts");
        let text = String::from_utf8_lossy(&out.stdout).into_owned() + &*String::from_utf8_lossy(&out.stderr);
        let left: Vec<_> = fs::read_dir(home.join("tmp")).expect("there").collect();
        assert!(left.is_empty(), "left behind: {left:?}");
        (out.status.code().unwrap_or(-1), text)
    }
}

const OLD: &str = "echo 'cargo 1.65.0'";
const NEW: &str = "echo 'cargo 1.999.0 (abc 2030-01-01)'";
const THERE: [(&str, &str); 5] = [("tmux", ""), ("cc", ""), ("make", ""), ("ps", ""), ("git", "")];
/// Puts a new cargo where rustup puts it.
const ARRIVES: &str = r#"mkdir -p "$HOME/.cargo/bin"
printf '#!/bin/sh\necho cargo 1.999.0\n' > "$HOME/.cargo/bin/cargo"
chmod +x "$HOME/.cargo/bin/cargo"
"#;

/// All but Rust is there, and these.
fn and(more: &[(&'static str, &'static str)]) -> Vec<(&'static str, &'static str)> {
    [THERE.as_slice(), more].concat()
}

#[test]
fn where_all_is_there_nothing_is_done_and_nothing_said() {
    // One whose second number is longer, one that rustup chooses by the folder, and one of rustup's before the next login.
    let by_folder = "[ ! -e Cargo.toml ] || echo 'cargo 1.999.0'";
    for cargo in [("cargo", NEW), ("cargo", "echo 'cargo 1.100.1'"), ("cargo", by_folder), (".cargo/bin/cargo", NEW)] {
        let machine = Machine::with(1000, &and(&[cargo, ("apt-get", "echo ran apt-get $*")]));
        assert_eq!(machine.setup(), (0, String::new()), "{cargo:?}");
    }
    // The system's is too old, but the user has a newer one.
    let machine = Machine::with(1000, &and(&[("cargo", OLD), (".cargo/bin/cargo", NEW)]));
    assert_eq!(machine.setup(), (0, String::new()));
    // The system's is good, and one that the user forgot is not.
    let forgotten = [("cargo", NEW), (".cargo/bin/cargo", OLD), (".cargo/bin/rustup", "echo ran rustup $*")];
    assert_eq!(Machine::with(1000, &and(&forgotten)).setup(), (0, String::new()));
}

#[test]
fn a_rust_that_is_missing_or_too_old_is_said_first() {
    let needed = env!("CARGO_PKG_RUST_VERSION");
    for (programs, wanted) in [
        (vec![], format!("setup: Rust {needed} or newer is needed, and there is none.")),
        (vec![("cargo", OLD)], format!("setup: Rust {needed} or newer is needed, found 1.65.0 (")),
        // A rustup that has no Rust yet.
        (vec![("cargo", "echo 'rustup could not choose a version' >&2; exit 1")], "and there is none".to_owned()),
    ] {
        let (code, text) = Machine::with(1000, &and(&[programs.as_slice(), &[("curl", "exit 6")]].concat())).setup();
        assert_eq!(code, 1, "{text}");
        assert!(text.lines().next().is_some_and(|line| line.contains(&wanted)), "{text}");
    }
}

#[test]
fn a_rustup_that_is_there_fetches_a_newer_rust_for_this_folder_alone() {
    let rustup = |has: &str| -> &'static str {
        format!("[ $2 = list ] && {{ echo {has}; exit; }}\necho ran rustup $*\n{ARRIVES}").leak()
    };
    // One that is too old, one that is not chosen here.
    for cargo in [OLD, "exit 1"] {
        let programs = and(&[("cargo", cargo), ("rustup", rustup("1.65-x86_64-unknown-linux-gnu"))]);
        let (code, text) = Machine::with(1000, &programs).setup();
        assert_eq!(code, 0, "{text}");
        assert!(text.contains("ran rustup toolchain install stable"), "{text}");
        let here = concat!("ran rustup override set stable --path ", env!("CARGO_MANIFEST_DIR"));
        assert!(text.contains(here) && !text.contains("rustup default"), "{text}");
    }
    // Where it has none yet there is nothing to keep.
    let (code, text) = Machine::with(1000, &and(&[("rustup", rustup("no installed toolchains"))])).setup();
    assert!(code == 0 && text.contains("ran rustup default stable"), "{text}");
}

#[test]
fn the_rustup_of_the_distribution_comes_before_the_official_installer() {
    // What a manager installs lies ready in a folder that is not on the PATH.
    let manager = "echo ran $0 $*\ncase \"$*\" in *rustup*) cp \"$HOME\"/ready/* \"$HOME/bin/\" ;; esac";
    let curl = ("curl", "echo ran curl $*");
    let rustup = format!("[ $1:$2 = toolchain:list ] || echo ran rustup $*\n{ARRIVES}");
    let rustup: &'static str = rustup.leak();
    for name in ["apt-get", "pacman", "zypper"] {
        let programs = and(&[(name, manager), ("apt-cache", "echo Package: rustup"), ("ready/rustup", rustup), curl]);
        let (code, text) = Machine::with(0, &programs).setup();
        assert!(code == 0 && text.contains("ran rustup default stable"), "{name}: {text}");
        assert!(!text.contains("ran curl"), "{text}");
    }
    // Those that have it as rustup-init.
    for name in ["dnf", "apk"] {
        let (code, text) = Machine::with(0, &and(&[(name, manager), ("ready/rustup-init", rustup), curl])).setup();
        assert!(code == 0 && text.contains("ran rustup -y --no-modify-path"), "{name}: {text}");
        assert!(!text.contains("ran curl"), "{text}");
    }
    // Homebrew's has both names and no cargo; rustup-init puts it there, and leaves alone which Rust was chosen.
    let alone = "[ $1:$2 = toolchain:list ] || echo ran rustup $*";
    let programs = and(&[("brew", manager), ("ready/rustup", alone), ("ready/rustup-init", rustup), curl]);
    let (code, text) = Machine::with(501, &programs).setup();
    assert!(code == 0 && text.contains("ran rustup default stable"), "{text}");
    assert!(text.contains("ran rustup -y --no-modify-path --default-toolchain none\n"), "{text}");
    assert!(!text.contains("ran curl"), "{text}");
}

#[test]
fn else_the_official_installer_is_fetched_after_one_line_that_says_what() {
    // It writes where it is asked to what puts a new cargo there.
    let fetch = format!(
        "echo ran curl $*\nwhile [ \"$1\" != -o ]; do shift; done\ncat > \"$2\" <<'END'\necho ran installer $*\n{ARRIVES}END"
    );
    let fetch: &'static str = fetch.leak();
    let before = |text: &str, first: &str, second: &str| {
        text.find(first).zip(text.find(second)).is_some_and(|(first, second)| first < second)
    };
    // A distribution without rustup, one whose rustup cannot be installed or brings no cargo, a user who is not root, no
    // manager at all.
    for (user, more) in [
        (0, vec![("apt-get", "echo ran apt-get $*"), ("apt-cache", "")]),
        (0, vec![("apt-get", "[ $1 = update ]"), ("apt-cache", "echo Package: rustup")]),
        (0, vec![("dnf", "exit 1")]),
        (0, vec![("dnf", "[ \"$4\" != rustup ] || cp \"$HOME/ready\" \"$HOME/bin/rustup-init\""), ("./ready", "")]),
        (1000, vec![("apt-get", "echo ran apt-get $*"), ("apt-cache", "echo Package: rustup")]),
        (1000, vec![]),
    ] {
        let machine = Machine::with(user, &and(&[more.as_slice(), &[("curl", fetch), ("cargo", OLD)]].concat()));
        let (code, text) = machine.setup();
        assert_eq!(code, 0, "{more:?}: {text}");
        assert!(before(&text, "https://sh.rustup.rs; it puts Rust stable into ~/.cargo", "ran curl"), "{text}");
        assert!(text.contains("ran installer -y --no-modify-path"), "{text}");
        assert!(text.contains("Rust 1.999.0 is ready") && !text.contains("apt-get install"), "{text}");
    }
    // The connection fails: said, with what to do.
    let (code, text) = Machine::with(1000, &and(&[("curl", "echo no route >&2; exit 6")])).setup();
    assert!(code == 1 && text.contains("no route") && text.contains("from https://rustup.rs"), "{text}");
}

#[test]
fn without_sudo_the_command_for_root_is_said_and_nothing_is_done() {
    for (manager, command) in [
        (
            "apt-get",
            "    apt-get update && apt-get install -y --no-install-recommends --no-remove tmux gcc libc6-dev make procps git",
        ),
        ("dnf", "    dnf install -y --setopt=install_weak_deps=False tmux gcc make procps-ng git"),
        ("zypper", "    zypper --non-interactive install --no-recommends tmux gcc glibc-devel make procps git"),
        ("apk", "    apk add --update-cache tmux gcc musl-dev make procps git"),
        ("pacman", " --needed --noconfirm tmux gcc make procps-ng git"),
    ] {
        let (code, text) = Machine::with(1000, &[("cargo", NEW), (manager, "echo ran it")]).setup();
        assert!(code == 1 && !text.contains("ran it"), "{text}");
        assert!(text.lines().any(|line| line.starts_with("    ") && line.ends_with(command)), "{text}");
        // What can fetch Rust is asked for at once, not at the next try.
        let (_, text) = Machine::with(1000, &[(manager, "echo ran it")]).setup();
        assert!(text.contains(" git curl ca-certificates"), "{text}");
    }
}

#[test]
fn root_and_who_may_become_root_have_it_installed() {
    for manager in ["apt-get", "dnf", "pacman", "zypper", "apk"] {
        let script = "echo ran $0 $*";
        let (code, text) = Machine::with(0, &[("cargo", NEW), (manager, script)]).setup();
        assert!(code == 0 && text.contains(&format!("/{manager} ")) && text.contains("tmux gcc"), "{manager}: {text}");
        assert!(text.contains("setup: installing tmux gcc"), "{text}");
        for become_root in ["sudo", "doas"] {
            let machine = Machine::with(1000, &[("cargo", NEW), (manager, script), (become_root, "echo as root: $*")]);
            let (code, text) = machine.setup();
            // sudo drops the variables of who calls it.
            let quiet = if manager == "apt-get" { "env DEBIAN_FRONTEND=noninteractive " } else { "" };
            assert!(code == 0 && text.contains(&format!("as root: {quiet}{manager}")), "{text}");
        }
        // It fails: so do we, and say so.
        let (code, text) = Machine::with(0, &[("cargo", NEW), (manager, "exit 1")]).setup();
        assert!(code == 1 && text.contains("that failed"), "{manager}: {text}");
    }
    // brew must not be root.
    let (code, text) =
        Machine::with(501, &[&THERE[1..], &[("cargo", NEW), ("brew", "echo ran brew $*")]].concat()).setup();
    assert!(code == 0 && text.contains("ran brew install tmux"), "{text}");
    // No manager that we know.
    let (code, text) = Machine::with(0, &[("cargo", NEW)]).setup();
    assert!(code == 1 && text.contains("please install: tmux cc make ps git."), "{text}");
}

#[test]
fn apples_tools_are_asked_for_before_their_stubs_open_a_window() {
    // Those that are not Apple's need them not.
    let lacks = Machine::with(501, &and(&[("cargo", NEW), ("xcode-select", "exit 2")]));
    assert_eq!(lacks.setup(), (0, String::new()));
    if !Path::new("/usr/bin/git").exists() {
        eprintln!("no git is in /usr/bin: what stands for Apple's stub is missing, it was NOT checked");
        return;
    }
    for (answer, wanted) in [("exit 2", 1), ("", 0)] {
        let machine = Machine::with(501, &[&THERE[..4], &[("cargo", NEW), ("xcode-select", answer)]].concat());
        let mut path = machine.home.path().join("bin").into_os_string();
        path.push(":/usr/bin");
        let (code, text) = machine.setup_with_path(&path);
        assert!(code == wanted && text.contains("xcode-select --install") == (wanted == 1), "{text}");
    }
}
