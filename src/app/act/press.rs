//! Presses keys: each time in one step of the tmux server with the last look at the pane.

use std::{ops::Range, time::Duration};

use crate::app::act::prompt::{rows, same_rows, same_walk};
use crate::app::act::tmux::{Look, run};
use crate::app::act::{Actor, Refusal};
use crate::app::core::act::Seen;
use crate::tmux::{Command, Guard, PaneId, Screen};

/// Pauses before each look that must find a prompt unchanged before it is answered, in milliseconds. One that changes to
/// and fro faster than a key goes from here to its program is not aimed at: after sixteen looks, of which each finds the
/// same of two requests by chance, one key in 65 000 would be.
const STILL: [u64; 16] = [3, 8, 5, 10, 7, 4, 9, 6, 2, 7, 4, 11, 5, 8, 3, 6];

/// Times that a key is tried whose screen changes between the look and the key.
const TRIES: usize = 8;

/// Rows at the end of the screen that must be the same when a message is sent off or a turn is stopped: there programs
/// have their input, or the prompt in its place.
const LAST_ROWS: usize = 6;

impl Actor {
    /// Presses keys if the guard holds, in one step of the server. Whether they were pressed.
    async fn press_if(&self, pane: PaneId, guard: &Guard, keys: &[String]) -> Result<bool, Refusal> {
        let mut parts = run(&self.pool, [guard.then(&[Command::send_keys(pane, keys)])]).await?;
        match parts.pop() {
            Some(Ok(printed)) => Ok(Guard::was_done(&printed)),
            Some(Err(error)) => Err(Refusal::command(pane, &error)),
            None => Err(Refusal("tmux gave no answer".to_owned())),
        }
    }

    /// Presses the keys of an answer, if these rows of its prompt hold still and are there when the keys are.
    pub(super) async fn press_answer(
        &self,
        pane: PaneId,
        seen: &Seen,
        look: &Look,
        shown: Range<usize>,
        keys: &[String],
    ) -> Result<(), Refusal> {
        let name = seen.name(pane);
        let refuse = |what: &str| Err(Refusal(format!("{name}: nothing was sent, {what}")));
        let guard = look.guard(shown.clone());
        if guard.rows() == 0 {
            return refuse("no row of its prompt can be compared by tmux: jump to it and answer there");
        }
        if !self.holds_still(pane, look, shown).await? {
            return refuse("its prompt does not hold still: look at it again");
        }
        let pause = self.keys(look.agent()).pause();
        // Some programs take keys that come together for something else.
        let at_once = if pause.is_zero() { keys.len() } else { 1 };
        let (first, later) = keys.split_at(at_once.min(keys.len()));
        if !self.press_if(pane, &guard, first).await? {
            return refuse("its prompt has changed: look at it again");
        }
        for (index, key) in later.iter().enumerate() {
            tokio::time::sleep(pause).await;
            let pressed = keys[..=index].join(" ");
            let changed =
                || Refusal(format!("{name}: {pressed} was pressed, then its prompt changed: look at it again"));
            let now = self.look(pane, seen).await?;
            now.takes_keys(&name)?;
            let shown = same_walk(&self.known().profiles, look, &now, seen).ok_or_else(changed)?;
            if !self.press_if(pane, &now.guard(shown), std::slice::from_ref(key)).await? {
                return Err(changed());
            }
        }
        Ok(())
    }

    /// Whether these rows are the same at each of several looks.
    async fn holds_still(&self, pane: PaneId, look: &Look, shown: Range<usize>) -> Result<bool, Refusal> {
        let choices = look.verdict.as_ref().map(|verdict| verdict.choices.as_slice()).unwrap_or_default();
        let shown_before = part(&look.screen, shown.clone());
        // What comes up below a prompt that goes down to the end of the screen belongs to it.
        let end = if shown.end < rows(&look.screen).len() { shown.end } else { usize::MAX };
        for pause in STILL {
            tokio::time::sleep(Duration::from_millis(pause)).await;
            let mut parts = run(&self.pool, [Command::capture(pane, false)]).await?;
            let captured = match parts.pop() {
                Some(Ok(captured)) => captured,
                Some(Err(error)) => return Err(Refusal::command(pane, &error)),
                None => return Ok(false),
            };
            if !same_rows(&shown_before, &part(&Screen::plain(captured.as_bytes()), shown.start..end), choices) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Presses keys that answer nothing (the end of a message, an interrupt) while `fits` says that they mean at this
    /// look what they are meant for. What moves meanwhile is looked at again.
    pub(super) async fn press_where(
        &self,
        pane: PaneId,
        seen: &Seen,
        keys: &[String],
        fits: impl Fn(&Look) -> Result<(), Refusal>,
    ) -> Result<(), Refusal> {
        for _ in 0..TRIES {
            let now = self.look(pane, seen).await?;
            fits(&now)?;
            let end = rows(&now.screen).len();
            if self.press_if(pane, &now.guard(end.saturating_sub(LAST_ROWS)..end), keys).await? {
                return Ok(());
            }
        }
        Err(Refusal(format!("{}: its screen does not hold still long enough to press a key safely", seen.name(pane))))
    }
}

/// These rows of a screen, as far as it goes.
fn part(screen: &Screen, range: Range<usize>) -> Vec<&str> {
    let rows = rows(screen);
    rows.get(range.start..range.end.min(rows.len())).unwrap_or_default().to_vec()
}
