//! Strategies: who is read when, in what batches, over how many connections.

mod adaptive;
mod concurrent;
mod polling;
mod sequential;

use std::time::{Duration, Instant};

pub(crate) use adaptive::Adaptive;
pub(crate) use concurrent::Concurrent;
pub(crate) use polling::Polling;
pub(crate) use sequential::Sequential;

use tokio::sync::oneshot;

use crate::monitor::AgentState;
use crate::tmux::PaneId;

/// What is known of one pane that holds an agent or may hold one.
#[derive(Clone, Debug, PartialEq)]
pub struct Known {
    /// The pane.
    pub pane: PaneId,
    /// Its agent's state; `None` before the first read.
    pub state: Option<AgentState>,
    /// It may show something else than what was read last: the cache cannot prove that it does not.
    pub may_have_changed: bool,
    /// When it was read last; `None` before the first read.
    pub read_at: Option<Instant>,
    /// When a read last showed something new.
    pub changed_at: Option<Instant>,
    /// Its user looks at it in the dashboard.
    pub focused: bool,
    /// We are notified of its next write: no probe is needed to find it.
    pub notified: bool,
    /// Its writes are followed and have a rhythm: it needs no look soon after a read, to see how its drawing ends.
    pub has_rhythm: bool,
    /// It is, and the rhythm of its writes goes on: a request, an end or an error would break it.
    pub in_rhythm: bool,
}

/// What was measured so far.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Measured {
    /// Round trip of the last probe.
    pub probe: Duration,
    /// Round trip of the last batch of captures.
    pub batch: Option<Duration>,
    /// Panes in that batch.
    pub batch_panes: usize,
    /// What a request that asks nothing costs the server: it looks over all panes for each client.
    pub request: Duration,
    /// Fewest captures that are worth a request of their own, by that.
    pub worth_a_request: usize,
    /// CPU of the tmux server, percent of one core: all its work, not only ours.
    pub tmux_cpu_percent: Option<f64>,
}

/// All that a strategy plans from.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    /// When the cycle began.
    pub now: Instant,
    /// The panes, in a stable order.
    pub panes: &'a [Known],
    /// Time between cycles as set.
    pub interval: Duration,
    /// Most connections that may be used at once.
    pub pool_size: usize,
    /// Measurements.
    pub measured: Measured,
    /// Somebody sees the result now: a dashboard shows it.
    pub watched: bool,
}

/// The plan of one cycle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Panes to capture; each batch is one request.
    pub batches: Vec<Vec<PaneId>>,
    /// Requests under way at once.
    pub width: usize,
    /// From the start of this cycle to the start of the next.
    pub next: Duration,
    /// A write that is notified begins the next cycle early, but not sooner than this after the last early one; `None`:
    /// the next cycle begins when it is planned.
    pub early: Option<Duration>,
}

/// Plans cycles. A strategy may keep notes from plan to plan; it never talks to tmux.
pub trait Strategy: Send + std::fmt::Debug {
    /// Its name.
    fn name(&self) -> &str;

    /// Plans the cycle that begins now.
    ///
    /// # Errors
    /// What is wrong with the strategy, with its script's line: the engine then plans with the built-in one.
    fn plan(&mut self, view: &View<'_>) -> Result<Plan, String>;

    /// Where planning may take long it is done on another thread, and this is where the plan arrives. `None`: `plan`
    /// answers at once.
    fn plan_apart(&mut self, _view: &View<'_>) -> Option<oneshot::Receiver<Result<Plan, String>>> {
        None
    }

    /// The built-in strategy that goes on when this one fails.
    fn based_on(&self) -> &str {
        "adaptive"
    }
}

/// How the problem of a script begins that compiled and then could not plan: its file alone does not tell of it.
pub const COULD_NOT_PLAN: &str = "it could not plan: ";

/// Names of the built-in strategies, in the order of the keys `1`, `2`, `3`.
pub const BUILT_IN: [&str; 3] = ["concurrent", "polling", "adaptive"];

/// A built-in strategy by name.
#[must_use]
pub fn built_in(name: &str) -> Option<Box<dyn Strategy>> {
    match name {
        "concurrent" => Some(Box::new(Concurrent)),
        "polling" => Some(Box::<Polling>::default()),
        "adaptive" => Some(Box::<Adaptive>::default()),
        _ => None,
    }
}

/// Splits `panes` into at most `parts` batches of nearly equal size, none above `largest`.
fn split(panes: &[PaneId], parts: usize, largest: usize) -> Vec<Vec<PaneId>> {
    if panes.is_empty() {
        return Vec::new();
    }
    let size = panes.len().div_ceil(parts.max(1)).clamp(1, largest.max(1));
    panes.chunks(size).map(<[PaneId]>::to_vec).collect()
}

#[cfg(test)]
pub(super) mod testing {
    use super::*;

    /// A pane that was read a second ago and may have changed.
    pub fn known(id: u32, state: AgentState, now: Instant) -> Known {
        let second_ago = now.checked_sub(Duration::from_secs(1));
        Known {
            pane: PaneId(id),
            state: Some(state),
            may_have_changed: true,
            read_at: second_ago,
            changed_at: second_ago,
            focused: false,
            notified: false,
            has_rhythm: false,
            in_rhythm: false,
        }
    }

    pub fn view(panes: &[Known], now: Instant) -> View<'_> {
        View {
            now,
            panes,
            interval: Duration::from_secs(1),
            pool_size: 4,
            measured: Measured::default(),
            watched: true,
        }
    }
}
