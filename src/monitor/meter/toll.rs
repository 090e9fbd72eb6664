//! What our requests cost the tmux server, found from its CPU time before and after them.
//!
//! A server also works for others meanwhile, and for us a little longer: it looks over its panes once more when a client
//! has left. So what it spends between our requests is counted as ours up to half of what they cost, and as its own work
//! beyond that; and its own work is taken off what is spent during our requests.

use std::time::{Duration, Instant};

use crate::monitor::meter::governor::Cost;

/// Most of a cost that comes after the answer, in parts of it.
const AFTERWARDS: f64 = 0.5;

/// A shorter time between requests says little of the server's own work.
const LONG_ENOUGH: Duration = Duration::from_millis(20);

/// How much the newest look at the server's own work counts.
const NEWEST: f64 = 0.3;

/// Measures the cost of requests.
#[derive(Debug, Default)]
pub struct Toll {
    began: Option<(Instant, Option<Duration>)>,
    ended: Option<(Instant, Duration, Duration)>,
    /// The server's own work, in cores.
    own_work: f64,
}

impl Toll {
    /// Requests begin; `cpu` is the server's CPU time so far, `None` where it is not known. Gives what the last ones
    /// cost after they were answered.
    pub fn begin(&mut self, now: Instant, cpu: Option<Duration>) -> Duration {
        self.began = Some((now, cpu));
        let (Some((ended, before, cost)), Some(cpu)) = (self.ended.take(), cpu) else { return Duration::ZERO };
        let worked = cpu.saturating_sub(before);
        let ours = worked.min(cost.mul_f64(AFTERWARDS));
        let gap = now.saturating_duration_since(ended);
        if gap >= LONG_ENOUGH {
            let others = (worked - ours).as_secs_f64() / gap.as_secs_f64();
            self.own_work += NEWEST * (others.min(1.0) - self.own_work);
        }
        ours
    }

    /// They were answered. Gives what they cost until now.
    pub fn end(&mut self, now: Instant, cpu: Option<Duration>) -> Cost {
        let Some((began, before)) = self.began.take() else { return Cost::Measured(Duration::ZERO) };
        let wall = now.saturating_duration_since(began);
        let (Some(before), Some(cpu)) = (before, cpu) else { return Cost::Estimated(wall) };
        let cost = cpu.saturating_sub(before).saturating_sub(wall.mul_f64(self.own_work));
        self.ended = Some((now, cpu, cost));
        Cost::Measured(cost)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(n: u64) -> Duration {
        Duration::from_millis(n)
    }

    /// Ten seconds of requests, ten a second: each costs 4 ms and 1 ms afterwards; `busy` is the server's own work in
    /// thousandths. Gives what was found of the 5 ms in the end.
    fn found(busy: u64) -> f64 {
        let start = Instant::now();
        let (mut toll, mut cpu) = (Toll::default(), Duration::ZERO);
        let mut last = 0.0;
        for n in 0..100 {
            let now = start + ms(100 * n);
            let after = toll.begin(now, Some(cpu));
            cpu += ms(4) + ms(8).mul_f64(busy as f64 / 1e3);
            let Cost::Measured(cost) = toll.end(now + ms(8), Some(cpu)) else { panic!("it is measured") };
            cpu += ms(1) + ms(92).mul_f64(busy as f64 / 1e3);
            last = (cost + after).as_secs_f64() * 1e3;
        }
        last
    }

    #[test]
    fn all_that_a_server_without_other_work_does_is_ours() {
        assert!((4.9..=5.1).contains(&found(0)), "{}", found(0));
    }

    #[test]
    fn what_it_does_for_others_is_not_ours() {
        for busy in [100, 400, 900] {
            assert!((3.9..=6.5).contains(&found(busy)), "{busy}: {}", found(busy));
        }
    }

    #[test]
    fn where_no_time_is_told_a_round_trip_is_an_estimate() {
        let (mut toll, now) = (Toll::default(), Instant::now());
        assert_eq!(toll.begin(now, None), Duration::ZERO);
        assert_eq!(toll.end(now + ms(7), None), Cost::Estimated(ms(7)));
        toll.begin(now + ms(9), Some(ms(100)));
        assert_eq!(toll.end(now + ms(20), Some(ms(103))), Cost::Measured(ms(3)));
    }
}
