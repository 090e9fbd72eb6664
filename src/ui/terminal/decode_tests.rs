//! Bytes as keys, and replies at every cut as none.

use super::*;

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// What comes of pieces, each after so many milliseconds of silence, and of the silence after them.
fn received(decoder: &mut Decoder, now: &mut u64, pieces: &[(u64, &[u8])]) -> Vec<Event> {
    let mut out = Vec::new();
    for (pause, piece) in pieces {
        *now += pause;
        decoder.feed(ms(*now), piece, &mut out);
    }
    *now += 600;
    decoder.expire(ms(*now), &mut out);
    assert_eq!(decoder.due(), None, "nothing waits for ever");
    out
}

fn keys(events: &[Event]) -> String {
    let key = |event: &Event| match event {
        Event::Key(key) => crate::ui::terminal::input::key_of(*key).map(|key| key.to_string()),
        other => Some(format!("{other:?}")),
    };
    events.iter().filter_map(key).collect::<Vec<_>>().join(" ")
}

fn pressed(bytes: &[u8]) -> String {
    keys(&received(&mut Decoder::default(), &mut 5000, &[(0, bytes)]))
}

#[test]
fn bytes_are_the_keys_that_they_are() {
    for (bytes, expected) in [
        ("aS+ -", "a S + space -"),
        ("\r\t\x7f\n\x03\0\x1a", "enter tab backspace ctrl-j ctrl-c ctrl-space ctrl-z"),
        ("é解", "é 解"),
        ("\x1bx\x1b]", "alt-x alt-]"),
        ("\x1b", "esc"),
        ("\x1b\x1b", "esc esc"),
        ("\x1b[A\x1b[B\x1bOC\x1bOD", "up down right left"),
        ("\x1b[H\x1b[F\x1b[1~\x1b[4~\x1b[5~\x1b[6~\x1b[3~", "home end home end pageup pagedown delete"),
        ("\x1b[Z\x1bOP\x1b[[B\x1b[15~\x1b[24~", "backtab f1 f2 f5 f12"),
        ("\x1b[1;5A\x1b[1;3D\x1b[3;5~", "ctrl-up alt-left ctrl-delete"),
        ("\x1b[106;5u\x1b[27;3;120~\x1b[13u", "ctrl-j alt-x enter"),
        ("\x1b[I\x1b[O", "FocusGained FocusLost"),
        ("\x1b[200~one\x1b[Atwo\x1b[201~j", "Paste(\"one\\u{1b}[Atwo\") j"),
        ("\x1b[?1;2cj\x1b[12;40Rk", "j k"),
        ("\u{9b}Aj", "A j"),
    ] {
        assert_eq!(pressed(bytes.as_bytes()), expected, "{bytes:?}");
    }
    assert_eq!(pressed(b"\xff\xc3j\xe2\x82"), "j");
    let mouse = pressed(b"\x1b[<0;12;5M\x1b[<65;1;1M\x1b[M !!\x1b[32;3;4M");
    for part in ["Down(Left), column: 11, row: 4", "ScrollDown, column: 0", "column: 0, row: 0", "column: 2, row: 3"] {
        assert!(mouse.contains(part), "{part}: {mouse}");
    }
}

#[test]
fn a_sequence_in_two_pieces_is_one() {
    for (one, two, expected) in [("\x1b", "[A", "up"), ("\x1b[1;5", "C", "ctrl-right")] {
        let pieces = [(0, one.as_bytes()), (20, two.as_bytes())];
        assert_eq!(keys(&received(&mut Decoder::default(), &mut 5000, &pieces)), expected);
    }
    let pieces: [(u64, &[u8]); 3] = [(0, b"\x1b[200~a"), (300, b"b\x1b["), (300, b"201~q")];
    assert_eq!(keys(&received(&mut Decoder::default(), &mut 5000, &pieces)), "Paste(\"ab\") q");
}

const REPLIES: [&str; 9] = [
    "\x1b]11;rgb:1010/1212/1616\x1b\\",
    "\x1b]11;rgb:ffff/ffff/ffff\x07",
    "\x1b]10;rgba:ff/00/c0/80\x07",
    "\x1b[?62;22;52c",
    "\x1b[>41;354;0c",
    "\x1b[?2026;2$y",
    "\x1bP>|tmux 3.4\x1b\\",
    "\x1bP!|7E565445\x1b\\",
    "\x1bP1+r436f=323536\x1b\\",
];

/// Late, and in two pieces with any silence between them, or without its end: no key but the Escape that an ESC alone
/// is, and the next key is one.
#[test]
fn replies_press_nothing_wherever_they_are_cut() {
    for reply in REPLIES {
        let reply = reply.as_bytes();
        for cut in 0..=reply.len() {
            for (late, gap, with_end) in
                [(50, 0, true), (900, 20, true), (300, 100, true), (300, 250, true), (100, 400, true), (900, 0, false)]
            {
                let mut decoder = Decoder::default();
                decoder.asked(ms(0));
                let (first, second) = reply.split_at(cut);
                let pieces = [(late, first), (gap, if with_end { second } else { b"" })];
                let mut now = 0;
                let got = keys(&received(&mut decoder, &mut now, &pieces));
                assert!(got.is_empty() || (cut == 1 && got == "esc"), "{reply:?} cut at {cut}, {gap} ms: {got}");
                let next = keys(&received(&mut decoder, &mut now, &[(0, b"q")]));
                assert_eq!(next, "q", "{reply:?} cut at {cut}, {gap} ms");
            }
        }
    }
}

/// Also when nothing was asked (a shell did before), and for the reports that a link cuts after their ESC.
#[test]
fn sequences_that_are_cut_after_their_escape_press_nothing_more() {
    for sequence in [
        "]11;rgb:ffff/ffff/ffff\x07",
        "[<0;12;5M",
        "[<65;1;1M",
        "[C",
        "OC",
        "[5~",
        "[200~yes\x1b[201~",
        "P>|xterm(390)\x1b\\",
        "[?62;22c",
        "[O",
    ] {
        for gap in [40, 150, 400] {
            let mut decoder = Decoder::default();
            let mut now = 5000;
            let got = received(&mut decoder, &mut now, &[(0, b"\x1b"), (gap, sequence.as_bytes())]);
            assert_eq!(keys(&got), "esc", "{sequence:?} after {gap} ms");
            assert_eq!(keys(&received(&mut decoder, &mut now, &[(0, b"q")])), "q");
        }
    }
}

#[test]
fn no_beginning_makes_it_deaf() {
    for begun in [
        "\x1b]",
        "\x1b]1",
        "\x1b]11;rgb:",
        "\x1b[",
        "\x1b[<",
        "\x1b[<0;1",
        "\x1b[?",
        "\x1b[?6",
        "\x1bP",
        "\x1bP>|",
        "\x1bO",
        "\x1b[200~",
        "\x1b_G",
        "\x1b[M",
        "\x1b[[",
    ] {
        for asked in [false, true] {
            let mut decoder = Decoder::default();
            if asked {
                decoder.asked(ms(4900));
            }
            let mut now = 5000;
            let mut out = Vec::new();
            decoder.feed(ms(now), begun.as_bytes(), &mut out);
            for key in ["q", "\x03", "?"] {
                now += 550;
                out.clear();
                decoder.feed(ms(now), key.as_bytes(), &mut out);
                let got = keys(&out);
                assert!(["q", "ctrl-c", "?"].iter().any(|key| got.ends_with(key)), "{begun:?} then {key:?}: {got}");
            }
        }
    }
    // Alt and ] is a key when no reply follows.
    assert_eq!(
        keys(&received(&mut Decoder::default(), &mut 5000, &[(0, b"\x1b]"), (500, b"q"), (100, b"\x03")])),
        "alt-] q ctrl-c"
    );
    assert_eq!(pressed(b"\x1b]q"), "alt-] q");
}

#[test]
fn escape_and_a_key_right_after_it_are_two_keys_and_alt_is_one() {
    let press = |pieces: &[(u64, &[u8])]| {
        let (mut decoder, mut now) = (Decoder::default(), 0);
        received(&mut decoder, &mut now, pieces)
    };
    let key = |code| Event::Key(KeyEvent::from(code));
    assert_eq!(press(&[(0, b"\x1b"), (5, b"m")]), [key(KeyCode::Esc), key(KeyCode::Char('m'))]);
    assert_eq!(press(&[(0, b"\x1bm")]), [Event::Key(KeyEvent::new(KeyCode::Char('m'), KeyModifiers::ALT))]);
    assert_eq!(press(&[(0, b"\x1b"), (5, b"[A")]), [key(KeyCode::Up)], "an arrow that a link split");
}
