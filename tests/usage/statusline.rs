//! `tmux-orc hook statusline`, as Claude Code runs it.

use std::{
    fs,
    io::Write,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
};

use serde_json::Value;

use crate::support::{PATIENCE, Program, alive, signal, tmux_orc, wait_for, write_program};

const REAL: &str = include_str!("status_lines/oauth-after-one-turn.json");
const SESSION: &str = "dc8fad2c-a648-4d5a-95f2-0b0308dc0995";

/// The verb with `home` as its home and base directory.
fn verb(home: &Path, command: &[&str]) -> Command {
    let mut verb = Command::new(Program::PATH);
    verb.args(["hook", "statusline"]);
    if !command.is_empty() {
        verb.arg("--").args(command);
    }
    verb.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("TZ", "UTC");
    verb.env("HOME", home).env("TMUX_ORC_HOME", home);
    verb.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    verb
}

fn give(child: &mut Child, input: &[u8]) {
    // One that ends before it has read all is right too.
    child.stdin.take().unwrap().write_all(input).ok();
}

fn run(mut command: Command, input: &[u8]) -> Output {
    let mut child = command.spawn().unwrap();
    // Its output is read meanwhile: who does not would hold it up.
    let mut to = child.stdin.take().unwrap();
    let input = input.to_vec();
    let giving = std::thread::spawn(move || to.write_all(&input).ok());
    let output = child.wait_with_output().unwrap();
    giving.join().unwrap();
    output
}

fn kept(home: &Path, session: &str) -> PathBuf {
    home.join(format!("run/status-lines/{session}.json"))
}

fn words(output: &Output) -> (Option<i32>, String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

#[test]
fn without_a_command_a_short_line_is_printed_and_numbers_alone_are_kept() {
    let home = tempfile::tempdir().unwrap();
    let future = REAL.replace("1795802400", "4000000000").replace("1796093400", "4000000000");
    let said = words(&run(verb(home.path(), &[]), future.as_bytes()));
    assert_eq!(said, (Some(0), "Sonnet 5.5 · 98% left · 5h 37% · week 62%\n".into(), String::new()));
    let path = kept(home.path(), SESSION);
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::metadata(path.parent().unwrap()).unwrap().permissions().mode() & 0o777, 0o700);
    let text = fs::read_to_string(&path).unwrap();
    let json: Value = serde_json::from_str(&text).unwrap();
    let mut names: Vec<&str> = json.as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    let wanted = "at context_used context_window cost_usd limits model program_version session_id";
    assert_eq!(names.join(" "), wanted);
    assert!(!text.contains("/home/user"), "no folder: {text}");
    for input in ["", "no json", "{}", "[1", "null"] {
        assert_eq!(words(&run(verb(home.path(), &[]), input.as_bytes())), (Some(0), String::new(), String::new()));
    }
    assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
}

#[test]
fn the_users_own_line_gets_the_input_and_is_passed_through_with_its_exit_code() {
    let home = tempfile::tempdir().unwrap();
    let echo = words(&run(verb(home.path(), &["cat"]), REAL.as_bytes()));
    assert_eq!(echo, (Some(0), REAL.into(), String::new()));
    assert!(kept(home.path(), SESSION).exists());
    let script = r#"printf '\033[31m%s\n' "$(wc -c | tr -d ' ')"; echo no >&2; exit 7"#;
    let own = words(&run(verb(home.path(), &["sh", "-c", script]), REAL.as_bytes()));
    assert_eq!(own, (Some(7), format!("\x1b[31m{}\n", REAL.len()), "no\n".into()));
    let arguments = words(&run(verb(home.path(), &["printf", "%s|", "a b", "--version", "$HOME", ""]), b"{}"));
    assert_eq!(arguments, (Some(0), "a b|--version|$HOME||".into(), String::new()), "no shell in between");
    // What is no JSON, more than is kept, and more than anybody reads goes through all the same.
    for input in [b"\xff\x00 no".to_vec(), vec![b'x'; 3 << 20]] {
        assert_eq!(run(verb(home.path(), &["cat"]), &input).stdout, input);
        assert_eq!(words(&run(verb(home.path(), &["true"]), &input)), (Some(0), String::new(), String::new()));
    }
    let killed = run(verb(home.path(), &["sh", "-c", "kill -9 $$"]), REAL.as_bytes());
    assert_eq!(killed.status.code(), Some(137));
    let (code, _, error) = words(&run(verb(home.path(), &["no-such-program"]), REAL.as_bytes()));
    assert!(code == Some(127) && error.contains("no-such-program"), "{error}");
}

#[test]
fn no_trouble_of_ours_is_the_users() {
    let home = tempfile::tempdir().unwrap();
    let line = |base: &Path, change: &dyn Fn(&mut Command)| {
        let mut command = verb(base, &["sh", "-c", "cat > /dev/null; echo mine"]);
        change(&mut command);
        words(&run(command, REAL.as_bytes()))
    };
    let mine = (Some(0), "mine\n".to_owned(), String::new());
    // A file where our folder should be, no home at all, settings that are wrong.
    fs::write(home.path().join("run"), "").unwrap();
    assert_eq!(line(home.path(), &|_| {}), mine);
    assert_eq!(line(Path::new("/dev/null/nowhere"), &|_| {}), mine);
    assert_eq!(line(Path::new("/proc"), &|_| {}), mine, "nothing can be written there");
    let no_home = |command: &mut Command| {
        command.env_remove("HOME").env("TMUX_ORC_HOME", "");
    };
    assert_eq!(line(Path::new("/proc"), &no_home), mine);
    let wrong = tempfile::tempdir().unwrap();
    fs::write(wrong.path().join("config.yaml"), "nonsense: [").unwrap();
    assert_eq!(line(wrong.path(), &|_| {}), mine);
    // On a full disk a file can be made but not written; its output is a pipe.
    let full = tempfile::tempdir().unwrap();
    let script = format!("trap '' XFSZ; ulimit -f 0; exec '{}' hook statusline -- echo mine", Program::PATH);
    let command = verb(full.path(), &[]);
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(script).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    shell.env_clear().envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    assert_eq!(words(&run(shell, REAL.as_bytes())), mine);
    assert_eq!(fs::read_dir(full.path().join("run/status-lines")).unwrap().count(), 0, "no half file stays");
}

#[test]
fn what_we_wait_for_in_vain_holds_no_line_up() {
    let home = tempfile::tempdir().unwrap();
    // The input of the line is open for as long as the test runs: what reads it for us never comes to its end.
    let mut child = verb(home.path(), &["sh", "-c", "read -r line; echo mine"]).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    input.write_all(b"{}\n").unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(words(&output), (Some(0), "mine\n".into(), String::new()));
    drop(input);
}

#[test]
fn many_at_once_leave_whole_files_and_nothing_beside_them() {
    let home = tempfile::tempdir().unwrap();
    let mut running: Vec<Child> = (0..24).map(|_| verb(home.path(), &["cat"]).spawn().unwrap()).collect();
    for (n, child) in running.iter_mut().enumerate() {
        give(child, REAL.replace(SESSION, &format!("session-{}", n % 3)).as_bytes());
    }
    for child in running {
        assert!(child.wait_with_output().unwrap().status.success());
    }
    let mut names = Vec::new();
    for entry in fs::read_dir(home.path().join("run/status-lines")).unwrap() {
        let path = entry.unwrap().path();
        let json: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        assert_eq!(json["context_used"], 22_312);
        names.push(path.file_name().unwrap().to_string_lossy().into_owned());
    }
    names.sort();
    assert_eq!(names, ["session-0.json", "session-1.json", "session-2.json"]);
}

#[test]
fn a_line_that_is_given_up_is_ended() {
    let home = tempfile::tempdir().unwrap();
    let (script, pid) = (home.path().join("slow"), home.path().join("pid"));
    write_program(&script, &format!("#!/bin/sh\necho $$ > '{}'\nexec sleep 600\n", pid.display()));
    let mut child = verb(home.path(), &[script.to_str().unwrap()]).spawn().unwrap();
    give(&mut child, REAL.as_bytes());
    let started = || fs::read_to_string(&pid).ok()?.trim().parse::<u32>().ok();
    wait_for("the user's command", PATIENCE, || started().is_some());
    signal(child.id(), rustix::process::Signal::TERM);
    assert_eq!(child.wait().unwrap().code(), Some(143));
    wait_for("its end", PATIENCE, || !alive(started().unwrap()));
}

#[test]
fn the_settings_for_it_are_printed_and_say_what_is_kept() {
    let home = tempfile::tempdir().unwrap();
    let (code, out, notes) = tmux_orc(home.path(), &["hooks", "show", "claude"]);
    let settings: Value = serde_json::from_str(&out).expect("settings to paste");
    assert_eq!((code, &settings["statusLine"]["command"]), (0, &"tmux-orc hook statusline".into()));
    assert!(notes.contains("tmux-orc hook statusline -- sh -c 'YOURS'") && notes.contains("Kept for eight days"));
}
