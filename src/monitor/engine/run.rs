//! The engine's task: it waits for a tick, a command, a client or a write, runs cycles, and publishes.

use std::{
    ops::ControlFlow,
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::{sync::watch, time::sleep_until};

use crate::monitor::engine::core::Core;
use crate::monitor::engine::inbox::{Answer, Inbox};
use crate::monitor::engine::reload::Fresh;
use crate::monitor::engine::schedule::Schedule;
use crate::monitor::meter::events::log_event;
use crate::monitor::meter::governor::Reason;
use crate::monitor::meter::history::Cycle;
use crate::monitor::{Command, Order, Snapshot, State, clock};
use crate::tmux::TmuxError;

/// Commands that are taken in while a cycle runs; those beyond wait in the queue.
const WAITING: usize = 64;

/// An engine that runs.
pub(crate) struct Task {
    core: Core,
    inbox: Inbox,
    schedule: Schedule,
    publisher: watch::Sender<Arc<Snapshot>>,
    /// Number of the newest event that was written to the log.
    logged: u64,
}

impl Task {
    pub(crate) fn new(core: Core, inbox: Inbox, publisher: watch::Sender<Arc<Snapshot>>) -> Self {
        Self { core, inbox, schedule: Schedule::new(clock::now()), publisher, logged: 0 }
    }

    /// Runs until it is stopped, or the last handle is dropped.
    pub(crate) async fn run(mut self) {
        loop {
            let paused = self.core.paused;
            // By chance where several are ready: nobody who sends commands without a pause may hold the cycles up.
            let goes_on = tokio::select! {
                command = self.inbox.commands.recv() => self.take_command(command),
                // The list of clients ends with the last handle; then the queue of commands ends too.
                Ok(()) = self.inbox.clients.changed() => self.take_clients().await,
                Some(fresh) = self.inbox.fresh.recv() => self.take_settings(fresh),
                () = self.core.writes.notified(), if !paused && self.core.early.is_some() => self.take_writes(),
                () = sleep_until(self.schedule.next().into()), if !paused => self.cycle().await,
            };
            if goes_on.is_break() {
                break;
            }
        }
        self.core.pool.close().await;
    }

    /// A command came, or nobody is left to send one.
    fn take_command(&mut self, order: Option<Order>) -> ControlFlow<()> {
        let order = unless_it_ends(order)?;
        let answer = self.obey(order);
        // What was changed is told now, where the cycle that would tell it has to wait.
        let waits = answer == Answer::Cycle && self.schedule.next() > clock::now();
        if self.core.paused || answer == Answer::Publish || waits {
            self.publish();
        }
        ControlFlow::Continue(())
    }

    fn obey(&mut self, order: Order) -> Answer {
        self.schedule.client_waits();
        let answer = self.inbox.obey(&mut self.core, order);
        if answer == Answer::Cycle {
            self.schedule.bring_forward(self.core.paced(clock::now(), Reason::Asked));
        }
        answer
    }

    /// A client came, went, or wants something else to be shown.
    async fn take_clients(&mut self) -> ControlFlow<()> {
        self.schedule.client_waits();
        let news = self.inbox.attend(&mut self.core);
        if self.core.paused {
            self.core.show_focused().await;
            self.publish();
        } else if news {
            self.schedule.bring_forward(clock::now());
        }
        ControlFlow::Continue(())
    }

    /// The settings were read again.
    fn take_settings(&mut self, fresh: Fresh) -> ControlFlow<()> {
        self.inbox.reread(&mut self.core, fresh);
        self.publish();
        self.schedule.bring_forward(self.core.paced(clock::now(), Reason::Asked));
        ControlFlow::Continue(())
    }

    /// The kernel notified us of writes to quiet panes.
    fn take_writes(&mut self) -> ControlFlow<()> {
        self.core.listen();
        self.wake();
        ControlFlow::Continue(())
    }

    /// A write begins the next cycle early, if the strategy wants that.
    fn wake(&mut self) {
        if let Some(apart) = self.core.early {
            let at = self.schedule.earliest(apart, clock::now());
            self.schedule.wake(self.core.paced(at, Reason::News));
        }
    }

    /// One cycle. Commands that come while it runs wait for its end, so that no cycle runs under two settings.
    async fn cycle(&mut self) -> ControlFlow<()> {
        self.schedule.begin(clock::now());
        let mut waiting = Vec::new();
        let pause = {
            let turn = self.core.turn();
            tokio::pin!(turn);
            loop {
                tokio::select! {
                    (pause, _) = &mut turn => break pause,
                    command = self.inbox.commands.recv(), if waiting.len() < WAITING => {
                        waiting.push(unless_it_ends(command)?);
                    }
                }
            }
        };
        self.plan_next(pause);
        self.publish_cycle();
        self.obey_all(waiting);
        if self.core.woken {
            self.wake();
        }
        // A state that is not believed yet is judged again when its time comes, if the server answers.
        if self.core.problem.is_none()
            && let Some(at) = self.core.fleet.iter().filter_map(|tracked| tracked.settles_at()).min()
        {
            self.schedule.bring_forward(self.core.paced(at.max(clock::now()), Reason::News));
        }
        ControlFlow::Continue(())
    }

    fn plan_next(&mut self, pause: Duration) {
        let now = clock::now();
        let due = self.schedule.end(pause, now);
        if due.late && !self.core.more_new {
            self.core.history.overrun();
        }
        let next = self.core.paced(due.at, Reason::Tick);
        self.schedule.plan(next);
        self.core.held_back(next.saturating_duration_since(due.at) > pause / 10, now);
    }

    /// A probe that found nothing is no news: it is published once an interval, not at each tick.
    fn publish_cycle(&mut self) {
        let now = clock::now();
        let news = !self.core.quiet || self.core.events.newest() != self.logged;
        if news || self.schedule.is_publishing_due(self.core.settings.interval, now) {
            self.publish();
            self.schedule.published(now);
        }
    }

    /// Carries out what came while the cycle ran.
    fn obey_all(&mut self, waiting: Vec<Order>) {
        let mut shown = true;
        for order in waiting {
            match self.obey(order) {
                Answer::Cycle => shown &= self.schedule.next() <= clock::now(),
                Answer::Publish => shown = false,
                Answer::Nothing => {}
            }
        }
        if self.core.paused || !shown {
            self.publish();
        }
    }

    fn publish(&mut self) {
        let began = clock::now();
        let snapshot = self.core.snapshot();
        snapshot.events_since(self.logged).for_each(log_event);
        self.logged = self.core.events.newest();
        self.inbox.publish(&self.publisher, snapshot);
        self.core.last_publish_ms = clock::since(began).as_secs_f64() * 1000.0;
    }
}

/// The command, unless it or its absence ends the engine.
fn unless_it_ends(order: Option<Order>) -> ControlFlow<(), Order> {
    match order {
        Some(order) if order.command == Command::Stop => {
            order.answer(Ok(()));
            ControlFlow::Break(())
        }
        Some(order) => ControlFlow::Continue(order),
        None => ControlFlow::Break(()),
    }
}

impl Core {
    /// One cycle and its bookkeeping. Returns the time from its start to the next, and why it failed if it did.
    pub(crate) async fn turn(&mut self) -> (Duration, Option<TmuxError>) {
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
        for tracked in self.fleet.iter().filter(|tracked| tracked.record().is_some()) {
            let stale_for = tracked.reading().stale_since().map(|at| now.saturating_duration_since(at));
            sum += stale_for.map_or(0.0, |age| age.as_secs_f64() * 1000.0);
            count += 1;
        }
        (count > 0).then(|| sum / f64::from(count))
    }
}

/// Whether an agent's program runs and does something.
pub(crate) fn is_active(state: State) -> bool {
    !matches!(state, State::Idle | State::Exited)
}
