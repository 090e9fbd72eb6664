//! tmux's side fed with bytes: the client protocol, and what tmux prints.

use bytes::{Bytes, BytesMut};

use crate::fuzzing::Feed;
use crate::tmux::request::batch::{Layout, Script};
use crate::tmux::request::{batch, format, mark};
use crate::tmux::transport::dial::Session;
use crate::tmux::transport::protocol::{DecodeError, Message};
use crate::tmux::transport::{process, protocol};
use crate::tmux::{Batch, Command, Expect, PaneId, Screen, Server, Version, clean, parse_panes, parse_pulses};

/// Stands in inputs for a mark, which is random.
const MARK: u8 = 0x1e;

/// The client protocol: messages split anywhere come out the same, and a whole conversation answers in bounds.
///
/// The first byte says how many bytes of cuts follow; the rest is what the server sends.
pub(crate) fn protocol(data: &[u8]) {
    let mut feed = Feed::new(data);
    let count = feed.below(16);
    let cuts = feed.bytes(count);
    let stream = feed.rest();
    let whole = decode_all(&[stream]);
    let mut pieces = Vec::new();
    let mut rest = stream;
    for cut in cuts.iter().cycle().take_while(|_| !cuts.is_empty()) {
        let Some((piece, after)) = rest.split_at_checked(usize::from(*cut) + 1) else { break };
        pieces.push(piece);
        rest = after;
    }
    pieces.push(rest);
    assert_eq!(decode_all(&pieces), whole, "cut into {} pieces", pieces.len());
    converse(whole.0, stream.len());
}

type Decoded = (Vec<Message>, Result<usize, DecodeError>);

/// Every message, and how it ended: bytes that are left, or what they are not.
fn decode_all(pieces: &[&[u8]]) -> Decoded {
    let (mut buffer, mut messages) = (BytesMut::new(), Vec::new());
    for piece in pieces {
        buffer.extend_from_slice(piece);
        loop {
            match protocol::decode(&mut buffer) {
                Ok(Some(message)) => messages.push(message),
                Ok(None) => break,
                Err(error) => return (messages, Err(error)),
            }
        }
    }
    let left = buffer.len();
    (messages, Ok(left))
}

/// Our part of a conversation in which the server says this.
fn converse(messages: Vec<Message>, said: usize) {
    const SCRIPT: &[u8] = b"list-panes -a ; display-message -p x\n";
    let server = Server::at("/s", "tmux").expect("a path");
    let mut session = Session { input: SCRIPT, ..Session::default() };
    let count = messages.len();
    for message in messages {
        match session.take(message, &server) {
            Ok(false) => {}
            Ok(true) | Err(_) => break,
        }
    }
    assert!(session.stdout.len() + session.stderr.len() <= said, "no output comes from nowhere");
    let (mut at, mut scripts) = (0, 0);
    let sent = &session.to_send[..];
    while let Some(header) = sent.get(at..at + protocol::HEADER) {
        let kind = u32::from_le_bytes([header[0], header[1], header[2], header[3]]);
        let length = usize::from(u16::from_le_bytes([header[4], header[5]]));
        use protocol::send::{EXITING, READ, READ_DONE, WRITE_READY};
        assert!([EXITING, READ, READ_DONE, WRITE_READY].contains(&kind), "we never say {kind}");
        assert!((protocol::HEADER..=protocol::MAX_MESSAGE).contains(&length));
        scripts += usize::from(kind == READ);
        at += length;
    }
    assert_eq!(at, sent.len(), "whole messages");
    assert!(scripts <= 1, "what is to be run is given once");
    assert!(sent.len() <= count * 24 + SCRIPT.len() + 64, "an answer to each message at most");
}

/// What tmux prints: records, answers in parts, screens. The first byte says which. Returns a screen's text in its
/// colours, when it was one.
pub(crate) fn output(data: &[u8]) -> Option<String> {
    let mut feed = Feed::new(data);
    match feed.below(4) {
        0 => records(feed.rest()),
        1 => parts(feed),
        2 => model(feed),
        _ => return Some(screen(feed.rest())),
    }
    None
}

/// The bytes with a mark wherever the byte stands that stands for it.
fn marked(bytes: &[u8], mark: &str) -> Vec<u8> {
    bytes.split(|byte| *byte == MARK).collect::<Vec<_>>().join(mark.as_bytes())
}

fn records(bytes: &[u8]) {
    for pulse in parse_pulses(bytes) {
        assert!(pulse.id.to_string().starts_with('%'));
    }
    for pane in parse_panes(&marked(bytes, &mark::fresh())) {
        for text in [&pane.session, &pane.window, &pane.title, &pane.path, &pane.command, &pane.hook, &pane.tty] {
            assert!(is_clean(text), "{text:?}");
        }
    }
    let text = String::from_utf8_lossy(bytes);
    let _ = format::parse_heights(&text);
    if let Some(tty) = format::first_tty(format::parse_ttys(&text)) {
        assert!(tty.len() < 64);
    }
    assert!(is_clean(Version::parse(&text).as_str()));
    let server = Server::at("/s", "tmux").expect("a path");
    if let Some(error) = process::server_error(&server, bytes) {
        assert!(is_clean(&error.to_string().replace('\n', " ")), "{error:?}");
    }
    assert!(batch::error_lines(bytes).iter().all(|line| is_clean(line)));
    for argument in text.split('\n') {
        let mut line = String::new();
        Command::new("display-message").arg("-p").arg(argument).push_line(&mut line);
        assert!(!line.contains(['\n', '\r', '\0']), "an argument stays on its line: {line:?}");
    }
}

/// An answer that is anything at all: every part or none, and each is a piece of it.
fn parts(mut feed: Feed<'_>) {
    let layout = if feed.flag() { Layout::Heights } else { Layout::Marks };
    let mut commands = Batch::new();
    for index in 0..=feed.below(8) {
        if feed.flag() {
            commands.push(Command::capture(PaneId(index as u32), feed.flag()), Expect::Lines(1));
        } else {
            commands.push(Command::print(PaneId(index as u32), "x"), Expect::Any);
        }
    }
    let errors = feed.piece();
    let script = Script::new(&commands, layout);
    let stdout = Bytes::from(marked(feed.rest(), script.mark()));
    let Ok(answer) = script.split(&commands, &stdout, errors) else { return };
    assert_eq!(answer.parts.len(), commands.len());
    for part in answer.parts {
        match part {
            Ok(part) => assert!(part.len() <= stdout.len()),
            Err(error) => assert!(is_clean(&error.message), "{error:?}"),
        }
    }
}

/// A server that behaves, whatever its panes show: each part is what its pane showed.
fn model(mut feed: Feed<'_>) {
    let layout = if feed.flag() { Layout::Heights } else { Layout::Marks };
    let mut outcomes = Vec::new();
    while !feed.is_empty() && outcomes.len() < 40 {
        let capture = feed.flag();
        outcomes.push(match feed.below(8) {
            0 => (capture, Outcome::Gone),
            count => {
                let rows = (1..count).map(|_| {
                    let mut row = feed.piece().to_vec();
                    row.retain(|byte| *byte != b'\n');
                    row
                });
                (capture, Outcome::Rows(rows.collect()))
            }
        });
    }
    if outcomes.is_empty() {
        return;
    }
    let (commands, script, stdout, stderr) = play(&outcomes, layout);
    let gone = outcomes.iter().any(|(_, outcome)| matches!(outcome, Outcome::Gone));
    let Ok(answer) = script.split(&commands, &Bytes::from(stdout), &stderr) else {
        assert!(gone && layout == Layout::Heights, "only heights with a failed command may be undecided");
        return;
    };
    for (part, (_, outcome)) in answer.parts.iter().zip(&outcomes) {
        match (part, outcome) {
            (Ok(part), Outcome::Rows(rows)) => {
                let text: Vec<u8> = rows.iter().flat_map(|row| [row, &b"\n"[..]].concat()).collect();
                assert_eq!(&part[..], &text[..]);
            }
            (Err(error), Outcome::Gone) => assert!(error.message.starts_with("can't find pane"), "{error:?}"),
            (part, outcome) => panic!("{part:?} for {outcome:?}"),
        }
    }
}

/// A capture: nothing is left in it that a terminal would obey but colours, and those change no word.
fn screen(bytes: &[u8]) -> String {
    let screen = Screen::styled(bytes);
    assert_eq!(screen, { Screen::styled(bytes) });
    assert_eq!(screen.height(), screen.rows().len());
    for (index, row) in screen.rows().enumerate() {
        assert!(is_clean(row), "{row:?}");
        assert_eq!(screen.row(index), row);
        assert_eq!(row, row.trim_end());
    }
    let colours = screen.colours().expect("a styled screen").to_owned();
    for sequence in colours.split('\x1b').skip(1) {
        let end = sequence.find('m').expect("only colours are left");
        let body = sequence[..end].strip_prefix('[').expect("a CSI");
        assert!(body.bytes().all(|b| b.is_ascii_digit() || b == b';' || b == b':'), "{sequence:?}");
    }
    assert_eq!(Screen::plain(colours.as_bytes()).text(), screen.text(), "the colours change no word");
    assert_eq!(Screen::plain(screen.text().as_bytes()).text(), screen.text(), "what is clean stays as it is");
    colours
}

pub(super) fn is_clean(text: &str) -> bool {
    clean(text) == text && !text.contains(['\u{1b}', '\n', '\r', '\u{202e}'])
}

/// What one command of a request came to, in the model of a server.
#[derive(Clone, Debug)]
pub(super) enum Outcome {
    Rows(Vec<Vec<u8>>),
    Gone,
}

/// Builds the batch for these outcomes and plays the server's part for its script.
pub(super) fn play(outcomes: &[(bool, Outcome)], layout: Layout) -> (Batch, Script, Vec<u8>, Vec<u8>) {
    let mut batch = Batch::new();
    for (index, (capture, outcome)) in outcomes.iter().enumerate() {
        let pane = PaneId(index as u32);
        // A capture is never empty: a pane has a row at least.
        let empty = matches!(outcome, Outcome::Rows(rows) if rows.is_empty());
        if *capture && !empty {
            batch.push(Command::capture(pane, false), Expect::Lines(1));
        } else {
            batch.push(Command::print(pane, "x"), Expect::Any);
        }
    }
    let script = Script::new(&batch, layout);
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let mut commands = outcomes.iter().enumerate();
    for line in script.text.lines() {
        let (command, mark) = line.split_once(" ; display-message -p ").map_or((line, None), |(c, m)| (c, Some(m)));
        if let Some(mark) = command.strip_prefix("display-message -p ").filter(|rest| !rest.contains(' ')) {
            stdout.extend_from_slice(format!("{mark}\n").as_bytes());
            continue;
        }
        if command.starts_with("list-panes -a") {
            for (index, (_, outcome)) in outcomes.iter().enumerate() {
                if let Outcome::Rows(rows) = outcome {
                    stdout.extend_from_slice(format!("%{index} /dev/pts/{index} {}\n", rows.len()).as_bytes());
                }
            }
        } else {
            match commands.next().expect("a command for each outcome") {
                (_, (_, Outcome::Rows(rows))) => {
                    for row in rows {
                        stdout.extend_from_slice(row);
                        stdout.push(b'\n');
                    }
                }
                (index, (_, Outcome::Gone)) => {
                    stderr.extend_from_slice(format!("can't find pane: %{index}\n").as_bytes());
                    continue;
                }
            }
        }
        if let Some(mark) = mark {
            stdout.extend_from_slice(format!("{mark}\n").as_bytes());
        }
    }
    (batch, script, stdout, stderr)
}
