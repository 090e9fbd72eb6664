//! The one door for what another process says: cleaned and bounded here before it is shown, printed, stored or counted.
//!
//! The engine in the background is this user's own program, and cleans what it takes from panes; that it did is not taken
//! on trust: it may be of another version, or of another machine, whose owner may lie. A client's end of the wire reads
//! lines here and nowhere else, and nothing makes an [`Admitted`] but this file: what did not go through the door does not
//! compile.

use std::{fmt, ops::Deref, sync::Arc};

use jiff::{SignedDuration, Timestamp};
use tokio::io::AsyncBufRead;

use crate::monitor::clients::bounds::Bounds;
use crate::monitor::clients::delta::Delta;
use crate::monitor::clients::wire;
use crate::monitor::clients::wire::{EngineHello, FromEngine, LineError, Lines};
use crate::monitor::{Agents, LiveSettings, Preview, Snapshot};
use crate::tmux::clean;

/// Something of another process that went through the door: nothing in it steers a terminal, and all of it is within
/// bounds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admitted<T>(T);

impl<T> Admitted<T> {
    /// What it is.
    pub fn into_inner(self) -> T {
        self.0
    }

    /// The same, shared.
    pub(crate) fn shared(self) -> Admitted<Arc<T>> {
        Admitted(Arc::new(self.0))
    }
}

impl<T> Deref for Admitted<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: fmt::Display> fmt::Display for Admitted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Longest words of another process that go into a sentence of ours, characters.
const LONGEST_WORDS: usize = 500;

/// Words in which something of another process may be, for an error or a note.
#[must_use]
pub fn words(text: &str) -> Admitted<String> {
    let mut text = clean(text);
    if let Some((end, _)) = text.char_indices().nth(LONGEST_WORDS) {
        text.truncate(end);
    }
    Admitted(text)
}

/// What is not let in at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAdmitted {
    /// More agents than one server has.
    #[error("it tells of more than {0} agents")]
    Agents(usize),
}

/// What an engine says, past the door.
#[derive(Debug)]
pub(crate) enum Received {
    Hello(Admitted<EngineHello>),
    Snapshot(Admitted<Snapshot>),
    /// With only the new points and events.
    Update(Admitted<Snapshot>),
    Delta(Admitted<Delta>),
    /// A command took effect: the settings, the strategy and whether the cycles are stopped.
    Confirmed(u64, Admitted<(LiveSettings, String, bool)>),
    /// A command did not take effect, and why.
    Rejected(u64, Admitted<String>),
    Pong,
    Refused(Admitted<String>),
}

/// A line could not be had of an engine, or was not let in.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReceiveError {
    #[error(transparent)]
    Line(#[from] LineError),
    #[error("not a message of an engine: {0}")]
    Message(#[from] serde_json::Error),
    #[error(transparent)]
    NotAdmitted(#[from] NotAdmitted),
}

/// The door of one connection.
#[derive(Clone, Debug)]
pub struct Door {
    /// What lies on another machine is let in in smaller pieces.
    remote: bool,
    /// By how much the other end's clock is ahead of ours.
    ahead: SignedDuration,
    /// Host and server of its agents, whatever it calls itself.
    place: Option<(Arc<str>, Arc<str>)>,
}

impl Door {
    /// For what is said by an engine of this machine, or of another.
    #[must_use]
    pub fn new(remote: bool) -> Self {
        Self { remote, ahead: SignedDuration::ZERO, place: None }
    }

    /// The same for an engine that said at `now` what its clock shows: its times are right by that clock.
    #[must_use]
    pub(crate) fn by_the_clock_of(self, hello: &EngineHello, now: Timestamp) -> Self {
        Self { ahead: hello.at.map_or(SignedDuration::ZERO, |at| at.duration_since(now)), ..self }
    }

    /// The same for an engine whose agents are on this host and this server as they are called here, whatever it says.
    #[must_use]
    pub(crate) fn at(self, host: Arc<str>, server: Arc<str>) -> Self {
        Self { place: Some((host, server)), ..self }
    }

    /// What the other end's clock shows at `now`.
    pub(crate) fn theirs(&self, now: Timestamp) -> Timestamp {
        now.checked_add(self.ahead).unwrap_or(now)
    }

    fn name(&self, agents: &mut Agents) {
        if let Some((host, server)) = &self.place {
            for agent in agents.iter_mut() {
                agent.host = Some(Arc::clone(host));
                agent.server = Arc::clone(server);
            }
        }
    }

    /// All screens that came, whole where there is more than a part: what is watched here may be served on.
    fn previews(snapshot: &Snapshot) -> Vec<Arc<Preview>> {
        let focus = snapshot.preview.as_ref();
        let parts = snapshot.tiles.iter().filter(|part| focus.is_none_or(|focus| focus.pane_id != part.pane_id));
        focus.into_iter().chain(parts).cloned().collect()
    }

    fn bounds(&self, now: Timestamp) -> Bounds {
        Bounds::new(self.theirs(now), self.remote)
    }

    /// Lets a snapshot in that came at `now`.
    ///
    /// # Errors
    /// See [`NotAdmitted`].
    pub fn snapshot(&self, mut snapshot: Snapshot, now: Timestamp) -> Result<Admitted<Snapshot>, NotAdmitted> {
        let bounds = self.bounds(now);
        bounds.room(snapshot.agents.len())?;
        bounds.snapshot(&mut snapshot);
        self.name(&mut snapshot.agents);
        snapshot.previews = Self::previews(&snapshot);
        Ok(Admitted(snapshot))
    }

    /// Lets a delta in that came at `now`.
    ///
    /// # Errors
    /// See [`NotAdmitted`].
    pub fn delta(&self, mut delta: Delta, now: Timestamp) -> Result<Admitted<Delta>, NotAdmitted> {
        let bounds = self.bounds(now);
        bounds.room(delta.agents.len())?;
        bounds.delta(&mut delta);
        self.name(&mut delta.agents);
        Ok(Admitted(delta))
    }

    /// What a delta makes of the snapshot before.
    ///
    /// # Errors
    /// See [`NotAdmitted`]: many deltas can bring more agents than one may.
    pub fn put_on(
        &self,
        delta: Admitted<Delta>,
        before: &Admitted<Arc<Snapshot>>,
    ) -> Result<Admitted<Snapshot>, NotAdmitted> {
        let mut after = delta.0.apply(before);
        after.previews = Self::previews(&after);
        self.bounds(after.timestamp).room(after.agents.len())?;
        Ok(Admitted(after))
    }

    /// The snapshot that an update makes, with what was known before of its history and events.
    pub(crate) fn complete(mut update: Admitted<Snapshot>, before: &Admitted<Arc<Snapshot>>) -> Admitted<Snapshot> {
        wire::complete(&mut update.0, before);
        update
    }

    /// The next thing that the engine says. One of a kind that is not known is of a newer engine, and tells us nothing.
    pub(super) async fn receive(&self, lines: &mut Lines<impl AsyncBufRead + Unpin>) -> Result<Received, ReceiveError> {
        loop {
            if let Some(message) = FromEngine::read(lines.next().await?)? {
                return Ok(self.said(message, Timestamp::now())?);
            }
        }
    }

    /// Lets in what came at `now`.
    pub(crate) fn said(&self, message: FromEngine, now: Timestamp) -> Result<Received, NotAdmitted> {
        let bounds = self.bounds(now);
        Ok(match message {
            FromEngine::Hello(mut hello) => {
                bounds.hello(&mut hello, now);
                Received::Hello(Admitted(hello))
            }
            FromEngine::Snapshot(snapshot) => Received::Snapshot(self.snapshot(*snapshot, now)?),
            FromEngine::Update(update) => Received::Update(self.snapshot(*update, now)?),
            FromEngine::Delta(delta) => Received::Delta(self.delta(*delta, now)?),
            FromEngine::Confirmed { id, mut settings, mut strategy, paused } => {
                bounds.settings(&mut settings);
                bounds.name(&mut strategy);
                Received::Confirmed(id, Admitted((settings, strategy, paused)))
            }
            FromEngine::Rejected { id, reason } => Received::Rejected(id, words(&reason)),
            FromEngine::Pong => Received::Pong,
            FromEngine::Refused { reason } => Received::Refused(words(&reason)),
        })
    }
}

#[cfg(test)]
#[path = "admit_tests.rs"]
mod tests;
