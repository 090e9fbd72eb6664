//! `adaptive`: a cheap probe at a fast tick finds what moved; each agent has a next-check time of its own.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use crate::monitor::strategy::{Known, Plan, Strategy, View, split};
use crate::{monitor::AgentState, tmux::PaneId};

/// The tick while somebody watches.
const TICK: Duration = Duration::from_millis(250);

/// The tick while the user looks at a pane that moves, and once when a pane begins to move: its drawing may go on.
const FAST_TICK: Duration = Duration::from_millis(125);

/// A pane moves if it changed within this time.
const MOVING: Duration = Duration::from_secs(3);

/// After this time without a change anywhere and without anybody who watches, the tick backs off to the interval.
const QUIET: Duration = Duration::from_secs(30);

/// Time between probes while we are notified of the next write of every pane: they find what nobody writes.
const REST: Duration = Duration::from_secs(1);

/// A pane that was not read for this long is at rest.
const RESTED: Duration = Duration::from_secs(1);

/// Shortest time between two reads of an agent whose next change its user waits for.
const URGENT: Duration = Duration::from_millis(100);

/// A pane whose writes can be notified is, this long after its last read at the latest: it is read once more when the second
/// of its last output is over.
const SETTLES: Duration = Duration::from_secs(3);

/// Time between two reads of a busy agent whose rhythm goes on: what it is at is shown, and no more. A little less than
/// the probes are apart, so that each of them finds it due.
const IN_RHYTHM: Duration = Duration::from_millis(900);

/// Reads that show nothing new before they get rarer: more than a pane needs after an ordinary change.
const PATIENCE: u32 = 6;

/// First and largest number of requests at once. More than a few gain nothing: the server is single-threaded.
const WIDEST: usize = 8;

/// Smallest batch that is split off: requests cost by themselves, and the more panes there are the more.
const SMALLEST_BATCH: usize = 16;

/// Largest batch; the server answers nobody else meanwhile.
const LARGEST_BATCH: usize = 125;

/// Reads what moved, when it moved: quiet agents cost the probe and nothing else.
#[derive(Debug)]
pub struct Adaptive {
    width: f64,
    best_per_pane: Option<f64>,
    rests: HashMap<PaneId, Rest>,
    last_change: Option<Instant>,
}

/// How the last reads of one pane went.
#[derive(Clone, Copy, Debug, Default)]
struct Rest {
    read_at: Option<Instant>,
    empty_reads: u32,
}

impl Default for Adaptive {
    fn default() -> Self {
        Self { width: 2.0, best_per_pane: None, rests: HashMap::new(), last_change: None }
    }
}

impl Adaptive {
    /// Widens by one while the time for a pane stays near the best seen, halves when it doubles: additive increase,
    /// multiplicative decrease.
    fn steer_width(&mut self, view: &View<'_>) {
        // The request's own cost is left out, else a small batch looks slow.
        let Some(batch) = view.measured.batch.map(|batch| batch.saturating_sub(view.measured.request)) else { return };
        if view.measured.batch_panes < SMALLEST_BATCH {
            return;
        }
        let per_pane = batch.as_secs_f64() / view.measured.batch_panes as f64;
        let best = self.best_per_pane.map_or(per_pane, |best| best.min(per_pane));
        // The best decays slowly: a machine that got slower for good is not compared with its past for ever.
        self.best_per_pane = Some(best * 1.01);
        if per_pane > best * 2.0 {
            self.width = (self.width / 2.0).max(1.0);
        } else if per_pane < best * 1.25 {
            self.width = (self.width + 1.0).min(WIDEST as f64);
        }
    }

    /// How long after its last read an agent is read again, if it may have changed.
    fn pause(&mut self, known: &Known, view: &View<'_>) -> Duration {
        let rest = self.rests.entry(known.pane).or_default();
        if rest.read_at != known.read_at {
            let apart = known.read_at.zip(rest.read_at).map(|(new, old)| new.saturating_duration_since(old));
            rest.read_at = known.read_at;
            rest.empty_reads = match apart {
                _ if known.changed_at == known.read_at => 0,
                // It did not write in between: what was read before says nothing of it.
                Some(apart) if apart > view.interval.max(REST) * 2 => 1,
                _ => rest.empty_reads.saturating_add(1),
            };
        }
        match known.state {
            _ if known.focused => URGENT,
            _ if known.in_rhythm => IN_RHYTHM.min(view.interval.mul_f64(0.9)),
            // A change here is what its user waits for.
            Some(AgentState::Working | AgentState::Starting | AgentState::Waiting) | None => URGENT,
            // At rest, but it writes: reads that show nothing new are further and further apart.
            Some(_) => {
                let doublings = rest.empty_reads.saturating_sub(PATIENCE).min(16);
                (URGENT * 2u32.pow(doublings)).min(view.interval.max(URGENT))
            }
        }
    }
}

impl Strategy for Adaptive {
    fn name(&self) -> &str {
        "adaptive"
    }

    fn plan(&mut self, view: &View<'_>) -> Result<Plan, String> {
        self.steer_width(view);
        if let Some(changed) = view.panes.iter().filter_map(|p| p.changed_at).max() {
            self.last_change = self.last_change.max(Some(changed));
        }
        if self.rests.len() > view.panes.len() * 2 + 16 {
            let alive: std::collections::HashSet<_> = view.panes.iter().map(|p| p.pane).collect();
            self.rests.retain(|pane, _| alive.contains(pane));
        }
        let mut due: Vec<&Known> = Vec::new();
        // Cycles come between the ticks too; an agent that one of them left out waits no longer than a tick for all that.
        let mut left_out = TICK;
        for known in view.panes.iter().filter(|p| p.may_have_changed) {
            let pause = self.pause(known, view);
            match known.read_at.map(|at| view.now.saturating_duration_since(at)) {
                Some(age) if age < pause => {
                    if pause == URGENT {
                        left_out = left_out.min(TICK.saturating_sub(age));
                    }
                }
                _ => due.push(known),
            }
        }
        let moving = |p: &Known| p.changed_at.is_some_and(|at| view.now.saturating_duration_since(at) < MOVING);
        let rested = |p: &Known| p.read_at.is_some_and(|at| view.now.saturating_duration_since(at) > RESTED);
        let fast = due.iter().any(|p| !p.has_rhythm && rested(p)) || view.panes.iter().any(|p| p.focused && moving(p));
        let tick = if fast { FAST_TICK } else { TICK };
        let due: Vec<PaneId> = due.into_iter().map(|p| p.pane).collect();
        let quiet = self.last_change.is_none_or(|at| view.now.saturating_duration_since(at) >= QUIET);
        let all_at_rest = view.panes.iter().all(|p| p.in_rhythm || p.notified && !p.may_have_changed);
        // What was read a moment ago may be notified from the next read on.
        let settles = |p: &Known| p.read_at.is_some_and(|at| view.now.saturating_duration_since(at) < SETTLES);
        let settling = view.panes.iter().any(|p| !p.notified && settles(p));
        let slowest = if quiet && !view.watched && !settling {
            view.interval
        } else if all_at_rest {
            REST
        } else {
            tick.min(left_out)
        };
        let next = slowest.min(view.interval);
        let width = (self.width as usize).clamp(1, view.pool_size.max(1));
        let smallest = view.measured.worth_a_request.clamp(SMALLEST_BATCH, LARGEST_BATCH);
        let parts = width.min(due.len() / smallest);
        Ok(Plan { batches: split(&due, parts, LARGEST_BATCH), width, next, early: Some(TICK) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::monitor::strategy::testing::{known, view};

    #[test]
    fn quiet_agents_cost_nothing_and_the_tick_stays_fast_while_somebody_watches() {
        let now = Instant::now();
        let mut panes: Vec<_> = (0..1000).map(|id| known(id, AgentState::Idle, now)).collect();
        for pane in &mut panes {
            pane.may_have_changed = false;
        }
        let plan = Adaptive::default().plan(&view(&panes, now)).unwrap();
        assert!(plan.batches.is_empty());
        assert_eq!(plan.next, TICK);
    }

    #[test]
    fn where_every_write_will_be_heard_a_probe_a_second_is_enough() {
        let now = Instant::now();
        let mut panes: Vec<_> = (0..3).map(|id| known(id, AgentState::Idle, now)).collect();
        for pane in &mut panes {
            (pane.may_have_changed, pane.notified) = (false, true);
        }
        let next = |panes: &[Known]| {
            let slow = View { interval: Duration::from_secs(60), ..view(panes, now) };
            Adaptive::default().plan(&slow).unwrap().next
        };
        assert_eq!(next(&panes), REST);
        let fast = View { interval: TICK / 5, ..view(&panes, now) };
        assert_eq!(Adaptive::default().plan(&fast).unwrap().next, TICK / 5, "the interval is the ceiling");
        panes[1].notified = false;
        assert_eq!(next(&panes), TICK, "one whose writes are not notified");
        (panes[1].notified, panes[2].may_have_changed) = (true, true);
        assert_eq!(next(&panes), TICK, "one that moves");
        panes[2].read_at = now.checked_sub(RESTED * 2);
        assert_eq!(next(&panes), FAST_TICK, "one that begins to move");
    }

    #[test]
    fn one_whose_rhythm_goes_on_is_read_once_a_second_and_no_probe_comes_between() {
        let now = Instant::now();
        let plan = |pane: Known| Adaptive::default().plan(&view(&[pane], now)).unwrap();
        let after = |ms| now.checked_sub(Duration::from_millis(ms));
        let busy = Known { has_rhythm: true, in_rhythm: true, ..known(1, AgentState::Working, now) };
        let read = |ms| Known { read_at: after(ms), ..busy.clone() };
        assert_eq!((plan(read(500)).batches.len(), plan(read(500)).next), (0, REST));
        assert_eq!((plan(read(950)).batches.len(), plan(read(950)).next), (1, REST));
        let broken = Known { in_rhythm: false, ..read(500) };
        assert_eq!((plan(broken.clone()).batches.len(), plan(broken).next), (1, TICK), "it is due at once");
        let begins = Known { in_rhythm: false, ..read(1500) };
        assert_eq!(plan(begins.clone()).next, TICK, "its writes say how its drawing goes on");
        assert_eq!(plan(Known { has_rhythm: false, ..begins }).next, FAST_TICK);
        let quick = View { interval: Duration::from_millis(200), ..view(&[], now) };
        let soon = Adaptive::default().plan(&View { panes: &[read(190)], ..quick }).unwrap();
        assert_eq!(soon.batches.len(), 1, "an interval that its user made shorter counts");
        assert_eq!(plan(Known { focused: true, ..read(500) }).batches.len(), 1, "its user looks at it");
    }

    #[test]
    fn an_agent_left_out_by_a_cycle_between_the_ticks_waits_no_longer_for_it() {
        let now = Instant::now();
        let mut pane = known(1, AgentState::Working, now);
        pane.read_at = now.checked_sub(Duration::from_millis(60));
        let panes = [pane];
        let plan = Adaptive::default().plan(&view(&panes, now)).unwrap();
        assert_eq!((plan.batches.len(), plan.next), (0, TICK - Duration::from_millis(60)));
    }

    #[test]
    fn without_a_watcher_a_quiet_fleet_is_probed_at_the_interval() {
        let now = Instant::now() + QUIET * 2;
        let panes = [known(1, AgentState::Idle, now - QUIET)];
        let unwatched = View { watched: false, ..view(&panes, now) };
        assert_eq!(Adaptive::default().plan(&unwatched).unwrap().next, Duration::from_secs(1));
    }

    #[test]
    fn nobody_is_left_without_a_notification_for_the_length_of_an_interval() {
        let now = Instant::now();
        let next = |pane: Known| {
            let slow = View { watched: false, interval: Duration::from_secs(3600), ..view(&[], now) };
            Adaptive::default().plan(&View { panes: &[pane], ..slow }).unwrap().next
        };
        let pane = Known { changed_at: None, ..known(1, AgentState::Idle, now) };
        assert!(next(pane.clone()) <= REST, "it was read a second ago, and its next write is not notified yet");
        assert_eq!(next(Known { notified: true, may_have_changed: false, ..pane.clone() }), Duration::from_secs(3600));
        let never = Known { read_at: now.checked_sub(SETTLES), may_have_changed: false, ..pane };
        assert_eq!(next(never), Duration::from_secs(3600), "it cannot be");
    }

    #[test]
    fn the_tick_backs_off_half_a_minute_after_the_last_change() {
        let start = Instant::now();
        let mut adaptive = Adaptive::default();
        let mut next = |seconds: u64, changed: bool| {
            let now = start + Duration::from_secs(seconds);
            let mut pane = known(1, AgentState::Idle, now);
            (pane.may_have_changed, pane.changed_at, pane.read_at) = (changed, Some(start), Some(start));
            let view = View { watched: false, interval: Duration::from_secs(600), ..view(&[], now) };
            adaptive.plan(&View { panes: &[pane], ..view }).unwrap().next
        };
        next(0, true);
        assert!(next(25, false) <= REST, "somebody may still look");
        assert_eq!(next(35, false), Duration::from_secs(600));
    }

    #[test]
    fn reads_that_show_nothing_new_back_off_to_the_interval() {
        let now = Instant::now();
        let mut adaptive = Adaptive::default();
        let mut pane = known(1, AgentState::Idle, now);
        pane.changed_at = None;
        let mut pauses = Vec::new();
        for read in 0..12 {
            pane.read_at = Some(now + Duration::from_secs(read));
            pauses.push(adaptive.pause(&pane, &view(&[], now)).as_millis());
        }
        assert_eq!(pauses, [100, 100, 100, 100, 100, 100, 200, 400, 800, 1000, 1000, 1000]);
        pane.read_at = Some(now + Duration::from_secs(20));
        pane.changed_at = pane.read_at;
        assert_eq!(adaptive.pause(&pane, &view(&[], now)), URGENT, "news end the back-off");
        for read in 21..40 {
            pane.read_at = Some(now + Duration::from_secs(read));
            adaptive.pause(&pane, &view(&[], now));
        }
        pane.read_at = Some(now + Duration::from_secs(60));
        assert_eq!(adaptive.pause(&pane, &view(&[], now)), URGENT, "and so does rest");
        pane.state = Some(AgentState::Working);
        assert_eq!(adaptive.pause(&pane, &view(&[], now)), URGENT);
    }

    #[test]
    fn width_grows_by_one_and_halves_when_the_server_gets_slow() {
        let now = Instant::now();
        let mut adaptive = Adaptive::default();
        let mut slow = view(&[], now);
        slow.pool_size = 20;
        slow.measured.batch_panes = 100;
        for _ in 0..10 {
            slow.measured.batch = Some(Duration::from_millis(2));
            adaptive.plan(&slow).unwrap();
        }
        assert_eq!(adaptive.width, 8.0);
        slow.measured.batch = Some(Duration::from_millis(9));
        assert_eq!(adaptive.plan(&slow).unwrap().width, 4);
    }

    #[test]
    fn no_batch_is_smaller_than_is_worth_a_request() {
        let now = Instant::now();
        let sizes = |panes: u32, worth: usize| -> Vec<usize> {
            let panes: Vec<_> = (0..panes).map(|id| known(id, AgentState::Working, now)).collect();
            let mut view = View { pool_size: 20, ..view(&panes, now) };
            view.measured.worth_a_request = worth;
            let mut adaptive = Adaptive { width: 8.0, ..Adaptive::default() };
            adaptive.plan(&view).unwrap().batches.iter().map(Vec::len).collect()
        };
        assert_eq!(sizes(8, 0), [8]);
        assert_eq!(sizes(40, 0), [20, 20]);
        assert_eq!(sizes(100, 90), [100]);
        assert_eq!(sizes(300, 500), [125, 125, 50]);
    }
}
