//! Escape sequences in text: the one place that knows where one begins and ends.
//!
//! Own code rather than `vte` or `anstyle-parse`: those read a stream byte by byte and keep a sequence that is not complete
//! for the next piece, where a row of a screen is whole, a cut sequence ends with it, and most rows have none.

use memchr::{memchr, memchr2};

const ESC: u8 = 0x1b;
const BEL: u8 = 0x07;

/// A piece of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Piece<'a> {
    /// Text without sequences, as long as it is.
    Text(&'a str),
    /// A sequence.
    Escape(Escape<'a>),
}

/// An escape sequence (ECMA-48, 5.4 and 5.6; what xterm's ctlseqs adds to it).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Escape<'a> {
    /// `ESC [ body end`: colours, movements, modes, keys.
    Control {
        /// Parameters and intermediates.
        body: &'a str,
        /// What it is.
        end: char,
    },
    /// `ESC ] body` up to BEL or `ESC \`, and its like: `P` (DCS), `_` (APC), `^` (PM), `X` (SOS).
    Text {
        /// The character after ESC.
        kind: char,
        /// What it says.
        body: &'a str,
    },
    /// Anything else, and one that the end of the text cuts: all of the rest then.
    Other,
}

impl<'a> Escape<'a> {
    /// The parameters of an SGR sequence, which changes colours and nothing else.
    pub(crate) fn sgr(self) -> Option<&'a str> {
        match self {
            Self::Control { body, end: 'm' } if body.bytes().all(|b| matches!(b, b'0'..=b'9' | b';' | b':')) => {
                Some(body)
            }
            _ => None,
        }
    }
}

/// The pieces of a text, in order.
#[derive(Clone, Debug)]
pub(crate) struct Pieces<'a>(&'a str);

/// The pieces of a text, in order.
pub(crate) fn pieces(text: &str) -> Pieces<'_> {
    Pieces(text)
}

impl<'a> Iterator for Pieces<'a> {
    type Item = Piece<'a>;

    #[inline]
    fn next(&mut self) -> Option<Piece<'a>> {
        Some(match memchr(ESC, self.0.as_bytes()) {
            None if self.0.is_empty() => return None,
            None => Piece::Text(self.take(self.0.len())),
            Some(0) => Piece::Escape(self.escape()),
            Some(at) => Piece::Text(self.take(at)),
        })
    }
}

impl<'a> Pieces<'a> {
    /// The next so many bytes, which end with a character.
    fn take(&mut self, bytes: usize) -> &'a str {
        let (taken, rest) = self.0.split_at(bytes);
        self.0 = rest;
        taken
    }

    /// The sequence that is next.
    fn escape(&mut self) -> Escape<'a> {
        let mut rest = self.0.chars();
        rest.next();
        let kind = rest.next();
        self.0 = rest.as_str();
        match kind {
            Some('[') => match self.0.bytes().position(|byte| (0x40..=0x7e).contains(&byte)) {
                Some(at) => {
                    let (body, end) = (self.take(at), self.take(1));
                    Escape::Control { body, end: char::from(end.as_bytes()[0]) }
                }
                None => self.cut(),
            },
            Some(kind @ (']' | 'P' | '_' | '^' | 'X')) => match memchr2(BEL, ESC, self.0.as_bytes()) {
                Some(at) => {
                    let body = self.take(at);
                    // After ESC one more belongs to it: `\` where it is as it should be.
                    if self.take(1).as_bytes() == [ESC] {
                        self.skip();
                    }
                    Escape::Text { kind, body }
                }
                None => self.cut(),
            },
            // One more character belongs to these: which set of characters, which size.
            Some('(' | ')' | '*' | '+' | '#' | ' ' | '%') => {
                self.skip();
                Escape::Other
            }
            _ => Escape::Other,
        }
    }

    fn skip(&mut self) {
        let length = self.0.chars().next().map_or(0, char::len_utf8);
        self.take(length);
    }

    fn cut(&mut self) -> Escape<'a> {
        self.0 = "";
        Escape::Other
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn control(body: &str, end: char) -> Piece<'_> {
        Piece::Escape(Escape::Control { body, end })
    }

    fn text(kind: char, body: &str) -> Piece<'_> {
        Piece::Escape(Escape::Text { kind, body })
    }

    const OTHER: Piece<'_> = Piece::Escape(Escape::Other);

    #[test]
    fn each_kind_ends_where_it_ends() {
        for (row, expected) in [
            ("\x1b[1;31m", control("1;31", 'm')),
            ("\x1b[m", control("", 'm')),
            ("\x1b[?25h", control("?25", 'h')),
            ("\x1b[\x1b[", control("\x1b", '[')),
            ("\x1b[漢é~", control("漢é", '~')),
            ("\x1b]0;title\x07", text(']', "0;title")),
            ("\x1b]8;;http://x\x1b\\", text(']', "8;;http://x")),
            ("\x1bPq\x1b\\", text('P', "q")),
            ("\x1bX[m\x07", text('X', "[m")),
            ("\x1b(B", OTHER),
            ("\x1b#8", OTHER),
            ("\x1bc", OTHER),
            ("\x1b7", OTHER),
        ] {
            let all = format!("a{row}b");
            let got: Vec<Piece> = pieces(&all).collect();
            assert_eq!(got, [Piece::Text("a"), expected, Piece::Text("b")], "{row:?}");
        }
    }

    #[test]
    fn one_that_is_cut_takes_the_rest_of_the_row() {
        for row in ["\x1b", "\x1b[", "\x1b[12;", "\x1b]0;title", "\x1b(", "\x1b]\x1b"] {
            let got: Vec<Piece> = pieces(row).collect();
            assert_eq!(got.len(), 1, "{row:?}: {got:?}");
        }
    }

    #[test]
    fn only_colours_are_sgr() {
        let sgr = |row| match pieces(row).next() {
            Some(Piece::Escape(escape)) => escape.sgr(),
            _ => None,
        };
        assert_eq!(sgr("\x1b[38;2;1:2:3m"), Some("38;2;1:2:3"));
        for row in ["\x1b[>4;1m", "\x1b[?1m", "\x1b[1 m", "\x1b[1h", "\x1b]1m\x07", "\x1b[1\u{9b}m"] {
            assert_eq!(sgr(row), None, "{row:?}");
        }
    }

    proptest! {
        #![proptest_config(crate::tmux::properties::cases(256))]

        /// Nothing of a text is read twice or in another order, and what is no sequence is not lost before the first.
        #[test]
        fn pieces_come_in_order(row in "[a-c\\x1b\\[\\]m;0-9\\x07(é]{0,40}") {
            let chars: String =
                pieces(&row).filter_map(|piece| if let Piece::Text(text) = piece { Some(text) } else { None }).collect();
            prop_assert!(!chars.contains('\x1b'));
            let mut rest = row.chars();
            prop_assert!(chars.chars().all(|c| rest.any(|other| other == c)), "{chars:?} of {row:?}");
            let before = row.split('\x1b').next().unwrap_or_default();
            prop_assert!(chars.starts_with(before));
        }
    }
}
