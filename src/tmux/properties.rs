//! Every parser against garbage and against half-right input.
//! `TMUX_ORC_FUZZ_CASES=1000000 cargo test --release properties` tries as many inputs for each property.

use bytes::Bytes;
use proptest::prelude::*;

use crate::tmux::fuzz::{Outcome, is_clean, play};
use crate::tmux::request::batch::Layout;
use crate::tmux::request::{format, mark};
use crate::tmux::transport::process;
use crate::tmux::{Command, Version, parse_panes, parse_pulses};

/// The number of inputs for a property: what the environment says, else `default`.
pub(crate) fn cases(default: u32) -> ProptestConfig {
    let cases = std::env::var("TMUX_ORC_FUZZ_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(default);
    ProptestConfig { cases, failure_persistence: None, max_shrink_iters: 2000, ..ProptestConfig::default() }
}

/// What a pane's text may hold that is meant to confuse: separators, marks, escapes, bidi marks, broken UTF-8.
fn hostile_text() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        4 => "[ -~]{0,12}".prop_map(String::into_bytes),
        1 => prop::collection::vec(any::<u8>().prop_filter("rows have no newline", |b| *b != b'\n'), 0..8),
        1 => Just(b"%1 #{pane_id} #(reboot) %500 ; \\".to_vec()),
        1 => Just("\u{202e}\u{200f}\x1b]0;x\x07".as_bytes().to_vec()),
        1 => Just("👩\u{200d}💻é漢".as_bytes().to_vec()),
        1 => "[0-9a-f]{32}[0-9]{1,2}".prop_map(String::into_bytes),
        1 => Just(b"can't find pane: %1".to_vec()),
    ];
    prop::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat())
}

fn outcomes() -> impl Strategy<Value = Vec<(bool, Outcome)>> {
    let rows = prop::collection::vec(hostile_text(), 1..6).prop_map(Outcome::Rows);
    let outcome = prop_oneof![8 => rows, 1 => Just(Outcome::Rows(Vec::new())), 1 => Just(Outcome::Gone)];
    prop::collection::vec((any::<bool>(), outcome), 1..40)
}

proptest! {
    #![proptest_config(cases(256))]

    #[test]
    fn parts_are_told_apart_whatever_the_panes_show(outcomes in outcomes(), heights in any::<bool>()) {
        let layout = if heights { Layout::Heights } else { Layout::Marks };
        let (batch, script, stdout, stderr) = play(&outcomes, layout);
        let gone = outcomes.iter().any(|(_, outcome)| matches!(outcome, Outcome::Gone));
        let Ok(answer) = script.split(&batch, &Bytes::from(stdout), &stderr) else {
            prop_assert!(heights && gone, "only heights with a failed command may be undecided");
            return Ok(());
        };
        prop_assert_eq!(answer.parts.len(), outcomes.len());
        for (index, (part, (_, outcome))) in answer.parts.iter().zip(&outcomes).enumerate() {
            match (part, outcome) {
                (Ok(part), Outcome::Rows(rows)) => {
                    let text: Vec<u8> = rows.iter().flat_map(|row| [row, &b"\n"[..]].concat()).collect();
                    prop_assert_eq!(&part[..], &text[..]);
                }
                (Err(error), Outcome::Gone) => {
                    prop_assert_eq!(&error.message, &format!("can't find pane: %{index}"));
                }
                (part, outcome) => prop_assert!(false, "{:?} for {:?}", part, outcome),
            }
        }
    }

    #[test]
    fn an_answer_that_was_cut_or_changed_gives_every_part_or_none(
        outcomes in outcomes(), heights in any::<bool>(), cut in any::<prop::sample::Index>(),
        patch in prop::collection::vec(any::<u8>(), 0..4), errors in hostile_text(),
    ) {
        let layout = if heights { Layout::Heights } else { Layout::Marks };
        let (batch, script, mut stdout, stderr) = play(&outcomes, layout);
        let at = cut.index(stdout.len() + 1);
        stdout.splice(at..(at + patch.len()).min(stdout.len()), patch);
        let stderr = if errors.len() % 2 == 0 { stderr } else { errors };
        for stdout in [stdout.clone(), stdout[..at.min(stdout.len())].to_vec()] {
            if let Ok(answer) = script.split(&batch, &Bytes::from(stdout), &stderr) {
                prop_assert_eq!(answer.parts.len(), outcomes.len());
                for part in answer.parts {
                    prop_assert!(part.is_ok() || part.is_err_and(|error| is_clean(&error.message)));
                }
            }
        }
    }

    #[test]
    fn records_of_panes_come_out_typed_and_clean(
        texts in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 7),
        hostile in hostile_text(), numbers in prop::collection::vec(any::<u16>(), 18), whole in any::<bool>(),
    ) {
        let separator = mark::fresh();
        let mut texts = texts;
        texts[4] = hostile;
        let numbers: Vec<String> = numbers.iter().map(u16::to_string).collect();
        let mut output = format!("{separator}%{} .1.15", numbers.join(" ")).into_bytes();
        for text in &texts {
            output.extend_from_slice(separator.as_bytes());
            output.extend_from_slice(text);
        }
        output.extend_from_slice(separator.as_bytes());
        output.push(b'\n');
        let twice = [output.clone(), output.clone()].concat();
        let end = if whole { twice.len() } else { twice.len() - 40 };
        let panes = parse_panes(&twice[..end]);
        prop_assert_eq!(panes.len(), 1, "the same pane twice is one pane");
        for pane in panes {
            prop_assert_eq!(pane.places.len(), if whole { 2 } else { 1 });
            prop_assert_eq!(pane.id.0.to_string(), numbers[0].as_str());
            for text in [&pane.session, &pane.window, &pane.title, &pane.path, &pane.command, &pane.hook, &pane.tty] {
                prop_assert!(is_clean(text), "{:?}", text);
            }
        }
    }

    #[test]
    fn garbage_never_breaks_a_parser(bytes in prop::collection::vec(any::<u8>(), 0..400), hostile in hostile_text()) {
        let separator = mark::fresh();
        for input in [&bytes[..], &hostile[..], &[separator.as_bytes(), &bytes[..]].concat()] {
            let text = String::from_utf8_lossy(input);
            // What comes out stood in it, once, and holds nothing that a terminal would act on.
            let pulses = parse_pulses(input);
            for (index, pulse) in pulses.iter().enumerate() {
                prop_assert!(text.contains(&pulse.id.to_string()), "{:?}", pulse);
                prop_assert!(pulses[..index].iter().all(|other| other.id != pulse.id), "twice {:?}", pulse);
            }
            for pane in parse_panes(input) {
                prop_assert!(is_clean(&pane.title) && is_clean(&pane.session) && is_clean(&pane.path), "{:?}", pane);
            }
            if let Some(heights) = format::parse_heights(&text) {
                prop_assert_eq!(heights.len(), text.lines().count(), "a line was passed over");
            }
            let tty = format::first_tty(format::parse_ttys(&text));
            prop_assert!(tty.is_none_or(|tty| tty.starts_with("/dev/") && text.contains(&tty)));
            prop_assert!(is_clean(Version::parse(&text).as_str()));
            let server = crate::tmux::Server::at("/s", "tmux").unwrap();
            if let Some(error) = process::server_error(&server, input) {
                prop_assert!(is_clean(&error.to_string()), "{:?}", error);
            }
        }
    }

    #[test]
    fn quoting_keeps_an_argument_on_its_line(text in "\\PC{0,20}", raw in prop::collection::vec(any::<u8>(), 0..20)) {
        let argument = format!("{text}{}", String::from_utf8_lossy(&raw));
        let mut line = String::new();
        Command::new("display-message").arg("-p").arg(argument).push_line(&mut line);
        prop_assert!(!line.contains(['\n', '\r', '\0']), "{:?}", line);
    }
}
