//! A host that is watched: connected to, and again after every loss, until it is not wanted any more. Each is a task of its
//! own, so that one that hangs holds up none of the others.

use std::{
    path::PathBuf,
    pin::pin,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use tokio::{
    sync::{Notify, Semaphore, watch},
    time::{Instant, sleep, sleep_until},
};
use tokio_util::task::AbortOnDropHandle;

use crate::monitor::LinkState;
use crate::monitor::clients::attach::Wishes;
use crate::monitor::link::acts::Acts;
use crate::monitor::link::backoff::{Backoff, chance};
use crate::monitor::link::connector::{HostConfig, Shared};
use crate::monitor::link::end::{Trouble, tidy};
use crate::monitor::link::lines::{BehindLine, BridgeHello, MemberLine};
use crate::monitor::link::linked::{Known, LinkedHost};
use crate::monitor::link::login::{another, shared_way};
use crate::monitor::link::member::Members;
use crate::monitor::link::session;
use crate::monitor::link::state::{Limits, Watch};
use crate::monitor::link::wake::look_at_clocks;

/// Most hosts that are being connected to at once: sshd turns away more at the same door.
const CONNECTING_AT_ONCE: usize = 8;
/// Hosts that are wanted at the same moment come within this time.
const SPREAD: Duration = Duration::from_millis(300);

/// From this time there and back on a way is slow ...
const SLOW: Duration = Duration::from_millis(500);
/// ... and snapshots come no more often than this.
const SLOW_EVERY_MS: u64 = 1000;

/// What all hosts share.
#[derive(Clone, Debug)]
pub struct Links(Arc<Common>);

#[derive(Debug)]
struct Common {
    connecting: Arc<Semaphore>,
    /// Counts the sleeps of this machine.
    sleeps: watch::Receiver<u64>,
    /// Where `hosts login` leaves its connections.
    run: Option<PathBuf>,
    read_only: bool,
    /// The hosts of a host are wanted too.
    hosts: bool,
    limits: Limits,
    _looking: AbortOnDropHandle<()>,
}

impl Links {
    /// `run`: where `hosts login` leaves its connections. `read_only`: nothing is typed into a pane of any host, whatever
    /// its settings say. To be called within a runtime.
    #[must_use]
    pub fn new(run: Option<PathBuf>, read_only: bool) -> Self {
        Self::within(Limits::default(), run, read_only)
    }

    /// Those of a bridge: nothing of their own hosts.
    pub(crate) fn of_bridge(run: PathBuf, read_only: bool) -> Self {
        Self::made(Limits::default(), Some(run), read_only, false)
    }

    pub(crate) fn within(limits: Limits, run: Option<PathBuf>, read_only: bool) -> Self {
        Self::made(limits, run, read_only, true)
    }

    fn made(limits: Limits, run: Option<PathBuf>, read_only: bool, hosts: bool) -> Self {
        let (tell, sleeps) = watch::channel(0);
        let _looking = AbortOnDropHandle::new(tokio::spawn(look_at_clocks(tell)));
        let connecting = Arc::new(Semaphore::new(CONNECTING_AT_ONCE));
        Self(Arc::new(Common { connecting, sleeps, run, read_only, hosts, limits, _looking }))
    }
}

/// Watches a host from now on.
#[must_use]
pub fn open(config: HostConfig, shared: Links) -> LinkedHost {
    let (tell, state) = watch::channel(LinkState::Connecting);
    let (members, shown) = Members::new(&config.name);
    let (known, acts, retry) = (Arc::default(), Acts::default(), Arc::new(Notify::new()));
    let read_only = shared.0.read_only || config.read_only;
    let (say_behind, behind) = watch::channel(None);
    let link = Link {
        config: config.clone(),
        shared,
        members,
        state: tell,
        known: Arc::clone(&known),
        acts: acts.clone(),
        retry: Arc::clone(&retry),
        behind: say_behind,
    };
    let _task = AbortOnDropHandle::new(tokio::spawn(link.run()));
    LinkedHost { config, state, members: shown, behind, known, acts, retry, read_only, _task }
}

/// The task of one host.
#[derive(Debug)]
pub(crate) struct Link {
    config: HostConfig,
    shared: Links,
    pub(crate) members: Members,
    state: watch::Sender<LinkState>,
    known: Arc<Mutex<Known>>,
    acts: Acts,
    retry: Arc<Notify>,
    behind: watch::Sender<Option<Vec<BehindLine>>>,
}

impl Link {
    async fn run(mut self) {
        let mut backoff = Backoff::default();
        let mut never_shared = false;
        loop {
            sleep(SPREAD.mul_f64(chance())).await;
            // One that is being connected to may hang: it gives the permit back with its hello or its end.
            let Ok(permit) = Arc::clone(&self.shared.0.connecting).acquire_owned().await else { return };
            let argv = self.config.argv(&self.way(never_shared), self.shared.0.read_only);
            let mut connected = None;
            let trouble = session::run(&mut self, &argv, || {
                connected = Some(Instant::now());
                drop(permit);
            })
            .await;
            let up = connected.map(|at| at.elapsed());
            tracing::info!(host = self.config.name, ?trouble, "the connection to a host has ended");
            never_shared = matches!(trouble, Trouble::NoHello(_));
            let pause = backoff.after(&trouble, up, chance());
            self.fell(trouble, pause);
            if self.wait(pause).await {
                backoff.reset();
            }
        }
    }

    /// Whose connection ssh may use.
    fn way(&self, never_shared: bool) -> Shared {
        if never_shared {
            return Shared::Never;
        }
        self.shared.0.run.as_ref().map_or(Shared::Configured, |run| shared_way(run, &self.config.name))
    }

    /// Waits for the next try. Says whether somebody asked for it, or this machine slept.
    async fn wait(&mut self, pause: Duration) -> bool {
        let mut wakes = self.wakes();
        let until = Instant::now() + pause;
        // In any terminal.
        let mut logged_in = pin!(another(self.shared.0.run.as_deref(), &self.config.name));
        loop {
            tokio::select! {
                () = sleep_until(until) => return false,
                () = self.retry.notified() => {
                    self.state.send_replace(LinkState::Connecting);
                    return true;
                }
                Ok(()) = wakes.changed() => return true,
                () = self.members.show_next() => {}
                () = &mut logged_in, if self.state.borrow().mend() == Some("login") => return true,
            }
        }
    }

    /// What is asked of the host's engines: less where the way is slow.
    pub(crate) fn wishes(&self) -> Wishes {
        let rtt = self.known.lock().unwrap_or_else(PoisonError::into_inner).rtt;
        let slow = rtt.is_some_and(|rtt| rtt > SLOW);
        if slow { Wishes { every_ms: SLOW_EVERY_MS, ..Wishes::remote() } } else { Wishes::remote() }
    }

    pub(crate) fn name(&self) -> &str {
        &self.config.name
    }

    pub(crate) fn wants_hosts(&self) -> bool {
        self.shared.0.hosts
    }

    pub(crate) fn limits(&self) -> Limits {
        self.shared.0.limits
    }

    pub(crate) fn acts(&self) -> &Acts {
        &self.acts
    }

    /// Counts the sleeps of this machine from now on.
    pub(crate) fn wakes(&self) -> watch::Receiver<u64> {
        let mut wakes = self.shared.0.sleeps.clone();
        wakes.mark_unchanged();
        wakes
    }

    pub(crate) fn retries(&self) -> Arc<Notify> {
        Arc::clone(&self.retry)
    }

    /// The bridge has said who it is.
    pub(crate) fn greeted(&mut self, hello: &BridgeHello) {
        let now = Timestamp::now();
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.version = Some(tidy(&hello.version.chars().take(40).collect::<String>()));
        known.skew = hello.at.map(|theirs| theirs.duration_since(now));
        (known.read_only, known.tells, known.hosts) = (hello.read_only, hello.tells, hello.hosts);
    }

    /// The bridge has said how its machine's own hosts are reached.
    pub(crate) fn behind(&mut self, lines: Vec<BehindLine>) {
        self.behind.send_replace(Some(lines));
    }

    /// The bridge has said which tmux servers there are.
    pub(crate) fn named(&mut self, lines: Vec<MemberLine>) {
        let servers = lines.iter().map(|line| line.name.clone()).collect();
        self.known.lock().unwrap_or_else(PoisonError::into_inner).servers = Some(servers);
        self.members.are(lines);
    }

    /// Shows how the connection is.
    pub(crate) fn shows(&mut self, watch: &Watch) {
        if !watch.is_up() {
            return;
        }
        let now = Timestamp::now();
        let late = watch.late_since().map(|at| now - SignedDuration::try_from(at.elapsed()).unwrap_or_default());
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if late.is_none() {
            known.last_heard = Some(now);
        }
        known.rtt = watch.rtt();
        drop(known);
        let next = match late {
            Some(since) => LinkState::Late { since },
            None => LinkState::Up { rtt: watch.rtt() },
        };
        self.state.send_if_modified(|state| {
            let same = match (&*state, &next) {
                (LinkState::Up { rtt: Some(before) }, LinkState::Up { rtt: Some(now) }) => is_about(*before, *now),
                (LinkState::Late { .. }, LinkState::Late { .. }) => true,
                (before, next) => before == next,
            };
            if !same {
                *state = next;
            }
            !same
        });
    }

    /// The connection is gone, or there was none.
    fn fell(&mut self, trouble: Trouble, pause: Duration) {
        let now = Timestamp::now();
        // For as long as it has been so, whatever was tried meanwhile.
        let since = match &*self.state.borrow() {
            LinkState::Connecting | LinkState::Up { .. } | LinkState::Off => now,
            other => other.since().unwrap_or(now),
        };
        let next = now + SignedDuration::try_from(pause).unwrap_or_default();
        self.state.send_replace(match trouble {
            Trouble::Lost(why) | Trouble::NoHello(why) => LinkState::Down { why, since, next },
            Trouble::NeedsLogin(why) => LinkState::NeedsLogin { why, since },
            Trouble::NotInstalled(why) => LinkState::NotInstalled { why, since },
            Trouble::Incompatible(why) => LinkState::Incompatible { why, since },
        });
    }
}

/// Small differences are not worth a redraw.
fn is_about(before: Duration, now: Duration) -> bool {
    before.abs_diff(now) <= (before / 4).max(Duration::from_millis(2))
}

#[cfg(test)]
#[path = "open_tests.rs"]
mod tests;
