//! Fresh random marks: text that no pane can forge, because it did not exist when the pane was written.

use std::hash::{BuildHasher, RandomState};

/// Bytes of a mark.
pub(crate) const LENGTH: usize = 32;

/// A new mark: 128 random bits as hexadecimal digits. No `%` and no `#` is in it, which tmux would expand.
pub(crate) fn fresh() -> String {
    // The hasher's keys are the system's random bits, and differ for each `RandomState` of a thread (std's documentation
    // of `RandomState`): a crate for random numbers would add nothing to them.
    let half = || RandomState::new().hash_one(std::process::id());
    format!("{:016x}{:016x}", half(), half())
}

/// The bytes have the form of a mark.
pub(crate) fn is_mark(bytes: &[u8]) -> bool {
    bytes.len() == LENGTH && bytes.iter().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(b))
}
