//! Whether the kernel notifies us of the next write to a pane's terminal, or whether only the probes find it.

use std::time::Instant;

/// Changes in a row without a notification, after which a pane is left to the probes: its program writes past the file
/// of its terminal, as one does that opens `/dev/tty` (tty(4): inotify sees writes through the watched inode alone).
const MOST_MISSED: u8 = 2;

/// One pane's subscription. It ends with the notification that it brings: the watch is made with `IN_ONESHOT`
/// (inotify(7)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subscription {
    /// Nobody notifies us of its next write.
    Off {
        /// Changes in a row without a notification.
        missed: u8,
        /// When the last notification came, if one ended the subscription.
        notified: Option<Instant>,
    },
    /// Its next write is notified.
    On {
        /// Changes in a row without a notification.
        missed: u8,
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
    /// Whether its next write is notified.
    #[must_use]
    pub fn is_on(self) -> bool {
        matches!(self, Self::On { .. })
    }

    /// Subscribes where there is no subscription and it may be of use; `watch` asks the kernel and says whether it took
    /// the watch.
    pub fn subscribe(&mut self, watch: impl FnOnce() -> bool) {
        if let Self::Off { missed, .. } = *self
            && watch()
        {
            *self = Self::On { missed };
        }
    }

    /// A write was notified.
    pub fn notified(&mut self, now: Instant) {
        *self = Self::Off { missed: 0, notified: Some(now) };
    }

    /// What is written next may not come from the program alone, as after a change of size: the subscription ends.
    pub fn cancel(&mut self) {
        if let Self::On { missed } = *self {
            *self = Self::Off { missed, notified: None };
        }
    }

    /// Other programs run in the pane: what was learned of the former ones says nothing of them.
    pub fn program_changed(&mut self) {
        *self = match *self {
            Self::Off { notified, .. } => Self::Off { missed: 0, notified },
            Self::On { .. } => Self::On { missed: 0 },
            Self::LeftToProbes => Self::default(),
        };
    }

    /// A read that began at `began` was taken in; `missed`: it shows a change that should have been notified before.
    /// Says whether a write was notified since: the read may not show it.
    pub fn was_read(&mut self, began: Instant, missed: bool) -> bool {
        match *self {
            Self::Off { notified: Some(at), .. } => at >= began,
            Self::On { missed: before } if missed => {
                let missed = before + 1;
                *self = if missed < MOST_MISSED { Self::On { missed } } else { Self::LeftToProbes };
                false
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn on() -> Subscription {
        let mut subscription = Subscription::default();
        subscription.subscribe(|| true);
        subscription
    }

    #[test]
    fn it_is_on_only_when_the_kernel_took_the_watch_and_ends_with_a_notification() {
        let now = Instant::now();
        let mut subscription = Subscription::default();
        subscription.subscribe(|| false);
        assert!(!subscription.is_on());
        subscription.subscribe(|| true);
        assert!(subscription.is_on());
        subscription.subscribe(|| unreachable!("it is on already"));
        subscription.notified(now);
        assert!(!subscription.is_on());
    }

    #[test]
    fn a_write_that_was_notified_while_it_was_read_may_not_be_in_the_read() {
        let (now, second) = (Instant::now(), Duration::from_secs(1));
        let mut subscription = on();
        subscription.notified(now);
        assert!(subscription.was_read(now, true));
        assert!(!subscription.was_read(now + second, false));
    }

    #[test]
    fn a_pane_whose_changes_are_not_notified_is_left_to_the_probes_until_one_is() {
        let now = Instant::now();
        let mut subscription = on();
        subscription.was_read(now, true);
        assert!(subscription.is_on(), "one may be chance");
        subscription.was_read(now, true);
        assert_eq!(subscription, Subscription::LeftToProbes);
        subscription.subscribe(|| unreachable!("it is of no use"));
        // The watch was there all the time.
        subscription.notified(now);
        subscription.subscribe(|| true);
        assert_eq!(subscription, Subscription::On { missed: 0 });
    }

    #[test]
    fn another_program_and_another_size_are_no_reason_to_believe_less() {
        let now = Instant::now();
        let mut subscription = on();
        subscription.was_read(now, true);
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
}
