//! A client of an engine, as the engine sees it: gets snapshots as they are published, gives commands and gets their answers,
//! and is let go when it does neither.

use std::{io, sync::Arc, time::Duration};

use jiff::Timestamp;
use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt, BufReader},
    sync::mpsc,
    time::{Instant, sleep_until, timeout},
};
use tokio_util::task::TaskTracker;

use crate::monitor::clients::encode::{Form, Line};
use crate::monitor::clients::host::Host;
use crate::monitor::clients::pace::{LEAST_APART, Pace};
use crate::monitor::clients::screens::Screens;
use crate::monitor::clients::seats::{MOST_CLIENTS, Seat};
use crate::monitor::clients::wire;
use crate::monitor::clients::wire::{
    ClientHello, EngineHello, FromClient, FromEngine, Had, LONGEST_FROM_CLIENT, LineError, Lines,
};
use crate::monitor::{Command, Handle, Interest, Snapshot, Snapshots};

/// A client says who it is within this time.
const HELLO_LIMIT: Duration = Duration::from_secs(5);
/// A client takes a message within this time, or is dropped: it is not waited for.
const WRITE_LIMIT: Duration = Duration::from_secs(5);
/// One that said that somebody looks and then nothing more for so long does not look: its dashboard is stopped, or it does
/// not read. Our own ask every four seconds whether the engine is there.
const SILENCE_LIMIT: Duration = Duration::from_secs(20);
/// The same for one that promised to ask, from wherever it does: the way there may stand still for a while.
const PROMISED_LIMIT: Duration = Duration::from_secs(30);
/// A client waits no longer than this between two snapshots, whatever it asks for.
const SLOWEST: Duration = Duration::from_secs(10);
/// A delta that says only that time went on comes after this to who takes figures by themselves: the way may be one that
/// costs, and each line wakes the other end.
const REST: Duration = Duration::from_secs(5);
/// Most commands of one client that wait for their confirmation.
const MOST_COMMANDS: usize = 64;

/// Why a client was let go that left by itself.
pub(super) const HUNG_UP: &str = "it hung up";

fn hung_up(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset)
}

/// Why a client was let go.
pub(super) type Gone = Result<(), String>;

/// One client, from its hello to its end.
pub(super) struct Guest {
    host: Arc<Host>,
    lines: Lines<BufReader<Box<dyn AsyncRead + Send + Unpin>>>,
    write: Box<dyn AsyncWrite + Send + Unpin>,
    handle: Handle,
    /// What it got last; `None` before the first, and when it asks for all again.
    sent: Option<Sent>,
    /// Its seat; without one it is turned away.
    seat: Option<Seat>,
}

/// What a client got last.
struct Sent {
    snapshot: Arc<Snapshot>,
    screens: Screens,
    /// Of which one it has what that says of the watching itself.
    instruments: Arc<Snapshot>,
    /// Deltas since the last whole one.
    n: u64,
    at: Instant,
}

/// What a client asked for, as far as both ends speak it.
#[derive(Clone, Copy, Debug)]
struct Terms {
    /// It gets what differs; else what it needs of history and events, or all.
    delta: bool,
    /// And that in as few words as it takes.
    figures: bool,
    tail: bool,
    every: Duration,
    /// How long it may say nothing.
    silence: Option<Duration>,
}

impl Terms {
    fn of(hello: &ClientHello, protocol: u32) -> Self {
        let limit = if hello.pings { PROMISED_LIMIT } else { SILENCE_LIMIT };
        Self {
            delta: hello.delta && protocol >= 2,
            figures: hello.figures,
            tail: hello.tail,
            every: Duration::from_millis(hello.every_ms).clamp(LEAST_APART, SLOWEST),
            silence: (hello.pings || hello.watch).then_some(limit),
        }
    }
}

impl Guest {
    pub(super) fn new(
        host: Arc<Host>,
        read: Box<dyn AsyncRead + Send + Unpin>,
        write: Box<dyn AsyncWrite + Send + Unpin>,
        handle: Handle,
        seat: Option<Seat>,
    ) -> Self {
        Self { host, lines: Lines::new(BufReader::new(read), LONGEST_FROM_CLIENT), write, handle, sent: None, seat }
    }

    pub(super) async fn turn_away(mut self) -> Gone {
        let reason = format!("{MOST_CLIENTS} clients are connected already: close some");
        self.send(&FromEngine::Refused { reason }).await
    }

    pub(super) async fn serve(mut self) -> Gone {
        let hello = EngineHello { at: Some(Timestamp::now()), ..self.host.hello.clone() };
        let hello = FromEngine::Hello(hello);
        self.send(&hello).await?;
        let Some((hello, terms)) = self.hello().await? else { return Ok(()) };
        // Its focus and its watch end with this, however it goes.
        let Some(handle) = self.handle.another(hello.watch) else { return Ok(()) };
        self.handle = handle;
        let interest = self.handle.commands.interest();
        self.handle.commands.set_interest(Interest { instruments: hello.instruments, ..interest });
        self.talk(terms).await
    }

    /// Who the client is; `None` when it left before it said so.
    async fn hello(&mut self) -> Result<Option<(ClientHello, Terms)>, String> {
        let read = match timeout(HELLO_LIMIT, self.lines.next()).await {
            Err(_) => Err("it said nothing for too long".to_owned()),
            Ok(Err(LineError::Closed)) => return Ok(None),
            Ok(Err(error)) => Err(error.to_string()),
            Ok(Ok(line)) => match serde_json::from_slice(line) {
                Ok(FromClient::Hello(hello)) => Ok(hello),
                Ok(_) => Err("it asked for something before it said who it is".to_owned()),
                Err(error) => Err(format!("its first line is no hello: {error}")),
            },
        };
        let refused = match read {
            Ok(hello) => {
                if let Some(protocol) = wire::in_force(hello.oldest, hello.protocol) {
                    let terms = Terms::of(&hello, protocol);
                    return Ok(Some((hello, terms)));
                }
                let ours = &self.host.hello;
                format!(
                    "the client (tmux-orc {}, protocol {}) and the engine (tmux-orc {}, protocol {}) do not understand each \
                     other: run the same version, then `tmux-orc monitor restart`",
                    clip(&hello.version),
                    hello.protocol,
                    ours.version,
                    ours.protocol
                )
            }
            Err(reason) => reason,
        };
        self.refuse(refused).await.map(|()| None)
    }

    async fn talk(&mut self, terms: Terms) -> Gone {
        let mut snapshots = self.handle.snapshots.clone();
        let (answers, mut answered) = mpsc::channel(MOST_COMMANDS);
        let confirming = TaskTracker::new();
        self.push(&mut snapshots, terms).await?;
        let mut last_line = Instant::now();
        let mut pace = Pace::new(terms.every, self.heartbeat(&snapshots), Instant::now());
        let silence = terms.silence.unwrap_or_default();
        loop {
            tokio::select! {
                biased;
                // Before the answers: a command's answer comes after the snapshot that shows it.
                changed = snapshots.changed() => match changed {
                    Ok(()) => {
                        pace.set_interval(self.heartbeat(&snapshots));
                        pace.saw(self.is_news(&snapshots.borrow_and_update()));
                    }
                    Err(_) => {
                        if pace.due().is_some() {
                            self.push(&mut snapshots, terms).await?;
                        }
                        return self.last_words(&mut answered, &confirming).await;
                    }
                },
                () = sleep_until(pace.due_or_heartbeat()), if pace.due().is_some() => {
                    self.push(&mut snapshots, terms).await?;
                    pace.wrote(Instant::now());
                }
                Some(answer) = answered.recv() => {
                    if pace.due().is_some() {
                        self.push(&mut snapshots, terms).await?;
                        pace.wrote(Instant::now());
                    }
                    self.send(&answer).await?;
                }
                () = sleep_until(last_line + silence), if terms.silence.is_some() => {
                    return Err(format!("it said nothing for {} s", silence.as_secs()));
                }
                line = self.lines.next() => {
                    last_line = Instant::now();
                    self.seat.iter().for_each(Seat::refresh);
                    let message = match line {
                        Ok(line) => FromClient::read(line).map_err(|error| format!("not a message: {error}")),
                        Err(LineError::Closed) => return Ok(()),
                        Err(LineError::Io(error)) if hung_up(&error) => return Ok(()),
                        Err(error) => Err(error.to_string()),
                    };
                    match message {
                        Ok(Some(FromClient::Command { id, command })) if confirming.len() < MOST_COMMANDS => {
                            let answers = answers.clone();
                            let before = self.handle.commands.interest().instruments;
                            // Handed over here, in the order in which they came: only the answers are waited for aside.
                            let answer = confirm(id, command, self.handle.clone());
                            confirming.spawn(async move {
                                answers.send(answer.await).await.ok();
                            });
                            // They come at once, though nothing new was published.
                            if !before && self.handle.commands.interest().instruments {
                                pace.saw(true);
                            }
                        }
                        Ok(Some(FromClient::Command { id, .. })) => {
                            let reason = "too many commands wait for their confirmation".to_owned();
                            self.send(&FromEngine::Rejected { id, reason }).await?;
                        }
                        // Of a later version: what this one cannot do, it does not do.
                        Ok(None) => {}
                        Ok(Some(FromClient::Ping)) => self.send(&FromEngine::Pong).await?,
                        Ok(Some(FromClient::Again)) => {
                            self.sent = None;
                            pace.saw(true);
                        }
                        Ok(Some(FromClient::Hello(_))) => return self.refuse("it said hello twice".to_owned()).await,
                        Err(reason) => return self.refuse(reason).await,
                    }
                }
            }
        }
    }

    /// A client waits no longer than this for what is only clocks and figures.
    fn heartbeat(&self, snapshots: &Snapshots) -> Duration {
        let interval = Duration::try_from_secs_f64(snapshots.borrow().settings.interval).unwrap_or(SLOWEST);
        interval.clamp(LEAST_APART, SLOWEST)
    }

    /// Whether a snapshot says more than the one that this client has, or shows it something else.
    fn is_news(&self, snapshot: &Snapshot) -> bool {
        let wanted = self.handle.commands.interest();
        self.sent.as_ref().is_none_or(|sent| {
            snapshot.says_more_than(&sent.snapshot) || !Screens::of(snapshot, &wanted).are(&sent.screens)
        })
    }

    /// The engine has ended: those who wait for an answer, such as to the command that ended it, get it.
    async fn last_words(&mut self, answered: &mut mpsc::Receiver<FromEngine>, confirming: &TaskTracker) -> Gone {
        confirming.close();
        timeout(WRITE_LIMIT, confirming.wait()).await.ok();
        while let Ok(answer) = answered.try_recv() {
            self.send(&answer).await?;
        }
        Ok(())
    }

    /// Sends the newest snapshot: whole, or only what is new to this client.
    async fn push(&mut self, snapshots: &mut Snapshots, terms: Terms) -> Gone {
        let snapshot = snapshots.borrow_and_update();
        let wanted = self.handle.commands.interest();
        let screens = Screens::of(&snapshot, &wanted);
        let before = self.sent.take();
        // Out of the handle of a remote engine they come once that one was asked for them.
        let instruments = wanted.instruments && snapshot.instruments;
        let has = before.as_ref().map(|before| Arc::clone(&before.instruments));
        let same = before.as_ref().is_some_and(|before| before.screens.are(&screens) && before.at.elapsed() < REST);
        let (line, n) = self.line(&snapshot, before.as_ref(), &screens, (terms, instruments))?;
        if terms.figures && same && line.is_rest {
            self.sent = before;
            return Ok(());
        }
        // All that is not a delta brings them.
        let has = has.filter(|_| n > 0 && !instruments).unwrap_or_else(|| Arc::clone(&snapshot));
        self.sent = Some(Sent { snapshot, screens, instruments: has, n, at: Instant::now() });
        let Line { bulk, end, .. } = line;
        self.write(&bulk).await?;
        self.write(&end).await
    }

    /// The snapshot as a line for this client, with the number of the delta that it is.
    fn line(
        &self,
        snapshot: &Arc<Snapshot>,
        before: Option<&Sent>,
        screens: &Screens,
        (terms, instruments): (Terms, bool),
    ) -> Result<(Line, u64), String> {
        let words = |error: serde_json::Error| error.to_string();
        if let Some(before) = before.filter(|_| terms.delta) {
            let has = instruments.then(|| Arc::clone(&before.instruments));
            let form = Form::Delta { from: Arc::clone(&before.snapshot), instruments: has, figures: terms.figures };
            let n = before.n + 1;
            let end = screens.delta_end(n, &before.screens).map_err(words)?;
            if let Some(line) = self.host.encoded.line(snapshot, &form, &end)? {
                return Ok((line, n));
            }
        }
        let form = match before {
            Some(before) if terms.tail && !terms.delta => Form::Update(Had::of(&before.snapshot)),
            _ => Form::Whole,
        };
        let line = self.host.encoded.line(snapshot, &form, &screens.end().map_err(words)?)?;
        line.map(|line| (line, 0)).ok_or_else(|| "there is no whole snapshot".to_owned())
    }

    async fn refuse(&mut self, reason: String) -> Gone {
        self.send(&FromEngine::Refused { reason: reason.clone() }).await.ok();
        Err(reason)
    }

    async fn send(&mut self, message: &FromEngine) -> Gone {
        let bytes = wire::line(message).map_err(|error| error.to_string())?;
        self.write(&bytes).await
    }

    async fn write(&mut self, bytes: &[u8]) -> Gone {
        let written = async {
            self.write.write_all(bytes).await?;
            self.write.flush().await
        };
        match timeout(WRITE_LIMIT, written).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) if hung_up(&error) => Err(HUNG_UP.to_owned()),
            Ok(Err(error)) => Err(error.to_string()),
            Err(_) => Err(format!("it did not read for {} s", WRITE_LIMIT.as_secs())),
        }
    }
}

/// Hands a command to the engine now; what is returned waits for its answer.
fn confirm(id: u64, command: serde_json::Value, handle: Handle) -> impl Future<Output = FromEngine> + Send + use<> {
    let asked = serde_json::from_value::<Command>(command).map(|command| handle.commands.ask(command));
    async move {
        let asked = match asked {
            Ok(asked) => asked,
            Err(error) => {
                return FromEngine::Rejected { id, reason: format!("the engine knows no such command: {error}") };
            }
        };
        match asked.await {
            Ok(()) => {
                let snapshot = handle.snapshots.borrow();
                FromEngine::Confirmed {
                    id,
                    settings: snapshot.settings.clone(),
                    strategy: snapshot.current_strategy.clone(),
                    paused: snapshot.engine.paused,
                }
            }
            Err(why) => FromEngine::Rejected { id, reason: why.to_string() },
        }
    }
}

fn clip(text: &str) -> String {
    crate::tmux::clean(&text.chars().take(80).collect::<String>())
}

#[cfg(test)]
#[path = "guest_tests.rs"]
mod tests;
