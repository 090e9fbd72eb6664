//! The unit for systemd and the plist for launchd: what those programs would say of them.

use std::{collections::HashMap, fs, path::Path, process::Command};

fn asset(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("assets").join(path)).expect("there")
}

#[test]
fn the_systemd_unit_is_good_and_runs_the_program_as_it_is() {
    let unit = asset("systemd/tmux-orc.service");
    let mut values: HashMap<(String, String), String> = HashMap::new();
    let mut section = String::new();
    for line in unit.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            section = name.to_owned();
        } else {
            let (key, value) = line.split_once('=').expect("KEY=VALUE");
            values.insert((section.clone(), key.to_owned()), value.to_owned());
        }
    }
    let value = |section: &str, key: &str| values[&(section.to_owned(), key.to_owned())].as_str();
    assert_eq!(value("Service", "ExecReload"), "/bin/kill -HUP $MAINPID");
    assert_eq!(value("Install", "WantedBy"), "default.target");
    let run = value("Service", "ExecStart");
    // The same words with `--dry-run`: options that the unit uses and the program lacks would be found.
    let home = tempfile::tempdir().expect("made");
    let words: Vec<&str> = run.split_whitespace().skip(1).chain(["--dry-run"]).collect();
    let (code, _, stderr) = super::tmux_orc(home.path(), &words);
    assert_eq!(code, 0, "{stderr}");

    // systemd's own opinion, where it is installed; it wants a program that is there.
    let copy = home.path().join("tmux-orc.service");
    fs::write(&copy, unit.replace("ExecStart=tmux-orc", &format!("ExecStart={}", env!("CARGO_BIN_EXE_tmux-orc"))))
        .expect("written");
    match Command::new("systemd-analyze")
        .args(["--user", "--man=no", "verify"])
        .arg(&copy)
        .env("XDG_RUNTIME_DIR", home.path())
        .output()
    {
        Ok(said) => {
            let told = String::from_utf8_lossy(&said.stderr);
            let of_ours: Vec<&str> = told.lines().filter(|line| line.contains("tmux-orc")).collect();
            assert!(of_ours.is_empty(), "{told}");
        }
        Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::NotFound, "{error}"),
    }
}

#[test]
fn the_launchd_plist_is_good_and_runs_the_program_as_it_is() {
    let plist = asset("launchd/tmux-orc.plist");
    // Every element is closed in its turn.
    let mut open: Vec<&str> = Vec::new();
    let without_comments: String = plist
        .split("<!--")
        .enumerate()
        .map(|(i, part)| if i == 0 { part } else { part.split_once("-->").expect("closed").1 })
        .collect();
    let mut texts: Vec<&str> = Vec::new();
    for part in without_comments.split('<').skip(1) {
        let (tag, text) = part.split_once('>').expect("a tag ends");
        match tag.strip_prefix('/') {
            Some(name) => assert_eq!(open.pop(), Some(name), "{plist}"),
            None if tag.starts_with(['?', '!']) || tag.ends_with('/') => {}
            None => {
                open.push(tag.split(' ').next().unwrap_or_default());
                texts.push(text);
            }
        }
    }
    assert!(open.is_empty(), "{open:?} is not closed");
    let start = texts.iter().position(|text| *text == "ProgramArguments").expect("it says what to run");
    assert!(texts[start + 2].ends_with("/tmux-orc") && texts[start + 3] == "monitor", "{texts:?}");
    assert!(!plist.contains("/tmp/"), "no file that anybody could have put there before");

    // A reader of property lists, where there is one.
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/launchd/tmux-orc.plist");
    let read =
        "import plistlib, sys; p = plistlib.load(open(sys.argv[1], 'rb')); print(p['Label'], p['ProgramArguments'][1])";
    match Command::new("python3").args(["-c", read]).arg(path).output() {
        Ok(said) => assert_eq!(String::from_utf8_lossy(&said.stdout), "tmux-orc monitor\n", "{said:?}"),
        Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::NotFound, "{error}"),
    }
}
