//! Whether the kernel notifies us of the writes to a pane's terminal, or whether only the probes find them.

use std::time::Instant;

use crate::monitor::panes::rhythm::{Rhythm, TAKEN};

/// Changes in a row without a notification, after which a pane is left to the probes: its program writes past the file
/// of its terminal, as one does that opens `/dev/tty` (tty(4): inotify sees writes through the watched inode alone).
const MOST_MISSED: u8 = 2;

/// One pane's subscription. That to the next write ends with the notification that it brings: the watch is made with
/// `IN_ONESHOT` (inotify(7)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subscription {
    /// Nobody notifies us of its next write.
    Off {
        /// Changes in a row without a notification.
        missed: u8,
        /// When the last notification came, if one ended the subscription.
        notified: Option<Instant>,
    },
    /// It is at rest, and its next write is notified.
    On {
        /// Changes in a row without a notification.
        missed: u8,
    },
    /// It is busy, and all its writes are followed.
    Followed {
        /// Changes in a row without a notification.
        missed: u8,
        /// Their rhythm.
        rhythm: Rhythm,
    },
    /// Too many of its changes came without one: the probes find them.
    LeftToProbes,
}

impl Default for Subscription {
    fn default() -> Self {
        Self::Off { missed: 0, notified: None }
    }
}

impl Subscription {
    /// Whether its next write is notified, for it is at rest.
    #[must_use]
    pub fn is_on(self) -> bool {
        matches!(self, Self::On { .. })
    }

    /// Whether its writes are followed.
    #[must_use]
    pub fn is_followed(self) -> bool {
        matches!(self, Self::Followed { .. })
    }

    /// Whether they have a rhythm, as far as was seen.
    #[must_use]
    pub fn has_rhythm(self) -> bool {
        if let Self::Followed { rhythm, .. } = self { rhythm.is_known() } else { false }
    }

    /// Subscribes to the next write where there is no subscription to it and it may be of use; `watch` asks the kernel and
    /// says whether it took the watch. One that is followed must have rested.
    pub fn subscribe(&mut self, now: Instant, watch: impl FnOnce() -> bool) {
        let missed = match *self {
            Self::Off { missed, .. } => missed,
            Self::Followed { missed, rhythm } if rhythm.is_over(now) => missed,
            _ => return,
        };
        if watch() {
            *self = Self::On { missed };
        }
    }

    /// Follows its writes from now on, where there is no subscription and it may be of use; `watch` likewise.
    pub fn follow(&mut self, now: Instant, watch: impl FnOnce() -> bool) {
        if let Self::Off { missed, .. } = *self
            && watch()
        {
            *self = Self::Followed { missed, rhythm: Rhythm::new(now) };
        }
    }

    /// A write was notified.
    pub fn notified(&mut self, now: Instant) {
        *self = Self::Off { missed: 0, notified: Some(now) };
    }

    /// One that is followed wrote. See [`Rhythm::wrote`].
    pub fn wrote(&mut self, now: Instant) -> bool {
        let Self::Followed { missed, rhythm } = self else { return false };
        *missed = 0;
        rhythm.wrote(now)
    }

    /// A read showed another state, and no break of its rhythm had told of it.
    pub fn surprises(&mut self) {
        if let Self::Followed { rhythm, .. } = self {
            rhythm.surprises();
        }
    }

    /// Whether the rhythm of one that is followed is broken now: see [`Rhythm::breaks`].
    pub fn breaks(&mut self, now: Instant) -> bool {
        if let Self::Followed { rhythm, .. } = self { rhythm.breaks(now) } else { false }
    }

    /// What is written next may not come from the program alone, as after a change of size, or nobody would tell of it:
    /// the subscription ends.
    pub fn cancel(&mut self) {
        if let Self::On { missed } | Self::Followed { missed, .. } = *self {
            *self = Self::Off { missed, notified: None };
        }
    }

    /// Other programs run in the pane: what was learned of the former ones says nothing of them.
    pub fn program_changed(&mut self) {
        match self {
            Self::Off { missed, .. } | Self::On { missed } | Self::Followed { missed, .. } => *missed = 0,
            Self::LeftToProbes => *self = Self::default(),
        }
    }

    /// A read that began at `began` was taken in, the one before began at `before`; `missed`: it shows a change that should
    /// have been notified before. Says whether a write was notified since: the read may not show it.
    pub fn was_read(&mut self, before: Option<Instant>, began: Instant, missed: bool) -> bool {
        let more = match self {
            Self::Off { notified: Some(at), .. } => return *at >= began,
            Self::On { missed: more } if missed => more,
            Self::Followed { missed: more, rhythm }
                if missed && before.is_some_and(|before| rhythm.wrote_at() + TAKEN < before) =>
            {
                more
            }
            _ => return false,
        };
        *more += 1;
        if *more >= MOST_MISSED {
            *self = Self::LeftToProbes;
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn on() -> Subscription {
        let mut subscription = Subscription::default();
        subscription.subscribe(Instant::now(), || true);
        subscription
    }

    #[test]
    fn it_is_on_only_when_the_kernel_took_the_watch_and_ends_with_a_notification() {
        let now = Instant::now();
        let mut subscription = Subscription::default();
        subscription.subscribe(now, || false);
        assert!(!subscription.is_on());
        subscription.subscribe(now, || true);
        assert!(subscription.is_on());
        subscription.subscribe(now, || unreachable!("it is on already"));
        subscription.notified(now);
        assert!(!subscription.is_on());
    }

    #[test]
    fn a_write_that_was_notified_while_it_was_read_may_not_be_in_the_read() {
        let (now, second) = (Instant::now(), Duration::from_secs(1));
        let mut subscription = on();
        subscription.notified(now);
        assert!(subscription.was_read(None, now, true));
        assert!(!subscription.was_read(None, now + second, false));
    }

    #[test]
    fn a_pane_whose_changes_are_not_notified_is_left_to_the_probes_until_one_is() {
        let now = Instant::now();
        let mut subscription = on();
        subscription.was_read(None, now, true);
        assert!(subscription.is_on(), "one may be chance");
        subscription.was_read(None, now, true);
        assert_eq!(subscription, Subscription::LeftToProbes);
        subscription.subscribe(now, || unreachable!("it is of no use"));
        // The watch was there all the time.
        subscription.notified(now);
        subscription.subscribe(now, || true);
        assert_eq!(subscription, Subscription::On { missed: 0 });
    }

    #[test]
    fn another_program_and_another_size_are_no_reason_to_believe_less() {
        let now = Instant::now();
        let mut subscription = on();
        subscription.was_read(None, now, true);
        subscription.cancel();
        assert_eq!(
            subscription,
            Subscription::Off { missed: 1, notified: None },
            "the size says nothing of the program"
        );
        subscription.program_changed();
        assert_eq!(subscription, Subscription::default());
        let mut left = Subscription::LeftToProbes;
        left.cancel();
        assert_eq!(left, Subscription::LeftToProbes);
        left.program_changed();
        assert_eq!(left, Subscription::default());
    }

    #[test]
    fn one_that_is_busy_is_followed_until_it_rests() {
        let now = Instant::now();
        let later = |ms| now + Duration::from_millis(ms);
        let mut subscription = Subscription::default();
        subscription.follow(now, || false);
        assert!(!subscription.is_followed());
        subscription.follow(now, || true);
        assert!(subscription.is_followed());
        subscription.wrote(later(100));
        subscription.subscribe(later(200), || unreachable!("it is busy"));
        assert!(subscription.breaks(later(300)), "it is silent");
        subscription.subscribe(later(500), || unreachable!("it may go on"));
        subscription.subscribe(later(1200), || true);
        assert!(subscription.is_on());
        subscription.follow(now, || unreachable!("it is at rest"));
        let mut resized = Subscription::default();
        resized.follow(now, || true);
        resized.cancel();
        assert_eq!(resized, Subscription::default());
    }

    #[test]
    fn one_that_is_followed_and_changes_unseen_is_left_to_the_probes() {
        let now = Instant::now();
        let second = |n| now + Duration::from_secs(n);
        let mut subscription = Subscription::default();
        subscription.follow(now, || true);
        subscription.was_read(Some(now), second(1), true);
        assert!(subscription.is_followed(), "it may have written before it was followed");
        subscription.was_read(Some(second(1)), second(2), true);
        subscription.wrote(second(3));
        subscription.was_read(Some(second(2)), second(3), true);
        subscription.was_read(Some(second(4)), second(5), true);
        assert!(subscription.is_followed(), "once is chance");
        subscription.was_read(Some(second(5)), second(6), true);
        assert_eq!(subscription, Subscription::LeftToProbes);
    }
}
