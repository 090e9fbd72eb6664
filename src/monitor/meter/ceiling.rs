//! The ceiling on what watching costs the tmux server: what requests cost is measured and paid, what may be spent is
//! said before a plan is carried out, and cycles begin when they can be paid for.

use std::time::{Duration, Instant};

use crate::monitor::meter::governor::{Cost, Governor, Reason};
use crate::monitor::meter::prices::Prices;
use crate::monitor::meter::toll::Toll;

/// Part of the ceiling that reading all panes' names and places again and again may take, when nothing says that they
/// changed.
const NAMES_PART: f64 = 0.25;

/// What is aimed at, so that the ceiling itself holds although a cycle may cost more than was expected: one of 3000 panes
/// takes tmux a third of a second.
const AIM: f64 = 0.9;

/// What the governor is given to spend: a ceiling in percent of one core, with room below it. From 100 on there is none.
fn aim(percent: f64) -> f64 {
    if percent < 100.0 { percent * AIM } else { percent }
}

/// Keeps what watching costs below a ceiling. CPU times are those of the tmux server's process so far, `None` where they
/// are not known.
#[derive(Debug)]
pub struct Ceiling {
    /// Percent of one core; from 100 on there is no ceiling.
    percent: f64,
    toll: Toll,
    governor: Governor,
    prices: Prices,
    /// What the list of all panes cost, and when it was read last.
    listed: (Duration, Option<Instant>),
    /// Panes that nobody has looked at were left out of the last plan.
    more_new: bool,
}

impl Ceiling {
    /// A ceiling in percent of one core; from 100 on there is none.
    #[must_use]
    pub fn new(percent: f64, now: Instant) -> Self {
        Self {
            percent,
            toll: Toll::default(),
            governor: Governor::new(aim(percent), now),
            prices: Prices::default(),
            listed: (Duration::ZERO, None),
            more_new: false,
        }
    }

    /// Another ceiling from now on.
    pub fn set_percent(&mut self, percent: f64) {
        self.percent = percent;
        self.governor.set_percent(aim(percent));
    }

    /// Requests begin: what they cost is measured until one of the three that follow.
    pub fn begin(&mut self, cpu: Option<Duration>, now: Instant) {
        let late = self.toll.begin(now, cpu);
        self.governor.pay(Cost::Measured(late), 0.0, now);
    }

    /// The probe was answered. `first_sight` as for [`Governor::pay`].
    pub fn probed(&mut self, cpu: Option<Duration>, first_sight: f64, now: Instant) {
        let cost = self.pay(cpu, first_sight, now);
        self.prices.probed(cost);
    }

    /// The list of all panes was answered. `first_sight` as for [`Governor::pay`].
    pub fn listed(&mut self, cpu: Option<Duration>, first_sight: f64, now: Instant) {
        self.listed = (self.pay(cpu, first_sight, now), Some(now));
    }

    /// Captures of so many panes in so many requests were answered. `first_sight` as for [`Governor::pay`].
    pub fn fetched(&mut self, cpu: Option<Duration>, first_sight: f64, requests: usize, panes: usize, now: Instant) {
        let cost = self.pay(cpu, first_sight, now);
        self.prices.fetched(cost, requests, panes);
    }

    fn pay(&mut self, cpu: Option<Duration>, first_sight: f64, now: Instant) -> Duration {
        let cost = self.toll.end(now, cpu);
        self.governor.pay(cost, first_sight, now);
        let (Cost::Measured(cost) | Cost::Estimated(cost)) = cost;
        cost
    }

    /// Whether names and places of all panes may be read again although nothing says that they changed.
    #[must_use]
    pub fn may_list(&self, now: Instant) -> bool {
        let (cost, at) = self.listed;
        at.is_none_or(|at| now.saturating_duration_since(at) >= self.governor.apart(cost, NAMES_PART))
    }

    /// What may be spent now, and what is saved for first sights beside it; `None`: no ceiling.
    pub fn left(&mut self, now: Instant) -> Option<(Duration, Duration)> {
        self.governor.left(now)
    }

    /// What things cost.
    #[must_use]
    pub fn prices(&self) -> Prices {
        self.prices
    }

    /// What was left out of a plan that could not be paid for: panes that were read before, and panes that nobody has
    /// looked at. Returns a notice to the user, as [`Ceiling::held_back`].
    pub fn left_out(&mut self, known: usize, new: usize, now: Instant) -> Option<String> {
        self.more_new = new > 0;
        if known > 0 { self.held_back(true, now) } else { None }
    }

    /// The cycle ended without a plan.
    pub fn nothing_planned(&mut self) {
        self.more_new = false;
    }

    /// Whether panes that nobody has looked at were left out of the last plan.
    #[must_use]
    pub fn has_more_new(&self) -> bool {
        self.more_new
    }

    /// When the next cycle begins that is due then: not before the ceiling allows it. `focused`: somebody looks at an
    /// agent.
    pub fn paced(&mut self, due: Instant, reason: Reason, focused: bool, now: Instant) -> Instant {
        let reason = match reason {
            Reason::Tick if self.more_new => Reason::FirstSight,
            // An agent that is looked at is read sooner.
            Reason::Tick if focused => Reason::News,
            reason => reason,
        };
        due.max(self.governor.ready_at(reason, now))
    }

    /// Notes whether something was held back. Returns a notice to the user, once when it goes on for
    /// long.
    pub fn held_back(&mut self, held: bool, now: Instant) -> Option<String> {
        self.governor.held_back(held, now).then(|| {
            format!(
                "this fleet costs the tmux server more than {} % of a core: it is watched less often, those who wait \
                 first (monitoring.max_server_percent)",
                self.percent
            )
        })
    }

    /// What was spent lately, percent of one core; `None` in the first second.
    #[must_use]
    pub fn spent_percent(&self, now: Instant) -> Option<f64> {
        self.governor.percent(now)
    }

    /// Whether it held something back in the last seconds.
    #[must_use]
    pub fn holds_back(&self) -> bool {
        self.governor.holds_back()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(n: u64) -> Duration {
        Duration::from_millis(n)
    }

    #[test]
    fn what_requests_cost_is_paid_and_cycles_wait_for_it() {
        let now = Instant::now();
        let mut ceiling = Ceiling::new(5.0, now);
        assert_eq!(ceiling.paced(now, Reason::Tick, false, now), now, "nothing is spent yet");
        ceiling.begin(Some(ms(0)), now);
        ceiling.fetched(Some(ms(900)), 0.0, 1, 100, now + ms(900));
        let now = now + ms(900);
        let wait =
            |ceiling: &mut Ceiling, reason, focused| ceiling.paced(now, reason, focused, now).duration_since(now);
        let (tick, focused) = (wait(&mut ceiling, Reason::Tick, false), wait(&mut ceiling, Reason::Tick, true));
        assert!(tick > focused && focused > ms(1_000), "{tick:?} {focused:?}");
        assert_eq!(wait(&mut ceiling, Reason::News, false), focused);
        let later = now + Duration::from_secs(3600);
        assert_eq!(ceiling.paced(later, Reason::Tick, false, now), later, "never sooner than it is due");
        ceiling.left_out(0, 3, now);
        assert_eq!(
            wait(&mut ceiling, Reason::Tick, false),
            Duration::ZERO,
            "first sights are paid from what was saved"
        );
        ceiling.nothing_planned();
        assert_eq!(wait(&mut ceiling, Reason::Tick, false), tick);
    }

    #[test]
    fn names_are_read_again_as_rarely_as_they_are_expensive() {
        let start = Instant::now();
        let mut ceiling = Ceiling::new(5.0, start);
        assert!(ceiling.may_list(start), "never read");
        ceiling.begin(Some(ms(0)), start);
        ceiling.listed(Some(ms(45)), 0.0, start + ms(45));
        // 45 ms at a quarter of 4.5 % take four seconds.
        assert!(!ceiling.may_list(start + ms(3_900)));
        assert!(ceiling.may_list(start + ms(4_100)));
        ceiling.set_percent(100.0);
        assert!(ceiling.may_list(start + ms(46)), "there is no ceiling");
    }

    #[test]
    fn what_is_held_back_for_long_is_one_notice_with_the_ceiling() {
        let start = Instant::now();
        let mut ceiling = Ceiling::new(5.0, start);
        let notices: Vec<String> =
            (0..40u64).filter_map(|second| ceiling.left_out(1, 0, start + ms(second * 1_000))).collect();
        assert_eq!(notices.len(), 1);
        assert!(notices[0].contains("more than 5 %"), "{notices:?}");
        assert!(ceiling.holds_back());
        assert_eq!(ceiling.left_out(0, 0, start), None, "what is left out of no plan is not held back");
    }
}
