//! A command line told apart into its parts, for their colours. It is only looked at: what a shell would do with it is not
//! found out.

use std::ops::Range;

use crate::app::core::request::Ink;

/// The parts of a command line.
#[must_use]
pub fn command(line: &str) -> Vec<(Ink, Range<usize>)> {
    let mut inks = Vec::new();
    let mut at = 0;
    let mut first = true;
    while let Some(c) = line[at..].chars().next() {
        let rest = &line[at..];
        let (ink, len) = if c.is_whitespace() {
            (Ink::Argument, rest.len() - rest.trim_start().len())
        } else if matches!(c, '&' | '|' | ';' | '(' | ')' | '<' | '>') {
            first = !matches!(c, ')' | '<' | '>');
            (Ink::Sign, rest.len() - rest.trim_start_matches(c).len())
        } else if matches!(c, '"' | '\'' | '`') {
            first = false;
            (Ink::Quoted, rest[1..].find(c).map_or(rest.len(), |end| end + 2))
        } else {
            // A quote ends a word unless it stands in it, as an apostrophe does.
            let end =
                rest.find(|c: char| c.is_whitespace() || matches!(c, '&' | '|' | ';' | '(' | ')' | '<' | '>' | '"'));
            let word = &rest[..end.unwrap_or(rest.len())];
            let sets =
                word.split_once('=').is_some_and(|(name, _)| name.chars().all(|c| c.is_alphanumeric() || c == '_'));
            let ink = match first {
                _ if word.starts_with('-') => Ink::Flag,
                true if sets => Ink::Argument,
                true => Ink::Program,
                false => Ink::Argument,
            };
            first &= sets;
            (ink, word.len())
        };
        inks.push((ink, at..at + len));
        at += len;
    }
    inks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_told_apart_into_its_parts() {
        let of = |line: &str| -> Vec<(Ink, String)> {
            let solid = |(_, words): &(Ink, String)| !words.trim().is_empty();
            command(line).into_iter().map(|(ink, range)| (ink, line[range].to_owned())).filter(solid).collect()
        };
        let pairs =
            |parts: &[(Ink, &str)]| parts.iter().map(|(ink, words)| (*ink, (*words).to_owned())).collect::<Vec<_>>();
        assert_eq!(
            of("A=1 npm run --all 'a b' | tee x"),
            pairs(&[
                (Ink::Argument, "A=1"),
                (Ink::Program, "npm"),
                (Ink::Argument, "run"),
                (Ink::Flag, "--all"),
                (Ink::Quoted, "'a b'"),
                (Ink::Sign, "|"),
                (Ink::Program, "tee"),
                (Ink::Argument, "x"),
            ])
        );
        assert_eq!(
            of("Bash(rm -rf don't)"),
            pairs(&[
                (Ink::Program, "Bash"),
                (Ink::Sign, "("),
                (Ink::Program, "rm"),
                (Ink::Flag, "-rf"),
                (Ink::Argument, "don't"),
                (Ink::Sign, ")"),
            ])
        );
        for text in ["'", "\"", "a'", "é\"解", "((", "-", "a=", " ", "`x"] {
            let parts = command(text);
            assert_eq!(parts.iter().map(|(_, range)| &text[range.clone()]).collect::<String>(), text, "{parts:?}");
        }
    }
}
