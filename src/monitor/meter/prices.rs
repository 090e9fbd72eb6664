//! What reading panes costs the tmux server, as it was measured lately.

use std::time::Duration;

/// Most panes in a request: the server answers nobody else meanwhile.
pub(crate) const LARGEST: usize = 250;

/// So many panes are worth a request whatever it costs.
const SMALLEST: usize = 16;

/// A fetch of fewer panes says little of what one costs.
const FEW: usize = 8;

/// How much the newest measurement counts.
const NEWEST: f64 = 0.3;

/// What things cost the server.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Prices {
    /// A request that asks nothing.
    pub request: Duration,
    /// One capture.
    pub pane: Duration,
    /// Which of both are measured.
    measured: (bool, bool),
}

impl Default for Prices {
    fn default() -> Self {
        // Before anything is measured a capture is taken to be expensive: the first of very many are read in a small part.
        Self { request: Duration::from_micros(400), pane: Duration::from_millis(2), measured: (false, false) }
    }
}

impl Prices {
    /// As if both were measured.
    #[cfg(test)]
    pub(crate) fn known(request: Duration, pane: Duration) -> Self {
        Self { request, pane, measured: (true, true) }
    }

    /// The probe cost so much: about half of that is the request, half the list.
    pub fn probed(&mut self, cost: Duration) {
        self.request = if self.measured.0 { towards(self.request, cost / 2) } else { cost / 2 };
        self.measured.0 = true;
    }

    /// Captures of so many panes in so many requests cost so much.
    pub fn fetched(&mut self, cost: Duration, requests: usize, panes: usize) {
        if panes < FEW {
            return;
        }
        let captures = cost.saturating_sub(self.request.mul_f64(requests as f64));
        let pane = captures.div_f64(panes as f64).max(Duration::from_micros(5));
        self.pane = if self.measured.1 { towards(self.pane, pane) } else { pane };
        self.measured.1 = true;
    }

    /// Fewest panes that are worth a request: their captures cost as much as the request itself.
    #[must_use]
    pub fn fewest(&self) -> usize {
        let panes = self.request.as_secs_f64() / self.pane.as_secs_f64().max(1e-6);
        (panes.ceil() as usize).clamp(SMALLEST, LARGEST)
    }

    /// What so many requests with so many captures cost.
    #[must_use]
    pub fn of(&self, requests: usize, panes: usize) -> Duration {
        self.request.mul_f64(requests as f64) + self.pane.mul_f64(panes as f64)
    }

    /// How many panes can be read for this, in requests of this many.
    #[must_use]
    pub fn panes_for(&self, cost: Duration, largest: usize) -> usize {
        let each = self.pane.as_secs_f64() + self.request.as_secs_f64() / largest as f64;
        (cost.as_secs_f64() / each.max(1e-7)) as usize
    }
}

fn towards(before: Duration, newest: Duration) -> Duration {
    before.mul_f64(1.0 - NEWEST) + newest.mul_f64(NEWEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(n: u64) -> Duration {
        Duration::from_millis(n)
    }

    #[test]
    fn prices_follow_what_was_measured() {
        let mut measured = Prices::default();
        for _ in 0..20 {
            measured.probed(ms(160));
            measured.fetched(ms(80 + 25), 1, 100);
        }
        assert!((ms(78)..ms(81)).contains(&measured.request), "{measured:?}");
        assert!((Duration::from_micros(240)..Duration::from_micros(290)).contains(&measured.pane), "{measured:?}");
        assert_eq!(measured.fewest(), 250);
        assert_eq!(Prices::known(ms(3), Duration::from_micros(60)).fewest(), 50);
    }
}
