//! What is given away: the oldest Rust that `Cargo.toml` names is enough for all that we depend on (for our own code clippy
//! says so, `incompatible_msrv`), and `scripts/pack` makes packages that are the same each time and that install.

use std::{
    collections::BTreeMap,
    env, fs,
    os::unix::fs::{PermissionsExt, symlink},
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::{Value, json};

/// `1.89` or `1.89.0` as numbers.
fn release(text: &str) -> (u32, u32, u32) {
    let mut numbers = text.split('.').map(|number| number.parse().expect("a number"));
    let mut next = || numbers.next().unwrap_or(0);
    (next(), next(), next())
}

#[test]
fn no_dependency_needs_a_newer_rust_than_we_say() {
    let out = Command::new(env!("CARGO"))
        .args(["metadata", "--locked", "--format-version", "1", "--filter-platform", host().as_str()])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let all: Value = serde_json::from_slice(&out.stdout).expect("JSON");
    let packages = all["packages"].as_array().expect("packages");
    let ours = release(env!("CARGO_PKG_RUST_VERSION"));
    assert!(ours >= (1, 85, 0), "the edition alone needs 1.85: {ours:?}");
    let newer: Vec<String> = packages
        .iter()
        .filter_map(|package| {
            let needed = package["rust_version"].as_str()?;
            (release(needed) > ours).then(|| format!("{} {} needs {needed}", package["name"], package["version"]))
        })
        .collect();
    assert!(packages.len() > 50, "only {} packages are known", packages.len());
    assert!(newer.is_empty(), "rust-version in Cargo.toml is {ours:?}, but {newer:?}");
}

/// The platform we are built for.
fn host() -> String {
    let out = Command::new("rustc").arg("-vV").output().expect("rustc runs");
    let text = String::from_utf8_lossy(&out.stdout).into_owned();
    text.lines().find_map(|line| line.strip_prefix("host: ")).expect("a host").to_owned()
}

#[test]
fn the_readme_names_the_same_rust() {
    let readme = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).expect("the README");
    let wanted = format!("Rust {} or newer", env!("CARGO_PKG_RUST_VERSION"));
    assert!(readme.contains(&wanted), "README.md says nothing of {wanted}");
}

/// A program that says what `scripts/pack` asks it, of this machine's kind.
fn stand_in(folder: &Path) -> PathBuf {
    let (source, program) = (folder.join("program.c"), folder.join("program"));
    let version = env!("CARGO_PKG_VERSION");
    fs::write(&source, format!("#include <stdio.h>\nint main(void) {{ puts(\"tmux-orc {version}\"); return 0; }}\n"))
        .expect("written");
    let made = Command::new("cc").arg("-o").args([&program, &source]).status().expect("a C compiler: scripts/setup");
    assert!(made.success());
    program
}

/// Says what this machine lacks for a test: an error where nothing may be left out (`PACKAGES_NEED=1`, as in `.ci/run`).
fn unchecked(what: &str) {
    assert!(env::var_os("PACKAGES_NEED").is_none_or(|need| need != "1"), "{what}");
    eprintln!("{what}");
}

/// Runs it and gives what it said.
fn said(command: &mut Command) -> String {
    let out = command.output().expect("it starts");
    let text = String::from_utf8_lossy(&out.stdout).into_owned() + &*String::from_utf8_lossy(&out.stderr);
    assert!(out.status.success(), "{command:?}: {text}");
    text
}

/// All packages of a program, made into that folder, by their names.
fn packages(program: &Path, out: &Path) -> BTreeMap<String, Vec<u8>> {
    for words in [vec!["tree", program.to_str().expect("text")], vec!["kind"], vec!["release"]] {
        let pack = concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/pack");
        said(
            Command::new("python3")
                .arg(pack)
                .args(words)
                .env("OUT", out)
                .env("URL", format!("file://{}/packages", out.display())),
        );
    }
    let files = fs::read_dir(out.join("packages")).expect("made").map(|file| file.expect("a file").path());
    files
        .map(|path| (path.file_name().expect("a name").to_string_lossy().into_owned(), fs::read(&path).expect("read")))
        .collect()
}

#[test]
fn packages_are_the_same_each_time_have_one_version_and_install() {
    let python = Command::new("python3").args(["-c", "import sys; sys.exit(sys.version_info < (3, 9))"]).status();
    if !python.is_ok_and(|status| status.success()) {
        return unchecked("python3 (3.9) is missing: the packages were NOT checked");
    }
    if !Path::new(env!("CARGO_MANIFEST_DIR")).join(".git").exists() {
        eprintln!("this is no checkout, whose source could be packed: the packages were NOT checked");
        return;
    }
    let dir = tempfile::tempdir().expect("made");
    let program = stand_in(dir.path());
    let out = dir.path().join("out");
    let first = packages(&program, &out);
    let again = packages(&program, &out);
    assert_eq!(first.keys().collect::<Vec<_>>(), again.keys().collect::<Vec<_>>());
    for (name, bytes) in &first {
        assert!(again[name] == *bytes, "{name} is another one each time");
    }
    let version = env!("CARGO_PKG_VERSION");
    let named = |part: &str| first.keys().filter(|name| name.contains(part)).count();
    assert_eq!((named(".whl"), named("-npm.tgz"), named(".tar.gz")), (1, 1, 2), "{:?}", first.keys());
    let text = |name: &str| String::from_utf8_lossy(&first[name]).into_owned();
    for name in ["tmux-orc.rb", "install.sh"] {
        assert!(text(name).contains(version) && !text(name).contains('@'), "{name}: {}", text(name));
    }
    let sums = text("SHA256SUMS");
    assert!(first.keys().all(|name| name == "SHA256SUMS" || sums.contains(&format!("  {name}\n"))), "{sums}");

    // npm puts a link to the script of its package on the PATH.
    let file = |part: &str| out.join("packages").join(first.keys().find(|name| name.contains(part)).expect(part));
    said(Command::new("tar").arg("-xzf").arg(file("-npm.tgz")).arg("-C").arg(dir.path()));
    symlink("package/bin/tmux-orc", dir.path().join("linked")).expect("linked");
    assert_eq!(said(&mut Command::new(dir.path().join("linked"))).trim(), format!("tmux-orc {version}"));
    let about = fs::read(dir.path().join("package/package.json")).expect("read");
    let about: Value = serde_json::from_slice(&about).expect("JSON");
    let libc = if host().ends_with("-linux-gnu") { json!(["glibc"]) } else { Value::Null };
    assert_eq!(about["libc"], libc, "npm refuses a program that cannot start");
    // pip checks the wheel's hashes and puts the program on the PATH.
    if Command::new("python3").args(["-m", "pip", "--version"]).output().is_ok_and(|out| out.status.success()) {
        let to = dir.path().join("wheel");
        let pip = ["-m", "pip", "--isolated", "install", "-q", "--no-index", "--no-deps", "--no-cache-dir", "--target"];
        said(Command::new("python3").args(pip).arg(&to).arg(file(".whl")).env("TMPDIR", dir.path()));
        assert_eq!(said(&mut Command::new(to.join("bin/tmux-orc"))).trim(), format!("tmux-orc {version}"));
    } else {
        unchecked("pip is missing: the wheel was NOT installed");
    }

    // The installer puts it where it is asked to, and refuses an archive that is another.
    let home = dir.path().join("home");
    let installer = out.join("packages/install.sh");
    let install = || {
        let mut command = Command::new("sh");
        command.arg(&installer).arg(home.join("place")).env("HOME", &home).env("TMPDIR", dir.path());
        command
    };
    if Command::new("curl").arg("--version").output().is_err() {
        return unchecked("curl is missing: the installer was NOT checked");
    }
    let text = said(&mut install());
    let placed = home.join("place/bin/tmux-orc");
    assert!(text.contains(&format!("tmux-orc {version} is {}", placed.display())), "{text}");
    assert_ne!(fs::metadata(&placed).expect("there").permissions().mode() & 0o100, 0, "it can be run");
    assert!(home.join("place/share/doc/tmux-orc/THIRD-PARTY-LICENSES").exists());
    let archive =
        first.keys().find(|name| name.starts_with(&format!("tmux-orc-{version}-")) && name.ends_with(".tar.gz"));
    fs::write(out.join("packages").join(archive.expect("an archive")), "another").expect("written");
    let refused = install().output().expect("it starts");
    let text = String::from_utf8_lossy(&refused.stderr);
    assert!(!refused.status.success() && text.contains("is not the one of this release"), "{text}");
}

#[test]
fn a_program_of_another_version_is_not_packed() {
    if Command::new("python3").arg("--version").output().is_err() {
        return unchecked("python3 is missing: scripts/pack was NOT checked");
    }
    let dir = tempfile::tempdir().expect("made");
    for (program, why) in
        [("/bin/sh", "/bin/sh"), (concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"), "is no program")]
    {
        let pack = concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/pack");
        let mut command = Command::new("python3");
        let out = command.args([pack, "tree", program]).env("OUT", dir.path()).output().expect("it starts");
        let text = String::from_utf8_lossy(&out.stderr);
        assert!(!out.status.success() && text.contains(why), "{text}");
    }
    assert_eq!(fs::read_dir(dir.path()).expect("there").count(), 0, "nothing is made of it");
}

#[test]
fn a_debian_package_without_a_static_program_is_refused_before_anything_is_made() {
    if Command::new("make").arg("--version").output().is_err() {
        return unchecked("make is missing: `make deb` was NOT checked");
    }
    let mut command = Command::new("make");
    command.args(["deb", "PROGRAM=/bin/sh"]).current_dir(env!("CARGO_MANIFEST_DIR"));
    // Of the `make test` that runs this.
    let out = command.env_remove("MAKEFLAGS").env_remove("MAKELEVEL").env_remove("STATIC").output().expect("it starts");
    let (said, text) = (String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr));
    assert!(!out.status.success() && text.contains("STATIC=path") && said.is_empty(), "{said}{text}");
}
