//! What the terminal says of itself when it is asked.

use crate::tmux::escape::{Escape, Piece, pieces};

/// An answer of the terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reply {
    /// Its background, red, green and blue, each from 0 to 255: `OSC 11 ; rgb:RRRR/GGGG/BBBB`.
    Background(u8, u8, u8),
    /// What it is able to: `CSI ? ... c` (DA1). Every terminal answers so.
    Attributes,
}

impl Reply {
    /// What it is asked for all of this.
    pub(crate) const QUESTIONS: &[u8] = b"\x1b]11;?\x1b\\\x1b[c";

    /// The replies among what came; those that are cut, and keys, are none.
    pub(crate) fn all(received: &[u8]) -> Vec<Self> {
        let escapes = |piece| if let Piece::Escape(escape) = piece { Self::of(escape) } else { None };
        pieces(&String::from_utf8_lossy(received)).filter_map(escapes).collect()
    }

    fn of(escape: Escape<'_>) -> Option<Self> {
        match escape {
            Escape::Control { body, end: 'c' } => body.starts_with('?').then_some(Self::Attributes),
            Escape::Text { kind: ']', body } => {
                let mut parts = body.strip_prefix("11;rgb:")?.split('/').map(|part| {
                    let digits = part.get(..2).or(part.get(..1))?;
                    u8::from_str_radix(digits, 16).ok()
                });
                Some(Self::Background(parts.next()??, parts.next()??, parts.next()??))
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replies_differ_from_keys_and_from_pieces() {
        for (received, replies) in [
            ("\x1b]11;rgb:ffff/8000/eeee\x1b\\\x1b[?6c", vec![Reply::Background(255, 128, 238), Reply::Attributes]),
            ("x\x1b]11;rgb:10/12/16\x07\x1b[A", vec![Reply::Background(16, 18, 22)]),
            ("\x1b[?62;22c", vec![Reply::Attributes]),
            ("c\x1b[1;5c\x1b[>41;0c", vec![]),
            ("\x1b]11;rgb:zz\x07\x1b]10;rgb:1/2/3\x07", vec![]),
            ("\x1b]11;rgb:ff/ff/ff", vec![]),
        ] {
            assert_eq!(Reply::all(received.as_bytes()), replies, "{received:?}");
        }
    }
}
