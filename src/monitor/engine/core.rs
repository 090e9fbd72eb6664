//! What the engine owns from cycle to cycle, and what changes it besides the cycles.

use std::{
    collections::BTreeSet,
    sync::Arc,
    time::{Duration, Instant},
};

use jiff::Timestamp;

use crate::monitor::access::Access;
use crate::monitor::cycle::fetch::show_focused;
use crate::monitor::cycle::publish::{SnapshotParts, snapshot};
use crate::monitor::detect::Profiles;
use crate::monitor::engine::client::{ClientId, Clients};
use crate::monitor::engine::launch::EngineError;
use crate::monitor::engine::strategies::Strategies;
use crate::monitor::facts::repository::Repositories;
use crate::monitor::facts::writes::Writes;
use crate::monitor::facts::{file, profiles};
use crate::monitor::meter::ceiling::Ceiling;
use crate::monitor::meter::events::Events;
use crate::monitor::meter::governor::Reason;
use crate::monitor::meter::history::Combination;
use crate::monitor::meter::ledger::Ledger;
use crate::monitor::panes::known::Panes;
use crate::monitor::usage::Accounts;
use crate::monitor::{EngineSettings, Mode, RereadInfo, Snapshot, clock};
use crate::tmux::{PaneId, Server, TransportKind};

/// How long a cycle waits for the profiles that are read again.
const READ_PROFILES: Duration = Duration::from_secs(1);

/// The engine's parts.
pub struct Core {
    /// In force, with what was tuned since they were read.
    pub(crate) settings: EngineSettings,
    pub(crate) configured: Configured,
    pub(crate) profiles: Arc<Profiles>,
    pub(crate) access: Access,
    pub(crate) panes: Panes,
    pub(crate) accounts: Accounts,
    pub(crate) repositories: Repositories,
    pub(crate) writes: Writes,
    pub(crate) strategies: Strategies,
    pub(crate) attention: Attention,
    pub(crate) ceiling: Ceiling,
    pub(crate) ledger: Ledger,
    pub(crate) events: Events,
    pub(crate) paused: bool,
    started: (Instant, Timestamp),
}

/// The settings as they were last read, without what was tuned since: what reading them again is compared with.
pub(crate) struct Configured {
    pub(crate) settings: EngineSettings,
    /// What came of reading them again last.
    pub(crate) reread: Option<RereadInfo>,
}

/// What the clients look at.
#[derive(Default)]
pub(crate) struct Attention {
    /// Panes that clients have in focus.
    pub(crate) focus: BTreeSet<PaneId>,
    /// Those, and all that clients show side by side.
    pub(crate) shown: BTreeSet<PaneId>,
    /// The one of the client for which the engine was started.
    pub(crate) own: Option<PaneId>,
    /// Somebody sees the snapshots.
    pub(crate) watched: bool,
}

impl Attention {
    /// The panes in focus, and all that are shown.
    pub(crate) fn both(&self) -> (&BTreeSet<PaneId>, &BTreeSet<PaneId>) {
        (&self.focus, &self.shown)
    }
}

impl Core {
    /// The state before the first cycle.
    ///
    /// # Errors
    /// If the strategy does not exist or a user's profile is wrong.
    pub fn new(server: Server, mut settings: EngineSettings) -> Result<Self, EngineError> {
        let profiles = Arc::new(profiles::load(settings.agents_dir.as_deref())?);
        let strategies = Strategies::new(&settings)?;
        let configured = Configured { settings: settings.clone(), reread: None };
        if settings.mode == Mode::Sync {
            settings.make_sync();
        }
        let now = clock::now();
        Ok(Self {
            profiles,
            access: Access::new(server, settings.transport, settings.pool),
            panes: Panes::new(&settings.cache),
            repositories: Repositories::new(&settings.repositories),
            accounts: Accounts::default(),
            writes: Writes::default(),
            strategies,
            attention: Attention { watched: true, ..Attention::default() },
            ceiling: Ceiling::new(settings.max_server_percent, now),
            ledger: Ledger::default(),
            events: Events::default(),
            paused: false,
            started: (now, Timestamp::now()),
            configured,
            settings,
        })
    }

    /// The settings as a row of the tune log.
    pub(crate) fn combination(&self) -> Combination {
        let cache = &self.settings.cache;
        Combination {
            strategy: self.strategies.name().to_owned(),
            pool_size: self.settings.pool.max_size,
            interval: self.settings.interval,
            cache: if cache.enabled { cache.policy.to_string() } else { "off".to_owned() },
        }
    }

    /// The snapshot of this moment.
    pub(crate) fn snapshot(&mut self) -> Snapshot {
        let combination = self.combination();
        snapshot(SnapshotParts {
            settings: &self.settings,
            reread: self.configured.reread.as_ref(),
            access: &self.access,
            panes: &self.panes,
            accounts: &self.accounts,
            repositories: &self.repositories,
            ceiling: &self.ceiling,
            ledger: &mut self.ledger,
            events: &mut self.events,
            strategy: self.strategies.name(),
            strategies: self.strategies.list(),
            combination: &combination,
            shown: &self.attention.shown,
            own_focus: self.attention.own,
            paused: self.paused,
            started: self.started,
        })
    }

    /// Reads the agent profiles anew when their time in the cache is over. Wrong ones change nothing, and an event says
    /// so.
    pub(crate) async fn refresh_profiles(&mut self) {
        // Without the cache they stay as they are: reading them in every cycle would measure that and nothing else.
        if !self.settings.cache.enabled {
            return;
        }
        let dir = self.settings.agents_dir.clone();
        let before = Arc::clone(&self.profiles);
        let mut problem = None;
        let read = async {
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
        };
        self.profiles = self.panes.cache.config.get_or((), read).await;
        if let Some(problem) = problem {
            self.events.note(Timestamp::now(), problem);
        }
    }

    /// Goes on with the sync engine: nothing that monitors may be lost because something clever failed.
    pub(crate) fn give_way(&mut self) {
        let why = self.access.reach.problem().unwrap_or_default();
        let text = format!("the async engine cannot start ({why}); going on with one tmux process per command");
        tracing::warn!(text);
        self.events.note(Timestamp::now(), text);
        self.go_sync();
    }

    /// From now on one tmux process per command, one agent after another.
    pub(crate) fn go_sync(&mut self) {
        self.settings.make_sync();
        self.strategies.go_sync();
        self.access.set_transport(self.settings.transport, Some(TransportKind::Process));
        self.access.pool.configure(self.settings.pool);
        self.panes.cache.reset(&self.settings.cache);
    }

    /// Takes in who is there and what each wants. Says whether the next cycle should begin at once.
    pub(crate) fn attend(&mut self, clients: &Clients, own: ClientId) -> bool {
        let focus = clients.focus();
        let shown = focus.iter().copied().chain(clients.tiles()).collect();
        let now = Attention { focus, shown, own: clients.of(own).focus, watched: clients.watched() };
        let before = std::mem::replace(&mut self.attention, now);
        let now = &self.attention;
        self.panes.show(&before.shown, &now.shown);
        !now.shown.is_subset(&before.shown) || !now.focus.is_subset(&before.focus) || now.watched && !before.watched
    }

    /// Captures what somebody shows and is not there: also while the cycles rest.
    pub(crate) async fn show_focused(&mut self) {
        show_focused(&self.access, &mut self.panes.fleet, &self.attention.shown).await;
    }

    /// When the next cycle begins that is due then: not before the ceiling allows it.
    pub(crate) fn paced(&mut self, due: Instant, reason: Reason) -> Instant {
        let focused = !self.attention.focus.is_empty();
        self.ceiling.paced(due, reason, focused, clock::now())
    }

    /// Notes whether the ceiling put the next cycle off.
    pub(crate) fn held_back(&mut self, held: bool, now: Instant) {
        if let Some(text) = self.ceiling.held_back(held, now) {
            self.events.notice(Timestamp::now(), text, false);
        }
    }

    /// Takes in the notifications of writes that have come. Says whether there were any.
    pub(crate) fn take_writes(&mut self) -> bool {
        let notified = self.writes.take();
        let panes = self.panes.notified(&notified, clock::now());
        self.ledger.history.notified(panes as u64);
        !notified.is_empty()
    }

    /// Takes in the writes of the panes that are followed.
    pub(crate) fn take_followed(&mut self) {
        let rhythm = &mut self.ledger.history.rhythm;
        self.panes.take_followed(&mut self.writes.followed, rhythm, clock::now());
        rhythm.followed = self.writes.followed.len();
    }

    /// Whether the rhythm of any of them is broken now.
    pub(crate) fn breaks_rhythm(&mut self) -> bool {
        self.panes.breaks_rhythm(&self.writes.followed.panes(), clock::now())
    }

    /// Something that was asked for is not done: an event says why.
    pub(crate) fn refuse(&mut self, why: String) {
        tracing::warn!(why, "refused");
        self.events.notice(Timestamp::now(), why, true);
    }
}
