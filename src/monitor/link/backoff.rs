//! How long a host that was not reached is left alone.

use std::{collections::hash_map::RandomState, hash::BuildHasher, time::Duration};

use crate::monitor::link::end::Trouble;

/// The pauses between tries; the last one again and again, without end: a VPN may come back tomorrow.
const STEPS: [u64; 7] = [1, 2, 4, 8, 15, 30, 60];
/// One that was up for so long begins anew.
const STEADY: Duration = Duration::from_secs(60);
/// Where only a person can help it is tried this often, or at once when asked.
const RARELY: Duration = Duration::from_secs(300);
/// Pauses differ by so much, so that many hosts behind one door do not come at once.
const SPREAD: f64 = 0.2;

/// Where in the steps a host is.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Backoff {
    failed: usize,
}

impl Backoff {
    /// The pause after a try that ended so, having been up for `up`. `chance` is from 0 to 1.
    pub(crate) fn after(&mut self, trouble: &Trouble, up: Option<Duration>, chance: f64) -> Duration {
        if up.is_some_and(|up| up >= STEADY) {
            self.failed = 0;
        }
        match trouble {
            Trouble::NeedsLogin(_) | Trouble::NotInstalled(_) | Trouble::Incompatible(_) => RARELY,
            Trouble::Lost(_) | Trouble::NoHello(_) => {
                let seconds = STEPS[self.failed.min(STEPS.len() - 1)];
                self.failed += 1;
                Duration::from_secs(seconds).mul_f64(1.0 + SPREAD * (2.0 * chance.clamp(0.0, 1.0) - 1.0))
            }
        }
    }

    /// The next pause is the shortest.
    pub(crate) fn reset(&mut self) {
        self.failed = 0;
    }
}

/// From 0 to 1, each time another one.
pub(crate) fn chance() -> f64 {
    // The keys of a new one are random, which is all that is needed of it.
    (RandomState::new().hash_one(0) >> 11) as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lost() -> Trouble {
        Trouble::Lost("x".to_owned())
    }

    #[test]
    fn pauses_grow_to_a_minute_and_begin_anew_after_a_minute_up() {
        let mut backoff = Backoff::default();
        let seconds: Vec<u64> = (0..9).map(|_| backoff.after(&lost(), None, 0.5).as_secs()).collect();
        assert_eq!(seconds, [1, 2, 4, 8, 15, 30, 60, 60, 60]);
        assert_eq!(backoff.after(&lost(), Some(Duration::from_secs(59)), 0.5).as_secs(), 60);
        assert_eq!(backoff.after(&lost(), Some(STEADY), 0.5).as_secs(), 1);
        assert_eq!(backoff.after(&Trouble::NeedsLogin(String::new()), None, 0.5), RARELY);
        assert_eq!(backoff.after(&lost(), None, 0.5).as_secs(), 2, "what only a person can mend counts for nothing");
    }

    #[test]
    fn no_two_hosts_come_at_once() {
        let pause = |chance| Backoff::default().after(&lost(), None, chance);
        assert_eq!((pause(0.0), pause(1.0)), (Duration::from_millis(800), Duration::from_millis(1200)));
        assert_eq!(pause(7.0), pause(1.0));
    }
}
