//! How the engine keeps below the ceiling: what its requests cost is paid, plans are cut down, cycles are put off.

use std::time::{Duration, Instant};

use jiff::Timestamp;

use crate::monitor::cycle::ration::{Due, LeftOut, Means, ration};
use crate::monitor::engine::core::Core;
use crate::monitor::meter::cost::process_cpu;
use crate::monitor::meter::governor::{Cost, Reason};
use crate::monitor::strategy::Plan;
use crate::monitor::{Mode, clock};

/// Part of the ceiling that reading all panes' names and places again and again may take, when nothing says that they
/// changed.
const NAMES_PART: f64 = 0.25;

/// What is aimed at, so that the ceiling itself holds although a cycle may cost more than was expected: one of 3000 panes
/// takes tmux a third of a second.
const AIM: f64 = 0.9;

/// What the governor is given to spend: a ceiling in percent of one core, with room below it. From 100 on there is none.
pub(crate) fn aim(ceiling: f64) -> f64 {
    if ceiling < 100.0 { ceiling * AIM } else { ceiling }
}

impl Core {
    /// CPU time of the tmux server so far; `None` where it is not told.
    fn server_cpu(&self) -> Option<Duration> {
        #[cfg(test)]
        if let Some(script) = self.server.script() {
            let play = script.play();
            return (!play.hides_cpu).then_some(play.spent);
        }
        self.server_pid.and_then(process_cpu)
    }

    /// Requests begin: what they cost is measured until [`Core::toll_end`].
    pub(crate) fn toll_begin(&mut self) {
        let now = clock::now();
        let cpu = self.server_cpu();
        let late = self.toll.begin(now, cpu);
        self.governor.pay(Cost::Measured(late), 0.0, now);
    }

    /// Requests were answered: pays for them, and gives what they cost. `first_sight` as for
    /// [`crate::monitor::meter::governor::Governor::pay`].
    pub(crate) fn toll_end(&mut self, first_sight: f64) -> Duration {
        let now = clock::now();
        let cpu = self.server_cpu();
        let cost = self.toll.end(now, cpu);
        self.governor.pay(cost, first_sight, now);
        let (Cost::Measured(cost) | Cost::Estimated(cost)) = cost;
        cost
    }

    /// Part of the panes that nobody has looked at, 0 to 1.
    pub(crate) fn part_new(&self) -> f64 {
        if self.fleet.is_empty() {
            return 1.0;
        }
        self.fleet.iter().filter(|tracked| tracked.is_new()).count() as f64 / self.fleet.len() as f64
    }

    /// Whether names and places of all panes may be read again although nothing says that they changed.
    pub(crate) fn may_list(&self, now: Instant) -> bool {
        let (cost, at) = self.listed;
        at.is_none_or(|at| now.saturating_duration_since(at) >= self.governor.apart(cost, NAMES_PART))
    }

    /// Cuts the plan down to what the ceiling allows. Says how much of what is read is a first sight, 0 to 1.
    pub(crate) fn ration(&mut self, plan: &mut Plan, now: Instant) -> f64 {
        let due: Vec<Due> = plan
            .batches
            .iter()
            .flatten()
            .filter_map(|id| self.fleet.get(*id))
            .map(|tracked| Due {
                pane: tracked.pulse.id,
                focused: self.focus.contains(&tracked.pulse.id),
                agent: tracked.program().agent().is_some() || tracked.named.is_some(),
                state: tracked.state(),
                read_at: tracked.reading().read_at(),
            })
            .collect();
        let one_by_one = self.settings.mode == Mode::Sync;
        let means = Means { left: self.governor.left(now), prices: self.prices, one_by_one };
        let LeftOut { known, new } = ration(plan, due, means, now);
        self.more_new = new > 0;
        if known > 0 {
            self.held_back(true, now);
        }
        if new > 0 {
            plan.next = Duration::ZERO;
        }
        let planned: Vec<_> = plan.batches.iter().flatten().filter_map(|id| self.fleet.get(*id)).collect();
        let firsts = planned.iter().filter(|tracked| tracked.is_unread()).count();
        firsts as f64 / planned.len().max(1) as f64
    }

    /// When the next cycle begins that is due then: not before the ceiling allows it.
    pub(crate) fn paced(&mut self, due: Instant, reason: Reason) -> Instant {
        let now = clock::now();
        let reason = match reason {
            Reason::Tick if self.more_new => Reason::FirstSight,
            // An agent that is looked at is read sooner.
            Reason::Tick if !self.focus.is_empty() => Reason::News,
            reason => reason,
        };
        let ready = self.governor.ready_at(reason, now);
        due.max(ready)
    }

    /// Notes whether the ceiling held something back, and tells its user once when it does so for long.
    pub(crate) fn held_back(&mut self, held: bool, now: Instant) {
        if self.governor.held_back(held, now) {
            let text = format!(
                "this fleet costs the tmux server more than {} % of a core: it is watched less often, those who wait \
                 first (monitoring.max_server_percent)",
                self.settings.max_server_percent
            );
            self.events.notice(Timestamp::now(), text, false);
        }
    }
}
