//! Whether a pane's screen was read, and whether that read still holds.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    time::{Duration, Instant},
};

use jiff::Timestamp;

use crate::monitor::panes::cache::Stamp;
use crate::tmux::Screen;

/// What is known of a pane's screen.
#[derive(Clone, Copy, Debug, Default)]
pub struct ReadState {
    turn: Turn,
    /// What it showed; `None` before the first read.
    shown: Option<Shown>,
    /// Key of its last verdict in the cache; `None` when it must be judged anew.
    verdict_key: Option<u64>,
}

/// Whether the screen must be read.
#[derive(Clone, Copy, Debug, Default)]
enum Turn {
    /// It was never read, or nothing that was read counts.
    #[default]
    Unread,
    /// The last read holds.
    Fresh(LastRead),
    /// It may show something else by now: it is read when the strategy finds that it is its turn.
    Stale(LastRead),
    /// It must be read whatever the cache says: its processes changed, or a write was notified.
    MustRead(LastRead),
}

#[derive(Clone, Copy, Debug)]
struct LastRead {
    at: Instant,
    wall: Timestamp,
    proof: Option<Proof>,
}

/// A settled read counts for as long as the pane's stamp is the same and the cache was not emptied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Proof {
    stamp: Stamp,
    /// See [`crate::monitor::panes::cache::Layers::generation`].
    generation: u64,
}

#[derive(Clone, Copy, Debug)]
struct Shown {
    hash: u64,
    /// When a read last showed something new.
    changed_at: Instant,
}

/// What a read brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Brought {
    /// The pane's first screen.
    First,
    /// Another screen than the last read.
    Change,
    /// The same screen.
    Same,
}

impl ReadState {
    /// It must be read in the next cycle.
    pub fn require(&mut self) {
        if let Turn::Fresh(last) | Turn::Stale(last) = self.turn {
            self.turn = Turn::MustRead(last);
        }
    }

    /// What was read counts no more: it is as if nobody had looked yet.
    pub fn forget(&mut self) {
        self.turn = Turn::Unread;
    }

    /// Takes in whether the last read holds, by the cache or by its proof.
    pub fn check(&mut self, holds: bool) {
        if let Turn::Fresh(last) | Turn::Stale(last) = self.turn {
            self.turn = if holds { Turn::Fresh(last) } else { Turn::Stale(last) };
        }
    }

    /// Takes in a read that began at this moment.
    pub fn take(&mut self, screen_hash: u64, at: Instant, wall: Timestamp) -> Brought {
        self.turn = Turn::Fresh(LastRead { at, wall, proof: None });
        let brought = match self.shown {
            None => Brought::First,
            Some(shown) if shown.hash != screen_hash => Brought::Change,
            Some(_) => return Brought::Same,
        };
        self.shown = Some(Shown { hash: screen_hash, changed_at: at });
        brought
    }

    /// The last read was a settled one, of a pane with this stamp: an equal stamp proves that it still holds, also where
    /// the cache has no room for its screen.
    pub fn prove(&mut self, stamp: Stamp, generation: u64) {
        if let Turn::Fresh(last) | Turn::Stale(last) | Turn::MustRead(last) = &mut self.turn {
            last.proof = Some(Proof { stamp, generation });
        }
    }

    /// Whether the last read is proven to be right still, for as long as an entry of the cache is good.
    #[must_use]
    pub fn is_proven(&self, stamp: Stamp, generation: u64, now: Instant, ttl: Duration) -> bool {
        self.last().is_some_and(|last| {
            last.proof == Some(Proof { stamp, generation }) && now.saturating_duration_since(last.at) < ttl
        })
    }

    /// Whether it may show something else than the last read.
    #[must_use]
    pub fn may_have_changed(&self) -> bool {
        !matches!(self.turn, Turn::Fresh(_))
    }

    /// Whether it is read whatever the cache says.
    #[must_use]
    pub fn must_be_read(&self) -> bool {
        matches!(self.turn, Turn::Unread | Turn::MustRead(_))
    }

    /// When it was read last; `None` before the first read.
    #[must_use]
    pub fn read_at(&self) -> Option<Instant> {
        self.last().map(|last| last.at)
    }

    /// The same by the wall clock.
    #[must_use]
    pub fn read_at_wall(&self) -> Option<Timestamp> {
        self.last().map(|last| last.wall)
    }

    /// When it was read last, if that may not hold any more.
    #[must_use]
    pub fn stale_since(&self) -> Option<Instant> {
        self.read_at().filter(|_| self.may_have_changed())
    }

    /// When a read last showed something new.
    #[must_use]
    pub fn changed_at(&self) -> Option<Instant> {
        self.shown.map(|shown| shown.changed_at)
    }

    /// Hash of the last screen.
    #[must_use]
    pub fn screen_hash(&self) -> Option<u64> {
        self.shown.map(|shown| shown.hash)
    }

    /// Key of its last verdict in the cache; `None` when it must be judged anew.
    #[must_use]
    pub fn verdict_key(&self) -> Option<u64> {
        self.verdict_key
    }

    /// Its verdict is in the cache under this key.
    pub fn judged(&mut self, key: u64) {
        self.verdict_key = Some(key);
    }

    /// The verdict in the cache was made from something else.
    pub fn judge_anew(&mut self) {
        self.verdict_key = None;
    }

    fn last(&self) -> Option<LastRead> {
        match self.turn {
            Turn::Unread => None,
            Turn::Fresh(last) | Turn::Stale(last) | Turn::MustRead(last) => Some(last),
        }
    }
}

/// A hash of a screen, to tell whether a read showed something new.
#[must_use]
pub fn screen_hash(screen: &Screen) -> u64 {
    let mut hasher = DefaultHasher::new();
    screen.text().hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tmux::Pulse;

    const TTL: Duration = Duration::from_secs(30);

    fn stamp(activity: i64) -> Stamp {
        Stamp::from(&Pulse { activity, ..Pulse::default() })
    }

    fn read(hash: u64, at: Instant) -> ReadState {
        let mut state = ReadState::default();
        state.take(hash, at, Timestamp::UNIX_EPOCH);
        state
    }

    #[test]
    fn a_pane_that_was_never_read_must_be_and_no_look_at_the_cache_changes_that() {
        let mut state = ReadState::default();
        state.check(true);
        assert!(state.must_be_read() && state.may_have_changed());
        assert_eq!((state.read_at(), state.stale_since()), (None, None));
        let now = Instant::now();
        assert_eq!(state.take(1, now, Timestamp::UNIX_EPOCH), Brought::First);
        assert!(!state.must_be_read() && !state.may_have_changed());
        assert_eq!(state.read_at(), Some(now));
    }

    #[test]
    fn a_read_that_does_not_hold_waits_for_its_turn_and_one_that_is_required_does_not() {
        let now = Instant::now();
        let mut state = read(1, now);
        state.check(false);
        assert!(state.may_have_changed() && !state.must_be_read());
        assert_eq!(state.stale_since(), Some(now));
        state.check(true);
        assert!(!state.may_have_changed(), "the server answers again: it held all the time");
        state.require();
        state.check(true);
        assert!(state.must_be_read() && state.may_have_changed(), "whatever the cache says");
        state.take(1, now, Timestamp::UNIX_EPOCH);
        assert!(!state.must_be_read());
    }

    #[test]
    fn what_is_forgotten_is_read_as_new_but_shows_nothing_new() {
        let now = Instant::now();
        let mut state = read(1, now);
        state.forget();
        assert!(state.must_be_read() && state.read_at().is_none());
        assert_eq!(state.take(1, now + TTL, Timestamp::UNIX_EPOCH), Brought::Same);
        assert_eq!(state.changed_at(), Some(now));
    }

    #[test]
    fn only_another_screen_is_a_change() {
        let (now, second) = (Instant::now(), Duration::from_secs(1));
        let mut state = read(1, now);
        assert_eq!(state.take(1, now + second, Timestamp::UNIX_EPOCH), Brought::Same);
        assert_eq!(state.changed_at(), Some(now));
        assert_eq!(state.take(2, now + second * 2, Timestamp::UNIX_EPOCH), Brought::Change);
        assert_eq!((state.changed_at(), state.screen_hash()), (Some(now + second * 2), Some(2)));
    }

    #[test]
    fn a_proof_is_for_one_stamp_one_cache_and_one_read() {
        let now = Instant::now();
        let mut state = read(1, now);
        assert!(!state.is_proven(stamp(5), 0, now, TTL), "no settled read");
        state.prove(stamp(5), 0);
        assert!(state.is_proven(stamp(5), 0, now + TTL / 2, TTL));
        assert!(!state.is_proven(stamp(6), 0, now, TTL), "it wrote");
        assert!(!state.is_proven(stamp(5), 1, now, TTL), "the cache was emptied");
        assert!(!state.is_proven(stamp(5), 0, now + TTL, TTL), "its time is over");
        state.take(1, now, Timestamp::UNIX_EPOCH);
        assert!(!state.is_proven(stamp(5), 0, now, TTL), "the newest read proves nothing");
    }
}
