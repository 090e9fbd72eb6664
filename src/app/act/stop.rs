//! Stops a turn, or closes a pane.

use crate::app::act::tmux::{Look, run};
use crate::app::act::{Actor, Refusal};
use crate::app::core::act::Seen;
use crate::{
    monitor::AgentState,
    tmux::{Command, Guard, PaneId},
};

impl Actor {
    pub(super) async fn interrupt(&self, pane: PaneId, seen: &Seen, sent: &mut String) -> Result<String, Refusal> {
        let name = seen.name(pane);
        let before = self.look(pane, seen).await?;
        let fits = |look: &Look| {
            look.takes_keys(&name)?;
            look.same_agent(seen).map_err(|why| Refusal(format!("{name}: nothing was sent, {why}")))?;
            match look.verdict.as_ref().map(|verdict| verdict.state) {
                Some(AgentState::Working) | None => Ok(()),
                Some(state) => Err(Refusal(format!("{name}: nothing to interrupt, it is {state}"))),
            }
        };
        let keys = self.keys(before.agent());
        let pressed = keys.interrupt();
        // Some programs take keys that come together for one.
        let at_once = if keys.pause().is_zero() { pressed.len().max(1) } else { 1 };
        for (index, together) in pressed.chunks(at_once).enumerate() {
            if index > 0 {
                tokio::time::sleep(keys.pause()).await;
            }
            match self.press_where(pane, seen, together, fits).await {
                Ok(()) => *sent = pressed[..(index + 1) * at_once].join(" "),
                // The first key was enough, or something came up that the others are not meant for.
                Err(_) if index > 0 => break,
                Err(refusal) => return Err(refusal),
            }
        }
        let (followed, changed) = self.followed(pane, seen, &before).await;
        if changed {
            return Ok(format!("{name}: interrupted, {followed}"));
        }
        Err(Refusal(format!("{name}: {sent} was pressed, but it is {followed}")))
    }

    pub(super) async fn kill(&self, pane: PaneId, seen: &Seen, sent: &mut String) -> Result<String, Refusal> {
        let name = seen.name(pane);
        let before = self.look(pane, seen).await?;
        before.same_agent(seen).map_err(|why| Refusal(format!("{name}: not closed, {why}")))?;
        // The pane's own process once more, in the step that closes it.
        let guard = Guard::process(pane, before.pane.pid);
        let mut parts = run(&self.pool, [guard.then(&[Command::new("kill-pane").target(pane)])]).await?;
        match parts.pop() {
            Some(Ok(printed)) if Guard::was_done(&printed) => {}
            Some(Err(error)) => return Err(Refusal::command(pane, &error)),
            _ => return Err(Refusal(format!("{name}: not closed, another program was started in it"))),
        }
        *sent = "kill-pane".to_owned();
        Ok(format!("{name}: pane {pane} closed"))
    }
}
