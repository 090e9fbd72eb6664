//! How old the fields of a pane are that tmux was asked for: the cheap ones, and the expensive ones (the program in front
//! and its directory, for which tmux reads `/proc`: `osdep_get_name` and `osdep_get_cwd` in its osdep-linux.c).

use std::time::{Duration, Instant};

use jiff::Timestamp;

use crate::monitor::panes::program::{CHECK_ALIVE, WALK_ANYWAY};
use crate::tmux::Fields;

/// How long fields hold at most where the pane has not written since.
const HOLD: Duration = CHECK_ALIVE.saturating_mul(6);

/// When the fields of one pane were read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Described {
    /// They were not.
    #[default]
    Never,
    /// Only the cheap ones count; the expensive ones are of a program that may be gone.
    Cheap {
        /// When.
        at: Instant,
    },
    /// All of them.
    All {
        /// When the cheap ones were read.
        at: Instant,
        /// When the expensive ones were.
        expensive_at: Instant,
    },
}

impl Described {
    /// Takes in that these fields were read.
    pub fn read(&mut self, fields: Fields, now: Instant) {
        *self = match (fields, *self) {
            (Fields::All, _) => Self::All { at: now, expensive_at: now },
            (Fields::Cheap, Self::All { expensive_at, .. }) => Self::All { at: now, expensive_at },
            (Fields::Cheap, _) => Self::Cheap { at: now },
        };
    }

    /// Other processes run: the expensive fields count only if they were read just now.
    pub fn program_changed(&mut self, now: Instant) {
        if let Self::All { at, expensive_at } = *self
            && expensive_at < now
        {
            *self = Self::Cheap { at };
        }
    }

    /// When any were read last.
    #[must_use]
    pub fn at(self) -> Option<Instant> {
        match self {
            Self::Never => None,
            Self::Cheap { at } | Self::All { at, .. } => Some(at),
        }
    }

    /// Whether they are as they were read: the pane has not written since the second `activity`, and they were read lately.
    #[must_use]
    pub fn hold(self, activity: i64, at: Timestamp, now: Instant) -> bool {
        self.at().is_some_and(|described| {
            let ago = now.saturating_duration_since(described);
            let second = at.as_second() - i64::try_from(ago.as_secs()).unwrap_or(i64::MAX) - 1;
            ago < HOLD && second > activity
        })
    }

    /// Whether the expensive ones may be out of date: the program changed, or time has passed.
    #[must_use]
    pub fn is_expensive_due(self, now: Instant) -> bool {
        match self {
            Self::Never | Self::Cheap { .. } => true,
            Self::All { expensive_at, .. } => now.saturating_duration_since(expensive_at) >= WALK_ANYWAY,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_hold_until_it_writes_or_half_a_minute_is_over() {
        let (now, at) = (Instant::now(), Timestamp::from_second(1_000).unwrap());
        let mut described = Described::default();
        assert!(!described.hold(990, at, now), "never read");
        described.read(Fields::Cheap, now);
        assert!(described.hold(990, at, now));
        let later = |seconds: i64| {
            (Timestamp::from_second(1_000 + seconds).unwrap(), now + Duration::from_secs(seconds as u64))
        };
        assert!(described.hold(990, later(20).0, later(20).1));
        assert!(!described.hold(990, later(40).0, later(40).1));
        assert!(!described.hold(1_000, later(2).0, later(2).1), "it wrote in the second in which they were read");
    }

    #[test]
    fn expensive_fields_come_due_with_time_and_with_another_program() {
        let (now, second) = (Instant::now(), Duration::from_secs(1));
        let mut described = Described::default();
        assert!(described.is_expensive_due(now), "never read");
        described.read(Fields::All, now);
        assert!(!described.is_expensive_due(now));
        described.read(Fields::Cheap, now + WALK_ANYWAY / 2);
        assert!(!described.is_expensive_due(now + WALK_ANYWAY / 2));
        assert!(described.is_expensive_due(now + WALK_ANYWAY), "what starts without output is found");
        described.read(Fields::All, now + WALK_ANYWAY);
        described.program_changed(now + WALK_ANYWAY);
        assert!(!described.is_expensive_due(now + WALK_ANYWAY), "they were read with that program");
        described.program_changed(now + WALK_ANYWAY + second);
        assert_eq!(described, Described::Cheap { at: now + WALK_ANYWAY });
        assert!(described.is_expensive_due(now + WALK_ANYWAY + second));
    }
}
