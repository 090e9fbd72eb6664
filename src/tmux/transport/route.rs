//! Which transport a pool uses: by choice, by the server's version, and after a surprise.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    sync::{self, Notify, futures::Notified},
    time::Instant,
};

use crate::tmux::transport::dial;
use crate::tmux::{Batch, Reply, Server, TmuxError, Transport, TransportChoice, TransportKind, Version};

/// Decides the transport once for a server's life, and again when the server was lost.
pub(crate) struct Route {
    server: Server,
    state: Mutex<RouteState>,
    /// Held by the one who asks the version, so that many who start at once ask once.
    asking: sync::Mutex<()>,
    returned: Notify,
}

struct RouteState {
    choice: TransportChoice,
    decided: Option<Transport>,
    version: Option<Version>,
    /// Dial was answered unexpectedly: not tried again.
    distrust_dial: bool,
    /// The server's processes are out of sight here.
    elsewhere: bool,
    notes: Vec<String>,
}

/// What is said of a server whose processes are out of sight.
const ELSEWHERE: &str = "the processes of this tmux server are out of sight (a container, or a forwarded socket): its agents \
                         are judged by their screens alone; `hosts:` in the settings watches them where they run";
/// Most notes that are kept for the one who takes them.
const MAX_NOTES: usize = 20;

impl Route {
    pub(crate) fn new(server: Server, choice: TransportChoice) -> Self {
        let state = RouteState {
            choice,
            decided: None,
            version: None,
            distrust_dial: false,
            elsewhere: false,
            notes: Vec::new(),
        };
        Self { server, state: Mutex::new(state), asking: sync::Mutex::new(()), returned: Notify::new() }
    }

    pub(crate) fn server(&self) -> &Server {
        &self.server
    }

    pub(crate) fn choose(&self, choice: TransportChoice) {
        let mut state = self.lock();
        state.choice = choice;
        state.decided = None;
        // Whoever asks for dial by name gets another try.
        state.distrust_dial &= choice != TransportChoice::Dial;
    }

    pub(crate) fn version(&self) -> Option<Version> {
        self.lock().version.clone()
    }

    /// The server's processes are out of sight here. Known once it was asked.
    pub(crate) fn is_elsewhere(&self) -> bool {
        self.lock().elsewhere
    }

    pub(crate) fn take_notes(&self) -> Vec<String> {
        std::mem::take(&mut self.lock().notes)
    }

    pub(crate) fn returned(&self) -> Notified<'_> {
        self.returned.notified()
    }

    pub(crate) fn notify_returned(&self) {
        self.returned.notify_waiters();
    }

    /// The transport in force; asks the server's version first when it is not known.
    pub(crate) async fn transport(&self, limit: Duration) -> Result<Transport, TmuxError> {
        #[cfg(test)]
        if self.server.script().is_some() {
            return Ok(Transport::new(self.server.clone(), TransportKind::Dial, None));
        }
        if let Some(transport) = self.lock().decided.clone() {
            return Ok(transport);
        }
        let _turn = self.asking.lock().await;
        if let Some(transport) = self.lock().decided.clone() {
            return Ok(transport);
        }
        let choice = self.lock().choice;
        if matches!(choice, TransportChoice::Auto | TransportChoice::Dial) {
            // No process is started only to learn that no server runs.
            dial::knock(&self.server, limit).await?;
        }
        let (mut facts, elsewhere) = self.server.facts_and_place(limit).await?;
        if facts.version.is_too_old() {
            return Err(TmuxError::TooOld { found: facts.version.to_string() });
        }
        let mut state = self.lock();
        if elsewhere {
            // What it calls itself is nobody here, or somebody else.
            facts.pid = 0;
            state.note(ELSEWHERE.to_owned());
        }
        state.elsewhere = elsewhere;
        let verified = facts.version.is_verified();
        let kind = match state.choice {
            TransportChoice::Process => TransportKind::Process,
            TransportChoice::Spawn => TransportKind::Spawn,
            TransportChoice::Auto | TransportChoice::Dial if state.distrust_dial => TransportKind::Spawn,
            TransportChoice::Auto if verified => TransportKind::Dial,
            TransportChoice::Auto => {
                state.note(format!(
                    "tmux {} is not a version the direct connection was verified with: using a process for each request (spawn)",
                    facts.version
                ));
                TransportKind::Spawn
            }
            TransportChoice::Dial => {
                if !verified {
                    state.note(format!(
                        "the direct connection was never verified with tmux {}: a server that understands it \
                         differently may refuse it or, at worst, end with all its sessions; `transport: auto` is safe",
                        facts.version
                    ));
                }
                TransportKind::Dial
            }
        };
        let transport = Transport::new(self.server.clone(), kind, Some(&facts));
        state.version = Some(facts.version);
        state.decided = Some(transport.clone());
        Ok(transport)
    }

    /// Sends a batch over the transport in force, within `limit`.
    pub(crate) async fn send(&self, batch: &Batch, limit: Duration) -> Result<Reply, TmuxError> {
        #[cfg(test)]
        if let Some(script) = self.server.script() {
            let late = TmuxError::Refused { message: "the script took too long".into() };
            return tokio::time::timeout(limit, script.answer(batch)).await.unwrap_or(Err(late));
        }
        self.send_by(batch, Instant::now() + limit).await.map_err(|error| match error {
            // Its limit, not what was left of it.
            TmuxError::Timeout { socket, .. } => TmuxError::Timeout { socket, after: limit },
            other => other,
        })
    }

    async fn send_by(&self, batch: &Batch, deadline: Instant) -> Result<Reply, TmuxError> {
        let left = || deadline.saturating_duration_since(Instant::now());
        let transport = self.transport(left()).await?;
        let result = transport.send(batch, left()).await;
        let error = match result {
            Ok(reply) => return Ok(reply),
            Err(error) => error,
        };
        match &error {
            // Another server answers at the socket now: learn about that one.
            TmuxError::ServerChanged => {
                self.forget(&transport);
                self.transport(left()).await?.send(batch, left()).await
            }
            TmuxError::Unexpected { .. } | TmuxError::ProtocolMismatch { .. }
                if transport.kind() == TransportKind::Dial =>
            {
                self.distrust(&error);
                self.transport(left()).await?.send(batch, left()).await
            }
            // Hung up on: by a server that died, or by one that lives and does not take our kind of client.
            TmuxError::LostServer { .. } if transport.kind() == TransportKind::Dial => {
                self.forget(&transport);
                match self.server.facts_within(left()).await {
                    Ok(facts) if facts.pid == transport.server_pid() => {
                        self.distrust(&error);
                        self.transport(left()).await?.send(batch, left()).await
                    }
                    _ => Err(error),
                }
            }
            TmuxError::NoServer { .. } | TmuxError::LostServer { .. } | TmuxError::ServerExited { .. } => {
                self.forget(&transport);
                Err(error)
            }
            _ => Err(error),
        }
    }

    /// The server is gone or another: its version is asked again before the next request.
    fn forget(&self, transport: &Transport) {
        let mut state = self.lock();
        if state.decided.as_ref().is_some_and(|decided| decided.server_pid() == transport.server_pid()) {
            state.decided = None;
        }
    }

    fn distrust(&self, error: &TmuxError) {
        let mut state = self.lock();
        state.decided = None;
        if !state.distrust_dial {
            state.distrust_dial = true;
            state.note(format!("{error}: using a process for each request (spawn) from now on"));
        }
    }

    fn lock(&self) -> MutexGuard<'_, RouteState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl RouteState {
    fn note(&mut self, text: String) {
        if self.notes.last() != Some(&text) && self.notes.len() < MAX_NOTES {
            self.notes.push(text);
        }
    }
}
