//! Does what a person asked for, keeps it in the journal and says how it ended.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use jiff::Timestamp;

use crate::app::act::tmux::{Look, look, run};
use crate::app::act::turn::Turn;
use crate::app::act::{ActionResult, Caller, Refusal, SharedJournal, jump};
use crate::app::core::act::{Act, Seen};
use crate::{
    app::journal::{Happened, Journal, Record},
    monitor::{
        self, ActKind, Acted, Commands, EnginePaths, EventKind, NamedAgent,
        detect::{Keys, Profiles},
    },
    tmux::{Command, PaneId, Pool, TransportChoice},
};

/// What acting goes by, and what may change when the settings are read again.
#[derive(Debug)]
pub struct Known {
    /// The agent profiles.
    pub profiles: Arc<Profiles>,
    /// Panes that the settings call agents: judged by the profiles that they name, as the engine does.
    pub named: Vec<NamedAgent>,
    /// Only jumps are done, since they type nothing.
    pub read_only: bool,
}

/// Acts on the agents of one tmux server.
pub struct Actor {
    pub(super) pool: Pool,
    known: Mutex<Arc<Known>>,
    pub(super) caller: Caller,
    journal: SharedJournal,
    engine: Option<Commands>,
    /// Where the programs of this user keep each other from acting on one pane at a time.
    locks: Option<EnginePaths>,
    /// One act at a time for each pane: two replies must not mix.
    busy: Mutex<HashMap<PaneId, Arc<tokio::sync::Mutex<()>>>>,
}

impl std::fmt::Debug for Actor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Actor").field("caller", &self.caller).finish_non_exhaustive()
    }
}

impl Actor {
    /// Acts through this pool.
    #[must_use]
    pub fn new(pool: Pool, known: Known, caller: Caller, journal: Journal) -> Self {
        let (known, journal) = (Mutex::new(Arc::new(known)), Arc::new(Mutex::new(journal)));
        Self { pool, known, caller, journal, engine: None, locks: None, busy: Mutex::default() }
    }

    /// Goes by this from now on, and by this way to tmux.
    pub fn set(&self, known: Known, transport: TransportChoice) {
        self.pool.set_transport(transport);
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(known);
    }

    /// What it goes by now.
    pub(super) fn known(&self) -> Arc<Known> {
        Arc::clone(&self.known.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Tells this engine of every act, for its events; it looks at once at what came of it.
    #[must_use]
    pub fn telling(mut self, engine: Commands) -> Self {
        self.engine = Some(engine);
        self
    }

    /// Waits, before it acts on a pane, until no other program of this user does. `paths` are those of the server's engine.
    #[must_use]
    pub fn locking(mut self, paths: EnginePaths) -> Self {
        self.locks = Some(paths);
        self
    }

    /// Does it. Never more than was asked for, and nothing when the pane is not as it was seen; the result says which.
    pub async fn perform(&self, act: Act) -> ActionResult {
        let turn = self.turn(act.pane());
        let _turn = turn.lock().await;
        let (pane, kind) = (act.pane(), act.kind());
        let mut seen = act.seen().cloned().unwrap_or_default();
        if kind == ActKind::Jump {
            // Before it goes: the journal names the place also when the jump failed.
            seen.target = jump::place(&self.pool, pane).await;
        }
        let mut sent = String::new();
        let done = match kind {
            ActKind::Jump => jump::jump(&self.pool, &self.caller, pane).await,
            _ => self.type_in(&act, &mut sent).await,
        };
        let result = match done {
            Ok(text) => ActionResult { text, ok: true },
            Err(refusal) => ActionResult { text: refusal.to_string(), ok: false },
        };
        self.keep(pane, kind, &seen, sent, &result).await;
        result
    }

    /// Types into a pane, or closes it: alone of all programs that do.
    async fn type_in(&self, act: &Act, sent: &mut String) -> Result<String, Refusal> {
        let pane = act.pane();
        if self.known().read_only {
            let why = "nothing is sent, acting is switched off (--read-only or dashboard.read_only)";
            return Err(Refusal(format!("{pane}: {why}")));
        }
        let mut turn = self.turn_of_all(pane).await?;
        match act {
            Act::Answer { pane, choice, seen } => self.answer(*pane, *choice, seen, &mut turn, sent).await,
            Act::Reply { pane, text, seen } => self.reply(*pane, text, seen, sent).await,
            Act::Interrupt { pane, seen } => self.interrupt(*pane, seen, sent).await,
            Act::Kill { pane, seen } => self.kill(*pane, seen, sent).await,
            Act::Jump { pane } => jump::jump(&self.pool, &self.caller, *pane).await,
        }
    }

    /// The right to act on a pane, before all programs of this user.
    async fn turn_of_all(&self, pane: PaneId) -> Result<Turn, Refusal> {
        let Some(paths) = self.locks.clone() else { return Ok(Turn::alone()) };
        // Not by the path of its socket: there may be several for one server.
        let mut parts = run(&self.pool, [Command::print(pane, "#{pid} #{start_time}")]).await?;
        let server = match parts.pop() {
            Some(Ok(server)) => server,
            Some(Err(error)) => return Err(Refusal::command(pane, &error)),
            None => return Err(Refusal::gone(pane)),
        };
        let taken = tokio::task::spawn_blocking(move || {
            paths.prepare().map_err(|error| error.to_string())?;
            Turn::take(paths.dir(), &server, pane)
                .map_err(|error| format!("{}: {error}", paths.dir().join("act-*.lock").display()))
        });
        let taken = taken.await.map_err(|error| Refusal(error.to_string()))?;
        taken.map_err(|why| Refusal(format!("{pane}: nothing was sent, the pane cannot be locked: {why}")))
    }

    /// Sends one message to each of several agents. A result for each, in their order; one that fails stops no other.
    pub async fn broadcast(&self, text: &str, to: Vec<(PaneId, Seen)>) -> Vec<(PaneId, ActionResult)> {
        let replies = to.into_iter().map(|(pane, seen)| async move {
            (pane, self.perform(Act::Reply { pane, text: text.to_owned(), seen }).await)
        });
        futures_util::future::join_all(replies).await
    }

    pub(super) async fn look(&self, pane: PaneId, seen: &Seen) -> Result<Look, Refusal> {
        let known = self.known();
        look(&self.pool, &known.profiles, &known.named, pane, &seen.agent).await
    }

    /// The keys of this agent's program.
    pub(super) fn keys(&self, agent: &str) -> Keys {
        self.known().profiles.get(agent).map(|profile| profile.keys.clone()).unwrap_or_default()
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
        let server = self.pool.server().socket().display().to_string();
        let what = Happened::Event(EventKind::Acted(acted.clone()));
        let record = Record::new(Timestamp::now(), server, std::process::id(), what);
        let journal = Arc::clone(&self.journal);
        let kept =
            tokio::task::spawn_blocking(move || journal.lock().unwrap_or_else(PoisonError::into_inner).append(&record));
        if let Ok(Err(error)) = kept.await {
            tracing::warn!(%error, "an act is not kept");
        }
        if let Some(engine) = &self.engine {
            engine.send(monitor::Command::Acted(acted)).await.ok();
        }
    }
}

/// The results of a message to several in one line: how many got it, and why the others did not.
#[must_use]
pub fn summary(results: &[ActionResult]) -> ActionResult {
    let failed: Vec<&str> = results.iter().filter(|one| !one.ok).map(|one| one.text.as_str()).collect();
    let sent = results.len() - failed.len();
    let text = match failed.as_slice() {
        [] => format!("message sent to {sent} agents"),
        failed => format!("message sent to {sent} of {}; not to {}", results.len(), by_reason(failed)),
    };
    ActionResult { text, ok: failed.is_empty() }
}

/// Refusals `PLACE: REASON` by their reasons: `api:0.0, web:1.1 (it asks something now); docs:0.0 (pane %3 is gone)`.
fn by_reason(refusals: &[&str]) -> String {
    let mut reasons: Vec<(&str, Vec<&str>)> = Vec::new();
    for refusal in refusals {
        let (place, reason) = refusal.split_once(": ").unwrap_or(("", refusal));
        let reason = reason.strip_prefix("nothing was sent, ").unwrap_or(reason);
        match reasons.iter_mut().find(|(other, _)| *other == reason) {
            Some((_, places)) => places.push(place),
            None => reasons.push((reason, vec![place])),
        }
    }
    let words = |(reason, places): &(&str, Vec<&str>)| match places.join(", ") {
        places if places.is_empty() => (*reason).to_owned(),
        places => format!("{places} ({reason})"),
    };
    reasons.iter().map(words).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_are_listed_by_their_reasons() {
        let listed = by_reason(&[
            "a b:0.0: nothing was sent, it asks: so",
            "c:1.0: it is gone",
            "d:0.1: nothing was sent, it asks: so",
        ]);
        assert_eq!(listed, "a b:0.0, d:0.1 (it asks: so); c:1.0 (it is gone)");
        assert_eq!(by_reason(&["tmux is gone"]), "tmux is gone");
    }
}
