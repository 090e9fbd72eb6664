//! The engine's task: it waits for a tick, a command, a client or a write, runs cycles, and publishes.

use std::{
    ops::ControlFlow,
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::{sync::watch, time::sleep_until};

use crate::monitor::engine::core::Core;
use crate::monitor::engine::inbox::{Inbox, Obeyed};
use crate::monitor::engine::reload::Fresh;
use crate::monitor::engine::schedule::Schedule;
use crate::monitor::meter::events::log_event;
use crate::monitor::meter::governor::Reason;
use crate::monitor::panes::rhythm::TAKEN;
use crate::monitor::{Command, Order, Snapshot, clock};

/// Commands that are taken in while a cycle runs; those beyond wait in the queue.
const WAITING: usize = 64;

/// An engine that runs.
pub(crate) struct Task {
    core: Core,
    inbox: Inbox,
    schedule: Schedule,
    publisher: watch::Sender<Arc<Snapshot>>,
    /// When the writes of the panes that are followed are taken next.
    followed_at: Instant,
    /// Number of the newest event that was written to the log.
    logged: u64,
}

impl Task {
    pub(crate) fn new(core: Core, inbox: Inbox, publisher: watch::Sender<Arc<Snapshot>>) -> Self {
        Self { core, inbox, schedule: Schedule::new(clock::now()), followed_at: clock::now(), publisher, logged: 0 }
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
                () = self.core.writes.notified(), if !paused && self.schedule.takes_writes() => self.take_writes(),
                () = sleep_until(self.followed_at.into()), if !paused && self.follows() => self.take_followed(),
                () = sleep_until(self.schedule.next().into()), if !paused => self.cycle().await,
            };
            if goes_on.is_break() {
                break;
            }
        }
        self.core.access.pool.close().await;
    }

    /// A command came, or nobody is left to send one.
    fn take_command(&mut self, order: Option<Order>) -> ControlFlow<()> {
        let order = unless_it_ends(order)?;
        let answer = self.obey(order);
        // What was changed is published now, where the cycle that would show it has to wait.
        let waits = answer == Obeyed::Cycle && self.schedule.next() > clock::now();
        if self.core.paused || answer == Obeyed::Publish || waits {
            self.publish();
        }
        ControlFlow::Continue(())
    }

    fn obey(&mut self, order: Order) -> Obeyed {
        self.schedule.client_waits();
        let answer = self.inbox.obey(&mut self.core, order);
        if answer == Obeyed::Cycle {
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
    fn take_settings(&mut self, fresh: (Order, Fresh)) -> ControlFlow<()> {
        self.inbox.reread(&mut self.core, fresh);
        self.publish();
        self.schedule.bring_forward(self.core.paced(clock::now(), Reason::Asked));
        ControlFlow::Continue(())
    }

    /// The kernel notified us of writes to quiet panes.
    fn take_writes(&mut self) -> ControlFlow<()> {
        self.core.take_writes();
        self.wake();
        ControlFlow::Continue(())
    }

    /// Whether the writes of busy panes are taken.
    fn follows(&self) -> bool {
        self.schedule.takes_writes() && !self.core.writes.followed.is_empty()
    }

    /// What the panes wrote that are followed. None of them wakes us: they are asked at a fixed rate.
    fn take_followed(&mut self) -> ControlFlow<()> {
        let now = clock::now();
        self.followed_at = now + TAKEN;
        self.core.take_followed();
        if self.core.breaks_rhythm() {
            self.wake_at(self.schedule.earliest_at(now));
        }
        ControlFlow::Continue(())
    }

    /// A write begins the next cycle early, if the strategy wants that.
    fn wake(&mut self) {
        self.wake_at(self.schedule.earliest(clock::now()));
    }

    fn wake_at(&mut self, earliest: Option<Instant>) {
        if let Some(at) = earliest {
            self.schedule.wake(self.core.paced(at, Reason::News));
        }
    }

    /// One cycle. Commands that come while it runs wait for its end, so that no cycle runs under two settings.
    async fn cycle(&mut self) -> ControlFlow<()> {
        self.schedule.begin(clock::now());
        let mut waiting = Vec::new();
        let ran = {
            let turn = self.core.turn(self.schedule.early());
            tokio::pin!(turn);
            loop {
                tokio::select! {
                    ran = &mut turn => break ran,
                    command = self.inbox.commands.recv(), if waiting.len() < WAITING => {
                        waiting.push(unless_it_ends(command)?);
                    }
                }
            }
        };
        self.schedule.allow_early(ran.early);
        self.plan_next(ran.next);
        self.publish_cycle(ran.quiet);
        self.obey_all(waiting);
        if ran.woken {
            self.wake();
        }
        // A state that is not believed yet is judged again when its time comes, if the server answers.
        if ran.problem.is_none()
            && let Some(at) = self.core.panes.settles_at()
        {
            self.schedule.bring_forward(self.core.paced(at.max(clock::now()), Reason::News));
        }
        ControlFlow::Continue(())
    }

    fn plan_next(&mut self, pause: Duration) {
        let now = clock::now();
        let due = self.schedule.end(pause, now);
        if due.late && !self.core.ceiling.has_more_new() {
            self.core.ledger.history.overrun();
        }
        let next = self.core.paced(due.at, Reason::Tick);
        self.schedule.plan(next);
        self.core.held_back(next.saturating_duration_since(due.at) > pause / 10, now);
    }

    /// A probe that found nothing is no news: it is published once an interval, not at each tick.
    fn publish_cycle(&mut self, quiet: bool) {
        let now = clock::now();
        let news = !quiet || self.core.events.newest() != self.logged;
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
                Obeyed::Cycle => shown &= self.schedule.next() <= clock::now(),
                Obeyed::Publish => shown = false,
                Obeyed::Nothing => {}
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
        self.core.ledger.published(clock::since(began).as_secs_f64() * 1000.0);
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
