//! Does what a person asked for, keeps it in the journal and says how it ended.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use jiff::Timestamp;
use tokio::sync::mpsc;

use super::{
    ActionResult, Caller, Refusal, Seen, SharedJournal,
    interrupt::interrupt_keys,
    jump,
    reply::{Sent, type_text},
    seen::same_prompt,
    tmux::{Look, look, run},
};
use crate::{
    app::{
        journal::{Happened, Journal, Record},
        message::Effect,
    },
    monitor::{ActKind, Acted, Command as ToEngine, EventKind, State, detect::Profiles},
    tmux::{Command, PaneId, Pool},
};

/// How long the state that follows is waited for.
const FOLLOW_UP: Duration = Duration::from_millis(2500);

/// Time between two looks while it is waited for.
const LOOK_EVERY: Duration = Duration::from_millis(80);

/// Something to be done to an agent.
#[derive(Clone, Debug, PartialEq)]
pub enum Act {
    /// Take the person's client to the pane.
    Jump {
        /// The pane.
        pane: PaneId,
    },
    /// Pick an answer of a prompt.
    Answer {
        /// The pane.
        pane: PaneId,
        /// Which of `seen.choices`, from 0.
        choice: usize,
        /// The prompt that was looked at.
        seen: Seen,
    },
    /// Send a message.
    Reply {
        /// The pane.
        pane: PaneId,
        /// The text; several lines are one message.
        text: String,
        /// What the pane showed.
        seen: Seen,
    },
    /// Stop the turn that runs.
    Interrupt {
        /// The pane.
        pane: PaneId,
        /// What the pane showed.
        seen: Seen,
    },
    /// Close the pane and end what runs in it.
    Kill {
        /// The pane.
        pane: PaneId,
        /// What the pane showed.
        seen: Seen,
    },
}

/// Acts on the agents of one tmux server.
pub struct Actor {
    pub(super) pool: Pool,
    pub(super) profiles: Arc<Profiles>,
    pub(super) caller: Caller,
    read_only: bool,
    journal: SharedJournal,
    engine: Option<mpsc::Sender<ToEngine>>,
    /// One act at a time for each pane: two replies must not mix.
    busy: Mutex<HashMap<PaneId, Arc<tokio::sync::Mutex<()>>>>,
}

impl Actor {
    /// Acts through this pool. `read_only`: only jumps are done, since they type nothing.
    #[must_use]
    pub fn new(pool: Pool, profiles: Arc<Profiles>, caller: Caller, read_only: bool, journal: Journal) -> Self {
        let journal = Arc::new(Mutex::new(journal));
        Self { pool, profiles, caller, read_only, journal, engine: None, busy: Mutex::default() }
    }

    /// Tells this engine of every act, for its events; it looks at once at what came of it.
    #[must_use]
    pub fn telling(mut self, engine: mpsc::Sender<ToEngine>) -> Self {
        self.engine = Some(engine);
        self
    }

    /// Does it. Never more than was asked for, and nothing when the pane is not as it was seen; the result says which.
    pub async fn perform(&self, act: Act) -> ActionResult {
        let turn = self.turn(act.pane());
        let _turn = turn.lock().await;
        let (pane, kind) = (act.pane(), act.kind());
        let seen = act.seen().cloned().unwrap_or_default();
        let mut sent = String::new();
        let done = if self.read_only && kind != ActKind::Jump {
            Err(Refusal(format!(
                "{pane}: nothing is sent, acting is switched off (--read-only or dashboard.read_only)"
            )))
        } else {
            match &act {
                Act::Jump { pane } => jump::jump(&self.pool, &self.caller, *pane).await,
                Act::Answer { pane, choice, seen } => self.answer(*pane, *choice, seen, &mut sent).await,
                Act::Reply { pane, text, seen } => self.reply(*pane, text, seen, &mut sent).await,
                Act::Interrupt { pane, seen } => self.interrupt(*pane, seen, &mut sent).await,
                Act::Kill { pane, seen } => self.kill(*pane, seen, &mut sent).await,
            }
        };
        let result = match done {
            Ok(text) => ActionResult { text, ok: true },
            Err(refusal) => ActionResult { text: refusal.to_string(), ok: false },
        };
        self.keep(pane, kind, &seen, sent, &result).await;
        result
    }

    /// Sends one message to each of several agents. A result for each, in their order; one that fails stops no other.
    pub async fn broadcast(&self, text: &str, to: Vec<(PaneId, Seen)>) -> Vec<(PaneId, ActionResult)> {
        let replies = to.into_iter().map(|(pane, seen)| async move {
            (pane, self.perform(Act::Reply { pane, text: text.to_owned(), seen }).await)
        });
        futures_util::future::join_all(replies).await
    }

    /// [`Actor::broadcast`] with its results in one line: how many got it, and why the others did not.
    pub async fn broadcast_summary(&self, text: &str, to: Vec<(PaneId, Seen)>) -> ActionResult {
        let results = self.broadcast(text, to).await;
        let failed: Vec<&str> = results.iter().filter(|(_, one)| !one.ok).map(|(_, one)| one.text.as_str()).collect();
        let sent = results.len() - failed.len();
        let text = match failed.as_slice() {
            [] => format!("message sent to {sent} agents"),
            failed => format!("message sent to {sent} of {}; {}", results.len(), failed.join("; ")),
        };
        ActionResult { text, ok: failed.is_empty() }
    }

    async fn answer(&self, pane: PaneId, choice: usize, seen: &Seen, sent: &mut String) -> Result<String, Refusal> {
        let name = name(pane, seen);
        let choice = seen.choices.get(choice).ok_or_else(|| Refusal(format!("{name}: there is no such answer")))?;
        if choice.keys.is_empty() {
            return Err(Refusal(format!(
                "{name}: no key is known for '{}'; jump to it and answer there",
                choice.label
            )));
        }
        let before = self.look(pane, seen).await?;
        takes_keys(&before, &name)?;
        check_prompt(&before, seen, &name)?;
        self.run_one(pane, Command::send_keys(pane, &choice.keys)).await?;
        *sent = choice.keys.join(" ");
        let followed = self.followed(pane, seen, &before).await;
        Ok(format!("{name}: answered '{}', {followed}", choice.label))
    }

    async fn reply(&self, pane: PaneId, text: &str, seen: &Seen, sent: &mut String) -> Result<String, Refusal> {
        let name = name(pane, seen);
        let text = super::reply::tidy(text).ok_or_else(|| Refusal(format!("{name}: the message is empty")))?;
        let before = self.look(pane, seen).await?;
        takes_keys(&before, &name)?;
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

    async fn interrupt(&self, pane: PaneId, seen: &Seen, sent: &mut String) -> Result<String, Refusal> {
        let name = name(pane, seen);
        let before = self.look(pane, seen).await?;
        takes_keys(&before, &name)?;
        let agent = match &before.verdict {
            Some(verdict) if verdict.state == State::Working => verdict.agent.clone(),
            Some(verdict) => return Err(Refusal(format!("{name}: nothing to interrupt, it is {}", verdict.state))),
            None => return Err(Refusal(format!("{name}: no agent runs in it any more"))),
        };
        let keys: Vec<String> = interrupt_keys(&agent).iter().map(ToString::to_string).collect();
        self.run_one(pane, Command::send_keys(pane, &keys)).await?;
        *sent = keys.join(" ");
        let followed = self.followed(pane, seen, &before).await;
        Ok(format!("{name}: interrupted, {followed}"))
    }

    async fn kill(&self, pane: PaneId, seen: &Seen, sent: &mut String) -> Result<String, Refusal> {
        let name = name(pane, seen);
        let before = self.look(pane, seen).await?;
        let agent = before.verdict.as_ref().map_or("", |verdict| verdict.agent.as_str());
        if !seen.agent.is_empty() && agent != seen.agent {
            let what = if agent.is_empty() { "no agent" } else { agent };
            return Err(Refusal(format!("{name}: not closed, {what} runs in it and not {}", seen.agent)));
        }
        self.run_one(pane, Command::new("kill-pane").target(pane)).await?;
        *sent = "kill-pane".to_owned();
        Ok(format!("{name}: pane {pane} closed"))
    }

    pub(super) async fn look(&self, pane: PaneId, seen: &Seen) -> Result<Look, Refusal> {
        look(&self.pool, &self.profiles, pane, &seen.agent).await
    }

    pub(super) async fn run_one(&self, pane: PaneId, command: Command) -> Result<(), Refusal> {
        for part in run(&self.pool, [command]).await? {
            part.map_err(|error| Refusal::command(pane, &error))?;
        }
        Ok(())
    }

    /// What the agent does after it was acted on, in words.
    async fn followed(&self, pane: PaneId, seen: &Seen, before: &Look) -> String {
        let end = tokio::time::Instant::now() + FOLLOW_UP;
        let state = |look: &Look| look.verdict.as_ref().map(|verdict| (verdict.state, verdict.kind.clone()));
        let asked = before.verdict.as_ref().is_some_and(|verdict| verdict.state == State::Waiting);
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            let now = match self.look(pane, seen).await {
                Ok(now) => now,
                Err(refusal) => return format!("then: {refusal}"),
            };
            let another = asked
                && now.verdict.as_ref().is_some_and(|verdict| verdict.state == State::Waiting)
                && !same_prompt(before.screen.rows(), now.screen.rows(), &seen.choices);
            let words = match state(&now) {
                None => "no agent runs in it any more".to_owned(),
                Some(_) if another => "it asks again".to_owned(),
                Some((state, Some(kind))) => format!("now {state} ({kind})"),
                Some((state, None)) => format!("now {state}"),
            };
            // `unknown` is what a screen in the middle of a change looks like.
            let settled = state(&now) != state(before) && !matches!(state(&now), Some((State::Unknown, _)));
            if settled || another {
                return words;
            }
            if tokio::time::Instant::now() >= end {
                return words.replacen("now", "still", 1);
            }
        }
    }

    fn turn(&self, pane: PaneId) -> Arc<tokio::sync::Mutex<()>> {
        Arc::clone(self.busy.lock().unwrap_or_else(PoisonError::into_inner).entry(pane).or_default())
    }

    async fn keep(&self, pane: PaneId, act: ActKind, seen: &Seen, sent: String, result: &ActionResult) {
        let acted = Acted {
            pane_id: pane,
            target: seen.target.clone(),
            agent: seen.agent.clone(),
            act,
            sent,
            ok: result.ok,
            result: result.text.clone(),
        };
        let record = Record {
            at: Timestamp::now(),
            server: self.pool.server().socket().display().to_string(),
            by: std::process::id(),
            seq: None,
            what: Happened::Event(EventKind::Acted(acted.clone())),
        };
        let journal = Arc::clone(&self.journal);
        let kept =
            tokio::task::spawn_blocking(move || journal.lock().unwrap_or_else(PoisonError::into_inner).append(&record));
        if let Ok(Err(error)) = kept.await {
            tracing::warn!(%error, "an act is not kept");
        }
        if let Some(engine) = &self.engine {
            engine.send(ToEngine::Acted(acted)).await.ok();
        }
    }
}

impl Act {
    /// The pane it is about.
    #[must_use]
    pub fn pane(&self) -> PaneId {
        match self {
            Self::Jump { pane }
            | Self::Answer { pane, .. }
            | Self::Reply { pane, .. }
            | Self::Interrupt { pane, .. }
            | Self::Kill { pane, .. } => *pane,
        }
    }

    /// Its kind.
    #[must_use]
    pub fn kind(&self) -> ActKind {
        match self {
            Self::Jump { .. } => ActKind::Jump,
            Self::Answer { .. } => ActKind::Answer,
            Self::Reply { .. } => ActKind::Reply,
            Self::Interrupt { .. } => ActKind::Interrupt,
            Self::Kill { .. } => ActKind::Kill,
        }
    }

    /// What an effect of the dashboard asks to be done; `None` for effects that are no acts.
    #[must_use]
    pub fn from_effect(effect: Effect) -> Option<Self> {
        Some(match effect {
            Effect::Jump(pane) => Self::Jump { pane },
            Effect::Answer { pane, choice, seen } => Self::Answer { pane, choice, seen },
            Effect::Reply { pane, text, seen } => Self::Reply { pane, text, seen },
            Effect::Interrupt { pane, seen } => Self::Interrupt { pane, seen },
            Effect::Kill { pane, seen } => Self::Kill { pane, seen },
            _ => return None,
        })
    }

    fn seen(&self) -> Option<&Seen> {
        match self {
            Self::Jump { .. } => None,
            Self::Answer { seen, .. }
            | Self::Reply { seen, .. }
            | Self::Interrupt { seen, .. }
            | Self::Kill { seen, .. } => Some(seen),
        }
    }
}

fn name(pane: PaneId, seen: &Seen) -> String {
    if seen.target.is_empty() { pane.to_string() } else { seen.target.clone() }
}

/// Whether keys for this pane would reach its program, and only it.
pub(super) fn takes_keys(look: &Look, name: &str) -> Result<(), Refusal> {
    let problem = if look.pane.dead {
        "its program has ended"
    } else if look.pane.in_mode {
        "it is in copy mode, which would take the keys: leave that mode first"
    } else if look.synchronized {
        "its window has synchronize-panes on, so other panes would get the keys too: turn that off first"
    } else if look.input_off {
        "its input is turned off (select-pane -d): turn it on first"
    } else {
        return Ok(());
    };
    Err(Refusal(format!("{name}: nothing was sent, {problem}")))
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
    if verdict.choices != seen.choices {
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

/// Whether a message for this pane would be read as a message.
pub(super) fn takes_messages(look: &Look, seen: &Seen, name: &str) -> Result<(), Refusal> {
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
