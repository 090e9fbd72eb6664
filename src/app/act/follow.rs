//! What an agent does after it was acted on: the result that a person waits for.

use std::time::Duration;

use crate::app::act::Actor;
use crate::app::act::prompt::same_request;
use crate::app::act::tmux::Look;
use crate::app::core::act::Seen;
use crate::{monitor::AgentState, tmux::PaneId};

/// How long the state that follows is waited for.
const FOLLOW_UP: Duration = Duration::from_millis(2500);

/// Time between two looks while it is waited for.
const LOOK_EVERY: Duration = Duration::from_millis(80);

impl Actor {
    /// What the agent does after it was acted on, in words, and whether anything has changed.
    pub(super) async fn followed(&self, pane: PaneId, seen: &Seen, before: &Look) -> (String, bool) {
        let end = tokio::time::Instant::now() + FOLLOW_UP;
        let state = |look: &Look| look.verdict.as_ref().map(|verdict| (verdict.state, verdict.kind.clone()));
        let asked = before.verdict.as_ref().is_some_and(|verdict| verdict.state == AgentState::Waiting);
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            let now = match self.look(pane, seen).await {
                Ok(now) => now,
                Err(refusal) => return (format!("then: {refusal}"), true),
            };
            let another = asked
                && now.verdict.as_ref().is_some_and(|verdict| verdict.state == AgentState::Waiting)
                && !same_request(&self.known().profiles, before, &now, &seen.choices);
            let words = match state(&now) {
                None => "no agent runs in it any more".to_owned(),
                Some(_) if another => "it asks again".to_owned(),
                Some((state, Some(kind))) => format!("now {state} ({kind})"),
                Some((state, None)) => format!("now {state}"),
            };
            // `unknown`, and `starting` when it is blank, is what a screen in the middle of a change looks like.
            let settled = state(&now) != state(before)
                && !matches!(state(&now), Some((AgentState::Unknown | AgentState::Starting, _)));
            if settled || another {
                return (words, true);
            }
            if tokio::time::Instant::now() >= end {
                // One that starts for so long has begun anew: it was not in the middle of a change.
                let began = asked && matches!(state(&now), Some((AgentState::Starting, _)));
                return if began { (words, true) } else { (words.replacen("now", "still", 1), false) };
            }
        }
    }
}
