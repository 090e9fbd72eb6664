//! The engine's state from cycle to cycle, and what changes it besides the cycles.

use std::{
    collections::BTreeSet,
    sync::Arc,
    time::{Duration, Instant},
};

use jiff::Timestamp;

use crate::monitor::cycle::pace;
use crate::monitor::cycle::ration::Prices;
use crate::monitor::detect::Profiles;
use crate::monitor::engine::client::{ClientId, Clients};
use crate::monitor::engine::launch::EngineError;
use crate::monitor::facts::writes::{Notified, Writes};
use crate::monitor::facts::{file, profiles};
use crate::monitor::meter::cost::CostMeter;
use crate::monitor::meter::events::Events;
use crate::monitor::meter::governor::Governor;
use crate::monitor::meter::history::{Combination, History};
use crate::monitor::meter::told::Told;
use crate::monitor::meter::toll::Toll;
use crate::monitor::panes::cache::Layers;
use crate::monitor::panes::fleet::Fleet;
use crate::monitor::snapshot::settings::{CachePolicy, MAX_INTERVAL, MAX_POOL, MIN_INTERVAL};
use crate::monitor::strategy::{BUILT_IN, Measured, Plan, Script, Strategy, View};
use crate::monitor::{
    Command, EngineSettings, EventKind, Memory, Mode, Refused, RereadInfo, ServerStatus, State, StrategyInfo, clock,
    strategy,
};
use crate::tmux::{PaneId, Pool, Screen, Server, TmuxError, TransportChoice, TransportKind};

/// How long the agents of a server that is gone stay in view, marked stale: it may only be restarting.
const KEEP_AFTER_LOSS: Duration = Duration::from_secs(3);

/// How long a cycle waits for the profiles that are read again.
const READ_PROFILES: Duration = Duration::from_secs(1);

/// Notes kept for the snapshot.
const NOTES: usize = 8;

/// Failed cycles in a row, from the start, after which the async engine gives way to the sync one.
const GIVE_WAY_AFTER: u32 = 3;

/// All that the engine knows.
pub struct Core {
    pub(crate) server: Server,
    pub(crate) settings: EngineSettings,
    /// The settings as they were last read, without what was tuned since: what reading them again is compared with.
    pub(crate) configured: EngineSettings,
    pub(crate) reread: Option<RereadInfo>,
    pub(crate) pool: Pool,
    pub(crate) cache: Layers,
    pub(crate) strategy: Box<dyn Strategy>,
    pub(crate) strategies: Vec<StrategyInfo>,
    pub(crate) fleet: Fleet,
    /// What another engine knew, until it is known which server this one watches.
    pub(crate) memory: Option<Memory>,
    pub(crate) writes: Writes,
    /// See [`Plan::early`]: of the last plan.
    pub(crate) early: Option<Duration>,
    /// A write was notified since the last cycle began.
    pub(crate) woken: bool,
    pub(crate) history: History,
    pub(crate) events: Events,
    pub(crate) cost: CostMeter,
    pub(crate) measured: Measured,
    pub(crate) toll: Toll,
    pub(crate) governor: Governor,
    pub(crate) prices: Prices,
    /// What the list of all panes cost the server, and when it was read last.
    pub(crate) listed: (Duration, Option<Instant>),
    /// Panes that nobody has looked at were left out of the last cycle.
    pub(crate) more_new: bool,
    pub(crate) profiles: Arc<Profiles>,
    pub(crate) transport: Option<TransportKind>,
    /// Names and places must be read anew: since something changed, no list of all panes was taken in.
    pub(crate) undescribed: bool,
    /// The same of places alone.
    pub(crate) moved: bool,
    /// When the probe last told places too.
    pub(crate) places_at: Option<Instant>,
    /// All panes' fields were read in this cycle.
    pub(crate) fields_fresh: bool,
    pub(crate) rejudge: Vec<(PaneId, Arc<Screen>)>,
    /// Panes that clients show.
    pub(crate) focus: BTreeSet<PaneId>,
    /// The one of the client for which the engine was started.
    pub(crate) own_focus: Option<PaneId>,
    pub(crate) watched: bool,
    pub(crate) paused: bool,
    pub(crate) status: ServerStatus,
    pub(crate) problem: Option<String>,
    /// What was told of reaching the server, and of reading single panes.
    pub(crate) told: Told,
    pub(crate) told_of_reads: Told,
    /// Cycles fail since then, for whatever reason.
    pub(crate) unreachable_since: Option<Instant>,
    /// Since then no server runs: not while one only did not answer.
    no_server_since: Option<Instant>,
    failed_cycles: u32,
    /// A cycle went well since the start.
    worked: bool,
    pub(crate) server_pid: Option<u32>,
    /// When the server started: see [`crate::monitor::ServerInfo::started`].
    pub(crate) server_started: Option<i64>,
    /// Of which server it was asked who listens at its socket, and who did.
    pub(crate) listener: Option<(u32, Option<u32>)>,
    pub(crate) errors: u64,
    pub(crate) notes: Vec<String>,
    pub(crate) started: Instant,
    pub(crate) started_at: Timestamp,
    /// The last cycle brought nothing new.
    pub(crate) quiet: bool,
    pub(crate) last_publish_ms: f64,
    pub(crate) lookups: (u64, u64),
    /// Most connections in use at once during the last cycle.
    pub(crate) peak: usize,
}

impl Core {
    /// The state before the first cycle.
    ///
    /// # Errors
    /// If the strategy does not exist or a user's profile is wrong.
    pub fn new(server: Server, mut settings: EngineSettings) -> Result<Self, EngineError> {
        let profiles = Arc::new(profiles::load(settings.agents_dir.as_deref())?);
        let configured = settings.clone();
        let strategy = Self::strategy_named(&settings.strategy, &settings)?;
        if settings.mode == Mode::Sync {
            settings.make_sync();
        }
        let governor = Governor::new(pace::aim(settings.max_server_percent), clock::now());
        let pool = Pool::new(server.clone(), settings.transport, settings.pool);
        Ok(Self {
            cache: Layers::new(&settings.cache),
            server,
            pool,
            strategy,
            strategies: strategy::list(settings.strategies_dir.as_deref()),
            settings,
            configured,
            reread: None,
            fleet: Fleet::default(),
            memory: None,
            writes: Writes::default(),
            early: None,
            woken: false,
            history: History::default(),
            events: Events::default(),
            cost: CostMeter::default(),
            measured: Measured::default(),
            toll: Toll::default(),
            governor,
            prices: Prices::default(),
            listed: (Duration::ZERO, None),
            more_new: false,
            profiles,
            transport: None,
            undescribed: false,
            moved: false,
            places_at: None,
            fields_fresh: false,
            rejudge: Vec::new(),
            focus: BTreeSet::new(),
            own_focus: None,
            watched: true,
            paused: false,
            status: ServerStatus::Connecting,
            problem: None,
            told: Told::default(),
            told_of_reads: Told::default(),
            unreachable_since: None,
            no_server_since: None,
            failed_cycles: 0,
            worked: false,
            server_pid: None,
            server_started: None,
            listener: None,
            errors: 0,
            notes: Vec::new(),
            started: clock::now(),
            started_at: Timestamp::now(),
            quiet: false,
            last_publish_ms: 0.0,
            lookups: (0, 0),
            peak: 0,
        })
    }

    pub(crate) fn strategy_named(name: &str, settings: &EngineSettings) -> Result<Box<dyn Strategy>, EngineError> {
        if settings.mode == Mode::Sync {
            return Ok(Box::new(strategy::Sequential));
        }
        if let Some(strategy) = strategy::built_in(name) {
            return Ok(strategy);
        }
        let scripts = settings.strategies_dir.as_deref().map(Script::names).unwrap_or_default();
        match &settings.strategies_dir {
            Some(dir) if scripts.iter().any(|script| script == name) => Ok(Box::new(Script::load(dir, name)?)),
            _ => {
                let known: Vec<&str> = BUILT_IN.into_iter().chain(scripts.iter().map(String::as_str)).collect();
                Err(EngineError::UnknownStrategy { name: name.to_owned(), known: known.join(", ") })
            }
        }
    }

    /// The settings as a row of the tune log.
    pub(crate) fn combination(&self) -> Combination {
        let cache = &self.settings.cache;
        Combination {
            strategy: self.strategy.name().to_owned(),
            pool_size: self.settings.pool.max_size,
            interval: self.settings.interval,
            cache: if cache.enabled { cache.policy.to_string() } else { "off".to_owned() },
        }
    }

    /// The compiled profiles, through the cache: read anew when their time is over.
    pub(crate) async fn profiles(&mut self) -> Arc<Profiles> {
        // Without the cache they stay as they are: reading them in every cycle would measure that and nothing else.
        if !self.settings.cache.enabled {
            return self.profiles_now();
        }
        let dir = self.settings.agents_dir.clone();
        let before = Arc::clone(&self.profiles);
        let mut problem = None;
        let profiles = self
            .cache
            .config
            .get_or((), async {
                match file::beside(READ_PROFILES, move || profiles::load(dir.as_deref())).await {
                    Some(Ok(profiles)) => Arc::new(profiles),
                    Some(Err(error)) => {
                        problem = Some(error.to_string());
                        before
                    }
                    None => {
                        problem = Some("the agent profiles were not read again: the disk does not answer".to_owned());
                        before
                    }
                }
            })
            .await;
        if let Some(problem) = problem {
            self.note(problem.clone());
            self.events.notice(Timestamp::now(), problem, true);
        }
        self.profiles = Arc::clone(&profiles);
        profiles
    }

    /// The profiles as the last look-up gave them.
    pub(crate) fn profiles_now(&self) -> Arc<Profiles> {
        Arc::clone(&self.profiles)
    }

    /// A thing that the user should know, once.
    pub(crate) fn note(&mut self, note: String) {
        if !self.notes.contains(&note) {
            if self.notes.len() == NOTES {
                self.notes.remove(0);
            }
            self.notes.push(note);
        }
    }

    /// Takes in the writes that were notified: those panes are read by the next cycle.
    pub(crate) fn listen(&mut self) {
        if self.early.is_none() {
            return;
        }
        let now = clock::now();
        for notified in self.writes.take() {
            self.woken = true;
            match notified {
                Notified::Pane(pane) => {
                    self.history.heard();
                    self.fleet.get_mut(pane).into_iter().for_each(|tracked| tracked.notified(now));
                }
                Notified::Terminals => {}
                Notified::Overflow => self.fleet.iter_mut().for_each(|tracked| tracked.notified(now)),
            }
        }
    }

    /// A cycle could not be done.
    pub(crate) fn cannot_reach(&mut self, problem: &TmuxError, now: Instant) {
        self.errors += 1;
        self.failed_cycles += 1;
        let status = if problem.is_no_server() {
            ServerStatus::NoServer
        } else if problem.is_no_tmux() {
            ServerStatus::NoTmux
        } else {
            ServerStatus::Unreachable
        };
        let (text, news) = self.told.tell(problem);
        if news {
            tracing::warn!(problem = text, "tmux");
            self.events.notice(Timestamp::now(), text.clone(), true);
        }
        self.status = status;
        self.problem = Some(text);
        self.unreachable_since.get_or_insert(now);
        let gone_since = match status {
            ServerStatus::NoServer => Some(*self.no_server_since.get_or_insert(now)),
            _ => self.no_server_since.take().and(None),
        };
        let interval = self.settings.interval;
        for tracked in self.fleet.iter_mut() {
            tracked.read_failed(now, interval);
        }
        // A server that is gone took its panes with it; one that only does not answer keeps them.
        if gone_since.is_some_and(|since| now.saturating_duration_since(since) >= KEEP_AFTER_LOSS) {
            let agents = self.fleet.clear().into_iter().filter(|tracked| tracked.record().is_some()).count();
            if agents > 0 {
                // That it is gone was told: this is what came of it.
                let s = if agents == 1 { "" } else { "s" };
                self.events.notice(Timestamp::now(), format!("{agents} agent{s} went with the tmux server"), false);
            }
            (self.server_pid, self.server_started) = (None, None);
            self.cache.reset(&self.settings.cache);
        }
        if self.settings.mode == Mode::Async
            && status == ServerStatus::Unreachable
            && !self.worked
            && self.failed_cycles >= GIVE_WAY_AFTER
        {
            self.give_way();
        }
    }

    /// Goes on with the sync engine: nothing that monitors may be lost because something clever failed.
    fn give_way(&mut self) {
        let why = self.problem.clone().unwrap_or_default();
        let text = format!("the async engine cannot start ({why}); going on with one tmux process per command");
        tracing::warn!(text);
        self.events.notice(Timestamp::now(), text.clone(), true);
        self.note(text);
        self.go_sync();
    }

    /// From now on one tmux process per command, one agent after another.
    pub(crate) fn go_sync(&mut self) {
        self.settings.make_sync();
        self.transport = Some(TransportKind::Process);
        self.strategy = Box::new(strategy::Sequential);
        self.pool.set_transport(self.settings.transport);
        self.pool.configure(self.settings.pool);
        self.cache.reset(&self.settings.cache);
    }

    /// The server answered: problems are over.
    pub(crate) fn answered(&mut self) {
        self.status = ServerStatus::Reachable;
        self.problem = None;
        self.told.over();
        (self.unreachable_since, self.no_server_since) = (None, None);
    }

    /// Some panes could not be read in this cycle, for these reasons; none where all could.
    pub(crate) fn read_all_but(&mut self, failed: &[TmuxError]) {
        if failed.is_empty() {
            self.told_of_reads.over();
        }
        for problem in failed {
            let (text, news) = self.told_of_reads.tell(problem);
            if news {
                let text = format!("{} panes could not be read: {text}", failed.len());
                tracing::warn!(text, "tmux");
                self.events.notice(Timestamp::now(), text, true);
            }
        }
    }

    /// How long to wait before a server that did not answer is tried again.
    pub(crate) fn retry_after(&self) -> Duration {
        let lost = self.unreachable_since.map_or(Duration::ZERO, clock::since);
        (lost / 4).clamp(Duration::from_millis(250), Duration::from_secs(2))
    }

    /// A strategy could not plan: the built-in one does it, now and from now on.
    pub(crate) fn strategy_failed(&mut self, problem: &str, view: &View<'_>) -> Plan {
        let name = self.strategy.name().to_owned();
        let base = self.strategy.based_on().to_owned();
        let text = format!("strategy {name}: {problem}; going on with {base}");
        tracing::warn!(text);
        self.events.notice(Timestamp::now(), text.clone(), true);
        self.note(text);
        if let Some(info) = self.strategies.iter_mut().find(|info| info.name == name) {
            info.problem = Some(format!("{}{problem}", strategy::COULD_NOT_PLAN));
        }
        let mut base: Box<dyn Strategy> =
            strategy::built_in(&base).unwrap_or_else(|| Box::<strategy::Adaptive>::default());
        let plan = base.plan(view).unwrap_or(Plan { batches: Vec::new(), width: 1, next: view.interval, early: None });
        self.settings.strategy = base.name().to_owned();
        // So that reading the settings again tries the script again: it may have been mended.
        self.configured.strategy.clone_from(&self.settings.strategy);
        self.strategy = base;
        plan
    }

    /// Carries out a command. Says whether the next cycle should begin at once.
    ///
    /// # Errors
    /// Why it is not carried out.
    pub(crate) fn obey(&mut self, command: Command) -> Result<bool, Refused> {
        match command {
            Command::Strategy(name) => self.set_strategy(&name)?,
            Command::PoolSize(size) => self.set_pool(size),
            Command::Interval(seconds) => self.set_interval(seconds)?,
            Command::Transport(name) => self.set_transport(&name)?,
            Command::Cache(true) if self.settings.mode == Mode::Sync => {
                return Err(Refused("the sync engine has no cache".to_owned()));
            }
            Command::Cache(enabled) => {
                let before = self.settings.cache.enabled;
                self.settings.cache.enabled = enabled;
                self.cache_changed("cache", on_off(before), on_off(self.settings.cache.enabled));
            }
            Command::CachePolicy(name) => match name.parse::<CachePolicy>() {
                Ok(policy) => {
                    let before = std::mem::replace(&mut self.settings.cache.policy, policy);
                    self.cache_changed("cache policy", before.to_string(), policy.to_string());
                }
                Err(_) => {
                    return Err(Refused(format!("no cache policy is called '{name}'; there are ttl, lru and lfu")));
                }
            },
            Command::ClearCache => {
                self.cache.reset(&self.settings.cache);
                self.changed("cache", "filled".to_owned(), "cleared".to_owned());
            }
            Command::Pause(paused) => {
                if paused != self.paused {
                    let word = |paused| if paused { "paused" } else { "running" };
                    self.changed("engine", word(self.paused).to_owned(), word(paused).to_owned());
                    self.paused = paused;
                }
                return Ok(!paused);
            }
            Command::Seen(pane) => {
                let Some(tracked) = self.fleet.get_mut(pane) else { return Ok(false) };
                if tracked.state() == Some(State::Exited) {
                    // Its user knows that it has ended: it is listed no longer.
                    let gone = tracked.dismiss_agent();
                    gone.into_iter().for_each(|event| self.events.push(Timestamp::now(), event));
                    return Ok(true);
                }
                tracked.seen();
                return Ok(false);
            }
            // They are put down as what the client wants, and do not come here.
            Command::Focus(_) | Command::Watched(_) => return Ok(false),
            Command::Acted(acted) => self.events.push(Timestamp::now(), EventKind::Acted(acted)),
            Command::Noted(changes) => changes.into_iter().for_each(|change| self.noted(change)),
            Command::Problem(text) => self.events.notice(Timestamp::now(), text, true),
            Command::Refresh | Command::Reload | Command::Stop => {}
        }
        Ok(true)
    }

    /// Takes in who is there and what each wants. Says whether the next cycle should begin at once.
    pub(crate) fn attend(&mut self, clients: &Clients, own: ClientId) -> bool {
        let (focus, watched) = (clients.focus(), clients.watched());
        let news = focus.difference(&self.focus).next().is_some() || watched && !self.watched;
        for left in self.focus.difference(&focus) {
            if let Some(tracked) = self.fleet.get_mut(*left) {
                tracked.preview = None;
            }
        }
        for came in focus.difference(&self.focus) {
            // Its last screen may be known with its colours, but they were let go of.
            if let Some(tracked) = self.fleet.get_mut(*came) {
                tracked.require_read();
            }
        }
        (self.focus, self.watched, self.own_focus) = (focus, watched, clients.of(own).focus);
        news
    }

    pub(crate) fn set_strategy(&mut self, name: &str) -> Result<(), Refused> {
        if self.settings.mode == Mode::Sync {
            let own = self.strategy.name();
            return Err(Refused(format!("the sync engine has one strategy: {own}")));
        }
        self.strategies = strategy::list(self.settings.strategies_dir.as_deref());
        match Self::strategy_named(name, &self.settings) {
            Ok(strategy) => {
                let before = self.strategy.name().to_owned();
                self.settings.strategy = name.to_owned();
                self.strategy = strategy;
                self.changed("strategy", before, self.strategy.name().to_owned());
            }
            Err(problem) => return Err(Refused(problem.to_string())),
        }
        Ok(())
    }

    fn set_pool(&mut self, size: usize) {
        let size = size.clamp(1, MAX_POOL);
        let before = std::mem::replace(&mut self.settings.pool.max_size, size);
        // The floor stays as it was set: the pool itself keeps it under the ceiling, and a larger pool has it again.
        self.pool.resize(size);
        self.changed("pool", before.to_string(), size.to_string());
    }

    pub(crate) fn set_interval(&mut self, seconds: f64) -> Result<(), Refused> {
        if !seconds.is_finite() || seconds <= 0.0 {
            return Err(Refused(format!("an interval of {seconds} s is not possible; it takes a number above 0")));
        }
        let interval = Duration::from_secs_f64(seconds.min(MAX_INTERVAL.as_secs_f64())).max(MIN_INTERVAL);
        let before = std::mem::replace(&mut self.settings.interval, interval);
        self.changed("interval", format!("{} s", before.as_secs_f64()), format!("{} s", interval.as_secs_f64()));
        Ok(())
    }

    pub(crate) fn set_transport(&mut self, name: &str) -> Result<(), Refused> {
        match name.parse::<TransportChoice>() {
            Ok(choice) if self.settings.mode == Mode::Async => {
                let before = std::mem::replace(&mut self.settings.transport, choice);
                self.pool.set_transport(choice);
                self.changed("transport", before.to_string(), choice.to_string());
            }
            Ok(_) => return Err(Refused("the sync engine has one transport: process".to_owned())),
            Err(_) => {
                let known = "auto, dial, spawn and process";
                return Err(Refused(format!("no transport is called '{name}'; there are {known}")));
            }
        }
        Ok(())
    }

    fn cache_changed(&mut self, setting: &str, before: String, after: String) {
        self.cache.reset(&self.settings.cache);
        self.changed(setting, before, after);
    }

    pub(crate) fn changed(&mut self, setting: &str, from: String, to: String) {
        if from != to {
            self.history.mark(&format!("{setting} {to}"));
            self.events.push(Timestamp::now(), EventKind::Changed { setting: setting.to_owned(), from, to });
        }
    }

    pub(crate) fn refuse(&mut self, why: String) {
        tracing::warn!(why, "refused");
        self.events.notice(Timestamp::now(), why, true);
    }

    /// A cycle went well.
    pub(crate) fn cycle_done(&mut self) {
        self.failed_cycles = 0;
        self.worked = true;
    }
}

fn on_off(on: bool) -> String {
    if on { "on" } else { "off" }.to_owned()
}
