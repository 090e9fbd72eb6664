//! The rhythm of a pane's writes: a program that works redraws its screen in much the same way all the time, and a
//! request, an end or an error breaks that.
//!
//! So the screen of a busy pane is read when its rhythm breaks: at a write that comes before its time, at a silence
//! longer than the usual one, at the first write after a silence. Between these a read a second shows how it goes on.
//! Pure: the times are given to it, as they are taken (every [`TAKEN`]).

use std::time::{Duration, Instant};

/// Writes are taken from the kernel this often while a program is followed: what comes between counts as one. Twice as long
/// and half as many requests would stand out of their rhythm.
pub const TAKEN: Duration = Duration::from_millis(10);

/// What a program has to go on drawing after the write that broke its rhythm, before its screen is read.
const DRAWN: Duration = Duration::from_millis(20);

/// Times between writes that are remembered: one that is out of time makes the rhythm wider for so many writes, so that a
/// program whose timers run unevenly is not read at each.
const KEPT: usize = 16;

/// So many of them make a rhythm.
const FEWEST: usize = 4;

/// A write this part of the shortest time between two, or sooner, is before its time. With more, programs whose timers run
/// unevenly break their rhythm all the time; with less, many requests wait for the silence.
const EARLY: f64 = 0.85;

/// A rhythm whose longest time is more than this many times its shortest has no time for a write to be before.
const REGULAR: f64 = 2.0;

/// Shortest and longest silence that breaks a rhythm: spinners of agent programs turn every 80 to 120 ms.
const SILENCE: (Duration, Duration) = (Duration::from_millis(75), Duration::from_millis(150));

/// Shortest time between two breaks of one pane: what breaks its rhythm all the time has none.
const APART: Duration = Duration::from_millis(150);

/// So many writes go on after a read that showed another state, and its rhythm did not tell of that.
const GOES_ON: u8 = 3;

/// After this long a silence a program is at rest.
const REST: Duration = Duration::from_secs(1);

/// The writes of one pane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rhythm {
    /// The last times between writes, milliseconds; the oldest is overwritten.
    gaps: [u8; KEPT],
    /// How many there were.
    count: usize,
    /// The last write, or when following it began.
    wrote: Instant,
    /// Its silence has been a break already.
    silent: bool,
    /// There is a break, and it is told then: what draws a screen may take several writes.
    due: Option<Instant>,
    /// The last break.
    broke: Option<Instant>,
    /// Writes since a read showed another state without a break, if none broke it since.
    surprised: Option<u8>,
}

impl Rhythm {
    /// Nothing is known yet.
    #[must_use]
    pub fn new(now: Instant) -> Self {
        Self { gaps: [0; KEPT], count: 0, wrote: now, silent: false, due: None, broke: None, surprised: None }
    }

    /// A read showed another state, and no break had told of it: the next writes say whether one would have. A program whose
    /// rhythm is not known yet surprises nobody.
    pub fn surprises(&mut self) {
        self.surprised = self.usual().map(|_| 0);
    }

    /// It wrote since writes were taken last. Says whether it goes on as before though its state is another: it writes
    /// while it waits, and its rhythm says nothing.
    pub fn wrote(&mut self, now: Instant) -> bool {
        let gap = now.saturating_duration_since(self.wrote);
        let paused = self.silent && gap > SILENCE.1 + TAKEN;
        let late = self.silent && self.usual().is_some();
        if paused || late || self.is_early(gap) {
            self.expect(now + DRAWN);
        }
        if paused {
            // A rhythm is that of what it does now.
            self.count = 0;
        } else {
            self.gaps[self.count % KEPT] = u8::try_from(gap.as_millis()).unwrap_or(u8::MAX);
            self.count += 1;
        }
        (self.wrote, self.silent) = (now, false);
        if self.due.is_some() {
            self.surprised = None;
        }
        let writes = self.surprised.map(|writes| writes + 1);
        self.surprised = writes.filter(|writes| *writes < GOES_ON);
        writes.is_some() && self.surprised.is_none()
    }

    /// Whether its rhythm is broken and its screen to be read now. Asked each time when writes were taken.
    pub fn breaks(&mut self, now: Instant) -> bool {
        if !self.silent && now.saturating_duration_since(self.wrote) >= self.silence() {
            (self.silent, self.surprised) = (true, None);
            self.expect(now);
        }
        let breaks = self.due.is_some_and(|due| due <= now);
        if breaks {
            (self.due, self.broke) = (None, Some(now));
        }
        breaks
    }

    /// Whether it has written nothing for so long that it rests.
    #[must_use]
    pub fn is_over(&self, now: Instant) -> bool {
        self.silent && self.due.is_none() && now.saturating_duration_since(self.wrote) >= REST
    }

    /// Whether it has one, as far as was seen since it was silent for long.
    #[must_use]
    pub fn is_known(&self) -> bool {
        self.usual().is_some()
    }

    /// The last write, or when following it began.
    #[must_use]
    pub fn wrote_at(&self) -> Instant {
        self.wrote
    }

    /// A break then, but not too soon after the last.
    fn expect(&mut self, at: Instant) {
        let at = self.broke.map_or(at, |broke| at.max(broke + APART));
        self.due = Some(self.due.map_or(at, |due| due.min(at)));
    }

    /// The shortest and longest of the last times between writes.
    fn usual(&self) -> Option<(Duration, Duration)> {
        let known = &self.gaps[..self.count.min(KEPT)];
        let of = |ms: Option<&u8>| ms.map(|ms| Duration::from_millis(u64::from(*ms)));
        if known.len() < FEWEST { None } else { of(known.iter().min()).zip(of(known.iter().max())) }
    }

    fn is_early(&self, gap: Duration) -> bool {
        self.usual()
            .is_some_and(|(shortest, longest)| longest <= shortest.mul_f64(REGULAR) && gap <= shortest.mul_f64(EARLY))
    }

    /// How long a silence breaks it.
    fn silence(&self) -> Duration {
        let (shortest, longest) = SILENCE;
        // The next write may have come just after the writes were taken.
        self.usual().map_or(shortest, |(_, usual)| (usual + TAKEN).clamp(shortest, longest))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Plays writes, given in milliseconds, taken as the engine takes them. Returns when it broke.
    fn play(writes: &[u64], until: u64) -> Vec<u64> {
        let start = Instant::now();
        let mut rhythm = Rhythm::new(start);
        let mut left = writes.iter().copied().peekable();
        let mut broke = Vec::new();
        for ms in (0..until).step_by(TAKEN.as_millis() as usize) {
            let now = start + Duration::from_millis(ms);
            let mut wrote = false;
            while left.next_if(|at| *at <= ms).is_some() {
                wrote = true;
            }
            if wrote {
                rhythm.wrote(now);
            }
            if rhythm.breaks(now) {
                broke.push(ms);
            }
        }
        broke
    }

    /// A spinner: so many writes this far apart.
    fn spins(apart: u64, writes: u64) -> Vec<u64> {
        (1..=writes).map(|n| n * apart).collect()
    }

    /// After its rhythm is known.
    fn later(broke: &[u64], than: u64) -> Vec<u64> {
        broke.iter().copied().filter(|at| *at > than).collect()
    }

    #[test]
    fn a_spinner_is_read_while_it_is_learned_and_no_more_then() {
        for apart in [40, 80, 100, 120] {
            let writes = spins(apart, 100);
            let end = apart * 100;
            let broke = play(&writes, end);
            assert!(broke.len() <= 6, "{apart}: {broke:?}");
            assert_eq!(later(&broke, apart * 8), Vec::<u64>::new(), "{apart}");
        }
    }

    #[test]
    fn what_is_written_out_of_time_is_seen_at_once_and_silence_soon_after() {
        for offset in (5..100).step_by(5) {
            // At 2 s it asks, and its spinner is gone.
            let mut writes = spins(100, 20);
            writes.push(2000 + offset);
            let broke = later(&play(&writes, 2600), 2000);
            let seen = broke[0] - (2000 + offset);
            assert!(seen <= 170, "{offset}: {broke:?}");
            if offset <= 75 {
                assert!(seen <= 45, "{offset}: {broke:?}");
            }
            let silence = broke.iter().filter(|at| **at >= 2000 + offset + 75).count();
            assert_eq!(silence, 1, "its end was read, once: {offset}: {broke:?}");
        }
    }

    #[test]
    fn a_silence_is_told_once_and_what_follows_it_at_once() {
        let broke = play(&[&spins(100, 20)[..], &[3005]].concat(), 5000);
        let after = later(&broke, 1000);
        assert_eq!(after.len(), 3, "silence, the write, its silence: {after:?}");
        assert!(after[1] >= 3005 && after[1] <= 3045, "{after:?}");
    }

    #[test]
    fn a_program_without_a_rhythm_is_read_no_oftener_than_is_allowed() {
        let mut writes = Vec::new();
        let mut at = 0;
        for n in 0..200_u64 {
            at += [7, 160, 31, 220, 90][(n % 5) as usize];
            writes.push(at);
        }
        let broke = play(&writes, at);
        assert!(broke.windows(2).all(|two| two[1] - two[0] >= APART.as_millis() as u64), "{broke:?}");
    }

    #[test]
    fn one_that_goes_on_writing_while_it_waits_surprises() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let mut rhythm = Rhythm::new(start);
        let goes_on = |rhythm: &mut Rhythm, from: u64, until: u64| {
            let mut missed = 0;
            for ms in (from..until).step_by(100) {
                missed += u32::from(rhythm.wrote(at(ms)));
                rhythm.breaks(at(ms));
            }
            missed
        };
        assert_eq!(goes_on(&mut rhythm, 100, 2000), 0);
        rhythm.surprises();
        assert_eq!(goes_on(&mut rhythm, 2000, 4000), 1, "it spins beside its request");
        rhythm.surprises();
        rhythm.wrote(at(4000));
        assert!(rhythm.breaks(at(4200)), "its silence would have told");
        assert_eq!(goes_on(&mut rhythm, 4300, 6000), 0);
    }

    #[test]
    fn it_rests_when_it_was_silent_for_long() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let mut rhythm = Rhythm::new(start);
        rhythm.wrote(at(100));
        assert!(!rhythm.is_known(), "once is none");
        assert!(!rhythm.is_over(at(5000)), "its silence was not read yet");
        assert!(rhythm.breaks(at(300)));
        assert!(!rhythm.is_over(at(1000)) && rhythm.is_over(at(1100)));
        rhythm.wrote(at(1200));
        assert!(!rhythm.is_over(at(1200)));
    }

    proptest! {
        /// Whatever a program writes, and when: its last screen is read, and soon.
        #[test]
        fn the_last_write_is_read(gaps in proptest::collection::vec(1_u64..400, 1..60)) {
            let mut at = 0;
            let writes: Vec<u64> = gaps.iter().map(|gap| { at += gap; at }).collect();
            let broke = play(&writes, at + 1000);
            let last = broke.last().copied().unwrap_or(0);
            prop_assert!(last >= at, "never read: {broke:?}");
            let first = broke.iter().copied().find(|b| *b >= at).unwrap_or(0);
            prop_assert!(first - at <= 320, "{first} after {at}");
        }
    }
}
