//! A tmux server that a test plays: it answers batches without a socket, so that a clock can be paused.

use std::{
    fmt,
    hash::{Hash, Hasher},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use bytes::Bytes;

use crate::tmux::request::mark;
use crate::tmux::{Batch, CommandError, Pane, PaneId, Pulse, Reply, TmuxError};

/// What the server does next.
#[derive(Clone, Debug, Default)]
pub(crate) struct Play {
    /// Pulse and screen of each pane.
    pub(crate) panes: Vec<(Pulse, String)>,
    /// The session's name, when it is not `main`.
    pub(crate) session: Option<String>,
    /// What hooks stored.
    pub(crate) hooks: Vec<(PaneId, String)>,
    /// The server's CPU time so far.
    pub(crate) spent: Duration,
    /// It is not told.
    pub(crate) hides_cpu: bool,
    /// What a request costs it by itself, and each of its commands. It answers when that is done.
    pub(crate) costs: (Duration, Duration),
    /// How long an answer takes beside that.
    pub(crate) delay: Duration,
    /// In what words every list of pulses fails, every list of all fields, every capture.
    pub(crate) failing: [Option<String>; 3],
    /// No server runs.
    pub(crate) gone: bool,
    /// It cannot be reached.
    pub(crate) unreachable: bool,
    /// Panes that vanish between probe and capture.
    pub(crate) vanishing: Vec<PaneId>,
    /// Requests so far.
    pub(crate) requests: u32,
    /// Captures so far.
    pub(crate) captures: u32,
    /// Lists of all fields so far.
    pub(crate) lists: u32,
}

/// A shared script.
#[derive(Clone, Default)]
pub(crate) struct Script(Arc<Mutex<Play>>);

impl PartialEq for Script {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Script {}

impl Hash for Script {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Arc::as_ptr(&self.0).hash(state);
    }
}

impl fmt::Debug for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Script")
    }
}

impl Script {
    /// The play, to be changed while the engine runs.
    pub(crate) fn play(&self) -> MutexGuard<'_, Play> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Answers a batch.
    pub(crate) async fn answer(&self, batch: &Batch) -> Result<Reply, TmuxError> {
        let (cost, delay) = {
            let play = self.play();
            let commands = u32::try_from(batch.commands().count()).unwrap_or(u32::MAX);
            (play.costs.0 + play.costs.1 * commands, play.delay)
        };
        let delay = delay + cost;
        tokio::time::sleep(delay).await;
        let mut play = self.play();
        play.requests += 1;
        if play.gone {
            return Err(TmuxError::NoServer { socket: "/nowhere".into() });
        }
        play.spent += cost;
        if play.unreachable {
            return Err(TmuxError::Refused { message: "the script says so".into() });
        }
        let mut reply = Reply { requests: 1, ..Reply::default() };
        for command in batch.commands() {
            reply.commands += 1;
            let argv: Vec<&str> = command.argv().iter().map(String::as_str).collect();
            let part = match argv[0] {
                "list-panes" if argv.iter().any(|arg| arg.contains("pane_title")) => {
                    play.lists += 1;
                    play.fail(1, play.all())
                }
                "list-panes" => play.fail(0, play.pulses(argv.iter().any(|arg| arg.contains("session_name")))),
                "display-message" => match command.pane() {
                    None => Ok("1\n".to_owned()),
                    Some(pane) => play.one(pane),
                },
                "capture-pane" => play.capture(command.pane()),
                other => panic!("the script knows no {other}"),
            };
            reply.parts.push(part.map(Bytes::from).map_err(|message| CommandError { message }));
        }
        Ok(reply)
    }
}

impl Play {
    /// The answer, unless it is to fail.
    fn fail(&self, what: usize, answer: String) -> Result<String, String> {
        self.failing[what].clone().map_or(Ok(answer), Err)
    }

    fn session(&self) -> &str {
        self.session.as_deref().unwrap_or("main")
    }

    fn hook(&self, pane: PaneId) -> &str {
        self.hooks.iter().find(|(of, _)| *of == pane).map_or("", |(_, word)| word)
    }

    fn pulses(&self, places: bool) -> String {
        let line = |p: &Pulse| {
            let hook = self.hook(p.id);
            let end = &hook[hook.len().saturating_sub(13)..];
            let place = if places { format!(" {} 0 {}", p.id.0, self.session()) } else { String::new() };
            let dead = u8::from(p.dead);
            format!("{} {} {} {} {} {dead} {end}.{place}\n", p.id, p.activity, p.pid, p.width, p.height)
        };
        self.panes.iter().map(|(pulse, _)| line(pulse)).collect()
    }

    fn all(&self) -> String {
        let separator = mark::fresh();
        self.panes.iter().map(|(pulse, _)| self.record(pulse, &separator)).collect()
    }

    fn find(&self, pane: PaneId) -> Result<&(Pulse, String), String> {
        let there = self.panes.iter().find(|(pulse, _)| pulse.id == pane && !self.vanishing.contains(&pane));
        there.ok_or_else(|| format!("can't find pane: {pane}"))
    }

    fn one(&self, pane: PaneId) -> Result<String, String> {
        Ok(self.record(&self.find(pane)?.0, &mark::fresh()))
    }

    fn capture(&mut self, pane: Option<PaneId>) -> Result<String, String> {
        self.captures += 1;
        self.fail(2, String::new())?;
        Ok(self.find(pane.unwrap_or_default())?.1.clone())
    }

    /// One pane as [`crate::tmux::parse_panes`] reads it.
    fn record(&self, pulse: &Pulse, separator: &str) -> String {
        let Pane { cursor, .. } = Pane::default();
        let numbers = format!(
            "{} {} 0 {} {} {} {} {} 0 0 1 {} {} 1 0 0 0 $0 ..",
            pulse.id,
            pulse.id.0,
            pulse.pid,
            pulse.width,
            pulse.height,
            pulse.activity,
            u8::from(pulse.dead),
            cursor.0,
            cursor.1
        );
        let texts = ["", "claude", self.session(), "window", "", "/", self.hook(pulse.id)];
        format!("{separator}{numbers}{separator}{}{separator}\n", texts.join(separator))
    }
}
