//! The engine's task: ticks, commands, publishing.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::{
    sync::{mpsc, watch},
    task::JoinHandle,
    time::sleep_until,
};

use crate::monitor::engine::core::{Core, EngineError};
use crate::monitor::engine::reload::Fresh;
use crate::monitor::meter::events::log_event;
use crate::monitor::meter::governor::Reason;
use crate::monitor::meter::history::Cycle;
use crate::monitor::panes::tracked::Tracked;
use crate::monitor::{
    ClientId, Clients, Command, EngineSettings, Handle, Memory, Order, Refused, Requests, SettingsSource, Snapshot,
    State, clock,
};
use crate::tmux::{Server, TmuxError};

/// Commands that may wait; a front end that sends more is told that the queue is full.
const COMMANDS: usize = 64;

/// What a program has to go on drawing after the write that was heard, before its screen is read.
const DRAWN: Duration = Duration::from_millis(25);

/// Shortest time from a cycle to one that a write begins early.
const APART: Duration = Duration::from_millis(100);

/// Most cycles of a single look: a pane may end while it is read.
const LOOKS: usize = 3;

/// The engine of one tmux server.
#[derive(Debug)]
pub struct Engine;

impl Engine {
    /// Starts the engine as a task of the running tokio runtime. The handle's first snapshot is an empty one that says
    /// so (`server.status` is `connecting`).
    ///
    /// The task ends by [`Command::Stop`], or when every handle is dropped.
    ///
    /// # Errors
    /// If the strategy does not exist, or a user's profile is wrong. Whatever happens later is told by the snapshots.
    pub fn start(server: Server, settings: EngineSettings) -> Result<(Handle, JoinHandle<()>), EngineError> {
        Self::start_from(server, settings, SettingsSource::none())
    }

    /// The same with the place from which [`Command::Reload`] reads the settings again.
    ///
    /// # Errors
    /// As [`Engine::start`].
    pub fn start_from(
        server: Server,
        settings: EngineSettings,
        source: SettingsSource,
    ) -> Result<(Handle, JoinHandle<()>), EngineError> {
        Self::start_remembering(server, settings, source, None)
    }

    /// The same with what another engine knew last: agents that are provably the same go on with their states and ages,
    /// and what has changed since then is an event.
    ///
    /// # Errors
    /// As [`Engine::start`].
    pub fn start_remembering(
        server: Server,
        settings: EngineSettings,
        source: SettingsSource,
        memory: Option<Memory>,
    ) -> Result<(Handle, JoinHandle<()>), EngineError> {
        let mut core = Core::new(server, settings)?;
        core.memory = memory;
        let (publisher, snapshots) = watch::channel(Arc::new(core.snapshot()));
        let (handle, requests) = Handle::new(snapshots, COMMANDS);
        let task = tokio::spawn(run(core, Inbox::new(requests, source), publisher));
        Ok((handle, task))
    }

    /// Looks once, without publishing, and returns the snapshot: for commands that answer once. One cycle, in which every
    /// pane that may hold an agent is read; up to three such looks where some could not be. The ceiling is none for it.
    ///
    /// # Errors
    /// If the engine cannot be made, or the server cannot be reached.
    pub async fn once(server: Server, settings: EngineSettings) -> Result<Snapshot, OnceError> {
        Self::once_remembering(server, settings, None).await
    }

    /// The same with what another engine knew last, as [`Engine::start_remembering`].
    ///
    /// # Errors
    /// As [`Engine::once`].
    pub async fn once_remembering(
        server: Server,
        settings: EngineSettings,
        memory: Option<Memory>,
    ) -> Result<Snapshot, OnceError> {
        let mut core = Core::new(server, EngineSettings { max_server_percent: 100.0, ..settings })?;
        core.memory = memory;
        core.strategy = Box::new(crate::monitor::strategy::Concurrent);
        for _ in 0..LOOKS {
            if let Some(problem) = core.turn().await.1 {
                return Err(OnceError::Tmux(problem));
            }
            if !core.fleet.iter().any(Tracked::is_new) {
                break;
            }
        }
        // There is no second look: what was seen is believed.
        core.believe();
        let snapshot = core.snapshot();
        core.pool.close().await;
        Ok(snapshot)
    }
}

/// Why a single cycle failed.
#[derive(Debug, thiserror::Error)]
pub enum OnceError {
    /// The engine cannot be made.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The server cannot be reached.
    #[error(transparent)]
    Tmux(#[from] TmuxError),
}

/// What reaches the engine's task from outside.
struct Inbox {
    commands: mpsc::Receiver<Order>,
    clients: watch::Receiver<Clients>,
    own: ClientId,
    source: SettingsSource,
    /// Settings that were read again, on a thread of their own: a disk that does not answer holds no cycle up.
    fresh: (mpsc::Sender<Fresh>, mpsc::Receiver<Fresh>),
    /// Those who wait until the settings were read again.
    rereading: Vec<Order>,
    /// What was carried out and is not published yet.
    done: Vec<Order>,
}

impl Inbox {
    fn new(requests: Requests, source: SettingsSource) -> Self {
        let Requests { commands, clients, own } = requests;
        Self { commands, clients, own, source, fresh: mpsc::channel(1), rereading: Vec::new(), done: Vec::new() }
    }

    /// Takes in who is there. Says whether the next cycle should begin at once.
    fn attend(&mut self, core: &mut Core) -> bool {
        let clients = self.clients.borrow_and_update();
        core.attend(&clients, self.own)
    }

    /// Carries out a command. Says whether the next cycle should begin at once; `None`: what it changed is to be
    /// published, and needs no cycle.
    fn obey(&mut self, core: &mut Core, order: Order) -> Option<bool> {
        if order.command == Command::Reload {
            let (source, tell) = (self.source.clone(), self.fresh.0.clone());
            tokio::task::spawn_blocking(move || tell.blocking_send(source.read_again()).ok());
            self.rereading.push(order);
            return Some(false);
        }
        match core.obey(order.command.clone()) {
            Ok(at_once) => {
                self.done.push(order);
                at_once.then_some(true)
            }
            Err(why) => {
                tracing::warn!(%why, "refused");
                // Whoever asked is told; a reason for nobody is an event.
                if let Some(Refused(why)) = order.answer(Err(why)) {
                    core.refuse(why);
                }
                Some(false)
            }
        }
    }

    /// Settings were read again: those who asked for it are told how it ended.
    fn reread(&mut self, core: &mut Core, fresh: Fresh) {
        let answer = fresh.as_ref().map(drop).map_err(|why| Refused(format!("settings unchanged: {why}")));
        core.take_settings(fresh);
        for order in self.rereading.drain(..) {
            order.answer(answer.clone());
        }
    }

    /// Publishes, and tells those whose commands it shows.
    fn publish(&mut self, core: &mut Core, publisher: &watch::Sender<Arc<Snapshot>>, logged: &mut u64) {
        publish(core, publisher, logged);
        for order in self.done.drain(..) {
            order.answer(Ok(()));
        }
    }
}

async fn run(mut core: Core, mut inbox: Inbox, publisher: watch::Sender<Arc<Snapshot>>) {
    let mut next = clock::now();
    let mut logged = 0;
    // When a cycle was published last; `None` while a command waits for its confirmation.
    let mut published = None;
    // When the last cycle began, and the last that a write began early.
    let (mut began, mut early) = (next, None);
    let mut woken = false;
    'engine: loop {
        // By chance where several are ready: nobody who sends commands without a pause may hold the cycles up.
        tokio::select! {
            command = inbox.commands.recv() => {
                let Some(order) = command else { break };
                if order.command == Command::Stop {
                    order.answer(Ok(()));
                    break;
                }
                published = None;
                let at_once = inbox.obey(&mut core, order);
                if at_once == Some(true) {
                    next = next.min(core.paced(clock::now(), Reason::Asked));
                }
                // What was changed is told now, where the cycle that would tell it has to wait.
                if core.paused || at_once.is_none() || (at_once == Some(true) && next > clock::now()) {
                    inbox.publish(&mut core, &publisher, &mut logged);
                }
            }
            // All places are given up with the last handle; then the queue ends too.
            Ok(()) = inbox.clients.changed() => {
                published = None;
                if inbox.attend(&mut core) && !core.paused {
                    next = clock::now();
                }
                if core.paused {
                    core.show_focused().await;
                    inbox.publish(&mut core, &publisher, &mut logged);
                }
            }
            Some(fresh) = inbox.fresh.1.recv() => {
                inbox.reread(&mut core, fresh);
                inbox.publish(&mut core, &publisher, &mut logged);
                next = next.min(core.paced(clock::now(), Reason::Asked));
            }
            () = core.writes.heard(), if !core.paused && core.early.is_some() => {
                core.listen();
                if let Some(at) = early_at(&mut core, began, early).filter(|at| *at < next) {
                    (next, woken) = (at, true);
                }
            }
            () = sleep_until(next.into()), if !core.paused => {
                began = clock::now();
                if std::mem::take(&mut woken) {
                    early = Some(began);
                }
                // Commands that come while a cycle runs wait for its end, so that no cycle runs under two settings.
                let mut waiting = Vec::new();
                let pause = {
                    let turn = core.turn();
                    tokio::pin!(turn);
                    loop {
                        tokio::select! {
                            (pause, _) = &mut turn => break pause,
                            command = inbox.commands.recv(), if waiting.len() < COMMANDS => match command {
                                Some(order) if order.command == Command::Stop => {
                                    order.answer(Ok(()));
                                    break 'engine;
                                }
                                None => break 'engine,
                                Some(order) => waiting.push(order),
                            },
                        }
                    }
                };
                let due = began + pause;
                let now = clock::now();
                if now > due && !core.more_new {
                    core.history.overrun();
                }
                // Late ticks are dropped, not queued: one cycle follows, however long the last took.
                let due = due.max(now);
                next = core.paced(due, Reason::Tick);
                core.held_back(next.saturating_duration_since(due) > pause / 10, now);
                // A probe that found nothing is no news: it is told once an interval, not at each tick.
                let told = published.is_some_and(|at| is_recent(now, at, core.settings.interval));
                if !(told && core.quiet && core.events.newest() == logged) {
                    inbox.publish(&mut core, &publisher, &mut logged);
                    published = Some(now);
                }
                let mut shown = true;
                for order in waiting {
                    published = None;
                    match inbox.obey(&mut core, order) {
                        Some(true) => {
                            next = next.min(core.paced(clock::now(), Reason::Asked));
                            shown &= next <= clock::now();
                        }
                        Some(false) => {}
                        None => shown = false,
                    }
                }
                if core.paused || !shown {
                    inbox.publish(&mut core, &publisher, &mut logged);
                }
                // Heard while the cycle ran.
                if core.woken && let Some(at) = early_at(&mut core, began, early).filter(|at| *at < next) {
                    (next, woken) = (at, true);
                }
                // What is not believed yet is looked at again when its time comes, if the server answers.
                if core.problem.is_none() && let Some(at) = core.fleet.iter().filter_map(|t| t.record.as_ref()?.settles_at()).min() {
                    next = next.min(core.paced(at.max(now), Reason::News));
                }
            }
        }
    }
    core.pool.close().await;
}

/// When a cycle begins that was woken by a write just heard; `began`: when the last cycle did, `early`: the last that
/// was woken. `None` when the strategy wants none.
fn early_at(core: &mut Core, began: Instant, early: Option<Instant>) -> Option<Instant> {
    let apart = core.early?;
    let at = (clock::now() + DRAWN).max(began + APART);
    let at = early.map_or(at, |early| at.max(early + apart));
    Some(core.paced(at, Reason::News))
}

/// Whether `at` is less than an interval before `now`, with the tenth that ticks may be early.
fn is_recent(now: Instant, at: Instant, interval: Duration) -> bool {
    now.saturating_duration_since(at) < interval.mul_f64(0.9)
}

fn publish(core: &mut Core, publisher: &watch::Sender<Arc<Snapshot>>, logged: &mut u64) {
    let began = clock::now();
    let snapshot = core.snapshot();
    snapshot.events_since(*logged).for_each(log_event);
    *logged = core.events.newest();
    publisher.send_replace(Arc::new(snapshot));
    core.last_publish_ms = clock::since(began).as_secs_f64() * 1000.0;
}

impl Core {
    /// One cycle and its bookkeeping. Returns the time from its start to the next, and why it failed if it did.
    async fn turn(&mut self) -> (Duration, Option<TmuxError>) {
        let outcome = self.cycle().await;
        self.quiet = outcome.is_quiet();
        let now = clock::now();
        self.cache.settle().await;
        let combination = self.combination();
        // The first cycle under other settings ends what the ones before cost.
        let sampled = if self.history.ran_last(&combination) {
            self.cost.sample(now, self.server_pid)
        } else {
            self.cost.begin(now, self.server_pid);
            false
        };
        let cost = self.cost.info();
        self.measured.tmux_cpu_percent = cost.tmux_cpu_percent;
        let info = self.cache.info();
        let layers = [&info.pane_content, &info.agent_status, &info.session_info, &info.config];
        let hits: u64 = layers.iter().map(|layer| layer.hits).sum();
        let lookups: u64 = hits + layers.iter().map(|layer| layer.misses).sum::<u64>();
        let before = std::mem::replace(&mut self.lookups, (hits, lookups));
        let cycle = Cycle {
            stats: &outcome.stats,
            in_use: self.pool.take_peak(),
            lookups: (hits.saturating_sub(before.0), lookups.saturating_sub(before.1)),
            staleness_ms: self.staleness(now),
            cpu_percent: cost.cpu_percent.filter(|_| sampled),
            tmux_cpu_percent: cost.tmux_cpu_percent.filter(|_| sampled),
        };
        self.peak = cycle.in_use;
        self.history.record(now, &combination, &cycle);
        if outcome.problem.is_none() {
            self.transport = self.pool.transport().await;
            self.cycle_done();
        }
        (outcome.next, outcome.problem)
    }

    /// Mean age of the verdicts, milliseconds: 0 for a screen that is proven unchanged, else the time since its read.
    fn staleness(&self, now: Instant) -> Option<f64> {
        let (mut sum, mut count) = (0.0, 0u32);
        for tracked in self.fleet.iter().filter(|t| t.record.is_some()) {
            let age = match tracked.read_at {
                Some((at, _)) if tracked.is_behind() => now.saturating_duration_since(at).as_secs_f64() * 1000.0,
                _ => 0.0,
            };
            sum += age;
            count += 1;
        }
        (count > 0).then(|| sum / f64::from(count))
    }
}

/// Whether an agent's program runs and does something.
pub(crate) fn is_active(state: State) -> bool {
    !matches!(state, State::Idle | State::Exited)
}
