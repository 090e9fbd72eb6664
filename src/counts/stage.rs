//! A fleet that a script plays, with an engine that watches it, a client at its socket and a journal: all in this process.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use tokio::io::{AsyncRead, DuplexStream, ReadBuf, duplex, split};

use crate::app::journal::{Journal, keep};
use crate::counts::{ALLOCATOR, Counts};
use crate::monitor::clients::host::Host;
use crate::monitor::clients::wire::{self, EngineHello};
use crate::monitor::engine::paused::{all, fleet, start, until};
use crate::monitor::{AgentState, Client, EnginePaths, Handle, Keeper, Snapshot, Wishes};
use crate::tmux::scripted::Script;

/// Until all that follows a start is over: what is looked at once, what backs off, the first of what comes now and then.
/// Between two ticks of the engine, so that none is at the edge of what is counted.
const SETTLED: Duration = Duration::from_millis(60_100);

/// Counted at once: some ticks of the engine, and a snapshot of those that find nothing.
const STEP: Duration = Duration::from_secs(1);

/// The fleet and what watches it.
pub(super) struct Stage {
    pub(super) script: Script,
    /// The client's.
    shown: Handle,
    /// Bytes that the client has read.
    read: Arc<AtomicU64>,
    dir: tempfile::TempDir,
    _engine: Handle,
}

/// What was counted so far, in the order of their names.
type Sums = [u64; 4];
/// What they are called.
const NAMES: [&str; 4] = ["requests", "captures", "allocations", "socket bytes"];

impl Stage {
    /// So many agents at rest, known for long.
    pub(super) async fn start(agents: u32) -> Self {
        let (script, settings) = fleet(agents);
        let mut engine = start(&script, settings);
        let dir = tempfile::tempdir().expect("a directory");
        let (paths, journal) =
            (EnginePaths::new(dir.path(), &dir.path().join("tmux")), Journal::new(dir.path().join("events")));
        let kept = engine.clone();
        tokio::spawn(keep(kept.snapshots, kept.commands.downgrade(), journal, Keeper::inside(paths)));
        until(&mut engine, "all idle", all(AgentState::Idle, agents as usize)).await;

        let hello = EngineHello {
            protocol: wire::PROTOCOL,
            version: "0".to_owned(),
            schema: crate::monitor::SCHEMA,
            pid: std::process::id(),
            tmux_socket: "/s".to_owned(),
            oldest: wire::OLDEST,
            logs: None,
            at: None,
        };
        let (ours, theirs) = duplex(1 << 16);
        let (read, write) = split(theirs);
        tokio::spawn(Arc::new(Host::new(hello)).serve(read, write, engine.clone()));
        let (read, write) = split(ours);
        let bytes = Arc::new(AtomicU64::new(0));
        let counted = Counted { inner: read, bytes: Arc::clone(&bytes) };
        let client = Client::talk(counted, write, Wishes::local(true)).await.expect("an engine");
        let (shown, _) = client.into_handle().await.expect("a snapshot");
        tokio::time::sleep(SETTLED).await;
        Self { script, shown, read: bytes, dir, _engine: engine }
    }

    /// What a span costs. Steps in which all panes were listed without a reason are left out: for how long names and places
    /// are kept is measured by a clock that no test can pause.
    pub(super) async fn count(&self, span: Duration) -> Counts {
        let steps = span.as_millis().div_ceil(STEP.as_millis()) as u64;
        let journal = self.journal();
        let mut taken = Vec::new();
        for _ in 0..steps {
            let (before, lists) = (self.sums(), self.lists());
            tokio::time::sleep(STEP).await;
            let now = self.sums();
            taken.push((self.lists() - lists, std::array::from_fn(|at| now[at] - before[at])));
        }
        taken.retain(|(lists, sums)| *lists == 0 || sums[1] > 0);
        let counted = taken.len() as u64;
        assert!(counted > 0, "names and places were read all the time: this machine is too slow for these counts");
        let sum = |at: usize| taken.iter().map(|(_, sums): &(u32, Sums)| sums[at]).sum::<u64>();
        let whole: Sums = std::array::from_fn(|at| (sum(at) * steps + counted / 2) / counted);
        let mut counts: Counts = NAMES.map(str::to_owned).into_iter().zip(whole).collect();
        let snapshot = serde_json::to_vec(&*self.snapshot()).expect("JSON");
        counts.insert("journal bytes".to_owned(), self.journal() - journal);
        counts.insert("snapshot bytes".to_owned(), snapshot.len() as u64);
        counts
    }

    /// How long it takes until the client shows it.
    pub(super) async fn shows(&self, good: impl Fn(&Snapshot) -> bool) -> Duration {
        let begun = tokio::time::Instant::now();
        until(&mut self.shown.clone(), "what is waited for", good).await;
        begun.elapsed()
    }

    /// What the client shows.
    pub(super) fn snapshot(&self) -> Arc<Snapshot> {
        Arc::clone(&self.shown.snapshots.borrow())
    }

    fn sums(&self) -> Sums {
        let allocated = ALLOCATOR.stats();
        let allocations = (allocated.allocations + allocated.reallocations) as u64;
        let play = self.script.play();
        [play.requests.into(), play.captures.into(), allocations, self.read.load(Ordering::Relaxed)]
    }

    fn lists(&self) -> u32 {
        self.script.play().lists
    }

    fn journal(&self) -> u64 {
        let files = std::fs::read_dir(self.dir.path().join("events")).into_iter().flatten().flatten();
        files.map(|file| file.metadata().map_or(0, |metadata| metadata.len())).sum()
    }
}

/// A stream whose bytes are counted as they are read.
struct Counted {
    inner: tokio::io::ReadHalf<DuplexStream>,
    bytes: Arc<AtomicU64>,
}

impl AsyncRead for Counted {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = into.filled().len();
        let read = Pin::new(&mut self.inner).poll_read(context, into);
        self.bytes.fetch_add((into.filled().len() - before) as u64, Ordering::Relaxed);
        read
    }
}
