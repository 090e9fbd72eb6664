//! One member's lines, between its engine and the hub: none of them is read here. When the engine is gone another one is
//! attached to, or started.

use std::time::Duration;

use tokio::{
    io::{AsyncWriteExt, BufReader},
    net::{UnixStream, unix::OwnedWriteHalf},
    sync::{mpsc, watch},
    time::{Instant, sleep, timeout},
};
use tokio_util::task::AbortOnDropHandle;

use crate::app::cli::bridge::Work;
use crate::app::cli::bridge::engines::Source;
use crate::monitor::clients::wire::Lines;
use crate::monitor::link::end::tidy;
use crate::monitor::link::lines::{BRIDGE, FromBridge, LONGEST_FROM_BRIDGE, addressed, message};

/// Lines of the hub that may wait for the engine. It reads them at once unless it hangs: then they are lost with it.
const LINES_WAITING: usize = 64;
/// An engine takes a line within this time.
const WRITE_LIMIT: Duration = Duration::from_secs(5);
/// The pause before another engine is looked for; doubled while none is found, up to ...
const AGAIN: Duration = Duration::from_millis(500);
/// ... this.
const AGAIN_AT_MOST: Duration = Duration::from_secs(15);
/// One that was there for so long is no engine that always fails.
const STEADY: Duration = Duration::from_secs(30);

/// How it is with a member now.
pub(super) struct Event {
    pub(super) key: String,
    pub(super) status: String,
}

/// The way of one member's lines.
pub(super) struct Relay {
    to_engine: mpsc::Sender<(Vec<u8>, bool)>,
    named: watch::Sender<bool>,
    _task: AbortOnDropHandle<()>,
}

impl Relay {
    pub(super) fn start(key: &str, engines: Source, work: &Work) -> Self {
        let (to_engine, from_hub) = mpsc::channel(LINES_WAITING);
        let (named, known) = watch::channel(false);
        let relaying = Relaying { key: key.to_owned(), engines, work: work.clone(), from_hub };
        let _task = AbortOnDropHandle::new(tokio::spawn(relaying.run(known)));
        Self { to_engine, named, _task }
    }

    /// The hub knows of the member.
    pub(super) fn named(&self) {
        self.named.send_if_modified(|named| !std::mem::replace(named, true));
    }

    /// A line of the hub for the engine; `hello`: the first of a connection.
    pub(super) fn pass(&self, line: &[u8], hello: bool) {
        if self.to_engine.try_send((line.to_vec(), hello)).is_err() {
            tracing::warn!("an engine takes no lines of its hub");
        }
    }
}

struct Relaying {
    key: String,
    engines: Source,
    work: Work,
    from_hub: mpsc::Receiver<(Vec<u8>, bool)>,
}

impl Relaying {
    async fn run(mut self, mut known: watch::Receiver<bool>) {
        if known.wait_for(|known| *known).await.is_err() {
            return;
        }
        let mut pause = AGAIN;
        loop {
            let why = match self.engines.attach().await {
                Ok(stream) => {
                    self.says("up".to_owned()).await;
                    let since = Instant::now();
                    let why = self.relay(stream).await;
                    if since.elapsed() >= STEADY {
                        pause = AGAIN;
                    }
                    why
                }
                Err(why) => why,
            };
            let why = tidy(&why);
            tracing::info!(key = self.key, why, "a member's engine is gone");
            let closed = FromBridge::Closed { key: self.key.clone(), why: why.clone() };
            self.work.out.send(message(BRIDGE, &closed)).await.ok();
            self.says(why).await;
            sleep(pause).await;
            pause = (pause * 2).min(AGAIN_AT_MOST);
        }
    }

    async fn says(&self, status: String) {
        self.work.tell.send(Event { key: self.key.clone(), status }).await.ok();
    }

    /// Until the engine hangs up. Says why.
    async fn relay(&mut self, stream: UnixStream) -> String {
        let (read, mut write) = stream.into_split();
        let mut lines = Lines::new(BufReader::with_capacity(64 * 1024, read), LONGEST_FROM_BRIDGE);
        // What was meant for the engine before is none of this one's business.
        let mut greeted = false;
        loop {
            tokio::select! {
                line = lines.next() => match line {
                    Ok(line) => {
                        let line = addressed(&self.key, line);
                        if self.work.out.send(line).await.is_err() {
                            return "the hub is gone".to_owned();
                        }
                    }
                    Err(error) => return format!("the engine: {error}"),
                },
                Some((line, hello)) = self.from_hub.recv() => {
                    greeted |= hello;
                    if greeted && let Err(why) = pass(&mut write, &line).await {
                        return why;
                    }
                }
            }
        }
    }
}

async fn pass(write: &mut OwnedWriteHalf, line: &[u8]) -> Result<(), String> {
    let written = async {
        write.write_all(line).await?;
        write.write_all(b"\n").await
    };
    match timeout(WRITE_LIMIT, written).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(format!("the engine: {error}")),
        Err(_) => Err(format!("the engine did not read for {} s", WRITE_LIMIT.as_secs())),
    }
}
