//! When the next cycle begins, and whether what the last one found is published: a state with named transitions.
//!
//! It knows no server and no ceiling: whoever brings a cycle forward has asked the ceiling when it may begin.

use std::time::{Duration, Instant};

/// What a program has to go on drawing after the first write of a burst, before its screen is read: a full redraw of an
/// agent's screen is several writes.
const DRAWN: Duration = Duration::from_millis(25);

/// Shortest time from a cycle to one that a write begins early.
const APART: Duration = Duration::from_millis(50);

/// So many early cycles may follow each other with only that between them, after a time without: several agents that ask
/// within a second are seen at once, each, and those who write all the time still begin no more than they may.
const BURST: u32 = 4;

/// A tick may be this part of the interval early and still count as the next one.
const EARLY_TICK: f64 = 0.1;

/// The times of one engine's cycles.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Schedule {
    next: Instant,
    /// See [`Plan::early`](crate::monitor::strategy::Plan::early), of the last plan.
    early: Option<Duration>,
    /// A write brought the next cycle forward.
    woken: bool,
    began: Instant,
    /// The time to which the cycles that writes brought forward are paid, at the pace that is allowed: theoretical arrival
    /// time of the generic cell rate algorithm (ITU-T I.371).
    paid_to: Option<Instant>,
    /// When a cycle was published last; `None` while a client waits to see what it asked for.
    published: Option<Instant>,
}

/// When a cycle that has ended is followed by the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tick {
    /// The time that was planned, or now where that is over: late ticks are dropped, not queued.
    pub(crate) at: Instant,
    /// It took longer than the time to the next.
    pub(crate) late: bool,
}

impl Schedule {
    /// The first cycle begins at once.
    pub(crate) fn new(now: Instant) -> Self {
        Self { next: now, early: None, woken: false, began: now, paid_to: None, published: None }
    }

    /// When the next cycle begins.
    pub(crate) fn next(&self) -> Instant {
        self.next
    }

    /// The next cycle begins at this time, unless it begins sooner anyway.
    pub(crate) fn bring_forward(&mut self, at: Instant) {
        self.next = self.next.min(at);
    }

    /// A client waits to see what it asked for: the next cycle is published whatever it finds.
    pub(crate) fn client_waits(&mut self) {
        self.published = None;
    }

    /// Writes begin cycles early from now on, no more than one in this time on average; `None`: they begin none.
    pub(crate) fn allow_early(&mut self, apart: Option<Duration>) {
        self.early = apart;
    }

    /// How far apart cycles are on average that writes begin one after the other.
    pub(crate) fn early(&self) -> Option<Duration> {
        self.early
    }

    /// Whether writes begin cycles.
    pub(crate) fn takes_writes(&self) -> bool {
        self.early.is_some()
    }

    /// The earliest time of a cycle that a write begins which was notified now, and whose program may go on drawing;
    /// `None`: it begins none.
    pub(crate) fn earliest(&self, now: Instant) -> Option<Instant> {
        self.earliest_at(now + DRAWN)
    }

    /// The same for one that has drawn.
    pub(crate) fn earliest_at(&self, at: Instant) -> Option<Instant> {
        let apart = self.early?;
        let at = at.max(self.began + APART);
        let allowed = self.paid_to.and_then(|paid| paid.checked_sub(apart * (BURST - 1)));
        Some(allowed.map_or(at, |allowed| at.max(allowed)))
    }

    /// A write begins the next cycle at this time, unless it begins sooner anyway.
    pub(crate) fn wake(&mut self, at: Instant) {
        if at < self.next {
            (self.next, self.woken) = (at, true);
        }
    }

    /// A cycle begins.
    pub(crate) fn begin(&mut self, now: Instant) {
        self.began = now;
        if std::mem::take(&mut self.woken) {
            let apart = self.early.unwrap_or_default();
            self.paid_to = Some(self.paid_to.map_or(now, |paid| paid.max(now)) + apart);
        }
    }

    /// It has ended; `pause` is the time from its start to that of the next. Says when that is due.
    pub(crate) fn end(&self, pause: Duration, now: Instant) -> Tick {
        let due = self.began + pause;
        Tick { at: due.max(now), late: now > due }
    }

    /// The next cycle begins at this time, whatever was planned before.
    pub(crate) fn plan(&mut self, at: Instant) {
        self.next = at;
    }

    /// Whether a cycle that found nothing new is published: once an interval, and where a client waits.
    pub(crate) fn is_publishing_due(&self, interval: Duration, now: Instant) -> bool {
        let least = interval.mul_f64(1.0 - EARLY_TICK);
        self.published.is_none_or(|at| now.saturating_duration_since(at) >= least)
    }

    /// A cycle was published.
    pub(crate) fn published(&mut self, now: Instant) {
        self.published = Some(now);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const fn ms(n: u64) -> Duration {
        Duration::from_millis(n)
    }

    const SECOND: Duration = Duration::from_secs(1);

    /// A schedule in which writes begin cycles a second apart.
    fn with_writes(now: Instant) -> Schedule {
        let mut schedule = Schedule::new(now);
        schedule.allow_early(Some(SECOND));
        schedule
    }

    fn earliest(schedule: &Schedule, now: Instant) -> Instant {
        schedule.earliest(now).expect("writes begin cycles")
    }

    #[test]
    fn a_cycle_follows_as_planned_and_a_late_one_at_once_and_alone() {
        let start = Instant::now();
        let mut schedule = Schedule::new(start);
        assert_eq!(schedule.next(), start, "the first begins at once");
        schedule.begin(start);
        assert_eq!(schedule.end(SECOND, start + ms(10)), Tick { at: start + SECOND, late: false });
        assert_eq!(schedule.end(SECOND, start + SECOND), Tick { at: start + SECOND, late: false });
        assert_eq!(schedule.end(SECOND, start + ms(7_300)), Tick { at: start + ms(7_300), late: true });
    }

    #[test]
    fn what_is_brought_forward_is_never_put_off() {
        let start = Instant::now();
        let mut schedule = Schedule::new(start);
        schedule.plan(start + SECOND);
        schedule.bring_forward(start + SECOND * 2);
        schedule.wake(start + SECOND * 2);
        assert_eq!(schedule.next(), start + SECOND);
        schedule.bring_forward(start + ms(300));
        assert_eq!(schedule.next(), start + ms(300));
    }

    #[test]
    fn writes_begin_cycles_early_but_no_more_of_them_than_the_strategy_wants() {
        let start = Instant::now();
        let mut schedule = Schedule::new(start);
        assert_eq!((schedule.earliest(start), schedule.takes_writes()), (None, false), "no plan allowed it");
        schedule.allow_early(Some(SECOND));
        schedule.begin(start);
        schedule.plan(start + SECOND * 10);
        assert_eq!(earliest(&schedule, start + ms(10)), start + APART, "not right after a cycle");
        assert_eq!(earliest(&schedule, start + ms(500)), start + ms(500) + DRAWN, "once it is drawn");
        for n in 0..u64::from(BURST) {
            let at = earliest(&schedule, start + ms(500 + 50 * n));
            assert_eq!(at, start + ms(525 + 50 * n), "one after the other at first");
            schedule.wake(at);
            schedule.begin(at);
            schedule.plan(start + SECOND * 10);
        }
        assert_eq!(earliest(&schedule, start + ms(700)), start + ms(1_525));
        // A cycle that no write began leaves that as it is.
        schedule.begin(start + ms(1_000));
        assert_eq!(earliest(&schedule, start + ms(1_100)), start + ms(1_525));
        assert_eq!(earliest(&schedule, start + ms(3_000)), start + ms(3_000) + DRAWN);
        assert_eq!(schedule.earliest_at(start + ms(3_000)), Some(start + ms(3_000)), "it is drawn");
    }

    #[test]
    fn a_write_that_comes_when_the_next_cycle_is_sooner_wakes_nothing() {
        let start = Instant::now();
        let mut schedule = with_writes(start);
        schedule.plan(start + ms(50));
        schedule.wake(start + ms(125));
        schedule.begin(start + ms(50));
        assert_eq!(earliest(&schedule, start + ms(200)), start + ms(225), "it was no early cycle");
    }

    #[test]
    fn what_found_nothing_is_published_once_an_interval_and_at_once_to_who_waits() {
        let start = Instant::now();
        let mut schedule = Schedule::new(start);
        assert!(schedule.is_publishing_due(SECOND, start), "the first");
        schedule.published(start);
        assert!(!schedule.is_publishing_due(SECOND, start + ms(899)));
        assert!(schedule.is_publishing_due(SECOND, start + ms(900)), "ticks may be a little early");
        schedule.client_waits();
        assert!(schedule.is_publishing_due(SECOND, start + ms(1)));
    }

    #[derive(Clone, Debug)]
    enum Happens {
        Asked(u64),
        Written,
        Cycle { takes: u64, pause: u64 },
    }

    fn happens() -> impl Strategy<Value = Happens> {
        prop_oneof![
            (0..2_000u64).prop_map(Happens::Asked),
            Just(Happens::Written),
            (0..3_000u64, 50..2_000u64).prop_map(|(takes, pause)| Happens::Cycle { takes, pause }),
        ]
    }

    proptest! {
        /// Whatever happens, in steps of some milliseconds: cycles that writes begin are no more than allowed, and none is put off
        /// beyond what was planned for it.
        #[test]
        fn early_cycles_are_rationed_and_none_is_put_off(story in prop::collection::vec((0..400u64, happens()), 1..60)) {
            let start = Instant::now();
            let (mut schedule, mut now, mut planned) = (with_writes(start), start, start);
            let mut woken_at: Vec<Instant> = Vec::new();
            for (step, happens) in story {
                now += ms(step);
                match happens {
                    Happens::Asked(after) => schedule.bring_forward(now + ms(after)),
                    Happens::Written => {
                        let at = earliest(&schedule, now);
                        prop_assert!(at >= now + DRAWN);
                        let before = woken_at.iter().rev().nth(BURST as usize - 1);
                        prop_assert!(before.is_none_or(|before| at >= *before + SECOND));
                        schedule.wake(at);
                    }
                    Happens::Cycle { takes, pause } => {
                        prop_assert!(schedule.next() <= planned);
                        now = now.max(schedule.next());
                        let woken = schedule.woken;
                        schedule.begin(now);
                        if woken {
                            woken_at.push(now);
                        }
                        now += ms(takes);
                        let due = schedule.end(ms(pause), now);
                        prop_assert!(due.at >= now && due.late == (takes > pause));
                        schedule.plan(due.at);
                        planned = due.at;
                    }
                }
            }
        }
    }
}
