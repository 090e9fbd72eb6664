//! The ceiling on what watching costs the tmux server: what was spent, and when the next cycle may begin.
//!
//! A purse of the server's seconds fills at the ceiling's rate. Every cycle pays what it cost, and may leave a debt; the
//! next begins when the purse is full enough for it. What a full purse cannot take is saved for first sights, so that a
//! large fleet is known soon. Over any longer time no more is spent than the ceiling allows and what was saved.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

/// The purse holds what the ceiling allows in this time.
const PURSE: f64 = 4.0;

/// The savings for first sights hold what the ceiling allows in this time, in seconds, and at most [`MOST_SAVED`].
const SAVINGS: f64 = 60.0;

/// Most seconds of the server's time that are saved for first sights.
const MOST_SAVED: f64 = 3.0;

/// Longest time after an estimated cost until the debt is paid. A round trip also holds what the server did for others,
/// and a server that was stopped worked for nobody.
const LONGEST_FOR_ESTIMATE: f64 = 10.0;

/// What was spent is shown as the mean of this time.
const SHOWN_OVER: Duration = Duration::from_secs(30);

/// Held back for this long without an end, the user gets a notice.
const NOTICE_AFTER: Duration = Duration::from_secs(10);

/// Not held back for this long, the next time is news again.
const OVER_AFTER: Duration = Duration::from_secs(60);

/// Why a cycle is to begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The strategy planned it.
    Tick,
    /// Something is known to have happened, or its user looks at an agent.
    News,
    /// Its user asked for it: it may be paid for afterwards.
    Asked,
    /// Panes were found that nobody has looked at.
    FirstSight,
}

/// What a cost is known from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Cost {
    /// The CPU time of the server's process.
    Measured(Duration),
    /// How long its answer took: no less than what it did, where its CPU time is not known.
    Estimated(Duration),
}

/// Keeps the account.
#[derive(Debug)]
pub struct Governor {
    /// The server's seconds that may be spent in a second; `None`: no ceiling.
    share: Option<f64>,
    purse: f64,
    savings: f64,
    filled_at: Instant,
    started: Instant,
    /// What was spent in each second of the last [`SHOWN_OVER`].
    spent: VecDeque<(Instant, f64)>,
    held_since: Option<Instant>,
    held_at: Option<Instant>,
    noticed: bool,
}

impl Governor {
    /// With all that can be saved. `percent` is the ceiling in percent of one core; from 100 on there is none.
    #[must_use]
    pub fn new(percent: f64, now: Instant) -> Self {
        let mut governor = Self {
            share: None,
            purse: 0.0,
            savings: 0.0,
            filled_at: now,
            started: now,
            spent: VecDeque::new(),
            held_since: None,
            held_at: None,
            noticed: false,
        };
        governor.set_percent(percent);
        governor
    }

    /// Another ceiling from now on.
    pub fn set_percent(&mut self, percent: f64) {
        self.share = (percent < 100.0).then(|| (percent / 100.0).max(0.0001));
        (self.purse, self.savings) = (self.purse_size(), self.savings_size());
    }

    fn purse_size(&self) -> f64 {
        self.share.map_or(0.0, |share| share * PURSE)
    }

    fn savings_size(&self) -> f64 {
        self.share.map_or(0.0, |share| (share * SAVINGS).min(MOST_SAVED))
    }

    fn fill(&mut self, now: Instant) {
        let Some(share) = self.share else { return };
        self.purse += share * now.saturating_duration_since(self.filled_at).as_secs_f64();
        self.filled_at = self.filled_at.max(now);
        let over = (self.purse - self.purse_size()).max(0.0);
        self.purse -= over;
        self.savings = (self.savings + over).min(self.savings_size());
    }

    /// Takes what was spent. `first_sight`: the part of it, 0 to 1, that went for panes that nobody had looked at.
    pub fn pay(&mut self, cost: Cost, first_sight: f64, now: Instant) {
        self.fill(now);
        let (Cost::Measured(spent) | Cost::Estimated(spent)) = cost;
        let spent = spent.as_secs_f64();
        match self.spent.back_mut() {
            Some((second, sum)) if now.saturating_duration_since(*second) < Duration::from_secs(1) => *sum += spent,
            _ => self.spent.push_back((now, spent)),
        }
        while self.spent.front().is_some_and(|(at, _)| now.saturating_duration_since(*at) > SHOWN_OVER) {
            self.spent.pop_front();
        }
        let Some(share) = self.share else { return };
        let saved = (spent * first_sight.clamp(0.0, 1.0)).min(self.savings);
        self.savings -= saved;
        self.purse -= spent - saved;
        if let Cost::Estimated(_) = cost {
            self.purse = self.purse.max(-share * LONGEST_FOR_ESTIMATE);
        }
    }

    /// When a cycle may begin, for this reason.
    #[must_use]
    pub fn ready_at(&mut self, reason: Reason, now: Instant) -> Instant {
        self.fill(now);
        let Some(share) = self.share else { return now };
        let least = match reason {
            // What comes unasked, and what its user waits for, finds something left.
            Reason::Tick => self.purse_size() / 2.0,
            Reason::News => 0.0,
            Reason::Asked => -self.purse_size(),
            Reason::FirstSight if self.savings > 0.0 => return now,
            Reason::FirstSight => 0.0,
        };
        let missing = (least - self.purse).max(0.0) / share;
        now + Duration::try_from_secs_f64(missing).unwrap_or(Duration::from_secs(3600))
    }

    /// What may be spent now without a debt, and what of the savings for first sights beside it; `None`: no ceiling.
    pub fn left(&mut self, now: Instant) -> Option<(Duration, Duration)> {
        self.fill(now);
        self.share?;
        let whole = |seconds: f64| Duration::try_from_secs_f64(seconds).unwrap_or_default();
        Some((whole(self.purse), whole(self.savings)))
    }

    /// How long a cost that comes again and again should be apart, so that it takes no more than this part of the
    /// ceiling.
    #[must_use]
    pub fn apart(&self, cost: Duration, part: f64) -> Duration {
        let Some(share) = self.share else { return Duration::ZERO };
        Duration::try_from_secs_f64(cost.as_secs_f64() / (share * part)).unwrap_or(Duration::from_secs(3600))
    }

    /// Notes whether the last cycle was put off or cut short. Says whether the user should get a notice of it now.
    pub fn held_back(&mut self, held: bool, now: Instant) -> bool {
        let apart = self.held_at.map(|at| now.saturating_duration_since(at));
        if held {
            self.held_at = Some(now);
        } else if apart.is_none_or(|apart| apart >= NOTICE_AFTER) {
            self.held_since = None;
            self.noticed &= apart.is_some_and(|apart| apart < OVER_AFTER);
            return false;
        }
        let since = *self.held_since.get_or_insert(now);
        let notice = held && !self.noticed && now.saturating_duration_since(since) >= NOTICE_AFTER;
        self.noticed |= notice;
        notice
    }

    /// Whether it held something back in the last seconds.
    #[must_use]
    pub fn holds_back(&self) -> bool {
        self.held_since.is_some()
    }

    /// What was spent lately, percent of one core; `None` in the first second.
    #[must_use]
    pub fn percent(&self, now: Instant) -> Option<f64> {
        let wall = now.saturating_duration_since(self.started).min(SHOWN_OVER).as_secs_f64();
        let lately = self.spent.iter().filter(|(at, _)| now.saturating_duration_since(*at) <= SHOWN_OVER);
        (wall >= 1.0).then(|| lately.map(|(_, spent)| spent).sum::<f64>() / wall * 100.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(n: u64) -> Duration {
        Duration::from_millis(n)
    }

    /// Runs cycles of this cost for a time, each as soon as it may begin but not within `tick`; says what was spent.
    fn run(governor: &mut Governor, from: Instant, time: Duration, cost: Duration, tick: Duration) -> Duration {
        let (mut now, mut spent) = (from, Duration::ZERO);
        while now < from + time {
            now = governor.ready_at(Reason::Tick, now);
            if now >= from + time {
                break;
            }
            governor.pay(Cost::Measured(cost), 0.0, now + cost);
            spent += cost;
            now += cost.max(tick);
        }
        spent
    }

    #[test]
    fn whatever_a_cycle_costs_the_ceiling_holds() {
        for cost in [1, 20, 150, 900, 5_000] {
            let now = Instant::now();
            let mut governor = Governor::new(5.0, now);
            let time = Duration::from_secs(200);
            let spent = run(&mut governor, now, time, ms(cost), ms(125));
            let most = time.mul_f64(0.05) + ms(200) + ms(cost);
            assert!(spent <= most, "{cost} ms: {spent:?} of {most:?}");
            let least = time.mul_f64(0.05).min(ms(cost * 1600)).saturating_sub(ms(cost));
            assert!(spent >= least, "{cost} ms: {spent:?}, not needlessly rare ({least:?})");
        }
    }

    #[test]
    fn a_fleet_that_costs_little_is_not_held_back() {
        let start = Instant::now();
        let mut governor = Governor::new(5.0, start);
        for tick in 0..1_000 {
            let now = start + ms(250 * tick);
            assert_eq!(governor.ready_at(Reason::Tick, now), now);
            governor.pay(Cost::Measured(ms(4)), 0.0, now);
        }
        let percent = governor.percent(start + ms(250_000)).unwrap();
        assert!((1.3..1.9).contains(&percent), "{percent}");
    }

    #[test]
    fn a_first_sight_is_paid_from_what_was_saved_and_holds_nothing_up_afterwards() {
        let now = Instant::now();
        let mut governor = Governor::new(5.0, now);
        governor.pay(Cost::Measured(ms(2_500)), 1.0, now);
        assert_eq!(governor.ready_at(Reason::Tick, now), now);
        assert_eq!(governor.ready_at(Reason::FirstSight, now), now);
        governor.pay(Cost::Measured(ms(900)), 1.0, now);
        let later = governor.ready_at(Reason::FirstSight, now).duration_since(now);
        assert!(
            (ms(3_900)..ms(4_100)).contains(&later),
            "{later:?}: what was saved is spent, and 200 ms more than it had"
        );
        // What is left over is saved again, but not faster than the ceiling's rate.
        let rested = now + Duration::from_secs(20);
        let saved = governor.left(rested).unwrap().1;
        assert!((ms(550)..ms(650)).contains(&saved), "{saved:?}");
    }

    #[test]
    fn who_is_waited_for_begins_sooner() {
        let now = Instant::now();
        let mut governor = Governor::new(5.0, now);
        governor.pay(Cost::Measured(ms(300)), 0.0, now);
        let mut wait = |reason| governor.ready_at(reason, now).duration_since(now).as_secs_f64().round();
        assert_eq!([wait(Reason::Asked), wait(Reason::News), wait(Reason::Tick)], [0.0, 2.0, 4.0]);
    }

    #[test]
    fn an_estimate_never_holds_the_next_cycle_up_for_long() {
        let now = Instant::now();
        let mut governor = Governor::new(5.0, now);
        governor.pay(Cost::Estimated(Duration::from_secs(60)), 0.0, now);
        let wait = governor.ready_at(Reason::Tick, now).duration_since(now).as_secs_f64();
        assert!((11.9..12.1).contains(&wait), "{wait}");
    }

    #[test]
    fn without_a_ceiling_nothing_waits() {
        let now = Instant::now();
        let mut governor = Governor::new(100.0, now);
        governor.pay(Cost::Measured(Duration::from_secs(60)), 0.0, now);
        assert_eq!(governor.ready_at(Reason::Tick, now), now);
        assert_eq!(governor.left(now), None);
        assert_eq!(governor.apart(ms(300), 0.5), Duration::ZERO);
    }

    #[test]
    fn that_it_holds_back_is_told_once_for_a_long_time_of_it() {
        let start = Instant::now();
        let mut governor = Governor::new(5.0, start);
        let notices = |governor: &mut Governor, seconds: std::ops::Range<u64>, held: bool| {
            seconds.filter(|second| governor.held_back(held, start + Duration::from_secs(*second))).count()
        };
        assert_eq!(notices(&mut governor, 0..5, true), 0, "a burst is no news");
        assert_eq!(notices(&mut governor, 5..40, false), 0);
        assert!(!governor.holds_back());
        assert_eq!(notices(&mut governor, 40..200, true), 1);
        assert!(governor.holds_back());
        assert_eq!(notices(&mut governor, 200..230, false), 0);
        assert_eq!(notices(&mut governor, 230..300, true), 0, "half a minute later it is the same news");
        assert_eq!(notices(&mut governor, 300..400, false), 0);
        assert_eq!(notices(&mut governor, 400..500, true), 1);
    }
}
