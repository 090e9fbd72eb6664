//! Reduced motion: the panes' screens stand still for a while, unless their agent's state changes.

use std::sync::Arc;

use jiff::SignedDuration;

use crate::app::core::fleet::{Fleet, Member};
use crate::monitor::{Preview, Snapshot};

/// A screen that is shown stands for so long.
const STANDS: SignedDuration = SignedDuration::from_secs(5);

/// A fleet that takes the place of another, with the screens of that one as far as they stand.
pub(crate) fn still(old: &Fleet, new: Fleet) -> Fleet {
    let held = |member: &Member| {
        let before = &old.member(member.id)?.snapshot;
        Some((member.id, held(before, &member.snapshot)?))
    };
    let all: Vec<_> = new.members().iter().filter_map(held).collect();
    all.into_iter().fold(new, |fleet, (id, snapshot)| fleet.with_snapshot(id, Arc::new(snapshot)))
}

/// A snapshot with the screens of the one before that stand; `None`: none does.
fn held(before: &Snapshot, now: &Snapshot) -> Option<Snapshot> {
    let instead = |shown: &Arc<Preview>| {
        let mut had = before.preview.iter().chain(&before.previews);
        let had = had.find(|had| had.pane_id == shown.pane_id && had.above == shown.above)?;
        let since = |snapshot: &Snapshot| {
            let agent = snapshot.agents.iter().find(|agent| agent.pane_id == shown.pane_id);
            agent.map(|agent| (agent.state, agent.since))
        };
        let young = now.timestamp.duration_since(had.captured_at) < STANDS;
        (young && !had.shows_as(shown) && since(before) == since(now)).then(|| Arc::clone(had))
    };
    if now.preview.iter().chain(&now.previews).all(|shown| instead(shown).is_none()) {
        return None;
    }
    let mut still = now.clone();
    for shown in still.preview.iter_mut().chain(&mut still.previews) {
        if let Some(had) = instead(shown) {
            *shown = had;
        }
    }
    Some(still)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::core::fixture::{test_agent, test_snapshot};
    use crate::monitor::AgentState;
    use crate::tmux::PaneId;

    #[test]
    fn a_screen_stands_for_a_while_and_follows_its_agents_state_at_once() {
        let fleet = |second: i64, text: &str, state| {
            let mut agent = test_agent(1, state);
            let at = |second| jiff::Timestamp::from_second(second).unwrap();
            agent.since = at(if state == AgentState::Working { 0 } else { 1 });
            let shown = Preview { pane_id: PaneId(1), text: text.into(), captured_at: at(second), above: 0 };
            let shown = Arc::new(shown);
            let previews = vec![Arc::clone(&shown)];
            let agents = vec![agent].into();
            let timestamp = at(second);
            Fleet::from(Arc::new(Snapshot { agents, timestamp, preview: Some(shown), previews, ..test_snapshot() }))
        };
        let text = |fleet: &Fleet| {
            let Snapshot { preview, previews, .. } = &*fleet.first().snapshot;
            assert_eq!(preview.as_ref(), previews.first(), "both of them");
            previews[0].text.clone()
        };
        let working = AgentState::Working;
        let first = fleet(100, "one", working);
        let second = still(&first, fleet(102, "two", working));
        assert_eq!(text(&second), "one");
        let third = still(&second, fleet(104, "three", working));
        assert_eq!(text(&third), "one");
        assert_eq!(text(&still(&third, fleet(105, "four", working))), "four", "its time is over");
        assert_eq!(text(&still(&third, fleet(104, "asks", AgentState::Waiting))), "asks");
        assert!(held(&first.first().snapshot, &first.first().snapshot).is_none(), "nothing is copied for nothing");
    }
}
