//! Does what a person asked for, keeps it in the journal and says how it ended.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use jiff::Timestamp;
use tokio::sync::mpsc;

use super::{
    Act, ActionResult, Caller, Refusal, Seen, SharedJournal, jump,
    tmux::{Look, look, run},
};
use crate::{
    app::journal::{Happened, Journal, Record},
    monitor::{
        ActKind, Acted, Command as ToEngine, EventKind, NamedAgent,
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
    engine: Option<mpsc::Sender<ToEngine>>,
    /// One act at a time for each pane: two replies must not mix.
    busy: Mutex<HashMap<PaneId, Arc<tokio::sync::Mutex<()>>>>,
}

impl Actor {
    /// Acts through this pool.
    #[must_use]
    pub fn new(pool: Pool, known: Known, caller: Caller, journal: Journal) -> Self {
        let (known, journal) = (Mutex::new(Arc::new(known)), Arc::new(Mutex::new(journal)));
        Self { pool, known, caller, journal, engine: None, busy: Mutex::default() }
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
        let done = if self.known().read_only && kind != ActKind::Jump {
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

    pub(super) async fn look(&self, pane: PaneId, seen: &Seen) -> Result<Look, Refusal> {
        let known = self.known();
        look(&self.pool, &known.profiles, &known.named, pane, &seen.agent).await
    }

    pub(super) async fn run_one(&self, pane: PaneId, command: Command) -> Result<(), Refusal> {
        for part in run(&self.pool, [command]).await? {
            part.map_err(|error| Refusal::command(pane, &error))?;
        }
        Ok(())
    }

    /// Presses keys in the order in which they are given, with the pauses that the program needs.
    pub(super) async fn press(&self, pane: PaneId, agent: &str, keys: &[String]) -> Result<(), Refusal> {
        let pause = self.keys(agent).pause();
        if pause.is_zero() {
            return self.run_one(pane, Command::send_keys(pane, keys)).await;
        }
        for (index, key) in keys.iter().enumerate() {
            if index > 0 {
                tokio::time::sleep(pause).await;
            }
            self.run_one(pane, Command::send_keys(pane, std::slice::from_ref(key))).await?;
        }
        Ok(())
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
