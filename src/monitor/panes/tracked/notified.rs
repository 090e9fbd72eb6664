//! Whether its writes are notified, and what their rhythm tells.

use std::time::Instant;

use jiff::Timestamp;

use crate::monitor::detect::Process;
use crate::monitor::facts::writes::Writes;
use crate::monitor::panes::tracked::Tracked;

/// After so many changes that the rhythm of a program's writes did not tell of, it is not relied on.
const MOST_SURPRISES: u8 = 2;

impl Tracked {
    /// Subscribes to its next write, if it is at rest and a capture that begins now proves so.
    pub fn subscribe(&mut self, writes: &mut Writes, at: Timestamp, now: Instant) {
        if self.has_terminal() && self.is_settled(at, now) {
            self.subscription.subscribe(now, || writes.subscribe(self.pulse.id, &self.pane.tty));
        }
    }

    /// The same, and follows its writes while it is not at rest.
    pub fn subscribe_or_follow(&mut self, writes: &mut Writes, at: Timestamp, now: Instant) {
        let was_followed = self.is_followed();
        self.subscribe(writes, at, now);
        if was_followed && !self.is_followed() {
            writes.followed.leave(self.pulse.id);
        }
        if self.has_terminal() {
            self.subscription.follow(now, || writes.followed.follow(self.pulse.id, &self.pane.tty));
        }
    }

    /// Whether writes to it can be notified: the terminal of a pane that is out of sight is another one than that of this
    /// name here.
    fn has_terminal(&self) -> bool {
        !self.pulse.dead && !self.program.processes().iter().any(Process::is_out_of_sight)
    }

    /// Whether we are subscribed to its writes: a change should be notified.
    #[must_use]
    pub fn is_subscribed(&self) -> bool {
        self.subscription.is_on() || self.subscription.is_followed()
    }

    /// Whether its writes are followed.
    #[must_use]
    pub fn is_followed(&self) -> bool {
        self.subscription.is_followed()
    }

    /// Whether its next write is notified; what is dead writes nothing.
    #[must_use]
    pub fn is_notified(&self) -> bool {
        self.pulse.dead || self.subscription.is_on()
    }

    /// A write to it was notified: it is read whatever the cache says.
    pub fn notified(&mut self, now: Instant) {
        self.subscription.notified(now);
        self.require_read();
    }

    /// One that is followed wrote. Says whether that shows that the rhythm of its writes says nothing: see
    /// [`Rhythm::wrote`](crate::monitor::panes::rhythm::Rhythm::wrote).
    pub fn wrote(&mut self, now: Instant) -> bool {
        let surprise = self.subscription.wrote(now);
        self.surprises = self.surprises.saturating_add(surprise.into());
        surprise
    }

    /// Whether the rhythm of its writes can be relied on, as far as was seen.
    #[must_use]
    pub fn has_rhythm(&self) -> bool {
        self.subscription.has_rhythm() && self.surprises < MOST_SURPRISES
    }

    /// Whether the read that begins is for a break of its rhythm.
    pub fn take_break(&mut self) -> bool {
        std::mem::take(&mut self.broke)
    }

    /// A read showed another state, and no break of its rhythm had told of it.
    pub fn surprises(&mut self) {
        self.subscription.surprises();
    }

    /// It can be followed no more.
    pub fn lost_sight(&mut self) {
        self.subscription.cancel();
    }

    /// Whether the rhythm of its writes is broken now: then it is read whatever the cache says.
    pub fn breaks_rhythm(&mut self, now: Instant) -> bool {
        let breaks = self.subscription.breaks(now) && self.is_candidate();
        if breaks {
            self.broke = true;
            self.require_read();
        }
        breaks
    }
}
