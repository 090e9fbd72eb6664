//! The pool: who may talk to the server now. One request at a time for each connection, waiters in order.

pub(crate) mod state;
#[cfg(test)]
pub(crate) mod tests;

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{sync::oneshot, time::Instant};

use crate::tmux::pool::state::{Connection, PoolState};
use crate::tmux::transport::route::Route;
use crate::tmux::{Batch, PoolSettings, PoolStats, Reply, Server, TmuxError, TransportChoice, TransportKind, Version};

/// Hands out connections to one server. Cheap to clone: all clones are the same pool.
#[derive(Clone)]
pub struct Pool {
    shared: Arc<Shared>,
}

struct Shared {
    route: Route,
    state: Mutex<PoolState>,
}

/// One connection, for the one who holds it. It goes back when dropped.
pub struct Lease {
    shared: Arc<Shared>,
    connection: Option<Connection>,
}

impl Pool {
    /// A pool for a server; nothing is contacted before the first request. A capacity of 0 is taken as 1.
    #[must_use]
    pub fn new(server: Server, transport: TransportChoice, settings: PoolSettings) -> Self {
        let state = PoolState::new(settings);
        Self { shared: Arc::new(Shared { route: Route::new(server, transport), state: Mutex::new(state) }) }
    }

    /// A connection: at once, or when one comes back, first come first served.
    ///
    /// # Errors
    /// [`TmuxError::AcquireTimeout`] after `connection_timeout`, [`TmuxError::Closed`] when the pool is closed.
    pub async fn acquire(&self) -> Result<Lease, TmuxError> {
        let started = Instant::now();
        let waiting = {
            let mut state = self.shared.lock();
            if state.closed {
                return Err(TmuxError::Closed);
            }
            if state.waiters.is_empty()
                && let Some(connection) = state.take()
            {
                state.acquired(Duration::ZERO, connection.served > 0);
                return Ok(self.shared.lease(connection));
            }
            let id = state.next_waiter;
            state.next_waiter += 1;
            let (sender, receiver) = oneshot::channel();
            state.waiters.push_back((id, sender));
            Waiting { shared: &self.shared, id, receiver }
        };
        waiting.until_granted(started).await
    }

    /// Sets the capacity (at least 1). Growing serves those who wait; shrinking drops idle connections now and those in
    /// use when they come back.
    pub fn resize(&self, max: usize) {
        // Under one lock: settings that somebody else puts in force meanwhile stay.
        {
            let mut state = self.shared.lock();
            let settings = PoolSettings { max_size: max, ..state.settings };
            state.configure(settings);
        }
        self.shared.serve();
    }

    /// Puts other settings in force, as [`Pool::resize`] does. The new limits hold for requests and waits that begin
    /// from now on, and for connections when they come back.
    pub fn configure(&self, settings: PoolSettings) {
        self.shared.lock().configure(settings);
        self.shared.serve();
    }

    /// The settings in force.
    #[must_use]
    pub fn settings(&self) -> PoolSettings {
        self.shared.lock().settings
    }

    /// Goes on with another transport; requests under way end as they began.
    pub fn set_transport(&self, choice: TransportChoice) {
        self.shared.route.choose(choice);
    }

    /// The counters now.
    #[must_use]
    pub fn stats(&self) -> PoolStats {
        self.shared.lock().snapshot()
    }

    /// Most connections in use at once since this was last asked.
    #[must_use]
    pub fn take_peak(&self) -> usize {
        let mut state = self.shared.lock();
        let now = state.in_use;
        std::mem::replace(&mut state.peak, now)
    }

    /// The transport in use; asks the server's version when that is needed to know. `None` while it is not known.
    pub async fn transport(&self) -> Option<TransportKind> {
        self.shared.route.transport(self.settings().request_timeout).await.ok().map(|transport| transport.kind())
    }

    /// The server's version, when it was asked. See [`Pool::transport`].
    #[must_use]
    pub fn version(&self) -> Option<Version> {
        self.shared.route.version()
    }

    /// The server's processes are out of sight here. Known once it was asked.
    #[must_use]
    pub fn is_elsewhere(&self) -> bool {
        self.shared.route.is_elsewhere()
    }

    /// What the user should know since this was last asked: fallbacks and warnings.
    #[must_use]
    pub fn take_notes(&self) -> Vec<String> {
        self.shared.route.take_notes()
    }

    /// The server it talks to.
    #[must_use]
    pub fn server(&self) -> &Server {
        self.shared.route.server()
    }

    /// Hands out nothing more, tells those who wait, and waits until every connection is back.
    pub async fn close(&self) {
        let waiters = {
            let mut state = self.shared.lock();
            state.closed = true;
            state.idle.clear();
            std::mem::take(&mut state.waiters)
        };
        drop(waiters);
        loop {
            let back = self.shared.route.returned();
            if self.shared.lock().in_use == 0 {
                return;
            }
            back.await;
        }
    }
}

impl Lease {
    /// Sends a batch and reads the answer, for at most `request_timeout`.
    ///
    /// # Errors
    /// A [`TmuxError`] when the server did not answer; commands that failed are in the reply.
    pub async fn request(&mut self, batch: &Batch) -> Result<Reply, TmuxError> {
        let shared = Arc::clone(&self.shared);
        if let Some(connection) = &mut self.connection {
            // Until the answer is whole: a request that fails or is cancelled leaves a connection nobody gets again.
            connection.broken = true;
        }
        let limit = shared.lock().settings.request_timeout;
        let began = Instant::now();
        let reply = shared.route.send(batch, limit).await;
        // Their names only: what is typed into a pane is nobody else's to read.
        tracing::trace!(
            commands = ?batch.commands().filter_map(|command| command.argv().first()).collect::<Vec<_>>(),
            took = ?began.elapsed(),
            answered = reply.is_ok(),
            "request"
        );
        let reply = reply?;
        if let Some(connection) = &mut self.connection {
            connection.broken = false;
            connection.served += 1;
        }
        Ok(reply)
    }
}

#[cfg(test)]
impl Lease {
    /// As if a request had been answered, or had failed.
    pub(crate) fn pretend_served(&mut self, broken: bool) {
        if let Some(connection) = &mut self.connection {
            connection.served += 1;
            connection.broken = broken;
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            self.shared.give_back(connection);
        }
    }
}

/// One who waits; leaves the queue when it gives up or is cancelled.
struct Waiting<'a> {
    shared: &'a Arc<Shared>,
    id: u64,
    receiver: oneshot::Receiver<Lease>,
}

impl Waiting<'_> {
    async fn until_granted(mut self, started: Instant) -> Result<Lease, TmuxError> {
        let limit = self.shared.lock().settings.connection_timeout;
        match tokio::time::timeout_at(started + limit, &mut self.receiver).await {
            Ok(Ok(lease)) => {
                let reused = lease.connection.as_ref().is_some_and(|connection| connection.served > 0);
                self.shared.lock().acquired(started.elapsed(), reused);
                Ok(lease)
            }
            Ok(Err(_)) => Err(TmuxError::Closed),
            Err(_) => {
                self.shared.lock().stats.acquisition_timeouts += 1;
                Err(TmuxError::AcquireTimeout { after: limit })
            }
        }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        // A lease that was granted in this very moment is in the channel, and goes back when the receiver is dropped.
        self.shared.lock().waiters.retain(|(id, _)| *id != self.id);
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, PoolState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lease(self: &Arc<Self>, connection: Connection) -> Lease {
        Lease { shared: Arc::clone(self), connection: Some(connection) }
    }

    /// Hands connections to those who wait, while there are both.
    fn serve(self: &Arc<Self>) {
        loop {
            let (lease, sender) = {
                let mut state = self.lock();
                if state.waiters.is_empty() {
                    return;
                }
                let Some(connection) = state.take() else { return };
                let Some((_, sender)) = state.waiters.pop_front() else { return };
                (self.lease(connection), sender)
            };
            // Outside of the lock: one who gave up in between makes this drop the lease, which comes back here.
            drop(sender.send(lease));
        }
    }

    fn give_back(self: &Arc<Self>, connection: Connection) {
        {
            let mut state = self.lock();
            state.in_use -= 1;
            let room = !state.closed && state.in_use + state.idle.len() < state.settings.max_size;
            if room && !connection.broken {
                if connection.born.elapsed() >= state.settings.max_age {
                    state.stats.connections_recycled += 1;
                    state.create();
                } else {
                    state.idle.push(connection);
                }
            }
            state.fill();
        }
        self.route.notify_returned();
        self.serve();
    }
}
