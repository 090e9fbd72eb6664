//! What of a plan is read now, when the server's time does not allow all of it, and in what requests.
//!
//! Each request costs the server by itself, since it looks over all of its panes for every client that comes and goes.
//! So where time is short fewer panes are read, but never in smaller requests than are worth it.

use std::time::{Duration, Instant};

use crate::monitor::AgentState;
use crate::monitor::meter::prices::{LARGEST, Prices};
use crate::monitor::strategy::Plan;
use crate::tmux::PaneId;

/// Most of the server's time that first sights take in one cycle, so that what was seen is shown between.
const AT_ONCE: Duration = Duration::from_millis(400);

/// So many first sights need no request of their own.
const FEW: usize = 8;

/// A pane that the strategy wants read.
#[derive(Clone, Copy, Debug)]
pub struct Due {
    /// The pane.
    pub pane: PaneId,
    /// Its user looks at it in the dashboard.
    pub focused: bool,
    /// An agent is known to be in it.
    pub agent: bool,
    /// Its agent's state, if it was read before.
    pub state: Option<AgentState>,
    /// When it was read last; `None`: this is the first sight of it.
    pub read_at: Option<Instant>,
}

impl Due {
    /// The higher, the sooner: how long it waits, and more where its user waits for it.
    fn urgency(&self, now: Instant) -> f64 {
        let waits = self.read_at.map_or(0.0, |at| now.saturating_duration_since(at).as_secs_f64());
        match self.state {
            _ if self.focused => f64::INFINITY,
            Some(AgentState::Working | AgentState::Starting | AgentState::Waiting) => waits * 4.0,
            _ => waits,
        }
    }
}

/// What was left out of a plan.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LeftOut {
    /// Panes that were read before.
    pub known: usize,
    /// Panes that nobody has looked at yet.
    pub new: usize,
}

/// What there is to spend.
#[derive(Clone, Copy, Debug)]
pub struct Means {
    /// The server's time that may be spent, and what is saved for first sights beside it; `None`: no ceiling.
    pub left: Option<(Duration, Duration)>,
    /// What things cost.
    pub prices: Prices,
    /// A request holds one pane: nothing is gained by larger ones.
    pub one_by_one: bool,
}

/// Cuts a plan down to what can be afforded, those who wait first, and makes large requests of many first sights. A
/// plan that can be afforded stays as it is.
pub fn ration(plan: &mut Plan, mut due: Vec<Due>, means: Means, now: Instant) -> LeftOut {
    let Means { left, prices, one_by_one } = means;
    let largest = if one_by_one { 1 } else { LARGEST };
    let fewest = if one_by_one { 1 } else { prices.fewest() };
    let firsts = due.iter().filter(|due| due.read_at.is_none()).count();
    let others = due.len() - firsts;
    let (spend, saved) = left.unwrap_or((Duration::MAX, Duration::MAX));
    let most = |time: Duration| prices.panes_for(time, largest).max(fewest);
    let (most_firsts, most_others) = match left {
        Some(_) => (most(spend.saturating_add(saved).min(AT_ONCE)), most(spend)),
        None => (usize::MAX, usize::MAX),
    };
    let planned = prices.of(plan.batches.len(), due.len());
    let expensive = left.is_some() && planned > spend.saturating_add(if firsts > 0 { saved } else { Duration::ZERO });
    let many_firsts = firsts > FEW && !one_by_one;
    if !expensive && !many_firsts && firsts <= most_firsts && others <= most_others {
        return LeftOut::default();
    }
    due.sort_by(|a, b| {
        let first = a.read_at.is_none().cmp(&b.read_at.is_none());
        first.then_with(|| b.agent.cmp(&a.agent).then_with(|| b.urgency(now).total_cmp(&a.urgency(now))))
    });
    let (known, new) = due.split_at(others);
    let known = &known[..known.len().min(most_others)];
    let new = &new[..new.len().min(most_firsts)];
    let left_out = LeftOut { known: others - known.len(), new: firsts - new.len() };
    // In one batch only when both are few: what is known is answered sooner.
    let ids: Vec<PaneId> = known.iter().chain(new).map(|due| due.pane).collect();
    plan.batches = ids.chunks(largest).map(<[PaneId]>::to_vec).collect();
    left_out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(n: u64) -> Duration {
        Duration::from_millis(n)
    }

    fn prices(request_us: u64, pane_us: u64) -> Prices {
        let (request, pane) = (Duration::from_micros(request_us), Duration::from_micros(pane_us));
        Prices::known(request, pane)
    }

    /// On a server with 3000 panes on a busy machine.
    fn means(purse: u64, saved: u64) -> Means {
        let prices = prices(100_000, 340);
        Means { left: Some((ms(purse), ms(saved))), prices, one_by_one: false }
    }

    fn due(count: u32, now: Instant, state: Option<AgentState>) -> Vec<Due> {
        let read_at = state.and(now.checked_sub(ms(500)));
        (0..count).map(|id| Due { pane: PaneId(id), focused: false, agent: true, state, read_at }).collect()
    }

    fn plan(due: &[Due], size: usize) -> Plan {
        let ids: Vec<PaneId> = due.iter().map(|due| due.pane).collect();
        let batches = ids.chunks(size).map(<[PaneId]>::to_vec).collect();
        Plan { batches, width: 4, next: ms(250), early: None }
    }

    #[test]
    fn a_plan_that_can_be_afforded_stays_as_it_is() {
        let now = Instant::now();
        let due = due(20, now, Some(AgentState::Working));
        let mut small = plan(&due, 5);
        let cheap = Means { prices: prices(400, 50), ..means(200, 3_000) };
        assert_eq!(ration(&mut small, due.clone(), cheap, now), LeftOut::default());
        assert_eq!(small, plan(&due, 5));
    }

    #[test]
    fn where_a_request_is_expensive_there_are_few_and_large_ones() {
        let now = Instant::now();
        let due = due(3_000, now, Some(AgentState::Working));
        for purse in [0, 1, 50, 200, 1_000] {
            let mut cut = plan(&due, 1);
            let left_out = ration(&mut cut, due.clone(), means(purse, 3_000), now);
            let read: usize = cut.batches.iter().map(Vec::len).sum();
            assert_eq!(left_out, LeftOut { known: 3_000 - read, new: 0 });
            assert!(read >= 250, "{purse}: {read}: never less than is worth a request");
            assert!(cut.batches.len() <= read.div_ceil(LARGEST), "{purse}: {:?}", cut.batches.len());
        }
    }

    #[test]
    fn who_waits_is_read_first_and_nobody_waits_for_ever() {
        let now = Instant::now();
        let mut due = due(1_000, now, Some(AgentState::Working));
        for (index, due) in due.iter_mut().enumerate() {
            due.state = if index < 600 { Some(AgentState::Idle) } else { Some(AgentState::Working) };
        }
        (due[3].read_at, due[5].focused) = (now.checked_sub(ms(60_000)), true);
        let mut cut = plan(&due, 100);
        let left_out = ration(&mut cut, due, means(0, 0), now);
        let read = cut.batches.concat();
        assert_eq!((read[0], read[1], left_out.known), (PaneId(5), PaneId(3), 750));
        assert!(read[2..].iter().all(|pane| pane.0 >= 600), "those that work before those at rest");
    }

    #[test]
    fn first_sights_are_few_large_requests_agents_first_and_known_agents_before_them() {
        let now = Instant::now();
        let mut all = due(750, now, None);
        for (index, due) in all.iter_mut().enumerate() {
            due.agent = index % 5 == 0;
        }
        all.extend(due(751, now, Some(AgentState::Waiting)).pop());
        let mut cut = plan(&all, 1);
        let cheap = Means { prices: prices(400, 50), ..means(100, 3_000) };
        assert_eq!(ration(&mut cut, all.clone(), cheap, now), LeftOut::default(), "all at once");
        assert_eq!(cut.batches.iter().map(Vec::len).collect::<Vec<_>>(), [250, 250, 250, 1]);
        assert_eq!(cut.batches[0][0], PaneId(750), "a known one is not held up");
        assert!(cut.batches.concat()[1..151].iter().all(|pane| pane.0 % 5 == 0));
        // Nothing is saved, and all is expensive: in parts.
        let mut poor = plan(&all, 1);
        let left_out = ration(&mut poor, all, means(0, 0), now);
        assert_eq!((left_out.known, left_out.new), (0, 500));
    }

    #[test]
    fn a_very_large_fleet_is_shown_in_parts_and_one_by_one_stays_so() {
        let now = Instant::now();
        let all = due(3_000, now, None);
        let mut cut = plan(&all, 100);
        let left_out = ration(&mut cut, all.clone(), means(1_000, 3_000), now);
        assert!((300..700).contains(&(3_000 - left_out.new)), "{left_out:?}");
        let unlimited = Means { left: None, ..means(0, 0) };
        assert_eq!(ration(&mut cut, all.clone(), unlimited, now), LeftOut::default());
        assert_eq!(cut.batches.len(), 12, "without a ceiling at once");
        let mut single = plan(&all, 1);
        ration(&mut single, all, Means { one_by_one: true, ..means(100, 3_000) }, now);
        assert!(single.batches.iter().all(|batch| batch.len() == 1) && single.batches.len() < 20);
    }
}
