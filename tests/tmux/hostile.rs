//! Panes are hostile: their names, titles and screens come through typed, clean and told apart, whatever they hold.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use proptest::{
    strategy::{Strategy, ValueTree},
    test_runner::TestRunner,
};
use tmux_orc::tmux::{
    Batch, Command, Expect, Fields, Pane, PaneId, Screen, Transport, TransportKind, parse_panes, parse_pulses,
};

use crate::server::{TestServer, eventually};

const ALL: [TransportKind; 3] = [TransportKind::Dial, TransportKind::Spawn, TransportKind::Process];
const LIMIT: Duration = Duration::from_secs(30);

async fn panes(test: &TestServer, kind: TransportKind) -> Vec<Pane> {
    let features = test.version().features();
    let mut batch = Batch::new();
    batch.push(Command::list_panes(features, Fields::All), Expect::Any);
    let reply = Transport::new(test.server.clone(), kind, None).send(&batch, LIMIT).await.unwrap();
    parse_panes(reply.parts[0].as_ref().unwrap())
}

#[tokio::test]
async fn names_titles_paths_and_options_come_typed_and_clean() {
    let test = TestServer::start();
    let ran = test.directory.path().join("ran");
    let runs = format!("a|b:c;d,e\tf #{{pane_id}} #(touch {}) %H%M %500 '\" $HOME ~ \\ {{}} ;", ran.display());
    let texts = [
        runs.as_str(),
        "\u{202e}evil\u{200f} \u{feff}name\u{2066}",
        "\x1b[2J\x1b]0;title\x07bell\x07",
        "0123456789abcdef0123456789abcdef0",
        "漢字 👩\u{200d}💻 é",
        ";",
        "-x",
    ];
    let directory = test.directory.path().join("dir\nwith newline \u{202e} é");
    std::fs::create_dir(&directory).unwrap();
    let long = "é".repeat(10_000);
    let mut expected = Vec::new();
    for (index, text) in texts.iter().copied().chain([long.as_str()]).enumerate() {
        // A title longer than any argument can only come from the pane itself.
        let file = test.directory.path().join("title");
        std::fs::write(&file, if text.len() > 10_000 { text } else { "none" }).unwrap();
        let title = format!("printf '\\033]2;%s\\007' \"$(cat '{}')\"; mv '{0}' '{0}.read'", file.display());
        let pane = test.window(&format!("cd '{}'; {title}; exec sleep 1000", directory.display()));
        eventually("the pane has set its title", || !file.exists());
        let target = pane.to_string();
        let hook: String = text.chars().take(2000).collect();
        test.tmux(&["set-option", "-p", "-t", &target, "@tmux_orc_hook", &format!("{index}\n{hook}\n")]);
        // Refused where tmux itself does not take such a title or name.
        test.try_tmux(&["select-pane", "-t", &target, "-T", &text.replace('#', "##")]);
        test.try_tmux(&["rename-window", "-t", &target, "--", &text.replace('#', "##")]);
        expected.push((pane, index));
    }
    let last = expected[texts.len()].0;
    eventually("every pane is in its directory", || {
        test.tmux(&["list-panes", "-a", "-F", "#{pane_current_command}"]).lines().all(|command| command == "sleep")
    });
    for kind in ALL {
        let panes = panes(&test, kind).await;
        assert_eq!(panes.len(), texts.len() + 2, "{kind}");
        for (id, index) in &expected {
            let pane = panes.iter().find(|pane| pane.id == *id).unwrap();
            for text in [&pane.session, &pane.window, &pane.title, &pane.path, &pane.hook, &pane.command, &pane.tty] {
                assert_eq!(tmux_orc::tmux::clean(text), *text);
                assert!(text.chars().count() <= 1000 && !text.chars().any(char::is_control), "{text:?}");
            }
            assert!(pane.hook.starts_with(&index.to_string()), "{kind}: {:?}", pane.hook);
            assert!(pane.path.contains("dir"), "{kind}: {:?}", pane.path);
            assert_eq!((pane.width, pane.height, pane.dead, pane.session.as_str()), (80, 24, false, "base"));
            assert!(pane.pid > 0 && pane.tty.starts_with("/dev/") && pane.command == "sleep");
        }
        let title = &panes.iter().find(|pane| pane.id == last).unwrap().title;
        assert!(title.starts_with("ééé"), "{kind}: {title}");
    }
    assert!(!ran.exists(), "a command in a name was run");
}

#[tokio::test]
async fn dead_panes_modes_and_views_are_told() {
    let test = TestServer::start();
    test.tmux(&["set-option", "-g", "remain-on-exit", "on"]);
    let status = test.window("exit 3");
    let signal = test.window("kill -9 $$");
    let copy = test.window("exec sleep 1000");
    test.tmux(&["copy-mode", "-t", &copy.to_string()]);
    eventually("both are dead", || {
        test.tmux(&["list-panes", "-a", "-F", "#{pane_dead}"]).lines().filter(|dead| *dead == "1").count() == 2
    });
    let watched = TestServer::start();
    let attach = format!(
        "exec env -u TMUX '{}' -S '{}' attach",
        crate::server::program().display(),
        test.server.socket().display()
    );
    watched.window(&attach);
    eventually("a client is attached", || !test.tmux(&["list-clients"]).is_empty());
    for kind in ALL {
        let panes = panes(&test, kind).await;
        let find = |id: PaneId| panes.iter().find(|pane| pane.id == id).unwrap();
        assert!(find(status).dead && find(signal).dead && !find(copy).dead, "{kind}");
        assert_eq!(find(status).dead_status, Some(3));
        if test.version().features().pane_dead_signal {
            assert_eq!(find(signal).dead_signal, Some(9));
        }
        assert!(find(copy).in_mode && !find(status).in_mode);
        let in_view: Vec<_> = panes.iter().filter(|pane| pane.in_view).map(|pane| pane.id).collect();
        assert_eq!(in_view, [PaneId(0)], "{kind}");
    }
}

/// Screens of random hostile bytes, each captured alone by tmux itself, then all in one request.
#[tokio::test]
async fn hostile_screens_are_the_same_in_a_batch_as_alone() {
    let test = TestServer::start();
    let mut runner = TestRunner::deterministic();
    let piece = proptest::prop_oneof![
        4 => "[ -~]{0,30}".prop_map(String::into_bytes),
        2 => proptest::collection::vec(proptest::prelude::any::<u8>(), 0..60),
        1 => "[0-9a-f]{32}(start|end|[0-9]{1,2})".prop_map(String::into_bytes),
        1 => proptest::prelude::Just("漢字👩\u{200d}💻e\u{301}\u{202e}".as_bytes().to_vec()),
        1 => proptest::prelude::Just(b"\x1b[?1049h\x1b[5;5Halt\x1b[7m\x1b[38;5;1mred".to_vec()),
        1 => proptest::prelude::Just(b"\n%1\n%end 1 1 0\n\n".to_vec()),
    ];
    let screens = proptest::collection::vec(piece, 0..30);
    let mut ids = Vec::new();
    for index in 0..40 {
        let mut bytes = screens.new_tree(&mut runner).unwrap().current().concat();
        bytes.extend(b"\x1b[0m\x1b(B\x0f");
        let file = test.directory.path().join(format!("{index}"));
        std::fs::write(&file, &bytes).unwrap();
        // What the terminal answers must not be echoed onto the screen; a title says when all was written.
        let script =
            format!("stty raw -echo; cat '{}'; printf '\\030\\033]2;done\\007'; exec sleep 1000", file.display());
        ids.push(test.window(&script));
    }
    eventually("every pane has written", || {
        test.tmux(&["list-panes", "-a", "-F", "#{pane_title}"]).lines().filter(|title| *title == "done").count() == 40
    });
    for colours in [false, true] {
        let alone: Vec<Vec<u8>> = ids
            .iter()
            .map(|id| {
                let flags: &[&str] = if colours { &["-e"] } else { &[] };
                let mut args = vec!["capture-pane", "-p"];
                args.extend(flags);
                let id = id.to_string();
                args.extend(["-t", &id]);
                test.try_tmux(&args).stdout
            })
            .collect();
        for kind in ALL {
            // All of them (told apart by heights), and a few (by marks).
            for count in [40, 5] {
                let mut batch = Batch::new();
                for id in &ids[..count] {
                    batch.push(Command::capture(*id, colours), Expect::Lines(24));
                }
                let reply = Transport::new(test.server.clone(), kind, None).send(&batch, LIMIT).await.unwrap();
                assert!(kind == TransportKind::Process || reply.requests == 1, "{kind}: told apart at once");
                for (part, alone) in reply.parts.iter().zip(&alone) {
                    let part = part.as_ref().unwrap();
                    assert_eq!(part[..], alone[..], "{kind}");
                    assert_eq!(Screen::plain(part).height(), 24, "exactly the pane's height");
                }
            }
        }
    }
}

/// While windows and splits are resized, cleared, put into copy mode and closed, a part shows its own pane only.
#[tokio::test]
async fn parts_never_mix_while_panes_are_resized_and_closed() {
    let test = TestServer::start();
    // Two panes a window, so that moving their border makes one taller as the other shrinks: the sum stays the same.
    let mut panes: Vec<(PaneId, char)> = Vec::new();
    for index in 0..15u32 {
        let letter = |offset| char::from_u32(u32::from('A') + index * 2 + offset).unwrap();
        let script = |letter: char| format!("yes '{letter}{letter}{letter}' | head -40; exec sleep 1000");
        let above = test.window(&script(letter(0)));
        let split = ["split-window", "-d", "-t", &above.to_string(), "-P", "-F", "#{pane_id}", &script(letter(1))];
        let below: PaneId = test.tmux(&split).trim().parse().unwrap();
        panes.extend([(above, letter(0)), (below, letter(1))]);
    }
    let done = Arc::new(AtomicBool::new(false));
    let busy = {
        let done = Arc::clone(&done);
        let panes = panes.clone();
        let server = test.server.clone();
        std::thread::spawn(move || {
            let mut rounds = 0;
            while !done.load(Ordering::Relaxed) {
                let mut args = Vec::new();
                for (index, (id, _)) in panes.iter().enumerate().step_by(2) {
                    let id = id.to_string();
                    let step = ((rounds + index) % 5 + 1).to_string();
                    let border = if (rounds + index).is_multiple_of(2) { "-D" } else { "-U" };
                    for arg in ["resize-pane", "-t", &id, border, &step, ";"] {
                        args.push(arg.to_owned());
                    }
                    let width = (60 + (rounds + index) % 50).to_string();
                    let height = (14 + (rounds * 3 + index) % 30).to_string();
                    if index % 4 == 0 {
                        for arg in ["resize-window", "-t", &id, "-x", &width, "-y", &height, ";"] {
                            args.push(arg.to_owned());
                        }
                    }
                }
                args.pop();
                let run = std::process::Command::new(server.program())
                    .arg("-S")
                    .arg(server.socket())
                    .args(&args)
                    .env_remove("TMUX")
                    .output()
                    .unwrap();
                assert!(run.status.success() || !run.stderr.is_empty());
                rounds += 1;
            }
            rounds
        })
    };
    let started = Instant::now();
    let mut rounds = 0;
    while rounds < 60 && started.elapsed() < Duration::from_secs(15) {
        for kind in [TransportKind::Dial, TransportKind::Spawn] {
            let transport = Transport::new(test.server.clone(), kind, None);
            for count in [panes.len(), 6] {
                let mut batch = Batch::new();
                // What was known of the heights is wrong by now; it must not matter.
                batch.push(Command::list_pulses(test.version().features()), Expect::Any);
                for (id, _) in &panes[..count] {
                    batch.push(Command::capture(*id, rounds % 2 == 0), Expect::Lines(12));
                }
                let reply = transport.send(&batch, LIMIT).await.unwrap();
                assert!(parse_pulses(reply.parts[0].as_ref().unwrap()).len() > panes.len() - 8);
                for (part, (id, letter)) in reply.parts[1..].iter().zip(&panes) {
                    match part {
                        Ok(part) => {
                            let text = Screen::plain(part);
                            assert!(text.height() > 0);
                            let own = |c: char| c == *letter || c == ' ' || c == '\n';
                            assert!(text.text().chars().all(own), "{kind} {id} {letter}: {:?}", text.text());
                        }
                        Err(error) => assert!(error.is_gone() && error.message.contains(&id.to_string()), "{error}"),
                    }
                }
            }
        }
        rounds += 1;
        // Towards the end panes vanish in the middle of requests.
        if rounds > 40 && rounds % 5 == 0 {
            test.try_tmux(&["kill-pane", "-t", &panes[rounds % panes.len()].0.to_string()]);
        }
    }
    done.store(true, Ordering::Relaxed);
    let resized = busy.join().unwrap();
    assert!(rounds >= 5 && resized >= 5, "{rounds} rounds of requests, {resized} of resizes");
}
