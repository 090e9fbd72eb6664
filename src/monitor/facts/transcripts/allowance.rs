//! How many bytes may be read now: so many in each second, and what was not used in a second is lost.

use std::time::Instant;

/// Bytes that may be read.
#[derive(Clone, Debug)]
pub struct Allowance {
    per_second: u64,
    left: u64,
    counted_at: Option<Instant>,
}

impl Allowance {
    /// So many bytes in each second.
    #[must_use]
    pub fn new(per_second: u64) -> Self {
        Self { per_second, left: per_second, counted_at: None }
    }

    /// How many may be read now.
    pub fn left(&mut self, now: Instant) -> u64 {
        let passed = self.counted_at.replace(now).map_or(1.0, |at| now.saturating_duration_since(at).as_secs_f64());
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "some megabytes"
        )]
        let more = (passed.min(1.0) * self.per_second as f64) as u64;
        self.left = self.left.saturating_add(more).min(self.per_second);
        self.left
    }

    /// So many were read.
    pub fn spend(&mut self, bytes: u64) {
        self.left = self.left.saturating_sub(bytes);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn what_is_not_used_in_a_second_is_lost() {
        let now = Instant::now();
        let mut allowance = Allowance::new(100);
        assert_eq!(allowance.left(now), 100);
        allowance.spend(80);
        assert_eq!(allowance.left(now), 20);
        assert_eq!(allowance.left(now + Duration::from_millis(500)), 70);
        assert_eq!(allowance.left(now + Duration::from_secs(60)), 100);
        allowance.spend(1000);
        assert_eq!(allowance.left(now + Duration::from_secs(60)), 0);
        assert_eq!(allowance.left(now + Duration::from_secs(61)), 100);
    }
}
