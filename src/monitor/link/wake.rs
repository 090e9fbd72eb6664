//! Whether this machine slept: links that look fine then may be long dead, and those that wait need not.

use std::time::{Duration, SystemTime};

use tokio::{
    sync::watch,
    time::{Instant, MissedTickBehavior, interval},
};

/// The clocks are looked at this often.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// A difference of more than this is a sleep: the wall clock went on and the other did not, or nobody looked for so long.
const SLEPT: Duration = Duration::from_secs(10);

/// Both clocks as they were last.
#[derive(Clone, Copy, Debug)]
struct Clocks {
    wall: SystemTime,
    steady: Instant,
}

impl Clocks {
    fn new(wall: SystemTime, steady: Instant) -> Self {
        Self { wall, steady }
    }

    /// Looks again. Says whether the machine, or this process, slept since the look before.
    fn slept(&mut self, wall: SystemTime, steady: Instant) -> bool {
        let passed = steady.saturating_duration_since(self.steady);
        // One that was set back is no sleep.
        let by_wall = wall.duration_since(self.wall).unwrap_or_default();
        *self = Self { wall, steady };
        by_wall.saturating_sub(passed) > SLEPT || passed > SLEPT + LOOK_EVERY
    }
}

/// Counts the sleeps of this machine for as long as it runs.
pub(crate) async fn look_at_clocks(tell: watch::Sender<u64>) {
    let mut clocks = Clocks::new(SystemTime::now(), Instant::now());
    let mut tick = interval(LOOK_EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        if clocks.slept(SystemTime::now(), Instant::now()) {
            tracing::info!("this machine slept: all hosts are asked whether they are there");
            tell.send_modify(|count| *count += 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_sleep_is_told_from_a_busy_machine_and_from_a_clock_that_is_set_back() {
        let (wall, steady) = (SystemTime::now(), Instant::now());
        let second = Duration::from_secs(1);
        let after = |wall_s: u64, steady_s: u64| {
            Clocks::new(wall, steady).slept(wall + second * wall_s as u32, steady + second * steady_s as u32)
        };
        assert!(!after(1, 1) && !after(10, 1) && !after(9, 9));
        assert!(after(12, 1), "the steady clock stood still");
        assert!(after(45, 45), "nobody looked: this process was stopped");
        assert!(!Clocks::new(wall, steady).slept(wall - second * 600, steady + second));
    }
}
