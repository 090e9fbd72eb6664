//! Tells of changes on a host whose engines tell nobody: by the rules of this machine, once, and not of what was so before.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use jiff::{Timestamp, tz::TimeZone};
use tokio::sync::watch;

use crate::app::notify::run::{reread, until};
use crate::app::notify::{Batcher, Notice, Rules, Telling, Ways};
use crate::{
    app::settings::{Loaded, Settings},
    monitor::{AgentState, EngineId, Snapshot, Snapshots},
    tmux::PaneId,
};

/// What a pane is seen to be in: state and kind.
type Seen = HashMap<PaneId, (AgentState, Option<String>)>;

/// One server of a host as its changes come.
#[derive(Clone, Debug)]
struct Following {
    engine: EngineId,
    batcher: Batcher,
    seen: Seen,
    /// What was seen under the engine before this one: an engine that begins anew finds out again what was so.
    before: Seen,
}

impl Following {
    /// What is so now is no news.
    fn new(snapshot: &Snapshot) -> Self {
        let (engine, batcher) = (snapshot.engine.id(), Batcher::new(snapshot));
        let mut following = Self { engine, batcher, seen: Seen::new(), before: Seen::new() };
        following.look(snapshot);
        following
    }

    /// Of what is to be told now, with what was known before.
    fn take(&mut self, snapshot: &Snapshot, rules: &Rules, now: Instant, quiet: Option<Duration>) -> Vec<Notice> {
        if snapshot.engine.id() != self.engine {
            self.engine = snapshot.engine.id();
            self.before.clone_from(&self.seen);
            // What was not told yet is news under this one too.
            self.batcher.held().for_each(|pane| drop(self.before.remove(&pane)));
            self.batcher.follow(snapshot);
        }
        self.batcher.take(snapshot, rules, now);
        let mut notices = self.batcher.release(snapshot, rules, now, quiet);
        notices.retain(|notice| {
            // Of what lasts one is reminded whoever found it.
            let Some(agent) = notice.agent().filter(|agent| agent.waited.is_none()) else { return true };
            let known = self.before.remove(&agent.pane_id);
            known.is_none_or(|(state, kind)| (state, &kind) != (agent.state, &agent.kind))
        });
        self.look(snapshot);
        notices
    }

    fn look(&mut self, snapshot: &Snapshot) {
        for agent in snapshot.agents.iter().filter(|agent| !agent.stale) {
            let now = (agent.state, agent.kind.clone());
            // What was known before is over once the engine has seen something else: the same again is news.
            let is_found = !matches!(agent.state, AgentState::Starting | AgentState::Unknown);
            if is_found && self.before.get(&agent.pane_id).is_some_and(|before| *before != now) {
                self.before.remove(&agent.pane_id);
            }
            self.seen.insert(agent.pane_id, now);
        }
        // Panes that are gone are forgotten, though not at once: an engine that begins anew has none yet.
        if self.seen.len() > 2 * snapshot.agents.len() + 64 {
            self.seen.retain(|pane, _| snapshot.agents.iter().any(|agent| agent.pane_id == *pane));
        }
    }
}

/// Tells of changes of one server of a host until that is let go, while the settings in force say so and `from_here` that
/// it is for this process to tell.
pub(crate) async fn notify_elsewhere(
    mut snapshots: Snapshots,
    mut settings: watch::Receiver<Arc<Loaded>>,
    ways: impl Fn(&Settings) -> Ways + Send,
    from_here: impl Fn() -> bool + Send,
) {
    let zone = TimeZone::system();
    let mut telling = Telling::default();
    let mut loaded = Arc::clone(&settings.borrow_and_update());
    let (mut rules, mut made) = (Rules::new(&loaded.settings.notifications), Arc::new(ways(&loaded.settings)));
    let mut following: Option<Following> = None;
    loop {
        let snapshot = snapshots.borrow_and_update();
        if loaded.settings.notifications.enabled && from_here() {
            let now = Instant::now();
            let following = following.get_or_insert_with(|| Following::new(&snapshot));
            let notices = following.take(&snapshot, &rules, now, rules.quiet_for(Timestamp::now(), &zone));
            if !notices.is_empty() {
                tracing::info!(count = notices.len(), "notified of a host");
                telling.tell(&made, notices);
            }
        } else {
            following = None;
        }
        let due = following.as_ref().and_then(|following| following.batcher.due());
        tokio::select! {
            changed = snapshots.changed() => if changed.is_err() {
                break;
            },
            () = until(due) => {}
            () = reread(&mut settings) => {
                loaded = Arc::clone(&settings.borrow_and_update());
                (rules, made) = (Rules::new(&loaded.settings.notifications), Arc::new(ways(&loaded.settings)));
            }
        }
    }
    telling.end().await;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::core::fixture::{test_agent, test_snapshot};
    use crate::app::notify::batch::SETTLE;
    use crate::app::notify::notice::tests::event;
    use crate::app::settings;
    use crate::monitor::Event;

    fn snapshot(engine: u32, state: AgentState, events: Vec<Event>) -> Snapshot {
        let mut agent = test_agent(1, state);
        agent.host = Some("box".into());
        let mut snapshot = Snapshot { agents: vec![agent].into(), events: Arc::new(events), ..test_snapshot() };
        snapshot.engine.pid = engine;
        snapshot
    }

    /// How many are told when this comes and lasts.
    fn told(following: &mut Following, snapshot: &Snapshot, now: &mut Instant) -> Vec<Notice> {
        let rules = Rules::new(&settings::defaults().notifications);
        let mut all = following.take(snapshot, &rules, *now, None);
        *now += SETTLE * 2;
        all.extend(following.take(snapshot, &rules, *now, None));
        all
    }

    #[test]
    fn what_waited_before_and_what_another_engine_finds_again_is_no_news() {
        let mut now = Instant::now();
        let waits = |seq| event(seq, 1, AgentState::Working, AgentState::Waiting, None);
        let first = snapshot(7, AgentState::Waiting, vec![waits(1)]);
        let mut following = Following::new(&first);
        assert_eq!(told(&mut following, &first, &mut now), [], "before the first sight");
        assert_eq!(told(&mut following, &snapshot(7, AgentState::Working, vec![waits(1)]), &mut now), []);
        let again = snapshot(7, AgentState::Waiting, vec![waits(1), waits(2)]);
        let notices = told(&mut following, &again, &mut now);
        assert_eq!(notices.len(), 1);
        assert_eq!(crate::app::notify::summary(&notices), "s:0.1@box claude waits for you");
        assert_eq!(serde_json::to_value(&notices[0]).unwrap()["host"], "box");
        assert_eq!(told(&mut following, &again, &mut now), [], "once");
        // Lost and back, its agents stale in between.
        let mut lost = again.clone();
        lost.agents[0].stale = true;
        assert_eq!((told(&mut following, &lost, &mut now), told(&mut following, &again, &mut now)), (vec![], vec![]));
        // Another engine finds the same wait, as its own event; and later one more.
        let new = Snapshot { agents: Vec::new().into(), ..snapshot(8, AgentState::Waiting, vec![]) };
        assert_eq!(told(&mut following, &new, &mut now), []);
        assert_eq!(told(&mut following, &snapshot(8, AgentState::Waiting, vec![waits(1)]), &mut now), []);
        assert_eq!(told(&mut following, &snapshot(8, AgentState::Working, vec![waits(1)]), &mut now), []);
        assert_eq!(
            told(&mut following, &snapshot(8, AgentState::Waiting, vec![waits(1), waits(2)]), &mut now).len(),
            1
        );
        // Another one that knows of the wait and has no event of it; it ends, and there is one more.
        for state in [AgentState::Unknown, AgentState::Waiting, AgentState::Working] {
            assert_eq!(told(&mut following, &snapshot(9, state, vec![]), &mut now), []);
        }
        assert_eq!(told(&mut following, &snapshot(9, AgentState::Waiting, vec![waits(1)]), &mut now).len(), 1);
        // Another one between a wait and its notice, which finds it again.
        let mut following = Following::new(&snapshot(7, AgentState::Working, vec![]));
        let rules = Rules::new(&settings::defaults().notifications);
        assert_eq!(following.take(&snapshot(7, AgentState::Waiting, vec![waits(1)]), &rules, now, None), []);
        let found = snapshot(8, AgentState::Waiting, vec![waits(1)]);
        for first in [Snapshot { agents: Vec::new().into(), ..snapshot(8, AgentState::Waiting, vec![]) }, found.clone()]
        {
            let mut following = following.clone();
            let mut notices = told(&mut following, &first, &mut now);
            notices.extend(told(&mut following, &found, &mut now));
            assert_eq!(notices.len(), 1);
        }
        // Another one in quiet hours: what is kept for their end is told then.
        let mut following = Following::new(&snapshot(7, AgentState::Working, vec![]));
        let quiet = Some(Duration::from_secs(3600));
        for _ in 0..2 {
            let night = following.take(&snapshot(7, AgentState::Waiting, vec![waits(1)]), &rules, now, quiet);
            assert_eq!(night, []);
            now += SETTLE * 2;
        }
        let empty = Snapshot { agents: Vec::new().into(), ..snapshot(8, AgentState::Waiting, vec![]) };
        for seen in [&empty, &found, &found] {
            assert_eq!(following.take(seen, &rules, now, quiet), []);
            now += SETTLE * 2;
        }
        assert_eq!(following.take(&found, &rules, now, None).len(), 1);
    }
}
