//! When the next line about a server is written: soon after something changed, and once an interval.

use std::time::Duration;

use tokio::time::Instant;

/// Shortest time between two lines: what changes within it is told of together.
pub(crate) const LEAST_APART: Duration = Duration::from_millis(50);

/// What is only clocks and figures may come this part of the interval early: two that tick alike are never quite in step.
const EARLY: f64 = 0.1;

/// The times of one reader's lines.
#[derive(Clone, Debug)]
pub(crate) struct Pace {
    least: Duration,
    interval: Duration,
    last: Instant,
    /// When what is there and was not written is to be written; `None`: all was written.
    due: Option<Instant>,
}

impl Pace {
    /// A line was just written; the next ones come at least `least` after each other, where only clocks and figures go on an
    /// interval.
    pub(crate) fn new(least: Duration, interval: Duration, now: Instant) -> Self {
        Self { least, interval: interval.max(least), last: now, due: None }
    }

    /// The same with another interval from now on.
    pub(crate) fn set_interval(&mut self, interval: Duration) {
        self.interval = interval.max(self.least);
    }

    /// Something is there that was not written; `news`: it says more than that clocks and figures went on. News waits for
    /// nothing but the line before.
    pub(crate) fn saw(&mut self, news: bool) {
        let after = if news { self.least } else { self.least.max(self.interval.mul_f64(1.0 - EARLY)) };
        let due = self.last + after;
        self.due = Some(self.due.map_or(due, |sooner| sooner.min(due)));
    }

    /// When what is there is to be written; `None`: there is nothing new.
    pub(crate) fn due(&self) -> Option<Instant> {
        self.due
    }

    /// The same for who says once an interval that he is there, though there is nothing new.
    pub(crate) fn due_or_heartbeat(&self) -> Instant {
        let heartbeat = self.last + self.interval;
        self.due.map_or(heartbeat, |due| due.min(heartbeat))
    }

    /// All that is there was written.
    pub(crate) fn wrote(&mut self, now: Instant) {
        (self.last, self.due) = (now, None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn ms(n: u64) -> Duration {
        Duration::from_millis(n)
    }

    #[test]
    fn news_is_written_at_once_and_what_comes_right_after_it_together() {
        let start = Instant::now();
        let mut pace = Pace::new(LEAST_APART, SECOND, start);
        assert_eq!((pace.due(), pace.due_or_heartbeat()), (None, start + SECOND));
        pace.saw(true);
        assert_eq!(pace.due(), Some(start + LEAST_APART), "the time may be over: at once");
        pace.saw(true);
        pace.saw(false);
        assert_eq!(pace.due(), Some(start + LEAST_APART), "nothing puts it off");
        pace.wrote(start + ms(300));
        assert_eq!(pace.due(), None);
        pace.saw(true);
        assert_eq!(pace.due(), Some(start + ms(350)));
    }

    #[test]
    fn figures_come_once_an_interval_and_news_in_between() {
        let start = Instant::now();
        let mut pace = Pace::new(LEAST_APART, SECOND, start);
        pace.saw(false);
        assert_eq!(pace.due(), Some(start + ms(900)));
        pace.saw(true);
        assert_eq!(pace.due(), Some(start + LEAST_APART), "sooner");
        pace.wrote(start + LEAST_APART);
        pace.set_interval(SECOND * 5);
        pace.saw(false);
        assert_eq!((pace.due(), pace.due_or_heartbeat()), (Some(start + ms(4_550)), start + ms(4_550)));
    }

    #[test]
    fn there_are_at_most_so_many_lines_whatever_comes() {
        let start = Instant::now();
        let mut pace = Pace::new(LEAST_APART, SECOND, start);
        let (mut now, mut lines) = (start, 0);
        while now < start + SECOND {
            pace.saw(true);
            if pace.due().is_some_and(|due| due <= now) {
                pace.wrote(now);
                lines += 1;
            }
            now += ms(1);
        }
        assert_eq!(lines, 19, "twenty a second with the one at the start");
        let mut slow = Pace::new(SECOND * 3, SECOND, start);
        slow.saw(false);
        assert_eq!(slow.due(), Some(start + SECOND * 3), "an interval asks for no more lines than that");
    }
}
