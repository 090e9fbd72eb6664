//! The commands that act, and text that reaches a pane, a buffer or a client exactly as it was given.

use std::time::Duration;

use proptest::{
    prelude::any,
    strategy::{Strategy, ValueTree},
    test_runner::TestRunner,
};
use tmux_orc::tmux::{Batch, Command, Expect, PaneId, Reply, Transport, TransportKind};

use crate::server::{TestServer, eventually, program};

const ALL: [TransportKind; 3] = [TransportKind::Dial, TransportKind::Spawn, TransportKind::Process];

async fn send(test: &TestServer, kind: TransportKind, commands: impl IntoIterator<Item = Command>) -> Reply {
    let mut batch = Batch::new();
    commands.into_iter().for_each(|command| batch.push(command, Expect::Any));
    let reply = Transport::new(test.server.clone(), kind, None).send(&batch, Duration::from_secs(30)).await.unwrap();
    for part in &reply.parts {
        assert!(part.is_ok(), "{kind}: {part:?}");
    }
    reply
}

#[tokio::test]
async fn any_argument_arrives_as_it_was_on_every_transport() {
    let test = TestServer::start();
    let mut runner = TestRunner::deterministic();
    let random = proptest::collection::vec(any::<char>().prop_filter("no argument holds NUL", |c| *c != '\0'), 1..40)
        .prop_map(String::from_iter);
    let mut texts: Vec<String> = [
        ";",
        "\\;",
        "a;",
        "a\\;",
        ";;",
        "'",
        "\"",
        "'\"'",
        "$HOME ~ ${x}",
        "~/x",
        "#{pane_id} #(id) #",
        "%H %% %500",
        "-x",
        "--",
        "{ }",
        "{",
        "}",
        "%if 1",
        "# comment",
        "a\nb",
        "\n",
        " \n  indented\n",
        "\t",
        "\x01\x1b[2J\x7f",
        "\\",
        "\\\\",
        "\\n",
        "\\101",
        "\\u00e9",
        "trailing\\",
        "漢字 👩\u{200d}💻 \u{202e}",
        "a 'b' \"c\" $d \\e",
    ]
    .map(String::from)
    .into();
    texts.extend((0..60).map(|_| random.new_tree(&mut runner).unwrap().current()));
    texts.push("'x;\n".repeat(20_000));
    for kind in ALL {
        // One by one, which goes as an argument list, and all in one request, which goes as lines.
        for single in [true, false] {
            let set = |(index, text): (usize, &String)| {
                Command::new("set-buffer").args(["-b", &format!("b{index}"), "--", text])
            };
            // A process takes no argument of more than 16 KB.
            let long = |text: &String| {
                kind != TransportKind::Process && !(kind == TransportKind::Spawn && single) || text.len() < 10_000
            };
            let commands: Vec<Command> = texts.iter().filter(|text| long(text)).enumerate().map(set).collect();
            let count = commands.len();
            if single {
                for command in commands {
                    send(&test, kind, [command]).await;
                }
            } else {
                send(&test, kind, commands).await;
            }
            let shows = (0..count).map(|index| Command::new("show-buffer").args(["-b", &format!("b{index}")]));
            for (index, show) in shows.enumerate() {
                let reply = send(&test, TransportKind::Dial, [show]).await;
                let text = texts.iter().filter(|text| long(text)).nth(index).unwrap();
                assert_eq!(reply.parts[0].as_deref().unwrap(), text.as_bytes(), "{kind} {single} {text:?}");
            }
        }
    }
}

#[tokio::test]
async fn keys_text_and_pastes_reach_the_pane_and_leave_no_buffer() {
    let test = TestServer::start();
    test.tmux(&["set-buffer", "-b", "mine", "kept"]);
    let expected = "y\r-1\x1b[BEnter; $x 'q' é;\x1b[200~one\rtwo; #{pane_id};\x1b[201~";
    for (index, kind) in ALL.into_iter().enumerate() {
        let file = test.directory.path().join(format!("typed{index}"));
        let ready = test.directory.path().join(format!("ready{index}"));
        let pane = test.window(&format!(
            "stty raw -echo; printf '\\033[?2004h'; touch '{}'; head -c {} > '{}'; exec sleep 1000",
            ready.display(),
            expected.len(),
            file.display()
        ));
        eventually("the pane listens", || ready.exists());
        send(&test, kind, [Command::send_keys(pane, &["y".into(), "Enter".into(), "-1".into(), "Down".into()])]).await;
        send(&test, kind, [Command::send_text(pane, "Enter; $x 'q' é;")]).await;
        send(&test, kind, Command::paste(pane, "one\ntwo; #{pane_id};", "ours")).await;
        eventually("the pane has it", || std::fs::read(&file).is_ok_and(|typed| typed.len() == expected.len()));
        assert_eq!(String::from_utf8_lossy(&std::fs::read(&file).unwrap()), expected, "{kind}");
    }
    assert_eq!(test.tmux(&["list-buffers", "-F", "#{buffer_name}"]).trim(), "mine");
}

#[tokio::test]
async fn a_client_is_taken_to_a_pane_and_told_things() {
    let test = TestServer::start();
    test.tmux(&["new-session", "-d", "-s", "other session", "exec sleep 1000"]);
    let screen = TestServer::start();
    let shown = screen.window(&format!(
        "exec env -u TMUX '{}' -u -S '{}' attach -t base",
        program().display(),
        test.server.socket().display()
    ));
    eventually("a client is attached", || !test.tmux(&["list-clients"]).is_empty());
    for kind in ALL {
        // A pane that is not active, in a window that is not, in a session that the client does not show.
        let below =
            test.tmux(&["split-window", "-d", "-t", "other session:0", "-P", "-F", "#{pane_id}", "exec sleep 1000"]);
        let below: PaneId = below.trim().parse().unwrap();
        test.tmux(&["new-window", "-t", "other session:", "exec sleep 1000"]);
        test.tmux(&["switch-client", "-c", &client_name(&test), "-t", "base"]);
        let reply = send(&test, kind, [Command::list_clients()]).await;
        let line = String::from_utf8(reply.parts[0].as_ref().unwrap().to_vec()).unwrap();
        let fields: Vec<&str> = line.trim().splitn(4, ' ').collect();
        assert!(fields[0].starts_with('$') && fields[1].parse::<i64>().is_ok() && fields[2] == "0", "{line}");
        let client = fields[3];
        send(
            &test,
            kind,
            [
                Command::switch_client(client, below),
                Command::select_window(below),
                Command::select_pane(below),
                Command::display_message(client, "look: #{pane_id} 100% #H;"),
            ],
        )
        .await;
        let at = test.tmux(&["list-clients", "-F", "#{session_name} #{pane_id}"]);
        assert_eq!(at.trim(), format!("other session {below}"), "{kind}");
        eventually("the message is shown as it was given", || {
            screen.tmux(&["capture-pane", "-p", "-t", &shown.to_string()]).contains("look: #{pane_id} 100% #H;")
        });
        test.tmux(&["kill-pane", "-t", &below.to_string()]);
    }
}

fn client_name(test: &TestServer) -> String {
    test.tmux(&["list-clients", "-F", "#{client_name}"]).trim().to_owned()
}
