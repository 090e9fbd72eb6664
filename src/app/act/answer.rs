//! Picks an answer of a prompt: of the one that was seen, or of none.

use std::{ops::Range, time::Duration};

use crate::app::act::prompt::{Differs, same_prompt};
use crate::app::act::tmux::Look;
use crate::app::act::turn::Turn;
use crate::app::act::{Actor, Refusal};
use crate::app::core::act::Seen;
use crate::tmux::PaneId;

/// Looks at what may differ only because something blinks, and the time between them: no bullet blinks more slowly.
const BLINKS: usize = 6;
const BLINK: Duration = Duration::from_millis(250);

impl Actor {
    pub(super) async fn answer(
        &self,
        pane: PaneId,
        choice: usize,
        seen: &Seen,
        turn: &mut Turn,
        sent: &mut String,
    ) -> Result<String, Refusal> {
        let name = seen.name(pane);
        let label = &seen.choices.get(choice).ok_or_else(|| Refusal(format!("{name}: there is no such answer")))?.label;
        let (before, shown) = self.same_prompt(pane, seen).await?;
        let request = before.screen.rows().take(shown.end).skip(shown.start).collect::<Vec<_>>().join("\n");
        if let Some(ago) = turn.answered(&request) {
            let ago = ago.as_millis();
            return Err(Refusal(format!(
                "{name}: nothing was sent, the same prompt was answered {ago} ms ago: look at it again in a moment"
            )));
        }
        // The keys of this moment: some start from the mark, which only a screen read with its colours tells.
        let now = before.verdict.as_ref().and_then(|verdict| verdict.choices.get(choice));
        let keys = now.map(|choice| choice.keys.clone()).unwrap_or_default();
        if keys.is_empty() {
            let why = format!("{name}: no key is known for '{label}'; jump to it and answer there");
            return Err(Refusal(why));
        }
        self.press_answer(pane, seen, &before, shown, &keys).await?;
        turn.answer(&request);
        *sent = keys.join(" ");
        let (followed, changed) = self.followed(pane, seen, &before).await;
        turn.answer(&request);
        if changed {
            return Ok(format!("{name}: answered '{label}', {followed}"));
        }
        Err(Refusal(format!("{name}: {sent} was pressed for '{label}', but it is {followed}: look at it")))
    }

    /// A look at the pane that shows the prompt which was seen, and the rows that it takes.
    async fn same_prompt(&self, pane: PaneId, seen: &Seen) -> Result<(Look, Range<usize>), Refusal> {
        let name = seen.name(pane);
        let mut looks = 0;
        loop {
            let look = self.look(pane, seen).await?;
            look.takes_keys(&name)?;
            looks += 1;
            match same_prompt(&self.known().profiles, &look, seen) {
                Ok(shown) => return Ok((look, shown)),
                Err(Differs::Perhaps(_)) if looks < BLINKS => tokio::time::sleep(BLINK).await,
                Err(differs) => return Err(differs.refusal(&name)),
            }
        }
    }
}
