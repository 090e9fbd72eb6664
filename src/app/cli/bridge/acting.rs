//! Acts that a hub asks for: done here, on the pane's own machine, with the same looks, comparisons and locks as any act,
//! and answered once. None is done twice.

use std::sync::Arc;

use tokio::{
    sync::{Mutex, Semaphore, mpsc},
    task::{JoinHandle, JoinSet},
};

use crate::app::act::{ActionResult, Actor, Caller};
use crate::app::cli::act::actor;
use crate::app::cli::bridge::Work;
use crate::app::core::act::Act;
use crate::monitor::link::lines;
use crate::monitor::link::lines::{ActLine, ActedLine, message};
use crate::monitor::{AttachError, Client, Handle, LinkedHost};
use crate::tmux::Server;

/// Most acts on one member at once.
const AT_ONCE: usize = 8;

/// Who acts on one member.
pub(super) struct Acting {
    key: String,
    doing: Arc<Whose>,
    out: mpsc::Sender<Vec<u8>>,
    /// The highest number so far: the hub counts.
    last: u64,
    room: Arc<Semaphore>,
    /// They end with the member.
    tasks: JoinSet<()>,
}

/// Whose panes they are.
enum Whose {
    /// This machine's.
    Here(Doing),
    /// Those of a member of one of this machine's own hosts: its bridge acts.
    There { host: Arc<LinkedHost>, key: String },
}

struct Doing {
    server: Server,
    work: Work,
    /// Made for the first act; again when its engine is gone.
    actor: Mutex<Option<Ready>>,
}

struct Ready {
    actor: Arc<Actor>,
    /// The engine that is told of acts; `None`: none runs in the background.
    engine: Option<(Handle, JoinHandle<AttachError>)>,
}

impl Acting {
    pub(super) fn here(key: &str, server: Server, work: &Work) -> Self {
        Self::new(key, Whose::Here(Doing { server, work: work.clone(), actor: Mutex::new(None) }), work)
    }

    pub(super) fn there(key: &str, host: Arc<LinkedHost>, its_key: &str, work: &Work) -> Self {
        Self::new(key, Whose::There { host, key: its_key.to_owned() }, work)
    }

    fn new(key: &str, doing: Whose, work: &Work) -> Self {
        Self {
            key: key.to_owned(),
            doing: Arc::new(doing),
            out: work.out.clone(),
            last: 0,
            room: Arc::new(Semaphore::new(AT_ONCE)),
            tasks: JoinSet::new(),
        }
    }

    /// Does what a line asks for, and answers it.
    pub(super) fn act(&mut self, line: &[u8]) {
        while self.tasks.try_join_next().is_some() {}
        // Without a number there is nothing to answer.
        let Ok(lines::Acting::Act(ActLine { id, act })) = serde_json::from_slice(line) else { return };
        let twice = id <= self.last;
        self.last = self.last.max(id);
        let act = match serde_json::from_value::<Act>(act) {
            _ if twice => Err("nothing was done, this was asked for before".to_owned()),
            Ok(Act::Jump { .. }) => Err("nothing was done, a jump to another host goes by a terminal".to_owned()),
            Ok(act) => Ok(act),
            Err(error) => Err(format!("nothing was done, this version does not understand it: {error}")),
        };
        let room = Arc::clone(&self.room).try_acquire_owned();
        let (doing, out, key) = (Arc::clone(&self.doing), self.out.clone(), self.key.clone());
        self.tasks.spawn(async move {
            let ActionResult { text, ok } = match (act, room) {
                (Err(text), _) => ActionResult { text, ok: false },
                (Ok(_), Err(_)) => {
                    ActionResult { text: "nothing was done, too many acts wait already".to_owned(), ok: false }
                }
                (Ok(act), Ok(_room)) => doing.perform(act).await,
            };
            let acted = lines::Acting::Acted(ActedLine { id, ok, text });
            out.send(message(&key, &acted)).await.ok();
        });
    }
}

impl Whose {
    async fn perform(&self, act: Act) -> ActionResult {
        match self {
            Self::Here(doing) => doing.perform(act).await,
            Self::There { host, key } => match serde_json::to_value(&act) {
                Ok(act) => match host.act(key, act).await {
                    Ok(answer) => ActionResult {
                        text: answer["text"].as_str().unwrap_or_default().to_owned(),
                        ok: answer["ok"] == true,
                    },
                    Err(lost) => ActionResult { text: lost.to_string(), ok: false },
                },
                Err(error) => ActionResult { text: error.to_string(), ok: false },
            },
        }
    }
}

impl Doing {
    async fn perform(&self, act: Act) -> ActionResult {
        match self.actor().await {
            Ok(actor) => actor.perform(act).await,
            Err(text) => ActionResult { text: format!("nothing was done: {text}"), ok: false },
        }
    }

    async fn actor(&self) -> Result<Arc<Actor>, String> {
        let mut ready = self.actor.lock().await;
        let usable = |ready: &Ready| ready.engine.as_ref().is_some_and(|(_, task)| !task.is_finished());
        if let Some(ready) = ready.as_ref().filter(|ready| usable(ready)) {
            return Ok(Arc::clone(&ready.actor));
        }
        let Work { context, settings, read_only, .. } = &self.work;
        let caller = Caller::from_environment(self.server.socket(), None);
        let actor = actor(context, &self.server, settings, caller, *read_only).map_err(|error| error.to_string())?;
        // It looks at once at what came of an act, and has it among its events. Without one the act is done all the same.
        let engine = match Client::connect(&context.engine_paths(&self.server), false).await {
            Ok(client) => client.into_handle().await.ok(),
            Err(_) => None,
        };
        let actor = Arc::new(match &engine {
            Some((handle, _)) => actor.telling(handle.commands.clone()),
            None => actor,
        });
        *ready = Some(Ready { actor: Arc::clone(&actor), engine });
        Ok(actor)
    }
}
