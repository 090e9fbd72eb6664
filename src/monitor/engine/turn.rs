//! One turn: the steps of a cycle in their order, and its bookkeeping.

use std::time::{Duration, Instant};

use jiff::Timestamp;

use crate::monitor::cycle::detect::detect;
use crate::monitor::cycle::discover::{another_server, discover};
use crate::monitor::cycle::fetch::{FetchContext, Fetched, Read, fetch};
use crate::monitor::cycle::plan::{Surveyed, cut, plan, survey};
use crate::monitor::cycle::spend::look_at_transcripts;
use crate::monitor::engine::core::Core;
use crate::monitor::meter::ledger::CycleFacts;
use crate::monitor::strategy::{Known, Measured, Plan};
use crate::monitor::{CycleStats, Mode, clock};
use crate::tmux::TmuxError;

/// What a turn came to.
pub(crate) struct Ran {
    /// From its start to the start of the next.
    pub(crate) next: Duration,
    /// See [`Plan::early`].
    pub(crate) early: Option<Duration>,
    /// Writes were notified while it ran.
    pub(crate) woken: bool,
    /// It was the probe and nothing else.
    pub(crate) quiet: bool,
    /// It could not be done: why.
    pub(crate) problem: Option<TmuxError>,
}

fn millis(since: Instant) -> f64 {
    clock::since(since).as_secs_f64() * 1000.0
}

impl Core {
    /// One cycle and its bookkeeping; `early` is that of the last plan. Cancelling it anywhere loses nothing but this
    /// cycle.
    pub(crate) async fn turn(&mut self, early: Option<Duration>) -> Ran {
        let began = clock::now();
        let mut stats = CycleStats { publish_ms: self.ledger.publish_ms(), ..CycleStats::default() };
        let mut turn = match self.cycle(early, began, &mut stats).await {
            Ok(turn) => turn,
            Err(problem) => {
                self.failed(&problem, began).await;
                stats.discover_ms = millis(began);
                let next = self.settings.interval.max(self.access.reach.retry_after(clock::now()));
                Ran { next, early, woken: false, quiet: false, problem: Some(problem) }
            }
        };
        turn.quiet = turn.problem.is_none() && stats.checked == 0 && stats.tmux_requests <= 1;
        stats.duration_ms = millis(began);
        self.enter(&stats).await;
        turn
    }

    /// The steps.
    async fn cycle(
        &mut self,
        early: Option<Duration>,
        began: Instant,
        stats: &mut CycleStats,
    ) -> Result<Ran, TmuxError> {
        let found = discover(&mut self.access, &mut self.panes, &mut self.ceiling, &self.settings, stats).await?;
        self.events.extend(found.happened);
        for note in found.notes {
            self.events.note(Timestamp::now(), note);
        }
        self.strategies.measured.probe = clock::since(began);

        self.refresh_profiles().await;
        let (shown, writes) = (self.attention.both(), early.map(|_| &mut self.writes));
        let Surveyed { known, rejudge } =
            survey(&mut self.panes, &self.profiles, &self.settings, shown, writes, began).await;
        let mut plan = self.plan(&known, began).await;
        let first_sight = self.cut(&mut plan, began);
        stats.discover_ms = millis(began);

        let fetching = clock::now();
        let mut woken = plan.early.is_some() && self.take_writes();
        let reads = self.fetch(&plan, (found.listed, began), first_sight, stats).await;
        woken |= plan.early.is_some() && self.take_writes();
        // What is read now was written before: the writes count before it is judged.
        self.take_followed();
        stats.fetch_ms = millis(fetching);

        let detecting = clock::now();
        stats.checked = reads.len();
        let detected = detect(reads, rejudge, &mut self.panes, &self.profiles, self.settings.interval).await;
        if stats.checked > 0 {
            self.reads_failed(&detected.failed);
        }
        self.events.extend(detected.happened);
        self.repositories.round(self.panes.workers(), clock::now());
        stats.changed = detected.changed;
        let rhythm = &mut self.ledger.history.rhythm;
        rhythm.breaks += detected.breaks.0;
        rhythm.false_breaks += detected.breaks.1;
        stats.skipped = self.panes.candidates().count().saturating_sub(stats.checked);
        let (panes, accounts) = (&mut self.panes, &mut self.accounts);
        let news = look_at_transcripts(panes, accounts, &self.settings, Timestamp::now(), clock::now());
        self.events.extend(news);
        stats.detect_ms = millis(detecting);
        Ok(Ran { next: plan.next, early: plan.early, woken, quiet: false, problem: None })
    }

    /// Lets the strategy plan; one that cannot gives way to what it is based on, now and from now on.
    async fn plan(&mut self, known: &[Known], now: Instant) -> Plan {
        let prices = self.ceiling.prices();
        self.strategies.measured =
            Measured { request: prices.request, worth_a_request: prices.fewest(), ..self.strategies.measured };
        let (measured, interval) = (self.strategies.measured, self.settings.interval);
        let (pool_size, watched) = (self.access.pool.stats().pool_size, self.attention.watched);
        let planned = plan(self.strategies.strategy(), known, watched, interval, pool_size, measured, now).await;
        if let Some(failed) = planned.failed {
            let text = self.strategies.failed(failed);
            tracing::warn!(text);
            self.events.note(Timestamp::now(), text);
            self.strategies.name().clone_into(&mut self.settings.strategy);
            // So that reading the settings again tries the script again: it may have been mended.
            self.configured.settings.strategy.clone_from(&self.settings.strategy);
        }
        planned.plan
    }

    /// Cuts a plan down to what the ceiling allows. Says how much of what is read is a first sight, 0 to 1.
    fn cut(&mut self, plan: &mut Plan, now: Instant) -> f64 {
        let focus = &self.attention.focus;
        let rationed = cut(plan, &self.panes.fleet, &mut self.ceiling, focus, self.settings.mode, now);
        if let Some(text) = rationed.notice {
            self.events.notice(Timestamp::now(), text, false);
        }
        rationed.first_sight
    }

    /// Reads what is planned, and pays for it.
    async fn fetch(
        &mut self,
        plan: &Plan,
        (listed, began): (bool, Instant),
        first_sight: f64,
        stats: &mut CycleStats,
    ) -> Vec<Read> {
        if plan.batches.is_empty() {
            return Vec::new();
        }
        self.ceiling.begin(self.access.server_cpu(), clock::now());
        let (focus, shown) = self.attention.both();
        let context = FetchContext { focus, shown, began, named: &self.settings.named, listed };
        let Fetched { reads, round_trip } =
            fetch(plan, &self.access, &mut self.panes.fleet, &mut self.writes, context, stats).await;
        let (cpu, now) = (self.access.server_cpu(), clock::now());
        self.ceiling.fetched(cpu, first_sight, plan.batches.len(), reads.len(), now);
        if let Some((took, panes)) = round_trip {
            self.strategies.measured.batch = Some(took);
            self.strategies.measured.batch_panes = panes;
        }
        reads
    }

    fn reads_failed(&mut self, problems: &[TmuxError]) {
        self.ledger.failed(problems.len());
        for text in self.access.reads_failed(problems) {
            tracing::warn!(text, "tmux");
            self.events.notice(Timestamp::now(), text, true);
        }
    }

    /// A cycle could not be done.
    async fn failed(&mut self, problem: &TmuxError, now: Instant) {
        let at = Timestamp::now();
        self.ceiling.nothing_planned();
        self.ledger.failed(1);
        let not_reached = self.access.failed(problem, now);
        if let Some(text) = not_reached.news {
            tracing::warn!(problem = text, "tmux");
            self.events.notice(at, text, true);
        }
        self.panes.unreachable(now, self.settings.interval);
        if not_reached.lost {
            let agents = self.panes.forget_all(&self.settings.cache, at).len();
            if agents > 0 {
                // That the server is gone is an event already: this is what came of it.
                let s = if agents == 1 { "" } else { "s" };
                self.events.notice(at, format!("{agents} agent{s} went with the tmux server"), false);
            }
        }
        if self.settings.mode == Mode::Async && self.access.reach.has_never_worked() {
            self.give_way();
        }
        if problem.is_unreachable() && self.access.finds_another().await {
            self.events.extend(another_server(&mut self.panes, &self.settings, at));
        }
    }

    /// Puts the cycle down in the ledger.
    async fn enter(&mut self, stats: &CycleStats) {
        let now = clock::now();
        self.panes.cache.settle().await;
        let combination = self.combination();
        let facts = CycleFacts {
            stats,
            server: self.access.incarnation().map(|server| server.pid),
            in_use: self.access.pool.take_peak(),
            cache: &self.panes.cache.info(),
            staleness_ms: self.panes.staleness_ms(now),
        };
        self.ledger.enter(now, &combination, facts);
        self.strategies.measured.tmux_cpu_percent = self.ledger.cost().tmux_cpu_percent;
    }
}
