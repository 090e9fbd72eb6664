//! `notify`: each recipe as it is printed, against a server that plays the service; and what is said of each channel.

use std::{fs, io::Write, path::Path, process::Stdio};

use serde_json::{Value, json};

use crate::support::{
    HttpRequest, HttpServer, PATIENCE, Program, Terminal, TmuxServer, isolate, tmux_orc, tmux_program, wait_for,
    write_program,
};

/// A title, and what is asked, of one who wants more than to be read.
const TITLE: &str = "x\"\r\nX-Evil: 1\\ 日本 <!channel> claude waits";
const ASKS: &str = "-rm \"a\"\\\nurl = \"http://evil.example/\" @everyone <@U1> & $(id) `id` %0A \u{7}Ünï 😀";

/// A run with these variables, outside of any tmux.
fn run(home: &Path, args: &[&str], input: Option<&Value>, variables: &[(&str, &str)]) -> (i32, String, String) {
    let mut command = std::process::Command::new(Program::PATH);
    isolate(&mut command, home).args(args).envs(variables.iter().copied());
    command.stdin(if input.is_some() { Stdio::piped() } else { Stdio::null() });
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts");
    if let Some(input) = input {
        // One that does not want it has closed it.
        child.stdin.take().expect("its input").write_all(input.to_string().as_bytes()).ok();
    }
    let output = child.wait_with_output().expect("its end");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    (output.status.code().unwrap_or(-1), text(output.stdout), text(output.stderr))
}

/// Puts a recipe into the settings as it is printed, without the channels that want a tmux server.
fn follow(home: &Path, name: &str) {
    let (code, recipe, stderr) = run(home, &["notify", "recipes", name], None, &[]);
    assert_eq!(code, 0, "{stderr}");
    fs::create_dir_all(home.join("orc")).expect("a directory");
    let settings = recipe.replace("  enabled: true\n", "  enabled: true\n  bell: false\n  tmux: false\n");
    fs::write(home.join("orc/config.yaml"), settings).expect("the settings");
}

/// A notice as programs get it.
fn hostile() -> Value {
    json!({ "title": TITLE, "text": format!("{TITLE}: {ASKS}"), "asks": { "line": ASKS, "full": ASKS }, "state": "waiting",
        "waited": null, "doing": "nothing" })
}

/// What a service is sent by its recipe: for the notice of the test, and for the hostile one.
fn sent(name: &str, variables: &dyn Fn(&str) -> Vec<(&'static str, String)>) -> [HttpRequest; 2] {
    let home = tempfile::tempdir().unwrap();
    let server = HttpServer::answering("200 OK", "ok");
    let variables = variables(&server.address);
    let variables: Vec<(&str, &str)> = variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
    follow(home.path(), name);
    let (code, stdout, stderr) = run(home.path(), &["notify", "test"], None, &variables);
    assert_eq!(code, 0, "{stdout}{stderr}");
    assert!(stdout.starts_with(&format!("{name}  done  ")), "{stdout}");
    let test = server.next();
    let (code, stdout, stderr) = run(home.path(), &["notify", "send", name], Some(&hostile()), &variables);
    assert_eq!((code, stdout.as_str()), (0, ""), "{stderr}");
    let hostile = server.next();
    assert!(server.is_quiet(), "once each");
    [test, hostile]
}

#[test]
fn ntfy_gets_a_title_and_a_priority_as_headers() {
    let variables = |address: &str| {
        vec![
            ("NTFY_SERVER", format!("{address}/")),
            ("NTFY_TOPIC", "agents-1".into()),
            ("NTFY_TOKEN", "tk_s3cret".into()),
        ]
    };
    let [test, hostile] = sent("ntfy", &variables);
    assert_eq!(test.line, "POST /agents-1 HTTP/1.1");
    assert_eq!(test.header("Title"), Some("test:0.0 tmux-orc waits for you (question)"));
    assert_eq!((test.header("Priority"), test.header("Authorization")), (Some("4"), Some("Bearer tk_s3cret")));
    assert_eq!(String::from_utf8(test.body).unwrap(), "this is a test: everything from here to there works");
    let title = hostile.header("Title").expect("a title");
    assert!(title.starts_with("=?UTF-8?Q?x=22=0D=0AX=2DEvil=3A_1=5C_"), "{title}");
    assert_eq!(hostile.header("X-Evil"), None);
    assert_eq!(String::from_utf8(hostile.body).unwrap(), ASKS);
}

#[test]
fn telegram_gets_a_chat_and_a_text() {
    let variables = |address: &str| {
        vec![
            ("TELEGRAM_API", address.to_owned()),
            ("TELEGRAM_BOT_TOKEN", "12:a-B_c".into()),
            ("TELEGRAM_CHAT_ID", "-1001".into()),
        ]
    };
    let [test, hostile] = sent("telegram", &variables);
    assert_eq!(
        (test.line.as_str(), test.header("Content-Type")),
        ("POST /bot12:a-B_c/sendMessage HTTP/1.1", Some("application/json"))
    );
    let said = "test:0.0 tmux-orc waits for you (question)\nthis is a test: everything from here to there works";
    assert_eq!(test.json(), json!({ "chat_id": -1001, "text": said, "link_preview_options": { "is_disabled": true } }));
    assert_eq!(hostile.json()["text"], format!("{TITLE}\n{ASKS}"));
}

#[test]
fn slack_and_discord_get_a_text_that_calls_nobody() {
    let slack = |address: &str| vec![("SLACK_WEBHOOK_URL", format!("{address}/services/T0/B0/s3cret"))];
    let [test, hostile] = sent("slack", &slack);
    assert_eq!(test.line, "POST /services/T0/B0/s3cret HTTP/1.1");
    assert_eq!(test.header("Content-Type"), Some("application/json"));
    assert!(test.json()["text"].as_str().unwrap().starts_with("test:0.0 tmux-orc waits for you"));
    let text = hostile.json()["text"].as_str().unwrap().to_owned();
    assert_eq!(text, format!("{TITLE}\n{ASKS}").replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;"));
    let discord = |address: &str| vec![("DISCORD_WEBHOOK_URL", format!("{address}/api/webhooks/1/s3cret"))];
    let [test, hostile] = sent("discord", &discord);
    assert_eq!(test.line, "POST /api/webhooks/1/s3cret HTTP/1.1");
    let body = hostile.json();
    assert_eq!(body["allowed_mentions"], json!({ "parse": [] }));
    assert!(body["content"].as_str().unwrap().contains("\\@everyone \\<\\@U1\\>"), "{body}");
}

#[test]
fn pushover_gets_a_form_and_a_webhook_the_notice_itself() {
    let pushover = |address: &str| {
        vec![("PUSHOVER_API", address.to_owned()), ("PUSHOVER_TOKEN", "a1".into()), ("PUSHOVER_USER", "u+1&x".into())]
    };
    let [test, hostile] = sent("pushover", &pushover);
    assert_eq!(test.line, "POST /1/messages.json HTTP/1.1");
    assert_eq!(test.header("Content-Type"), Some("application/x-www-form-urlencoded"));
    let field = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let wanted = [
        field("token", "a1"),
        field("user", "u+1&x"),
        field("title", TITLE),
        field("message", ASKS),
        field("priority", "0"),
    ];
    assert_eq!(hostile.form(), wanted);
    let webhook = |address: &str| vec![("WEBHOOK_URL", format!("{address}/in?a=b")), ("WEBHOOK_TOKEN", "t".into())];
    let [test, hostile] = sent("webhook", &webhook);
    assert_eq!((test.line.as_str(), test.header("Authorization")), ("POST /in?a=b HTTP/1.1", Some("Bearer t")));
    assert_eq!(test.json()["target"], "test:0.0");
    assert_eq!(hostile.json(), self::hostile());
}

#[test]
fn a_sound_is_played_by_the_program_that_the_recipe_names() {
    let home = tempfile::tempdir().unwrap();
    let (bin, played) = (home.path().join("bin"), home.path().join("played"));
    fs::create_dir(&bin).unwrap();
    write_program(&bin.join("paplay"), &format!("#!/bin/sh\necho \"$#:$1\" >> '{}'\n", played.display()));
    follow(home.path(), "sound");
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    let (code, stdout, stderr) = run(home.path(), &["notify", "test"], None, &[("PATH", &path)]);
    assert_eq!(code, 0, "{stdout}{stderr}");
    assert_eq!(fs::read_to_string(played).unwrap(), "1:/usr/share/sounds/freedesktop/stereo/message-new-instant.oga\n");
}

#[test]
fn no_secret_is_an_argument() {
    let home = tempfile::tempdir().unwrap();
    let (bin, seen) = (home.path().join("bin"), home.path().join("seen"));
    fs::create_dir(&bin).unwrap();
    let script = format!("#!/bin/sh\necho \"$*\" > '{0}'\ncat >> '{0}'\necho 'status 200' >&2\n", seen.display());
    write_program(&bin.join("curl"), &script);
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    let variables = [("PATH", path.as_str()), ("TELEGRAM_BOT_TOKEN", "12:s3cret"), ("TELEGRAM_CHAT_ID", "7")];
    let (code, _, stderr) = run(home.path(), &["notify", "send", "telegram"], Some(&hostile()), &variables);
    assert_eq!(code, 0, "{stderr}");
    let seen = fs::read_to_string(seen).unwrap();
    let (arguments, input) = seen.split_once('\n').unwrap();
    assert_eq!(arguments, "--config -");
    assert!(input.contains("url = \"https://api.telegram.org/bot12:s3cret/sendMessage\""), "{input}");
}

#[test]
fn what_did_not_work_is_said_with_the_reason_and_the_exit_code() {
    let home = tempfile::tempdir().unwrap();
    follow(home.path(), "slack");
    let test = |variables: &[(&str, &str)]| run(home.path(), &["notify", "test"], None, variables);
    let (code, stdout, _) = test(&[]);
    assert!(code == 1 && stdout.contains("SLACK_WEBHOOK_URL is not set: `tmux-orc notify recipes slack`"), "{stdout}");
    let (code, stdout, _) = test(&[("SLACK_WEBHOOK_URL", "file:///etc/passwd")]);
    assert!(code == 1 && stdout.contains("SLACK_WEBHOOK_URL is no address"), "{stdout}");
    // A port at which nobody listens: it was free a moment ago.
    let (code, stdout, _) = test(&[("SLACK_WEBHOOK_URL", "http://127.0.0.1:1/s3cret")]);
    assert!(code == 1 && stdout.contains("connect") && !stdout.contains("s3cret"), "{stdout}");
    let server = HttpServer::answering("403 Forbidden", "invalid_token \u{1b}[31m\nsecond line");
    let (code, stdout, _) = test(&[("SLACK_WEBHOOK_URL", &server.address)]);
    assert_eq!(code, 1);
    assert!(stdout.contains("the service refused it, status 403: invalid_token second line"), "{stdout}");
    let (code, stdout, _) = run(home.path(), &["notify", "test", "--json"], None, &[]);
    let value: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(
        (code, &value["channels"][0]["channel"], &value["channels"][0]["ok"]),
        (1, &json!("slack"), &json!(false))
    );
    // Nothing is on; and what `send` is not given.
    fs::write(home.path().join("orc/config.yaml"), "notifications: { bell: false, tmux: false }\n").unwrap();
    let (code, stdout, stderr) = test(&[]);
    assert!(
        code == 1 && stdout.contains("notifications.enabled is false") && stderr.contains("no channel is on"),
        "{stderr}"
    );
    let (code, _, stderr) = run(home.path(), &["notify", "send", "ntfy"], Some(&json!("x")), &[("NTFY_TOPIC", "a")]);
    assert!(code == 2 && stderr.contains("this is no notice"), "{stderr}");
    let (code, _, stderr) = tmux_orc(home.path(), &["notify", "recipes", "ntfi"]);
    assert!(code == 2 && stderr.contains("did you mean `ntfy`?"), "{stderr}");
}

#[test]
fn the_channels_of_tmux_are_tried_on_its_own_terminals() {
    let server = TmuxServer::start();
    let config = server.home().join("orc");
    fs::create_dir_all(&config).unwrap();
    fs::write(config.join("config.yaml"), "notifications: { enabled: true, terminal: true }\n").unwrap();
    let out = server.orc(&["notify", "test"]).output();
    let text = String::from_utf8(out.stdout).unwrap();
    assert_eq!(out.status.code(), Some(1));
    for channel in ["bell", "terminal", "tmux"] {
        let line = text.lines().find(|line| line.starts_with(channel)).expect("a line for each");
        assert!(line.ends_with("failed  no terminal shows this tmux server"), "{text}");
    }
    let socket = server.socket().to_str().expect("a plain path");
    let program = tmux_program();
    let attach = [program.to_str().expect("a plain path"), "-S", socket, "attach-session", "-t", "main"];
    let terminal = Terminal::run(&server, &attach, 100, 30, &[]);
    wait_for("a client", PATIENCE, || !server.run(&["list-clients"]).is_empty());
    let out = server.orc(&["notify", "test"]).output();
    assert_eq!(String::from_utf8(out.stdout).unwrap().matches("done  1 terminal").count(), 3);
    terminal.wait_text("test:0.0 tmux-orc waits for you (question): this is a test");
}
