//! Types a message into an agent's input: one bracketed paste, then Enter when the text is there.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use super::{
    Actor, Refusal, Seen,
    tmux::{Look, run},
};
use crate::{
    monitor::State,
    tmux::{Command, PaneId},
};

/// Longest message, bytes: what is longer belongs into a file that the agent reads.
const LONGEST: usize = 64 * 1024;

/// How long the pasted text is waited for before Enter is pressed all the same.
const ARRIVES_WITHIN: Duration = Duration::from_millis(1500);

/// Least time between the paste and Enter: programs take an Enter that comes with the paste for a part of it.
const SETTLES: Duration = Duration::from_millis(120);

/// Time between two looks at the input.
const LOOK_EVERY: Duration = Duration::from_millis(60);

/// How a message went.
enum Sent {
    /// Enter was pressed.
    Entered,
    /// The text was pasted, but something came in between before Enter.
    NotEntered(String),
}

/// A message without what no input line can hold: controls, escapes and invisible marks go, lines stay lines. `None`
/// when nothing is left or it is too long.
#[must_use]
fn tidy(text: &str) -> Option<String> {
    if text.len() > LONGEST {
        return None;
    }
    // `clean` would end a paste's own brackets too, were they in the text.
    let lines: Vec<String> = text.replace("\r\n", "\n").split(['\n', '\r']).map(crate::tmux::clean).collect();
    let text = lines.join("\n");
    let text = text.trim_matches('\n').trim_end();
    (!text.trim().is_empty()).then(|| text.to_owned())
}

impl Actor {
    pub(super) async fn reply(
        &self,
        pane: PaneId,
        text: &str,
        seen: &Seen,
        sent: &mut String,
    ) -> Result<String, Refusal> {
        let name = seen.name(pane);
        let text = tidy(text).ok_or_else(|| Refusal(format!("{name}: the message is empty")))?;
        let before = self.look(pane, seen).await?;
        before.takes_keys(&name)?;
        takes_messages(&before, seen, &name)?;
        match type_text(self, pane, seen, &text, &before).await? {
            Sent::Entered => {}
            Sent::NotEntered(why) => {
                *sent = text;
                return Err(Refusal(format!("{name}: the message is in its input but was not sent off: {why}")));
            }
        }
        *sent = text;
        let followed = self.followed(pane, seen, &before).await;
        Ok(format!("{name}: message sent, {followed}"))
    }
}

/// Whether a message for this pane would be read as a message.
fn takes_messages(look: &Look, seen: &Seen, name: &str) -> Result<(), Refusal> {
    let refuse = |what: String| Err(Refusal(format!("{name}: nothing was sent, {what}")));
    let Some(verdict) = &look.verdict else { return refuse("no agent runs in it any more".to_owned()) };
    if verdict.agent != seen.agent && !seen.agent.is_empty() {
        return refuse(format!("{} runs in it now and not {}", verdict.agent, seen.agent));
    }
    match (verdict.state, verdict.kind.as_deref()) {
        (State::Waiting, _) => refuse("it asks something now: answer its prompt".to_owned()),
        (State::Exited, _) => refuse("its program has ended, a shell would run the text".to_owned()),
        (State::Unknown, Some("suspended")) => refuse("its program is suspended: bring it back with fg".to_owned()),
        (State::Unknown | State::Starting, _) => {
            refuse("what it shows is not recognised: jump to it and type there".to_owned())
        }
        _ => Ok(()),
    }
}

/// Pastes the text and presses Enter.
async fn type_text(actor: &Actor, pane: PaneId, seen: &Seen, text: &str, before: &Look) -> Result<Sent, Refusal> {
    paste(actor, pane, text).await?;
    let started = tokio::time::Instant::now();
    let rows = |look: &Look| look.screen.text().to_owned();
    let (first, mut last) = (rows(before), None);
    let name = seen.name(pane);
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        let now = match actor.look(pane, seen).await {
            Ok(now) => now,
            Err(refusal) => return Ok(Sent::NotEntered(refusal.to_string())),
        };
        // A prompt that came up meanwhile would take Enter for its answer.
        if let Err(refusal) = now.takes_keys(&name).and_then(|()| takes_messages(&now, seen, &name)) {
            return Ok(Sent::NotEntered(refusal.to_string()));
        }
        let now = rows(&now);
        let arrived = now != first && last.as_ref() == Some(&now) && started.elapsed() >= SETTLES;
        if arrived || started.elapsed() >= ARRIVES_WITHIN {
            break;
        }
        last = Some(now);
    }
    match actor.press(pane, before.agent(), &actor.keys(before.agent()).submit()).await {
        Ok(()) => Ok(Sent::Entered),
        Err(refusal) => Ok(Sent::NotEntered(refusal.to_string())),
    }
}

/// Pastes the text through a buffer of its own, which is gone afterwards however it ends.
async fn paste(actor: &Actor, pane: PaneId, text: &str) -> Result<(), Refusal> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let buffer = format!("tmux-orc-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
    let remove = Command::new("delete-buffer").args(["-b", &buffer]);
    let [set, paste] = Command::paste(pane, text, &buffer);
    // `paste-buffer -d` removes the buffer; the third command does when the paste failed, and else fails itself.
    match run(&actor.pool, [set, paste, remove.clone()]).await {
        Ok(parts) => {
            for part in parts.into_iter().take(2) {
                part.map_err(|error| Refusal::command(pane, &error))?;
            }
            Ok(())
        }
        Err(error) => {
            run(&actor.pool, [remove]).await.ok();
            Err(error.into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_keep_their_lines_and_lose_what_could_act() {
        assert_eq!(tidy("one\r\ntwo\n\n  three ✓ 日本\n\n").as_deref(), Some("one\ntwo\n\n  three ✓ 日本"));
        assert_eq!(tidy("a\x1b[201~rm -rf /\x07b").as_deref(), Some("arm -rf /b"));
        assert_eq!(tidy(" \n\x1b[A\n "), None);
        assert_eq!(tidy(&"x".repeat(LONGEST + 1)), None);
    }
}
