//! One pane from cycle to cycle: what tmux says of it, what runs in it, what was read of it, whose pane it is.

mod agent;
mod notified;
#[cfg(test)]
mod tests;

use std::{
    hash::Hash,
    time::{Duration, Instant},
};

use jiff::Timestamp;

use crate::monitor::detect::{Profiles, Published, may_be_left_behind};
use crate::monitor::panes::cache::Stamp;
use crate::monitor::panes::coloured::Coloured;
use crate::monitor::panes::described::Described;
use crate::monitor::panes::occupant::Occupant;
use crate::monitor::panes::program::{Program, Walked};
use crate::monitor::panes::reading::{Brought, ReadState};
use crate::monitor::panes::subscription::Subscription;
use crate::monitor::{EventKind, NamedAgent};
use crate::tmux::{Fields, Pane, Pulse};

/// How long a pane must be in view to count as seen: one goes through windows faster.
const DWELL: Duration = Duration::from_secs(2);

/// What a pulse makes out of date.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OutOfDate {
    /// All: the pane's process was replaced or has ended.
    pub topology: bool,
    /// Its place: it stands elsewhere, its session has another name, or others look at it.
    pub place: bool,
}

/// One pane.
#[derive(Debug)]
pub struct Tracked {
    /// The newest pulse.
    pub pulse: Pulse,
    /// When its activity second was first seen.
    activity_seen: Instant,
    /// All fields, as old as the last read or the last list.
    pub pane: Pane,
    described: Described,
    /// Since when every list found it in its user's view.
    in_view_since: Option<Instant>,
    /// The settings call it an agent.
    pub named: Option<NamedAgent>,
    program: Program,
    subscription: Subscription,
    /// The next read of it is for a break of its rhythm.
    broke: bool,
    /// Changes of its program's state that the rhythm of its writes did not tell of.
    surprises: u8,
    reading: ReadState,
    occupant: Occupant,
    /// Its coloured screen, while some client shows it.
    pub coloured: Coloured,
}

impl Tracked {
    /// A pane that was just found.
    #[must_use]
    pub fn new(pulse: Pulse, now: Instant) -> Self {
        let pane = Pane { id: pulse.id, pid: pulse.pid, dead: pulse.dead, ..Pane::default() };
        Self {
            pulse,
            activity_seen: now,
            pane,
            described: Described::default(),
            in_view_since: None,
            named: None,
            program: Program::default(),
            subscription: Subscription::default(),
            broke: false,
            surprises: 0,
            reading: ReadState::default(),
            occupant: Occupant::default(),
            coloured: Coloured::default(),
        }
    }

    /// What runs in it.
    #[must_use]
    pub fn program(&self) -> &Program {
        &self.program
    }

    /// The same, to look at its transcript.
    pub fn program_mut(&mut self) -> &mut Program {
        &mut self.program
    }

    /// The folder that its agent works in. `None` without an agent, and where that one runs out of sight: the folder is
    /// that of ssh then, and says nothing.
    #[must_use]
    pub fn workplace(&self) -> Option<&str> {
        let here = self.record().is_some() && !self.program.may_hide();
        Some(self.pane.path.as_str()).filter(|path| here && !path.is_empty())
    }

    /// What was read of it.
    #[must_use]
    pub fn reading(&self) -> &ReadState {
        &self.reading
    }

    /// Whose pane it is.
    #[must_use]
    pub fn occupant(&self) -> &Occupant {
        &self.occupant
    }

    /// What a newer pulse makes out of date.
    #[must_use]
    pub fn compare(&self, pulse: &Pulse) -> OutOfDate {
        OutOfDate {
            topology: (self.pulse.pid, self.pulse.dead) != (pulse.pid, pulse.dead),
            place: matches!((&self.pulse.place, &pulse.place), (Some(was), Some(is)) if was != is),
        }
    }

    /// Takes in its newest pulse. Says what it makes out of date.
    pub fn update(&mut self, pulse: Pulse, now: Instant) -> OutOfDate {
        let out_of_date = self.compare(&pulse);
        let before = std::mem::replace(&mut self.pulse, pulse);
        // A hook sets an option of the pane without any output of the program's.
        if before.hook != self.pulse.hook {
            self.require_read();
        }
        self.pulse.place = self.pulse.place.or(before.place);
        let Pulse { activity, pid, width, height, dead, .. } = self.pulse;
        if out_of_date.topology {
            self.occupant.reopen();
            self.program.replaced();
        }
        // What is drawn anew for a new size is not written by the program alone.
        if out_of_date.topology || (before.width, before.height) != (width, height) {
            self.subscription.cancel();
        }
        if before.activity != activity {
            self.activity_seen = now;
        }
        let pane = &mut self.pane;
        (pane.pid, pane.dead, pane.activity) = (pid, dead, activity);
        (pane.width, pane.height) = (width, height);
        out_of_date
    }

    /// Whether it holds an agent or may hold one: only such panes are read. A pane in which what was killed before we
    /// came may have left its screen behind is read once.
    #[must_use]
    pub fn is_candidate(&self) -> bool {
        let remains = || self.is_unread() && may_be_left_behind(&self.pane, self.program.processes());
        let may_be = || self.program.may_hide() || self.named.is_some() || self.record().is_some() || remains();
        self.program.agent().is_some() || (!self.occupant.is_over() && may_be())
    }

    /// Whether its screen was never read.
    #[must_use]
    pub fn is_unread(&self) -> bool {
        self.reading.read_at().is_none()
    }

    /// Whether nobody has looked yet at what it holds.
    #[must_use]
    pub fn is_new(&self) -> bool {
        self.program.is_unseen() || (self.is_unread() && self.is_candidate())
    }

    /// The stamp that the cache is asked with.
    #[must_use]
    pub fn stamp(&self) -> Stamp {
        Stamp::from(&self.pulse)
    }

    /// Whether a capture that begins now comes after the second of the last output, so that an equal stamp later
    /// proves that nothing changed: tmux gives activity in whole seconds. By the wall clock where it is plain; else by
    /// the monotonic one, which a clock that jumps cannot mislead.
    #[must_use]
    pub fn is_settled(&self, at: Timestamp, now: Instant) -> bool {
        let second_over = at.as_second() > self.pulse.activity;
        second_over || now.saturating_duration_since(self.activity_seen) > Duration::from_secs(1)
    }

    /// It is read in the next cycle whatever the cache says, if an agent may be in it.
    pub fn require_read(&mut self) {
        if self.is_candidate() {
            self.reading.require();
        }
    }

    /// The settings call it an agent, or do so no more: it is read as if nobody had looked. Returns the
    /// event for the log of an agent that was one by the settings alone.
    pub fn set_named(&mut self, named: Option<NamedAgent>) -> Option<EventKind> {
        let before = std::mem::replace(&mut self.named, named);
        // What it is, is found out anew.
        let other = before.is_some_and(|was| self.named.as_ref().is_none_or(|now| now.agent != was.agent));
        let gone = if other && self.record().is_some() { self.forget_agent() } else { None };
        self.reading.forget();
        gone
    }

    /// Takes in whether the last read holds, by the cache or by its proof. An agent whose server did not answer for a while
    /// is right after all when it does.
    pub fn check_read(&mut self, holds: bool) {
        self.reading.check(holds);
        if !self.reading.may_have_changed()
            && let Some(record) = self.occupant.record_mut()
            && record.stale
        {
            record.read();
        }
    }

    /// Takes in a read that began at this moment. `subscribed`: a change that it shows should have been notified before.
    pub fn take_read(&mut self, screen_hash: u64, now: Instant, at: Timestamp, subscribed: bool) -> Brought {
        let before = self.reading.read_at();
        let brought = self.reading.take(screen_hash, now, at);
        let changed = brought == Brought::Change;
        // What was written while it was read may not be in it.
        if self.subscription.was_read(before, now, changed && subscribed) {
            self.reading.require();
        }
        if let Some(record) = self.occupant.record_mut() {
            record.read();
            if changed {
                record.last_change = at;
                record.activity.wrote(now);
            }
        }
        brought
    }

    /// The last read was a settled one, of a pane with this stamp: see [`ReadState::prove`].
    pub fn prove_read(&mut self, stamp: Stamp, generation: u64) {
        self.reading.prove(stamp, generation);
    }

    /// A read of it failed. Counts once in `interval`.
    pub fn read_failed(&mut self, now: Instant, interval: Duration) {
        if let Some(record) = self.occupant.record_mut() {
            record.stale = true;
            record.failed(now, interval);
        }
    }

    /// Its last verdict is in the cache under this key.
    pub fn judged_as(&mut self, key: u64) {
        self.reading.judged(key);
    }

    /// Takes in fields: those that were not asked for stay as they are.
    pub fn describe(&mut self, mut pane: Pane, fields: Fields, now: Instant) {
        self.described.read(fields, now);
        if fields == Fields::Cheap {
            pane.command = std::mem::take(&mut self.pane.command);
            pane.path = std::mem::take(&mut self.pane.path);
        }
        if judged_by(&self.pane) != judged_by(&pane) {
            self.reading.judge_anew();
        }
        self.pane = pane;
        if !self.pane.in_view {
            self.in_view_since = None;
        } else if self.in_view_for(now) >= DWELL {
            self.seen();
        }
    }

    /// Takes in what was listed of this pane alone: such a list gives one place of several, and not always the same, so
    /// the places stay those of the last list of all panes. Says whether it stands where that list did not have it.
    pub fn describe_alone(&mut self, mut pane: Pane, fields: Fields, now: Instant) -> bool {
        let known = &mut self.pane;
        if known.places.is_empty() {
            self.describe(pane, fields, now);
            return false;
        }
        let moved = !known.places.contains(&pane.target());
        pane.session = std::mem::take(&mut known.session);
        pane.places = std::mem::take(&mut known.places);
        (pane.window_index, pane.pane_index) = (known.window_index, known.pane_index);
        self.describe(pane, fields, now);
        moved
    }

    /// How long it has been in its user's view.
    fn in_view_for(&mut self, now: Instant) -> Duration {
        now.saturating_duration_since(*self.in_view_since.get_or_insert(now))
    }

    /// Whether its fields are as they were read: it has not written since, and its place was read lately.
    #[must_use]
    pub fn fields_hold(&self, at: Timestamp, now: Instant) -> bool {
        self.described.hold(self.pulse.activity, at, now)
    }

    /// Whether the expensive fields (program in front, its directory) may be out of date: the processes changed, they are
    /// not to be seen, or time has passed.
    #[must_use]
    pub fn is_expensive_due(&self, now: Instant) -> bool {
        self.program.processes().is_empty() || self.described.is_expensive_due(now)
    }

    /// Walks the process tree if there is reason to. `elsewhere`: there is none to be seen.
    pub fn walk(&mut self, profiles: &Profiles, elsewhere: bool, at: Timestamp, now: Instant) {
        let settled = self.is_settled(at, now);
        match self.program.walk(profiles, &self.pulse, elsewhere, settled, now) {
            Walked::AsBefore => return,
            Walked::OtherProfiles => {}
            Walked::OtherProcesses => {
                self.subscription.program_changed();
                self.surprises = 0;
                self.described.program_changed(now);
            }
        }
        if self.program.agent().is_some() {
            self.occupant.reopen();
        }
        self.reading.judge_anew();
        self.require_read();
    }

    /// Checks now and then whether its program has published something new of itself.
    pub fn publishes_news(&mut self, now: Instant) -> bool {
        self.program.publishes_news(now)
    }

    /// What its program publishes of itself.
    pub async fn read_published(&mut self) -> Option<Published> {
        self.program.read_published().await
    }
}

/// What a verdict is made from beside the screen and the processes: all that tmux says of the pane.
pub fn judged_by(pane: &Pane) -> impl PartialEq + Hash {
    (
        (pane.title.clone(), pane.command.clone(), pane.hook.clone()),
        (pane.dead, pane.dead_status, pane.dead_signal),
        (pane.in_mode, pane.alternate_on, pane.cursor_shown, pane.cursor, pane.width, pane.height),
    )
}
