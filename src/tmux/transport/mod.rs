//! The three ways to reach a server, behind one: a batch goes in, a result per command comes out.

pub(crate) mod dial;
pub(crate) mod process;
pub(crate) mod protocol;
pub(crate) mod route;
pub(crate) mod server;
pub(crate) mod version;

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use crate::tmux::request::batch::{Answer, Layout, Learned, Script, error_lines};
use crate::tmux::transport::dial::Peer;
use crate::tmux::transport::process::Output;
use crate::tmux::{Batch, Command, CommandError, Expect, Reply, Server, ServerFacts, TmuxError};

/// A way to reach a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, strum::Display, strum::EnumString)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum TransportKind {
    /// Our own client of tmux's socket protocol: a connection for each request, no process.
    Dial,
    /// One `tmux source-file -` process for each request.
    Spawn,
    /// One tmux process for each command.
    Process,
}

/// What the user asked for.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    Hash,
    Serialize,
    Deserialize,
    strum::Display,
    strum::EnumString,
    strum::VariantNames,
)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum TransportChoice {
    /// Dial where the server's version was verified, else spawn.
    #[default]
    Auto,
    /// [`TransportKind::Dial`], also where the version was not verified.
    Dial,
    /// [`TransportKind::Spawn`].
    Spawn,
    /// [`TransportKind::Process`].
    Process,
}

/// Sends batches to one server in one way.
#[derive(Clone, Debug)]
pub struct Transport {
    server: Server,
    kind: TransportKind,
    server_pid: u32,
    learned: Arc<Mutex<Learned>>,
}

impl Transport {
    /// A transport of this kind. The facts are what the server said of itself; a dial has to be answered by that
    /// process. Without them any may answer.
    #[must_use]
    pub fn new(server: Server, kind: TransportKind, facts: Option<&ServerFacts>) -> Self {
        let learned = facts.map_or_else(Learned::default, |facts| Learned {
            panes: facts.panes,
            first_tty: facts.first_tty.clone(),
            hooks_fail: false,
        });
        let server_pid = facts.map_or(0, |facts| facts.pid);
        Self { server, kind, server_pid, learned: Arc::new(Mutex::new(learned)) }
    }

    pub(crate) fn server_pid(&self) -> u32 {
        self.server_pid
    }

    /// Its kind.
    #[must_use]
    pub fn kind(&self) -> TransportKind {
        self.kind
    }

    /// Sends a batch and reads the answer within `limit`, however many requests that takes.
    ///
    /// # Errors
    /// A [`TmuxError`] when the server did not answer; commands that failed are in the reply.
    pub async fn send(&self, batch: &Batch, limit: Duration) -> Result<Reply, TmuxError> {
        let deadline = Instant::now() + limit;
        let mut reply = Reply::default();
        if batch.is_empty() {
            return Ok(reply);
        }
        if batch.len() == 1 || self.kind == TransportKind::Process {
            self.send_singly(batch, deadline, &mut reply).await?;
            return Ok(reply);
        }
        // Heights, then marks when they did not fit, then each by itself when the server could not read the request.
        let learned = self.learned();
        let best = if learned.hooks_fail { Layout::Marks } else { Layout::best(batch, learned.panes) };
        for layout in [best, Layout::Marks] {
            if layout != best || reply.requests == 0 {
                let script = Script::new(batch, layout);
                let output = self.source(&script.text, deadline).await?;
                reply.count(self.kind, batch.len(), &output);
                if let Ok(answer) = script.split(batch, &output.stdout, &output.stderr) {
                    self.learn(&output, &answer);
                    reply.parts = answer.parts;
                    return Ok(reply);
                }
            }
        }
        self.send_singly(batch, deadline, &mut reply).await?;
        Ok(reply)
    }

    fn learned(&self) -> Learned {
        self.learned.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// An exit status of 1 though every command did its work: a hook of the user's failed after one.
    fn learn(&self, output: &Output, answer: &Answer) {
        let whole = answer.parts.iter().all(Result::is_ok);
        let mut learned = self.learned.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(new) = &answer.learned {
            *learned = new.clone();
        }
        if whole {
            learned.hooks_fail = !output.success;
        }
    }

    async fn send_singly(&self, batch: &Batch, deadline: Instant, reply: &mut Reply) -> Result<(), TmuxError> {
        for command in batch.commands() {
            let part = self.one(command, deadline, reply).await?;
            reply.parts.push(part);
        }
        Ok(())
    }

    /// One command by itself. One that printed something and failed all the same is asked again with a mark after it,
    /// which tells whether its output is whole: a hook of the user's may have failed after it, or the client was killed.
    async fn one(
        &self,
        command: &Command,
        deadline: Instant,
        reply: &mut Reply,
    ) -> Result<Result<Bytes, CommandError>, TmuxError> {
        if !(command.only_reads() && self.learned().hooks_fail) {
            let output = self.single(command, deadline).await?;
            reply.count(self.kind, 1, &output);
            if output.success || output.stdout.is_empty() || !command.only_reads() {
                return Ok(part(output));
            }
        }
        let mut alone = Batch::new();
        alone.push(command.clone(), Expect::Any);
        let script = Script::new(&alone, Layout::Marks);
        let output = self.source(&script.text, deadline).await?;
        reply.count(self.kind, 1, &output);
        match script.split(&alone, &output.stdout, &output.stderr) {
            Ok(mut answer) if answer.parts.len() == 1 => {
                self.learn(&output, &answer);
                Ok(answer.parts.remove(0))
            }
            _ => Ok(part(Output { success: false, ..output })),
        }
    }

    async fn source(&self, script: &str, deadline: Instant) -> Result<Output, TmuxError> {
        let limit = deadline.saturating_duration_since(Instant::now());
        match self.kind {
            TransportKind::Dial => {
                let tty = self.learned().first_tty.unwrap_or_default();
                let peer = Peer { server: &self.server, pid: self.server_pid, tty: &tty };
                dial::source(peer, script, limit).await
            }
            TransportKind::Spawn | TransportKind::Process => process::source(&self.server, script, limit).await,
        }
    }

    async fn single(&self, command: &Command, deadline: Instant) -> Result<Output, TmuxError> {
        let limit = deadline.saturating_duration_since(Instant::now());
        match self.kind {
            TransportKind::Dial => {
                let peer = Peer { server: &self.server, pid: self.server_pid, tty: "" };
                dial::single(peer, command, limit).await
            }
            TransportKind::Spawn | TransportKind::Process => process::single(&self.server, command, limit).await,
        }
    }
}

impl Reply {
    fn count(&mut self, kind: TransportKind, commands: usize, output: &Output) {
        self.requests += 1;
        self.processes += u32::from(kind != TransportKind::Dial);
        self.commands += u32::try_from(commands).unwrap_or(u32::MAX);
        self.bytes += (output.stdout.len() + output.stderr.len()) as u64;
    }
}

fn part(output: Output) -> Result<Bytes, CommandError> {
    if output.success {
        return Ok(output.stdout);
    }
    let mut lines = error_lines(&output.stderr);
    if lines.is_empty() {
        lines = error_lines(&output.stdout);
    }
    let message = if lines.is_empty() { "the command failed without a word".into() } else { lines.join("; ") };
    Err(CommandError { message })
}
