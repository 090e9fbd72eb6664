//! Picks an answer of a prompt: of the one that was seen, or of none.

use super::{Actor, Refusal, Seen, seen::same_prompt, tmux::Look};
use crate::{
    monitor::{Choice, State},
    tmux::PaneId,
};

impl Actor {
    pub(super) async fn answer(
        &self,
        pane: PaneId,
        choice: usize,
        seen: &Seen,
        sent: &mut String,
    ) -> Result<String, Refusal> {
        let name = seen.name(pane);
        let label = &seen.choices.get(choice).ok_or_else(|| Refusal(format!("{name}: there is no such answer")))?.label;
        let before = self.look(pane, seen).await?;
        before.takes_keys(&name)?;
        check_prompt(&before, seen, &name)?;
        // The keys of this moment: some start from the mark, which only a screen read with its colours tells.
        let now = before.verdict.as_ref().and_then(|verdict| verdict.choices.get(choice));
        let keys = now.map(|choice| choice.keys.clone()).unwrap_or_default();
        if keys.is_empty() {
            let why = format!("{name}: no key is known for '{label}'; jump to it and answer there");
            return Err(Refusal(why));
        }
        self.press(pane, before.agent(), &keys).await?;
        *sent = keys.join(" ");
        let followed = self.followed(pane, seen, &before).await;
        Ok(format!("{name}: answered '{label}', {followed}"))
    }
}

/// Whether the pane still shows the prompt that was seen.
fn check_prompt(look: &Look, seen: &Seen, name: &str) -> Result<(), Refusal> {
    let changed = |what: String| Err(Refusal(format!("{name}: nothing was sent, {what}")));
    let Some(verdict) = &look.verdict else { return changed("no agent runs in it any more".to_owned()) };
    if verdict.state != State::Waiting {
        return changed(format!("its prompt is gone: it is {} now", verdict.state));
    }
    if verdict.agent != seen.agent && !seen.agent.is_empty() {
        return changed(format!("{} runs in it now and not {}", verdict.agent, seen.agent));
    }
    let another = || changed("its prompt has changed: look at it again".to_owned());
    // Their labels only: the mark that is seen is in the rows, and one told by colour does not matter.
    let labels = |choices: &[Choice]| choices.iter().map(|choice| choice.label.clone()).collect::<Vec<_>>();
    if labels(&verdict.choices) != labels(&seen.choices) {
        return another();
    }
    if seen.rows.is_empty() {
        // Its screen was not in view: what was seen is the question and the answers.
        let same =
            verdict.evidence.rule == seen.rule && verdict.evidence.line == seen.line && verdict.doing == seen.doing;
        return if same { Ok(()) } else { another() };
    }
    let same = same_prompt(seen.rows.iter().map(String::as_str), look.screen.rows(), &seen.choices);
    if same { Ok(()) } else { another() }
}
