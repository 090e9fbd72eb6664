//! Stops a turn, or closes a pane.

use super::{Actor, Refusal, Seen};
use crate::{
    monitor::State,
    tmux::{Command, PaneId},
};

impl Actor {
    pub(super) async fn interrupt(&self, pane: PaneId, seen: &Seen, sent: &mut String) -> Result<String, Refusal> {
        let name = seen.name(pane);
        let before = self.look(pane, seen).await?;
        before.takes_keys(&name)?;
        let agent = match &before.verdict {
            Some(verdict) if verdict.state == State::Working => verdict.agent.clone(),
            Some(verdict) => return Err(Refusal(format!("{name}: nothing to interrupt, it is {}", verdict.state))),
            None => return Err(Refusal(format!("{name}: no agent runs in it any more"))),
        };
        let keys = self.keys(&agent).interrupt();
        self.press(pane, &agent, &keys).await?;
        *sent = keys.join(" ");
        let followed = self.followed(pane, seen, &before).await;
        Ok(format!("{name}: interrupted, {followed}"))
    }

    pub(super) async fn kill(&self, pane: PaneId, seen: &Seen, sent: &mut String) -> Result<String, Refusal> {
        let name = seen.name(pane);
        let before = self.look(pane, seen).await?;
        let agent = before.agent();
        if !seen.agent.is_empty() && agent != seen.agent {
            let what = if agent.is_empty() { "no agent" } else { agent };
            return Err(Refusal(format!("{name}: not closed, {what} runs in it and not {}", seen.agent)));
        }
        self.run_one(pane, Command::new("kill-pane").target(pane)).await?;
        *sent = "kill-pane".to_owned();
        Ok(format!("{name}: pane {pane} closed"))
    }
}
