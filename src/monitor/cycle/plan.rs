//! Plan: looks at what is known of each pane, lets the strategy choose who is read, and cuts that to what the ceiling
//! allows.

use std::{
    collections::BTreeSet,
    sync::Arc,
    time::{Duration, Instant},
};

use jiff::Timestamp;

use crate::monitor::EngineSettings;
use crate::monitor::cycle::ration::{Due, Means, ration};
use crate::monitor::detect::Profiles;
use crate::monitor::facts::writes::Writes;
use crate::monitor::meter::ceiling::Ceiling;
use crate::monitor::panes::fleet::Fleet;
use crate::monitor::panes::known::Panes;
use crate::monitor::panes::tracked::Tracked;
use crate::monitor::scripts::answer_of;
use crate::monitor::snapshot::settings::Mode;
use crate::monitor::strategy::{Adaptive, Known, Measured, Plan, Strategy, View, built_in};
use crate::tmux::{PaneId, Screen};

/// What a survey of the panes gave.
pub(crate) struct Surveyed {
    /// The panes that may hold an agent.
    pub(crate) known: Vec<Known>,
    /// Screens that still hold and whose verdicts do not: judged anew without a capture.
    pub(crate) rejudge: Vec<(PaneId, Arc<Screen>)>,
}

/// A plan, and the strategy that goes on when the one that was asked could not make one.
pub(crate) struct Planned {
    pub(crate) plan: Plan,
    pub(crate) failed: Option<Failed>,
}

/// A strategy could not plan.
pub(crate) struct Failed {
    /// Why.
    pub(crate) problem: String,
    /// The built-in one that made the plan and goes on.
    pub(crate) instead: Box<dyn Strategy>,
}

/// What is read in this cycle.
pub(crate) struct Rationed {
    /// Part of it that nobody has looked at, 0 to 1.
    pub(crate) first_sight: f64,
    /// A notice to the user about what was left out.
    pub(crate) notice: Option<String>,
}

/// Looks at the panes' process trees and at what is cached of them: of those in `focus` and those that are `shown` with
/// their colours. `writes`: subscribe to the next write of panes in
/// which an agent may be started.
pub(crate) async fn survey(
    panes: &mut Panes,
    profiles: &Profiles,
    settings: &EngineSettings,
    (focus, shown): (&BTreeSet<PaneId>, &BTreeSet<PaneId>),
    mut writes: Option<&mut Writes>,
    now: Instant,
) -> Surveyed {
    let at = Timestamp::now();
    let (mut known, mut rejudge) = (Vec::new(), Vec::new());
    let Panes { fleet, cache, elsewhere, .. } = panes;
    let elsewhere = *elsewhere;
    let (cached, ttl, generation) = (settings.cache.enabled, settings.cache.ttl, cache.generation());
    for tracked in fleet.iter_mut() {
        tracked.walk(profiles, elsewhere, at, now);
        if !tracked.is_candidate() {
            if let Some(writes) = &mut writes {
                tracked.subscribe(writes, at, now);
            }
            continue;
        }
        let id = tracked.pulse.id;
        let focused = focus.contains(&id);
        // One that stands beside others is read for its colours now and then.
        let newest = tracked.reading().screen_hash();
        let due = match focused {
            true => tracked.coloured.is_behind(newest),
            false => shown.contains(&id) && tracked.coloured.is_due(newest, now),
        };
        let stamp = tracked.stamp();
        let content = cache.pane_content.get(&id, |c| c.holds_for(stamp) && (c.coloured || !(focused || due))).await;
        let verdict = match (&content, tracked.reading().verdict_key()) {
            (Some(_), Some(key)) => cache.agent_status.get(&key, |_| true).await,
            _ => None,
        };
        // The verdict's time is over but the screen still holds: judged anew without a capture.
        let news = tracked.publishes_news(now);
        if let (true, Some(content), false) = (verdict.is_none() || news, &content, tracked.reading().must_be_read()) {
            rejudge.push((id, Arc::clone(&content.screen)));
        }
        // A fleet may be larger than the cache: what it had no room for is not read again and again.
        let proven = cached && !due && tracked.reading().is_proven(stamp, generation, now, ttl);
        if news && content.is_none() {
            tracked.require_read();
        }
        tracked.check_read(content.is_some() || proven);
        // One that is busy no more is not read again, and rests from now on.
        if let Some(writes) = &mut writes
            && tracked.is_followed()
            && !tracked.reading().may_have_changed()
        {
            tracked.subscribe_or_follow(writes, at, now);
        }
        known.push(Known {
            pane: id,
            state: tracked.state(),
            may_have_changed: tracked.reading().may_have_changed(),
            read_at: tracked.reading().read_at(),
            changed_at: tracked.reading().changed_at(),
            focused,
            notified: tracked.is_notified(),
            has_rhythm: tracked.has_rhythm(),
            in_rhythm: cached && in_rhythm(tracked, profiles, focused || shown.contains(&id)),
        });
    }
    Surveyed { known, rejudge }
}

/// Whether a break of its rhythm tells when the pane is to be read. Not while somebody looks at it, and not while it is
/// read again anyway to confirm what it showed.
fn in_rhythm(tracked: &Tracked, profiles: &Profiles, looked_at: bool) -> bool {
    let profile = || profiles.get(&tracked.record()?.verdict.agent);
    let is_quiet = !tracked.reading().must_be_read() && tracked.settles_at().is_none();
    tracked.has_rhythm() && !looked_at && is_quiet && profile().is_some_and(|profile| !profile.restless)
}

/// Lets the strategy plan from what is known. One that cannot is replaced by the built-in one that it is based on.
pub(crate) async fn plan(
    strategy: &mut dyn Strategy,
    known: &[Known],
    watched: bool,
    interval: Duration,
    pool_size: usize,
    measured: Measured,
    now: Instant,
) -> Planned {
    // One that is gone is shown by nobody.
    let watched = watched || known.iter().any(|pane| pane.focused);
    let view = View { now, panes: known, interval, pool_size, measured, watched };
    let planned = match strategy.plan_apart(&view) {
        Some(plan) => answer_of(plan).await,
        None => strategy.plan(&view),
    };
    match planned {
        Ok(plan) => Planned { plan, failed: None },
        Err(problem) => {
            let base = built_in(strategy.based_on());
            let mut instead = base.unwrap_or_else(|| Box::<Adaptive>::default());
            let nothing = Plan { batches: Vec::new(), width: 1, next: interval, early: None };
            let plan = instead.plan(&view).unwrap_or(nothing);
            Planned { plan, failed: Some(Failed { problem, instead }) }
        }
    }
}

/// Cuts the plan down to what the ceiling allows.
pub(crate) fn cut(
    plan: &mut Plan,
    fleet: &Fleet,
    ceiling: &mut Ceiling,
    focus: &BTreeSet<PaneId>,
    mode: Mode,
    now: Instant,
) -> Rationed {
    let due: Vec<Due> = plan
        .batches
        .iter()
        .flatten()
        .filter_map(|id| fleet.get(*id))
        .map(|tracked| Due {
            pane: tracked.pulse.id,
            focused: focus.contains(&tracked.pulse.id),
            agent: tracked.program().agent().is_some() || tracked.named.is_some(),
            state: tracked.state(),
            read_at: tracked.reading().read_at(),
        })
        .collect();
    let means = Means { left: ceiling.left(now), prices: ceiling.prices(), one_by_one: mode == Mode::Sync };
    let left_out = ration(plan, due, means, now);
    if left_out.new > 0 {
        plan.next = Duration::ZERO;
    }
    let notice = ceiling.left_out(left_out.known, left_out.new, now);
    let planned = || plan.batches.iter().flatten().filter_map(|id| fleet.get(*id));
    let firsts = planned().filter(|tracked| tracked.is_unread()).count();
    Rationed { first_sight: firsts as f64 / planned().count().max(1) as f64, notice }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::monitor::AgentState;
    use crate::monitor::strategy::testing;

    #[derive(Debug)]
    struct Broken(&'static str);

    impl Strategy for Broken {
        fn name(&self) -> &str {
            "broken"
        }

        fn plan(&mut self, _: &View<'_>) -> Result<Plan, String> {
            Err("line 3: no".to_owned())
        }

        fn based_on(&self) -> &str {
            self.0
        }
    }

    #[tokio::test]
    async fn a_strategy_that_cannot_plan_is_replaced_by_what_it_is_based_on() {
        let now = Instant::now();
        let known = [testing::known(1, AgentState::Working, now), testing::known(2, AgentState::Working, now)];
        for (base, name) in [("polling", "polling"), ("concurrent", "concurrent"), ("nothing", "adaptive")] {
            let second = Duration::from_secs(1);
            let planned = plan(&mut Broken(base), &known, true, second, 4, Measured::default(), now).await;
            let failed = planned.failed.expect("it fails");
            assert_eq!((failed.instead.name(), failed.problem.as_str()), (name, "line 3: no"));
            let mut expected = built_in(name).unwrap();
            let plan = plan(&mut *expected, &known, true, second, 4, Measured::default(), now).await.plan;
            assert_eq!(planned.plan, plan, "and plans at once");
        }
    }
}
