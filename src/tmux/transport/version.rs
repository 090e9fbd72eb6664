//! A tmux version and what follows from it: which formats exist, and whether its protocol was verified.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A server's version as it calls itself, and its numbers where they were understood.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version {
    text: String,
    release: Option<(u16, u16)>,
}

/// Oldest supported release.
const OLDEST: (u16, u16) = (3, 2);
/// Newest release whose protocol was verified.
const NEWEST_VERIFIED: (u16, u16) = (3, 8);

impl Version {
    /// Reads what `#{version}` prints: `3.3a`, `3.8`, `next-3.9`, `openbsd-7.5`. Anything is accepted; what is not a
    /// plain release has no numbers.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let text: String = crate::tmux::clean(text.trim()).chars().take(40).collect();
        let release = (|| {
            let (major, rest) = text.split_once('.')?;
            let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
            let (minor, letter) = rest.split_at(digits);
            let plain = |s: &str| !s.is_empty() && s.len() <= 3 && s.bytes().all(|b| b.is_ascii_digit());
            let known_letter = letter.is_empty() || letter.len() == 1 && letter.bytes().all(|b| b.is_ascii_lowercase());
            (plain(major) && plain(minor) && known_letter).then_some(())?;
            Some((major.parse().ok()?, minor.parse().ok()?))
        })();
        Self { text, release }
    }

    /// As the server calls it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// It is a release older than 3.2, which lacks what is needed.
    #[must_use]
    pub fn is_too_old(&self) -> bool {
        self.release.is_some_and(|release| release < OLDEST)
    }

    /// The direct connection was verified with this release.
    #[must_use]
    pub fn is_verified(&self) -> bool {
        self.release.is_some_and(|release| (OLDEST..=NEWEST_VERIFIED).contains(&release))
    }

    /// What may be asked of it.
    #[must_use]
    pub fn features(&self) -> Features {
        let at_least = |minor| self.release.is_some_and(|release| release >= (3, minor));
        Features { pane_dead_signal: at_least(3), pane_last_output_time: at_least(8) }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// What a server's version has beyond 3.2. The default is the oldest: nothing beyond.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Features {
    /// The format `pane_dead_signal` (3.3).
    pub pane_dead_signal: bool,
    /// The format `pane_last_output_time` (3.8).
    pub pane_last_output_time: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_are_read_and_anything_else_is_kept_as_text() {
        for (text, old, verified) in [
            ("3.1c", true, false),
            ("2.9a", true, false),
            ("3.2", false, true),
            ("3.3a", false, true),
            ("3.8", false, true),
            ("3.9", false, false),
            ("3.10", false, false),
            ("4.0", false, false),
            ("next-3.9", false, false),
            ("openbsd-7.5", false, false),
            ("3.5-rc", false, false),
            ("master", false, false),
            ("", false, false),
            ("3.99999", false, false),
            ("\x1b[2J3.3a", false, true),
        ] {
            let version = Version::parse(text);
            assert_eq!((version.is_too_old(), version.is_verified()), (old, verified), "{text}");
        }
        assert_eq!(Version::parse("next-3.9").features(), Features::default());
        assert!(Version::parse("3.3a").features().pane_dead_signal);
    }
}
